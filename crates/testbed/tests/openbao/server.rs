//! Starting, calling and stopping OpenBao.

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use testbed::{DetachedOpenBao, Failure, Fault, Hold, Method, OpenBao, OpenBaoProgram, exactly};

fn start(folder: &Path) -> OpenBao {
    OpenBao::start(OpenBaoProgram::obtain().unwrap(), folder).unwrap()
}

/// Calls the server through the proxy, like a provider does.
fn call(openbao: &OpenBao, method: Method, path: &str, body: &Value) -> reqwest::Result<Response> {
    Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(2))
        .build()?
        .request(method, format!("{}/v1/{path}", openbao.url()))
        .header("X-Vault-Token", openbao.root_token())
        .json(body)
        .send()
}

fn secret(openbao: &OpenBao) -> Value {
    openbao.api(Method::GET, "git/data/a", None).unwrap()["data"]["data"].clone()
}

#[test]
fn a_server_keeps_its_secrets_when_sealed_and_restarted() {
    let folder = tempfile::tempdir().unwrap();
    let mut openbao = start(folder.path());
    let empty = openbao.inventory().unwrap();
    openbao.enable_kv("git").unwrap();
    let value = json!({ "data": { "key": "s3cr3t" } });
    call(&openbao, Method::POST, "git/data/a", &value).unwrap();

    openbao.seal().unwrap();
    let sealed = call(&openbao, Method::GET, "git/data/a", &Value::Null).unwrap();
    assert_eq!(sealed.status(), StatusCode::SERVICE_UNAVAILABLE);
    openbao.unseal().unwrap();

    openbao.stop();
    assert!(
        call(&openbao, Method::GET, "git/data/a", &Value::Null)
            .unwrap_err()
            .is_connect()
    );
    openbao.restart().unwrap();
    assert_eq!(secret(&openbao), json!({ "key": "s3cr3t" }));

    let inventory = openbao.inventory().unwrap();
    assert_eq!(inventory["secret git/a"], "version 1");
    assert!(!inventory.values().any(|text| text.contains("s3cr3t")));
    openbao.api(Method::DELETE, "sys/mounts/git", None).unwrap();
    assert_eq!(openbao.inventory().unwrap(), empty);
}

#[test]
fn calls_are_counted_and_can_be_responded_to_dropped_and_held() {
    let folder = tempfile::tempdir().unwrap();
    let openbao = start(folder.path());
    openbao.enable_kv("git").unwrap();
    let proxy = openbao.proxy();
    let write = |text: &str| {
        let value = json!({ "data": { "key": text } });
        call(&openbao, Method::POST, "git/data/a", &value)
    };
    let ((), calls) = proxy.calls_during(|| {
        write("first").unwrap();
        call(
            &openbao,
            Method::GET,
            "git/metadata?list=true",
            &Value::Null,
        )
        .unwrap();
    });
    calls
        .to_route("LIST /git/metadata")
        .assert_calls(exactly(1));
    calls.writes().assert_calls(exactly(1));

    let refused = Failure::Respond {
        status: 503,
        body: "no".to_owned(),
    };
    proxy.inject_fault(Fault::once("POST", "git/data", refused));
    assert_eq!(
        write("second").unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(secret(&openbao), json!({ "key": "first" }));

    proxy.inject_fault(Fault::once("POST", "git/data", Failure::DropResponse));
    assert!(write("third").is_err());
    assert_eq!(secret(&openbao), json!({ "key": "third" }));

    let held = proxy.hold_call(0, Hold::BeforeEffect);
    assert!(write("fourth").unwrap_err().is_timeout());
    assert!(held.wait_until_held(|| true).unwrap());
    assert_eq!(secret(&openbao), json!({ "key": "third" }));

    let held = proxy.hold_call(0, Hold::AfterEffect);
    assert!(write("fifth").unwrap_err().is_timeout());
    assert!(held.wait_until_held(|| true).unwrap());
    assert_eq!(secret(&openbao), json!({ "key": "fifth" }));

    let delay = Duration::from_millis(300);
    proxy.inject_fault(Fault::always(Failure::Delay(delay)));
    let begun = Instant::now();
    write("sixth").unwrap();
    assert!(begun.elapsed() >= delay);
    proxy.clear_faults();
}

#[test]
fn a_token_has_the_permissions_of_its_policy() {
    let folder = tempfile::tempdir().unwrap();
    let openbao = start(folder.path());
    openbao.enable_kv("git").unwrap();
    let policy = r#"path "git/data/a" { capabilities = ["read"] }"#;
    let token = openbao
        .token_with_policy(policy, Duration::from_secs(60))
        .unwrap();
    let status = |path: &str| {
        let client = Client::builder().no_proxy().build().unwrap();
        let request = client.get(format!("{}/v1/{path}", openbao.url()));
        request
            .header("X-Vault-Token", &token)
            .send()
            .unwrap()
            .status()
    };
    assert_eq!(status("git/data/a"), StatusCode::NOT_FOUND);
    assert_eq!(status("git/data/b"), StatusCode::FORBIDDEN);
}

#[test]
fn a_detached_server_can_be_found_stopped_and_restarted_with_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let program = OpenBaoProgram::obtain().unwrap();
    let detached = DetachedOpenBao::start(program, folder.path(), &["git"]).unwrap();
    let ask = |server: &DetachedOpenBao, request: fn(&Client, String) -> RequestBuilder| {
        let client = Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/v1/git/data/a", server.url());
        let request = request(&client, url).header("X-Vault-Token", server.root_token());
        request.send().unwrap().error_for_status().unwrap()
    };
    ask(&detached, |client, url| {
        let value = json!({ "data": { "key": "s3cr3t" } });
        client.post(url).json(&value)
    });
    assert!(detached.is_running_in(folder.path()));
    assert!(!detached.is_running_in(Path::new("/elsewhere")));

    let record = serde_json::to_string(&detached).unwrap();
    detached.stop(folder.path());
    assert!(!detached.is_running_in(folder.path()));
    let found: DetachedOpenBao = serde_json::from_str(&record).unwrap();
    let again = found.restart(program, folder.path()).unwrap();
    let answer = ask(&again, |client, url| client.request(Method::GET, url));
    let answer: Value = answer.json().unwrap();
    assert_eq!(answer["data"]["data"], json!({ "key": "s3cr3t" }));
    again.stop(folder.path());
}
