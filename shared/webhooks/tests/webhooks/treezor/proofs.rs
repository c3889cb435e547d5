//! Which deliveries Treezor's proof accepts: the conformance vectors, and properties where a table would be silly.

use crate::conformance::{Case, Verdict, cases};
use crate::patience::in_time;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::{prelude::*, sample::Index};
use serde_json::Value;
use std::{fmt::Write as _, sync::LazyLock};
use verdict_sessions::{Provider, Timestamp};
use verdict_webhooks::{
    Delivery, Disposition, Headers, Reading, Refusal, Unreadable, WebhookSource, sha256_hex,
    treezor::{Treezor, canonical},
};

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| cases(Provider::Treezor));

const SIGNATURE: &str = "object_payload_signature";

fn named(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap()
}

impl Case {
    fn treezor(&self) -> Treezor {
        self.provider(Treezor::from_json)
    }

    fn text(&self) -> String {
        String::from_utf8(self.body()).unwrap()
    }

    fn envelope(&self) -> Value {
        serde_json::from_slice(&self.body()).unwrap()
    }

    fn signature(&self) -> String {
        self.envelope()[SIGNATURE].as_str().unwrap().to_owned()
    }

    /// The payload as written, in a body that holds it last but for the signature.
    fn payload(&self) -> String {
        let text = self.text();
        let (_, rest) = text.split_once(r#""object_payload":"#).unwrap();
        rest.split_once(&format!(r#","{SIGNATURE}""#)).unwrap().0.to_owned()
    }

    fn refusal_of(&self, body: impl AsRef<[u8]>) -> Option<Refusal> {
        let delivery = Delivery::new("POST", "/treezor", Headers::default(), body.as_ref().to_vec());
        self.treezor().prove(delivery.with_query(self.query.clone()), self.now()).err()
    }
}

fn now() -> Timestamp {
    named("review").now()
}

fn envelope(payload: &str, signature: &str) -> String {
    let signature = Value::from(signature);
    format!(r#"{{"webhook":"user.kycreview","object_payload":{payload},"{SIGNATURE}":{signature}}}"#)
}

#[test]
fn what_is_proven_is_what_was_sent() {
    let (mut webhooks, mut calls) = (0, 0);
    for case in CASES.iter().filter(|case| case.verdict == Verdict::Genuine) {
        let genuine = case.prove(Treezor::from_json).unwrap();
        let call = match &*case.name {
            "confirmation-header-ignored" => None,
            name if name.starts_with("confirmation") => Some(Unreadable::SubscriptionConfirmation),
            name if name.starts_with("unsubscribe") => Some(Unreadable::UnsubscribeConfirmation),
            _ => None,
        };
        assert_eq!((genuine.body(), genuine.call()), (&*case.body(), call), "{}", case.name);
        if let Some(call) = call {
            assert_eq!(verdict_webhooks::read(&genuine), Err(call), "{}", case.name);
            assert_eq!(*genuine.minimised_body(usize::MAX).unwrap(), *case.body(), "{}: kept as sent", case.name);
        }
        *(if call.is_some() { &mut calls } else { &mut webhooks }) += 1;
    }
    assert!(webhooks > 50 && calls > 10, "{webhooks}, {calls}");
}

#[test]
fn of_a_call_up_to_64_kilobytes_are_kept() {
    let case = named("confirmation");
    let kept = |length: usize| {
        let headers = Headers::from_iter([("x-amz-sns-message-type", "SubscriptionConfirmation")]);
        let delivery = Delivery::new("POST", "/treezor", headers, vec![b'x'; length]).with_query(case.query.clone());
        let genuine = case.treezor().prove(delivery, case.now()).unwrap();
        assert_eq!(genuine.body_digest(), sha256_hex(&vec![b'x'; length]), "of what was sent");
        genuine.body().len()
    };
    assert_eq!([0, 65_536, 65_537, 1_000_000].map(kept), [0, 65_536, 65_536, 65_536]);
}

#[test]
fn each_bit_of_the_digest_counts() {
    let case = named("review");
    let digest = STANDARD.decode(case.signature()).unwrap();
    for bit in 0..256 {
        let mut flipped = digest.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let body = envelope(&case.payload(), &STANDARD.encode(flipped));
        assert_eq!(case.refusal_of(body), Some(Refusal::SignatureMismatch), "bit {bit}");
    }
}

#[test]
fn each_bit_of_the_payload_counts() {
    let case = named("review");
    let (text, payload) = (case.text(), case.payload());
    assert_eq!(case.refusal_of(&text), None);
    let start = text.find(&payload).unwrap();
    let mut body = text.into_bytes();
    for at in start..start + payload.len() {
        for bit in 0..8 {
            body[at] ^= 1 << bit;
            let expected = match case.refusal_of(&body) {
                // An escape with a digit in the other case is the same text.
                None => {
                    let flipped = std::str::from_utf8(&body[start..start + payload.len()]).unwrap();
                    flipped.to_lowercase() == payload.to_lowercase() && canonical(flipped) == payload
                }
                // Without a quote or a bracket there may be no envelope any more.
                Some(refusal) => matches!(refusal, Refusal::SignatureMismatch | Refusal::EnvelopeUnreadable),
            };
            assert!(expected, "bit {bit} of byte {at}");
            body[at] ^= 1 << bit;
        }
    }
}

#[test]
fn no_position_takes_anything_but_base64() {
    let case = named("review");
    for at in 0..44 {
        for other in ['*', ',', '.', ':', '@', '[', '`', '{', ' ', '-', '_', '\0', '\u{7f}'] {
            let mut signature = case.signature();
            signature.replace_range(at..=at, &other.to_string());
            let refusal = case.refusal_of(envelope(&case.payload(), &signature));
            assert_eq!(refusal, Some(Refusal::SignatureMalformed), "{other:?} at position {at}");
        }
    }
}

#[test]
fn a_payload_nested_a_million_deep_is_refused_like_any_other() {
    let case = named("review");
    let depth = 1_000_000;
    for (opening, closing) in [("[", "]"), (r#"{"a":"#, "}")] {
        let core = if opening == "[" { "" } else { "1" };
        let payload = opening.repeat(depth) + core + &closing.repeat(depth);
        let body = envelope(&payload, &case.signature());
        assert_eq!(in_time(|| case.refusal_of(&body)), Some(Refusal::SignatureMismatch));
        assert_eq!(in_time(|| case.refusal_of(&body[..body.len() / 2])), Some(Refusal::EnvelopeUnreadable));
    }
}

#[test]
fn a_million_members_take_their_time_and_no_more() {
    let case = named("review");
    let members = (0..1_000_000).fold(String::new(), |mut members, n| {
        write!(members, r#""{n:x}":{n},"#).unwrap();
        members
    });
    let body = case.text().replacen('{', &format!("{{{members}"), 1);
    assert_eq!(in_time(|| case.refusal_of(&body)), None);
    let payload = case.payload().replacen('{', &format!("{{{members}"), 1);
    let body = envelope(&payload, &case.signature());
    assert_eq!(in_time(|| case.refusal_of(&body)), Some(Refusal::SignatureMismatch));
}

#[test]
fn every_refusal_is_answered_alike_so_that_treezor_sends_it_again() {
    let answer = |disposition| {
        let answer = Treezor::answer("/treezor", disposition);
        (answer.status, answer.body)
    };
    for refusal in Refusal::ALL.into_iter().filter(|refusal| *refusal != Refusal::PathUnknown) {
        assert_eq!(answer(Disposition::Refused(refusal)), (500, r#"{"error":{"code":"unauthorized"}}"#));
    }
    assert_eq!(answer(Disposition::Refused(Refusal::PathUnknown)), (404, r#"{"message":"Not Found"}"#));
    assert_eq!(answer(Disposition::Failed), (503, r#"{"error":{"code":"unavailable"}}"#));
    for fine in [Disposition::Recorded, Disposition::Duplicate, Disposition::Ignored, Disposition::Quarantined] {
        assert_eq!(answer(fine), (200, "{}"), "{fine:?}");
    }
}

#[test]
fn nothing_printed_shows_what_was_sent() {
    let case = named("token-and-signature");
    let delivery = Delivery::new("POST", "/treezor", Headers::from_iter([("x", "canary")]), case.body())
        .with_query(case.query.clone());
    let printed =
        format!("{delivery:?} {delivery:#?} {:?} {:?}", case.treezor(), case.prove(Treezor::from_json).unwrap());
    let (signature, credentials) = (case.signature(), &case.credentials);
    for canary in [
        "canary",
        "6461762",
        &signature,
        credentials["secrets"][0].as_str().unwrap(),
        credentials["urlTokens"][0].as_str().unwrap(),
    ] {
        assert!(!printed.contains(canary), "{canary:?} in {printed}");
    }
}

/// Any JSON, with what could be taken for the payload or its end strewn in.
fn decoy() -> impl Strategy<Value = Value> {
    let text = r#"[{}\[\]",:\\]*|object_payload|"object_payload":\{\}|.{0,8}"#;
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = "object_payload|object_payload_signature|webhook|object_id|.{0,4}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..4).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn any_other_signature_is_refused(text in ".*") {
        let case = named("review");
        prop_assume!(text != case.signature());
        let refusal = case.refusal_of(envelope(&case.payload(), &text));
        prop_assert_eq!(refusal, Some(Refusal::SignatureMalformed));
    }

    #[test]
    fn any_other_digest_is_a_mismatch(digest: [u8; 32]) {
        let case = named("review");
        let refusal = case.refusal_of(envelope(&case.payload(), &STANDARD.encode(digest)));
        prop_assert_eq!(refusal, Some(Refusal::SignatureMismatch));
    }

    #[test]
    fn a_digest_of_any_other_length_is_malformed(digest in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assume!(digest.len() != 32);
        let case = named("review");
        let refusal = case.refusal_of(envelope(&case.payload(), &STANDARD.encode(digest)));
        prop_assert_eq!(refusal, Some(Refusal::SignatureMalformed));
    }

    #[test]
    fn a_signature_with_anything_put_in_is_malformed(more in ".+", at: Index) {
        let case = named("review");
        let mut signature = case.signature();
        signature.insert_str(at.index(45), &more);
        let refusal = case.refusal_of(envelope(&case.payload(), &signature));
        prop_assert_eq!(refusal, Some(Refusal::SignatureMalformed));
    }

    #[test]
    fn any_other_payload_is_a_mismatch(payload in decoy()) {
        let case = named("review");
        let refusal = case.refusal_of(envelope(&payload.to_string(), &case.signature()));
        prop_assert_eq!(refusal, Some(Refusal::SignatureMismatch));
    }

    #[test]
    fn nothing_around_the_payload_makes_another_payload_of_it(
        name in ".*", id: String, time: u64, before in decoy(), after in decoy(), wrapped: bool,
    ) {
        let case = named("review");
        let body = |name: &str| {
            let (name, id, payload, signature) = (Value::from(name), Value::from(&*id), case.payload(), case.signature());
            let flat = format!(
                r#"{{"webhook":{name},"a":{before},"webhook_id":{id},"object_payload":{payload},"b":{after},"{SIGNATURE}":"{signature}","webhook_created_at":{time}}}"#,
            );
            if wrapped { format!(r#"{{"c":{after},"webhook":{flat},"d":{before}}}"#) } else { flat }
        };
        prop_assert_eq!(case.refusal_of(body(&name)), None);
        let delivery = Delivery::new("POST", "/treezor", Headers::default(), body("user.kycreview").into_bytes());
        let treezor = case.treezor();
        let Ok(Reading::Events { events, .. }) = verdict_webhooks::read(&treezor.prove(delivery, now()).unwrap()) else {
            panic!("unreadable")
        };
        prop_assert_eq!(events.len(), 1);
        prop_assert_eq!(events[0].session.session_id.as_str(), "user:6461762");
        prop_assert!(events[0].decision.is_some());
    }

    #[test]
    fn white_space_counts_within_strings_alone(at: Index, space in "[ \t\r\n]{1,3}") {
        let case = named("review");
        let payload = case.payload();
        let at = at.index(payload.len());
        // The payload holds no escaped quote: an odd number of quotes before it means within a string.
        let within = payload[..at].matches('"').count() % 2 == 1;
        let word = payload[..at].ends_with('\\') || payload[at..].starts_with('\\');
        prop_assume!(!word);
        let mut spaced = payload.clone();
        spaced.insert_str(at, &space);
        let refusal = case.refusal_of(envelope(&spaced, &case.signature()));
        prop_assert_eq!(refusal.is_some(), within, "{}", spaced);
    }

    #[test]
    fn any_other_token_is_refused(token in ".*|url-token-[0-9a-f]{32}") {
        let case = named("token-and-signature");
        prop_assume!(token != case.query[0].1);
        let delivery = case.delivery().with_query(vec![("token".into(), token)]);
        prop_assert_eq!(case.treezor().prove(delivery, now()).err(), Some(Refusal::UrlTokenMismatch));
    }

    #[test]
    fn no_request_without_the_signature_is_genuine(
        method in "POST|GET|.*",
        path in "/treezor|.*",
        headers in prop::collection::vec(("x-signature|object_payload_signature|.*", "[0-9A-Za-z+/]{43}=|.*"), 0..6),
        query in prop::collection::vec(("token|.*", ".*"), 0..3),
        members in prop::collection::btree_map("webhook|object_payload|object_payload_signature|Type|.*", decoy(), 0..6),
        body in any::<Vec<u8>>(),
        json: bool,
    ) {
        let treezor = named("review").treezor();
        let body = if json { Value::from_iter(members).to_string().into_bytes() } else { body };
        let delivery = Delivery::new(method, path, headers.into_iter().collect(), body).with_query(query);
        prop_assert!(treezor.prove(delivery, now()).is_err());
    }
}
