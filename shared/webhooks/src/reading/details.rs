//! Details and reason codes: short values of a payload that are worth routing by. A provider's allow-list names the
//! members that may become one; a value of another form is left out, with a remark.
//!
//! Nothing here fails: a detail that can't be read must not take a decision with it. And what is stored of a payload
//! gives the same details again, so nothing counts here that isn't stored.

use crate::reading::{
    json::Json,
    minimise::{holds_token, is_byte_list, is_mark, minimise_unbounded},
};
use std::{borrow::Cow, collections::BTreeMap};
use verdict_sessions::{Detail, ReasonCode};

/// A member that may become a detail: its path, with dots between the names; the detail's name; the form of its value.
pub(crate) type Allowed = (&'static str, &'static str, Form);

/// The form that a member's value must have to become a detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A code ([`ReasonCode`] says what that is), a number as spelled, or a truth value.
    Code,
    /// A date or a time, as spelled.
    Time,
}

/// The members that a value may be wrapped in, as in `{"value": "PASSPORT"}` and `{"score": 0.97}`.
const WRAPPERS: [&str; 2] = ["value", "score"];

/// A member to show: its name and its value, if it is there.
pub(crate) type Shown<'j, 'a> = (&'static str, Option<&'j Json<'a>>);

/// Remarks, each a code and the member that it is about, such as `left_out:riskScore`.
pub(crate) type Remarks = Vec<String>;

/// The remark that a value was left out: it hasn't the form that it should have.
pub(crate) fn left_out(member: &str) -> String {
    format!("left_out:{member}")
}

/// The remark that of a list only the first values were taken.
pub(crate) fn cut(member: &str) -> String {
    format!("cut:{member}")
}

/// The allowed members that are there, by name. A value may also be wrapped, as [`WRAPPERS`] says. Blank values and `null`
/// count as missing.
pub(crate) fn details(object: &Json<'_>, allowed: &[Allowed]) -> (Detail, Remarks) {
    let (mut detail, mut remarks) = (Detail::empty(), Remarks::new());
    for (path, name, form) in allowed {
        let text = match found(object, path) {
            Found::Nothing => continue,
            Found::Value(value) => text_of(value, *form),
            Found::Unusable => None,
        };
        if text.is_none_or(|text| detail.insert(name, &text).is_err()) {
            remarks.push(left_out(path));
        }
    }
    (detail, remarks)
}

/// The codes among some texts, each once and in their order, of which `member` is the name.
pub(crate) fn codes<'a>(
    member: &str,
    texts: impl IntoIterator<Item = Option<Cow<'a, str>>>,
) -> (Vec<ReasonCode>, Remarks) {
    let (mut codes, mut remarks) = (Vec::new(), Remarks::new());
    for text in texts {
        match text.as_deref().and_then(code) {
            Some(code) if codes.contains(&code) => {}
            Some(code) if codes.len() < ReasonCode::COUNT => codes.push(code),
            Some(_) => remark(&mut remarks, cut(member)),
            None => remark(&mut remarks, left_out(member)),
        }
    }
    (codes, remarks)
}

/// The values of a list; a single value counts as a list of one, and `null` as an empty one.
pub(crate) fn items<'j, 'a>(value: Option<&'j Json<'a>>) -> &'j [Json<'a>] {
    match value {
        None | Some(Json::Null) => &[],
        Some(Json::Array(items)) => items,
        Some(value) => std::slice::from_ref(value),
    }
}

/// The values of the list at the end of a path, as [`items`] has them.
pub(crate) fn list<'j, 'a>(object: &'j Json<'a>, path: &'static str) -> (&'j [Json<'a>], Remarks) {
    match at(object, path) {
        Found::Nothing => (&[], Remarks::new()),
        Found::Value(Json::Array(items)) if is_byte_list(items) => (&[], vec![left_out(path)]),
        Found::Value(value) => (items(Some(value)), Remarks::new()),
        Found::Unusable => (&[], vec![left_out(path)]),
    }
}

/// Unfamiliar members as an event shows them: a code as it stands, and of any other value only its type and length, since
/// it may speak of a person.
pub(crate) fn shown<'j, 'a: 'j>(members: impl IntoIterator<Item = Shown<'j, 'a>>) -> BTreeMap<String, String> {
    members.into_iter().map(|(name, value)| (name.to_owned(), code_or_type(value))).collect()
}

/// Adds a remark, unless it is there.
pub(crate) fn remark(remarks: &mut Remarks, remark: String) {
    if !remarks.contains(&remark) {
        remarks.push(remark);
    }
}

