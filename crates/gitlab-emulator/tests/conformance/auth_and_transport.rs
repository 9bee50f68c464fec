//! Authentication and transport.

use std::time::Duration;

use gitlab_emulator::domain::time::Day;
use gitlab_emulator::domain::token::{Scope, TokenKind};
use gitlab_emulator::{Failure, Fault, SeedToken};
use serde_json::{Value, json};

use crate::support::{TestInstance, creates, file};

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
    let gitlab = TestInstance::start().await;
    gitlab
        .anonymous()
        .get("/user")
        .await
        .assert_message(401, "401 Unauthorized");
}

#[tokio::test]
async fn s002_unknown_token_is_unauthorized() {
    let gitlab = TestInstance::start().await;
    gitlab
        .client("glpat-nobody")
        .get("/user")
        .await
        .assert_message(401, "401 Unauthorized");
}

#[tokio::test]
async fn s003_expired_token_is_invalid() {
    let gitlab = TestInstance::start().await;
    let mut token = seeded("root", TokenKind::Personal, &[Scope::Api]);
    token.expires_at = Day::parse("2020-01-01");
    let token = gitlab.emulator.seed_token(token).unwrap();
    gitlab.client(&token).get("/user").await.assert_json(
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
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    user.delete("/personal_access_tokens/self")
        .await
        .assert_status(204);
    user.get("/user").await.assert_json(
        401,
        json!({
            "error": "invalid_token",
            "error_description": "Token was revoked. You have to re-authorize from the user.",
        }),
    );
}

#[tokio::test]
async fn s005_insufficient_scope_error_depends_on_the_kind_of_token() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let granular = TokenKind::Granular(vec!["User: Read".to_owned()]);
    let token = gitlab
        .emulator
        .seed_token(seeded("root", granular, &[]))
        .unwrap();
    let client = gitlab.client(&token);
    client.get("/user").await.assert_status(200);
    let refused = client
        .get(&format!("/projects/{}", project["id"]))
        .await
        .assert_status(403);
    assert_eq!(refused.json["error"], "insufficient_granular_scope");
    assert!(
        refused.json["error_description"]
            .as_str()
            .unwrap()
            .contains("[Project: Read]")
    );

    let reader = gitlab.create_token(1, &["read_api"]).await;
    reader.get("/user").await.assert_status(200);
    let group = json!({ "name": "group", "path": "group" });
    reader.post("/groups", group).await.assert_json(
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
async fn s006_read_repository_scope_reads_files_but_not_the_tree() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let reader = gitlab.create_token(1, &["read_repository"]).await;
    let readme = format!("{}?ref=main", file(&project, "README.md"));
    reader.get(&readme).await.assert_status(200);
    reader.head(&readme).await.assert_status(200);
    let tree = reader
        .get(&format!("/projects/{}/repository/tree", project["id"]))
        .await
        .assert_status(403);
    assert_eq!(tree.json["error"], "insufficient_scope");
}

#[tokio::test]
async fn s007_both_headers_give_the_same_user() {
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    let by_header = user.get("/user").await.ok();
    let bearer = format!("Bearer {}", user.token);
    let headers = [("authorization", bearer.as_str())];
    let by_bearer = gitlab
        .anonymous()
        .send("GET", "/user", &headers, None)
        .await
        .ok();
    assert_eq!(by_header, by_bearer);
    assert_eq!(by_header["username"], "ann");
}

#[tokio::test]
async fn s008_job_token_works_only_on_routes_that_allow_it() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let token = gitlab
        .emulator
        .seed_token(seeded("root", TokenKind::Job, &[]))
        .unwrap();
    let headers = [("job-token", token.as_str())];
    let call = |path: String| {
        let client = gitlab.anonymous();
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
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let stranger = gitlab.user("ann").await;
    let response = stranger.get(&format!("/projects/{}", project["id"])).await;
    response.assert_message(404, "404 Project Not Found");
}

#[tokio::test]
async fn s010_missing_and_private_projects_are_indistinguishable() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let stranger = gitlab.user("ann").await;
    let private = stranger.get(&format!("/projects/{}", project["id"])).await;
    let missing = stranger.get("/projects/4711").await;
    assert_eq!(
        (private.status, private.bytes),
        (missing.status, missing.bytes)
    );
}

#[tokio::test]
async fn s011_private_group_is_not_found() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("hidden").await;
    let stranger = gitlab.user("ann").await;
    stranger
        .get(&format!("/groups/{}", group["id"]))
        .await
        .assert_message(404, "404 Group Not Found");
}

#[tokio::test]
async fn s012_reporter_may_not_delete_a_project() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let reporter = gitlab.member("ann", &project, 20).await;
    reporter
        .delete(&format!("/projects/{}", project["id"]))
        .await
        .assert_message(403, "403 Forbidden");
}

