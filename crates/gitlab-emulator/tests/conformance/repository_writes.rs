//! Repository writes.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gitlab_emulator::{CommitValidation, ConflictText};
use serde_json::{Value, json};

use crate::support::{Answer, Client, World, commits, creates, file, merge, updates};

const RACE: &str = "9:reference update: reference does not point to expected object";

fn write(content: &str) -> Value {
    json!({ "branch": "main", "commit_message": "change", "content": content })
}

async fn raw(client: &Client, project: &Value, path: &str) -> String {
    client
        .get(&format!("{}/raw?ref=main", file(project, path)))
        .await
        .has(200)
        .text
}

async fn head(client: &Client, project: &Value, branch: &str) -> Value {
    let branch = branch.replace('/', "%2F");
    client
        .get(&format!("{}/{branch}", commits(project)))
        .await
        .ok()["id"]
        .clone()
}

/// A commit with more than branch, message and actions.
async fn commit_with(client: &Client, project: &Value, more: Value) -> Answer {
    let mut commit = json!({
        "branch": "main", "commit_message": "change", "actions": [creates("new", "1")],
    });
    merge(&mut commit, more);
    client.post(&commits(project), commit).await
}

#[tokio::test]
async fn s145_file_is_created_updated_and_deleted() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let path = file(&project, "dir/a.txt");
    let shown = json!({ "file_path": "dir/a.txt", "branch": "main" });
    root.post(&path, write("1")).await.is(201, shown.clone());
    assert_eq!(raw(&root, &project, "dir/a.txt").await, "1");
    let encoded = json!({
        "branch": "main", "commit_message": "c", "encoding": "base64",
        "content": STANDARD.encode("2"),
    });
    root.put(&path, encoded).await.is(200, shown);
    assert_eq!(raw(&root, &project, "dir/a.txt").await, "2");
    root.delete(&format!("{path}?branch=main&commit_message=c"))
        .await
        .has(204);
    root.get(&format!("{path}?ref=main")).await.has(404);
}

#[tokio::test]
async fn s146_file_must_or_must_not_exist() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    root.post(&file(&project, "README.md"), write("1"))
        .await
        .says(400, "A file with this name already exists");
    let missing = "A file with this name doesn't exist";
    root.put(&file(&project, "nope"), write("1"))
        .await
        .says(400, missing);
    let delete = json!({ "branch": "main", "commit_message": "c" });
    root.delete_with(&file(&project, "nope"), delete)
        .await
        .says(400, missing);
}

#[tokio::test]
async fn s147_update_of_a_changed_file_is_refused() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let known = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    root.commit(&project, "main", json!([updates("a", "2")]))
        .await;
    let mut update = write("3");
    update["last_commit_id"] = known["id"].clone();
    root.put(&file(&project, "a"), update).await.says(
        400,
        "You are attempting to update a file that has changed since you started editing it.",
    );
}

#[tokio::test]
async fn s148_changes_of_other_files_do_not_matter() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let known = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    root.commit(&project, "main", json!([creates("b", "2")]))
        .await;
    let mut update = write("3");
    update["last_commit_id"] = known["id"].clone();
    root.put(&file(&project, "a"), update).await.has(200);
}

#[tokio::test]
async fn s149_guard_of_every_action_but_create() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let known = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    root.commit(&project, "main", json!([updates("a", "2")]))
        .await;
    let stale = |mut action: Value| {
        action["last_commit_id"] = known["id"].clone();
        json!([action])
    };
    let refused = "The file has changed since you started editing it: a";
    for action in [
        updates("a", "3"),
        json!({ "action": "delete", "file_path": "a" }),
        json!({ "action": "move", "file_path": "b", "previous_path": "a" }),
        json!({ "action": "chmod", "file_path": "a", "execute_filemode": true }),
    ] {
        root.try_commit(&project, "main", stale(action))
            .await
            .says(400, refused);
    }
    root.commit(&project, "main", stale(creates("new", "1")))
        .await;
    let mut fresh = updates("a", "3");
    fresh["last_commit_id"] = head(&root, &project, "main").await;
    root.commit(&project, "main", json!([fresh])).await;
}

