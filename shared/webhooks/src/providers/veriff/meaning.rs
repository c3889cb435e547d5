//! What does it mean? Veriff's families as session events.

use super::payload::{Context, Envelope, Family, Payload, Registry};
use crate::{
    delivery::Genuine,
    digest::digest_of_parts,
    providers::provider::{Ignored, Reading},
    reading::{
        facts::Facts,
        fields::{MaybeText, detail, event_id, reason as bounded_reason, reference, usable},
        json::Json,
        minimise::{minimise, minimise_unbounded},
        unreadable::Unreadable,
    },
};
use std::collections::BTreeMap;
use verdict_sessions::{
    AttemptId, CheckOutcome, Decision, EventId, Kind, Outcome, Provider, ReasonCode, Remark, SessionEvent, SessionId,
    SessionKey, Stage, Subject, Timestamp,
};

/// Reads a genuine webhook into session events.
pub(super) fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    let document = Json::parse_object(genuine.body())?;
    let Some(payload) = Payload::read(&document)? else { return Ok(Reading::Nothing(Ignored::Undecided)) };
    let Envelope { session, attempt, time, vendor_data, end_user_id } = &payload.envelope;
    let session_id = session.as_ref().ok_or(Unreadable::NoSessionId)?;
    let session = SessionKey { provider: Provider::Veriff, session_id: usable(session_id, SessionId::new)? };
    let event = SessionEvent {
        attempt_id: attempt.as_ref().map(|id| usable(id, AttemptId::new)).transpose()?,
        occurred_at: time.as_deref().and_then(Timestamp::parse),
        subject: Subject { reference: reference(vendor_data), provider_user_id: reference(end_user_id) },
        ..facts(&payload.family).event(fact_id(&payload, genuine)?, session, Kind::Verification, genuine.received_at())
    };
    Ok(Reading::Events { events: vec![event], payload: minimise(&document) })
}

/// What a family says of a session.
fn facts(family: &Family<'_>) -> Facts {
    match family {
        Family::Event { code, action, context, .. } => progress(code, action, context.as_ref()),
        Family::Decision { status, code, reason, reason_code } => {
            decision("decision", status, code, reason, reason_code)
        }
        Family::Watchlist { match_status, check_type } => watchlist(match_status, check_type),
        Family::UserStatus { status_code } => {
            Facts { detail: detail([("statusCode", status_code)]), ..Facts::default() }.named("user_status")
        }
        Family::FullAuto { decision: status, score } => {
            Facts { detail: detail([("decisionScore", score)]), ..decision("fullauto", status, &None, &None, &None) }
        }
        Family::Registry(registry) => registry_answer(registry),
        Family::Unfamiliar { event_type } => {
            Facts::unrecognised(detail([("eventType", event_type)])).named("unrecognised")
        }
    }
}

/// Progress. Event webhooks never decide anything. If code and action disagree, neither counts.
fn progress(code: &MaybeText<'_>, action: &MaybeText<'_>, context: Option<&Context<'_>>) -> Facts {
    const KNOWN: [(&str, &str, Option<Stage>); 8] = [
        ("7001", "started", Some(Stage::Started)),
        ("7002", "submitted", Some(Stage::Submitted)),
        // The legacy address event, about an address and not about the attempt.
        ("7005", "submitted", None),
        ("7007", "waiting_complete", None),
        ("7008", "waiting_continued", None),
        ("7009", "flow_finished", None),
        ("7010", "flow_cancelled", None),
        ("7011", "document_type_other_selected", None),
    ];
    let (code, action) = (code.as_deref().unwrap_or_default(), action.as_deref().unwrap_or_default());
    let same_code = KNOWN.iter().find(|(known, ..)| *known == code);
    let (remark, stage) = match same_code {
        None => (Some(Remark::Unrecognised), None),
        Some((_, known, stage)) if *known == action => (None, *stage),
        Some(_) => (Some(Remark::Inconsistent), None),
    };
    let known_action = KNOWN.iter().any(|(_, known, _)| *known == action);
    let name = if known_action { format!("event.{action}") } else { "event.unrecognised".into() };
    let detail =
        context.map_or_else(BTreeMap::new, |context| detail([("reason", &context.reason), ("state", &context.state)]));
    Facts { stage, remark, detail, ..Facts::default() }.named(name)
}

