//! What Terraform core does with a provider, in process: refresh, plan, apply.
//!
//! `terraform_plugin::testing::driver` drives one object. This layer runs whole configurations: it
//! walks the graph of blocks, carries out replacements in either order with deposed objects, plans
//! again before each apply with a provider that was configured anew, and stores what core stores
//! when something fails. The rules are those of Terraform's `internal/terraform`.

mod apply;
mod graph;
mod plan;
mod session;
mod state;

pub(crate) use apply::{Applied, ApplyOptions, Progress, Stop, apply};
pub(crate) use plan::{Action, Mode, Plan, PlanOptions, Planned, plan};
pub(crate) use session::{Session, attributes, value_type};
pub(crate) use state::{State, Stored};
