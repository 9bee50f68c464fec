//! What is measured: both providers built for release, and workspaces with applied resources.

use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempDir;
use testbed::cargo::{self, Executable};
use testbed::progress::say;
use testbed::{
    Emulator, EmulatorOptions, Invocation, Provider, Terraform, Workspace, emulator_executable,
};

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
        say(&format!("Building for release, {}", target.linkage));
        Ok(Self {
            terraform,
            provider: Provider::nautes(target.build(Executable::PROVIDER)?),
            floor: Provider::floor(target.build(Executable::FLOOR)?),
            emulator: emulator_executable()?,
            linkage: target.linkage,
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

    /// Applies resources of the floor.
    pub(super) fn applied_floor(&self, resources: usize) -> anyhow::Result<Workspace> {
        let workspace = Workspace::new(self.terraform, &self.floor)?;
        let body = format!(
            r#"
resource "floor_entity" "bench" {{
  count = {resources}
  owner = "bench"
  name  = "entity-${{count.index}}"
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

/// A target whose programs need no shared library, if there is one for this machine.
struct StaticTarget {
    triple: Option<String>,
    linkage: String,
}

impl StaticTarget {
    /// musl where it is installed, else gnu with its C library linked in; only Linux has such targets.
    fn of_this_machine() -> anyhow::Result<Self> {
        if std::env::consts::OS != "linux" {
            return Ok(Self {
                triple: None,
                linkage: "dynamically linked".to_owned(),
            });
        }
        let musl = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
        let gnu = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let triple = if is_installed(&musl)? { musl } else { gnu };
        Ok(Self {
            linkage: format!("statically linked, {triple}"),
            triple: Some(triple),
        })
    }

    fn build(&self, executable: Executable) -> anyhow::Result<PathBuf> {
        let Some(triple) = &self.triple else {
            return Ok(cargo::build(executable, &["--release"])?);
        };
        // Given with a target, the flags do not reach procedural macros, which cannot be static.
        let with_c_library =
            |cargo: Invocation| cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
        let arguments = ["--release", "--target", triple];
        let built = cargo::build_with(executable, &arguments, with_c_library)?;
        make_sure_it_is_static(&built)?;
        Ok(built)
    }
}

fn is_installed(triple: &str) -> anyhow::Result<bool> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let finished = Invocation::new(rustc)
        .args(["--print", "target-libdir", "--target", triple])
        .finish()?
        .success()?;
    Ok(Path::new(finished.stdout.trim()).is_dir())
}

/// Asks the dynamic linker, which says so of a program that does not need it.
fn make_sure_it_is_static(executable: &Path) -> anyhow::Result<()> {
    let finished = Invocation::new("ldd").arg(executable).finish()?;
    let said = finished.stdout + &finished.stderr;
    let is_static = [
        "statically linked",
        "not a dynamic executable",
        "Not a valid dynamic program",
    ]
    .iter()
    .any(|words| said.contains(words));
    anyhow::ensure!(
        is_static,
        "{} needs shared libraries:\n{said}",
        executable.display()
    );
    Ok(())
}
