//! The audit: a line for each request, with who has asked, for what, and which sessions the answer shows.

use crate::question::Question;
use serde_json::{Map, Value, json};
use verdict_pipeline::{
    ByStatus,
    gateway::Request,
    telemetry::{Line, shown, shown_reference},
};
use verdict_sessions::{Outcome, Provider, SessionKey};

/// The line about one request. `question` is absent if the request asks wrongly. A reference is shown as its digest:
/// it is your own name for a person, and may be anything.
pub(crate) fn line(request: &Request, question: Option<&Question>, status: i64, sessions: &[String]) -> Line {
    let asked = question.map(asked).unwrap_or_default();
    let line = Line::new("read").with("requestId", request.id.as_str()).with("caller", request.caller.as_deref());
    let line = asked.into_iter().fold(line, |line, (name, value)| line.with(&name, value));
    line.with("outcome", outcome(status)).with("sessions", sessions)
}

/// The members that say what was asked for.
fn asked(question: &Question) -> Map<String, Value> {
    let of = |asked: &str, key: &SessionKey| json!({"asked": asked, "session": shown(key)});
    let members = match question {
        Question::Session(key) => of("session", key),
        Question::Events(key, _) => of("events", key),
        Question::Notifications(key, _) => of("notifications", key),
        Question::Payload(key, _) => of("payload", key),
        Question::ByReference(reference, _) => {
            json!({"asked": "reference", "reference": shown_reference(reference)})
        }
        Question::ByStatus(list, _) => json!({"asked": "status", "list": parameters(list)}),
        Question::OfNoSession => json!({"asked": "session"}),
    };
    if let Value::Object(members) = members { members } else { Map::new() }
}

/// The parameters of a list by status: words and times.
fn parameters(list: &ByStatus) -> Value {
    json!({
        "status": list.status.as_str(),
        "provider": list.provider.map(Provider::as_str),
        "outcome": list.outcome.map(Outcome::as_str),
        "since": list.since,
        "until": list.until,
    })
}

/// The word for an answer.
const fn outcome(status: i64) -> &'static str {
    match status {
        200 => "shown",
        307 => "elsewhere",
        400 => "bad_request",
        404 => "session_not_found",
        _ => "failed",
    }
}
