//! What the fuzz targets share: how an input becomes a request, how a webhook is rightly proved, and what must hold of
//! whatever is read from it.
//!
//! A target is a door: bytes that somebody else chooses go in. Each target says what must never happen behind it.

#![expect(clippy::missing_panics_doc, reason = "a panic is what a target reports by")]

pub mod genuine;
pub mod kept;
pub mod php;
pub mod provider;
pub mod record;
pub mod request;

use verdict_sessions::Timestamp;

/// When everything arrives.
#[must_use]
pub fn arrival() -> Timestamp {
    Timestamp::parse("2026-06-13T00:40:00Z").expect("a time")
}
