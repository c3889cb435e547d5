//! Shared secrets: never shown, never weak.

use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

/// A secret shared with a provider. It can't be printed or serialised, and is wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

/// Why some text can't be a secret. The text is in no message.
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
    /// A placeholder that was never replaced.
    #[error("is a placeholder; put the real one there")]
    Placeholder,
}

impl Secret {
    /// The fewest characters a secret may have.
    pub const MIN_CHARS: usize = 16;

    /// Takes the text as it is, literally.
    ///
    /// # Errors
    /// [`WeakSecret`] where anyone could guess it.
    pub fn new(text: &str) -> Result<Self, WeakSecret> {
        if text.trim().is_empty() {
            Err(WeakSecret::Blank)
        } else if text.trim().len() != text.len() {
            Err(WeakSecret::Padded)
        } else if is_placeholder(text) {
            Err(WeakSecret::Placeholder)
        } else if text.chars().count() < Self::MIN_CHARS {
            Err(WeakSecret::Short)
        } else {
            Ok(Self(Zeroizing::new(text.to_owned())))
        }
    }

    /// The key material.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Words that only stand where a secret is still to come, and shapes that no generator makes.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_lowercase();
    let plain: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let phrases = ["changeme", "replaceme", "placeholder", "yoursecret", "mysecret", "sharedsecret"];
    let is_note = lower.split(|c: char| !c.is_alphanumeric()).any(|word| word == "todo" || word == "tbd");
    let is_template = text.starts_with('<') || text.contains("{{") || text.contains("${");
    let first = text.chars().next();
    is_note
        || is_template
        || phrases.iter().any(|phrase| plain.contains(phrase))
        || text.chars().all(|c| Some(c) == first)
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
            ("ééééééééé", WeakSecret::Placeholder),
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
    fn a_secret_is_never_printed() {
        let secret = Secret::new("abcdef12-abcd-abcd-abcd-abcdef012345").unwrap();
        assert_eq!(format!("{secret:?} {secret:#?}"), "[REDACTED] [REDACTED]");
    }
}