#[tokio::test]
async fn s013_anonymous_write_to_a_public_project_is_unauthorized() {
    let gitlab = TestInstance::start().await;
    let group = json!({ "name": "open", "path": "open", "visibility": "public" });
    let group = gitlab.root().post("/groups", group).await.created();
    let project = gitlab
        .project_in(&group, "app", json!({ "visibility": "public" }))
        .await;
    let path = format!("/projects/{}", project["id"]);
    gitlab.anonymous().get(&path).await.assert_status(200);
    let change = json!({ "description": "x" });
    gitlab
        .anonymous()
        .put(&path, change)
        .await
        .assert_message(401, "401 Unauthorized");
}

#[tokio::test]
async fn s014_sudo_needs_an_administrator() {
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    user.send("GET", "/user", &[("sudo", "root")], None)
        .await
        .assert_message(403, "403 Forbidden - Must be admin to use sudo");
}

#[tokio::test]
async fn s015_sudo_needs_a_known_user() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    root.send("GET", "/user", &[("sudo", "nobody")], None)
        .await
        .assert_message(404, "404 User with ID or username 'nobody' Not Found");
    gitlab.user("ann").await;
    let sudo = root
        .send("GET", "/user", &[("sudo", "ann")], None)
        .await
        .ok();
    assert_eq!(sudo["username"], "ann");
}

#[tokio::test]
async fn s016_unknown_route_has_its_own_error() {
    let gitlab = TestInstance::start().await;
    gitlab
        .root()
        .get("/nothing/here")
        .await
        .assert_error(404, "404 Not Found");
}

#[tokio::test]
async fn s017_version_3_is_gone() {
    let gitlab = TestInstance::start().await;
    let response = gitlab.root().get("/api/v3/projects").await;
    response.assert_error(410, "API V3 is no longer supported. Use API V4 instead.");
}

#[tokio::test]
async fn s018_missing_record_is_not_found_with_a_lower_case_f() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let hook = format!("/projects/{}/hooks/4711", project["id"]);
    gitlab
        .root()
        .get(&hook)
        .await
        .assert_message(404, "404 Not found");
}

#[tokio::test]
async fn s019_resource_lock_can_be_injected() {
    let gitlab = TestInstance::start().await;
    gitlab
        .emulator
        .inject_fault(fault("/groups", Failure::ResourceLock))
        .unwrap();
    let group = json!({ "name": "group", "path": "group" });
    let root = gitlab.root();
    root.post("/groups", group.clone())
        .await
        .assert_message(409, "409 Conflict: Resource lock");
    root.post("/groups", group).await.created();
}

#[tokio::test]
async fn s020_unhandled_error_can_be_injected() {
    let gitlab = TestInstance::start().await;
    let failure = Failure::Respond {
        status: 500,
        body: None,
    };
    gitlab
        .emulator
        .inject_fault(fault("/version", failure))
        .unwrap();
    gitlab
        .root()
        .get("/version")
        .await
        .assert_message(500, "500 Internal Server Error");
}

#[tokio::test]
async fn s021_exhausted_gitaly_can_be_injected() {
    let gitlab = TestInstance::start().await;
    gitlab
        .emulator
        .inject_fault(fault("/version", Failure::GitalyExhausted))
        .unwrap();
    let response = gitlab.root().get("/version").await;
    response.assert_message(503, "Upstream Gitaly has been exhausted. Try again later");
    assert!(!response.header("retry-after").is_empty());
}

#[tokio::test]
async fn s022_responses_have_the_common_headers() {
    let gitlab = TestInstance::start().await;
    for path in ["/version", "/nothing"] {
        let response = gitlab.root().get(path).await;
        assert_eq!(response.header("x-frame-options"), "SAMEORIGIN");
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        assert!(!response.header("x-request-id").is_empty());
    }
}

#[tokio::test]
async fn s023_missing_parameters_are_joined() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let path = json!({ "path": "p" });
    root.post("/groups", path)
        .await
        .assert_error(400, "name is missing");
    root.post("/groups", json!({}))
        .await
        .assert_error(400, "name is missing, path is missing");
}

#[tokio::test]
async fn s024_invalid_value_is_refused_with_a_configurable_text() {
    let gitlab = TestInstance::start().await;
    let group = json!({ "name": "group", "path": "group", "visibility": "secret" });
    let root = gitlab.root();
    root.post("/groups", group.clone())
        .await
        .assert_error(400, "visibility does not have a valid value");
    gitlab
        .emulator
        .update_switches(|switches| switches.texts.invalid_value = "no {name}".to_owned());
    root.post("/groups", group)
        .await
        .assert_error(400, "no visibility");
}

#[tokio::test]
async fn s025_version_needs_a_token() {
    let gitlab = TestInstance::start().await;
    gitlab
        .anonymous()
        .get("/version")
        .await
        .assert_message(401, "401 Unauthorized");
    let version = gitlab.root().get("/version").await.ok();
    assert!(version["version"].is_string() && version["revision"].is_string());
}

