//! Holds back the calls that a used-up rate limit of the server counts.
//!
//! A server may name its limits in `RateLimit-Name`. Which routes a named limit counts is learned from
//! the answers; a route that has not been seen yet is sent, and refused at worst. A limit without a name
//! counts all calls, or those of one route, as the back end decides.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use tokio::time::Instant;

/// Longest wait that is taken from an answer; anything above is a mistake of some proxy.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// A rate limit of a server.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum RateLimit {
    /// It counts all calls of the client.
    AllCalls,
    /// It has this name, and counts some calls.
    Named(String),
    /// It counts calls like the one that was refused.
    Route,
}

/// The rate limits of one client.
#[derive(Debug)]
pub(super) struct RateLimiter {
    server: &'static str,
    /// The names of limits that count all calls.
    names_for_all_calls: &'static [&'static str],
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the limits that are used up are lifted.
    lifted_at: HashMap<Scope, Instant>,
    /// The named limit that counts a route.
    names: HashMap<String, String>,
    /// The calls that are held back now.
    held: usize,
    /// Since when there are some.
    held_since: Option<Instant>,
    /// How long there were some before that.
    held_before: Duration,
}

/// A call that a limit holds back, until this is dropped.
pub(super) struct Held<'l>(&'l RateLimiter);

/// What a limit counts.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Scope {
    AllCalls,
    Named(String),
    Route(String),
}

impl RateLimiter {
    pub(super) fn new(server: &'static str, names_for_all_calls: &'static [&'static str]) -> Self {
        Self {
            server,
            names_for_all_calls,
            state: Mutex::default(),
        }
    }

    /// Learns from an answer which limit counts a route, and whether it is used up now.
    pub(super) fn observe(&self, route: &str, headers: &HeaderMap) {
        let limit = self.named_limit(headers);
        if let Some(RateLimit::Named(name)) = &limit {
            self.lock().names.insert(route.to_owned(), name.clone());
        }
        if let Some(wait) = wait_when_used_up(headers) {
            self.block(route, &limit.unwrap_or(RateLimit::AllCalls), wait);
        }
    }

    /// Returns the limit that an answer names.
    pub(super) fn named_limit(&self, headers: &HeaderMap) -> Option<RateLimit> {
        let name = headers.get("ratelimit-name")?.to_str().ok()?;
        if self.names_for_all_calls.contains(&name) {
            return Some(RateLimit::AllCalls);
        }
        Some(RateLimit::Named(name.to_owned()))
    }

    /// Holds back the calls that a limit counts.
    pub(super) fn block(&self, route: &str, limit: &RateLimit, wait: Duration) {
        let scope = match limit {
            RateLimit::AllCalls => Scope::AllCalls,
            RateLimit::Named(name) => Scope::Named(name.clone()),
            RateLimit::Route => Scope::Route(route.to_owned()),
        };
        let until = Instant::now() + wait;
        let mut state = self.lock();
        if state.lifted_at.get(&scope).is_none_or(|at| *at < until) {
            state.lifted_at.insert(scope, until);
            tracing::warn!(
                server = self.server,
                route,
                ?limit,
                ?wait,
                "a rate limit is used up"
            );
        }
    }

    /// Registers that a call is held back.
    pub(super) fn hold(&self) -> Held<'_> {
        let mut state = self.lock();
        state.held += 1;
        state.held_since.get_or_insert_with(Instant::now);
        Held(self)
    }

    /// Returns for how long calls were held back, however many they were at a time.
    pub(super) fn held_for(&self) -> Duration {
        let state = self.lock();
        let now = state.held_since.map(|since| since.elapsed());
        state.held_before + now.unwrap_or_default()
    }

    /// Returns the limit that holds back calls of a route the longest, and when it is lifted.
    pub(super) fn blocked_until(&self, route: &str) -> Option<(Instant, RateLimit)> {
        let now = Instant::now();
        let mut state = self.lock();
        state.lifted_at.retain(|_, lifted_at| *lifted_at > now);
        let lifted_at = |scope: &Scope| state.lifted_at.get(scope).copied();
        let name = state.names.get(route).cloned();
        let all = lifted_at(&Scope::AllCalls).map(|at| (at, RateLimit::AllCalls));
        let named = name.and_then(|name| {
            Some((
                lifted_at(&Scope::Named(name.clone()))?,
                RateLimit::Named(name),
            ))
        });
        let own = lifted_at(&Scope::Route(route.to_owned())).map(|at| (at, RateLimit::Route));
        [all, named, own]
            .into_iter()
            .flatten()
            .max_by_key(|(at, _)| *at)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.held = state.held.saturating_sub(1);
        if state.held == 0
            && let Some(since) = state.held_since.take()
        {
            state.held_before += since.elapsed();
        }
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllCalls => Ok(()),
            Self::Named(name) => write!(f, " for the limit {name}"),
            Self::Route => write!(f, " of this kind"),
        }
    }
}

