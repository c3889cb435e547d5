//! Shared secrets: never shown, never weak.

use super::{
    guessing::{is_guessable, is_placeholder},
    published::is_published,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use thiserror::Error;
use verdict_sessions::MatchedCredential;
use zeroize::Zeroizing;

/// A secret shared with a provider. It can't be printed or serialised, and is wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

/// A reason why some text can't be a secret. The text is in no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WeakSecret {
    /// Nothing, or nothing but white space.
    #[error("is blank")]
    Blank,
    /// White space at an end: mostly a line break that a secret store or an editor added.
    #[error("starts or ends with white space; remove it")]
    Padded,
    /// Fewer than [`Secret::MIN_CHARS`] characters.
    #[error("is shorter than {} characters", Secret::MIN_CHARS)]
    Short,
    /// Long enough for a secret, too short for one that travels in a URL.
    #[error("is shorter than the {} characters of a URL token", Secret::MIN_CHARS_IN_URL)]
    ShortInUrl,
    /// A placeholder that was never replaced.
    #[error("is a placeholder; put the real one there")]
    Placeholder,
    /// Not random enough: characters in order, few different ones, or nothing but common words.
    #[error("is easily guessed; use a random one, such as `openssl rand -hex 32` prints")]
    Guessable,
    /// Characters that mean something else in a URL.
    #[error("holds characters that a URL changes; use letters, digits, `-`, `.`, `_` and `~`")]
    NotForUrl,
    /// The name beside it is blank, or holds what a name there can't hold.
    #[error("has no usable name beside it")]
    NoName,
}

impl Secret {
    /// The fewest characters a secret may have.
    pub const MIN_CHARS: usize = 16;

    /// The fewest characters a secret in a URL may have: it signs nothing, and everybody who has seen the URL can
    /// present it.
    pub const MIN_CHARS_IN_URL: usize = 32;

    /// Takes the text as it is, literally.
    ///
    /// # Errors
    /// [`WeakSecret`] if an attacker could guess it.
    pub fn new(text: &str) -> Result<Self, WeakSecret> {
        if text.trim().is_empty() {
            Err(WeakSecret::Blank)
        } else if text.trim().len() != text.len() {
            Err(WeakSecret::Padded)
        } else if is_placeholder(text) {
            Err(WeakSecret::Placeholder)
        } else if text.chars().count() < Self::MIN_CHARS {
            Err(WeakSecret::Short)
        } else if is_guessable(text) && !is_published(text) {
            Err(WeakSecret::Guessable)
        } else {
            Ok(Self(Zeroizing::new(text.to_owned())))
        }
    }

    /// Takes the text as a secret that requests present in a URL.
    ///
    /// # Errors
    /// [`WeakSecret`] if an attacker could guess it.
    pub(crate) fn in_url(text: &str) -> Result<Self, WeakSecret> {
        let secret = Self::new(text)?;
        // What a URL would change on its way: blanks, escapes, separators, anything beyond ASCII.
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"+%&#".contains(&byte)) {
            Err(WeakSecret::NotForUrl)
        } else if text.len() < Self::MIN_CHARS_IN_URL {
            Err(WeakSecret::ShortInUrl)
        } else {
            Ok(secret)
        }
    }

    /// The key material.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns whether an HMAC-SHA256 of the message was made with this secret. Compares in constant time.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8; 32]) -> bool {
        // HMAC takes keys of any length, so this never fails; if it did, nothing would be proved.
        Hmac::<Sha256>::new_from_slice(self.as_bytes())
            .is_ok_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok())
    }

    /// Returns whether this secret was presented.
    pub(crate) fn is(&self, presented: &str) -> bool {
        same(&self.0, presented)
    }
}

/// Returns whether two texts are equal, in a time that doesn't depend on where they differ: whole digests are compared,
/// so that the time doesn't show the secret's length either.
pub(crate) fn same(ours: &str, presented: &str) -> bool {
    Sha256::digest(ours).ct_eq(&Sha256::digest(presented)).into()
}

/// The first entry of a rotation list that matches. Every entry is compared, so that the time shows neither which one
/// matched nor whether any did. `member` is the list's name in the credentials.
pub(crate) fn first_match<T>(member: &str, entries: &[T], matches: impl Fn(&T) -> bool) -> Option<MatchedCredential> {
    let mut position = 0_u64;
    for (here, entry) in (1_u64..).zip(entries) {
        let is_first = Choice::from(u8::from(matches(entry))) & position.ct_eq(&0);
        position.conditional_assign(&here, is_first);
    }
    let of = entries.len() as u64;
    (position != 0).then(|| MatchedCredential { member: member.to_owned(), position, of })
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_secrets_are_refused() {
        let cases = [
            ("", WeakSecret::Blank),
            (" \t\n", WeakSecret::Blank),
            ("abcdef12-abcd-abcd-abcd-abcdef012345\n", WeakSecret::Padded),
            (" abcdef12-abcd-abcd-abcd-abcdef012345", WeakSecret::Padded),
            ("fifteen-chars-x", WeakSecret::Short),
            ("ééééééééé", WeakSecret::Short),
            ("éééééééééééééééé", WeakSecret::Guessable),
            ("0123456789abcdef", WeakSecret::Guessable),
            ("example-9bN4vR7tK2wQ5zX8", WeakSecret::Placeholder),
            ("changeme", WeakSecret::Placeholder),
            ("CHANGE-ME-change-me", WeakSecret::Placeholder),
            ("***", WeakSecret::Placeholder),
            ("********************", WeakSecret::Placeholder),
            ("<the secret from the portal>", WeakSecret::Placeholder),
            ("{{resolve:secretsmanager:x}}", WeakSecret::Placeholder),
            ("${VERIFF_SECRET_FROM_ENV}", WeakSecret::Placeholder),
        ];
        for (text, weakness) in cases {
            assert_eq!(Secret::new(text).err(), Some(weakness), "{text:?}");
        }
    }

    #[test]
    fn every_entry_of_a_list_is_compared_and_the_first_match_is_told() {
        for (entries, position) in [
            ([true, false, false], Some(1)),
            ([false, true, true], Some(2)),
            ([false, false, true], Some(3)),
            ([true, true, true], Some(1)),
            ([false, false, false], None),
        ] {
            let compared = std::cell::Cell::new(0);
            let matched = first_match("secrets", &entries, |matches| {
                compared.set(compared.get() + 1);
                *matches
            });
            assert_eq!(compared.get(), 3, "{entries:?}");
            let expected = position.map(|position| MatchedCredential { member: "secrets".into(), position, of: 3 });
            assert_eq!(matched, expected, "{entries:?}");
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("abcdef12-abcd-abcd-abcd-abcdef012345").unwrap();
        assert_eq!(format!("{secret:?} {secret:#?}"), "[REDACTED] [REDACTED]");
    }
}
