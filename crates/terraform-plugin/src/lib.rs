//! Framework for Terraform and OpenTofu providers in Rust.

pub mod diagnostics;
pub mod logging;
pub mod plan;
pub mod protocol;
pub mod schema;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod value;
