//! The engine against a real API server, with the controllers of Kubernetes.
//!
//! The tests share one control plane and keep to names of their own.

#[cfg(test)]
mod apply;
#[cfg(test)]
mod components;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod delete;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod environment;
#[cfg(test)]
mod lease;
#[cfg(test)]
mod single;
#[cfg(test)]
mod stored_versions;
#[cfg(test)]
mod wait;
