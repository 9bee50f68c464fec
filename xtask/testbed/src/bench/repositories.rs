//! A product with many code repositories, which several metrics measure.

use std::cell::OnceCell;

use super::configurations::product_with_repositories;
use super::setup::Bench;
use super::stack::{ServerCalls, Stack, VaultStack};

/// How many projects there are.
pub(super) const PROJECTS: usize = 50;

/// How many code repositories each project has. The keys of each are enabled on all others, so GitLab lists
/// twice as many for each repository; up to 50 repositories they fit into one page.
pub(super) const IN_A_PROJECT: usize = 10;

/// How many code repositories there are.
pub(super) const REPOSITORIES: usize = PROJECTS * IN_A_PROJECT;

/// What the product is, in words.
pub(super) const DESCRIPTION: &str = "500 code repositories in 50 projects";

/// The product, applied.
#[derive(Debug)]
pub(super) struct Repositories {
    pub(super) stack: VaultStack,
    refresh_calls: OnceCell<ServerCalls>,
}

impl Repositories {
    /// Creates the product.
    pub(super) fn create(bench: &Bench) -> anyhow::Result<Self> {
        Ok(Self {
            stack: bench.vault_stack(&configuration())?,
            refresh_calls: OnceCell::new(),
        })
    }

    /// Undoes the changes of a metric.
    pub(super) fn reset(&self) -> anyhow::Result<()> {
        self.stack.apply_quickly(&configuration())
    }

    /// Returns the calls that a refresh makes after an apply without changes, which is measured once.
    pub(super) fn refresh_calls(&self) -> anyhow::Result<ServerCalls> {
        if let Some(calls) = self.refresh_calls.get() {
            return Ok(calls.clone());
        }
        self.stack.apply(&[])?;
        let calls = self.stack.calls_during(Stack::refresh)?;
        Ok(self.refresh_calls.get_or_init(|| calls).clone())
    }
}

fn configuration() -> String {
    product_with_repositories(PROJECTS, IN_A_PROJECT)
}

/// Describes the refresh in words.
pub(super) fn refresh_basis() -> String {
    format!("one refresh after an apply without changes, {DESCRIPTION}")
}
