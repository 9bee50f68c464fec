//! The ways to log in, and what happens to tokens in a long run.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use testbed::{Failure, Fault, Method, at_least, exactly};

use super::super::{Expected, Kind, Login};
use super::server::{Server, place, run, values};

/// The role `ci` of an auth method gives this policy.
const POLICY: &str =
    r#"path "git/*" { capabilities = ["create", "update", "read", "delete", "list"] }"#;

/// Mounts the method `approle` with a role whose tokens live so long.
fn approle(server: &Server, seconds: u64) -> Login {
    server.api(
        Method::PUT,
        "sys/policies/acl/ci",
        &json!({ "policy": POLICY }),
    );
    server.api(
        Method::POST,
        "sys/auth/approle",
        &json!({ "type": "approle" }),
    );
    let role = "auth/approle/role/ci";
    let settings = json!({ "token_policies": ["ci"], "token_ttl": format!("{seconds}s") });
    server.api(Method::POST, role, &settings);
    let text = |answer: Value, field: &str| answer["data"][field].as_str().unwrap().to_owned();
    let role_id = server.api(Method::GET, &format!("{role}/role-id"), &Value::Null);
    let secret_id = server.api(Method::POST, &format!("{role}/secret-id"), &json!({}));
    Login::AppRole {
        mount: "approle".to_owned(),
        role_id: text(role_id, "role_id"),
        secret_id: Some(text(secret_id, "secret_id").into()),
    }
}

