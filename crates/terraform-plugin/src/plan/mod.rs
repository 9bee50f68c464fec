//! The plan pipeline and Terraform's own consistency rules, all on dynamic values.

mod consistency;
mod normalise;
mod pipeline;

pub use consistency::{Inconsistency, check_applied, check_planned};
pub(crate) use normalise::{keep_planned_form, keep_prior_form};
pub use pipeline::{Planned, plan};
