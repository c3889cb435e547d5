//! The minimised payload: what is stored of a webhook.
//!
//! Images and other base64 blobs become their kind, size and SHA-256, and so do signed tokens; members
//! that hold tokens, keys or passwords go, name and all. That holds inside documents which travel as
//! strings, too. Everything else stays as spelled, so that the webhook can be read again by a later version.

mod blobs;
mod mark;
#[cfg(test)]
mod reference;
mod secret_names;
mod tokens;

use crate::reading::{
    json::{DEPTH_LIMIT, Json, Text},
    strides::before_any,
    unreadable::Unreadable,
};
use mark::Mark;
pub(crate) use mark::is_mark;
use secret_names::{Rule, is_secret};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, iter, mem, ops::Range};

/// The largest minimised payload, in bytes of UTF-8. Well under DynamoDB's 400 KB an item, which
/// counts attribute names and the other members too.
pub const PAYLOAD_LIMIT: usize = 300 * 1024;

/// The room that a payload gets at first: more than most need.
const USUAL_LENGTH: usize = 2048;

/// The kind in the mark of something that did not fit.
const CUT: &str = "cut";

/// The most strings that may be nested around a document: each is parsed on the stack of the one around it.
const STRINGS_LIMIT: usize = 4;

/// The backslashes before a quote or a backslash in the innermost document: each string around one doubles those that there
/// are, and adds one.
const BACKSLASHES: &str = r"\\\\\\\\\\\\\\\";
const _: () = assert!(BACKSLASHES.len() == (1 << STRINGS_LIMIT) - 1);

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
    within_limit(|writer| writer.value(document))
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
    let text = within_limit(|writer| {
        writer.list(["{", "}"], members, |writer, (name, member)| writer.made_member(name, member));
    });
    let mut last = Writer { references: References::Told, depth: 1, ..Writer::default() };
    members.iter().next_back().into_iter().for_each(|(_, member)| last.made(member));
    Minimised { text, last: last.out }
}

/// Writes one value, minimised, however long it is: for parts of a payload that take part in an event's id.
pub(crate) fn minimise_unbounded(value: &Json<'_>) -> String {
    let mut writer = Writer::default();
    writer.value(value);
    writer.out
}

/// Writes one value, minimised, unless that is longer than a limit.
pub(crate) fn minimise_up_to(limit: usize, value: &Json<'_>) -> Option<String> {
    let mut writer = Writer { limit, ..Writer::default() };
    writer.value(value);
    (!writer.is_over()).then_some(writer.out)
}

/// Writes one value as the first release did: for ids that it made. Members are left in that hold secrets and that it
/// didn't know.
pub(crate) fn minimise_as_first_release(value: &Json<'_>) -> String {
    let mut writer = Writer { rule: Rule::FirstRelease, ..Writer::default() };
    writer.value(value);
    writer.out
}

/// Writes what a closure writes, at most [`PAYLOAD_LIMIT`] long. What is longer is written again, to see what it is that
/// takes the room, and once more without that: so that no more than the limit is ever in memory.
fn within_limit(write: impl Fn(&mut Writer)) -> String {
    let out = String::with_capacity(USUAL_LENGTH);
    let mut writer = Writer { out, references: References::Kept, limit: PAYLOAD_LIMIT, ..Writer::default() };
    write(&mut writer);
    if !writer.is_over() {
        return writer.out;
    }
    let mut measured =
        Writer { references: References::Kept, limit: 0, tally: Some(Tally::default()), ..Writer::default() };
    write(&mut measured);
    let (length, mut tally) = (measured.length, measured.tally.unwrap_or_default());
    tally.digest();
    let whole = Mark::of_digested(CUT, length, tally.whole);
    cut(length, tally.members).map_or_else(
        || whole.object(),
        |cut| {
            let mut writer = Writer { references: References::Kept, cut, ..Writer::default() };
            write(&mut writer);
            writer.out
        },
    )
}

/// The digests of what is written, while nothing of it is kept.
#[derive(Default)]
struct Tally {
    /// What is written, and not digested yet.
    pending: String,
    whole: Sha256,
    /// The digest of the outermost object's member that is being written.
    member: Sha256,
    /// The outermost object's members that are longer than the mark in their place would be: the length of the value, the
    /// member's place and the mark.
    members: Vec<(usize, usize, Mark)>,
}

