//! Users, members, tokens and transfers that tests create in one step.

use std::time::Duration;

use gitlab_emulator::{AccessLevel, Emulator, Resource, SeedAccessToken, SeedError};
use serde_json::{Value, json};

struct TestInstance {
    emulator: Emulator,
    http: reqwest::Client,
}

impl TestInstance {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let emulator = Emulator::builder().start().await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { emulator, http }
    }

    async fn get(&self, token: &str, path: &str) -> (u16, Value) {
        let url = format!("{}/api/v4{path}", self.emulator.url);
        let request = self.http.get(url).bearer_auth(token);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.emulator.url);
        let request = self.http.post(url).bearer_auth(&self.emulator.root_token);
        let response = request.json(&body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    /// Creates a group with a project; returns their IDs.
    async fn group_and_project(&self) -> (u64, u64) {
        let group = json!({ "name": "platform", "path": "platform" });
        let (_, group) = self.post("/api/v4/groups", group).await;
        let project = json!({ "path": "app", "namespace_id": group["id"] });
        let (_, project) = self.post("/api/v4/projects", project).await;
        (
            group["id"].as_u64().unwrap(),
            project["id"].as_u64().unwrap(),
        )
    }
}

#[tokio::test]
async fn users_members_and_bots_are_created_in_one_step() {
    let gitlab = TestInstance::start().await;
    let emulator = &gitlab.emulator;
    let (group, project) = gitlab.group_and_project().await;
    let path = format!("/projects/{project}");
    let user = emulator.seed_user("ann").unwrap();
    assert_eq!(gitlab.get(&user.token, &path).await.0, 404);
    let own = format!("{path}/members/all/{}", user.user_id);
    for level in [AccessLevel::Developer, AccessLevel::Guest] {
        emulator
            .seed_member(Resource::project(project), "ann", level)
            .unwrap();
        let (_, member) = gitlab.get(&user.token, &own).await;
        assert_eq!(member["access_level"], level.number());
    }
    let bot = SeedAccessToken::new(Resource::group(group), AccessLevel::Owner);
    let bot = emulator.seed_access_token(bot).unwrap();
    let own = format!("/groups/{group}/members/{}", bot.user_id);
    let (_, member) = gitlab.get(&bot.token, &own).await;
    assert_eq!(member["access_level"], 50);

    assert_eq!(
        emulator.seed_member(Resource::group(4711), "ann", AccessLevel::Owner),
        Err(SeedError::NoGroup(4711))
    );
    assert_eq!(
        emulator.seed_member(Resource::group(group), "eve", AccessLevel::Owner),
        Err(SeedError::NoUser("eve".to_owned()))
    );
    assert!(matches!(
        emulator.seed_user("ann"),
        Err(SeedError::Refused(_))
    ));
    assert!(!format!("{bot:?}").contains(&bot.token));
}

#[tokio::test]
async fn seeds_are_available_over_http() {
    let gitlab = TestInstance::start().await;
    let (group, project) = gitlab.group_and_project().await;
    let control = |path: &str, body: Value| {
        let gitlab = &gitlab;
        let path = format!("/-/emulator/{path}");
        async move { gitlab.post(&path, body).await }
    };
    let (status, user) = control("users", json!({ "username": "ann" })).await;
    assert_eq!(status, 201);
    let member = json!({
        "resource": { "project": project }, "username": "ann", "access_level": 30,
    });
    assert_eq!(control("members", member).await.0, 204);
    let unknown = json!({ "resource": { "project": 4711 }, "username": "ann", "access_level": 30 });
    assert_eq!(control("members", unknown).await.0, 404);
    let bot = json!({ "resource": { "group": group }, "access_level": 50, "scopes": ["read_api"] });
    let (status, bot) = control("access_tokens", bot).await;
    assert_eq!(status, 201);
    let (_, personal) = gitlab
        .get(&gitlab.emulator.root_token, "/namespaces?search=ann")
        .await;
    let target = json!({ "namespace_id": personal[0]["id"] });
    let transfer = format!("projects/{project}/transfer");
    assert_eq!(control(&transfer, target.clone()).await.0, 204);
    assert_eq!(control(&transfer, target).await.0, 400);
    let path = format!("/projects/{project}");
    let (_, moved) = gitlab.get(user["token"].as_str().unwrap(), &path).await;
    assert_eq!(moved["path_with_namespace"], "ann/app");
    assert_eq!(
        gitlab.get(bot["token"].as_str().unwrap(), &path).await.0,
        404
    );
}

#[tokio::test]
async fn two_emulators_use_the_same_numbers_for_different_objects() {
    let first = TestInstance::start().await;
    let second = TestInstance::start().await;
    second.emulator.advance_clock(Duration::from_secs(3600));
    let (group, project) = first.group_and_project().await;
    assert_eq!(second.group_and_project().await, (group, project));
    for path in [format!("/groups/{group}"), format!("/projects/{project}")] {
        let (_, one) = first.get(&first.emulator.root_token, &path).await;
        let (_, other) = second.get(&second.emulator.root_token, &path).await;
        assert_eq!(one["id"], other["id"]);
        assert_ne!(one["created_at"], other["created_at"]);
    }
    assert_eq!(first.get(&second.emulator.root_token, "/user").await.0, 401);
}
