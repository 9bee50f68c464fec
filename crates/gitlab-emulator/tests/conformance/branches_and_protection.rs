//! Branches and protected branches.

use serde_json::{Value, json};

use crate::support::{TestInstance, commits, creates};

fn branches(project: &Value) -> String {
    format!("/projects/{}/repository/branches", project["id"])
}

fn protections(project: &Value) -> String {
    format!("/projects/{}/protected_branches", project["id"])
}

fn branch(name: &str, from: &str) -> Value {
    json!({ "branch": name, "ref": from })
}

#[tokio::test]
async fn s124_existing_branch_is_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let created = root
        .post(&branches(&project), branch("x", "main"))
        .await
        .created();
    assert_eq!(created["name"], "x");
    root.post(&branches(&project), branch("x", "main"))
        .await
        .assert_message(400, "Branch already exists");
}

#[tokio::test]
async fn s125_bad_reference_is_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let refused = gitlab
        .root()
        .post(&branches(&project), branch("x", "nope"))
        .await;
    refused.assert_message(
        400,
        "Failed to create branch 'x': invalid reference name 'nope'",
    );
}

#[tokio::test]
async fn s126_conflicting_branch_hierarchy_is_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.post(&branches(&project), branch("a", "main"))
        .await
        .created();
    let refused = root
        .post(&branches(&project), branch("a/b", "main"))
        .await
        .assert_status(400);
    let text = refused.json["message"].as_str().unwrap();
    assert!(
        text.contains("conflicts with existing branch hierarchy"),
        "{text}"
    );
}

#[tokio::test]
async fn s127_branch_in_an_empty_repository_adds_a_readme() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let project = root
        .post("/projects", json!({ "name": "app" }))
        .await
        .created();
    let created = root
        .post(&branches(&project), branch("x", "main"))
        .await
        .created();
    assert_eq!(created["commit"]["title"], "Add README.md");
    let main = root.get(&format!("{}/main", branches(&project))).await.ok();
    assert_eq!(main["commit"]["id"], created["commit"]["id"]);
    let raw = format!("{}/raw", crate::support::file(&project, "README.md"));
    assert_eq!(root.get(&raw).await.assert_status(200).text, "");
}

#[tokio::test]
async fn s128_missing_branch_is_not_found_and_bad_name_is_invalid() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let get = |name: &str| {
        let (root, path) = (root.clone(), format!("{}/{name}", branches(&project)));
        async move { root.get(&path).await }
    };
    get("x").await.assert_message(404, "404 Branch Not Found");
    get("a..b")
        .await
        .assert_message(400, "The branch refname is invalid");
}

#[tokio::test]
async fn s129_default_branch_cannot_be_deleted() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.delete(&format!("{}/main", branches(&project)))
        .await
        .assert_message(400, "The default branch of a project cannot be deleted.");
    root.post(&branches(&project), branch("feature/x", "main"))
        .await
        .created();
    root.delete(&format!("{}/feature%2Fx", branches(&project)))
        .await
        .assert_status(204);
    root.delete(&format!("{}/feature%2Fx", branches(&project)))
        .await
        .assert_message(404, "404 Branch Not Found");
}

#[tokio::test]
async fn s130_default_branch_is_protected_after_its_first_commit() {
    let gitlab = TestInstance::start().await;
    gitlab
        .emulator
        .update_switches(|switches| switches.job_delay = 60_000);
    let root = gitlab.root();
    let project = json!({ "name": "app", "initialize_with_readme": true });
    let project = root.post("/projects", project).await.created();
    root.get(&format!("{}/main", protections(&project)))
        .await
        .assert_message(404, "404 Not found");
    gitlab
        .emulator
        .advance_clock(std::time::Duration::from_secs(61));
    gitlab.emulator.wait_until_idle().await;
    let protection = root
        .get(&format!("{}/main", protections(&project)))
        .await
        .ok();
    assert_eq!(protection["push_access_levels"][0]["access_level"], 40);
    assert_eq!(protection["merge_access_levels"][0]["access_level"], 40);
    assert_eq!(protection["allow_force_push"], false);
    let main = root.get(&format!("{}/main", branches(&project))).await.ok();
    assert_eq!(
        (&main["protected"], &main["default"]),
        (&json!(true), &json!(true))
    );
}

#[tokio::test]
async fn s131_second_protection_conflicts() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let refused = gitlab
        .root()
        .post(&protections(&project), json!({ "name": "main" }))
        .await;
    refused.assert_message(409, "Protected branch 'main' already exists");
}

#[tokio::test]
async fn s132_invalid_protection_is_reported_in_a_list() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let nameless = root
        .post(&protections(&project), json!({ "name": "" }))
        .await
        .assert_status(422);
    assert!(nameless.json["message"].is_array());
    let invalid = json!({ "name": "x", "allowed_to_push": [{ "access_level": 20 }] });
    assert!(
        root.post(&protections(&project), invalid)
            .await
            .assert_status(422)
            .json["message"]
            .is_array()
    );
}