impl Tally {
    /// So much is digested at a time: much of what is written is a bracket or a comma.
    const PIECE: usize = 4096;

    fn add(&mut self, text: &str) {
        if self.pending.len() + text.len() > Self::PIECE {
            self.digest();
        }
        if text.len() > Self::PIECE {
            self.whole.update(text);
            self.member.update(text);
        } else {
            self.pending.push_str(text);
        }
    }

    fn digest(&mut self) {
        self.whole.update(&self.pending);
        self.member.update(&self.pending);
        self.pending.clear();
    }

    /// Begins with a member.
    fn begin(&mut self) {
        self.digest();
        self.member.reset();
    }

    /// Adds a member that is written.
    fn end(&mut self, place: usize, length: usize) {
        self.digest();
        let mark = Mark::of_digested(CUT, length, self.member.clone());
        if length > mark.object_length() {
            self.members.push((length, place, mark));
        }
    }
}

/// Writes one document.
struct Writer {
    /// As much as is written within the limit.
    out: String,
    /// The length of all that is written.
    length: usize,
    limit: usize,
    tally: Option<Tally>,
    /// The marks to write instead of the outermost object's members in some places.
    cut: BTreeMap<usize, Mark>,
    /// The place of the outermost object's next member.
    member: usize,
    /// The number of lists and objects that are open.
    depth: usize,
    /// The number of strings around the document that is being written.
    strings: usize,
    references: References,
    rule: Rule,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            out: String::new(),
            length: 0,
            limit: usize::MAX,
            tally: None,
            cut: BTreeMap::new(),
            member: 0,
            depth: 0,
            strings: 0,
            references: References::default(),
            rule: Rule::default(),
        }
    }
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
    /// Returns true if more was written than is kept, and nothing is counted: what follows makes no difference.
    fn is_over(&self) -> bool {
        self.length > self.limit && self.tally.is_none()
    }

    fn value(&mut self, value: &Json<'_>) {
        match value {
            _ if self.is_over() => {}
            Json::Null => self.push("null"),
            Json::Bool(true) => self.push("true"),
            Json::Bool(false) => self.push("false"),
            Json::Number(number) => self.push(number),
            Json::String(text) => self.text(*text),
            Json::Array(items) => match bytes_in(items) {
                Some(bytes) => self.mark(&Mark::of_bytes(&bytes)),
                None => self.list(["[", "]"], items, Self::value),
            },
            Json::Object(members) => {
                let rule = self.rule;
                let kept = members.iter().filter(|(name, _)| !is_secret(*name, rule));
                self.list(["{", "}"], kept, Self::member);
            }
        }
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
            Member::Only { list, entry } => self.list(["{", "}"], [*entry], |writer, entry| {
                writer.named(list, |writer| writer.list(["[", "]"], [entry], Self::value));
            }),
        }
    }

    fn named(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.quoted(name);
        self.push(":");
        if self.depth == 1 && self.strings == 0 { self.outermost(write) } else { write(self) }
    }

    /// Writes the value of one of the outermost object's members.
    fn outermost(&mut self, write: impl FnOnce(&mut Self)) {
        let place = self.member;
        self.member += 1;
        if let Some(mark) = self.cut.remove(&place) {
            return self.push(&mark.object());
        }
        self.tally.iter_mut().for_each(Tally::begin);
        let start = self.length;
        write(self);
        let length = self.length - start;
        self.tally.iter_mut().for_each(|tally| tally.end(place, length));
    }

    /// A reference that a record has stays as spelled, even if it looks like a blob: the record has it, too.
    fn reference(&mut self, text: Text<'_>) {
        let is_like_any = match self.references {
            References::Texts => true,
            References::Told => is_like_a_document(text) || findings(text.raw()).next().is_some(),
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
        [opening, closing]: [&str; 2],
        entries: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Self, T),
    ) {
        self.push(opening);
        self.depth += 1;
        for (index, entry) in entries.into_iter().enumerate() {
            if index > 0 {
                self.push(",");
            }
            write(self, entry);
        }
        self.depth -= 1;
        self.push(closing);
    }

    fn text(&mut self, text: Text<'_>) {
        if is_like_a_document(text) && self.document(text) {
            return;
        }
        let raw = text.raw();
        if raw.len() < blobs::SHORTEST && !tokens::may_be_in(raw) {
            return self.quoted(raw);
        }
        let mut findings = findings(raw);
        match findings.next() {
            None => self.quoted(raw),
            Some(finding) if blobs::is_all(raw, finding.range()) => self.mark(&finding.mark(raw)),
            Some(first) => {
                self.push("\"");
                let mut kept_from = 0;
                for finding in iter::once(first).chain(findings) {
                    if self.is_over() {
                        break;
                    }
                    let Range { start, end } = *finding.range();
                    self.push(&raw[kept_from..start]);
                    self.push(&finding.mark(raw).inline());
                    kept_from = end;
                }
                self.push(&raw[kept_from..]);
                self.push("\"");
            }
        }
    }

    /// Writes a string that is a JSON document, and returns whether it was one. If nothing is left out of it, it stays
    /// as spelled.
    fn document(&mut self, text: Text<'_>) -> bool {
        let decoded = text.decoded();
        match Inner::of(&decoded, self.strings) {
            Inner::Text => return false,
            Inner::Closed => self.mark(&Mark::of_text("application/json", &decoded)),
            Inner::Document(document) if is_shortened(&document, self.strings + 1, self.rule) => self.within(&document),
            Inner::Document(_) => self.quoted(text.raw()),
        }
        true
    }

    /// Writes a document in a string.
    fn within(&mut self, document: &Json<'_>) {
        self.push("\"");
        let (depth, references) = (mem::take(&mut self.depth), mem::take(&mut self.references));
        self.strings += 1;
        self.value(document);
        self.strings -= 1;
        (self.depth, self.references) = (depth, references);
        self.push("\"");
    }

    /// A mark in a value's place: an object, or text if an object would be one level too deep.
    fn mark(&mut self, mark: &Mark) {
        if self.depth < DEPTH_LIMIT { self.push(&mark.object()) } else { self.quoted(&mark.inline()) }
    }

    fn quoted(&mut self, raw: &str) {
        self.push("\"");
        self.push(raw);
        self.push("\"");
    }

    /// Writes some text of a document.
    #[inline]
    fn push(&mut self, text: &str) {
        if self.strings == 0 { self.put(text) } else { self.put_escaped(text) }
    }

    /// Writes some text, escaped as often as there are strings around the document. There is no control character in it:
    /// strings have none, and white space is gone.
    fn put_escaped(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let (plain, escaped) = rest.split_at(before_any(rest.as_bytes(), [b'"', b'\\']));
            self.put(plain);
            if !escaped.is_empty() {
                self.put(&BACKSLASHES[..(1 << self.strings) - 1]);
            }
            let (escaped, after) = escaped.split_at(escaped.len().min(1));
            self.put(escaped);
            rest = after;
        }
    }

    #[inline]
    fn put(&mut self, text: &str) {
        self.length += text.len();
        if self.length <= self.limit {
            self.out.push_str(text);
        }
        if let Some(tally) = &mut self.tally {
            tally.add(text);
        }
    }
}

