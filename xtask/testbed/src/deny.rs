//! Checks the dependencies of the workspace against `deny.toml`.

use testbed::cargo::workspace_root;
use testbed::progress::step;
use testbed::{CargoDeny, Invocation};

/// Runs the checks that need no database of advisories, and returns whether they pass.
pub(crate) fn run() -> anyhow::Result<bool> {
    let cargo_deny = step("cargo-deny", CargoDeny::obtain)?;
    let finished = Invocation::new(cargo_deny.program())
        // Warnings, such as those about duplicate versions, need no action.
        .args(["--log-level", "error"])
        .args(["check", "bans", "licenses", "sources"])
        .current_dir(workspace_root())
        .finish_showing_all()?;
    Ok(finished.is_success())
}
