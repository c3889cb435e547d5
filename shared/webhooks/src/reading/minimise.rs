//! The minimised payload: what is stored of a webhook.
//!
//! Images and other base64 blobs become their kind, size and SHA-256, and so do signed tokens; members
//! that hold tokens, keys or passwords go, name and all. That holds inside documents which travel as
//! strings, too. Everything else stays as spelled, so that the webhook can be read again by a later version.

mod blobs;
mod mark;
mod secret_names;
mod tokens;

use crate::reading::{
    json::{DEPTH_LIMIT, Json, Text},
    unreadable::Unreadable,
};
use mark::Mark;
pub(crate) use mark::is_mark;
use secret_names::{Rule, is_secret};
use std::ops::Range;

/// The largest minimised payload, in bytes of UTF-8. Well under DynamoDB's 400 KB an item, which
/// counts attribute names and the other members too.
pub const PAYLOAD_LIMIT: usize = 300 * 1024;

/// The kind in the mark of something that did not fit.
const CUT: &str = "cut";

/// The most strings that may be nested around a document: each is parsed on the stack of the one around it.
const STRINGS_LIMIT: usize = 4;

/// A list of numbers as long as the shortest blob is one too.
const SHORTEST_BYTE_LIST: usize = blobs::SHORTEST;

/// The longest reference that a record has, in bytes: 1000 characters, of which each takes at most four.
pub(crate) const REFERENCE_LIMIT: usize = 4000;

/// The members that hold your reference or the provider's.
const REFERENCE_NAMES: [&str; 8] = [
    "reference",
    "vendorData",
    "endUserId",
    "externalId",
    "externalCustomerId",
    "customerId",
    "userTag",
    "externalUserId",
];

/// Writes the minimised payload, at most [`PAYLOAD_LIMIT`] long.
pub(crate) fn minimise(document: &Json<'_>) -> String {
    let mut writer = Writer { references: References::Kept, ..Writer::default() };
    writer.value(document);
    writer.within_limit()
}

