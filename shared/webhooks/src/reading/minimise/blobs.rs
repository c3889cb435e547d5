//! Base64 blobs in text.
//!
//! They are looked for in a JSON string as spelled, so that megabytes of image are never copied. Digits are
//! known in every spelling that a text format around them leaves (`\/`, `%2B`, `&#13;`), and a line break
//! after a long line does not end a blob.

use super::mark::Mark;
use std::ops::Range;

/// Shorter runs are kept even if they could be base64: ids, digests and words look alike.
pub(super) const SHORTEST: usize = 256;

/// The shortest line that a line break may follow within a blob. Encoders write lines of 60 digits and
/// more; words and UUIDs are shorter.
const SHORTEST_LINE: usize = 40;

/// The number of bytes of a blob that are decoded at a time.
const PIECE: usize = 4096;

/// The blobs in a part of a JSON string, in order. No escape reaches across an end of the part.
pub(super) fn find(raw: &str, part: Range<usize>) -> Vec<(Range<usize>, Mark)> {
    let text = &raw.as_bytes()[..part.end];
    let mut blobs = Vec::new();
    let mut at = part.start;
    while let Some((symbol, length)) = symbol(text, at) {
        if let Symbol::Digit(..) = symbol {
            let run = Run::at(text, at);
            at = run.range.end;
            if run.length >= SHORTEST {
                let mark = Mark::of_bytes(Decoder::new(&text[run.range.clone()]));
                blobs.push((run.range, mark));
            }
        } else {
            at += length;
        }
    }
    blobs
}

/// Returns true if a blob is all that the string is: nothing but white space is around it, or a `data:` prefix before.
pub(super) fn is_all(raw: &str, blob: &Range<usize>) -> bool {
    let (before, after) = (&raw[..blob.start], &raw.as_bytes()[blob.end..]);
    let is_prefix = before.starts_with("data:") && before.ends_with(";base64,");
    (is_prefix || skip_blank(before.as_bytes(), 0) == before.len()) && skip_blank(after, 0) == after.len()
}

/// The end of the white space from there on.
fn skip_blank(text: &[u8], mut at: usize) -> usize {
    while let Some((Symbol::Blank | Symbol::LineEnd, length)) = symbol(text, at) {
        at += length;
    }
    at
}

/// Digits of one alphabet, over as many lines as follow each other, and the padding after them.
struct Run {
    range: Range<usize>,
    /// In characters of base64.
    length: usize,
    alphabet: Alphabet,
}

impl Run {
    fn at(text: &[u8], start: usize) -> Self {
        let mut run = Self { range: start..start, length: 0, alphabet: Alphabet::Either };
        let mut line = start;
        while run.take_digits(text, line) >= SHORTEST_LINE
            && let Some(next) = next_line(text, run.range.end)
        {
            line = next;
        }
        for _ in 0..2 {
            if let Some((Symbol::Padding, length)) = symbol(text, run.range.end) {
                run.take(run.range.end + length);
            }
        }
        run
    }

    /// Takes the digits from there on, and says how many.
    fn take_digits(&mut self, text: &[u8], mut at: usize) -> usize {
        let before = self.length;
        while let Some((Symbol::Digit(_, alphabet), length)) = symbol(text, at)
            && let Some(alphabet) = self.alphabet.and(alphabet)
        {
            self.alphabet = alphabet;
            at += length;
            self.take(at);
        }
        self.length - before
    }

    fn take(&mut self, end: usize) {
        self.range.end = end;
        self.length += 1;
    }
}

/// The start of the next line, if only white space is before it.
fn next_line(text: &[u8], mut at: usize) -> Option<usize> {
    while let Some((Symbol::Blank, length)) = symbol(text, at) {
        at += length;
    }
    matches!(symbol(text, at), Some((Symbol::LineEnd, _))).then(|| skip_blank(text, at))
}

/// Decodes what a run spells, piece by piece. Bits that make no whole byte are left over.
pub(super) struct Decoder<'t> {
    run: &'t [u8],
    at: usize,
    bits: u32,
    count: u32,
}

impl<'t> Decoder<'t> {
    pub(super) fn new(run: &'t [u8]) -> Self {
        Self { run, at: 0, bits: 0, count: 0 }
    }
}

