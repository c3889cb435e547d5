//! Which deliveries Incode's proofs accept: the conformance vectors, and properties where a table would be silly.

use crate::conformance::{Case, Verdict, cases};
use proptest::{prelude::*, sample::Index};
use std::sync::LazyLock;
use verdict_sessions::{Provider, Timestamp};
use verdict_webhooks::{Delivery, Headers, Refusal, WebhookSource, incode::Incode};

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| cases(Provider::Incode));

const PATH: &str = "/incode/onboarding-status";
const HEADER: &str = "x-incode-secret";

fn named(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap()
}

impl Case {
    fn incode(&self) -> Incode {
        self.provider(Incode::from_json)
    }

    /// The token of a bearer case.
    fn token(&self) -> &str {
        self.header("authorization").strip_prefix("Bearer ").unwrap()
    }
}

/// The refusal of some headers on a case's body, if they are refused.
fn refusal<N: Into<String>, V: Into<String>>(
    case: &Case,
    headers: impl IntoIterator<Item = (N, V)>,
) -> Option<Refusal> {
    let delivery = Delivery::new("POST", PATH, headers.into_iter().collect(), case.body());
    case.incode().prove(delivery, case.now()).err()
}

fn refusal_of_token(case: &Case, token: &str) -> Option<Refusal> {
    refusal(case, [("authorization", format!("Bearer {token}"))])
}

#[test]
fn what_is_proven_is_what_was_sent() {
    for case in CASES.iter().filter(|case| case.verdict == Verdict::Genuine) {
        assert_eq!(case.prove(Incode::from_json).unwrap().body(), case.body(), "{}", case.name);
    }
}

#[test]
fn no_character_of_a_token_can_be_another() {
    let case = named("bearer-right");
    let token = case.token();
    assert_eq!(refusal_of_token(case, token), None);
    for (at, character) in token.char_indices() {
        for other in ['A', 'w', '-', '.', '=', '+', '\0', ' '] {
            if other != character {
                let mut changed = token.to_owned();
                changed.replace_range(at..=at, &other.to_string());
                let refusal = refusal_of_token(case, &changed);
                assert!(
                    matches!(refusal, Some(Refusal::AuthorizationMismatch | Refusal::AuthorizationMalformed)),
                    "{other:?} at {at}: {refusal:?}"
                );
            }
        }
    }
}

#[test]
fn a_token_cut_anywhere_is_none() {
    let case = named("bearer-right");
    let token = case.token();
    for length in 0..token.len() {
        assert!(refusal_of_token(case, &token[..length]).is_some(), "{length}");
        assert!(refusal_of_token(case, &token[length + 1..]).is_some(), "{length}");
    }
}

#[test]
fn a_token_is_good_until_its_expiry_and_no_longer() {
    let case = named("bearer-right");
    let expiry = Timestamp::parse("2026-06-13T01:39:00Z").unwrap().unix_seconds();
    for (seconds, nanos, expected) in [
        (expiry - 3600, 0, None),
        (expiry - 1, 0, None),
        (expiry - 1, 999_999_999, None),
        (expiry, 0, Some(Refusal::TokenExpired)),
        (expiry, 1, Some(Refusal::TokenExpired)),
        (expiry + 1, 0, Some(Refusal::TokenExpired)),
        // A clock that was set back: more than five minutes before it was signed.
        (expiry - 3600 - 300, 0, None),
        (expiry - 3600 - 301, 999_999_999, Some(Refusal::AuthorizationMismatch)),
        (0, 0, Some(Refusal::AuthorizationMismatch)),
    ] {
        let now = Timestamp::from_unix(seconds, nanos).unwrap();
        assert_eq!(case.incode().prove(case.delivery(), now).err(), expected, "{now}");
    }
}

