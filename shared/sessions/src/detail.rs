//! Details: short values worth routing by, such as a risk score. None is personal data.
//!
//! Stored as it stands: `shared/pipeline/src/store/table/items.rs` says how it may change.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The values of a check or a decision, by name: codes, names of things, and numbers as the provider spelled them. At
/// most 16, each of at most 64 bytes of UTF-8. A provider's allow-list says which members of a payload may become one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::bounded_detail))]
pub struct Detail(BTreeMap<String, String>);

/// A value that isn't a detail, because it is too long, or because there are enough already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDetail;

impl Detail {
    /// The most values that a check or a decision has.
    pub const COUNT: usize = 16;

    /// The longest value, in bytes.
    pub const LIMIT: usize = 64;

    /// No values.
    #[must_use]
    pub const fn empty() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a value, or replaces the one of that name.
    ///
    /// # Errors
    /// [`NoDetail`] if the value is blank or too long, or if there are [`Detail::COUNT`] others.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), NoDetail> {
        let is_bounded = !value.trim().is_empty() && value.len() <= Self::LIMIT;
        let has_room = self.0.len() < Self::COUNT || self.0.contains_key(name);
        if !is_bounded || !has_room {
            return Err(NoDetail);
        }
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Returns whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of all names and values.
    pub(crate) fn size(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// The values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_short_and_there_are_few() {
        let mut detail = Detail::default();
        for (value, fits) in
            [("", false), (" ", false), ("é", true), (&*"a".repeat(64), true), (&*"a".repeat(65), false)]
        {
            assert_eq!(detail.insert("score", value).is_ok(), fits, "{value:?}");
        }
        for number in 1..Detail::COUNT {
            assert_eq!(detail.insert(&format!("n{number}"), "x"), Ok(()));
        }
        assert_eq!(detail.insert("one more", "x"), Err(NoDetail));
        assert_eq!(detail.insert("score", "y"), Ok(()), "a value may be replaced");
        assert_eq!(detail.iter().last(), Some(("score", "y")));
    }
}
