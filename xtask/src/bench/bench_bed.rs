//! What is measured: both providers built for release, and workspaces with applied resources.

use std::path::PathBuf;

use anyhow::Context;
use tempfile::TempDir;
use testbed::cargo::Executable;
use testbed::progress::say;
use testbed::{Emulator, EmulatorOptions, Provider, Terraform, Workspace, emulator_executable};

use crate::static_target::{Profile, StaticTarget};

/// Everything that metrics start from.
#[derive(Debug)]
pub(super) struct Bench {
    terraform: &'static Terraform,
    provider: Provider,
    floor: Provider,
    emulator: PathBuf,
    linkage: String,
}

/// A workspace of the provider with its GitLab.
#[derive(Debug)]
pub(super) struct AppliedProduct {
    /// The workspace.
    pub(super) workspace: Workspace,
    _gitlab: Emulator,
    _data: TempDir,
}

impl Bench {
    /// Builds what is measured.
    pub(super) fn prepare() -> anyhow::Result<Self> {
        let terraform = Terraform::obtain()?;
        let target = StaticTarget::of_this_machine()?;
        say(&format!("Building for release, {}", target.linkage()));
        Ok(Self {
            terraform,
            provider: Provider::nautes(target.build(Executable::PROVIDER, Profile::Release)?),
            floor: Provider::floor(target.build(Executable::FLOOR, Profile::Release)?),
            emulator: emulator_executable()?,
            linkage: target.linkage().to_owned(),
        })
    }

    /// The command line in use.
    pub(super) fn terraform(&self) -> &Terraform {
        self.terraform
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

    /// Applies a product whose projects make up `resources` with it.
    pub(super) fn applied_product(&self, resources: usize) -> anyhow::Result<AppliedProduct> {
        let data = tempfile::tempdir().context("cannot create a temporary folder")?;
        let options = EmulatorOptions::new(&self.emulator, data.path().join("gitlab"));
        let gitlab = Emulator::start(&options)?;
        let workspace = Workspace::new(self.terraform, &self.provider)?
            .env("NAUTES_GITLAB_URL", gitlab.url())
            .env("NAUTES_GITLAB_TOKEN", gitlab.root_token());
        let projects = resources.saturating_sub(1);
        let body = format!(
            r#"
resource "nautes_product" "bench" {{
  name = "bench"
}}

resource "nautes_project" "bench" {{
  count   = {projects}
  product = nautes_product.bench.id
  name    = "project-${{count.index}}"
}}
"#
        );
        apply(&workspace, &self.provider, &body)?;
        Ok(AppliedProduct {
            workspace,
            _gitlab: gitlab,
            _data: data,
        })
    }

    /// Applies resources of the floor: as many, as large, and referring to one of them as those of a
    /// product do.
    pub(super) fn applied_floor(&self, resources: usize) -> anyhow::Result<Workspace> {
        let workspace = Workspace::new(self.terraform, &self.floor)?;
        let others = resources.saturating_sub(1);
        let body = format!(
            r#"
resource "floor_entity" "owner" {{
  owner = "nobody"
  name  = "bench"
}}

resource "floor_entity" "bench" {{
  count = {others}
  owner = floor_entity.owner.id
  name  = "project-${{count.index}}"
}}
"#
        );
        apply(&workspace, &self.floor, &body)?;
        Ok(workspace)
    }
}

fn apply(workspace: &Workspace, provider: &Provider, body: &str) -> anyhow::Result<()> {
    workspace.write("main.tf", &(provider.requirement() + body))?;
    workspace.apply_with(&["-parallelism=50"])?;
    Ok(())
}
