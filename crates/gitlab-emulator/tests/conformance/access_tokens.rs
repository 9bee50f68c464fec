//! Access tokens of projects and groups.

use gitlab_emulator::domain::level::AccessLevel;
use gitlab_emulator::domain::resource_token::check_level;
use gitlab_emulator::domain::table::Id;
use gitlab_emulator::domain::time::Day;
use gitlab_emulator::domain::user::Resource;
use serde_json::{Value, json};

use crate::support::TestInstance;

fn tokens(project: &Value) -> String {
    format!("/projects/{}/access_tokens", project["id"])
}

fn token(name: &str) -> Value {
    json!({ "name": name, "scopes": ["read_repository"] })
}

/// Returns the date `days` from now in GitLab's format.
fn day_in(days: i64) -> String {
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
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let created = root.post(&tokens(&project), token("flux")).await.created();
    let secret = created["token"].as_str().unwrap();
    assert!(secret.starts_with("glpat-"));
    let one = root
        .get(&format!("{}/{}", tokens(&project), created["id"]))
        .await
        .ok();
    assert!(one.get("token").is_none());
    let list = root.get(&tokens(&project)).await.assert_status(200);
    assert_eq!(list.json.as_array().unwrap().len(), 1);
    assert!(!list.text.contains(secret));
}

#[tokio::test]
async fn s098_level_is_maintainer_by_default() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let created = gitlab
        .root()
        .post(&tokens(&project), token("flux"))
        .await
        .created();
    assert_eq!(created["access_level"], 40);
}

#[tokio::test]
async fn s099_expiry_beyond_the_maximum_is_refused_with_a_configurable_text() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let mut late = token("flux");
    late["expires_at"] = json!(day_in(366));
    let root = gitlab.root();
    let refused = root.post(&tokens(&project), late.clone()).await;
    let text = format!(
        "400 Bad request - Expires at must be before {}",
        day_in(366)
    );
    refused.assert_message(400, &text);
    gitlab
        .emulator
        .update_switches(|switches| switches.texts.late_expiry = "too late".to_owned());
    root.post(&tokens(&project), late)
        .await
        .assert_message(400, "400 Bad request - too late");
}

#[tokio::test]
async fn s100_expiry_has_no_maximum_if_tokens_need_not_expire() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.put(
        "/application/settings",
        json!({ "require_personal_access_token_expiry": false }),
    )
    .await
    .ok();
    let mut late = token("flux");
    late["expires_at"] = json!(day_in(4000));
    let created = root.post(&tokens(&project), late).await.created();
    assert_eq!(created["expires_at"], day_in(4000));
    let endless = root
        .post(&tokens(&project), token("endless"))
        .await
        .created();
    assert_eq!(endless["expires_at"], Value::Null);
}

#[tokio::test]
async fn s101_default_expiry_is_a_year() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let created = gitlab
        .root()
        .post(&tokens(&project), token("flux"))
        .await
        .created();
    assert_eq!(created["expires_at"], day_in(365));
}

#[tokio::test]
async fn s102_maintainer_may_not_provision_an_owner() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let maintainer = gitlab.member("ann", &project, 40).await;
    let mut owner = token("flux");
    owner["access_level"] = json!(50);
    maintainer
        .post(&tokens(&project), owner)
        .await
        .assert_message(
            400,
            "400 Bad request - Could not provision owner access to project access token",
        );
}

/// Over HTTP the rule cannot be reached: creating a token requires a maintainer, and a maintainer
/// who asks for an owner gets the error of statement 102.
#[test]
fn s103_level_above_the_creators_is_refused() {
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
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let developer = gitlab.member("ann", &project, 30).await;
    developer
        .post(&tokens(&project), token("flux"))
        .await
        .assert_message(
            400,
            "400 Bad request - User does not have permission to create project access token",
        );
    developer
        .get(&tokens(&project))
        .await
        .assert_message(401, "401 Unauthorized");
}

#[tokio::test]
async fn s105_rotation_replaces_the_token_at_once() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let mut wanted = token("flux");
    wanted["scopes"] = json!(["api"]);
    let old = root.post(&tokens(&project), wanted).await.created();
    let rotate = format!("{}/{}/rotate", tokens(&project), old["id"]);
    let new = root.post(&rotate, json!({})).await.ok();
    assert_ne!(new["id"], old["id"]);
    assert_ne!(new["token"], old["token"]);
    assert_eq!(new["user_id"], old["user_id"]);
    assert_eq!(new["expires_at"], day_in(7));
    let client = |token: &Value| gitlab.client(token["token"].as_str().unwrap());
    client(&old).get("/user").await.assert_status(401);
    assert_eq!(client(&new).get("/user").await.ok()["bot"], true);
}

