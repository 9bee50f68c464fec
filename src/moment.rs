//! Moments as GitLab writes them.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Returns whether two texts mean the same moment; a GitLab may have changed its time zone.
pub(crate) fn is_same_moment(one: &str, other: &str) -> bool {
    one == other || parse(one).is_some_and(|one| parse(other) == Some(one))
}

/// Returns whether a moment is longer ago than `age`; one that cannot be parsed is not.
pub(crate) fn is_older_than(moment: &str, age: Duration) -> bool {
    let now = OffsetDateTime::from(SystemTime::now());
    parse(moment).is_some_and(|moment| now - moment > age)
}

/// Returns whether a moment is before another one, or at most so long after it.
pub(crate) fn is_before(moment: &str, other: &str, span: Duration) -> bool {
    let pair = parse(moment).zip(parse(other));
    pair.is_some_and(|(moment, other)| moment - other <= span)
}

/// Returns a moment in milliseconds since 1970; `None` if it cannot be parsed.
pub(crate) fn to_milliseconds(moment: &str) -> Option<i64> {
    let nanoseconds = parse(moment)?.unix_timestamp_nanos();
    i64::try_from(nanoseconds / 1_000_000).ok()
}

/// Returns a moment, in milliseconds since 1970, as GitLab writes it.
pub(crate) fn from_milliseconds(milliseconds: i64) -> String {
    let nanoseconds = i128::from(milliseconds) * 1_000_000;
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok();
    let text = moment.and_then(|moment| moment.format(&Rfc3339).ok());
    text.unwrap_or_else(|| milliseconds.to_string())
}

fn parse(moment: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(moment, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_same_in_every_time_zone() {
        let created_at = "2026-01-02T03:04:05.678Z";
        assert!(is_same_moment(created_at, created_at));
        assert!(is_same_moment(created_at, "2026-01-02T11:04:05.678+08:00"));
        assert!(!is_same_moment(created_at, "2026-01-02T03:04:05.679Z"));
        assert!(!is_same_moment(created_at, "2026-01-02T03:04:05.678"));
    }

    #[test]
    fn a_moment_in_milliseconds_is_the_same() {
        let created_at = "2026-01-02T11:04:05.678+08:00";
        let milliseconds = to_milliseconds(created_at).unwrap();
        assert!(is_same_moment(created_at, &from_milliseconds(milliseconds)));
        assert_eq!(to_milliseconds("yesterday"), None);
    }

    #[test]
    fn moments_are_ordered() {
        let [early, late] = ["2026-01-02T03:04:05.678Z", "2026-01-02T03:04:07Z"];
        let [short, long] = [1, 2].map(Duration::from_secs);
        assert!(is_before(early, late, short) && is_before(early, early, short));
        assert!(!is_before(late, early, short) && is_before(late, early, long));
        assert!(!is_before("soon", late, long));
        assert!(is_older_than(early, Duration::from_secs(60)));
        assert!(!is_older_than("2999-01-01T00:00:00Z", short));
        assert!(!is_older_than("soon", short));
    }
}
