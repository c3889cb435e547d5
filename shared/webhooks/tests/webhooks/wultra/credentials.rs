//! Credentials of Wultra's that must not start a function, and what the message says of them: where, never what.

use serde_json::{Value, json};
use verdict_webhooks::{CredentialsError, WeakSecret, wultra::Wultra};

const STRONG: &str = "abcdef12-abcd-abcd-abcd-abcdef012345";
const OTHER: &str = "0f3b6c1e-52d4-4a7b-9c60-7d1e8a2b4f95";

const LOGIN: (&str, &str) = ("wultra", STRONG);

fn login((username, password): (&str, &str)) -> Value {
    json!({"username": username, "password": password})
}

fn error(credentials: &Value) -> CredentialsError {
    error_of_text(&credentials.to_string())
}

fn error_of_text(credentials: &str) -> CredentialsError {
    Wultra::from_json(credentials).expect_err(credentials)
}

fn weak(member: &'static str, position: usize, weakness: WeakSecret) -> CredentialsError {
    CredentialsError::Weak { member, position, weakness }
}

#[test]
fn logins_headers_or_both_are_taken() {
    for credentials in [
        json!({"basic": [login(LOGIN)]}),
        json!({"basic": [login(LOGIN), login(("josé 2", "with: colon and spaces"))]}),
        json!({"headers": {"x-onboarding-key": [STRONG]}}),
        json!({"headers": {"X-Onboarding-Key": [STRONG, OTHER], "authorization": ["Key 9bN4vR7tK2wQ5zX8"]}}),
        json!({"basic": [login(LOGIN)], "headers": {"x-onboarding-key": [OTHER]}}),
    ] {
        assert!(Wultra::from_json(&credentials.to_string()).is_ok(), "{credentials}");
    }
}

#[test]
fn without_any_secret_there_is_no_start() {
    for (credentials, member) in [
        (json!({}), "basic or headers"),
        (json!({"basic": []}), "basic"),
        (json!({"headers": {}}), "headers"),
        (json!({"headers": {"x-key": []}}), "headers"),
        (json!({"headers": {"x-key": [STRONG], "x-other": []}}), "headers"),
        (json!({"basic": [], "headers": {"x-key": [STRONG]}}), "basic"),
        (json!({"basic": [login(LOGIN)], "headers": {}}), "headers"),
    ] {
        assert_eq!(error(&credentials), CredentialsError::Empty { member }, "{credentials}");
    }
}

#[test]
fn each_weakness_is_named() {
    for (secret, weakness) in [
        ("", WeakSecret::Blank),
        (" \t", WeakSecret::Blank),
        ("abcdef12-abcd-abcd-abcd-abcdef012345\n", WeakSecret::Padded),
        ("0123456789abcde", WeakSecret::Short),
        ("changeme", WeakSecret::Placeholder),
        ("<the password of the integration>", WeakSecret::Placeholder),
    ] {
        let logins = json!({"basic": [login(LOGIN), login(("wultra", secret))]});
        assert_eq!(error(&logins), weak("basic", 2, weakness), "{secret:?}");
        let headers = json!({"headers": {"x-key": [STRONG, OTHER, secret]}});
        assert_eq!(error(&headers), weak("headers", 3, weakness), "{secret:?}");
        let both = json!({"basic": [login(LOGIN)], "headers": {"x-key": [secret]}});
        assert_eq!(error(&both), weak("headers", 1, weakness), "{secret:?}");
    }
}

#[test]
fn names_must_be_usable() {
    for name in ["", " ", "\t", "a:b", ":"] {
        assert_eq!(error(&json!({"basic": [login((name, STRONG))]})), weak("basic", 1, WeakSecret::NoName), "{name:?}");
    }
    for name in ["", " ", "x key", "x-key ", "x:key", "x-key\n", "x-kéy", "(x)", "x/y"] {
        let credentials = json!({"headers": {name: [STRONG]}});
        assert_eq!(error(&credentials), weak("headers", 1, WeakSecret::NoName), "{name:?}");
    }
}

