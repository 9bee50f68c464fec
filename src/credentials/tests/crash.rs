//! Processes that die at each of their calls, and another one after them.

use std::collections::BTreeMap;
use std::ops::AsyncFn;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use nautes_model::RepositoryId;
use nautes_model::entity::Permissions;

use super::operators::{MOUNT, granted, make_role};
use super::world::{Death, NOTHING_KEPT, Process, Server, World, token_policy};
use crate::credentials::Error;

/// Runs `act` to its end after a process has died in the middle of it, for each of its calls.
async fn survives(
    world: &World,
    name: &str,
    prepare: impl AsyncFn(RepositoryId),
    act: impl AsyncFn(&Process, RepositoryId) -> Result<(), Error>,
    check: impl AsyncFn(RepositoryId),
) {
    let repository = world.bare_repository(&format!("{name}-undisturbed")).await;
    prepare(repository).await;
    world.emulator.clear_journal();
    let before = world.bao.proxy().calls().count();
    act(&world.process(), repository).await.unwrap();
    let calls = [
        (Server::GitLab, world.emulator.journal().len()),
        (Server::Vault, world.bao.proxy().calls().count() - before),
    ];
    check(repository).await;

    let mut failed = 0;
    for (server, count) in calls {
        for call in 0..count {
            for after_effect in [false, true] {
                let death = Death {
                    server,
                    call,
                    after_effect,
                };
                let path = format!("{name}-{server:?}-{call}-{after_effect}").to_lowercase();
                let repository = world.bare_repository(&path).await;
                prepare(repository).await;
                world.kill_at(death);
                failed += usize::from(act(&world.process(), repository).await.is_err());
                world.heal();
                if let Err(error) = act(&world.process(), repository).await {
                    panic!("{name} after {death:?}: {error:?}");
                }
                check(repository).await;
            }
        }
    }
    assert!(failed > 0, "nobody died");
}

async fn is_complete(world: &World, repository: RepositoryId) {
    world.assert_keys(repository).await;
    world.assert_token(repository).await;
    assert_eq!(world.enabled(repository).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_made_by_the_next_process() {
    let world = World::new().await;
    survives(
        &world,
        "make",
        async |_| {},
        async |process, repository| {
            process
                .ensure(repository, Some(&token_policy()))
                .await
                .map(|_| ())
        },
        async |repository| is_complete(&world, repository).await,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_rotated_by_the_next_process() {
    let world = World::new().await;
    let later = SystemTime::now() + Duration::from_secs(340 * 86_400);
    survives(
        &world,
        "rotate",
        async |repository| {
            let process = world.process();
            process
                .ensure(repository, Some(&token_policy()))
                .await
                .unwrap();
        },
        async |process, repository| {
            // What was rotated by this clock is due again by the same clock, so it is done once more.
            let policy = token_policy();
            let ensured =
                process
                    .credentials
                    .ensure(repository, Some(&policy), false, &NOTHING_KEPT, later);
            ensured.await.map(|_| ())
        },
        async |repository| is_complete(&world, repository).await,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_removed_by_the_next_process() {
    let world = World::new().await;
    survives(
        &world,
        "remove",
        async |repository| {
            let process = world.process();
            process
                .ensure(repository, Some(&token_policy()))
                .await
                .unwrap();
        },
        async |process, repository| process.ensure(repository, None).await.map(|_| ()),
        async |repository| {
            world.assert_keys(repository).await;
            assert_eq!(world.tokens(repository).await, [] as [u64; 0]);
            let inventory = world.vault_inventory();
            let of_token = |name: &&String| {
                name.contains(&format!("{repository}/default/accesstoken"))
                    || name.contains(&format!("{repository}-default-accesstoken"))
            };
            assert_eq!(inventory.keys().filter(of_token).count(), 0);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_removed_by_the_next_process() {
    let world = World::new().await;
    survives(
        &world,
        "remove-all",
        async |repository| {
            let process = world.process();
            process
                .ensure(repository, Some(&token_policy()))
                .await
                .unwrap();
        },
        async |process, repository| process.credentials.remove(repository, false).await,
        async |repository| world.assert_nothing_left(repository).await,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_distributed_by_the_next_process() {
    let world = World::new().await;
    let project = |repository: RepositoryId| format!("project-{repository}");
    let manifest = |repository: RepositoryId| {
        let path = format!("src-{repository}");
        world.code_repo(repository, &path, Some(&project(repository)))
    };
    let siblings = Mutex::new(BTreeMap::new());
    survives(
        &world,
        "distribute",
        async |repository| {
            let process = world.process();
            process.put(world.project(&project(repository))).await;
            let path = format!("sibling-{repository}");
            let sibling = world.repository(&path, Some(&project(repository))).await;
            siblings.lock().unwrap().insert(repository, sibling);
            process.put(manifest(repository)).await;
            process.ensure(repository, None).await.unwrap();
        },
        async |process, repository| process.distribute(repository).await,
        async |repository| {
            let sibling = siblings.lock().unwrap()[&repository];
            for on in [repository, sibling] {
                assert_eq!(world.enabled(on).await.len(), 4, "{on}");
            }
            // So that the next one finds as few repositories as this one.
            let process = world.process();
            process.delete(&manifest(repository)).await;
            let path = format!("sibling-{repository}");
            process
                .delete(&world.code_repo(sibling, &path, Some(&project(repository))))
                .await;
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_key_is_granted_by_the_next_process() {
    let world = World::new().await;
    make_role(&world);
    survives(
        &world,
        "operators",
        async |_| {},
        async |process, repository| {
            let made = process.credentials.ensure_operators_key(repository, MOUNT);
            made.await.map(|_| ())
        },
        async |repository| {
            world.assert_key(repository, Permissions::ReadOnly).await;
            assert_eq!(world.enabled(repository).await.len(), 1);
            let policy = format!("gitlab-{repository}-default-readonly");
            assert!(granted(&world).await.contains(&policy));
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_key_is_removed_by_the_next_process() {
    let world = World::new().await;
    make_role(&world);
    survives(
        &world,
        "remove-operators",
        async |repository| {
            let process = world.process();
            let made = process.credentials.ensure_operators_key(repository, MOUNT);
            made.await.unwrap();
        },
        async |process, repository| {
            let credentials = &process.credentials;
            credentials.remove_operators_key(repository, MOUNT).await
        },
        async |repository| {
            world.assert_nothing_left(repository).await;
            assert_eq!(granted(&world).await, ["base"]);
        },
    )
    .await;
}
