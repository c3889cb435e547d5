//! The form that Treezor signs, against forms made outside our code: a table, and Python's on generated texts.

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};
use verdict_webhooks::treezor::canonical;

/// How many generated texts are compared.
const GENERATED: usize = 10_000;

/// PHP's forms of some texts, by the script beside this file.
fn references(texts: &[String]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/webhooks/treezor/canonical_reference.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is needed to compare with");
    let lines = texts.iter().fold(String::new(), |mut lines, text| {
        text.bytes().for_each(|byte| write!(lines, "{byte:02x}").unwrap());
        lines + "\n"
    });
    let mut stdin = python.stdin.take().unwrap();
    // While Python writes, it reads no more: both ends must move.
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{script} fails: {}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn assert_equal_to_references(texts: &[String]) {
    let references = references(texts);
    assert_eq!(references.len(), texts.len());
    for (text, reference) in texts.iter().zip(references) {
        assert_eq!(canonical(text), reference, "{text:?}");
        assert_eq!(canonical(&reference), reference, "the form of a form is itself");
    }
}

fn white_space() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => "[ \t\r\n]{1,3}"]
}

fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[ !#-\\[\\]-~]{1,6}",
        2 => "\\\\[\"\\\\/bfnrt]",
        2 => "\\\\u[0-9a-fA-F]{4}",
        1 => "\\\\u00[0-9a-fA-F]{2}",
        // Halves of pairs, in order, out of order, alone.
        1 => "\\\\u[dD][89abAB][0-9a-fA-F]{2}",
        1 => "\\\\u[dD][c-fC-F][0-9a-fA-F]{2}",
        1 => "\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}",
        2 => "[\u{7f}-\u{2ff}\u{2028}\u{2029}\u{d7ff}\u{e000}\u{feff}-\u{ffff}\u{10000}-\u{10ffff}/]{1,3}",
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

/// Any JSON text: in any spelling, with members repeated, and white space wherever it may stand.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => string(),
        2 => "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,4})?",
        1 => "true|false|null",
    ];
    let value = leaf.prop_recursive(6, 48, 6, |inner| {
        let spaced = (white_space(), inner, white_space()).prop_map(|(a, value, b)| format!("{a}{value}{b}")).boxed();
        let name = prop_oneof![3 => string(), 1 => "\"(10|2|1|a)\""];
        let member = (white_space(), name, white_space(), spaced.clone())
            .prop_map(|(a, name, b, value)| format!("{a}{name}{b}:{value}"));
        let list = |entries: Vec<String>| entries.join(",");
        prop_oneof![
            (prop::collection::vec(spaced, 0..6), white_space())
                .prop_map(move |(items, a)| format!("[{a}{}]", list(items))),
            (prop::collection::vec(member, 0..6), white_space())
                .prop_map(move |(members, a)| format!("{{{a}{}}}", list(members))),
        ]
    });
    (white_space(), value, white_space()).prop_map(|(a, value, b)| format!("{a}{value}{b}"))
}

#[test]
fn generated_texts_have_the_form_that_python_finds() {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let strategy = json();
    let texts: Vec<String> = (0..GENERATED).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    for text in &texts {
        assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(), "not JSON: {text:?}");
    }
    // What is compared must hold all that can differ.
    for mark in ["\\u", "\\/", "/", "\u{7f}", "\\ud", "\\uD", "\u{2028}", "\n", "{}", "[]", "e+", "E", "-0"] {
        assert!(texts.iter().filter(|text| text.contains(mark)).count() > 20, "{mark:?} is rare");
    }
    assert_equal_to_references(&texts);
}

#[test]
fn every_character_has_the_form_that_python_finds() {
    let literal = (0x20..=0x0010_ffff).filter_map(char::from_u32).filter(|c| !matches!(c, '"' | '\\'));
    let escaped = (0..=0xffff_u16).map(|unit| format!("\\u{unit:04X}x"));
    let literal: Vec<char> = literal.collect();
    let mut texts: Vec<String> =
        literal.chunks(4096).map(|chunk| format!("\"{}\"", chunk.iter().collect::<String>())).collect();
    texts.extend(escaped.collect::<Vec<_>>().chunks(4096).map(|chunk| format!("[\"{}\"]", chunk.concat())));
    assert_equal_to_references(&texts);
}

#[test]
fn printed_texts_have_the_form_that_php_writes() {
    for (text, form) in [
        ("", ""),
        (" \t\r\n", ""),
        ("{ }", "{}"),
        ("[ ]", "[]"),
        ("{\n    \"a\": [\n        1,\n        {}\n    ]\n}", r#"{"a":[1,{}]}"#),
        (r#"{"10":"x","2":"y","1":"z"}"#, r#"{"10":"x","2":"y","1":"z"}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#),
        ("[10.0, 1.0e+25, 1E400, -0, 9007199254740993]", "[10.0,1.0e+25,1E400,-0,9007199254740993]"),
        ("[true, false, null]", "[true,false,null]"),
        (r#""a b""#, r#""a b""#),
        (r#""a/b""#, r#""a\/b""#),
        (r#""a\/b""#, r#""a\/b""#),
        (r#""a\u002fb\u002Fc""#, r#""a\/b\/c""#),
        ("\"STADT KÖLN\"", r#""STADT K\u00d6LN""#),
        (r#""STADT K\u00D6LN""#, r#""STADT K\u00d6LN""#),
        ("\"🔑\"", r#""\ud83d\udd11""#),
        (r#""\uD83D\uDD11""#, r#""\ud83d\udd11""#),
        (r#""\uD83D""#, r#""\ud83d""#),
        (r#""\uDD11\uD83D""#, r#""\udd11\ud83d""#),
        ("\"\u{7f}\"", "\"\u{7f}\""),
        (r#""\u007f""#, "\"\u{7f}\""),
        ("\"\u{80}\u{2028}\u{feff}\u{ffff}\"", r#""\u0080\u2028\ufeff\uffff""#),
        ("\"<a href='x'>&amp;</a>\"", r#""<a href='x'>&amp;<\/a>""#),
        (r#""\u003C\u0026\u0027""#, "\"<&'\""),
        (r#""\"\\\b\f\n\r\t""#, r#""\"\\\b\f\n\r\t""#),
        (r#""\u0022\u005c\u0008\u000c\u000a\u000d\u0009""#, r#""\"\\\b\f\n\r\t""#),
        (r#""\u0000\u001F\u000B""#, r#""\u0000\u001f\u000b""#),
        (r#"{"a\u002fb" : 1}"#, r#"{"a\/b":1}"#),
        (r#"["\\" , "\\\"" , "]"]"#, r#"["\\","\\\"","]"]"#),
        (r#""\\u00e9""#, r#""\\u00e9""#),
    ] {
        assert_eq!(canonical(text), form, "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_has_a_form_whether_it_is_json_or_not(text in ".*|[\"\\\\u{}\\[\\],:a0 /é🔑]*") {
        let form = canonical(&text);
        prop_assert!(form.is_ascii() || !text.is_ascii());
    }
}
