//! Waits that GitLab asks for, and the one gate of a client behind which all its calls wait.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use tokio::time::Instant;

/// Longest wait that is taken from an answer; anything above is a mistake of some proxy.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Reads how long to wait from `Retry-After`, in seconds or as a date, else from
/// `RateLimit-Reset`, in Unix time. Times are compared with the answer's own `Date`, so that
/// clocks need not agree.
pub(super) fn wait_asked_for(headers: &HeaderMap) -> Option<Duration> {
    let wait = number(headers, "retry-after")
        .map(Duration::from_secs)
        .or_else(|| until(headers, date(headers, "retry-after")?))
        .or_else(|| until(headers, reset(headers)?))?;
    Some(wait.min(LONGEST_WAIT))
}

/// Reads how long to wait from an answer that used up the limit: `RateLimit-Remaining` is 0.
pub(super) fn wait_when_used_up(headers: &HeaderMap) -> Option<Duration> {
    if number(headers, "ratelimit-remaining") != Some(0) {
        return None;
    }
    Some(until(headers, reset(headers)?)?.min(LONGEST_WAIT))
}

fn reset(headers: &HeaderMap) -> Option<SystemTime> {
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(number(headers, "ratelimit-reset")?))
}

/// The time from the answer's date to another; none at all if that is past.
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

/// What a limit counts: every call, or the calls of one route, written like
/// `GET projects/:id/repository/archive`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Scope {
    Everything,
    Route(String),
}

/// Shared by all calls of a client: who is asked to wait makes all others wait too.
#[derive(Debug, Default)]
pub(super) struct Gate {
    closed: Mutex<HashMap<Scope, Instant>>,
    unreachable_since: Mutex<Option<Instant>>,
}

impl Gate {
    /// Closes the gate for `wait` from now.
    pub(super) fn close(&self, scope: Scope, wait: Duration) {
        let until = Instant::now() + wait;
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = closed.entry(scope).or_insert(until);
        *entry = until.max(*entry);
    }

    /// Waits until calls of the route may go. When that is not before the deadline, it does not
    /// wait, and tells for how long the gate stays closed.
    pub(super) async fn pass(&self, route: &Scope, deadline: Instant) -> Result<(), Duration> {
        while let Some(until) = self.closed_until(route) {
            if until >= deadline {
                return Err(until - Instant::now());
            }
            tokio::time::sleep_until(until).await;
        }
        Ok(())
    }

    fn closed_until(&self, route: &Scope) -> Option<Instant> {
        let now = Instant::now();
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.retain(|_, until| *until > now);
        closed
            .get(&Scope::Everything)
            .max(closed.get(route))
            .copied()
    }

    /// Notes a failed connection, and tells for how long no call has got through.
    pub(super) fn unreachable(&self) -> Duration {
        let mut since = self
            .unreachable_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        since.get_or_insert_with(Instant::now).elapsed()
    }

    /// Notes an answer, of whatever kind.
    pub(super) fn reached(&self) {
        *self
            .unreachable_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }
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

    #[test]
    fn retry_after_wins_over_the_reset_time() {
        let both = headers(&[
            ("retry-after", "7"),
            ("date", "Thu, 01 Jan 1970 00:01:00 GMT"),
            ("ratelimit-reset", "100"),
        ]);
        assert_eq!(wait_asked_for(&both), Some(Duration::from_secs(7)));
    }

    #[test]
    fn the_reset_time_is_measured_on_the_servers_clock() {
        let reset = headers(&[
            ("date", "Thu, 01 Jan 1970 00:01:00 GMT"),
            ("ratelimit-reset", "100"),
        ]);
        assert_eq!(wait_asked_for(&reset), Some(Duration::from_secs(40)));
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
        assert_eq!(wait_asked_for(&headers), Some(Duration::from_secs(9)));
    }

    #[test]
    fn an_absurd_wait_is_cut() {
        let absurd = headers(&[("retry-after", "99999999")]);
        assert_eq!(wait_asked_for(&absurd), Some(LONGEST_WAIT));
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_waits_behind_a_closed_gate_and_other_routes_pass_a_closed_route() {
        let gate = Gate::default();
        let archive = Scope::Route("archive".into());
        let tree = Scope::Route("tree".into());
        gate.close(archive.clone(), Duration::from_secs(60));
        let start = Instant::now();
        let deadline = start + Duration::from_secs(3600);
        gate.pass(&tree, deadline).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        gate.close(Scope::Everything, Duration::from_secs(5));
        gate.pass(&tree, deadline).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(5));
        gate.pass(&archive, deadline).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_gate_that_opens_too_late() {
        let gate = Gate::default();
        let route = Scope::Route("tree".into());
        let start = Instant::now();
        let deadline = start + Duration::from_secs(10);
        gate.close(Scope::Everything, Duration::from_secs(10));
        let closed = gate.pass(&route, deadline).await;
        assert_eq!(closed, Err(Duration::from_secs(10)));
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn unreachability_is_counted_from_the_first_failure_of_any_call() {
        let gate = Gate::default();
        assert_eq!(gate.unreachable(), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(gate.unreachable(), Duration::from_secs(9));
        gate.reached();
        assert_eq!(gate.unreachable(), Duration::ZERO);
    }
}
