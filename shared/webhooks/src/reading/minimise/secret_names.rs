//! The names of members that hold secrets: nothing of them is stored.

use crate::reading::json::Text;
use std::iter;

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

/// The ends of the names of secret members, in lower case, without separators and without a plural's s: those that the
/// first release knew.
const FIRST: [&str; 11] = [
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
const LATER: [&str; 36] = [
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

/// Words at the end of a name that change nothing: `otpCode`, `cookieHeader`, `tokenValue`.
const AFTERWARDS: [&str; 6] = ["code", "hash", "header", "string", "text", "value"];

/// Names that are secret as a whole, and harmless at the end of others: `spin`, the providers' `sessionId`.
const NAMES: [&str; 8] = ["atmpin", "cardpin", "epin", "jsessionid", "mpin", "phpsessid", "pin", "userpin"];

/// All of these, one list after the other, so that a place stands for a word.
const WORDS: [&str; NAMES_TO] = {
    let lists: [&[&str]; 4] = [&FIRST, &LATER, &AFTERWARDS, &NAMES];
    let (mut words, mut place, mut list) = ([""; NAMES_TO], 0, 0);
    while list < lists.len() {
        let mut entry = 0;
        while entry < lists[list].len() {
            words[place] = lists[list][entry];
            (place, entry) = (place + 1, entry + 1);
        }
        list += 1;
    }
    words
};

/// The places behind the last word of each list.
const FIRST_TO: usize = FIRST.len();
const LATER_TO: usize = FIRST_TO + LATER.len();
const AFTERWARDS_TO: usize = LATER_TO + AFTERWARDS.len();
const NAMES_TO: usize = AFTERWARDS_TO + NAMES.len();

/// Places in [`WORDS`], a bit for each.
type Places = u64;

const FIRST_ENDS: Places = places(0, FIRST_TO);
const ENDS: Places = places(0, LATER_TO);
const ADDED: Places = places(LATER_TO, AFTERWARDS_TO);
const WHOLE: Places = places(AFTERWARDS_TO, NAMES_TO);

const fn places(from: usize, to: usize) -> Places {
    (1 << to) - (1 << from)
}

/// The words that have a letter in a place, counted from the last one.
const BY_LETTER: [[Places; 26]; 3] = [by_letter(0), by_letter(1), by_letter(2)];

const fn by_letter(from_last: usize) -> [Places; 26] {
    let mut having = [0; 26];
    let mut place = 0;
    while place < WORDS.len() {
        let word = WORDS[place].as_bytes();
        having[(word[word.len() - 1 - from_last] - b'a') as usize] |= 1 << place;
        place += 1;
    }
    having
}

/// The word at whose end nothing can be told from others: it has to be a word of its own.
const PIN: &str = "pin";

/// The most letters and digits at the end of a name that are looked at: the longest end, what may be added to it, and a
/// plural's s.
const LONGEST: usize = 32;

/// Returns whether a member of this name holds a secret.
pub(super) fn is_secret(name: Text<'_>, rule: Rule) -> bool {
    let name = name.decoded();
    if !may_be_secret(&name) {
        return false;
    }
    let end = End::of(&name, rule);
    match rule {
        Rule::FirstRelease => has_end(end.text(), FIRST_ENDS),
        Rule::Today => is_secret_today(&name, &end),
    }
}

/// Returns false of most names, at a glance: their last letters are no word's.
fn may_be_secret(name: &str) -> bool {
    let is_end = |byte: &u8| byte.is_ascii_alphanumeric();
    let mut letters = name.bytes().rev().filter(is_end).skip_while(u8::is_ascii_digit);
    let mut next =
        || letters.next().map_or(usize::MAX, |letter| usize::from(letter.to_ascii_lowercase().wrapping_sub(b'a')));
    let [last, second, third, fourth] = [next(), next(), next(), next()];
    let words = |letters: [usize; 3]| {
        let having =
            BY_LETTER.iter().zip(letters).map(|(having, letter)| having.get(letter).copied().unwrap_or_default());
        having.fold(Places::MAX, |words, having| words & having)
    };
    words([last, second, third]) | words([second, third, fourth]) != 0
}

fn is_secret_today(name: &str, end: &End) -> bool {
    let text = end.text();
    let stems = words_of(text, ADDED).map(|added| &text[..text.len() - added.len()]).chain([text]);
    stems.into_iter().any(|stem| {
        has_end(stem, ENDS)
            || end.before == 0 && words_of(stem, WHOLE).any(|whole| whole.len() == stem.len())
            || ends_in_word(name, end.before, stem, PIN)
        // A session's id in a cookie. The providers' own, by which sessions are filed, is spelled with capitals.
    }) || name == "sessionid"
}

/// The letters and digits at the end of a name, in lower case. Today's rule leaves out the digits behind the letters.
struct End {
    bytes: [u8; LONGEST],
    length: usize,
    /// The number of letters and digits before these.
    before: usize,
}

impl End {
    fn of(name: &str, rule: Rule) -> Self {
        let plain = name.bytes().rev().filter(u8::is_ascii_alphanumeric);
        let mut plain = plain.skip_while(|last| rule == Rule::Today && last.is_ascii_digit());
        let mut end = Self { bytes: [0; LONGEST], length: 0, before: 0 };
        for (to, from) in end.bytes.iter_mut().rev().zip(&mut plain) {
            *to = from.to_ascii_lowercase();
            end.length += 1;
        }
        Self { before: plain.count(), ..end }
    }

    fn text(&self) -> &[u8] {
        &self.bytes[LONGEST - self.length..]
    }
}

/// Returns whether a stem, or what it is the plural of, ends in one of these words.
fn has_end(stem: &[u8], ends: Places) -> bool {
    words_of(singular(stem), ends).next().is_some()
}

/// Those of these words that a text ends in. Few are compared: three letters tell most of them from others.
fn words_of(text: &[u8], mut places: Places) -> impl Iterator<Item = &'static str> {
    for (from_last, having) in BY_LETTER.iter().enumerate() {
        let letter = text.len().checked_sub(from_last + 1).map(|at| usize::from(text[at].wrapping_sub(b'a')));
        places &= letter.and_then(|letter| having.get(letter)).copied().unwrap_or_default();
    }
    let candidates = iter::from_fn(move || {
        let place = (places != 0).then(|| places.trailing_zeros() as usize)?;
        places &= places - 1;
        Some(WORDS[place])
    });
    candidates.filter(|word| text.ends_with(word.as_bytes()))
}

fn singular(stem: &[u8]) -> &[u8] {
    stem.strip_suffix(b"s").unwrap_or(stem)
}

/// Returns whether a stem of a name ends in a word that begins with a capital letter or behind a separator. So many
/// letters and digits of the name are `before` the stem.
fn ends_in_word(name: &str, before: usize, stem: &[u8], word: &str) -> bool {
    let Some(first) = singular(stem).strip_suffix(word.as_bytes()) else { return false };
    let mut letters = name.chars().scan(' ', |last, next| Some((std::mem::replace(last, next), next)));
    let first = letters.by_ref().filter(|(_, next)| next.is_ascii_alphanumeric()).nth(before + first.len());
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
