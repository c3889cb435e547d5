//! What is stored of a webhook: no images, no tokens, everything else as spelled, and never too much.
#![cfg(test)]

mod support;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::{hex, read_on};
use verdict_webhooks::{PAYLOAD_LIMIT, Reading, json::DEPTH_LIMIT};

/// The text stored of a webhook; always JSON, and never over the limit.
fn payload(body: impl AsRef<str>) -> String {
    let Ok(Reading::Events { payload, .. }) = read_on("/veriff/decisions", body.as_ref()) else {
        panic!("unreadable: {}", body.as_ref())
    };
    assert!(payload.len() <= PAYLOAD_LIMIT, "{} bytes", payload.len());
    let json: Result<Value, _> = serde_json::from_str(&payload);
    assert!(json.is_ok(), "{json:?}: {payload}");
    payload
}

/// A webhook with a member whose value is spelled like that.
fn webhook(value: &str) -> String {
    format!(r#"{{"id":"s","sample":{value}}}"#)
}

/// What is stored of such a member.
fn stored(value: &str) -> Value {
    let payload: Value = serde_json::from_str(&payload(webhook(value))).unwrap();
    payload["sample"].clone()
}

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes))
}

fn mark(kind: &str, bytes: &[u8]) -> Value {
    json!({"kind": kind, "bytes": bytes.len(), "sha256": sha256(bytes)})
}

/// Bytes that start like a file of some kind, and hold every byte there is.
fn file(start: &[u8], length: usize) -> Vec<u8> {
    let filling = (0..=255_u8).flat_map(|a| (0..=255_u8).map(move |b| a.wrapping_mul(31) ^ b));
    start.iter().copied().chain(filling.cycle()).take(length).collect()
}

