//! Fails calls at once while a server answers none.
//!
//! The circuit opens when calls have been under way for [`Limits::open_circuit_after`] and none was
//! answered in that time. An answer is the head of any response, whatever its status. No connection, an
//! unresolved host and silence are none; the time counts from the beginning of the first unanswered
//! attempt, so that an attempt that hangs opens the circuit before its own deadline.
//!
//! When the circuit opens, every call that waits (for an answer, between two attempts, or for a rate
//! limit) fails at once, and so does every later call, with [`TransportError::CircuitOpen`], which holds
//! the failure that opened it. No call queues for the server to come back. Once every
//! [`Limits::probe_interval`] one of the callers' calls is let through and waits that long for an answer;
//! an answer closes the circuit.
//!
//! [`Limits::open_circuit_after`]: super::Limits::open_circuit_after
//! [`Limits::probe_interval`]: super::Limits::probe_interval

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::error::{Call, Error};
use super::options::Limits;
use super::transport_error::TransportError;

/// The failure of an attempt that is not waited for any longer.
const NO_ANSWER: TransportError = TransportError::Interrupted { timed_out: true };

/// The circuit breaker of one client.
#[derive(Debug)]
pub(super) struct CircuitBreaker {
    server: &'static str,
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
    last_failure: Option<Error<TransportError>>,
    open: Option<OpenCircuit>,
}

#[derive(Debug)]
struct OpenCircuit {
    since: SystemTime,
    cause: Error<TransportError>,
    next_probe: Instant,
}

/// A call under way.
pub(super) struct CircuitCall<'b> {
    breaker: &'b CircuitBreaker,
    call: &'b Call,
}

/// An attempt that waits for its answer.
struct Attempt<'b> {
    breaker: &'b CircuitBreaker,
    is_probe: bool,
}

impl CircuitBreaker {
    pub(super) fn new(server: &'static str, limits: &Limits) -> Self {
        Self {
            server,
            open_after: limits.open_circuit_after,
            probe_interval: limits.probe_interval,
            state: Mutex::default(),
        }
    }

    /// Begins a call.
    pub(super) fn begin<'b>(&'b self, call: &'b Call) -> CircuitCall<'b> {
        let mut state = self.lock();
        if state.calls == 0 && state.is_silent_for(self.open_after) {
            // Nobody was waiting when the time was over, so it says nothing about the server.
            state.end_silence(None);
        }
        state.calls += 1;
        CircuitCall {
            breaker: self,
            call,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CircuitCall<'_> {
    /// Waits for the answer to one attempt; fails at once, or as soon as the circuit opens.
    pub(super) async fn attempt<T>(
        &self,
        answer: impl Future<Output = Result<T, Error<TransportError>>>,
    ) -> Result<T, Error<TransportError>> {
        let attempt = self.begin_attempt()?;
        let outcome = if attempt.is_probe {
            let probe = timeout(self.breaker.probe_interval, answer).await;
            probe.unwrap_or_else(|_| Err(Error::new(self.call.clone(), NO_ANSWER)))
        } else {
            self.rest(answer).await
        };
        match &outcome {
            Err(error) if !error.kind().is_answer() => Err(attempt.failed(self, error)),
            _ => {
                attempt.answered();
                outcome
            }
        }
    }

    /// Waits for the rest of an answer; fails as soon as the circuit opens.
    pub(super) async fn rest<T>(
        &self,
        answer: impl Future<Output = Result<T, Error<TransportError>>>,
    ) -> Result<T, Error<TransportError>> {
        let answer = self.unless_open(answer).await;
        // The call was sent, and may have taken effect.
        answer.map_err(Error::after_uncertain_attempt)?
    }

    /// Sleeps; fails at once, or as soon as the circuit opens.
    pub(super) async fn sleep_until(&self, deadline: Instant) -> Result<(), Error<TransportError>> {
        self.unless_open(sleep_until(deadline)).await
    }

    fn begin_attempt(&self) -> Result<Attempt<'_>, Error<TransportError>> {
        let now = Instant::now();
        let breaker = self.breaker;
        let mut state = breaker.lock();
        let is_probe = match &mut state.open {
            Some(open) if open.next_probe <= now => {
                open.next_probe = now + breaker.probe_interval;
                true
            }
            _ => {
                self.check(&mut state)?;
                false
            }
        };
        state.attempts += 1;
        state.silent_since.get_or_insert(now);
        Ok(Attempt { breaker, is_probe })
    }

    /// Waits for a future, but not beyond the opening of the circuit.
    async fn unless_open<F: Future>(&self, future: F) -> Result<F::Output, Error<TransportError>> {
        let mut future = pin!(future);
        loop {
            let earliest_opening = {
                let mut state = self.breaker.lock();
                self.check(&mut state)?;
                state.silent_since.unwrap_or_else(Instant::now) + self.breaker.open_after
            };
            if let Ok(output) = timeout_at(earliest_opening, future.as_mut()).await {
                return Ok(output);
            }
        }
    }

    /// Fails if the circuit is open, and opens it if it is time.
    fn check(&self, state: &mut State) -> Result<(), Error<TransportError>> {
        if let Some(open) = &state.open {
            return Err(open.error(self.call));
        }
        if !state.is_silent_for(self.breaker.open_after) {
            return Ok(());
        }
        let silence = state.silence();
        let cause = state.last_failure.take();
        let cause = cause.unwrap_or_else(|| Error::new(self.call.clone(), NO_ANSWER));
        let since = SystemTime::now().checked_sub(silence);
        let open = state.open.insert(OpenCircuit {
            since: since.unwrap_or(SystemTime::UNIX_EPOCH),
            cause,
            next_probe: Instant::now() + self.breaker.probe_interval,
        });
        let server = self.breaker.server;
        tracing::warn!(server, cause = %open.cause, ?silence, "the circuit opens: calls fail at once");
        Err(open.error(self.call))
    }
}

impl Drop for CircuitCall<'_> {
    fn drop(&mut self) {
        self.breaker.lock().calls -= 1;
    }
}

impl Attempt<'_> {
    fn answered(&self) {
        let mut state = self.breaker.lock();
        // The others go unanswered from now on.
        let silent_since = (state.attempts > 1).then(Instant::now);
        state.end_silence(silent_since);
        if state.open.take().is_some() {
            let server = self.breaker.server;
            tracing::warn!(server, "the circuit closes: the server answers again");
        }
    }

    /// Notes an attempt without an answer, and returns the error of the call.
    fn failed(
        &self,
        call: &CircuitCall<'_>,
        error: &Error<TransportError>,
    ) -> Error<TransportError> {
        let mut state = self.breaker.lock();
        match &state.open {
            Some(open) if error.may_have_happened() => {
                open.error(call.call).after_uncertain_attempt()
            }
            Some(open) => open.error(call.call),
            None => state.last_failure.insert(error.clone()).clone(),
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
        self.silent_since
            .map(|since| since.elapsed())
            .unwrap_or_default()
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
    /// Makes the error of a call that fails because of this.
    fn error(&self, call: &Call) -> Error<TransportError> {
        let kind = TransportError::CircuitOpen {
            since: self.since,
            cause: Arc::new(self.cause.kind().clone()),
        };
        Error::caused_by(call.clone(), kind, self.cause.clone())
    }
}
