//! Groups.

use gitlab_emulator::HashStyle;
use serde_json::{Value, json};

use crate::support::TestInstance;

fn path(group: &Value) -> String {
    format!("/groups/{}", group["id"])
}

#[tokio::test]
async fn s031_name_and_path_are_required() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    root.post("/groups", json!({ "path": "group" }))
        .await
        .assert_error(400, "name is missing");
    root.post("/groups", json!({}))
        .await
        .assert_error(400, "name is missing, path is missing");
}

#[tokio::test]
async fn s032_created_group_has_path_and_parent() {
    let gitlab = TestInstance::start().await;
    let parent = gitlab.group("platform").await;
    let child = gitlab.subgroup(&parent, "team").await;
    assert_eq!(child["full_path"], "platform/team");
    assert_eq!(child["full_name"], "platform / team");
    assert_eq!(child["parent_id"], parent["id"]);
    assert_eq!(child["marked_for_deletion_on"], Value::Null);
}

#[tokio::test]
async fn s033_taken_path_is_reported_as_a_ruby_hash() {
    let gitlab = TestInstance::start().await;
    gitlab.group("platform").await;
    let again = json!({ "name": "other", "path": "platform" });
    let root = gitlab.root();
    let arrow = r#"Failed to save group {:path=>["has already been taken"]}"#;
    root.post("/groups", again.clone())
        .await
        .assert_message(400, arrow);
    gitlab
        .emulator
        .update_switches(|switches| switches.hash_style = HashStyle::Label);
    let label = r#"Failed to save group {path: ["has already been taken"]}"#;
    root.post("/groups", again).await.assert_message(400, label);
}

#[tokio::test]
async fn s034_paths_of_sibling_projects_are_taken() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    gitlab.project_in(&group, "app", json!({})).await;
    let child = json!({ "name": "x", "path": "app", "parent_id": group["id"] });
    let refused = gitlab
        .root()
        .post("/groups", child)
        .await
        .assert_status(400);
    assert!(
        refused.json["message"]
            .as_str()
            .unwrap()
            .contains("has already been taken")
    );
}

#[tokio::test]
async fn s035_invalid_path_is_reported_in_the_same_form() {
    let gitlab = TestInstance::start().await;
    let group = json!({ "name": "group", "path": "a b" });
    gitlab.root().post("/groups", group).await.assert_message(
        400,
        r#"Failed to save group {:path=>["can only include non-accented letters, digits, '_', '-' and '.'. It must not start with '-', '_', or '.', nor end with '-', '_', '.', '.git', or '.atom'.", "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or end in '.', '.git' or '.atom'."]}"#,
    );
}

#[tokio::test]
async fn s036_reserved_names_are_refused_at_the_top_level() {
    let gitlab = TestInstance::start().await;
    let group = json!({ "name": "admin", "path": "admin" });
    gitlab.root().post("/groups", group).await.assert_message(
        400,
        r#"Failed to save group {:path=>["admin is a reserved name"]}"#,
    );
    let parent = gitlab.group("platform").await;
    gitlab.subgroup(&parent, "admin").await;
}

#[tokio::test]
async fn s037_unreadable_parent_is_not_found() {
    let gitlab = TestInstance::start().await;
    let parent = gitlab.group("hidden").await;
    let user = gitlab.user("ann").await;
    let child = json!({ "name": "team", "path": "team", "parent_id": parent["id"] });
    user.post("/groups", child)
        .await
        .assert_message(404, "404 Group Not Found");
}

#[tokio::test]
async fn s038_developer_may_not_create_subgroups() {
    let gitlab = TestInstance::start().await;
    let parent = gitlab.group("platform").await;
    let users = [
        (gitlab.user("ann").await, 30),
        (gitlab.user("bob").await, 40),
    ];
    for (user, level) in &users {
        let member = json!({ "user_id": user.id, "access_level": level });
        gitlab
            .root()
            .post(&format!("{}/members", path(&parent)), member)
            .await
            .created();
    }
    let child = json!({ "name": "team", "path": "team", "parent_id": parent["id"] });
    let [(developer, _), (maintainer, _)] = &users;
    developer
        .post("/groups", child.clone())
        .await
        .assert_message(403, "403 Forbidden");
    let only_owners = json!({ "subgroup_creation_level": "owner" });
    gitlab.root().put(&path(&parent), only_owners).await.ok();
    maintainer
        .post("/groups", child.clone())
        .await
        .assert_message(403, "403 Forbidden");
    let maintainers = json!({ "subgroup_creation_level": "maintainer" });
    gitlab.root().put(&path(&parent), maintainers).await.ok();
    maintainer.post("/groups", child).await.created();
}

