//! Servers that are down, sealed, slow, or fail.

use std::time::{Duration, Instant};

use serde_json::json;
use testbed::{Failure, Fault, Method, at_least, exactly};

use super::super::{Expected, Kind, Options, Vault};
use super::server::{Server, limits, place, run, values};
use crate::backends::vault::Login;

#[test]
fn a_sealed_server_is_told_at_once_and_one_that_is_down_after_a_while() {
    let mut server = Server::start();
    server.openbao.seal().unwrap();
    let begun = Instant::now();
    let error = run(server.root().read_secret(&place())).unwrap_err();
    assert_eq!(*error.kind(), Kind::Sealed);
    assert!(begun.elapsed() < limits().failing);

    server.openbao.stop();
    let begun = Instant::now();
    let vault = server.root();
    let error = run(async {
        let place = place();
        let (one, other) = tokio::join!(vault.read_secret(&place), vault.policies());
        assert_eq!(*other.unwrap_err().kind(), Kind::Unreachable);
        one.unwrap_err()
    });
    assert_eq!(*error.kind(), Kind::Unreachable);
    let limit = limits().failing;
    assert!(begun.elapsed() > limit / 4, "{:?}", begun.elapsed());
    assert!(begun.elapsed() < limit * 2, "{:?}", begun.elapsed());

    server.openbao.restart().unwrap();
    assert!(run(vault.read_secret(&place())).unwrap().is_none());
}

#[test]
fn a_failing_server_is_asked_again_and_a_slow_one_given_up() {
    let server = Server::start();
    let proxy = server.openbao.proxy();
    let vault = server.root();
    run(vault.read_secret(&place())).unwrap();

    let failure = Failure::Answer {
        status: 502,
        body: "<html>".to_owned(),
    };
    proxy.inject_fault(Fault::of_next("GET", "git/data", failure));
    let (read, calls) = proxy.calls_during(|| run(vault.read_secret(&place())));
    read.unwrap();
    calls.assert_calls(exactly(2));

    proxy.inject_fault(Fault::of_all(Failure::Delay(Duration::from_secs(60))));
    let begun = Instant::now();
    let error = run(vault.read_secret(&place())).unwrap_err();
    assert_eq!(*error.kind(), Kind::Interrupted { timed_out: true });
    assert!(error.may_have_happened());
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
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
    let limited = calls.only(|call| call.status == Some(429));
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
