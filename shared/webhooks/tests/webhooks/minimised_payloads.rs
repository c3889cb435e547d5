//! What is stored of a webhook: no images, no tokens, everything else as spelled, and never too much.

use crate::{
    known_ids::{printed, samples},
    veriff::genuine::{genuine_on, hex, read_on},
    wultra::genuine as wultra,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use verdict_sessions::{EventId, Provider, SessionEvent};
use verdict_webhooks::{PAYLOAD_LIMIT, Reading, json::DEPTH_LIMIT};

/// The text stored of a webhook; always JSON, and never over the limit.
fn payload(body: impl AsRef<str>) -> String {
    let Ok(Reading::Events { parts, .. }) = read_on("/veriff/decisions", body.as_ref()) else {
        panic!("unreadable: {}", body.as_ref())
    };
    let payload = parts[0].payload.clone();
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

/// The same where it is a part of a text.
fn mark_in_text(kind: &str, bytes: &[u8]) -> String {
    format!("[{kind}, {} bytes, sha256 {}]", bytes.len(), sha256(bytes))
}

/// Lines of that many characters.
fn lines(text: &str, width: usize, end: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect();
    lines.join(end)
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
            let lines = |width, end| lines(&standard, width, end);
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
        let text = payload(webhook(&format!("{}{blob}{}", "[".repeat(inside), "]".repeat(inside))));
        assert_eq!(payload(&text), text);
        assert!(text.contains(&mark_in_text("image/jpeg", &jpeg(300))), "{text}");
        let above = payload(webhook(&format!("{}{blob}{}", "[".repeat(inside - 1), "]".repeat(inside - 1))));
        assert!(above.contains(&mark("image/jpeg", &jpeg(300))["sha256"].to_string()), "{above}");
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
        let hyphens_and_slashes = format!("{}-{}/{}", &base64[..100], &base64[..100], &base64[..100]);
        for text in [
            "The person said: no, thank you. ".repeat(20),
            "words without any punctuation at all ".repeat(16),
            "one word a line\n".repeat(32),
            "línea ".repeat(100),
            "🔑".repeat(300),
            lines(&base64, 100, ". "),
            lines(&base64, 255, " "),
            lines(&base64, 39, "\n"),
            "0dcab73d-0dca-b73d-0dca-b73d0dcab73d\r\n".repeat(16),
            "https://example.com/some-path/some_name?x=1&y=2 ".repeat(8),
            "{\"no\": json".repeat(30),
            "[text] ".repeat(60),
            "C:\\new\\reports\\today\t".repeat(20),
            hyphens_and_slashes.replace('+', "-"),
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

mod blobs_within_text {
    use super::*;

    fn assert_replaced(text: &str, blob: &str, kind: &str, bytes: &[u8]) {
        assert_eq!(text.matches(blob).count(), 1, "{text}");
        assert_eq!(stored(&quoted(text)), text.replace(blob, &mark_in_text(kind, bytes)), "{text}");
    }

    #[test]
    fn the_text_around_a_blob_stays() {
        for length in [198, 199, 200, 201, 5000] {
            let image = jpeg(length);
            for blob in [STANDARD.encode(&image), URL_SAFE.encode(&image)] {
                for text in [
                    format!("<img alt=\"a front\" src=\"data:image/jpeg;base64,{blob}\"/>"),
                    format!("<?xml version=\"1.0\"?>\r\n<images>\r\n <front>{blob}</front>\r\n</images>"),
                    format!("<front>\n\t{blob}\n</front>"),
                    format!("an image: {blob}, and more"),
                    format!("(\u{1f511}{blob}\u{e9})"),
                    format!("\"{blob}\" was no JSON"),
                    format!("{{\"image\": \"{blob}\""),
                    format!("{blob}; {}", "short=="),
                    format!("image={blob}&x=1"),
                ] {
                    assert_replaced(&text, &blob, "image/jpeg", &image);
                }
            }
        }
    }

    #[test]
    fn blobs_in_lines_are_one_blob() {
        for length in 300..330 {
            let pdf = file(b"%PDF-1.7", length);
            let encoded = STANDARD.encode(&pdf);
            for (width, end) in [
                (76, "\r\n"),
                (64, "\n"),
                (60, "\n"),
                (76, "\r\n\t"),
                (72, " \n "),
                (76, "&#13;\n"),
                (76, "&#xD;\r\n"),
                (76, "\\n"),
            ] {
                let blob = lines(&encoded, width, end);
                assert_replaced(
                    &format!("Content-Transfer-Encoding: base64\r\n\r\n{blob}\r\n.\r\n"),
                    &blob,
                    "application/pdf",
                    &pdf,
                );
                assert_replaced(&format!("<file>{blob}</file>"), &blob, "application/pdf", &pdf);
            }
        }
    }

    #[test]
    fn a_pem_file_keeps_its_frame() {
        for length in 400..448 {
            let key = file(b"\x30\x82\xfb\xef\xbe\xff", length);
            let blob = lines(&STANDARD.encode(&key), 64, "\n");
            let text = format!("-----BEGIN SOMETHING-----\n{blob}\n-----END SOMETHING-----\n");
            assert_replaced(&text, &blob, "application/octet-stream", &key);
        }
    }

    #[test]
    fn digits_are_known_in_the_spelling_of_the_text_around_them() {
        let image = file(b"\x89PNG\xfb\xef\xbe\xff\xff", 700);
        let blob = STANDARD.encode(&image);
        let expected = mark_in_text("image/png", &image);
        assert!(blob.contains('+') && blob.contains('/') && blob.ends_with('='));
        for spelled in [
            blob.replace('/', "\\/"),
            blob.replace('/', "\\\\\\/"),
            blob.replace('+', "\\u002b").replace('=', "\\u003D"),
            blob.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"),
            blob.replace('+', "%2b").replace('/', "%2f").replace('=', "%3d"),
            blob.replace('+', "&#43;").replace('/', "&#x2F;").replace('=', "&#61;"),
        ] {
            assert_eq!(stored(&quoted(&format!("<{spelled}>"))), format!("<{expected}>"));
            // Escaped by JSON itself once more.
            let escaped = quoted(&format!("<{spelled}>")).replace('/', "\\/").replace('=', "\\u003d");
            assert_eq!(stored(&escaped), format!("<{expected}>"));
        }
    }

    #[test]
    fn no_escape_is_cut_through() {
        let blob = STANDARD.encode(jpeg(400));
        for around in [
            "\\b",
            "\\f",
            "\\u00e9",
            "\\u00be",
            "\\ud83d\\udd11",
            "\\\\",
            "\\\"",
            "\\\\b",
            "\\\\u00",
            "%",
            "%e",
            "&#",
            "&#6",
            "é",
        ] {
            let spelled = format!("\"<{around}{blob}{around}>\"");
            let stored = stored(&spelled);
            assert!(
                stored.as_str().unwrap().starts_with('<') && !stored.as_str().unwrap().contains(&blob[20..200]),
                "{around}: {stored}"
            );
        }
    }

    #[test]
    fn each_of_many_blobs_is_replaced() {
        let (front, back) = (jpeg(300), file(b"\x89PNG", 400));
        let text = |front: &str, back: &str| format!("<a>{front}</a><b>{back}</b><a>{front}</a>");
        assert_eq!(
            stored(&quoted(&text(&STANDARD.encode(&front), &STANDARD.encode(&back)))),
            text(&mark_in_text("image/jpeg", &front), &mark_in_text("image/png", &back))
        );
    }

    #[test]
    fn a_blob_with_a_character_too_many_is_no_blob_less() {
        let blob = STANDARD_NO_PAD.encode(jpeg(300));
        for text in [format!("{blob}A"), format!("x{blob}"), format!("{blob}-"), format!("={blob}"), format!("{blob}!")]
        {
            let stored = stored(&quoted(&text)).to_string();
            assert!(stored.len() < 160 && stored.contains("sha256"), "{stored}");
        }
        assert_eq!(stored(&quoted(&"a".repeat(257)))["bytes"], 192);
    }
}

mod documents_in_strings {
    use super::*;

    /// A document as a string in a document, so many times.
    fn wrapped(document: &str, times: usize) -> String {
        (0..times).fold(document.to_owned(), |document, _| quoted(&document))
    }

    #[test]
    fn they_are_minimised_inside() {
        let image = jpeg(400);
        let blob = STANDARD.encode(&image);
        let inner = json!({"token": "canary", "image": blob, "n": [1, {"apiKey": "canary"}], "t": "é\n\"\\/\u{1f511}"});
        let expected = json!({"image": mark("image/jpeg", &image), "n": [1, {}], "t": "é\n\"\\/\u{1f511}"});
        for times in 1..=4 {
            let mut stored = stored(&wrapped(&inner.to_string(), times));
            for _ in 0..times {
                stored = serde_json::from_str(stored.as_str().unwrap()).unwrap();
            }
            assert_eq!(stored, expected, "{times}");
        }
        let mut nested = expected.clone();
        nested["again"] = Value::from(json!([expected]).to_string());
        let mut original = inner.clone();
        original["again"] = Value::from(json!([inner]).to_string());
        let stored: Value = serde_json::from_str(stored(&quoted(&original.to_string())).as_str().unwrap()).unwrap();
        assert_eq!(stored["image"], nested["image"]);
        assert_eq!(serde_json::from_str::<Value>(stored["again"].as_str().unwrap()).unwrap(), json!([expected]));
    }

    #[test]
    fn every_spelling_of_them_is_known() {
        for spelled in [
            r#""{\"token\":\"canary\",\"a\":1}""#,
            r#"" \r\n\t{ \"token\" : \"canary\" , \"a\" : 1 } \n""#,
            r#""{\u0022token\u0022:\u0022canary\u0022,\u0022a\u0022:1}""#,
            r#""{\"tok\\u0065n\":\"canary\",\"a\":1}""#,
            r#""\u007b\"token\":\"canary\",\"a\":1}""#,
        ] {
            let expected = r#"{"a":1}"#;
            assert_eq!(stored(spelled), expected, "{spelled}");
        }
    }

    #[test]
    fn without_anything_to_leave_out_they_stay_as_spelled() {
        for spelled in [
            r#""{ \"a\" : 1.10, \"b\" : [ 1e400, -0 ] }\r\n""#,
            r#""{\u0022a\u0022:\"\\ud83d\"}""#,
            r#""[]""#,
            r#""{}""#,
            r#""{""#,
            r#""[1,2""#,
            r#""\"a\"""#,
            r#""{\"a\":\"b\"} and more""#,
            r#""{a:1}""#,
            r#""[object Object]""#,
        ] {
            let body = webhook(spelled);
            assert_eq!(payload(&body), body);
        }
    }

    #[test]
    fn what_is_too_deep_to_look_into_becomes_a_mark() {
        let inner = r#"{"token":"canary"}"#;
        for times in 5..9 {
            let body = payload(webhook(&wrapped(inner, times)));
            assert!(!body.contains("canary") && body.contains("application/json"), "{times}: {body}");
            assert_eq!(payload(&body), body);
        }
        for depth in [DEPTH_LIMIT + 1, 1000, 100_000] {
            let deep = format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(stored(&quoted(&deep)), mark("application/json", deep.as_bytes()), "{depth}");
        }
    }

    #[test]
    fn each_may_be_as_deep_as_any_document() {
        let blob = quoted(&STANDARD.encode(jpeg(300)));
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(DEPTH_LIMIT), "]".repeat(DEPTH_LIMIT));
        let twice = deep(&quoted(&deep(&quoted(&deep(&blob)))));
        let text = payload(webhook(&quoted(&twice)));
        assert!(text.contains(&mark_in_text("image/jpeg", &jpeg(300))), "{text}");
        assert_eq!(payload(&text), text);
    }

    #[test]
    fn how_deep_one_stands_is_no_depth_of_its_own() {
        let within = |value: &str, depth: usize| format!("{}{value}{}", "[".repeat(depth), "]".repeat(depth));
        let at = |value: Value, depth: usize| (0..depth).fold(value, |value, _| value[0].clone());
        let inner = within(&quoted(&STANDARD.encode(jpeg(300))), DEPTH_LIMIT - 1);
        let outer = at(stored(&within(&quoted(&inner), 100)), 100);
        let inner: Value = serde_json::from_str(outer.as_str().unwrap()).unwrap();
        assert_eq!(at(inner, DEPTH_LIMIT - 1), mark("image/jpeg", &jpeg(300)));
    }
}

mod tokens {
    use super::*;

    /// A token with such a header.
    fn token(header: &str) -> String {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let claims = json!({"sub": "canary", "name": "SAMPLE", "exp": 1_781_311_110}).to_string();
        format!("{}.{}.{}", part(header.as_bytes()), part(claims.as_bytes()), part(&jpeg(64)))
    }

    fn headers() -> Vec<String> {
        let certificate = STANDARD.encode(file(b"\x30\x82", 1500));
        vec![
            r#"{"alg":"HS256"}"#.into(),
            r#"{"alg":"HS256","typ":"JWT"}"#.into(),
            r#"{"typ":"JWT","alg":"none"}"#.into(),
            r#"{"\u0061lg":"none"}"#.into(),
            "{ \"typ\": \"JWT\",\r\n  \"alg\": \"RS256\" }".into(),
            "{\n\"alg\": \"RS256\"\n}".into(),
            r#"{"kid":"é-🔑","alg":"ES256"}"#.into(),
            json!({"x5c": [certificate, certificate], "alg": "RS256"}).to_string(),
        ]
    }

    #[test]
    fn they_become_marks_whatever_their_member_is_called() {
        for header in headers() {
            let token = token(&header);
            let expected = mark("application/jwt", token.as_bytes());
            assert_eq!(stored(&quoted(&token)), expected, "{header}");
            assert_eq!(stored(&quoted(&format!(" {token}\n"))), expected, "{header}");
            let list = json!([token, {"session": token}]).to_string();
            assert_eq!(stored(&list), json!([expected, {"session": expected}]), "{header}");
        }
    }

    #[test]
    fn the_text_around_them_stays() {
        for header in headers() {
            let token = token(&header);
            let mark = mark_in_text("application/jwt", token.as_bytes());
            for text in [
                "Bearer {}",
                "https://example.com/start?lang=en&auth={}&x=1",
                "https://example.com/start/{}/x",
                "https://example.com/#{}",
                "a=1; session={}; Path=/",
                "{}, {}",
                "<{}>",
                "\\{}\\",
                "\u{e9}{}\u{e9}",
                "'{}'",
                "{}:{}",
            ] {
                let expected = text.replace("{}", &mark);
                assert_eq!(stored(&quoted(&text.replace("{}", &token))), expected, "{header}");
            }
        }
        let token = token(&headers()[0]);
        let mark = mark_in_text("application/jwt", token.as_bytes());
        assert_eq!(stored(&quoted(&format!("id_{token}"))), format!("id_{mark}"));
    }

    #[test]
    fn no_escape_is_cut_through() {
        let token = token(r#"{"alg":"HS256"}"#);
        // The last digit of this escape is the first letter of what would be a token without it.
        let spelled = format!("\"\\u00b{token}\"");
        assert!(stored(&spelled).is_string());
        for escape in ["\\u00e9", "\\r", "\\n", "\\b", "\\\\", "\\\"", "\\/"] {
            let stored = stored(&format!("\"{escape}{token}{escape}\"")).to_string();
            assert!(stored.contains(&sha256(&token)) && !stored.contains(&token[..30]), "{escape}: {stored}");
        }
    }

    #[test]
    fn however_their_letters_are_spelled() {
        let token = token(r#"{"alg":"HS256","typ":"JWT"}"#);
        let expected = mark("application/jwt", token.as_bytes());
        let escaped = |is_escaped: fn(usize, char) -> bool| -> String {
            let spelled = token.char_indices().map(|(at, letter)| {
                if is_escaped(at, letter) { format!("\\u{:04X}", u32::from(letter)) } else { letter.to_string() }
            });
            format!("\"{}\"", spelled.collect::<String>())
        };
        for spelled in [
            escaped(|at, _| at == 0),
            escaped(|at, _| at == 2),
            escaped(|_, letter| letter == '.'),
            escaped(|_, letter| letter.is_ascii_digit() || "-_".contains(letter)),
            escaped(|_, _| true),
        ] {
            assert_eq!(stored(&spelled), expected, "{spelled}");
            let in_a_document = format!(r#"{{"raw":{spelled}}}"#);
            let inner = stored(&quoted(&in_a_document));
            assert_eq!(serde_json::from_str::<Value>(inner.as_str().unwrap()).unwrap(), json!({"raw": expected}));
        }
        // In a URL, in XML and in a text that quotes JSON, where only a reader of those would know the token.
        let in_url = token.replace('.', "%2E").replace("eyJ", "%65yJ");
        let in_xml = token.replace('.', "&#46;").replace("eyJ", "&#x65;yJ");
        let in_text = token.replace('.', "\\u002e").replace("eyJ", "\\u0065yJ");
        for spelled in [in_url, in_xml, in_text] {
            assert_eq!(stored(&quoted(&spelled)), mark("application/jwt", spelled.as_bytes()), "{spelled}");
        }
    }

    #[test]
    fn signatures_may_be_missing_and_encrypted_ones_have_five_parts() {
        let signed = token(r#"{"alg":"HS256"}"#);
        let (unsigned, signature) = signed.rsplit_once('.').unwrap();
        let header = signed.split('.').next().unwrap();
        for token in [format!("{unsigned}."), format!("{header}..{signature}"), format!("{signed}.AAAA.BBBB")] {
            assert_eq!(stored(&quoted(&token)), mark("application/jwt", token.as_bytes()));
        }
        let sentence = format!("It is {signed}. Yes.");
        let expected = format!("It is {}. Yes.", mark_in_text("application/jwt", signed.as_bytes()));
        assert_eq!(stored(&quoted(&sentence)), expected);
    }

    #[test]
    fn what_only_looks_like_a_token_stays() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for text in [
            format!("{}.{}.x", part(r#"{"typ":"JWT"}"#), part("{}")),
            format!("{}.{}.x", part(r#"["alg"]"#), part("{}")),
            format!("{}.{}.x", part(r#""alg""#), part("{}")),
            format!("{}.{}.x", part(r#"{"alg":"#), part("{}")),
            format!("{}.{}.x", part(r#"{"Alg":"HS256"}"#), part("{}")),
            format!("{} {} x", part(r#"{"alg":"HS256"}"#), part("{}")),
            part(r#"{"alg":"HS256"}"#),
            format!("{}.", part(r#"{"alg":"HS256"}"#)),
            "eyJ.eyJ.eyJ".into(),
            "www.example.com".into(),
            "1.2.3".into(),
            "e.e.e.e.e".into(),
            "...".into(),
        ] {
            assert_eq!(stored(&quoted(&text)), text);
        }
    }

    #[test]
    fn they_are_found_beside_blobs_and_in_documents() {
        let (image, token) = (jpeg(600), token(r#"{"alg":"HS256","typ":"JWT"}"#));
        let blob = STANDARD.encode(&image);
        let (image, token_mark) =
            (mark_in_text("image/jpeg", &image), mark_in_text("application/jwt", token.as_bytes()));
        assert_eq!(
            stored(&quoted(&format!("<a>{blob}</a>{token}<b>{blob}</b>"))),
            format!("<a>{image}</a>{token_mark}<b>{image}</b>")
        );
        let inner = json!({"raw": format!("Bearer {token}")}).to_string();
        assert_eq!(stored(&quoted(&inner)), json!({"raw": format!("Bearer {token_mark}")}).to_string());
    }
}

mod byte_lists {
    use super::*;

    #[test]
    fn a_long_list_of_bytes_is_a_blob() {
        let image = jpeg(256);
        assert_eq!(stored(&json!(image).to_string()), mark("image/jpeg", &image));
        let signed: Vec<i8> = image.iter().map(|byte| byte.cast_signed()).collect();
        assert_eq!(stored(&json!(signed).to_string()), mark("image/jpeg", &image));
        let buffer = json!({"type": "Buffer", "data": image});
        assert_eq!(stored(&buffer.to_string()), json!({"type": "Buffer", "data": mark("image/jpeg", &image)}));
    }

    #[test]
    fn other_lists_stay() {
        let image = jpeg(300);
        let with = |other: Value| {
            let mut list = json!(image);
            list.as_array_mut().unwrap().push(other);
            list
        };
        for list in [
            json!(image[..255]),
            with(json!(256)),
            with(json!(-129)),
            with(json!(1.0)),
            with(json!("1")),
            with(Value::Null),
            with(json!([1])),
        ] {
            assert_eq!(stored(&list.to_string()), list);
        }
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
            "auth_key",
            "secretKey",
            "signingKey",
            "passphrase",
            "pin",
            "userPin",
            "otp",
            "cookie",
            "Set-Cookie",
            "sessionid",
            "csrf",
            "cvv",
            "pwd",
            "one_time_code",
            r"tok\u0065n",
            r"api\u005fkey",
            r"p\u0069n",
            r"sess\u0069onid",
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
        for name in
            ["secretary", "tokenised", "keyword", "monkey", "passwordless", "authorizer", "key", "sessionId", "spin"]
        {
            let body = format!(r#"{{"id":"s","{name}":"x"}}"#);
            assert_eq!(payload(&body), body);
        }
    }

    /// The members of a document, however deep, also within strings.
    fn names(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                into.insert(name.clone());
                names(value, into);
            }),
            Value::Array(items) => items.iter().for_each(|item| names(item, into)),
            Value::String(text) => serde_json::from_str::<Value>(text)
                .iter()
                .filter(|inner| inner.is_object() || inner.is_array())
                .for_each(|inner| names(inner, into)),
            _ => {}
        }
    }

    /// What a provider is known to send keeps all its members, except those that hold its tokens and keys.
    #[test]
    fn of_all_that_providers_are_known_to_send_only_tokens_and_keys_go() {
        let mut known = BTreeSet::new();
        for provider in Provider::ALL {
            let bodies = samples(provider).into_values().chain(printed(provider).into_values());
            bodies.filter_map(|(_, body)| serde_json::from_slice(&body).ok()).for_each(|body| names(&body, &mut known));
        }
        assert!(known.len() > 200 && known.contains("sessionId"), "{}", known.len());
        let is_kept =
            |name: &&String| payload(webhook(&json!({*name: 1}).to_string())).contains(&json!(name).to_string());
        let gone: Vec<_> = known.iter().filter(|name| !is_kept(name)).collect();
        assert_eq!(gone, ["apiKey", "interviewToken", "token"]);
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
        let Ok(Reading::Events { parts, .. }) = read_on("/veriff/decisions", spaced) else { panic!() };
        assert_eq!(parts[0].payload, plain);
    }

    #[test]
    fn numbers_of_any_length_stay() {
        let digits = "1234567890".repeat(1000);
        let body = format!(r#"{{"id":"s","sample":{digits}}}"#);
        let Ok(Reading::Events { parts, .. }) = read_on("/veriff/decisions", &body) else { panic!() };
        assert_eq!(parts[0].payload, body);
    }

    #[test]
    fn what_is_stored_can_be_read_again_to_the_same_end() {
        let body = json!({"status": "success", "technicalData": {"token": "x"}, "verification": {
            "id": "s", "attemptId": "a", "status": "declined", "code": 9102, "reason": "a reason", "reasonCode": 102,
            "decisionTime": "2026-06-13T00:38:30.8Z", "vendorData": "customer-1", "image": STANDARD.encode(jpeg(3000))}});
        let first = read_on("/veriff/decisions", body.to_string()).unwrap();
        let Reading::Events { parts, .. } = &first else { panic!() };
        assert_eq!(read_on("/veriff/decisions", &parts[0].payload).unwrap(), first);
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
        let values = [json!(text), json!({"inside": [text, text]}), json!([text])];
        let body = json!({"id": "s", "a": values[0], "b": values[1], "c": values[2], "n": 1});
        let stored: Value = serde_json::from_str(&payload(body.to_string())).unwrap();
        let [a, b, c] = values.map(|value| cut(&value.to_string()));
        assert_eq!(stored, json!({"id": "s", "a": a, "b": b, "c": c, "n": 1}));
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
            format!("[{}1]", "256,".repeat(long / 4)),
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

mod large {
    use super::*;

    /// What is stored of a webhook of Wultra's, which bring the largest bodies.
    fn stored_of_wultra(body: &str) -> String {
        let started = Instant::now();
        let Ok(Reading::Events { parts, .. }) = wultra::read(body) else { panic!("unreadable") };
        // Long for an unoptimised build on a busy machine; anything worse than linear exceeds it by far.
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
        let payload = parts[0].payload.clone();
        assert!(payload.len() <= PAYLOAD_LIMIT, "{} bytes", payload.len());
        assert!(serde_json::from_str::<Value>(&payload).is_ok());
        payload
    }

    fn document_event(images: &Value, raw_data: &Value) -> String {
        json!({"id": "e", "timestamp": "2026-04-23T14:30:00Z", "type": "DOCUMENT_VERIFICATION_FINISHED",
            "userId": "customer-1", "externalUserId": null, "processId": "p", "processType": "onboarding",
            "identityVerificationId": "v", "eventData": {"documentVerification": {"documentId": "d",
                "status": "ACCEPTED", "rejectReason": null, "errorDetail": null, "provider": "Microblink", "score": 10,
                "documentVerificationResult": {"type": "ID_CARD", "country": "CZ", "data": {"surname": "SAMPLE"},
                    "images": images, "rawData": raw_data}}}})
        .to_string()
    }

    #[test]
    fn of_an_event_with_three_large_images_their_digests_are_left() {
        let images = [jpeg(1_370_000), file(b"\x89PNG", 1_370_001), file(b"RIFF\x10\0\0\0WEBPVP8 ", 1_370_002)];
        let blobs = images.each_ref().map(|image| STANDARD.encode(image));
        let sent = json!([{"type": "FRONT", "data": blobs[0]}, {"type": "back", "data": blobs[1]}]);
        let raw = json!({"result": {"face": blobs[2], "note": "kept"}});
        let escaped = raw.to_string().replace('/', "\\/");
        for raw_data in [raw.clone(), Value::from(raw.to_string()), Value::from(escaped)] {
            let body = document_event(&sent, &raw_data);
            assert!(body.len() > 5_480_000, "{}", body.len());
            let stored = stored_of_wultra(&body);
            assert!(stored.len() < 2048, "{}", stored.len());
            for (image, blob) in images.iter().zip(&blobs) {
                assert!(stored.contains(&sha256(image)));
                for at in (0..blob.len() - 40).step_by(40_009) {
                    assert!(!stored.contains(&blob[at..at + 40]), "{at}");
                }
            }
            assert!(stored.contains("kept") && stored.contains("SAMPLE"), "{stored}");
        }
    }

    #[test]
    fn no_text_takes_more_than_linear_time() {
        let length = 1 << 19;
        let fill = |text: &str| text.repeat(length / text.len());
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#);
        for text in [
            fill("A"),
            fill("eyJ"),
            fill("eyJ."),
            fill("e."),
            fill("."),
            fill(&format!("{header}.")),
            fill(&format!("{header}. ")),
            fill(&format!("{header}.x ")),
            fill(&format!("{header}{header}")),
            fill(&format!("{}.", header.replace('e', "%65"))),
            format!("{header}.{}", fill("A")),
            format!("{}.x.x", URL_SAFE_NO_PAD.encode(format!(r#"{{"x":"{}"}}"#, fill("x")))),
            fill(&format!("{}.", "A".repeat(300))),
            fill(&format!("{} ", "A".repeat(255))),
            fill(&format!("{}\n", "A".repeat(50))),
            fill(&format!("{}\n", "A".repeat(39))),
            fill("A="),
            fill("A-+"),
            format!("{}{}", "A".repeat(50), fill("\n ")),
            fill(&format!("{} \n.", "A".repeat(50))),
            fill("\\"),
            fill("\\u"),
            fill("%"),
            fill("&"),
            fill("&#"),
            fill("["),
            fill("{\"a\":"),
            fill("[[]],"),
            fill("\""),
            fill(" "),
            fill("é"),
            format!("[{}1]", fill("1,")),
            format!("[{}1]", fill("\"[]\",")),
            Value::from(Value::from(format!("[{}1]", fill("\"[1]\",")).to_string()).to_string()).to_string(),
        ] {
            stored_of_wultra(&document_event(&json!([]), &Value::from(text)));
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".*",
        "[A-Za-z0-9+/]{0,400}={0,2}",
        "data:image/png;base64,[A-Za-z0-9_-]{200,400}",
        "<a>([A-Za-z0-9+/]{76}\r\n){2,5}[A-Za-z0-9+/]{1,76}={0,2}</a>",
        "(Bearer |.{0,5})eyJhbGciOiJIUzI1NiJ9\\.[a-zA-Z0-9_-]{0,300}\\.[a-zA-Z0-9_-]{0,300}.{0,5}",
        "[{\\[\"]{1,3}.*",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 250..300).prop_map(Value::from),
    ];
    let name = "[a-z]{0,3}|token|apiKey|.{0,5}";
    leaf.prop_recursive(6, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(name, inner.clone(), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            inner.prop_map(|document| Value::from(document.to_string())),
        ]
    })
}

/// A string in every spelling that its reader has to tell apart from text.
fn spelled_text() -> impl Strategy<Value = String> {
    let letters = "[A-Za-z0-9+/_-]{0,300}={0,3}";
    let token = "(e|\\\\u0065|%65)yJhbGciOiJIUzI1NiJ9((\\.|\\\\u002[eE]|&#46;)[a-zA-Z0-9_-]{0,9}){0,5}";
    let escape = "(\\\\\\\\){0,2}\\\\([bfnrt/\"]|u00[0-7][0-9a-fA-F])|\\\\ud83d\\\\udd11|\\\\u[1-9a-c][0-9a-f]{3}";
    let others = "[ %&#;<>{}\\[\\]:,.é🔑]{1,3}|%2[BFbf]|&#1[03];|data:;base64,|%|&#|\\\\\\\\";
    let piece = prop_oneof![letters, token, escape, escape, others];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// The events in what was read, and the payload.
fn events(reading: Reading) -> (Vec<SessionEvent>, String) {
    let Reading::Events { events, parts } = reading else { panic!("nothing") };
    (events, parts[0].payload.clone())
}

/// The same events but for ids that are made of the bytes that came.
fn without_ids(events: &[SessionEvent]) -> Vec<SessionEvent> {
    let same = EventId::new("any").unwrap();
    events.iter().map(|event| SessionEvent { event_id: same.clone(), ..event.clone() }).collect()
}

#[test]
fn a_token_is_found_behind_what_only_starts_like_one() {
    let token = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl";
    for joined in ["eyJ_", "eyJeyJ", "keyJar-eyJ_"] {
        let stored = payload(webhook(&format!("\"{joined}{token}\"")));
        assert!(!stored.contains("eyJhbGci") && stored.contains("application/jwt"), "{stored}");
    }
}

/// What quarantine keeps: JSON without its secrets, all else as sent.
#[test]
fn what_can_be_minimised_is_before_an_operator_gets_it() {
    let genuine = |body: &str| genuine_on("/veriff/decisions", body);
    let body = r#"{"id":"a","id":"b","apiKey":"canary","token":"canary","x": 1.0}"#;
    assert_eq!(&*genuine(body).minimised_body(usize::MAX).unwrap(), br#"{"id":"a","id":"b","x":1.0}"#);
    assert_eq!(&*genuine("no json").minimised_body(usize::MAX).unwrap(), b"no json");
}

proptest! {
    #[test]
    fn whatever_comes_what_is_stored_is_json_and_minimal_already(value in value()) {
        let once = payload(webhook(&value.to_string()));
        prop_assert_eq!(payload(&once), once);
    }
    #[test]
    fn however_it_is_spelled_what_is_stored_is_json_and_minimal_already(spelled in spelled_text()) {
        let once = payload(webhook(&spelled));
        prop_assert_eq!(payload(&once), once);
    }

    #[test]
    fn what_is_stored_of_wultra_means_what_was_sent(
        event_type in "(FINAL_)?DOCUMENT_VERIFICATION_FINISHED|PRESENCE_CHECK_FINISHED|PROCESS_FINISHED|FINISHED|.{0,20}",
        status in "ACCEPTED|REJECTED|FAILED|FINISHED|.{0,20}",
        text in ".{1,60}",
        id in prop::option::of("[a-z0-9-]{36}|.{1,40}"),
        result in value(),
        more in value(),
    ) {
        let result = json!({"status": status, "rejectReason": text, "errorDetail": text, "documentId": text,
            "provider": text, "documentVerificationResult": result, "presenceCheckResult": more});
        let body = json!({"type": event_type, "processId": "p", "id": id, "userId": text, "externalUserId": text,
            "timestamp": "2026-04-23T14:30:00Z", "processType": text, "more": more, "eventData": {
                "documentVerification": result, "finalDocumentVerification": result, "presenceCheck": result,
                "process": result}});
        let (first, payload) = events(wultra::read(body.to_string()).unwrap());
        let (again, _) = events(wultra::read(payload).unwrap());
        prop_assert_eq!(without_ids(&again), without_ids(&first));
        if id.is_some_and(|id| !id.trim().is_empty()) {
            prop_assert_eq!(&again[0].event_id, &first[0].event_id);
        }
    }

    #[test]
    fn what_is_stored_of_veriff_means_what_was_sent(
        status in "approved|declined|[a-z].{0,20}",
        text in ".{0,60}",
        context in value(),
        more in value(),
    ) {
        let attempt = format!("a{text}");
        let decision = json!({"verification": {"id": "s", "attemptId": attempt, "status": status, "code": 9001,
            "reason": text, "reasonCode": text, "decisionTime": "2026-06-13T00:38:30.8Z", "vendorData": text,
            "more": more}, "technicalData": more});
        let progress = json!({"id": "s", "attemptId": attempt, "code": 7010, "action": "flow_cancelled",
            "context": context, "vendorData": text, "more": more});
        for body in [decision, progress] {
            let (first, payload) = events(read_on("/veriff/events", body.to_string()).unwrap());
            let (again, _) = events(read_on("/veriff/events", payload).unwrap());
            prop_assert_eq!(again, first);
        }
        let registry = json!({"eventType": "ine_registry", "sessionId": "s", "time": text, "data": {"code": 200,
            "details": more}});
        let (first, payload) = events(read_on("/veriff/events", registry.to_string()).unwrap());
        let (again, _) = events(read_on("/veriff/events", payload).unwrap());
        prop_assert_eq!(without_ids(&again), without_ids(&first));
    }
}
