//! The minimised payload: what is stored of a webhook.
//!
//! Images and other base64 blobs become their kind, size and SHA-256; members that hold tokens, keys
//! or passwords go, name and all. Everything else stays as spelled, so that the webhook can be read
//! again by a later version.

use crate::{
    digest::{hex, sha256_hex},
    json::{Json, Text},
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, fmt::Write as _};

/// The largest minimised payload, in bytes of UTF-8. Well under DynamoDB's 400 KB an item, which
/// counts attribute names and the other members too.
pub const PAYLOAD_LIMIT: usize = 300 * 1024;

/// Shorter text is kept even if it could be base64: ids, digests and words look alike.
const SHORTEST_BLOB: usize = 256;

/// Blobs are decoded piece by piece, so that megabytes of image are never held twice. A multiple of 4.
const PIECE: usize = 4 * 4096;

/// How the names of secret members end, in lower case, without separators and without a plural's s.
const SECRET_NAMES: [&str; 11] = [
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "password",
    "passwordhash",
    "secret",
    "credential",
    "jwt",
    "bearer",
    "authorization",
];

/// Writes the minimised payload, at most [`PAYLOAD_LIMIT`] long.
pub(crate) fn minimise(document: &Json<'_>) -> String {
    let mut text = String::new();
    write_value(document, &mut text);
    if text.len() <= PAYLOAD_LIMIT { text } else { cut(document, &text) }
}

/// One value, minimised: for parts of a payload that take part in an event's id.
pub(crate) fn compact(value: &Json<'_>) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    text
}

fn write_value(value: &Json<'_>, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Number(number) => out.push_str(number),
        Json::String(text) => match Blob::of(*text) {
            Some(blob) => blob.write(out),
            None => write_text(*text, out),
        },
        Json::Array(items) => write_list(out, ['[', ']'], items, write_value),
        Json::Object(members) => {
            write_list(out, ['{', '}'], members.iter().filter(|(name, _)| !is_secret(*name)), |(name, value), out| {
                write_text(*name, out);
                out.push(':');
                write_value(value, out);
            });
        }
    }
}

fn write_list<T>(
    out: &mut String,
    [opening, closing]: [char; 2],
    entries: impl IntoIterator<Item = T>,
    mut write: impl FnMut(T, &mut String),
) {
    out.push(opening);
    for (index, entry) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(entry, out);
    }
    out.push(closing);
}

fn write_text(text: Text<'_>, out: &mut String) {
    out.push('"');
    out.push_str(text.raw());
    out.push('"');
}

fn is_secret(name: Text<'_>) -> bool {
    let plain: String = name.decoded().chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    let singular = plain.strip_suffix('s').unwrap_or(&plain);
    SECRET_NAMES.iter().any(|ending| singular.ends_with(ending))
}

/// Replaces the largest members, one after the other, by what they were: size and SHA-256. Where
/// that does not help (a list, or very many small members), the whole document goes.
fn cut(document: &Json<'_>, text: &str) -> String {
    let whole = || cut_mark(text);
    let Json::Object(members) = document else { return whole() };
    let mut members: Vec<(Text<'_>, String)> =
        members.iter().filter(|(name, _)| !is_secret(*name)).map(|(name, value)| (*name, compact(value))).collect();
    let mut by_size: Vec<usize> = (0..members.len()).collect();
    by_size.sort_by_key(|&index| std::cmp::Reverse(members[index].1.len()));

    let mut length = text.len();
    for index in by_size {
        let mark = cut_mark(&members[index].1);
        let before = members[index].1.len();
        if before <= mark.len() {
            return whole();
        }
        length = length - before + mark.len();
        members[index].1 = mark;
        if length <= PAYLOAD_LIMIT {
            let mut out = String::with_capacity(length);
            write_list(&mut out, ['{', '}'], members, |(name, value), out| {
                write_text(name, out);
                out.push(':');
                out.push_str(&value);
            });
            return out;
        }
    }
    whole()
}

fn cut_mark(text: &str) -> String {
    format!(r#"{{"kind":"cut","bytes":{},"sha256":"{}"}}"#, text.len(), sha256_hex(text.as_bytes()))
}

/// What is kept of a base64 blob.
struct Blob {
    kind: &'static str,
    bytes: usize,
    sha256: String,
}

impl Blob {
    /// The blob that a string holds, if it does: long enough, and base64 from end to end, in either
    /// alphabet, with or without padding, line breaks and a `data:` prefix.
    fn of(text: Text<'_>) -> Option<Self> {
        if text.raw().len() < SHORTEST_BLOB {
            return None;
        }
        let text = text.decoded();
        let encoded = match text.strip_prefix("data:") {
            Some(rest) => rest.split_once(";base64,")?.1,
            None => &text,
        };
        // White space within a line is prose: words alone would pass for base64 once run together.
        let encoded = if encoded.contains(['\r', '\n', ' ', '\t']) {
            Cow::Owned(encoded.lines().map(str::trim).collect())
        } else {
            Cow::Borrowed(encoded)
        };
        let config = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        let alphabet = if encoded.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
        let engine = GeneralPurpose::new(alphabet, config);

        let mut decoded = Vec::with_capacity(PIECE);
        let (mut hasher, mut bytes, mut kind) = (Sha256::new(), 0, None);
        for piece in encoded.as_bytes().chunks(PIECE) {
            decoded.clear();
            engine.decode_vec(piece, &mut decoded).ok()?;
            kind = kind.or_else(|| Some(media_type(&decoded)));
            hasher.update(&decoded);
            bytes += decoded.len();
        }
        Some(Self { kind: kind?, bytes, sha256: hex(&hasher.finalize()) })
    }

    fn write(&self, out: &mut String) {
        // Writing to a string never fails.
        let _ = write!(out, r#"{{"kind":"{}","bytes":{},"sha256":"{}"}}"#, self.kind, self.bytes, self.sha256);
    }
}

/// The media type that the first bytes show.
fn media_type(bytes: &[u8]) -> &'static str {
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    let is_iso_media = bytes.get(4..8) == Some(b"ftyp");
    match bytes {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'%', b'P', b'D', b'F', ..] => "application/pdf",
        _ if is_webp => "image/webp",
        _ if is_iso_media && matches!(bytes.get(8..11), Some(b"hei" | b"mif")) => "image/heic",
        _ if is_iso_media => "video/mp4",
        _ => "application/octet-stream",
    }
}
