//! Rate limits, pagination and git over HTTP.

use std::path::Path;

use gitlab_emulator::domain::project_change::ProjectChange;
use gitlab_emulator::{Failure, Fault};
use serde_json::{Value, json};

use crate::support::{TestInstance, commits, creates, git_error, git_ok};

const HEADERS: [&str; 5] = [
    "ratelimit-name",
    "ratelimit-limit",
    "ratelimit-observed",
    "ratelimit-remaining",
    "ratelimit-reset",
];

async fn throttle(gitlab: &TestInstance, count: u64) {
    let settings = json!({
        "throttle_authenticated_api_enabled": true,
        "throttle_authenticated_api_requests_per_period": count,
        "throttle_authenticated_api_period_in_seconds": 3600,
    });
    gitlab
        .root()
        .put("/application/settings", settings)
        .await
        .ok();
}

#[tokio::test]
async fn s176_throttled_request_has_retry_after() {
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    throttle(&gitlab, 2).await;
    let mut refused = user.get("/user").await;
    for _ in 0..4 {
        refused = user.get("/user").await;
    }
    assert_eq!(
        (refused.status, refused.text.as_str()),
        (429, "Retry later\n")
    );
    assert_eq!(refused.header("content-type"), "text/plain");
    for name in HEADERS
        .into_iter()
        .chain(["ratelimit-resettime", "retry-after"])
    {
        assert!(!refused.header(name).is_empty(), "{name}");
    }
    assert_eq!(
        refused.header("ratelimit-name"),
        "throttle_authenticated_api"
    );
    assert_eq!(refused.header("ratelimit-remaining"), "0");
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=3600).contains(&wait));

    let fault = Fault {
        method: None,
        path: None,
        skip: 0,
        times: Some(1),
        after_effect: false,
        failure: Failure::Throttled { retry_after: 7 },
    };
    gitlab.emulator.inject_fault(fault).unwrap();
    let injected = gitlab.root().get("/user").await;
    assert_eq!(
        (injected.status, injected.header("retry-after")),
        (429, "7")
    );
}

#[tokio::test]
async fn s177_limited_endpoint_has_no_retry_after() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    root.put("/application/settings", json!({ "project_api_limit": 2 }))
        .await
        .ok();
    let path = format!("/projects/{}", project["id"]);
    let mut refused = root.get(&path).await;
    for _ in 0..4 {
        refused = root.get(&path).await;
    }
    let text = "This endpoint has been requested too many times. Try again later.";
    refused.assert_json(429, json!({ "message": { "error": text } }));
    assert_eq!(refused.header("retry-after"), "");
    root.put("/application/settings", json!({ "project_api_limit": 0 }))
        .await
        .ok();
    root.get(&path).await.assert_status(200);
}

#[tokio::test]
async fn s178_counted_requests_have_rate_limit_headers() {
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    let before = user.get("/user").await.assert_status(200);
    assert_eq!(before.header("ratelimit-limit"), "");
    throttle(&gitlab, 3600).await;
    let counted = user.get("/user").await.assert_status(200);
    for name in HEADERS {
        assert!(!counted.header(name).is_empty(), "{name}");
    }
    // The header reports an hourly limit per minute.
    assert_eq!(counted.header("ratelimit-limit"), "60");
    assert_eq!(counted.header("retry-after"), "");
}

#[tokio::test]
async fn s179_page_sizes_are_clamped() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let actions: Vec<Value> = (0..120).map(|n| creates(&format!("f{n}"), "1")).collect();
    root.commit(&project, "main", Value::Array(actions)).await;
    let tree = format!("/projects/{}/repository/tree", project["id"]);
    let size = |query: &str| {
        let (root, path) = (root.clone(), format!("{tree}?{query}"));
        async move { root.get(&path).await.ok().as_array().unwrap().len() }
    };
    assert_eq!(size("per_page=500").await, 100);
    assert_eq!(size("per_page=0").await, 20);
    assert_eq!(size("").await, 20);
    assert_eq!(size("per_page=100&page=2").await, 21);
}

