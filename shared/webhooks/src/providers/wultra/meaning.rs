//! What does it mean? Wultra's events as session events.

use super::{
    details,
    payload::{CheckResult, Event, Payload},
    reject_reason::codes_in,
};
use crate::{
    delivery::Genuine,
    digest::sha256_hex,
    providers::provider::Reading,
    reading::{
        details::{Remarks, codes, cut, details, items, left_out, remark},
        facts::Facts,
        fields::{Id, MaybeText, document_check, event_id, reason, usable},
        json::Json,
        minimise::{minimise, minimise_as_first_release, minimise_unbounded},
        unreadable::Unreadable,
        word::{Word, shown_words},
    },
};
use std::collections::BTreeMap;
use verdict_sessions::{
    Check, CheckOutcome, Decision, Detail, EventId, Kind, Outcome, Provider, ReasonCode, Remark, SessionEvent,
    SessionId, SessionKey, Stage,
};

/// Reads a genuine webhook into session events.
pub(super) fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    let document = Json::parse_object(genuine.body())?;
    let Payload { envelope, event } = Payload::read(&document)?;
    let process_id = envelope.process_id.as_ref().ok_or(Unreadable::NoSessionId)?;
    let session = SessionKey { provider: Provider::Wultra, session_id: usable(process_id, SessionId::new)? };
    let fact_id = |minimised: fn(&Json<'_>) -> String| fact_id(envelope.id.as_ref(), &document, genuine, minimised);
    let (event_id, former_id) = (fact_id(minimise_unbounded)?, fact_id(minimise_as_first_release)?);
    let facts = with_details_of_envelope(facts(&event), &document)
        .with_detail(shown_words([&envelope.identity_verification_id, &envelope.process_type]))
        .with_remarks(envelope.remarks.into_iter().chain(envelope.timestamp.remark()));
    let event = SessionEvent {
        occurred_at: envelope.timestamp.at(),
        subject: envelope.subject,
        ..facts.event(event_id, session, Kind::Onboarding, genuine.received_at())
    };
    Ok(Reading::one_known_as(former_id, event, minimise(&document)))
}

/// What an event says of a session.
fn facts(event: &Event<'_>) -> Facts {
    match event {
        Event::DocumentVerificationFinished { id, result } => {
            let check = id.as_deref().map_or_else(|| "document".into(), document_check);
            let details = details(result.json, &details::DOCUMENT);
            check_finished(check, result, details).named("document_verification_finished")
        }
        Event::FinalDocumentVerificationFinished(result) => {
            let details = document_ids(result.json);
            check_finished("documents".into(), result, details).named("final_document_verification_finished")
        }
        Event::PresenceCheckFinished(result) => {
            let none = (Detail::empty(), Remarks::new());
            check_finished("presence".into(), result, none).named("presence_check_finished")
        }
        Event::ProcessFinished { status, error_detail } => {
            process_finished(status, error_detail).named("process_finished")
        }
        Event::Finished => Facts::decided(Outcome::Approved).named("finished"),
        Event::Bare { name, shown, is_check } => {
            let stage = is_check.then_some(Stage::Started);
            let facts = Facts { stage, remark: Some(Remark::Inconsistent), ..Facts::default() };
            facts.with_detail(shown.clone()).named(*name)
        }
        Event::Unfamiliar { event_type } => Facts::unrecognised(event_type.shown()).named("unrecognised"),
    }
}

/// A check. It never decides: documents may be accepted in a process that fails. But the person has started.
fn check_finished(name: String, result: &CheckResult<'_>, (detail_of_check, remarks): (Detail, Remarks)) -> Facts {
    let CheckResult { status, reject_reason, error_detail, provider, .. } = result;
    let nothing = || (Vec::new(), Remarks::new());
    let (outcome, reason, (reason_codes, more)) = match status.text() {
        Some("ACCEPTED") => (Some(CheckOutcome::Passed), None, nothing()),
        Some("REJECTED") => (Some(CheckOutcome::Failed), reason(reject_reason), codes_in(reject_reason)),
        Some("FAILED") => (Some(CheckOutcome::Error), reason(error_detail), nothing()),
        _ => (None, None, nothing()),
    };
    let check = outcome.map(|outcome| (name, Check { outcome, reason, reason_codes, detail: detail_of_check }));
    let facts = Facts {
        stage: Some(Stage::Started),
        remark: check.is_none().then_some(Remark::Unrecognised),
        detail: if check.is_none() { status.shown() } else { BTreeMap::new() },
        checks: check.into_iter().collect(),
        ..Facts::default()
    };
    facts.with_remarks(remarks.into_iter().chain(more)).with_detail(shown_words([provider]))
}

fn process_finished(status: &Word<'_>, error_detail: &MaybeText<'_>) -> Facts {
    match status.text() {
        Some("FINISHED") => Facts::decided(Outcome::Approved),
        Some("FAILED") => {
            let decision = Decision {
                reason_code: error_detail.as_deref().and_then(ReasonCode::new),
                reason: reason(error_detail),
                ..Decision::new(Outcome::Failed)
            };
            Facts { decision: Some(decision), ..Facts::default() }
        }
        _ => Facts::unrecognised(status.shown()),
    }
}

/// The ids of the documents that counted, as numbered details.
fn document_ids(check: &Json<'_>) -> (Detail, Remarks) {
    let Ok(list) = check.member(details::DOCUMENT_IDS) else {
        return (Detail::empty(), vec![left_out(details::DOCUMENT_IDS)]);
    };
    let (ids, mut remarks) = codes(details::DOCUMENT_IDS, items(list).iter().map(Json::text));
    let mut detail = Detail::empty();
    for (index, id) in ids.iter().enumerate() {
        if detail.insert(&format!("{}{}", details::DOCUMENT_ID, index + 1), id.as_str()).is_err() {
            remark(&mut remarks, cut(details::DOCUMENT_IDS));
        }
    }
    (detail, remarks)
}

/// Adds the envelope's details to what an event says. What finds no room beside the others' stays out, with a remark.
fn with_details_of_envelope(mut facts: Facts, document: &Json<'_>) -> Facts {
    let (found, mut remarks) = details(document, &details::ENVELOPE);
    let decisions = facts.decision.iter_mut().map(|decision| &mut decision.detail);
    for detail in facts.checks.values_mut().map(|check| &mut check.detail).chain(decisions) {
        for (name, value) in found.iter() {
            if detail.insert(name, value).is_err() {
                remark(&mut remarks, left_out(name));
            }
        }
    }
    facts.with_remarks(remarks)
}

/// The event's id, equal for every copy of it. Before release 2.2.0 events have no id; their bytes stand in for it.
fn fact_id(
    id: Option<&Id<'_>>,
    document: &Json<'_>,
    genuine: &Genuine,
    minimised: fn(&Json<'_>) -> String,
) -> Result<EventId, Unreadable> {
    let id = match id {
        None => format!("body:{}", genuine.body_digest()),
        Some(Id { text, is_unicode: true, .. }) if text.len() <= EventId::LIMIT - "id:".len() => format!("id:{text}"),
        // As spelled: halves of surrogate pairs would all read alike.
        Some(Id { member, .. }) => {
            let spelled = document.member(member)?.map(minimised).unwrap_or_default();
            format!("id_digest:{}", sha256_hex(spelled.as_bytes()))
        }
    };
    event_id(id)
}
