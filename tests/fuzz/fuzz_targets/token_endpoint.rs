//! Anything at the OAuth token endpoint.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::sync::LazyLock;
use verdict_fuzz::{
    arrival,
    provider::{Sender as _, client_login, incode_credentials},
    request::Request,
};
use verdict_webhooks::{
    Refusal, WebhookSource as _,
    incode::{Incode, TokenAnswer, TokenEndpoint, TokenError},
};

static ENDPOINT: LazyLock<TokenEndpoint> =
    LazyLock::new(|| TokenEndpoint::from_json(&incode_credentials()).expect("credentials"));
static INCODE: LazyLock<Incode> = LazyLock::new(Incode::configured);

fuzz_target!(|input: &[u8]| {
    let request = Request::parse(input);
    let stranger = answer(&request);
    assert!([400, 401, 404].contains(&stranger.status), "a stranger gets {}", stranger.status);

    let request = Request { method: "POST".into(), path: "/incode/oauth/token".into(), ..request };
    assert_eq!(answer(&request).status, 401, "a stranger learns of the form");

    let request = request.with_header("authorization", client_login());
    let client = answer(&request);
    assert_eq!(client.status == 200, asks_for_client_credentials(&request), "{}", client.body);
    if client.status == 200 {
        check_token(&client, input);
    }
});

fn answer(request: &Request) -> TokenAnswer {
    let answer = ENDPOINT.answer(request.delivery(), arrival());
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(answer.status == 200, body["access_token"].is_string());
    match answer.error {
        Some(TokenError::PathUnknown) => {
            assert_eq!((answer.status, body["message"].as_str()), (404, Some("Not Found")))
        }
        error => assert_eq!(error.map(TokenError::code), body["error"].as_str()),
    }
    answer
}

/// What RFC 6749 asks for, by another reader of forms.
fn asks_for_client_credentials(request: &Request) -> bool {
    let types: Vec<_> = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type")).collect();
    let [(_, media_type)] = types[..] else { return false };
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let parameters: Vec<_> = form_urlencoded::parse(&request.body).collect();
    let grants: Vec<_> =
        parameters.iter().filter(|(name, _)| name == "grant_type").map(|(_, value)| &**value).collect();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && request.body.len() <= 8 * 1024
        && grants == ["client_credentials"]
        && !parameters.iter().any(|(name, _)| name == "client_secret" || name == "client_assertion")
        && is_unicode(&request.body)
}

/// Whether a form is Unicode, as it stands and decoded: theirs replaces what is not.
fn is_unicode(form: &[u8]) -> bool {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    // Decoded piece by piece: a character that is cut in two by a separator is none.
    form.split(|byte| b"&=".contains(byte)).all(|piece| {
        let (mut bytes, mut at) = (Vec::new(), 0);
        while at < piece.len() {
            match (piece[at], digit(piece.get(at + 1)), digit(piece.get(at + 2))) {
                (b'%', Some(high), Some(low)) => {
                    bytes.push(u8::try_from(high * 16 + low).expect("a byte"));
                    at += 3;
                }
                (byte, ..) => {
                    bytes.push(byte);
                    at += 1;
                }
            }
        }
        String::from_utf8(bytes).is_ok()
    }) && str::from_utf8(form).is_ok()
}

/// The token opens the door of the webhooks, and with one bit changed it doesn't.
fn check_token(granted: &TokenAnswer, input: &[u8]) {
    let body: Value = serde_json::from_str(&granted.body).expect("JSON");
    let token = body["access_token"].as_str().expect("a token");
    let webhook = Request { method: "POST".into(), path: Incode::PATH.into(), ..Request::parse(b"") };
    let webhook = Incode::rightly(webhook).expect("headers");
    let with = |token: &str| {
        let bearing = webhook.clone().with_header("authorization", format!("Bearer {token}"));
        INCODE.prove(bearing.delivery(), arrival())
    };
    assert!(with(token).is_ok());
    let mut other = token.to_owned().into_bytes();
    let at = input.iter().map(|byte| usize::from(*byte)).sum::<usize>() % other.len();
    other[at] ^= 1;
    let refused = with(str::from_utf8(&other).expect("ASCII")).err();
    assert!(matches!(refused, Some(Refusal::AuthorizationMismatch | Refusal::AuthorizationMalformed)), "{refused:?}");
}
