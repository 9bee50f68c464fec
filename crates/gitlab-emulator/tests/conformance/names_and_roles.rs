//! Names, visibility and roles.

use std::time::Duration;

use gitlab_emulator::domain::table::Id;
use gitlab_emulator::{AccessLevel, Resource};
use serde_json::{Value, json};

use crate::support::{Client, TestInstance, merge};

const PATH_ERROR: &str = "can only include non-accented letters, digits, '_', '-' and '.'. It must not start with '-', '_', or '.', nor end with '-', '_', '.', '.git', or '.atom'.";

/// Creates a private project in a private group, optionally in a subgroup, with a member of the
/// project only. Returns group, project and member.
async fn member_of_project_only(
    gitlab: &TestInstance,
    subgroup: Option<&str>,
) -> (Value, Value, Client) {
    let group = gitlab.group("hidden").await;
    let parent = match subgroup {
        Some(path) => gitlab.subgroup(&group, path).await,
        None => group.clone(),
    };
    let project = gitlab.project_in(&parent, "app", json!({})).await;
    let member = gitlab.member("ann", &project, 30).await;
    (group, project, member)
}

#[tokio::test]
async fn s191_integers_are_always_ids() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    gitlab.group("12").await;
    let mut last = Value::Null;
    while last["id"] != 12 {
        let path = format!("after-{}", last["id"]);
        last = gitlab.group(&path).await;
    }
    for kind in ["groups", "namespaces"] {
        let found = root.get(&format!("/{kind}/12")).await.ok();
        assert_eq!(found["full_path"], last["full_path"]);
    }
    gitlab.group("2026").await;
    root.get("/groups/2026")
        .await
        .assert_message(404, "404 Group Not Found");
    root.get("/namespaces/2026")
        .await
        .assert_message(404, "404 Namespace Not Found");
    root.get("/groups/-2026")
        .await
        .assert_message(404, "404 Group Not Found");
    let search = "/groups?top_level_only=true&search=2026";
    assert_eq!(root.get(search).await.ok()[0]["full_path"], "2026");
}

#[tokio::test]
async fn s192_member_of_a_project_reads_its_group_only() {
    for subgroup in [None, Some("deep")] {
        let gitlab = TestInstance::start().await;
        let (group, project, member) = member_of_project_only(&gitlab, subgroup).await;
        let path = format!("/groups/{}", group["id"]);
        assert_eq!(member.get(&path).await.ok()["visibility"], "private");
        member
            .get(&format!("{path}/members"))
            .await
            .assert_message(403, "403 Forbidden");
        let namespace = &project["namespace"]["id"];
        for namespace_id in [&group["id"], namespace] {
            let new = json!({ "name": "more", "namespace_id": namespace_id });
            let refused = member.post("/projects", new).await.assert_status(400);
            assert_eq!(refused.json["message"]["namespace"][0], "is not valid");
        }
    }
}

#[tokio::test]
async fn s193_former_member_of_a_project_cannot_see_its_group() {
    let gitlab = TestInstance::start().await;
    let (group, project, member) = member_of_project_only(&gitlab, None).await;
    let path = format!("/groups/{}", group["id"]);
    member.get(&path).await.assert_status(200);
    let membership = format!("/projects/{}/members/{}", project["id"], member.id);
    gitlab.root().delete(&membership).await.assert_status(204);
    member
        .get(&path)
        .await
        .assert_message(404, "404 Group Not Found");
}

#[tokio::test]
async fn s194_search_includes_public_projects_of_non_members() {
    let gitlab = TestInstance::start().await;
    let group = json!({ "name": "open", "path": "open", "visibility": "public" });
    let group = gitlab.root().post("/groups", group).await.created();
    let public = json!({ "visibility": "public" });
    gitlab.project_in(&group, "findme", public).await;
    let user = gitlab.user("ann").await;
    let all = user.get("/projects?search=findme").await.ok();
    assert_eq!(all[0]["path_with_namespace"], "open/findme");
    let own = user.get("/projects?search=findme&membership=true").await;
    assert_eq!(own.ok(), json!([]));
}

