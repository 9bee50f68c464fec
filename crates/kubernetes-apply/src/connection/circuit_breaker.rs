//! Fails calls at once while a server answers none.
//!
//! The circuit opens when calls have been under way for [`Limits::open_circuit_after`] and none was answered
//! in that time. An answer is the head of any response, whatever its status. The time counts from the
//! beginning of the first unanswered attempt, so an attempt that hangs opens the circuit before its own
//! deadline.
//!
//! When the circuit opens, every call that waits fails at once, and so does every later call. Once every
//! [`Limits::probe_interval`] one of the callers' calls is let through and waits that long for an answer; an
//! answer closes the circuit.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::limits::Limits;
use super::transport_error::TransportError;

/// The failure of an attempt that is not waited for any longer.
const NO_ANSWER: TransportError = TransportError::Interrupted { timed_out: true };

/// The circuit breaker of one cluster.
#[derive(Debug)]
pub(super) struct CircuitBreaker {
    open_after: Duration,
    probe_interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Calls that are under way, in an attempt or between two.
    calls: usize,
    /// Attempts that wait for an answer.
    attempts: usize,
    /// Since when attempts go unanswered.
    silent_since: Option<Instant>,
    /// The latest failure of that time.
    last_failure: Option<TransportError>,
    open: Option<OpenCircuit>,
}

#[derive(Debug)]
struct OpenCircuit {
    since: SystemTime,
    cause: Arc<TransportError>,
    next_probe: Instant,
}

/// A call under way.
pub(super) struct CircuitCall<'b>(&'b CircuitBreaker);

/// An attempt that waits for its answer.
struct Attempt<'b> {
    breaker: &'b CircuitBreaker,
    is_probe: bool,
}

impl CircuitBreaker {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            open_after: limits.open_circuit_after,
            probe_interval: limits.probe_interval,
            state: Mutex::default(),
        }
    }

    /// Begins a call.
    pub(super) fn begin(&self) -> CircuitCall<'_> {
        let mut state = self.lock();
        if state.calls == 0 && state.is_silent_for(self.open_after) {
            // No call was waiting when the time was over, so it says nothing about the server.
            state.end_silence(None);
        }
        state.calls += 1;
        CircuitCall(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CircuitCall<'_> {
    /// Waits for the answer to one attempt; fails at once, or as soon as the circuit opens.
    pub(super) async fn attempt<T>(
        &self,
        answer: impl Future<Output = Result<T, TransportError>>,
    ) -> Result<T, TransportError> {
        let attempt = self.begin_attempt()?;
        let outcome = if attempt.is_probe {
            let probe = timeout(self.0.probe_interval, answer).await;
            probe.unwrap_or(Err(NO_ANSWER))
        } else {
            self.rest(answer).await
        };
        match outcome {
            Err(error) if !error.is_answer() => Err(attempt.failed(error)),
            outcome => {
                attempt.answered();
                outcome
            }
        }
    }

    /// Waits for the rest of an answer; fails as soon as the circuit opens.
    pub(super) async fn rest<T>(
        &self,
        answer: impl Future<Output = Result<T, TransportError>>,
    ) -> Result<T, TransportError> {
        self.unless_open(answer).await?
    }

    /// Sleeps; fails at once, or as soon as the circuit opens.
    pub(super) async fn sleep(&self, wait: Duration) -> Result<(), TransportError> {
        self.unless_open(sleep_until(Instant::now() + wait)).await
    }

    fn begin_attempt(&self) -> Result<Attempt<'_>, TransportError> {
        let now = Instant::now();
        let breaker = self.0;
        let mut state = breaker.lock();
        let is_probe = match &mut state.open {
            Some(open) if open.next_probe <= now => {
                open.next_probe = now + breaker.probe_interval;
                true
            }
            _ => {
                breaker.check(&mut state)?;
                false
            }
        };
        state.attempts += 1;
        state.silent_since.get_or_insert(now);
        Ok(Attempt { breaker, is_probe })
    }

    /// Waits for a future, but not beyond the opening of the circuit.
    async fn unless_open<F: Future>(&self, future: F) -> Result<F::Output, TransportError> {
        let mut future = pin!(future);
        loop {
            let earliest_opening = {
                let mut state = self.0.lock();
                self.0.check(&mut state)?;
                state.silent_since.unwrap_or_else(Instant::now) + self.0.open_after
            };
            if let Ok(output) = timeout_at(earliest_opening, future.as_mut()).await {
                return Ok(output);
            }
        }
    }
}

