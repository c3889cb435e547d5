//! The token endpoint: who gets a token, what RFC 6749 has it answer the others, and that its tokens open the webhooks.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::Duration;
use verdict_sessions::Timestamp;
use verdict_webhooks::{
    CredentialsError, Delivery, Headers, Refusal, WebhookSource,
    incode::{Incode, TokenAnswer, TokenEndpoint, TokenError},
    sha256_hex,
};

const KEY: &str = "signing-key-9f1c4b7e20d85a63";
const OTHER_KEY: &str = "signing-key-03be6d7194fa82c5";
const CLIENT: &str = "incode-client";
const SECRET: &str = "client-secret-5d20a86f3c9e";
const OTHER_SECRET: &str = "client-secret-c71b94e2d06f";

const PATH: &str = "/incode/oauth/token";
const FORM: &str = "application/x-www-form-urlencoded";
const GRANT: &str = "grant_type=client_credentials";

fn now() -> Timestamp {
    Timestamp::parse("2026-06-13T00:40:00.5Z").unwrap()
}

fn seconds_later(seconds: u64) -> Timestamp {
    now().plus(Duration::from_secs(seconds))
}

fn credentials() -> Value {
    json!({"oauth": {"clients": [{"id": CLIENT, "secret": SECRET}], "signingKeys": [KEY]}})
}

/// The credentials with other members of `oauth`.
fn with(changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    let mut credentials = credentials();
    for (name, value) in changes {
        credentials["oauth"][name] = value;
    }
    credentials
}

fn endpoint(credentials: &Value) -> TokenEndpoint {
    TokenEndpoint::from_json(&credentials.to_string()).unwrap()
}

fn basic(id: &str, secret: &str) -> (&'static str, String) {
    ("authorization", format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))))
}

fn form() -> (&'static str, String) {
    ("content-type", FORM.to_owned())
}

