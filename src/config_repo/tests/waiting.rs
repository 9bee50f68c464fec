//! Changes that wait for others.

use std::time::{Duration, Instant};

use nautes_model::Kind;
use nautes_model::entity::{CodeRepoBinding, Entity, Permissions};
use nautes_model::{ProductId, RepositoryId};

use super::world::{World, environment, key, name, on_cluster, project};
use crate::config_repo::{Error, PutMode};

pub(super) fn code_repo(product: ProductId, id: u64, of: &str) -> Entity {
    Entity::CodeRepo(nautes_model::entity::CodeRepo {
        product,
        id: RepositoryId::new(id),
        repo_name: "source".into(),
        code_repo_provider: "gitlab-nautes".into(),
        project: Some(name(of)),
        deployment_runtime: false,
        pipeline_runtime: false,
        webhook_events: None,
        url: None,
    })
}

fn binding(product: ProductId, of: &str, code_repo: u64, to: &str) -> Entity {
    Entity::CodeRepoBinding(CodeRepoBinding {
        product,
        name: name(of),
        code_repo: RepositoryId::new(code_repo),
        projects: [name(to)].into(),
        permissions: Permissions::ReadOnly,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_waits_for_what_another_request_brings_later() {
    let world = World::new().await;
    let process = world.process();
    let shop = project(world.product, "shop", "");
    let busy = process.begin(&shop.key());
    let waits = process.create(code_repo(world.product, 7, "shop"));
    let brings = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        process.put(&busy, shop, PutMode::Create).await
    };
    let (waited, brought) = tokio::join!(waits, brings);
    brought.unwrap();
    waited.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_refused_when_no_request_is_left_that_could_help() {
    let world = World::new().await;
    let process = world.process();
    let begun = Instant::now();
    let (one, other) = tokio::join!(
        process.create(code_repo(world.product, 7, "shop")),
        process.create(binding(world.product, "open", 8, "shop")),
    );
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_secs(3) && took < Duration::from_secs(6),
        "{took:?}"
    );
    let Err(Error::Refused {
        violations,
        key: refused,
        ..
    }) = one
    else {
        panic!("{one:?}")
    };
    assert_eq!(refused, key(Kind::CodeRepo, "repo-7"));
    assert_eq!(violations.len(), 1);
    assert!(matches!(other, Err(Error::Refused { violations, .. }) if violations.len() == 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_looked_at_once_more_before_it_is_refused() {
    let world = World::new().await;
    let process = world.process();
    process.open().snapshot().await.unwrap();
    let waits = process.create(code_repo(world.product, 7, "shop"));
    let another_process = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world
            .process()
            .create(project(world.product, "shop", ""))
            .await
            .unwrap();
    };
    let (waited, ()) = tokio::join!(waits, another_process);
    waited.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_no_longer_waits_may_yet_help_others() {
    let world = World::new().await;
    let process = world.process();
    let shop = project(world.product, "shop", "");
    let impatient = process.begin(&shop.key());
    let waits = process.create(code_repo(world.product, 7, "shop"));
    let helps = async {
        let open = binding(world.product, "open", 8, "shop");
        let in_vain = process.put(&impatient, open, PutMode::Create);
        let given_up = tokio::time::timeout(Duration::from_millis(500), in_vain).await;
        assert!(given_up.is_err());
        tokio::time::sleep(Duration::from_secs(4)).await;
        process.put(&impatient, shop, PutMode::Create).await
    };
    let (waited, helped) = tokio::join!(waits, helps);
    helped.unwrap();
    waited.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_waits_until_the_name_is_free() {
    let world = World::new().await;
    let process = world.process();
    process
        .create(on_cluster(world.product, "dev", "a"))
        .await
        .unwrap();
    let later = world.process();
    let dev = key(Kind::Environment, "dev");
    let old = later.begin(&dev);
    let creates = later.create(on_cluster(world.product, "dev", "b"));
    let deletes = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        later.delete_in(&old, &dev).await
    };
    let (created, deleted) = tokio::join!(creates, deletes);
    deleted.unwrap();
    created.unwrap();
    let snapshot = world.process().open().snapshot().await.unwrap();
    let expected = on_cluster(world.product, "dev", "b");
    assert_eq!(snapshot.get(&expected.key()), Some(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn destroying_in_any_order_works() {
    let world = World::new().await;
    let process = world.process();
    process
        .create(project(world.product, "shop", ""))
        .await
        .unwrap();
    process
        .create(code_repo(world.product, 7, "shop"))
        .await
        .unwrap();
    process
        .create(binding(world.product, "open", 7, "shop"))
        .await
        .unwrap();
    let later = world.process();
    let open = key(Kind::CodeRepoBinding, "open");
    let referrer = later.begin(&open);
    let (project, repo) = (key(Kind::Project, "shop"), key(Kind::CodeRepo, "repo-7"));
    let (first, second, third) = tokio::join!(later.delete(&project), later.delete(&repo), async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        later.delete_in(&referrer, &open).await
    });
    first.unwrap();
    second.unwrap();
    third.unwrap();
    assert!(
        world
            .process()
            .open()
            .snapshot()
            .await
            .unwrap()
            .tree()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_another_request_took_over_is_not_deleted() {
    let world = World::new().await;
    world
        .process()
        .create(environment(world.product, "dev"))
        .await
        .unwrap();
    let process = world.process();
    process
        .create(environment(world.product, "dev"))
        .await
        .unwrap();
    process
        .delete(&key(Kind::Environment, "dev"))
        .await
        .unwrap();
    assert_eq!(world.environments().await.len(), 1);
    let later = world.process();
    later.delete(&key(Kind::Environment, "dev")).await.unwrap();
    assert_eq!(world.environments().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_is_not_disturbed_by_a_change_that_is_refused() {
    let world = World::new().await;
    world
        .process()
        .create(on_cluster(world.product, "dev", "a"))
        .await
        .unwrap();
    let process = world.process();
    let dev = key(Kind::Environment, "dev");
    let (deleted, created, refused) = tokio::join!(
        process.delete(&dev),
        process.create(on_cluster(world.product, "dev", "b")),
        process.create(code_repo(world.product, 7, "missing")),
    );
    deleted.unwrap();
    created.unwrap();
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    let snapshot = world.process().open().snapshot().await.unwrap();
    let expected = on_cluster(world.product, "dev", "b");
    assert_eq!(snapshot.get(&dev), Some(&expected));
}