#[tokio::test]
async fn s195_new_project_paths_have_single_separators() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    for path in ["a__b", "_a", "a-", "a.-b"] {
        let new = json!({ "path": path, "namespace_id": project["namespace"]["id"] });
        let refused = root.post("/projects", new).await.assert_status(400);
        assert_eq!(refused.json["message"]["path"], json!([PATH_ERROR]));
    }
    let id = project["id"].as_u64().unwrap();
    gitlab.emulator.seed(|state, _| {
        state.projects.get_mut(Id::new(id)).unwrap().path = "_old__path".to_owned();
        state.rebuild_routes();
    });
    let found = root.get("/projects/platform%2F_old__path").await.ok();
    assert_eq!(found["id"], project["id"]);
    let path = format!("/projects/{id}");
    let changed = root.put(&path, json!({ "description": "new" })).await.ok();
    assert_eq!(changed["path"], "_old__path");
    let refused = root.put(&path, json!({ "path": "_new" })).await;
    assert_eq!(
        refused.assert_status(400).json["message"]["path"],
        json!([PATH_ERROR])
    );
}

#[tokio::test]
async fn s196_only_project_paths_may_have_one_character() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let root = gitlab.root();
    let project = json!({ "path": "a", "namespace_id": group["id"] });
    root.post("/projects", project).await.created();
    let group = json!({ "name": "b", "path": "b" });
    root.post("/groups", group).await.assert_status(400);
}

#[tokio::test]
async fn s197_deleting_and_archiving_a_project_requires_an_owner() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let maintainer = gitlab.member("ann", &project, 40).await;
    let path = format!("/projects/{}", project["id"]);
    let (archive, unarchive) = (format!("{path}/archive"), format!("{path}/unarchive"));
    maintainer
        .delete(&path)
        .await
        .assert_message(403, "403 Forbidden");
    for action in [&archive, &unarchive] {
        maintainer
            .post(action, json!({}))
            .await
            .assert_message(403, "403 Forbidden");
    }
    let owner = gitlab.user("bob").await;
    let members = format!("/groups/{}/members", project["namespace"]["id"]);
    let member = json!({ "user_id": owner.id, "access_level": 50 });
    gitlab.root().post(&members, member).await.created();
    for (action, is_archived) in [(&archive, true), (&unarchive, false)] {
        let changed = owner.post(action, json!({})).await.created();
        assert_eq!(changed["archived"], is_archived);
    }
    owner.delete(&path).await.assert_status(202);
}

#[tokio::test]
async fn s198_sending_the_visibility_requires_an_owner() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let maintainer = gitlab.member("ann", &project, 40).await;
    let path = format!("/projects/{}", project["id"]);
    let unchanged = json!({ "visibility": "private", "description": "new" });
    maintainer
        .put(&path, unchanged)
        .await
        .assert_message(403, "403 Forbidden");
    let changed = maintainer.put(&path, json!({ "description": "new" })).await;
    assert_eq!(changed.ok()["description"], "new");
}

#[tokio::test]
async fn s199_maintainer_may_rename_a_project() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let maintainer = gitlab.member("ann", &project, 40).await;
    let path = format!("/projects/{}", project["id"]);
    let renamed = maintainer.put(&path, json!({ "name": "New" })).await.ok();
    assert_eq!(renamed["name"], "New");
}

