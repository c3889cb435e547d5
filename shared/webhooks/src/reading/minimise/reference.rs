//! What is found in a text, compared with what a plain reader finds: one that goes through it symbol by symbol, and knows
//! no strides.

use super::{
    blobs::{Alphabet, SHORTEST, Symbol, symbol},
    findings,
    mark::{Mark, Pieces},
};
use crate::reading::json::{Json, Text};
use proptest::prelude::*;
use std::ops::Range;

const SHORTEST_LINE: usize = 40;
const LONGEST_HEADER: usize = 12 * 1024;
const STARTS_TRIED: usize = 8;

/// The symbols from one place on, each with where it stands. The last one ends the text.
struct Plain<'t> {
    text: &'t [u8],
    at: usize,
}

impl Plain<'_> {
    fn symbol(&self) -> Option<Symbol> {
        symbol(self.text, self.at).map(|(symbol, _)| symbol)
    }

    fn step(&mut self) {
        self.at += symbol(self.text, self.at).map_or(1, |(_, length)| length);
    }

    fn step_while(&mut self, wanted: impl Fn(&Symbol) -> bool) {
        while self.symbol().is_some_and(|symbol| wanted(&symbol)) {
            self.step();
        }
    }
}

fn blobs(text: &[u8], from: usize) -> Vec<Range<usize>> {
    let (mut reader, mut found) = (Plain { text, at: from }, Vec::new());
    while let Some(symbol) = reader.symbol() {
        if let Symbol::Digit(..) = symbol {
            let (range, length) = run(text, reader.at);
            reader.at = range.end;
            found.extend((length >= SHORTEST).then_some(range));
        } else {
            reader.step();
        }
    }
    found
}

/// The run that begins there, and its length in characters of base64.
fn run(text: &[u8], start: usize) -> (Range<usize>, usize) {
    let is_blank = |symbol: &Symbol| matches!(symbol, Symbol::Blank);
    let is_white = |symbol: &Symbol| matches!(symbol, Symbol::Blank | Symbol::LineEnd);
    let (mut length, mut alphabet, mut end) = (0, Alphabet::Either, start);
    loop {
        let mut reader = Plain { text, at: end };
        if length > 0 {
            reader.step_while(is_white);
        }
        let before = length;
        while let Some(Symbol::Digit(_, next)) = reader.symbol()
            && let Some(both) = alphabet.and(next)
        {
            alphabet = both;
            reader.step();
            (length, end) = (length + 1, reader.at);
        }
        let mut after = Plain { text, at: end };
        after.step_while(is_blank);
        if length - before < SHORTEST_LINE || !matches!(after.symbol(), Some(Symbol::LineEnd)) {
            break;
        }
    }
    let mut reader = Plain { text, at: end };
    for _ in 0..2 {
        if let Some(Symbol::Padding) = reader.symbol() {
            reader.step();
            length += 1;
        }
    }
    (start..reader.at, length)
}