/// A decision. The `status` decides; `code` is a cross-check, since Veriff's own pages disagree on 9104 and 9121. Only
/// an approval is not believed if the code contradicts it.
fn decision(
    family: &str,
    status: &MaybeText<'_>,
    code: &MaybeText<'_>,
    reason: &MaybeText<'_>,
    reason_code: &MaybeText<'_>,
) -> Facts {
    const KNOWN: [(&str, &[&str], Outcome); 6] = [
        ("approved", &["9001"], Outcome::Approved),
        ("declined", &["9102"], Outcome::Declined),
        ("resubmission_requested", &["9103"], Outcome::ResubmissionRequested),
        ("expired", &["9104"], Outcome::Expired),
        ("abandoned", &["9104", "9121"], Outcome::Abandoned),
        ("review", &["9121"], Outcome::Review),
    ];
    let Some((status, codes, outcome)) = KNOWN.iter().find(|(known, ..)| status.as_deref() == Some(known)) else {
        return Facts::unrecognised(detail([("status", status)])).named(format!("{family}.unrecognised"));
    };
    let contradicted = code.as_deref().is_some_and(|code| !codes.contains(&code));
    let believed = !(contradicted && *outcome == Outcome::Approved);
    let facts = Facts {
        remark: contradicted.then_some(Remark::Inconsistent),
        decision: believed.then(|| Decision {
            reason_code: reason_code.as_deref().and_then(ReasonCode::new),
            reason: bounded_reason(reason),
            ..Decision::new(*outcome)
        }),
        detail: if contradicted { detail([("code", code)]) } else { BTreeMap::new() },
        ..Facts::default()
    };
    facts.named(format!("{family}.{status}"))
}

/// A watchlist's result. It may arrive months later (ongoing monitoring), and never decides.
fn watchlist(match_status: &MaybeText<'_>, check_type: &MaybeText<'_>) -> Facts {
    let detail = detail([("checkType", check_type), ("matchStatus", match_status)]);
    let facts = match match_status.as_deref() {
        Some("no_match") => Facts::checked("watchlist", CheckOutcome::Passed, None),
        Some("possible_match") => Facts::checked("watchlist", CheckOutcome::Flagged, None),
        _ => Facts::unrecognised(BTreeMap::new()),
    };
    facts.named("watchlist").with_detail(detail)
}

/// The answer of a registry. Registries answer with an HTTP-like code, 200 if they found the person. What a later
/// version of them says beyond that is captured, not guessed.
fn registry_answer(registry: &Registry<'_>) -> Facts {
    let outcome = match (registry.code.as_deref(), registry.status.as_deref(), registry.active) {
        (Some("200"), _, Some(false)) | (_, Some("not_found"), _) => CheckOutcome::Failed,
        (Some("200"), ..) => CheckOutcome::Passed,
        (Some(_), ..) => CheckOutcome::Error,
        (None, ..) => CheckOutcome::Captured,
    };
    let facts = Facts::checked("registry", outcome, None).with_detail(detail([("code", &registry.code)]));
    facts.named(format!("registry.{}", registry.name))
}

/// The event's id, equal for every copy of a fact: Veriff sends no delivery id. If a part is missing, the body's digest
/// takes its place, since a retry repeats the body byte for byte.
fn fact_id(payload: &Payload<'_>, genuine: &Genuine) -> Result<EventId, Unreadable> {
    let Envelope { session, attempt, time, .. } = &payload.envelope;
    let (session, attempt) = (session.as_ref().map(|id| &*id.text), attempt.as_ref().map(|id| &*id.text));
    let context;
    let (name, parts): (_, Option<Vec<&str>>) = match &payload.family {
        Family::Decision { status, code, .. } => {
            let parts = [session, attempt, status.as_deref(), code.as_deref(), time.as_deref()];
            ("decision", parts.into_iter().collect())
        }
        Family::Event { code, action, address_id, context: said } => {
            // An address event has its address in the attempt's place; most events have no context.
            let subject = attempt.or(address_id.as_deref());
            context = said.as_ref().map_or_else(String::new, |context| minimise_unbounded(context.json));
            let parts = [session, subject, code.as_deref(), action.as_deref(), Some(&context)];
            ("event", parts.into_iter().collect())
        }
        Family::Watchlist { .. } => ("watchlist", None),
        Family::UserStatus { .. } => ("user_status", None),
        Family::FullAuto { .. } => ("fullauto", None),
        Family::Registry(_) => ("registry", None),
        Family::Unfamiliar { .. } => ("unfamiliar", None),
    };
    let digest = parts.map_or_else(|| genuine.body_digest(), |parts| digest_of_parts(&parts));
    event_id(format!("{name}:{digest}"))
}