#[tokio::test]
async fn s039_top_level_groups_require_can_create_group() {
    let gitlab = TestInstance::start().await;
    let user = json!({ "username": "ann", "name": "ann", "email": "ann@example.com",
        "force_random_password": true, "can_create_group": false });
    let user = gitlab.root().post("/users", user).await.created();
    let user = gitlab
        .create_token(user["id"].as_u64().unwrap(), &["api"])
        .await;
    let group = json!({ "name": "group", "path": "group" });
    user.post("/groups", group.clone())
        .await
        .assert_message(403, "403 Forbidden");
    gitlab
        .user("bob")
        .await
        .post("/groups", group)
        .await
        .created();
}

#[tokio::test]
async fn s040_subgroups_are_found_by_encoded_path() {
    let gitlab = TestInstance::start().await;
    let parent = gitlab.group("platform").await;
    let child = gitlab.subgroup(&parent, "team").await;
    let shown = gitlab.root().get("/groups/platform%2Fteam").await.ok();
    assert_eq!(shown["id"], child["id"]);
}

#[tokio::test]
async fn s041_projects_can_be_excluded() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    gitlab.project_in(&group, "app", json!({})).await;
    let root = gitlab.root();
    let with = root.get(&path(&group)).await.ok();
    assert_eq!(with["projects"].as_array().unwrap().len(), 1);
    let without = root
        .get(&format!("{}?with_projects=false", path(&group)))
        .await
        .ok();
    assert!(without.get("projects").is_none() && without.get("shared_projects").is_none());
}

#[tokio::test]
async fn s042_update_to_a_taken_path_is_reported_as_an_object() {
    let gitlab = TestInstance::start().await;
    gitlab.group("one").await;
    let two = gitlab.group("two").await;
    let refused = gitlab
        .root()
        .put(&path(&two), json!({ "path": "one" }))
        .await;
    refused.assert_json(
        400,
        json!({ "message": { "path": ["has already been taken"] } }),
    );
}

#[tokio::test]
async fn s043_update_requires_an_owner() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let user = gitlab.user("ann").await;
    let member = json!({ "user_id": user.id, "access_level": 40 });
    gitlab
        .root()
        .post(&format!("{}/members", path(&group)), member)
        .await
        .created();
    user.put(&path(&group), json!({ "name": "mine" }))
        .await
        .assert_message(403, "403 Forbidden");
}

#[tokio::test]
async fn s044_delete_is_accepted() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    gitlab
        .root()
        .delete(&path(&group))
        .await
        .assert_message(202, "202 Accepted");
}

#[tokio::test]
async fn s045_marked_group_is_renamed() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let root = gitlab.root();
    root.delete(&path(&group)).await.assert_status(202);
    let marked = root.get(&path(&group)).await.ok();
    let suffix = format!("platform-deletion_scheduled-{}", group["id"]);
    assert!(marked["marked_for_deletion_on"].is_string());
    assert_eq!(marked["path"], suffix);
    assert_eq!(marked["name"], suffix);
    assert_eq!(marked["full_path"], suffix);
}

#[tokio::test]
async fn s046_group_with_registry_images_keeps_its_path_when_marked() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let child = gitlab.subgroup(&group, "team").await;
    let root = gitlab.root();
    let seed = format!("/-/emulator{}/registry_images", path(&child));
    root.put(&seed, json!({ "has_images": true }))
        .await
        .assert_status(204);
    root.delete(&path(&group)).await.assert_status(202);
    let marked = root.get(&path(&group)).await.ok();
    assert!(marked["marked_for_deletion_on"].is_string());
    assert_eq!(marked["path"], "platform");
}

