//! What does it mean? Treezor's payloads as session events: of users' reviews, and of identifications.

use super::{
    canonical::canonical,
    payload::{Document, Identification, Liveness, Payload, Reason, Shape, UserReview, Webhook},
};
use crate::{
    delivery::Genuine,
    digest::digest_of_parts,
    providers::provider::{Ignored, Reading},
    reading::{
        facts::Facts,
        fields::{Id, MaybeText, detail, document_check, event_id, reason as bounded_reason, reference, usable},
        json::Json,
        minimise::{minimise, minimise_unbounded},
        unreadable::Unreadable,
    },
};
use std::{collections::BTreeMap, convert::Infallible};
use verdict_sessions::{
    Check, CheckOutcome, Decision, Kind, Outcome, Provider, ReasonCode, Remark, SessionEvent, SessionId, SessionKey,
    Stage, Subject, Timestamp,
};

/// Reads a genuine webhook into session events.
pub(super) fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    // Of all that is proved, only a confirmation comes without a body.
    if genuine.body().is_empty() {
        return Ok(Reading::Nothing(Ignored::SubscriptionConfirmation));
    }
    let document = Json::parse_object(genuine.body())?;
    let webhook = Webhook::read(&document)?;
    let Some(name) = Name::of(&webhook.name) else { return Ok(Reading::Nothing(Ignored::OtherFamily)) };
    let payload = Payload::read(webhook.object_payload)?;
    let contradicted = !name.fits(payload.shape()) || speaks_of_another(&webhook, &payload);
    let created_at = webhook.created_at.as_deref().and_then(created_at);
    let fact = digest(&webhook);

    let event = |(index, statement): (usize, Statement<'_>)| {
        let facts = Facts {
            name: name.shown.clone(),
            remark: if contradicted { Some(Remark::Inconsistent) } else { statement.facts.remark.or(name.remark) },
            ..statement.facts
        };
        let session = session_key(statement.kind, statement.id.as_ref())?;
        let event_id = event_id(format!("{fact}:{}", index + 1))?;
        Ok(SessionEvent {
            occurred_at: statement.occurred_at.or(created_at),
            emitted_at: created_at,
            subject: Subject { reference: reference(&statement.user), provider_user_id: reference(&statement.user) },
            ..facts.with_detail(name.detail.clone()).event(event_id, session, statement.kind, genuine.received_at())
        })
    };
    let statements = Statement::all(payload, &name, webhook.object_id.clone())?;
    let events: Vec<_> = statements.into_iter().enumerate().map(event).collect::<Result<_, _>>()?;
    if events.is_empty() {
        return Err(Unreadable::NoSessionId);
    }
    Ok(Reading::Events { events, payload: minimise(&document) })
}

/// An event's name. It isn't signed: if a payload says otherwise, the payload counts.
struct Name {
    /// As recorded.
    shown: String,
    /// The shape that its payload should have, if the family is known.
    shape: Option<Shape>,
    remark: Option<Remark>,
    detail: BTreeMap<String, String>,
}

impl Name {
    /// The name, or `None` if the event is about something other than identity verification.
    fn of(name: &MaybeText<'_>) -> Option<Self> {
        const FAMILIES: [(&str, Shape, &[&str]); 6] = [
            ("user", Shape::Users, &["kycrequest", "kycreview"]),
            ("kycreview", Shape::Review, &["request", "result"]),
            ("document", Shape::Documents, &["create", "update", "cancel"]),
            ("kycliveness", Shape::Liveness, &["create", "update"]),
            ("qes", Shape::Identification, &["created", "processing", "aborted", "finalized"]),
            ("videoConference", Shape::Identification, &["created", "processing", "aborted", "finalized"]),
        ];
        let unrecognised = |shown, shape| Self {
            shown,
            shape,
            remark: Some(Remark::Unrecognised),
            detail: detail([("webhook", name)]),
        };
        let Some(text) = name.as_deref() else { return Some(unrecognised("unrecognised".into(), None)) };
        let (family, action) = text.split_once('.')?;
        let (_, shape, actions) = FAMILIES.into_iter().find(|(known, ..)| *known == family)?;
        if actions.contains(&action) {
            return Some(Self { shown: text.to_owned(), shape: Some(shape), remark: None, detail: BTreeMap::new() });
        }
        // Of a user's events, most are about something else.
        (family != "user").then(|| unrecognised(format!("{family}.unrecognised"), Some(shape)))
    }

