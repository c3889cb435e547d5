//! The form that Treezor signs, written as plainly as its contract says it: `json_encode` with PHP's default flags.
//! Slow, and by other means than ours, to compare with.

use std::{iter::Peekable, str::Chars};

/// The form of some JSON: white space goes; strings are written anew; all else stays as spelled.
#[must_use]
pub fn json_encode(json: &str) -> String {
    let mut form = String::new();
    let mut text = json.chars().peekable();
    while let Some(character) = text.next() {
        match character {
            ' ' | '\t' | '\n' | '\r' => {}
            '"' => form += &string(&units(&mut text)),
            other => form.push(other),
        }
    }
    form
}

/// The same without writing strings anew.
#[must_use]
pub fn without_white_space(json: &str) -> String {
    let (mut form, mut in_string, mut escaped) = (String::new(), false, false);
    for character in json.chars() {
        if in_string || !matches!(character, ' ' | '\t' | '\n' | '\r') {
            form.push(character);
        }
        in_string ^= character == '"' && !escaped;
        escaped = in_string && character == '\\' && !escaped;
    }
    form
}

/// Reads a string up to its closing quote, as UTF-16.
fn units(text: &mut Peekable<Chars<'_>>) -> Vec<u16> {
    let mut units = Vec::new();
    while let Some(character) = text.next() {
        match character {
            '"' => break,
            '\\' => units.push(match text.next().expect("JSON ends no string after a backslash") {
                'b' => 8,
                't' => 9,
                'n' => 10,
                'f' => 12,
                'r' => 13,
                'u' => {
                    let digits: String = (0..4).filter_map(|_| text.next()).collect();
                    u16::from_str_radix(&digits, 16).expect("JSON has four digits there")
                }
                itself => itself as u16,
            }),
            plain => units.extend_from_slice(plain.encode_utf16(&mut [0; 2])),
        }
    }
    units
}

/// Writes a string.
fn string(units: &[u16]) -> String {
    let unit = |unit: &u16| match char::from_u32((*unit).into()) {
        Some('"') => "\\\"".into(),
        Some('\\') => "\\\\".into(),
        Some('/') => "\\/".into(),
        Some('\u{8}') => "\\b".into(),
        Some('\t') => "\\t".into(),
        Some('\n') => "\\n".into(),
        Some('\u{c}') => "\\f".into(),
        Some('\r') => "\\r".into(),
        Some(ascii @ ' '..='\u{7f}') => ascii.to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    format!("\"{}\"", units.iter().map(unit).collect::<String>())
}