#[tokio::test]
async fn s180_last_page_has_no_next() {
    let gitlab = TestInstance::start().await;
    let group = gitlab.group("platform").await;
    for name in ["a1", "b2", "c3"] {
        gitlab.project_in(&group, name, json!({})).await;
    }
    let root = gitlab.root();
    let path = format!("/groups/{}/projects?per_page=2", group["id"]);
    let first = root.get(&path).await.assert_status(200);
    assert_eq!(first.header("x-next-page"), "2");
    assert_eq!(first.header("x-prev-page"), "");
    assert_eq!(
        (first.header("x-total"), first.header("x-total-pages")),
        ("3", "2")
    );
    for relation in ["first", "last", "next"] {
        assert!(
            first
                .header("link")
                .contains(&format!("rel=\"{relation}\""))
        );
    }
    let last = root.get(&format!("{path}&page=2")).await.assert_status(200);
    assert_eq!(last.header("x-next-page"), "");
    assert_eq!(last.header("x-prev-page"), "1");
    assert!(!last.header("link").contains("rel=\"next\""));
    let keyset = "/projects/platform%2Fa1/members?pagination=keyset";
    root.get(keyset).await.assert_error(
        405,
        "Keyset pagination is not yet available for this type of request",
    );
}

#[tokio::test]
async fn s181_long_lists_have_no_total() {
    let gitlab = TestInstance::start().await;
    let root = gitlab.root();
    gitlab.emulator.seed(|state, now| {
        let root = state.users.find(|user| user.username == "root").unwrap();
        let (user, namespace) = (root.id, root.namespace.unwrap());
        for number in 0..10_001 {
            let change = ProjectChange {
                path: Some(format!("p{number}")),
                ..ProjectChange::default()
            };
            state.create_project(namespace, change, user, now).unwrap();
        }
    });
    let list = root
        .get("/projects?simple=true&per_page=1")
        .await
        .assert_status(200);
    assert_eq!(list.json.as_array().unwrap().len(), 1);
    assert_eq!(
        (list.header("x-total"), list.header("x-total-pages")),
        ("", "")
    );
    assert_eq!(list.header("x-next-page"), "2");
    assert!(!list.header("link").contains("rel=\"last\""));
    assert!(list.header("link").contains("rel=\"first\""));
}

#[tokio::test]
async fn s182_git_asks_for_credentials() {
    let gitlab = TestInstance::start().await;
    gitlab.project().await;
    let path = "/api/../platform/app.git/info/refs?service=git-upload-pack";
    let url = path.trim_start_matches("/api/..");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client
        .get(format!("{}{url}", gitlab.emulator.url))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 401);
    assert_eq!(
        response.headers()["www-authenticate"],
        "Basic realm=\"GitLab\""
    );
    assert!(
        response
            .text()
            .await
            .unwrap()
            .starts_with("HTTP Basic: Access denied.")
    );
}

#[tokio::test]
async fn s183_git_hides_projects_from_non_members() {
    let gitlab = TestInstance::start().await;
    gitlab.project().await;
    let user = gitlab.user("ann").await;
    let folder = tempfile::tempdir().unwrap();
    for path in ["platform/app", "platform/nothing"] {
        let url = gitlab.git_url("ann", &user.token, path);
        let said = git_error(folder.path(), &["clone", "-q", &url, "copy"]).await;
        assert!(
            said.contains("The project you were looking for could not be found or you don't have permission to view it."),
            "{said}"
        );
    }
}

async fn clone(gitlab: &TestInstance, user: &str, token: &str, folder: &Path) {
    let url = gitlab.git_url(user, token, "platform/app");
    git_ok(folder, &["clone", "-q", &url, "."]).await;
}

#[tokio::test]
async fn s184_read_repository_token_may_not_push() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let maintainer = gitlab.member("ann", &project, 40).await;
    let reader = gitlab
        .create_token(maintainer.id, &["read_repository"])
        .await;
    let folder = tempfile::tempdir().unwrap();
    clone(&gitlab, "ann", &reader.token, folder.path()).await;
    git_ok(
        folder.path(),
        &["commit", "-q", "--allow-empty", "-m", "more"],
    )
    .await;
    let said = git_error(folder.path(), &["push", "-q"]).await;
    assert!(
        said.contains("You are not allowed to upload code."),
        "{said}"
    );
}

#[tokio::test]
async fn s185_any_user_name_works_with_a_token() {
    let gitlab = TestInstance::start().await;
    gitlab.project().await;
    for user in ["oauth2", "anything", "root"] {
        let folder = tempfile::tempdir().unwrap();
        clone(&gitlab, user, &gitlab.emulator.root_token, folder.path()).await;
        assert!(folder.path().join("README.md").exists());
    }
    let folder = tempfile::tempdir().unwrap();
    let url = gitlab.git_url("root", "wrong", "platform/app");
    git_error(folder.path(), &["clone", "-q", &url, "."]).await;
}

