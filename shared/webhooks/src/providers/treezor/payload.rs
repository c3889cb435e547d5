//! What does it say? Treezor's payloads, told apart by their members: their event's name is not signed.

use crate::reading::{
    details::{Remarks, items, shown},
    fields::{Id, MaybeText, id, maybe_text, path, subject},
    json::Json,
    times::{DefaultOffset, Time},
    unreadable::Unreadable,
    word::Word,
};
use std::collections::BTreeMap;
use verdict_sessions::{Subject, Timestamp};

/// A webhook: its payload, and of its envelope what is kept.
#[derive(Debug)]
pub(super) struct Webhook<'a> {
    pub(super) envelope: &'a Json<'a>,
    pub(super) name: Word<'a>,
    pub(super) created_at: Time,
    pub(super) object_id: Option<Id<'a>>,
    pub(super) object_id_word: Word<'a>,
    pub(super) object_payload: &'a Json<'a>,
}

/// The sort of a payload, by its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Users,
    Documents,
    Liveness,
    Identification,
    Review,
    Unfamiliar,
}

/// The statement of a payload about one subject.
#[derive(Debug)]
pub(super) enum Payload<'a> {
    User(UserReview<'a>),
    Document(Document<'a>),
    Liveness(Liveness<'a>),
    Identification(Identification<'a>),
    Review(UserReview<'a>),
    Unfamiliar(Unfamiliar<'a>),
}

/// A payload without a member that tells what it is.
#[derive(Debug)]
pub(super) struct Unfamiliar<'a> {
    pub(super) person: Person<'a>,
    pub(super) transaction: Option<Id<'a>>,
    /// What stands in its place, as an event shows it.
    pub(super) shown: BTreeMap<String, String>,
}

/// The user that a payload is about.
#[derive(Debug)]
pub(super) struct Person<'a> {
    pub(super) id: Option<Id<'a>>,
    /// The reference is the `userTag`, your own name for the user.
    pub(super) subject: Subject,
    pub(super) remarks: Remarks,
}

/// The state of a user's review, which a `user` holds among much else.
#[derive(Debug)]
pub(super) struct UserReview<'a> {
    /// All of it, for its details.
    pub(super) json: &'a Json<'a>,
    pub(super) person: Person<'a>,
    pub(super) kyc_review: Word<'a>,
    pub(super) kyc_status: Word<'a>,
    pub(super) kyc_level: Word<'a>,
    pub(super) code: Word<'a>,
    pub(super) comment: MaybeText<'a>,
    pub(super) modified_at: Time,
    pub(super) requested_at: Time,
    pub(super) reviewed_at: Time,
}

#[derive(Debug)]
pub(super) struct Document<'a> {
    /// All of it, for its details.
    pub(super) json: &'a Json<'a>,
    pub(super) id: Option<Id<'a>>,
    pub(super) id_word: Word<'a>,
    pub(super) person: Person<'a>,
    pub(super) status: Word<'a>,
    pub(super) code: Word<'a>,
    /// In UTC: documents are printed that were modified two hours before they were created, in French time, in summer.
    pub(super) modified_at: Time,
    /// In French time.
    pub(super) created_at: Time,
}

#[derive(Debug)]
pub(super) struct Liveness<'a> {
    pub(super) person: Person<'a>,
    pub(super) status: Word<'a>,
    pub(super) score: Word<'a>,
    pub(super) refusal: Refusal<'a>,
    pub(super) started_at: Time,
    pub(super) updated_at: Time,
}

/// The refusal that a liveness tells of.
#[derive(Debug)]
pub(super) struct Refusal<'a> {
    /// Whether it tells of one, with or without reasons.
    pub(super) is_told: bool,
    pub(super) reasons: Vec<Reason<'a>>,
}

/// A qualified electronic signature or a video conference.
#[derive(Debug)]
pub(super) struct Identification<'a> {
    pub(super) transaction: Option<Id<'a>>,
    pub(super) person: Person<'a>,
    pub(super) result: Word<'a>,
    pub(super) reason: Reason<'a>,
    pub(super) identified_at: Time,
}

#[derive(Debug)]
pub(super) struct Reason<'a> {
    pub(super) code: MaybeText<'a>,
    pub(super) message: MaybeText<'a>,
}

impl<'a> Webhook<'a> {
    /// Reads a webhook.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that matters.
    pub(super) fn read(envelope: &'a Json<'a>, object_payload: &'a Json<'a>) -> Result<Self, Unreadable> {
        Ok(Self {
            envelope,
            name: Word::read(envelope, "webhook")?,
            created_at: created_at(envelope)?,
            object_id: id(envelope, "object_id")?,
            object_id_word: Word::read(envelope, "object_id")?,
            object_payload,
        })
    }
}

impl Shape {
    /// The sort of a payload.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that tells.
    pub(super) fn of(payload: &Json<'_>) -> Result<Self, Unreadable> {
        if matches!(payload.member("users")?, Some(Json::Array(_))) {
            Ok(Self::Users)
        } else if matches!(payload.member("documents")?, Some(Json::Array(_))) {
            Ok(Self::Documents)
        } else if payload.has("kyc-status")? {
            Ok(Self::Liveness)
        } else if payload.has("result")? {
            Ok(Self::Identification)
        } else if payload.has("kycReview")? {
            Ok(Self::Review)
        } else {
            Ok(Self::Unfamiliar)
        }
    }
}

