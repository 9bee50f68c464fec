//! Hooks, members and deploy tokens.

use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::support::{TestInstance, creates, git_ok};

fn hooks(project: &Value) -> String {
    format!("/projects/{}/hooks", project["id"])
}

fn hook() -> Value {
    json!({ "url": "https://hooks.example.com/push" })
}

#[tokio::test]
async fn s112_url_is_required() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    gitlab
        .root()
        .post(&hooks(&project), json!({}))
        .await
        .assert_error(400, "url is missing");
}

#[tokio::test]
async fn s113_bad_url_cannot_be_processed() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let bad = json!({ "url": "ftp://example.com" });
    root.post(&hooks(&project), bad)
        .await
        .assert_error(422, "Invalid url given");
    let local = json!({ "url": "http://127.0.0.1:8080/hook" });
    root.post(&hooks(&project), local.clone())
        .await
        .assert_error(422, "Invalid url given");
    let allow = json!({ "allow_local_requests_from_web_hooks_and_services": true });
    root.put("/application/settings", allow).await.ok();
    root.post(&hooks(&project), local).await.created();
}

#[tokio::test]
async fn s114_token_is_never_shown() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let mut wanted = hook();
    wanted["token"] = json!("very-secret");
    let created = root
        .post(&hooks(&project), wanted.clone())
        .await
        .assert_status(201);
    let path = format!("{}/{}", hooks(&project), created.json["id"]);
    let responses = [
        created,
        root.get(&path).await.assert_status(200),
        root.get(&hooks(&project)).await.assert_status(200),
        root.put(&path, wanted).await.assert_status(200),
    ];
    for response in responses {
        assert!(!response.text.contains("very-secret"));
        assert!(response.json.get("token").is_none());
    }
}

#[tokio::test]
async fn s115_single_hook_has_names_of_variables_and_headers() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let wanted = json!({
        "url": "https://{host}/push",
        "url_variables": [{ "key": "host", "value": "hooks.example.com" }],
        "custom_headers": [{ "key": "X-Key", "value": "hidden" }],
    });
    let created = root.post(&hooks(&project), wanted).await.created();
    let one = root
        .get(&format!("{}/{}", hooks(&project), created["id"]))
        .await
        .ok();
    assert_eq!(one["url_variables"], json!([{ "key": "host" }]));
    assert_eq!(one["custom_headers"], json!([{ "key": "X-Key" }]));
    let list = root.get(&hooks(&project)).await.ok();
    assert!(list[0].get("url_variables").is_none() && list[0].get("custom_headers").is_none());
}

#[tokio::test]
async fn s116_developers_have_no_access_to_hooks() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let created = gitlab.root().post(&hooks(&project), hook()).await.created();
    let developer = gitlab.member("ann", &project, 30).await;
    let path = format!("{}/{}", hooks(&project), created["id"]);
    developer
        .get(&hooks(&project))
        .await
        .assert_message(403, "403 Forbidden");
    developer
        .get(&path)
        .await
        .assert_message(403, "403 Forbidden");
    developer
        .post(&hooks(&project), hook())
        .await
        .assert_message(403, "403 Forbidden");
    developer
        .put(&path, hook())
        .await
        .assert_message(403, "403 Forbidden");
    developer
        .delete(&path)
        .await
        .assert_message(403, "403 Forbidden");
}

#[tokio::test]
async fn s117_second_delete_is_not_found() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let created = root.post(&hooks(&project), hook()).await.created();
    let path = format!("{}/{}", hooks(&project), created["id"]);
    root.delete(&path).await.assert_status(204);
    root.delete(&path)
        .await
        .assert_message(404, "404 Not found");
}

#[tokio::test]
async fn s118_second_hook_with_the_same_url_is_allowed_by_default() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.post(&hooks(&project), hook()).await.created();
    root.post(&hooks(&project), hook()).await.created();
    gitlab
        .emulator
        .update_switches(|switches| switches.unique_hook_urls = true);
    root.post(&hooks(&project), hook()).await.assert_status(422);
}

#[tokio::test]
async fn s119_added_member_has_the_users_id() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let user = gitlab.user("ann").await;
    let members = format!("/projects/{}/members", project["id"]);
    let member = json!({ "user_id": user.id, "access_level": 30, "expires_at": "2099-01-01" });
    let added = gitlab.root().post(&members, member).await.created();
    assert_eq!(added["id"], user.id);
    assert_eq!(added["access_level"], 30);
    assert_eq!(added["expires_at"], "2099-01-01");
    assert_eq!(added["created_by"]["username"], "root");
    let changed = json!({ "access_level": 40 });
    let changed = gitlab
        .root()
        .put(&format!("{members}/{}", user.id), changed)
        .await
        .ok();
    assert_eq!(changed["access_level"], 40);
    gitlab
        .root()
        .delete(&format!("{members}/{}", user.id))
        .await
        .assert_status(204);
    gitlab
        .root()
        .get(&format!("{members}/{}", user.id))
        .await
        .assert_message(404, "404 Not found");
}

