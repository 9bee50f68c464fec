//! Access tokens of projects and groups.

use gitlab_emulator::domain::level::AccessLevel;
use gitlab_emulator::domain::resource_token::check_level;
use gitlab_emulator::domain::table::Id;
use gitlab_emulator::domain::time::Day;
use gitlab_emulator::domain::user::Resource;
use serde_json::{Value, json};

use crate::support::World;

fn tokens(project: &Value) -> String {
    format!("/projects/{}/access_tokens", project["id"])
}

fn token(name: &str) -> Value {
    json!({ "name": name, "scopes": ["read_repository"] })
}

/// A day from now, as GitLab writes it.
fn in_days(days: i64) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let millis = i64::try_from(now.as_millis()).unwrap();
    gitlab_emulator::domain::time::Moment::from_millis(millis)
        .day()
        .plus_days(days)
        .to_string()
}

#[tokio::test]
async fn s097_token_is_shown_once() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let created = root.post(&tokens(&project), token("flux")).await.created();
    let secret = created["token"].as_str().unwrap();
    assert!(secret.starts_with("glpat-"));
    let one = root
        .get(&format!("{}/{}", tokens(&project), created["id"]))
        .await
        .ok();
    assert!(one.get("token").is_none());
    let list = root.get(&tokens(&project)).await.has(200);
    assert_eq!(list.json.as_array().unwrap().len(), 1);
    assert!(!list.text.contains(secret));
}

#[tokio::test]
async fn s098_level_is_maintainer_by_default() {
    let world = World::start().await;
    let project = world.project().await;
    let created = world
        .root()
        .post(&tokens(&project), token("flux"))
        .await
        .created();
    assert_eq!(created["access_level"], 40);
}

#[tokio::test]
async fn s099_expiry_beyond_the_cap_is_refused_in_a_text_that_is_a_switch() {
    let world = World::start().await;
    let project = world.project().await;
    let mut late = token("flux");
    late["expires_at"] = json!(in_days(366));
    let root = world.root();
    let refused = root.post(&tokens(&project), late.clone()).await;
    let text = format!(
        "400 Bad request - Expires at must be before {}",
        in_days(366)
    );
    refused.says(400, &text);
    world
        .emulator
        .change_switches(|switches| switches.texts.late_expiry = "too late".to_owned());
    root.post(&tokens(&project), late)
        .await
        .says(400, "400 Bad request - too late");
}

#[tokio::test]
async fn s100_no_cap_where_tokens_need_not_end() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    root.put(
        "/application/settings",
        json!({ "require_personal_access_token_expiry": false }),
    )
    .await
    .ok();
    let mut late = token("flux");
    late["expires_at"] = json!(in_days(4000));
    let created = root.post(&tokens(&project), late).await.created();
    assert_eq!(created["expires_at"], in_days(4000));
    let endless = root
        .post(&tokens(&project), token("endless"))
        .await
        .created();
    assert_eq!(endless["expires_at"], Value::Null);
}

#[tokio::test]
async fn s101_omitted_expiry_is_a_year() {
    let world = World::start().await;
    let project = world.project().await;
    let created = world
        .root()
        .post(&tokens(&project), token("flux"))
        .await
        .created();
    assert_eq!(created["expires_at"], in_days(365));
}

#[tokio::test]
async fn s102_maintainer_may_not_provision_an_owner() {
    let world = World::start().await;
    let project = world.project().await;
    let maintainer = world.member("ann", &project, 40).await;
    let mut owner = token("flux");
    owner["access_level"] = json!(50);
    maintainer.post(&tokens(&project), owner).await.says(
        400,
        "400 Bad request - Could not provision owner access to project access token",
    );
}

/// Whoever may create a token has at least the level of a maintainer, and a maintainer who asks for an
/// owner hears the text of statement 102: so the rule is tested where it is.
#[test]
fn s103_level_above_the_makers_is_refused() {
    let text = "Access level of the token can't be greater the access level of the user who created the token";
    let project = Resource::Project(Id::new(1));
    let group = Resource::Group(Id::new(1));
    let developer = Some(AccessLevel::Developer);
    assert_eq!(
        check_level(project, developer, AccessLevel::Maintainer),
        Err(text)
    );
    assert_eq!(
        check_level(group, Some(AccessLevel::Maintainer), AccessLevel::Owner),
        Err(text)
    );
    assert_eq!(
        check_level(project, developer, AccessLevel::Developer),
        Ok(())
    );
}

#[tokio::test]
async fn s104_developer_may_neither_create_nor_list() {
    let world = World::start().await;
    let project = world.project().await;
    let developer = world.member("ann", &project, 30).await;
    developer.post(&tokens(&project), token("flux")).await.says(
        400,
        "400 Bad request - User does not have permission to create project access token",
    );
    developer
        .get(&tokens(&project))
        .await
        .says(401, "401 Unauthorized");
}

#[tokio::test]
async fn s105_rotation_replaces_the_token_at_once() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let mut wanted = token("flux");
    wanted["scopes"] = json!(["api"]);
    let old = root.post(&tokens(&project), wanted).await.created();
    let rotate = format!("{}/{}/rotate", tokens(&project), old["id"]);
    let new = root.post(&rotate, json!({})).await.ok();
    assert_ne!(new["id"], old["id"]);
    assert_ne!(new["token"], old["token"]);
    assert_eq!(new["user_id"], old["user_id"]);
    assert_eq!(new["expires_at"], in_days(7));
    let client = |token: &Value| world.client(token["token"].as_str().unwrap());
    client(&old).get("/user").await.has(401);
    assert_eq!(client(&new).get("/user").await.ok()["bot"], true);
}

