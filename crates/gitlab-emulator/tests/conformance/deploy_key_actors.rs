//! Deploy keys as callers of git, and in protected branches.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Client, Response, TestInstance, git_error, git_ok};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt";
const NOT_PROTECTED: &str =
    "You are not allowed to push code to protected branches on this project.";

/// A project with a deploy key, and a clone that uses the key.
struct KeyTest {
    gitlab: TestInstance,
    project: Value,
    creator: Client,
    key: u64,
    folder: TempDir,
}

impl KeyTest {
    /// Lets a maintainer add a deploy key, then sets the maintainer's level.
    async fn start(can_push: bool, creator_level: u64) -> Self {
        let gitlab = TestInstance::start().await;
        let project = gitlab.project().await;
        let creator = gitlab.member("ann", &project, 40).await;
        let path = format!("/projects/{}/deploy_keys", project["id"]);
        let key = json!({ "title": "flux", "key": KEY, "can_push": can_push });
        let key = creator.post(&path, key).await.created()["id"]
            .as_u64()
            .unwrap();
        let test = Self {
            gitlab,
            project,
            creator,
            key,
            folder: tempfile::tempdir().unwrap(),
        };
        test.set_level(creator_level).await;
        test.git(&["clone", "-q", &test.url(), "."]).await;
        test.git(&["commit", "-q", "--allow-empty", "-m", "more"])
            .await;
        test
    }

    fn url(&self) -> String {
        let credential = self.gitlab.emulator.deploy_key_credential(self.key);
        let credential = credential.unwrap();
        self.gitlab
            .git_url(&credential.username, &credential.password, "platform/app")
    }

    fn path(&self, rest: &str) -> String {
        format!("/projects/{}/{rest}", self.project["id"])
    }

    async fn set_level(&self, level: u64) {
        let path = self.path(&format!("members/{}", self.creator.id));
        let level = json!({ "access_level": level });
        self.gitlab.root().put(&path, level).await.ok();
    }

    async fn git(&self, arguments: &[&str]) {
        git_ok(self.folder.path(), arguments).await;
    }

    async fn assert_refused(&self, arguments: &[&str], text: &str) {
        let output = git_error(self.folder.path(), arguments).await;
        assert!(output.contains(text), "{output}");
    }

    /// Protects `main` anew.
    async fn protect(&self, more: Value) -> Response {
        let root = self.gitlab.root();
        root.delete(&self.path("protected_branches/main")).await;
        let mut protection = json!({ "name": "main" });
        crate::support::merge(&mut protection, more);
        root.post(&self.path("protected_branches"), protection)
            .await
    }

    async fn protect_for_key(&self) -> Value {
        let entries = json!({ "allowed_to_push": [{ "deploy_key_id": self.key }] });
        self.protect(entries).await.created()
    }
}

#[tokio::test]
async fn s215_read_only_deploy_key_may_not_push() {
    let test = KeyTest::start(false, 40).await;
    test.git(&["fetch", "-q"]).await;
    test.assert_refused(
        &["push", "origin", "HEAD:feature"],
        "This deploy key does not have write access to this project.",
    )
    .await;
}

#[tokio::test]
async fn s216_deploy_key_pushes_while_its_creator_may_read() {
    let push = ["push", "-q", "origin", "HEAD:feature"];
    let refusal = "You are not allowed to push code to this project.";
    let test = KeyTest::start(true, 10).await;
    test.git(&push).await;
    test.git(&["commit", "-q", "--allow-empty", "-m", "again"])
        .await;
    let root = test.gitlab.root();
    let user = format!("/users/{}", test.creator.id);
    root.post(&format!("{user}/block"), json!({}))
        .await
        .assert_status(201);
    test.assert_refused(&push, refusal).await;
    test.git(&["fetch", "-q"]).await;
    root.post(&format!("{user}/unblock"), json!({}))
        .await
        .assert_status(201);
    let member = test.path(&format!("members/{}", test.creator.id));
    root.delete(&member).await.assert_status(204);
    test.assert_refused(&push, refusal).await;
    test.git(&["fetch", "-q"]).await;
}

