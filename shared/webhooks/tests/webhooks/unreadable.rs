//! Bodies that no provider's webhooks can have, at every provider.

use crate::conformance::{Case, Verdict, cases};
use verdict_sessions::{Provider, Timestamp};
use verdict_webhooks::{Genuine, Reading, Unreadable, sha256_hex};

/// A provider's path, and a body that becomes events on it.
struct Sample {
    provider: Provider,
    path: String,
    body: String,
}

impl Sample {
    /// One of each provider.
    fn all() -> impl Iterator<Item = Self> {
        Provider::ALL.into_iter().map(|provider| {
            let found = cases(provider)
                .iter()
                .filter(|case| case.verdict == Verdict::Genuine)
                .find_map(|case| Self::of(provider, case));
            found.unwrap_or_else(|| panic!("no vector of {provider}'s becomes events"))
        })
    }

    fn of(provider: Provider, case: &Case) -> Option<Self> {
        let sample = Self { provider, path: case.path.clone(), body: String::from_utf8(case.body()).ok()? };
        matches!(sample.read(&sample.body), Ok(Reading::Events { .. })).then_some(sample)
    }

    /// Reads another body in the place of this one, as if it were proved.
    fn read(&self, body: impl AsRef<[u8]>) -> Result<Reading, Unreadable> {
        let (body, digest) = (body.as_ref().to_vec(), sha256_hex(body.as_ref()));
        let arrival = Timestamp::parse("2026-06-13T00:40:00Z").unwrap();
        verdict_webhooks::read(&Genuine::from_our_queue(self.provider, self.path.clone(), arrival, body, digest))
    }
}

#[test]
fn a_blank_body_is_unreadable() {
    for sample in Sample::all() {
        for body in ["", " ", "\t\r\n "] {
            assert_eq!(sample.read(body), Err(Unreadable::Empty), "{} {body:?}", sample.provider);
        }
    }
}

#[test]
fn what_is_no_json_is_unreadable() {
    for sample in Sample::all() {
        let Sample { provider, body, .. } = &sample;
        for text in [
            format!("{body}{body}"),
            format!("{body},"),
            format!("{body}\0"),
            format!("\u{feff}{body}"),
            body.replace('"', "'"),
            body.replacen(':', ":NaN,\"x\":", 1),
            body.replacen(':', ":None,\"x\":", 1),
            body.replacen(":\"", ":\"\n", 1),
            format!("event={body}"),
            format!("{body} // comment"),
        ] {
            assert!(matches!(sample.read(&text), Err(Unreadable::NotJson { .. })), "{provider} {text}");
        }
        for bytes in [&b"{\"a\":\"\xff\"}"[..], b"{\"a\":\"\xed\xa0\x80\"}"] {
            assert_eq!(sample.read(bytes), Err(Unreadable::NotJson { at: 6 }), "{provider}");
        }
        let utf_16: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(matches!(sample.read(utf_16), Err(Unreadable::NotJson { .. })), "{provider}");
    }
}

#[test]
fn json_that_is_no_object_is_unreadable() {
    for sample in Sample::all() {
        for body in ["null", "true", "1", "\"text\"", "[]", &format!("[{}]", sample.body)] {
            assert_eq!(sample.read(body), Err(Unreadable::NotAnObject), "{} {body}", sample.provider);
        }
    }
}

#[test]
fn no_beginning_of_a_webhook_is_readable() {
    for sample in Sample::all() {
        let body = sample.body.trim_end();
        for end in (1..body.len()).filter(|end| body.is_char_boundary(*end)) {
            let read = sample.read(&body[..end]);
            assert!(matches!(read, Err(Unreadable::NotJson { .. } | Unreadable::Empty)), "{} {end}", sample.provider);
        }
    }
}

#[test]
fn no_message_shows_what_was_sent() {
    for sample in Sample::all() {
        for body in ["canary", r#"{"canary""#, r#"["canary"]"#, r#"{"canary":"canary"}"#] {
            let Err(unreadable) = sample.read(body) else { continue };
            let printed = format!("{unreadable} {unreadable:?} {}", unreadable.code());
            assert!(!printed.contains("canary"), "{printed}");
        }
    }
}
