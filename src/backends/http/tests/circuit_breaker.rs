//! When the circuit opens and closes, on a paused clock.

use std::future::{Ready, pending, ready};
use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use tokio::time::{Instant, advance, sleep};

use super::super::circuit_breaker::CircuitBreaker;
use super::super::{Call, ConnectFailure, Error, Limits, TransportError};

const REFUSED: TransportError = TransportError::Unreachable {
    reason: ConnectFailure::Refused,
};
const SECOND: Duration = Duration::from_secs(1);

type Outcome = Result<(), Error<TransportError>>;

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new("test", &Limits::default())
}

fn call() -> Call {
    Call::new(Method::GET, &"https://host".parse().unwrap())
}

fn failed(error: TransportError) -> Ready<Outcome> {
    ready(Err(Error::new(call(), error)))
}

async fn answered_after(time: Duration) -> Outcome {
    sleep(time).await;
    Ok(())
}

/// Makes one attempt; an error comes with whether the attempt may have taken effect.
async fn attempt(
    breaker: &CircuitBreaker,
    answer: impl Future<Output = Outcome>,
) -> Result<(), (TransportError, bool)> {
    let outcome = breaker.begin(&call()).attempt(answer).await;
    outcome.map_err(|error| parts(&error))
}

fn parts(error: &Error<TransportError>) -> (TransportError, bool) {
    (error.kind().clone(), error.may_have_happened())
}

/// Returns the failure that opened the circuit if an outcome is due to the open circuit.
fn cause(outcome: Result<(), (TransportError, bool)>) -> Option<TransportError> {
    match outcome {
        Err((TransportError::CircuitOpen { cause, .. }, _)) => Some((*cause).clone()),
        _ => None,
    }
}

/// Opens the circuit by attempts that are refused.
async fn opened() -> CircuitBreaker {
    let breaker = breaker();
    let name = call();
    let call = breaker.begin(&name);
    while let Err(error) = call.attempt(failed(REFUSED)).await {
        if *error.kind() != REFUSED {
            break;
        }
        let _ = call.sleep_until(Instant::now() + SECOND).await;
    }
    drop(call);
    breaker
}

#[tokio::test(start_paused = true)]
async fn the_circuit_opens_thirty_seconds_after_the_first_unanswered_attempt_began() {
    let breaker = breaker();
    let started = Instant::now();
    let late = async {
        sleep(20 * SECOND).await;
        attempt(&breaker, pending()).await
    };
    let pausing = async {
        sleep(25 * SECOND).await;
        let name = call();
        let call = breaker.begin(&name);
        let slept = call.sleep_until(started + 300 * SECOND).await;
        slept.map_err(|error| parts(&error))
    };
    let (first, late, pausing) = tokio::join!(attempt(&breaker, pending()), late, pausing);
    assert_eq!(started.elapsed(), 30 * SECOND);
    let no_answer = TransportError::Interrupted { timed_out: true };
    for (outcome, was_sent) in [(first, true), (late, true), (pausing, false)] {
        assert_eq!(outcome.as_ref().unwrap_err().1, was_sent);
        assert_eq!(cause(outcome).as_ref(), Some(&no_answer));
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_fails_calls_at_once_with_the_failure_that_opened_it() {
    let breaker = opened().await;
    let started = Instant::now();
    for _ in 0..500 {
        let outcome = attempt(&breaker, answered_after(SECOND)).await;
        assert_eq!(cause(outcome), Some(REFUSED));
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn any_answer_keeps_the_circuit_closed() {
    let breaker = breaker();
    let answers = async {
        for _ in 0..20 {
            sleep(10 * SECOND).await;
            attempt(&breaker, answered_after(SECOND)).await.unwrap();
        }
    };
    let slow = attempt(&breaker, answered_after(200 * SECOND));
    let ((), slow) = tokio::join!(answers, slow);
    slow.unwrap();
    // A failure that shows that the server is there counts as an answer.
    for _ in 0..100 {
        let outcome = attempt(&breaker, failed(TransportError::NotTls)).await;
        assert_eq!(outcome, Err((TransportError::NotTls, false)));
        advance(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_counts_from_the_last_answer_to_another() {
    let breaker = breaker();
    let started = Instant::now();
    let answered = attempt(&breaker, answered_after(10 * SECOND));
    let (hanging, answered) = tokio::join!(attempt(&breaker, pending()), answered);
    answered.unwrap();
    assert!(cause(hanging).is_some());
    assert_eq!(started.elapsed(), 40 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn calls_that_fail_one_after_the_other_share_one_silence() {
    let breaker = breaker();
    let started = Instant::now();
    loop {
        let name = call();
        let call = breaker.begin(&name);
        let error = call.attempt(failed(REFUSED)).await.unwrap_err();
        assert_eq!(*error.kind(), REFUSED);
        let pause = call.sleep_until(Instant::now() + 4 * SECOND).await;
        if pause.is_err() {
            break;
        }
    }
    assert_eq!(started.elapsed(), 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_long_ago_does_not_open_the_circuit() {
    let breaker = breaker();
    attempt(&breaker, failed(REFUSED)).await.unwrap_err();
    advance(600 * SECOND).await;
    let outcome = attempt(&breaker, failed(REFUSED)).await;
    assert_eq!(outcome, Err((REFUSED, false)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_an_unanswered_attempt_does_not_open_the_circuit() {
    let breaker = breaker();
    let name = call();
    let call = breaker.begin(&name);
    call.attempt(answered_after(SECOND)).await.unwrap();
    let slept = call.sleep_until(Instant::now() + 600 * SECOND).await;
    assert!(slept.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_call_every_five_seconds_is_let_through_and_an_answer_closes_the_circuit() {
    let breaker = opened().await;
    advance(4 * SECOND).await;
    assert!(cause(attempt(&breaker, answered_after(SECOND)).await).is_some());
    advance(SECOND).await;
    let started = Instant::now();
    let calls = (0..10).map(|_| attempt(&breaker, pending()));
    let outcomes = join_all(calls).await;
    assert_eq!(
        started.elapsed(),
        5 * SECOND,
        "the probe is not waited for longer"
    );
    let sent = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err((_, true))));
    assert_eq!(sent.count(), 1);
    assert!(
        outcomes
            .into_iter()
            .all(|outcome| cause(outcome) == Some(REFUSED))
    );

    attempt(&breaker, answered_after(SECOND)).await.unwrap();
    attempt(&breaker, answered_after(SECOND)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_attempt_is_no_longer_waited_for() {
    let breaker = breaker();
    let cancelled = tokio::time::timeout(SECOND, attempt(&breaker, pending()));
    assert!(cancelled.await.is_err());
    attempt(&breaker, answered_after(SECOND)).await.unwrap();
    let name = call();
    let call = breaker.begin(&name);
    let slept = call.sleep_until(Instant::now() + 600 * SECOND).await;
    assert!(slept.is_ok());
}
