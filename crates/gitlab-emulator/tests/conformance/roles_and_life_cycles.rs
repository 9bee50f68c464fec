//! Roles, administrators, archived projects, default branches and limits.

use std::time::Duration;

use gitlab_emulator::Settings;
use serde_json::{Value, json};

use crate::support::{Client, TestInstance, creates, file, git_error, git_ok};

async fn add_member(gitlab: &TestInstance, resource: &str, name: &str, level: u64) -> Client {
    let user = gitlab.user(name).await;
    let member = json!({ "user_id": user.id, "access_level": level });
    let members = format!("{resource}/members");
    gitlab.root().post(&members, member).await.created();
    user
}

/// Creates an access token of a project or group; returns its client and ID.
async fn create_bot(gitlab: &TestInstance, resource: &str, level: u64) -> (Client, Value) {
    let token = json!({ "name": "bot", "scopes": ["api"], "access_level": level });
    let path = format!("{resource}/access_tokens");
    let created = gitlab.root().post(&path, token).await.created();
    let client = gitlab.client(created["token"].as_str().unwrap());
    (client, created["id"].clone())
}

#[tokio::test]
async fn s230_namespace_availability_is_checked_by_path() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("hidden").await;
    gitlab.subgroup(&group, "deep").await;
    let user = gitlab.user("ann").await;
    let taken = |suggestion: &str| json!({ "exists": true, "suggests": [suggestion] });
    let free = json!({ "exists": false, "suggests": [] });
    let below = format!("deep/exists?parent_id={}", group["id"]);
    for (path, body) in [
        ("hidden/exists", taken("hidden1")),
        ("HIDDEN/exists", taken("HIDDEN1")),
        ("ann/exists", taken("ann1")),
        ("deep/exists", free.clone()),
        (below.as_str(), taken("deep1")),
        ("unused/exists", free),
    ] {
        let path = format!("/namespaces/{path}");
        user.get(&path).await.assert_json(200, body);
    }
    gitlab
        .anonymous()
        .get("/namespaces/hidden/exists")
        .await
        .assert_message(401, "401 Unauthorized");
}

#[tokio::test]
async fn s231_namespace_availability_is_rate_limited() {
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    let mut refused = 0;
    // The minute may end in between, once.
    for _ in 0..42 {
        let response = user.get("/namespaces/x/exists").await;
        if response.status == 429 {
            assert!(response.json["message"]["error"].is_string());
            refused += 1;
        }
    }
    assert!(refused >= 2);
}

#[tokio::test]
async fn s232_bots_list_and_revoke_tokens_but_do_not_manage_them() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let path = format!("/projects/{}", project["id"]);
    let group = format!("/groups/{}", project["namespace"]["id"]);
    let (bot, _) = create_bot(&gitlab, &group, 50).await;
    let (_, id) = create_bot(&gitlab, &path, 30).await;
    let tokens = format!("{path}/access_tokens");
    assert_eq!(bot.get(&tokens).await.ok()[0]["id"], id);
    let one = format!("{tokens}/{id}");
    bot.get(&one).await.assert_status(200);
    let new = json!({ "name": "more", "scopes": ["api"] });
    bot.post(&tokens, new).await.assert_message(
        400,
        "400 Bad request - User does not have permission to create project access token",
    );
    bot.post(&format!("{one}/rotate"), json!({}))
        .await
        .assert_message(401, "401 Unauthorized");
    bot.delete(&one).await.assert_status(204);
    let (developer, _) = create_bot(&gitlab, &group, 30).await;
    developer
        .get(&tokens)
        .await
        .assert_message(401, "401 Unauthorized");
}

