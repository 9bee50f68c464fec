//! What a refresh sees.

use std::collections::BTreeSet;
use std::time::SystemTime;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::entity::Permissions::{ReadOnly, ReadWrite};
use nautes_model::vault::{GitSecret, SecretPath};

use super::world::{World, token_policy};
use crate::backends::gitlab::NewDeployKey;
use crate::credentials::key_pair::KeyPair;
use crate::credentials::{Expectation, Inspection, KnownKeys};

async fn inspect(
    world: &World,
    repository: RepositoryId,
    expectation: Expectation<'_>,
) -> Inspection {
    let process = world.process();
    let inspected = process
        .credentials
        .inspect(repository, expectation, SystemTime::now());
    inspected.await.unwrap()
}

fn texts(inspection: &Inspection) -> BTreeSet<String> {
    inspection
        .findings
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_found_as_it_was_made() {
    let world = World::new().await;
    let repository = world.repository("src", None).await;
    let policy = token_policy();
    let made = world.process().ensure(repository, Some(&policy)).await;
    let made = made.unwrap();
    let enabled = BTreeSet::from([ReadOnly, ReadWrite].map(|permissions| DeployKey {
        owner: repository,
        permissions,
    }));
    let expectation = Expectation {
        enabled: Some(&enabled),
        token: Some(&policy),
        ..Expectation::default()
    };
    let observed = inspect(&world, repository, expectation).await;
    assert_eq!(texts(&observed), [].into());
    assert_eq!(observed.readonly, Some(made.deploy_keys.readonly));
    assert_eq!(observed.readwrite, Some(made.deploy_keys.readwrite));
    assert_eq!(observed.access_token, made.access_token);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_is_named() {
    let world = World::new().await;
    let gitlab = world.gitlab();
    let repository = world.repository("src", None).await;
    let other = world.repository("other", None).await;
    let process = world.process();
    let own = process.ensure(repository, None).await.unwrap().deploy_keys;
    let others = process.ensure(other, None).await.unwrap().deploy_keys;
    let project = repository.number();

    gitlab
        .delete_deploy_key(project, own.readonly.id)
        .await
        .unwrap();
    gitlab
        .set_deploy_key_can_push(project, own.readwrite.id, false)
        .await
        .unwrap();
    let second = NewDeployKey {
        title: format!("{repository}-readwrite"),
        key: KeyPair::generate().unwrap().public,
        can_push: true,
    };
    gitlab.create_deploy_key(project, &second).await.unwrap();
    gitlab
        .enable_deploy_key(project, others.readwrite.id)
        .await
        .unwrap();
    let vault = world.vault();
    let path = SecretPath::for_repository(repository, GitSecret::ReadonlyKey);
    vault.delete_secret(&path).await.unwrap();
    vault.delete_policy(&path.policy_name()).await.unwrap();

    let enabled = BTreeSet::from([DeployKey {
        owner: other,
        permissions: ReadOnly,
    }]);
    let policy = token_policy();
    let expectation = Expectation {
        enabled: Some(&enabled),
        token: Some(&policy),
        known_token: Some(1),
        ..Expectation::default()
    };
    let observed = inspect(&world, repository, expectation).await;
    assert_eq!(
        texts(&observed),
        [
            format!("the deploy key {repository}-readonly is missing in GitLab"),
            format!("there is more than one deploy key {repository}-readwrite in GitLab"),
            format!("the deploy key {repository}-readwrite may not push, but should"),
            format!("the secret git/gitlab/{repository}/default/readonly is missing in Vault"),
            format!("the policy gitlab-{repository}-default-readonly is missing in Vault"),
            format!("the secret git/gitlab/{repository}/default/accesstoken-api is missing in Vault"),
            format!("the policy gitlab-{repository}-default-accesstoken-api is missing in Vault"),
            "the access token is missing in GitLab".to_owned(),
            format!("the deploy key {other}-readwrite is enabled on this repository without an authorisation"),
            format!("the deploy key {other}-readonly is not enabled on this repository, to which {other} is authorised"),
        ]
        .into()
    );
    assert_eq!(observed.readonly, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_keeps_its_budget() {
    let world = World::new().await;
    let mut repositories = Vec::new();
    for number in 0..4 {
        let repository = world.bare_repository(&format!("src-{number}")).await;
        let process = world.process();
        process
            .ensure(repository, Some(&token_policy()))
            .await
            .unwrap();
        repositories.push(repository);
    }
    let process = world.process();
    world.emulator.clear_journal();
    let before = world.bao.proxy().calls().count();
    let policy = token_policy();
    for repository in &repositories {
        let expectation = Expectation {
            token: Some(&policy),
            ..Expectation::default()
        };
        let observed = process
            .credentials
            .inspect(*repository, expectation, SystemTime::now())
            .await
            .unwrap();
        assert_eq!(texts(&observed), [].into());
    }
    assert_eq!(world.emulator.journal().len(), 2 * repositories.len());
    let calls = world.bao.proxy().calls();
    let calls: Vec<&str> = calls.as_slice()[before..]
        .iter()
        .map(|call| call.method.as_str())
        .collect();
    let lists = calls.iter().filter(|method| **method == "LIST").count();
    assert_eq!(lists, 1, "the policies");
    // The metadata of two keys and a token each; the token of Vault is looked up once.
    let metadata = 3 * repositories.len();
    assert!(calls.len() <= metadata + lists + 2, "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_were_replaced_or_enabled_twice_are_named() {
    let world = World::new().await;
    let repository = world.repository("src", None).await;
    let other = world.repository("other", None).await;
    let own = world.process().ensure(repository, None).await.unwrap();
    let expectation = Expectation {
        known_keys: KnownKeys {
            readonly: Some(own.deploy_keys.readonly.id),
            readwrite: Some(own.deploy_keys.readwrite.id),
        },
        ..Expectation::default()
    };
    let observed = inspect(&world, repository, expectation).await;
    assert_eq!(texts(&observed), [].into());

    let gitlab = world.gitlab();
    let (project, removed) = (repository.number(), own.deploy_keys.readonly.id);
    gitlab.delete_deploy_key(project, removed).await.unwrap();
    for title in [
        format!("{repository}-readonly"),
        format!("{other}-readonly"),
        format!("{other}-readonly"),
    ] {
        let key = NewDeployKey {
            title,
            key: KeyPair::generate().unwrap().public,
            can_push: false,
        };
        gitlab.create_deploy_key(project, &key).await.unwrap();
    }
    let [readonly, readwrite] = DeployKey::both(repository);
    let enabled = [readonly, readwrite, DeployKey::both(other)[0]].into();
    let expectation = Expectation {
        enabled: Some(&enabled),
        ..expectation
    };
    let observed = inspect(&world, repository, expectation).await;
    assert_eq!(
        texts(&observed),
        [
            format!("the deploy key {readonly} was replaced by another one in GitLab"),
            format!("the deploy key {other}-readonly is enabled on this repository more than once"),
        ]
        .into()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_nobody_wants_are_looked_for_only_where_vault_has_a_policy_for_one() {
    let world = World::new().await;
    let [without, with] = [
        world.repository("without", None).await,
        world.repository("with", None).await,
    ];
    world.process().ensure(without, None).await.unwrap();
    let policy = token_policy();
    world.process().ensure(with, Some(&policy)).await.unwrap();
    for (repository, expected) in [(without, 0), (with, 1)] {
        world.emulator.clear_journal();
        let observed = inspect(&world, repository, Expectation::default()).await;
        let found = texts(&observed);
        let not_wanted = found.contains("there is an access token that is not wanted");
        assert_eq!(not_wanted, expected == 1, "{found:?}");
        let journal = world.emulator.journal();
        let lists = journal
            .iter()
            .filter(|call| call.call() == "GET /projects/{id}/access_tokens");
        assert_eq!(lists.count(), expected);
    }
}
