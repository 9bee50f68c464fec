//! Deploy keys.

use serde_json::{Value, json};

use crate::support::TestInstance;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt";

fn keys(project: &Value) -> String {
    format!("/projects/{}/deploy_keys", project["id"])
}

fn key(title: &str) -> Value {
    json!({ "title": title, "key": KEY })
}

fn taken() -> Value {
    json!({ "message": { "deploy_key.fingerprint_sha256": ["has already been taken"] } })
}

/// Two projects; `ann` maintains the first, `bob` the second.
async fn two_projects(gitlab: &TestInstance) -> [(Value, crate::support::Client); 2] {
    let one = gitlab.project().await;
    let group = gitlab.group("other").await;
    let two = gitlab.project_in(&group, "two", json!({})).await;
    let ann = gitlab.member("ann", &one, 40).await;
    let bob = gitlab.member("bob", &two, 40).await;
    [(one, ann), (two, bob)]
}

#[tokio::test]
async fn s083_key_and_title_are_required() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.post(&keys(&project), json!({ "title": "ci" }))
        .await
        .assert_error(400, "key is missing");
    root.post(&keys(&project), json!({ "key": KEY }))
        .await
        .assert_error(400, "title is missing");
}

#[tokio::test]
async fn s084_new_key_is_shown_with_fingerprints() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let created = gitlab
        .root()
        .post(&keys(&project), key("ci"))
        .await
        .created();
    assert_eq!(created["title"], "ci");
    assert_eq!(created["key"], KEY);
    assert_eq!(created["can_push"], false);
    assert_eq!(created["expires_at"], Value::Null);
    assert!(created["created_at"].is_string());
    assert_eq!(
        created["fingerprint_sha256"],
        "SHA256:Dt4p/IYQUY8IjlClfUDZ9fO6xJanzLSPoEWFOHZ7dq4"
    );
    assert_eq!(
        created["fingerprint"],
        "9e:05:e1:ee:9c:c0:fa:4d:70:04:b6:ea:16:2d:ac:bd"
    );
}

#[tokio::test]
async fn s085_adding_a_key_twice_changes_nothing() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let first = root.post(&keys(&project), key("first")).await.created();
    let again = json!({ "title": "second", "key": format!(" {KEY}\n"), "can_push": true });
    let second = root.post(&keys(&project), again).await.created();
    assert_eq!(second, first);
}

#[tokio::test]
async fn s086_same_key_in_a_reachable_project_is_linked() {
    let gitlab = TestInstance::start().await;
    let [(one, _), (two, _)] = two_projects(&gitlab).await;
    let root = gitlab.root();
    let first = root.post(&keys(&one), key("first")).await.created();
    let again = json!({ "title": "second", "key": KEY, "can_push": true });
    let second = root.post(&keys(&two), again).await.created();
    assert_eq!(second["id"], first["id"]);
    assert_eq!(second["title"], "first");
    assert_eq!(second["can_push"], true);
    let first = root
        .get(&format!("{}/{}", keys(&one), first["id"]))
        .await
        .ok();
    assert_eq!(first["can_push"], false);
}

#[tokio::test]
async fn s087_same_key_in_an_unreachable_project_is_taken() {
    let gitlab = TestInstance::start().await;
    let [(one, ann), (two, bob)] = two_projects(&gitlab).await;
    ann.post(&keys(&one), key("first")).await.created();
    bob.post(&keys(&two), key("second"))
        .await
        .assert_json(400, taken());
}

#[tokio::test]
async fn s088_key_of_a_user_is_taken() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.post("/user/keys", key("mine")).await.created();
    root.post(&keys(&project), key("ci"))
        .await
        .assert_json(400, taken());
}

#[tokio::test]
async fn s089_comment_is_truncated_so_the_original_key_is_taken() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let long = json!({ "title": "ci", "key": format!("{KEY} deploy key of ci") });
    let created = root.post(&keys(&project), long.clone()).await.created();
    assert_eq!(created["key"], format!("{KEY} deploy"));
    root.post(&keys(&project), long)
        .await
        .assert_json(400, taken());
}

#[tokio::test]
async fn s090_invalid_key_is_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let bad = json!({ "title": "ci", "key": "hello world" });
    let refused = gitlab
        .root()
        .post(&keys(&project), bad)
        .await
        .assert_status(400);
    assert_eq!(
        refused.json["message"]["deploy_key.fingerprint_sha256"],
        json!(["cannot be generated"])
    );
}

#[tokio::test]
async fn s091_enable_links_reachable_keys_only() {
    let gitlab = TestInstance::start().await;
    let [(one, ann), (two, bob)] = two_projects(&gitlab).await;
    let created = ann.post(&keys(&one), key("first")).await.created();
    let enable = format!("{}/{}/enable", keys(&two), created["id"]);
    bob.post(&enable, json!({}))
        .await
        .assert_message(404, "404 Deploy key Not Found");
    let enabled = gitlab.root().post(&enable, json!({})).await.created();
    assert_eq!(enabled["id"], created["id"]);
    assert!(enabled.get("can_push").is_none());
}