#[test]
fn a_thousand_headers_are_none() {
    let case = named("header-right");
    let secret = case.header(HEADER);
    assert_eq!(refusal(case, vec![(HEADER, secret); 1000]), Some(Refusal::SecretHeaderRepeated));
    assert_eq!(refusal(case, [(HEADER, vec![secret; 1000].join(","))]), Some(Refusal::SecretHeaderMismatch));

    let case = named("bearer-right");
    let bearer = case.header("authorization");
    assert_eq!(refusal(case, vec![("authorization", bearer); 1000]), Some(Refusal::AuthorizationRepeated));
    assert_eq!(refusal(case, [("authorization", vec![bearer; 1000].join(","))]), Some(Refusal::AuthorizationMalformed));
}

#[test]
fn nothing_printed_shows_what_was_sent_or_configured() {
    for name in ["both-right", "both-wrong-both"] {
        let case = named(name);
        let proof = case.prove(Incode::from_json);
        let printed = format!("{:?} {:#?} {:#?} {proof:?} {proof:#?}", case.incode(), case.incode(), case.delivery());
        let token = case.token();
        let (_, signature) = token.rsplit_once('.').unwrap();
        for canary in [
            token,
            signature,
            case.header(HEADER),
            case.credentials["headers"][HEADER][0].as_str().unwrap(),
            case.credentials["oauth"]["clients"][0]["secret"].as_str().unwrap(),
            case.credentials["oauth"]["signingKeys"][0].as_str().unwrap(),
            "60000a22",
            "FINISHED",
        ] {
            assert!(!printed.contains(canary), "{canary:?} in {printed}");
        }
    }
}

proptest! {
    #[test]
    fn any_other_header_value_is_refused(value in ".*") {
        let case = named("header-right");
        prop_assume!(value != case.header(HEADER));
        prop_assert_eq!(refusal(case, [(HEADER, value)]), Some(Refusal::SecretHeaderMismatch));
    }

    #[test]
    fn any_other_authorization_is_refused(value in "(Bearer )?.*") {
        let case = named("bearer-right");
        prop_assert!(refusal(case, [("authorization", value)]).is_some());
    }

    #[test]
    fn three_parts_of_base64_are_no_token_of_ours(token in "[A-Za-z0-9_-]{1,80}\\.[A-Za-z0-9_-]{1,80}\\.[A-Za-z0-9_-]{43}") {
        let case = named("bearer-right");
        prop_assert_eq!(refusal_of_token(case, &token), Some(Refusal::AuthorizationMismatch));
    }

    #[test]
    fn a_token_with_anything_put_in_is_refused(more in ".+", at: Index) {
        let case = named("bearer-right");
        let mut token = case.token().to_owned();
        token.insert_str(at.index(token.len() + 1), &more);
        // Spaces after the scheme are the header's.
        prop_assume!(token.trim_start_matches(' ') != case.token());
        prop_assert!(refusal_of_token(case, &token).is_some());
    }

    #[test]
    fn any_body_is_genuine_under_the_right_headers(body in any::<Vec<u8>>()) {
        let case = named("both-right");
        let headers: Headers = case.headers.iter().cloned().collect();
        let genuine = case.incode().prove(Delivery::new("POST", PATH, headers, body.clone()), case.now()).unwrap();
        prop_assert_eq!(genuine.body(), body);
    }

    #[test]
    fn every_plain_segment_is_a_path(segment in "[a-z0-9-]{1,64}", before in "(/[a-z0-9]{1,8}){0,2}") {
        let case = named("header-right");
        let headers: Headers = case.headers.iter().cloned().collect();
        let delivery = Delivery::new("POST", format!("{before}/incode/{segment}"), headers, case.body());
        prop_assert!(case.incode().prove(delivery, case.now()).is_ok());
    }

    #[test]
    fn no_request_without_the_secrets_is_genuine(
        method in "POST|GET|.*",
        path in "/incode/(onboarding-status|watchlist)|.*",
        headers in prop::collection::vec(("x-incode-secret|authorization|.*", "Bearer [a-zA-Z0-9_.-]{60}|.*"), 0..6),
        body in any::<Vec<u8>>(),
    ) {
        for name in ["header-right", "bearer-right", "both-right"] {
            let case = named(name);
            let delivery = Delivery::new(method.clone(), path.clone(), headers.iter().cloned().collect(), body.clone());
            prop_assert!(case.incode().prove(delivery, case.now()).is_err());
        }
    }
}
