//! Secrets of other owners, and secrets that do not hold what works.

use std::collections::BTreeMap;
use std::time::SystemTime;

use nautes_model::RepositoryId;
use nautes_model::vault::{ACCESS_TOKEN, DEPLOY_KEY, FINGERPRINT, GitSecret, ID, SecretPath};
use testbed::Method;

use super::world::{NOTHING_KEPT, World, blocking, token_policy};
use crate::backends::gitlab::NewAccessToken;
use crate::backends::vault::{Expected, SecretValues};
use crate::credentials::{Error, Expectation, Owner};

fn owner(repository: RepositoryId, created_at: &str) -> Owner {
    Owner {
        repository,
        created_at: Some(created_at.to_owned()),
    }
}

fn readonly(repository: RepositoryId) -> SecretPath {
    SecretPath::for_repository(repository, GitSecret::ReadonlyKey)
}

async fn drift(world: &World, owner: Owner) -> Vec<String> {
    let policy = token_policy();
    let expectation = Expectation {
        token: Some(&policy),
        ..Expectation::default()
    };
    let process = world.process();
    let observed = process
        .credentials
        .inspect(owner, expectation, SystemTime::now());
    let findings = observed.await.unwrap().findings;
    findings.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_the_same_number_on_another_gitlab_are_neither_written_nor_deleted() {
    let world = World::new().await;
    let repository = world.bare_repository("src").await;
    let theirs = owner(repository, "2026-01-01T00:00:00.000Z");
    let ours = owner(repository, "2026-02-02T00:00:00.000Z");
    let process = world.process();
    let policy = token_policy();
    let now = SystemTime::now();
    let ensured =
        process
            .credentials
            .ensure(theirs.clone(), Some(&policy), false, &NOTHING_KEPT, now);
    ensured.await.unwrap();
    assert!(drift(&world, theirs.clone()).await.is_empty());
    let before = world.vault_inventory();

    let process = world.process();
    let credentials = &process.credentials;
    let refused = credentials
        .ensure(ours.clone(), Some(&policy), false, &NOTHING_KEPT, now)
        .await;
    assert!(
        matches!(refused, Err(Error::SecretOfAnother { .. })),
        "{refused:?}"
    );
    for refused in [
        credentials.check_removable(ours.clone()).await,
        credentials.remove(ours.clone(), true).await,
        credentials.remove_from_vault(ours.clone()).await,
    ] {
        assert!(
            matches!(refused, Err(Error::SecretOfAnother { .. })),
            "{refused:?}"
        );
    }
    let found = drift(&world, ours).await;
    let expected = format!(
        "the secret {} belongs to another project",
        readonly(repository)
    );
    assert!(found.contains(&expected), "{found:?}");
    assert_eq!(world.vault_inventory(), before);
    assert!(
        drift(&world, theirs).await.is_empty(),
        "their keys and token still work"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_without_an_owner_is_taken_over_only_if_it_holds_a_key_of_the_project() {
    let world = World::new().await;
    let repository = world.bare_repository("src").await;
    let ours = owner(repository, "2026-02-02T00:00:00.000Z");
    let (vault, now) = (world.vault(), SystemTime::now());
    let process = world.process();
    let made = process
        .credentials
        .ensure(ours.clone(), None, false, &NOTHING_KEPT, now)
        .await;
    let made = made.unwrap();
    // As an older version and Nautes leave it.
    let path = readonly(repository);
    vault
        .set_custom_metadata(&path, &BTreeMap::new())
        .await
        .unwrap();
    assert!(
        drift(&world, ours.clone())
            .await
            .iter()
            .all(|found| !found.contains("readonly"))
    );
    let again = world
        .process()
        .credentials
        .ensure(ours.clone(), None, false, &NOTHING_KEPT, now)
        .await;
    assert_eq!(again.unwrap().deploy_keys, made.deploy_keys);
    let metadata = vault.secret_metadata(&path).await.unwrap().unwrap();
    assert_eq!(metadata.custom["owner"], ours.to_string());
    assert_eq!(
        metadata.custom["id"],
        made.deploy_keys.readonly.id.to_string()
    );

    let foreign = SecretValues::default()
        .with(DEPLOY_KEY, "a private key")
        .with(FINGERPRINT, "ecdsa-sha2-nistp256 AAAA")
        .with(ID, "4711");
    let expected = Expected::Version(metadata.current_version);
    vault.write_secret(&path, &foreign, expected).await.unwrap();
    vault
        .set_custom_metadata(&path, &BTreeMap::new())
        .await
        .unwrap();
    let before = world.vault_inventory();
    let process = world.process();
    let refused = process
        .credentials
        .ensure(ours.clone(), None, false, &NOTHING_KEPT, now)
        .await;
    assert!(
        matches!(refused, Err(Error::SecretUnproven { .. })),
        "{refused:?}"
    );
    let refused = process.credentials.remove(ours, false).await;
    assert!(
        matches!(refused, Err(Error::SecretUnproven { .. })),
        "{refused:?}"
    );
    assert_eq!(world.vault_inventory(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_version_and_a_replaced_key_or_token_are_drift_and_repaired() {
    let world = World::new().await;
    let repository = world.bare_repository("src").await;
    let ours = owner(repository, "2026-02-02T00:00:00.000Z");
    let policy = token_policy();
    let now = SystemTime::now();
    let process = world.process();
    let made = process
        .credentials
        .ensure(ours.clone(), Some(&policy), false, &NOTHING_KEPT, now)
        .await;
    let made = made.unwrap();

    // `vault kv delete`, which keeps the metadata.
    let path = readonly(repository);
    let data = format!("{}/data/{}", path.mount(), path.path());
    blocking(|| world.bao.api(Method::DELETE, &data, None)).unwrap();
    // Another token under the number that Vault does not hold.
    let gitlab = world.gitlab();
    let token = made.access_token.unwrap().id;
    gitlab
        .revoke_access_token(repository.number(), token)
        .await
        .unwrap();
    let in_100_days = now + std::time::Duration::from_secs(100 * 24 * 3600);
    let in_100_days = humantime::format_rfc3339_seconds(in_100_days).to_string();
    let new = NewAccessToken {
        name: "accesstoken-api".to_owned(),
        scopes: vec!["api".to_owned()],
        access_level: 40,
        expires_at: in_100_days[..10].to_owned(),
    };
    gitlab
        .create_access_token(repository.number(), &new)
        .await
        .unwrap();
    let found = drift(&world, ours.clone()).await;
    for expected in [
        format!("the secret {path} was deleted in Vault"),
        "the access token in Vault is no active one of GitLab".to_owned(),
    ] {
        assert!(found.contains(&expected), "{found:?}");
    }
    let process = world.process();
    let repaired =
        process
            .credentials
            .ensure(ours.clone(), Some(&policy), false, &NOTHING_KEPT, now);
    repaired.await.unwrap();
    assert!(drift(&world, ours.clone()).await.is_empty());
    world.assert_keys(repository).await;
    world.assert_token(repository).await;

    // Somebody writes another value; the note of the version before does not hold for it.
    let token_path = SecretPath::for_repository(repository, GitSecret::AccessToken);
    let vault = world.vault();
    let version = vault
        .secret_metadata(&token_path)
        .await
        .unwrap()
        .unwrap()
        .current_version;
    let values = SecretValues::default()
        .with(ACCESS_TOKEN, "dead")
        .with(ID, "4711");
    vault
        .write_secret(&token_path, &values, Expected::Version(version))
        .await
        .unwrap();
    let found = drift(&world, ours).await;
    assert_eq!(
        found,
        ["the access token in Vault is no active one of GitLab"]
    );
}
