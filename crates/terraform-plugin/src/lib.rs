#![deny(rustdoc::broken_intra_doc_links)]
// The links of the README lead to files. Where a label is defined twice, the first definition holds.
//! [`schema::Attribute`]: crate::schema::Attribute
//! [`DataSource`]: crate::data_source::DataSource
//! [`Function`]: crate::function::Function
//! [`EphemeralResource`]: crate::ephemeral_resource::EphemeralResource
//! [`ListResource`]: crate::list_resource::ListResource
//! [`Action`]: crate::action::Action
#![cfg_attr(feature = "testing", doc = "[driver]: crate::testing::driver")]
#![cfg_attr(feature = "testing", doc = "[launcher]: crate::testing::process")]
#![cfg_attr(not(feature = "testing"), doc = "[driver]: #testing")]
#![cfg_attr(not(feature = "testing"), doc = "[launcher]: #testing")]
//!
#![doc = include_str!("../README.md")]

extern crate self as terraform_plugin;

pub mod action;
pub mod context;
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
pub mod similar;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod value;
pub mod waiting;

mod kind;
mod run;
