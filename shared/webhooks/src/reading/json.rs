//! JSON as it was written.
//!
//! A signature covers text, and a record must show what was said, so this reader keeps what others
//! lose: numbers stay as spelled (no rounding at 2^53, no overflow at `1e400`), members keep their
//! order, and a member that occurs twice is seen. It borrows from the text and copies nothing.

use crate::reading::{strides::before_any, unreadable::Unreadable};
use std::borrow::Cow;

/// The deepest nesting of arrays and objects. `serde_json`, with which a stored payload may be read, reads 127 levels;
/// one is left for a reader that puts the payload into a document.
pub const DEPTH_LIMIT: usize = 126;

/// The most values that a document may hold. As many as in any webhook of 1 MiB: an empty list and its comma take three
/// bytes, a digit and its comma two. In memory a value takes up to 60 bytes.
pub const VALUES_LIMIT: usize = 600_000;

/// A JSON value. Equal is what is written alike, white space apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are RFC 8259's")]
pub enum Json<'a> {
    Null,
    Bool(bool),
    /// The number as spelled.
    Number(&'a str),
    String(Text<'a>),
    Array(Vec<Json<'a>>),
    /// The members in the order written, repeated ones included.
    Object(Vec<(Text<'a>, Json<'a>)>),
}

/// A JSON string as written between its quotes, escapes and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    /// The text between the quotes.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.0
    }

    /// The text meant. A surrogate without its pair is no character and becomes U+FFFD.
    #[must_use]
    pub fn decoded(self) -> Cow<'a, str> {
        if !self.0.contains('\\') {
            return Cow::Borrowed(self.0);
        }
        // At once as long as it can get: growing would hold megabytes twice.
        let mut text = String::with_capacity(self.0.len());
        text.extend(char::decode_utf16(self.utf16()).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
        Cow::Owned(text)
    }

    /// Returns true if the text is Unicode: every surrogate has its pair.
    #[must_use]
    pub fn is_unicode(self) -> bool {
        !self.0.contains('\\') || char::decode_utf16(self.utf16()).all(|unit| unit.is_ok())
    }

    /// The text between the quotes of a string; whatever it is, [`utf16`](Self::utf16) gets through it.
    pub(crate) fn written(between_quotes: &'a str) -> Self {
        Self(between_quotes)
    }

    /// The text meant, in the units that JSON's escapes speak of.
    pub(crate) fn utf16(self) -> impl Iterator<Item = u16> {
        let mut chars = self.0.chars();
        let mut low_half = None;
        std::iter::from_fn(move || {
            if let Some(unit) = low_half.take() {
                return Some(unit);
            }
            let unit = match chars.next()? {
                '\\' => match chars.next()? {
                    'b' => 0x08,
                    'f' => 0x0c,
                    'n' => 0x0a,
                    'r' => 0x0d,
                    't' => 0x09,
                    'u' => {
                        chars.by_ref().take(4).filter_map(|c| c.to_digit(16)).fold(0, |unit, digit| unit * 16 + digit)
                    }
                    literal => u32::from(literal),
                },
                character => {
                    let mut pair = [0; 2];
                    let units = character.encode_utf16(&mut pair);
                    low_half = units.get(1).copied();
                    u32::from(units[0])
                }
            };
            u16::try_from(unit).ok()
        })
    }

    /// Returns true if this is the text meant, however it is written. There is no backslash in the text.
    pub(crate) fn means(self, text: &str) -> bool {
        debug_assert!(!text.contains('\\'), "{text}");
        let same = self.0.bytes().zip(text.bytes()).take_while(|(one, other)| one == other).count();
        match self.0.as_bytes().get(same) {
            None => same == text.len(),
            Some(b'\\') => self.utf16().eq(text.encode_utf16()),
            Some(_) => false,
        }
    }
}

impl<'a> Json<'a> {
    /// Reads one document that must be an object.
    ///
    /// # Errors
    /// [`Unreadable::NotAnObject`], or those of [`parse`](Self::parse).
    pub(crate) fn parse_object(body: &'a [u8]) -> Result<Self, Unreadable> {
        let document = Self::parse(body)?;
        if matches!(document, Self::Object(_)) { Ok(document) } else { Err(Unreadable::NotAnObject) }
    }

    /// Reads one document.
    ///
    /// # Errors
    /// [`Unreadable::Empty`], [`Unreadable::NotJson`], [`Unreadable::TooDeep`] or [`Unreadable::TooManyValues`].
    pub fn parse(body: &'a [u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(body).map_err(|error| Unreadable::NotJson { at: error.valid_up_to() })?;
        let mut reader = Reader { text, at: 0, values: 0 };
        reader.skip_white_space();
        if reader.at == text.len() {
            return Err(Unreadable::Empty);
        }
        let value = reader.value(0)?;
        reader.skip_white_space();
        if reader.at == text.len() { Ok(value) } else { reader.fail() }
    }

