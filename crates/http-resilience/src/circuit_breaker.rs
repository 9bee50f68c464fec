//! Fails calls at once while a server answers none.
//!
//! The circuit opens when calls have been under way for a given time and none was answered in that time.
//! An answer is the head of any response, whatever its status. No connection, an unresolved host and
//! silence are none; the time counts from the beginning of the first unanswered attempt, so that an
//! attempt that hangs opens the circuit before its own deadline.
//!
//! When the circuit opens, every call that waits (for an answer, between two attempts, or for a rate
//! limit) fails at once, and so does every later call, with the failure that opened it. No call queues
//! for the server to come back. Once in every probe interval one of the callers' calls is let through and
//! waits that long for an answer; an answer closes the circuit.

use std::fmt;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// The failure of an attempt of a call, as far as a circuit breaker needs to know it.
pub trait CircuitError: Clone + fmt::Display {
    /// Returns whether the server has shown that it is there, although the attempt failed.
    fn is_answer(&self) -> bool;

    /// Returns whether the attempt may have taken effect although it failed.
    fn may_have_happened(&self) -> bool;

    /// Returns the failure of the same call for the reason that the circuit is open.
    ///
    /// `was_sent` is whether an attempt was sent and may have taken effect.
    #[must_use]
    fn because_of(&self, open: &OpenCircuit<Self>, was_sent: bool) -> Self;
}

/// The circuit breaker of one server.
#[derive(Debug)]
pub struct CircuitBreaker<E> {
    server: &'static str,
    open_after: Duration,
    probe_interval: Duration,
    state: Mutex<State<E>>,
}

#[derive(Debug)]
struct State<E> {
    /// Calls that are under way, in an attempt or between two.
    calls: usize,
    /// Attempts that wait for an answer.
    attempts: usize,
    /// Since when attempts go unanswered.
    silent_since: Option<Instant>,
    /// The latest failure of that time.
    last_failure: Option<E>,
    open: Option<OpenCircuit<E>>,
}

/// Why and since when calls fail at once.
#[derive(Debug)]
pub struct OpenCircuit<E> {
    /// When the first call went unanswered.
    pub since: SystemTime,
    /// The failure that opened the circuit.
    pub cause: E,
    next_probe: Instant,
}

/// A call under way.
#[derive(Debug)]
pub struct CircuitCall<'b, E> {
    breaker: &'b CircuitBreaker<E>,
    /// Its failure if it is not waited for any longer.
    no_answer: E,
}

/// An attempt that waits for its answer.
struct Attempt<'b, E> {
    breaker: &'b CircuitBreaker<E>,
    is_probe: bool,
}

impl<E: CircuitError> CircuitBreaker<E> {
    /// Makes a closed one. `server` is how logs name the server.
    pub fn new(server: &'static str, open_after: Duration, probe_interval: Duration) -> Self {
        Self {
            server,
            open_after,
            probe_interval,
            state: Mutex::new(State {
                calls: 0,
                attempts: 0,
                silent_since: None,
                last_failure: None,
                open: None,
            }),
        }
    }

    /// Begins a call. `no_answer` is its failure if it is not waited for any longer.
    pub fn begin(&self, no_answer: E) -> CircuitCall<'_, E> {
        let mut state = self.lock();
        if state.calls == 0 && state.is_silent_for(self.open_after) {
            // Nobody was waiting when the time was over, so it says nothing about the server.
            state.end_silence(None);
        }
        state.calls += 1;
        CircuitCall {
            breaker: self,
            no_answer,
        }
    }
}

impl<E> CircuitBreaker<E> {
    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: CircuitError> CircuitCall<'_, E> {
    /// Waits for the answer to one attempt.
    ///
    /// Fails at once if the circuit is open, or as soon as it opens.
    pub async fn attempt<T>(&self, answer: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let attempt = self.begin_attempt()?;
        let outcome = if attempt.is_probe {
            let probe = timeout(self.breaker.probe_interval, answer).await;
            probe.unwrap_or_else(|_| Err(self.no_answer.clone()))
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
    pub async fn rest<T>(&self, answer: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        // The call was sent, and may have taken effect.
        self.unless_open(answer, true).await?
    }

    /// Waits for something before an attempt; fails as soon as the circuit opens.
    pub async fn wait<F: Future>(&self, future: F) -> Result<F::Output, E> {
        self.unless_open(future, false).await
    }

    /// Sleeps; fails at once if the circuit is open, or as soon as it opens.
    pub async fn sleep_until(&self, deadline: Instant) -> Result<(), E> {
        self.wait(sleep_until(deadline)).await
    }

    fn begin_attempt(&self) -> Result<Attempt<'_, E>, E> {
        let now = Instant::now();
        let breaker = self.breaker;
        let mut state = breaker.lock();
        let is_probe = match &mut state.open {
            Some(open) if open.next_probe <= now => {
                open.next_probe = now + breaker.probe_interval;
                true
            }
            _ => {
                self.check(&mut state, false)?;
                false
            }
        };
        state.attempts += 1;
        state.silent_since.get_or_insert(now);
        Ok(Attempt { breaker, is_probe })
    }

    /// Waits for a future, but not beyond the opening of the circuit.
    async fn unless_open<F: Future>(&self, future: F, was_sent: bool) -> Result<F::Output, E> {
        let mut future = pin!(future);
        loop {
            let earliest_opening = {
                let mut state = self.breaker.lock();
                self.check(&mut state, was_sent)?;
                state.silent_since.unwrap_or_else(Instant::now) + self.breaker.open_after
            };
            if let Ok(output) = timeout_at(earliest_opening, future.as_mut()).await {
                return Ok(output);
            }
        }
    }

    /// Fails if the circuit is open, and opens it if it is time.
    fn check(&self, state: &mut State<E>, was_sent: bool) -> Result<(), E> {
        let breaker = self.breaker;
        if state.open.is_none() {
            if !state.is_silent_for(breaker.open_after) {
                return Ok(());
            }
            let silence = state.silence();
            let cause = state.last_failure.take();
            let cause = cause.unwrap_or_else(|| self.no_answer.clone());
            let server = breaker.server;
            tracing::warn!(server, %cause, ?silence, "the circuit opens: calls fail at once");
            let since = SystemTime::now().checked_sub(silence);
            state.open = Some(OpenCircuit {
                since: since.unwrap_or(SystemTime::UNIX_EPOCH),
                cause,
                next_probe: Instant::now() + breaker.probe_interval,
            });
        }
        match &state.open {
            Some(open) => Err(self.no_answer.because_of(open, was_sent)),
            None => Ok(()),
        }
    }
}

impl<E> Drop for CircuitCall<'_, E> {
    fn drop(&mut self) {
        self.breaker.lock().calls -= 1;
    }
}

impl<E: CircuitError> Attempt<'_, E> {
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
    fn failed(&self, error: E) -> E {
        let mut state = self.breaker.lock();
        match &state.open {
            Some(open) => error.because_of(open, error.may_have_happened()),
            None => state.last_failure.insert(error).clone(),
        }
    }
}

impl<E> Drop for Attempt<'_, E> {
    fn drop(&mut self) {
        self.breaker.lock().attempts -= 1;
    }
}

impl<E> State<E> {
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

#[cfg(test)]
mod tests;