    /// Returns whether a payload is what the name says. An unknown one is no contradiction, only new.
    fn fits(&self, shape: Shape) -> bool {
        shape == Shape::Unfamiliar || self.shape.is_none_or(|promised| promised == shape)
    }
}

/// Returns whether the envelope's `object_id`, which isn't signed, differs from the payload's. In samples and logs ids
/// are redacted with runs of X: those say nothing.
fn speaks_of_another(webhook: &Webhook<'_>, payload: &Payload<'_>) -> bool {
    let is_redacted = |text: &str| text.to_ascii_lowercase().contains("xx");
    let Some(object_id) = webhook.object_id.as_ref().filter(|id| !is_redacted(&id.text)) else { return false };
    let ids = payload.object_ids();
    !ids.is_empty() && !ids.iter().any(|id| id.text == object_id.text || is_redacted(&id.text))
}

/// The session that a payload speaks of.
fn session_key(kind: Kind, id: Option<&Id<'_>>) -> Result<SessionKey, Unreadable> {
    let id = id.ok_or(Unreadable::NoSessionId)?;
    let of = if kind == Kind::KycReview { "user" } else { "identification" };
    let session_id = usable(id, |id| SessionId::new(format!("{of}:{id}")))?;
    Ok(SessionKey { provider: Provider::Treezor, session_id })
}

/// What a payload says of one session, and which session that is.
struct Statement<'a> {
    kind: Kind,
    id: Option<Id<'a>>,
    user: MaybeText<'a>,
    occurred_at: Option<Timestamp>,
    facts: Facts,
}

impl<'a> Statement<'a> {
    /// Everything that a payload says, session by session.
    fn all(payload: Payload<'a>, name: &Name, object_id: Option<Id<'a>>) -> Result<Vec<Self>, Unreadable> {
        let one = match payload {
            Payload::Users(users) => return Ok(users.into_iter().map(|user| Self::of_user(user, name)).collect()),
            Payload::Documents(documents) => return documents.into_iter().map(Self::of_document).collect(),
            Payload::Liveness(liveness) => Self::of_liveness(liveness, object_id),
            Payload::Identification(identification) => Self::of_identification(identification, object_id),
            Payload::Review(review) => Self::of_user_review(review, name),
            Payload::Unfamiliar { user, transaction } => Self::of_unfamiliar(user, transaction, name, object_id),
        };
        Ok(vec![one])
    }

    fn about_user(user: Option<Id<'a>>) -> Self {
        Self {
            kind: Kind::KycReview,
            user: user.as_ref().map(|id| id.text.clone()),
            id: user,
            occurred_at: None,
            facts: Facts::default(),
        }
    }

    /// Identifications are inputs to a user's review and never decide it: each is a session of its own.
    fn about_identification(id: Option<Id<'a>>, user: Option<Id<'a>>) -> Self {
        Self { kind: Kind::Identification, id, ..Self::about_user(user) }
    }

    fn of_user(user: UserReview<'a>, name: &Name) -> Self {
        let occurred_at = user.modified_at.as_deref().and_then(modified_at);
        Self { occurred_at, ..Self::of_review(user, name.shown == "user.kycrequest") }
    }

