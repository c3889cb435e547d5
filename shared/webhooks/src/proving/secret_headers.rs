//! Static headers whose values are secrets shared with a provider.

use crate::{
    delivery::{Headers, Repeated},
    proving::{
        credentials::{CredentialsError, secrets},
        secret::{Secret, WeakSecret, first_match},
    },
    refusal::Refusal,
};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use std::{collections::BTreeMap, fmt};
use verdict_sessions::MatchedCredential;
use zeroize::Zeroizing;

/// The headers that a provider was told to send: every one must be there, with any of its values.
#[derive(Debug)]
pub(crate) struct SecretHeaders(Vec<(String, Vec<Secret>)>);

/// Headers as they stand in the credentials: values by name, in lower case. A name that comes twice is an error, in
/// either case.
pub(crate) struct SecretHeadersJson(BTreeMap<String, Vec<Zeroizing<String>>>);

impl<'de> Deserialize<'de> for SecretHeadersJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByName;

        impl<'de> Visitor<'de> for ByName {
            type Value = SecretHeadersJson;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers and their values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut headers: A) -> Result<Self::Value, A::Error> {
                let mut by_name = BTreeMap::new();
                while let Some((name, values)) = headers.next_entry::<String, _>()? {
                    if by_name.insert(name.to_ascii_lowercase(), values).is_some() {
                        return Err(A::Error::custom("a header has two lists of values"));
                    }
                }
                Ok(SecretHeadersJson(by_name))
            }
        }

        deserializer.deserialize_map(ByName)
    }
}

impl SecretHeaders {
    /// Checks the names and values of a member of the credentials.
    ///
    /// # Errors
    /// [`CredentialsError`] if there is no header, a name that HTTP doesn't allow, or a value that is weak.
    pub(crate) fn new(
        member: &'static str,
        SecretHeadersJson(headers): SecretHeadersJson,
    ) -> Result<Self, CredentialsError> {
        if headers.is_empty() {
            return Err(CredentialsError::Empty { member });
        }
        let checked = headers.into_iter().enumerate().map(|(index, (name, values))| {
            if !is_header_name(&name) {
                return Err(CredentialsError::Weak { member, position: index + 1, weakness: WeakSecret::NoName });
            }
            Ok((name, secrets(member, values)?))
        });
        checked.collect::<Result<_, _>>().map(Self)
    }

    /// The headers' names, in lower case.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Makes sure that another proof has the `Authorization` header for itself.
    ///
    /// # Errors
    /// [`CredentialsError::AuthorizationTaken`].
    pub(crate) fn leave_authorization_to(&self, with: &'static str) -> Result<(), CredentialsError> {
        let is_taken = self.names().any(|name| name == "authorization");
        if is_taken { Err(CredentialsError::AuthorizationTaken { with }) } else { Ok(()) }
    }

    /// Proves that every header is there, once, with one of its values. Returns which one, of each.
    ///
    /// # Errors
    /// The [`Refusal`] for the first header that isn't.
    pub(crate) fn prove(&self, headers: &Headers) -> Result<Vec<MatchedCredential>, Refusal> {
        let matched = self.0.iter().map(|(name, values)| {
            let presented = headers
                .only(name)
                .map_err(|Repeated| Refusal::SecretHeaderRepeated)?
                .ok_or(Refusal::SecretHeaderMissing)?;
            first_match(&format!("headers.{name}"), values, |value| value.is(presented))
                .ok_or(Refusal::SecretHeaderMismatch)
        });
        matched.collect()
    }
}

/// A token, as RFC 9110 has it.
fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
