//! The lifetime of access tokens, in the whole days that GitLab counts in.

use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(86_400);

/// The longest lifetime that GitLab allows unless its administrator configures another
/// (`app/models/personal_access_token.rb`).
const MAX_GITLAB_LIFETIME: Duration = Duration::from_secs(365 * 86_400);

/// A limit that no GitLab exceeds, so that dates cannot overflow.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 366 * 86_400);

/// How long an access token is valid, and when it is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenPolicy {
    lifetime: Duration,
    rotate_before: Duration,
}

/// An invalid policy.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenPolicyError {
    /// A text is not a duration.
    #[error("{text:?} is not a duration such as 720h or 30d")]
    Duration {
        /// The text.
        text: String,
        /// The cause.
        #[source]
        source: humantime::DurationError,
    },
    /// The lifetime is less than 48 hours, and GitLab's tokens expire at midnight.
    #[error(
        "the lifetime of an access token must be at least 48h, because GitLab counts whole days"
    )]
    TooShort,
    /// The lifetime is longer than any GitLab allows.
    #[error("the lifetime of an access token must be less than ten years")]
    TooLong,
    /// A new token would be due for rotation at once.
    #[error(
        "rotate_before must be less than lifetime, or each new access token is rotated at once"
    )]
    AlwaysDue,
}

impl TokenPolicy {
    /// Parses durations such as `8736h`; `rotate_before` is how long before its expiry the token is
    /// rotated.
    pub fn parse(lifetime: &str, rotate_before: &str) -> Result<Self, TokenPolicyError> {
        let duration = |text: &str| {
            humantime::parse_duration(text).map_err(|source| TokenPolicyError::Duration {
                text: text.to_owned(),
                source,
            })
        };
        let policy = Self {
            lifetime: duration(lifetime)?,
            rotate_before: duration(rotate_before)?,
        };
        if policy.lifetime < 2 * DAY {
            return Err(TokenPolicyError::TooShort);
        }
        if policy.lifetime > MAX_LIFETIME {
            return Err(TokenPolicyError::TooLong);
        }
        if policy.rotate_before >= policy.lifetime {
            return Err(TokenPolicyError::AlwaysDue);
        }
        Ok(policy)
    }

    /// Returns the day, `YYYY-MM-DD`, at whose beginning (UTC) a token created now expires.
    pub(super) fn expiry(&self, now: SystemTime) -> String {
        day(now + self.lifetime)
    }

    /// Returns the last day that GitLab allows by default.
    pub(super) fn longest_expiry(now: SystemTime) -> String {
        day(now + MAX_GITLAB_LIFETIME)
    }

    /// Returns whether a token that was created and expires on these days is due for rotation. One to
    /// which GitLab gave a shorter lifetime than the policy is kept for at least half of it.
    pub(super) fn is_due(&self, created: Option<&str>, expires: &str, now: SystemTime) -> bool {
        let Some(end) = start_of(expires) else {
            return false;
        };
        let half = created
            .and_then(start_of)
            .and_then(|start| end.duration_since(start).ok())
            .map_or(Duration::MAX, |lifetime| lifetime / 2);
        end.duration_since(now)
            .map_or(true, |left| left <= self.rotate_before.min(half))
    }
}

/// Returns the day before a day.
pub(super) fn day_before(text: &str) -> Option<String> {
    Some(day(start_of(text)? - DAY))
}

fn day(moment: SystemTime) -> String {
    let text = humantime::format_rfc3339_seconds(moment).to_string();
    text.chars().take_while(|letter| *letter != 'T').collect()
}

/// Returns the beginning of the day of a date, or of a time in RFC 3339.
fn start_of(text: &str) -> Option<SystemTime> {
    let day = text.get(.."YYYY-MM-DD".len())?;
    humantime::parse_rfc3339(&format!("{day}T00:00:00Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SystemTime {
        humantime::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn the_expiry_is_a_day_in_utc() {
        let policy = TokenPolicy::parse("8736h", "720h").unwrap();
        assert_eq!(policy.expiry(at("2026-01-01T23:59:59Z")), "2026-12-31");
        assert_eq!(
            TokenPolicy::longest_expiry(at("2027-03-01T00:00:00Z")),
            "2028-02-29"
        );
        assert_eq!(day_before("2028-03-01").as_deref(), Some("2028-02-29"));
        assert_eq!(day_before("soon"), None);
    }

    #[test]
    fn a_token_is_due_so_long_before_its_end() {
        let policy = TokenPolicy::parse("8736h", "48h").unwrap();
        let due = |now| policy.is_due(None, "2026-11-10", at(now));
        assert!(!due("2026-11-07T23:59:59Z"));
        assert!(due("2026-11-08T00:00:00Z"));
        assert!(due("2026-12-01T00:00:00Z"));
    }

    #[test]
    fn a_token_with_a_shorter_life_than_wanted_is_kept_for_half_of_it() {
        let policy = TokenPolicy::parse("8736h", "720h").unwrap();
        let due = |now| policy.is_due(Some("2026-11-01T10:00:00.123Z"), "2026-11-11", at(now));
        assert!(!due("2026-11-05T23:00:00Z"));
        assert!(due("2026-11-06T00:00:00Z"));
    }

    #[test]
    fn durations_that_no_token_can_have_are_refused() {
        for (lifetime, rotate_before) in [
            ("a year", "720h"),
            ("8736h", "later"),
            ("47h", "1h"),
            ("87900h", "1h"),
            ("1000000years", "1h"),
            ("720h", "720h"),
        ] {
            assert!(
                TokenPolicy::parse(lifetime, rotate_before).is_err(),
                "{lifetime} {rotate_before}"
            );
        }
    }
}
