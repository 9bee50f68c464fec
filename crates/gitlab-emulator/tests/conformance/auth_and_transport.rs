//! Auth and transport.

use std::time::Duration;

use gitlab_emulator::domain::time::Day;
use gitlab_emulator::domain::token::{Scope, TokenKind};
use gitlab_emulator::{Failure, Fault, SeedToken};
use serde_json::{Value, json};

use crate::support::{World, creates, file};

fn seeded(username: &str, kind: TokenKind, scopes: &[Scope]) -> SeedToken {
    SeedToken {
        username: username.to_owned(),
        kind,
        scopes: scopes.to_vec(),
        expires_at: None,
        is_revoked: false,
    }
}

fn fault(path: &str, failure: Failure) -> Fault {
    Fault {
        method: None,
        path: Some(path.to_owned()),
        skip: 0,
        times: Some(1),
        after_effect: false,
        failure,
    }
}

#[tokio::test]
async fn s001_user_without_token_is_unauthorized() {
    let world = World::start().await;
    world
        .anonymous()
        .get("/user")
        .await
        .says(401, "401 Unauthorized");
}

#[tokio::test]
async fn s002_unknown_token_is_unauthorized() {
    let world = World::start().await;
    world
        .client("glpat-nobody")
        .get("/user")
        .await
        .says(401, "401 Unauthorized");
}

#[tokio::test]
async fn s003_expired_token_is_invalid() {
    let world = World::start().await;
    let mut token = seeded("root", TokenKind::Personal, &[Scope::Api]);
    token.expires_at = Day::parse("2020-01-01");
    let token = world.emulator.seed_token(token).unwrap();
    world.client(&token).get("/user").await.is(
        401,
        json!({
            "error": "invalid_token",
            "error_description":
                "Token is expired. You can either do re-authorization or token refresh.",
        }),
    );
}

#[tokio::test]
async fn s004_revoked_token_is_invalid() {
    let world = World::start().await;
    let user = world.user("ann").await;
    user.delete("/personal_access_tokens/self").await.has(204);
    user.get("/user").await.is(
        401,
        json!({
            "error": "invalid_token",
            "error_description": "Token was revoked. You have to re-authorize from the user.",
        }),
    );
}

#[tokio::test]
async fn s005_small_scopes_are_told_by_kind_of_token() {
    let world = World::start().await;
    let project = world.project().await;
    let granular = TokenKind::Granular(vec!["User: Read".to_owned()]);
    let token = world
        .emulator
        .seed_token(seeded("root", granular, &[]))
        .unwrap();
    let client = world.client(&token);
    client.get("/user").await.has(200);
    let refused = client
        .get(&format!("/projects/{}", project["id"]))
        .await
        .has(403);
    assert_eq!(refused.json["error"], "insufficient_granular_scope");
    assert!(
        refused.json["error_description"]
            .as_str()
            .unwrap()
            .contains("[Project: Read]")
    );

    let reader = world.token_of(1, &["read_api"]).await;
    reader.get("/user").await.has(200);
    let group = json!({ "name": "group", "path": "group" });
    reader.post("/groups", group).await.is(
        403,
        json!({
            "error": "insufficient_scope",
            "error_description":
                "The request requires higher privileges than provided by the access token.",
            "scope": "api",
        }),
    );
}

#[tokio::test]
async fn s006_read_repository_opens_files_but_not_the_tree() {
    let world = World::start().await;
    let project = world.project().await;
    let reader = world.token_of(1, &["read_repository"]).await;
    let readme = format!("{}?ref=main", file(&project, "README.md"));
    reader.get(&readme).await.has(200);
    reader.head(&readme).await.has(200);
    let tree = reader
        .get(&format!("/projects/{}/repository/tree", project["id"]))
        .await
        .has(403);
    assert_eq!(tree.json["error"], "insufficient_scope");
}

#[tokio::test]
async fn s007_both_headers_give_the_same_user() {
    let world = World::start().await;
    let user = world.user("ann").await;
    let by_header = user.get("/user").await.ok();
    let bearer = format!("Bearer {}", user.token);
    let headers = [("authorization", bearer.as_str())];
    let by_bearer = world
        .anonymous()
        .send("GET", "/user", &headers, None)
        .await
        .ok();
    assert_eq!(by_header, by_bearer);
    assert_eq!(by_header["username"], "ann");
}

