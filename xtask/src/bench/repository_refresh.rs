//! One refresh of many code repositories in which nothing has changed, and what it asks.

use std::cell::RefCell;

use testbed::progress::step;

use super::bench_bed::Bench;
use super::bodies;
use super::vault_bed::BothCalls;

const PROJECTS: usize = 50;

/// In each project. The keys of each are enabled on all others, so that GitLab lists two of each of these
/// for one repository; up to 50 they are in one answer.
const IN_A_PROJECT: usize = 10;

/// How many code repositories are refreshed.
pub(super) const REPOSITORIES: usize = PROJECTS * IN_A_PROJECT;

/// What was done, in words.
pub(super) fn basis() -> String {
    format!(
        "one refresh after an apply that changed nothing, {PROJECTS} projects with {IN_A_PROJECT} repositories each"
    )
}

/// What the refresh asked, measured once however many metrics need it.
#[derive(Debug, Default)]
pub(super) struct RepositoryRefresh(RefCell<Option<BothCalls>>);

impl RepositoryRefresh {
    /// What the refresh asks of GitLab and Vault.
    pub(super) fn calls(&self, bench: &Bench) -> anyhow::Result<BothCalls> {
        let known = self.0.borrow().clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let calls = step(
            &format!("  a refresh of {REPOSITORIES} code repositories"),
            || measure(bench),
        )?;
        *self.0.borrow_mut() = Some(calls.clone());
        Ok(calls)
    }
}

fn measure(bench: &Bench) -> anyhow::Result<BothCalls> {
    let bed = bench.vault_bed(&bodies::product_with_repositories(PROJECTS, IN_A_PROJECT))?;
    // Has nothing to do, and notes at which commit everything was seen to be as it shall be.
    bed.calls_of_apply(&[])?;
    bed.calls_of_refresh()
}
