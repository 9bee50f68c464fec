#![deny(rustdoc::broken_intra_doc_links)]
#![doc = include_str!("../README.md")]

pub mod apply;
pub mod apply_set;
pub mod cluster;
pub mod connection;
pub mod drift;
mod error_chain;
pub mod inventory;
pub mod object;
pub mod order;
pub mod ownership;
pub mod readiness;
pub mod single;
pub mod stored_versions;
pub mod wait;