/// A member to write: a value of a document, or an object with one list with one entry, which is a value of a document.
pub(crate) enum Member<'j, 'a> {
    Value(&'j Json<'a>),
    Only { list: &'static str, entry: &'j Json<'a> },
}

/// An object that is made of some values of a document, minimised.
pub(crate) struct Minimised {
    /// At most [`PAYLOAD_LIMIT`] long.
    pub(crate) text: String,
    /// The value of its last member, however long, as it comes out of the whole document, of what a queue keeps of that,
    /// and of `text`: for an id.
    pub(crate) last: String,
}

/// Writes an object with these members, minimised as if the whole document were it.
pub(crate) fn minimise_members(members: &[(&'static str, Member<'_, '_>)]) -> Minimised {
    let mut writer = Writer { references: References::Kept, ..Writer::default() };
    writer.list(['{', '}'], members, |writer, (name, member)| writer.made_member(name, member));
    let mut last = Writer { references: References::Told, depth: 1, ..Writer::default() };
    members.iter().next_back().into_iter().for_each(|(_, member)| last.made(member));
    Minimised { text: writer.within_limit(), last: last.out }
}

/// Writes one value, minimised, however long it is: for parts of a payload that take part in an event's id.
pub(crate) fn minimise_unbounded(value: &Json<'_>) -> String {
    let mut writer = Writer::default();
    writer.value(value);
    writer.out
}

/// Writes one value as the first release did: for ids that it made. Members are left in that hold secrets and that it
/// didn't know.
pub(crate) fn minimise_as_first_release(value: &Json<'_>) -> String {
    let mut writer = Writer { rule: Rule::FirstRelease, ..Writer::default() };
    writer.value(value);
    writer.out
}

/// Writes one document.
#[derive(Default)]
struct Writer {
    out: String,
    /// The number of lists and objects that are open.
    depth: usize,
    /// The number of strings around this document.
    strings: usize,
    /// True if anything was left out.
    shortened: bool,
    references: References,
    rule: Rule,
    /// The places of the values of the outermost object's members in `out`.
    members: Vec<Range<usize>>,
}

/// The treatment of references.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum References {
    /// The same as of any text.
    #[default]
    Texts,
    /// They stay as they are, unless no record has them: then all of it goes.
    Kept,
    /// The same as of any text, but what no record has goes.
    Told,
}

impl Writer {
    fn value(&mut self, value: &Json<'_>) {
        match value {
            Json::Null => self.out.push_str("null"),
            Json::Bool(true) => self.out.push_str("true"),
            Json::Bool(false) => self.out.push_str("false"),
            Json::Number(number) => self.out.push_str(number),
            Json::String(text) => self.text(*text),
            Json::Array(items) => match byte_list(items) {
                Some(mark) => self.mark(&mark),
                None => self.list(['[', ']'], items, Self::value),
            },
            Json::Object(members) => {
                let kept: Vec<_> = members.iter().filter(|(name, _)| !is_secret(*name, self.rule)).collect();
                self.shortened |= kept.len() < members.len();
                self.list(['{', '}'], kept, Self::member);
            }
        }
    }

    fn within_limit(self) -> String {
        if self.out.len() <= PAYLOAD_LIMIT { self.out } else { cut(&self.out, self.members) }
    }

    fn member(&mut self, (name, value): &(Text<'_>, Json<'_>)) {
        self.named(name.raw(), |writer| match value {
            Json::String(text) if is_reference(*name) => writer.reference(*text),
            _ => writer.value(value),
        });
    }

    fn made_member(&mut self, name: &str, member: &Member<'_, '_>) {
        self.named(name, |writer| writer.made(member));
    }

    fn made(&mut self, member: &Member<'_, '_>) {
        match member {
            Member::Value(value) => self.value(value),
            Member::Only { list, entry } => self.list(['{', '}'], [*entry], |writer, entry| {
                writer.named(list, |writer| writer.list(['[', ']'], [entry], Self::value));
            }),
        }
    }

    fn named(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.quoted(name);
        self.out.push(':');
        let start = self.out.len();
        write(self);
        if self.depth == 1 {
            self.members.push(start..self.out.len());
        }
    }

    /// A reference that a record has stays as spelled, even if it looks like a blob: the record has it, too.
    fn reference(&mut self, text: Text<'_>) {
        let is_like_any = match self.references {
            References::Texts => true,
            References::Told => is_like_a_document(text) || !marks(text.raw()).is_empty(),
            References::Kept => false,
        };
        match text.decoded() {
            _ if is_like_any => self.text(text),
            decoded if decoded.len() > REFERENCE_LIMIT => self.mark(&Mark::of_text("text/plain", &decoded)),
            _ => self.quoted(text.raw()),
        }
    }

    fn list<T>(
        &mut self,
        [opening, closing]: [char; 2],
        entries: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Self, T),
    ) {
        self.out.push(opening);
        self.depth += 1;
        for (index, entry) in entries.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            write(self, entry);
        }
        self.depth -= 1;
        self.out.push(closing);
    }

    fn text(&mut self, text: Text<'_>) {
        if is_like_a_document(text) && self.document(text) {
            return;
        }
        let raw = text.raw();
        let marks = marks(raw);
        match &marks[..] {
            [] => self.quoted(raw),
            [(range, mark)] if blobs::is_all(raw, range) => self.mark(mark),
            marks => {
                let marks = marks.iter().map(|(range, mark)| (range.clone(), mark.inline()));
                self.quoted(&with_marks(raw, marks));
                self.shortened = true;
            }
        }
    }

    /// Writes a string that is a JSON document, and returns whether it was one. If nothing is left out of it, it stays
    /// as spelled.
    fn document(&mut self, text: Text<'_>) -> bool {
        let decoded = text.decoded();
        let document = match Json::parse(decoded.as_bytes()) {
            Ok(document) if self.strings < STRINGS_LIMIT => document,
            // What can't be looked into can't be kept.
            Ok(_) | Err(Unreadable::TooDeep | Unreadable::TooManyValues) => {
                self.mark(&Mark::of_text("application/json", &decoded));
                return true;
            }
            Err(_) => return false,
        };
        let mut inner = Self { strings: self.strings + 1, rule: self.rule, ..Self::default() };
        inner.value(&document);
        if inner.shortened {
            self.out.push('"');
            for character in inner.out.chars() {
                // There is no control character in it: strings have none, and white space is gone.
                if matches!(character, '"' | '\\') {
                    self.out.push('\\');
                }
                self.out.push(character);
            }
            self.out.push('"');
            self.shortened = true;
        } else {
            self.quoted(text.raw());
        }
        true
    }

