//! Keys of a product's repositories on each other.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use gitlab_emulator::{Failure, Fault};
use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::entity::Permissions::{self, ReadOnly, ReadWrite};
use nautes_model::vault::SecretPath;

use super::world::{Change, Process, World};
use crate::backends::gitlab::{FileAction, NewCommit, NewDeployKey};
use crate::credentials::key_pair::KeyPair;
use crate::credentials::{Error, LinkError, Subscriber};

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
        failure: Failure::Respond {
            status: 403,
            body: None,
        },
    };
    world.emulator.inject_fault(fault).unwrap();
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
        let subscriber = Subscriber::Binding { repository: three };
        process.distribute_for(subscriber).await.unwrap();
    }
    assert_eq!(
        world.enabled(three).await,
        all(vec![own(one), own(two), own(three)])
    );
    let other = world.process();
    other.delete(&world.binding(three, ReadOnly)).await;
    other.distribute(three).await.unwrap();
    let mut expected = all(vec![own(three)]);
    expected.extend([key(one, ReadWrite), key(two, ReadWrite)]);
    assert_eq!(world.enabled(three).await, expected);

    world.emulator.clear_journal();
    world.process().distribute(three).await.unwrap();
    assert_eq!(changes(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_repository_that_is_gone_or_has_new_ones_are_replaced() {
    let world = World::new().await;
    let one = world.repository("one", Some("checkout")).await;
    let two = world.repository("two", Some("checkout")).await;
    world.process().remove(two).await;
    let process = world.process();
    process.ensure(two, None).await.unwrap();
    process.distribute(two).await.unwrap();
    let ids = async |on: RepositoryId| -> BTreeMap<String, u64> {
        let keys = world.gitlab().deploy_keys(on.number()).await.unwrap();
        keys.into_iter().map(|key| (key.title, key.id)).collect()
    };
    assert_eq!(ids(one).await, ids(two).await);
    assert_eq!(world.enabled(one).await.len(), 4);

    process
        .delete(&world.code_repo(two, "two", Some("checkout")))
        .await;
    process.distribute(two).await.unwrap();
    assert_eq!(world.enabled(one).await, own(one).into());
    process.remove(two).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_keys_with_a_repositorys_own_title_the_one_in_vault_stays() {
    let world = World::new().await;
    let one = world.repository("one", Some("checkout")).await;
    let two = world.repository("two", Some("checkout")).await;
    let leaked = NewDeployKey {
        title: format!("{one}-readwrite"),
        key: KeyPair::generate().unwrap().public,
        can_push: true,
    };
    let gitlab = world.gitlab();
    gitlab
        .create_deploy_key(one.number(), &leaked)
        .await
        .unwrap();
    world.process().distribute(two).await.unwrap();
    world.assert_keys(one).await;
    assert_eq!(world.enabled(two).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_reported_to_the_repository_or_else_to_the_binding() {
    let world = World::new().await;
    let one = world.repository("one", None).await;
    let two = world.repository("two", None).await;
    let process = world.process();
    refuse(&world, one);
    process.put(world.binding(one, ReadOnly)).await;
    process.put(world.binding(two, ReadOnly)).await;
    let of_one = Subscriber::Binding { repository: one };
    let of_two = Subscriber::Binding { repository: two };
    let (first, second) = tokio::join!(
        process.distribute_for(of_one.clone()),
        process.distribute_for(of_two)
    );
    let Error::Links { failures } = first.unwrap_err() else {
        panic!("another error");
    };
    assert!(failures.iter().all(|failure| failure.on == one));
    second.unwrap();
    assert_eq!(world.enabled(two).await.len(), 3);

    world.heal();
    process.distribute_for(of_one).await.unwrap();
    assert_eq!(world.enabled(one).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_that_arrive_during_a_run_share_the_next_one() {
    let world = World::new().await;
    let one = world.repository("one", None).await;
    let two = world.repository("two", None).await;
    let process = world.process();
    process.distribute(one).await.unwrap();
    process.distribute(two).await.unwrap();
    refuse(&world, one);
    process.put(world.binding(one, ReadOnly)).await;

    world.emulator.clear_journal();
    world
        .emulator
        .update_switches(|switches| switches.latency_read = 500);
    let late = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let binding = Subscriber::Binding { repository: one };
        tokio::join!(
            process.distribute_for(binding),
            process.distribute(one),
            process.distribute(two)
        )
    };
    let (first, (binding, repository, other)) = tokio::join!(process.distribute(two), late);
    first.unwrap();
    binding.unwrap();
    repository.unwrap_err();
    other.unwrap();
    let journal = world.emulator.journal();
    let runs = journal
        .iter()
        .filter(|call| call.call() == "GET /projects/{id}/repository/branches/{branch}");
    assert_eq!(runs.count(), 2, "one look at the branch for each run");
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_lists_are_read_again() {
    let world = World::new().await;
    let one = world.repository("one", Some("checkout")).await;
    let two = world.repository("two", None).await;
    let process = world.process();
    process.distribute(one).await.unwrap();

    world.process().remove(one).await;
    let other = world.process();
    other.ensure(one, None).await.unwrap();
    process.put(world.binding(two, ReadWrite)).await;
    process.distribute(two).await.unwrap();
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
    process.distribute(one).await.unwrap();
    assert!(process.distribute(absent).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_subscriber_cancels_nothing() {
    let world = World::new().await;
    let one = world.repository("one", Some("checkout")).await;
    let two = world.bare_repository("two").await;
    let process = world.process();
    process
        .put(world.code_repo(two, "two", Some("checkout")))
        .await;
    process.ensure(two, None).await.unwrap();
    for _ in 0..20 {
        let distributed = process.distribute(two);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(1), distributed).await;
    }
    process.distribute(one).await.unwrap();
    assert_eq!(world.enabled(one).await.len(), 4);
    assert_eq!(world.enabled(two).await.len(), 4);
}

async fn create(world: &World, process: &Process, number: usize) -> RepositoryId {
    let path = format!("repo{number:02}");
    let id = world.bare_repository(&path).await;
    let project = world.gitlab().project(id.number()).await.unwrap();
    process.credentials.note_new(&project).await;
    let manifest = world.code_repo(id, &path, Some("checkout"));
    process.put(manifest).await;
    process.ensure(id, None).await.unwrap();
    process.distribute(id).await.unwrap();
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
    let own = 2 * REPOSITORIES;
    assert_eq!(changes(&world), links + own, "one call for each link");
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
            other.distribute(RepositoryId::new(1)).await.unwrap();
        })
        .await;
    assert_eq!(changes(&world), 0);
    let journal = world.emulator.journal();
    let lists = journal
        .iter()
        .filter(|call| call.call() == "GET /projects/{id}/deploy_keys");
    assert_eq!(lists.count(), REPOSITORIES);
}

/// The numbers of the projects whose deploy keys were listed, sorted.
fn listed(world: &World) -> Vec<u64> {
    let journal = world.emulator.journal();
    let lists = journal
        .iter()
        .filter(|call| call.call() == "GET /projects/{id}/deploy_keys");
    let number = |path: &str| path.split('/').find_map(|part| part.parse().ok());
    let mut listed: Vec<u64> = lists.filter_map(|call| number(&call.path)).collect();
    listed.sort_unstable();
    listed
}

fn sorted(repositories: &[RepositoryId]) -> Vec<u64> {
    let mut numbers: Vec<u64> = repositories.iter().map(|id| id.number()).collect();
    numbers.sort_unstable();
    numbers
}

/// Eight repositories, of which the first two are of the project `checkout`.
async fn eight_repositories(world: &World) -> Vec<RepositoryId> {
    let mut repositories = Vec::new();
    for number in 0..8 {
        let project = (number < 2).then_some("checkout");
        repositories.push(world.repository(&format!("repo{number}"), project).await);
    }
    repositories
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binding_reads_the_keys_of_the_repositories_that_it_concerns_and_no_others() {
    let world = World::new().await;
    let repositories = eight_repositories(&world).await;
    let (one, two, opened) = (repositories[0], repositories[1], repositories[2]);
    let binding = |permissions| world.binding_for(opened, &["checkout"], permissions);
    let subscriber = Subscriber::Binding { repository: opened };
    let distribute = async |change: Change| {
        let process = world.process();
        process.change(change).await;
        world.emulator.clear_journal();
        process.distribute_for(subscriber.clone()).await.unwrap();
        (listed(&world), changes(&world))
    };
    // One head, one listing of the group, one list of keys for each repository that counts, and one
    // call for each link.
    let (lists, links) = distribute(Change::Put(binding(ReadWrite))).await;
    assert_eq!((lists, links), (sorted(&[one, two, opened]), 2));
    let reads = world.emulator.journal().len() - links;
    assert_eq!(reads, 5, "the archive is known");

    let (lists, links) = distribute(Change::Delete(binding(ReadWrite))).await;
    assert_eq!((lists, links), (sorted(&[opened]), 2));
    assert_eq!(world.enabled(opened).await, own(opened).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_moves_or_is_deleted_reads_the_keys_of_those_that_it_shares_a_project_with()
 {
    let world = World::new().await;
    let repositories = eight_repositories(&world).await;
    let (one, two, moved) = (repositories[0], repositories[1], repositories[2]);
    let distribute = async |change: Change| {
        let process = world.process();
        let before = process.open().snapshot().await.unwrap();
        process.change(change).await;
        world.emulator.clear_journal();
        let subscriber = Subscriber::Repository {
            repository: moved,
            before: Some(before),
        };
        process.distribute_for(subscriber).await.unwrap();
        listed(&world)
    };
    let into = world.code_repo(moved, "repo2", Some("checkout"));
    assert_eq!(
        distribute(Change::Put(into)).await,
        sorted(&[one, two, moved])
    );
    assert_eq!(world.enabled(one).await.len(), 6);
    assert_eq!(world.enabled(moved).await.len(), 6);

    let out_of = world.code_repo(moved, "repo2", None);
    assert_eq!(
        distribute(Change::Put(out_of)).await,
        sorted(&[one, two, moved])
    );
    assert_eq!(world.enabled(one).await.len(), 4);
    assert_eq!(world.enabled(moved).await, own(moved).into());

    let into = world.code_repo(moved, "repo2", Some("checkout"));
    distribute(Change::Put(into.clone())).await;
    assert_eq!(distribute(Change::Delete(into)).await, sorted(&[one, two]));
    assert_eq!(world.enabled(one).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_replaces_the_old_one_on_every_repository() {
    let world = World::new().await;
    let repositories = eight_repositories(&world).await;
    let (one, two, opened) = (repositories[0], repositories[1], repositories[2]);
    let process = world.process();
    process
        .put(world.binding_for(opened, &["checkout"], ReadOnly))
        .await;
    let subscriber = Subscriber::Binding { repository: opened };
    process.distribute_for(subscriber).await.unwrap();

    let key = DeployKey {
        owner: one,
        permissions: ReadOnly,
    };
    let path = SecretPath::for_repository(one, key.permissions.into());
    world.vault().delete_secret(&path).await.unwrap();
    let process = world.process();
    let made = process.ensure(one, None).await.unwrap();
    let made = made.deploy_keys.readonly.id;
    process.distribute(one).await.unwrap();
    for on in [one, two, opened] {
        let keys = world.gitlab().deploy_keys(on.number()).await.unwrap();
        let titled = keys.iter().filter(|found| found.title == key.to_string());
        let ids: Vec<u64> = titled.map(|found| found.id).collect();
        assert_eq!(ids, [made], "on {on}");
    }
}

fn answer_to_adding(world: &World, on: RepositoryId, status: u16, body: serde_json::Value) {
    let fault = Fault {
        method: Some("POST".into()),
        path: Some(format!("/projects/{}/deploy_keys$", on.number())),
        skip: 0,
        times: None,
        after_effect: false,
        failure: Failure::Respond {
            status,
            body: Some(body),
        },
    };
    world.emulator.inject_fault(fault).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_gitlab_does_not_find_by_its_text_is_enabled_by_its_number() {
    let world = World::new().await;
    let repositories = eight_repositories(&world).await;
    let (one, opened) = (repositories[0], repositories[2]);
    let body = serde_json::json!({
        "message": { "deploy_key.fingerprint_sha256": ["has already been taken"] }
    });
    answer_to_adding(&world, opened, 400, body);
    let process = world.process();
    process
        .put(world.binding_for(opened, &["checkout"], ReadWrite))
        .await;
    process.distribute(opened).await.unwrap();
    let enabled = world.enabled(opened).await;
    assert_eq!(enabled.get(&format!("{one}-readwrite")), Some(&true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_replaced_in_the_meantime_is_removed_again() {
    let world = World::new().await;
    let repositories = eight_repositories(&world).await;
    let opened = repositories[2];
    let stranger = NewDeployKey {
        title: "stranger".into(),
        key: KeyPair::generate().unwrap().public,
        can_push: true,
    };
    let gitlab = world.gitlab();
    let made = gitlab.create_deploy_key(opened.number(), &stranger).await;
    let made = made.unwrap();
    let body = serde_json::json!({
        "id": made.id, "title": made.title, "key": made.key, "can_push": true
    });
    answer_to_adding(&world, opened, 201, body);
    let process = world.process();
    process
        .put(world.binding_for(opened, &["checkout"], ReadWrite))
        .await;
    let Error::Links { failures } = process.distribute(opened).await.unwrap_err() else {
        panic!("another error");
    };
    assert!(failures.iter().all(
        |failure| failure.on == opened && matches!(failure.source, LinkError::Replaced { .. })
    ));
    assert_eq!(world.enabled(opened).await, own(opened).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_whose_keys_cannot_be_read_fails_the_repository_that_should_have_them() {
    let world = World::new().await;
    let repositories = eight_repositories(&world).await;
    let (one, opened) = (repositories[0], repositories[2]);
    let fault = Fault {
        method: Some("GET".into()),
        path: Some(format!("/projects/{}/deploy_keys", one.number())),
        skip: 0,
        times: None,
        after_effect: false,
        failure: Failure::Respond {
            status: 403,
            body: None,
        },
    };
    world.emulator.inject_fault(fault).unwrap();
    let process = world.process();
    process
        .put(world.binding_for(opened, &["checkout"], ReadOnly))
        .await;
    let subscriber = Subscriber::Binding { repository: opened };
    let Error::Links { failures } = process.distribute_for(subscriber).await.unwrap_err() else {
        panic!("another error");
    };
    let attempts: Vec<&str> = failures.iter().map(|failure| &*failure.attempt).collect();
    assert_eq!(
        attempts,
        [format!("enable the deploy keys of {one} on {opened}")]
    );
    assert_eq!(world.enabled(opened).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_cannot_be_read_takes_no_access_away() {
    let world = World::new().await;
    let one = world.repository("one", None).await;
    let two = world.repository("two", None).await;
    let process = world.process();
    process.put(world.binding(two, ReadOnly)).await;
    process.distribute(two).await.unwrap();
    let before = world.enabled(two).await;
    assert!(before.contains_key(&format!("{one}-readonly")));
    let gitlab = world.gitlab();
    let head = gitlab
        .head(world.config_project, "main")
        .await
        .unwrap()
        .unwrap();
    let commit = NewCommit {
        branch: "main".into(),
        commit_message: "By hand".into(),
        author_name: None,
        author_email: None,
        actions: vec![FileAction::Update {
            file_path: format!("code-repos/{two}/{two}-readonly.yaml"),
            content: "kind: [".into(),
            last_commit_id: head,
        }],
    };
    gitlab
        .create_commit(world.config_project, &commit)
        .await
        .unwrap();
    let refused = world.process().distribute(two).await.unwrap_err();
    assert!(format!("{refused:?}").contains("Unreadable"), "{refused:?}");
    assert_eq!(world.enabled(two).await, before);
}
