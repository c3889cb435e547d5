//! What does it mean? Veriff's families as session events.

use super::{
    details::{of_decision, of_flow, of_registry, of_user_status, of_watchlist},
    payload::{Context, Envelope, Family, Payload, Registry, Verification},
};
use crate::{
    delivery::Genuine,
    digest::digest_of_parts,
    providers::provider::{Ignored, Reading},
    reading::{
        details::{Shown, shown},
        facts::Facts,
        fields::{MaybeJson, MaybeText, detail, event_id, reason as bounded_reason, subject, text, usable},
        json::Json,
        minimise::{minimise, minimise_as_first_release, minimise_unbounded},
        times::Time,
        unreadable::Unreadable,
    },
};
use std::collections::BTreeMap;
use verdict_sessions::{
    AttemptId, Check, CheckOutcome, Decision, EventId, Kind, Outcome, Provider, Remark, SessionEvent, SessionId,
    SessionKey, Stage,
};

/// Reads a genuine webhook into session events.
pub(super) fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    let document = Json::parse_object(genuine.body())?;
    let Some(payload) = Payload::read(&document)? else { return Ok(Reading::Nothing(Ignored::Undecided)) };
    let Envelope { session, attempt, time, vendor_data, end_user_id } = &payload.envelope;
    let session_id = session.as_ref().ok_or(Unreadable::NoSessionId)?;
    let session = SessionKey { provider: Provider::Veriff, session_id: usable(session_id, SessionId::new)? };
    let (subject, left_out) = subject(("vendorData", *vendor_data), ("endUserId", *end_user_id));
    let facts = facts(&payload.family).with_remarks(left_out).with_remarks(time.and_then(Time::remark));
    let event = SessionEvent {
        attempt_id: attempt.as_ref().map(|id| usable(id, AttemptId::new)).transpose()?,
        occurred_at: time.and_then(Time::at),
        subject,
        ..facts.event(
            fact_id(&payload, genuine, minimise_unbounded)?,
            session,
            Kind::Verification,
            genuine.received_at(),
        )
    };
    let former_id = fact_id(&payload, genuine, minimise_as_first_release)?;
    Ok(Reading::one_known_as(former_id, event, minimise(&document)))
}

/// What a family says of a session.
fn facts(family: &Family<'_>) -> Facts {
    match family {
        Family::Event { code, action, context, json, .. } => {
            progress(*code, *action, context.as_ref()).and(left_the_flow(json))
        }
        Family::Decision { verification, .. } => decision("decision", verification),
        Family::Watchlist { match_status, check_type, json } => watchlist(*match_status, *check_type, json),
        Family::UserStatus { status_code, reason, json } => user_status(*status_code, reason, json),
        Family::FullAuto { verification, is_undecided, score } => {
            let undecided = || Facts::default().named("fullauto.undecided");
            let facts = if *is_undecided { undecided() } else { decision("fullauto", verification) };
            facts.with_detail(present([("decisionScore", *score)]))
        }
        Family::Registry(registry) => registry_answer(registry),
        Family::Unfamiliar(said) => {
            Facts::unrecognised(shown(said.iter().map(|(name, json)| (*name, Some(*json))))).named("unrecognised")
        }
    }
}

/// Progress. Event webhooks never decide anything. If code and action disagree, neither counts.
fn progress(said_code: MaybeJson<'_>, said_action: MaybeJson<'_>, context: Option<&Context<'_>>) -> Facts {
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
    let (code, action) = (text(said_code).unwrap_or_default(), text(said_action).unwrap_or_default());
    let same_code = KNOWN.iter().find(|(known, ..)| *known == code);
    let (remark, stage) = match same_code {
        None => (Some(Remark::Unrecognised), None),
        Some((_, known, stage)) if *known == action => (None, *stage),
        Some(_) => (Some(Remark::Inconsistent), None),
    };
    let known_action = KNOWN.iter().any(|(_, known, _)| *known == action);
    let name = if known_action { format!("event.{action}") } else { "event.unrecognised".into() };
    let mut detail =
        context.map_or_else(BTreeMap::new, |context| detail([("reason", &context.reason), ("state", &context.state)]));
    if remark.is_some() {
        detail.extend(shown([("code", said_code), ("action", said_action)]));
    }
    Facts { stage, remark, detail, ..Facts::default() }.named(name)
}

/// The check `flow`: at which step the person left the flow last, and why. It says nothing of how the person did.
fn left_the_flow(event: &Json<'_>) -> Facts {
    let (detail, remarks) = of_flow(event);
    let check = detail.map(|detail| Check { detail, ..Check::new(CheckOutcome::Captured) });
    check.map_or_else(Facts::default, |check| Facts::check("flow", check)).with_remarks(remarks)
}

