//! Which deliveries Veriff's proof accepts: the conformance vectors, and properties where a table would be silly.

use crate::conformance::{Case, Verdict, cases};
use proptest::{prelude::*, sample::Index};
use std::sync::LazyLock;
use verdict_sessions::{Provider, Timestamp};
use verdict_webhooks::{Delivery, Headers, Refusal, WebhookSource, veriff::Veriff};

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| cases(Provider::Veriff));

const SIGNATURE: &str = "x-hmac-signature";

fn named(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap()
}

impl Case {
    fn veriff(&self) -> Veriff {
        self.provider(Veriff::from_json)
    }

    fn signature_header(&self) -> &str {
        self.header(SIGNATURE)
    }
}

fn now() -> Timestamp {
    named("decision").now()
}

/// The refusal of a signature over a body, if it is refused.
fn refusal(veriff: &Veriff, signature: &str, body: &[u8]) -> Option<Refusal> {
    let headers = Headers::from_iter([(SIGNATURE, signature)]);
    veriff.prove(Delivery::new("POST", "/veriff/decisions", headers, body.to_vec()), now()).err()
}

#[test]
fn what_is_proven_is_what_was_sent() {
    for case in CASES.iter().filter(|case| case.verdict == Verdict::Genuine) {
        assert_eq!(case.prove(Veriff::from_json).unwrap().body(), case.body(), "{}", case.name);
    }
}

#[test]
fn each_bit_of_the_digest_counts() {
    let case = named("decision");
    let (veriff, body) = (case.veriff(), case.body());
    for bit in 0..256 {
        let mut digits: Vec<u32> = case.signature_header().chars().map(|digit| digit.to_digit(16).unwrap()).collect();
        digits[bit / 4] ^= 1 << (bit % 4);
        let flipped: String = digits.into_iter().map(|digit| char::from_digit(digit, 16).unwrap()).collect();
        assert_eq!(refusal(&veriff, &flipped, &body), Some(Refusal::SignatureMismatch), "bit {bit}");
    }
}

#[test]
fn each_bit_of_the_body_counts() {
    let case = named("decision");
    let (veriff, mut body) = (case.veriff(), case.body());
    assert_eq!(refusal(&veriff, case.signature_header(), &body), None);
    for at in 0..body.len() {
        let bit = 1 << (at % 8);
        body[at] ^= bit;
        assert_eq!(refusal(&veriff, case.signature_header(), &body), Some(Refusal::SignatureMismatch), "byte {at}");
        body[at] ^= bit;
    }
}

#[test]
fn no_position_takes_anything_but_a_hex_digit() {
    let case = named("decision");
    let (veriff, body) = (case.veriff(), case.body());
    let neighbours_of_the_digits = ['/', ':', '@', 'G', '`', 'g', ' ', '-', '\0', '\u{7f}'];
    for at in 0..64 {
        for other in neighbours_of_the_digits {
            let mut signature = case.signature_header().to_owned();
            signature.replace_range(at..=at, &other.to_string());
            assert_eq!(
                refusal(&veriff, &signature, &body),
                Some(Refusal::SignatureMalformed),
                "{other:?} at position {at}"
            );
        }
    }
}

#[test]
fn a_thousand_signatures_are_no_signature() {
    let case = named("decision");
    let (veriff, body) = (case.veriff(), case.body());
    let joined = vec![case.signature_header(); 1000].join(",");
    assert_eq!(refusal(&veriff, &joined, &body), Some(Refusal::SignatureMalformed));

    let headers: Headers = (0..1000).map(|_| (SIGNATURE, case.signature_header())).collect();
    let delivery = Delivery::new("POST", "/veriff/decisions", headers, body);
    assert_eq!(veriff.prove(delivery, now()).err(), Some(Refusal::SignatureRepeated));
}

#[test]
fn nothing_printed_shows_what_was_sent() {
    let case = named("decision");
    let headers: Headers = case.headers.iter().cloned().collect();
    let delivery = Delivery::new("POST", "/veriff/decisions?token=canary-in-the-path", headers, case.body());
    let printed =
        format!("{delivery:?} {delivery:#?} {:?} {:?}", case.veriff(), case.prove(Veriff::from_json).unwrap());
    for canary in
        ["canary", "approved", "f04bdb47", case.signature_header(), case.credentials["secrets"][0].as_str().unwrap()]
    {
        assert!(!printed.contains(canary), "{canary:?} in {printed}");
    }
}

proptest! {
    #[test]
    fn any_other_header_text_is_refused(text in ".*") {
        let case = named("decision");
        prop_assume!(!text.eq_ignore_ascii_case(case.signature_header()));
        prop_assert!(refusal(&case.veriff(), &text, &case.body()).is_some());
    }

    #[test]
    fn any_other_digest_is_a_mismatch(digest in "[0-9a-fA-F]{64}") {
        let case = named("decision");
        prop_assume!(!digest.eq_ignore_ascii_case(case.signature_header()));
        prop_assert_eq!(refusal(&case.veriff(), &digest, &case.body()), Some(Refusal::SignatureMismatch));
    }

    #[test]
    fn a_signature_with_anything_put_in_is_malformed(more in ".+", at: Index) {
        let case = named("decision");
        let mut signature = case.signature_header().to_owned();
        signature.insert_str(at.index(65), &more);
        prop_assert_eq!(refusal(&case.veriff(), &signature, &case.body()), Some(Refusal::SignatureMalformed));
    }

    #[test]
    fn any_other_body_is_a_mismatch(body in any::<Vec<u8>>()) {
        let case = named("decision");
        prop_assume!(body != case.body());
        prop_assert_eq!(refusal(&case.veriff(), case.signature_header(), &body), Some(Refusal::SignatureMismatch));
    }

    #[test]
    fn either_case_of_each_digit_is_accepted(upper in any::<[bool; 32]>(), lower in any::<[bool; 32]>()) {
        let case = named("decision");
        let raise = |(digit, up): (char, &bool)| if *up { digit.to_ascii_uppercase() } else { digit };
        let signature: String = case.signature_header().chars().zip(upper.iter().chain(&lower)).map(raise).collect();
        prop_assert_eq!(refusal(&case.veriff(), &signature, &case.body()), None);
    }

    #[test]
    fn no_request_without_the_signature_is_genuine(
        method in "POST|GET|.*",
        path in "/veriff/(events|decisions)|.*",
        headers in prop::collection::vec(("(x|vrf)-(hmac-signature|auth-client)|x-signature|.*", "[0-9a-f]{64}|.*"), 0..6),
        body in any::<Vec<u8>>(),
    ) {
        let veriff = named("decision").veriff();
        let delivery = Delivery::new(method, path, headers.into_iter().collect(), body);
        prop_assert!(veriff.prove(delivery, now()).is_err());
    }
}
