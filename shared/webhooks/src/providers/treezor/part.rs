//! The parts of a webhook that are stored: each subject's own part of the payload, and what is known of the envelope.
//! The ids of events are made of that, so that nothing else makes news.

use super::{
    canonical::canonical,
    payload::{Shape, Webhook},
};
use crate::{
    digest::digest_of_parts,
    reading::{
        fields::maybe_text,
        json::{Json, Text},
        minimise::{Member, minimise_as_first_release, minimise_members, minimise_unbounded},
        unreadable::Unreadable,
        word::Word,
    },
};
use std::collections::HashSet;

/// The members of the envelope that are kept, and read: around a wrapped webhook, and of the webhook itself. It is
/// stored as if it had come flat.
const AROUND: [&str; 3] = ["messageId", "webhookId", "clientId"];
const OWN: [&str; 5] = ["webhook", "webhook_id", "webhook_created_at", "object", "object_id"];

/// Those that nothing is read from: one that occurs twice is left out.
const NOT_READ: [&str; 3] = ["messageId", "clientId", "object"];

/// The longest value of such a member that is kept, in bytes. It isn't signed, and may be anything.
const MEMBER_LIMIT: usize = 2048;

/// A webhook as it was sent.
pub(super) struct Sent<'a> {
    around: &'a Json<'a>,
    webhook: &'a Json<'a>,
    pub(super) payload: &'a Json<'a>,
}

impl<'a> Sent<'a> {
    /// Finds the webhook in a document: it may be wrapped.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that matters.
    pub(super) fn find(around: &'a Json<'a>) -> Result<Self, Unreadable> {
        let webhook = match around.member("webhook")? {
            Some(wrapped @ Json::Object(_)) => wrapped,
            _ => around,
        };
        Ok(Self { around, webhook, payload: webhook.member("object_payload")?.unwrap_or(&Json::Null) })
    }

    /// The members of the envelope that are kept.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that matters.
    pub(super) fn envelope(&self) -> Result<Json<'a>, Unreadable> {
        let members = AROUND.map(|name| (self.around, name)).into_iter().chain(OWN.map(|name| (self.webhook, name)));
        let kept = members.map(|(object, name)| {
            let value = match object.member(name) {
                Err(_) if NOT_READ.contains(&name) => None,
                found => found?.filter(|value| is_kept(value)),
            };
            Ok(value.map(|value| (Text::written(name), value.clone())))
        });
        Ok(Json::Object(kept.filter_map(Result::transpose).collect::<Result<_, _>>()?))
    }

    /// The material of the ids that the first release gave to a webhook's events, beside their places in it: its name,
    /// its own id and its whole payload.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that matters.
    pub(super) fn former_fact(&self) -> Result<String, Unreadable> {
        let name = Word::read(self.webhook, "webhook")?;
        // What wraps a webhook spells the same id another way.
        let id = maybe_text(self.webhook, "webhook_id")?.or(maybe_text(self.around, "webhookId")?);
        let payload = canonical(&minimise_as_first_release(self.payload));
        Ok(digest_of_parts(&[name.text().unwrap_or_default(), id.as_deref().unwrap_or_default(), &payload]))
    }
}

fn is_kept(value: &Json<'_>) -> bool {
    !matches!(value, Json::Object(_)) && minimise_unbounded(value).len() <= MEMBER_LIMIT
}

/// The subjects of a payload.
pub(super) enum Subjects<'a> {
    /// One.
    Whole(&'a Json<'a>),
    /// Those in a list.
    Listed(&'static str, &'a [Json<'a>]),
}

impl<'a> Subjects<'a> {
    /// Finds the subjects of a payload.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for the list.
    pub(super) fn of(payload: &'a Json<'a>, shape: Shape) -> Result<Self, Unreadable> {
        let list = match shape {
            Shape::Users => "users",
            Shape::Documents => "documents",
            Shape::Liveness | Shape::Identification | Shape::Review | Shape::Unfamiliar => {
                return Ok(Self::Whole(payload));
            }
        };
        Ok(match payload.member(list)? {
            Some(Json::Array(entries)) => Self::Listed(list, entries),
            _ => Self::Whole(payload),
        })
    }

    /// The number of subjects.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Whole(_) => 1,
            Self::Listed(_, entries) => entries.len(),
        }
    }

    /// The places of the subjects from one on, except of those that only repeat another: they make the same event.
    pub(super) fn distinct(&self, first: usize) -> impl Iterator<Item = usize> {
        let mut known = HashSet::new();
        (first..self.len()).filter(move |index| known.insert(self.subject(*index)))
    }

    /// The subject in a place.
    pub(super) fn subject(&self, index: usize) -> &'a Json<'a> {
        match self {
            Self::Whole(payload) => payload,
            Self::Listed(_, entries) => entries.get(index).unwrap_or(&Json::Null),
        }
    }

    fn member(&self, index: usize) -> Member<'a, 'a> {
        match self {
            Self::Whole(payload) => Member::Value(payload),
            Self::Listed(list, _) => Member::Only { list, entry: self.subject(index) },
        }
    }
}

/// The own part of one subject.
pub(super) struct OwnPart {
    /// The text that is stored.
    pub(super) payload: String,
    /// The canonical form of the part, as it is stored but for its length.
    canonical: String,
}

impl OwnPart {
    /// The part of the subject in a place. The envelope's `object_id` is no part of it if it is another one's.
    pub(super) fn of(webhook: &Webhook<'_>, subjects: &Subjects<'_>, index: usize, is_id_of_other: bool) -> Self {
        let envelope = if let Json::Object(members) = webhook.envelope { &members[..] } else { &[] };
        let names = AROUND.into_iter().chain(OWN).filter(|name| !(is_id_of_other && *name == "object_id"));
        let kept = names.filter_map(|known| {
            let (_, value) = envelope.iter().find(|(name, _)| name.means(known))?;
            Some((known, Member::Value(value)))
        });
        let members: Vec<_> = kept.chain([("object_payload", subjects.member(index))]).collect();
        let minimised = minimise_members(&members);
        Self { payload: minimised.text, canonical: canonical(&minimised.last) }
    }

    /// The id of what a reading makes of the part: nothing that isn't signed takes part, except as far as it has chosen
    /// the reading.
    pub(super) fn id(&self, reading: &str) -> String {
        digest_of_parts(&[reading, &self.canonical])
    }
}
