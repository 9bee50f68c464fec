//! Concurrent writes to one branch.

use std::time::Duration;

use gitlab_emulator::ConflictText;
use serde_json::{Value, json};

use super::raw;
use crate::support::{Response, TestInstance, commits, creates, git_ok, updates};

const RACE: &str = "9:reference update: reference does not point to expected object";

/// Creates commits of different files concurrently.
async fn race(gitlab: &TestInstance, project: &Value, writers: usize) -> Vec<Response> {
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (root, project) = (gitlab.root(), project.clone());
            tokio::spawn(async move {
                let actions = json!([creates(&format!("file-{writer}"), "1")]);
                root.try_commit(&project, "main", actions).await
            })
        })
        .collect();
    let mut responses = Vec::new();
    for task in tasks {
        responses.push(task.await.unwrap());
    }
    responses
}

#[tokio::test(flavor = "multi_thread")]
async fn s166_one_of_two_commits_on_one_parent_loses() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    // Both read the parent long before either moves the branch.
    gitlab
        .emulator
        .update_switches(|switches| switches.latency_commit = 1000);
    let responses = race(&gitlab, &project, 2).await;
    let mut statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400]);
    let loser = responses
        .iter()
        .find(|response| response.status == 400)
        .unwrap();
    loser.assert_message(400, RACE);
}

#[tokio::test(flavor = "multi_thread")]
async fn s167_older_servers_have_another_conflict_text() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    gitlab.emulator.update_switches(|switches| {
        switches.latency_commit = 1000;
        switches.conflict_text = ConflictText::Refresh;
    });
    let responses = race(&gitlab, &project, 2).await;
    let loser = responses
        .iter()
        .find(|response| response.status == 400)
        .unwrap();
    loser.assert_message(
        400,
        "9:Could not update refs/heads/main. Please refresh and try again.",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s168_history_has_exactly_the_commits_that_succeeded() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    for latency in [0, 5] {
        gitlab
            .emulator
            .update_switches(|switches| switches.latency_commit = latency);
        let root = gitlab.root();
        let before = root
            .get(&commits(&project))
            .await
            .ok()
            .as_array()
            .unwrap()
            .len();
        let responses = race_with_prefix(&gitlab, &project, 12, latency).await;
        let winners: Vec<&Response> = responses
            .iter()
            .filter(|response| response.status == 201)
            .collect();
        assert!(!winners.is_empty());
        for loser in responses.iter().filter(|response| response.status != 201) {
            assert_eq!(loser.status, 400);
            let text = loser.json["message"].as_str().unwrap();
            assert!(text.starts_with("9:reference update: reference "), "{text}");
        }
        let list = root
            .get(&format!("{}?per_page=100", commits(&project)))
            .await
            .ok();
        assert_eq!(list.as_array().unwrap().len(), before + winners.len());
        for winner in winners {
            let id = &winner.json["id"];
            assert!(
                list.as_array()
                    .unwrap()
                    .iter()
                    .any(|commit| commit["id"] == *id)
            );
            let title = winner.json["message"].as_str().unwrap();
            assert_eq!(raw(&root, &project, title).await, title);
        }
    }
}

/// Like [`race`], with file names unique to the round and repeated in the message.
async fn race_with_prefix(
    gitlab: &TestInstance,
    project: &Value,
    writers: usize,
    round: u64,
) -> Vec<Response> {
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (root, project) = (gitlab.root(), project.clone());
            tokio::spawn(async move {
                let name = format!("round-{round}-{writer}");
                let commit = json!({
                    "branch": "main", "commit_message": name, "actions": [creates(&name, &name)],
                });
                root.post(&commits(&project), commit).await
            })
        })
        .collect();
    let mut responses = Vec::new();
    for task in tasks {
        responses.push(task.await.unwrap());
    }
    responses
}

#[tokio::test(flavor = "multi_thread")]
async fn s169_write_between_guard_and_parent_is_overwritten() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let known = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    let folder = tempfile::tempdir().unwrap();
    let url = gitlab.git_url("root", &root.token, "platform/app");
    git_ok(folder.path(), &["clone", "-q", &url, "."]).await;
    std::fs::write(folder.path().join("a"), "between").unwrap();
    git_ok(folder.path(), &["commit", "-q", "-a", "-m", "between"]).await;

    gitlab
        .emulator
        .update_switches(|switches| switches.gap_before_parent = 3000);
    let guarded = {
        let (root, project) = (root.clone(), project.clone());
        let mut action = updates("a", "guarded");
        action["last_commit_id"] = known["id"].clone();
        tokio::spawn(async move { root.try_commit(&project, "main", json!([action])).await })
    };
    tokio::time::sleep(Duration::from_millis(500)).await;
    // The gap does not delay pushes.
    git_ok(folder.path(), &["push", "-q"]).await;
    let between = git_ok(folder.path(), &["rev-parse", "HEAD"]).await;
    let guarded = guarded.await.unwrap().created();
    assert_eq!(guarded["parent_ids"], json!([between.trim()]));
    assert_eq!(raw(&root, &project, "a").await, "guarded");
}
