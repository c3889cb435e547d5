//! Credentials of Incode's that must not start a function, and what the message says of them: where, never what.

use serde_json::{Value, json};
use verdict_webhooks::{
    CredentialsError, WeakSecret, WebhookSource as _,
    incode::{ApiAccess, Incode, TokenEndpoint},
};

const STRONG: &str = "abcdef12-abcd-abcd-abcd-abcdef012345";
const OTHER: &str = "0f3b6c1e-52d4-4a7b-9c60-7d1e8a2b4f95";

fn headers() -> Value {
    json!({"headers": {"x-incode-secret": [STRONG]}})
}

fn oauth() -> Value {
    json!({"oauth": {"clients": [{"id": "client", "secret": STRONG}], "signingKeys": [OTHER]}})
}

fn api() -> Value {
    json!({"baseUrl": "https://api.example.com/0", "apiKey": "key", "email": "verdict@example.com", "password": "pw"})
}

/// The credentials `base` with the value at a JSON pointer's place set.
fn with(mut base: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    base.pointer_mut(parent).unwrap()[name] = value;
    base
}

fn with_api(member: &str, value: Value) -> Value {
    with(with(headers(), "/api", api()), &format!("/api/{member}"), value)
}

fn error(credentials: &Value) -> CredentialsError {
    error_of_text(&credentials.to_string())
}

/// The token endpoint reads the same credentials.
fn error_of_text(credentials: &str) -> CredentialsError {
    let error = Incode::from_json(credentials).expect_err(credentials);
    assert_eq!(TokenEndpoint::from_json(credentials).expect_err(credentials), error, "{credentials}");
    error
}

fn is_taken(credentials: &Value) -> bool {
    Incode::from_json(&credentials.to_string()).is_ok()
}

fn weak(member: &'static str, position: usize, weakness: WeakSecret) -> CredentialsError {
    CredentialsError::Weak { member, position, weakness }
}

fn client(id: &str, secret: &str) -> Value {
    json!({"id": id, "secret": secret})
}

#[test]
fn headers_or_oauth_or_both_are_taken() {
    let both = with(oauth(), "/headers", json!({"x-a": [STRONG, OTHER], "X-B": [STRONG]}));
    for credentials in [
        headers(),
        oauth(),
        both.clone(),
        with(both.clone(), "/api", api()),
        with(both, "/oauth/tokenTtlSeconds", json!(60)),
        with(headers(), "/headers/authorization", json!([STRONG])),
        with(oauth(), "/oauth/signingKeys", json!([STRONG, OTHER, "9bN4vR7tK2wQ5zX8"])),
        with(oauth(), "/oauth/clients", json!([client("a", STRONG), client("a", OTHER), client("b", STRONG)])),
        with(oauth(), "/oauth/clients", json!([client("ключ 🔑", "9:b:N:4:v:R:7:t:")])),
    ] {
        assert!(is_taken(&credentials), "{credentials}");
    }
}

#[test]
fn the_api_has_a_secret_of_its_own_if_the_credentials_are_in_one() {
    let elsewhere =
        |credentials: Value, has_api| Incode::from_json(&credentials.to_string()).unwrap().with_api_elsewhere(has_api);
    for has_api in [true, false] {
        let error = elsewhere(with(headers(), "/api", api()), has_api).unwrap_err();
        assert_eq!(error, CredentialsError::ApiAmongProofs);
        assert!(error.to_string().contains("a secret of its own"), "{error}");
        assert!(elsewhere(headers(), has_api).unwrap().api().is_none());
    }
    let access = ApiAccess::from_json(&json!({"api": api()}).to_string()).unwrap();
    assert_eq!((access.base_url(), access.password()), ("https://api.example.com/0", "pw"));
    for other in [json!({}), api(), json!({"api": null}), json!({"api": api(), "headers": {"x-a": [STRONG]}})] {
        assert!(ApiAccess::from_json(&other.to_string()).is_err(), "{other}");
    }
}

#[test]
fn without_any_proof_there_is_no_start() {
    let neither = CredentialsError::Empty { member: "headers or oauth" };
    assert_eq!(error(&json!({})), neither);
    assert_eq!(error(&json!({"api": api()})), neither);
    assert_eq!(neither.to_string(), "`headers or oauth` has no entry; give at least one");
}

