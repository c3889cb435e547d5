//! Times as providers spell them.
//!
//! A time never fails a webhook. Every spelling that means one point in time is read: RFC 3339 at any precision, a
//! space for its `T`, a comma before its fraction, an offset without a colon, UTC if there is no zone, a leap second;
//! seconds and milliseconds since the Unix epoch, as a number or as text, with or without a fraction.

use crate::reading::{
    json::{Json, Text},
    unreadable::Unreadable,
};
use verdict_sessions::Timestamp;

/// A member of a payload that holds a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    member: &'static str,
    printed: Printed,
}

/// What stands in such a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Printed {
    /// There is no such member.
    Missing,
    /// It says that there is no time: `null`, blank text, or zeros only (`0000-00-00 00:00:00`).
    Blank,
    /// A point in time.
    At(Timestamp),
    /// Anything else: not a point in time (`1989-00-00`), or one that could be read in two ways.
    Unreadable,
}

/// The offset from UTC of a time that has no zone, in RFC 3339's form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DefaultOffset(&'static str);

impl DefaultOffset {
    pub(crate) const UTC: Self = Self("Z");

    /// The offset of Paris in summer. For a time in winter, it gives an hour too early, and never a time that is too
    /// late.
    pub(crate) const PARIS_IN_SUMMER: Self = Self("+02:00");
}

impl Time {
    /// Reads a member; without a zone, it is in UTC.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] if the member occurs twice.
    pub(crate) fn read(object: &Json<'_>, member: &'static str) -> Result<Self, Unreadable> {
        Self::read_local(object, member, DefaultOffset::UTC)
    }

    /// Reads a member whose times have this offset if they name none.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] if the member occurs twice.
    pub(crate) fn read_local(
        object: &Json<'_>,
        member: &'static str,
        offset: DefaultOffset,
    ) -> Result<Self, Unreadable> {
        let printed = match object.member(member)? {
            Some(value) => Printed::of(value, offset),
            None if object.has(member)? => Printed::Blank,
            None => Printed::Missing,
        };
        Ok(Self { member, printed })
    }

    /// This time or, if it can't be read, one in a spelling that only its provider has.
    pub(crate) fn or(self, at: Option<Timestamp>) -> Self {
        let printed =
            if self.printed == Printed::Unreadable { at.map_or(self.printed, Printed::At) } else { self.printed };
        Self { printed, ..self }
    }

    /// The point in time, if it is one.
    pub(crate) const fn at(self) -> Option<Timestamp> {
        match self.printed {
            Printed::At(at) => Some(at),
            _ => None,
        }
    }

    /// Whether the payload has the member, whatever stands in it.
    pub(crate) const fn is_printed(self) -> bool {
        !matches!(self.printed, Printed::Missing)
    }

    /// Whether the payload has the member, and leaves it blank.
    pub(crate) const fn is_blank(self) -> bool {
        matches!(self.printed, Printed::Blank)
    }

    /// The remark that an event needs if it can't be ordered by this time: something stands there, and can't be read.
    pub(crate) fn remark(self) -> Option<String> {
        matches!(self.printed, Printed::Unreadable).then(|| format!("time_unreadable:{}", self.member))
    }
}

/// Whether a payload prints its times, and leaves all of them blank.
pub(crate) fn are_blank(times: &[Time]) -> bool {
    let mut printed = times.iter().filter(|time| time.is_printed()).peekable();
    printed.peek().is_some() && printed.all(|time| time.is_blank())
}

impl Printed {
    fn of(value: &Json<'_>, offset: DefaultOffset) -> Self {
        match value {
            Json::Null => Self::Blank,
            Json::String(text) => Self::of_text(*text, offset),
            Json::Number(number) if is_zero(number) => Self::Blank,
            Json::Number(number) => decimal(number).as_deref().and_then(since_epoch).map_or(Self::Unreadable, Self::At),
            _ => Self::Unreadable,
        }
    }

    fn of_text(text: Text<'_>, offset: DefaultOffset) -> Self {
        let decoded = text.decoded();
        let text = decoded.trim();
        if text.is_empty() || is_zero(text) {
            return Self::Blank;
        }
        let at = Timestamp::parse(text).or_else(|| since_epoch(text)).or_else(|| civil(text, offset));
        at.map_or(Self::Unreadable, Self::At)
    }
}

/// Whether there is no digit except zeros in a date or a number.
fn is_zero(text: &str) -> bool {
    let is_part = |byte: u8| matches!(byte, b'0' | b'-' | b':' | b'.' | b',' | b'+' | b' ' | b'T' | b't' | b'Z' | b'z');
    text.bytes().all(is_part) && text.contains('0')
}

/// A JSON number without its exponent, as Java writes a large one (`1.781310000861E9`); `None` if it has too many
/// digits to be a time.
fn decimal(number: &str) -> Option<String> {
    let Some((digits, exponent)) = number.split_once(['e', 'E']) else { return Some(number.to_owned()) };
    let exponent = usize::try_from(exponent.parse::<i8>().ok()?).ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let moved: String = fraction.chars().chain(std::iter::repeat('0')).take(exponent).collect();
    let rest = fraction.get(exponent..).filter(|rest| !rest.is_empty()).unwrap_or("0");
    Some(format!("{whole}{moved}.{rest}"))
}

