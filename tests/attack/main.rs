//! A random attack on the provider, which looks for anything that is destroyed, changed or taken over
//! although no plan showed it.
//!
//! Two workspaces with random configurations are planned and applied against a GitLab emulator and an
//! OpenBao, with targets, replacements, faults, kills, tokens of all roles, states of yesterday, and
//! people who change things by hand. Sometimes the address leads to another GitLab, on which the same
//! numbers belong to others. After each step the servers are compared with what the plan permits.
//!
//! - `core`: what Terraform core does, in process; `command_line`: the real one
//! - `world`: the servers, and changes by hand
//! - `step`, `generator`, `execute`: random steps, and carrying them out
//! - `ledger`, `invariant`: who holds what, and what must not happen
//! - `campaign`, `shrink`, `report`: many worlds until the time is over, and what they found
//!
//! `cargo xtask attack --minutes N --seed S` runs it for longer. `cases.json` has the lists of steps
//! that once violated the invariant; they are carried out first.

mod campaign;
mod command_line;
mod configuration;
mod core;
mod execute;
mod fault;
mod generator;
mod invariant;
mod ledger;
mod record;
mod report;
mod shrink;
mod step;
mod world;

/// Runs for `NAUTES_ATTACK_SECONDS`, one minute by default, from `NAUTES_ATTACK_SEED`, random by
/// default.
#[test]
fn nothing_living_is_destroyed_by_random_steps() -> anyhow::Result<()> {
    campaign::run()
}
