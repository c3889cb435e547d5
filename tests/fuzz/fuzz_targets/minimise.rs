//! What is kept of a webhook, whatever one of its members holds; and base64, in every spelling of it.
#![no_main]

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::{self, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
    },
};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::sync::LazyLock;
use verdict_fuzz::{arrival, kept, provider::Sender, request::Request};
use verdict_webhooks::{Reading, Unreadable, WebhookSource as _, read, sha256_hex, veriff::Veriff};

static VERIFF: LazyLock<Veriff> = LazyLock::new(Veriff::configured);

/// The shortest run of digits that is a blob.
const SHORTEST: usize = 256;

fuzz_target!(|input: &[u8]| {
    let Some((&sort, rest)) = input.split_first() else { return };
    match sort {
        b'b' => check_bytes(rest),
        b'd' => check_digits(rest),
        _ => check_member(rest),
    }
});

/// A member that is JSON, or any text.
fn check_member(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
    let member = if is_json { text.into_owned() } else { Value::from(text).to_string() };
    if let Some(once) = stored(&member) {
        kept::check(&once);
        assert_eq!(stored(member_of(&once)).as_ref(), Some(&once), "not minimal yet");
    }
}

/// Bytes, in one of the spellings that encoders and the formats around them have for them.
fn check_bytes(input: &[u8]) {
    let Some((&[alphabet, width, escapes], bytes)) = input.split_first_chunk() else { return };
    if bytes.is_empty() {
        return;
    }
    let long_enough = bytes.len().max(SHORTEST * 3 / 4);
    let bytes: Vec<u8> = bytes.iter().copied().cycle().take(long_enough).collect();
    let digits = match alphabet % 4 {
        0 => general_purpose::STANDARD.encode(&bytes),
        1 => STANDARD_NO_PAD.encode(&bytes),
        2 => URL_SAFE.encode(&bytes),
        _ => URL_SAFE_NO_PAD.encode(&bytes),
    };
    let lines = match width % 4 {
        0 => digits,
        1 => in_lines(&digits, 76, "\r\n"),
        2 => in_lines(&digits, 64, "\n"),
        _ => in_lines(&digits, 60, " \n\t"),
    };
    let quoted = Value::from(match escapes % 4 {
        0 => lines.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D"),
        1 => lines.replace('+', "&#43;").replace('/', "&#x2F;"),
        _ => lines,
    });
    let spelled = match escapes % 8 {
        2 => quoted.to_string().replace('/', "\\/"),
        3 => quoted.to_string().replace('+', "\\u002b").replace('=', "\\u003D"),
        _ => quoted.to_string(),
    };
    assert_is_mark(&spelled, &bytes);
}

/// Digits that no encoder may have written: what is left over makes no byte.
fn check_digits(input: &[u8]) {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let mut digits: String = input.iter().copied().filter(is_digit).map(char::from).collect();
    if digits.is_empty() {
        return;
    }
    digits = digits.chars().cycle().take(digits.len().max(SHORTEST)).collect();
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let whole = if digits.len() % 4 == 1 { &digits[..digits.len() - 1] } else { &digits };
    let bytes = GeneralPurpose::new(&STANDARD, config).decode(whole).expect("digits alone");
    assert_is_mark(&format!("\"{digits}\""), &bytes);
}

fn assert_is_mark(spelled: &str, bytes: &[u8]) {
    let once = stored(spelled).expect("a webhook");
    let mark: Value = serde_json::from_str(member_of(&once)).expect("JSON");
    assert_eq!(
        (mark["bytes"].as_u64(), mark["sha256"].as_str()),
        (Some(bytes.len() as u64), Some(&*sha256_hex(bytes)))
    );
}

fn in_lines(digits: &str, width: usize, end: &str) -> String {
    let lines: Vec<_> = digits.as_bytes().chunks(width).map(|line| str::from_utf8(line).expect("ASCII")).collect();
    lines.join(end)
}

const HEAD: &str = r#"{"id":"s","sample":"#;

/// What is kept of a webhook with such a member; `None` where it is too deep.
fn stored(member: &str) -> Option<String> {
    let request = Request::parse(b"POST /veriff/decisions\n\n").with_body(format!("{HEAD}{member}}}"));
    let request = Veriff::rightly(request).expect("a signature");
    let genuine = VERIFF.prove(request.delivery(), arrival()).expect("genuine");
    match read(&genuine) {
        Ok(Reading::Events { mut parts, .. }) => parts.pop().map(|part| part.payload),
        other => {
            assert_eq!(other, Err(Unreadable::TooDeep));
            None
        }
    }
}

fn member_of(stored: &str) -> &str {
    stored.strip_prefix(HEAD).and_then(|rest| rest.strip_suffix('}')).expect("the member as it was put there")
}
