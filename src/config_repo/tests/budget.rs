//! How many calls things may take.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use gitlab_emulator::Emulator;
use nautes_model::entity::Entity;

use super::world::{World, environments, is_commit, on_cluster};
use crate::config_repo::Reading;

const READ: Duration = Duration::from_millis(10);
const COMMIT: Duration = Duration::from_millis(100);

fn slow() -> gitlab_emulator::Builder {
    Emulator::builder()
        .latency_read(READ)
        .latency_commit(COMMIT)
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_entities_at_ten_at_a_time_take_few_commits_and_their_refresh_few_calls() {
    let world = World::with(slow()).await;
    let entities = environments(world.product, 500);
    let process = world.process();
    let begun = Instant::now();
    let written: Vec<_> = futures_util::stream::iter(entities.clone())
        .map(async |entity| {
            let key = entity.key();
            (key, process.create(entity).await.unwrap().verified.unwrap())
        })
        .buffer_unordered(10)
        .collect()
        .await;
    let took = begun.elapsed();
    assert!(
        world.commits_sent() <= 60,
        "{} commits",
        world.commits_sent()
    );
    assert!(
        world.calls().len() <= world.commits_sent() + 3,
        "{:?}",
        world.calls()
    );
    assert!(took <= Duration::from_secs(40), "{took:?}");

    world.emulator.clear_journal();
    let refresh = world.process();
    let read = async |(key, verified)| refresh.open().read(&key, Some(&verified)).await.unwrap();
    let readings: Vec<_> = futures_util::stream::iter(written)
        .map(read)
        .buffer_unordered(10)
        .collect()
        .await;
    assert!(
        world.calls().len() <= 7,
        "head, listing: {:?}",
        world.calls()
    );

    let verified: Vec<_> = entities
        .iter()
        .map(Entity::key)
        .zip(readings.iter().filter_map(|reading| match reading {
            Reading::Present(present) => Some(present.verified.clone()),
            Reading::Unchanged | Reading::Absent => None,
        }))
        .collect();
    assert!(
        verified.len() >= 490,
        "all but the last batch were looked at again"
    );
    world.emulator.clear_journal();
    let again = world.process();
    let read = async |(key, verified)| again.open().read(&key, Some(&verified)).await.unwrap();
    let readings: Vec<_> = futures_util::stream::iter(verified)
        .map(read)
        .buffer_unordered(10)
        .collect()
        .await;
    assert!(
        readings
            .iter()
            .all(|reading| *reading == Reading::Unchanged)
    );
    assert_eq!(world.calls().len(), 1);

    world.emulator.clear_journal();
    let one = world.process();
    one.update(on_cluster(world.product, "env-007", "another"))
        .await
        .unwrap();
    let (commits, others): (Vec<_>, Vec<_>) =
        world.calls().into_iter().partition(|call| is_commit(call));
    assert_eq!(commits.len(), 1);
    assert!(others.len() <= 2, "{others:?}");

    world.emulator.clear_journal();
    let process = world.process();
    let begun = Instant::now();
    futures_util::stream::iter(entities)
        .for_each_concurrent(50, async |entity| {
            process.delete(&entity.key()).await.unwrap();
        })
        .await;
    assert!(
        world.commits_sent() <= 20,
        "{} commits",
        world.commits_sent()
    );
    assert!(
        begun.elapsed() <= Duration::from_secs(40),
        "{:?}",
        begun.elapsed()
    );
    assert!(world.environments().await.is_empty());
}
