//! The names of things: providers, sessions, attempts, events.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

macro_rules! providers {
    ($($name:ident = $text:literal,)+) => {
        /// An identity-verification provider whose webhooks Verdict understands.
        ///
        /// [`ALL`](Self::ALL) and the text of each, in keys, paths, notifications and stored items, come from one list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum Provider {
            $($name,)+
        }

        impl Provider {
            /// Every provider.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$name),+];

            /// The name used in keys, paths and notifications.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

// The order is that of stored and sorted things: add a provider at the end.
providers! {
    Veriff = "veriff",
    Incode = "incode",
    Treezor = "treezor",
    Wultra = "wultra",
}

impl Provider {
    /// Returns whether the provider's name for a person stands in for yours in sessions without one of yours.
    ///
    /// Up to release 0.1, Treezor's events named it as both.
    #[must_use]
    pub const fn user_id_stands_in(self) -> bool {
        matches!(self, Self::Treezor)
    }
}

/// The text names no provider that Verdict knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub struct UnknownProvider;

impl fmt::Display for UnknownProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [names @ .., last] = Provider::ALL.map(Provider::as_str);
        write!(f, "unknown provider; use {} or {last}", names.join(", "))
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == text).ok_or(UnknownProvider)
    }
}

impl TryFrom<String> for Provider {
    type Error = UnknownProvider;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Provider> for &'static str {
    fn from(provider: Provider) -> Self {
        provider.as_str()
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A reason why a text can't be an id. The text itself is in no message: it may be personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// Nothing but white space: a blank id counts as missing.
    #[error("the id is blank")]
    Blank,
    /// Longer than a DynamoDB key can hold beside its prefix.
    #[error("the id is longer than {limit} bytes")]
    TooLong {
        /// The longest id allowed, in bytes.
        limit: usize,
    },
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $limit:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "schema", schemars(extend("maxLength" = $limit, "pattern" = r"\S")))]
        pub struct $name(String);

        impl $name {
            /// The longest id, in bytes of UTF-8.
            pub const LIMIT: usize = $limit;

            /// Takes the text as it is.
            ///
            /// # Errors
            /// [`IdError::Blank`] or [`IdError::TooLong`].
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                if text.trim().is_empty() {
                    Err(IdError::Blank)
                } else if text.len() > Self::LIMIT {
                    Err(IdError::TooLong { limit: Self::LIMIT })
                } else {
                    Ok(Self(text))
                }
            }

            /// The id's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// The provider's name for one verification run: at most 1024 bytes of UTF-8, and not blank.
    // With its key prefix it fits in DynamoDB's 2048-byte partition key.
    SessionId, 1024
}
id! {
    /// The provider's name for one try within a session: at most 256 bytes of UTF-8, and not blank.
    AttemptId, 256
}
id! {
    /// Verdict's name for one event, equal for every copy of the same fact: at most 512 bytes of UTF-8, and not blank.
    // With its prefix it fits in DynamoDB's 1024-byte sort key.
    EventId, 512
}

/// The key of a session: `{provider}/{sessionId}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionKey {
    /// Whose session it is.
    pub provider: Provider,
    /// The provider's id for it.
    pub session_id: SessionId,
}

impl SessionKey {
    /// The session of a provider's name and an id. `None` if there is no such provider, or if no session can have such
    /// an id.
    #[must_use]
    pub fn named(provider: &str, session_id: &str) -> Option<Self> {
        Some(Self { provider: provider.parse().ok()?, session_id: SessionId::new(session_id).ok()? })
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.session_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_and_overlong_ids_are_refused() {
        assert_eq!(SessionId::new(" \t"), Err(IdError::Blank));
        assert_eq!(SessionId::new("x".repeat(1025)), Err(IdError::TooLong { limit: 1024 }));
        assert_eq!(SessionId::new("x".repeat(1024)).unwrap().as_str().len(), 1024);
    }

    #[test]
    fn every_provider_is_read_back_from_its_name() {
        for provider in Provider::ALL {
            let name = provider.to_string();
            assert_eq!(name.parse(), Ok(provider));
            assert_eq!(serde_json::to_value(provider).unwrap(), name);
            assert_eq!(serde_json::from_value::<Provider>(name.as_str().into()).unwrap(), provider);
            assert!(UnknownProvider.to_string().contains(&name));
        }
        assert!(serde_json::from_str::<Provider>(r#""another""#).is_err());
    }

    /// Items are stored under these names.
    #[test]
    fn the_names_of_providers_stay() {
        assert_eq!(Provider::ALL.map(Provider::as_str)[..4], ["veriff", "incode", "treezor", "wultra"]);
        let message = UnknownProvider.to_string();
        assert!(message.starts_with("unknown provider; use veriff, incode, treezor"), "{message}");
    }

    #[test]
    fn a_key_reads_as_provider_slash_id() {
        let key = SessionKey { provider: "wultra".parse().unwrap(), session_id: SessionId::new("a/b").unwrap() };
        assert_eq!(key.to_string(), "wultra/a/b");
        assert_eq!(SessionKey::named("wultra", "a/b"), Some(key));
        assert_eq!([SessionKey::named("another", "a"), SessionKey::named("wultra", " ")], [None, None]);
        assert_eq!("Veriff".parse::<Provider>(), Err(UnknownProvider));
    }
}