#[tokio::test]
async fn s233_effective_member_of_a_project_has_the_highest_level() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let path = format!("/projects/{}", project["id"]);
    let group = format!("/groups/{}", project["namespace"]["id"]);
    let user = add_member(&gitlab, &group, "ann", 30).await;
    let all = format!("{path}/members/all/{}", user.id);
    assert_eq!(user.get(&all).await.ok()["access_level"], 30);
    user.get(&format!("{path}/members/{}", user.id))
        .await
        .assert_message(404, "404 Not found");
    let direct = json!({ "user_id": user.id, "access_level": 40 });
    let members = format!("{path}/members");
    gitlab.root().post(&members, direct).await.created();
    assert_eq!(user.get(&all).await.ok()["access_level"], 40);
    user.get(&format!("{path}/members/all/4711"))
        .await
        .assert_message(404, "404 Not found");
}

#[tokio::test]
async fn s234_effective_member_of_a_group_includes_ancestors() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let subgroup = gitlab.subgroup(&group, "team").await;
    let parent = format!("/groups/{}", group["id"]);
    let user = add_member(&gitlab, &parent, "ann", 40).await;
    let members = format!("/groups/{}/members", subgroup["id"]);
    let found = user.get(&format!("{members}/all/{}", user.id)).await.ok();
    assert_eq!(found["access_level"], 40);
    user.get(&format!("{members}/{}", user.id))
        .await
        .assert_message(404, "404 Not found");
}

#[tokio::test]
async fn s235_administrators_own_everything() {
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    let project = json!({ "path": "own", "initialize_with_readme": true });
    let project = user.post("/projects", project).await.created();
    let root = gitlab.root();
    assert_eq!(root.get("/user").await.ok()["is_admin"], true);
    assert!(user.get("/user").await.ok().get("is_admin").is_none());
    let path = format!("/projects/{}", project["id"]);
    root.put(&path, json!({ "visibility": "private" }))
        .await
        .assert_status(200);
    root.delete(&path).await.assert_status(202);
}

#[tokio::test]
async fn s236_admin_mode_requires_a_scope() {
    let gitlab = TestInstance::start().await;
    let owner = gitlab.user("ann").await;
    let project = json!({ "path": "own" });
    let project = owner.post("/projects", project).await.created();
    let path = format!("/projects/{}", project["id"]);
    let without = gitlab.create_token(1, &["api", "sudo"]).await;
    let with = gitlab.root();
    without.get(&path).await.assert_status(200);
    gitlab
        .emulator
        .update_settings(|settings: &mut Settings| settings.admin_mode = true);
    assert_eq!(without.get("/user").await.ok()["is_admin"], true);
    without
        .get(&path)
        .await
        .assert_message(404, "404 Project Not Found");
    without
        .get("/application/settings")
        .await
        .assert_message(403, "403 Forbidden");
    without
        .send("GET", "/user", &[("sudo", "ann")], None)
        .await
        .assert_message(403, "403 Forbidden - Must be admin to use sudo");
    with.get(&path).await.assert_status(200);
    with.get("/application/settings").await.assert_status(200);
}

#[tokio::test]
async fn s237_groups_and_projects_show_when_they_were_created() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let group = format!("/groups/{}", project["namespace"]["id"]);
    for path in [group, format!("/projects/{}", project["id"])] {
        let before = root.get(&path).await.ok()["created_at"].clone();
        let text = before.as_str().unwrap();
        assert!(text.ends_with('Z') && text.len() == "2026-01-02T03:04:05.678Z".len());
        gitlab.emulator.advance_clock(Duration::from_secs(60));
        let change = json!({ "description": "new" });
        assert_eq!(root.put(&path, change).await.ok()["created_at"], before);
    }
}

#[tokio::test]
async fn s238_deleting_a_group_requires_an_owner() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let path = format!("/groups/{}", group["id"]);
    let maintainer = add_member(&gitlab, &path, "ann", 40).await;
    let member = format!("{path}/members/1");
    for destroy in [&path, &member] {
        maintainer
            .delete(destroy)
            .await
            .assert_message(403, "403 Forbidden");
    }
    let owner = add_member(&gitlab, &path, "bob", 50).await;
    owner
        .delete(&format!("{path}/members/{}", maintainer.id))
        .await
        .assert_status(204);
    owner.delete(&path).await.assert_status(202);
}

