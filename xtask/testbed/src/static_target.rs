//! Executables that need no shared library, as remote runs of Terraform require.

use std::path::{Path, PathBuf};

use testbed::Invocation;
use testbed::cargo::{self, Executable};

/// A build profile.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// Built quickly.
    Dev,
    /// As released.
    Release,
}

impl Profile {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Dev => &[],
            Self::Release => &["--release"],
        }
    }
}

/// A target whose programs need no shared library, if this machine has one.
pub(crate) struct StaticTarget {
    triple: Option<String>,
    linkage: String,
}

impl StaticTarget {
    /// Returns musl if it is installed, else gnu with its C library linked in. Only Linux has such targets.
    pub(crate) fn for_this_machine() -> anyhow::Result<Self> {
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

    /// Says how programs are linked.
    pub(crate) fn linkage(&self) -> &str {
        &self.linkage
    }

    /// Builds an executable.
    pub(crate) fn build(
        &self,
        executable: Executable,
        profile: Profile,
    ) -> anyhow::Result<PathBuf> {
        let mut arguments = profile.arguments().to_vec();
        let Some(triple) = &self.triple else {
            return Ok(cargo::build(executable, &arguments)?);
        };
        // With a target, the flags do not reach procedural macros, which cannot be static.
        let with_c_library =
            |cargo: Invocation| cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
        arguments.extend(["--target", triple]);
        let built = cargo::build_with(executable, &arguments, with_c_library)?;
        require_static(&built)?;
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

/// Asks the dynamic linker, which reports a program that does not need it.
fn require_static(executable: &Path) -> anyhow::Result<()> {
    let finished = Invocation::new("ldd").arg(executable).finish()?;
    let report = finished.stdout + &finished.stderr;
    let is_static = [
        "statically linked",
        "not a dynamic executable",
        "Not a valid dynamic program",
    ]
    .iter()
    .any(|words| report.contains(words));
    anyhow::ensure!(
        is_static,
        "{} needs shared libraries:\n{report}",
        executable.display()
    );
    Ok(())
}
