//! What does it say? Incode's webhooks, told apart by the path that they come on: the bodies don't say.

use super::details::SPOOF_ATTEMPT;
use crate::reading::{
    fields::{Id, MaybeJson, MaybeText, id, maybe_json, maybe_text, text},
    json::Json,
    unreadable::Unreadable,
};
use verdict_sessions::SessionId;

/// The longest last segment of a path; Incode's own take about twenty.
const SEGMENT_LIMIT: usize = 64;

/// The prefixes of the ids of sessions that have no interview.
const REQUEST: &str = "request:";
const CUSTOMER: &str = "customer:";

/// The checks of a person who only logs in again, and the names of their events.
pub(super) const AUTHENTICATION: &str = "authentication";
pub(super) const FACE_AUTHENTICATION: &str = "face_authentication";

/// Whether a session is filed under its interview, which Incode's API knows it by.
pub(super) fn is_interview(session: &SessionId) -> bool {
    can_be_interview(session.as_str())
}

/// Returns whether an id isn't like those of sessions that have no interview: it must not get into one of them.
fn can_be_interview(id: &str) -> bool {
    ![REQUEST, CUSTOMER].iter().any(|prefix| id.starts_with(prefix))
}

/// The last segment of a path, which says what kind of webhook comes on it. That `/incode/` stands before it is the
/// proof's to check.
pub(super) fn segment(path: &str) -> Option<&str> {
    let (_, segment) = path.rsplit_once('/')?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_segment = (1..=SEGMENT_LIMIT).contains(&segment.len()) && segment.bytes().all(is_plain);
    is_segment.then_some(segment)
}

/// A webhook of one of Incode's kinds.
#[derive(Debug)]
pub(super) struct Payload<'a> {
    pub(super) envelope: Envelope<'a>,
    pub(super) webhook: Webhook<'a>,
}

/// What every kind may tell.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) session: Option<Id<'a>>,
    /// Your reference, and the member that it stands in.
    pub(super) reference: (&'static str, MaybeJson<'a>),
    pub(super) customer_id: MaybeJson<'a>,
}

/// A status, and whether it stands in the member that Incode documents for it.
#[derive(Debug)]
pub(super) struct Status<'a> {
    pub(super) member: &'static str,
    pub(super) value: MaybeJson<'a>,
    pub(super) is_documented: bool,
}

impl Status<'_> {
    /// The status as text, if it is in the documented member: an event's id is made of that one only.
    pub(super) fn documented(&self) -> MaybeText<'_> {
        self.is_documented.then(|| text(self.value)).flatten()
    }
}

#[derive(Debug)]
pub(super) enum Webhook<'a> {
    OnboardingStatus {
        status: Status<'a>,
    },
    SessionStarted,
    SessionProgress,
    SessionSucceeded,
    SessionFailed,
    SessionPendingReview,
    IdentityEnrolled,
    /// Says that something is there to be fetched, and not how it ended.
    Available {
        check: &'static str,
    },
    Authentication {
        check: &'static str,
        overall_status: MaybeJson<'a>,
        error_code: MaybeText<'a>,
        is_spoofed: bool,
    },
    IneScraping {
        status: Status<'a>,
    },
    Unfamiliar,
}