impl Iterator for Decoder<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut piece = Vec::with_capacity(PIECE);
        while piece.len() < PIECE
            && let Some((symbol, length)) = symbol(self.run, self.at)
        {
            self.at += length;
            let Symbol::Digit(value, _) = symbol else { continue };
            self.bits = self.bits << 6 | u32::from(value);
            self.count += 6;
            if self.count >= 8 {
                self.count -= 8;
                // The byte on top; what is above it was taken before.
                piece.push((self.bits >> self.count & 0xff) as u8);
            }
        }
        (!piece.is_empty()).then_some(piece)
    }
}

/// The meaning of some text to base64.
#[derive(Clone, Copy)]
pub(super) enum Symbol {
    Digit(u8, Alphabet),
    Padding,
    /// The separator within a token.
    Dot,
    Blank,
    LineEnd,
    Other,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Alphabet {
    Either,
    Standard,
    UrlSafe,
}

impl Alphabet {
    /// The alphabet that has both digits, if one has.
    fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Either, alphabet) | (alphabet, Self::Either) => Some(alphabet),
            (alphabet, other) => (alphabet == other).then_some(alphabet),
        }
    }
}

/// The meaning of each character by itself: megabytes go through here, and a look-up is quick.
const PLAIN: [Symbol; 256] = {
    let mut symbols = [Symbol::Other; 256];
    let mut character = 0_u8;
    while character < u8::MAX {
        symbols[character as usize] = Symbol::of(character);
        character += 1;
    }
    symbols
};

impl Symbol {
    const fn of(character: u8) -> Self {
        match character {
            b'A'..=b'Z' => Self::Digit(character - b'A', Alphabet::Either),
            b'a'..=b'z' => Self::Digit(character - b'a' + 26, Alphabet::Either),
            b'0'..=b'9' => Self::Digit(character - b'0' + 52, Alphabet::Either),
            b'+' => Self::Digit(62, Alphabet::Standard),
            b'/' => Self::Digit(63, Alphabet::Standard),
            b'-' => Self::Digit(62, Alphabet::UrlSafe),
            b'_' => Self::Digit(63, Alphabet::UrlSafe),
            b'=' => Self::Padding,
            b'.' => Self::Dot,
            b' ' | b'\t' => Self::Blank,
            b'\r' | b'\n' => Self::LineEnd,
            _ => Self::Other,
        }
    }
}

/// The symbol at a place, and how many bytes spell it.
#[inline]
pub(super) fn symbol(text: &[u8], at: usize) -> Option<(Symbol, usize)> {
    Some(match *text.get(at)? {
        b'\\' => escaped(text, at),
        b'%' => spelled(text.get(at + 1..at + 3), 16).map_or((Symbol::Other, 1), |symbol| (symbol, 3)),
        b'&' => entity(text, at),
        character => (PLAIN[usize::from(character)], 1),
    })
}

/// An escape of JSON, be it escaped again by documents around the text.
fn escaped(text: &[u8], at: usize) -> (Symbol, usize) {
    let slashes = text[at..].iter().take_while(|byte| **byte == b'\\').count();
    let letter = at + slashes;
    match text.get(letter) {
        Some(b'/') => (Symbol::of(b'/'), slashes + 1),
        Some(b'n' | b'r') => (Symbol::LineEnd, slashes + 1),
        Some(b't') => (Symbol::Blank, slashes + 1),
        Some(b'u') if let Some(symbol) = spelled(text.get(letter + 1..letter + 5), 16) => (symbol, slashes + 5),
        // The last of an odd number of backslashes escapes what follows.
        _ => (Symbol::Other, slashes + slashes % 2),
    }
}

/// A character reference of XML, `&#13;` or `&#xD;`.
fn entity(text: &[u8], at: usize) -> (Symbol, usize) {
    const LONGEST: usize = 8;
    let head = &text[at..text.len().min(at + LONGEST)];
    let end = head.iter().position(|byte| *byte == b';').unwrap_or_default();
    let symbol = match &head[..end] {
        [b'&', b'#', b'x' | b'X', digits @ ..] => spelled(Some(digits), 16),
        [b'&', b'#', digits @ ..] => spelled(Some(digits), 10),
        _ => None,
    };
    symbol.map_or((Symbol::Other, 1), |symbol| (symbol, end + 1))
}

/// The symbol whose code some digits spell, if they do.
fn spelled(digits: Option<&[u8]>, radix: u32) -> Option<Symbol> {
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_alphanumeric))?;
    let code = u32::from_str_radix(str::from_utf8(digits).ok()?, radix).ok()?;
    Some(u8::try_from(code).map_or(Symbol::Other, Symbol::of))
}