/// Seconds (10 digits) or milliseconds (13 digits) since the Unix epoch. Fewer or more digits could mean either.
fn since_epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let (seconds, fraction) = match whole.len() {
        10 => (whole, fraction.to_owned()),
        13 => (&whole[..10], format!("{}{fraction}", &whole[10..])),
        _ => return None,
    };
    let nanos = format!("{fraction:0<9}")[..9].parse().ok()?;
    Timestamp::from_unix(seconds.parse().ok()?, nanos)
}

/// A date and a time of day, such as `2026-06-12 23:00:00,5 +0200`: put into RFC 3339's form, and then read as that.
fn civil(text: &str, offset: DefaultOffset) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, zone) =
        rest.split_at(rest.find(|c: char| !matches!(c, '0'..='9' | ':' | '.' | ',')).unwrap_or(rest.len()));
    let (clock, fraction) = clock.split_once(['.', ',']).map_or((clock, None), |(clock, digits)| (clock, Some(digits)));
    if !fraction.is_none_or(is_digits) {
        return None;
    }
    let (minute, second) = match clock.len() {
        5 if fraction.is_none() => (clock, "00"),
        8 => (&clock[..5], clock[5..].strip_prefix(':')?),
        _ => return None,
    };
    let nanos = &format!("{:0<9}", fraction.unwrap_or_default())[..9];
    // A leap second has no number of its own in Unix time: it counts as the last moment before it ends.
    let (second, nanos) = if second == "60" { ("59", "999999999") } else { (second, nanos) };
    let zone = self::zone(zone.strip_prefix(' ').unwrap_or(zone), offset)?;
    Timestamp::parse(&format!("{date}T{minute}:{second}.{nanos}{zone}"))
}

/// An offset from UTC in RFC 3339's form, whether it is written `+02:00`, `+0200` or `+02`.
fn zone(text: &str, default: DefaultOffset) -> Option<String> {
    let Some(digits) = text.strip_prefix(['+', '-']) else {
        let is_utc = ["Z", "UTC", "GMT"].iter().any(|name| name.eq_ignore_ascii_case(text));
        return if text.is_empty() { Some(default.0.to_owned()) } else { is_utc.then(|| "Z".to_owned()) };
    };
    let sign = &text[..1];
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':')?,
        _ => return None,
    };
    (is_digits(hours) && is_digits(minutes)).then(|| format!("{sign}{hours}:{minutes}"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spelled: &str) -> Printed {
        Printed::of(&Json::parse(spelled.as_bytes()).unwrap(), DefaultOffset::UTC)
    }

    /// The vectors' times are computed by Python.
    #[test]
    fn every_spelling_that_means_one_point_in_time_is_read() {
        let vectors = include_str!("../../../../tests/vectors/times.jsonl").lines();
        let vectors: Vec<serde_json::Value> = vectors.map(|line| serde_json::from_str(line).unwrap()).collect();
        let wrong: Vec<String> = vectors
            .iter()
            .map(|vector| (vector["spelled"].as_str().unwrap(), vector["means"].as_str().unwrap()))
            .filter_map(|(spelled, means)| {
                let found = match read(spelled) {
                    Printed::At(at) => at.to_string(),
                    Printed::Blank => "blank".to_owned(),
                    other => format!("{other:?}").to_lowercase(),
                };
                (found != means).then(|| format!("{spelled}: {found}, not {means}"))
            })
            .collect();
        assert!(vectors.len() > 600, "{}", vectors.len());
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn missing_blank_and_unreadable_are_told_apart() {
        let document =
            Json::parse(br#"{"none":null,"zeros":"0000-00-00","half":"1989-00-00","at":"2026-06-13 00:38:30"}"#);
        let document = document.unwrap();
        let seen = |member| {
            let time = Time::read(&document, member).unwrap();
            (time.is_printed(), time.is_blank(), time.at().is_some(), time.remark())
        };
        assert_eq!(seen("no such member"), (false, false, false, None));
        assert_eq!(seen("none"), (true, true, false, None));
        assert_eq!(seen("zeros"), (true, true, false, None));
        assert_eq!(seen("half"), (true, false, false, Some("time_unreadable:half".into())));
        assert_eq!(seen("at"), (true, false, true, None));
    }

    #[test]
    fn times_are_blank_if_some_are_printed_and_none_says_anything() {
        let document = Json::parse(br#"{"a":"","b":"0000-00-00 00:00:00","c":"soon","d":1781310000}"#).unwrap();
        for (members, expected) in [
            (&["a", "b"][..], true),
            (&["a", "missing"], true),
            (&["missing"], false),
            (&[], false),
            (&["a", "c"], false),
            (&["a", "d"], false),
        ] {
            let times: Vec<_> = members.iter().map(|member| Time::read(&document, member).unwrap()).collect();
            assert_eq!(are_blank(&times), expected, "{members:?}");
        }
    }

    #[test]
    fn a_default_offset_counts_only_if_the_time_names_no_zone() {
        let document = Json::parse(br#"{"local":"2020-05-19 10:34:21","zone":"2020-05-19 10:34:21Z"}"#).unwrap();
        let read = |member| {
            let time = Time::read_local(&document, member, DefaultOffset::PARIS_IN_SUMMER).unwrap();
            time.at().unwrap().to_string()
        };
        assert_eq!((&*read("local"), &*read("zone")), ("2020-05-19T08:34:21Z", "2020-05-19T10:34:21Z"));
    }

    #[test]
    fn a_member_that_occurs_twice_is_ambiguous() {
        let document = Json::parse(br#"{"at":"2026-06-13T00:38:30Z","at":null}"#).unwrap();
        assert_eq!(Time::read(&document, "at"), Err(Unreadable::Ambiguous("at")));
    }
}