#[tokio::test]
async fn s150_commit_is_shown_with_counts_unless_unwanted() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let before = head(&root, &project, "main").await;
    let commit = root
        .commit(&project, "main", json!([creates("a", "1\n2\n")]))
        .await;
    assert_eq!(commit["id"].as_str().unwrap().len(), 40);
    assert_eq!(commit["parent_ids"], json!([before]));
    assert_eq!(
        commit["stats"],
        json!({ "additions": 2, "deletions": 0, "total": 2 })
    );
    let without = json!({ "stats": false, "actions": [creates("b", "1")] });
    let commit = commit_with(&root, &project, without).await.created();
    assert!(commit.get("stats").is_none());
}

#[tokio::test]
async fn s151_one_bad_action_is_no_commit() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let before = head(&root, &project, "main").await;
    let actions = json!([creates("a", "1"), creates("README.md", "2")]);
    let refused = root.try_commit(&project, "main", actions).await;
    refused.says(400, "A file with this name already exists");
    assert_eq!(head(&root, &project, "main").await, before);
    root.commit(
        &project,
        "main",
        json!([creates("a", "1"), creates("b", "2")]),
    )
    .await;
    assert_eq!(
        root.get(&commits(&project))
            .await
            .ok()
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn s152_actions_apply_in_order() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let actions = json!([
        creates("a", "1"),
        updates("a", "2"),
        { "action": "move", "file_path": "dir/b", "previous_path": "a" },
        creates("a", "3"),
        { "action": "move", "file_path": "c", "previous_path": "README.md", "content": "" },
    ]);
    root.commit(&project, "main", actions).await;
    assert_eq!(raw(&root, &project, "dir/b").await, "2");
    assert_eq!(raw(&root, &project, "a").await, "3");
    assert_eq!(raw(&root, &project, "c").await, "");
    let gone = json!([{ "action": "delete", "file_path": "a" }, updates("a", "4")]);
    root.try_commit(&project, "main", gone)
        .await
        .says(400, "A file with this name doesn't exist");
}

#[tokio::test]
async fn s153_actions_are_required() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let refused = "400 Bad request - actions is required";
    root.try_commit(&project, "main", json!([]))
        .await
        .says(400, refused);
    let without = json!({ "branch": "main", "commit_message": "c" });
    root.post(&commits(&project), without)
        .await
        .says(400, refused);
    world
        .emulator
        .change_switches(|switches| switches.commit_validation = CommitValidation::Grape);
    root.try_commit(&project, "main", json!([]))
        .await
        .errs(400, "actions is missing");
}

#[tokio::test]
async fn s154_unknown_action_is_refused() {
    let world = World::start().await;
    let project = world.project().await;
    let actions = json!([{ "action": "destroy", "file_path": "a" }]);
    world.root().try_commit(&project, "main", actions).await.says(
        400,
        "400 Bad request - actions[0][action] must be one of: create, update, move, delete, chmod",
    );
}

#[tokio::test]
async fn s155_update_needs_content_and_create_does_not() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let update = json!([{ "action": "update", "file_path": "README.md" }]);
    root.try_commit(&project, "main", update).await.says(
        400,
        "400 Bad request - actions[0][content] is required for update action",
    );
    let create = json!([{ "action": "create", "file_path": "empty" }]);
    root.commit(&project, "main", create).await;
    assert_eq!(raw(&root, &project, "empty").await, "");
}

#[tokio::test]
async fn s156_move_and_chmod_need_their_parameters() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    for (action, text) in [
        (
            json!({ "action": "move", "file_path": "a" }),
            "400 Bad request - actions[0][previous_path] is required for move action",
        ),
        (
            json!({ "action": "chmod", "file_path": "a" }),
            "400 Bad request - actions[0][execute_filemode] is required for chmod action",
        ),
        (
            json!({ "file_path": "a" }),
            "400 Bad request - actions[0][action] is required",
        ),
        (
            json!({ "action": "create" }),
            "400 Bad request - actions[0][file_path] is required",
        ),
        (
            json!({ "action": "create", "file_path": "a", "encoding": "rot13" }),
            "400 Bad request - actions[0][encoding] must be text or base64",
        ),
    ] {
        root.try_commit(&project, "main", json!([action]))
            .await
            .says(400, text);
    }
}

