//! Groups.

use gitlab_emulator::HashStyle;
use serde_json::{Value, json};

use crate::support::World;

fn path(group: &Value) -> String {
    format!("/groups/{}", group["id"])
}

#[tokio::test]
async fn s031_name_and_path_are_required() {
    let world = World::start().await;
    let root = world.root();
    root.post("/groups", json!({ "path": "group" }))
        .await
        .errs(400, "name is missing");
    root.post("/groups", json!({}))
        .await
        .errs(400, "name is missing, path is missing");
}

#[tokio::test]
async fn s032_created_group_shows_where_it_is() {
    let world = World::start().await;
    let parent = world.group("platform").await;
    let child = world.subgroup(&parent, "team").await;
    assert_eq!(child["full_path"], "platform/team");
    assert_eq!(child["full_name"], "platform / team");
    assert_eq!(child["parent_id"], parent["id"]);
    assert_eq!(child["marked_for_deletion_on"], Value::Null);
}

#[tokio::test]
async fn s033_taken_path_is_told_as_a_ruby_hash_in_a_text() {
    let world = World::start().await;
    world.group("platform").await;
    let again = json!({ "name": "other", "path": "platform" });
    let root = world.root();
    let arrow = r#"Failed to save group {:path=>["has already been taken"]}"#;
    root.post("/groups", again.clone()).await.says(400, arrow);
    world
        .emulator
        .change_switches(|switches| switches.hash_style = HashStyle::Label);
    let label = r#"Failed to save group {path: ["has already been taken"]}"#;
    root.post("/groups", again).await.says(400, label);
}

#[tokio::test]
async fn s034_paths_of_sibling_projects_are_taken_too() {
    let world = World::start().await;
    let group = world.group("platform").await;
    world.project_in(&group, "app", json!({})).await;
    let child = json!({ "name": "x", "path": "app", "parent_id": group["id"] });
    let refused = world.root().post("/groups", child).await.has(400);
    assert!(
        refused.json["message"]
            .as_str()
            .unwrap()
            .contains("has already been taken")
    );
}

#[tokio::test]
async fn s035_illegal_path_is_told_in_the_same_form() {
    let world = World::start().await;
    let group = json!({ "name": "group", "path": "a b" });
    world.root().post("/groups", group).await.says(
        400,
        r#"Failed to save group {:path=>["can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or end in '.', '.git' or '.atom'."]}"#,
    );
}

#[tokio::test]
async fn s036_reserved_names_are_refused_at_the_top() {
    let world = World::start().await;
    let group = json!({ "name": "admin", "path": "admin" });
    world.root().post("/groups", group).await.says(
        400,
        r#"Failed to save group {:path=>["admin is a reserved name"]}"#,
    );
    let parent = world.group("platform").await;
    world.subgroup(&parent, "admin").await;
}

#[tokio::test]
async fn s037_unreadable_parent_is_not_found() {
    let world = World::start().await;
    let parent = world.group("hidden").await;
    let user = world.user("ann").await;
    let child = json!({ "name": "team", "path": "team", "parent_id": parent["id"] });
    user.post("/groups", child)
        .await
        .says(404, "404 Group Not Found");
}

#[tokio::test]
async fn s038_developer_may_not_create_subgroups() {
    let world = World::start().await;
    let parent = world.group("platform").await;
    let users = [(world.user("ann").await, 30), (world.user("bob").await, 40)];
    for (user, level) in &users {
        let member = json!({ "user_id": user.id, "access_level": level });
        world
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
        .says(403, "403 Forbidden");
    let only_owners = json!({ "subgroup_creation_level": "owner" });
    world.root().put(&path(&parent), only_owners).await.ok();
    maintainer
        .post("/groups", child.clone())
        .await
        .says(403, "403 Forbidden");
    let maintainers = json!({ "subgroup_creation_level": "maintainer" });
    world.root().put(&path(&parent), maintainers).await.ok();
    maintainer.post("/groups", child).await.created();
}

#[tokio::test]
async fn s039_top_level_groups_need_the_flag() {
    let world = World::start().await;
    let user = json!({ "username": "ann", "name": "ann", "email": "ann@example.com",
        "force_random_password": true, "can_create_group": false });
    let user = world.root().post("/users", user).await.created();
    let user = world.token_of(user["id"].as_u64().unwrap(), &["api"]).await;
    let group = json!({ "name": "group", "path": "group" });
    user.post("/groups", group.clone())
        .await
        .says(403, "403 Forbidden");
    world
        .user("bob")
        .await
        .post("/groups", group)
        .await
        .created();
}

#[tokio::test]
async fn s040_subgroups_are_found_by_encoded_path() {
    let world = World::start().await;
    let parent = world.group("platform").await;
    let child = world.subgroup(&parent, "team").await;
    let shown = world.root().get("/groups/platform%2Fteam").await.ok();
    assert_eq!(shown["id"], child["id"]);
}

#[tokio::test]
async fn s041_projects_can_be_left_out() {
    let world = World::start().await;
    let group = world.group("platform").await;
    world.project_in(&group, "app", json!({})).await;
    let root = world.root();
    let with = root.get(&path(&group)).await.ok();
    assert_eq!(with["projects"].as_array().unwrap().len(), 1);
    let without = root
        .get(&format!("{}?with_projects=false", path(&group)))
        .await
        .ok();
    assert!(without.get("projects").is_none() && without.get("shared_projects").is_none());
}

#[tokio::test]
async fn s042_update_to_a_taken_path_is_told_as_an_object() {
    let world = World::start().await;
    world.group("one").await;
    let two = world.group("two").await;
    let refused = world
        .root()
        .put(&path(&two), json!({ "path": "one" }))
        .await;
    refused.is(
        400,
        json!({ "message": { "path": ["has already been taken"] } }),
    );
}

#[tokio::test]
async fn s043_update_is_for_owners() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let user = world.user("ann").await;
    let member = json!({ "user_id": user.id, "access_level": 40 });
    world
        .root()
        .post(&format!("{}/members", path(&group)), member)
        .await
        .created();
    user.put(&path(&group), json!({ "name": "mine" }))
        .await
        .says(403, "403 Forbidden");
}

