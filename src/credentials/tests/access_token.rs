//! A repository's access token.

use std::time::{Duration, SystemTime};

use super::world::{NOTHING_KEPT, World, token_policy};
use crate::credentials::TokenPolicy;

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_made_kept_rotated_and_removed() {
    let world = World::new().await;
    let repository = world.bare_repository("src").await;
    let policy = token_policy();
    let token = async |now| {
        let process = world.process();
        let ensured =
            process
                .credentials
                .ensure(repository, Some(&policy), false, &NOTHING_KEPT, now);
        ensured.await.unwrap().access_token.unwrap()
    };
    let now = SystemTime::now();
    let made = token(now).await;
    world.assert_token(repository).await;
    assert!(!made.rotation_due);
    assert_eq!(
        made.vault_path,
        format!("git/gitlab/{repository}/default/accesstoken-api")
    );
    assert_eq!(token(now + 333 * DAY).await, made);

    world.emulator.advance_clock(340 * DAY);
    let rotated = token(now + 340 * DAY).await;
    assert_ne!(rotated.id, made.id);
    assert!(rotated.expires_at > made.expires_at);
    world.assert_token(repository).await;

    world.process().ensure(repository, None).await.unwrap();
    assert_eq!(world.tokens(repository).await, [] as [u64; 0]);
    let inventory = world.vault_inventory();
    let left = inventory.keys().filter(|name| name.contains("accesstoken"));
    assert_eq!(left.count(), 0);
    world.assert_keys(repository).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_revoked_or_forgotten_is_made_again() {
    let world = World::new().await;
    let repository = world.bare_repository("src").await;
    let gitlab = world.gitlab();
    let ensure = async || {
        let ensured = world
            .process()
            .ensure(repository, Some(&token_policy()))
            .await;
        ensured.unwrap().access_token.unwrap().id
    };
    let made = ensure().await;
    gitlab
        .revoke_access_token(repository.number(), made)
        .await
        .unwrap();
    assert_ne!(ensure().await, made);
    world.assert_token(repository).await;

    let path = nautes_model::vault::SecretPath::for_repository(
        repository,
        nautes_model::vault::GitSecret::AccessToken,
    );
    world.vault().delete_secret(&path).await.unwrap();
    ensure().await;
    world.assert_token(repository).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_that_gitlab_does_not_allow_becomes_the_longest_that_it_does() {
    let world = World::new().await;
    let repository = world.bare_repository("src").await;
    let wanted = TokenPolicy::parse("12000h", "720h").unwrap();
    let ensured = world.process().ensure(repository, Some(&wanted)).await;
    let token = ensured.unwrap().access_token.unwrap();
    let expected = humantime::format_rfc3339_seconds(SystemTime::now() + 365 * DAY).to_string();
    assert!(expected.starts_with(&token.expires_at.unwrap()));
    assert!(!token.rotation_due);

    world
        .emulator
        .update_settings(|settings| settings.require_personal_access_token_expiry = false);
    let repository = world.bare_repository("free").await;
    let ensured = world.process().ensure(repository, Some(&wanted)).await;
    let expected = humantime::format_rfc3339_seconds(SystemTime::now() + 500 * DAY).to_string();
    let token = ensured.unwrap().access_token.unwrap();
    assert!(expected.starts_with(&token.expires_at.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_processes_that_make_the_token_one_wins() {
    let world = World::new().await;
    for round in 0..3 {
        let repository = world.bare_repository(&format!("src-{round}")).await;
        let policy = token_policy();
        let [one, two] = [(); 2].map(|()| world.process());
        let (one, two) = tokio::join!(
            one.ensure(repository, Some(&policy)),
            two.ensure(repository, Some(&policy))
        );
        assert_eq!(one.unwrap().access_token, two.unwrap().access_token);
        world.assert_token(repository).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_listed_only_where_one_is_wanted_or_known() {
    let world = World::new().await;
    let repository = world.bare_repository("src").await;
    let lists = || {
        let journal = world.emulator.journal();
        let lists = journal
            .iter()
            .filter(|call| call.call() == "GET /projects/{id}/access_tokens");
        lists.count()
    };
    let now = SystemTime::now();
    let remove_token = async |has_token| {
        world.emulator.clear_journal();
        let credentials = world.process().credentials;
        let ensured = credentials
            .ensure(repository, None, has_token, &NOTHING_KEPT, now)
            .await;
        assert_eq!(ensured.unwrap().access_token, None);
        lists()
    };
    assert_eq!(remove_token(false).await, 0);
    assert_eq!(remove_token(true).await, 1);
    let process = world.process();
    process
        .ensure(repository, Some(&token_policy()))
        .await
        .unwrap();
    assert_eq!(remove_token(false).await, 1, "Vault held it");
    assert_eq!(world.tokens(repository).await, [] as [u64; 0]);

    world.emulator.clear_journal();
    world.process().remove(repository).await;
    assert_eq!(lists(), 0);
    world.assert_nothing_left(repository).await;

    // The secret was deleted by hand, and the state knows of the token.
    let process = world.process();
    process
        .ensure(repository, Some(&token_policy()))
        .await
        .unwrap();
    let path = nautes_model::vault::SecretPath::for_repository(
        repository,
        nautes_model::vault::GitSecret::AccessToken,
    );
    world.vault().delete_secret(&path).await.unwrap();
    let credentials = world.process().credentials;
    credentials.remove(repository, true).await.unwrap();
    world.assert_nothing_left(repository).await;
}
