//! Signed and encrypted tokens (RFC 7519) in text, whatever the member that holds them is called.

use super::blobs::Decoder;
use crate::json::Json;
use std::ops::Range;

/// No header is longer, not even one that carries its certificates.
const LONGEST_HEADER: usize = 16 * 1024;

/// How many places of one part are tried, so that a long one takes no longer than its length.
const STARTS_TRIED: usize = 8;

/// How a header starts whose JSON has no white space, `{"`.
const START: &[u8] = b"eyJ";

/// The tokens in a JSON string as spelled, in order.
pub(super) fn find(raw: &str) -> Vec<Range<usize>> {
    let text = raw.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = end_of_part(text, at);
        let token = header(text, at..end).and_then(|start| Some(start..end_of_token(text, end)?));
        at = token.as_ref().map_or(end + 1, |token| token.end);
        tokens.extend(token);
    }
    tokens
}

/// Where the header starts that ends with this part; words may be joined to it.
fn header(text: &[u8], part: Range<usize>) -> Option<usize> {
    if text.get(part.end) != Some(&b'.') {
        return None;
    }
    let joined = text[part.clone()].windows(START.len()).enumerate().filter(|(_, letters)| *letters == START);
    let first = Some(part.start).filter(|start| text[*start] == b'e');
    let mut starts = first.into_iter().chain(joined.map(|(offset, _)| part.start + offset).take(STARTS_TRIED));
    starts.find(|start| !is_in_escape(text, *start) && is_header(&text[*start..part.end]))
}

/// Whether a letter is the last digit of a `\u00fe`, and no letter of the text.
fn is_in_escape(text: &[u8], at: usize) -> bool {
    at.checked_sub(r"\u00f".len()).is_some_and(|escape| text[escape..].starts_with(br"\u"))
}

/// Whether it is a JSON object that names an algorithm.
fn is_header(part: &[u8]) -> bool {
    if part.len() > LONGEST_HEADER {
        return false;
    }
    let decoded: Vec<u8> = Decoder::new(part).flatten().collect();
    Json::parse(&decoded).is_ok_and(|header| header.has("alg") != Ok(false))
}

/// Where the token ends: after a payload and a signature, either of which may be empty, or after the
/// four parts of an encrypted one.
fn end_of_token(text: &[u8], header_end: usize) -> Option<usize> {
    let next = |end: usize| (text.get(end) == Some(&b'.')).then(|| end_of_part(text, end + 1));
    let full = |end: usize| next(end).filter(|next| *next > end + 1);
    let signed = next(header_end).and_then(next)?;
    Some(full(signed).and_then(full).unwrap_or(signed))
}

fn end_of_part(text: &[u8], start: usize) -> usize {
    let length = text[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count();
    start + length
}
