//! Times and days in GitLab's formats.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const SECOND: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// A time in milliseconds since 1970, the resolution of GitLab's responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    /// Creates a time from milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns whole seconds since 1970, the resolution of git.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns the time `millis` later, or earlier if negative.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Returns the day in UTC.
    pub fn day(self) -> Day {
        Day(self.date_time().date())
    }

    /// Parses an ISO 8601 date or date-time, with or without offset.
    pub fn parse(text: &str) -> Option<Self> {
        use time::format_description::well_known::{Iso8601, Rfc3339};
        let text = text.trim();
        let moment = OffsetDateTime::parse(text, &Rfc3339)
            .or_else(|_| OffsetDateTime::parse(text, &Iso8601::DEFAULT))
            .or_else(|_| PrimitiveDateTime::parse(text, SECOND).map(PrimitiveDateTime::assume_utc))
            .or_else(|_| Date::parse(text, DAY).map(|date| date.midnight().assume_utc()))
            .ok()?;
        Some(Self::from(moment))
    }

    /// Parses the date of an HTTP header, such as `If-Unmodified-Since`.
    pub fn parse_http_date(text: &str) -> Option<Self> {
        PrimitiveDateTime::parse(text.trim(), HTTP_DATE)
            .ok()
            .map(|moment| Self::from(moment.assume_utc()))
    }

    /// Formats the date of an HTTP header.
    pub fn http_date(self) -> String {
        self.date_time().format(HTTP_DATE).unwrap_or_default()
    }

    fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl From<OffsetDateTime> for Moment {
    fn from(moment: OffsetDateTime) -> Self {
        let millis = moment.unix_timestamp_nanos().div_euclid(1_000_000);
        Self(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.date_time().format(MOMENT).unwrap_or_default())
    }
}

/// Formats the time of a commit: seconds since 1970 and the offset from UTC in seconds.
pub fn commit_time(seconds: i64, offset_seconds: i32) -> String {
    let offset = UtcOffset::from_whole_seconds(offset_seconds).unwrap_or(UtcOffset::UTC);
    let local = OffsetDateTime::from_unix_timestamp(seconds)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .to_offset(offset);
    let (hours, minutes, _) = offset.as_hms();
    let sign = if offset.is_negative() { '-' } else { '+' };
    format!(
        "{}.000{sign}{:02}:{:02}",
        local.format(SECOND).unwrap_or_default(),
        hours.unsigned_abs(),
        minutes.unsigned_abs()
    )
}

/// A day, formatted as `2027-11-22`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// Parses a date; ignores the time of a date-time.
    pub fn parse(text: &str) -> Option<Self> {
        Date::parse(text.trim(), DAY)
            .ok()
            .map(Self)
            .or_else(|| Moment::parse(text).map(Moment::day))
    }

    /// Returns the day `days` later.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self(
            self.0
                .checked_add(Duration::days(days))
                .unwrap_or(Date::MAX),
        )
    }

    /// Returns its first moment in UTC.
    pub fn start(self) -> Moment {
        Moment::from(self.0.midnight().assume_utc())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.format(DAY).unwrap_or_default())
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a date"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_days_round_trip() {
        let moment = Moment::from_millis(1_767_323_045_678);
        assert_eq!(moment.to_string(), "2026-01-02T03:04:05.678Z");
        assert_eq!(Moment::parse(&moment.to_string()), Some(moment));
        assert_eq!(moment.http_date(), "Fri, 02 Jan 2026 03:04:05 GMT");
        assert_eq!(
            Moment::parse_http_date(&moment.http_date()),
            Some(Moment::from_millis(1_767_323_045_000))
        );
        assert_eq!(moment.day().to_string(), "2026-01-02");
        assert_eq!(Day::parse("2026-01-02"), Some(moment.day()));
        assert_eq!(moment.day().plus_days(365).to_string(), "2027-01-02");
    }

    #[test]
    fn commit_times_include_their_offset() {
        assert_eq!(commit_time(0, 0), "1970-01-01T00:00:00.000+00:00");
        assert_eq!(commit_time(0, -5400), "1969-12-31T22:30:00.000-01:30");
    }
}
