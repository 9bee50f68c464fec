//! Projects.

use gitlab_emulator::{Failure, Fault};
use serde_json::{Value, json};

use crate::support::{TestInstance, git_error, git_ok};

fn path(project: &Value) -> String {
    format!("/projects/{}", project["id"])
}

#[tokio::test]
async fn s058_name_or_path_is_required() {
    let gitlab = TestInstance::start().await;
    gitlab
        .root()
        .post("/projects", json!({}))
        .await
        .assert_error(
            400,
            "name, path are missing, at least one parameter must be provided",
        );
}

#[tokio::test]
async fn s059_name_and_path_are_derived_from_each_other() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let named = root
        .post("/projects", json!({ "name": "App.One" }))
        .await
        .created();
    assert_eq!(named["path"], "App.One");
    let located = root
        .post("/projects", json!({ "path": "app_two" }))
        .await
        .created();
    assert_eq!(located["name"], "app_two");
    let derived = root
        .post("/projects", json!({ "name": "My App 2" }))
        .await
        .created();
    assert_eq!(derived["path"], "my-app-2");
}

#[tokio::test]
async fn s060_taken_path_is_reported_as_an_object() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    root.post("/projects", json!({ "name": "app" }))
        .await
        .created();
    let refused = root
        .post("/projects", json!({ "name": "app" }))
        .await
        .assert_status(400);
    let message = refused.json["message"].as_object().unwrap();
    assert_eq!(message["path"], json!(["has already been taken"]));
    assert_eq!(
        message["project_namespace.name"],
        json!(["has already been taken"])
    );
}

#[tokio::test]
async fn s061_path_of_a_project_being_deleted_is_refused() {
    let gitlab = TestInstance::start().await;
    gitlab
        .emulator
        .update_switches(|switches| switches.job_delay = 60_000);
    let root = gitlab.root();
    let project = root
        .post("/projects", json!({ "name": "app" }))
        .await
        .created();
    root.delete(&path(&project)).await.assert_status(202);
    let marked = root.get(&path(&project)).await.ok();
    let full = marked["path_with_namespace"]
        .as_str()
        .unwrap()
        .replace('/', "%2F");
    let query = format!("?permanently_remove=true&full_path={full}");
    root.delete(&format!("{}{query}", path(&project)))
        .await
        .assert_status(202);
    let again = json!({ "name": marked["name"], "path": marked["path"] });
    let refused = root.post("/projects", again).await.assert_status(400);
    assert_eq!(
        refused.json["message"]["base"],
        json!(["The project is still being deleted. Please try again later."])
    );
}

#[tokio::test]
async fn s062_namespace_that_is_not_permitted_is_not_valid() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let user = gitlab.user("ann").await;
    let member = json!({ "user_id": user.id, "access_level": 20 });
    let members = format!("/groups/{}/members", group["id"]);
    gitlab.root().post(&members, member).await.created();
    let project = json!({ "name": "app", "namespace_id": group["id"] });
    let refused = user.post("/projects", project).await.assert_status(400);
    assert_eq!(
        refused.json["message"]["namespace"],
        json!(["is not valid"])
    );
    let nowhere = json!({ "name": "app", "namespace_id": 4711 });
    user.post("/projects", nowhere.clone())
        .await
        .assert_status(400);
    gitlab
        .emulator
        .update_switches(|switches| switches.texts.unknown_namespace = "is gone".to_owned());
    let refused = user.post("/projects", nowhere).await.assert_status(400);
    assert_eq!(refused.json["message"]["namespace"], json!(["is gone"]));
}

#[tokio::test]
async fn s063_visibility_above_the_groups_is_lowered() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let project = gitlab
        .project_in(&group, "app", json!({ "visibility": "public" }))
        .await;
    assert_eq!(project["visibility"], "private");
}

#[tokio::test]
async fn s064_project_limit_is_reported_in_a_list() {
    let gitlab = TestInstance::start().await;
    let user = json!({ "username": "ann", "name": "ann", "email": "ann@example.com",
        "force_random_password": true, "projects_limit": 1 });
    let user = gitlab.root().post("/users", user).await.created();
    let user = gitlab
        .create_token(user["id"].as_u64().unwrap(), &["api"])
        .await;
    user.post("/projects", json!({ "name": "one" }))
        .await
        .created();
    user.post("/projects", json!({ "name": "two" })).await.assert_json(
        403,
        json!({ "error": ["Your project limit is 1 projects! Please contact your administrator to increase it"] }),
    );
    let group = user
        .post("/groups", json!({ "name": "mine", "path": "mine" }))
        .await
        .created();
    let project = json!({ "name": "two", "namespace_id": group["id"] });
    user.post("/projects", project).await.created();
}

