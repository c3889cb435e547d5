//! Reading credentials from their JSON.

mod fault;
mod reader;

use crate::proving::{
    address_range::BadRange,
    secret::{Secret, WeakSecret},
};
pub use fault::Fault;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use thiserror::Error;
use zeroize::Zeroizing;

/// A reason why credentials can't be used. No message holds any part of them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CredentialsError {
    /// Not the JSON that this provider's credentials are.
    #[error("{fault}; must be JSON like {expected}")]
    Shape {
        /// The fault and its place.
        fault: Fault,
        /// The form of the JSON.
        expected: &'static str,
    },
    /// A list that needs an entry has none.
    #[error("`{member}` has no entry; give at least one")]
    Empty {
        /// The list.
        member: &'static str,
    },
    /// One header that would have to hold two things.
    #[error("`headers` asks for `authorization`, which `{with}` needs for itself; give it another header")]
    AuthorizationTaken {
        /// The other member.
        with: &'static str,
    },
    /// Addresses and an edge are both asked for.
    #[error(
        "`allowedCidrs` and `edgeHeader` exclude each other: behind an edge, each webhook comes from the edge's address"
    )]
    BothGates,
    /// The header of the edge is one that something else uses.
    #[error("`edgeHeader` is a header that proves something else, too; have the edge add one of its own")]
    EdgeHeaderUsed,
    /// Webhooks would need no proof at all.
    #[error("`unsignedReviews` needs `urlTokens`: a token in the URL is all that proves an unsigned review")]
    UnsignedWithoutToken,
    /// What opens an API stands among what proves webhooks, in a secret that other functions read, too.
    #[error("`api` has no place in this secret; put it into a secret of its own, which only the poller reads")]
    ApiAmongProofs,
    /// An entry of `allowedCidrs` that is no range of addresses to allow.
    #[error("`allowedCidrs` entry {position} {problem}")]
    Range {
        /// The entry's number, from 1.
        position: usize,
        /// The problem with it.
        problem: BadRange,
    },
    /// An entry that an attacker could guess.
    #[error("`{member}` entry {position} {weakness}")]
    Weak {
        /// The list.
        member: &'static str,
        /// The entry's number, from 1.
        position: usize,
        /// The weakness of it.
        weakness: WeakSecret,
    },
}

impl CredentialsError {
    /// Returns whether the credentials have the form that they should have, and hold a secret that could be guessed.
    #[must_use]
    pub const fn is_weakness(&self) -> bool {
        matches!(self, Self::Weak { .. })
    }
}

/// Reads the JSON into `T`.
pub(crate) fn parse<T: DeserializeOwned>(json: &str, expected: &'static str) -> Result<T, CredentialsError> {
    reader::read(json).map_err(|fault| CredentialsError::Shape { fault, expected })
}

/// Reads a member that may be left out, but not be `null`: that is mostly a secret that an operator forgot to fill in,
/// and must not pass for a proof that isn't configured.
pub(crate) fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Checks a rotation list of secrets: any entry may match, so each one must be strong.
pub(crate) fn secrets(member: &'static str, texts: Vec<Zeroizing<String>>) -> Result<Vec<Secret>, CredentialsError> {
    list(member, texts, |text| Secret::new(&text))
}

/// Checks a list that needs an entry, and each of its entries.
pub(crate) fn list<T, U>(
    member: &'static str,
    entries: Vec<T>,
    check: impl Fn(T) -> Result<U, WeakSecret>,
) -> Result<Vec<U>, CredentialsError> {
    if entries.is_empty() {
        return Err(CredentialsError::Empty { member });
    }
    let check = |(index, entry)| {
        check(entry).map_err(|weakness| CredentialsError::Weak { member, position: index + 1, weakness })
    };
    entries.into_iter().enumerate().map(check).collect()
}
