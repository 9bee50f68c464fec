//! `python-gitlab`.

use std::process::Command;

use crate::{assert_success, cache, run};

const VERSION: &str = "8.6.0";

#[tokio::test(flavor = "multi_thread")]
async fn python_gitlab_works_unchanged() {
    let environment = cache::cached_folder(&format!("python-gitlab-{VERSION}"), |folder| {
        let made = Command::new("python3")
            .args(["-m", "venv"])
            .arg(folder)
            .output()
            .unwrap();
        assert_success(&made);
        let package = format!("python-gitlab=={VERSION}");
        let pip = folder.join("bin/pip");
        let installed = Command::new(pip)
            .args(["install", "--quiet", &package])
            .output()
            .unwrap();
        assert_success(&installed);
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/python/check.py");
    let mut command = Command::new(environment.join("bin/python"));
    command.arg(script);
    run(command).await;
}
