//! How each provider proves its webhooks, rightly and wrongly, with secrets that no input knows.

use crate::{arrival, php, request::Request};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;
use std::sync::LazyLock;
use verdict_webhooks::{
    WebhookSource,
    incode::{Incode, TokenEndpoint},
    treezor::Treezor,
    veriff::Veriff,
    wultra::Wultra,
};

const SECRET: &str = "7b1f4e0a-5c7d-4d62-9f0b-2c8e61a3d94f";
const API_KEY: &str = "0f6d2b8c-api-key";
const URL_TOKEN: &str = "1c5f0e7d9ab34826f7d05be1930c64a2";
const PASSWORD: &str = "b0d7c1e2-93a4-4f58-8a6d-7e1f2c3b4a59";

/// A provider, and what its webhooks are proved with.
pub trait Sender: WebhookSource + Sized {
    /// Where its webhooks go, where an input names no path of the provider's.
    const PATH: &str;

    /// The provider, with its secrets.
    fn configured() -> Self;

    /// The request with the right proof in place of any other; `None` where its body has no place for one.
    fn rightly(request: Request) -> Option<Request>;

    /// The rightly proved request with something wrong about its proof; `pick` says where.
    fn wrongly(rightly: Request, pick: usize) -> Request;
}

impl Sender for Veriff {
    const PATH: &str = "/veriff/decisions";

    fn configured() -> Self {
        let credentials = format!(r#"{{"secrets":["another-{SECRET}","{SECRET}"],"apiKeys":["{API_KEY}"]}}"#);
        Self::from_json(&credentials).expect("credentials")
    }

    fn rightly(mut request: Request) -> Option<Request> {
        let signature: String = hmac(&request.body).iter().map(|byte| format!("{byte:02x}")).collect();
        request.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("vrf-"));
        Some(request.with_header("x-hmac-signature", signature).with_header("x-auth-client", API_KEY))
    }

    fn wrongly(rightly: Request, pick: usize) -> Request {
        match pick % 3 {
            0 if !rightly.body.is_empty() => {
                let body = damaged(&rightly.body, pick / 3);
                rightly.with_body(body)
            }
            1 => with_damaged_header(rightly, "x-auth-client", pick / 3),
            _ => with_damaged_header(rightly, "x-hmac-signature", pick / 3),
        }
    }
}

impl Sender for Incode {
    const PATH: &str = "/incode/onboarding-status";

    fn configured() -> Self {
        Self::from_json(&incode_credentials()).expect("credentials")
    }

    fn rightly(request: Request) -> Option<Request> {
        static BEARER: LazyLock<String> = LazyLock::new(|| format!("Bearer {}", access_token()));
        Some(request.with_header("x-incode-secret", SECRET).with_header("authorization", &*BEARER))
    }

    fn wrongly(rightly: Request, pick: usize) -> Request {
        let header = if pick.is_multiple_of(2) { "x-incode-secret" } else { "authorization" };
        with_damaged_header(rightly, header, pick / 2)
    }
}

impl Sender for Treezor {
    const PATH: &str = "/treezor";