/// A decision. The `status` decides; `code` is a cross-check, since Veriff's own pages disagree on 9104 and 9121. Only
/// an approval is not believed if the code contradicts it.
fn decision(family: &str, said: &Verification<'_>) -> Facts {
    const KNOWN: [(&str, &[&str], Outcome); 6] = [
        ("approved", &["9001"], Outcome::Approved),
        ("declined", &["9102"], Outcome::Declined),
        ("resubmission_requested", &["9103"], Outcome::ResubmissionRequested),
        ("expired", &["9104"], Outcome::Expired),
        ("abandoned", &["9104", "9121"], Outcome::Abandoned),
        ("review", &["9121"], Outcome::Review),
    ];
    let status = text(said.status);
    let Some((status, codes, outcome)) = KNOWN.iter().find(|(known, ..)| status.as_deref() == Some(known)) else {
        return Facts::unrecognised(shown([(said.member, said.status)])).named(format!("{family}.unrecognised"));
    };
    let contradicted = said.code.as_deref().is_some_and(|code| !codes.contains(&code));
    let is_believed = !(contradicted && *outcome == Outcome::Approved);
    let facts = if is_believed { decided(*outcome, said) } else { Facts::default() };
    if !contradicted {
        return facts.named(format!("{family}.{status}"));
    }
    let detail = shown([("code", said.json.member("code").ok().flatten())]);
    Facts { remark: Some(Remark::Inconsistent), detail, ..facts }.named(format!("{family}.{status}"))
}

fn decided(outcome: Outcome, said: &Verification<'_>) -> Facts {
    let (codes, detail, remarks) = of_decision(said.json, said.reason_code);
    let decision = Decision { reason: bounded_reason(&said.reason), detail, ..Decision::new(outcome) };
    Facts { decision: Some(decision.with_codes(codes)), ..Facts::default() }.with_remarks(remarks)
}

/// A watchlist's result. It may arrive months later (ongoing monitoring), and never decides.
fn watchlist(match_status: MaybeJson<'_>, check_type: MaybeJson<'_>, result: &Json<'_>) -> Facts {
    let outcome = match text(match_status).as_deref() {
        Some("no_match") => Some(CheckOutcome::Passed),
        Some("possible_match") => Some(CheckOutcome::Flagged),
        _ => None,
    };
    let facts = outcome.map_or_else(
        || Facts::unrecognised(shown([("matchStatus", match_status)])),
        |outcome| {
            let (reason_codes, detail, remarks) = of_watchlist(result, check_type);
            let check = Check { reason_codes, detail, ..Check::new(outcome) };
            Facts::check("watchlist", check).with_remarks(remarks)
        },
    );
    facts.named("watchlist").with_detail(present([("checkType", check_type), ("matchStatus", match_status)]))
}

/// A status that a customer's own reviewers set: a check, and no decision, whatever they call it.
fn user_status(status_code: MaybeJson<'_>, reason: &MaybeText<'_>, defined: &Json<'_>) -> Facts {
    let (reason_codes, detail, remarks) = of_user_status(defined);
    let check = Check { reason: bounded_reason(reason), reason_codes, detail, ..Check::new(CheckOutcome::Captured) };
    let facts = Facts::check("user_status", check).with_remarks(remarks);
    facts.with_detail(present([("statusCode", status_code)])).named("user_status")
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
    let (detail, remarks) = of_registry(registry.data);
    let facts = Facts::check("registry", Check { detail, ..Check::new(outcome) }).with_remarks(remarks);
    let shown = registry.data.member("code").ok().flatten();
    facts.with_detail(present([("code", shown)])).named(format!("registry.{}", registry.name))
}

/// Some members as an event shows them, without those that are missing.
fn present<const N: usize>(members: [Shown<'_, '_>; N]) -> BTreeMap<String, String> {
    shown(members.into_iter().filter(|(_, value)| value.is_some()))
}

/// The event's id, equal for every copy of a fact: Veriff sends no delivery id. If a part is missing, the body's digest
/// takes its place, since a retry repeats the body byte for byte.
fn fact_id(
    payload: &Payload<'_>,
    genuine: &Genuine,
    minimised: impl Fn(&Json<'_>) -> String,
) -> Result<EventId, Unreadable> {
    let Envelope { session, attempt, .. } = &payload.envelope;
    let (session, attempt) = (session.as_ref().map(|id| &*id.text), attempt.as_ref().map(|id| &*id.text));
    let (context, status, code, action);
    let (name, parts): (_, Option<Vec<&str>>) = match &payload.family {
        Family::Decision { verification, time } => {
            status = text(verification.status);
            let parts = [session, attempt, status.as_deref(), verification.code.as_deref(), time.as_deref()];
            ("decision", parts.into_iter().collect())
        }
        Family::Event { code: said_code, action: said_action, address_id, context: said, .. } => {
            // An address event has its address in the attempt's place; most events have no context.
            let subject = attempt.or(address_id.as_deref());
            context = said.as_ref().map_or_else(String::new, |context| minimised(context.json));
            (code, action) = (text(*said_code), text(*said_action));
            let parts = [session, subject, code.as_deref(), action.as_deref(), Some(&context)];
            ("event", parts.into_iter().collect())
        }
        Family::Watchlist { .. } => ("watchlist", None),
        Family::UserStatus { .. } => ("user_status", None),
        Family::FullAuto { .. } => ("fullauto", None),
        Family::Registry(_) => ("registry", None),
        Family::Unfamiliar(_) => ("unfamiliar", None),
    };
    let digest = parts.map_or_else(|| genuine.body_digest(), |parts| digest_of_parts(&parts));
    event_id(format!("{name}:{digest}"))
}