/// Reads how long to wait from `Retry-After`, in seconds or as a date, else from `RateLimit-Reset`, in
/// Unix time. Times are compared with the answer's own `Date`, so that clocks need not agree.
pub(in crate::backends) fn requested_wait(headers: &HeaderMap) -> Option<Duration> {
    let wait = number(headers, "retry-after")
        .map(Duration::from_secs)
        .or_else(|| until(headers, date(headers, "retry-after")?))
        .or_else(|| until(headers, reset(headers)?))?;
    Some(wait.min(LONGEST_WAIT))
}

/// Reads how long to wait from an answer that used up a limit: `RateLimit-Remaining` is 0.
fn wait_when_used_up(headers: &HeaderMap) -> Option<Duration> {
    if number(headers, "ratelimit-remaining") != Some(0) {
        return None;
    }
    Some(until(headers, reset(headers)?)?.min(LONGEST_WAIT))
}

fn reset(headers: &HeaderMap) -> Option<SystemTime> {
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(number(headers, "ratelimit-reset")?))
}

/// Returns the time from the answer's date to another; zero if that is past.
fn until(headers: &HeaderMap, time: SystemTime) -> Option<Duration> {
    Some(
        time.duration_since(date(headers, "date")?)
            .unwrap_or_default(),
    )
}

fn date(headers: &HeaderMap, name: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn used_up(name: &'static str, seconds: u64) -> HeaderMap {
        headers(&[
            ("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("ratelimit-name", name),
            ("ratelimit-reset", &seconds.to_string()),
            ("ratelimit-remaining", "0"),
        ])
    }

    fn limiter() -> RateLimiter {
        RateLimiter::new("gitlab", &["throttle_all"])
    }

    #[test]
    fn retry_after_wins_over_the_reset_time() {
        let both = headers(&[
            ("retry-after", "7"),
            ("date", "Thu, 01 Jan 1970 00:01:00 GMT"),
            ("ratelimit-reset", "100"),
        ]);
        assert_eq!(requested_wait(&both), Some(Duration::from_secs(7)));
    }

    #[test]
    fn the_reset_time_is_measured_on_the_servers_clock() {
        let reset = headers(&[
            ("date", "Thu, 01 Jan 1970 00:01:00 GMT"),
            ("ratelimit-reset", "100"),
        ]);
        assert_eq!(requested_wait(&reset), Some(Duration::from_secs(40)));
        assert_eq!(wait_when_used_up(&reset), None);
    }

    #[test]
    fn a_success_that_used_up_the_limit_asks_to_wait_too() {
        let used_up = headers(&[
            ("date", "Thu, 01 Jan 1970 00:01:00 GMT"),
            ("ratelimit-reset", "61"),
            ("ratelimit-remaining", "0"),
        ]);
        assert_eq!(wait_when_used_up(&used_up), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_date_to_come_back_at_is_understood() {
        let headers = headers(&[
            ("date", "Thu, 01 Jan 1970 00:01:00 GMT"),
            ("retry-after", "Thu, 01 Jan 1970 00:01:09 GMT"),
        ]);
        assert_eq!(requested_wait(&headers), Some(Duration::from_secs(9)));
    }

    #[test]
    fn an_absurd_wait_is_cut() {
        let absurd = headers(&[("retry-after", "99999999")]);
        assert_eq!(requested_wait(&absurd), Some(LONGEST_WAIT));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_on_all_calls_holds_back_every_route_and_one_on_a_route_no_other() {
        let limiter = limiter();
        limiter.block("archive", &RateLimit::Route, Duration::from_secs(60));
        assert_eq!(limiter.blocked_until("tree"), None);
        limiter.block("groups", &RateLimit::AllCalls, Duration::from_secs(5));
        let start = Instant::now();
        let all = (start + Duration::from_secs(5), RateLimit::AllCalls);
        assert_eq!(limiter.blocked_until("tree"), Some(all));
        let own = (start + Duration::from_secs(60), RateLimit::Route);
        assert_eq!(limiter.blocked_until("archive"), Some(own));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(limiter.blocked_until("tree"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_named_limit_holds_back_the_routes_that_it_counts_and_no_others() {
        let limiter = limiter();
        let some = headers(&[
            ("ratelimit-name", "throttle_files"),
            ("ratelimit-remaining", "9"),
        ]);
        limiter.observe("blob", &some);
        limiter.observe("archive", &used_up("throttle_files", 30));
        let lifted_at = Instant::now() + Duration::from_secs(30);
        let named = RateLimit::Named("throttle_files".to_owned());
        for route in ["archive", "blob"] {
            assert_eq!(
                limiter.blocked_until(route),
                Some((lifted_at, named.clone()))
            );
        }
        assert_eq!(limiter.blocked_until("groups"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_used_up_limit_without_a_name_or_on_all_calls_holds_back_everything() {
        let nameless = headers(&[
            ("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("ratelimit-reset", "3"),
            ("ratelimit-remaining", "0"),
        ]);
        for used_up in [nameless, used_up("throttle_all", 3)] {
            let limiter = limiter();
            limiter.observe("archive", &used_up);
            let lifted_at = Instant::now() + Duration::from_secs(3);
            let all = Some((lifted_at, RateLimit::AllCalls));
            assert_eq!(limiter.blocked_until("groups"), all);
        }
    }
}
