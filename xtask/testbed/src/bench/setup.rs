//! What the metrics share: the executables that are measured, and stacks to measure them on.

use std::cell::OnceCell;
use std::path::PathBuf;

use anyhow::Context;
use testbed::cargo::{self, Executable};
use testbed::progress::{say, step};
use testbed::{Provider, Terraform, Workspace};

use super::configurations::QUICKLY;
use super::mass_run::MassRuns;
use super::repositories::{self, Repositories};
use super::stack::{Stack, VaultStack};
use crate::static_target::{Profile, StaticTarget};

/// The executables that are measured, each built when the first metric needs it, and what several metrics use.
pub(super) struct Bench {
    terraform: &'static Terraform,
    profile: Profile,
    target: StaticTarget,
    provider: OnceCell<Provider>,
    floor: OnceCell<Provider>,
    emulator: OnceCell<PathBuf>,
    mass_runs: MassRuns,
    repositories: OnceCell<Repositories>,
}

impl Bench {
    /// Prepares to measure builds of a profile.
    pub(super) fn new(profile: Profile) -> anyhow::Result<Self> {
        Ok(Self {
            terraform: Terraform::obtain()?,
            profile,
            target: StaticTarget::for_this_machine()?,
            provider: OnceCell::new(),
            floor: OnceCell::new(),
            emulator: OnceCell::new(),
            mass_runs: MassRuns::default(),
            repositories: OnceCell::new(),
        })
    }

    /// Returns the provider that is measured.
    pub(super) fn provider(&self) -> anyhow::Result<&Provider> {
        get_or_try_init(&self.provider, || {
            Ok(Provider::nautes(self.build(Executable::PROVIDER)?))
        })
    }

    /// Returns the provider that does nothing.
    pub(super) fn floor(&self) -> anyhow::Result<&Provider> {
        get_or_try_init(&self.floor, || {
            Ok(Provider::floor(self.build(Executable::FLOOR)?))
        })
    }

    fn emulator(&self) -> anyhow::Result<&PathBuf> {
        get_or_try_init(&self.emulator, || self.build(Executable::EMULATOR))
    }

    /// Says how the executables are linked.
    pub(super) fn linkage(&self) -> &str {
        match self.profile {
            Profile::Dev => "built for development",
            Profile::Release => self.target.linkage(),
        }
    }

    fn build(&self, executable: Executable) -> anyhow::Result<PathBuf> {
        say(&format!(
            "  building {}, {}",
            executable.name(),
            self.linkage()
        ));
        match self.profile {
            Profile::Dev => Ok(cargo::build(executable, &[])?),
            Profile::Release => self.target.build(executable, self.profile),
        }
    }

    /// Returns the runs that create and destroy many entities.
    pub(super) fn mass_runs(&self) -> &MassRuns {
        &self.mass_runs
    }

    /// Returns the product with 500 code repositories, which is created once. A metric that changes it resets it
    /// afterwards.
    pub(super) fn repositories(&self) -> anyhow::Result<&Repositories> {
        get_or_try_init(&self.repositories, || {
            let title = format!("  creating {}", repositories::DESCRIPTION);
            step(&title, || Repositories::create(self))
        })
    }

    /// Starts an empty GitLab and applies a configuration to it.
    pub(super) fn stack(&self, configuration: &str) -> anyhow::Result<Stack> {
        let stack = self.empty_stack()?;
        stack.apply_quickly(configuration)?;
        Ok(stack)
    }

    /// Starts an empty GitLab and an empty Vault and applies a configuration to them.
    pub(super) fn vault_stack(&self, configuration: &str) -> anyhow::Result<VaultStack> {
        let stack = VaultStack::start(self.empty_stack()?)?;
        stack.apply_quickly(configuration)?;
        Ok(stack)
    }

    fn empty_stack(&self) -> anyhow::Result<Stack> {
        let provider = self.provider()?;
        let workspace = Workspace::new(self.terraform, provider)?;
        workspace.write("provider.tf", &provider.requirement())?;
        let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
        Stack::start(workspace, self.emulator()?, folder)
    }

    /// Applies resources of a provider that needs no server.
    pub(super) fn applied(
        &self,
        provider: &Provider,
        resources: &str,
    ) -> anyhow::Result<Workspace> {
        self.apply(provider, &(provider.requirement() + resources))
    }

    /// Applies resources that Terraform itself implements.
    pub(super) fn applied_builtin(&self, resources: &str) -> anyhow::Result<Workspace> {
        // A workspace is always given a provider. This one is not started, because nothing requires it.
        self.apply(self.floor()?, resources)
    }

    fn apply(&self, provider: &Provider, configuration: &str) -> anyhow::Result<Workspace> {
        let workspace = Workspace::new(self.terraform, provider)?;
        workspace.write("main.tf", configuration)?;
        workspace.apply_with(&[QUICKLY])?;
        Ok(workspace)
    }
}

/// Returns the value of a cell, which `create` makes if there is none.
fn get_or_try_init<T>(
    cell: &OnceCell<T>,
    create: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<&T> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = create()?;
    Ok(cell.get_or_init(|| value))
}