#[tokio::test]
async fn s092_enable_twice_makes_one_link() {
    let gitlab = TestInstance::start().await;
    let [(one, _), (two, _)] = two_projects(&gitlab).await;
    let root = gitlab.root();
    let created = root.post(&keys(&one), key("first")).await.created();
    let enable = format!("{}/{}/enable", keys(&two), created["id"]);
    root.post(&enable, json!({})).await.created();
    root.post(&enable, json!({})).await.created();
    assert_eq!(
        root.get(&keys(&two)).await.ok().as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn s093_update_needs_title_or_can_push() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let created = root.post(&keys(&project), key("ci")).await.created();
    let path = format!("{}/{}", keys(&project), created["id"]);
    let changed = root.put(&path, json!({ "can_push": true })).await.ok();
    assert_eq!(
        (&changed["can_push"], &changed["title"]),
        (&json!(true), &json!("ci"))
    );
    let renamed = root.put(&path, json!({ "title": "new" })).await.ok();
    assert_eq!(renamed["title"], "new");
    root.put(&path, json!({})).await.assert_status(400);
}

#[tokio::test]
async fn s094_second_delete_is_not_found() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let created = root.post(&keys(&project), key("ci")).await.created();
    let path = format!("{}/{}", keys(&project), created["id"]);
    let since = [("if-unmodified-since", "Wed, 01 Jan 2020 00:00:00 GMT")];
    root.send("DELETE", &path, &since, None)
        .await
        .assert_status(412);
    root.delete(&path).await.assert_status(204);
    root.delete(&path)
        .await
        .assert_message(404, "404 Deploy key Not Found");
    // The key was removed with its last link, so it can be added again.
    let again = root.post(&keys(&project), key("again")).await.created();
    assert_ne!(again["id"], created["id"]);
}

#[tokio::test]
async fn s095_unknown_key_is_not_found() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    gitlab
        .root()
        .get(&format!("{}/4711", keys(&project)))
        .await
        .assert_message(404, "404 Not found");
}

#[tokio::test]
async fn s096_developers_have_no_access_to_deploy_keys() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let created = gitlab
        .root()
        .post(&keys(&project), key("ci"))
        .await
        .created();
    let developer = gitlab.member("ann", &project, 30).await;
    let path = format!("{}/{}", keys(&project), created["id"]);
    developer
        .get(&keys(&project))
        .await
        .assert_message(403, "403 Forbidden");
    developer
        .get(&path)
        .await
        .assert_message(403, "403 Forbidden");
    developer
        .post(&keys(&project), key("x"))
        .await
        .assert_message(403, "403 Forbidden");
    developer
        .put(&path, json!({ "can_push": true }))
        .await
        .assert_message(403, "403 Forbidden");
    developer
        .delete(&path)
        .await
        .assert_message(403, "403 Forbidden");
    developer
        .post(&format!("{path}/enable"), json!({}))
        .await
        .assert_message(403, "403 Forbidden");
}

#[tokio::test]
async fn all_deploy_keys_are_listed_for_administrators_only() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let writing = json!({ "title": "ci", "key": KEY, "can_push": true });
    root.post(&keys(&project), writing).await.created();
    let all = root.get("/deploy_keys").await.ok();
    assert_eq!(
        all[0]["projects_with_write_access"][0]["path_with_namespace"],
        "platform/app"
    );
    gitlab
        .user("ann")
        .await
        .get("/deploy_keys")
        .await
        .assert_message(403, "403 Forbidden");
}

#[tokio::test]
async fn s256_instance_restricts_types_and_lengths_of_keys() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let settings = "/application/settings";
    for (restrictions, error) in [
        (
            json!({ "ed25519_key_restriction": -1 }),
            "type is forbidden. Must be RSA, ECDSA, ECDSA_SK, or ED25519_SK",
        ),
        (
            json!({ "ecdsa_sk_key_restriction": -1, "ed25519_sk_key_restriction": "-1" }),
            "type is forbidden. Must be RSA or ECDSA",
        ),
        (
            json!({ "ecdsa_key_restriction": -1 }),
            "type is forbidden. Must be RSA",
        ),
        (
            json!({ "ed25519_key_restriction": 512 }),
            "must be at least 512 bits",
        ),
    ] {
        root.put(settings, restrictions).await.assert_status(200);
        root.post(&keys(&project), key("ci"))
            .await
            .assert_json(400, json!({ "message": { "deploy_key.key": [error] } }));
    }
    let allowed = json!({ "ed25519_key_restriction": 256 });
    root.put(settings, allowed).await.assert_status(200);
    root.post(&keys(&project), key("ci")).await.created();
}
