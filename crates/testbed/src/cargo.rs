//! Builds the programs of this workspace with cargo.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{Error, Invocation};

/// The variables that cargo sets for the programs it runs.
///
/// A nested cargo must not inherit them: build scripts that depend on one would run again, and with
/// them everything that depends on those.
const SET_BY_CARGO: [&str; 6] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
];

/// Returns the root folder of the workspace that this crate was compiled in.
pub fn workspace_root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder
        .ancestors()
        .nth(2)
        .unwrap_or(crate_folder)
        .to_owned()
}

/// Returns the folder that cargo builds into.
pub fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || workspace_root().join("target"),
        |folder| workspace_root().join(folder),
    )
}

/// Prepares a cargo command in the workspace root.
pub fn cargo(arguments: &[&str]) -> Invocation {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let invocation = Invocation::new(program)
        .args(arguments)
        .current_dir(workspace_root());
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| {
            let name = name.to_string_lossy();
            SET_BY_CARGO.iter().any(|prefix| name.starts_with(prefix))
        })
        .fold(invocation, Invocation::env_remove)
}

/// An executable that cargo can build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executable {
    /// A binary, by package and name.
    Binary(&'static str, &'static str),
    /// An example, by package and name.
    Example(&'static str, &'static str),
}

impl Executable {
    /// The provider.
    pub const PROVIDER: Self =
        Self::Binary("terraform-provider-nautes", "terraform-provider-nautes");
    /// The GitLab emulator.
    pub const EMULATOR: Self = Self::Binary("gitlab-emulator", "gitlab-emulator");
    /// The provider that does nothing, as a baseline for benchmarks.
    pub const FLOOR: Self = Self::Example("terraform-plugin", "floor");

    fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Binary(package, name) => ["--package", package, "--bin", name],
            Self::Example(package, name) => ["--package", package, "--example", name],
        }
    }

    /// The name of the binary or example.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binary(_, name) | Self::Example(_, name) => name,
        }
    }
}

/// Builds an executable with additional arguments, such as `--release`, and returns its path.
///
/// Cargo's progress is shown on standard error.
pub fn build(executable: Executable, extra_arguments: &[&str]) -> Result<PathBuf, Error> {
    build_with(executable, extra_arguments, |cargo| cargo)
}

/// Like [`build`], but lets the caller change the cargo command, for example its environment.
pub fn build_with(
    executable: Executable,
    extra_arguments: &[&str],
    prepare: impl FnOnce(Invocation) -> Invocation,
) -> Result<PathBuf, Error> {
    let cargo = cargo(&["build", "--message-format", "json-render-diagnostics"])
        .args(executable.arguments())
        .args(extra_arguments);
    let finished = prepare(cargo).finish_showing_stderr()?.success()?;
    executable_in(&finished.stdout, executable.name()).ok_or_else(|| Error::NoExecutable {
        name: executable.name().to_owned(),
    })
}

/// A message of `cargo build --message-format json`, with the fields that are used here.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn executable_in(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| {
            message
                .target
                .as_ref()
                .is_some_and(|target| target.name == name)
        })
        .find_map(|message| message.executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_cargo_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"floor"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"floor"},"executable":"/t/floor"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(
            executable_in(messages, "floor"),
            Some(PathBuf::from("/t/floor"))
        );
        assert_eq!(executable_in(messages, "ceiling"), None);
    }

    #[test]
    fn the_workspace_root_contains_this_crate() {
        assert!(workspace_root().join("crates/testbed/Cargo.toml").is_file());
    }
}
