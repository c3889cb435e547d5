//! Base64 blobs in text.
//!
//! They are looked for in a JSON string as spelled, so that megabytes of image are never copied. Digits are
//! known in every spelling that a text format around them leaves (`\/`, `%2B`, `&#13;`), and a line break
//! after a long line does not end a blob.
//!
//! [`symbol`] knows every spelling. Most digits are plain, and most text is no blob: both are passed over in strides.

#![expect(clippy::needless_bitwise_bool, reason = "branches would keep the compiler from taking many bytes at a time")]

use super::mark::{Mark, Pieces};
use crate::reading::strides::leading;
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use std::{iter, ops::Range};

/// Shorter runs are kept even if they could be base64: ids, digests and words look alike.
pub(super) const SHORTEST: usize = 256;

/// The shortest line that a line break may follow within a blob. Encoders write lines of 60 digits and
/// more; words and UUIDs are shorter.
const SHORTEST_LINE: usize = 40;

/// The number of bytes that are looked at together for the first line of a blob. Wherever the first lot begins, one lies
/// wholly in any line that is long enough.
const STRIDE: usize = 16;
const _: () = assert!(2 * STRIDE - 1 <= SHORTEST_LINE);

/// The number of digits that are decoded at a time.
const PIECE: usize = 1024;

/// Decodes digits, of which the last may spell bits that make no whole byte.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The blobs in a part of a JSON string, in order. No escape reaches across an end of the part.
pub(super) fn find(raw: &str, part: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let text = &raw.as_bytes()[..part.end];
    let mut at = part.start;
    iter::from_fn(move || {
        loop {
            let run = Run::at(text, next_run(text, at)?);
            at = run.range.end;
            if run.length >= SHORTEST {
                return Some(run.range);
            }
        }
    })
}

/// The mark of a blob that was found.
pub(super) fn mark(raw: &str, blob: Range<usize>) -> Mark {
    let mut decoder = Decoder::new(&raw.as_bytes()[blob]);
    let mut pieces = Pieces::default();
    while let Some(piece) = decoder.next() {
        pieces.add(piece);
    }
    pieces.mark()
}

/// The start of the next digits that may be a blob. Passes over all that can't hold a line that is long enough.
fn next_run(text: &[u8], from: usize) -> Option<usize> {
    let is_far_from_one = |stride: &[u8]| stride.iter().fold(false, |is_far, byte| is_far | !may_spell_digits(*byte));
    if text.len() - from < SHORTEST {
        return None;
    }
    let mut at = from;
    while is_far_from_one(text.get(at..at + STRIDE)?) {
        at += STRIDE;
    }
    // A symbol begins behind any byte that spells no digit.
    at -= text[from..at].iter().rev().take_while(|byte| may_spell_digits(**byte)).count();
    loop {
        match symbol(text, at)? {
            (Symbol::Digit(..), _) => return Some(at),
            (_, length) => at += length,
        }
    }
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
                run.take(1, run.range.end + length);
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
            let plain = alphabet.leading(&text[at + length..]);
            at += length + plain;
            self.take(1 + plain, at);
        }
        self.length - before
    }

    fn take(&mut self, digits: usize, end: usize) {
        self.range.end = end;
        self.length += digits;
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
    bytes: [u8; PIECE / 4 * 3],
}

impl<'t> Decoder<'t> {
    pub(super) fn new(run: &'t [u8]) -> Self {
        Self { run, at: 0, bytes: [0; PIECE / 4 * 3] }
    }

    /// The next bytes, if there are any.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        let mut digits = [0; PIECE];
        let length = self.take_digits(&mut digits);
        // A digit alone makes no byte.
        let digits = &digits[..length - usize::from(length % 4 == 1)];
        let length = ENGINE.decode_slice(digits, &mut self.bytes).unwrap_or_default();
        (length > 0).then(|| &self.bytes[..length])
    }

    /// Takes as many digits as there is room for, and says how many. They come out plain, and in the standard alphabet.
    fn take_digits(&mut self, digits: &mut [u8; PIECE]) -> usize {
        let mut taken = 0;
        while taken < PIECE {
            let rest = self.run.get(self.at..).unwrap_or_default();
            let plain = leading(&rest[..rest.len().min(PIECE - taken)], is_digit);
            digits[taken..taken + plain].copy_from_slice(&rest[..plain]);
            taken += plain;
            self.at += plain;
            if taken < PIECE {
                let Some((symbol, length)) = symbol(self.run, self.at) else { break };
                self.at += length;
                if let Symbol::Digit(value, _) = symbol {
                    digits[taken] = STANDARD.as_str().as_bytes()[usize::from(value)];
                    taken += 1;
                }
            }
        }
        digits[..taken].iter_mut().for_each(|digit| *digit = in_standard_alphabet(*digit));
        taken
    }
}

const fn in_standard_alphabet(digit: u8) -> u8 {
    match digit {
        b'-' => b'+',
        b'_' => b'/',
        digit => digit,
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
    /// The number of plain digits that a text begins with.
    pub(super) fn leading(self, text: &[u8]) -> usize {
        match self {
            Self::Either => leading(text, is_alphanumeric),
            Self::Standard => leading(text, |byte| is_alphanumeric(byte) | (byte == b'+') | (byte == b'/')),
            Self::UrlSafe => leading(text, |byte| is_alphanumeric(byte) | (byte == b'-') | (byte == b'_')),
        }
    }

    /// The alphabet that has both digits, if one has.
    pub(super) fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Either, alphabet) | (alphabet, Self::Either) => Some(alphabet),
            (alphabet, other) => (alphabet == other).then_some(alphabet),
        }
    }
}

/// The same as [`u8::is_ascii_alphanumeric`], without a branch.
const fn is_alphanumeric(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10)
}

/// Returns whether a byte is a plain digit of any alphabet.
const fn is_digit(byte: u8) -> bool {
    is_alphanumeric(byte) | (byte == b'+') | (byte == b'/') | (byte == b'-') | (byte == b'_')
}

/// Returns whether a byte may take part in the spelling of a digit.
const fn may_spell_digits(byte: u8) -> bool {
    is_digit(byte) | (byte == b'\\') | (byte == b'%') | (byte == b'&') | (byte == b'#') | (byte == b';')
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
    let digits = digits.filter(|digits| !digits.is_empty())?;
    let value = |digit: &u8| char::from(*digit).to_digit(radix);
    let code = digits.iter().try_fold(0, |code, digit| Some(code * radix + value(digit)?))?;
    Some(u8::try_from(code).map_or(Symbol::Other, Symbol::of))
}