fn code_or_type(value: Option<&Json<'_>>) -> String {
    let Some(value) = value else { return "missing(0)".into() };
    if let Some(code) = text_of(value, Form::Code) {
        return code.into_owned();
    }
    let stored = minimise_unbounded(value);
    let (kind, length) = match Json::parse(stored.as_bytes()) {
        Ok(Json::Null) | Err(_) => ("null", 0),
        Ok(Json::Bool(_)) => ("boolean", 1),
        Ok(Json::Number(number)) => ("number", number.len()),
        Ok(Json::String(text)) => ("string", text.decoded().chars().count()),
        Ok(Json::Array(items)) => ("array", items.len()),
        Ok(Json::Object(members)) => ("object", members.len()),
    };
    format!("{kind}({length})")
}

enum Found<'j, 'a> {
    Nothing,
    Value(&'j Json<'a>),
    /// Written twice, or below something that has no members.
    Unusable,
}

/// The value at the end of a path.
fn at<'j, 'a>(object: &'j Json<'a>, path: &'static str) -> Found<'j, 'a> {
    let mut value = object;
    for name in path.split('.') {
        match member(value, name) {
            Found::Value(inner) => value = inner,
            other => return other,
        }
    }
    Found::Value(value)
}

/// The value at the end of a path, or the one that is wrapped there.
fn found<'j, 'a>(object: &'j Json<'a>, path: &'static str) -> Found<'j, 'a> {
    let Found::Value(value) = at(object, path) else { return at(object, path) };
    match WRAPPERS.into_iter().find(|wrapper| !matches!(value.has(wrapper), Ok(false))) {
        Some(wrapper) => member(value, wrapper),
        None => Found::Value(value),
    }
}

fn member<'j, 'a>(object: &'j Json<'a>, name: &'static str) -> Found<'j, 'a> {
    match (object, object.member(name)) {
        _ if is_mark(object) => Found::Unusable,
        (Json::Object(_), Ok(None)) => Found::Nothing,
        (Json::Object(_), Ok(Some(Json::String(text)))) if text.decoded().trim().is_empty() => Found::Nothing,
        (Json::Object(_), Ok(Some(value))) => Found::Value(value),
        _ => Found::Unusable,
    }
}

/// The text of a value that has this form.
fn text_of<'a>(value: &Json<'a>, form: Form) -> Option<Cow<'a, str>> {
    match (value, form) {
        (Json::Bool(truth), Form::Code) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        (Json::Number(number), _) => (number.len() <= Detail::LIMIT).then_some(Cow::Borrowed(*number)),
        (Json::String(text), Form::Code) => Some(text.decoded()).filter(|text| code(text).is_some()),
        (Json::String(text), Form::Time) => Some(text.decoded()).filter(|text| is_time(text)),
        _ => None,
    }
}

/// A text as a code. Even a short token is none.
fn code(text: &str) -> Option<ReasonCode> {
    ReasonCode::new(text).filter(|code| !holds_token(code.as_str()))
}

