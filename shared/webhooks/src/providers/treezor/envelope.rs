//! The envelope around a signed payload, found in text that isn't proved yet.

use crate::reading::{
    json::{Json, members},
    unreadable::Unreadable,
};
use std::{borrow::Cow, collections::BTreeMap};

/// The members that matter; none of them may occur twice.
const MEMBERS: [&str; 8] = [
    "webhook",
    "webhook_id",
    "webhookId",
    "webhook_created_at",
    "object_id",
    "object_payload",
    "object_payload_signature",
    "Type",
];

/// Those that may stand around a wrapped webhook; the others would say there what the webhook says too.
const AROUND: [&str; 3] = ["webhook", "webhookId", "Type"];

/// The members of an envelope: values as written, by name.
pub(super) struct Envelope<'a>(BTreeMap<&'static str, &'a str>);

impl<'a> Envelope<'a> {
    /// Finds the members of the outermost object or, if its `webhook` is an object too, of that one.
    ///
    /// # Errors
    /// [`Unreadable`] if there is no such object, or if two readers could find different members.
    pub(super) fn find(body: &'a [u8]) -> Result<Self, Unreadable> {
        let outer = Self::of_object(body)?;
        let Some(webhook) = outer.member("webhook").filter(|value| value.starts_with('{')) else { return Ok(outer) };
        match outer.0.keys().find(|name| !AROUND.contains(name)) {
            Some(name) => Err(Unreadable::Ambiguous(name)),
            None => Self::of_object(webhook.as_bytes()),
        }
    }

    fn of_object(object: &'a [u8]) -> Result<Self, Unreadable> {
        let mut found = BTreeMap::new();
        members(object, |name, value| match MEMBERS.into_iter().find(|member| name.means(member)) {
            Some(member) if found.insert(member, value).is_some() => Err(Unreadable::Ambiguous(member)),
            _ => Ok(()),
        })?;
        Ok(Self(found))
    }

    /// A member's value as written.
    pub(super) fn member(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    /// A member's text, if it is a string.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.member(name).and_then(text)
    }
}

/// The text that a string means; `None` for any other value.
pub(super) fn text(written: &str) -> Option<Cow<'_, str>> {
    match Json::parse(written.as_bytes()) {
        Ok(Json::String(text)) => Some(text.decoded()),
        _ => None,
    }
}
