//! Keys of a product's repositories on each other.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use gitlab_emulator::{Failure, Fault};
use nautes_model::RepositoryId;
use nautes_model::entity::Permissions::{self, ReadOnly, ReadWrite};

use super::world::{Process, World};
use crate::credentials::{Error, Waiter};

fn own(repository: RepositoryId) -> [(String, bool); 2] {
    [ReadOnly, ReadWrite].map(|permissions| key(repository, permissions))
}

fn key(repository: RepositoryId, permissions: Permissions) -> (String, bool) {
    let title = format!("{repository}-{}", permissions.as_str());
    (title, permissions == ReadWrite)
}

/// The calls that could have changed a deploy key.
fn changes(world: &World) -> usize {
    let journal = world.emulator.journal();
    let changes = journal
        .iter()
        .filter(|call| call.method != "GET" && call.route.contains("/deploy_keys"));
    changes.count()
}

fn refuse(world: &World, on: RepositoryId) {
    let fault = Fault {
        method: Some("POST".into()),
        path: Some(format!("/projects/{}/deploy_keys/.*/enable", on.number())),
        skip: 0,
        times: None,
        after_effect: false,
        failure: Failure::Answer {
            status: 403,
            body: None,
        },
    };
    world.emulator.inject(fault).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_follow_projects_and_bindings() {
    let world = World::new().await;
    let one = world.repository("one", Some("checkout")).await;
    let two = world.repository("two", Some("checkout")).await;
    let three = world.repository("three", None).await;
    let all = |keys: Vec<[(String, bool); 2]>| -> BTreeMap<String, bool> {
        keys.into_iter().flatten().collect()
    };
    assert_eq!(world.enabled(one).await, all(vec![own(one), own(two)]));
    assert_eq!(world.enabled(two).await, all(vec![own(one), own(two)]));
    assert_eq!(world.enabled(three).await, all(vec![own(three)]));

    let process = world.process();
    for permissions in [ReadOnly, ReadWrite] {
        process.put(world.binding(three, permissions)).await;
        let waiter = Waiter::Binding { repository: three };
        process.settle_for(waiter).await.unwrap();
    }
    assert_eq!(
        world.enabled(three).await,
        all(vec![own(one), own(two), own(three)])
    );
    let other = world.process();
    other.delete(&world.binding(three, ReadOnly)).await;
    other.settle(three).await.unwrap();
    let mut expected = all(vec![own(three)]);
    expected.extend([key(one, ReadWrite), key(two, ReadWrite)]);
    assert_eq!(world.enabled(three).await, expected);

    world.emulator.clear_journal();
    world.process().settle(three).await.unwrap();
    assert_eq!(changes(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_repository_that_is_gone_or_has_new_ones_are_replaced() {
    let world = World::new().await;
    let one = world.repository("one", Some("checkout")).await;
    let two = world.repository("two", Some("checkout")).await;
    world.process().retire(two).await;
    let process = world.process();
    process.ensure(two, None).await.unwrap();
    process.settle(two).await.unwrap();
    let ids = async |on: RepositoryId| -> BTreeMap<String, u64> {
        let keys = world.gitlab().deploy_keys(on.number()).await.unwrap();
        keys.into_iter().map(|key| (key.title, key.id)).collect()
    };
    assert_eq!(ids(one).await, ids(two).await);
    assert_eq!(world.enabled(one).await.len(), 4);

    process
        .delete(&world.code_repo(two, "two", Some("checkout")))
        .await;
    process.settle(two).await.unwrap();
    assert_eq!(world.enabled(one).await, own(one).into());
    process.retire(two).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_keys_with_a_repositorys_own_title_the_one_in_vault_stays() {
    let world = World::new().await;
    let one = world.repository("one", Some("checkout")).await;
    let two = world.repository("two", Some("checkout")).await;
    let leaked = crate::backends::gitlab::NewDeployKey {
        title: format!("{one}-readwrite"),
        key: crate::credentials::key_pair::KeyPair::generate()
            .unwrap()
            .public,
        can_push: true,
    };
    let gitlab = world.gitlab();
    gitlab
        .create_deploy_key(one.number(), &leaked)
        .await
        .unwrap();
    world.process().settle(two).await.unwrap();
    world.assert_keys(one).await;
    assert_eq!(world.enabled(two).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_to_the_repository_or_else_to_the_binding() {
    let world = World::new().await;
    let one = world.repository("one", None).await;
    let two = world.repository("two", None).await;
    let process = world.process();
    refuse(&world, one);
    process.put(world.binding(one, ReadOnly)).await;
    process.put(world.binding(two, ReadOnly)).await;
    let of_one = Waiter::Binding { repository: one };
    let of_two = Waiter::Binding { repository: two };
    let (first, second) = tokio::join!(process.settle_for(of_one), process.settle_for(of_two));
    let Error::Links { failures } = first.unwrap_err() else {
        panic!("another error");
    };
    assert!(failures.iter().all(|failure| failure.on == one));
    second.unwrap();
    assert_eq!(world.enabled(two).await.len(), 3);

    world.heal();
    process.settle_for(of_one).await.unwrap();
    assert_eq!(world.enabled(one).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_come_during_a_run_share_the_next_one() {
    let world = World::new().await;
    let one = world.repository("one", None).await;
    let two = world.repository("two", None).await;
    let process = world.process();
    process.settle(one).await.unwrap();
    refuse(&world, one);
    process.put(world.binding(one, ReadOnly)).await;

    world.emulator.clear_journal();
    world
        .emulator
        .change_switches(|switches| switches.latency_read = 500);
    let late = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let binding = Waiter::Binding { repository: one };
        tokio::join!(
            process.settle_for(binding),
            process.settle(one),
            process.settle(two)
        )
    };
    let (first, (binding, repository, other)) = tokio::join!(process.settle(two), late);
    first.unwrap();
    binding.unwrap();
    repository.unwrap_err();
    other.unwrap();
    let journal = world.emulator.journal();
    let runs = journal.iter().filter(|call| call.method == "GET");
    assert_eq!(runs.count(), 2, "one look at the branch for each run");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_wrongly_is_read_again() {
    let world = World::new().await;
    let one = world.repository("one", Some("checkout")).await;
    let two = world.repository("two", None).await;
    let process = world.process();
    process.settle(one).await.unwrap();

    world.process().retire(one).await;
    let other = world.process();
    other.ensure(one, None).await.unwrap();
    process.put(world.binding(two, ReadWrite)).await;
    process.settle(two).await.unwrap();
    let mut expected = BTreeMap::from(own(two));
    expected.extend([key(one, ReadWrite)]);
    assert_eq!(world.enabled(two).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_gitlab_does_not_have_stops_no_other() {
    let world = World::new().await;
    let one = world.repository("one", Some("checkout")).await;
    let absent = RepositoryId::new(999_999);
    let process = world.process();
    process
        .put(world.code_repo(absent, "absent", Some("checkout")))
        .await;
    process.settle(one).await.unwrap();
    assert!(process.settle(absent).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_waiting_stops_nothing() {
    let world = World::new().await;
    let one = world.repository("one", Some("checkout")).await;
    let two = world.bare_repository("two").await;
    let process = world.process();
    process
        .put(world.code_repo(two, "two", Some("checkout")))
        .await;
    process.ensure(two, None).await.unwrap();
    for _ in 0..20 {
        let settled = process.settle(two);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(1), settled).await;
    }
    process.settle(one).await.unwrap();
    assert_eq!(world.enabled(one).await.len(), 4);
    assert_eq!(world.enabled(two).await.len(), 4);
}

async fn create(world: &World, process: &Process, number: usize) -> RepositoryId {
    let path = format!("repo{number:02}");
    let id = world.bare_repository(&path).await;
    process.credentials.note_new(id).await;
    let manifest = world.code_repo(id, &path, Some("checkout"));
    process.put(manifest).await;
    process.ensure(id, None).await.unwrap();
    process.settle(id).await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_grow_with_repositories_and_not_with_links() {
    const REPOSITORIES: usize = 20;
    let world = World::new().await;
    let process = world.process();
    world.emulator.clear_journal();
    let before = world.bao.proxy().calls().count();
    let repositories: Vec<RepositoryId> = futures_util::stream::iter(0..REPOSITORIES)
        .map(|number| create(&world, &process, number))
        .buffer_unordered(10)
        .collect()
        .await;

    let journal = world.emulator.journal();
    let lists = journal
        .iter()
        .filter(|call| call.call() == "GET /projects/{id}/deploy_keys");
    assert_eq!(lists.count(), 0, "they were made here");
    let reads = journal.iter().filter(|call| call.method == "GET").count();
    assert!(reads <= 6 * REPOSITORIES, "{reads} reads of GitLab");
    let links = REPOSITORIES * (REPOSITORIES - 1) * 2;
    // A key that may push takes two calls.
    let budget = links + links / 2 + 2 * REPOSITORIES;
    assert_eq!(changes(&world), budget);
    let vault = world.bao.proxy().calls();
    let vault = vault.as_slice()[before..].iter();
    let vault = vault.filter(|call| !call.is_write()).count();
    assert!(vault <= 80, "{vault} reads of Vault");
    for repository in repositories {
        assert_eq!(world.enabled(repository).await.len(), 2 * REPOSITORIES);
    }

    world.emulator.clear_journal();
    let other = world.process();
    futures_util::stream::iter(0..REPOSITORIES)
        .for_each_concurrent(10, async |_| {
            other
                .settle_for(Waiter::Repository(RepositoryId::new(1)))
                .await
                .unwrap();
        })
        .await;
    assert_eq!(changes(&world), 0);
    let journal = world.emulator.journal();
    let lists = journal
        .iter()
        .filter(|call| call.call() == "GET /projects/{id}/deploy_keys");
    assert_eq!(lists.count(), REPOSITORIES);
}