fn is_reference(name: Text<'_>) -> bool {
    REFERENCE_NAMES.iter().any(|reference| name.means(reference))
}

/// Returns true if it could be an object, a list or once more a string.
fn is_like_a_document(text: Text<'_>) -> bool {
    // Mostly, the first letter tells: no escape, no white space.
    if text.raw().starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return false;
    }
    let mut characters = text.utf16().map(|unit| u8::try_from(unit).unwrap_or(b'?'));
    let first = characters.find(|character| !character.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'[' | b'"'))
}

/// What a text is that is like a document.
enum Inner<'a> {
    Document(Json<'a>),
    /// A document that can't be looked into, and so can't be kept.
    Closed,
    /// No document.
    Text,
}

impl<'a> Inner<'a> {
    /// Reads a text with so many strings around it.
    fn of(decoded: &'a str, strings: usize) -> Self {
        match Json::parse(decoded.as_bytes()) {
            Ok(document) if strings < STRINGS_LIMIT => Self::Document(document),
            Ok(_) | Err(Unreadable::TooDeep | Unreadable::TooManyValues) => Self::Closed,
            Err(_) => Self::Text,
        }
    }
}

/// Returns whether anything is left out of a document in so many strings.
fn is_shortened(document: &Json<'_>, strings: usize, rule: Rule) -> bool {
    match document {
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
        Json::String(text) => is_text_shortened(*text, strings, rule),
        Json::Array(items) => is_byte_list(items) || items.iter().any(|item| is_shortened(item, strings, rule)),
        Json::Object(members) => {
            members.iter().any(|(name, value)| is_secret(*name, rule) || is_shortened(value, strings, rule))
        }
    }
}