#[tokio::test]
async fn s065_readme_exists_when_the_project_is_returned() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let project = json!({ "name": "app", "initialize_with_readme": true });
    let project = root.post("/projects", project).await.created();
    let commits = root
        .get(&format!("{}/repository/commits", path(&project)))
        .await
        .ok();
    assert_eq!(commits.as_array().unwrap().len(), 1);
    assert_eq!(commits[0]["title"], "Initial commit");
    let tree = root
        .get(&format!("{}/repository/tree", path(&project)))
        .await
        .ok();
    assert_eq!(tree[0]["name"], "README.md");
    assert_eq!(tree.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn s066_project_without_readme_is_empty() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let project = root
        .post("/projects", json!({ "name": "app" }))
        .await
        .created();
    assert_eq!(project["empty_repo"], true);
    let tree = root
        .get(&format!("{}/repository/tree", path(&project)))
        .await;
    tree.assert_message(404, "404 Tree Not Found");
}

#[tokio::test]
async fn s067_default_branch_of_an_empty_project_is_shown() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let project = root
        .post("/projects", json!({ "name": "app" }))
        .await
        .created();
    assert_eq!(project["default_branch"], "main");
    let other = json!({ "name": "other", "default_branch": "trunk" });
    assert_eq!(
        root.post("/projects", other).await.created()["default_branch"],
        "trunk"
    );
}

#[tokio::test]
async fn s068_full_reference_as_default_branch_leaves_the_project_empty() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let project = json!({
        "name": "app", "default_branch": "refs/heads/trunk", "initialize_with_readme": true,
    });
    let project = root.post("/projects", project).await.created();
    assert_eq!(project["empty_repo"], true);
    assert_eq!(project["default_branch"], "main");
}

#[tokio::test]
async fn s069_permissions_are_shown_on_read_but_not_on_create() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let group = gitlab.group("platform").await;
    let project = json!({ "name": "app", "namespace_id": group["id"] });
    let created = root.post("/projects", project).await.created();
    assert!(created.get("permissions").is_none());
    let read = root.get(&path(&created)).await.ok();
    assert_eq!(read["permissions"]["project_access"], Value::Null);
    assert_eq!(read["permissions"]["group_access"]["access_level"], 50);
}

#[tokio::test]
async fn s070_other_members_may_see_a_new_project_later() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let user = gitlab.user("ann").await;
    let member = json!({ "user_id": user.id, "access_level": 40 });
    let members = format!("/groups/{}/members", group["id"]);
    gitlab.root().post(&members, member).await.created();
    gitlab
        .emulator
        .update_switches(|switches| switches.authorization_delay = 5_000);
    // The delay also applies to new memberships.
    gitlab
        .emulator
        .advance_clock(std::time::Duration::from_secs(6));
    let project = gitlab.project_in(&group, "app", json!({})).await;
    gitlab.root().get(&path(&project)).await.assert_status(200);
    user.get(&path(&project))
        .await
        .assert_message(404, "404 Project Not Found");
    gitlab
        .emulator
        .advance_clock(std::time::Duration::from_secs(6));
    user.get(&path(&project)).await.assert_status(200);
}

#[tokio::test]
async fn s071_update_needs_a_parameter() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let project = root
        .post("/projects", json!({ "name": "app" }))
        .await
        .created();
    let refused = root
        .put(&path(&project), json!({}))
        .await
        .assert_status(400);
    let error = refused.json["error"].as_str().unwrap();
    assert!(error.ends_with("are missing, at least one parameter must be provided"));
    assert!(error.starts_with("allow_"));
}

#[tokio::test]
async fn s072_old_path_of_a_renamed_project_redirects() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.put(&path(&project), json!({ "path": "renamed" }))
        .await
        .ok();
    let moved = root
        .get("/projects/platform%2Fapp")
        .await
        .assert_status(301);
    let location = format!("{}/api/v4{}", gitlab.emulator.url, path(&project));
    assert_eq!(moved.header("location"), location);
    assert_eq!(
        moved.text,
        format!("This resource has been moved permanently to {location}")
    );
    let refused = "Non GET methods are not allowed for moved projects";
    let change = json!({ "description": "x" });
    root.put("/projects/platform%2Fapp", change.clone())
        .await
        .assert_message(405, refused);
    root.post("/projects/platform%2Fapp/hooks", change)
        .await
        .assert_message(405, refused);
    root.delete("/projects/platform%2Fapp")
        .await
        .assert_message(405, refused);
    let below = root
        .get("/projects/platform%2Fapp/repository/tree?ref=main")
        .await
        .assert_status(301);
    assert_eq!(
        below.header("location"),
        format!("{location}/repository/tree?ref=main")
    );
}