impl<'a> Payload<'a> {
    /// Reads what a payload of some shape says of a subject: one in its list, or all of it.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that matters.
    pub(super) fn read(subject: &'a Json<'a>, shape: Shape) -> Result<Self, Unreadable> {
        match shape {
            Shape::Users => review(subject).map(Self::User),
            Shape::Documents => document(subject).map(Self::Document),
            Shape::Liveness => liveness(subject).map(Self::Liveness),
            Shape::Identification => identification(subject).map(Self::Identification),
            Shape::Review => review(subject).map(Self::Review),
            Shape::Unfamiliar => Ok(Self::Unfamiliar(Unfamiliar {
                person: person(subject)?,
                transaction: id(subject, "transactionNumber")?,
                shown: shown([("object_payload", Some(subject))]),
            })),
        }
    }
}

/// The id of a subject that the envelope's `object_id` may repeat.
///
/// # Errors
/// [`Unreadable::Ambiguous`] for the member that holds it.
pub(super) fn object_id<'a>(subject: &'a Json<'a>, shape: Shape) -> Result<Option<Id<'a>>, Unreadable> {
    match shape {
        Shape::Users | Shape::Review => id(subject, user_id_member(subject)?),
        Shape::Documents => id(subject, "documentId"),
        Shape::Identification => id(subject, "transactionNumber"),
        Shape::Liveness | Shape::Unfamiliar => Ok(None),
    }
}

/// When the webhook was made. Its 14 digits are tenths of milliseconds.
fn created_at(webhook: &Json<'_>) -> Result<Time, Unreadable> {
    const MEMBER: &str = "webhook_created_at";
    let text = maybe_text(webhook, MEMBER)?;
    Ok(Time::read(webhook, MEMBER)?.or(text.as_deref().and_then(ten_thousandths)))
}

fn ten_thousandths(text: &str) -> Option<Timestamp> {
    const PER_SECOND: u32 = 10_000;
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (seconds, rest) = text.split_at(10);
    Timestamp::from_unix(seconds.parse().ok()?, rest.parse::<u32>().ok()? * (1_000_000_000 / PER_SECOND))
}

fn review<'a>(payload: &'a Json<'a>) -> Result<UserReview<'a>, Unreadable> {
    Ok(UserReview {
        json: payload,
        person: person(payload)?,
        kyc_review: Word::read(payload, "kycReview")?,
        kyc_status: Word::read(payload, "kycStatus")?,
        kyc_level: Word::read(payload, "kycLevel")?,
        code: Word::read(payload, "codeStatus")?,
        comment: maybe_text(payload, "kycReviewComment")?,
        modified_at: Time::read(payload, "modifiedDate")?,
        requested_at: Time::read(payload, "lastRequestDatetime")?,
        reviewed_at: Time::read(payload, "lastReviewDatetime")?,
    })
}

fn document<'a>(payload: &'a Json<'a>) -> Result<Document<'a>, Unreadable> {
    Ok(Document {
        json: payload,
        id: id(payload, "documentId")?,
        id_word: Word::read(payload, "documentId")?,
        person: person(payload)?,
        status: Word::read(payload, "documentStatus")?,
        code: Word::read(payload, "codeStatus")?,
        modified_at: Time::read(payload, "modifiedDate")?,
        created_at: Time::read_local(payload, "createdDate", DefaultOffset::PARIS_IN_SUMMER)?,
    })
}

fn liveness<'a>(payload: &'a Json<'a>) -> Result<Liveness<'a>, Unreadable> {
    Ok(Liveness {
        person: person(payload)?,
        status: Word::read(payload, "kyc-status")?,
        score: Word::read(payload, "score")?,
        refusal: refusal(payload)?,
        started_at: Time::read(payload, "started-at")?,
        updated_at: Time::read(payload, "updated-at")?,
    })
}

/// Anything in `refusal-details` tells of a refusal, except an empty list of reasons that counts none.
fn refusal<'a>(payload: &'a Json<'a>) -> Result<Refusal<'a>, Unreadable> {
    let reason =
        |json| Ok(Reason { code: maybe_text(json, "reason-code")?, message: maybe_text(json, "reason-message")? });
    let details = payload.member("refusal-details")?.unwrap_or(&Json::Null);
    let reasons = items(details.member("reasons")?);
    let count = path(details, &["meta", "count"])?.and_then(Json::text);
    let is_told = match details {
        Json::Object(_) => !reasons.is_empty() || count.is_some_and(|count| !matches!(&*count, "" | "0")),
        Json::Array(items) => !items.is_empty(),
        Json::String(text) => !text.raw().trim().is_empty(),
        Json::Null | Json::Bool(false) => false,
        Json::Bool(true) | Json::Number(_) => true,
    };
    Ok(Refusal { is_told, reasons: reasons.iter().map(reason).collect::<Result<_, _>>()? })
}

fn identification<'a>(payload: &'a Json<'a>) -> Result<Identification<'a>, Unreadable> {
    let reason = path(payload, &["reason", "reasonDetails"])?.unwrap_or(&Json::Null);
    Ok(Identification {
        transaction: id(payload, "transactionNumber")?,
        person: person(payload)?,
        result: Word::read(payload, "result")?,
        reason: Reason { code: maybe_text(reason, "reasonCode")?, message: maybe_text(reason, "reasonMessage")? },
        identified_at: Time::read(payload, "identificationTime")?,
    })
}

/// The member that names the user. Payloads with hyphens in their names have an underscore in this one.
fn user_id_member(payload: &Json<'_>) -> Result<&'static str, Unreadable> {
    Ok(if id(payload, "userId")?.is_some() { "userId" } else { "user_id" })
}

/// The user.
fn person<'a>(payload: &'a Json<'a>) -> Result<Person<'a>, Unreadable> {
    let member = user_id_member(payload)?;
    let (subject, remarks) = subject(("userTag", payload.member("userTag")?), (member, payload.member(member)?));
    Ok(Person { id: id(payload, member)?, subject, remarks })
}
