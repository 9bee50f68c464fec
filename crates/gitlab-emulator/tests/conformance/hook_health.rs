//! Validation, deliveries and automatic disabling of webhooks.

use std::time::Duration;

use gitlab_emulator::domain::hook_health::AutoDisabling;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::support::{TestInstance, creates};

/// A project with a hook to a receiver.
struct HookTest {
    gitlab: TestInstance,
    receiver: Receiver,
    project: Value,
    /// The path of the hook.
    path: String,
    commits: u32,
}

impl HookTest {
    async fn start(rule: AutoDisabling) -> Self {
        let gitlab = TestInstance::start().await;
        gitlab
            .emulator
            .update_switches(|switches| switches.hook_auto_disabling = rule);
        let receiver = Receiver::start(&gitlab).await;
        let project = gitlab.project().await;
        let mut test = Self {
            gitlab,
            receiver,
            project,
            path: String::new(),
            commits: 0,
        };
        test.path = test.add_hook().await;
        test
    }

    /// Adds a hook and returns its path.
    async fn add_hook(&self) -> String {
        let hook = json!({ "url": self.receiver.url, "token": "first" });
        let created = self.gitlab.root().post(&self.hooks(), hook).await.created();
        format!("{}/{}", self.hooks(), created["id"])
    }

    fn hooks(&self) -> String {
        format!("/projects/{}/hooks", self.project["id"])
    }

    /// Creates a commit and returns the number of its deliveries.
    async fn trigger(&mut self) -> usize {
        self.commits += 1;
        let actions = json!([creates(&format!("file-{}", self.commits), "1")]);
        self.gitlab
            .root()
            .commit(&self.project, "main", actions)
            .await;
        self.receiver.take(&self.gitlab).await.len()
    }

    async fn trigger_failures(&mut self, status: u16, count: u32) {
        self.receiver.respond(status);
        for _ in 0..count {
            assert_eq!(self.trigger().await, 1);
        }
    }

    async fn hook(&self) -> Value {
        self.gitlab.root().get(&self.path).await.ok()
    }

    async fn assert_status(&self, status: &str) {
        assert_eq!(self.hook().await["alert_status"], status);
    }

    /// Moves the clock just behind the end of the temporary disabling, which lasts `minutes`.
    async fn wait_out(&self, minutes: u64) {
        let hook = self.hook().await;
        assert_eq!(hook["alert_status"], "temporarily_disabled");
        assert!(hook["disabled_until"].is_string());
        let end = Duration::from_secs(minutes * 60);
        self.gitlab.emulator.advance_clock(end / 2);
        self.assert_status("temporarily_disabled").await;
        self.gitlab.emulator.advance_clock(end / 2);
        self.gitlab.emulator.advance_clock(Duration::from_secs(1));
        self.assert_status("executable").await;
    }
}

#[tokio::test]
async fn s200_local_urls_are_refused_unless_allowed() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let root = gitlab.root();
    let hooks = format!("/projects/{}/hooks", project["id"]);
    let public = json!({ "url": "https://hooks.example.com" });
    let hook = root.post(&hooks, public).await.created();
    let path = format!("{hooks}/{}", hook["id"]);
    for url in [
        "http://localhost/x",
        "http://127.0.0.1:1",
        "http://10.1.2.3",
    ] {
        let hook = json!({ "url": url });
        root.post(&hooks, hook.clone())
            .await
            .assert_error(422, "Invalid url given");
        root.put(&path, hook)
            .await
            .assert_error(422, "Invalid url given");
    }
    let list = json!({ "outbound_local_requests_whitelist": ["10.0.0.0/8"] });
    root.put("/application/settings", list).await.ok();
    let local = json!({ "url": "http://10.1.2.3" });
    root.post(&hooks, local).await.created();
    let allow = json!({ "allow_local_requests_from_web_hooks_and_services": true });
    root.put("/application/settings", allow).await.ok();
    let local = json!({ "url": "http://127.0.0.1:1" });
    root.post(&hooks, local).await.created();
}

#[tokio::test]
async fn s201_invalid_branch_filter_is_refused() {
    let gitlab = TestInstance::start().await;
    let project = gitlab.project().await;
    let hooks = format!("/projects/{}/hooks", project["id"]);
    for (strategy, filter) in [("wildcard", "a..b*"), ("regex", "(")] {
        let hook = json!({
            "url": "https://hooks.example.com",
            "branch_filter_strategy": strategy, "push_events_branch_filter": filter,
        });
        gitlab
            .root()
            .post(&hooks, hook)
            .await
            .assert_error(422, "Invalid branch filter given");
    }
}