#[tokio::test]
async fn s120_second_addition_conflicts_and_unknown_user_is_not_found() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let user = gitlab.user("ann").await;
    let members = format!("/projects/{}/members", project["id"]);
    let root = gitlab.root();
    let member = json!({ "username": "ann", "access_level": 30 });
    root.post(&members, member.clone()).await.created();
    root.post(&members, member)
        .await
        .assert_message(409, "Member already exists");
    let by_id = json!({ "user_id": user.id, "access_level": 30 });
    root.post(&members, by_id)
        .await
        .assert_message(409, "Member already exists");
    let unknown = json!({ "user_id": 4711, "access_level": 30 });
    root.post(&members, unknown)
        .await
        .assert_message(404, "404 User Not Found");
}

#[tokio::test]
async fn s121_members_all_includes_inherited_members() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let project = gitlab.project_in(&group, "app", json!({})).await;
    let user = gitlab.user("ann").await;
    let root = gitlab.root();
    let member = json!({ "user_id": user.id, "access_level": 30 });
    root.post(&format!("/groups/{}/members", group["id"]), member)
        .await
        .created();
    let members = format!("/projects/{}/members", project["id"]);
    assert_eq!(root.get(&members).await.ok(), json!([]));
    let all = root.get(&format!("{members}/all")).await.ok();
    let names: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["username"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["root", "ann"]);
    let own = root.get(&format!("{members}/all/{}", user.id)).await.ok();
    assert_eq!(own["access_level"], 30);
    let lower = json!({ "user_id": user.id, "access_level": 20 });
    root.post(&members, lower).await.assert_status(400);
    let higher = json!({ "user_id": user.id, "access_level": 40 });
    root.post(&members, higher).await.created();
    assert_eq!(
        root.get(&format!("{members}/all/{}", user.id)).await.ok()["access_level"],
        40
    );
}

#[tokio::test]
async fn s122_access_level_is_required_and_validated() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let user = gitlab.user("ann").await;
    let members = format!("/projects/{}/members", project["id"]);
    let root = gitlab.root();
    let without = json!({ "user_id": user.id });
    root.post(&members, without)
        .await
        .assert_error(400, "access_level is missing");
    let unknown_level = json!({ "user_id": user.id, "access_level": 33 });
    root.post(&members, unknown_level)
        .await
        .assert_error(400, "access_level does not have a valid value");
}

#[tokio::test]
async fn s123_deploy_token_of_a_group_is_shown_once() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    gitlab
        .project_in(&group, "app", json!({ "initialize_with_readme": true }))
        .await;
    let root = gitlab.root();
    let path = format!("/groups/{}/deploy_tokens", group["id"]);
    let wanted = json!({ "name": "argo", "scopes": ["read_repository"] });
    let created = root.post(&path, wanted).await.created();
    let secret = created["token"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("gldt-"));
    let one = format!("{path}/{}", created["id"]);
    assert!(root.get(&one).await.ok().get("token").is_none());
    assert!(
        !root
            .get(&path)
            .await
            .assert_status(200)
            .text
            .contains(&secret)
    );

    let folder = tempfile::tempdir().unwrap();
    let name = created["username"].as_str().unwrap().replace('+', "%2B");
    let url = gitlab.git_url(&name, &secret, "platform/app");
    git_ok(folder.path(), &["clone", "-q", &url, "copy"]).await;
    root.delete(&one).await.assert_status(204);
    crate::support::git_error(folder.path(), &["clone", "-q", &url, "again"]).await;
}

#[tokio::test]
async fn several_members_are_reported_individually() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let (one, two) = (gitlab.user("ann").await, gitlab.user("bob").await);
    let members = format!("/projects/{}/members", project["id"]);
    let root = gitlab.root();
    let both = json!({ "user_id": format!("{},{}", one.id, two.id), "access_level": 30 });
    root.post(&members, both)
        .await
        .assert_json(201, json!({ "status": "success" }));
    let again = json!({ "user_id": format!("{},{}", one.id, 4711), "access_level": 30 });
    let response = root.post(&members, again).await.created();
    assert_eq!(response["status"], "error");
    assert_eq!(response["message"]["ann"], "Member already exists");
}

#[tokio::test]
async fn last_owner_of_a_group_cannot_be_removed() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let members = format!("/groups/{}/members", group["id"]);
    gitlab
        .root()
        .delete(&format!("{members}/1"))
        .await
        .assert_status(403);
    let user = gitlab.user("ann").await;
    let owner = json!({ "user_id": user.id, "access_level": 50 });
    gitlab.root().post(&members, owner).await.created();
    gitlab
        .root()
        .delete(&format!("{members}/1"))
        .await
        .assert_status(204);
}

