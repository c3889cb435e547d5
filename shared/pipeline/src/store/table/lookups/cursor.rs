//! Cursors: places in lists, as callers hand them back.
//!
//! A cursor names its list, so that a cursor of another list, or of the same list with other parameters, is none of this
//! one. It is no secret: a caller who makes one up gets a place in the list that it asks for, or nothing.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// The bytes of a cursor that say which list and which place it is of.
const SEAL: usize = 8;

/// A list that has cursors.
pub(super) struct List(String);

impl List {
    /// The list of a kind with these parameters.
    pub(super) fn new(kind: &str, parameters: &[Option<&str>]) -> Self {
        Self(json!([kind, parameters]).to_string())
    }

    /// The cursor of a place in this list.
    pub(super) fn cursor(&self, place: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode([&self.seal(place)[..], place.as_bytes()].concat())
    }

    /// The place of a cursor, if it is one of this list.
    pub(super) fn place(&self, cursor: &str) -> Option<String> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (seal, place) = bytes.split_at_checked(SEAL)?;
        let place = str::from_utf8(place).ok()?;
        (seal == self.seal(place)).then(|| place.to_owned())
    }

    fn seal(&self, place: &str) -> [u8; SEAL] {
        let digest = Sha256::digest(json!([self.0, place]).to_string());
        std::array::from_fn(|position| digest[position])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> List {
        List::new("status", &[Some("decided"), None])
    }

    #[test]
    fn a_place_comes_back_from_its_cursor() {
        for place in ["EVENT#é 1", "", "2026-06-13T00:38:30.861285000Z#00ff"] {
            assert_eq!(list().place(&list().cursor(place)).as_deref(), Some(place));
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_none() {
        let cursor = list().cursor("place");
        for other in [
            List::new("status", &[Some("decided"), Some("veriff")]),
            List::new("status", &[None, Some("decided")]),
            List::new("status", &[Some("decided")]),
            List::new("reference", &[Some("decided"), None]),
        ] {
            assert_eq!(other.place(&cursor), None);
        }
    }

    #[test]
    fn what_was_changed_or_made_up_is_none() {
        let cursor = list().cursor("place");
        for text in ["", "%%%", "AAAA", "RVZFTlQjeA", &"A".repeat(5000), &format!("{cursor}="), &format!("{cursor}A")] {
            assert_eq!(list().place(text), None, "{text}");
        }
        for length in 0..cursor.len() {
            assert_eq!(list().place(&cursor[..length]), None, "{length}");
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(list().place(&BASE64_URL_SAFE_NO_PAD.encode(changed)), None, "{bit}");
        }
    }
}
