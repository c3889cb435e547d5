//! The names of members that hold secrets: nothing of them is stored.

use crate::reading::json::Text;

/// A rule that says which members hold secrets. Minimised text takes part in some events' ids, so that the rule of the
/// first release stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rule {
    /// Members that aren't stored today.
    #[default]
    Today,
    /// Members that the first release didn't store.
    FirstRelease,
}

/// The ends of the names of secret members, in lower case, without separators and without a plural's s.
const FIRST_ENDS: [&str; 11] = [
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "password",
    "passwordhash",
    "secret",
    "credential",
    "jwt",
    "bearer",
    "authorization",
];

/// Those that came later.
const MORE_ENDS: [&str; 36] = [
    "authkey",
    "authenticationkey",
    "authorizationkey",
    "clientkey",
    "decryptionkey",
    "encryptionkey",
    "hmackey",
    "masterkey",
    "secretkey",
    "sessionkey",
    "sharedkey",
    "signaturekey",
    "signingkey",
    "webhookkey",
    "accesscode",
    "activationcode",
    "authcode",
    "authenticationcode",
    "backupcode",
    "onetimecode",
    "pincode",
    "recoverycode",
    "securitycode",
    "smscode",
    "codeverifier",
    "cookie",
    "csrf",
    "cvc",
    "cvv",
    "otp",
    "passcode",
    "passphrase",
    "passwd",
    "pwd",
    "seedphrase",
    "xsrf",
];

/// Names that are secret as a whole, and harmless at the end of others: `spin`, the providers' `sessionId`.
const WHOLE: [&str; 8] = ["atmpin", "cardpin", "epin", "jsessionid", "mpin", "phpsessid", "pin", "userpin"];

/// The word at whose end nothing can be told from others: it has to be a word of its own.
const PIN: &str = "pin";

/// Words at the end of a name that change nothing: `otpCode`, `cookieHeader`, `tokenValue`.
const ADDED: [&str; 6] = ["code", "hash", "header", "string", "text", "value"];

/// Returns whether a member of this name holds a secret.
pub(super) fn is_secret(name: Text<'_>, rule: Rule) -> bool {
    let name = name.decoded();
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let lower = plain.to_ascii_lowercase();
    ends_in(&lower, &FIRST_ENDS) || rule == Rule::Today && is_secret_today(&name, &lower)
}

fn is_secret_today(name: &str, lower: &str) -> bool {
    // A session's id in a cookie. The providers' own, by which sessions are filed, is spelled with capitals.
    if name == "sessionid" {
        return true;
    }
    let numbered = lower.trim_end_matches(|last: char| last.is_ascii_digit());
    let stems = ADDED.iter().filter_map(|added| numbered.strip_suffix(added)).chain([numbered]);
    stems.into_iter().any(|stem| {
        ends_in(stem, &FIRST_ENDS)
            || ends_in(stem, &MORE_ENDS)
            || WHOLE.contains(&stem)
            || ends_in_word(name, stem, PIN)
    })
}

fn ends_in(lower: &str, ends: &[&str]) -> bool {
    let singular = lower.strip_suffix('s').unwrap_or(lower);
    ends.iter().any(|end| singular.ends_with(end))
}

/// Returns whether a stem of a name ends in a word that begins with a capital letter or behind a separator.
fn ends_in_word(name: &str, stem: &str, word: &str) -> bool {
    let singular = stem.strip_suffix('s').unwrap_or(stem);
    let Some(before) = singular.strip_suffix(word) else { return false };
    let mut letters = name.chars().scan(' ', |last, next| Some((std::mem::replace(last, next), next)));
    let first = letters.by_ref().filter(|(_, next)| next.is_ascii_alphanumeric()).nth(before.len());
    first.is_some_and(|(last, next)| {
        !last.is_ascii_alphanumeric() || next.is_ascii_uppercase() && !last.is_ascii_uppercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_secret(name: &str) -> bool {
        super::is_secret(Text::written(name), Rule::Today)
    }

    #[test]
    fn what_opens_something_is_secret_however_it_is_spelled() {
        for name in [
            "auth_key",
            "authKey",
            "secretKey",
            "SECRET-KEY",
            "aws_secret_access_key",
            "signingKey",
            "signing.key",
            "encryptionKey",
            "passphrase",
            "Pass-Phrase",
            "pwd",
            "user_pwd",
            "passwd",
            "passcode",
            "pin",
            "PIN",
            "pins",
            "userPin",
            "user_pin",
            "cardPIN",
            "pin1",
            "pinCode",
            "pin_code",
            "pincode",
            "userPinCode",
            "otp",
            "smsOtp",
            "otpCode",
            "otp_value",
            "totp",
            "one_time_code",
            "oneTimePassword",
            "cookie",
            "cookies",
            "set-cookie",
            "Set-Cookie",
            "cookieHeader",
            "sessionid",
            "JSESSIONID",
            "PHPSESSID",
            "csrf",
            "X-XSRF",
            "csrfToken",
            "cvv",
            "cvc",
            "cvv2",
            "securityCode",
            "apiKey",
            "api_key",
            "x-api-key",
            "apiKey2",
            "accessKey",
            "private_key",
            "authorization",
            "authorizationHeader",
            "jwt",
            "refreshToken",
            "tokenValue",
            "tokens",
            "passwordHash",
            "clientSecret",
            "secret1",
            "credentials",
            "recoveryCodes",
            "authorizationCode",
            "code_verifier",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn what_providers_file_and_tell_stays() {
        for name in [
            "sessionId",
            "session_id",
            "SessionId",
            "interviewId",
            "InterviewId",
            "requestId",
            "code",
            "reasonCode",
            "codeStatus",
            "reason-code",
            "zipCode",
            "countryCode",
            "key",
            "keys",
            "publicKey",
            "keyId",
            "value",
            "hash",
            "text",
            "spin",
            "opinion",
            "pinned",
            "shipping",
            "mapSpin",
            "SPIN",
            "clientId",
            "client",
            "author",
            "authority",
            "authentication",
            "session",
            "signature",
            "object_payload_signature",
            "tokenType",
            "passport",
            "passed",
            "pass",
            "bypass",
            "secretary",
            "cookieConsent",
            "cvcCheck",
            "otpVerified",
            "",
            "s",
            "é",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn the_first_release_knew_fewer() {
        let former = |name| super::is_secret(Text::written(name), Rule::FirstRelease);
        for name in ["token", "apiKeys", "client_secret", "passwordHash", "X-Authorization"] {
            assert!(former(name) && is_secret(name), "{name}");
        }
        for name in ["pin", "secretKey", "tokenValue", "secret1", "cookie", "sessionid"] {
            assert!(!former(name) && is_secret(name), "{name}");
        }
    }
}