#[tokio::test]
async fn s239_maintainer_may_delete_what_belongs_to_a_project() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let path = format!("/projects/{}", project["id"]);
    let developer = gitlab.member("ann", &project, 30).await;
    let maintainer = gitlab.member("bob", &project, 40).await;
    let member = gitlab.member("eve", &project, 20).await;
    let key = json!({
        "title": "ci",
        "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt",
    });
    let hook = json!({ "url": "https://hooks.example.com" });
    let token = json!({ "name": "bot", "scopes": ["api"] });
    let deploy_token = json!({ "name": "pull", "scopes": ["read_repository"] });
    let mut paths = vec![
        format!("{path}/members/{}", member.id),
        format!("{path}/protected_branches/main"),
    ];
    for (kind, body) in [
        ("deploy_keys", key),
        ("hooks", hook),
        ("access_tokens", token),
        ("deploy_tokens", deploy_token),
    ] {
        let kind = format!("{path}/{kind}");
        let created = maintainer.post(&kind, body).await.created();
        paths.push(format!("{kind}/{}", created["id"]));
    }
    for path in &paths {
        let refused = developer.delete(path).await;
        assert!([400, 403].contains(&refused.status), "{path}");
        maintainer.delete(path).await.assert_status(204);
    }
}

#[tokio::test]
async fn s240_non_members_find_nothing() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let stranger = gitlab.user("ann").await;
    let path = format!("/projects/{}", project["id"]);
    let missing = "404 Project Not Found";
    for rest in [
        "",
        "/members",
        "/members/all/1",
        "/hooks",
        "/deploy_keys",
        "/access_tokens",
        "/protected_branches",
        "/repository/branches",
        "/repository/files/README.md?ref=main",
    ] {
        let path = format!("{path}{rest}");
        stranger.get(&path).await.assert_message(404, missing);
    }
    stranger
        .put(&path, json!({ "name": "x" }))
        .await
        .assert_message(404, missing);
    for action in ["archive", "restore", "hooks"] {
        let body = json!({ "url": "https://hooks.example.com" });
        stranger
            .post(&format!("{path}/{action}"), body)
            .await
            .assert_message(404, missing);
    }
    stranger.delete(&path).await.assert_message(404, missing);
    let group = format!("/groups/{}", project["namespace"]["id"]);
    for rest in ["", "/members", "/projects", "/access_tokens"] {
        stranger
            .get(&format!("{group}{rest}"))
            .await
            .assert_message(404, "404 Group Not Found");
    }
    stranger
        .delete(&group)
        .await
        .assert_message(404, "404 Group Not Found");
}

#[tokio::test]
async fn s241_archived_project_is_read_only() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let path = format!("/projects/{}", project["id"]);
    root.post(&format!("{path}/archive"), json!({}))
        .await
        .created();
    assert_eq!(root.get(&path).await.ok()["archived"], true);

    let folder = tempfile::tempdir().unwrap();
    let url = gitlab.git_url("root", &root.token, "platform/app");
    git_ok(folder.path(), &["clone", "-q", &url, "."]).await;
    git_ok(folder.path(), &["commit", "-q", "--allow-empty", "-m", "x"]).await;
    let refused = git_error(folder.path(), &["push"]).await;
    assert!(
        refused.contains("You can't push code to an archived project."),
        "{refused}"
    );
    root.try_commit(&project, "main", json!([creates("a", "1")]))
        .await
        .assert_status(403);
    let content = json!({ "branch": "main", "content": "1", "commit_message": "c" });
    root.post(&file(&project, "a"), content)
        .await
        .assert_status(403);
    let branch = json!({ "branch": "more", "ref": "main" });
    root.post(&format!("{path}/repository/branches"), branch)
        .await
        .assert_status(403);
    let tag = json!({ "tag_name": "v1", "ref": "main" });
    root.post(&format!("{path}/repository/tags"), tag)
        .await
        .assert_status(403);

    let hook = json!({ "url": "https://hooks.example.com" });
    root.post(&format!("{path}/hooks"), hook).await.created();
    root.put(&path, json!({ "description": "old" }))
        .await
        .assert_status(200);
    root.post(&format!("{path}/unarchive"), json!({}))
        .await
        .created();
    git_ok(folder.path(), &["push", "-q"]).await;
}