#[tokio::test]
async fn s106_rotation_tells_only_administrators_what_is_missing() {
    let world = World::start().await;
    let project = world.project().await;
    let developer = world.member("ann", &project, 30).await;
    let created = world
        .root()
        .post(&tokens(&project), token("flux"))
        .await
        .created();
    let rotate = format!("{}/{}/rotate", tokens(&project), created["id"]);
    developer
        .post(&rotate, json!({}))
        .await
        .says(401, "401 Unauthorized");
    let unknown = format!("{}/4711/rotate", tokens(&project));
    let maintainer = world.member("bob", &project, 40).await;
    maintainer
        .post(&unknown, json!({}))
        .await
        .says(401, "401 Unauthorized");
    world.root().post(&unknown, json!({})).await.has(404);
}

#[tokio::test]
async fn s107_rotation_of_a_revoked_token_revokes_the_family() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let mut wanted = token("flux");
    wanted["scopes"] = json!(["api"]);
    let old = root.post(&tokens(&project), wanted).await.created();
    let rotate = format!("{}/{}/rotate", tokens(&project), old["id"]);
    let new = root.post(&rotate, json!({})).await.ok();
    let client = world.client(new["token"].as_str().unwrap());
    client.get("/user").await.has(200);
    root.post(&rotate, json!({})).await.has(400);
    client.get("/user").await.has(401);
}

#[tokio::test]
async fn s108_revoked_token_is_gone_and_unknown_one_is_not_found() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let mut wanted = token("flux");
    wanted["scopes"] = json!(["api"]);
    let created = root.post(&tokens(&project), wanted).await.created();
    root.delete(&format!("{}/{}", tokens(&project), created["id"]))
        .await
        .has(204);
    world
        .client(created["token"].as_str().unwrap())
        .get("/user")
        .await
        .has(401);
    root.delete(&format!("{}/4711", tokens(&project)))
        .await
        .says(404, "404 project Access Token Not Found");
}

#[tokio::test]
async fn s109_bot_is_a_member() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let created = root.post(&tokens(&project), token("flux")).await.created();
    let members = root
        .get(&format!("/projects/{}/members", project["id"]))
        .await
        .ok();
    let bot = &members[0];
    assert_eq!(bot["id"], created["user_id"]);
    let prefix = format!("project_{}_bot_", project["id"]);
    assert!(bot["username"].as_str().unwrap().starts_with(&prefix));
    assert_eq!(bot["access_level"], 40);
}

#[tokio::test]
async fn s110_groups_have_the_same_tokens() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let root = world.root();
    let path = format!("/groups/{}/access_tokens", group["id"]);
    let mut owner = token("flux");
    owner["access_level"] = json!(50);
    owner["scopes"] = json!(["api"]);
    let created = root.post(&path, owner).await.created();
    let bot = world.client(created["token"].as_str().unwrap());
    let own = bot.get("/user").await.ok();
    let prefix = format!("group_{}_bot_", group["id"]);
    assert!(own["username"].as_str().unwrap().starts_with(&prefix));
    bot.put(
        &format!("/groups/{}", group["id"]),
        json!({ "description": "x" }),
    )
    .await
    .ok();
    root.get(&format!("{path}/4711"))
        .await
        .says(404, "404 group Access Token Not Found");
    let maintainer = world.user("ann").await;
    let member = json!({ "user_id": maintainer.id, "access_level": 40 });
    root.post(&format!("/groups/{}/members", group["id"]), member)
        .await
        .created();
    maintainer.post(&path, token("x")).await.says(
        400,
        "400 Bad request - User does not have permission to create group access token",
    );
}

#[tokio::test]
async fn s111_scopes_outside_the_list_are_refused() {
    let world = World::start().await;
    let project = world.project().await;
    for scopes in [json!(["sudo"]), json!(["nonsense"])] {
        let wanted = json!({ "name": "flux", "scopes": scopes });
        let refused = world.root().post(&tokens(&project), wanted).await;
        refused.errs(400, "scopes does not have a valid value");
    }
}

#[tokio::test]
async fn token_of_a_project_cannot_make_tokens_but_can_rotate_itself() {
    let world = World::start().await;
    let project = world.project().await;
    let mut wanted = token("flux");
    wanted["scopes"] = json!(["api", "self_rotate"]);
    let created = world.root().post(&tokens(&project), wanted).await.created();
    let bot = world.client(created["token"].as_str().unwrap());
    bot.post(&tokens(&project), token("more")).await.has(400);
    let expires = json!({ "expires_at": in_days(30) });
    let rotated = bot
        .post(&format!("{}/self/rotate", tokens(&project)), expires)
        .await
        .ok();
    assert_eq!(rotated["expires_at"], in_days(30));
    bot.get("/user").await.has(401);
}

#[tokio::test]
async fn token_ends_at_the_start_of_its_day() {
    let world = World::start().await;
    let project = world.project().await;
    let mut wanted = token("flux");
    wanted["scopes"] = json!(["api"]);
    wanted["expires_at"] = json!(in_days(2));
    let created = world.root().post(&tokens(&project), wanted).await.created();
    assert_eq!(
        Day::parse(created["expires_at"].as_str().unwrap()),
        Day::parse(&in_days(2))
    );
    let bot = world.client(created["token"].as_str().unwrap());
    bot.get("/user").await.has(200);
    world
        .emulator
        .advance_clock(std::time::Duration::from_secs(2 * 24 * 3600));
    bot.get("/user").await.has(401);
    let listed = world
        .root()
        .get(&format!("{}?state=inactive", tokens(&project)))
        .await
        .ok();
    assert_eq!(listed[0]["active"], false);
}
