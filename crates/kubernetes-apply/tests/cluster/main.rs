//! The engine against a real API server, with the controllers of Kubernetes.
//!
//! The tests share one control plane and keep to names of their own.

mod apply;
mod connection;
mod delete;
mod drift;
mod environment;
mod stored_versions;
mod wait;
