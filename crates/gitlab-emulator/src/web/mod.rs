//! HTTP: requests in, answers out. What an endpoint does is in `api`, `git_http` and `control`.

pub(crate) mod around;
pub(crate) mod auth;
pub(crate) mod call;
pub(crate) mod client;
pub(crate) mod fault;
pub(crate) mod form;
pub(crate) mod journal;
pub(crate) mod page;
pub(crate) mod params;
pub(crate) mod refusal;
pub(crate) mod reply;
pub(crate) mod route;
pub(crate) mod server;
