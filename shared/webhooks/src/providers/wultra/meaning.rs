//! What is that to us? Wultra's events as session events.

use super::payload::{CheckResult, Event, Payload};
use crate::{
    delivery::Genuine,
    digest::sha256_hex,
    providers::provider::Reading,
    reading::{
        fields::{Id, Scalar, detail, document_check, reason, reference, usable},
        json::Json,
        minimise::{compact, minimise},
        unreadable::Unreadable,
    },
};
use std::collections::BTreeMap;
use verdict_sessions::{
    Check, CheckOutcome, Decision, EventId, Kind, Outcome, Provider, ReasonCode, Remark, SessionEvent, SessionId,
    SessionKey, Subject, Timestamp,
};

/// Reads a genuine webhook into session events.
pub(crate) fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    let document = Json::parse(genuine.body())?;
    let Payload { envelope, event } = Payload::read(&document)?;
    let process_id = envelope.process_id.as_ref().ok_or(Unreadable::NoSessionId)?;
    let facts = Facts::of(&event);
    let event = SessionEvent {
        event_id: event_id(envelope.id.as_ref(), &document, genuine)?,
        session: SessionKey { provider: Provider::Wultra, session_id: usable(process_id, SessionId::new)? },
        kind: Kind::Onboarding,
        name: facts.name.to_owned(),
        attempt_id: None,
        occurred_at: envelope.timestamp.as_deref().and_then(Timestamp::parse),
        emitted_at: None,
        received_at: genuine.received_at(),
        stage: None,
        decision: facts.decision,
        checks: facts.check.into_iter().collect(),
        subject: Subject {
            reference: reference(&envelope.user_id),
            provider_user_id: reference(&envelope.external_user_id),
        },
        remark: facts.remark,
        detail: facts
            .detail
            .into_iter()
            .chain(detail([
                ("identityVerificationId", &envelope.identity_verification_id),
                ("processType", &envelope.process_type),
            ]))
            .collect(),
    };
    Ok(Reading::Events { events: vec![event], payload: minimise(&document) })
}

/// What an event says of a session, before it is filed.
#[derive(Default)]
struct Facts {
    name: &'static str,
    decision: Option<Decision>,
    check: Option<(String, Check)>,
    remark: Option<Remark>,
    detail: BTreeMap<String, String>,
}

impl Facts {
    fn of(event: &Event<'_>) -> Self {
        match event {
            Event::DocumentVerificationFinished { id, result } => {
                let check = id.as_deref().map_or_else(|| "document".into(), document_check);
                Self::of_check("document_verification_finished", check, result)
            }
            Event::FinalDocumentVerificationFinished(result) => {
                Self::of_check("final_document_verification_finished", "documents".into(), result)
            }
            Event::PresenceCheckFinished(result) => {
                Self::of_check("presence_check_finished", "presence".into(), result)
            }
            Event::ProcessFinished { status, error_detail } => Self::of_process(status, error_detail),
            Event::Finished => Self { name: "finished", decision: Some(approved()), ..Self::default() },
            Event::Bare { name } => Self { name, remark: Some(Remark::Inconsistent), ..Self::default() },
            Event::Unfamiliar { event_type } => Self {
                name: "unrecognised",
                remark: Some(Remark::Unrecognised),
                detail: detail([("type", event_type)]),
                ..Self::default()
            },
        }
    }

    /// A check never decides: documents may be accepted in a process that fails.
    fn of_check(name: &'static str, check: String, result: &CheckResult<'_>) -> Self {
        let CheckResult { status, reject_reason, error_detail, provider } = result;
        let (outcome, reason) = match status.as_deref() {
            Some("ACCEPTED") => (CheckOutcome::Passed, None),
            Some("REJECTED") => (CheckOutcome::Failed, reason(reject_reason)),
            Some("FAILED") => (CheckOutcome::Error, reason(error_detail)),
            _ => {
                let detail = detail([("status", status), ("provider", provider)]);
                return Self { name, remark: Some(Remark::Unrecognised), detail, ..Self::default() };
            }
        };
        Self {
            name,
            check: Some((check, Check { outcome, reason })),
            detail: detail([("provider", provider)]),
            ..Self::default()
        }
    }

    fn of_process(status: &Scalar<'_>, error_detail: &Scalar<'_>) -> Self {
        let name = "process_finished";
        match status.as_deref() {
            Some("FINISHED") => Self { name, decision: Some(approved()), ..Self::default() },
            Some("FAILED") => {
                let decision = Decision {
                    outcome: Outcome::Failed,
                    reason_code: error_detail.as_deref().and_then(ReasonCode::new),
                    reason: reason(error_detail),
                };
                Self { name, decision: Some(decision), ..Self::default() }
            }
            _ => Self {
                name,
                remark: Some(Remark::Unrecognised),
                detail: detail([("status", status)]),
                ..Self::default()
            },
        }
    }
}

fn approved() -> Decision {
    Decision { outcome: Outcome::Approved, reason_code: None, reason: None }
}

/// The same for every copy of an event. Before release 2.2.0 events have no id, and their bytes have to do.
fn event_id(id: Option<&Id<'_>>, document: &Json<'_>, genuine: &Genuine) -> Result<EventId, Unreadable> {
    let id = match id {
        None => format!("body:{}", genuine.body_digest()),
        Some(Id { text, is_unicode: true, .. }) if text.len() <= EventId::LIMIT - "id:".len() => format!("id:{text}"),
        // As spelled: halves of surrogate pairs would all read alike.
        Some(Id { member, .. }) => {
            let spelled = document.member(member)?.map(compact).unwrap_or_default();
            format!("id_digest:{}", sha256_hex(spelled.as_bytes()))
        }
    };
    EventId::new(id).map_err(|_| Unreadable::UnusableId("id"))
}