#[tokio::test]
async fn s047_path_of_a_marked_group_is_free_at_once() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    gitlab.root().delete(&path(&group)).await.assert_status(202);
    let again = gitlab.group("platform").await;
    assert_ne!(again["id"], group["id"]);
}

#[tokio::test]
async fn s048_second_delete_is_refused() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let root = gitlab.root();
    root.delete(&path(&group)).await.assert_status(202);
    let again = root.delete(&path(&group)).await;
    again.assert_message(400, "Group has been already marked for deletion");
}

#[tokio::test]
async fn s049_permanent_removal_requires_marking_first() {
    let gitlab = TestInstance::start().await;
    let parent = gitlab.group("platform").await;
    let child = gitlab.subgroup(&parent, "team").await;
    let query = "?permanently_remove=true&full_path=platform%2Fteam";
    let refused = gitlab
        .root()
        .delete(&format!("{}{query}", path(&child)))
        .await;
    refused.assert_message(400, "Group must be marked for deletion first.");
}

#[tokio::test]
async fn s050_permanent_removal_is_for_subgroups() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let root = gitlab.root();
    root.delete(&path(&group)).await.assert_status(202);
    let query = "?permanently_remove=true&full_path=platform";
    let refused = root.delete(&format!("{}{query}", path(&group))).await;
    refused.assert_message(
        400,
        "`permanently_remove` option is only available for subgroups.",
    );
}

#[tokio::test]
async fn s051_permanent_removal_requires_the_new_path() {
    let gitlab = TestInstance::start().await;
    let parent = gitlab.group("platform").await;
    let child = gitlab.subgroup(&parent, "team").await;
    let root = gitlab.root();
    root.delete(&path(&child)).await.assert_status(202);
    for old in ["platform%2Fteam", "nonsense"] {
        let query = format!("?permanently_remove=true&full_path={old}");
        let refused = root.delete(&format!("{}{query}", path(&child))).await;
        refused.assert_message(
            400,
            "`full_path` is incorrect. You must enter the complete path for the subgroup.",
        );
    }
}

#[tokio::test]
async fn s052_permanent_removal_with_the_new_path_removes() {
    let gitlab = TestInstance::start().await;
    let parent = gitlab.group("platform").await;
    let child = gitlab.subgroup(&parent, "team").await;
    let project = gitlab.project_in(&child, "app", json!({})).await;
    let root = gitlab.root();
    root.delete(&path(&child)).await.assert_status(202);
    let new = root.get(&path(&child)).await.ok()["full_path"]
        .as_str()
        .unwrap()
        .to_owned();
    let query = format!(
        "?permanently_remove=true&full_path={}",
        new.replace('/', "%2F")
    );
    root.delete(&format!("{}{query}", path(&child)))
        .await
        .assert_message(202, "202 Accepted");
    root.get(&path(&child))
        .await
        .assert_message(404, "404 Group Not Found");
    gitlab.emulator.wait_until_idle().await;
    root.get(&format!("/projects/{}", project["id"]))
        .await
        .assert_status(404);
}

#[tokio::test]
async fn s053_permanent_removal_can_be_forbidden() {
    let gitlab = TestInstance::start().await;
    let parent = gitlab.group("platform").await;
    let child = gitlab.subgroup(&parent, "team").await;
    let root = gitlab.root();
    root.put(
        "/application/settings",
        json!({ "allow_immediate_namespaces_deletion": false }),
    )
    .await
    .ok();
    root.delete(&path(&child)).await.assert_status(202);
    let query = "?permanently_remove=true&full_path=platform%2Fteam";
    let refused = root.delete(&format!("{}{query}", path(&child))).await;
    refused.assert_message(
        400,
        "`permanently_remove` option is not permitted on this instance.",
    );
}

