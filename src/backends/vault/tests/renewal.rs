//! Tokens of clients that make no calls.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::super::{Limits, Login, Options, Vault};
use super::server::{Server, place};
use crate::backends::http::tests::{answer_all, install_crypto_provider};

/// The answer to a look-up and to a renewal of a token that is valid for 30 s, and to a listing.
const ANSWER: &str = r#"{
    "data": { "ttl": 30, "renewable": true, "keys": [] },
    "auth": { "client_token": "t", "lease_duration": 30, "renewable": true }
}"#;

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_in_the_background_as_long_as_the_client_lives() {
    install_crypto_provider();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let requests = answer_all(listener, ANSWER);
    let vault = Vault::new(Options {
        address,
        namespace: None,
        ca_pem: None,
        login: Login::Token("t".into()),
        manage_mounts: false,
        limits: Limits::default(),
    });
    let vault = vault.unwrap();
    vault.policies().await.unwrap();
    let before = requests.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(300)).await;
    let renewed = requests.load(Ordering::Relaxed) - before;
    assert!(renewed >= 10, "renewed {renewed} times");

    let clone = vault.clone();
    drop(vault);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(requests.load(Ordering::Relaxed) > before + renewed);
    drop(clone);
    let before = requests.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(requests.load(Ordering::Relaxed), before);
}

#[test]
fn an_idle_client_keeps_its_token_past_the_first_lifetime() {
    let server = Server::start();
    let policy = r#"path "git/*" { capabilities = ["read"] }"#;
    let lifetime = Duration::from_secs(3);
    let token = server.openbao.token_with_policy(policy, lifetime).unwrap();
    let vault = server.with_token(&token);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let read = || runtime.block_on(vault.read_secret(&place()));
    assert!(read().unwrap().is_none());
    let started = Instant::now();
    let renewals = || {
        let calls = server.openbao.proxy().calls();
        calls.to_route("POST /auth/token/renew-self").count()
    };
    while started.elapsed() < lifetime || renewals() < 2 {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(read().unwrap().is_none());
}
