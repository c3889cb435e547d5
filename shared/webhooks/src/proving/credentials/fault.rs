//! Faults of some JSON: what is wrong, and at which place. They hold nothing that was read.

use crate::reading::{json::Text, unreadable::Unreadable};
use serde::de::{Expected, Unexpected};
use std::fmt;

/// The longest name that is compared with known ones: no misspelling is longer.
const NAME_LIMIT: usize = 32;

/// The owner of each member, for credentials that were given to another provider's function. A test compares it with
/// the providers' own credentials.
const OWNERS: [(&str, &str); 7] = [
    ("secrets", "Veriff's or Treezor's"),
    ("apiKeys", "Veriff's"),
    ("urlTokens", "Treezor's"),
    ("unsignedReviews", "Treezor's"),
    ("headers", "Incode's or Wultra's"),
    ("oauth", "Incode's"),
    ("basic", "Wultra's"),
];

/// A fault of some JSON: what is wrong, and at which place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    problem: Problem,
    /// From the outside in.
    path: Vec<Step>,
    near: Option<Place>,
}

/// The sort of a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// With a hint at what might mend it.
    NotJson(&'static str),
    Missing(&'static str),
    Repeated(&'static str),
    Unknown {
        /// The known name that was probably meant.
        meant: Option<&'static str>,
        owner: Option<&'static str>,
    },
    /// With what should be there.
    OtherKind(String),
    /// In the words of the type that was read: they are Verdict's, and hold no value.
    Unfit(String),
}

/// One step into a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Member(&'static str),
    /// An entry of a list, or of an object that takes any name; from 1.
    Entry(usize),
}

/// A place in a text; both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
}

impl Place {
    fn of(offset: usize, source: &str) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

impl Fault {
    pub(super) fn not_json(source: &str, unreadable: Unreadable) -> Self {
        let (at, hint) = match unreadable {
            Unreadable::NotJson { at } => (at, hint(source, at)),
            Unreadable::TooDeep => (0, "it is nested too deeply"),
            Unreadable::TooManyValues => (0, "it holds too many values"),
            _ => (0, "it is empty"),
        };
        Self { near: Some(Place::of(at, source)), ..Problem::NotJson(hint).into() }
    }

    /// This fault near a name, unless a nearer place is known.
    pub(super) fn near(self, name: Text<'_>, source: &str) -> Self {
        // The name is a part of the source.
        let offset = (name.raw().as_ptr() as usize).saturating_sub(source.as_ptr() as usize);
        Self { near: self.near.or(Some(Place::of(offset, source))), ..self }
    }

    /// This fault one step further in.
    pub(super) fn within(mut self, step: Step) -> Self {
        // Only the outermost members tell whose credentials they are.
        if let Problem::Unknown { owner, .. } = &mut self.problem {
            *owner = None;
        }
        self.path.insert(0, step);
        self
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { problem, path: Vec::new(), near: None }
    }
}

/// A hint how to mend a text that stops being JSON at this place.
fn hint(source: &str, at: usize) -> &'static str {
    let next = source.get(at..).and_then(|rest| rest.chars().next());
    match next {
        _ if !source.trim_start().starts_with('{') => "it must begin with `{`",
        None => "a quote or a bracket is not closed",
        Some('\r' | '\n') => "a text is not closed before its line ends",
        Some(next) if next.is_alphabetic() || "'‘’“”„".contains(next) => {
            "names and texts need straight double quotes"
        }
        Some(_) => "there is a character too many, or one is missing",
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_path(&self.path, f)?;
        write!(f, "{}", self.problem)?;
        match self.near {
            Some(Place { line, column }) => write!(f, " (near line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

/// Writes a path such as `oauth.clients` entry 2.
fn write_path(path: &[Step], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let members: Vec<_> = path.iter().map_while(Step::member).collect();
    if !members.is_empty() {
        write!(f, "`{}`", members.join("."))?;
    }
    for step in &path[members.len()..] {
        match step {
            Step::Member(name) => write!(f, " `{name}`")?,
            Step::Entry(position) => write!(f, " entry {position}")?,
        }
    }
    if path.is_empty() { Ok(()) } else { f.write_str(": ") }
}

impl Step {
    fn member(&self) -> Option<&'static str> {
        match self {
            Self::Member(name) => Some(name),
            Self::Entry(_) => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(hint) => write!(f, "not JSON: {hint}"),
            Self::Missing(name) => write!(f, "`{name}` is missing"),
            Self::Repeated(name) => write!(f, "`{name}` is there twice"),
            Self::Unknown { owner: Some(owner), .. } => write!(f, "these look like {owner} credentials"),
            Self::Unknown { meant: Some(meant), .. } => write!(f, "unknown member; did you mean `{meant}`?"),
            Self::Unknown { .. } => f.write_str("unknown member"),
            Self::OtherKind(kind) => write!(f, "must be {kind}"),
            Self::Unfit(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Fault {}

/// Keeps what a type asks for, and drops what was found instead.
impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Problem::Unfit(why.to_string()).into()
    }

    fn invalid_type(_found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Problem::OtherKind(in_words(&expected.to_string())).into()
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(_length: usize, expected: &dyn Expected) -> Self {
        Problem::OtherKind(in_words(&expected.to_string())).into()
    }

    fn unknown_variant(_found: &str, expected: &'static [&'static str]) -> Self {
        Problem::OtherKind(format!("one of `{}`", expected.join("`, `"))).into()
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        let owner = OWNERS.iter().find(|(member, _)| *member == name).map(|(_, owner)| *owner);
        Problem::Unknown { meant: nearest(name, known), owner }.into()
    }

    fn missing_field(name: &'static str) -> Self {
        Problem::Missing(name).into()
    }

    fn duplicate_field(name: &'static str) -> Self {
        Problem::Repeated(name).into()
    }
}

/// The words of JSON for what `serde` expects.
fn in_words(expected: &str) -> String {
    match expected {
        "a sequence" => "a list",
        "a string" => "text in double quotes",
        "a boolean" => "true or false",
        "u32" => "a whole number",
        other => other,
    }
    .to_owned()
}

/// The known name that differs from this one by a slip or two; of a short name by fewer, since it would be another
/// word.
fn nearest(name: &str, known: &'static [&'static str]) -> Option<&'static str> {
    if name.len() > NAME_LIMIT {
        return None;
    }
    let slips = |known: &&str| distance(&letters(name), &letters(known));
    known.iter().copied().min_by_key(slips).filter(|known| slips(known) <= (known.len() / 3).min(2))
}

/// The letters and digits of a name, in lower case.
fn letters(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The number of letters to put in, take out or replace to make one name of the other (Levenshtein's distance).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_or_two_is_seen_through() {
        let known: &[&str] = &["secrets", "apiKeys"];
        for (name, meant) in [
            ("secret", Some("secrets")),
            ("Secrets", Some("secrets")),
            ("secerts", Some("secrets")),
            ("api_keys", Some("apiKeys")),
            ("API-KEY", Some("apiKeys")),
            ("urlTokens", None),
            ("", None),
            ("secretsecrets", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name:?}");
        }
        assert_eq!(nearest(&"s".repeat(1_000_000), known), None);
        assert_eq!(["ID", "i", "password"].map(|name| nearest(name, &["id", "secret"])), [Some("id"), None, None]);
    }

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let place = |offset| {
            let Place { line, column } = Place::of(offset, "{\n é:\n}");
            (line, column)
        };
        assert_eq!(
            [0, 1, 2, 3, 5, 6, 7, 99].map(place),
            [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (2, 4), (3, 1), (3, 2)]
        );
    }
}
