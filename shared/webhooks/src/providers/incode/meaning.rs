//! What is that to us? Incode's webhooks as session events.

use super::payload::{Envelope, Payload, Webhook, segment};
use crate::{
    delivery::Genuine,
    digest::digest_of_parts,
    providers::provider::Reading,
    reading::{
        fields::{Scalar, detail, reason as bounded_reason, reference, usable},
        json::Json,
        minimise::minimise,
        unreadable::Unreadable,
    },
};
use std::collections::BTreeMap;
use verdict_sessions::{
    Check, CheckOutcome, Decision, EventId, Kind, Outcome, Provider, Remark, SessionEvent, SessionId, SessionKey,
    Stage, Subject, Timestamp,
};

/// Reads a genuine webhook into session events.
pub(crate) fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    let document = Json::parse(genuine.body())?;
    let segment = segment(genuine.path()).unwrap_or_default();
    let Payload { envelope, webhook } = Payload::read(segment, &document)?;
    let Envelope { session, external_id, customer_id } = &envelope;
    let session_id = usable(session.as_ref().ok_or(Unreadable::NoSessionId)?, SessionId::new)?;
    let event_id = match &webhook {
        Webhook::OnboardingStatus { status: Some(status) } | Webhook::IneScraping { status: Some(status) } => {
            status_event_id(segment, &session_id, status)
        }
        _ => event_id(segment, &genuine.body_digest()),
    };
    let subject = Subject { reference: reference(external_id), provider_user_id: reference(customer_id) };
    let session = SessionKey { provider: Provider::Incode, session_id };
    let event = Facts::of(&webhook).event(event_id?, session, subject, genuine.received_at());
    Ok(Reading::Events { events: vec![event], payload: minimise(&document) })
}

/// The same for every copy of a fact: Incode sends no delivery id, and a retry repeats the body byte for byte.
fn event_id(name: &str, digest: &str) -> Result<EventId, Unreadable> {
    EventId::new(format!("{name}:{digest}")).map_err(|_| Unreadable::UnusableId("id"))
}

/// The same for a status of a session, whether a webhook or the API tells it.
pub(super) fn status_event_id(name: &str, session: &SessionId, status: &str) -> Result<EventId, Unreadable> {
    event_id(name, &digest_of_parts(&[session.as_str(), status]))
}

/// What a webhook, or an answer of the API, says of a session, before it is filed.
#[derive(Default)]
pub(super) struct Facts {
    name: String,
    stage: Option<Stage>,
    decision: Option<Decision>,
    checks: BTreeMap<String, Check>,
    remark: Option<Remark>,
    detail: BTreeMap<String, String>,
}

impl Facts {
    fn of(webhook: &Webhook<'_>) -> Self {
        match webhook {
            Webhook::OnboardingStatus { status } => Self::of_onboarding_status(status),
            Webhook::SessionStarted => Self::at(Stage::Started).named("session.started"),
            Webhook::SessionProgress => Self::default().named("session.progress"),
            Webhook::SessionSucceeded => Self::decided(Outcome::Approved).named("session.succeeded"),
            Webhook::SessionFailed => Self::decided(Outcome::Declined).named("session.failed"),
            Webhook::SessionPendingReview => Self::decided(Outcome::Review).named("session.pending_review"),
            Webhook::IdentityEnrolled => Self::default().named("identity_enrolled"),
            Webhook::Available { check } => Self::captured(check).named(*check),
            Webhook::Authentication { check, overall_status, error_code } => {
                Self::of_authentication(check, overall_status, error_code)
            }
            Webhook::IneScraping { status } => Self::of_ine_scraping(status),
            Webhook::Unfamiliar => Self { remark: Some(Remark::Unrecognised), ..Self::default() }.named("unrecognised"),
        }
    }