    fn configured() -> Self {
        Self::from_json(&format!(r#"{{"secrets":["{SECRET}"],"urlTokens":["{URL_TOKEN}"]}}"#)).expect("credentials")
    }

    /// Signs the payload's form as PHP writes it, where the body has a signature to replace.
    fn rightly(request: Request) -> Option<Request> {
        let body = with_signature(&request.body, |payload| php::json_encode(payload).into_bytes())?;
        Some(request.with_body(body).with_parameter("token", URL_TOKEN))
    }

    fn wrongly(rightly: Request, pick: usize) -> Request {
        if pick.is_multiple_of(2) {
            let token = String::from_utf8(damaged(URL_TOKEN.as_bytes(), pick / 2)).expect("ASCII");
            return rightly.with_parameter("token", &token);
        }
        let sign = |payload: &str| damaged(php::json_encode(payload).as_bytes(), pick / 2);
        let body = with_signature(&rightly.body, sign).expect("it was signed before");
        rightly.with_body(body)
    }
}

impl Sender for Wultra {
    const PATH: &str = "/wultra/process/event";

    fn configured() -> Self {
        let basic = format!(r#"[{{"username":"wultra","password":"{PASSWORD}"}}]"#);
        Self::from_json(&format!(r#"{{"basic":{basic},"headers":{{"x-wultra-secret":["{SECRET}"]}}}}"#))
            .expect("credentials")
    }

    fn rightly(request: Request) -> Option<Request> {
        let login = format!("Basic {}", BASE64_STANDARD.encode(format!("wultra:{PASSWORD}")));
        Some(request.with_header("authorization", login).with_header("x-wultra-secret", SECRET))
    }

    fn wrongly(rightly: Request, pick: usize) -> Request {
        let header = if pick.is_multiple_of(2) { "x-wultra-secret" } else { "authorization" };
        with_damaged_header(rightly, header, pick / 2)
    }
}

/// Incode's credentials: a header and OAuth, so that both must hold.
#[must_use]
pub fn incode_credentials() -> String {
    format!(
        r#"{{"headers":{{"x-incode-secret":["{SECRET}"]}},"oauth":{{"clients":[{{"id":"{CLIENT}","secret":"{PASSWORD}"}}],
            "signingKeys":["{SECRET}"]}}}}"#
    )
}

/// The name of Incode's OAuth client.
pub const CLIENT: &str = "incode";

/// The header that Incode's OAuth client asks for a token with.
#[must_use]
pub fn client_login() -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{CLIENT}:{PASSWORD}")))
}

fn access_token() -> String {
    #[derive(Deserialize)]
    struct Granted {
        access_token: String,
    }
    let endpoint = TokenEndpoint::from_json(&incode_credentials()).expect("credentials");
    let request = Request::parse(
        b"POST /incode/oauth/token\ncontent-type: application/x-www-form-urlencoded\n\ngrant_type=client_credentials",
    )
    .with_header("authorization", client_login());
    let answer = endpoint.answer(request.delivery(), arrival());
    serde_json::from_str::<Granted>(&answer.body).expect("a token").access_token
}

fn hmac(message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    mac.chain_update(message).finalize().into_bytes().into()
}

/// A body whose signature is replaced by one over what `message` makes of its payload.
fn with_signature(body: &[u8], message: impl Fn(&str) -> Vec<u8>) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        object_payload: &'a RawValue,
        #[serde(borrow)]
        object_payload_signature: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Wrapped<'a> {
        #[serde(borrow)]
        webhook: Envelope<'a>,
    }
    let body = std::str::from_utf8(body).ok()?;
    let flat = serde_json::from_str::<Envelope<'_>>(body);
    let envelope = flat.or_else(|_| serde_json::from_str(body).map(|Wrapped { webhook }| webhook)).ok()?;
    let signature = BASE64_STANDARD.encode(hmac(&message(envelope.object_payload.get())));
    // Where the old one is spelled: both texts are of one allocation.
    let old = envelope.object_payload_signature.get();
    let start = old.as_ptr() as usize - body.as_ptr() as usize;
    Some(format!("{}\"{signature}\"{}", &body[..start], &body[start + old.len()..]).into_bytes())
}

/// The same with one bit of a header's value flipped, the header taken out, or put in twice.
fn with_damaged_header(mut request: Request, name: &str, pick: usize) -> Request {
    let at = request.headers.iter().position(|(known, _)| known == name).expect("it was put there");
    let value = request.headers[at].1.clone();
    match pick % 4 {
        0 => drop(request.headers.remove(at)),
        1 => request.headers.push((name.to_uppercase(), value)),
        _ => {
            // A scheme's name has no case, and no number of spaces is wrong after it.
            let secret_from = value.rfind(' ').map_or(0, |space| space + 1);
            let secret = damaged(&value.as_bytes()[secret_from..], pick / 4);
            let damaged = value[..secret_from].to_owned() + str::from_utf8(&secret).expect("ASCII");
            request.headers[at].1 = damaged;
        }
    }
    request
}

/// The same with one bit flipped. The last one: no digit in hex becomes itself in the other case.
fn damaged(bytes: &[u8], pick: usize) -> Vec<u8> {
    let mut bytes = bytes.to_owned();
    let at = pick % bytes.len();
    bytes[at] ^= 1;
    bytes
}