#[tokio::test]
async fn s133_protection_can_be_changed_and_removed() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let main = format!("{}/main", protections(&project));
    let before = root.get(&main).await.ok();
    let old = &before["push_access_levels"][0]["id"];
    let change = json!({
        "allow_force_push": true,
        "allowed_to_push": [{ "id": old, "_destroy": true }, { "access_level": 30 }],
        "allowed_to_merge": [{ "id": before["merge_access_levels"][0]["id"], "access_level": 0 }],
    });
    let changed = root.patch(&main, change).await.ok();
    assert_eq!(changed["allow_force_push"], true);
    assert_eq!(changed["push_access_levels"].as_array().unwrap().len(), 1);
    assert_eq!(changed["push_access_levels"][0]["access_level"], 30);
    assert_eq!(
        changed["merge_access_levels"][0]["access_level_description"],
        "No one"
    );
    let developer = gitlab.member("ann", &project, 30).await;
    developer
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    root.delete(&main).await.assert_status(204);
    root.delete(&main)
        .await
        .assert_message(404, "404 Not found");
    root.patch(&main, json!({}))
        .await
        .assert_message(404, "404 Not found");
}

#[tokio::test]
async fn s134_wildcard_protects_branches_and_is_found_by_its_pattern() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let pattern = json!({ "name": "release/*", "push_access_level": 40 });
    root.post(&protections(&project), pattern).await.created();
    let shown = root
        .get(&format!("{}/release%2F%2A", protections(&project)))
        .await
        .ok();
    assert_eq!(shown["name"], "release/*");
    let created = root
        .post(&branches(&project), branch("release/1", "main"))
        .await
        .created();
    assert_eq!(created["protected"], true);
    let developer = gitlab.member("ann", &project, 30).await;
    let change = json!([creates("a", "1")]);
    developer
        .try_commit(&project, "release/1", change)
        .await
        .assert_status(403);
}

#[tokio::test]
async fn only_maintainers_may_create_the_first_commit() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let project = gitlab.project_in(&group, "app", json!({})).await;
    let developer = gitlab.member("ann", &project, 30).await;
    let change = json!([creates("a", "1")]);
    developer
        .try_commit(&project, "main", change.clone())
        .await
        .assert_status(403);
    let open = json!({ "default_branch_protection_defaults": {
        "allowed_to_push": [{ "access_level": 40 }], "allow_force_push": false,
        "allowed_to_merge": [{ "access_level": 40 }], "developer_can_initial_push": true,
    } });
    gitlab
        .root()
        .put(&format!("/groups/{}", group["id"]), open)
        .await
        .ok();
    developer.commit(&project, "main", change).await;
}

#[tokio::test]
async fn only_merged_branches_are_deleted() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.post(&branches(&project), branch("merged", "main"))
        .await
        .created();
    let commit = json!({
        "branch": "ahead", "start_branch": "main", "commit_message": "c",
        "actions": [creates("a", "1")],
    });
    root.post(&commits(&project), commit).await.created();
    let merged = format!("/projects/{}/repository/merged_branches", project["id"]);
    root.delete(&merged)
        .await
        .assert_message(202, "202 Accepted");
    let names: Vec<Value> = root
        .get(&branches(&project))
        .await
        .ok()
        .as_array()
        .unwrap()
        .iter()
        .map(|branch| branch["name"].clone())
        .collect();
    assert_eq!(names, [json!("ahead"), json!("main")]);
}

#[tokio::test]
async fn tags_can_be_created_read_and_deleted() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let tags = format!("/projects/{}/repository/tags", project["id"]);
    let light = root
        .post(&tags, json!({ "tag_name": "v1", "ref": "main" }))
        .await
        .created();
    assert_eq!(light["target"], light["commit"]["id"]);
    let annotated = json!({ "tag_name": "v2", "ref": "main", "message": "second" });
    let annotated = root.post(&tags, annotated).await.created();
    assert_eq!(annotated["message"], "second");
    assert_ne!(annotated["target"], annotated["commit"]["id"]);
    root.post(&tags, json!({ "tag_name": "v1", "ref": "main" }))
        .await
        .assert_message(400, "Tag v1 already exists");
    assert_eq!(root.get(&tags).await.ok().as_array().unwrap().len(), 2);
    root.delete(&format!("{tags}/v1")).await.assert_status(204);
    root.get(&format!("{tags}/v1"))
        .await
        .assert_message(404, "404 Tag Not Found");
}

#[tokio::test]
async fn branch_named_like_a_commit_is_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let name = "0123456789abcdef0123456789abcdef01234567";
    gitlab
        .root()
        .post(&branches(&project), branch(name, "main"))
        .await
        .assert_message(
            400,
            "You cannot create a branch with a SHA-1 or SHA-256 branch name.",
        );
}