#[tokio::test]
async fn s008_job_token_opens_only_routes_that_allow_it() {
    let world = World::start().await;
    let project = world.project().await;
    let token = world
        .emulator
        .seed_token(seeded("root", TokenKind::Job, &[]))
        .unwrap();
    let headers = [("job-token", token.as_str())];
    let call = |path: String| {
        let client = world.anonymous();
        async move { client.send("GET", &path, &headers, None).await.status }
    };
    assert_eq!(call(format!("/projects/{}", project["id"])).await, 404);
    assert_eq!(
        call(format!("{}/raw", file(&project, "README.md"))).await,
        200
    );
}

#[tokio::test]
async fn s009_private_project_without_membership_is_not_found() {
    let world = World::start().await;
    let project = world.project().await;
    let stranger = world.user("ann").await;
    let answer = stranger.get(&format!("/projects/{}", project["id"])).await;
    answer.says(404, "404 Project Not Found");
}

#[tokio::test]
async fn s010_missing_project_answers_as_a_private_one_to_the_byte() {
    let world = World::start().await;
    let project = world.project().await;
    let stranger = world.user("ann").await;
    let private = stranger.get(&format!("/projects/{}", project["id"])).await;
    let missing = stranger.get("/projects/4711").await;
    assert_eq!(
        (private.status, private.bytes),
        (missing.status, missing.bytes)
    );
}

#[tokio::test]
async fn s011_private_group_is_not_found() {
    let world = World::start().await;
    let group = world.group("hidden").await;
    let stranger = world.user("ann").await;
    stranger
        .get(&format!("/groups/{}", group["id"]))
        .await
        .says(404, "404 Group Not Found");
}

#[tokio::test]
async fn s012_reporter_may_not_delete_a_project() {
    let world = World::start().await;
    let project = world.project().await;
    let reporter = world.member("ann", &project, 20).await;
    reporter
        .delete(&format!("/projects/{}", project["id"]))
        .await
        .says(403, "403 Forbidden");
}

#[tokio::test]
async fn s013_anonymous_write_to_a_public_project_is_unauthorized() {
    let world = World::start().await;
    let group = json!({ "name": "open", "path": "open", "visibility": "public" });
    let group = world.root().post("/groups", group).await.created();
    let project = world
        .project_in(&group, "app", json!({ "visibility": "public" }))
        .await;
    let path = format!("/projects/{}", project["id"]);
    world.anonymous().get(&path).await.has(200);
    let change = json!({ "description": "x" });
    world
        .anonymous()
        .put(&path, change)
        .await
        .says(401, "401 Unauthorized");
}

#[tokio::test]
async fn s014_sudo_needs_an_administrator() {
    let world = World::start().await;
    let user = world.user("ann").await;
    user.send("GET", "/user", &[("sudo", "root")], None)
        .await
        .says(403, "403 Forbidden - Must be admin to use sudo");
}

#[tokio::test]
async fn s015_sudo_needs_a_known_user() {
    let world = World::start().await;
    let root = world.root();
    root.send("GET", "/user", &[("sudo", "nobody")], None)
        .await
        .says(404, "404 User with ID or username 'nobody' Not Found");
    world.user("ann").await;
    let sudo = root
        .send("GET", "/user", &[("sudo", "ann")], None)
        .await
        .ok();
    assert_eq!(sudo["username"], "ann");
}

#[tokio::test]
async fn s016_unknown_route_is_an_error_of_its_own() {
    let world = World::start().await;
    world
        .root()
        .get("/nothing/here")
        .await
        .errs(404, "404 Not Found");
}

#[tokio::test]
async fn s017_version_3_is_gone() {
    let world = World::start().await;
    let answer = world.root().get("/api/v3/projects").await;
    answer.errs(410, "API V3 is no longer supported. Use API V4 instead.");
}

#[tokio::test]
async fn s018_missing_record_is_not_found_in_lower_case() {
    let world = World::start().await;
    let project = world.project().await;
    let hook = format!("/projects/{}/hooks/4711", project["id"]);
    world.root().get(&hook).await.says(404, "404 Not found");
}

