//! The routes: reading records over HTTP. They carry the IAM authorizer, so that a caller who gets here may read.

use serde_json::{Value, json};
use verdict_pipeline::{
    Page, SessionsTable, TableError,
    gateway::{Request, Response},
    telemetry,
};
use verdict_sessions::{Session, SessionEvent, SessionId, SessionKey};

/// The longest reference that a session has, in bytes. A longer one has no sessions.
const REFERENCE_LIMIT: usize = 4000;

/// The sessions API.
#[derive(Debug)]
pub(crate) struct SessionsApi {
    table: SessionsTable,
}

/// The question that a request asks.
enum Question {
    Session(SessionKey),
    Events(SessionKey),
    ByReference(String),
    /// A session that no webhook can have spoken of: its provider doesn't exist, or its id can't.
    Unknown,
}

impl SessionsApi {
    pub(crate) fn new(table: SessionsTable) -> Self {
        Self { table }
    }

    /// Answers one request, with the version of Verdict in a header.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        self.found(request).await.with_header("x-verdict-version", telemetry::version())
    }

    async fn found(&self, request: Request) -> Response {
        let next = parameter(&request, "next");
        let question = match question(&request) {
            Ok(question) => question,
            Err(message) => return Response::error(400, "bad_request", message),
        };
        let answer = async {
            match question {
                Question::Session(key) => self.session(&key).await,
                Question::Events(key) => self.events(&key, next).await,
                Question::ByReference(reference) => self.by_reference(&reference, next).await,
                Question::Unknown => Ok(not_found()),
            }
        };
        match request.deadline.bound(answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                tracing::error!(target: "verdict::sessions_api", %error, "could not read");
                Response::error(503, "unavailable", "the table did not answer; try again")
            }
            Err(_elapsed) => Response::error(503, "unavailable", "the table did not answer in time; try again"),
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
        let events: Vec<Value> = items.iter().map(|event: &SessionEvent| json!(event.view())).collect();
        Ok(Response::json(200, json!({"events": events, "next": next}).to_string()))
    }

    async fn by_reference(&self, reference: &str, next: Option<&str>) -> Result<Response, TableError> {
        if reference.len() > REFERENCE_LIMIT {
            return Ok(Response::json(200, json!({"sessions": [], "next": null}).to_string()));
        }
        let Some(Page { items, next }) = self.table.by_reference(reference, next).await? else {
            return Ok(bad_cursor());
        };
        let sessions: Vec<Value> = items.iter().map(|session: &Session| json!(session.view())).collect();
        Ok(Response::json(200, json!({"sessions": sessions, "next": next}).to_string()))
    }
}

fn not_found() -> Response {
    Response::error(404, "session_not_found", "no webhook has spoken of such a session")
}

fn bad_cursor() -> Response {
    Response::error(400, "bad_request", "`next` must be the `next` of the page before")
}

fn question(request: &Request) -> Result<Question, &'static str> {
    let path = &request.path_parameters;
    if let (Some(provider), Some(id)) = (path.get("provider"), path.get("sessionId")) {
        let asked = if request.route.ends_with("/events") { Question::Events } else { Question::Session };
        return Ok(key(provider, id).map_or(Question::Unknown, asked));
    }
    if let Some(session) = parameter(request, "session") {
        let (provider, id) = session.split_once('/').ok_or("`session` must be {provider}%2F{sessionId}")?;
        return Ok(key(provider, id).map_or(Question::Unknown, Question::Session));
    }
    match parameter(request, "reference") {
        Some(reference) if !reference.trim().is_empty() => Ok(Question::ByReference(reference.to_owned())),
        _ => {
            Err("ask for /sessions/{provider}/{sessionId}, ?session={provider}%2F{sessionId} or ?reference={reference}")
        }
    }
}

fn key(provider: &str, id: &str) -> Option<SessionKey> {
    Some(SessionKey { provider: provider.parse().ok()?, session_id: SessionId::new(id).ok()? })
}

fn parameter<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
