//! What must hold of a payload that is kept.

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use verdict_webhooks::{PAYLOAD_LIMIT, json::Json};

/// As the minimiser has it, and a few characters that an escape before the blob may take with it.
const LONGEST_RUN: usize = 255 + 8;

/// Where the two alphabets meet, one blob may count as two, each too short to be one.
const LONGEST_RUN_OF_AN_ALPHABET: usize = 2 * LONGEST_RUN;

/// How many numbers, at most, that are all bytes.
const LONGEST_BYTE_LIST: usize = 255;

/// It is JSON for every reader, it is bounded, and there is nothing secret in it.
pub fn check(payload: &str) {
    assert!(payload.len() <= PAYLOAD_LIMIT, "{} bytes", payload.len());
    nothing_secret_is_left(payload);
}

/// No token, no key, no image, however deep in documents within strings.
pub fn nothing_secret_is_left(payload: &str) {
    let json = serde_json::from_str::<IgnoredAny>(payload);
    assert!(json.is_ok(), "no JSON: {payload}");
    check_value(&Json::parse(payload.as_bytes()).expect("JSON that is not too deep"));
}

fn check_value(value: &Json<'_>) {
    match value {
        Json::Object(members) => members.iter().for_each(|(name, value)| {
            assert!(!names_a_secret(&name.decoded()), "a secret is left: {}", name.raw());
            check_value(value);
        }),
        Json::Array(items) => {
            let is_byte = |item: &Json<'_>| matches!(item, Json::Number(number) if number.parse::<u8>().is_ok());
            assert!(items.len() <= LONGEST_BYTE_LIST || !items.iter().all(is_byte), "bytes are left");
            items.iter().for_each(check_value);
        }
        Json::String(text) => match Json::parse(text.decoded().as_bytes()) {
            Ok(document @ (Json::Object(_) | Json::Array(_) | Json::String(_))) => check_value(&document),
            _ => check_text(&text.decoded()),
        },
        Json::Number(_) | Json::Bool(_) | Json::Null => {}
    }
}

fn names_a_secret(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    ["token", "apikey", "password", "secret", "jwt"]
        .iter()
        .any(|word| letters.ends_with(word) || letters.ends_with(&format!("{word}s")))
}

fn check_text(text: &str) {
    for (more, longest) in [("", LONGEST_RUN), ("+/", LONGEST_RUN_OF_AN_ALPHABET), ("-_", LONGEST_RUN_OF_AN_ALPHABET)] {
        let runs = text.split(|c: char| !c.is_ascii_alphanumeric() && !more.contains(c));
        assert!(runs.map(str::len).max() <= Some(longest), "a blob is left: {text}");
    }
    let is_of_a_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    assert!(!text.split(|c| !is_of_a_token(c)).any(holds_a_token), "a token is left: {text}");
}

/// Whether one of the parts is a token's header, with two more behind it.
fn holds_a_token(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.windows(3).any(|parts| parts[0].starts_with("eyJ") && is_header(parts[0]))
}

fn is_header(part: &str) -> bool {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone);
    let decoded = GeneralPurpose::new(&URL_SAFE, config).decode(part).ok();
    let header = decoded.and_then(|decoded| serde_json::from_slice::<Map<String, Value>>(&decoded).ok());
    header.is_some_and(|header| header.contains_key("alg"))
}