#[tokio::test]
async fn s252_display_names_have_different_rules_for_groups_and_projects() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let group = gitlab.group("platform").await;
    let project_error = "can contain only letters, digits, emoji, '_', '.', '+', dashes, or spaces. It must start with a letter, digit, emoji, or '_'.";
    let group_error = "can contain only letters, digits, emoji, '_', '.', dash, space, parenthesis. It must start with letter, digit, emoji or '_'.";
    for name in ["Bob & Co", "-dash", "Shop (EU)"] {
        let project = json!({ "name": name, "path": "app", "namespace_id": group["id"] });
        root.post("/projects", project)
            .await
            .assert_json(400, json!({ "message": { "name": [project_error] } }));
    }
    for name in ["Bob & Co", "-dash", "C++"] {
        let group = json!({ "name": name, "path": "more" });
        let text = format!("Failed to save group {{:name=>[\"{group_error}\"]}}");
        root.post("/groups", group).await.assert_message(400, &text);
    }
    for (number, name) in ["C++", "\u{c9}t\u{e9} \u{2013} \u{1f680}", "2024"]
        .into_iter()
        .enumerate()
    {
        let path = format!("app-{number}");
        let project = json!({ "name": name, "path": path, "namespace_id": group["id"] });
        assert_eq!(
            root.post("/projects", project).await.created()["name"],
            name
        );
    }
    let named = json!({ "name": "Shop (EU)", "path": "shop" });
    root.post("/groups", named).await.created();
    let refused = root
        .put("/groups/shop", json!({ "name": "Bob & Co" }))
        .await;
    refused.assert_json(400, json!({ "message": { "name": [group_error] } }));

    // Objects from before these rules keep their names.
    let project = gitlab.project_in(&group, "old", json!({})).await;
    let (group, id) = (
        group["id"].as_u64().unwrap(),
        project["id"].as_u64().unwrap(),
    );
    gitlab.emulator.seed(|state, _| {
        state.namespaces.get_mut(Id::new(group)).unwrap().name = "Bob & Co".to_owned();
        state.projects.get_mut(Id::new(id)).unwrap().name = "Shop (EU)".to_owned();
    });
    for path in [format!("/groups/{group}"), format!("/projects/{id}")] {
        let change = json!({ "description": "new" });
        root.put(&path, change).await.assert_status(200);
    }
}

#[tokio::test]
async fn s253_illegal_paths_break_two_rules() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let group = gitlab.group("platform").await;
    let format = "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or end in '.atom'";
    let group_format = "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or end in '.', '.git' or '.atom'.";
    for (path, errors) in [
        ("_svc", vec![PATH_ERROR]),
        ("a--b", vec![PATH_ERROR]),
        ("svc_", vec![PATH_ERROR]),
        ("svc.git", vec![format]),
        ("-svc", vec![format, PATH_ERROR]),
        ("a b", vec![format, PATH_ERROR]),
    ] {
        let reversed: Vec<&str> = errors.iter().rev().copied().collect();
        let message = json!({ "path": errors, "project_namespace.path": reversed });
        let project = json!({ "name": "app", "path": path, "namespace_id": group["id"] });
        root.post("/projects", project)
            .await
            .assert_json(400, json!({ "message": message }));
    }
    let too_short = "is too short (minimum is 2 characters)";
    for (path, errors) in [
        ("_svc", vec![PATH_ERROR]),
        ("a--b", vec![PATH_ERROR]),
        ("svc_", vec![PATH_ERROR]),
        ("svc.", vec![PATH_ERROR, group_format]),
        ("b", vec![too_short]),
    ] {
        let text = format!("Failed to save group {{:path=>{errors:?}}}");
        let new = json!({ "name": "more", "path": path, "parent_id": group["id"] });
        root.post("/groups", new).await.assert_message(400, &text);
        root.put("/groups/platform", json!({ "path": path }))
            .await
            .assert_json(400, json!({ "message": { "path": errors } }));
    }
}