    /// A member's value; `null`, no such member and no object at all are alike.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] if the member occurs twice: two readers could differ.
    pub fn member(&self, name: &'static str) -> Result<Option<&Self>, Unreadable> {
        let Self::Object(members) = self else { return Ok(None) };
        let mut found = members.iter().filter(|(key, _)| key.means(name)).map(|(_, value)| value);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Unreadable::Ambiguous(name)),
            (value, None) => Ok(value.filter(|value| **value != Self::Null)),
        }
    }

    /// Returns true if the object has the member, `null` or not.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`], as [`member`](Self::member).
    pub fn has(&self, name: &'static str) -> Result<bool, Unreadable> {
        self.member(name)?;
        let Self::Object(members) = self else { return Ok(false) };
        Ok(members.iter().any(|(key, _)| key.means(name)))
    }

    /// A string's text, or a number as spelled: providers send codes and ids as either.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::String(text) => Some(text.decoded()),
            Self::Number(number) => Some(Cow::Borrowed(number)),
            _ => None,
        }
    }
}

/// Hands over the members of one object, each value as written. Builds nothing and knows no depth: it is for text that
/// isn't proved yet. What lies within an inner object or array need not be JSON, only closed.
///
/// # Errors
/// [`Unreadable::NotAnObject`], [`Unreadable::NotJson`], or what `each` answers with.
pub(crate) fn members<'a>(
    object: &'a [u8],
    mut each: impl FnMut(Text<'a>, &'a str) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let text = std::str::from_utf8(object).map_err(|error| Unreadable::NotJson { at: error.valid_up_to() })?;
    let mut reader = Reader { text, at: 0, values: 0 };
    reader.skip_white_space();
    if reader.peek() != Some(b'{') {
        return Err(Unreadable::NotAnObject);
    }
    reader.list(b'}', |reader| {
        let name = reader.name()?;
        each(name, reader.as_written()?)
    })?;
    reader.skip_white_space();
    if reader.at == text.len() { Ok(()) } else { reader.fail() }
}

/// A list of one takes the room of one, and one of two that of two. By themselves they would take that of four, and a body
/// can be hundreds of thousands of them. Shrinking them later would leave gaps that nothing fits in.
fn push<T>(list: &mut Vec<T>, entry: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().max(1));
    }
    list.push(entry);
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The number of values in lists and objects so far.
    values: usize,
}

impl<'a> Reader<'a> {
    fn fail<T>(&self) -> Result<T, Unreadable> {
        Err(Unreadable::NotJson { at: self.at })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        self.at - start
    }

    fn skip_white_space(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Unreadable> {
        match self.peek() {
            Some(b'{' | b'[') if depth == DEPTH_LIMIT => Err(Unreadable::TooDeep),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => self.fail(),
        }
    }

    /// A value in a list or an object of this depth.
    fn inner_value(&mut self, depth: usize) -> Result<Json<'a>, Unreadable> {
        if self.values == VALUES_LIMIT {
            return Err(Unreadable::TooManyValues);
        }
        self.values += 1;
        self.value(depth + 1)
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, Unreadable> {
        let mut members = Vec::new();
        self.list(b'}', |reader| {
            let name = reader.name()?;
            let value = reader.inner_value(depth)?;
            push(&mut members, (name, value));
            Ok(())
        })?;
        Ok(Json::Object(members))
    }

    /// A member's name, and the colon behind it.
    fn name(&mut self) -> Result<Text<'a>, Unreadable> {
        if self.peek() != Some(b'"') {
            return self.fail();
        }
        let name = self.string()?;
        self.skip_white_space();
        if !self.eat(b':') {
            return self.fail();
        }
        self.skip_white_space();
        Ok(name)
    }

    /// A value's text. Inner brackets are counted, not matched; only strings are read, for the brackets in them.
    fn as_written(&mut self) -> Result<&'a str, Unreadable> {
        let start = self.at;
        let mut open = 0_usize;
        loop {
            match self.peek() {
                Some(b'{' | b'[') => {
                    open += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if open > 0 => {
                    open -= 1;
                    self.at += 1;
                }
                Some(byte) if open > 0 && byte != b'"' => self.at += 1,
                // A string, a number or a word: nothing that could nest.
                _ => {
                    self.value(0)?;
                }
            }
            if open == 0 {
                return Ok(&self.text[start..self.at]);
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json<'a>, Unreadable> {
        let mut items = Vec::new();
        self.list(b']', |reader| {
            let item = reader.inner_value(depth)?;
            push(&mut items, item);
            Ok(())
        })?;
        Ok(Json::Array(items))
    }

    /// An opening bracket, entries with commas between, and the closing bracket.
    fn list(
        &mut self,
        closing: u8,
        mut entry: impl FnMut(&mut Self) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        self.at += 1;
        self.skip_white_space();
        if self.eat(closing) {
            return Ok(());
        }
        loop {
            self.skip_white_space();
            entry(self)?;
            self.skip_white_space();
            if self.eat(closing) {
                return Ok(());
            }
            if !self.eat(b',') {
                return self.fail();
            }
        }
    }

    fn string(&mut self) -> Result<Text<'a>, Unreadable> {
        self.at += 1;
        let start = self.at;
        loop {
            self.at += before_any(&self.text.as_bytes()[self.at..], [b'"', b'\\']);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return self.fail(),
            }
        }
        let text = &self.text[start..self.at];
        self.at += 1;
        Ok(Text(text))
    }

    fn escape(&mut self) -> Result<(), Unreadable> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return self.fail();
                    }
                    self.at += 1;
                }
            }
            _ => return self.fail(),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<&'a str, Unreadable> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _signed = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), Unreadable> {
        if self.skip_while(|byte| byte.is_ascii_digit()) == 0 { self.fail() } else { Ok(()) }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, Unreadable> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            self.fail()
        }
    }
}
