//! The routes: reading the payload of one event over HTTP. They carry the IAM authorizer, so that a caller who gets here
//! may read. Each look is logged, with who has looked.

use serde::Serialize;
use serde_json::value::RawValue;
use verdict_pipeline::{
    FoundPayload, SessionsTable, StoredPayload, TableError,
    gateway::{Request, Response},
    query::Parameters,
    telemetry::{self, Line},
};
use verdict_sessions::{EventId, SessionKey, Timestamp};

/// The function.
#[derive(Debug)]
pub(crate) struct SessionPayloads {
    table: SessionsTable,
}

/// The event whose payload a request asks for.
struct Asked {
    /// `None` if no webhook can have spoken of it: its provider doesn't exist, or its id can't.
    session: Option<SessionKey>,
    /// `None` if no event can have such an id.
    event_id: Option<EventId>,
}

/// The result of a request, as the log and the metrics call it.
#[derive(Clone, Copy)]
enum Outcome {
    Shown,
    SessionNotFound,
    EventNotFound,
    Expired,
    BadRequest,
    Failed,
}

/// A payload as a caller sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'p> {
    event_id: &'p EventId,
    source: &'p str,
    expires_at: Timestamp,
    payload: &'p RawValue,
}

impl SessionPayloads {
    pub(crate) fn new(table: SessionsTable) -> Self {
        Self { table }
    }

    /// Answers one request, with the version of Verdict in a header, and logs who has looked. No cache may store an
    /// answer.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        let asked = asked(&request);
        let (outcome, response) = match &asked {
            Ok(asked) => self.found(asked, &request).await,
            Err(message) => (Outcome::BadRequest, Response::error(400, "bad_request", message)),
        };
        log(&request, asked.as_ref().ok(), outcome);
        response.with_header("cache-control", "no-store").with_header("x-verdict-version", telemetry::version())
    }

    async fn found(&self, asked: &Asked, request: &Request) -> (Outcome, Response) {
        match request.deadline.bound(self.payload(asked, request.now)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::error!(target: "verdict::session_payloads", %error, "could not read");
                (Outcome::Failed, Response::error(503, "unavailable", "the table did not answer; try again"))
            }
            Err(_elapsed) => {
                (Outcome::Failed, Response::error(503, "unavailable", "the table did not answer in time; try again"))
            }
        }
    }

    async fn payload(&self, asked: &Asked, now: Timestamp) -> Result<(Outcome, Response), TableError> {
        let Some(session) = &asked.session else { return Ok(no_session()) };
        let Some(event_id) = &asked.event_id else { return Ok(no_event()) };
        Ok(match self.table.payload(session, event_id, now).await? {
            FoundPayload::NoSession => no_session(),
            FoundPayload::NoEvent => no_event(),
            FoundPayload::Expired => {
                (Outcome::Expired, Response::error(410, "payload_expired", "the payload's retention is over"))
            }
            FoundPayload::Stored(stored) => (Outcome::Shown, shown(event_id, &stored)?),
        })
    }
}

fn shown(event_id: &EventId, stored: &StoredPayload) -> Result<Response, TableError> {
    let unreadable = |_| TableError::Unreadable("payload");
    let payload = serde_json::from_str(&stored.text).map_err(unreadable)?;
    let shown = Shown { event_id, source: &stored.source, expires_at: stored.expires_at, payload };
    Ok(Response::json(200, serde_json::to_string(&shown).map_err(unreadable)?))
}

fn no_session() -> (Outcome, Response) {
    (Outcome::SessionNotFound, Response::error(404, "session_not_found", "no webhook has spoken of such a session"))
}

fn no_event() -> (Outcome, Response) {
    (Outcome::EventNotFound, Response::error(404, "event_not_found", "the session has no such event"))
}

/// Logs that somebody has looked, and at what.
fn log(request: &Request, asked: Option<&Asked>, outcome: Outcome) {
    let (session, event_id) = asked.map_or((None, None), |asked| (asked.session.as_ref(), asked.event_id.as_ref()));
    Line::new("payload")
        .with("requestId", request.id.as_str())
        .with("caller", request.caller.as_deref())
        .with("session", session.map(telemetry::shown))
        .with("event", event_id.map(telemetry::shown_event))
        .with("outcome", outcome.as_str())
        .count(&format!("payload.{}", outcome.as_str()), 1)
        .print(request.now);
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::SessionNotFound => "session_not_found",
            Self::EventNotFound => "event_not_found",
            Self::Expired => "expired",
            Self::BadRequest => "bad_request",
            Self::Failed => "failed",
        }
    }
}

fn asked(request: &Request) -> Result<Asked, String> {
    let path = &request.path_parameters;
    if let (Some(provider), Some(id), Some(event)) = (path.get("provider"), path.get("sessionId"), path.get("eventId"))
    {
        Parameters::read(&request.query, &[]).map_err(|problem| problem.to_string())?;
        return Ok(Asked { session: SessionKey::named(provider, id), event_id: EventId::new(event.as_str()).ok() });
    }
    let parameters = Parameters::read(&request.query, &["session", "event"]).map_err(|problem| problem.to_string())?;
    let (Some(session), Some(event)) = (parameters.get("session"), parameters.get("event")) else {
        return Err("ask for ?session={provider}%2F{sessionId}&event={eventId}".into());
    };
    let (provider, id) = session.split_once('/').ok_or("`session` must be {provider}%2F{sessionId}")?;
    Ok(Asked { session: SessionKey::named(provider, id), event_id: EventId::new(event).ok() })
}