#[tokio::test]
async fn s044_delete_is_accepted() {
    let world = World::start().await;
    let group = world.group("platform").await;
    world
        .root()
        .delete(&path(&group))
        .await
        .says(202, "202 Accepted");
}

#[tokio::test]
async fn s045_marked_group_is_renamed() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let root = world.root();
    root.delete(&path(&group)).await.has(202);
    let marked = root.get(&path(&group)).await.ok();
    let suffix = format!("platform-deletion_scheduled-{}", group["id"]);
    assert!(marked["marked_for_deletion_on"].is_string());
    assert_eq!(marked["path"], suffix);
    assert_eq!(marked["name"], suffix);
    assert_eq!(marked["full_path"], suffix);
}

#[tokio::test]
async fn s046_registry_images_pin_the_path_of_a_marked_group() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let child = world.subgroup(&group, "team").await;
    let root = world.root();
    let seed = format!("/-/emulator{}/registry_images", path(&child));
    root.put(&seed, json!({ "are_there": true })).await.has(204);
    root.delete(&path(&group)).await.has(202);
    let marked = root.get(&path(&group)).await.ok();
    assert!(marked["marked_for_deletion_on"].is_string());
    assert_eq!(marked["path"], "platform");
}

#[tokio::test]
async fn s047_path_of_a_marked_group_is_free_at_once() {
    let world = World::start().await;
    let group = world.group("platform").await;
    world.root().delete(&path(&group)).await.has(202);
    let again = world.group("platform").await;
    assert_ne!(again["id"], group["id"]);
}

#[tokio::test]
async fn s048_second_delete_is_refused() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let root = world.root();
    root.delete(&path(&group)).await.has(202);
    let again = root.delete(&path(&group)).await;
    again.says(400, "Group has been already marked for deletion");
}

#[tokio::test]
async fn s049_permanent_removal_needs_a_mark() {
    let world = World::start().await;
    let parent = world.group("platform").await;
    let child = world.subgroup(&parent, "team").await;
    let query = "?permanently_remove=true&full_path=platform%2Fteam";
    let refused = world
        .root()
        .delete(&format!("{}{query}", path(&child)))
        .await;
    refused.says(400, "Group must be marked for deletion first.");
}

#[tokio::test]
async fn s050_permanent_removal_is_for_subgroups() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let root = world.root();
    root.delete(&path(&group)).await.has(202);
    let query = "?permanently_remove=true&full_path=platform";
    let refused = root.delete(&format!("{}{query}", path(&group))).await;
    refused.says(
        400,
        "`permanently_remove` option is only available for subgroups.",
    );
}

#[tokio::test]
async fn s051_permanent_removal_needs_the_new_path() {
    let world = World::start().await;
    let parent = world.group("platform").await;
    let child = world.subgroup(&parent, "team").await;
    let root = world.root();
    root.delete(&path(&child)).await.has(202);
    for old in ["platform%2Fteam", "nonsense"] {
        let query = format!("?permanently_remove=true&full_path={old}");
        let refused = root.delete(&format!("{}{query}", path(&child))).await;
        refused.says(
            400,
            "`full_path` is incorrect. You must enter the complete path for the subgroup.",
        );
    }
}

#[tokio::test]
async fn s052_permanent_removal_with_the_new_path_removes() {
    let world = World::start().await;
    let parent = world.group("platform").await;
    let child = world.subgroup(&parent, "team").await;
    let project = world.project_in(&child, "app", json!({})).await;
    let root = world.root();
    root.delete(&path(&child)).await.has(202);
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
        .says(202, "202 Accepted");
    root.get(&path(&child))
        .await
        .says(404, "404 Group Not Found");
    world.emulator.settle().await;
    root.get(&format!("/projects/{}", project["id"]))
        .await
        .has(404);
}

