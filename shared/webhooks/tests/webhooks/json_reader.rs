//! The JSON reader against `serde_json`, which shares no line with it: both take a text or neither
//! does, and take it to mean the same. Where they differ on purpose, a test says so.

use proptest::{prelude::*, sample::Index};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use verdict_webhooks::{
    Unreadable,
    json::{DEPTH_LIMIT, Json},
};

/// What a document means: its texts decoded, its members in order and none of them lost.
#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Array(Vec<Meaning>),
    Object(Vec<(String, Meaning)>),
}

impl Meaning {
    fn of(json: &Json<'_>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(bool) => Self::Bool(*bool),
            Json::Number(number) => Self::Number(number.parse().unwrap()),
            Json::String(text) => Self::Text(text.decoded().into_owned()),
            Json::Array(items) => Self::Array(items.iter().map(Self::of).collect()),
            Json::Object(members) => Self::Object(
                members.iter().map(|(name, value)| (name.decoded().into_owned(), Self::of(value))).collect(),
            ),
        }
    }

    /// Equal but for the last digits of fractions, which `serde_json` reads a little inexactly.
    fn is_about(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => (a - b).abs() <= 1e-14 * a.abs().max(b.abs()),
            (Self::Array(a), Self::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_about(b)),
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|((m, a), (n, b))| m == n && a.is_about(b))
            }
            _ => self == other,
        }
    }
}

impl<'de> Deserialize<'de> for Meaning {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reference)
    }
}

/// Builds a [`Meaning`] from what `serde_json` finds.
struct Reference;

