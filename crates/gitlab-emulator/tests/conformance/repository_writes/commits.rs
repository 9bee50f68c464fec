//! The commits API: parameters, branches, permissions.

use gitlab_emulator::CommitValidation;
use serde_json::{Value, json};

use super::{commit_with, head, raw, write};
use crate::support::{TestInstance, commits, creates, file, updates};

#[tokio::test]
async fn s149_last_commit_id_guards_every_action_but_create() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
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
            .assert_message(400, refused);
    }
    root.commit(&project, "main", stale(creates("new", "1")))
        .await;
    let mut fresh = updates("a", "3");
    fresh["last_commit_id"] = head(&root, &project, "main").await;
    root.commit(&project, "main", json!([fresh])).await;
}

#[tokio::test]
async fn s150_commit_has_stats_unless_excluded() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
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
async fn s151_one_bad_action_prevents_the_commit() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let before = head(&root, &project, "main").await;
    let actions = json!([creates("a", "1"), creates("README.md", "2")]);
    let refused = root.try_commit(&project, "main", actions).await;
    refused.assert_message(400, "A file with this name already exists");
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
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
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
        .assert_message(400, "A file with this name doesn't exist");
}

#[tokio::test]
async fn s153_actions_are_required() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let refused = "400 Bad request - actions is required";
    root.try_commit(&project, "main", json!([]))
        .await
        .assert_message(400, refused);
    let without = json!({ "branch": "main", "commit_message": "c" });
    root.post(&commits(&project), without)
        .await
        .assert_message(400, refused);
    gitlab
        .emulator
        .update_switches(|switches| switches.commit_validation = CommitValidation::Grape);
    root.try_commit(&project, "main", json!([]))
        .await
        .assert_error(400, "actions is missing");
}

#[tokio::test]
async fn s154_unknown_action_is_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let actions = json!([{ "action": "destroy", "file_path": "a" }]);
    gitlab.root().try_commit(&project, "main", actions).await.assert_message(
        400,
        "400 Bad request - actions[0][action] must be one of: create, update, move, delete, chmod",
    );
}

#[tokio::test]
async fn s155_update_requires_content_and_create_does_not() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let update = json!([{ "action": "update", "file_path": "README.md" }]);
    root.try_commit(&project, "main", update)
        .await
        .assert_message(
            400,
            "400 Bad request - actions[0][content] is required for update action",
        );
    let create = json!([{ "action": "create", "file_path": "empty" }]);
    root.commit(&project, "main", create).await;
    assert_eq!(raw(&root, &project, "empty").await, "");
}

#[tokio::test]
async fn s156_move_and_chmod_require_their_parameters() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
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
            .assert_message(400, text);
    }
}

#[tokio::test]
async fn s157_two_starts_are_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let both = json!({ "branch": "x", "start_branch": "main", "start_sha": "0".repeat(40) });
    commit_with(&gitlab.root(), &project, both)
        .await
        .assert_message(
            400,
            "400 Bad request - start_branch, start_sha are mutually exclusive",
        );
}

#[tokio::test]
async fn s158_missing_branch_requires_a_start() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let refused = "You can only create or edit files when you are on a branch";
    let root = gitlab.root();
    commit_with(&root, &project, json!({ "branch": "x" }))
        .await
        .assert_message(400, refused);
    let nowhere = json!({ "branch": "x", "start_branch": "nope" });
    commit_with(&root, &project, nowhere)
        .await
        .assert_message(400, refused);
}

#[tokio::test]
async fn s159_missing_branch_starts_at_start_branch() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
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
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let main = head(&root, &project, "main").await;
    let start = json!({ "branch": "x", "start_branch": "main" });
    commit_with(&root, &project, start.clone()).await.created();
    let refused =
        "A branch called 'x' already exists. Switch to that branch in order to make changes";
    commit_with(&root, &project, start)
        .await
        .assert_message(400, refused);
    let by_sha = json!({ "branch": "x", "start_sha": main });
    commit_with(&root, &project, by_sha)
        .await
        .assert_message(400, refused);
    // Starting at the branch itself is allowed.
    let own = json!({ "branch": "x", "start_branch": "x", "actions": [creates("z", "1")] });
    commit_with(&root, &project, own).await.created();
}

#[tokio::test]
async fn s161_force_resets_the_branch() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
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
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let bad = json!({ "branch": "x", "start_sha": "nope" });
    commit_with(&root, &project, bad)
        .await
        .assert_message(400, "Invalid start_sha 'nope'");
    let unknown = "1".repeat(40);
    let text = format!("Cannot find start_sha '{unknown}'");
    let bad = json!({ "branch": "x", "start_sha": unknown });
    commit_with(&root, &project, bad)
        .await
        .assert_message(400, &text);
}

#[tokio::test]
async fn s163_protected_branch_refuses_developers_with_different_errors_per_api() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let developer = gitlab.member("ann", &project, 30).await;
    developer
        .try_commit(&project, "main", json!([creates("a", "1")]))
        .await
        .assert_message(
            403,
            "403 Forbidden - You are not allowed to push into this branch",
        );
    // Permissions are checked before parameters.
    let empty = developer.try_commit(&project, "main", json!([])).await;
    empty.assert_message(
        403,
        "403 Forbidden - You are not allowed to push into this branch",
    );
    developer
        .post(&file(&project, "a"), write("1"))
        .await
        .assert_message(400, "You are not allowed to push into this branch");
    let aside = json!({ "branch": "x", "start_branch": "main" });
    commit_with(&developer, &project, aside).await.created();
}

#[tokio::test]
async fn s164_reporter_may_not_write_files() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let reporter = gitlab.member("ann", &project, 20).await;
    reporter
        .post(&file(&project, "a"), write("1"))
        .await
        .assert_message(403, "403 Forbidden");
}

#[tokio::test]
async fn s165_empty_repository_accepts_any_branch() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
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
