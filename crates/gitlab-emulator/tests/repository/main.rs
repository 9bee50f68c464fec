//! Checks repositories against git itself.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

mod actions;
mod history;

use std::path::Path;
use std::process::Command;

use gitlab_emulator::git::commit::Signature;

/// Runs git in a folder and returns its output.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn signature() -> Signature {
    Signature {
        name: "Test".to_owned(),
        email: "test@example.com".to_owned(),
        seconds: 1_800_000_000,
        offset: 0,
    }
}
