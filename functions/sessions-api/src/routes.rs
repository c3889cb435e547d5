//! The routes: reading records over HTTP. They carry the IAM authorizer, so that a caller who gets here may read.

use crate::question::Question;
use serde_json::{Value, json};
use verdict_pipeline::{
    ByStatus, History, Page, SessionsTable, TableError, event_segment,
    gateway::{Request, Response},
    path_segment, telemetry,
};
use verdict_sessions::{EventId, Session, SessionKey};

/// The longest reference that a session has, in bytes. A longer one has no sessions.
const REFERENCE_LIMIT: usize = 4000;

/// The sessions API.
#[derive(Debug)]
pub(crate) struct SessionsApi {
    table: SessionsTable,
}

impl SessionsApi {
    pub(crate) fn new(table: SessionsTable) -> Self {
        Self { table }
    }

    /// Answers one request, with the version of Verdict in a header.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        self.found(&request).await.with_header("x-verdict-version", telemetry::version())
    }

    async fn found(&self, request: &Request) -> Response {
        let question = match Question::of(request) {
            Ok(question) => question,
            Err(message) => return Response::error(400, "bad_request", &message),
        };
        match request.deadline.bound(self.read(question)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                tracing::error!(target: "verdict::sessions_api", %error, "could not read");
                Response::error(503, "unavailable", "the table did not answer; try again")
            }
            Err(_elapsed) => Response::error(503, "unavailable", "the table did not answer in time; try again"),
        }
    }

    async fn read(&self, question: Question) -> Result<Response, TableError> {
        match question {
            Question::Session(key) => self.session(&key).await,
            Question::Events(key, next) => self.events(&key, next.as_deref()).await,
            Question::Notifications(key, next) => self.notifications(&key, next.as_deref()).await,
            Question::Payload(key, event_id) => Ok(payload_elsewhere(&key, &event_id)),
            Question::ByReference(reference, next) => self.by_reference(&reference, next.as_deref()).await,
            Question::ByStatus(list, next) => self.by_status(list, next.as_deref()).await,
            Question::OfNoSession => Ok(not_found()),
        }
    }

    async fn session(&self, key: &SessionKey) -> Result<Response, TableError> {
        Ok(match self.table.session(key).await? {
            Some(session) => Response::json(200, json!(session.view()).to_string()),
            None => not_found(),
        })
    }

    async fn events(&self, key: &SessionKey, next: Option<&str>) -> Result<Response, TableError> {
        let Some(Page { items, next }) = self.table.events(key, next).await? else { return Ok(bad_cursor()) };
        if items.is_empty() && self.table.session(key).await?.is_none() {
            return Ok(not_found());
        }
        let events: Vec<Value> = items.iter().map(|event| json!(event.view())).collect();
        Ok(Response::json(200, json!({"events": events, "next": next}).to_string()))
    }

    async fn notifications(&self, key: &SessionKey, next: Option<&str>) -> Result<Response, TableError> {
        let Some(History { begins, page }) = self.table.history(key, next).await? else { return Ok(bad_cursor()) };
        if begins.is_none() && self.table.session(key).await?.is_none() {
            return Ok(not_found());
        }
        let told: Vec<Value> = page.items.iter().map(|told| json!(told.view())).collect();
        Ok(Response::json(200, json!({"notifications": told, "begins": begins, "next": page.next}).to_string()))
    }

    async fn by_reference(&self, reference: &str, next: Option<&str>) -> Result<Response, TableError> {
        if reference.len() > REFERENCE_LIMIT {
            return Ok(sessions(&Page { items: Vec::new(), next: None }));
        }
        Ok(self.table.by_reference(reference, next).await?.as_ref().map_or_else(bad_cursor, sessions))
    }

    async fn by_status(&self, list: ByStatus, next: Option<&str>) -> Result<Response, TableError> {
        Ok(self.table.by_status(list, next).await?.as_ref().map_or_else(bad_cursor, sessions))
    }
}

fn sessions(page: &Page<Session>) -> Response {
    let sessions: Vec<Value> = page.items.iter().map(|session| json!(session.view())).collect();
    Response::json(200, json!({"sessions": sessions, "next": page.next}).to_string())
}

/// The answer that names the route of payloads, relative to this one: the caller's path may begin with a stage's name.
fn payload_elsewhere(key: &SessionKey, event_id: &EventId) -> Response {
    let query =
        format!("session={}%2F{}&event={}", key.provider, path_segment(&key.session_id), event_segment(event_id));
    let message =
        "payloads have a route of their own, which asks for a permission of its own: sign a request to Location";
    Response::error(307, "payload_elsewhere", message).with_header("location", format!("sessions/payload?{query}"))
}

fn not_found() -> Response {
    Response::error(404, "session_not_found", "no webhook has spoken of such a session")
}

fn bad_cursor() -> Response {
    Response::error(400, "bad_request", "`next` must be the `next` of the page before, and all else as it was there")
}
