//! HTTP. The endpoints themselves are in `api`, `git_http` and `control`.

pub(crate) mod api_error;
pub(crate) mod auth;
pub(crate) mod call;
pub(crate) mod client;
pub(crate) mod fault;
pub(crate) mod form;
pub(crate) mod journal;
pub(crate) mod middleware;
pub(crate) mod page;
pub(crate) mod params;
pub(crate) mod reply;
pub(crate) mod route;
pub(crate) mod server;
