#![doc = include_str!("../README.md")]

extern crate self as terraform_plugin;

pub mod action;
pub mod data_source;
pub mod diagnostics;
pub mod docs;
pub mod ephemeral_resource;
pub mod function;
pub mod list_resource;
pub mod logging;
pub mod model;
pub mod plan;
pub mod protocol;
pub mod provider;
pub mod resource;
pub mod schema;
pub mod server;
pub mod service;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod value;

mod kind;
mod run;