#[tokio::test]
async fn s019_resource_lock_can_be_injected() {
    let world = World::start().await;
    world
        .emulator
        .inject(fault("/groups", Failure::ResourceLock))
        .unwrap();
    let group = json!({ "name": "group", "path": "group" });
    let root = world.root();
    root.post("/groups", group.clone())
        .await
        .says(409, "409 Conflict: Resource lock");
    root.post("/groups", group).await.created();
}

#[tokio::test]
async fn s020_unhandled_error_can_be_injected() {
    let world = World::start().await;
    let failure = Failure::Answer {
        status: 500,
        body: None,
    };
    world.emulator.inject(fault("/version", failure)).unwrap();
    world
        .root()
        .get("/version")
        .await
        .says(500, "500 Internal Server Error");
}

#[tokio::test]
async fn s021_exhausted_gitaly_can_be_injected() {
    let world = World::start().await;
    world
        .emulator
        .inject(fault("/version", Failure::GitalyExhausted))
        .unwrap();
    let answer = world.root().get("/version").await;
    answer.says(503, "Upstream Gitaly has been exhausted. Try again later");
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn s022_answers_carry_the_usual_headers() {
    let world = World::start().await;
    for path in ["/version", "/nothing"] {
        let answer = world.root().get(path).await;
        assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!answer.header("x-request-id").is_empty());
    }
}

#[tokio::test]
async fn s023_missing_parameters_are_joined() {
    let world = World::start().await;
    let root = world.root();
    let path = json!({ "path": "p" });
    root.post("/groups", path)
        .await
        .errs(400, "name is missing");
    root.post("/groups", json!({}))
        .await
        .errs(400, "name is missing, path is missing");
}

#[tokio::test]
async fn s024_value_outside_its_set_is_refused_in_a_text_that_is_a_switch() {
    let world = World::start().await;
    let group = json!({ "name": "group", "path": "group", "visibility": "secret" });
    let root = world.root();
    root.post("/groups", group.clone())
        .await
        .errs(400, "visibility does not have a valid value");
    world
        .emulator
        .change_switches(|switches| switches.texts.invalid_value = "no {name}".to_owned());
    root.post("/groups", group).await.errs(400, "no visibility");
}

#[tokio::test]
async fn s025_version_needs_a_token() {
    let world = World::start().await;
    world
        .anonymous()
        .get("/version")
        .await
        .says(401, "401 Unauthorized");
    let version = world.root().get("/version").await.ok();
    assert!(version["version"].is_string() && version["revision"].is_string());
}

#[tokio::test]
async fn s026_metadata_tells_edition_and_agent_server() {
    let world = World::start().await;
    let metadata = world.root().get("/metadata").await.ok();
    assert_eq!(metadata["enterprise"], true);
    assert!(metadata["kas"]["enabled"].is_boolean());
}

#[tokio::test]
async fn s027_token_describes_itself_whatever_its_scopes() {
    let world = World::start().await;
    let user = world.user("ann").await;
    for scope in ["read_user", "read_registry", "write_repository"] {
        let client = world.token_of(user.id, &[scope]).await;
        let own = client.get("/personal_access_tokens/self").await.ok();
        assert_eq!(own["scopes"], json!([scope]));
        assert_eq!(own["active"], true);
        assert_eq!(own["user_id"], user.id);
        assert!(own["expires_at"].is_string());
    }
}

#[tokio::test]
async fn s028_oauth_token_does_not_describe_itself() {
    let world = World::start().await;
    let token = seeded("root", TokenKind::OAuth, &[Scope::Api]);
    let token = world.emulator.seed_token(token).unwrap();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let client = world.anonymous();
    client.send("GET", "/user", &headers, None).await.has(200);
    client
        .send("GET", "/personal_access_tokens/self", &headers, None)
        .await
        .says(
            400,
            "400 Bad request - This endpoint requires token type to be a personal access token",
        );
}

#[tokio::test]
async fn s029_settings_are_for_administrators() {
    let world = World::start().await;
    let user = world.user("ann").await;
    user.get("/application/settings")
        .await
        .says(403, "403 Forbidden");
    let settings = world.root().get("/application/settings").await.ok();
    assert_eq!(settings["deletion_adjourned_period"], 30);
}

#[tokio::test]
async fn s030_digits_are_numbers_and_paths_are_encoded() {
    let world = World::start().await;
    let project = world.project().await;
    let root = world.root();
    let by_path = root.get("/projects/platform%2Fapp").await.ok();
    assert_eq!(by_path["id"], project["id"]);
    // A group whose path has only digits is never found by it.
    let numbered = world.group("987654").await;
    root.get("/groups/987654")
        .await
        .says(404, "404 Group Not Found");
    root.get(&format!("/groups/{}", numbered["id"]))
        .await
        .has(200);
}

