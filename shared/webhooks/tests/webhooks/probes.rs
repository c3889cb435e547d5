//! Which proved deliveries are probes: those that say nothing else, at every provider.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt::Write as _;
use verdict_sessions::{Provider, Timestamp};
use verdict_webhooks::{
    Delivery, Disposition, Genuine, Reading, Refusal, WebhookSource, incode::Incode, treezor::Treezor, veriff::Veriff,
    wultra::Wultra,
};

const SECRET: &str = "7b1f4e0a-5c7d-4d62-9f0b-2c8e61a3d94f";
const TOKEN: &str = "url-token-6d1f0a94c27be8354f7c1d92a6b3e805";
const PROBE: &str = r#"{"verdictProbe":"00112233445566778899aabbccddeeff"}"#;

/// Proves some text as what the provider's proof covers.
fn prove(provider: Provider, text: &str) -> Result<Genuine, Refusal> {
    match provider {
        Provider::Veriff => veriff(text),
        Provider::Incode => incode(text),
        Provider::Treezor => treezor(text),
        Provider::Wultra => wultra(text),
    }
}

fn now() -> Timestamp {
    Timestamp::parse("2026-06-13T00:40:00Z").unwrap()
}

fn hmac(message: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(message);
    mac.finalize().into_bytes().to_vec()
}

fn post(path: &str, headers: &[(&str, String)], body: &str) -> Delivery {
    Delivery::new("POST", path, headers.iter().cloned().collect(), body.into())
}

