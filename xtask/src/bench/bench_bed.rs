//! What is measured: both providers, the emulator, and workspaces on it.

use std::path::PathBuf;

use anyhow::Context;
use tempfile::TempDir;
use testbed::cargo::{self, Executable};
use testbed::progress::say;
use testbed::{Calls, Emulator, EmulatorOptions, Provider, Terraform, Workspace};

use super::bodies;
use super::mass_run::MassRuns;
use super::repository_refresh::RepositoryRefresh;
use super::vault_bed::VaultBed;
use crate::static_target::{Profile, StaticTarget};

/// Everything that metrics start from.
#[derive(Debug)]
pub(super) struct Bench {
    terraform: &'static Terraform,
    provider: Provider,
    floor: Provider,
    emulator: PathBuf,
    linkage: String,
    mass_runs: MassRuns,
    repository_refresh: RepositoryRefresh,
}

/// A workspace of the provider with a GitLab of its own.
#[derive(Debug)]
pub(super) struct Bed {
    /// The workspace.
    pub(super) workspace: Workspace,
    /// What the provider talks to.
    pub(super) gitlab: Emulator,
    data: TempDir,
}

impl Bench {
    /// Builds what is measured.
    pub(super) fn prepare(profile: Profile) -> anyhow::Result<Self> {
        let terraform = Terraform::obtain()?;
        let target = StaticTarget::of_this_machine()?;
        let linkage = match profile {
            Profile::Dev => "built for development",
            Profile::Release => target.linkage(),
        };
        say(&format!("Building, {linkage}"));
        let build = |executable| match profile {
            Profile::Dev => Ok(cargo::build(executable, &[])?),
            Profile::Release => target.build(executable, profile),
        };
        Ok(Self {
            terraform,
            provider: Provider::nautes(build(Executable::PROVIDER)?),
            floor: Provider::floor(build(Executable::FLOOR)?),
            emulator: build(Executable::EMULATOR)?,
            linkage: linkage.to_owned(),
            mass_runs: MassRuns::default(),
            repository_refresh: RepositoryRefresh::default(),
        })
    }

    /// The provider that is measured.
    pub(super) fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The provider that does nothing.
    pub(super) fn floor(&self) -> &Provider {
        &self.floor
    }

    /// How both are linked.
    pub(super) fn linkage(&self) -> &str {
        &self.linkage
    }

    /// Many entities made and removed, each such run once.
    pub(super) fn mass_runs(&self) -> &MassRuns {
        &self.mass_runs
    }

    /// Many code repositories refreshed, once.
    pub(super) fn repository_refresh(&self) -> &RepositoryRefresh {
        &self.repository_refresh
    }

    /// Starts a GitLab with nothing in it, and applies `body` against it.
    pub(super) fn bed(&self, body: &str) -> anyhow::Result<Bed> {
        let bed = self.empty_bed()?;
        bed.apply_quickly(body)?;
        Ok(bed)
    }

    /// Starts a GitLab and a Vault with nothing in them, and applies `body` against both.
    pub(super) fn vault_bed(&self, body: &str) -> anyhow::Result<VaultBed> {
        let bed = self.empty_bed()?;
        let folder = bed.data.path().join("vault");
        let with_vault = VaultBed::start(bed, &folder)?;
        with_vault.bed.apply_quickly(body)?;
        Ok(with_vault)
    }

    fn empty_bed(&self) -> anyhow::Result<Bed> {
        let data = tempfile::tempdir().context("cannot create a temporary folder")?;
        let options = EmulatorOptions::new(&self.emulator, data.path().join("gitlab"));
        let gitlab = Emulator::start(&options)?;
        let workspace = Workspace::new(self.terraform, &self.provider)?
            .env("NAUTES_GITLAB_URL", gitlab.url())
            .env("NAUTES_GITLAB_TOKEN", gitlab.root_token());
        workspace.write("provider.tf", &self.provider.requirement())?;
        Ok(Bed {
            workspace,
            gitlab,
            data,
        })
    }

    /// Applies resources of the floor.
    pub(super) fn applied_floor(&self, resources: usize) -> anyhow::Result<Workspace> {
        let workspace = Workspace::new(self.terraform, &self.floor)?;
        let body = self.floor.requirement() + &bodies::floor(resources);
        workspace.write("main.tf", &body)?;
        workspace.apply_with(&["-parallelism=50"])?;
        Ok(workspace)
    }
}

impl Bed {
    /// Replaces the configuration.
    pub(super) fn write(&self, body: &str) -> anyhow::Result<()> {
        Ok(self.workspace.write("main.tf", body)?)
    }

    fn apply_quickly(&self, body: &str) -> anyhow::Result<()> {
        self.write(body)?;
        self.workspace.apply_with(&["-parallelism=50"])?;
        Ok(())
    }

    /// The calls of GitLab that an apply makes.
    pub(super) fn calls_of_apply(&self, arguments: &[&str]) -> anyhow::Result<Calls> {
        let apply = || self.workspace.apply_with(arguments);
        let (applied, calls) = self.gitlab.calls_during(apply)?;
        applied?;
        Ok(calls)
    }

    /// The calls of GitLab that a refresh makes, which is a plan without more to do.
    pub(super) fn calls_of_refresh(&self) -> anyhow::Result<Calls> {
        let plan = || self.workspace.plan_with(&["-refresh-only"]);
        let (planned, calls) = self.gitlab.calls_during(plan)?;
        planned?;
        Ok(calls)
    }
}