#[tokio::test]
async fn s186_git_denies_head_requests() {
    let gitlab = TestInstance::start().await;
    gitlab.project().await;
    let url = format!(
        "{}/platform/app.git/info/refs?service=git-upload-pack",
        gitlab.emulator.url
    );
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.head(url).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 403);
    assert_eq!(response.text().await.unwrap(), "");
}

#[tokio::test]
async fn s187_push_to_a_protected_branch_is_declined() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let developer = gitlab.member("ann", &project, 30).await;
    let folder = tempfile::tempdir().unwrap();
    clone(&gitlab, "ann", &developer.token, folder.path()).await;
    git_ok(
        folder.path(),
        &["commit", "-q", "--allow-empty", "-m", "more"],
    )
    .await;
    let said = git_error(folder.path(), &["push"]).await;
    assert!(
        said.contains("remote: GitLab: You are not allowed to push code to protected branches on this project."),
        "{said}"
    );
    assert!(
        said.contains("! [remote rejected] main -> main (pre-receive hook declined)"),
        "{said}"
    );
    git_ok(folder.path(), &["push", "-q", "origin", "HEAD:feature"]).await;
}

#[tokio::test]
async fn s188_stale_push_changes_nothing() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let folder = tempfile::tempdir().unwrap();
    clone(&gitlab, "root", &root.token, folder.path()).await;
    git_ok(
        folder.path(),
        &["commit", "-q", "--allow-empty", "-m", "mine"],
    )
    .await;
    let other_commit = root
        .commit(&project, "main", json!([creates("a", "1")]))
        .await;
    let said = git_error(folder.path(), &["push"]).await;
    assert!(
        said.contains("! [rejected]") && said.contains("fetch first"),
        "{said}"
    );
    let head = root.get(&format!("{}/main", commits(&project))).await.ok();
    assert_eq!(head["id"], other_commit["id"]);
    let mine = git_ok(folder.path(), &["rev-parse", "HEAD"]).await;
    root.get(&format!("{}/{}", commits(&project), mine.trim()))
        .await
        .assert_status(404);
    let forced = git_error(folder.path(), &["push", "--force"]).await;
    assert!(
        forced.contains("You are not allowed to force push code to a protected branch"),
        "{forced}"
    );
    // Objects of a refused push are discarded.
    root.get(&format!("{}/{}", commits(&project), mine.trim()))
        .await
        .assert_status(404);
}

#[tokio::test]
async fn s189_pushed_branch_is_shown_immediately_by_default() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let folder = tempfile::tempdir().unwrap();
    clone(&gitlab, "root", &root.token, folder.path()).await;
    let branch = format!("/projects/{}/repository/branches/main", project["id"]);
    let shown = || async { root.get(&branch).await.ok()["commit"]["id"].clone() };
    git_ok(
        folder.path(),
        &["commit", "-q", "--allow-empty", "-m", "one"],
    )
    .await;
    git_ok(folder.path(), &["push", "-q"]).await;
    let one = git_ok(folder.path(), &["rev-parse", "HEAD"]).await;
    assert_eq!(shown().await, one.trim());
    gitlab
        .emulator
        .update_switches(|switches| switches.branch_delay = 60_000);
    git_ok(
        folder.path(),
        &["commit", "-q", "--allow-empty", "-m", "two"],
    )
    .await;
    git_ok(folder.path(), &["push", "-q"]).await;
    let two = git_ok(folder.path(), &["rev-parse", "HEAD"]).await;
    assert_eq!(shown().await, one.trim());
    gitlab
        .emulator
        .advance_clock(std::time::Duration::from_secs(61));
    assert_eq!(shown().await, two.trim());
}