fn veriff(text: &str) -> Result<Genuine, Refusal> {
    let signature = hmac(text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let veriff = Veriff::from_json(&format!(r#"{{"secrets":["{SECRET}"]}}"#)).unwrap();
    veriff.prove(post("/veriff/decisions", &[("x-hmac-signature", signature)], text), now())
}

fn incode(text: &str) -> Result<Genuine, Refusal> {
    let incode = Incode::from_json(&format!(r#"{{"headers":{{"x-incode-secret":["{SECRET}"]}}}}"#)).unwrap();
    incode.prove(post("/incode/onboarding-status", &[("x-incode-secret", SECRET.into())], text), now())
}

fn wultra(text: &str) -> Result<Genuine, Refusal> {
    let login = format!("Basic {}", STANDARD.encode(format!("wultra:{SECRET}")));
    let basic = format!(r#"{{"basic":[{{"username":"wultra","password":"{SECRET}"}}]}}"#);
    let wultra = Wultra::from_json(&basic).unwrap();
    wultra.prove(post("/wultra/process/event", &[("authorization", login)], text), now())
}

fn treezor(payload: &str) -> Result<Genuine, Refusal> {
    treezor_body(&format!(r#"{{"webhook":"user.kycreview",{}}}"#, signed(payload)))
}

/// A payload of Treezor's, and its signature.
fn signed(payload: &str) -> String {
    format!(r#""object_payload":{payload},"object_payload_signature":"{}""#, STANDARD.encode(hmac(payload)))
}

fn treezor_body(body: &str) -> Result<Genuine, Refusal> {
    let treezor = Treezor::from_json(&format!(r#"{{"secrets":["{SECRET}"],"urlTokens":["{TOKEN}"]}}"#)).unwrap();
    treezor.prove(post("/treezor", &[], body).with_query(vec![("token".into(), TOKEN.into())]), now())
}

fn assert_all(texts: &[&str], expected: bool) {
    for provider in Provider::ALL {
        for text in texts {
            assert_eq!(prove(provider, text).unwrap().is_probe(), expected, "{provider} {text}");
        }
    }
}

#[test]
fn one_object_with_the_one_member_is_a_probe() {
    assert_all(
        &[
            PROBE,
            r#"{"verdictProbe":"00112233445566778899AABBCCDDEEFF"}"#,
            "{ \"verdictProbe\" :\t\"ffffffffffffffffffffffffffffffff\" }",
            r#"{"verdict\u0050robe":"\u0030112233445566778899aabbccddeeff0"}"#,
        ],
        true,
    );
}

#[test]
fn with_anything_beside_it_or_in_its_place_it_is_a_webhook() {
    assert_all(
        &[
            "{}",
            "[]",
            r#"{"verdictProbe":"00112233445566778899aabbccddeeff","verdictProbe":"00112233445566778899aabbccddeeff"}"#,
            r#"{"verdictProbe":"00112233445566778899aabbccddeeff","verdict\u0050robe":null}"#,
            r#"{"verdictProbe":"00112233445566778899aabbccddeeff","processId":"p"}"#,
            r#"{"interviewId":"i","verdictProbe":"00112233445566778899aabbccddeeff"}"#,
            r#"[{"verdictProbe":"00112233445566778899aabbccddeeff"}]"#,
            r#"{"a":{"verdictProbe":"00112233445566778899aabbccddeeff"}}"#,
            r#"{"verdictProbe":["00112233445566778899aabbccddeeff"]}"#,
            r#"{"verdictProbe":{"0":"00112233445566778899aabbccddeeff"}}"#,
            r#"{"verdictProbe":"0112233445566778899aabbccddeeff"}"#,
            r#"{"verdictProbe":"000112233445566778899aabbccddeeff"}"#,
            r#"{"verdictProbe":"0g112233445566778899aabbccddeeff"}"#,
            r#"{"verdictProbe":" 0112233445566778899aabbccddeeff"}"#,
            r#"{"verdictProbe":"０0112233445566778899aabbccddee"}"#,
            r#"{"verdictProbe":""}"#,
            r#"{"verdictProbe":null}"#,
            r#"{"verdictProbe":true}"#,
            r#"{"verdictProbe":11223344556677889900112233445566}"#,
            r#"{"verdictprobe":"00112233445566778899aabbccddeeff"}"#,
            r#"{"verdict_probe":"00112233445566778899aabbccddeeff"}"#,
        ],
        false,
    );
}

/// A probe is read besides what reads a webhook: that must cost nothing where the body has megabytes.
#[test]
fn a_long_text_is_a_webhook_whatever_it_says() {
    for provider in Provider::ALL {
        let padded =
            |length: usize| PROBE.replacen(':', &" ".repeat(length + 1 - PROBE.len()).replacen(' ', ":", 1), 1);
        assert!(prove(provider, &padded(512)).unwrap().is_probe(), "{provider}");
        assert!(!prove(provider, &padded(513)).unwrap().is_probe(), "{provider}");
    }
}

#[test]
fn no_text_but_json_is_a_probe() {
    // Treezor's payload is a value of its envelope: what is no JSON is no payload.
    for provider in Provider::ALL.into_iter().filter(|provider| *provider != Provider::Treezor) {
        for text in ["", " ", "\u{feff}{}", &format!("{PROBE}{PROBE}"), &PROBE[..50], &PROBE.replace('"', "'")] {
            assert!(!prove(provider, text).unwrap().is_probe(), "{provider} {text}");
        }
    }
}

#[test]
fn only_what_treezor_signs_makes_a_probe() {
    let beside =
        format!(r#"{{"webhook_id":"1","object_id":{{"a":[1]}},{},"x":"{}"}}"#, signed(PROBE), "y".repeat(9999));
    assert!(treezor_body(&beside).unwrap().is_probe());
    let wrapped = format!(r#"{{"webhook":{{"webhook":"user.kycreview",{}}}}}"#, signed(PROBE));
    assert!(treezor_body(&wrapped).unwrap().is_probe());
    let around = format!(r#"{{"verdictProbe":"{}",{}}}"#, "0".repeat(32), signed(r#"{"users":[]}"#));
    assert!(!treezor_body(&around).unwrap().is_probe());
}

#[test]
fn an_unproved_probe_is_refused() {
    for unsigned in [PROBE.to_owned(), format!(r#"{{"webhook":"kycreview.result","object_payload":{PROBE}}}"#)] {
        let refusal = treezor_body(&unsigned).unwrap_err();
        assert!(matches!(refusal, Refusal::EnvelopeUnreadable | Refusal::SignatureMissing), "{refusal:?}");
    }
    let veriff = Veriff::from_json(&format!(r#"{{"secrets":["another-{SECRET}"]}}"#)).unwrap();
    let signature = "0".repeat(64);
    let forged = veriff.prove(post("/veriff/decisions", &[("x-hmac-signature", signature)], PROBE), now());
    assert_eq!(forged.unwrap_err(), Refusal::SignatureMismatch);
    let wultra = Wultra::from_json(&format!(r#"{{"headers":{{"x-key":["{SECRET}"]}}}}"#)).unwrap();
    assert_eq!(
        wultra.prove(post("/wultra/process/event", &[], PROBE), now()).unwrap_err(),
        Refusal::SecretHeaderMissing
    );
}

/// What waited on our own queue was a webhook when it was proved.
#[test]
fn what_comes_from_our_queue_is_no_probe() {
    let kept =
        Genuine::from_our_queue(Provider::Veriff, "/veriff/decisions".into(), now(), PROBE.into(), "digest".into());
    assert!(!kept.is_probe());
}

#[test]
fn a_probe_is_answered_like_what_was_recorded() {
    fn assert_alike<P: WebhookSource>(paths: &[&str]) {
        for path in paths {
            let answer = P::answer(path, Disposition::Probe);
            assert_eq!(answer, P::answer(path, Disposition::Recorded));
            assert_eq!(answer.status, 200);
        }
    }
    for provider in Provider::ALL {
        match provider {
            Provider::Veriff => assert_alike::<Veriff>(&["/veriff/events"]),
            Provider::Incode => assert_alike::<Incode>(&["/incode/ine-scraping", "/incode/watchlist"]),
            Provider::Treezor => assert_alike::<Treezor>(&["/treezor"]),
            Provider::Wultra => assert_alike::<Wultra>(&["/wultra/process/event"]),
        }
    }
    assert_eq!(Disposition::Probe.as_str(), "probe");
}

#[test]
fn with_a_member_more_it_is_read_like_any_webhook() {
    let body = r#"{"interviewId":"i","verdictProbe":"00112233445566778899aabbccddeeff"}"#;
    assert!(matches!(verdict_webhooks::read(&incode(body).unwrap()), Ok(Reading::Events { .. })));
}