#[tokio::test]
async fn s157_two_starts_are_refused() {
    let world = World::start().await;
    let project = world.project().await;
    let both = json!({ "branch": "x", "start_branch": "main", "start_sha": "0".repeat(40) });
    commit_with(&world.root(), &project, both).await.says(
        400,
        "400 Bad request - start_branch, start_sha are mutually exclusive",
    );
}

#[tokio::test]
async fn s158_missing_branch_needs_a_start() {
    let world = World::start().await;
    let project = world.project().await;
    let refused = "You can only create or edit files when you are on a branch";
    let root = world.root();
    commit_with(&root, &project, json!({ "branch": "x" }))
        .await
        .says(400, refused);
    let nowhere = json!({ "branch": "x", "start_branch": "nope" });
    commit_with(&root, &project, nowhere)
        .await
        .says(400, refused);
}

#[tokio::test]
async fn s159_missing_branch_begins_at_its_start() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let main = head(&root, &project, "main").await;
    let start = json!({ "branch": "x", "start_branch": "main" });
    let commit = commit_with(&root, &project, start).await.created();
    assert_eq!(commit["parent_ids"], json!([main]));
    assert_eq!(head(&root, &project, "x").await, commit["id"]);
    assert_eq!(head(&root, &project, "main").await, main);
    let by_sha =
        json!({ "branch": "y", "start_sha": commit["id"], "actions": [creates("y", "1")] });
    let other = commit_with(&root, &project, by_sha).await.created();
    assert_eq!(other["parent_ids"], json!([commit["id"]]));
}

#[tokio::test]
async fn s160_existing_branch_refuses_another_start() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let main = head(&root, &project, "main").await;
    let start = json!({ "branch": "x", "start_branch": "main" });
    commit_with(&root, &project, start.clone()).await.created();
    let refused =
        "A branch called 'x' already exists. Switch to that branch in order to make changes";
    commit_with(&root, &project, start).await.says(400, refused);
    let by_sha = json!({ "branch": "x", "start_sha": main });
    commit_with(&root, &project, by_sha)
        .await
        .says(400, refused);
    // Its own name is no other start.
    let own = json!({ "branch": "x", "start_branch": "x", "actions": [creates("z", "1")] });
    commit_with(&root, &project, own).await.created();
}

#[tokio::test]
async fn s161_force_resets_the_branch() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let main = head(&root, &project, "main").await;
    let start = json!({ "branch": "x", "start_branch": "main" });
    commit_with(&root, &project, start).await.created();
    let forced = json!({
        "branch": "x", "start_sha": main, "force": true, "actions": [creates("z", "1")],
    });
    let commit = commit_with(&root, &project, forced).await.created();
    assert_eq!(commit["parent_ids"], json!([main]));
    let list = root
        .get(&format!("{}?ref_name=x", commits(&project)))
        .await
        .ok();
    assert_eq!(list.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn s162_bad_start_is_refused() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let bad = json!({ "branch": "x", "start_sha": "nope" });
    commit_with(&root, &project, bad)
        .await
        .says(400, "Invalid start_sha 'nope'");
    let unknown = "1".repeat(40);
    let text = format!("Cannot find start_sha '{unknown}'");
    let bad = json!({ "branch": "x", "start_sha": unknown });
    commit_with(&root, &project, bad).await.says(400, &text);
}

#[tokio::test]
async fn s163_developer_on_a_protected_branch_is_refused_by_each_api_in_its_way() {
    let world = World::start().await;
    let project = world.project().await;
    let developer = world.member("ann", &project, 30).await;
    developer
        .try_commit(&project, "main", json!([creates("a", "1")]))
        .await
        .says(
            403,
            "403 Forbidden - You are not allowed to push into this branch",
        );
    // The check comes before the parameters are looked at.
    let empty = developer.try_commit(&project, "main", json!([])).await;
    empty.says(
        403,
        "403 Forbidden - You are not allowed to push into this branch",
    );
    developer
        .post(&file(&project, "a"), write("1"))
        .await
        .says(400, "You are not allowed to push into this branch");
    let aside = json!({ "branch": "x", "start_branch": "main" });
    commit_with(&developer, &project, aside).await.created();
}

