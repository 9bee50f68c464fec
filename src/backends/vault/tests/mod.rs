//! Calls against a real `OpenBao`, behind a proxy that can lose or hold back what it answers.

mod auth_mounts;
mod failures;
mod logins;
mod mounts;
mod permissions;
mod policies;
mod renewal;
mod secrecy;
mod secrets;
mod server;
mod trust;