/// Signs a token for the audience `vault`.
fn signed_token(key: &rcgen::KeyPair) -> String {
    let random = SystemRandom::new();
    let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::from_pkcs8(signing, &key.serialize_der(), &random).unwrap();
    let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let claims = json!({ "sub": "run", "aud": "vault", "iat": now, "exp": now + 600 });
    let signed = format!("{}.{}", encode(json!({ "alg": "ES256" })), encode(claims));
    let signature = pair.sign(&random, signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn many_calls_at_once_log_in_once() {
    let server = Server::start();
    let vault = server.log_in(approle(&server, 60));
    let (reads, calls) = server.openbao.proxy().calls_during(|| {
        run(async {
            let places = [place(), place(), place()];
            let reads = places.iter().map(|place| vault.read_secret(place));
            futures_util::future::join_all(reads).await
        })
    });
    assert!(reads.into_iter().all(|read| read.unwrap().is_none()));
    calls
        .to_route("POST /auth/approle/login")
        .assert_calls(exactly(1));
    calls.assert_calls(exactly(4));
}

#[test]
fn a_refused_login_is_reported_and_not_repeated() {
    let server = Server::start();
    let Login::AppRole { mount, role_id, .. } = approle(&server, 60) else {
        unreachable!();
    };
    let secret_id = Some("wrong".into());
    let vault = server.log_in(Login::AppRole {
        mount,
        role_id,
        secret_id,
    });
    let ((), calls) = server.openbao.proxy().calls_during(|| {
        for _ in 0..2 {
            let error = run(vault.read_secret(&place())).unwrap_err();
            assert_eq!(*error.kind(), Kind::LoginRefused);
            assert!(!error.field_errors().is_empty(), "{error:?}");
        }
    });
    calls.assert_calls(exactly(1));
    let nowhere = server.log_in(Login::AppRole {
        mount: "nowhere".to_owned(),
        role_id: "ci".to_owned(),
        secret_id: None,
    });
    let error = run(nowhere.read_secret(&place())).unwrap_err();
    assert_eq!(*error.kind(), Kind::LoginRefused);
}

#[test]
fn a_signed_token_logs_in() {
    let server = Server::start();
    let key = rcgen::KeyPair::generate().unwrap();
    server.api(
        Method::PUT,
        "sys/policies/acl/ci",
        &json!({ "policy": POLICY }),
    );
    server.api(Method::POST, "sys/auth/tfc", &json!({ "type": "jwt" }));
    let trust = json!({ "jwt_validation_pubkeys": [public_key_pem(&key)], "default_role": "ci" });
    server.api(Method::POST, "auth/tfc/config", &trust);
    let settings = json!({
        "role_type": "jwt",
        "user_claim": "sub",
        "bound_audiences": ["vault"],
        "token_policies": ["ci"],
    });
    server.api(Method::POST, "auth/tfc/role/ci", &settings);
    let log_in = |role: Option<&str>, token: String| {
        let vault = server.log_in(Login::Jwt {
            mount: "tfc".to_owned(),
            role: role.map(str::to_owned),
            token: token.into(),
        });
        run(vault.read_secret(&place())).map(|_| ())
    };
    log_in(Some("ci"), signed_token(&key)).unwrap();
    log_in(None, signed_token(&key)).unwrap();
    let foreign = rcgen::KeyPair::generate().unwrap();
    let error = log_in(Some("ci"), signed_token(&foreign)).unwrap_err();
    assert_eq!(*error.kind(), Kind::LoginRefused);
}

fn public_key_pem(key: &rcgen::KeyPair) -> String {
    use rcgen::PublicKeyData;
    let der = base64::engine::general_purpose::STANDARD.encode(key.subject_public_key_info());
    format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
}

/// The server cannot ask a cluster here, so the proxy answers the login; the token is a real one.
#[test]
fn a_service_account_logs_in_with_the_token_from_its_file() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let vault = server.log_in(Login::Kubernetes {
        mount: "kubernetes".to_owned(),
        role: "ci".to_owned(),
        token_path: Some(file.clone()),
    });
    let error = run(vault.read_secret(&place())).unwrap_err();
    assert!(
        matches!(error.kind(), Kind::LoginUnreadable { .. }),
        "{error:?}"
    );

    std::fs::write(&file, "service-account\n").unwrap();
    let auth = json!({ "auth": {
        "client_token": server.openbao.root_token(), "lease_duration": 60, "renewable": true,
    } });
    let answer = Failure::Respond {
        status: 200,
        body: auth.to_string(),
    };
    let proxy = server.openbao.proxy();
    proxy.inject_fault(Fault::once("POST", "auth/kubernetes/login", answer));
    let (read, calls) = proxy.calls_during(|| run(vault.read_secret(&place())));
    assert!(read.unwrap().is_none());
    calls
        .to_route("POST /auth/kubernetes/login")
        .assert_calls(exactly(1));
}

/// Makes calls for longer than the tokens of these tests live, or until one was renewed.
fn until_renewed(server: &Server, mut call: impl FnMut()) {
    for _ in 0..40 {
        call();
        std::thread::sleep(Duration::from_millis(250));
        let renewals = server
            .openbao
            .proxy()
            .calls()
            .to_route("POST /auth/token/renew-self");
        if renewals.count() > 0 {
            break;
        }
    }
    call();
}

#[test]
fn a_token_is_renewed_before_it_ends_and_replaced_when_it_was_revoked() {
    let server = Server::start();
    let vault = server.log_in(approle(&server, 6));
    let read = || run(vault.read_secret(&place())).map(|_| ());
    let ((), calls) = server.openbao.proxy().calls_during(|| {
        until_renewed(&server, || read().unwrap());
    });
    calls
        .to_route("POST /auth/token/renew-self")
        .assert_calls(at_least(1));
    calls
        .to_route("POST /auth/approle/login")
        .assert_calls(exactly(1));

    let revoke = "sys/leases/revoke-prefix/auth/approle";
    server.api(Method::PUT, revoke, &json!({ "sync": true }));
    let (again, calls) = server.openbao.proxy().calls_during(read);
    again.unwrap();
    calls
        .to_route("POST /auth/approle/login")
        .assert_calls(exactly(1));
}

#[test]
fn a_given_token_is_renewed_before_it_ends() {
    let server = Server::start();
    let token = server
        .openbao
        .token_with_policy(POLICY, Duration::from_secs(6))
        .unwrap();
    let vault = server.with_token(&token);
    let ((), calls) = server.openbao.proxy().calls_during(|| {
        let mut expected = Expected::Absent;
        until_renewed(&server, || {
            let written = run(vault.write_secret(&place(), &values("7"), expected));
            expected = Expected::Version(written.unwrap());
        });
    });
    calls
        .to_route("POST /auth/token/renew-self")
        .assert_calls(at_least(1));
    calls
        .to_route("GET /auth/token/lookup-self")
        .assert_calls(exactly(1));
}