#[test]
fn every_list_needs_an_entry() {
    for (credentials, member) in [
        (json!({"headers": {}}), "headers"),
        (with(headers(), "/headers/x-b", json!([])), "headers"),
        (with(oauth(), "/headers", json!({})), "headers"),
        (with(oauth(), "/oauth/clients", json!([])), "oauth.clients"),
        (with(oauth(), "/oauth/signingKeys", json!([])), "oauth.signingKeys"),
    ] {
        assert_eq!(error(&credentials), CredentialsError::Empty { member }, "{credentials}");
    }
}

#[test]
fn each_weakness_is_named_wherever_it_is() {
    for (secret, weakness) in [
        ("", WeakSecret::Blank),
        ("\t\r\n", WeakSecret::Blank),
        (" abcdef12-abcd-abcd-abcd", WeakSecret::Padded),
        ("abcdef12-abcd-abcd-abcd\n", WeakSecret::Padded),
        ("0123456789abcde", WeakSecret::Short),
        ("change_me_please_1234", WeakSecret::Placeholder),
        ("${INCODE_CLIENT_SECRET}", WeakSecret::Placeholder),
    ] {
        let clients = json!([client("a", STRONG), client("b", secret)]);
        for (credentials, member) in [
            (with(headers(), "/headers/x-incode-secret", json!([STRONG, secret])), "headers"),
            (with(oauth(), "/oauth/clients", clients), "oauth.clients"),
            (with(oauth(), "/oauth/signingKeys", json!([STRONG, secret])), "oauth.signingKeys"),
        ] {
            assert_eq!(error(&credentials), weak(member, 2, weakness), "{secret:?}");
        }
    }
}

#[test]
fn a_header_or_a_client_needs_a_name() {
    for name in ["", " ", "x secret", "x-secret:", "x-sécret", "x-secret\n"] {
        let credentials = json!({"headers": {name: [STRONG]}});
        assert_eq!(error(&credentials), weak("headers", 1, WeakSecret::NoName), "{name:?}");
    }
    for id in ["", " ", "a:b"] {
        let credentials = with(oauth(), "/oauth/clients", json!([client(id, STRONG)]));
        assert_eq!(error(&credentials), weak("oauth.clients", 1, WeakSecret::NoName), "{id:?}");
    }
}

#[test]
fn a_token_lives_from_a_second_to_a_day() {
    for seconds in [1, 60, 3600, 86_400] {
        assert!(is_taken(&with(oauth(), "/oauth/tokenTtlSeconds", json!(seconds))), "{seconds}");
    }
    for seconds in [json!(0), json!(86_401), json!(-1), json!(3600.0), json!("3600"), json!(u64::MAX), Value::Null] {
        let error = error(&with(oauth(), "/oauth/tokenTtlSeconds", seconds.clone()));
        assert!(matches!(error, CredentialsError::Shape { .. }), "{seconds}");
    }
}