impl CircuitBreaker {
    /// Fails if the circuit is open, and opens it if it is time.
    fn check(&self, state: &mut State) -> Result<(), TransportError> {
        if let Some(open) = &state.open {
            return Err(open.error());
        }
        if !state.is_silent_for(self.open_after) {
            return Ok(());
        }
        let silence = state.silence();
        let cause = state.last_failure.take().unwrap_or(NO_ANSWER);
        tracing::warn!(%cause, ?silence, "the circuit opens: calls fail at once");
        let since = SystemTime::now().checked_sub(silence);
        let open = state.open.insert(OpenCircuit {
            since: since.unwrap_or(SystemTime::UNIX_EPOCH),
            cause: Arc::new(cause),
            next_probe: Instant::now() + self.probe_interval,
        });
        Err(open.error())
    }
}

impl Drop for CircuitCall<'_> {
    fn drop(&mut self) {
        self.0.lock().calls -= 1;
    }
}

impl Attempt<'_> {
    fn answered(&self) {
        let mut state = self.breaker.lock();
        // The others go unanswered from now on.
        let silent_since = (state.attempts > 1).then(Instant::now);
        state.end_silence(silent_since);
        if state.open.take().is_some() {
            tracing::warn!("the circuit closes: the server answers again");
        }
    }

    /// Notes an attempt without an answer, and returns the error of the call.
    fn failed(&self, error: TransportError) -> TransportError {
        let mut state = self.breaker.lock();
        match &state.open {
            Some(open) => open.error(),
            None => state.last_failure.insert(error).clone(),
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.breaker.lock().attempts -= 1;
    }
}

impl State {
    fn silence(&self) -> Duration {
        let silence = self.silent_since.map(|since| since.elapsed());
        silence.unwrap_or_default()
    }

    fn is_silent_for(&self, time: Duration) -> bool {
        self.silent_since.is_some() && self.silence() >= time
    }

    fn end_silence(&mut self, silent_since: Option<Instant>) {
        self.silent_since = silent_since;
        self.last_failure = None;
    }
}

impl OpenCircuit {
    fn error(&self) -> TransportError {
        TransportError::CircuitOpen {
            since: self.since,
            cause: self.cause.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::super::transport_error::ConnectFailure;
    use super::*;

    const REFUSED: TransportError = TransportError::Unreachable {
        reason: ConnectFailure::Refused,
    };

    fn breaker() -> CircuitBreaker {
        CircuitBreaker::new(&Limits::default())
    }

    async fn attempt(
        breaker: &CircuitBreaker,
        outcome: Result<(), TransportError>,
    ) -> Result<(), TransportError> {
        breaker.begin().attempt(async { outcome }).await
    }

    fn is_open(outcome: &Result<(), TransportError>) -> bool {
        matches!(outcome, Err(TransportError::CircuitOpen { .. }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_opens_the_circuit_for_all() {
        let breaker = breaker();
        let started = Instant::now();
        let call = breaker.begin();
        let hanging = call.attempt(pending::<Result<(), TransportError>>()).await;
        assert!(is_open(&hanging));
        assert_eq!(started.elapsed(), Duration::from_secs(30));
        assert!(is_open(&attempt(&breaker, Ok(())).await));
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_is_let_through_every_few_seconds_and_its_answer_closes_the_circuit() {
        let breaker = breaker();
        let call = breaker.begin();
        assert_eq!(
            call.attempt(async { Err::<(), _>(REFUSED) }).await,
            Err(REFUSED)
        );
        let cause = match call.sleep(Duration::from_secs(60)).await {
            Err(TransportError::CircuitOpen { cause, .. }) => cause,
            other => panic!("{other:?}"),
        };
        assert_eq!(*cause, REFUSED);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(is_open(&attempt(&breaker, Err(REFUSED)).await));
        assert!(
            is_open(&attempt(&breaker, Ok(())).await),
            "the next probe is not due"
        );
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(attempt(&breaker, Ok(())).await, Ok(()));
        assert_eq!(attempt(&breaker, Ok(())).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_another_call_keeps_the_circuit_closed() {
        let breaker = breaker();
        let call = breaker.begin();
        let sleeping = call.sleep(Duration::from_secs(50));
        let answering = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(10)).await;
                attempt(&breaker, Ok(())).await.unwrap();
            }
        };
        let (slept, ()) = tokio::join!(sleeping, answering);
        assert_eq!(slept, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_time_after_a_failure_opens_nothing() {
        let breaker = breaker();
        assert_eq!(attempt(&breaker, Err(REFUSED)).await, Err(REFUSED));
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(attempt(&breaker, Ok(())).await, Ok(()));
    }
}