#[tokio::test]
async fn control_is_open_to_administrators_only() {
    let world = World::start().await;
    world.anonymous().get("/-/emulator/journal").await.has(401);
    let user = world.user("ann").await;
    user.get("/-/emulator/journal").await.has(401);
    world.root().get("/-/emulator/journal").await.has(200);
}

#[tokio::test]
async fn conditional_reads_answer_304() {
    let world = World::start().await;
    let root = world.root();
    let first = root.get("/version").await.has(200);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""));
    let again = root
        .send("GET", "/version", &[("if-none-match", &tag)], None)
        .await
        .has(304);
    assert!(again.bytes.is_empty());
}

#[tokio::test]
async fn blocked_users_and_impersonation_are_refused() {
    let world = World::start().await;
    let user = world.user("ann").await;
    let root = world.root();
    let token = json!({ "name": "as ann", "scopes": ["api"] });
    let path = format!("/users/{}/impersonation_tokens", user.id);
    let token = root.post(&path, token).await.created();
    let impersonated = world.client(token["token"].as_str().unwrap());
    assert_eq!(impersonated.get("/user").await.ok()["username"], "ann");
    world
        .emulator
        .change_switches(|switches| switches.impersonation_disabled = true);
    let refused = impersonated.get("/user").await.has(401);
    assert_eq!(
        refused.json["error_description"],
        "Token is an impersonation token but impersonation was disabled."
    );
    root.post(&format!("/users/{}/block", user.id), json!({}))
        .await
        .created();
    user.get("/user").await.has(403);
}

#[tokio::test]
async fn admin_mode_takes_rights_from_tokens_without_its_scope() {
    let world = World::start().await;
    world
        .emulator
        .change_settings(|settings| settings.admin_mode = true);
    let plain = world.client(&world.emulator.root_token);
    plain.get("/application/settings").await.has(200);
    world
        .emulator
        .change_settings(|settings| settings.admin_mode = false);
    let without = world.token_of(1, &["api"]).await;
    world
        .emulator
        .change_settings(|settings| settings.admin_mode = true);
    without.get("/application/settings").await.has(403);
}

#[tokio::test]
async fn latency_delays_reads() {
    let world = World::start().await;
    world
        .emulator
        .change_switches(|switches| switches.latency_read = 80);
    let started = std::time::Instant::now();
    world.root().get("/version").await.has(200);
    assert!(started.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn settings_change_by_request() {
    let world = World::start().await;
    let root = world.root();
    let body = "deletion_adjourned_period=7&admin_mode=false"
        .as_bytes()
        .to_vec();
    // A form, so numbers and flags come as text.
    let request = json!({ "deletion_adjourned_period": "7", "default_branch_name": "trunk" });
    let changed = root.put("/application/settings", request).await.ok();
    assert_eq!(changed["deletion_adjourned_period"], 7);
    assert_eq!(changed["default_branch_name"], "trunk");
    root.put(
        "/application/settings",
        json!({ "deletion_adjourned_period": "x" }),
    )
    .await
    .errs(400, "deletion_adjourned_period is invalid");
    drop(body);
    let project = json!({ "name": "p", "initialize_with_readme": true });
    let project = root.post("/projects", project).await.created();
    assert_eq!(project["default_branch"], "trunk");
    root.try_commit(&project, "trunk", json!([creates("a", "1")]))
        .await
        .created();
}

#[tokio::test]
async fn namespaces_are_visible_through_membership() {
    let world = World::start().await;
    let group = world.group("platform").await;
    let user = world.user("ann").await;
    let path = format!("/namespaces/{}", group["id"]);
    user.get(&path).await.says(404, "404 Namespace Not Found");
    let own = user.get("/namespaces/ann").await.ok();
    assert_eq!(own["kind"], "user");
    let shown = world.root().get(&path).await.ok();
    assert_eq!(
        (&shown["kind"], &shown["full_path"]),
        (&json!("group"), &json!("platform"))
    );
    let names: Vec<Value> = user
        .get("/namespaces")
        .await
        .ok()
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(names.len(), 1);
}
