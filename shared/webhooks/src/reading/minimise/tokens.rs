//! Signed and encrypted tokens (RFC 7519) in text, whatever the member that holds them is called, and however
//! their letters are spelled.

use super::blobs::{Alphabet, Decoder, Symbol, symbol};
use crate::reading::json::Json;
use std::{iter, ops::Range};

/// No header is longer, not even one that carries its certificates. In bytes, decoded.
const LONGEST_HEADER: usize = 12 * 1024;

/// The number of places of one part that are tried, so that a long one takes no longer than its length.
const STARTS_TRIED: usize = 8;

/// The start of a header whose JSON has no white space, `{"`: `eyJ`, as the values of these digits.
const START: [u8; 3] = [30, 50, 9];

/// The tokens in a JSON string as spelled, in order.
pub(super) fn find(raw: &str) -> Vec<Range<usize>> {
    let text = raw.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = end_of_part(text, at);
        let token = header(text, at..end).and_then(|start| Some(start..end_of_token(text, end)?));
        at = token.as_ref().map_or_else(|| after(text, end), |token| token.end);
        tokens.extend(token);
    }
    tokens
}

/// The start of the header that ends with this part; words may be joined to it.
fn header(text: &[u8], part: Range<usize>) -> Option<usize> {
    dot(text, part.end)?;
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
    let decoded: Vec<u8> = Decoder::new(part).flatten().take(LONGEST_HEADER + 1).collect();
    decoded.len() <= LONGEST_HEADER && Json::parse(&decoded).is_ok_and(|header| header.has("alg") != Ok(false))
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

fn end_of_part(text: &[u8], start: usize) -> usize {
    digits(text, start).last().map_or(start, |(_, place)| after(text, place))
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
