//! Injected faults: wrong, late and missing responses.

use std::time::{Duration, Instant};

use gitlab_emulator::{Emulator, Failure, Fault};
use reqwest::{Client, Response};
use serde_json::{Value, json};

fn fault(failure: Failure, after_effect: bool) -> Fault {
    Fault {
        method: Some("POST".to_owned()),
        path: Some("^/api/v4/groups$".to_owned()),
        skip: 0,
        times: Some(1),
        after_effect,
        failure,
    }
}

struct TestInstance {
    emulator: Emulator,
    http: Client,
}

impl TestInstance {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let emulator = Emulator::builder().start().await.unwrap();
        let http = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(2))
            .build()
            .unwrap();
        Self { emulator, http }
    }

    async fn create_group(&self) -> reqwest::Result<Response> {
        self.http
            .post(format!("{}/api/v4/groups", self.emulator.url))
            .header("PRIVATE-TOKEN", &self.emulator.root_token)
            .json(&json!({ "name": "platform", "path": "platform" }))
            .send()
            .await
    }

    async fn has_group(&self) -> bool {
        let request = self
            .http
            .get(format!("{}/api/v4/groups/platform", self.emulator.url));
        let request = request.header("PRIVATE-TOKEN", &self.emulator.root_token);
        request.send().await.unwrap().status().is_success()
    }
}

#[tokio::test]
async fn response_is_lost_before_or_after_the_effect() {
    for after_effect in [false, true] {
        for failure in [
            Failure::Drop,
            Failure::Respond {
                status: 502,
                body: None,
            },
        ] {
            let gitlab = TestInstance::start().await;
            gitlab
                .emulator
                .inject_fault(fault(failure.clone(), after_effect))
                .unwrap();
            let response = gitlab.create_group().await;
            match failure {
                Failure::Drop => assert!(response.is_err()),
                _ => assert_eq!(response.unwrap().status().as_u16(), 502),
            }
            assert_eq!(gitlab.has_group().await, after_effect, "{failure:?}");
            assert!(gitlab.emulator.pending_faults().is_empty());
        }
    }
}

#[tokio::test]
async fn response_is_delayed_or_never_sent() {
    let gitlab = TestInstance::start().await;
    let late = Failure::Hang { millis: Some(300) };
    gitlab.emulator.inject_fault(fault(late, false)).unwrap();
    let started = Instant::now();
    let response = gitlab.create_group().await.unwrap();
    assert_eq!(response.status().as_u16(), 201);
    assert!(started.elapsed() >= Duration::from_millis(300));

    let gitlab = TestInstance::start().await;
    gitlab
        .emulator
        .inject_fault(fault(Failure::Hang { millis: None }, false))
        .unwrap();
    assert!(gitlab.create_group().await.unwrap_err().is_timeout());
    assert!(!gitlab.has_group().await);
}

#[tokio::test]
async fn faults_skip_and_end_as_configured() {
    let gitlab = TestInstance::start().await;
    let mut wanted = fault(Failure::Limited, false);
    (wanted.skip, wanted.times) = (1, Some(2));
    gitlab.emulator.inject_fault(wanted).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(gitlab.create_group().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [201, 429, 429, 400]);
    gitlab
        .emulator
        .inject_fault(fault(Failure::ResourceLock, false))
        .unwrap();
    gitlab.emulator.clear_faults();
    assert_eq!(gitlab.create_group().await.unwrap().status().as_u16(), 400);
}

#[tokio::test]
async fn faults_and_clock_are_controlled_over_http() {
    let gitlab = TestInstance::start().await;
    let call = |method: reqwest::Method, path: &str| {
        let url = format!("{}/-/emulator/{path}", gitlab.emulator.url);
        gitlab
            .http
            .request(method, url)
            .bearer_auth(&gitlab.emulator.root_token)
    };
    let wanted = json!({ "path": "(", "failure": "drop" });
    let refused = call(reqwest::Method::POST, "faults")
        .json(&wanted)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status().as_u16(), 400);
    let wanted =
        json!({ "path": "/groups", "times": 1, "failure": { "respond": { "status": 500 } } });
    call(reqwest::Method::POST, "faults")
        .json(&wanted)
        .send()
        .await
        .unwrap();
    let waiting: Value = call(reqwest::Method::GET, "faults")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(waiting[0]["failure"]["respond"]["status"], 500);
    assert_eq!(gitlab.create_group().await.unwrap().status().as_u16(), 500);

    let advance = json!({ "advance_seconds": 86_400 });
    let now: Value = call(reqwest::Method::POST, "clock")
        .json(&advance)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(now["now"].as_str().unwrap().ends_with('Z'));
    let switches = json!({ "hash_style": "label", "texts": { "none_of": "nothing" } });
    let changed: Value = call(reqwest::Method::PUT, "switches")
        .json(&switches)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(changed["hash_style"], "label");
    assert_eq!(changed["texts"]["none_of"], "nothing");
    assert_eq!(changed["texts"]["unknown_namespace"], "is not valid");
    let unknown = json!({ "no_such_switch": 1 });
    let refused = call(reqwest::Method::PUT, "switches")
        .json(&unknown)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status().as_u16(), 400);
}