    /// How far the onboarding has come. That it is finished means that all data is there: whether the
    /// person passed is in the score.
    pub(super) fn of_onboarding_status(status: &Scalar<'_>) -> Self {
        let (name, facts) = match status.as_deref() {
            Some("ID_VALIDATION_FINISHED") => ("id_validation_finished", Self::captured("document")),
            Some("ID_VALIDATION_FINISHED_SECOND_ID") => {
                ("id_validation_finished_second_id", Self::captured("document"))
            }
            Some("POST_PROCESSING_FINISHED") => ("post_processing_finished", Self::captured("document")),
            Some("FACE_VALIDATION_FINISHED") => ("face_validation_finished", Self::captured("face")),
            Some("GOVERNMENT_VALIDATION_FINISHED") => ("government_validation_finished", Self::captured("government")),
            Some("ONBOARDING_FINISHED") => ("finished", Self::at(Stage::Submitted)),
            Some("MANUAL_REVIEW_APPROVED") => ("manual_review_approved", Self::decided(Outcome::Approved)),
            Some("MANUAL_REVIEW_REJECTED") => ("manual_review_rejected", Self::decided(Outcome::Declined)),
            Some("EXPIRED") => ("expired", Self::decided(Outcome::Expired)),
            Some("UNKNOWN") => ("unknown", Self::default()),
            _ => ("unrecognised", Self::unrecognised("onboardingStatus", status)),
        };
        facts.named(format!("onboarding_status.{name}"))
    }

    /// The overall status of a score.
    pub(super) fn of_score(status: &Scalar<'_>) -> Self {
        let (name, facts) = match status.as_deref() {
            Some("OK") => ("ok", Self::decided(Outcome::Approved)),
            Some("MANUAL_OK") => ("manual_ok", Self::decided(Outcome::Approved)),
            Some("FAIL") => ("fail", Self::decided(Outcome::Declined)),
            Some("MANUAL_FAIL") => ("manual_fail", Self::decided(Outcome::Declined)),
            Some("WARN") => ("warn", Self::decided(Outcome::Review)),
            Some("MANUAL") => ("manual", Self::decided(Outcome::Review)),
            Some("MANUAL_PENDING") => ("manual_pending", Self::decided(Outcome::Review)),
            _ => ("unrecognised", Self::unrecognised("overall.status", status)),
        };
        facts.named(format!("score.{name}"))
    }

    /// A login of somebody who was onboarded before: a check, and no decision on the onboarding.
    fn of_authentication(check: &'static str, overall_status: &Scalar<'_>, error_code: &Scalar<'_>) -> Self {
        let facts = match overall_status.as_deref() {
            Some("PASS") => Self::checked(check, CheckOutcome::Passed, None),
            Some("FAIL") => Self::checked(check, CheckOutcome::Failed, bounded_reason(error_code)),
            None => Self::captured(check),
            Some(_) => {
                Self { checks: Self::captured(check).checks, ..Self::unrecognised("overallStatus", overall_status) }
            }
        };
        facts.named(check)
    }

    fn of_ine_scraping(status: &Scalar<'_>) -> Self {
        let (name, facts) = match status.as_deref() {
            Some("IN_PROGRESS") => ("in_progress", Self::checked("ine", CheckOutcome::Pending, None)),
            Some("FINISHED") => ("finished", Self::captured("ine")),
            _ => ("unrecognised", Self::unrecognised("ScrapingStatus", status)),
        };
        facts.named(format!("ine_scraping.{name}"))
    }

    fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    fn at(stage: Stage) -> Self {
        Self { stage: Some(stage), ..Self::default() }
    }

    /// Without a reason code: a webhook and the score of one fact must not count as two decisions.
    fn decided(outcome: Outcome) -> Self {
        Self { decision: Some(Decision { outcome, reason_code: None, reason: None }), ..Self::default() }
    }

    fn checked(name: &str, outcome: CheckOutcome, reason: Option<String>) -> Self {
        Self { checks: BTreeMap::from([(name.to_owned(), Check { outcome, reason })]), ..Self::default() }
    }

    /// The data is there; Incode does not say how it ended.
    fn captured(check: &str) -> Self {
        Self::checked(check, CheckOutcome::Captured, None)
    }

    fn unrecognised(member: &str, value: &Scalar<'_>) -> Self {
        Self { remark: Some(Remark::Unrecognised), detail: detail([(member, value)]), ..Self::default() }
    }

    /// The facts, filed. Incode gives no times: they count from when they reached us.
    pub(super) fn event(
        self,
        event_id: EventId,
        session: SessionKey,
        subject: Subject,
        received_at: Timestamp,
    ) -> SessionEvent {
        SessionEvent {
            event_id,
            session,
            kind: Kind::Onboarding,
            name: self.name,
            attempt_id: None,
            occurred_at: None,
            emitted_at: None,
            received_at,
            stage: self.stage,
            decision: self.decision,
            checks: self.checks,
            subject,
            remark: self.remark,
            detail: self.detail,
        }
    }
}