#[tokio::test]
async fn s106_rotation_of_an_unknown_token_is_404_for_administrators_only() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let developer = gitlab.member("ann", &project, 30).await;
    let created = gitlab
        .root()
        .post(&tokens(&project), token("flux"))
        .await
        .created();
    let rotate = format!("{}/{}/rotate", tokens(&project), created["id"]);
    developer
        .post(&rotate, json!({}))
        .await
        .assert_message(401, "401 Unauthorized");
    let unknown = format!("{}/4711/rotate", tokens(&project));
    let maintainer = gitlab.member("bob", &project, 40).await;
    maintainer
        .post(&unknown, json!({}))
        .await
        .assert_message(401, "401 Unauthorized");
    gitlab
        .root()
        .post(&unknown, json!({}))
        .await
        .assert_status(404);
}

#[tokio::test]
async fn s107_rotation_of_a_revoked_token_revokes_the_family() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let mut wanted = token("flux");
    wanted["scopes"] = json!(["api"]);
    let old = root.post(&tokens(&project), wanted).await.created();
    let rotate = format!("{}/{}/rotate", tokens(&project), old["id"]);
    let new = root.post(&rotate, json!({})).await.ok();
    let client = gitlab.client(new["token"].as_str().unwrap());
    client.get("/user").await.assert_status(200);
    root.post(&rotate, json!({})).await.assert_status(400);
    client.get("/user").await.assert_status(401);
}

#[tokio::test]
async fn s108_revoked_token_is_gone_and_unknown_one_is_not_found() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let mut wanted = token("flux");
    wanted["scopes"] = json!(["api"]);
    let created = root.post(&tokens(&project), wanted).await.created();
    root.delete(&format!("{}/{}", tokens(&project), created["id"]))
        .await
        .assert_status(204);
    gitlab
        .client(created["token"].as_str().unwrap())
        .get("/user")
        .await
        .assert_status(401);
    root.delete(&format!("{}/4711", tokens(&project)))
        .await
        .assert_message(404, "404 project Access Token Not Found");
}

#[tokio::test]
async fn s109_bot_is_a_member() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
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
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let root = gitlab.root();
    let path = format!("/groups/{}/access_tokens", group["id"]);
    let mut owner = token("flux");
    owner["access_level"] = json!(50);
    owner["scopes"] = json!(["api"]);
    let created = root.post(&path, owner).await.created();
    let bot = gitlab.client(created["token"].as_str().unwrap());
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
        .assert_message(404, "404 group Access Token Not Found");
    let maintainer = gitlab.user("ann").await;
    let member = json!({ "user_id": maintainer.id, "access_level": 40 });
    root.post(&format!("/groups/{}/members", group["id"]), member)
        .await
        .created();
    maintainer.post(&path, token("x")).await.assert_message(
        400,
        "400 Bad request - User does not have permission to create group access token",
    );
}

#[tokio::test]
async fn s111_scopes_outside_the_list_are_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    for scopes in [json!(["sudo"]), json!(["nonsense"])] {
        let wanted = json!({ "name": "flux", "scopes": scopes });
        let refused = gitlab.root().post(&tokens(&project), wanted).await;
        refused.assert_error(400, "scopes does not have a valid value");
    }
}

#[tokio::test]
async fn project_token_cannot_create_tokens_but_can_rotate_itself() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let mut wanted = token("flux");
    wanted["scopes"] = json!(["api", "self_rotate"]);
    let created = gitlab
        .root()
        .post(&tokens(&project), wanted)
        .await
        .created();
    let bot = gitlab.client(created["token"].as_str().unwrap());
    bot.post(&tokens(&project), token("more"))
        .await
        .assert_status(400);
    let expires = json!({ "expires_at": day_in(30) });
    let rotated = bot
        .post(&format!("{}/self/rotate", tokens(&project)), expires)
        .await
        .ok();
    assert_eq!(rotated["expires_at"], day_in(30));
    bot.get("/user").await.assert_status(401);
}

#[tokio::test]
async fn token_expires_at_the_start_of_its_day() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let mut wanted = token("flux");
    wanted["scopes"] = json!(["api"]);
    wanted["expires_at"] = json!(day_in(2));
    let created = gitlab
        .root()
        .post(&tokens(&project), wanted)
        .await
        .created();
    assert_eq!(
        Day::parse(created["expires_at"].as_str().unwrap()),
        Day::parse(&day_in(2))
    );
    let bot = gitlab.client(created["token"].as_str().unwrap());
    bot.get("/user").await.assert_status(200);
    gitlab
        .emulator
        .advance_clock(std::time::Duration::from_secs(2 * 24 * 3600));
    bot.get("/user").await.assert_status(401);
    let listed = gitlab
        .root()
        .get(&format!("{}?state=inactive", tokens(&project)))
        .await
        .ok();
    assert_eq!(listed[0]["active"], false);
}
