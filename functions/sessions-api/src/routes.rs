//! The routes: reading records over HTTP. They carry the IAM authorizer, so that a caller who gets here may read. Each
//! request is logged, with who has asked.

use crate::{audit, question::Question};
use serde_json::{Value, json};
use verdict_pipeline::{
    ByStatus, History, Page, SessionsTable, TableError, event_segment,
    gateway::{Request, Response},
    path_segment, telemetry,
};
use verdict_sessions::{EventId, Session, SessionKey};

/// The longest reference that a session has, in bytes. A longer one has no sessions.
const REFERENCE_LIMIT: usize = 4000;

/// An answer, and the sessions whose records it shows, as the log names them.
struct Found {
    response: Response,
    sessions: Vec<String>,
}

/// The sessions API.
#[derive(Debug)]
pub(crate) struct SessionsApi {
    table: SessionsTable,
}

impl SessionsApi {
    pub(crate) fn new(table: SessionsTable) -> Self {
        Self { table }
    }

    /// Answers one request, with the version of Verdict in a header, and logs who has asked. No cache may store an
    /// answer.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        let question = Question::of(&request);
        let Found { response, sessions } = match &question {
            Ok(question) => self.found(question, &request).await,
            Err(message) => Response::error(400, "bad_request", message).into(),
        };
        audit::line(&request, question.as_ref().ok(), response.status(), &sessions).print(request.now);
        response.with_header("cache-control", "no-store").with_header("x-verdict-version", telemetry::version())
    }

    async fn found(&self, question: &Question, request: &Request) -> Found {
        match request.deadline.bound(self.read(question)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::error!(target: "verdict::sessions_api", %error, "could not read");
                Response::error(503, "unavailable", "the table did not answer; try again").into()
            }
            Err(_elapsed) => Response::error(503, "unavailable", "the table did not answer in time; try again").into(),
        }
    }

    async fn read(&self, question: &Question) -> Result<Found, TableError> {
        let response = match question {
            Question::Session(key) => self.session(key).await?,
            Question::Events(key, next) => self.events(key, next.as_deref()).await?,
            Question::Notifications(key, next) => self.notifications(key, next.as_deref()).await?,
            Question::Payload(key, event_id) => payload_elsewhere(key, event_id),
            Question::ByReference(reference, next) => return self.by_reference(reference, next.as_deref()).await,
            Question::ByStatus(list, next) => return self.by_status(*list, next.as_deref()).await,
            Question::OfNoSession => not_found(),
        };
        Ok(response.into())
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

    async fn by_reference(&self, reference: &str, next: Option<&str>) -> Result<Found, TableError> {
        if reference.len() > REFERENCE_LIMIT {
            return Ok(sessions(&Page { items: Vec::new(), next: None }));
        }
        let page = self.table.by_reference(reference, next).await?;
        Ok(page.as_ref().map_or_else(|| bad_cursor().into(), sessions))
    }

    async fn by_status(&self, list: ByStatus, next: Option<&str>) -> Result<Found, TableError> {
        let page = self.table.by_status(list, next).await?;
        Ok(page.as_ref().map_or_else(|| bad_cursor().into(), sessions))
    }
}

/// An answer that shows no list of records.
impl From<Response> for Found {
    fn from(response: Response) -> Self {
        Self { response, sessions: Vec::new() }
    }
}

fn sessions(page: &Page<Session>) -> Found {
    let views: Vec<Value> = page.items.iter().map(|session| json!(session.view())).collect();
    Found {
        response: Response::json(200, json!({"sessions": views, "next": page.next}).to_string()),
        sessions: page.items.iter().map(|session| telemetry::shown(&session.key)).collect(),
    }
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
