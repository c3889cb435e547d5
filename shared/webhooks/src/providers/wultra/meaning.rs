//! What does it mean? Wultra's events as session events.

use super::payload::{CheckResult, Event, Payload};
use crate::{
    delivery::Genuine,
    digest::sha256_hex,
    providers::provider::Reading,
    reading::{
        facts::Facts,
        fields::{Id, MaybeText, detail, document_check, event_id, reason, reference, usable},
        json::Json,
        minimise::{minimise, minimise_unbounded},
        unreadable::Unreadable,
    },
};
use verdict_sessions::{
    CheckOutcome, Decision, EventId, Kind, Outcome, Provider, ReasonCode, Remark, SessionEvent, SessionId, SessionKey,
    Subject, Timestamp,
};

/// Reads a genuine webhook into session events.
pub(super) fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    let document = Json::parse_object(genuine.body())?;
    let Payload { envelope, event } = Payload::read(&document)?;
    let process_id = envelope.process_id.as_ref().ok_or(Unreadable::NoSessionId)?;
    let session = SessionKey { provider: Provider::Wultra, session_id: usable(process_id, SessionId::new)? };
    let facts = facts(&event).with_detail(detail([
        ("identityVerificationId", &envelope.identity_verification_id),
        ("processType", &envelope.process_type),
    ]));
    let fact_id = fact_id(envelope.id.as_ref(), &document, genuine)?;
    let event = SessionEvent {
        occurred_at: envelope.timestamp.as_deref().and_then(Timestamp::parse),
        subject: Subject {
            reference: reference(&envelope.user_id),
            provider_user_id: reference(&envelope.external_user_id),
        },
        ..facts.event(fact_id, session, Kind::Onboarding, genuine.received_at())
    };
    Ok(Reading::Events { events: vec![event], payload: minimise(&document) })
}

/// What an event says of a session.
fn facts(event: &Event<'_>) -> Facts {
    match event {
        Event::DocumentVerificationFinished { id, result } => {
            let check = id.as_deref().map_or_else(|| "document".into(), document_check);
            check_finished(check, result).named("document_verification_finished")
        }
        Event::FinalDocumentVerificationFinished(result) => {
            check_finished("documents".into(), result).named("final_document_verification_finished")
        }
        Event::PresenceCheckFinished(result) => {
            check_finished("presence".into(), result).named("presence_check_finished")
        }
        Event::ProcessFinished { status, error_detail } => {
            process_finished(status, error_detail).named("process_finished")
        }
        Event::Finished => Facts::decided(Outcome::Approved).named("finished"),
        Event::Bare { name } => Facts { remark: Some(Remark::Inconsistent), ..Facts::default() }.named(*name),
        Event::Unfamiliar { event_type } => Facts::unrecognised(detail([("type", event_type)])).named("unrecognised"),
    }
}

/// A check. It never decides: documents may be accepted in a process that fails.
fn check_finished(check: String, result: &CheckResult<'_>) -> Facts {
    let CheckResult { status, reject_reason, error_detail, provider } = result;
    let facts = match status.as_deref() {
        Some("ACCEPTED") => Facts::checked(check, CheckOutcome::Passed, None),
        Some("REJECTED") => Facts::checked(check, CheckOutcome::Failed, reason(reject_reason)),
        Some("FAILED") => Facts::checked(check, CheckOutcome::Error, reason(error_detail)),
        _ => Facts::unrecognised(detail([("status", status)])),
    };
    facts.with_detail(detail([("provider", provider)]))
}

fn process_finished(status: &MaybeText<'_>, error_detail: &MaybeText<'_>) -> Facts {
    match status.as_deref() {
        Some("FINISHED") => Facts::decided(Outcome::Approved),
        Some("FAILED") => {
            let decision = Decision {
                reason_code: error_detail.as_deref().and_then(ReasonCode::new),
                reason: reason(error_detail),
                ..Decision::new(Outcome::Failed)
            };
            Facts { decision: Some(decision), ..Facts::default() }
        }
        _ => Facts::unrecognised(detail([("status", status)])),
    }
}

/// The event's id, equal for every copy of it. Before release 2.2.0 events have no id; their bytes stand in for it.
fn fact_id(id: Option<&Id<'_>>, document: &Json<'_>, genuine: &Genuine) -> Result<EventId, Unreadable> {
    let id = match id {
        None => format!("body:{}", genuine.body_digest()),
        Some(Id { text, is_unicode: true, .. }) if text.len() <= EventId::LIMIT - "id:".len() => format!("id:{text}"),
        // As spelled: halves of surrogate pairs would all read alike.
        Some(Id { member, .. }) => {
            let spelled = document.member(member)?.map(minimise_unbounded).unwrap_or_default();
            format!("id_digest:{}", sha256_hex(spelled.as_bytes()))
        }
    };
    event_id(id)
}
