//! Waiting, giving up and breaking cycles.

use std::time::Duration;

use nautes_model::ProductId;
use tokio::time::Instant;

use super::graph::{GRACE, PATIENCE};
use super::*;

fn path(name: &str) -> Target {
    Target::CodeRepoPath(ProductId::new(1), name.to_owned())
}

fn for_path(name: &str) -> [Awaited; 1] {
    [Awaited::Target(path(name))]
}

#[tokio::test(start_paused = true)]
async fn a_request_gives_up_when_nothing_in_flight_may_write_what_it_waits_for() {
    let graph = WaitGraph::default();
    let _unrelated = graph.begin([path("b")]);
    let request = graph.begin([]);
    let begun = Instant::now();
    assert_eq!(request.wait_for(for_path("a")).next().await, Next::GiveUp);
    assert_eq!(begun.elapsed(), PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_as_long_as_another_may_write_and_is_tried_again_when_it_has() {
    let graph = WaitGraph::default();
    let writer = graph.begin([path("a")]);
    let request = graph.begin([]);
    let mut wait = request.wait_for(for_path("a"));
    let begun = Instant::now();
    let writes = async {
        tokio::time::sleep(10 * PATIENCE).await;
        writer.wrote(&path("a"));
    };
    let (next, ()) = tokio::join!(wait.next(), writes);
    assert_eq!(next, Next::Retry);
    assert_eq!(begun.elapsed(), 10 * PATIENCE);
    drop(writer);
    assert_eq!(wait.next().await, Next::GiveUp);
    assert_eq!(begun.elapsed(), 11 * PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn a_write_between_the_attempt_and_the_wait_is_not_missed() {
    let graph = WaitGraph::default();
    let writer = graph.begin([path("a")]);
    let request = graph.begin([]);
    let mut wait = request.wait_for(for_path("a"));
    writer.wrote(&path("a"));
    assert_eq!(wait.next().await, Next::Retry);
}

#[tokio::test(start_paused = true)]
async fn requests_that_wait_for_each_other_give_up_together() {
    let graph = WaitGraph::default();
    let requests = ["a", "b", "c"].map(|name| graph.begin([path(name)]));
    let awaited = ["b", "c", "a"];
    let begun = Instant::now();
    let waits = requests
        .iter()
        .zip(awaited)
        .map(|(request, name)| async move {
            let next = request.wait_for(for_path(name)).next().await;
            (next, begun.elapsed())
        });
    let ends = futures_util::future::join_all(waits).await;
    for (next, elapsed) in ends {
        assert_eq!(next, Next::GiveUp);
        assert!(elapsed <= PATIENCE + GRACE, "{elapsed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_behind_one_that_waits_in_vain_does_not_wait_for_its_end() {
    let graph = WaitGraph::default();
    let stuck = graph.begin([path("a")]);
    let behind = graph.begin([]);
    let begun = Instant::now();
    let (stuck_next, behind_next) = tokio::join!(
        async { stuck.wait_for(for_path("missing")).next().await },
        async { behind.wait_for(for_path("a")).next().await },
    );
    assert_eq!([stuck_next, behind_next], [Next::GiveUp; 2]);
    assert!(begun.elapsed() <= PATIENCE + GRACE);
}

#[tokio::test(start_paused = true)]
async fn the_first_to_give_up_makes_room_for_the_request_that_helps_the_others() {
    let graph = WaitGraph::default();
    let first = graph.begin([]);
    let second = graph.begin([]);
    let client = async {
        assert_eq!(first.wait_for(for_path("x")).next().await, Next::GiveUp);
        drop(first);
        tokio::time::sleep(GRACE / 2).await;
        let helper = graph.begin([path("a")]);
        tokio::time::sleep(2 * PATIENCE).await;
        helper.wrote(&path("a"));
    };
    let mut wait = second.wait_for(for_path("a"));
    let (next, ()) = tokio::join!(wait.next(), client);
    assert_eq!(next, Next::Retry);
}

#[tokio::test(start_paused = true)]
async fn of_forty_requests_ten_at_a_time_that_nothing_helps_all_end_within_seconds() {
    use futures_util::StreamExt as _;
    let graph = WaitGraph::default();
    let begun = Instant::now();
    futures_util::stream::iter(0..40)
        .for_each_concurrent(10, |number| {
            let graph = &graph;
            async move {
                let request = graph.begin([path(&number.to_string())]);
                let next = request.wait_for(for_path("foreign")).next().await;
                assert_eq!(next, Next::GiveUp);
            }
        })
        .await;
    let rounds = 4;
    assert!(
        begun.elapsed() <= rounds * (PATIENCE + GRACE),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn one_request_of_a_cycle_of_renames_moves_its_object_aside_at_once() {
    let graph = WaitGraph::default();
    let names = ["a", "b", "c"];
    let begun = Instant::now();
    let renames = (0..3).map(|index| {
        let (from, to) = (path(names[index]), path(names[(index + 1) % 3]));
        let graph = &graph;
        async move {
            let request = graph.begin([from.clone(), to.clone()]);
            let mut wait = request.wait_to_move(from.clone(), to.clone());
            let mut moved_aside = false;
            loop {
                match wait.next().await {
                    Next::BreakCycle => {
                        wait.moved_aside();
                        moved_aside = true;
                    }
                    Next::Retry => {
                        request.wrote(&from);
                        return moved_aside;
                    }
                    Next::GiveUp => panic!("the cycle was not broken"),
                }
            }
        }
    });
    let moved_aside = futures_util::future::join_all(renames).await;
    assert_eq!(moved_aside, [true, false, false]);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_a_cycle_is_not_part_of_it() {
    let graph = WaitGraph::default();
    let outside = graph.begin([path("z"), path("a")]);
    let one = graph.begin([path("a"), path("b")]);
    let other = graph.begin([path("b"), path("a")]);
    let mut outside_wait = outside.wait_to_move(path("z"), path("a"));
    let mut one_wait = one.wait_to_move(path("a"), path("b"));
    let mut other_wait = other.wait_to_move(path("b"), path("a"));
    let (_, next, _) = tokio::join!(
        tokio::time::timeout(GRACE, outside_wait.next()),
        one_wait.next(),
        tokio::time::timeout(GRACE, other_wait.next()),
    );
    assert_eq!(next, Next::BreakCycle);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_request_leaves_no_mark() {
    let graph = WaitGraph::default();
    let cancelled = graph.begin([path("a")]);
    let waits = async { cancelled.wait_for(for_path("b")).next().await };
    tokio::time::timeout(Duration::from_secs(1), waits)
        .await
        .unwrap_err();
    let other = graph.begin([path("b")]);
    assert!(
        other.is_contended(&path("a")),
        "it has stopped waiting and may go on"
    );
    drop(cancelled);
    assert!(!other.is_contended(&path("a")));
    let begun = Instant::now();
    assert_eq!(other.wait_for(for_path("a")).next().await, Next::GiveUp);
    assert_eq!(begun.elapsed(), PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_last_attempt_succeeds_may_write_the_rest_again() {
    let graph = WaitGraph::default();
    let request = graph.begin([path("mine"), path("other")]);
    let given_up = request.wait_for(for_path("theirs")).next().await;
    assert_eq!(given_up, Next::GiveUp);
    let waiting = graph.begin([]);
    assert!(!waiting.is_contended(&path("other")));
    request.wrote(&path("mine"));
    assert!(waiting.is_contended(&path("other")));
    assert!(!waiting.is_contended(&path("mine")));
}

#[tokio::test(start_paused = true)]
async fn what_a_request_waits_for_is_described_without_what_it_writes_itself() {
    let graph = WaitGraph::default();
    let request = graph.begin([path("own")]);
    let awaited = |request: &Request| graph.lock().awaited(request.id());
    assert_eq!(awaited(&request), None);
    let targets = [
        path("own"),
        path("a"),
        Target::ProductPath("shop".to_owned()),
    ];
    let mut wait = request.wait_for(targets.map(Awaited::Target));
    let mut next = pin!(wait.next());
    let pending = tokio::time::timeout(PATIENCE / 2, &mut next).await;
    assert!(pending.is_err());
    let expected = ["the code repository `a` of product-1", "the product `shop`"];
    assert_eq!(
        awaited(&request),
        Some(expected.map(str::to_owned).to_vec())
    );
}
