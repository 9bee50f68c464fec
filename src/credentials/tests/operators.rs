//! The key of the operators.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use nautes_model::entity::Permissions;
use serde_json::json;
use testbed::Method;

use super::world::{World, blocking};
use crate::credentials::{Error, Finding};

pub(super) const MOUNT: &str = "nautes";

pub(super) fn make_role(world: &World) {
    blocking(|| {
        let method = json!({ "type": "kubernetes" });
        let api = |path: &str, body| world.bao.api(Method::POST, path, Some(body)).unwrap();
        api("sys/auth/nautes", &method);
        let role = json!({
            "bound_service_account_names": ["argocd"],
            "bound_service_account_namespaces": ["argocd"],
            "token_policies": ["base"],
            "token_ttl": 600,
        });
        api("auth/nautes/role/ARGO", &role);
    });
}

pub(super) async fn granted(world: &World) -> Vec<String> {
    let policies = world.vault().role_policies(MOUNT, "ARGO").await.unwrap();
    policies.unwrap().into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_key_is_made_granted_and_removed() {
    let world = World::new().await;
    make_role(&world);
    let before = world.vault_inventory();
    let repository = RepositoryId::new(world.config_project);
    let policy = format!("gitlab-{repository}-default-readonly");
    let findings = async || -> BTreeSet<String> {
        let process = world.process();
        let inspected = process.credentials.inspect_operators_key(repository, MOUNT);
        let findings: BTreeSet<Finding> = inspected.await.unwrap();
        findings.iter().map(ToString::to_string).collect()
    };
    assert_eq!(findings().await.len(), 4);
    for _ in 0..2 {
        let process = world.process();
        let made = process.credentials.ensure_operators_key(repository, MOUNT);
        made.await.unwrap();
        world.assert_key(repository, Permissions::ReadOnly).await;
        assert_eq!(granted(&world).await, ["base".to_owned(), policy.clone()]);
        assert_eq!(findings().await, [].into());
    }
    world
        .vault()
        .set_role_policies(MOUNT, "ARGO", &["base".to_owned()].into())
        .await
        .unwrap();
    assert_eq!(
        findings().await,
        [format!(
            "the policy {policy} is not among those of auth/nautes/role/ARGO in Vault"
        )]
        .into()
    );
    let process = world.process();
    let made = process.credentials.ensure_operators_key(repository, MOUNT);
    made.await.unwrap();
    for _ in 0..2 {
        let process = world.process();
        let removed = process.credentials.remove_operators_key(repository, MOUNT);
        removed.await.unwrap();
        assert!(world.enabled(repository).await.is_empty());
        assert_eq!(world.vault_inventory(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_of_many_products_at_the_same_time_are_all_kept() {
    let world = World::new().await;
    make_role(&world);
    let process = world.process();
    let mut repositories = Vec::new();
    for number in 0..6 {
        repositories.push(world.bare_repository(&format!("config-{number}")).await);
    }
    let made = repositories
        .iter()
        .map(|repository| process.credentials.ensure_operators_key(*repository, MOUNT));
    for made in futures_util::future::join_all(made).await {
        made.unwrap();
    }
    assert_eq!(granted(&world).await.len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_the_role_is_an_error_that_names_it() {
    let world = World::new().await;
    let repository = RepositoryId::new(world.config_project);
    let process = world.process();
    let made = process.credentials.ensure_operators_key(repository, MOUNT);
    let error = made.await.unwrap_err();
    assert!(matches!(error, Error::NoRole { .. }), "{error:?}");
    assert!(error.to_string().contains("auth/nautes/role/ARGO"));
    let removed = process.credentials.remove_operators_key(repository, MOUNT);
    removed.await.unwrap();
    assert!(world.enabled(repository).await.is_empty());
}