#[tokio::test]
async fn s026_metadata_has_edition_and_agent_server() {
    let gitlab = TestInstance::start().await;
    let metadata = gitlab.root().get("/metadata").await.ok();
    assert_eq!(metadata["enterprise"], true);
    assert!(metadata["kas"]["enabled"].is_boolean());
}

#[tokio::test]
async fn s027_token_describes_itself_whatever_its_scopes() {
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    for scope in ["read_user", "read_registry", "write_repository"] {
        let client = gitlab.create_token(user.id, &[scope]).await;
        let own = client.get("/personal_access_tokens/self").await.ok();
        assert_eq!(own["scopes"], json!([scope]));
        assert_eq!(own["active"], true);
        assert_eq!(own["user_id"], user.id);
        assert!(own["expires_at"].is_string());
    }
}

#[tokio::test]
async fn s028_oauth_token_cannot_describe_itself() {
    let gitlab = TestInstance::start().await;
    let token = seeded("root", TokenKind::OAuth, &[Scope::Api]);
    let token = gitlab.emulator.seed_token(token).unwrap();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let client = gitlab.anonymous();
    client
        .send("GET", "/user", &headers, None)
        .await
        .assert_status(200);
    client
        .send("GET", "/personal_access_tokens/self", &headers, None)
        .await
        .assert_message(
            400,
            "400 Bad request - This endpoint requires token type to be a personal access token",
        );
}

#[tokio::test]
async fn s029_settings_are_for_administrators() {
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    user.get("/application/settings")
        .await
        .assert_message(403, "403 Forbidden");
    let settings = gitlab.root().get("/application/settings").await.ok();
    assert_eq!(settings["deletion_adjourned_period"], 30);
}

#[tokio::test]
async fn s030_digits_are_ids_and_paths_are_encoded() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let by_path = root.get("/projects/platform%2Fapp").await.ok();
    assert_eq!(by_path["id"], project["id"]);
    // A group with an all-digit path is not found by that path.
    let numbered = gitlab.group("987654").await;
    root.get("/groups/987654")
        .await
        .assert_message(404, "404 Group Not Found");
    root.get(&format!("/groups/{}", numbered["id"]))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn control_endpoints_require_an_administrator() {
    let gitlab = TestInstance::start().await;
    gitlab
        .anonymous()
        .get("/-/emulator/journal")
        .await
        .assert_status(401);
    let user = gitlab.user("ann").await;
    user.get("/-/emulator/journal").await.assert_status(401);
    gitlab
        .root()
        .get("/-/emulator/journal")
        .await
        .assert_status(200);
}

#[tokio::test]
async fn conditional_reads_return_304() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let first = root.get("/version").await.assert_status(200);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""));
    let again = root
        .send("GET", "/version", &[("if-none-match", &tag)], None)
        .await
        .assert_status(304);
    assert!(again.bytes.is_empty());
}

#[tokio::test]
async fn blocked_users_and_impersonation_are_refused() {
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    let root = gitlab.root();
    let token = json!({ "name": "as ann", "scopes": ["api"] });
    let path = format!("/users/{}/impersonation_tokens", user.id);
    let token = root.post(&path, token).await.created();
    let impersonated = gitlab.client(token["token"].as_str().unwrap());
    assert_eq!(impersonated.get("/user").await.ok()["username"], "ann");
    gitlab
        .emulator
        .update_switches(|switches| switches.impersonation_disabled = true);
    let refused = impersonated.get("/user").await.assert_status(401);
    assert_eq!(
        refused.json["error_description"],
        "Token is an impersonation token but impersonation was disabled."
    );
    root.post(&format!("/users/{}/block", user.id), json!({}))
        .await
        .created();
    user.get("/user").await.assert_status(403);
}

#[tokio::test]
async fn latency_delays_reads() {
    let gitlab = TestInstance::start().await;
    gitlab
        .emulator
        .update_switches(|switches| switches.latency_read = 80);
    let started = std::time::Instant::now();
    gitlab.root().get("/version").await.assert_status(200);
    assert!(started.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn settings_change_by_request() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    let body = "deletion_adjourned_period=7&admin_mode=false"
        .as_bytes()
        .to_vec();
    // In a form, numbers and flags are text.
    let request = json!({ "deletion_adjourned_period": "7", "default_branch_name": "trunk" });
    let changed = root.put("/application/settings", request).await.ok();
    assert_eq!(changed["deletion_adjourned_period"], 7);
    assert_eq!(changed["default_branch_name"], "trunk");
    root.put(
        "/application/settings",
        json!({ "deletion_adjourned_period": "x" }),
    )
    .await
    .assert_error(400, "deletion_adjourned_period is invalid");
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
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    let user = gitlab.user("ann").await;
    let path = format!("/namespaces/{}", group["id"]);
    user.get(&path)
        .await
        .assert_message(404, "404 Namespace Not Found");
    let own = user.get("/namespaces/ann").await.ok();
    assert_eq!(own["kind"], "user");
    let shown = gitlab.root().get(&path).await.ok();
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
