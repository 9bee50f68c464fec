//! `gitlab.com/gitlab-org/api/client-go`; Go caches it by itself.

use std::process::Command;

use crate::{assert_success, run};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/go");

#[tokio::test(flavor = "multi_thread")]
async fn client_go_works_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("check");
    let mut build = Command::new("go");
    build
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(SOURCE);
    let built = tokio::task::spawn_blocking(move || build.output().unwrap())
        .await
        .unwrap();
    assert_success(&built);
    run(Command::new(program)).await;
}
