//! How calls behave against a server that gives prepared answers.

use std::error::Error as _;
use std::time::{Duration, Instant};

use super::super::*;
use super::scripted::{Answer, ScriptedServer, answer, client};
use crate::backends::http::tests::bind_without_listening;
use crate::backends::http::{ConnectFailure, RateLimit, TransportError};

const GROUP: &str = r#"{"id":7,"name":"Shop","path":"shop","full_path":"shop","parent_id":null,
    "visibility":"private","created_at":"2026-01-02T03:04:05.678Z","web_url":"http://localhost/groups/shop","a_field_of_next_year":1}"#;
const PROJECT: &str = r#"{"id":9,"name":"a","path":"a","path_with_namespace":"shop/a",
    "visibility":"private","created_at":"2026-01-02T03:04:05.678Z","web_url":"http://localhost/shop/a",
    "http_url_to_repo":"http://localhost/shop/a.git","ssh_url_to_repo":"git@localhost:shop/a.git",
    "namespace":{"id":7,"kind":"group","full_path":"shop"}}"#;

fn new_group() -> NewGroup {
    NewGroup {
        name: "Shop".into(),
        path: "shop".into(),
        parent_id: None,
        description: "[terraform: unfinished] x".into(),
        visibility: Visibility::Private,
    }
}

