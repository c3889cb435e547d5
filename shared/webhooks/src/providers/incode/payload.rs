//! What does it say? Incode's webhooks, told apart by the path that they come on: the bodies don't say.

use crate::reading::{
    fields::{Id, MaybeText, id, maybe_text},
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
    ![REQUEST, CUSTOMER].iter().any(|prefix| session.as_str().starts_with(prefix))
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
    pub(super) external_id: MaybeText<'a>,
    pub(super) customer_id: MaybeText<'a>,
}

#[derive(Debug)]
pub(super) enum Webhook<'a> {
    OnboardingStatus {
        status: MaybeText<'a>,
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
        overall_status: MaybeText<'a>,
        error_code: MaybeText<'a>,
    },
    IneScraping {
        status: MaybeText<'a>,
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
            "onboarding-status" => Webhook::OnboardingStatus { status: maybe_text(document, "onboardingStatus")? },
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
            "ine-scraping" => Webhook::IneScraping { status: maybe_text(document, "ScrapingStatus")? },
            _ => Webhook::Unfamiliar,
        };
        let session = match (interview(document)?, segment) {
            (None, "proof-of-payment") => in_place_of_interview(document, "requestId", REQUEST)?,
            (None, "authentication") => in_place_of_interview(document, "customerId", CUSTOMER)?,
            (interview, _) => interview,
        };
        let envelope = Envelope {
            session,
            external_id: maybe_text(document, "externalId")?,
            customer_id: maybe_text(document, "customerId")?,
        };
        Ok(Self { envelope, webhook })
    }
}

fn authentication<'a>(document: &'a Json<'a>, check: &'static str) -> Result<Webhook<'a>, Unreadable> {
    Ok(Webhook::Authentication {
        check,
        overall_status: maybe_text(document, "overallStatus")?,
        error_code: maybe_text(document, "errorCode")?,
    })
}

/// The session's id under any of the names that Incode has for it. If several are there, they must agree.
fn interview<'a>(document: &'a Json<'a>) -> Result<Option<Id<'a>>, Unreadable> {
    let names = [id(document, "interviewId")?, id(document, "InterviewId")?, id(document, "sessionId")?];
    let mut found = names.into_iter().flatten();
    let Some(first) = found.next() else { return Ok(None) };
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
