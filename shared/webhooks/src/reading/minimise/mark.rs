//! The mark that stands for something that isn't stored: its kind, size and SHA-256.

use crate::{digest::hex, reading::json::Json};
use sha2::{Digest as _, Sha256};

/// The kind, size and SHA-256 of something that isn't stored.
pub(super) struct Mark {
    kind: &'static str,
    bytes: usize,
    sha256: [u8; 32],
}

impl Mark {
    /// Of some text.
    pub(super) fn of_text(kind: &'static str, text: &str) -> Self {
        Self::of_digested(kind, text.len(), Sha256::new_with_prefix(text))
    }

    /// Of bytes.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let mut pieces = Pieces::default();
        pieces.add(bytes);
        pieces.mark()
    }

    /// Of what was digested somewhere else.
    pub(super) fn of_digested(kind: &'static str, bytes: usize, digested: Sha256) -> Self {
        Self { kind, bytes, sha256: digested.finalize().into() }
    }

    /// As a JSON value.
    pub(super) fn object(&self) -> String {
        format!(r#"{{"kind":"{}","bytes":{},"sha256":"{}"}}"#, self.kind, self.bytes, hex(&self.sha256))
    }

    /// The length of that.
    pub(super) fn object_length(&self) -> usize {
        self.object().len()
    }

    /// As a part of a text; there is nothing in it that JSON would escape.
    pub(super) fn inline(&self) -> String {
        format!("[{}, {} bytes, sha256 {}]", self.kind, self.bytes, hex(&self.sha256))
    }
}

/// Bytes that come piece by piece; the first piece shows their kind.
#[derive(Default)]
pub(super) struct Pieces {
    kind: Option<&'static str>,
    bytes: usize,
    digested: Sha256,
}

impl Pieces {
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.kind = self.kind.or_else(|| Some(media_type(piece)));
        self.bytes += piece.len();
        self.digested.update(piece);
    }

    /// The mark of all that came.
    pub(super) fn mark(self) -> Mark {
        Mark::of_digested(self.kind.unwrap_or("application/octet-stream"), self.bytes, self.digested)
    }
}

/// Returns whether a value is a mark, as [`Mark::object`] writes it.
pub(crate) fn is_mark(value: &Json<'_>) -> bool {
    const NAMES: [&str; 3] = ["kind", "bytes", "sha256"];
    let Json::Object(members) = value else { return false };
    members.len() == NAMES.len() && members.iter().zip(NAMES).all(|((name, _), expected)| name.means(expected))
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