#[tokio::test]
async fn the_token_goes_in_a_header_and_paths_are_encoded() {
    let subgroup = GROUP.replace(r#""full_path":"shop""#, r#""full_path":"acme/shop""#);
    let server = ScriptedServer::start([answer(200, &[], &subgroup)]).await;
    let group = server.client().group("acme/shop").await.unwrap();
    assert_eq!(group.id, 7);
    let seen = server.seen();
    assert_eq!(
        seen[0].target,
        "/api/v4/groups/acme%2Fshop?with_projects=false"
    );
    assert_eq!(seen[0].authorization, "Bearer glpat-s3cr3t");
}

#[tokio::test]
async fn a_read_is_repeated_when_the_server_fails_and_when_the_connection_breaks() {
    let answers = [
        answer(502, &[], "<title>502</title>"),
        Answer::Hang,
        answer(200, &[], GROUP),
    ];
    let server = ScriptedServer::start(answers).await;
    server.client().group(7).await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

fn methods(server: &ScriptedServer) -> Vec<String> {
    let seen = server.seen().into_iter();
    seen.map(|seen| seen.method).collect()
}

#[tokio::test]
async fn a_creation_is_not_repeated_when_something_is_there_or_nothing_is_known() {
    for looked_up in [answer(200, &[], GROUP), answer(403, &[], "{}")] {
        for unknown in [answer(503, &[], "{}"), Answer::Hang] {
            let looked_up = looked_up.clone();
            let server = ScriptedServer::start([unknown, looked_up, answer(201, &[], GROUP)]).await;
            let outcome = server.client().create_group(&new_group()).await;
            let error = outcome.unwrap_err();
            assert!(error.may_have_happened(), "{error}");
            assert_eq!(methods(&server), ["POST", "GET"]);
        }
    }
}

#[tokio::test]
async fn a_creation_is_repeated_when_nothing_is_there() {
    for unknown in [answer(503, &[], "{}"), Answer::Hang] {
        let absent = answer(404, &[], "{}");
        let server = ScriptedServer::start([unknown, absent, answer(201, &[], GROUP)]).await;
        server.client().create_group(&new_group()).await.unwrap();
        assert_eq!(methods(&server), ["POST", "GET", "POST"]);
    }
}

#[tokio::test]
async fn a_creation_that_never_succeeds_ends() {
    let fails = || [answer(500, &[], "{}"), answer(404, &[], "{}")];
    let answers = (0..20).flat_map(|_| fails());
    let server = ScriptedServer::start(answers).await;
    let outcome = server.client().create_group(&new_group()).await;
    assert!(outcome.unwrap_err().may_have_happened());
    assert_eq!(methods(&server).len(), 9, "the first one and four more");
}

#[tokio::test]
async fn a_limited_creation_waits_and_is_repeated() {
    let answers = [
        answer(429, &[("retry-after", "1")], "Retry later\n"),
        answer(201, &[], GROUP),
    ];
    let server = ScriptedServer::start(answers).await;
    let started = Instant::now();
    server.client().create_group(&new_group()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn all_calls_of_a_client_wait_when_one_is_throttled() {
    let answers = [
        answer(429, &[("retry-after", "1")], "Retry later\n"),
        answer(200, &[], GROUP),
        answer(200, &[], GROUP),
    ];
    let server = ScriptedServer::start(answers).await;
    let gitlab = server.client();
    let started = Instant::now();
    let first = tokio::spawn({
        let gitlab = gitlab.clone();
        async move { gitlab.group(7).await }
    });
    while server.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    gitlab.group(8).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_limited_archive_fails_at_once() {
    let limited = r#"{"message":{"error":"This archive has been requested too many times."}}"#;
    let server = ScriptedServer::start([answer(429, &[], limited)]).await;
    let error = server.client().archive(9, "c0ffee").await.unwrap_err();
    assert_eq!(
        *error.kind(),
        Kind::Transport(TransportError::Limited {
            limit: RateLimit::Route,
            wait: None,
        })
    );
}

#[tokio::test]
async fn an_unreachable_host_is_retried_and_then_named() {
    let closed = bind_without_listening();
    let url = format!("http://{}", closed.local_addr().unwrap());
    let gitlab = client(&url);
    let started = Instant::now();
    let error = gitlab.create_group(&new_group()).await.unwrap_err();
    let refused = TransportError::Unreachable {
        reason: ConnectFailure::Refused,
    };
    assert_eq!(error.transport().map(TransportError::cause), Some(&refused));
    assert!(error.to_string().contains(&url), "{error}");
    assert!(error.source().is_some());
    assert!(started.elapsed() < Duration::from_secs(1));
    for _ in 0..20 {
        gitlab.group(7).await.unwrap_err();
    }
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "later calls do not begin anew"
    );
}

#[tokio::test]
async fn nothing_is_found_by_the_former_path_of_a_project() {
    let moved = answer(301, &[("location", "/api/v4/projects/9")], "moved");
    let server = ScriptedServer::start([moved]).await;
    let error = server.client().project("shop/old").await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_with_another_path_than_the_one_asked_for_is_no_answer() {
    let server = ScriptedServer::start([answer(200, &[], GROUP), answer(200, &[], PROJECT)]).await;
    let gitlab = server.client();
    let error = gitlab.group("2024").await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    let text = error
        .field_errors()
        .first()
        .map(|found| found.text.as_str());
    assert_eq!(text, Some("GitLab answered with shop when asked for 2024"));
    let error = gitlab.project("shop/b").await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test]
async fn no_redirection_leads_to_another_host_or_moves_a_write() {
    let elsewhere = "http://elsewhere.example.com/api/v4/projects/9";
    let server = ScriptedServer::start([
        answer(301, &[("location", elsewhere)], ""),
        answer(301, &[("location", "/api/v4/projects/9")], ""),
    ])
    .await;
    let gitlab = server.client();
    let error = gitlab.project(9).await.unwrap_err();
    assert_eq!(
        *error.kind(),
        Kind::Transport(TransportError::Redirected {
            location: Some(elsewhere.into())
        })
    );
    let error = gitlab
        .edit_project(9, &ProjectChange::default())
        .await
        .unwrap_err();
    let redirected = matches!(error.transport(), Some(TransportError::Redirected { .. }));
    assert!(redirected, "{error}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_error_names_call_request_and_parameters_but_no_secret() {
    let body = r#"{"message":"Failed to save group {:path=>[\"has already been taken\"]}"}"#;
    let refused = answer(400, &[("x-request-id", "01J")], body);
    let server = ScriptedServer::start([refused]).await;
    let error = server
        .client()
        .create_group(&new_group())
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), Kind::Taken);
    assert_eq!(error.call().request_id.as_deref(), Some("01J"));
    assert_eq!(error.field_errors()[0].field.as_deref(), Some("path"));
    let text = format!(
        "{error} {} {error:?} {:?}",
        error.source().unwrap(),
        server.client()
    );
    assert!(
        text.contains("POST") && text.contains("/api/v4/groups"),
        "{text}"
    );
    assert!(!text.contains("s3cr3t"), "{text}");
}

#[tokio::test]
async fn an_answer_of_unexpected_form_is_an_error_of_its_own() {
    let server = ScriptedServer::start([
        answer(200, &[], r#"{"id":"seven"}"#),
        answer(200, &[], "<html>Sign in</html>"),
    ])
    .await;
    let gitlab = server.client();
    for _ in 0..2 {
        let error = gitlab.group(7).await.unwrap_err();
        assert_eq!(*error.kind(), TransportError::UnexpectedBody.into());
    }
}

#[tokio::test]
async fn all_pages_of_a_list_are_read_in_order_and_no_more() {
    let page = |first: u64, entries: u64| {
        let names: Vec<String> = (first..first + entries)
            .map(|n| format!(r#"{{"name":"v{n}"}}"#))
            .collect();
        format!("[{}]", names.join(","))
    };
    let server = ScriptedServer::start([
        answer(200, &[("x-total-pages", "2")], &page(0, 100)),
        answer(200, &[], &page(100, 100)),
    ])
    .await;
    let tags = server.client().tags(9).await.unwrap();
    assert_eq!(tags.len(), 200);
    assert_eq!(tags[199].name, "v199");
    assert_eq!(server.seen().len(), 2);

    let server = ScriptedServer::start([
        answer(200, &[], &page(0, 100)),
        answer(200, &[], &page(100, 1)),
    ])
    .await;
    assert_eq!(server.client().tags(9).await.unwrap().len(), 101);
}

#[tokio::test]
async fn a_tree_comes_in_pages_where_it_cannot_come_whole() {
    let entry = r#"[{"id":"b10b","type":"blob","path":"README.md","mode":"100644"}]"#;
    let server = ScriptedServer::start([
        answer(
            400,
            &[],
            r#"{"error":"pagination does not have a valid value"}"#,
        ),
        answer(200, &[("x-total-pages", "1")], entry),
    ])
    .await;
    let tree = server.client().tree(9, "c0ffee").await.unwrap();
    assert_eq!(tree[0].path, "README.md");
    assert_eq!(tree[0].entry_type, EntryType::Blob);
}

#[tokio::test]
async fn a_missing_branch_is_no_head_and_a_missing_project_is_an_error() {
    let server = ScriptedServer::start([
        answer(404, &[], r#"{"message":"404 Branch Not Found"}"#),
        answer(404, &[], r#"{"message":"404 Project Not Found"}"#),
    ])
    .await;
    let gitlab = server.client();
    assert_eq!(gitlab.head(9, "main").await.unwrap(), None);
    assert!(gitlab.head(9, "main").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_used_up_limit_makes_the_next_call_wait() {
    let now = std::time::SystemTime::now();
    let reset = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 1;
    let headers = [
        ("date", httpdate::fmt_http_date(now)),
        ("ratelimit-remaining", "0".to_owned()),
        ("ratelimit-reset", reset.to_string()),
    ];
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let server =
        ScriptedServer::start([answer(200, &headers, GROUP), answer(200, &[], GROUP)]).await;
    let gitlab = server.client();
    gitlab.group(7).await.unwrap();
    let started = Instant::now();
    gitlab.group(7).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(900));
}

#[tokio::test]
async fn a_call_does_not_wait_for_a_limit_that_ends_after_its_time() {
    let used_up = [
        ("date", "Thu, 01 Jan 1970 00:01:00 GMT"),
        ("ratelimit-reset", "180"),
        ("ratelimit-remaining", "0"),
    ];
    let server = ScriptedServer::start([answer(200, &used_up, GROUP)]).await;
    let gitlab = server.client();
    gitlab.group(7).await.unwrap();
    let started = Instant::now();
    let error = gitlab.group(7).await.unwrap_err();
    let limited = error.transport();
    assert!(
        matches!(limited, Some(TransportError::Limited { wait: Some(wait), limit: RateLimit::AllCalls }) if wait.as_secs() > 100)
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn throttled_attempts_use_up_no_retries_of_failed_ones() {
    let throttled = || answer(429, &[], "Retry later\n");
    let failed = || answer(502, &[], "{}");
    let mut answers = vec![failed(), failed()];
    answers.extend((0..6).map(|_| throttled()));
    answers.extend([failed(), failed(), answer(200, &[], GROUP)]);
    let server = ScriptedServer::start(answers).await;
    server.client().group(7).await.unwrap();
    assert_eq!(server.seen().len(), 11);
}

#[tokio::test]
async fn a_used_up_limit_holds_back_the_calls_that_it_counts_and_no_others() {
    let used_up = [
        ("date", "Thu, 01 Jan 1970 00:01:00 GMT"),
        ("ratelimit-name", "throttle_authenticated_files_api"),
        ("ratelimit-reset", "180"),
        ("ratelimit-remaining", "0"),
    ];
    let archive = answer(200, &used_up, "archive");
    let server = ScriptedServer::start([archive, answer(200, &[], GROUP)]).await;
    let gitlab = server.client();
    gitlab.archive(9, "c0ffee").await.unwrap();
    // A call that had to wait for two minutes would fail.
    gitlab.group(7).await.unwrap();
    let error = gitlab.archive(9, "c0ffee").await.unwrap_err();
    let limit = RateLimit::Named("throttle_authenticated_files_api".to_owned());
    let limited = error.transport();
    assert!(
        matches!(limited, Some(TransportError::Limited { limit: of, .. }) if *of == limit),
        "{error}"
    );
    assert_eq!(server.seen().len(), 2, "the second archive is not sent");
}

#[tokio::test]
async fn a_change_that_is_refused_after_a_failure_may_have_happened() {
    let refused = answer(400, &[], r#"{"message":"no"}"#);
    let server = ScriptedServer::start([answer(502, &[], "{}"), refused.clone(), refused]).await;
    let gitlab = server.client();
    let change = ProjectChange::default();
    let error = gitlab.edit_project(9, &change).await.unwrap_err();
    assert_eq!(*error.kind(), Kind::Invalid);
    assert!(error.may_have_happened());
    let error = gitlab.edit_project(9, &change).await.unwrap_err();
    assert!(!error.may_have_happened());
}

#[tokio::test]
async fn a_forbidden_group_creation_says_whether_it_was_at_the_top_level() {
    for (parent_id, top_level) in [(None, true), (Some(7), false)] {
        let forbidden = answer(403, &[], r#"{"message":"403 Forbidden"}"#);
        let server = ScriptedServer::start([forbidden]).await;
        let new = NewGroup {
            parent_id,
            ..new_group()
        };
        let error = server.client().create_group(&new).await.unwrap_err();
        let reason = ForbiddenReason::CreateGroup { top_level };
        assert_eq!(*error.kind(), Kind::Forbidden { reason });
    }
}

#[tokio::test]
async fn a_huge_archive_is_not_read_to_its_end() {
    let huge = "x".repeat(9 << 20);
    let server = ScriptedServer::start([answer(200, &[], &huge)]).await;
    let error = server.client().archive(9, "c0ffee").await.unwrap_err();
    assert_eq!(*error.kind(), TransportError::TooLarge.into());
    assert_eq!(server.seen().len(), 1, "it is not requested again");
}