#[tokio::test]
async fn s054_delete_below_a_marked_group_changes_nothing() {
    let gitlab = TestInstance::start().await;
    let parent = gitlab.group("platform").await;
    let child = gitlab.subgroup(&parent, "team").await;
    let root = gitlab.root();
    root.delete(&path(&parent)).await.assert_status(202);
    let before = root.get(&path(&child)).await.ok();
    root.delete(&path(&child))
        .await
        .assert_message(202, "202 Accepted");
    assert_eq!(root.get(&path(&child)).await.ok(), before);
    assert_eq!(before["path"], "team");
    let moved = format!("platform-deletion_scheduled-{}/team", parent["id"]);
    assert_eq!(before["full_path"], moved);
}

#[tokio::test]
async fn s055_restore_removes_the_mark() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let root = gitlab.root();
    root.post(&format!("{}/restore", path(&group)), json!({}))
        .await
        .assert_status(400);
    root.delete(&path(&group)).await.assert_status(202);
    let restored = root
        .post(&format!("{}/restore", path(&group)), json!({}))
        .await
        .created();
    assert_eq!(restored["path"], "platform");
    assert_eq!(restored["name"], "platform");
    assert_eq!(restored["marked_for_deletion_on"], Value::Null);
}

#[tokio::test]
async fn s056_archive_is_200_and_422_when_already_archived() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let root = gitlab.root();
    let archive = format!("{}/archive", path(&group));
    let archived = root.post(&archive, json!({})).await.ok();
    assert_eq!(archived["archived"], true);
    root.post(&archive, json!({})).await.assert_status(422);
    let back = root
        .post(&format!("{}/unarchive", path(&group)), json!({}))
        .await
        .ok();
    assert_eq!(back["archived"], false);
}

#[tokio::test]
async fn s057_second_share_conflicts() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let other = gitlab.group("guests").await;
    let root = gitlab.root();
    let share = json!({ "group_id": other["id"], "group_access": 30 });
    let path = format!("{}/share", path(&group));
    let shared = root.post(&path, share.clone()).await.created();
    assert_eq!(shared["shared_with_groups"][0]["group_id"], other["id"]);
    root.post(&path, share).await.assert_status(409);
}

#[tokio::test]
async fn members_of_an_invited_group_get_at_most_the_shared_level() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let project = gitlab.project_in(&group, "app", json!({})).await;
    let guests = gitlab.group("guests").await;
    let user = gitlab.user("ann").await;
    let root = gitlab.root();
    let member = json!({ "user_id": user.id, "access_level": 50 });
    root.post(&format!("{}/members", path(&guests)), member)
        .await
        .created();
    let project = format!("/projects/{}", project["id"]);
    user.get(&project).await.assert_status(404);
    let share = json!({ "group_id": guests["id"], "group_access": 20 });
    root.post(&format!("{}/share", path(&group)), share)
        .await
        .created();
    user.get(&project).await.assert_status(200);
    user.put(&project, json!({ "description": "x" }))
        .await
        .assert_status(403);
    root.delete(&format!("{}/share/{}", path(&group), guests["id"]))
        .await
        .assert_status(204);
    user.get(&project).await.assert_status(404);
}

#[tokio::test]
async fn transferred_group_moves_its_projects() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let other = gitlab.group("other").await;
    gitlab.project_in(&group, "app", json!({})).await;
    let root = gitlab.root();
    let transfer = format!("{}/transfer", path(&group));
    root.post(&transfer, json!({})).await.assert_status(400);
    let moved = root
        .post(&transfer, json!({ "group_id": other["id"] }))
        .await
        .created();
    assert_eq!(moved["full_path"], "other/platform");
    root.get("/projects/other%2Fplatform%2Fapp")
        .await
        .assert_status(200);
    root.get("/projects/platform%2Fapp")
        .await
        .assert_status(301);
}

#[tokio::test]
async fn marked_groups_are_removed_after_the_retention_period() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let root = gitlab.root();
    root.delete(&path(&group)).await.assert_status(202);
    let days = |days: u64| std::time::Duration::from_secs(days * 24 * 3600);
    gitlab.emulator.advance_clock(days(28));
    gitlab.emulator.wait_until_idle().await;
    root.get(&path(&group)).await.assert_status(200);
    gitlab.emulator.advance_clock(days(3));
    gitlab.emulator.wait_until_idle().await;
    root.get(&path(&group)).await.assert_status(404);
}
