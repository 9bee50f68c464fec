//! Moments as GitLab writes them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Returns whether two texts mean the same moment; a GitLab may have changed its time zone.
pub(crate) fn is_same_moment(one: &str, other: &str) -> bool {
    one == other || parse(one).is_some_and(|one| parse(other) == Some(one))
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
}