#[test]
fn the_api_is_read_as_it_is_given() {
    assert!(Incode::from_json(&headers().to_string()).unwrap().api().is_none());
    let incode = Incode::from_json(&with(headers(), "/api", api()).to_string()).unwrap();
    let api = incode.api().unwrap();
    assert_eq!((api.base_url(), api.api_key()), ("https://api.example.com/0", "key"));
    assert_eq!((api.email(), api.password()), ("verdict@example.com", "pw"));
    for (sent, base_url) in [
        ("https://api.example.com/0/", "https://api.example.com/0"),
        ("https://api.example.com//", "https://api.example.com"),
        ("https://api.example.com:8443/a/b-c_d.e~f", "https://api.example.com:8443/a/b-c_d.e~f"),
        ("https://127.0.0.1/", "https://127.0.0.1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:1/0", "http://localhost:1/0"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:65535/", "http://[::1]:65535"),
        ("http://[::1]", "http://[::1]"),
    ] {
        let incode = Incode::from_json(&with_api("baseUrl", json!(sent)).to_string()).expect(sent);
        assert_eq!(incode.api().unwrap().base_url(), base_url);
    }
}

#[test]
fn passwords_go_to_https_urls_that_paths_can_follow_and_nowhere_else() {
    for sent in [
        "",
        " ",
        "/",
        "https:",
        "https://",
        "https:///omni",
        "api.example.com",
        "//api.example.com",
        "http://api.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://127.0.0.2",
        "http://0.0.0.0",
        "http://[::2]",
        "HTTP://api.example.com",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "https://user:password@api.example.com",
        "https://user@api.example.com",
        "https://api.example.com?x=1",
        "https://api.example.com/0?x=1",
        "https://api.example.com/#x",
        "https://api.example.com/0#",
        "https://api.example.com/a b",
        "https://api.example.com/a%2Fb",
        "https://api.example.com\\@example.org",
        "https://api.example.com\n",
        " https://api.example.com",
        "https://api.exämple.com",
        "https://api.example.com:",
        "https://api.example.com:0",
        "https://api.example.com:65536",
        "https://api.example.com:+443",
        "https://api.example.com:https",
        "https://<your-region>.example.com",
        "https://…",
    ] {
        let error = error(&with_api("baseUrl", json!(sent)));
        assert!(matches!(error, CredentialsError::Shape { .. }), "{sent}");
    }
}

#[test]
fn what_opens_the_api_is_of_any_length_and_filled_in() {
    for (name, member) in [("apiKey", "api.apiKey"), ("email", "api.email"), ("password", "api.password")] {
        for value in ["ab", "password", "my-webhook-secret-2026", "test@example.com"] {
            assert!(is_taken(&with_api(name, json!(value))), "{name} {value}");
        }
        for (sent, weakness) in [
            ("", WeakSecret::Blank),
            (" ", WeakSecret::Blank),
            ("secret\n", WeakSecret::Padded),
            (" s", WeakSecret::Padded),
            ("changeme", WeakSecret::Placeholder),
            ("<from the dashboard>", WeakSecret::Placeholder),
            ("***", WeakSecret::Placeholder),
        ] {
            assert_eq!(error(&with_api(name, json!(sent))), weak(member, 1, weakness), "{name} {sent:?}");
        }
    }
}

#[test]
fn every_member_is_known_and_of_its_type() {
    for (base, pointer, value) in [
        (headers(), "/secrets", json!([STRONG])),
        (headers(), "/Headers", json!({"x-a": [STRONG]})),
        (headers(), "/headers", Value::Null),
        (headers(), "/headers", json!([STRONG])),
        (headers(), "/headers/x-incode-secret", json!(STRONG)),
        (headers(), "/headers/x-incode-secret", Value::Null),
        (headers(), "/headers/x-incode-secret", json!([1_234_567_890_123_456_u64])),
        (headers(), "/oauth", Value::Null),
        (headers(), "/oauth", json!({})),
        (headers(), "/api", Value::Null),
        (headers(), "/api", json!({})),
        (oauth(), "/headers", Value::Null),
        (oauth(), "/oauth/ttl", json!(3600)),
        (oauth(), "/oauth/tokenTTLSeconds", json!(3600)),
        (oauth(), "/oauth/clients", json!([{"id": "client"}])),
        (oauth(), "/oauth/clients", json!([{"secret": STRONG}])),
        (oauth(), "/oauth/clients", json!([{"id": "client", "secret": STRONG, "scope": "x"}])),
        (oauth(), "/oauth/clients", Value::Null),
        (oauth(), "/oauth/signingKeys", json!(STRONG)),
        (oauth(), "/oauth/signingKeys", Value::Null),
    ] {
        let credentials = with(base, pointer, value);
        assert!(matches!(error(&credentials), CredentialsError::Shape { .. }), "{credentials}");
    }
    for member in ["baseUrl", "apiKey", "email", "password", "timeout", "apikey"] {
        let wrong = error(&with_api(member, json!(1)));
        assert!(matches!(wrong, CredentialsError::Shape { .. }), "{member}");
    }
    for member in ["baseUrl", "apiKey", "email", "password"] {
        let mut api = api();
        api.as_object_mut().unwrap().remove(member).unwrap();
        let missing = error(&with(headers(), "/api", api));
        assert!(matches!(missing, CredentialsError::Shape { .. }), "{member}");
    }
    let doubled = format!(r#"{{"headers":{{"x-a":["{STRONG}"]}},"headers":{{"x-a":["{OTHER}"]}}}}"#);
    assert!(matches!(error_of_text(&doubled), CredentialsError::Shape { .. }));
}

#[test]
fn the_message_shows_the_documented_json() {
    let message = error_of_text("{\n\n\"header\": {}}").to_string();
    for part in ["\"headers\"", "\"oauth\"", "\"signingKeys\"", "1 to 86400", "\"api\"", "https://", "line 3"] {
        assert!(message.contains(part), "{part} in {message}");
    }
}

#[test]
fn json_of_another_form_is_refused_with_what_is_wrong_and_where() {
    let fault = |credentials: &Value| {
        let message = error(credentials).to_string();
        message.split_once(" (near").or(message.split_once("; must be JSON like")).unwrap().0.to_owned()
    };
    let mut no_secret = with(oauth(), "/oauth/clients", json!([client("a", STRONG), client("b", STRONG)]));
    no_secret["oauth"]["clients"][1].as_object_mut().unwrap().remove("secret");
    for (credentials, expected) in [
        (json!({"header": {"x-a": [STRONG]}}), "unknown member; did you mean `headers`?"),
        (json!({"headers": {"x-a": STRONG}}), "`headers` entry 1: must be a list"),
        (
            json!({"headers": {"x-a": [STRONG], "x-b": [STRONG, 7]}}),
            "`headers` entry 2 entry 2: must be text in double quotes",
        ),
        (json!({"headers": {"x-a": [STRONG], "X-A": [OTHER]}}), "`headers`: a header has two lists of values"),
        (json!({"headers": [STRONG]}), "`headers`: must be an object of headers and their values"),
        (no_secret, "`oauth.clients` entry 2: `secret` is missing"),
        (
            with(oauth(), "/oauth/clients/0/secrets", json!(STRONG)),
            "`oauth.clients` entry 1: unknown member; did you mean `secret`?",
        ),
        (with(oauth(), "/oauth/basic", json!([])), "`oauth`: unknown member"),
        (with(oauth(), "/oauth/tokenTtlSeconds", json!("3600")), "`oauth.tokenTtlSeconds`: must be a whole number"),
        (with(oauth(), "/oauth/tokenTtlSeconds", json!(3600.5)), "`oauth.tokenTtlSeconds`: must be a whole number"),
        (with(oauth(), "/oauth/tokenTtlSeconds", json!(0)), "`oauth.tokenTtlSeconds`: not from 1 to 86400 seconds"),
        (
            with_api("baseUrl", json!("http://api.example.com")),
            "`api.baseUrl`: no HTTPS URL that paths can be put after",
        ),
        (json!({"secrets": [STRONG]}), "these look like Veriff's or Treezor's credentials"),
    ] {
        assert_eq!(fault(&credentials), expected);
    }
}

#[test]
fn nothing_printed_shows_any_part_of_the_credentials() {
    let canary = "canary-7f3a91";
    for credentials in [
        json!({canary: 1}),
        json!({"headers": {"x-a": [canary]}}),
        json!({"headers": {"x-a": [format!("{canary}-0123456789 ")]}}),
        with(oauth(), "/oauth/clients", json!([client(canary, "changeme")])),
        with(oauth(), "/oauth/clients", json!([client("client", canary)])),
        with(oauth(), "/oauth/signingKeys", json!([canary])),
        with(oauth(), "/oauth/tokenTtlSeconds", json!(canary)),
        with_api("baseUrl", json!(format!("http://{canary}.example.com"))),
        with_api("baseUrl", json!(format!("https://user:{canary}@example.com"))),
        with_api("apiKey", json!(format!("{canary} "))),
        with_api("email", json!(format!(" {canary}@example.com"))),
        with_api("password", json!(format!("{canary}\n"))),
    ] {
        let error = error(&credentials);
        let printed = format!("{error} {error:?} {error:#?}");
        assert!(!printed.contains("canary") && !printed.contains(STRONG), "{printed}");
    }
    let all = with(with(oauth(), "/headers", json!({"x-a": [STRONG]})), "/api", api());
    let all = ["apiKey", "email", "password"]
        .into_iter()
        .fold(all, |all, name| with(all, &format!("/api/{name}"), json!(format!("{canary}-{name}"))));
    let (incode, endpoint) = (Incode::from_json(&all.to_string()), TokenEndpoint::from_json(&all.to_string()));
    let printed = format!("{incode:?} {incode:#?} {:?} {endpoint:?} {endpoint:#?}", incode.as_ref().unwrap().api());
    assert!(!printed.contains("canary") && !printed.contains(STRONG) && !printed.contains(OTHER), "{printed}");
}

#[test]
fn one_header_is_not_asked_for_two_things() {
    let credentials =
        with(with(headers(), "/headers/Authorization", json!([STRONG])), "/oauth", oauth()["oauth"].clone());
    assert_eq!(error(&credentials), CredentialsError::AuthorizationTaken { with: "oauth" });
    assert!(error(&credentials).to_string().contains("another header"));
}
