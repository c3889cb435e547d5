//! The form that Treezor signs: what PHP's `json_encode` writes with its default flags.

use crate::reading::json::Text;
use std::fmt::Write as _;

/// The canonical form of some JSON, token by token: white space goes, strings are written the way PHP writes them;
/// order, repeated members, numbers and words stay as they are. Text that isn't JSON has a form too, but no signature
/// covers it.
#[must_use]
pub fn canonical(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((between, string)) = rest.split_once('"') {
        write_between_strings(between, &mut out);
        let end = end_of_string(string);
        write_string(Text::written(&string[..end]), &mut out);
        rest = string.get(end + 1..).unwrap_or_default();
    }
    write_between_strings(rest, &mut out);
    out
}

fn write_between_strings(text: &str, out: &mut String) {
    out.extend(text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\r')));
}

/// The place of the closing quote, or the end of the text if there is none.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    let closing = |byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    };
    text.bytes().position(closing).unwrap_or(text.len())
}

fn write_string(text: Text<'_>, out: &mut String) {
    out.push('"');
    for unit in text.utf16() {
        match unit {
            0x08 => out.push_str(r"\b"),
            0x09 => out.push_str(r"\t"),
            0x0a => out.push_str(r"\n"),
            0x0c => out.push_str(r"\f"),
            0x0d => out.push_str(r"\r"),
            0x22 => out.push_str(r#"\""#),
            0x2f => out.push_str(r"\/"),
            0x5c => out.push_str(r"\\"),
            _ => match u8::try_from(unit) {
                Ok(byte @ 0x20..=0x7f) => out.push(char::from(byte)),
                // Writing to a string never fails. A surrogate that has lost its pair stays alone.
                _ => drop(write!(out, r"\u{unit:04x}")),
            },
        }
    }
    out.push('"');
}
