//! The errors of a token without permission.

use std::time::Duration;

use serde_json::json;
use testbed::Method;

use super::super::{Error, Expected, Kind, Vault};
use super::server::{Server, place, run, values};

/// A policy that allows nothing that is tried here.
const OTHER: &str = r#"path "other" { capabilities = ["read"] }"#;

/// Every kind of call that lifecycles make.
const CALLS: usize = 8;

async fn call(vault: &Vault, number: usize) -> Result<(), Error> {
    match number {
        0 => vault.read_secret(&place()).await.map(|_| ()),
        1 => {
            let expected = Expected::Absent;
            vault
                .write_secret(&place(), &values("7"), expected)
                .await
                .map(|_| ())
        }
        2 => vault
            .list_secrets("git", "gitlab/repo-12/default")
            .await
            .map(|_| ()),
        3 => vault.delete_secret(&place()).await,
        4 => vault.policies().await.map(|_| ()),
        5 => vault.write_policy("a", &place().policy_text()).await,
        6 => vault.role_policies("nautes", "ARGO").await.map(|_| ()),
        _ => {
            vault
                .set_role_policies("nautes", "ARGO", &["a".to_owned()].into())
                .await
        }
    }
}

#[test]
fn the_policy_line_that_is_named_is_the_one_that_is_missing() {
    let server = Server::start();
    server.api(
        Method::POST,
        "sys/auth/nautes",
        &json!({ "type": "kubernetes" }),
    );
    let role = json!({
        "bound_service_account_names": ["argo"],
        "bound_service_account_namespaces": ["nautes"],
    });
    server.api(Method::POST, "auth/nautes/role/ARGO", &role);
    let life = Duration::from_secs(60);
    let token = |policy: &str| server.openbao.token_with_policy(policy, life).unwrap();
    let nothing = server.with_token(&token(OTHER));
    for number in 0..CALLS {
        let error = run(call(&nothing, number)).unwrap_err();
        let Kind::Forbidden { rule } = error.kind() else {
            panic!("{error:?}");
        };
        run(call(&server.with_token(&token(rule)), number)).unwrap();
    }
}

#[test]
fn a_write_names_the_line_for_the_secrets_of_all_repositories() {
    let server = Server::start();
    let life = Duration::from_secs(60);
    let token = server.openbao.token_with_policy(OTHER, life).unwrap();
    let error = run(call(&server.with_token(&token), 1)).unwrap_err();
    let rule = r#"path "git/data/gitlab/repo-*" { capabilities = ["create", "update"] }"#;
    let rule = rule.to_owned();
    assert_eq!(*error.kind(), Kind::Forbidden { rule });
}

#[test]
fn an_unknown_token_is_distinguished_from_one_without_permission() {
    let server = Server::start();
    let error = run(call(&server.with_token("s.unknown"), 0)).unwrap_err();
    assert!(
        matches!(error.kind(), Kind::Unauthorized { .. }),
        "{error:?}"
    );
}