    fn of_user_review(review: UserReview<'a>, name: &Name) -> Self {
        let is_request = name.shown == "kycreview.request";
        let time = if is_request { &review.requested_at } else { &review.reviewed_at };
        let occurred_at = time.as_deref().and_then(Timestamp::parse);
        Self { occurred_at, ..Self::of_review(review, is_request) }
    }

    /// The number decides; the word beside it, if there is one, must not say otherwise. There is no reason code:
    /// one and the same review has another `codeStatus` in each of the two families that tell of it.
    fn of_review(review: UserReview<'a>, is_request: bool) -> Self {
        let (outcome, remark) = match review.kyc_review.as_deref() {
            Some("2") => (Some(Outcome::Approved), None),
            Some("3") => (Some(Outcome::Declined), None),
            Some("1" | "6" | "7") => (Some(Outcome::Review), None),
            // None yet, and two that are deprecated.
            Some("0" | "4" | "5") => (None, None),
            _ => (None, Some(Remark::Unrecognised)),
        };
        let contradicted = match review.kyc_status.as_deref() {
            Some("VALIDATED") => outcome != Some(Outcome::Approved),
            Some("REFUSED") => outcome != Some(Outcome::Declined),
            Some("PENDING") => outcome.is_some_and(Outcome::is_final),
            _ => false,
        };
        let decision = outcome
            .filter(|_| !is_request && !contradicted)
            .map(|outcome| Decision { reason: bounded_reason(&review.comment), ..Decision::new(outcome) });
        let facts = Facts {
            stage: is_request.then_some(Stage::Submitted),
            decision,
            remark: if contradicted { Some(Remark::Inconsistent) } else { remark },
            detail: detail([
                ("kycReview", &review.kyc_review),
                ("kycStatus", &review.kyc_status),
                ("kycLevel", &review.kyc_level),
                ("codeStatus", &review.code),
            ]),
            ..Facts::default()
        };
        Self { facts, ..Self::about_user(review.user) }
    }

    fn of_document(document: Document<'a>) -> Result<Self, Unreadable> {
        let outcome = match document.status.as_deref() {
            Some("PENDING") => Some(CheckOutcome::Pending),
            Some("VALIDATED") => Some(CheckOutcome::Passed),
            Some("REFUSED") => Some(CheckOutcome::Failed),
            Some("CANCELED") => Some(CheckOutcome::Cancelled),
            _ => None,
        };
        let check = |(id, outcome): (Id<'_>, CheckOutcome)| {
            let id = usable(&id, Ok::<_, Infallible>)?;
            Ok((document_check(&id), Check { reason: bounded_reason(&document.code), ..Check::new(outcome) }))
        };
        let checks: BTreeMap<_, _> = document.id.zip(outcome).map(check).transpose()?.into_iter().collect();
        let facts = Facts {
            remark: checks.is_empty().then_some(Remark::Unrecognised),
            checks,
            detail: detail([("documentStatus", &document.status)]),
            ..Facts::default()
        };
        let occurred_at = document.modified_at.as_deref().and_then(modified_at);
        Ok(Self { occurred_at, facts, ..Self::about_user(document.user) })
    }

    /// A liveness names itself nowhere in its payload, so the envelope's id is all there is.
    fn of_liveness(liveness: Liveness<'a>, object_id: Option<Id<'a>>) -> Self {
        let (stage, outcome, remark) = match liveness.status.as_deref() {
            Some("processing") => (Some(Stage::Submitted), None, None),
            Some("processed") if is_one(&liveness.score) => (None, Some(Outcome::Approved), None),
            Some("processed") => (None, Some(Outcome::Declined), None),
            _ => (None, None, Some(Remark::Unrecognised)),
        };
        let facts = Facts {
            stage,
            decision: outcome.map(|outcome| decision(outcome, &liveness.reason)),
            remark,
            detail: detail([("kyc-status", &liveness.status), ("score", &liveness.score)]),
            ..Facts::default()
        };
        let occurred_at = liveness.updated_at.as_deref().and_then(Timestamp::parse);
        Self { occurred_at, facts, ..Self::about_identification(object_id, liveness.user) }
    }

