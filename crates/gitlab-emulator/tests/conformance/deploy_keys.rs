//! Deploy keys.

use serde_json::{Value, json};

use crate::support::World;

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

/// Two projects of which `ann` maintains the first and `bob` the second.
async fn two_projects(world: &World) -> [(Value, crate::support::Client); 2] {
    let one = world.project().await;
    let group = world.group("other").await;
    let two = world.project_in(&group, "two", json!({})).await;
    let ann = world.member("ann", &one, 40).await;
    let bob = world.member("bob", &two, 40).await;
    [(one, ann), (two, bob)]
}

#[tokio::test]
async fn s083_key_and_title_are_required() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    root.post(&keys(&project), json!({ "title": "ci" }))
        .await
        .errs(400, "key is missing");
    root.post(&keys(&project), json!({ "key": KEY }))
        .await
        .errs(400, "title is missing");
}

#[tokio::test]
async fn s084_new_key_is_shown_with_fingerprints() {
    let world = World::start().await;
    let project = world.project().await;
    let created = world
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
async fn s085_same_key_in_the_same_project_stays_as_it_is() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let first = root.post(&keys(&project), key("first")).await.created();
    let again = json!({ "title": "second", "key": format!(" {KEY}\n"), "can_push": true });
    let second = root.post(&keys(&project), again).await.created();
    assert_eq!(second, first);
}

#[tokio::test]
async fn s086_same_key_in_a_reachable_project_is_linked() {
    let world = World::start().await;
    let [(one, _), (two, _)] = two_projects(&world).await;
    let root = world.root();
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
    let world = World::start().await;
    let [(one, ann), (two, bob)] = two_projects(&world).await;
    ann.post(&keys(&one), key("first")).await.created();
    bob.post(&keys(&two), key("second")).await.is(400, taken());
}

#[tokio::test]
async fn s088_key_of_a_user_is_taken() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    root.post("/user/keys", key("mine")).await.created();
    root.post(&keys(&project), key("ci")).await.is(400, taken());
}

#[tokio::test]
async fn s089_comment_is_cut_so_the_original_is_taken() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let long = json!({ "title": "ci", "key": format!("{KEY} deploy key of ci") });
    let created = root.post(&keys(&project), long.clone()).await.created();
    assert_eq!(created["key"], format!("{KEY} deploy"));
    root.post(&keys(&project), long).await.is(400, taken());
}

#[tokio::test]
async fn s090_text_that_is_no_key_is_invalid() {
    let world = World::start().await;
    let project = world.project().await;
    let bad = json!({ "title": "ci", "key": "hello world" });
    let refused = world.root().post(&keys(&project), bad).await.has(400);
    assert_eq!(
        refused.json["message"]["deploy_key.fingerprint_sha256"],
        json!(["cannot be generated"])
    );
}

#[tokio::test]
async fn s091_enable_links_reachable_keys_only() {
    let world = World::start().await;
    let [(one, ann), (two, bob)] = two_projects(&world).await;
    let created = ann.post(&keys(&one), key("first")).await.created();
    let enable = format!("{}/{}/enable", keys(&two), created["id"]);
    bob.post(&enable, json!({}))
        .await
        .says(404, "404 Deploy key Not Found");
    let enabled = world.root().post(&enable, json!({})).await.created();
    assert_eq!(enabled["id"], created["id"]);
    assert!(enabled.get("can_push").is_none());
}

#[tokio::test]
async fn s092_enable_twice_makes_one_link() {
    let world = World::start().await;
    let [(one, _), (two, _)] = two_projects(&world).await;
    let root = world.root();
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
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let created = root.post(&keys(&project), key("ci")).await.created();
    let path = format!("{}/{}", keys(&project), created["id"]);
    let changed = root.put(&path, json!({ "can_push": true })).await.ok();
    assert_eq!(
        (&changed["can_push"], &changed["title"]),
        (&json!(true), &json!("ci"))
    );
    let renamed = root.put(&path, json!({ "title": "new" })).await.ok();
    assert_eq!(renamed["title"], "new");
    root.put(&path, json!({})).await.has(400);
}

#[tokio::test]
async fn s094_second_delete_finds_nothing() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let created = root.post(&keys(&project), key("ci")).await.created();
    let path = format!("{}/{}", keys(&project), created["id"]);
    let since = [("if-unmodified-since", "Wed, 01 Jan 2020 00:00:00 GMT")];
    root.send("DELETE", &path, &since, None).await.has(412);
    root.delete(&path).await.has(204);
    root.delete(&path)
        .await
        .says(404, "404 Deploy key Not Found");
    // The key went with its last link, so it is free.
    let again = root.post(&keys(&project), key("again")).await.created();
    assert_ne!(again["id"], created["id"]);
}

#[tokio::test]
async fn s095_unknown_key_is_no_record() {
    let world = World::start().await;
    let project = world.project().await;
    world
        .root()
        .get(&format!("{}/4711", keys(&project)))
        .await
        .says(404, "404 Not found");
}

#[tokio::test]
async fn s096_developers_may_do_nothing_with_keys() {
    let world = World::start().await;
    let project = world.project().await;
    let created = world
        .root()
        .post(&keys(&project), key("ci"))
        .await
        .created();
    let developer = world.member("ann", &project, 30).await;
    let path = format!("{}/{}", keys(&project), created["id"]);
    developer
        .get(&keys(&project))
        .await
        .says(403, "403 Forbidden");
    developer.get(&path).await.says(403, "403 Forbidden");
    developer
        .post(&keys(&project), key("x"))
        .await
        .says(403, "403 Forbidden");
    developer
        .put(&path, json!({ "can_push": true }))
        .await
        .says(403, "403 Forbidden");
    developer.delete(&path).await.says(403, "403 Forbidden");
    developer
        .post(&format!("{path}/enable"), json!({}))
        .await
        .says(403, "403 Forbidden");
}

#[tokio::test]
async fn all_keys_are_for_administrators() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let writing = json!({ "title": "ci", "key": KEY, "can_push": true });
    root.post(&keys(&project), writing).await.created();
    let all = root.get("/deploy_keys").await.ok();
    assert_eq!(
        all[0]["projects_with_write_access"][0]["path_with_namespace"],
        "platform/app"
    );
    world
        .user("ann")
        .await
        .get("/deploy_keys")
        .await
        .says(403, "403 Forbidden");
}