#[tokio::test]
async fn s217_protected_branch_requires_the_role_of_the_creator() {
    let test = KeyTest::start(true, 30).await;
    test.assert_refused(&["push"], NOT_PROTECTED).await;
    test.set_level(40).await;
    test.git(&["push", "-q"]).await;
}

#[tokio::test]
async fn s218_protected_branch_can_name_a_deploy_key() {
    let test = KeyTest::start(true, 10).await;
    test.assert_refused(&["push"], NOT_PROTECTED).await;
    test.protect_for_key().await;
    test.git(&["push", "-q"]).await;
    test.protect(json!({})).await.created();
    test.git(&["commit", "-q", "--allow-empty", "-m", "again"])
        .await;
    test.assert_refused(&["push"], NOT_PROTECTED).await;
}

#[tokio::test]
async fn s219_deploy_key_may_force_push_only_if_allowed() {
    let test = KeyTest::start(true, 40).await;
    test.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "other"])
        .await;
    test.git(&["push", "-q"]).await;
    test.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "third"])
        .await;
    test.assert_refused(
        &["push", "--force"],
        "You are not allowed to force push code to a protected branch on this project.",
    )
    .await;
    test.protect(json!({ "allow_force_push": true }))
        .await
        .created();
    test.git(&["push", "-q", "--force"]).await;
}

#[tokio::test]
async fn s220_deploy_key_is_shown_in_push_access_levels() {
    let test = KeyTest::start(true, 40).await;
    let protection = test.protect_for_key().await;
    let entries = protection["push_access_levels"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["deploy_key_id"], test.key);
    assert_eq!(entries[0]["access_level_description"], "flux");
}

#[tokio::test]
async fn s221_older_servers_ignore_deploy_keys_silently() {
    let test = KeyTest::start(true, 40).await;
    test.gitlab
        .emulator
        .update_switches(|switches| switches.deploy_keys_in_protected_branches = false);
    let protection = test.protect_for_key().await;
    let entries = protection["push_access_levels"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["deploy_key_id"], Value::Null);
    assert_eq!(entries[0]["access_level"], 40);
    assert_eq!(entries[0]["access_level_description"], "Maintainers");
}

#[tokio::test]
async fn s222_deploy_key_without_write_access_is_refused() {
    let test = KeyTest::start(false, 40).await;
    let entries = json!({ "allowed_to_push": [{ "deploy_key_id": test.key }] });
    for key in [test.key, 4711] {
        let entries = json!({ "allowed_to_push": [{ "deploy_key_id": key }] });
        let refused = test.protect(entries).await.assert_status(422);
        assert!(refused.text.contains("is not enabled for this project"));
    }
    test.protect(json!({})).await.created();
    let refused = test
        .gitlab
        .root()
        .patch(&test.path("protected_branches/main"), entries)
        .await
        .assert_status(422);
    assert!(refused.text.contains("is not enabled for this project"));
}

#[tokio::test]
async fn s223_single_entries_can_be_removed() {
    let test = KeyTest::start(true, 40).await;
    let entries = json!({
        "allowed_to_push": [{ "deploy_key_id": test.key }, { "access_level": 30 }],
    });
    let protection = test.protect(entries).await.created();
    let removed = &protection["push_access_levels"][0];
    assert_eq!(removed["deploy_key_id"], test.key);
    let change = json!({ "allowed_to_push": [{ "id": removed["id"], "_destroy": true }] });
    let changed = test
        .gitlab
        .root()
        .patch(&test.path("protected_branches/main"), change)
        .await
        .ok();
    let entries = changed["push_access_levels"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["access_level"], 30);
}

#[tokio::test]
async fn s229_removed_deploy_key_leaves_protected_branches() {
    let test = KeyTest::start(true, 40).await;
    test.protect_for_key().await;
    let root = test.gitlab.root();
    root.delete(&test.path(&format!("deploy_keys/{}", test.key)))
        .await
        .assert_status(204);
    let protection = root.get(&test.path("protected_branches/main")).await.ok();
    assert_eq!(protection["push_access_levels"], json!([]));
}