/// The bytes that digits spell, bit by bit.
fn decoded(run: &[u8]) -> Vec<u8> {
    let (mut reader, mut bytes, mut bits, mut count) = (Plain { text: run, at: 0 }, Vec::new(), 0_u32, 0);
    while let Some(symbol) = reader.symbol() {
        reader.step();
        let Symbol::Digit(value, _) = symbol else { continue };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}

fn tokens(text: &[u8]) -> Vec<Range<usize>> {
    let (mut at, mut found) = (0, Vec::new());
    while at < text.len() {
        let end = end_of_part(text, at);
        let token = header(text, at..end).and_then(|start| Some(start..end_of_token(text, end)?));
        at = token.as_ref().map_or_else(|| after(text, end), |token| token.end);
        found.extend(token);
    }
    found
}

fn header(text: &[u8], part: Range<usize>) -> Option<usize> {
    dot(text, part.end)?;
    let mut places = Vec::new();
    let mut reader = Plain { text, at: part.start };
    while reader.at < part.end {
        places.extend(reader.symbol().map(|symbol| (reader.at, symbol)));
        reader.step();
    }
    let is = |place: usize, digits: &[u8]| {
        let spelled = places[place..].iter().map(|(_, symbol)| match symbol {
            Symbol::Digit(value, _) => *value,
            _ => u8::MAX,
        });
        spelled.take(digits.len()).eq(digits.iter().copied())
    };
    let starts = (0..places.len()).filter(|place| *place == 0 && is(0, &[30]) || is(*place, &[30, 50, 9]));
    starts.map(|place| places[place].0).take(STARTS_TRIED).find(|start| is_header(&text[*start..part.end]))
}

fn is_header(part: &[u8]) -> bool {
    let header = decoded(part);
    header.len() <= LONGEST_HEADER && Json::parse(&header).is_ok_and(|header| header.has("alg") != Ok(false))
}

fn end_of_token(text: &[u8], header_end: usize) -> Option<usize> {
    let next = |end: usize| dot(text, end).map(|start| (start, end_of_part(text, start)));
    let full = |end: usize| next(end).filter(|(start, end)| end > start).map(|(_, end)| end);
    let signed = next(next(header_end)?.1)?.1;
    Some(full(signed).and_then(full).unwrap_or(signed))
}

fn dot(text: &[u8], at: usize) -> Option<usize> {
    matches!(symbol(text, at)?.0, Symbol::Dot).then(|| after(text, at))
}

fn end_of_part(text: &[u8], at: usize) -> usize {
    let mut reader = Plain { text, at };
    reader.step_while(|symbol| matches!(symbol, Symbol::Digit(_, Alphabet::Either | Alphabet::UrlSafe)));
    reader.at
}

fn after(text: &[u8], at: usize) -> usize {
    symbol(text, at).map_or(text.len(), |(_, length)| at + length)
}

/// What a plain reader finds: where, and the mark in its place.
fn plainly_found(raw: &str) -> Vec<(Range<usize>, String)> {
    let of_blobs = |from, to| {
        let text = &raw.as_bytes()[..to];
        blobs(text, from).into_iter().map(|range| {
            let mut pieces = Pieces::default();
            pieces.add(&decoded(&text[range.clone()]));
            (range, pieces.mark().inline())
        })
    };
    let (mut found, mut seen) = (Vec::new(), 0);
    for token in tokens(raw.as_bytes()) {
        found.extend(of_blobs(seen, token.start));
        let meant = Text::written(&raw[token.clone()]).decoded();
        found.push((token.clone(), Mark::of_text("application/jwt", &meant).inline()));
        seen = token.end;
    }
    found.extend(of_blobs(seen, raw.len()));
    found
}

fn found(raw: &str) -> Vec<(Range<usize>, String)> {
    findings(raw).map(|finding| (finding.range().clone(), finding.mark(raw).inline())).collect()
}

/// A string in every spelling that there is for the letters of blobs, tokens and text.
fn spelled_text() -> impl Strategy<Value = String> {
    const TOKEN: &str = concat!(
        "([a-z_-]{0,3}|eyJ)(e|\\\\u0065|%65|&#101;)yJ(hbGciOiJIUzI1NiJ9|hbGciOjB9|0eXAiOiJKV1QifQ|[A-Za-z0-9_-]{0,40})",
        "((\\.|\\\\u002[eE]|%2[eE]|&#46;|&#x2e;)[a-zA-Z0-9_-]{0,9}){0,5}",
    );
    prop::collection::vec(
        prop_oneof![
            2 => "[A-Za-z0-9+/]{0,300}={0,3}",
            2 => "[A-Za-z0-9_-]{200,700}={0,2}",
            1 => "([A-Za-z0-9+/]{36,44}( |\\\\t|&#9;){0,2}(\\\\r)?(\\\\n|\n|&#xA;|&#13;) ?){1,9}[A-Za-z0-9+/]{1,60}(=|%3D|\\\\u003d){0,2}",
            1 => "([A-Za-z0-9]{0,40}(\\\\/|\\\\\\\\/|\\\\u002[bf]|%2[BFbf]|&#4[37];|&#x2[bf];)){1,12}",
            3 => TOKEN,
            2 => "(\\\\\\\\){0,3}\\\\([bfnrt/\"]|u00[0-7][0-9a-fA-F]|ud83d\\\\ud511|u[1-9a-c][0-9a-f]{3})",
            2 => "[ =.%&#;<>{}\\[\\]:,é🔑+/_-]{1,40}|%|&#|&#;|&;|%2|\\\\u00|data:;base64,",
            1 => "([a-z]{1,9} ){1,9}",
        ],
        0..9,
    )
    .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn strides_find_what_a_plain_reader_finds(raw in spelled_text()) {
        prop_assert_eq!(found(&raw), plainly_found(&raw));
    }

    #[test]
    fn and_so_they_do_in_any_text(raw in ".{0,60}|[eyJ.A=\\\\%&u0-9;+/_-]{0,600}") {
        prop_assert_eq!(found(&raw), plainly_found(&raw));
    }
}

/// Every place of an end in the strides, and every length of what is between two.
#[test]
fn what_is_found_does_not_depend_on_where_it_stands() {
    for (before, blob) in
        (0..40).flat_map(|before| [255, 256, 257, 300, 1023, 1024, 1025, 1030].map(|blob| (before, blob)))
    {
        for (joint, end) in
            [(" ", ""), ("\\\\", "="), ("é", "=="), ("%", "-"), (".", "%3D."), ("-", "&#61;"), ("\\n", "\\n")]
        {
            let raw = format!("{}{joint}{}{end}{}", "x".repeat(before), "Q".repeat(blob), "y ".repeat(20));
            assert_eq!(found(&raw), plainly_found(&raw), "{raw}");
        }
    }
}
