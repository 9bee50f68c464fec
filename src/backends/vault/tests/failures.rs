//! Servers that are down, sealed, slow, or fail.

use std::time::{Duration, Instant};

use serde_json::json;
use testbed::{Failure, Fault, Method, at_least, exactly};

use super::super::{Error, Expected, Kind, Options, Vault};
use super::server::{Server, limits, place, run, values};
use crate::backends::http::{ConnectFailure, TransportError};
use crate::backends::vault::Login;

const REFUSED: TransportError = TransportError::Unreachable {
    reason: ConnectFailure::Refused,
};

/// What made a call fail, or opened the circuit.
fn cause(error: &Error) -> &TransportError {
    error.transport().unwrap().cause()
}

#[test]
fn a_sealed_server_fails_calls_at_once_and_a_dead_one_when_the_circuit_opens() {
    let mut server = Server::start();
    server.openbao.seal().unwrap();
    let started = Instant::now();
    let error = run(server.root().read_secret(&place())).unwrap_err();
    assert_eq!(*error.kind(), Kind::Sealed);
    assert!(started.elapsed() < limits().open_circuit_after);

    server.openbao.stop();
    let started = Instant::now();
    let vault = server.root();
    let error = run(async {
        let place = place();
        let (one, other) = tokio::join!(vault.read_secret(&place), vault.policies());
        assert_eq!(cause(&other.unwrap_err()), &REFUSED);
        one.unwrap_err()
    });
    assert_eq!(cause(&error), &REFUSED);
    let limit = limits().open_circuit_after;
    assert!(started.elapsed() > limit / 4, "{:?}", started.elapsed());
    assert!(started.elapsed() < limit * 2, "{:?}", started.elapsed());

    server.openbao.restart().unwrap();
    assert!(run(vault.read_secret(&place())).unwrap().is_none());
}

#[test]
fn a_call_to_a_failing_server_is_repeated_and_one_to_a_silent_server_ends() {
    let server = Server::start();
    let proxy = server.openbao.proxy();
    let vault = server.root();
    run(vault.read_secret(&place())).unwrap();

    let failure = Failure::Respond {
        status: 502,
        body: "<html>".to_owned(),
    };
    proxy.inject_fault(Fault::once("GET", "git/data", failure));
    let (read, calls) = proxy.calls_during(|| run(vault.read_secret(&place())));
    read.unwrap();
    calls.assert_calls(exactly(2));

    proxy.inject_fault(Fault::always(Failure::Delay(Duration::from_secs(60))));
    let started = Instant::now();
    let error = run(vault.read_secret(&place())).unwrap_err();
    let no_answer = TransportError::Interrupted { timed_out: true };
    assert_eq!(cause(&error), &no_answer);
    assert!(error.may_have_happened());
    assert!(
        started.elapsed() < Duration::from_secs(6),
        "{:?}",
        started.elapsed()
    );
    proxy.clear_faults();
}

#[test]
fn a_quota_is_waited_for() {
    let server = Server::start();
    let vault = server.root();
    run(vault.read_secret(&place())).unwrap();
    let quota = json!({ "rate": 1, "interval": "1s" });
    server.api(Method::POST, "sys/quotas/rate-limit/few", &quota);
    let reads = || {
        run(async {
            for _ in 0..3 {
                vault.read_secret(&place()).await.unwrap();
            }
        });
    };
    let ((), calls) = server.openbao.proxy().calls_during(reads);
    let limited = calls.filter(|call| call.status == Some(429));
    limited.assert_calls(at_least(1));
}

#[test]
fn a_namespace_holds_its_own_secrets() {
    let server = Server::start();
    server.api(Method::POST, "sys/namespaces/team", &json!({}));
    let engine = json!({ "type": "kv", "options": { "version": "2" } });
    server.api(Method::POST, "team/sys/mounts/git", &engine);
    let login = Login::Token(server.openbao.root_token().into());
    let team = Vault::new(Options {
        namespace: Some("team".to_owned()),
        ..server.options(login)
    });
    run(team
        .unwrap()
        .write_secret(&place(), &values("7"), Expected::Absent))
    .unwrap();
    let path = format!("team/git/data/{}", place().path());
    server.openbao.api(Method::GET, &path, None).unwrap();
    assert!(run(server.root().read_secret(&place())).unwrap().is_none());
}

#[test]
fn an_unknown_namespace_is_reported() {
    let server = Server::start();
    for login in [
        Login::Token(server.openbao.root_token().into()),
        Login::AppRole {
            mount: "approle".to_owned(),
            role_id: "ci".to_owned(),
            secret_id: None,
        },
    ] {
        let nowhere = Vault::new(Options {
            namespace: Some("nowhere".to_owned()),
            ..server.options(login)
        });
        let error = run(nowhere.unwrap().read_secret(&place())).unwrap_err();
        assert_eq!(*error.kind(), Kind::NoNamespace, "{error}");
    }
}

/// HCP Vault answers like this until the node has seen what another one wrote.
#[test]
fn a_write_to_a_node_that_lags_behind_is_repeated() {
    let server = Server::start();
    let proxy = server.openbao.proxy();
    let vault = server.root();
    run(vault.read_secret(&place())).unwrap();
    let lagging = Failure::Respond {
        status: 412,
        body: r#"{"errors":["required index state not present"]}"#.to_owned(),
    };
    proxy.inject_fault(Fault::once("POST", "git/data", lagging));
    let write = || run(vault.write_secret(&place(), &values("7"), Expected::Absent));
    let (written, calls) = proxy.calls_during(write);
    written.unwrap();
    calls.assert_calls(exactly(2));
}
