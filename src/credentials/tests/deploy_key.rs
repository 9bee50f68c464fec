//! A repository's own deploy keys.

use nautes_model::entity::Permissions;
use nautes_model::vault::{FINGERPRINT, ID, SecretPath};

use super::world::World;
use crate::backends::gitlab::NewDeployKey;
use crate::backends::vault::Expected;
use crate::credentials::key_pair::{KeyPair, is_same_key};

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_once_and_kept() {
    let world = World::new().await;
    let repository = world.bare_repository("src").await;
    let made = world.process().ensure(repository, None).await.unwrap();
    world.assert_keys(repository).await;
    let readonly = &made.deploy_keys.readonly;
    assert_eq!(
        readonly.vault_path,
        format!("git/gitlab/{repository}/default/readonly")
    );
    let listed = world.gitlab().deploy_keys(repository.number()).await;
    let listed = listed.unwrap();
    let listed = listed.iter().find(|key| key.id == readonly.id).unwrap();
    assert_eq!(
        listed.fingerprint_sha256.as_ref(),
        Some(&readonly.fingerprint)
    );

    let before = world.vault_inventory();
    let again = world.process().ensure(repository, None).await.unwrap();
    assert_eq!(again, made);
    assert_eq!(world.vault_inventory(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_to_a_key_from_outside_is_repaired() {
    let world = World::new().await;
    let gitlab = world.gitlab();
    let repository = world.repository("src", None).await;
    let project = repository.number();
    let keys = world
        .process()
        .ensure(repository, None)
        .await
        .unwrap()
        .deploy_keys;

    let readonly = keys.readonly.id;
    gitlab
        .set_deploy_key_can_push(project, readonly, true)
        .await
        .unwrap();
    gitlab
        .rename_deploy_key(project, readonly, "mine")
        .await
        .unwrap();
    let intruder = NewDeployKey {
        title: format!("{repository}-readwrite"),
        key: KeyPair::generate().unwrap().public,
        can_push: true,
    };
    gitlab.create_deploy_key(project, &intruder).await.unwrap();
    let foreign = NewDeployKey {
        title: "flux".into(),
        key: KeyPair::generate().unwrap().public,
        can_push: true,
    };
    gitlab.create_deploy_key(project, &foreign).await.unwrap();
    let repaired = world.process().ensure(repository, None).await.unwrap();
    assert_eq!(repaired.deploy_keys, keys);
    world.assert_keys(repository).await;
    assert!(world.enabled(repository).await.contains_key("flux"));

    gitlab.delete_deploy_key(project, readonly).await.unwrap();
    let remade = world.process().ensure(repository, None).await.unwrap();
    assert_ne!(remade.deploy_keys.readonly.id, readonly);
    assert_eq!(remade.deploy_keys.readwrite, keys.readwrite);
    world.assert_keys(repository).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_does_not_name_the_key_in_gitlab_is_replaced() {
    let world = World::new().await;
    let vault = world.vault();
    let repository = world.repository("src", None).await;
    let path = SecretPath::for_repository(repository, Permissions::ReadOnly.into());
    for (key, value) in [
        (ID, "4711"),
        (ID, ""),
        (FINGERPRINT, "ssh-ed25519 AAAA"),
        (FINGERPRINT, ""),
    ] {
        let stored = vault.read_secret(&path).await.unwrap().unwrap();
        let spoiled = stored.values.with(key, value.to_owned());
        let expected = Expected::Version(stored.version);
        vault.write_secret(&path, &spoiled, expected).await.unwrap();
        world.process().ensure(repository, None).await.unwrap();
        world.assert_keys(repository).await;
    }
    vault.delete_secret(&path).await.unwrap();
    world.process().ensure(repository, None).await.unwrap();
    world.assert_keys(repository).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_processes_that_make_the_same_keys_one_wins_and_all_use_its_keys() {
    let world = World::new().await;
    for round in 0..5 {
        let path = format!("src-{round}");
        let repository = world.bare_repository(&path).await;
        let [one, two, three] = [(); 3].map(|()| world.process());
        let (one, two, three) = tokio::join!(
            one.ensure(repository, None),
            two.ensure(repository, None),
            three.ensure(repository, None)
        );
        world.assert_keys(repository).await;
        let keys = one.unwrap().deploy_keys;
        assert_eq!(two.unwrap().deploy_keys, keys);
        assert_eq!(three.unwrap().deploy_keys, keys);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_creation_was_not_answered_is_found_by_its_text() {
    let world = World::new().await;
    let repository = world.bare_repository("src").await;
    world
        .emulator
        .inject_fault(gitlab_emulator::Fault {
            method: Some("POST".into()),
            path: Some("deploy_keys".into()),
            skip: 0,
            times: Some(1),
            after_effect: true,
            failure: gitlab_emulator::Failure::Drop,
        })
        .unwrap();
    world.emulator.clear_journal();
    world.process().ensure(repository, None).await.unwrap();
    let journal = world.emulator.journal();
    let added = journal
        .iter()
        .filter(|call| call.method == "POST" && call.route.ends_with("/deploy_keys"));
    assert_eq!(added.count(), 2);
    world.assert_keys(repository).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_repository_takes_one_read_of_vault() {
    let world = World::new().await;
    let process = world.process();
    process
        .ensure(world.bare_repository("first").await, None)
        .await
        .unwrap();
    let repository = world.bare_repository("src").await;
    let before = world.bao.proxy().calls().count();
    process.ensure(repository, None).await.unwrap();
    let calls = world.bao.proxy().calls();
    let calls = &calls.as_slice()[before..];
    let reads = calls.iter().filter(|call| !call.is_write());
    assert_eq!(reads.count(), 1, "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn removal_removes_what_is_ours_and_nothing_else() {
    let world = World::new().await;
    let repository = world.repository("src", None).await;
    let process = world.process();
    let policy = super::world::token_policy();
    process.ensure(repository, Some(&policy)).await.unwrap();
    let foreign = KeyPair::generate().unwrap().public;
    let added = NewDeployKey {
        title: "flux".into(),
        key: foreign.clone(),
        can_push: false,
    };
    let gitlab = world.gitlab();
    let project = repository.number();
    let added = gitlab.create_deploy_key(project, &added).await.unwrap();
    assert!(is_same_key(&added.key, &foreign));

    world.process().remove(repository).await;
    assert_eq!(
        world
            .enabled(repository)
            .await
            .into_keys()
            .collect::<Vec<_>>(),
        ["flux"]
    );
    gitlab.delete_deploy_key(project, added.id).await.unwrap();
    world.assert_nothing_left(repository).await;
    world.process().remove(repository).await;
}
