//! What does it mean? Incode's webhooks as session events.

use super::{
    details::{of_authentication, of_webhook},
    payload::{AUTHENTICATION, Envelope, FACE_AUTHENTICATION, Payload, Status, Webhook, segment},
};
use crate::{
    delivery::Genuine,
    digest::digest_of_parts,
    providers::provider::{Part, Reading},
    reading::{
        details::shown,
        facts::Facts,
        fields::{MaybeJson, MaybeText, event_id, reason as bounded_reason, subject, text, usable},
        json::Json,
        minimise::minimise,
        unreadable::Unreadable,
    },
};
use std::collections::BTreeMap;
use verdict_sessions::{
    Check, CheckOutcome, Decision, Detail, EventId, Kind, Outcome, Provider, Remark, SessionEvent, SessionId,
    SessionKey, Stage,
};

/// The checks of what a person did. Once one of them is there, the session has started.
const DONE_BY_THE_PERSON: [&str; 6] =
    ["document", "face", "liveness", "video_selfie", AUTHENTICATION, FACE_AUTHENTICATION];

/// Reads a genuine webhook into session events.
pub(super) fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    let document = Json::parse_object(genuine.body())?;
    let segment = segment(genuine.path()).unwrap_or_default();
    let Payload { envelope, webhook } = Payload::read(segment, &document)?;
    let Envelope { session, reference, customer_id } = &envelope;
    let session_id = usable(session.as_ref().ok_or(Unreadable::NoSessionId)?, SessionId::new)?;
    let status = match &webhook {
        Webhook::OnboardingStatus { status } | Webhook::IneScraping { status } => status.documented(),
        _ => None,
    };
    let fact_id = match status {
        Some(status) => status_event_id(segment, &session_id, &[&status]),
        None => fact_id(segment, &genuine.body_digest()),
    };
    let session = SessionKey { provider: Provider::Incode, session_id };
    let (subject, left_out) = subject(*reference, ("customerId", *customer_id));
    let facts = started(detailed(facts(&webhook, segment), &document)).with_remarks(left_out);
    let event = SessionEvent { subject, ..facts.event(fact_id?, session, Kind::Onboarding, genuine.received_at()) };
    stamped(event, minimise(&document), genuine.is_unconfirmed())
}

/// The reading of an event as the stamp of its webhook has it. What decides has two ids, one for each stamp, and each
/// knows the other: a copy is a copy however it is stamped, and what the API says of the same fact has the id of the
/// event that decides.
fn stamped(event: SessionEvent, payload: String, is_unconfirmed: bool) -> Result<Reading, Unreadable> {
    if event.decision.is_none() {
        // What a later reader recognises may decide.
        let is_unconfirmed = is_unconfirmed && event.remark == Some(Remark::Unrecognised);
        return Ok(Reading::one(if is_unconfirmed { event.as_unconfirmed() } else { event }, payload));
    }
    let unconfirmed_id = event_id(format!("{}:unconfirmed", event.event_id))?;
    let (event, other_stamp) = if is_unconfirmed {
        (SessionEvent { event_id: unconfirmed_id, ..event.clone().as_unconfirmed() }, event.event_id)
    } else {
        (event, unconfirmed_id)
    };
    let part = Part { other_stamp: Some(other_stamp), ..Part::whole(payload) };
    Ok(Reading::Events { events: vec![event], parts: vec![part] })
}

