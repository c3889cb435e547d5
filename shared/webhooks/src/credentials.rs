//! Reading credentials from their JSON.

use crate::{Secret, WeakSecret};
use serde::de::DeserializeOwned;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why credentials can't be used. No message holds any part of them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CredentialsError {
    /// Not the JSON that this provider's credentials are.
    #[error("must be JSON like {expected} (problem near line {line}, column {column})")]
    Shape {
        /// What the JSON looks like.
        expected: &'static str,
        /// Line of the first problem, from 1.
        line: usize,
        /// Column of the first problem, from 1.
        column: usize,
    },
    /// A list that needs an entry has none.
    #[error("`{member}` has no entry; give at least one")]
    Empty {
        /// The list.
        member: &'static str,
    },
    /// An entry that anyone could guess.
    #[error("`{member}` entry {position} {weakness}")]
    Weak {
        /// The list.
        member: &'static str,
        /// Which entry, from 1.
        position: usize,
        /// What is wrong with it.
        weakness: WeakSecret,
    },
}

/// Reads the JSON into `T`. The parser's own message is dropped, since it may quote a value.
pub(crate) fn parse<T: DeserializeOwned>(json: &str, expected: &'static str) -> Result<T, CredentialsError> {
    serde_json::from_str(json).map_err(|error| CredentialsError::Shape {
        expected,
        line: error.line(),
        column: error.column(),
    })
}

/// Checks a rotation list: any entry may match, so each one must be strong.
pub(crate) fn secrets(member: &'static str, texts: Vec<Zeroizing<String>>) -> Result<Vec<Secret>, CredentialsError> {
    if texts.is_empty() {
        return Err(CredentialsError::Empty { member });
    }
    let check = |(index, text): (usize, Zeroizing<String>)| {
        Secret::new(&text).map_err(|weakness| CredentialsError::Weak { member, position: index + 1, weakness })
    };
    texts.into_iter().enumerate().map(check).collect()
}
