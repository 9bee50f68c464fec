//! Many writers on one branch.

use std::time::Duration;

use gitlab_emulator::ConflictText;
use serde_json::{Value, json};

use super::raw;
use crate::support::{Answer, World, commits, creates, git_ok, updates};

const RACE: &str = "9:reference update: reference does not point to expected object";

/// Makes commits of different files at the same time.
async fn race(world: &World, project: &Value, writers: usize) -> Vec<Answer> {
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (root, project) = (world.root(), project.clone());
            tokio::spawn(async move {
                let actions = json!([creates(&format!("file-{writer}"), "1")]);
                root.try_commit(&project, "main", actions).await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn s166_one_of_two_commits_on_one_parent_loses() {
    let world = World::start().await;
    let project = world.project().await;
    // Both read the parent long before either moves the branch.
    world
        .emulator
        .change_switches(|switches| switches.latency_commit = 1000);
    let answers = race(&world, &project, 2).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400]);
    let loser = answers.iter().find(|answer| answer.status == 400).unwrap();
    loser.says(400, RACE);
}

#[tokio::test(flavor = "multi_thread")]
async fn s167_older_servers_tell_the_loser_in_other_words() {
    let world = World::start().await;
    let project = world.project().await;
    world.emulator.change_switches(|switches| {
        switches.latency_commit = 1000;
        switches.conflict_text = ConflictText::Refresh;
    });
    let answers = race(&world, &project, 2).await;
    let loser = answers.iter().find(|answer| answer.status == 400).unwrap();
    loser.says(
        400,
        "9:Could not update refs/heads/main. Please refresh and try again.",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s168_history_has_exactly_the_commits_that_succeeded() {
    let world = World::start().await;
    let project = world.project().await;
    for latency in [0, 5] {
        world
            .emulator
            .change_switches(|switches| switches.latency_commit = latency);
        let root = world.root();
        let before = root
            .get(&commits(&project))
            .await
            .ok()
            .as_array()
            .unwrap()
            .len();
        let answers = race_in(&world, &project, 12, latency).await;
        let winners: Vec<&Answer> = answers
            .iter()
            .filter(|answer| answer.status == 201)
            .collect();
        assert!(!winners.is_empty());
        for loser in answers.iter().filter(|answer| answer.status != 201) {
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

/// As [`race`], with files that no other round has, named in the message.
async fn race_in(world: &World, project: &Value, writers: usize, round: u64) -> Vec<Answer> {
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (root, project) = (world.root(), project.clone());
            tokio::spawn(async move {
                let name = format!("round-{round}-{writer}");
                let commit = json!({
                    "branch": "main", "commit_message": name, "actions": [creates(&name, &name)],
                });
                root.post(&commits(&project), commit).await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn s169_write_between_guard_and_parent_is_overwritten() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let known = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    let folder = tempfile::tempdir().unwrap();
    let url = world.git_url("root", &root.token, "platform/app");
    git_ok(folder.path(), &["clone", "-q", &url, "."]).await;
    std::fs::write(folder.path().join("a"), "between").unwrap();
    git_ok(folder.path(), &["commit", "-q", "-a", "-m", "between"]).await;

    world
        .emulator
        .change_switches(|switches| switches.gap_before_parent = 3000);
    let guarded = {
        let (root, project) = (root.clone(), project.clone());
        let mut action = updates("a", "guarded");
        action["last_commit_id"] = known["id"].clone();
        tokio::spawn(async move { root.try_commit(&project, "main", json!([action])).await })
    };
    tokio::time::sleep(Duration::from_millis(500)).await;
    // A push is not held up by the gap.
    git_ok(folder.path(), &["push", "-q"]).await;
    let between = git_ok(folder.path(), &["rev-parse", "HEAD"]).await;
    let guarded = guarded.await.unwrap().created();
    assert_eq!(guarded["parent_ids"], json!([between.trim()]));
    assert_eq!(raw(&root, &project, "a").await, "guarded");
}