impl<'a> Payload<'a> {
    /// Reads a document that came on the path with this last segment.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] for a member that matters.
    pub(super) fn read(segment: &str, document: &'a Json<'a>) -> Result<Self, Unreadable> {
        let webhook = match segment {
            "onboarding-status" => Webhook::OnboardingStatus { status: onboarding_status(document)? },
            "session-started" => Webhook::SessionStarted,
            "session-progress" => Webhook::SessionProgress,
            "session-succeeded" => Webhook::SessionSucceeded,
            "session-failed" => Webhook::SessionFailed,
            "session-pending-review" => Webhook::SessionPendingReview,
            "identity-enrolled" => Webhook::IdentityEnrolled,
            "video-selfie" => Webhook::Available { check: "video_selfie" },
            "watchlist" => Webhook::Available { check: "watchlist" },
            "work-history" => Webhook::Available { check: "work_history" },
            "proof-of-payment" => Webhook::Available { check: "proof_of_payment" },
            "face-authentication" => authentication(document, FACE_AUTHENTICATION)?,
            "authentication" => authentication(document, AUTHENTICATION)?,
            "ine-scraping" => Webhook::IneScraping { status: documented(document, "ScrapingStatus")? },
            _ => Webhook::Unfamiliar,
        };
        let session = match (interview(document)?, segment) {
            (None, "proof-of-payment") => in_place_of_interview(document, "requestId", REQUEST)?,
            (None, "authentication") => in_place_of_interview(document, "customerId", CUSTOMER)?,
            (interview, _) => interview,
        };
        let envelope =
            Envelope { session, reference: reference(document)?, customer_id: maybe_json(document, "customerId")? };
        Ok(Self { envelope, webhook })
    }
}

/// The status of an onboarding. Integrators also describe it in `eventType`.
fn onboarding_status<'a>(document: &'a Json<'a>) -> Result<Status<'a>, Unreadable> {
    const ELSEWHERE: &str = "eventType";
    let status = documented(document, "onboardingStatus")?;
    if status.value.is_some() {
        return Ok(status);
    }
    let value = maybe_json(document, ELSEWHERE)?;
    Ok(if value.is_some() { Status { member: ELSEWHERE, value, is_documented: false } } else { status })
}

fn documented<'a>(document: &'a Json<'a>, member: &'static str) -> Result<Status<'a>, Unreadable> {
    Ok(Status { member, value: maybe_json(document, member)?, is_documented: true })
}

/// Your reference. Integrators also describe it in `externalCustomerId`.
fn reference<'a>(document: &'a Json<'a>) -> Result<(&'static str, MaybeJson<'a>), Unreadable> {
    match maybe_json(document, "externalId")? {
        None => Ok(("externalCustomerId", maybe_json(document, "externalCustomerId")?)),
        reference => Ok(("externalId", reference)),
    }
}

fn authentication<'a>(document: &'a Json<'a>, check: &'static str) -> Result<Webhook<'a>, Unreadable> {
    let is_spoofed = match document.member(SPOOF_ATTEMPT)? {
        Some(Json::Bool(is_spoofed)) => *is_spoofed,
        Some(Json::String(text)) => text.decoded().trim().eq_ignore_ascii_case("true"),
        _ => false,
    };
    Ok(Webhook::Authentication {
        check,
        overall_status: maybe_json(document, "overallStatus")?,
        error_code: maybe_text(document, "errorCode")?,
        is_spoofed,
    })
}

/// The session's id under any of the names that Incode has for it. If several are there, they must agree.
///
/// # Errors
/// [`Unreadable::UnusableId`] for one that is like Verdict's own ids of sessions without an interview.
fn interview<'a>(document: &'a Json<'a>) -> Result<Option<Id<'a>>, Unreadable> {
    let names = [id(document, "interviewId")?, id(document, "InterviewId")?, id(document, "sessionId")?];
    let mut found = names.into_iter().flatten();
    let Some(first) = found.next() else { return Ok(None) };
    if !can_be_interview(&first.text) {
        return Err(Unreadable::UnusableId(first.member));
    }
    if found.all(|other| other.text == first.text) { Ok(Some(first)) } else { Err(Unreadable::Ambiguous(first.member)) }
}

/// What a webhook that belongs to no interview is filed under.
fn in_place_of_interview<'a>(
    document: &'a Json<'a>,
    member: &'static str,
    prefix: &str,
) -> Result<Option<Id<'a>>, Unreadable> {
    Ok(id(document, member)?.map(|id| Id { text: format!("{prefix}{}", id.text).into(), ..id }))
}
