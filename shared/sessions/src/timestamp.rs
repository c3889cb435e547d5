//! Points in time, as RFC 3339 text outside and UTC inside.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, time::Duration};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A point in time in UTC, to the nanosecond, in the years 1 to 9999.
///
/// Written as RFC 3339 with as many fraction digits as it needs (`2026-06-13T00:38:30.861285Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// The start of Unix time.
    pub const EPOCH: Self = Self(OffsetDateTime::UNIX_EPOCH);

    /// The first representable time.
    pub const FIRST: Self = Self(time::macros::datetime!(0001-01-01 00:00:00 UTC));

    /// Reads RFC 3339. Providers also send `0000-00-00`, local times without a zone and empty
    /// text: those are no point in time, so the answer is `None` and never an error.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let utc = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?.checked_to_utc()?;
        (1..=9999).contains(&utc.year()).then(|| Self(utc.into()))
    }

    /// The time that `seconds` and `nanos` after the Unix epoch name, or `None` outside the years 1 to 9999.
    #[must_use]
    pub fn from_unix(seconds: i64, nanos: u32) -> Option<Self> {
        let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?.replace_nanosecond(nanos).ok()?;
        (1..=9999).contains(&time.year()).then_some(Self(time))
    }

    /// Whole seconds since the Unix epoch, as DynamoDB's time to live wants them.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// This time and `duration` more; the last representable time if that overflows.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let last = time::macros::datetime!(9999-12-31 23:59:59.999999999 UTC);
        let sum = time::Duration::try_from(duration).ok().and_then(|span| self.0.checked_add(span));
        Self(sum.unwrap_or(last).min(last))
    }

    /// This time and `duration` less; the first representable time if that is before it.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let difference = time::Duration::try_from(duration).ok().and_then(|span| self.0.checked_sub(span));
        difference.map_or(Self::FIRST, |time| Self(time).max(Self::FIRST))
    }

    /// Whole milliseconds from `earlier` to this time; 0 if it is not earlier.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> u64 {
        (self.0 - earlier.0).whole_milliseconds().try_into().unwrap_or(0)
    }

    /// Whole seconds from `earlier` to this time; 0 if it is not earlier.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> u64 {
        self.unix_seconds().saturating_sub(earlier.unix_seconds()).try_into().unwrap_or(0)
    }

    /// Text of a fixed width, so that sorting the text sorts the times: what an index key needs.
    #[must_use]
    pub fn sortable(self) -> String {
        let t = self.0;
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.nanosecond()
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_keep_the_digits_they_came_with() {
        for text in ["2019-11-06T07:18:36.916Z", "2026-06-13T00:38:30.861285Z", "2020-01-01T00:00:00Z"] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_offset_becomes_utc() {
        assert_eq!(Timestamp::parse("2020-01-01T01:00:00+01:00"), Timestamp::parse("2020-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_no_point_in_time_is_none() {
        for text in [
            "",
            " ",
            "0000-00-00",
            "0000-00-00T00:00:00Z",
            "2020-01-01",
            "2020-01-01 10:00:00",
            "1573024716916",
            "-1",
            "9999-12-31T23:59:59-23:00",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn sortable_text_sorts_as_the_times_do() {
        let mut times: Vec<_> =
            ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5Z", "2020-01-01T00:00:00.25Z", "0999-01-01T00:00:00Z"]
                .map(|t| Timestamp::parse(t).unwrap())
                .into();
        times.sort();
        assert!(times.windows(2).all(|pair| pair[0].sortable() < pair[1].sortable()));
    }

    #[test]
    fn no_time_is_before_the_first() {
        assert_eq!(Timestamp::parse("0001-01-01T00:00:00Z"), Some(Timestamp::FIRST));
        assert_eq!(Timestamp::parse("0001-01-01T00:00:00+00:01"), None);
        assert_eq!(Timestamp::FIRST.to_string(), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn adding_never_overflows() {
        let last = Timestamp::parse("9999-12-31T23:59:59Z").unwrap();
        assert!(last.plus(Duration::MAX) > last);
        assert!(last.plus(Duration::from_mins(5)).to_string().starts_with("9999-12-31"));
    }

    #[test]
    fn taking_away_never_goes_before_the_first() {
        let time = Timestamp::parse("2026-06-13T00:00:00Z").unwrap();
        assert_eq!(time.minus(Duration::from_millis(1)).to_string(), "2026-06-12T23:59:59.999Z");
        assert_eq!([Timestamp::FIRST, time].map(|time| time.minus(Duration::MAX)), [Timestamp::FIRST; 2]);
        assert_eq!(Timestamp::FIRST.minus(Duration::from_secs(1)), Timestamp::FIRST);
    }

    #[test]
    fn milliseconds_are_whole_and_never_negative() {
        let [early, late] = ["2026-06-13T00:00:00.0019Z", "2026-06-13T00:00:02Z"].map(|t| Timestamp::parse(t).unwrap());
        assert_eq!((late.millis_since(early), early.millis_since(late), early.millis_since(early)), (1998, 0, 0));
        assert_eq!(
            Timestamp::parse("9999-12-31T23:59:59Z").unwrap().millis_since(Timestamp::FIRST),
            315_537_897_599_000
        );
    }
}
