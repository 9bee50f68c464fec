//! The plan pipeline and Terraform's own consistency rules, all on dynamic values.

mod arguments;
mod consistency;
mod form;
mod pipeline;
mod write_only;

pub(crate) use arguments::arguments;
pub use consistency::{Inconsistency, check_applied, check_planned};
pub(crate) use form::keep_form;
pub use pipeline::{Planned, plan};
pub(crate) use write_only::with_write_only;