fn ask(credentials: &Value, headers: impl IntoIterator<Item = (&'static str, String)>, body: &str) -> TokenAnswer {
    let delivery = Delivery::new("POST", PATH, headers.into_iter().collect(), body.into());
    endpoint(credentials).answer(delivery, now())
}

fn json_of(answer: &TokenAnswer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

/// The token that an answer gives.
fn token(answer: &TokenAnswer) -> String {
    assert_eq!((answer.status, answer.error), (200, None), "{answer:?}");
    json_of(answer)["access_token"].as_str().unwrap().to_owned()
}

/// A token, asked for in the usual way.
fn usual_token(credentials: &Value) -> String {
    token(&ask(credentials, [basic(CLIENT, SECRET), form()], GRANT))
}

/// Checks that an answer is this error, as RFC 6749 §5.2 writes it.
fn assert_error(answer: &TokenAnswer, error: TokenError, what: &str) {
    let (status, code) = match error {
        TokenError::InvalidRequest => (400, "invalid_request"),
        TokenError::InvalidClient => (401, "invalid_client"),
        TokenError::UnsupportedGrantType => (400, "unsupported_grant_type"),
        TokenError::ServerError => (500, "server_error"),
        TokenError::Unavailable => (503, "temporarily_unavailable"),
        TokenError::PathUnknown => panic!("{what}: another form of answer"),
    };
    assert_eq!((answer.status, answer.error), (status, Some(error)), "{what}");
    let body = json_of(answer);
    assert_eq!((&body["error"], error.code()), (&code.into(), code), "{what}");
    assert!(body["error_description"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
    assert_eq!(body.as_object().unwrap().len(), 2, "{what}");
}

/// Whether a webhook with this token is genuine.
fn prove(credentials: &Value, token: &str, at: Timestamp) -> Result<(), Refusal> {
    let headers = Headers::from_iter([("authorization", format!("Bearer {token}"))]);
    let delivery = Delivery::new("POST", "/incode/onboarding-status", headers, b"{}".to_vec());
    Incode::from_json(&credentials.to_string()).unwrap().prove(delivery, at).map(drop)
}

#[test]
fn without_credentials_the_endpoint_asks_to_be_asked_again() {
    assert_error(&TokenError::Unavailable.into(), TokenError::Unavailable, "no credentials");
}

#[test]
fn only_a_client_that_is_unknown_might_be_known_to_newer_credentials() {
    let is_mismatch =
        |headers: &[(&'static str, String)], body| ask(&credentials(), headers.iter().cloned(), body).is_mismatch();
    assert!(is_mismatch(&[basic(CLIENT, "0f3b6c1e-52d4-4a7b-9c60-7d1e8a2b4f95"), form()], GRANT));
    assert!(!is_mismatch(&[basic(CLIENT, SECRET), form()], GRANT));
    assert!(!is_mismatch(&[basic(CLIENT, SECRET), form()], "grant_type=password"));
}

#[test]
fn a_token_opens_the_webhooks() {
    let answer = ask(&credentials(), [basic(CLIENT, SECRET), form()], GRANT);
    assert_eq!(json_of(&answer)["token_type"], "Bearer");
    assert_eq!(json_of(&answer)["expires_in"], 3600);
    assert_eq!(format!("{answer:?}"), "TokenAnswer { status: 200, error: None, .. }", "no token is printed");
    assert_eq!(json_of(&answer).as_object().unwrap().len(), 3);
    let token = token(&answer);
    assert_eq!(prove(&credentials(), &token, now()), Ok(()));
    assert_eq!(prove(&credentials(), &token, seconds_later(3599)), Ok(()));
    assert_eq!(prove(&credentials(), &token, seconds_later(3600)), Err(Refusal::TokenExpired));
}

#[test]
fn a_token_says_who_gave_it_to_whom_for_what_and_until_when() {
    let token = usual_token(&credentials());
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{} parts", parts.len()) };
    let read = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let issued = now().unix_seconds();
    assert_eq!(read(header), json!({"typ": "JWT", "alg": "HS256", "kid": sha256_hex(KEY.as_bytes())[..8]}));
    assert_eq!(
        read(claims),
        json!({"iss": "verdict", "aud": "incode-webhooks", "sub": CLIENT, "iat": issued, "exp": issued + 3600})
    );
    let mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap().chain_update(format!("{header}.{claims}"));
    assert_eq!(signature, URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
}

#[test]
fn the_lifetime_is_what_is_configured() {
    for lifetime in [1, 60, 86_400] {
        let credentials = with(json!({"tokenTtlSeconds": lifetime}));
        let answer = ask(&credentials, [basic(CLIENT, SECRET), form()], GRANT);
        assert_eq!(json_of(&answer)["expires_in"], lifetime);
        let token = token(&answer);
        assert_eq!(prove(&credentials, &token, seconds_later(lifetime - 1)), Ok(()));
        assert_eq!(prove(&credentials, &token, seconds_later(lifetime)), Err(Refusal::TokenExpired));
    }
}

#[test]
fn a_shorter_lifetime_also_counts_for_tokens_that_were_given_before() {
    let (a_day, a_minute) = (with(json!({"tokenTtlSeconds": 86_400})), with(json!({"tokenTtlSeconds": 60})));
    let given_before = usual_token(&a_day);
    assert_eq!(prove(&a_day, &given_before, seconds_later(60)), Ok(()));
    assert_eq!(prove(&a_minute, &given_before, seconds_later(59)), Ok(()));
    assert_eq!(prove(&a_minute, &given_before, seconds_later(60)), Err(Refusal::TokenExpired));
    let given_since = usual_token(&a_minute);
    assert_eq!(prove(&a_day, &given_since, seconds_later(60)), Err(Refusal::TokenExpired), "its own time counts, too");
}

/// A token with these claims, signed with Verdict's own key as an earlier or another program might.
fn signed(claims: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let text = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap().chain_update(&text);
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// The claims of a token that is good for a day at most, with other times.
fn claims(iat: &str, exp: &str) -> String {
    format!(r#"{{"iss":"verdict","aud":"incode-webhooks","sub":"{CLIENT}","iat":{iat},"exp":{exp}}}"#)
}

#[test]
fn a_signed_token_is_good_for_a_day_at_most_whatever_it_says() {
    let a_day = with(json!({"tokenTtlSeconds": 86_400}));
    let now = self::now().unix_seconds();
    let verdict = |iat: i64, exp: i64| prove(&a_day, &signed(&claims(&iat.to_string(), &exp.to_string())), self::now());
    for (iat, exp) in [(now, now + 86_400), (now - 86_399, now + 1), (now + 300, now + 301), (now + 300, now + 86_700)]
    {
        assert_eq!(verdict(iat, exp), Ok(()), "{} {}", iat - now, exp - now);
    }
    for (iat, exp) in [(now - 86_400, now), (now - 2, now - 1), (0, 86_400), (now - 1, now)] {
        assert_eq!(verdict(iat, exp), Err(Refusal::TokenExpired), "{} {}", iat - now, exp - now);
    }
    for (iat, exp) in [
        (now, now + 86_401),
        (now - 86_400, now + 1),
        (0, now + 1),
        (-1, now + 1),
        (i64::MIN, now + 1),
        (i64::MIN, i64::MAX),
        (now, i64::MAX),
        (now, now),
        (now + 1, now),
        (now, 0),
        (now, -1),
        (now, i64::MIN),
        (now + 301, now + 302),
        (now + 86_400, now + 86_401),
        (i64::MAX, i64::MAX),
        (i64::MAX - 1, i64::MAX),
    ] {
        assert_eq!(verdict(iat, exp), Err(Refusal::AuthorizationMismatch), "{iat} {exp}");
    }
    for (iat, exp) in [(i64::MIN, i64::MIN + 1), (-86_400, -1)] {
        assert_eq!(verdict(iat, exp), Err(Refusal::TokenExpired), "{iat} {exp}");
    }
}

#[test]
fn a_signed_token_without_whole_times_is_refused() {
    let now = now().unix_seconds();
    let (iat, exp) = (now.to_string(), (now + 60).to_string());
    assert_eq!(prove(&credentials(), &signed(&claims(&iat, &exp)), self::now()), Ok(()));
    for odd in [
        "null",
        "\"\"",
        "true",
        "[]",
        "{}",
        &format!("\"{now}\""),
        &format!("{now}.0"),
        &format!("{now}.5"),
        "1e9",
        "1e400",
        "99999999999999999999",
        "-99999999999999999999",
        "NaN",
        "",
    ] {
        for claims in [claims(odd, &exp), claims(&iat, odd), claims(odd, odd)] {
            let refused = prove(&credentials(), &signed(&claims), self::now());
            assert_eq!(refused, Err(Refusal::AuthorizationMismatch), "{claims}");
        }
    }
    let whole: Value = serde_json::from_str(&claims(&iat, &exp)).unwrap();
    for missing in ["iat", "exp", "iss", "aud", "sub"] {
        let mut claims = whole.clone();
        claims.as_object_mut().unwrap().remove(missing).unwrap();
        let refused = prove(&credentials(), &signed(&claims.to_string()), self::now());
        assert_eq!(refused, Err(Refusal::AuthorizationMismatch), "{missing}");
    }
    for doubled in ["iat", "exp"] {
        let claims = claims(&iat, &exp).replacen('{', &format!("{{\"{doubled}\":{now},"), 1);
        let refused = prove(&credentials(), &signed(&claims), self::now());
        assert_eq!(refused, Err(Refusal::AuthorizationMismatch), "{claims}");
    }
}

#[test]
fn signing_keys_rotate() {
    let (old, new) = (credentials(), with(json!({"signingKeys": [OTHER_KEY, KEY]})));
    let removed = with(json!({"signingKeys": [OTHER_KEY]}));
    let (given_before, given_since) = (usual_token(&old), usual_token(&new));
    assert_eq!(prove(&new, &given_before, now()), Ok(()));
    assert_eq!(prove(&new, &given_since, now()), Ok(()));
    assert_eq!(prove(&old, &given_since, now()), Err(Refusal::AuthorizationMismatch), "the first key signs");
    assert_eq!(prove(&removed, &given_since, now()), Ok(()));
    assert_eq!(prove(&removed, &given_before, now()), Err(Refusal::AuthorizationMismatch));
}

#[test]
fn clients_rotate_and_go() {
    let both = with(json!({"clients": [
        {"id": CLIENT, "secret": OTHER_SECRET}, {"id": CLIENT, "secret": SECRET}, {"id": "second", "secret": SECRET}
    ]}));
    for (id, secret) in [(CLIENT, SECRET), (CLIENT, OTHER_SECRET), ("second", SECRET)] {
        let token = token(&ask(&both, [basic(id, secret), form()], GRANT));
        assert_eq!(prove(&both, &token, now()), Ok(()), "{id}");
        let is_left = if id == CLIENT { Ok(()) } else { Err(Refusal::AuthorizationMismatch) };
        assert_eq!(prove(&credentials(), &token, now()), is_left, "{id}");
    }
    let exchanged = ask(&both, [basic("second", OTHER_SECRET), form()], GRANT);
    assert_error(&exchanged, TokenError::InvalidClient, "each client has its own secret");
}

#[test]
fn a_client_may_have_a_long_name() {
    let name = "client-".repeat(300);
    let credentials = with(json!({"clients": [{"id": name, "secret": SECRET}]}));
    let token = token(&ask(&credentials, [basic(&name, SECRET), form()], GRANT));
    assert_eq!(prove(&credentials, &token, now()), Ok(()));
}

#[test]
fn the_token_asked_for_while_headers_are_configured_does_not_replace_them() {
    let mut both = credentials();
    both["headers"] = json!({"x-incode-secret": ["u7Qm-3vXf-9LpZ-static-header"]});
    assert_eq!(prove(&both, &usual_token(&both), now()), Err(Refusal::SecretHeaderMissing));
}

#[test]
fn a_client_may_encode_its_name_and_secret_as_in_a_form() {
    let (id, secret) = ("client+1/ü", "sécret+with%41&=/ ~123");
    let credentials = with(json!({"clients": [{"id": id, "secret": secret}]}));
    let (encoded_id, encoded_secret) = ("client%2B1%2F%C3%BC", "s%C3%A9cret%2Bwith%2541%26%3D%2F%20%7E123");
    token(&ask(&credentials, [basic(id, secret), form()], GRANT));
    token(&ask(&credentials, [basic(encoded_id, encoded_secret), form()], GRANT));
    for (id, secret) in [
        (encoded_id, secret),
        (id, encoded_secret),
        (encoded_id, &*encoded_secret.replace("%25", "%2525")),
        (id, "sécret with%41&=/ ~123"),
    ] {
        assert_error(&ask(&credentials, [basic(id, secret), form()], GRANT), TokenError::InvalidClient, secret);
    }
    // Text that decodes to no Unicode is still the text that it is.
    let odd = "Xk9p-%ff%fe-Q2vB7rT4wZ8";
    let credentials = with(json!({"clients": [{"id": CLIENT, "secret": odd}]}));
    token(&ask(&credentials, [basic(CLIENT, odd), form()], GRANT));
}

#[test]
fn a_secret_may_hold_colons() {
    let credentials = with(json!({"clients": [{"id": CLIENT, "secret": "a:secret:with:colons"}]}));
    token(&ask(&credentials, [basic(CLIENT, "a:secret:with:colons"), form()], GRANT));
}

#[test]
fn whoever_is_no_client_learns_nothing_of_the_form() {
    let encoded = |text: &str| ("authorization", format!("Basic {}", STANDARD.encode(text)));
    let plain = |text: &str| ("authorization", text.to_owned());
    let right = basic(CLIENT, SECRET);
    for (what, headers) in [
        ("missing", vec![]),
        ("empty", vec![plain("")]),
        ("scheme alone", vec![plain("Basic")]),
        ("no base64", vec![plain("Basic ***")]),
        ("not UTF-8", vec![("authorization", format!("Basic {}", STANDARD.encode(b"\xff\xfe:x")))]),
        ("no colon", vec![encoded("incode-client")]),
        ("empty name and secret", vec![basic("", "")]),
        ("empty secret", vec![basic(CLIENT, "")]),
        ("empty name", vec![basic("", SECRET)]),
        ("name that decodes to nothing", vec![basic("%ff", "%ff")]),
        ("another name", vec![basic("another", SECRET)]),
        ("another secret", vec![basic(CLIENT, OTHER_SECRET)]),
        ("secret cut short", vec![basic(CLIENT, &SECRET[1..])]),
        ("secret and more", vec![basic(CLIENT, &format!("{SECRET}\n"))]),
        ("name in capitals", vec![basic(&CLIENT.to_uppercase(), SECRET)]),
        ("name as the secret", vec![basic(SECRET, CLIENT)]),
        ("signing key", vec![basic(CLIENT, KEY)]),
        ("bearer", vec![plain(&format!("Bearer {}", usual_token(&credentials())))]),
        ("not encoded", vec![plain(&format!("Basic {CLIENT}:{SECRET}"))]),
        ("in another header", vec![("proxy-authorization", right.1.clone())]),
        ("twice", vec![right.clone(), right.clone()]),
        ("comma-joined", vec![("authorization", format!("{0},{0}", right.1))]),
    ] {
        for body in [GRANT, "", "grant_type=password", &format!("{GRANT}&client_id={CLIENT}&client_secret={SECRET}")] {
            let answer = ask(&credentials(), headers.iter().cloned().chain([form()]), body);
            assert_error(&answer, TokenError::InvalidClient, what);
            let without_form = ask(&credentials(), headers.iter().cloned(), body);
            assert_eq!(without_form.body, answer.body, "{what}");
        }
    }
}

#[test]
fn the_grant_is_client_credentials() {
    let ask = |body: &str| ask(&credentials(), [basic(CLIENT, SECRET), form()], body);
    for body in [
        GRANT,
        "grant_type=client%5Fcredentials",
        "%67rant_type=client_credentials",
        "grant_type=client_credentials&scope=webhooks",
        "scope=a+b&scope=c&grant_type=client_credentials&=&x",
        "&&grant_type=client_credentials&",
        "grant_type=client_credentials&client_id=incode-client",
        "grant_type=client_credentials&audience=%E2%82%AC",
    ] {
        token(&ask(body));
    }
    for body in [
        "",
        "&",
        "grant_type",
        "grant_type=",
        "scope=webhooks",
        "Grant_Type=client_credentials",
        "grant_type%20=client_credentials",
        "grant_type=client_credentials&grant_type=client_credentials",
        "grant_type=client_credentials&grant_type=password",
        "grant_type=password&grant_type=client_credentials",
        "grant_type=client_credentials&grant_type=",
        "grant_type=&grant_type=client_credentials",
        "grant_type=client_credentials&grant%5Ftype=client_credentials",
        "grant_type=client_credentials&client_id=incode-client&client_secret=client-secret-5d20a86f3c9e",
        "grant_type=client_credentials&client_secret=",
        "grant_type=client_credentials&client_assertion=x.y.z",
        "grant_type=client_credentials&scope=%ff",
        "{\"grant_type\":\"client_credentials\"}",
    ] {
        assert_error(&ask(body), TokenError::InvalidRequest, body);
    }
    for body in [
        "grant_type=password",
        "grant_type=authorization_code&code=x",
        "grant_type=refresh_token",
        "grant_type=CLIENT_CREDENTIALS",
        "grant_type=client_credentials+",
        "grant_type=+client_credentials",
        "grant_type=client_credentials%00",
        "grant_type=client_credentials;scope=x",
        "grant_type=client_credentials\r\n",
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer",
    ] {
        assert_error(&ask(body), TokenError::UnsupportedGrantType, body);
    }
}

#[test]
fn the_body_is_a_form_of_at_most_eight_kilobytes() {
    let ask = |content_type: Option<&str>, body: &str| {
        let content_type = content_type.map(|text| ("content-type", text.to_owned()));
        ask(&credentials(), [basic(CLIENT, SECRET)].into_iter().chain(content_type), body)
    };
    for content_type in [
        FORM,
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded;charset=utf-8",
        "Application/X-WWW-Form-Urlencoded ",
    ] {
        token(&ask(Some(content_type), GRANT));
    }
    for content_type in [
        None,
        Some(""),
        Some("application/json"),
        Some("text/plain"),
        Some("multipart/form-data; boundary=x"),
        Some("application/x-www-form-urlencoded-x"),
        Some("x; application/x-www-form-urlencoded"),
        Some("application/x-www-form-urlencoded, text/plain"),
    ] {
        assert_error(&ask(content_type, GRANT), TokenError::InvalidRequest, content_type.unwrap_or("none"));
    }
    let padded = |length: usize| format!("{GRANT}&scope={}", "x".repeat(length - GRANT.len() - "&scope=".len()));
    token(&ask(Some(FORM), &padded(8192)));
    assert_error(&ask(Some(FORM), &padded(8193)), TokenError::InvalidRequest, "8193 bytes");

    let twice = [basic(CLIENT, SECRET), form(), form()].into_iter().collect();
    let answer = endpoint(&credentials()).answer(Delivery::new("POST", PATH, twice, GRANT.into()), now());
    assert_error(&answer, TokenError::InvalidRequest, "content type twice");

    let headers = [basic(CLIENT, SECRET), form()].into_iter().collect();
    let bytes = [GRANT.as_bytes(), b"&scope=\xff\xfe"].concat();
    let answer = endpoint(&credentials()).answer(Delivery::new("POST", PATH, headers, bytes), now());
    assert_error(&answer, TokenError::InvalidRequest, "not UTF-8");
}

#[test]
fn tokens_are_given_out_on_their_path_to_posts() {
    let answer = |method: &str, path: &str| {
        let headers = [basic(CLIENT, SECRET), form()].into_iter().collect();
        endpoint(&credentials()).answer(Delivery::new(method, path, headers, GRANT.into()), now())
    };
    for path in [
        PATH,
        "/production/incode/oauth/token",
        "/incode/oauth/token/",
        "//incode//oauth/token//",
        "/incode//oauth///token",
    ] {
        token(&answer("POST", path));
    }
    for method in ["GET", "PUT", "post"] {
        assert_error(&answer(method, PATH), TokenError::InvalidRequest, method);
    }
    for path in [
        "/incode/oauth",
        "/incode/oauth/token/x",
        "/incode/oauth/token/%2F",
        "/incode/oauth%2Ftoken",
        "/incode/onboarding-status",
        "/oauth/token",
        "",
    ] {
        let TokenAnswer { status, body, error } = answer("POST", path);
        assert_eq!((status, &*body), (404, r#"{"message":"Not Found"}"#), "{path}");
        assert_eq!(error.map(TokenError::code), Some("path_unknown"));
    }
}

#[test]
fn a_token_from_another_minute_is_another() {
    let ask = |at| {
        let headers = [basic(CLIENT, SECRET), form()].into_iter().collect();
        token(&endpoint(&credentials()).answer(Delivery::new("POST", PATH, headers, GRANT.into()), at))
    };
    assert_eq!(ask(now()), ask(now()));
    assert_ne!(ask(now()), ask(seconds_later(1)));
}

#[test]
fn the_endpoint_needs_clients_and_keys() {
    let headers = json!({"x-incode-secret": ["u7Qm-3vXf-9LpZ-static-header"]});
    let error = TokenEndpoint::from_json(&json!({"headers": headers}).to_string()).unwrap_err();
    assert_eq!(error, CredentialsError::Empty { member: "oauth" });
    assert_eq!(error.to_string(), "`oauth` has no entry; give at least one");
    assert!(
        TokenEndpoint::from_json(&json!({"headers": headers, "oauth": credentials()["oauth"]}).to_string()).is_ok()
    );
}

#[test]
fn nothing_printed_and_no_error_shows_a_token_or_a_secret() {
    let credentials = credentials();
    let right = ask(&credentials, [basic(CLIENT, SECRET), form()], GRANT);
    let token = token(&right);
    let presented = format!("presented-{OTHER_SECRET}");
    let wrong = [
        ask(&credentials, [basic(CLIENT, &presented), form()], GRANT),
        ask(&credentials, [basic(CLIENT, SECRET), form()], &format!("grant_type={presented}")),
        ask(&credentials, [basic(CLIENT, SECRET), form()], &format!("{GRANT}&client_secret={presented}")),
    ];
    let said = wrong.each_ref().map(|answer| format!("{} {answer:?} {answer:#?}", answer.body)).concat();
    let endpoint = endpoint(&credentials);
    let printed = format!("{endpoint:?} {endpoint:#?} {right:?} {right:#?} {said}");
    let (_, signature) = token.rsplit_once('.').unwrap();
    let in_base64 = STANDARD.encode(SECRET);
    for canary in [SECRET, KEY, &presented, OTHER_SECRET, &token, signature, &in_base64] {
        assert!(!printed.contains(canary), "{canary:?} in {printed}");
    }
    assert!(!token.contains(KEY) && !token.contains(SECRET));
}

proptest! {
    #[test]
    fn nobody_gets_a_token_without_the_secret(
        method in "POST|GET|.*",
        path in "/incode/oauth/token|.*",
        headers in prop::collection::vec(("authorization|content-type|.*", "Basic [a-zA-Z0-9+/]{40}|.*"), 0..6),
        body in "grant_type=client_credentials|.*",
    ) {
        let delivery = Delivery::new(method, path, headers.into_iter().collect(), body.into_bytes());
        let answer = endpoint(&credentials()).answer(delivery, now());
        prop_assert!(answer.error.is_some() && answer.status >= 400);
        prop_assert!(serde_json::from_str::<Value>(&answer.body).is_ok());
    }

    #[test]
    fn any_form_is_answered(body in any::<Vec<u8>>()) {
        let headers = [basic(CLIENT, SECRET), form()].into_iter().collect();
        let answer = endpoint(&credentials()).answer(Delivery::new("POST", PATH, headers, body), now());
        prop_assert!(matches!(answer.error, Some(TokenError::InvalidRequest | TokenError::UnsupportedGrantType)));
    }

    #[test]
    fn any_name_and_secret_get_a_token_either_way(
        id in "[^:\\x00]{1,20}",
        secret in "[!-~é-ÿ]{16,40}",
    ) {
        let credentials = with(json!({"clients": [{"id": id, "secret": secret}]}));
        prop_assume!(TokenEndpoint::from_json(&credentials.to_string()).is_ok());
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        for (id, secret) in [(id.clone(), secret.clone()), (encode(&id), encode(&secret))] {
            let token = token(&ask(&credentials, [basic(&id, &secret), form()], GRANT));
            prop_assert_eq!(prove(&credentials, &token, now()), Ok(()));
        }
    }
}
