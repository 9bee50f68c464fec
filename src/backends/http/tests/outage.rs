//! What a server that does not answer costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::join_all;
use http::Method;
use tokio::net::TcpListener;

use super::{accept, client, limits, request};
use crate::backends::http::{ConnectFailure, Error, HttpClient, Limits, TransportError};
use crate::error_chain::error_chain;

const CALLS: usize = 50;

/// No call is let through the open circuit.
fn without_probes() -> Limits {
    Limits {
        probe_interval: Duration::from_secs(3600),
        ..limits()
    }
}

/// Makes calls at once, then as many one after the other, and returns their errors.
async fn fail_often(client: &HttpClient, url: &str) -> Vec<Error<TransportError>> {
    let calls = (0..CALLS).map(|_| async { call(client, url, Method::GET).await });
    let mut errors = join_all(calls).await;
    for _ in 0..CALLS {
        errors.push(call(client, url, Method::GET).await);
    }
    errors
}

async fn call(client: &HttpClient, url: &str, method: Method) -> Error<TransportError> {
    let request = request(url, method);
    client.send(&request, accept).await.unwrap_err()
}

fn opened(error: &Error<TransportError>) -> (SystemTime, &TransportError) {
    match error.kind() {
        TransportError::CircuitOpen { since, cause } => (*since, cause),
        other => panic!("{other:?}"),
    }
}

fn assert_one_outage(errors: &[Error<TransportError>], cause: &TransportError) {
    let (since, _) = opened(&errors[0]);
    for error in errors {
        assert_eq!(opened(error), (since, cause), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_costs_one_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let accepted = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&accepted);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            held.push(stream);
        }
    });
    let client = client(&without_probes(), None);
    let started = Instant::now();
    let errors = fail_often(&client, &url).await;
    assert_one_outage(&errors, &TransportError::Interrupted { timed_out: true });
    assert!(errors[0].may_have_happened(), "it was sent");
    assert!(!errors[CALLS].may_have_happened(), "it was not sent");
    assert_eq!(accepted.load(Ordering::Relaxed), CALLS);
    // A wait for each of the later calls would be 25 s.
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_closed_port_costs_one_wait() {
    let closed = super::bind_without_listening();
    let url = format!("http://{}", closed.local_addr().unwrap());
    let client = client(&without_probes(), None);
    let started = Instant::now();
    let errors = fail_often(&client, &url).await;
    let reason = ConnectFailure::Refused;
    assert_one_outage(&errors, &TransportError::Unreachable { reason });
    assert!(errors.iter().all(|error| !error.may_have_happened()));
    let text = error_chain(&errors[CALLS]);
    assert!(text.contains("has not answered since"), "{text}");
    assert!(text.contains("the connection was refused"), "{text}");
    assert!(text.contains("a probe runs"), "{text}");
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_server_that_comes_back_is_found_by_a_probe() {
    let closed = super::bind_without_listening();
    let url = format!("http://{}", closed.local_addr().unwrap());
    let limits = Limits {
        probe_interval: Duration::from_millis(100),
        ..limits()
    };
    let client = client(&limits, None);
    opened(&call(&client, &url, Method::POST).await);
    let listener = closed.listen(16).unwrap();
    super::answer_all(listener, "{}");
    // The next probe finds it; until then calls fail at once.
    while let Err(error) = client.send(&request(&url, Method::POST), accept).await {
        opened(&error);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for _ in 0..CALLS {
        client
            .send(&request(&url, Method::GET), accept)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_unresolved_host_is_reported_without_the_resolvers_dump() {
    let url = "http://host.invalid/";
    let client = client(&without_probes(), None);
    let error = call(&client, url, Method::GET).await;
    let (_, cause) = opened(&error);
    let reason = ConnectFailure::Unresolved;
    assert_eq!(*cause, TransportError::Unreachable { reason });
    let text = error_chain(&error);
    assert!(text.ends_with("the host name cannot be resolved"), "{text}");
}