#[test]
fn what_is_not_the_documented_json_is_refused() {
    let login = login(LOGIN).to_string();
    for credentials in [
        String::new(),
        "null".into(),
        format!("[{login}]"),
        login.clone(),
        format!(r#"{{"basic":{login}}}"#),
        format!(r#"{{"basic":[{login},null]}}"#),
        format!(r#"{{"basic":["wultra:{STRONG}"]}}"#),
        format!(r#"{{"basic":[["wultra","{STRONG}"]],"x":1}}"#),
        r#"{"basic":[{"username":"wultra"}]}"#.into(),
        format!(r#"{{"basic":[{{"password":"{STRONG}"}}]}}"#),
        format!(r#"{{"basic":[{{"username":"wultra","password":"{STRONG}","realm":"x"}}]}}"#),
        format!(r#"{{"basic":[{{"id":"wultra","secret":"{STRONG}"}}]}}"#),
        format!(r#"{{"basic":[["wultra","{STRONG}"]]}}"#),
        format!(r#"{{"basic":[{{"username":"wultra","password":"{STRONG}","password":"{OTHER}"}}]}}"#),
        format!(r#"{{"basic":[{login}],"basic":[{login}]}}"#),
        format!(r#"{{"basic":[{login}],"secrets":["{STRONG}"]}}"#),
        format!(r#"{{"Basic":[{login}]}}"#),
        format!(r#"{{"basic":null,"headers":{{"x-key":["{STRONG}"]}}}}"#),
        format!(r#"{{"basic":[{login}],"headers":null}}"#),
        format!(r#"{{"headers":{{"x-key":"{STRONG}"}}}}"#),
        format!(r#"{{"headers":["x-key","{STRONG}"]}}"#),
        format!(r#"{{"headers":{{"x-key":["{STRONG}"],"x-key":["{OTHER}"]}}}}"#),
        format!(r#"{{"headers":{{"x-key":["{STRONG}"],"X-Key":["{OTHER}"]}}}}"#),
    ] {
        assert!(matches!(error_of_text(&credentials), CredentialsError::Shape { .. }), "{credentials}");
    }
}

#[test]
fn the_message_says_where_and_what_to_do() {
    for (credentials, message) in [
        (json!({}), "`basic or headers` has no entry; give at least one"),
        (json!({"basic": [login(("", STRONG))]}), "`basic` entry 1 has no usable name beside it"),
        (json!({"headers": {"x-key": ["short"]}}), "`headers` entry 1 is shorter than 16 characters"),
    ] {
        assert_eq!(error(&credentials).to_string(), message);
    }
    let message = error_of_text(r#"{"basics":[]}"#).to_string();
    assert!(message.contains(r#""basic":[{"username":"…","password":"…"}]"#), "{message}");
}

#[test]
fn no_message_shows_any_part_of_the_credentials() {
    let canary = "canary-7f3a91";
    for credentials in [
        format!("\"{canary}\""),
        format!(r#"{{"{canary}":[]}}"#),
        format!(r#"{{"basic":"{canary}"}}"#),
        format!(r#"{{"basic":[{{"username":"{canary}","password":"{canary}"}}]}}"#),
        format!(r#"{{"basic":[{{"username":"{canary}:","password":"{STRONG}"}}]}}"#),
        format!(r#"{{"basic":[{{"username":"{canary}","password":"{STRONG}","{canary}":1}}]}}"#),
        format!(r#"{{"headers":{{"{canary}":"{STRONG}"}}}}"#),
        format!(r#"{{"headers":{{"{canary} ":["{STRONG}"]}}}}"#),
        format!(r#"{{"headers":{{"{canary}":["{STRONG}"],"{canary}":["{STRONG}"]}}}}"#),
        format!(r#"{{"headers":{{"x-key":["{canary}"]}}}}"#),
    ] {
        let error = error_of_text(&credentials);
        let printed = format!("{error} {error:?} {error:#?}");
        assert!(!printed.contains("canary") && !printed.contains(STRONG), "{printed}");
    }
    let credentials =
        format!(r#"{{"basic":[{{"username":"wultra","password":"{STRONG}"}}],"headers":{{"x-key":["{OTHER}"]}}}}"#);
    let printed = format!("{:?}", Wultra::from_json(&credentials).unwrap());
    assert!(!printed.contains(STRONG) && !printed.contains(OTHER), "{printed}");
}

#[test]
fn one_header_is_not_asked_for_two_things() {
    let credentials = json!({"basic": [login(LOGIN)], "headers": {"Authorization": [OTHER]}});
    assert_eq!(error(&credentials), CredentialsError::AuthorizationTaken { with: "basic" });
    assert!(error(&credentials).to_string().contains("another header"));
}
