//! What does it mean? Incode's webhooks as session events.

use super::payload::{Envelope, Payload, Webhook, segment};
use crate::{
    delivery::Genuine,
    digest::digest_of_parts,
    providers::provider::Reading,
    reading::{
        facts::Facts,
        fields::{MaybeText, detail, event_id, reason as bounded_reason, reference, usable},
        json::Json,
        minimise::minimise,
        unreadable::Unreadable,
    },
};
use std::collections::BTreeMap;
use verdict_sessions::{
    CheckOutcome, EventId, Kind, Outcome, Provider, SessionEvent, SessionId, SessionKey, Stage, Subject,
};

/// Reads a genuine webhook into session events.
pub(super) fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    let document = Json::parse_object(genuine.body())?;
    let segment = segment(genuine.path()).unwrap_or_default();
    let Payload { envelope, webhook } = Payload::read(segment, &document)?;
    let Envelope { session, external_id, customer_id } = &envelope;
    let session_id = usable(session.as_ref().ok_or(Unreadable::NoSessionId)?, SessionId::new)?;
    let fact_id = match &webhook {
        Webhook::OnboardingStatus { status: Some(status) } | Webhook::IneScraping { status: Some(status) } => {
            status_event_id(segment, &session_id, status)
        }
        _ => fact_id(segment, &genuine.body_digest()),
    };
    let session = SessionKey { provider: Provider::Incode, session_id };
    let event = SessionEvent {
        subject: Subject { reference: reference(external_id), provider_user_id: reference(customer_id) },
        ..facts(&webhook).event(fact_id?, session, Kind::Onboarding, genuine.received_at())
    };
    Ok(Reading::Events { events: vec![event], payload: minimise(&document) })
}

/// The id of an event, equal for every copy of a fact: Incode sends no delivery id, and a retry repeats the body byte
/// for byte.
fn fact_id(name: &str, digest: &str) -> Result<EventId, Unreadable> {
    event_id(format!("{name}:{digest}"))
}

/// The id of a session's status, equal whether a webhook or the API tells it.
pub(super) fn status_event_id(name: &str, session: &SessionId, status: &str) -> Result<EventId, Unreadable> {
    fact_id(name, &digest_of_parts(&[session.as_str(), status]))
}

/// What a webhook says of a session.
fn facts(webhook: &Webhook<'_>) -> Facts {
    match webhook {
        Webhook::OnboardingStatus { status } => onboarding_status(status),
        Webhook::SessionStarted => Facts::at(Stage::Started).named("session.started"),
        Webhook::SessionProgress => Facts::default().named("session.progress"),
        Webhook::SessionSucceeded => Facts::decided(Outcome::Approved).named("session.succeeded"),
        Webhook::SessionFailed => Facts::decided(Outcome::Declined).named("session.failed"),
        Webhook::SessionPendingReview => Facts::decided(Outcome::Review).named("session.pending_review"),
        Webhook::IdentityEnrolled => Facts::default().named("identity_enrolled"),
        Webhook::Available { check } => captured(check).named(*check),
        Webhook::Authentication { check, overall_status, error_code } => {
            authentication(check, overall_status, error_code).named(*check)
        }
        Webhook::IneScraping { status } => ine_scraping(status),
        Webhook::Unfamiliar => Facts::unrecognised(BTreeMap::new()).named("unrecognised"),
    }
}

/// How far the onboarding has come. That it is finished means that all data is there: whether the person passed is in
/// the score.
///
/// Decisions have no reason code: a webhook and the score of one fact must not count as two decisions.
pub(super) fn onboarding_status(status: &MaybeText<'_>) -> Facts {
    let (name, facts) = match status.as_deref() {
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
        _ => ("unrecognised", Facts::unrecognised(detail([("onboardingStatus", status)]))),
    };
    facts.named(format!("onboarding_status.{name}"))
}

/// The overall status of a score.
pub(super) fn score(status: &MaybeText<'_>) -> Facts {
    let (name, facts) = match status.as_deref() {
        Some("OK") => ("ok", Facts::decided(Outcome::Approved)),
        Some("MANUAL_OK") => ("manual_ok", Facts::decided(Outcome::Approved)),
        Some("FAIL") => ("fail", Facts::decided(Outcome::Declined)),
        Some("MANUAL_FAIL") => ("manual_fail", Facts::decided(Outcome::Declined)),
        Some("WARN") => ("warn", Facts::decided(Outcome::Review)),
        Some("MANUAL") => ("manual", Facts::decided(Outcome::Review)),
        Some("MANUAL_PENDING") => ("manual_pending", Facts::decided(Outcome::Review)),
        _ => ("unrecognised", Facts::unrecognised(detail([("overall.status", status)]))),
    };
    facts.named(format!("score.{name}"))
}

/// A login of a person who was onboarded before: a check, and no decision on the onboarding.
fn authentication(check: &str, overall_status: &MaybeText<'_>, error_code: &MaybeText<'_>) -> Facts {
    match overall_status.as_deref() {
        Some("PASS") => Facts::checked(check, CheckOutcome::Passed, None),
        Some("FAIL") => Facts::checked(check, CheckOutcome::Failed, bounded_reason(error_code)),
        None => captured(check),
        Some(_) => {
            Facts { checks: captured(check).checks, ..Facts::unrecognised(detail([("overallStatus", overall_status)])) }
        }
    }
}

fn ine_scraping(status: &MaybeText<'_>) -> Facts {
    let (name, facts) = match status.as_deref() {
        Some("IN_PROGRESS") => ("in_progress", Facts::checked("ine", CheckOutcome::Pending, None)),
        Some("FINISHED") => ("finished", captured("ine")),
        _ => ("unrecognised", Facts::unrecognised(detail([("ScrapingStatus", status)]))),
    };
    facts.named(format!("ine_scraping.{name}"))
}

/// A check whose data is there; Incode doesn't say how it ended.
fn captured(check: &str) -> Facts {
    Facts::checked(check, CheckOutcome::Captured, None)
}
