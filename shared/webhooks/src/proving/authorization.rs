//! The `Authorization` header: Basic (RFC 7617) and Bearer (RFC 6750).

use crate::{
    delivery::{Headers, Repeated},
    proving::{
        credentials::{CredentialsError, list},
        secret::{Secret, WeakSecret, same},
    },
    refusal::Refusal,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use zeroize::Zeroizing;

/// The one `Authorization` header.
///
/// # Errors
/// [`Refusal::AuthorizationMissing`] or [`Refusal::AuthorizationRepeated`].
pub(crate) fn authorization(headers: &Headers) -> Result<&str, Refusal> {
    headers
        .only("authorization")
        .map_err(|Repeated| Refusal::AuthorizationRepeated)?
        .ok_or(Refusal::AuthorizationMissing)
}

/// The text after a scheme's name, which has no case; `None` if the scheme is another one.
pub(crate) fn of_scheme<'h>(header: &'h str, scheme: &str) -> Option<&'h str> {
    let (name, rest) = header.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim_start_matches(' '))
}

/// A user name and a password that a request presented.
pub(crate) struct Presented {
    pub(crate) username: Zeroizing<String>,
    pub(crate) password: Zeroizing<String>,
}

impl Presented {
    /// The user name and password in a Basic header, or `None` if it has another form.
    pub(crate) fn basic(header: &str) -> Option<Self> {
        let decoded = Zeroizing::new(BASE64_STANDARD.decode(of_scheme(header, "Basic")?).ok()?);
        let text = match std::str::from_utf8(&decoded) {
            Ok(text) => Zeroizing::new(text.to_owned()),
            // RFC 7617 asks for UTF-8 only if the server says so; otherwise many clients write Latin-1.
            Err(_) => Zeroizing::new(decoded.iter().copied().map(char::from).collect()),
        };
        let (username, password) = text.split_once(':')?;
        Some(Self { username: Zeroizing::new(username.to_owned()), password: Zeroizing::new(password.to_owned()) })
    }
}

/// A user name and a password that an operator configured.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) username: String,
    password: Secret,
}

/// A login as it stands in the credentials.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginJson {
    pub(crate) username: String,
    pub(crate) password: Zeroizing<String>,
}

impl Login {
    /// Checks a rotation list of logins.
    ///
    /// # Errors
    /// [`CredentialsError`] if the list is empty, or an entry is blank or weak.
    pub(crate) fn list(member: &'static str, logins: Vec<LoginJson>) -> Result<Vec<Self>, CredentialsError> {
        list(member, logins, |LoginJson { username, password }| {
            // Basic can't carry a colon in the name.
            if username.trim().is_empty() || username.contains(':') {
                return Err(WeakSecret::NoName);
            }
            Ok(Self { username, password: Secret::new(&password)? })
        })
    }

    /// Returns whether this login was presented. Name and password are both compared, whatever the other gave.
    pub(crate) fn is(&self, presented: &Presented) -> bool {
        let same_name = same(&self.username, &presented.username);
        let same_password = self.password.is(&presented.password);
        same_name & same_password
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_has_no_case_and_is_followed_by_a_space() {
        for header in ["Basic x", "basic x", "BASIC  x"] {
            assert_eq!(of_scheme(header, "Basic"), Some("x"), "{header}");
        }
        for header in ["", "Basic", "Basicx", "Basic\tx", " Basic x", "Bearer x"] {
            assert_eq!(of_scheme(header, "Basic"), None, "{header}");
        }
    }

    #[test]
    fn a_password_may_hold_colons() {
        let presented = Presented::basic(&format!("Basic {}", BASE64_STANDARD.encode("name:pass:word"))).unwrap();
        assert_eq!((&**presented.username, &**presented.password), ("name", "pass:word"));
    }
}
