//! Members of a payload, and the bounds on what is stored of them.

use crate::{
    digest::sha256_hex,
    reading::{
        details::{Remarks, left_out},
        json::Json,
        minimise::REFERENCE_LIMIT,
        unreadable::Unreadable,
    },
};
use std::{borrow::Cow, collections::BTreeMap};
use verdict_sessions::{EventId, Subject};

/// The longest detail kept, in characters; no provider documents a limit.
const DETAIL_LIMIT: usize = 128;

/// The longest reason kept, in characters: it is the provider's text, and bounded.
const REASON_LIMIT: usize = 1024;

/// Some text of a payload: a string's, or a number as spelled. Blank counts as missing.
pub(crate) type MaybeText<'a> = Option<Cow<'a, str>>;

/// A member's value of any type. Blank text counts as missing, and so does `null`.
pub(crate) type MaybeJson<'a> = Option<&'a Json<'a>>;

/// An id, and the member that it stood in.
#[derive(Clone, Debug)]
pub(crate) struct Id<'a> {
    pub(crate) member: &'static str,
    pub(crate) text: Cow<'a, str>,
    /// Whether every surrogate has its pair; no record can be filed under an id without.
    pub(crate) is_unicode: bool,
}

/// The value at the end of a path of member names.
///
/// # Errors
/// [`Unreadable::Ambiguous`] if a member of the path occurs twice.
pub(crate) fn path<'a>(value: &'a Json<'a>, names: &[&'static str]) -> Result<Option<&'a Json<'a>>, Unreadable> {
    names.iter().try_fold(Some(value), |value, name| value.map_or(Ok(None), |value| value.member(name)))
}

/// A member's text.
///
/// # Errors
/// [`Unreadable::Ambiguous`] if the member occurs twice.
pub(crate) fn maybe_text<'a>(object: &'a Json<'a>, name: &'static str) -> Result<MaybeText<'a>, Unreadable> {
    Ok(object.member(name)?.and_then(Json::text).filter(|text| !text.trim().is_empty()))
}

/// A member's value, whatever its type.
///
/// # Errors
/// [`Unreadable::Ambiguous`] if the member occurs twice.
pub(crate) fn maybe_json<'a>(object: &'a Json<'a>, name: &'static str) -> Result<MaybeJson<'a>, Unreadable> {
    Ok(object.member(name)?.filter(|value| value.text().is_none_or(|text| !text.trim().is_empty())))
}

/// The text of a value that has one.
pub(crate) fn text(value: MaybeJson<'_>) -> MaybeText<'_> {
    value.and_then(Json::text)
}

/// A member that is an id.
///
/// # Errors
/// [`Unreadable::Ambiguous`] if the member occurs twice.
pub(crate) fn id<'a>(object: &'a Json<'a>, member: &'static str) -> Result<Option<Id<'a>>, Unreadable> {
    let is_unicode = match object.member(member)? {
        Some(Json::String(text)) => text.is_unicode(),
        _ => true,
    };
    Ok(maybe_text(object, member)?.map(|text| Id { member, text, is_unicode }))
}

/// The provider's id as an id of a session or an attempt.
///
/// # Errors
/// [`Unreadable::UnusableId`] if no record can be filed under it.
pub(crate) fn usable<T, E>(id: &Id<'_>, new: impl Fn(String) -> Result<T, E>) -> Result<T, Unreadable> {
    let unusable = Unreadable::UnusableId(id.member);
    if !id.is_unicode {
        return Err(unusable);
    }
    new(id.text.clone().into_owned()).map_err(|_| unusable)
}

/// The id of an event, which a reader has made of what every copy of the fact has in common.
///
/// # Errors
/// [`Unreadable::UnusableId`] if it is too long, which no reader makes it.
pub(crate) fn event_id(text: String) -> Result<EventId, Unreadable> {
    EventId::new(text).map_err(|_| Unreadable::UnusableId("id"))
}

/// Whom a session is about: your reference and the provider's, each with the name of its member. One that is no text,
/// or too long, is left out with a remark; blank ones count as missing.
pub(crate) fn subject(
    reference: (&str, Option<&Json<'_>>),
    provider_user_id: (&str, Option<&Json<'_>>),
) -> (Subject, Remarks) {
    let [(reference, one), (provider_user_id, other)] = [reference, provider_user_id].map(named);
    (Subject { reference, provider_user_id }, one.into_iter().chain(other).collect())
}

fn named((member, value): (&str, Option<&Json<'_>>)) -> (Option<String>, Option<String>) {
    let Some(value) = value.filter(|value| **value != Json::Null) else { return (None, None) };
    let text = value.text().map(Cow::into_owned);
    match text {
        Some(text) if text.trim().is_empty() => (None, None),
        Some(text) if text.len() <= REFERENCE_LIMIT => (Some(text), None),
        _ => (None, Some(left_out(member))),
    }
}

/// A reason in the provider's words.
pub(crate) fn reason(text: &MaybeText<'_>) -> Option<String> {
    text.as_deref().map(|text| bounded(text, REASON_LIMIT))
}

/// The name of a document's check. A long id goes in as its digest: a session keeps many checks in one item. So does one
/// that looks like a digest, or it could be another one's.
pub(crate) fn document_check(id: &str) -> String {
    const LIMIT: usize = 128;
    let is_digest = id.len() == 64 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if id.len() > LIMIT || is_digest {
        format!("document:{}", sha256_hex(id.as_bytes()))
    } else {
        format!("document:{id}")
    }
}

/// The details that are there, by name.
pub(crate) fn detail<const N: usize>(members: [(&str, &MaybeText<'_>); N]) -> BTreeMap<String, String> {
    members
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), bounded(text.as_deref()?, DETAIL_LIMIT))))
        .collect()
}

fn bounded(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}