#[tokio::test]
async fn s202_update_without_attributes_is_refused() {
    let test = HookTest::start(AutoDisabling::Off).await;
    let root = test.gitlab.root();
    for nothing in [json!({}), json!({ "unknown": 1 })] {
        root.put(&test.path, nothing)
            .await
            .assert_error(400, "No parameters provided");
    }
    root.put(&test.path, json!({ "issues_events": true }))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn s203_changing_the_url_alone_clears_the_token() {
    let test = HookTest::start(AutoDisabling::Off).await;
    let root = test.gitlab.root();
    let (url, other) = (
        test.receiver.url.clone(),
        format!("{}/other", test.receiver.url),
    );
    let changes = [
        (json!({ "push_events": true }), Some("first")),
        (json!({ "url": url }), Some("first")),
        (json!({ "url": other }), None),
        (json!({ "url": url, "token": "second" }), Some("second")),
    ];
    for (number, (change, token)) in changes.into_iter().enumerate() {
        root.put(&test.path, change).await.ok();
        let actions = json!([creates(&format!("file-{number}"), "1")]);
        root.commit(&test.project, "main", actions).await;
        let received = test.receiver.take(&test.gitlab).await;
        let sent = received[0].0.get("x-gitlab-token");
        assert_eq!(sent.map(|token| token.to_str().unwrap()), token);
    }
}

#[tokio::test]
async fn s204_failing_hooks_stay_enabled_by_default() {
    let mut test = HookTest::start(AutoDisabling::Off).await;
    test.trigger_failures(500, 6).await;
    let hook = test.hook().await;
    assert_eq!(hook["alert_status"], "executable");
    assert_eq!(hook["disabled_until"], Value::Null);
}

#[tokio::test]
async fn s205_fourth_failure_disables_a_hook_temporarily() {
    let mut test = HookTest::start(AutoDisabling::Since1711).await;
    test.trigger_failures(404, 3).await;
    test.assert_status("executable").await;
    test.trigger_failures(404, 1).await;
    assert_eq!(test.trigger().await, 0);
    for minutes in [1, 2, 4] {
        test.wait_out(minutes).await;
        assert_eq!(test.trigger().await, 1);
    }
    test.assert_status("temporarily_disabled").await;
}

#[tokio::test]
async fn s206_success_resets_the_failures() {
    let mut test = HookTest::start(AutoDisabling::Since1711).await;
    test.trigger_failures(500, 3).await;
    test.receiver.respond(200);
    assert_eq!(test.trigger().await, 1);
    test.trigger_failures(500, 3).await;
    test.assert_status("executable").await;
}

#[tokio::test]
async fn s207_fortieth_failure_disables_a_hook_permanently() {
    let mut test = HookTest::start(AutoDisabling::Since1711).await;
    test.receiver.respond(500);
    for _ in 0..40 {
        assert_eq!(test.trigger().await, 1);
        let longest = Duration::from_secs(24 * 60 * 60 + 1);
        test.gitlab.emulator.advance_clock(longest);
    }
    let hook = test.hook().await;
    assert_eq!(hook["alert_status"], "disabled");
    assert_eq!(hook["disabled_until"], Value::Null);
    assert_eq!(test.trigger().await, 0);
}

#[tokio::test]
async fn s208_older_servers_disable_after_four_client_errors() {
    let mut test = HookTest::start(AutoDisabling::Until1710).await;
    test.trigger_failures(500, 4).await;
    test.assert_status("temporarily_disabled").await;
    let mut test = HookTest::start(AutoDisabling::Until1710).await;
    test.trigger_failures(404, 4).await;
    test.assert_status("disabled").await;
}

#[tokio::test]
async fn s209_update_does_not_enable_a_hook() {
    let mut test = HookTest::start(AutoDisabling::Since1711).await;
    test.trigger_failures(500, 4).await;
    let root = test.gitlab.root();
    let change = json!({ "url": test.receiver.url, "token": "new", "push_events": true });
    let changed = root.put(&test.path, change).await.ok();
    assert_eq!(changed["alert_status"], "temporarily_disabled");
    root.delete(&test.path).await.assert_status(204);
    test.path = test.add_hook().await;
    test.assert_status("executable").await;
}

#[tokio::test]
async fn s210_test_reaches_disabled_hooks_and_enables_them() {
    let mut test = HookTest::start(AutoDisabling::Since1711).await;
    test.trigger_failures(500, 4).await;
    let root = test.gitlab.root();
    let trigger = format!("{}/test/push_events", test.path);
    test.receiver.respond(400);
    root.post(&trigger, json!({}))
        .await
        .assert_message(422, "the receiver's text");
    test.assert_status("temporarily_disabled").await;
    test.receiver.respond(200);
    root.post(&trigger, json!({})).await.created();
    assert_eq!(test.receiver.take(&test.gitlab).await.len(), 2);
    test.assert_status("executable").await;
    for _ in 0..3 {
        root.post(&trigger, json!({})).await.created();
    }
    root.post(&trigger, json!({})).await.assert_status(429);
}

#[tokio::test]
async fn s211_deliveries_are_listed_by_status_and_can_be_resent() {
    let mut test = HookTest::start(AutoDisabling::Off).await;
    let root = test.gitlab.root();
    assert_eq!(test.trigger().await, 1);
    test.receiver.respond(400);
    root.commit(&test.project, "main", json!([creates("refused", "1")]))
        .await;
    let (first, body) = test.receiver.take(&test.gitlab).await.remove(0);
    let events = format!("{}/events", test.path);
    let refused = root
        .get(&format!("{events}?status=client_failure"))
        .await
        .ok();
    assert_eq!(refused.as_array().unwrap().len(), 1);
    assert_eq!(refused[0]["request_data"], body);
    assert_eq!(refused[0]["response_status"], "400");
    assert_eq!(refused[0]["trigger"], "push_hooks");
    assert_eq!(
        refused[0]["request_headers"]["x-gitlab-token"],
        "[REDACTED]"
    );
    let successful = root.get(&format!("{events}?status=successful")).await.ok();
    assert_eq!(successful[0]["response_status"], "200");
    root.get(&format!("{events}?per_page=21"))
        .await
        .assert_error(400, "per_page does not have a valid value");

    root.put(&test.path, json!({ "token": "second" }))
        .await
        .ok();
    test.receiver.respond(200);
    let resend = format!("{events}/{}/resend", refused[0]["id"]);
    root.post(&resend, json!({})).await.created();
    let (again, same_body) = test.receiver.take(&test.gitlab).await.remove(0);
    assert_eq!(same_body, body);
    assert_eq!(again["idempotency-key"], first["idempotency-key"]);
    assert_eq!(again["x-gitlab-token"], "second");
}

#[tokio::test]
async fn s212_resend_requires_an_unchanged_url_and_an_enabled_hook() {
    let mut test = HookTest::start(AutoDisabling::Since1711).await;
    let root = test.gitlab.root();
    test.trigger_failures(500, 4).await;
    let events = root.get(&format!("{}/events", test.path)).await.ok();
    let resend = format!("{}/events/{}/resend", test.path, events[0]["id"]);
    root.post(&resend, json!({}))
        .await
        .assert_message(422, "Hook disabled");
    let other = json!({ "url": format!("{}/other", test.receiver.url) });
    root.put(&test.path, other).await.ok();
    root.post(&resend, json!({})).await.assert_message(
        422,
        "The hook URL has changed, and this log entry cannot be retried",
    );
}

#[tokio::test]
async fn s213_failed_deliveries_are_not_repeated() {
    let mut test = HookTest::start(AutoDisabling::Off).await;
    test.trigger_failures(500, 1).await;
    test.gitlab
        .emulator
        .advance_clock(Duration::from_secs(3600));
    assert!(test.receiver.take(&test.gitlab).await.is_empty());
    let root = test.gitlab.root();
    let events = root.get(&format!("{}/events", test.path)).await.ok();
    assert_eq!(events.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn s214_deleting_a_branch_is_a_push_event() {
    let test = HookTest::start(AutoDisabling::Off).await;
    let root = test.gitlab.root();
    let branches = format!("/projects/{}/repository/branches", test.project["id"]);
    let branch = json!({ "branch": "old", "ref": "main" });
    let created = root.post(&branches, branch).await.created();
    test.receiver.take(&test.gitlab).await;
    root.delete(&format!("{branches}/old"))
        .await
        .assert_status(204);
    let received = test.receiver.take(&test.gitlab).await;
    let (headers, body) = &received[0];
    assert_eq!(headers["x-gitlab-event"], "Push Hook");
    assert_eq!(body["before"], created["commit"]["id"]);
    assert_eq!(body["after"], "0".repeat(40));
    assert_eq!(body["checkout_sha"], Value::Null);
}
