//! Evidence: what a proof keeps of how it was made. It names what matched, and never holds a secret.

use crate::conformance::{Case, Verdict, cases, prove};
use serde_json::{Value, json};
use verdict_sessions::{Evidence, Provider};
use verdict_webhooks::{Genuine, sha256_hex};

fn genuine_cases(provider: Provider) -> impl Iterator<Item = Case> {
    cases(provider).into_iter().filter(|case| case.verdict == Verdict::Genuine)
}

fn genuine(provider: Provider, case: &Case, credentials: &Value) -> Genuine {
    prove(provider, &credentials.to_string(), case.delivery(), case.now()).unwrap().unwrap()
}

/// The members of the credentials that have to match, each with its list.
fn lists(provider: Provider, credentials: &Value) -> Vec<(String, &Vec<Value>)> {
    let list = |member: &str, value: &'_ Value| value.as_array().map(|_| member.to_owned());
    let headers = credentials["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(name, values)| (format!("headers.{}", name.to_lowercase()), values));
    let other = match provider {
        Provider::Veriff => vec![("secrets", &credentials["secrets"])],
        Provider::Treezor => vec![("secrets", &credentials["secrets"]), ("urlTokens", &credentials["urlTokens"])],
        Provider::Incode => vec![("oauth.signingKeys", &credentials["oauth"]["signingKeys"])],
        Provider::Wultra => vec![("basic", &credentials["basic"])],
    };
    let other = other.into_iter().filter_map(|(member, value)| Some((list(member, value)?, value)));
    other.chain(headers).map(|(member, value)| (member, value.as_array().unwrap())).collect()
}

/// Every text of at least 16 characters that the credentials hold as a value: the secrets.
fn secrets(credentials: &Value) -> Vec<String> {
    match credentials {
        Value::String(text) if text.len() >= 16 => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(secrets).collect(),
        Value::Object(members) => members.values().flat_map(secrets).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_proof_says_which_entry_of_each_list_matched_and_no_secret() {
    for provider in Provider::ALL {
        for case in genuine_cases(provider) {
            let genuine = genuine(provider, &case, &case.credentials);
            let Evidence { body_sha256, credentials, .. } = genuine.evidence();
            assert_eq!(*body_sha256, sha256_hex(&case.body()), "{}", case.name);
            let is_unsigned = provider == Provider::Treezor && genuine.evidence().signature.is_none();
            let mut expected = lists(provider, &case.credentials);
            // A review or a call that isn't signed has only the token in its URL.
            expected.retain(|(member, _)| !is_unsigned || member != "secrets");
            expected.sort_by(|a, b| a.0.cmp(&b.0));
            let mut found = credentials.clone();
            found.sort_by(|a, b| a.member.cmp(&b.member));
            let members: Vec<_> = found.iter().map(|found| (found.member.clone(), found.of)).collect();
            let of_lists: Vec<_> = expected.iter().map(|(member, list)| (member.clone(), list.len() as u64)).collect();
            assert_eq!(members, of_lists, "{}", case.name);
            assert!(found.iter().all(|found| (1..=found.of).contains(&found.position)), "{}", case.name);
            let text = json!(genuine.evidence()).to_string();
            for secret in secrets(&case.credentials) {
                assert!(!text.contains(&secret), "{}: {text}", case.name);
            }
        }
    }
}

/// A rotation: the same delivery, with its secret at each place of a list.
#[test]
fn a_secret_is_named_by_its_place_in_the_list() {
    let others = ["kD83nvQw0LxTz5RbYh2MgU7s", "pW4eJc9VtZq6Hn1XoB8yRk3F"];
    let token_others = ["kD83nvQw0LxTz5RbYh2MgU7skD83nvQw0L", "pW4eJc9VtZq6Hn1XoB8yRk3FpW4eJc9VtZ"];
    for (provider, pointer) in [
        (Provider::Veriff, "/secrets"),
        (Provider::Treezor, "/secrets"),
        (Provider::Treezor, "/urlTokens"),
        (Provider::Incode, "/headers/x-incode-secret"),
        (Provider::Incode, "/oauth/signingKeys"),
        (Provider::Wultra, "/basic"),
    ] {
        let member = pointer.trim_start_matches('/').replace('/', ".");
        let has_one = |case: &Case| {
            case.credentials.pointer(pointer).and_then(Value::as_array).is_some_and(|list| list.len() == 1)
        };
        let signed = |case: &Case| {
            let genuine = genuine(provider, case, &case.credentials);
            genuine.evidence().credentials.iter().any(|matched| matched.member == member)
        };
        let case = genuine_cases(provider).filter(has_one).find(signed).unwrap_or_else(|| panic!("{pointer}"));
        let own = case.credentials.pointer(pointer).unwrap()[0].clone();
        let others = if pointer == "/urlTokens" { token_others } else { others }.map(|secret| match pointer {
            "/basic" => json!({"username": "other", "password": secret}),
            _ => json!(secret),
        });
        let [first, second] = others;
        for (list, position) in [
            (vec![own.clone(), first.clone(), second.clone()], 1),
            (vec![first.clone(), own.clone(), second.clone()], 2),
            (vec![first, second, own], 3),
        ] {
            let mut credentials = case.credentials.clone();
            *credentials.pointer_mut(pointer).unwrap() = json!(list);
            let genuine = genuine(provider, &case, &credentials);
            let matched = genuine.evidence().credentials.iter().find(|matched| matched.member == member).unwrap();
            assert_eq!((matched.position, matched.of), (position, 3), "{provider} {pointer}");
        }
    }
}

#[test]
fn the_signature_is_kept_as_it_was_sent() {
    for case in genuine_cases(Provider::Veriff) {
        let genuine = genuine(Provider::Veriff, &case, &case.credentials);
        let signature = genuine.evidence().signature.clone().unwrap();
        assert!(case.headers.iter().any(|(_, value)| *value == signature), "{}", case.name);
    }
    for case in genuine_cases(Provider::Treezor) {
        let genuine = genuine(Provider::Treezor, &case, &case.credentials);
        let body = String::from_utf8_lossy(&case.body()).replace("\\/", "/");
        match &genuine.evidence().signature {
            Some(signature) => assert!(body.contains(signature.as_str()), "{}", case.name),
            // A call of the transport's has no payload.
            None => assert!(
                !body.contains("object_payload_signature") || !body.contains(r#""object_payload""#),
                "{}",
                case.name
            ),
        }
    }
    for provider in [Provider::Incode, Provider::Wultra] {
        let case = genuine_cases(provider).next().unwrap();
        assert_eq!(genuine(provider, &case, &case.credentials).evidence().signature, None);
    }
}

#[test]
fn a_signature_that_no_provider_sends_is_left_out() {
    let evidence = |length| Evidence::of_body("digest".into()).signed(&"x".repeat(length)).signature;
    assert_eq!(evidence(Evidence::SIGNATURE_LIMIT).map(|signature| signature.len()), Some(256));
    assert_eq!(evidence(Evidence::SIGNATURE_LIMIT + 1), None);
}

#[test]
fn evidence_that_comes_back_from_the_queue_keeps_the_digest_of_its_own_body() {
    let case = genuine_cases(Provider::Veriff).next().unwrap();
    let proved = genuine(Provider::Veriff, &case, &case.credentials);
    let evidence = Evidence { body_sha256: "another".into(), ..proved.evidence().clone() };
    let (path, at, digest) = (proved.path().to_owned(), proved.received_at(), proved.body_digest());
    let kept = Genuine::from_our_queue(Provider::Veriff, path, at, b"{}".to_vec(), digest).with_evidence(evidence);
    assert_eq!(kept.evidence(), proved.evidence());
    assert_eq!(kept.body_digest(), proved.body_digest());
}