    fn of_identification(identification: Identification<'a>, object_id: Option<Id<'a>>) -> Self {
        let (stage, outcome, remark) = match identification.result.as_deref() {
            Some("STARTED" | "START") => (Some(Stage::Submitted), None, None),
            Some("CHECK_PENDING" | "REVIEW_PENDING" | "FRAUD_SUSPICION_PENDING") => (None, Some(Outcome::Review), None),
            Some("SUCCESS" | "SUCCESS_DATA_CHANGED" | "SUCCESS_DATA_CHANGE") => (None, Some(Outcome::Approved), None),
            Some("CANCELED" | "FRAUD_SUSPICION_CONFIRMED") => (None, Some(Outcome::Declined), None),
            Some("ABORTED") => (None, Some(Outcome::Abandoned), None),
            _ => (None, None, Some(Remark::Unrecognised)),
        };
        let facts = Facts {
            stage,
            decision: outcome.map(|outcome| decision(outcome, &identification.reason)),
            remark,
            detail: detail([("result", &identification.result)]),
            ..Facts::default()
        };
        let occurred_at = identification.identified_at.as_deref().and_then(Timestamp::parse);
        let id = identification.transaction.or(object_id);
        Self { occurred_at, facts, ..Self::about_identification(id, identification.user) }
    }

    /// A payload that this version does not know is filed as its event's name says, if it holds an id.
    fn of_unfamiliar(
        user: Option<Id<'a>>,
        transaction: Option<Id<'a>>,
        name: &Name,
        object_id: Option<Id<'a>>,
    ) -> Self {
        let about = match name.shape {
            Some(Shape::Liveness | Shape::Identification) => {
                Self::about_identification(transaction.or(object_id), user)
            }
            _ => Self::about_user(user),
        };
        Self { facts: Facts::unrecognised(BTreeMap::new()), ..about }
    }
}

fn decision(outcome: Outcome, reason: &Reason<'_>) -> Decision {
    Decision {
        reason_code: reason.code.as_deref().and_then(ReasonCode::new),
        reason: bounded_reason(&reason.message),
        ..Decision::new(outcome)
    }
}

/// A score comes as a number or as its text.
fn is_one(score: &MaybeText<'_>) -> bool {
    let (whole, fraction) = score.as_deref().map_or(("", ""), |score| score.split_once('.').unwrap_or((score, "")));
    whole == "1" && fraction.bytes().all(|digit| digit == b'0')
}

/// A `modifiedDate` has no zone. It is UTC: documents are printed that were modified two hours before they were
/// created, in French time, in summer.
fn modified_at(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{}Z", text.trim().replacen(' ', "T", 1))))
}

/// Seconds, milliseconds or tenths of them; the number of digits tells.
fn created_at(text: &str) -> Option<Timestamp> {
    let per_second = match text.len() {
        10 => 1,
        13 => 1_000,
        14 => 10_000,
        _ => return None,
    };
    // A sign is no digit, though the parser reads it.
    let units: u64 = text.parse().ok().filter(|_| text.bytes().all(|digit| digit.is_ascii_digit()))?;
    let nanos = units % per_second * (1_000_000_000 / per_second);
    Timestamp::from_unix(i64::try_from(units / per_second).ok()?, u32::try_from(nanos).ok()?)
}

/// The digest of a webhook's facts, equal for every copy, even a re-spelled one. The webhook's own id takes part, since
/// a state may come back; so does the event's name, so that no copy under another name, read another way, takes its
/// place.
fn digest(webhook: &Webhook<'_>) -> String {
    let payload = canonical(&minimise_unbounded(webhook.object_payload));
    digest_of_parts(&[webhook.name.as_deref().unwrap_or_default(), webhook.id.as_deref().unwrap_or_default(), &payload])
}
