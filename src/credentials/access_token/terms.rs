//! For how long an access token is wanted, and the days that GitLab counts in.

use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(86_400);

/// The longest life that GitLab gives a token, unless its administrator says otherwise
/// (`app/models/personal_access_token.rb`).
const LONGEST_LIFETIME: Duration = Duration::from_secs(365 * 86_400);

/// Longer than any GitLab allows, and short enough to be counted with.
const LONGEST_WISH: Duration = Duration::from_secs(10 * 366 * 86_400);

/// For how long an access token is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    lifetime: Duration,
    rotate_before: Duration,
}

/// Durations that no token can have.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TermsError {
    /// A text is no duration.
    #[error("{text:?} is not a duration such as 720h or 30d")]
    Duration {
        /// The text.
        text: String,
        /// What is wrong with it.
        #[source]
        source: humantime::DurationError,
    },
    /// GitLab's tokens end at midnight.
    #[error(
        "the lifetime of an access token must be at least 48h, because GitLab counts whole days"
    )]
    TooShort,
    /// No GitLab allows it.
    #[error("the lifetime of an access token must be less than ten years")]
    TooLong,
    /// The token would be replaced all the time.
    #[error(
        "an access token must be replaced later than it is made: its rotate_before must be less than its lifetime"
    )]
    AlwaysDue,
}

impl Terms {
    /// Reads durations such as `8736h`; `rotate_before` is how long before its end the token is
    /// replaced.
    pub fn parse(lifetime: &str, rotate_before: &str) -> Result<Self, TermsError> {
        let duration = |text: &str| {
            humantime::parse_duration(text).map_err(|source| TermsError::Duration {
                text: text.to_owned(),
                source,
            })
        };
        let terms = Self {
            lifetime: duration(lifetime)?,
            rotate_before: duration(rotate_before)?,
        };
        if terms.lifetime < 2 * DAY {
            return Err(TermsError::TooShort);
        }
        if terms.lifetime > LONGEST_WISH {
            return Err(TermsError::TooLong);
        }
        if terms.rotate_before >= terms.lifetime {
            return Err(TermsError::AlwaysDue);
        }
        Ok(terms)
    }

    /// The day, `YYYY-MM-DD`, at whose beginning (UTC) a token made now is to end.
    pub(super) fn expiry(&self, now: SystemTime) -> String {
        day(now + self.lifetime)
    }

    /// The last day that GitLab allows where nothing else is known.
    pub(super) fn longest_expiry(now: SystemTime) -> String {
        day(now + LONGEST_LIFETIME)
    }

    /// Whether a token that was made and ends on these days is to be replaced. One that GitLab
    /// gave a shorter life than was wanted is kept for half of it at least.
    pub(super) fn is_due(&self, created: Option<&str>, expires: &str, now: SystemTime) -> bool {
        let Some(end) = start_of(expires) else {
            return false;
        };
        let half = created
            .and_then(start_of)
            .and_then(|start| end.duration_since(start).ok())
            .map_or(Duration::MAX, |life| life / 2);
        end.duration_since(now)
            .map_or(true, |left| left <= self.rotate_before.min(half))
    }
}

/// The day before a day.
pub(super) fn day_before(text: &str) -> Option<String> {
    Some(day(start_of(text)? - DAY))
}

fn day(moment: SystemTime) -> String {
    let text = humantime::format_rfc3339_seconds(moment).to_string();
    text.chars().take_while(|letter| *letter != 'T').collect()
}

/// The beginning of the day that a date, or a moment in RFC 3339, begins with.
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
        let terms = Terms::parse("8736h", "720h").unwrap();
        assert_eq!(terms.expiry(at("2026-01-01T23:59:59Z")), "2026-12-31");
        assert_eq!(
            Terms::longest_expiry(at("2027-03-01T00:00:00Z")),
            "2028-02-29"
        );
        assert_eq!(day_before("2028-03-01").as_deref(), Some("2028-02-29"));
        assert_eq!(day_before("soon"), None);
    }

    #[test]
    fn a_token_is_due_so_long_before_its_end() {
        let terms = Terms::parse("8736h", "48h").unwrap();
        let due = |now| terms.is_due(None, "2026-11-10", at(now));
        assert!(!due("2026-11-07T23:59:59Z"));
        assert!(due("2026-11-08T00:00:00Z"));
        assert!(due("2026-12-01T00:00:00Z"));
    }

    #[test]
    fn a_token_with_a_shorter_life_than_wanted_is_kept_for_half_of_it() {
        let terms = Terms::parse("8736h", "720h").unwrap();
        let due = |now| terms.is_due(Some("2026-11-01T10:00:00.123Z"), "2026-11-11", at(now));
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
                Terms::parse(lifetime, rotate_before).is_err(),
                "{lifetime} {rotate_before}"
            );
        }
    }
}
