//! Signed and encrypted tokens (RFC 7519) in text, whatever the member that holds them is called, and however
//! their letters are spelled.

use super::blobs::{Alphabet, Decoder, Symbol, symbol};
use crate::reading::{json::Json, strides::before_any};
use std::{iter, ops::Range};

/// No header is longer, not even one that carries its certificates. In bytes, decoded.
const LONGEST_HEADER: usize = 12 * 1024;

/// No header has fewer digits: they spell `{"alg":0}`.
const SHORTEST_HEADER: usize = 12;

/// The number of places of one part that are tried, so that a long one takes no longer than its length.
const STARTS_TRIED: usize = 8;

/// The start of a header whose JSON has no white space, `{"`: `eyJ`, as the values of these digits.
const START: [u8; 3] = [30, 50, 9];

/// The tokens in a JSON string as spelled, in order.
pub(super) fn find(raw: &str) -> impl Iterator<Item = Range<usize>> {
    let text = raw.as_bytes();
    let mut at = 0;
    iter::from_fn(move || {
        loop {
            let start = next_part(text, at)?;
            let end = end_of_part(text, start);
            let token = header(text, start..end).and_then(|start| Some(start..end_of_token(text, end)?));
            at = token.as_ref().map_or_else(|| after(text, end), |token| token.end);
            if token.is_some() {
                return token;
            }
        }
    })
}

/// Returns false if there can be no token in a text, at a glance.
pub(super) fn may_be_in(raw: &str) -> bool {
    raw.len() > SHORTEST_HEADER && raw.bytes().any(may_spell_dot)
}

const fn may_spell_dot(byte: u8) -> bool {
    matches!(byte, b'.' | b'\\' | b'%' | b'&')
}

/// The start of the next part that a dot may follow. A header is one of these parts.
fn next_part(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let plain = before_any(rest, *b".\\%&");
    // Shorter than any token with what is left.
    if rest.len() - plain < 2 {
        return None;
    }
    let is_digit = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    Some(at + plain - rest[..plain].iter().rev().take_while(is_digit).count())
}

/// The start of the header that ends with this part; words may be joined to it.
fn header(text: &[u8], part: Range<usize>) -> Option<usize> {
    dot(text, part.end)?;
    if part.len() < SHORTEST_HEADER {
        return None;
    }
    let mut last = [0; START.len()];
    let mut places = [part.start; START.len()];
    let starts = digits(text, part.start).filter_map(|(value, place)| {
        last = [last[1], last[2], value];
        places = [places[1], places[2], place];
        // White space may follow the brace of the header that a part starts with.
        let is_first = place == part.start && value == START[0];
        if is_first { Some(place) } else { (last == START).then_some(places[0]) }
    });
    starts.take(STARTS_TRIED).find(|start| is_header(&text[*start..part.end]))
}

/// Returns true if it is a JSON object that names an algorithm.
fn is_header(part: &[u8]) -> bool {
    let mut decoder = Decoder::new(part);
    let mut header = Vec::new();
    while let Some(piece) = decoder.next() {
        header.extend_from_slice(piece);
        if header.len() > LONGEST_HEADER {
            return false;
        }
    }
    Json::parse(&header).is_ok_and(|header| header.has("alg") != Ok(false))
}

/// The end of the token: after a payload and a signature, either of which may be empty, or after the
/// four parts of an encrypted one.
fn end_of_token(text: &[u8], header_end: usize) -> Option<usize> {
    let next = |end: usize| dot(text, end).map(|start| (start, end_of_part(text, start)));
    let full = |end: usize| next(end).filter(|(start, end)| end > start).map(|(_, end)| end);
    let (_, payload) = next(header_end)?;
    let (_, signed) = next(payload)?;
    Some(full(signed).and_then(full).unwrap_or(signed))
}

/// The end of a dot that stands there.
fn dot(text: &[u8], at: usize) -> Option<usize> {
    match symbol(text, at)? {
        (Symbol::Dot, length) => Some(at + length),
        _ => None,
    }
}

fn end_of_part(text: &[u8], mut at: usize) -> usize {
    loop {
        at += Alphabet::UrlSafe.leading(&text[at..]);
        match symbol(text, at) {
            Some((Symbol::Digit(_, Alphabet::Either | Alphabet::UrlSafe), length)) => at += length,
            _ => return at,
        }
    }
}

/// The digits from there on, and where each starts.
fn digits(text: &[u8], mut at: usize) -> impl Iterator<Item = (u8, usize)> {
    iter::from_fn(move || match symbol(text, at)? {
        (Symbol::Digit(value, Alphabet::Either | Alphabet::UrlSafe), length) => {
            let place = at;
            at += length;
            Some((value, place))
        }
        _ => None,
    })
}

fn after(text: &[u8], at: usize) -> usize {
    symbol(text, at).map_or(text.len(), |(_, length)| at + length)
}