fn jpeg(length: usize) -> Vec<u8> {
    file(b"\xff\xd8\xff\xe0", length)
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

mod blobs {
    use super::*;

    #[test]
    fn an_image_becomes_its_kind_size_and_digest() {
        // The digest was computed elsewhere.
        let image = jpeg(200);
        let expected = json!({"kind": "image/jpeg", "bytes": 200,
            "sha256": "22bd447ade03ca4532a7da72105b3f7c31a6648ef20e8b566308242d04e5b0ef"});
        assert_eq!(stored(&quoted(&STANDARD.encode(image))), expected);
    }

    #[test]
    fn the_kind_is_what_the_first_bytes_show() {
        for (start, kind) in [
            (&b"\xff\xd8\xff\xe1"[..], "image/jpeg"),
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"GIF89a", "image/gif"),
            (b"%PDF-1.7", "application/pdf"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\x10\0\0\0WAVEfmt ", "application/octet-stream"),
            (b"\0\0\0\x18ftypheic", "image/heic"),
            (b"\0\0\0\x18ftypmif1", "image/heic"),
            (b"\0\0\0\x18ftypisom", "video/mp4"),
            (b"\xff\xd8", "application/octet-stream"),
            (b"", "application/octet-stream"),
        ] {
            let bytes = file(start, 300);
            assert_eq!(stored(&quoted(&STANDARD.encode(&bytes))), mark(kind, &bytes), "{start:?}");
        }
    }

    #[test]
    fn every_way_to_write_base64_is_known() {
        for length in [199, 200, 201] {
            let bytes = file(b"\x89PNG\xfb\xef\xbe\xff\xff", length);
            let standard = STANDARD.encode(&bytes);
            let lines = |width: usize, end: &str| {
                let lines: Vec<_> =
                    standard.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect();
                lines.join(end)
            };
            let all_escaped: String = standard.bytes().map(|byte| "\\u00".to_owned() + &hex(&[byte])).collect();
            for spelled in [
                quoted(&standard),
                quoted(&STANDARD_NO_PAD.encode(&bytes)),
                quoted(&URL_SAFE.encode(&bytes)),
                quoted(&URL_SAFE_NO_PAD.encode(&bytes)),
                quoted(&lines(76, "\r\n")),
                quoted(&lines(64, "\n")),
                quoted(&format!(" {}\n", lines(64, " \n\t"))),
                quoted(&format!("data:image/png;base64,{standard}")),
                quoted(&format!("data:;base64,{standard}")),
                quoted(&format!("data:text/plain;charset=utf-8;base64,{}", lines(76, "\r\n"))),
                quoted(&standard).replace('/', "\\/"),
                quoted(&standard).replace('+', "\\u002b"),
                format!("\"{all_escaped}\""),
            ] {
                assert_eq!(stored(&spelled), mark("image/png", &bytes), "{spelled}");
            }
        }
    }

    #[test]
    fn blobs_are_found_wherever_they_are() {
        let bytes = jpeg(400);
        let blob = STANDARD.encode(&bytes);
        let body = json!({"id": "s", "a": [[{"b": blob}], blob], "data": {"verification": {"image": {"value": blob}}}});
        let mark = mark("image/jpeg", &bytes);
        let expected =
            json!({"id": "s", "a": [[{"b": mark}], mark], "data": {"verification": {"image": {"value": mark}}}});
        assert_eq!(serde_json::from_str::<Value>(&payload(body.to_string())).unwrap(), expected);
    }

    #[test]
    fn five_megabytes_of_image_become_one_mark() {
        let image = jpeg(5 * 1024 * 1024 * 3 / 4);
        assert_eq!(stored(&quoted(&STANDARD.encode(&image))), mark("image/jpeg", &image));
    }

    #[test]
    fn bits_that_a_careless_encoder_leaves_in_the_last_digit_are_no_obstacle() {
        let image = jpeg(199);
        let canonical = STANDARD_NO_PAD.encode(&image);
        let (digits, last) = canonical.split_at(canonical.len() - 1);
        let careless = char::from(last.as_bytes()[0] + 1);
        assert_eq!(stored(&quoted(&format!("{digits}{careless}"))), mark("image/jpeg", &image));
    }

    #[test]
    fn a_blob_at_the_deepest_level_is_no_level_too_many() {
        // The document is the first level.
        let inside = DEPTH_LIMIT - 1;
        let blob = quoted(&STANDARD.encode(jpeg(300)));
        payload(webhook(&format!("{}{blob}{}", "[".repeat(inside), "]".repeat(inside))));
    }

    #[test]
    fn text_under_256_characters_is_kept() {
        let base64 = STANDARD.encode(jpeg(300));
        for text in [
            "",
            "f04bdb47-d3be-4b28-b028-a652feb060b5",
            "0dcab73ddd20062616d104231c7439657546a5c24e4691977da93bb854c31e25",
            "data:image/png;base64,iVBORw0KGgo=",
            &base64[..252],
            &base64[..255],
        ] {
            assert_eq!(stored(&quoted(text)), text);
        }
        assert_ne!(stored(&quoted(&base64[..256])), base64[..256]);
    }

    #[test]
    fn long_text_that_is_no_base64_is_kept() {
        let base64 = STANDARD.encode(jpeg(300));
        for text in [
            "The person said: no, thank you. ".repeat(20),
            "words without any punctuation at all ".repeat(16),
            "one word a line\n".repeat(32),
            "línea ".repeat(100),
            "🔑".repeat(300),
            "a".repeat(257),
            base64.replace('A', "."),
            format!("{base64}!"),
            format!("={base64}"),
            format!("{}-_+/", &base64[..256]),
            format!("data:{base64}"),
            format!("data:text/plain,{}", "a".repeat(400)),
            format!("https://example.com/{base64}?x=1"),
        ] {
            assert_eq!(stored(&quoted(&text)), text);
        }
    }

    #[test]
    fn names_are_kept_however_long() {
        let name = "a".repeat(400);
        let body = format!(r#"{{"id":"s","{name}":1}}"#);
        assert_eq!(payload(&body), body);
    }
}

mod secrets {
    use super::*;

    #[test]
    fn members_that_hold_secrets_go_name_and_all() {
        for name in [
            "token",
            "Token",
            "sessionToken",
            "access_token",
            "refresh-token",
            "ID_TOKEN",
            "apiKey",
            "api_key",
            "x-api-key",
            "X-API-KEY",
            "password",
            "userPassword",
            "secret",
            "clientSecret",
            "jwt",
            "authJwt",
            "tokens",
            "apiKeys",
            "accessKey",
            "privateKey",
            "passwordHash",
            "credentials",
            "authorization",
            "Proxy-Authorization",
            r"tok\u0065n",
            r"api\u005fkey",
        ] {
            for value in [r#""canary""#, "1", r#"{"value":"canary"}"#, r#"["canary"]"#, "null"] {
                let body = format!(
                    r#"{{"{name}":{value},"id":"s","sample":[{{"{name}":{value}}},{{"a":1,"{name}":{value},"{name}":{value}}}]}}"#
                );
                assert_eq!(payload(&body), r#"{"id":"s","sample":[{},{"a":1}]}"#, "{body}");
            }
        }
    }

    #[test]
    fn names_that_only_sound_like_it_stay() {
        for name in ["secretary", "tokenised", "keyword", "monkey", "passwordless", "authorizer", "key"] {
            let body = format!(r#"{{"id":"s","{name}":"x"}}"#);
            assert_eq!(payload(&body), body);
        }
    }

    #[test]
    fn no_secret_comes_back_when_a_payload_is_cut() {
        let long = "long text. ".repeat(PAYLOAD_LIMIT / 10);
        let body = json!({"id": "s", "apiKey": "canary", "sample": long}).to_string();
        assert!(!payload(body).contains("canary"));
    }
}

mod spelling {
    use super::*;

    #[test]
    fn white_space_goes_and_all_else_stays_as_spelled() {
        let spaced = "{ \"id\" : \"s\" ,\n\t\"n\" : [ 1e400 , -0 , 1.10 , 9007199254740993 , 0.1E+2 ] ,\r\n \
            \"t\" : \"\\u0041\\/\\ud83d / \u{7f} é 🔑\" , \"d\" : 1 , \"d\" : 2 , \"w\" : [ true , false , null , { } , [ ] ] }";
        let plain = r#"{"id":"s","n":[1e400,-0,1.10,9007199254740993,0.1E+2],"t":"\u0041\/\ud83d / "#.to_owned()
            + "\u{7f} é 🔑\",\"d\":1,\"d\":2,\"w\":[true,false,null,{},[]]}";
        let Ok(Reading::Events { payload, .. }) = read_on("/veriff/decisions", spaced) else { panic!() };
        assert_eq!(payload, plain);
    }

    #[test]
    fn numbers_of_any_length_stay() {
        let digits = "1234567890".repeat(1000);
        let body = format!(r#"{{"id":"s","sample":{digits}}}"#);
        let Ok(Reading::Events { payload, .. }) = read_on("/veriff/decisions", &body) else { panic!() };
        assert_eq!(payload, body);
    }

    #[test]
    fn what_is_stored_can_be_read_again_to_the_same_end() {
        let body = json!({"status": "success", "technicalData": {"token": "x"}, "verification": {
            "id": "s", "attemptId": "a", "status": "declined", "code": 9102, "reason": "a reason", "reasonCode": 102,
            "decisionTime": "2026-06-13T00:38:30.8Z", "vendorData": "customer-1", "image": STANDARD.encode(jpeg(3000))}});
        let first = read_on("/veriff/decisions", body.to_string()).unwrap();
        let Reading::Events { payload, .. } = &first else { panic!() };
        assert_eq!(read_on("/veriff/decisions", payload).unwrap(), first);
    }
}

mod the_limit {
    use super::*;

    fn cut(text: &str) -> Value {
        json!({"kind": "cut", "bytes": text.len(), "sha256": sha256(text)})
    }

    #[test]
    fn a_payload_may_be_as_long_as_the_limit() {
        let fitting = webhook(&quoted(&".".repeat(PAYLOAD_LIMIT - webhook(r#""""#).len())));
        assert_eq!(fitting.len(), PAYLOAD_LIMIT);
        assert_eq!(payload(&fitting), fitting);
        let one_more = webhook(&quoted(&".".repeat(PAYLOAD_LIMIT + 1 - webhook(r#""""#).len())));
        assert!(payload(one_more).len() < 200);
    }

    #[test]
    fn of_one_that_is_too_long_the_largest_members_go_and_leave_a_mark() {
        let (largest, large, small) = (".".repeat(250_000), ",".repeat(200_000), ";".repeat(90_000));
        let body = json!({"id": "s", "small": small, "large": [large], "largest": {"text": largest}, "n": 1});
        let stored: Value = serde_json::from_str(&payload(body.to_string())).unwrap();
        let mark = cut(&body["largest"].to_string());
        assert_eq!(stored, json!({"id": "s", "small": small, "large": [large], "largest": mark, "n": 1}));
    }

    #[test]
    fn as_many_members_go_as_must() {
        let text = ".".repeat(PAYLOAD_LIMIT);
        let body = json!({"id": "s", "a": text, "b": text, "c": text, "n": 1});
        let stored: Value = serde_json::from_str(&payload(body.to_string())).unwrap();
        let mark = cut(&quoted(&text));
        assert_eq!(stored, json!({"id": "s", "a": mark, "b": mark, "c": mark, "n": 1}));
    }

    #[test]
    fn of_very_many_members_a_mark_of_the_whole_is_left() {
        let members: Vec<String> = (0..100_000).map(|at| format!("\"m{at}\":{at}")).collect();
        let body = format!("{{\"id\":\"s\",{}}}", members.join(","));
        assert_eq!(serde_json::from_str::<Value>(&payload(&body)).unwrap(), cut(&body));
    }

    #[test]
    fn very_long_values_of_every_sort_are_cut() {
        let long = 1024 * 1024;
        for value in [
            "9".repeat(long),
            quoted(&".".repeat(long)),
            quoted(&"é".repeat(long / 2)),
            format!("[{}1]", "1,".repeat(long / 2)),
            format!("{{{}\"x\":1}}", "\"x\":1,".repeat(long / 6)),
        ] {
            assert_eq!(stored(&value), cut(&value));
        }
    }

    #[test]
    fn a_very_long_name_is_cut_too() {
        let body = format!(r#"{{"id":"s","{}":1}}"#, "a".repeat(PAYLOAD_LIMIT));
        assert_eq!(serde_json::from_str::<Value>(&payload(&body)).unwrap(), cut(&body));
    }
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![".*", "[A-Za-z0-9+/]{0,400}={0,2}", "data:image/png;base64,[A-Za-z0-9_-]{200,400}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from)
    ];
    let name = "[a-z]{0,3}|token|apiKey|.{0,5}";
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(name, inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_comes_what_is_stored_is_json_and_minimal_already(value in value()) {
        let once = payload(webhook(&value.to_string()));
        prop_assert_eq!(payload(&once), once);
    }
}
