//! The plan pipeline and Terraform's consistency rules, on dynamic values.

mod arguments;
mod consistency;
mod elements;
mod equivalence;
mod pipeline;
mod recorded;
mod write_only;

pub(crate) use arguments::resolve_arguments;
pub use consistency::{Inconsistency, check_applied, check_planned, check_replanned, check_stored};
pub(crate) use equivalence::keep_equivalent;
pub(crate) use pipeline::apply_defaults;
pub use pipeline::{Planned, plan};
pub(crate) use recorded::complete_recorded;
pub(crate) use write_only::merge_write_only;
