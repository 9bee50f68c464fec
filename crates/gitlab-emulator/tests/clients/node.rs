//! `@gitbeaker/rest`.

use std::process::Command;

use crate::{assert_success, cache, run};

const VERSION: &str = "43.8.0";
const SCRIPT: &str = include_str!("node/check.mjs");

#[tokio::test(flavor = "multi_thread")]
async fn gitbeaker_works_unchanged() {
    let folder = cache::cached_folder(&format!("gitbeaker-{VERSION}"), |folder| {
        std::fs::write(folder.join("package.json"), r#"{"private":true}"#).unwrap();
        let package = format!("@gitbeaker/rest@{VERSION}");
        let installed = Command::new("npm")
            .args([
                "install",
                "--silent",
                "--no-package-lock",
                "--no-audit",
                "--no-fund",
                &package,
            ])
            .current_dir(folder)
            .output()
            .unwrap();
        assert_success(&installed);
    });
    // Node.js resolves packages relative to the script.
    let script = tempfile::Builder::new()
        .suffix(".mjs")
        .tempfile_in(folder)
        .unwrap();
    std::fs::write(script.path(), SCRIPT).unwrap();
    let mut command = Command::new("node");
    command.arg(script.path());
    run(command).await;
}