#[tokio::test]
async fn commit_triggers_the_hook_with_its_secrets() {
    let gitlab = TestInstance::start().await;
    let receiver = Receiver::start(&gitlab).await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let wanted = json!({
        "url": format!("{}/{{path}}", receiver.url),
        "token": "very-secret",
        "url_variables": [{ "key": "path", "value": "push" }],
        "custom_headers": [{ "key": "X-Own", "value": "yes" }],
        "push_events_branch_filter": "ma*",
    });
    let created = root.post(&hooks(&project), wanted).await.created();
    let commit = root
        .commit(&project, "main", json!([creates("a.txt", "1\n")]))
        .await;

    let received = receiver.take(&gitlab).await;
    assert_eq!(received.len(), 1);
    let (headers, payload) = &received[0];
    assert_eq!(headers["x-gitlab-event"], "Push Hook");
    assert_eq!(headers["x-gitlab-token"], "very-secret");
    assert_eq!(headers["x-own"], "yes");
    assert_eq!(headers["x-gitlab-instance"], gitlab.emulator.url.as_str());
    assert_eq!(payload["object_kind"], "push");
    assert_eq!(payload["ref"], "refs/heads/main");
    assert_eq!(payload["after"], commit["id"]);
    assert_eq!(payload["before"], commit["parent_ids"][0]);
    assert_eq!(payload["checkout_sha"], commit["id"]);
    assert_eq!(payload["user_username"], "root");
    assert_eq!(payload["project"]["path_with_namespace"], "platform/app");
    assert_eq!(payload["total_commits_count"], 1);
    assert_eq!(payload["commits"][0]["added"], json!(["a.txt"]));

    let events = root
        .get(&format!("{}/{}/events", hooks(&project), created["id"]))
        .await
        .ok();
    assert_eq!(events[0]["response_status"], "200");
    assert!(!events[0]["url"].as_str().unwrap().ends_with("push"));

    let other = json!({
        "branch": "other", "start_branch": "main", "commit_message": "c",
        "actions": [creates("b.txt", "1")],
    });
    root.post(&crate::support::commits(&project), other)
        .await
        .created();
    assert!(receiver.take(&gitlab).await.is_empty());
}

#[tokio::test]
async fn push_and_tag_trigger_subscribed_hooks() {
    let gitlab = TestInstance::start().await;
    let receiver = Receiver::start(&gitlab).await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let tags = json!({ "url": receiver.url, "push_events": false, "tag_push_events": true });
    root.post(&hooks(&project), tags).await.created();
    let folder = tempfile::tempdir().unwrap();
    let url = gitlab.git_url("oauth2", &gitlab.emulator.root_token, "platform/app");
    git_ok(folder.path(), &["clone", "-q", &url, "."]).await;
    git_ok(
        folder.path(),
        &["commit", "-q", "--allow-empty", "-m", "more"],
    )
    .await;
    git_ok(folder.path(), &["push", "-q"]).await;
    assert!(receiver.take(&gitlab).await.is_empty());
    git_ok(folder.path(), &["tag", "-a", "-m", "first", "v1"]).await;
    git_ok(folder.path(), &["push", "-q", "origin", "v1"]).await;
    let received = receiver.take(&gitlab).await;
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].0["x-gitlab-event"], "Tag Push Hook");
    assert_eq!(received[0].1["ref"], "refs/tags/v1");
    let head = git_ok(folder.path(), &["rev-parse", "HEAD"]).await;
    assert_eq!(received[0].1["checkout_sha"], head.trim());
}

#[tokio::test]
async fn hook_can_be_tested() {
    let gitlab = TestInstance::start().await;
    let receiver = Receiver::start(&gitlab).await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let created = root
        .post(&hooks(&project), json!({ "url": receiver.url }))
        .await
        .created();
    let test = format!("{}/{}/test/push_events", hooks(&project), created["id"]);
    root.post(&test, json!({})).await.created();
    assert_eq!(receiver.take(&gitlab).await.len(), 1);
}

#[tokio::test]
async fn hook_secrets_change_individually() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let created = root.post(&hooks(&project), hook()).await.created();
    let path = format!("{}/{}", hooks(&project), created["id"]);
    let header = format!("{path}/custom_headers/X-Key");
    root.put(&header, json!({ "value": "1" }))
        .await
        .assert_status(204);
    assert_eq!(
        root.get(&path).await.ok()["custom_headers"],
        json!([{ "key": "X-Key" }])
    );
    root.delete(&header).await.assert_status(204);
    root.delete(&header).await.assert_status(404);
    let variable = format!("{path}/url_variables/host");
    root.put(&variable, json!({ "value": "1" }))
        .await
        .assert_status(204);
    assert_eq!(
        root.get(&path).await.ok()["url_variables"],
        json!([{ "key": "host" }])
    );
    // A URL with an undefined variable is invalid.
    root.put(&path, json!({ "url": "https://{other}/x" }))
        .await
        .assert_error(422, "Invalid url given");
}
