//! Moments as GitLab writes them.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Returns whether two texts mean the same moment; a GitLab may have changed its time zone.
pub(crate) fn is_same_moment(one: &str, other: &str) -> bool {
    let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339);
    one == other || parse(one).is_ok_and(|one| parse(other) == Ok(one))
}

/// Returns whether a moment is longer ago than `age`; one that cannot be parsed is not.
pub(crate) fn is_older_than(moment: &str, age: Duration) -> bool {
    let now = OffsetDateTime::from(SystemTime::now());
    OffsetDateTime::parse(moment, &Rfc3339).is_ok_and(|moment| now - moment > age)
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
}
