//! Reading.

use gitlab_emulator::Emulator;
use nautes_model::Kind;

use super::world::{World, default_project, environment, environments, key};
use crate::backends::gitlab::{FileAction, NewCommit};
use crate::config_repo::{Drift, Reading};

async fn push(world: &World, actions: Vec<FileAction>) {
    let commit = NewCommit {
        branch: "main".into(),
        commit_message: "By hand".into(),
        author_name: None,
        author_email: None,
        actions,
    };
    world
        .gitlab()
        .create_commit(world.project, &commit)
        .await
        .unwrap();
}

async fn head(world: &World) -> String {
    world
        .gitlab()
        .head(world.project, "main")
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_read_back_with_its_place_and_message() {
    let world = World::new().await;
    let dev = environment(world.product, "dev");
    let written = world.process().create(dev.clone()).await.unwrap();
    let verified = written.verified.unwrap();
    assert_eq!(verified.commit, head(&world).await);

    let Reading::Present(present) = world.process().open().read(&dev.key(), None).await.unwrap()
    else {
        panic!("absent")
    };
    assert_eq!(present.entity.as_ref(), Some(&dev));
    assert_eq!(present.verified, verified);
    assert_eq!(present.drift, []);
    let newest = &world.commits().await[0];
    assert!(
        newest
            .message
            .starts_with("Save environment `dev`\n\nChange-Id: ")
    );
    assert!(world.kustomization_is_right().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_head_is_read_as_long_as_it_is_the_verified_commit() {
    let world = World::new().await;
    let dev = environment(world.product, "dev");
    let verified = world
        .process()
        .create(dev.clone())
        .await
        .unwrap()
        .verified
        .unwrap();
    world.emulator.clear_journal();
    let reading = world
        .process()
        .open()
        .read(&dev.key(), Some(&verified))
        .await
        .unwrap();
    assert_eq!(reading, Reading::Unchanged);
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_another_commit_left_alone_is_not_read_again() {
    let world = World::new().await;
    let dev = environment(world.product, "dev");
    let verified = world
        .process()
        .create(dev.clone())
        .await
        .unwrap()
        .verified
        .unwrap();
    world
        .process()
        .create(environment(world.product, "test"))
        .await
        .unwrap();
    world.emulator.clear_journal();

    let reading = world
        .process()
        .open()
        .read(&dev.key(), Some(&verified))
        .await
        .unwrap();
    let Reading::Present(present) = reading else {
        panic!("{reading:?}")
    };
    assert_eq!(present.entity, None);
    assert_eq!(present.verified.blob_id, verified.blob_id);
    assert_eq!(present.verified.commit, head(&world).await);
    assert!(world.calls().len() <= 4, "{:?}", world.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_told_and_repaired_by_saving_again() {
    let world = World::new().await;
    let dev = environment(world.product, "dev");
    let process = world.process();
    process.create(dev.clone()).await.unwrap();
    let commit = head(&world).await;
    push(
        &world,
        vec![FileAction::Update {
            file_path: "production/kustomization.yaml".into(),
            content: "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n".into(),
            last_commit_id: commit,
        }],
    )
    .await;

    for whole in [false, true] {
        let process = world.process();
        if whole {
            process.open().snapshot().await.unwrap();
        }
        let reading = process.open().read(&dev.key(), None).await.unwrap();
        let Reading::Present(present) = reading else {
            panic!("{reading:?}")
        };
        assert_eq!(present.drift, [Drift::NotListed]);
    }
    world.process().update(dev.clone()).await.unwrap();
    assert!(world.kustomization_is_right().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_was_broken_by_hand_is_told_and_repaired() {
    let world = World::new().await;
    let dev = environment(world.product, "dev");
    world.process().create(dev.clone()).await.unwrap();
    let last_commit_id = head(&world).await;
    let broken = FileAction::Update {
        file_path: "envs/dev.yaml".into(),
        content: "kind: [".into(),
        last_commit_id,
    };
    push(&world, vec![broken]).await;

    for whole in [false, true] {
        let process = world.process();
        if whole {
            process.open().snapshot().await.unwrap();
        }
        let reading = process.open().read(&dev.key(), None).await.unwrap();
        let Reading::Present(present) = reading else {
            panic!("{reading:?}")
        };
        assert!(
            matches!(present.drift[..], [Drift::Unreadable(_)]),
            "{:?}",
            present.drift
        );
    }
    world.process().update(dev.clone()).await.unwrap();
    let reading = world.process().open().read(&dev.key(), None).await.unwrap();
    assert!(matches!(reading, Reading::Present(present) if present.entity == Some(dev)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_was_renamed_by_hand_is_found_by_its_content() {
    let world = World::new().await;
    let dev = environment(world.product, "dev");
    let verified = world
        .process()
        .create(dev.clone())
        .await
        .unwrap()
        .verified
        .unwrap();
    let text = nautes_model::manifest::render(&dev);
    let last_commit_id = head(&world).await;
    push(
        &world,
        vec![
            FileAction::Delete {
                file_path: "envs/dev.yaml".into(),
                last_commit_id,
            },
            FileAction::Create {
                file_path: "envs/development.yaml".into(),
                content: text.into(),
            },
        ],
    )
    .await;
    let reading = world
        .process()
        .open()
        .read(&dev.key(), Some(&verified))
        .await
        .unwrap();
    let Reading::Present(present) = reading else {
        panic!("{reading:?}")
    };
    assert_eq!(present.drift, [Drift::NotListed]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_absent() {
    let world = World::new().await;
    let process = world.process();
    let dev = key(Kind::Environment, "dev");
    assert_eq!(
        process.open().read(&dev, None).await.unwrap(),
        Reading::Absent
    );
    process
        .create(environment(world.product, "test"))
        .await
        .unwrap();
    assert_eq!(
        process.open().read(&dev, None).await.unwrap(),
        Reading::Absent
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_repository_is_read_and_initialised() {
    let world = World::new().await;
    let gitlab = world.gitlab();
    let group = gitlab.project(world.project).await.unwrap().namespace.id;
    let mut empty = default_project(group, false);
    "empty".clone_into(&mut empty.path);
    "empty".clone_into(&mut empty.name);
    let empty = gitlab.create_project(&empty).await.unwrap();
    let process = world.process();
    let repository = process.repositories.product(world.product, empty.id);
    let dev = environment(world.product, "dev");
    assert_eq!(
        repository.read(&dev.key(), None).await.unwrap(),
        Reading::Absent
    );
    let snapshot = repository.initialize().await.unwrap();
    assert!(snapshot.commit().is_some());
    assert!(!gitlab.project(empty.id).await.unwrap().empty_repo);
    world.emulator.clear_journal();
    repository.initialize().await.unwrap();
    assert_eq!(world.commits_sent(), 0, "once is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleared_archive_limit_is_not_needed_to_read_everything() {
    let world = World::with(Emulator::builder()).await;
    world
        .process()
        .create_all(environments(world.product, 12), 12)
        .await;
    for _ in 0..8 {
        assert_eq!(world.environments().await.len(), 12);
    }
    let refused = world
        .emulator
        .journal()
        .into_iter()
        .filter(|call| call.status == Some(429));
    assert!(refused.count() > 0, "the limit was met");
}
