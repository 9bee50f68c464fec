//! Failures of GitLab.

use std::time::Duration;

use gitlab_emulator::{Emulator, Failure};
use serde_json::json;

use super::world::{World, environment, environments, on_cluster};
use crate::backends::gitlab::{FileAction, Kind, NewCommit};
use crate::config_repo::Error;

const COMMITS: &str = "/repository/commits$";

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_found_and_not_made_again() {
    for failure in [
        Failure::Drop,
        Failure::Respond {
            status: 502,
            body: None,
        },
    ] {
        let world = World::new().await;
        let process = world.process();
        process.open().snapshot().await.unwrap();
        world.inject("POST", COMMITS, true, failure);
        let written = process
            .create(environment(world.product, "dev"))
            .await
            .unwrap();
        let head = world.gitlab().head(world.project, "main").await.unwrap();
        assert_eq!(written.verified.map(|verified| verified.commit), head);
        assert_eq!(
            world.commits().await.len(),
            3,
            "README, kustomization, environment"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_failed_without_effect_is_made_again() {
    for failure in [
        Failure::Drop,
        Failure::GitalyExhausted,
        Failure::ResourceLock,
    ] {
        let world = World::new().await;
        let process = world.process();
        world.inject("POST", COMMITS, false, failure);
        process
            .create(environment(world.product, "dev"))
            .await
            .unwrap();
        assert_eq!(world.commits().await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_commit_waits_and_is_made_once() {
    let world = World::new().await;
    let process = world.process();
    world.inject(
        "POST",
        COMMITS,
        false,
        Failure::Throttled { retry_after: 1 },
    );
    process
        .create(environment(world.product, "dev"))
        .await
        .unwrap();
    assert_eq!(world.commits().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_commit_is_taken_apart_until_the_change_at_fault_is_alone() {
    let world = World::with(Emulator::builder().latency_commit(Duration::from_millis(50))).await;
    let process = world.process();
    process.open().snapshot().await.unwrap();
    let refused = json!({ "message": "GitLab: a push rule refuses this" });
    let refusal = Failure::Respond {
        status: 400,
        body: Some(refused),
    };
    // The batch of eight, its first half, the first quarter and the first change.
    for _ in 0..4 {
        world.inject("POST", COMMITS, false, refusal.clone());
    }
    let all = environments(world.product, 8)
        .into_iter()
        .map(|entity| process.create(entity));
    let outcomes = futures_util::future::join_all(all).await;
    let failed: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    let [Error::GitLab(error)] = &failed[..] else {
        panic!("{failed:?}")
    };
    assert_eq!(*error.kind(), Kind::Invalid);
    assert_eq!(
        error.field_errors()[0].text,
        "GitLab: a push rule refuses this"
    );
    assert_eq!(world.environments().await.len(), 7);
    assert!(world.kustomization_is_right().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_rule_that_refuses_everything_is_not_asked_about_each_change() {
    let world = World::with(Emulator::builder().latency_commit(Duration::from_millis(50))).await;
    let process = world.process();
    process.open().snapshot().await.unwrap();
    let refusal = Failure::Respond {
        status: 400,
        body: Some(json!({ "message": "GitLab: a push rule refuses this" })),
    };
    for _ in 0..64 {
        world.inject("POST", COMMITS, false, refusal.clone());
    }
    world.emulator.clear_journal();
    let all = environments(world.product, 16)
        .into_iter()
        .map(|entity| process.create(entity));
    let outcomes = futures_util::future::join_all(all).await;
    assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
    let calls = world.calls();
    let commits = calls.iter().filter(|call| call.ends_with("/commits"));
    // The batch, three parts of it and the first change, then one change of each other part.
    assert!(commits.count() <= 10, "{calls:?}");
    assert!(world.environments().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_to_every_request_and_the_next_ones_begin_anew() {
    let world = World::new().await;
    let process = world.process();
    process.open().snapshot().await.unwrap();
    world.inject(
        "POST",
        COMMITS,
        false,
        Failure::Respond {
            status: 403,
            body: None,
        },
    );
    let (one, other) = tokio::join!(
        process.create(environment(world.product, "a")),
        process.create(environment(world.product, "b")),
    );
    for outcome in [one, other] {
        let Err(Error::GitLab(error)) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(matches!(error.kind(), Kind::Forbidden { .. }));
    }
    process
        .create(environment(world.product, "a"))
        .await
        .unwrap();
    assert_eq!(world.environments().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_stops_waiting_takes_its_change_back() {
    let world = World::with(Emulator::builder().latency_commit(Duration::from_millis(300))).await;
    let process = world.process();
    process.open().snapshot().await.unwrap();
    let first = process.create(environment(world.product, "first"));
    let cancelled = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let second = process.create(environment(world.product, "second"));
        tokio::time::timeout(Duration::from_millis(50), second)
            .await
            .unwrap_err()
    };
    let (first, _) = tokio::join!(first, cancelled);
    first.unwrap();
    process
        .create(environment(world.product, "third"))
        .await
        .unwrap();
    let names: Vec<_> = world.environments().await.into_iter().collect();
    assert_eq!(names, ["first", "third"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_and_that_others_came_before_is_still_judged() {
    let world = World::new().await;
    let process = world.process();
    process.open().snapshot().await.unwrap();
    let theirs = on_cluster(world.product, "theirs", "shared");
    let commit = NewCommit {
        branch: "main".into(),
        commit_message: "By hand".into(),
        author_name: None,
        author_email: None,
        actions: vec![FileAction::Create {
            file_path: "envs/theirs.yaml".into(),
            content: nautes_model::manifest::render(&theirs).into(),
        }],
    };
    world
        .gitlab()
        .create_commit(world.project, &commit)
        .await
        .unwrap();
    world.inject("POST", COMMITS, true, Failure::Drop);
    let outcome = process
        .create(on_cluster(world.product, "ours", "shared"))
        .await;
    assert!(matches!(outcome, Err(Error::Refused { .. })), "{outcome:?}");
    let names: Vec<_> = world.environments().await.into_iter().collect();
    assert_eq!(names, ["theirs"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_does_not_show_what_is_there_is_not_believed_twice() {
    let world = World::new().await;
    let process = world.process();
    process.open().snapshot().await.unwrap();
    let exists = json!({ "message": "A file with this name already exists" });
    world.inject(
        "POST",
        COMMITS,
        false,
        Failure::Respond {
            status: 400,
            body: Some(exists),
        },
    );
    process
        .create(environment(world.product, "dev"))
        .await
        .unwrap();
    assert!(
        world
            .calls()
            .iter()
            .any(|call| call.ends_with("/repository/tree"))
    );
}
