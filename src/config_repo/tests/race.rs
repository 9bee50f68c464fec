//! Several writers of one branch.

use std::time::Duration;

use gitlab_emulator::{ConflictText, Emulator};
use nautes_model::Kind;

use super::opponent::Opponent;
use super::world::{World, environment, environments, key, on_cluster, project};
use crate::backends::gitlab::{FileAction, NewCommit};
use crate::config_repo::{Error, PutMode};

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_lose_no_change_and_make_none_twice() {
    for text in [ConflictText::ReferenceUpdate, ConflictText::Refresh] {
        let commit = Duration::from_millis(60);
        let world = World::with(Emulator::builder().latency_commit(commit)).await;
        world
            .emulator
            .update_switches(|switches| switches.conflict_text = text);
        let mut entities = environments(world.product, 80);
        let others = entities.split_off(40);
        let (one, other) = (world.process(), world.process());
        tokio::join!(one.create_all(entities, 5), other.create_all(others, 5));

        assert_eq!(world.environments().await.len(), 80);
        assert!(world.kustomization_is_right().await);
        let named = world
            .commits()
            .await
            .iter()
            .flat_map(|commit| commit.message.lines())
            .filter(|line| line.starts_with("Save environment `"))
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let mut once = named.clone();
        once.sort();
        once.dedup();
        assert_eq!((named.len(), once.len()), (80, 80));
        let lost = world
            .emulator
            .journal()
            .into_iter()
            .filter(|call| call.status == Some(400));
        assert!(lost.count() > 0, "some race was lost");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_that_create_one_name_one_wins_and_the_other_is_told() {
    let world = World::with(Emulator::builder().latency_commit(Duration::from_millis(60))).await;
    let (one, other) = (world.process(), world.process());
    one.open().snapshot().await.unwrap();
    other.open().snapshot().await.unwrap();
    let (first, second) = tokio::join!(
        one.create(on_cluster(world.product, "dev", "a")),
        other.create(on_cluster(world.product, "dev", "b")),
    );
    let failed = [first, second]
        .into_iter()
        .filter_map(Result::err)
        .collect::<Vec<_>>();
    assert!(matches!(&failed[..], [Error::Exists { .. }]), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_that_want_one_cluster_one_wins() {
    let world = World::with(Emulator::builder().latency_commit(Duration::from_millis(60))).await;
    let (one, other) = (world.process(), world.process());
    one.open().snapshot().await.unwrap();
    other.open().snapshot().await.unwrap();
    let (first, second) = tokio::join!(
        one.create(on_cluster(world.product, "a", "shared")),
        other.create(on_cluster(world.product, "b", "shared")),
    );
    let failed = [first, second]
        .into_iter()
        .filter_map(Result::err)
        .collect::<Vec<_>>();
    assert!(matches!(&failed[..], [Error::Refused { .. }]), "{failed:?}");
    assert_eq!(world.environments().await.len(), 1);
    assert!(world.kustomization_is_right().await);
}

/// A commit by hand, which leaves the kustomization as it is.
fn by_hand(action: FileAction) -> NewCommit {
    NewCommit {
        branch: "main".into(),
        commit_message: "By hand".into(),
        author_name: None,
        author_email: None,
        actions: vec![action],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_others_came_before_is_repaired() {
    let world = World::new().await;
    let process = world.process();
    process.open().snapshot().await.unwrap();
    let text = nautes_model::manifest::render(&on_cluster(world.product, "theirs", "shared"));
    let theirs = FileAction::Create {
        file_path: "envs/theirs.yaml".into(),
        content: text.into(),
    };
    world
        .gitlab()
        .create_commit(world.project, &by_hand(theirs))
        .await
        .unwrap();

    let (good, bad) = tokio::join!(
        process.create(environment(world.product, "good")),
        process.create(on_cluster(world.product, "bad", "shared")),
    );
    good.unwrap();
    assert!(matches!(bad.unwrap_err(), Error::Refused { .. }));
    let names: Vec<_> = world.environments().await.into_iter().collect();
    assert_eq!(names, ["good", "theirs"]);
    assert!(world.kustomization_is_right().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_that_another_writer_changed_is_not_overwritten() {
    let world = World::new().await;
    let verified = world
        .process()
        .create(on_cluster(world.product, "dev", "a"))
        .await
        .unwrap()
        .verified;
    world
        .process()
        .update(on_cluster(world.product, "dev", "b"))
        .await
        .unwrap();
    let process = world.process();
    let entity = on_cluster(world.product, "dev", "c");
    let request = process.begin(&entity.key());
    let outcome = process
        .put(&request, entity, PutMode::Update(verified))
        .await;
    assert!(matches!(outcome, Err(Error::Changed { .. })), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_covered_in_the_gap_of_the_guard_is_put_back() {
    let world = World::new().await;
    let process = world.process();
    let shop = project(world.product, "shop", "rust");
    process.create(shop.clone()).await.unwrap();
    let head = world
        .gitlab()
        .head(world.project, "main")
        .await
        .unwrap()
        .unwrap();
    world
        .emulator
        .update_switches(|switches| switches.gap_before_parent = 5000);

    let ours = process.update(project(world.product, "shop", "ours"));
    let theirs = async {
        // Our commit has reached the gap by then, on a busy machine too.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        world
            .emulator
            .update_switches(|switches| switches.gap_before_parent = 0);
        let text = nautes_model::manifest::render(&project(world.product, "shop", "theirs"));
        let action = FileAction::Update {
            file_path: "projects/shop/shop.yaml".into(),
            content: text.into(),
            last_commit_id: head,
        };
        world
            .gitlab()
            .create_commit(world.project, &by_hand(action))
            .await
            .unwrap();
    };
    let (ours, ()) = tokio::join!(ours, theirs);
    assert!(matches!(ours, Err(Error::Changed { .. })), "{ours:?}");
    let snapshot = world.process().open().snapshot().await.unwrap();
    let kept = snapshot.get(&key(Kind::Project, "shop"));
    assert_eq!(kept, Some(&project(world.product, "shop", "theirs")));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_always_comes_before_us_ends_in_an_error_that_loses_nothing() {
    let world = World::new().await;
    let process = world.process_through(&Opponent::start(&world).await);
    process.open().snapshot().await.unwrap();
    let dev = environment(world.product, "dev");
    let outcome = process.create(dev.clone()).await;
    assert!(
        matches!(outcome, Err(Error::Contended { times: 13 })),
        "{outcome:?}"
    );
    assert_eq!(world.environments().await.len(), 1, "it was committed");

    world.process().create(dev).await.unwrap();
    assert!(world.kustomization_is_right().await);
    let snapshot = world.process().open().snapshot().await.unwrap();
    assert_eq!(snapshot.tree().projects().count(), 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_the_branch_is_not_the_last_word() {
    let world = World::new().await;
    let dev = environment(world.product, "dev");
    world.process().create(dev.clone()).await.unwrap();
    let process = world.process();
    process.open().snapshot().await.unwrap();
    world.process().delete(&dev.key()).await.unwrap();
    process.create(dev.clone()).await.unwrap();
    assert_eq!(
        world.environments().await.len(),
        1,
        "made again, not taken for made"
    );

    let process = world.process();
    process.open().snapshot().await.unwrap();
    world.process().delete(&dev.key()).await.unwrap();
    world
        .process()
        .create(environment(world.product, "other"))
        .await
        .unwrap();
    process.delete(&dev.key()).await.unwrap();
    assert_eq!(world.environments().await.len(), 1, "deleted already");
}