#[expect(clippy::cast_precision_loss, reason = "both readers' integers are compared as floats")]
impl<'de> Visitor<'de> for Reference {
    type Value = Meaning;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Meaning, E> {
        Ok(Meaning::Null)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Meaning, E> {
        Ok(Meaning::Bool(bool))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Meaning, E> {
        Ok(Meaning::Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Meaning, E> {
        Ok(Meaning::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Meaning, E> {
        Ok(Meaning::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Meaning, E> {
        Ok(Meaning::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Meaning, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Meaning::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Meaning, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Meaning::Object(object))
    }
}

/// Both readers agree on a text, or differ in one of the ways that are meant.
fn assert_agreement(body: &[u8]) {
    let shown = String::from_utf8_lossy(body);
    match (Json::parse(body), serde_json::from_slice::<Meaning>(body)) {
        (Ok(ours), Ok(theirs)) => {
            let ours = Meaning::of(&ours);
            assert!(ours.is_about(&theirs), "{shown}\n{ours:?}\n{theirs:?}");
        }
        (Ok(_), Err(error)) => assert!(is_meant(&error), "only serde_json refuses {shown}: {error}"),
        (Err(unreadable), Ok(_)) => panic!("only serde_json takes {shown}: {unreadable}"),
        (Err(_), Err(_)) => {}
    }
}

/// Numbers beyond a float, and half surrogate pairs, are for `serde_json` no JSON; to us they are text.
fn is_meant(error: &serde_json::Error) -> bool {
    let meant = ["number out of range", "lone leading surrogate in hex escape", "unexpected end of hex escape"];
    meant.iter().any(|message| error.to_string().starts_with(message))
}

/// A document, and how it is spelled.
#[derive(Clone, Debug)]
enum Document {
    Word(&'static str),
    Number(String),
    /// As between the quotes, and as meant.
    Text(String, String),
    Array(Vec<Document>),
    Object(Vec<(Document, Document)>),
}

impl Document {
    /// The text, with white space wherever there may be some.
    fn write(&self, space: &str, out: &mut String) {
        let list = |[open, close]: [char; 2], entries: &mut dyn Iterator<Item = String>, out: &mut String| {
            out.push(open);
            out.push_str(space);
            out.push_str(&entries.collect::<Vec<_>>().join(&format!("{space},{space}")));
            out.push_str(space);
            out.push(close);
        };
        match self {
            Self::Word(word) => out.push_str(word),
            Self::Number(number) => out.push_str(number),
            Self::Text(raw, _) => out.extend(["\"", raw, "\""]),
            Self::Array(items) => list(['[', ']'], &mut items.iter().map(|item| item.text(space)), out),
            Self::Object(members) => {
                let member =
                    |(name, value): &(Self, Self)| format!("{}{space}:{space}{}", name.text(space), value.text(space));
                list(['{', '}'], &mut members.iter().map(member), out);
            }
        }
    }

    fn text(&self, space: &str) -> String {
        let mut text = String::new();
        self.write(space, &mut text);
        text
    }

    /// Whether it was read as what it is, spelling and all.
    fn is_read_as(&self, json: &Json<'_>) -> bool {
        match (self, json) {
            (Self::Word("null"), Json::Null)
            | (Self::Word("true"), Json::Bool(true))
            | (Self::Word("false"), Json::Bool(false)) => true,
            (Self::Number(number), Json::Number(found)) => number == found,
            (Self::Text(raw, meant), Json::String(text)) => {
                raw == text.raw() && *meant == text.decoded() && text.is_unicode()
            }
            (Self::Array(items), Json::Array(found)) => {
                items.len() == found.len() && items.iter().zip(found).all(|(item, found)| item.is_read_as(found))
            }
            (Self::Object(members), Json::Object(found)) => {
                let same = |((name, value), (found_name, found)): (&(Self, Self), &(_, _))| {
                    name.is_read_as(&Json::String(*found_name)) && value.is_read_as(found)
                };
                members.len() == found.len() && members.iter().zip(found).all(same)
            }
            _ => false,
        }
    }
}

/// A character, as it is or as one of the escapes that mean it.
fn character() -> impl Strategy<Value = (String, String)> {
    let escaped = |character: char, upper: bool| {
        let mut units = [0; 2];
        let units = character.encode_utf16(&mut units).iter();
        units.map(|unit| if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") }).collect::<String>()
    };
    let short = [
        ("\\\"", "\""),
        ("\\\\", "\\"),
        ("\\/", "/"),
        ("\\b", "\u{8}"),
        ("\\f", "\u{c}"),
        ("\\n", "\n"),
        ("\\r", "\r"),
        ("\\t", "\t"),
        ("/", "/"),
        ("\u{7f}", "\u{7f}"),
    ];
    prop_oneof![
        "[^\"\\\\\u{0}-\u{1f}]".prop_map(|text| (text.clone(), text)),
        prop::sample::select(short.to_vec()).prop_map(|(raw, meant)| (raw.to_owned(), meant.to_owned())),
        any::<(char, bool)>().prop_map(move |(meant, upper)| (escaped(meant, upper), meant.to_string())),
    ]
}

fn text() -> impl Strategy<Value = Document> {
    prop::collection::vec(character(), 0..8).prop_map(|characters| {
        let (raw, meant): (Vec<_>, Vec<_>) = characters.into_iter().unzip();
        Document::Text(raw.concat(), meant.concat())
    })
}

fn number() -> impl Strategy<Value = Document> {
    "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,2})?".prop_map(Document::Number)
}

fn document() -> impl Strategy<Value = Document> {
    let word = prop::sample::select(vec!["null", "true", "false"]).prop_map(Document::Word);
    prop_oneof![word, number(), text()].prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Document::Array),
            prop::collection::vec((text(), inner), 0..6).prop_map(Document::Object),
        ]
    })
}

proptest! {
    #[test]
    fn every_document_is_read_as_spelled(document in document(), space in "[ \t\r\n]{0,2}") {
        let text = format!("{space}{}{space}", document.text(&space));
        let json = Json::parse(text.as_bytes());
        prop_assert!(json.as_ref().is_ok_and(|json| document.is_read_as(json)), "{text}\n{json:?}");
        assert_agreement(text.as_bytes());
    }

    #[test]
    fn both_agree_on_a_document_with_a_byte_replaced(document in document(), at: Index, byte: u8) {
        let mut text = document.text("").into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        assert_agreement(&text);
    }

    #[test]
    fn both_agree_on_a_document_with_something_put_in(
        document in document(),
        at: Index,
        more in "[\\[\\]{}\",:0-9eE+.\\\\/u \n-]|null|true|\\\\u[dD][89abcdEF][0-9a-f]{2}|\\PC",
    ) {
        let mut text = document.text("").into_bytes();
        let at = at.index(text.len() + 1);
        text.splice(at..at, more.into_bytes());
        assert_agreement(&text);
    }

    #[test]
    fn both_agree_on_a_document_with_something_left_out(document in document(), from: Index, to: Index) {
        let mut text = document.text(" ").into_bytes();
        let (from, to) = (from.index(text.len()), to.index(text.len()));
        text.drain(from.min(to)..from.max(to));
        assert_agreement(&text);
    }

    #[test]
    fn both_agree_on_what_is_made_of_the_characters_of_json(text in "[\\[\\]{}\",:0-2eE+.\\\\/utrufalsnd \n-]{0,12}") {
        assert_agreement(text.as_bytes());
    }

    #[test]
    fn both_agree_on_what_may_be_a_number(text in "[-+.eE0-9]{1,8}") {
        assert_agreement(text.as_bytes());
    }

    #[test]
    fn both_agree_on_what_may_be_a_string(text in "\"([a\u{0}\u{1f}\u{7f}é🔑]|\\\\[\"\\\\/bfnrtuxU'0]|\\\\u[0-9a-gA-F]{3,4}){0,4}\"?") {
        assert_agreement(text.as_bytes());
    }

    #[test]
    fn both_agree_on_any_bytes(body in any::<Vec<u8>>()) {
        assert_agreement(&body);
    }
}

#[test]
fn both_agree_on_each_single_character_and_pair() {
    let characters: Vec<u8> = (0..=255).collect();
    for first in &characters {
        assert_agreement(&[*first]);
        for second in b"[]{}\",:0 1-+.eEtfn\\u/\n\x00\xff" {
            assert_agreement(&[*first, *second]);
            assert_agreement(&[b'[', *first, *second, b']']);
            assert_agreement(&[b'"', *first, *second, b'"']);
        }
    }
}

#[test]
fn whatever_is_taken_is_shallow_enough_for_serde_json() {
    for depth in 1..=DEPTH_LIMIT + 2 {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let taken = Json::parse(text.as_bytes());
            assert_eq!(taken.is_ok(), depth <= DEPTH_LIMIT, "{depth}");
            match taken {
                Ok(_) => assert!(serde_json::from_str::<Meaning>(&text).is_ok(), "{depth}"),
                Err(unreadable) => assert_eq!(unreadable, Unreadable::TooDeep, "{depth}"),
            }
        }
    }
}

#[test]
fn lists_side_by_side_are_not_deep() {
    let text = format!("[{}[]]", "[[]],{\"a\":[]},".repeat(1000));
    assert!(Json::parse(text.as_bytes()).is_ok());
}

#[test]
fn numbers_keep_their_spelling_where_serde_json_has_none_for_them() {
    let digits = "1234567890".repeat(40);
    for number in ["1e400", "-1E+999", "0e0", "-0", "-0.0", "1.0", "1.10", "9007199254740993", "0.1e-400", &digits] {
        assert_eq!(Json::parse(number.as_bytes()), Ok(Json::Number(number)));
    }
    assert!(is_meant(&serde_json::from_str::<Meaning>("1e400").unwrap_err()));
}

#[test]
fn half_a_surrogate_pair_is_kept_and_known() {
    for (raw, decoded) in [
        (r"\ud83d", "\u{fffd}"),
        (r"\uDD11", "\u{fffd}"),
        (r"a\ud83dz", "a\u{fffd}z"),
        (r"\ud83d\ud83d\udd11", "\u{fffd}🔑"),
        (r"\udd11\ud83d", "\u{fffd}\u{fffd}"),
        (r"\ud83d🔑", "\u{fffd}🔑"),
        (r"\ud83d\n", "\u{fffd}\n"),
    ] {
        let quoted = format!("\"{raw}\"");
        let Ok(Json::String(text)) = Json::parse(quoted.as_bytes()) else { panic!("{raw}") };
        assert_eq!((text.raw(), &*text.decoded(), text.is_unicode()), (raw, decoded, false));
        assert!(is_meant(&serde_json::from_str::<Meaning>(&quoted).unwrap_err()), "{raw}");
    }
}

#[test]
fn a_member_is_found_once_or_not_at_all() {
    let text = r#"{"a":1,"b":null,"c":2,"c":2,"\u0064":"x","":true,"e":null,"e":null}"#;
    let json = Json::parse(text.as_bytes()).unwrap();
    assert_eq!(json.member("a"), Ok(Some(&Json::Number("1"))));
    assert_eq!(json.member("d").unwrap().unwrap().text().as_deref(), Some("x"));
    assert_eq!(json.member(""), Ok(Some(&Json::Bool(true))));
    assert_eq!((json.member("b"), json.has("b")), (Ok(None), Ok(true)));
    assert_eq!((json.member("z"), json.has("z")), (Ok(None), Ok(false)));
    for doubled in ["c", "e"] {
        assert_eq!(json.member(doubled), Err(Unreadable::Ambiguous(doubled)));
        assert_eq!(json.has(doubled), Err(Unreadable::Ambiguous(doubled)));
    }
    for other in ["[]", "1", "null", r#""a""#] {
        let json = Json::parse(other.as_bytes()).unwrap();
        assert_eq!((json.member("a"), json.has("a")), (Ok(None), Ok(false)), "{other}");
    }
}
