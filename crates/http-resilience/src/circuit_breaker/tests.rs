//! When the circuit opens and closes, on a paused clock.

use std::future::{Ready, pending, ready};

use futures_util::future::join_all;
use tokio::time::{advance, sleep};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const REFUSED: Failure = Failure::Refused;

/// The failures of a client with one server.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Failure {
    Refused,
    TimedOut,
    BadCertificate,
    Open { cause: Box<Failure>, was_sent: bool },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl CircuitError for Failure {
    fn is_answer(&self) -> bool {
        *self == Self::BadCertificate
    }

    fn may_have_happened(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Open { was_sent, .. } => *was_sent,
            Self::Refused | Self::BadCertificate => false,
        }
    }

    fn because_of(&self, open: &OpenCircuit<Self>, was_sent: bool) -> Self {
        let cause = Box::new(open.cause.clone());
        Self::Open { cause, was_sent }
    }
}

type Outcome = Result<(), Failure>;

fn breaker() -> CircuitBreaker<Failure> {
    CircuitBreaker::new("test", 30 * SECOND, 5 * SECOND)
}

fn failed(error: Failure) -> Ready<Outcome> {
    ready(Err(error))
}

async fn answered_after(time: Duration) -> Outcome {
    sleep(time).await;
    Ok(())
}

async fn attempt(
    breaker: &CircuitBreaker<Failure>,
    answer: impl Future<Output = Outcome>,
) -> Outcome {
    breaker.begin(Failure::TimedOut).attempt(answer).await
}

/// Returns the failure that opened the circuit if an outcome is due to the open circuit.
fn cause(outcome: Outcome) -> Option<Failure> {
    match outcome {
        Err(Failure::Open { cause, .. }) => Some(*cause),
        _ => None,
    }
}

/// Opens the circuit by attempts that are refused.
async fn opened() -> CircuitBreaker<Failure> {
    let breaker = breaker();
    let call = breaker.begin(Failure::TimedOut);
    while let Err(error) = call.attempt(failed(REFUSED)).await {
        if error != REFUSED {
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
        let call = breaker.begin(Failure::TimedOut);
        call.sleep_until(started + 300 * SECOND).await
    };
    let (first, late, pausing) = tokio::join!(attempt(&breaker, pending()), late, pausing);
    assert_eq!(started.elapsed(), 30 * SECOND);
    for (outcome, was_sent) in [(first, true), (late, true), (pausing, false)] {
        assert_eq!(outcome.as_ref().unwrap_err().may_have_happened(), was_sent);
        assert_eq!(cause(outcome), Some(Failure::TimedOut));
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
        let outcome = attempt(&breaker, failed(Failure::BadCertificate)).await;
        assert_eq!(outcome, Err(Failure::BadCertificate));
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
        let call = breaker.begin(Failure::TimedOut);
        let error = call.attempt(failed(REFUSED)).await.unwrap_err();
        assert_eq!(error, REFUSED);
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
    assert_eq!(outcome, Err(REFUSED));
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_an_unanswered_attempt_does_not_open_the_circuit() {
    let breaker = breaker();
    let call = breaker.begin(Failure::TimedOut);
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
        .filter(|outcome| matches!(outcome, Err(error) if error.may_have_happened()));
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
    let call = breaker.begin(Failure::TimedOut);
    let slept = call.sleep_until(Instant::now() + 600 * SECOND).await;
    assert!(slept.is_ok());
}
