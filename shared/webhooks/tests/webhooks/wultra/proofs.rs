//! Which deliveries Wultra's proof accepts: the conformance vectors, and properties where a table would be silly.

use crate::conformance::{Case, Verdict, cases};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::{prelude::*, sample::Index};
use std::sync::LazyLock;
use verdict_sessions::{Provider, Timestamp};
use verdict_webhooks::{Delivery, Headers, Refusal, WebhookSource, wultra::Wultra};

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| cases(Provider::Wultra));

const AUTHORIZATION: &str = "authorization";
const KEY: &str = "x-onboarding-key";

fn named(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap()
}

impl Case {
    fn wultra(&self) -> Wultra {
        self.provider(Wultra::from_json)
    }

    /// The user name and password that hold.
    fn login(&self) -> (&str, &str) {
        let login = &self.credentials["basic"][0];
        (login["username"].as_str().unwrap(), login["password"].as_str().unwrap())
    }
}

fn now() -> Timestamp {
    named("login").now()
}

/// The refusal of these headers, if they are refused.
fn refusal<'h>(wultra: &Wultra, headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> Option<Refusal> {
    let headers = Headers::from_iter(headers);
    wultra.prove(Delivery::new("POST", "/wultra/process/event", headers, b"{}".to_vec()), now()).err()
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

#[test]
fn what_is_proven_is_what_was_sent() {
    for case in CASES.iter().filter(|case| case.verdict == Verdict::Genuine) {
        assert_eq!(case.prove(Wultra::from_json).unwrap().body(), case.body(), "{}", case.name);
    }
}

#[test]
fn each_bit_of_the_password_counts() {
    let case = named("login");
    let (wultra, (user, password)) = (case.wultra(), case.login());
    for at in 0..password.len() {
        for bit in 0..8 {
            let mut flipped = password.as_bytes().to_vec();
            flipped[at] ^= 1 << bit;
            let header = format!("Basic {}", STANDARD.encode([user.as_bytes(), b":", &flipped].concat()));
            let expected = Some(Refusal::AuthorizationMismatch);
            assert_eq!(refusal(&wultra, [(AUTHORIZATION, &*header)]), expected, "bit {bit} at {at}");
        }
    }
}

#[test]
fn no_beginning_and_no_end_of_a_secret_is_the_secret() {
    let case = named("both");
    let (wultra, (user, password)) = (case.wultra(), case.login());
    let (login, key) = (case.header(AUTHORIZATION), case.header(KEY));
    assert_eq!(refusal(&wultra, [(AUTHORIZATION, login), (KEY, key)]), None);
    for at in 1..password.len() {
        for part in [&password[..at], &password[at..]] {
            let header = basic(user, part);
            let expected = Some(Refusal::AuthorizationMismatch);
            assert_eq!(refusal(&wultra, [(AUTHORIZATION, &*header), (KEY, key)]), expected, "{part}");
        }
    }
    for at in 0..key.len() {
        for part in [&key[..at], &key[at + 1..]] {
            let expected = Some(Refusal::SecretHeaderMismatch);
            assert_eq!(refusal(&wultra, [(AUTHORIZATION, login), (KEY, part)]), expected, "{part}");
        }
    }
}

#[test]
fn each_bit_of_a_key_counts() {
    let case = named("key");
    let (wultra, key) = (case.wultra(), case.header(KEY));
    for at in 0..key.len() {
        for bit in 0..7 {
            let mut flipped = key.as_bytes().to_vec();
            flipped[at] ^= 1 << bit;
            let flipped = String::from_utf8(flipped).unwrap();
            let expected = Some(Refusal::SecretHeaderMismatch);
            assert_eq!(refusal(&wultra, [(KEY, &*flipped)]), expected, "bit {bit} at {at}");
        }
    }
}

#[test]
fn what_is_listed_twice_is_accepted_like_what_is_listed_once() {
    let (password, key) = ("password-9bN4vR7tK2", "key-9bN4vR7tK2wQ5zX8");
    let login = serde_json::json!({"username": "user", "password": password});
    let wultra = serde_json::json!({"basic": [login, login], "headers": {KEY: [key, key]}});
    let wultra = Wultra::from_json(&wultra.to_string()).unwrap();
    assert_eq!(refusal(&wultra, [(AUTHORIZATION, &*basic("user", password)), (KEY, key)]), None);
}

#[test]
fn any_login_of_a_long_list_is_accepted_and_no_mixture_of_two() {
    let logins: Vec<_> = (0..20).map(|n| (format!("user-{n}"), format!("password-{n}-9bN4vR7tK2"))).collect();
    let json: Vec<_> =
        logins.iter().map(|(user, password)| serde_json::json!({"username": user, "password": password})).collect();
    let wultra = Wultra::from_json(&serde_json::json!({"basic": json}).to_string()).unwrap();
    for (user, own) in &logins {
        for (_, password) in &logins {
            let expected = (own != password).then_some(Refusal::AuthorizationMismatch);
            assert_eq!(refusal(&wultra, [(AUTHORIZATION, &*basic(user, password))]), expected, "{user} {password}");
        }
    }
}