/// The facts of a webhook, with its details: in the event, in its checks and in its decision.
fn detailed(mut facts: Facts, document: &Json<'_>) -> Facts {
    let (detail, times, left_out) = of_webhook(document);
    for check in facts.checks.values_mut() {
        check.detail = detail.clone();
    }
    let decision = facts.decision.take().map(|decision| Decision { detail: detail.clone(), ..decision });
    let shown = |detail: &Detail| -> BTreeMap<String, String> {
        detail.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    Facts { decision, ..facts }.with_detail(shown(&detail)).with_detail(shown(&times)).with_remarks(left_out)
}

/// Facts that show a stage: if the person did something, the session has at least started.
pub(super) fn started(facts: Facts) -> Facts {
    let is_done = DONE_BY_THE_PERSON.iter().any(|check| facts.checks.contains_key(*check));
    let stage = facts.stage.max(is_done.then_some(Stage::Started));
    Facts { stage, ..facts }
}

/// The id of an event, equal for every copy of a fact: Incode sends no delivery id, and a retry repeats the body byte
/// for byte.
fn fact_id(name: &str, digest: &str) -> Result<EventId, Unreadable> {
    event_id(format!("{name}:{digest}"))
}

/// The id of a session's status, equal whether a webhook or the API tells it. A score's also covers how its sections
/// ended, if it has some.
pub(super) fn status_event_id(name: &str, session: &SessionId, said: &[&str]) -> Result<EventId, Unreadable> {
    let parts: Vec<&str> = [session.as_str()].iter().chain(said).copied().collect();
    fact_id(name, &digest_of_parts(&parts))
}

/// What a webhook says of a session.
fn facts(webhook: &Webhook<'_>, segment: &str) -> Facts {
    match webhook {
        Webhook::OnboardingStatus { status: Status { member, value, .. } } => onboarding_status(member, *value),
        Webhook::SessionStarted => Facts::at(Stage::Started).named("session.started"),
        Webhook::SessionProgress => Facts::default().named("session.progress"),
        Webhook::SessionSucceeded => Facts::decided(Outcome::Approved).named("session.succeeded"),
        Webhook::SessionFailed => Facts::decided(Outcome::Declined).named("session.failed"),
        Webhook::SessionPendingReview => Facts::decided(Outcome::Review).named("session.pending_review"),
        Webhook::IdentityEnrolled => Facts::default().named("identity_enrolled"),
        Webhook::Available { check } => captured(check).named(*check),
        Webhook::Authentication { check, overall_status, error_code, is_spoofed } => {
            authentication(check, *overall_status, error_code, *is_spoofed).named(*check)
        }
        Webhook::IneScraping { status: Status { member, value, .. } } => ine_scraping(member, *value),
        // The path says what it is, and only plain ones get here.
        Webhook::Unfamiliar => {
            Facts::unrecognised(BTreeMap::from([("path".into(), segment.into())])).named("unrecognised")
        }
    }
}

/// How far the onboarding has come. That it is finished means that all data is there: whether the person passed is in
/// the score.
///
/// Decisions have no reason code: a webhook and the score of one fact must not count as two decisions.
pub(super) fn onboarding_status(member: &'static str, status: MaybeJson<'_>) -> Facts {
    let (name, facts) = match text(status).as_deref() {
        Some("ID_VALIDATION_FINISHED") => ("id_validation_finished", captured("document")),
        Some("ID_VALIDATION_FINISHED_SECOND_ID") => ("id_validation_finished_second_id", captured("document")),
        Some("POST_PROCESSING_FINISHED") => ("post_processing_finished", captured("document")),
        Some("FACE_VALIDATION_FINISHED") => ("face_validation_finished", captured("face")),
        Some("GOVERNMENT_VALIDATION_FINISHED") => ("government_validation_finished", captured("government")),
        Some("ONBOARDING_FINISHED") => ("finished", Facts::at(Stage::Submitted)),
        Some("MANUAL_REVIEW_APPROVED") => ("manual_review_approved", Facts::decided(Outcome::Approved)),
        Some("MANUAL_REVIEW_REJECTED") => ("manual_review_rejected", Facts::decided(Outcome::Declined)),
        Some("EXPIRED") => ("expired", Facts::decided(Outcome::Expired)),
        Some("UNKNOWN") => ("unknown", Facts::default()),
        _ => ("unrecognised", Facts::unrecognised(shown([(member, status)]))),
    };
    started(facts.named(format!("onboarding_status.{name}")))
}

/// A login of a person who was onboarded before: a check, and no decision on the onboarding. An attempt to deceive is an
/// alarm, whatever the status says.
fn authentication(check: &str, overall_status: MaybeJson<'_>, error_code: &MaybeText<'_>, is_spoofed: bool) -> Facts {
    let status = text(overall_status);
    let outcome = match status.as_deref() {
        Some("FAIL") => CheckOutcome::Failed,
        _ if is_spoofed => CheckOutcome::Flagged,
        Some("PASS") => CheckOutcome::Passed,
        _ => CheckOutcome::Captured,
    };
    let unfamiliar = status.is_some_and(|status| !["PASS", "FAIL"].contains(&&*status));
    let error_code = if outcome == CheckOutcome::Failed { error_code } else { &None };
    let (reason_codes, left_out) = of_authentication(error_code, is_spoofed);
    let check_of = Check { reason: bounded_reason(error_code), reason_codes, ..Check::new(outcome) };
    let shown = if unfamiliar { shown([("overallStatus", overall_status)]) } else { BTreeMap::new() };
    let remark = unfamiliar.then_some(Remark::Unrecognised);
    Facts { remark, detail: shown, ..Facts::check(check, check_of) }.with_remarks(left_out)
}

/// While it goes on there is nothing to say of the check: what is pending would stand against the end, which says only
/// that the data is there.
fn ine_scraping(member: &'static str, status: MaybeJson<'_>) -> Facts {
    let (name, facts) = match text(status).as_deref() {
        Some("IN_PROGRESS") => ("in_progress", Facts::default()),
        Some("FINISHED") => ("finished", captured("ine")),
        _ => ("unrecognised", Facts::unrecognised(shown([(member, status)]))),
    };
    facts.named(format!("ine_scraping.{name}"))
}

/// A check whose data is there; Incode doesn't say how it ended.
fn captured(check: &str) -> Facts {
    Facts::checked(check, CheckOutcome::Captured, None)
}