#[tokio::test]
async fn s053_permanent_removal_can_be_forbidden() {
    let world = World::start().await;
    let parent = world.group("platform").await;
    let child = world.subgroup(&parent, "team").await;
    let root = world.root();
    root.put(
        "/application/settings",
        json!({ "allow_immediate_namespaces_deletion": false }),
    )
    .await
    .ok();
    root.delete(&path(&child)).await.has(202);
    let query = "?permanently_remove=true&full_path=platform%2Fteam";
    let refused = root.delete(&format!("{}{query}", path(&child))).await;
    refused.says(
        400,
        "`permanently_remove` option is not permitted on this instance.",
    );
}

#[tokio::test]
async fn s054_delete_below_a_marked_group_changes_nothing() {
    let world = World::start().await;
    let parent = world.group("platform").await;
    let child = world.subgroup(&parent, "team").await;
    let root = world.root();
    root.delete(&path(&parent)).await.has(202);
    let before = root.get(&path(&child)).await.ok();
    root.delete(&path(&child)).await.says(202, "202 Accepted");
    assert_eq!(root.get(&path(&child)).await.ok(), before);
    assert_eq!(before["path"], "team");
    let moved = format!("platform-deletion_scheduled-{}/team", parent["id"]);
    assert_eq!(before["full_path"], moved);
}

#[tokio::test]
async fn s055_restore_takes_the_mark_off() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let root = world.root();
    root.post(&format!("{}/restore", path(&group)), json!({}))
        .await
        .has(400);
    root.delete(&path(&group)).await.has(202);
    let restored = root
        .post(&format!("{}/restore", path(&group)), json!({}))
        .await
        .created();
    assert_eq!(restored["path"], "platform");
    assert_eq!(restored["name"], "platform");
    assert_eq!(restored["marked_for_deletion_on"], Value::Null);
}

#[tokio::test]
async fn s056_archive_answers_200_and_422_when_it_is() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let root = world.root();
    let archive = format!("{}/archive", path(&group));
    let archived = root.post(&archive, json!({})).await.ok();
    assert_eq!(archived["archived"], true);
    root.post(&archive, json!({})).await.has(422);
    let back = root
        .post(&format!("{}/unarchive", path(&group)), json!({}))
        .await
        .ok();
    assert_eq!(back["archived"], false);
}

#[tokio::test]
async fn s057_second_share_conflicts() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let other = world.group("guests").await;
    let root = world.root();
    let share = json!({ "group_id": other["id"], "group_access": 30 });
    let path = format!("{}/share", path(&group));
    let shared = root.post(&path, share.clone()).await.created();
    assert_eq!(shared["shared_with_groups"][0]["group_id"], other["id"]);
    root.post(&path, share).await.has(409);
}

#[tokio::test]
async fn members_of_an_invited_group_get_at_most_the_shared_level() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let project = world.project_in(&group, "app", json!({})).await;
    let guests = world.group("guests").await;
    let user = world.user("ann").await;
    let root = world.root();
    let member = json!({ "user_id": user.id, "access_level": 50 });
    root.post(&format!("{}/members", path(&guests)), member)
        .await
        .created();
    let project = format!("/projects/{}", project["id"]);
    user.get(&project).await.has(404);
    let share = json!({ "group_id": guests["id"], "group_access": 20 });
    root.post(&format!("{}/share", path(&group)), share)
        .await
        .created();
    user.get(&project).await.has(200);
    user.put(&project, json!({ "description": "x" }))
        .await
        .has(403);
    root.delete(&format!("{}/share/{}", path(&group), guests["id"]))
        .await
        .has(204);
    user.get(&project).await.has(404);
}

#[tokio::test]
async fn transferred_group_takes_its_projects_along() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let other = world.group("other").await;
    world.project_in(&group, "app", json!({})).await;
    let root = world.root();
    let transfer = format!("{}/transfer", path(&group));
    root.post(&transfer, json!({})).await.has(400);
    let moved = root
        .post(&transfer, json!({ "group_id": other["id"] }))
        .await
        .created();
    assert_eq!(moved["full_path"], "other/platform");
    root.get("/projects/other%2Fplatform%2Fapp").await.has(200);
    root.get("/projects/platform%2Fapp").await.has(301);
}

#[tokio::test]
async fn marked_groups_go_when_the_retention_period_is_over() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let root = world.root();
    root.delete(&path(&group)).await.has(202);
    let days = |days: u64| std::time::Duration::from_secs(days * 24 * 3600);
    world.emulator.advance_clock(days(28));
    world.emulator.settle().await;
    root.get(&path(&group)).await.has(200);
    world.emulator.advance_clock(days(3));
    for _ in 0..200 {
        if root.get(&path(&group)).await.status == 404 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the group is still there");
}
