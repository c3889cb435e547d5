//! Members whose value is one of a provider's words, such as a status.

use crate::reading::{details::shown, fields::MaybeText, json::Json, unreadable::Unreadable};
use std::collections::BTreeMap;

/// A member that holds one of a provider's words, or anything else.
#[derive(Debug)]
pub(crate) struct Word<'a> {
    member: &'static str,
    value: Option<&'a Json<'a>>,
    text: MaybeText<'a>,
}

impl<'a> Word<'a> {
    /// Reads a member.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] if the member occurs twice.
    pub(crate) fn read(object: &'a Json<'a>, member: &'static str) -> Result<Self, Unreadable> {
        let value = object.member(member)?;
        let text = value.and_then(Json::text).filter(|text| !text.trim().is_empty());
        Ok(Self { member, value, text })
    }

    /// The word, or the number as spelled; blank counts as missing.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The text as a reader of reasons takes it.
    pub(crate) fn maybe_text(&self) -> &MaybeText<'a> {
        &self.text
    }

    /// The word as an event shows it, even if it is missing: for one that is unfamiliar or contradicted.
    pub(crate) fn shown(&self) -> BTreeMap<String, String> {
        shown([(self.member, self.value)])
    }
}

/// The words that are there, as an event shows them: a code as it stands, of anything else its type and length.
pub(crate) fn shown_words<const N: usize>(words: [&Word<'_>; N]) -> BTreeMap<String, String> {
    words.into_iter().filter(|word| word.text.is_some()).flat_map(Word::shown).collect()
}