#[test]
fn a_thousand_logins_are_no_login() {
    let case = named("login");
    let (wultra, login) = (case.wultra(), case.header(AUTHORIZATION));
    let joined = vec![login; 1000].join(",");
    assert_eq!(refusal(&wultra, [(AUTHORIZATION, &*joined)]), Some(Refusal::AuthorizationMalformed));
    assert_eq!(refusal(&wultra, vec![(AUTHORIZATION, login); 1000]), Some(Refusal::AuthorizationRepeated));
}

#[test]
fn nothing_printed_shows_what_was_sent() {
    let case = named("both");
    let headers: Headers = case.headers.iter().cloned().collect();
    let delivery = Delivery::new("POST", "/canary-in-the-path/wultra/process/event", headers, case.body());
    let wultra = case.wultra();
    let printed =
        format!("{delivery:?} {delivery:#?} {wultra:?} {wultra:#?} {:?}", case.prove(Wultra::from_json).unwrap());
    let (_, password) = case.login();
    for canary in ["canary", "FINISHED", "8b2dfae4", case.header(AUTHORIZATION), case.header(KEY), password] {
        assert!(!printed.contains(canary), "{canary:?} in {printed}");
    }
}

proptest! {
    #[test]
    fn any_other_header_text_is_refused(text in ".*|Basic .*|[Bb]asic [A-Za-z0-9+/]*=?=?") {
        let case = named("login");
        prop_assume!(text != case.header(AUTHORIZATION));
        prop_assert!(refusal(&case.wultra(), [(AUTHORIZATION, &*text)]).is_some());
    }

    #[test]
    fn any_other_login_is_a_mismatch(user in "wultra|[^:]*", password in ".*") {
        let case = named("login");
        prop_assume!((&*user, &*password) != case.login());
        let header = basic(&user, &password);
        prop_assert_eq!(refusal(&case.wultra(), [(AUTHORIZATION, &*header)]), Some(Refusal::AuthorizationMismatch));
    }

    #[test]
    fn any_strong_login_that_is_configured_is_accepted(user in "[^:]*[^:\\s][^:]*", password in "\\S.{20,60}\\S") {
        let credentials = serde_json::json!({"basic": [{"username": user, "password": password}]}).to_string();
        // A placeholder by chance.
        let Ok(wultra) = Wultra::from_json(&credentials) else { return Ok(()) };
        prop_assert_eq!(refusal(&wultra, [(AUTHORIZATION, &*basic(&user, &password))]), None);
    }

    #[test]
    fn a_login_with_anything_put_in_is_refused(more in ".+", at: Index) {
        let case = named("login");
        let mut header = case.header(AUTHORIZATION).to_owned();
        header.insert_str(at.index(header.len() + 1), &more);
        // Several spaces may follow the scheme.
        prop_assume!(header.split(' ').filter(|word| !word.is_empty()).ne(case.header(AUTHORIZATION).split(' ')));
        prop_assert!(refusal(&case.wultra(), [(AUTHORIZATION, &*header)]).is_some());
    }

    #[test]
    fn a_key_with_anything_put_in_is_a_mismatch(more in ".+", at: Index) {
        let case = named("key");
        let mut key = case.header(KEY).to_owned();
        key.insert_str(at.index(key.len() + 1), &more);
        prop_assert_eq!(refusal(&case.wultra(), [(KEY, &*key)]), Some(Refusal::SecretHeaderMismatch));
    }

    #[test]
    fn any_body_is_vouched_for_by_the_login(body in any::<Vec<u8>>()) {
        let case = named("login");
        let headers = Headers::from_iter([(AUTHORIZATION, case.header(AUTHORIZATION))]);
        let delivery = Delivery::new("POST", "/wultra/process/event", headers, body.clone());
        let genuine = case.wultra().prove(delivery, now()).unwrap();
        prop_assert_eq!(genuine.body(), body);
    }

    #[test]
    fn no_request_without_the_secrets_is_genuine(
        method in "POST|GET|.*",
        path in "/wultra/process/event|.*",
        headers in prop::collection::vec(("authorization|x-onboarding-key|.*", "Basic [A-Za-z0-9+/]{4,80}|[0-9a-f-]{36}|.*"), 0..6),
        body in any::<Vec<u8>>(),
    ) {
        for case in ["login", "key", "both"].map(named) {
            let headers = headers.iter().cloned().collect();
            let delivery = Delivery::new(method.clone(), path.clone(), headers, body.clone());
            prop_assert!(case.wultra().prove(delivery, now()).is_err());
        }
    }
}