fn is_text_shortened(text: Text<'_>, strings: usize, rule: Rule) -> bool {
    if is_like_a_document(text) {
        match Inner::of(&text.decoded(), strings) {
            Inner::Document(document) => return is_shortened(&document, strings + 1, rule),
            Inner::Closed => return true,
            Inner::Text => {}
        }
    }
    findings(text.raw()).next().is_some()
}

/// A part of a text that must not stay.
enum Finding {
    Blob(Range<usize>),
    Token(Range<usize>),
}

impl Finding {
    const fn range(&self) -> &Range<usize> {
        match self {
            Self::Blob(range) | Self::Token(range) => range,
        }
    }

    /// The mark that takes its place.
    fn mark(&self, raw: &str) -> Mark {
        match self {
            Self::Blob(range) => blobs::mark(raw, range.clone()),
            Self::Token(range) => Mark::of_text("application/jwt", &Text::written(&raw[range.clone()]).decoded()),
        }
    }
}

/// The parts of a text that must not stay, in order. Blobs are looked for between the tokens.
fn findings(raw: &str) -> impl Iterator<Item = Finding> {
    let mut seen = 0;
    tokens::find(raw).map(Some).chain([None]).flat_map(move |token| {
        let end = token.as_ref().map_or(raw.len(), |token| token.start);
        let part = mem::replace(&mut seen, token.as_ref().map_or(end, |token| token.end))..end;
        blobs::find(raw, part).map(Finding::Blob).chain(token.map(Finding::Token))
    })
}

/// Returns whether a text holds a signed token, which isn't stored.
pub(crate) fn holds_token(text: &str) -> bool {
    tokens::find(text).next().is_some()
}

/// Returns whether a list stands for bytes, which aren't stored.
pub(crate) fn is_byte_list(items: &[Json<'_>]) -> bool {
    bytes_in(items).is_some()
}

/// Bytes as a list of numbers. Java writes them signed.
fn bytes_in(items: &[Json<'_>]) -> Option<Vec<u8>> {
    if items.len() < SHORTEST_BYTE_LIST {
        return None;
    }
    let byte = |item: &Json<'_>| {
        let Json::Number(number) = item else { return None };
        number.parse::<u8>().ok().or_else(|| number.parse::<i8>().ok().map(i8::cast_unsigned))
    };
    items.iter().map(byte).collect()
}

/// Returns whether members of a minimised payload, or all of it, were left out because they did not fit.
pub(crate) fn was_cut(payload: &str) -> bool {
    let is_cut = |value: &Json<'_>| matches!(value.member("kind"), Ok(Some(Json::String(kind))) if kind.means(CUT));
    let Ok(document) = Json::parse(payload.as_bytes()) else { return false };
    let members = if let Json::Object(members) = &document { &members[..] } else { &[] };
    is_cut(&document) || members.iter().any(|(_, value)| is_cut(value))
}

/// The members to cut, the largest first, until the rest fits: their places, and the marks that stay of them. `None` if
/// that isn't enough (a list, or very many small members): then the whole document has to go.
fn cut(mut length: usize, mut members: Vec<(usize, usize, Mark)>) -> Option<BTreeMap<usize, Mark>> {
    members.sort_by_key(|(length, ..)| std::cmp::Reverse(*length));
    let mut cut = BTreeMap::new();
    for (of_value, place, mark) in members {
        length = length - of_value + mark.object_length();
        cut.insert(place, mark);
        if length <= PAYLOAD_LIMIT {
            return Some(cut);
        }
    }
    None
}