#[tokio::test]
async fn s254_descriptions_have_a_maximum_length() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let project = gitlab.project().await;
    let path = format!("/projects/{}", project["id"]);
    let too_long = |most: usize| format!("is too long (maximum is {most} characters)");
    let longest = "\u{e9}".repeat(2000);
    let changed = root
        .put(&path, json!({ "description": longest }))
        .await
        .ok();
    assert_eq!(changed["description"], longest);
    let longer = json!({ "description": format!("{longest}x") });
    root.put(&path, longer.clone()).await.assert_json(
        400,
        json!({ "message": { "description": [too_long(2000)] } }),
    );
    let mut new = json!({ "path": "more", "namespace_id": project["namespace"]["id"] });
    merge(&mut new, longer);
    root.post("/projects", new).await.assert_json(
        400,
        json!({ "message": { "description": [too_long(2000)] } }),
    );

    let group = format!("/groups/{}", project["namespace"]["id"]);
    let longest = json!({ "description": "x".repeat(500) });
    root.put(&group, longest).await.assert_status(200);
    let longer = json!({ "description": "x".repeat(501) });
    root.put(&group, longer).await.assert_json(
        400,
        json!({ "message": { "description": [too_long(500)] } }),
    );
    let new = json!({ "name": "more", "path": "more", "description": "x".repeat(501) });
    let text = format!(
        "Failed to save group {{:description=>[\"{}\"]}}",
        too_long(500)
    );
    root.post("/groups", new).await.assert_message(400, &text);
}

#[tokio::test]
async fn s255_moving_and_restoring_requires_an_owner() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let group = format!("/groups/{}", project["namespace"]["id"]);
    let path = format!("/projects/{}", project["id"]);
    let maintainer = gitlab.user("ann").await;
    let member = json!({ "user_id": maintainer.id, "access_level": 40 });
    let members = format!("{group}/members");
    gitlab.root().post(&members, member).await.created();
    let own = json!({ "name": "own", "path": "own" });
    let own = maintainer.post("/groups", own).await.created();
    let transfer = json!({ "namespace": own["id"] });
    maintainer
        .put(&format!("{path}/transfer"), transfer)
        .await
        .assert_message(403, "403 Forbidden");
    for action in [
        format!("{path}/restore"),
        format!("{group}/restore"),
        format!("{group}/archive"),
        format!("{group}/unarchive"),
        format!("{group}/transfer"),
    ] {
        maintainer
            .post(&action, json!({}))
            .await
            .assert_message(403, "403 Forbidden");
    }
    maintainer
        .put(&group, json!({ "description": "new" }))
        .await
        .assert_message(403, "403 Forbidden");
}

#[tokio::test]
async fn s257_project_cannot_be_moved_to_a_hidden_namespace() {
    let gitlab = TestInstance::start().await;
    let owner = gitlab.user("ann").await;
    let project = owner.post("/projects", json!({ "path": "app" })).await;
    let transfer = format!("/projects/{}/transfer", project.created()["id"]);
    let hidden = gitlab.group("hidden").await;
    for namespace in [&hidden["id"], &json!("hidden"), &json!(4711)] {
        owner
            .put(&transfer, json!({ "namespace": namespace }))
            .await
            .assert_message(404, "404 Namespace Not Found");
    }
    let group = Resource::group(hidden["id"].as_u64().unwrap());
    let add = |level| gitlab.emulator.seed_member(group, "ann", level).unwrap();
    add(AccessLevel::Guest);
    let target = json!({ "namespace": hidden["id"] });
    owner
        .put(&transfer, target.clone())
        .await
        .assert_message(403, "403 Forbidden");
    add(AccessLevel::Developer);
    owner.put(&transfer, target).await.assert_status(200);
}

#[tokio::test]
async fn s258_nothing_is_left_after_the_retention_period() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let project = gitlab.project().await;
    let group = format!("/groups/{}", project["namespace"]["id"]);
    let inside = format!("/projects/{}", project["id"]);
    let other = gitlab.group("other").await;
    let other = gitlab.project_in(&other, "app", json!({})).await;
    let other = format!("/projects/{}", other["id"]);
    for path in [&group, &other] {
        root.delete(path).await.assert_status(202);
    }
    root.get(&inside).await.assert_status(200);
    gitlab
        .emulator
        .advance_clock(Duration::from_secs(31 * 24 * 60 * 60));
    gitlab.emulator.wait_until_idle().await;
    root.get(&group)
        .await
        .assert_message(404, "404 Group Not Found");
    for path in [&inside, &other] {
        root.get(path)
            .await
            .assert_message(404, "404 Project Not Found");
    }
    gitlab.group("platform").await;
}
