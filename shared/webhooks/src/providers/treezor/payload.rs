//! What does it say? Treezor's payloads, told apart by their members: their event's name is not signed.

use crate::reading::{
    fields::{Id, MaybeText, id, maybe_text, path},
    json::Json,
    unreadable::Unreadable,
};

/// A webhook, flat or wrapped.
#[derive(Debug)]
pub(super) struct Webhook<'a> {
    pub(super) name: MaybeText<'a>,
    pub(super) id: MaybeText<'a>,
    pub(super) created_at: MaybeText<'a>,
    pub(super) object_id: Option<Id<'a>>,
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

#[derive(Debug)]
pub(super) enum Payload<'a> {
    Users(Vec<UserReview<'a>>),
    Documents(Vec<Document<'a>>),
    Liveness(Liveness<'a>),
    Identification(Identification<'a>),
    Review(UserReview<'a>),
    Unfamiliar { user: Option<Id<'a>>, transaction: Option<Id<'a>> },
}

/// The state of a user's review, which a `user` holds among much else.
#[derive(Debug)]
pub(super) struct UserReview<'a> {
    pub(super) user: Option<Id<'a>>,
    pub(super) kyc_review: MaybeText<'a>,
    pub(super) kyc_status: MaybeText<'a>,
    pub(super) kyc_level: MaybeText<'a>,
    pub(super) code: MaybeText<'a>,
    pub(super) comment: MaybeText<'a>,
    pub(super) modified_at: MaybeText<'a>,
    pub(super) requested_at: MaybeText<'a>,
    pub(super) reviewed_at: MaybeText<'a>,
}

#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) id: Option<Id<'a>>,
    pub(super) user: Option<Id<'a>>,
    pub(super) status: MaybeText<'a>,
    pub(super) code: MaybeText<'a>,
    pub(super) modified_at: MaybeText<'a>,
}

#[derive(Debug)]
pub(super) struct Liveness<'a> {
    pub(super) user: Option<Id<'a>>,
    pub(super) status: MaybeText<'a>,
    pub(super) score: MaybeText<'a>,
    pub(super) reason: Reason<'a>,
    pub(super) updated_at: MaybeText<'a>,
}

/// A qualified electronic signature or a video conference.
#[derive(Debug)]
pub(super) struct Identification<'a> {
    pub(super) transaction: Option<Id<'a>>,
    pub(super) user: Option<Id<'a>>,
    pub(super) result: MaybeText<'a>,
    pub(super) reason: Reason<'a>,
    pub(super) identified_at: MaybeText<'a>,
}

#[derive(Debug)]
pub(super) struct Reason<'a> {
    pub(super) code: MaybeText<'a>,
    pub(super) message: MaybeText<'a>,
}