#[tokio::test]
async fn s164_reporter_may_not_write_files() {
    let world = World::start().await;
    let project = world.project().await;
    let reporter = world.member("ann", &project, 20).await;
    reporter
        .post(&file(&project, "a"), write("1"))
        .await
        .says(403, "403 Forbidden");
}

#[tokio::test]
async fn s165_empty_repository_takes_any_branch() {
    let world = World::start().await;
    let root = world.root();
    let project = root
        .post("/projects", json!({ "name": "app" }))
        .await
        .created();
    let commit = root
        .commit(&project, "trunk", json!([creates("a", "1")]))
        .await;
    assert_eq!(commit["parent_ids"], json!([]));
    let shown = root.get(&format!("/projects/{}", project["id"])).await.ok();
    assert_eq!(shown["default_branch"], "trunk");
    assert_eq!(shown["empty_repo"], false);
}

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
        .change_switches(|switches| switches.latency_commit = 500);
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
        switches.latency_commit = 500;
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
    world
        .emulator
        .change_switches(|switches| switches.gap_before_parent = 400);
    let guarded = {
        let (root, project) = (root.clone(), project.clone());
        let mut action = updates("a", "guarded");
        action["last_commit_id"] = known["id"].clone();
        tokio::spawn(async move { root.try_commit(&project, "main", json!([action])).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    world
        .emulator
        .change_switches(|switches| switches.gap_before_parent = 0);
    let between = root
        .commit(&project, "main", json!([updates("a", "between")]))
        .await;
    let guarded = guarded.await.unwrap().created();
    assert_eq!(guarded["parent_ids"], json!([between["id"]]));
    assert_eq!(raw(&root, &project, "a").await, "guarded");
}

#[tokio::test]
async fn s170_illegal_paths_are_refused() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    for (path, text) in [
        (".git/x", "invalid path: '.git/x'"),
        ("a//b", "invalid path: 'a//b'"),
        ("../x", "Path cannot include directory traversal"),
    ] {
        root.try_commit(&project, "main", json!([creates(path, "1")]))
            .await
            .says(400, text);
    }
}

#[tokio::test]
async fn s171_executable_bit_is_set_by_create_and_chmod_only() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let mode = || async {
        let tree = format!("/projects/{}/repository/tree", project["id"]);
        let tree = root.get(&tree).await.ok();
        let entry = tree
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["name"] == "run");
        entry.unwrap()["mode"].as_str().unwrap().to_owned()
    };
    let with = |mut action: Value, flag: bool| {
        action["execute_filemode"] = json!(flag);
        json!([action])
    };
    root.commit(&project, "main", with(creates("run", "1"), true))
        .await;
    assert_eq!(mode().await, "100755");
    root.commit(&project, "main", with(updates("run", "2"), false))
        .await;
    assert_eq!(mode().await, "100755");
    let chmod = json!({ "action": "chmod", "file_path": "run" });
    root.commit(&project, "main", with(chmod.clone(), false))
        .await;
    assert_eq!(mode().await, "100644");
    root.commit(&project, "main", with(chmod, true)).await;
    assert_eq!(mode().await, "100755");
}

#[tokio::test(flavor = "multi_thread")]
async fn s172_large_bodies_are_limited() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    // Large, but without actions: it is counted before anything else is looked at.
    let padding = "x".repeat(20 * 1024 * 1024);
    let body = json!({ "branch": "main", "commit_message": "c", "padding": padding }).to_string();
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let answer = root
            .post_raw(
                &commits(&project),
                "application/json",
                body.clone().into_bytes(),
            )
            .await;
        statuses.push(answer.status);
        if answer.status == 429 {
            let text = "This endpoint has been requested too many times. Try again later.";
            assert_eq!(answer.json, json!({ "message": { "error": text } }));
            break;
        }
    }
    assert!(statuses.len() >= 4, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
    assert!(statuses.iter().rev().skip(1).all(|status| *status == 400));
    let body = vec![b' '; 300 * 1024 * 1024 + 1];
    root.post_raw(&commits(&project), "application/json", body)
        .await
        .has(413);
}

