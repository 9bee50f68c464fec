//! What a run planned and did, as far as Terraform knows.

use std::collections::BTreeSet;

use crate::configuration::Address;
use crate::core::{Planned, State};
use crate::step::Run;

/// The record of a run.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) run: &'a Run,
    /// The state after the refresh.
    pub(crate) refreshed: State,
    pub(crate) changes: Vec<Planned>,
    /// Whether there was an apply.
    pub(crate) is_applied: bool,
    /// Whether the provider was killed.
    pub(crate) was_killed: bool,
    /// The state afterwards.
    pub(crate) state: State,
    /// The instances that were written without an error.
    pub(crate) written: BTreeSet<Address>,
    pub(crate) errors: Vec<String>,
    /// The requests to the provider, and the calls that changed something, in order.
    pub(crate) log: Vec<String>,
}

impl Record<'_> {
    /// Whether nothing but the provider decided what the run did.
    pub(crate) fn is_undisturbed(&self) -> bool {
        self.run.fault.is_none() && !self.was_killed
    }
}