/// Returns whether a text may be a date or a time: it begins with a year and holds no word, or it counts seconds.
fn is_time(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_digit() || b"-:.,+TZ ".contains(&byte);
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    let is_epoch = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_date = year == 4 && text.as_bytes().get(4) == Some(&b'-') && text.bytes().all(is_part);
    text.len() <= "2026-06-13T00:38:30.861285000+02:00".len() && (is_epoch || is_date)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: [Allowed; 4] = [
        ("score", "score", Form::Code),
        ("document.type", "documentType", Form::Code),
        ("isFrozen", "isFrozen", Form::Code),
        ("nextReview", "nextReview", Form::Time),
    ];

    fn read(body: &str) -> (Vec<(String, String)>, Remarks) {
        let (detail, remarks) = details(&Json::parse(body.as_bytes()).unwrap(), &ALLOWED);
        (detail.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), remarks)
    }

    #[test]
    fn a_code_a_number_and_a_time_become_details_under_the_names_of_the_list() {
        for (body, name, value) in [
            (r#"{"score": 0.970}"#, "score", "0.970"),
            (r#"{"score": -1.5e+3}"#, "score", "-1.5e+3"),
            (r#"{"score": "0.97"}"#, "score", "0.97"),
            (r#"{"score": {"value": 0.97, "sources": ["x"]}}"#, "score", "0.97"),
            (r#"{"document": {"type": "PASSPORT", "number": "X"}}"#, "documentType", "PASSPORT"),
            (r#"{"document": {"type": {"value": "PASSPORT"}}}"#, "documentType", "PASSPORT"),
            (r#"{"isFrozen": false}"#, "isFrozen", "false"),
            (r#"{"nextReview": "2026-06-13 10:00:00"}"#, "nextReview", "2026-06-13 10:00:00"),
            (r#"{"nextReview": "2026-06-13T10:00:00.861285+02:00"}"#, "nextReview", "2026-06-13T10:00:00.861285+02:00"),
            (r#"{"nextReview": 1781310000000}"#, "nextReview", "1781310000000"),
        ] {
            assert_eq!(read(body), (vec![(name.to_owned(), value.to_owned())], vec![]), "{body}");
        }
    }

    #[test]
    fn what_is_missing_leaves_no_remark() {
        for body in [
            "{}",
            r#"{"score": null, "document": null, "nextReview": " "}"#,
            r#"{"score": {"value": null}, "document": {"type": {"value": ""}}}"#,
            r#"{"document": {"number": "X"}}"#,
        ] {
            assert_eq!(read(body), (vec![], vec![]), "{body}");
        }
    }

    #[test]
    fn a_value_of_another_form_is_left_out_with_a_remark() {
        let long = format!(r#"{{"score": "{}"}}"#, "a".repeat(65));
        let digits = format!(r#"{{"score": {}}}"#, "1".repeat(65));
        for (body, member) in [
            (r#"{"score": "Sample Person"}"#, "score"),
            (r#"{"score": "é"}"#, "score"),
            (&*long, "score"),
            (&*digits, "score"),
            (r#"{"score": ["0.97"]}"#, "score"),
            (r#"{"score": {"amount": 1}}"#, "score"),
            (r#"{"score": {"value": "two words"}}"#, "score"),
            (r#"{"score": 1, "score": 2}"#, "score"),
            (r#"{"document": "PASSPORT"}"#, "document.type"),
            (r#"{"document": [{"type": "PASSPORT"}]}"#, "document.type"),
            (r#"{"nextReview": "next June"}"#, "nextReview"),
            (r#"{"nextReview": "4111 1111 1111 1111"}"#, "nextReview"),
            (r#"{"nextReview": true}"#, "nextReview"),
        ] {
            assert_eq!(read(body), (vec![], vec![left_out(member)]), "{body}");
        }
    }

    fn read_codes(list: &str) -> (Vec<String>, Remarks) {
        let list = Json::parse(list.as_bytes()).unwrap();
        let (codes, remarks) = codes("reasons", items(Some(&list)).iter().map(Json::text));
        (codes.iter().map(|code| code.as_str().to_owned()).collect(), remarks)
    }

    #[test]
    fn codes_keep_the_order_of_the_list_and_what_is_no_code_is_left_out() {
        for (list, expected, remarks) in [
            (r#"["b", "a", "b", 102]"#, vec!["b", "a", "102"], vec![]),
            (r#""single""#, vec!["single"], vec![]),
            ("null", vec![], vec![]),
            ("[]", vec![], vec![]),
            (r#"["a", "two words", {}, "b"]"#, vec!["a", "b"], vec![left_out("reasons")]),
            (r#"{"a": 1}"#, vec![], vec![left_out("reasons")]),
        ] {
            assert_eq!(read_codes(list), (expected.into_iter().map(str::to_owned).collect(), remarks), "{list}");
        }
    }

    #[test]
    fn of_a_long_list_the_first_sixteen_codes_count() {
        let list = |count: usize| format!("[{}]", (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
        assert_eq!(read_codes(&list(16)).1, Remarks::new());
        let (codes, remarks) = read_codes(&list(4000));
        assert_eq!((codes.len(), codes.last().map(String::as_str)), (16, Some("15")));
        assert_eq!(remarks, [cut("reasons")]);
    }

    #[test]
    fn of_an_unfamiliar_value_that_is_no_code_only_type_and_length_are_shown() {
        for (value, expected) in [
            ("7012", "7012"),
            (r#""camera_switched""#, "camera_switched"),
            ("true", "true"),
            (r#""Sample Person""#, "string(13)"),
            (r#""éé""#, "string(2)"),
            (r#""""#, "string(0)"),
            ("null", "null(0)"),
            ("[1, 2]", "array(2)"),
            (r#"{"name": "Sample"}"#, "object(1)"),
        ] {
            let value = Json::parse(value.as_bytes()).unwrap();
            assert_eq!(shown([("code", Some(&value))])["code"], expected);
        }
        assert_eq!(shown([("code", None)])["code"], "missing(0)");
    }
}