#[tokio::test]
async fn s173_malformed_json_is_told_twice() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    root.post_raw(
        &commits(&project),
        "application/json",
        b"{nonsense".to_vec(),
    )
    .await
    .is(
        400,
        json!({ "message": "Invalid json", "error": "Invalid json" }),
    );
    root.post_raw(&commits(&project), "text/plain", b"x".to_vec())
        .await
        .says(
            400,
            "400 Bad request - Unsupported Content-Type: text/plain",
        );
}

#[tokio::test]
async fn s174_unchanged_content_is_still_a_commit() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let one = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    let two = root
        .commit(&project, "main", json!([updates("a", "1")]))
        .await;
    assert_eq!(two["parent_ids"], json!([one["id"]]));
    assert_eq!(two["stats"]["total"], 0);
}

#[tokio::test]
async fn s175_committer_is_the_user_and_author_can_be_another() {
    let world = World::start().await;
    let project = world.project().await;
    let maintainer = world.member("ann", &project, 40).await;
    let more = json!({ "author_name": "Bob", "author_email": "bob@example.com" });
    let commit = commit_with(&maintainer, &project, more).await.created();
    assert_eq!(commit["author_name"], "Bob");
    assert_eq!(commit["author_email"], "bob@example.com");
    assert_eq!(commit["committer_name"], "ann");
    assert_eq!(commit["committer_email"], "ann@example.com");
    assert_eq!(commit["authored_date"], commit["committed_date"]);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let written =
        gitlab_emulator::domain::time::Moment::parse(commit["committed_date"].as_str().unwrap());
    let age = i64::try_from(now.as_secs()).unwrap() - written.unwrap().seconds();
    assert!((0..60).contains(&age), "{age}");
}

#[tokio::test]
async fn forms_make_commits_too() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let form = "branch=main&commit_message=c&actions[][action]=create&actions[][file_path]=a\
        &actions[][content]=1&actions[][action]=create&actions[][file_path]=b&actions[][content]=2";
    let kind = "application/x-www-form-urlencoded";
    root.post_raw(&commits(&project), kind, form.as_bytes().to_vec())
        .await
        .has(201);
    assert_eq!(raw(&root, &project, "b").await, "2");
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"branch\"\r\n\r\nmain\r\n\
        --x\r\nContent-Disposition: form-data; name=\"commit_message\"\r\n\r\nc\r\n\
        --x\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\n3\r\n--x--\r\n";
    let kind = "multipart/form-data; boundary=x";
    root.post_raw(&file(&project, "c"), kind, multipart.as_bytes().to_vec())
        .await
        .has(201);
    assert_eq!(raw(&root, &project, "c").await, "3");
}

#[tokio::test]
async fn folders_vanish_with_their_last_file() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    root.commit(
        &project,
        "main",
        json!([creates("a/b/c", "1"), creates("a/d", "2")]),
    )
    .await;
    let delete = |path: &str| json!([{ "action": "delete", "file_path": path }]);
    root.commit(&project, "main", delete("a/b/c")).await;
    let tree = format!("/projects/{}/repository/tree", project["id"]);
    let below = root.get(&format!("{tree}?path=a")).await.ok();
    assert_eq!(below.as_array().unwrap().len(), 1);
    root.commit(&project, "main", delete("a")).await;
    root.commit(&project, "main", delete("README.md")).await;
    assert_eq!(root.get(&tree).await.ok(), json!([]));
}

#[tokio::test]
async fn trailers_are_taken_from_the_message() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let more = json!({ "commit_message": "change\n\nwhy\n\nChange-Id: 1\nChange-Id: 2\n" });
    let commit = commit_with(&root, &project, more).await.created();
    assert_eq!(commit["title"], "change");
    assert_eq!(commit["trailers"], json!({ "Change-Id": "2" }));
    assert_eq!(
        commit["extended_trailers"],
        json!({ "Change-Id": ["1", "2"] })
    );
}