#[tokio::test]
async fn s073_deleted_project_is_marked_and_renamed() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.delete(&path(&project))
        .await
        .assert_message(202, "202 Accepted");
    let marked = root.get(&path(&project)).await.ok();
    let renamed = format!("app-deletion_scheduled-{}", project["id"]);
    assert!(marked["marked_for_deletion_on"].is_string());
    assert_eq!(marked["archived"], true);
    assert_eq!(
        (&marked["name"], &marked["path"]),
        (&json!(renamed), &json!(renamed))
    );
    root.get("/projects/platform%2Fapp")
        .await
        .assert_status(301);
}

#[tokio::test]
async fn s074_second_delete_is_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.delete(&path(&project)).await.assert_status(202);
    let again = root.delete(&path(&project)).await;
    again.assert_message(400, "Project has been already marked for deletion");
}

#[tokio::test]
async fn s075_permanent_removal_has_its_conditions() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let remove = |full: &str| {
        let full = full.replace('/', "%2F");
        format!(
            "{}?permanently_remove=true&full_path={full}",
            path(&project)
        )
    };
    root.delete(&remove("platform/app"))
        .await
        .assert_message(400, "Project must be marked for deletion first.");
    root.delete(&path(&project)).await.assert_status(202);
    root.delete(&remove("platform/app")).await.assert_message(
        400,
        "`full_path` is incorrect. You must enter the complete path for the project.",
    );
    let new = root.get(&path(&project)).await.ok();
    let new = new["path_with_namespace"].as_str().unwrap();
    gitlab
        .emulator
        .update_settings(|settings| settings.allow_immediate_namespaces_deletion = false);
    root.delete(&remove(new)).await.assert_message(
        400,
        "`permanently_remove` option is not permitted on this instance.",
    );
    gitlab
        .emulator
        .update_settings(|settings| settings.allow_immediate_namespaces_deletion = true);
    root.delete(&remove(new))
        .await
        .assert_message(202, "202 Accepted");
    root.get(&path(&project)).await.assert_status(404);
}

#[tokio::test]
async fn s076_permanent_removal_is_allowed_in_personal_namespaces() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let project = root
        .post("/projects", json!({ "name": "app" }))
        .await
        .created();
    root.delete(&path(&project)).await.assert_status(202);
    let full = format!("root%2Fapp-deletion_scheduled-{}", project["id"]);
    let query = format!("?permanently_remove=true&full_path={full}");
    root.delete(&format!("{}{query}", path(&project)))
        .await
        .assert_status(202);
    root.get(&path(&project)).await.assert_status(404);
}

#[tokio::test]
async fn s077_path_is_free_after_the_removal_job() {
    let gitlab = TestInstance::start().await;
    gitlab
        .emulator
        .update_switches(|switches| switches.job_delay = 60_000);
    let root = gitlab.root();
    let project = root
        .post("/projects", json!({ "name": "app" }))
        .await
        .created();
    root.delete(&path(&project)).await.assert_status(202);
    let name = format!("app-deletion_scheduled-{}", project["id"]);
    let query = format!("?permanently_remove=true&full_path=root%2F{name}");
    root.delete(&format!("{}{query}", path(&project)))
        .await
        .assert_status(202);
    root.get(&path(&project))
        .await
        .assert_message(404, "404 Project Not Found");
    let again = json!({ "name": name, "path": name });
    root.post("/projects", again.clone())
        .await
        .assert_status(400);
    gitlab
        .emulator
        .advance_clock(std::time::Duration::from_secs(61));
    gitlab.emulator.wait_until_idle().await;
    root.post("/projects", again).await.created();
}

#[tokio::test]
async fn s078_restore_removes_mark_and_archived_state() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.post(&format!("{}/restore", path(&project)), json!({}))
        .await
        .assert_status(400);
    root.delete(&path(&project)).await.assert_status(202);
    let restored = root
        .post(&format!("{}/restore", path(&project)), json!({}))
        .await
        .created();
    assert_eq!(restored["archived"], false);
    assert_eq!(restored["marked_for_deletion_on"], Value::Null);
    assert_eq!(restored["path_with_namespace"], "platform/app");
}

#[tokio::test]
async fn s079_push_to_a_marked_project_is_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let folder = tempfile::tempdir().unwrap();
    let url = gitlab.git_url("oauth2", &gitlab.emulator.root_token, "platform/app");
    git_ok(folder.path(), &["clone", "-q", &url, "."]).await;
    git_ok(
        folder.path(),
        &["commit", "-q", "--allow-empty", "-m", "more"],
    )
    .await;
    gitlab
        .root()
        .delete(&path(&project))
        .await
        .assert_status(202);
    let said = git_error(folder.path(), &["push", "-q"]).await;
    assert!(
        said.contains("You can't push code to an archived project."),
        "{said}"
    );
}

