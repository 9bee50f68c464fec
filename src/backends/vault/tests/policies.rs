//! Policies, and the roles that give them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testbed::Method;

use super::super::Kind;
use super::server::{Server, place, run};

#[test]
fn a_policy_is_written_read_listed_and_deleted() {
    let server = Server::empty();
    let vault = server.root();
    run(async {
        let (name, text) = (place().policy_name(), place().policy_text());
        assert_eq!(vault.policy(&name).await.unwrap(), None);
        vault.write_policy(&name, &text).await.unwrap();
        assert_eq!(vault.policy(&name).await.unwrap(), Some(text));
        assert!(vault.policies().await.unwrap().contains(&name));
        vault.delete_policy(&name).await.unwrap();
        vault.delete_policy(&name).await.unwrap();
        assert!(!vault.policies().await.unwrap().contains(&name));
    });
}

#[test]
fn the_policy_of_a_secret_opens_that_secret() {
    let server = Server::start();
    let path = format!("git/data/{}", place().path());
    server.api(Method::POST, &path, &json!({ "data": { "id": "7" } }));
    let life = std::time::Duration::from_secs(60);
    let token = server
        .openbao
        .token_with_policy(&place().policy_text(), life)
        .unwrap();
    let vault = server.with_token(&token);
    assert!(run(vault.read_secret(&place())).unwrap().is_some());
    let error = run(vault.delete_secret(&place())).unwrap_err();
    assert!(matches!(error.kind(), Kind::Forbidden { .. }), "{error}");
}

#[test]
fn the_policies_of_a_role_change_and_nothing_else_of_it() {
    let server = Server::empty();
    let vault = server.root();
    let missing = run(vault.role_policies("nautes", "ARGO")).unwrap_err();
    let mount = "auth/nautes".to_owned();
    assert_eq!(*missing.kind(), Kind::NoMount { mount });

    server.api(
        Method::POST,
        "sys/auth/nautes",
        &json!({ "type": "kubernetes" }),
    );
    assert_eq!(run(vault.role_policies("nautes", "ARGO")).unwrap(), None);
    let settings = json!({
        "bound_service_account_names": ["argo"],
        "bound_service_account_namespaces": ["nautes"],
        "token_ttl": 120,
        "token_policies": ["argo"],
    });
    server.api(Method::POST, "auth/nautes/role/ARGO", &settings);
    let role = || server.api(Method::GET, "auth/nautes/role/ARGO", &Value::Null)["data"].clone();
    let mut expected = role();

    let granted = BTreeSet::from(["argo".to_owned(), place().policy_name()]);
    run(vault.set_role_policies("nautes", "ARGO", &granted)).unwrap();
    assert_eq!(
        run(vault.role_policies("nautes", "ARGO")).unwrap(),
        Some(granted)
    );
    let after = role();
    expected["token_policies"] = after["token_policies"].clone();
    assert_eq!(after, expected);
}