impl<'a> Webhook<'a> {
    /// Reads a document.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that matters.
    pub(super) fn read(document: &'a Json<'a>) -> Result<Self, Unreadable> {
        let webhook = match document.member("webhook")? {
            Some(wrapped @ Json::Object(_)) => wrapped,
            _ => document,
        };
        Ok(Self {
            name: maybe_text(webhook, "webhook")?,
            // What wraps a webhook spells the same id another way.
            id: maybe_text(webhook, "webhook_id")?.or(maybe_text(document, "webhookId")?),
            created_at: maybe_text(webhook, "webhook_created_at")?,
            object_id: id(webhook, "object_id")?,
            object_payload: webhook.member("object_payload")?.unwrap_or(&Json::Null),
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
    /// Reads a payload.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that matters.
    pub(super) fn read(payload: &'a Json<'a>) -> Result<Self, Unreadable> {
        match Shape::of(payload)? {
            Shape::Users => entries(payload, "users", review).map(Self::Users),
            Shape::Documents => entries(payload, "documents", document).map(Self::Documents),
            Shape::Liveness => liveness(payload).map(Self::Liveness),
            Shape::Identification => identification(payload).map(Self::Identification),
            Shape::Review => review(payload).map(Self::Review),
            Shape::Unfamiliar => {
                Ok(Self::Unfamiliar { user: user(payload)?, transaction: id(payload, "transactionNumber")? })
            }
        }
    }

    pub(super) fn shape(&self) -> Shape {
        match self {
            Self::Users(_) => Shape::Users,
            Self::Documents(_) => Shape::Documents,
            Self::Liveness(_) => Shape::Liveness,
            Self::Identification(_) => Shape::Identification,
            Self::Review(_) => Shape::Review,
            Self::Unfamiliar { .. } => Shape::Unfamiliar,
        }
    }

    /// The ids that the envelope's `object_id` may repeat.
    pub(super) fn object_ids(&self) -> Vec<&Id<'a>> {
        match self {
            Self::Users(users) => users.iter().filter_map(|user| user.user.as_ref()).collect(),
            Self::Documents(documents) => documents.iter().filter_map(|document| document.id.as_ref()).collect(),
            Self::Liveness(_) | Self::Unfamiliar { .. } => Vec::new(),
            Self::Identification(identification) => identification.transaction.iter().collect(),
            Self::Review(review) => review.user.iter().collect(),
        }
    }
}

fn entries<'a, T>(
    payload: &'a Json<'a>,
    list: &'static str,
    read: impl Fn(&'a Json<'a>) -> Result<T, Unreadable>,
) -> Result<Vec<T>, Unreadable> {
    match payload.member(list)? {
        Some(Json::Array(entries)) => entries.iter().map(read).collect(),
        _ => Ok(Vec::new()),
    }
}

fn review<'a>(payload: &'a Json<'a>) -> Result<UserReview<'a>, Unreadable> {
    Ok(UserReview {
        user: user(payload)?,
        kyc_review: maybe_text(payload, "kycReview")?,
        kyc_status: maybe_text(payload, "kycStatus")?,
        kyc_level: maybe_text(payload, "kycLevel")?,
        code: maybe_text(payload, "codeStatus")?,
        comment: maybe_text(payload, "kycReviewComment")?,
        modified_at: maybe_text(payload, "modifiedDate")?,
        requested_at: maybe_text(payload, "lastRequestDatetime")?,
        reviewed_at: maybe_text(payload, "lastReviewDatetime")?,
    })
}

fn document<'a>(payload: &'a Json<'a>) -> Result<Document<'a>, Unreadable> {
    Ok(Document {
        id: id(payload, "documentId")?,
        user: user(payload)?,
        status: maybe_text(payload, "documentStatus")?,
        code: maybe_text(payload, "codeStatus")?,
        modified_at: maybe_text(payload, "modifiedDate")?,
    })
}

fn liveness<'a>(payload: &'a Json<'a>) -> Result<Liveness<'a>, Unreadable> {
    let reason = match path(payload, &["refusal-details", "reasons"])? {
        Some(Json::Array(reasons)) => reasons.first().unwrap_or(&Json::Null),
        _ => &Json::Null,
    };
    Ok(Liveness {
        user: user(payload)?,
        status: maybe_text(payload, "kyc-status")?,
        score: maybe_text(payload, "score")?,
        reason: Reason { code: maybe_text(reason, "reason-code")?, message: maybe_text(reason, "reason-message")? },
        updated_at: maybe_text(payload, "updated-at")?,
    })
}

fn identification<'a>(payload: &'a Json<'a>) -> Result<Identification<'a>, Unreadable> {
    let reason = path(payload, &["reason", "reasonDetails"])?.unwrap_or(&Json::Null);
    Ok(Identification {
        transaction: id(payload, "transactionNumber")?,
        user: user(payload)?,
        result: maybe_text(payload, "result")?,
        reason: Reason { code: maybe_text(reason, "reasonCode")?, message: maybe_text(reason, "reasonMessage")? },
        identified_at: maybe_text(payload, "identificationTime")?,
    })
}

/// Payloads with hyphens in their names have an underscore in this one.
fn user<'a>(payload: &'a Json<'a>) -> Result<Option<Id<'a>>, Unreadable> {
    match id(payload, "userId")? {
        None => id(payload, "user_id"),
        user => Ok(user),
    }
}