#[tokio::test]
async fn s080_transient_failures_of_delete_can_be_injected() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    for (status, text) in [
        (400, "Project could not be updated!"),
        (409, "409 Conflict"),
        (500, "500 Internal Server Error"),
    ] {
        let failure = Failure::Respond {
            status,
            body: Some(json!({ "message": text })),
        };
        let fault = Fault {
            method: Some("DELETE".to_owned()),
            path: Some(format!("{}$", path(&project))),
            skip: 0,
            times: Some(1),
            after_effect: false,
            failure,
        };
        let fault = serde_json::to_value(fault).unwrap();
        root.post("/-/emulator/faults", fault)
            .await
            .assert_status(201);
        root.delete(&path(&project))
            .await
            .assert_message(status, text);
    }
    root.delete(&path(&project)).await.assert_status(202);
}

#[tokio::test]
async fn s081_conditional_delete_fails_when_the_project_is_newer() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let since = |date| {
        let root = root.clone();
        let path = path(&project);
        async move {
            root.send("DELETE", &path, &[("if-unmodified-since", date)], None)
                .await
        }
    };
    let old = since("Wed, 01 Jan 2020 00:00:00 GMT").await;
    old.assert_message(412, "412 Precondition Failed");
    since("Fri, 01 Jan 2100 00:00:00 GMT")
        .await
        .assert_status(202);
}

#[tokio::test]
async fn s082_ordinary_projects_were_not_imported() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    assert_eq!(project["import_status"], "none");
    let import = gitlab
        .root()
        .get(&format!("{}/import", path(&project)))
        .await
        .ok();
    assert_eq!(import["import_status"], "none");
}

#[tokio::test]
async fn projects_are_searched_and_paged() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    for name in ["alpha", "beta", "gamma"] {
        gitlab.project_in(&group, name, json!({})).await;
    }
    let root = gitlab.root();
    let found = root.get("/projects?search=et").await.ok();
    assert_eq!(found[0]["path"], "beta");
    assert_eq!(found.as_array().unwrap().len(), 1);

    let mut names = Vec::new();
    let mut next = Some(format!(
        "{}/api/v4/groups/platform/projects?pagination=keyset&order_by=id&sort=asc&per_page=1",
        gitlab.emulator.url
    ));
    while let Some(url) = next.take() {
        let page = root
            .get(url.strip_prefix(&gitlab.emulator.url).unwrap())
            .await
            .assert_status(200);
        names.push(page.json[0]["path"].as_str().unwrap().to_owned());
        let link = page.header("link");
        next = link
            .strip_prefix('<')
            .and_then(|rest| rest.split_once(">; rel=\"next\""))
            .map(|(url, _)| url.to_owned());
    }
    assert_eq!(names, ["alpha", "beta", "gamma"]);
}

#[tokio::test]
async fn reserved_and_invalid_project_paths_are_refused() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let reserved = root
        .post("/projects", json!({ "name": "x", "path": "tree" }))
        .await
        .assert_status(400);
    assert_eq!(
        reserved.json["message"]["path"],
        json!(["tree is a reserved name"])
    );
    let illegal = root
        .post("/projects", json!({ "name": "x", "path": "a b" }))
        .await
        .assert_status(400);
    assert_eq!(
        illegal.json["message"]["path"],
        json!([
            "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or end in '.atom'",
            "can only include non-accented letters, digits, '_', '-' and '.'. It must not start with '-', '_', or '.', nor end with '-', '_', '.', '.git', or '.atom'."
        ])
    );
    let name = root
        .post("/projects", json!({ "name": "a/b", "path": "ab" }))
        .await
        .assert_status(400);
    assert!(name.json["message"]["name"].is_array());
}

#[tokio::test]
async fn archived_and_transferred_projects_are_shown_as_such() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let other = gitlab.group("other").await;
    let root = gitlab.root();
    let archived = root
        .post(&format!("{}/archive", path(&project)), json!({}))
        .await
        .created();
    assert_eq!(archived["archived"], true);
    root.try_commit(&project, "main", json!([crate::support::creates("a", "1")]))
        .await
        .assert_status(403);
    root.post(&format!("{}/unarchive", path(&project)), json!({}))
        .await
        .created();
    let transfer = format!("{}/transfer", path(&project));
    let moved = root
        .put(&transfer, json!({ "namespace": other["id"] }))
        .await
        .ok();
    assert_eq!(moved["path_with_namespace"], "other/app");
    root.put(&transfer, json!({ "namespace": "other" }))
        .await
        .assert_status(400);
}