#[tokio::test]
async fn s190_shallow_and_partial_clones_work() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    for n in 0..5 {
        root.commit(&project, "main", json!([creates(&format!("f{n}"), "1")]))
            .await;
    }
    let url = gitlab.git_url("root", &root.token, "platform/app");
    let folder = tempfile::tempdir().unwrap();
    git_ok(
        folder.path(),
        &["clone", "-q", "--depth", "1", &url, "shallow"],
    )
    .await;
    let shallow = folder.path().join("shallow");
    assert_eq!(
        git_ok(&shallow, &["rev-list", "--count", "HEAD"])
            .await
            .trim(),
        "1"
    );
    git_ok(&shallow, &["fetch", "-q", "--unshallow"]).await;
    assert_eq!(
        git_ok(&shallow, &["rev-list", "--count", "HEAD"])
            .await
            .trim(),
        "6"
    );
    git_ok(
        folder.path(),
        &[
            "clone",
            "-q",
            "--filter=blob:none",
            "--no-checkout",
            &url,
            "partial",
        ],
    )
    .await;
    let partial = folder.path().join("partial");
    let missing = git_ok(
        &partial,
        &[
            "rev-list",
            "--objects",
            "--all",
            "--missing=print",
            "--filter=blob:none",
        ],
    );
    assert!(!missing.await.is_empty());
    git_ok(&partial, &["checkout", "-q", "main"]).await;
    assert!(partial.join("f4").exists());
    // The client used version 2 of the protocol.
    let journal = gitlab.emulator.journal();
    assert!(journal.iter().any(|entry| entry.route == "git-upload-pack"));
}

#[tokio::test]
async fn git_follows_renames_and_adds_the_suffix() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let folder = tempfile::tempdir().unwrap();
    clone(&gitlab, "root", &root.token, folder.path()).await;
    root.put(
        &format!("/projects/{}", project["id"]),
        json!({ "path": "renamed" }),
    )
    .await
    .ok();
    git_ok(folder.path(), &["fetch", "-q"]).await;
    git_ok(
        folder.path(),
        &["commit", "-q", "--allow-empty", "-m", "more"],
    )
    .await;
    git_ok(folder.path(), &["push", "-q"]).await;
    let plain = gitlab.git_url("root", &root.token, "platform/renamed");
    let plain = plain.trim_end_matches(".git");
    git_ok(folder.path(), &["ls-remote", plain]).await;
}

#[tokio::test]
async fn push_creates_a_project_if_the_user_may() {
    let gitlab = TestInstance::start().await;
    let user = gitlab.user("ann").await;
    let folder = tempfile::tempdir().unwrap();
    git_ok(folder.path(), &["init", "-q"]).await;
    git_ok(
        folder.path(),
        &["commit", "-q", "--allow-empty", "-m", "first"],
    )
    .await;
    let url = gitlab.git_url("ann", &user.token, "ann/made");
    git_ok(folder.path(), &["push", "-q", &url, "HEAD:trunk"]).await;
    let project = user.get("/projects/ann%2Fmade").await.ok();
    assert_eq!(
        (&project["default_branch"], &project["visibility"]),
        (&json!("trunk"), &json!("private"))
    );
    let other = gitlab.git_url("ann", &user.token, "root/made");
    git_error(folder.path(), &["push", "-q", &other, "HEAD:trunk"]).await;
}

#[tokio::test]
async fn public_projects_are_fetched_without_credentials() {
    let gitlab = TestInstance::start().await;
    let group = json!({ "name": "open", "path": "open", "visibility": "public" });
    let group = gitlab.root().post("/groups", group).await.created();
    let more = json!({ "visibility": "public", "initialize_with_readme": true });
    gitlab.project_in(&group, "app", more).await;
    let folder = tempfile::tempdir().unwrap();
    let url = gitlab.git_url("", "", "open/app");
    git_ok(folder.path(), &["clone", "-q", &url, "copy"]).await;
    let copy = folder.path().join("copy");
    git_ok(&copy, &["commit", "-q", "--allow-empty", "-m", "more"]).await;
    git_error(&copy, &["push", "-q"]).await;
}

#[tokio::test]
async fn large_pushes_arrive_complete() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let folder = tempfile::tempdir().unwrap();
    clone(&gitlab, "root", &root.token, folder.path()).await;
    // More than git sends in one chunk, and incompressible.
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
    .take(3 << 20)
    .collect();
    std::fs::write(folder.path().join("noise"), &noise).unwrap();
    git_ok(folder.path(), &["add", "noise"]).await;
    git_ok(folder.path(), &["commit", "-q", "-m", "noise"]).await;
    git_ok(folder.path(), &["push", "-q"]).await;
    let path = crate::support::file(&project, "noise");
    assert_eq!(
        root.get(&format!("{path}/raw"))
            .await
            .assert_status(200)
            .bytes,
        noise
    );
}
