//! A request before it is sent.

use bytes::Bytes;
use http::{HeaderMap, Method};
use url::Url;

use super::error::Call;
use super::rate_limiter::RateLimit;

/// A request that can be sent more than once.
///
/// It has no `Debug`: its body and headers may hold secrets.
#[derive(Clone)]
pub(in crate::backends) struct Request {
    /// How errors and logs name it.
    pub(in crate::backends) call: Call,
    pub(in crate::backends) method: Method,
    pub(in crate::backends) url: Url,
    pub(in crate::backends) headers: HeaderMap,
    pub(in crate::backends) body: Bytes,
    /// What the server may limit together with it: `GET projects/:id/repository/archive`.
    pub(in crate::backends) route: String,
    /// Whether sending it twice does what sending it once does.
    pub(in crate::backends) repeatable: bool,
    pub(in crate::backends) when_limited: WhenLimited,
    /// The largest answer that is read, in bytes.
    pub(in crate::backends) max_answer: usize,
}

/// The largest answer that is read where the call names no other limit: lists have at most a
/// hundred entries a page.
pub(in crate::backends) const MAX_ANSWER: usize = 64 << 20;

impl Request {
    /// Whether the call fails at once when a rate limit is used up.
    pub(super) fn fails_at(&self, limit: &RateLimit) -> bool {
        self.when_limited == WhenLimited::Fail && *limit != RateLimit::AllCalls
    }
}

/// What a call does when its own rate limit is used up. It always waits for a limit on all calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::backends) enum WhenLimited {
    /// It waits and is sent again.
    Wait,
    /// It fails at once.
    Fail,
}
