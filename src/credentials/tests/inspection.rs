//! What a refresh sees.

use std::collections::BTreeSet;
use std::time::SystemTime;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::entity::Permissions::{ReadOnly, ReadWrite};
use nautes_model::vault::{GitSecret, SecretPath};

use super::world::{World, terms};
use crate::backends::gitlab::NewDeployKey;
use crate::credentials::key_pair::KeyPair;
use crate::credentials::{Expectation, Inspection};

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
    let terms = terms();
    let made = world.process().ensure(repository, Some(&terms)).await;
    let made = made.unwrap();
    let enabled = BTreeSet::from([ReadOnly, ReadWrite].map(|permissions| DeployKey {
        owner: repository,
        permissions,
    }));
    let expectation = Expectation {
        enabled: Some(&enabled),
        token: Some(&terms),
        known_token: None,
    };
    let seen = inspect(&world, repository, expectation).await;
    assert_eq!(texts(&seen), [].into());
    assert_eq!(seen.readonly, Some(made.deploy_keys.readonly));
    assert_eq!(seen.readwrite, Some(made.deploy_keys.readwrite));
    assert_eq!(seen.access_token, made.access_token);
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
    let path = SecretPath::of_repository(repository, GitSecret::ReadonlyKey);
    vault.delete_secret(&path).await.unwrap();
    vault.delete_policy(&path.policy_name()).await.unwrap();

    let enabled = BTreeSet::from([DeployKey {
        owner: other,
        permissions: ReadOnly,
    }]);
    let terms = terms();
    let expectation = Expectation {
        enabled: Some(&enabled),
        token: Some(&terms),
        known_token: Some(1),
    };
    let seen = inspect(&world, repository, expectation).await;
    assert_eq!(
        texts(&seen),
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
    assert_eq!(seen.readonly, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_keeps_its_budget() {
    let world = World::new().await;
    let mut repositories = Vec::new();
    for number in 0..4 {
        let repository = world.bare_repository(&format!("src-{number}")).await;
        let process = world.process();
        process.ensure(repository, Some(&terms())).await.unwrap();
        repositories.push(repository);
    }
    let process = world.process();
    world.emulator.clear_journal();
    let before = world.bao.proxy().calls().count();
    let terms = terms();
    for repository in &repositories {
        let expectation = Expectation {
            token: Some(&terms),
            ..Expectation::default()
        };
        let seen = process
            .credentials
            .inspect(*repository, expectation, SystemTime::now())
            .await
            .unwrap();
        assert_eq!(texts(&seen), [].into());
    }
    assert_eq!(world.emulator.journal().len(), 2 * repositories.len());
    let calls = world.bao.proxy().calls();
    let calls: Vec<&str> = calls.as_slice()[before..]
        .iter()
        .map(|call| call.method.as_str())
        .collect();
    let lists = calls.iter().filter(|method| **method == "LIST").count();
    assert_eq!(lists, repositories.len() + 1);
    // The token and what is mounted are looked up once.
    assert_eq!(calls.len(), lists + 2, "{calls:?}");
}
