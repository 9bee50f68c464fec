//! What is logged, and what is not.

use http::Method;
use serde_json::json;
use tracing::Level;

use super::super::json_endpoint::JsonEndpoint;
use super::scripted::{ScriptedServer, answer};
use crate::backends::http::tests::Log;

const USER: &str = r#"{"id":7,"username":"root"}"#;

/// Makes calls and collects what they log.
fn log_of<T>(calls: impl Future<Output = T>) -> (T, Log) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let log = Log::default();
    let outcome = log.during(|| runtime.unwrap().block_on(calls));
    (outcome, log)
}

#[test]
fn a_call_is_one_debug_line_and_a_retry_and_a_throttling_warn_with_reason_and_wait() {
    let (user, log) = log_of(async {
        let server = ScriptedServer::start([
            answer(502, &[], "{}"),
            answer(429, &[("retry-after", "1")], "Retry later\n"),
            answer(200, &[], USER),
        ]);
        server.await.client().current_user().await
    });
    user.unwrap();
    let lines = log.lines(Level::DEBUG);
    let calls: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("gitlab call"))
        .collect();
    let [call] = &calls[..] else {
        panic!("{calls:?}")
    };
    for part in [
        "method=GET",
        "path=\"/api/v4/user\"",
        "status=200",
        "attempts=3",
    ] {
        assert!(call.contains(part), "{call}");
    }
    let warnings = log.lines(Level::WARN);
    let [retry, throttling] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    assert!(retry.contains("502") && retry.contains("wait="), "{retry}");
    assert!(throttling.contains("wait=1s"), "{throttling}");
    assert!(throttling.contains("AllCalls"), "{throttling}");
}

#[test]
fn neither_a_body_nor_a_token_is_printed_by_anything() {
    let (printed, log) = log_of(async {
        let body = r#"{"id":"s3cr3t","token":"s3cr3t"}"#;
        let server = ScriptedServer::start([answer(201, &[], body)]).await;
        let gitlab = server.client();
        let body = json!({ "name": "a", "token": "s3cr3t" });
        let endpoint = JsonEndpoint::post("projects/7/access_tokens".to_owned(), body);
        let error = gitlab.query::<u64>(&endpoint).await.unwrap_err();
        assert_eq!(error.call().method, Method::POST);
        format!(
            "{gitlab:?} {error:?} {}",
            crate::error_chain::error_chain(&error)
        )
    });
    let log = log.text();
    assert!(log.contains("gitlab call"), "nothing was logged");
    for text in [log, printed] {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}