#[tokio::test]
async fn s242_throttled_request_names_its_throttle() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let user = gitlab.member("ann", &project, 30).await;
    gitlab.emulator.update_settings(|settings| {
        settings.throttle_authenticated_api_enabled = true;
        settings.throttle_authenticated_api_requests_per_period = 1;
        settings.throttle_unauthenticated_api_enabled = true;
        settings.throttle_unauthenticated_api_requests_per_period = 1;
        settings.throttle_authenticated_git_http_enabled = true;
        settings.throttle_authenticated_git_http_requests_per_period = 1;
    });
    let git = gitlab.git_url("ann", &user.token, "platform/app");
    let git = format!("{git}/info/refs?service=git-upload-pack");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let anonymous = gitlab.anonymous();
    let name = "ratelimit-name";
    for (client, path, throttle) in [
        (&user, "/user", "throttle_authenticated_api"),
        (&anonymous, "/projects", "throttle_unauthenticated_api"),
    ] {
        let mut response = client.get(path).await;
        while response.status != 429 {
            response = client.get(path).await;
        }
        assert_eq!(response.header(name), throttle);
    }
    let mut response = http.get(&git).send().await.unwrap();
    while response.status() != 429 {
        response = http.get(&git).send().await.unwrap();
    }
    assert_eq!(response.headers()[name], "throttle_authenticated_git_http");
}

#[tokio::test]
async fn s243_default_branch_can_be_changed() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let path = format!("/projects/{}", project["id"]);
    let branches = format!("{path}/repository/branches");
    root.put(&path, json!({ "default_branch": "next" }))
        .await
        .assert_status(400);
    let branch = json!({ "branch": "next", "ref": "main" });
    root.post(&branches, branch).await.created();
    root.commit(&project, "next", json!([creates("only-next", "1")]))
        .await;
    let changed = root.put(&path, json!({ "default_branch": "next" })).await;
    assert_eq!(changed.ok()["default_branch"], "next");
    let next = root.get(&format!("{branches}/next")).await.ok();
    assert_eq!(
        (&next["default"], &next["protected"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        root.get(&format!("{branches}/main")).await.ok()["default"],
        false
    );
    let raw = format!("{}/raw", file(&project, "only-next"));
    root.get(&raw).await.assert_status(200);
    let url = gitlab.git_url("root", &root.token, "platform/app");
    let folder = tempfile::tempdir().unwrap();
    git_ok(folder.path(), &["clone", "-q", &url, "."]).await;
    assert!(folder.path().join("only-next").exists());
}

#[tokio::test]
async fn s244_only_a_former_default_branch_can_be_deleted() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let path = format!("/projects/{}", project["id"]);
    let branches = format!("{path}/repository/branches");
    let text = "The default branch of a project cannot be deleted.";
    root.delete(&format!("{branches}/main"))
        .await
        .assert_message(400, text);
    let url = gitlab.git_url("root", &root.token, "platform/app");
    let folder = tempfile::tempdir().unwrap();
    git_ok(folder.path(), &["clone", "-q", &url, "."]).await;
    let refused = git_error(folder.path(), &["push", "origin", ":main"]).await;
    assert!(refused.contains(text), "{refused}");
    let branch = json!({ "branch": "next", "ref": "main" });
    root.post(&branches, branch).await.created();
    root.put(&path, json!({ "default_branch": "next" }))
        .await
        .ok();
    root.delete(&format!("{branches}/main"))
        .await
        .assert_status(204);
    let protection = format!("{path}/protected_branches/main");
    root.get(&protection).await.assert_status(200);
    assert_eq!(root.get(&path).await.ok()["default_branch"], "next");
}