    /// A mark in a value's place: an object, or text if an object would be one level too deep.
    fn mark(&mut self, mark: &Mark) {
        self.shortened = true;
        if self.depth < DEPTH_LIMIT { self.out.push_str(&mark.object()) } else { self.quoted(&mark.inline()) }
    }

    fn quoted(&mut self, raw: &str) {
        self.out.push('"');
        self.out.push_str(raw);
        self.out.push('"');
    }
}

fn is_reference(name: Text<'_>) -> bool {
    REFERENCE_NAMES.iter().any(|reference| name.means(reference))
}

/// Returns true if it could be an object, a list or once more a string.
fn is_like_a_document(text: Text<'_>) -> bool {
    let mut characters = text.utf16().map(|unit| u8::try_from(unit).unwrap_or(b'?'));
    let first = characters.find(|character| !character.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'[' | b'"'))
}

/// The parts of a text that must not stay, in order, each with the mark that takes its place.
fn marks(raw: &str) -> Vec<(Range<usize>, Mark)> {
    let mut marks = Vec::new();
    let mut seen = 0;
    for token in tokens::find(raw) {
        marks.extend(blobs::find(raw, seen..token.start));
        seen = token.end;
        let mark = Mark::of_text("application/jwt", &Text::written(&raw[token.clone()]).decoded());
        marks.push((token, mark));
    }
    marks.extend(blobs::find(raw, seen..raw.len()));
    marks
}

/// Returns whether a text holds a signed token, which isn't stored.
pub(crate) fn holds_token(text: &str) -> bool {
    !tokens::find(text).is_empty()
}

/// Returns whether a list stands for bytes, which aren't stored.
pub(crate) fn is_byte_list(items: &[Json<'_>]) -> bool {
    byte_list(items).is_some()
}

/// Bytes as a list of numbers. Java writes them signed.
fn byte_list(items: &[Json<'_>]) -> Option<Mark> {
    if items.len() < SHORTEST_BYTE_LIST {
        return None;
    }
    let byte = |item: &Json<'_>| {
        let Json::Number(number) = item else { return None };
        number.parse::<u8>().ok().or_else(|| number.parse::<i8>().ok().map(i8::cast_unsigned))
    };
    let bytes: Vec<u8> = items.iter().map(byte).collect::<Option<_>>()?;
    Some(Mark::of_bytes([bytes]))
}

/// Returns whether members of a minimised payload, or all of it, were left out because they did not fit.
pub(crate) fn was_cut(payload: &str) -> bool {
    let is_cut = |value: &Json<'_>| matches!(value.member("kind"), Ok(Some(Json::String(kind))) if kind.means(CUT));
    let Ok(document) = Json::parse(payload.as_bytes()) else { return false };
    let members = if let Json::Object(members) = &document { &members[..] } else { &[] };
    is_cut(&document) || members.iter().any(|(_, value)| is_cut(value))
}

/// Replaces the largest members, one after the other, by their size and SHA-256. If that isn't enough (a list, or very
/// many small members), it replaces the whole document.
fn cut(text: &str, members: Vec<Range<usize>>) -> String {
    let mut by_size = members;
    by_size.sort_by_key(|member| std::cmp::Reverse(member.len()));

    let mut length = text.len();
    let mut marks: Vec<(Range<usize>, String)> = Vec::new();
    for member in by_size {
        let mark = Mark::of_text(CUT, &text[member.clone()]).object();
        if member.len() <= mark.len() {
            break;
        }
        length = length - member.len() + mark.len();
        marks.push((member, mark));
        if length <= PAYLOAD_LIMIT {
            marks.sort_by_key(|(member, _)| member.start);
            return with_marks(text, marks);
        }
    }
    Mark::of_text(CUT, text).object()
}

/// A text with marks in the place of some of its parts.
fn with_marks(text: &str, marks: impl IntoIterator<Item = (Range<usize>, String)>) -> String {
    let mut out = String::new();
    let mut kept_from = 0;
    for (range, mark) in marks {
        out.push_str(&text[kept_from..range.start]);
        out.push_str(&mark);
        kept_from = range.end;
    }
    out.push_str(&text[kept_from..]);
    out
}
