//! What the answers of Incode's API say of a session.

use super::{
    meaning::{onboarding_status, started, status_event_id},
    score::{outcomes, score},
};
use crate::reading::{
    facts::Facts,
    fields::{maybe_json, text},
    json::Json,
    minimise::minimise,
    unreadable::Unreadable,
};
use std::fmt;
use verdict_sessions::{EventId, Kind, SessionEvent, SessionKey, Timestamp};

/// The API's path for a session's status. Also what its answers are stored under.
pub const STATUS_PATH: &str = "/omni/get/onboarding/status";

/// The API's path for a session's score. Also what its answers are stored under.
pub const SCORE_PATH: &str = "/omni/get/score";

/// The content of one answer of the API about a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// The fact, as a webhook would tell it; none if nothing is known yet.
    pub event: Option<SessionEvent>,
    /// What is stored of the answer.
    pub payload: String,
    /// Whether everything is handed in, so that the score can be asked for.
    pub finished: bool,
}

/// Says nothing of the payload: a score is about a person.
impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finding").field("event", &self.event).field("finished", &self.finished).finish_non_exhaustive()
    }
}

impl Finding {
    /// Reads the answer of `GET /omni/get/onboarding/status`. The event has the id of the webhook that tells the
    /// same, and counts from `asked_at`, the time before the request.
    ///
    /// # Errors
    /// [`Unreadable`] if the answer holds no status, such as an error of the API or a gateway's page.
    pub fn of_status(session: &SessionKey, body: &[u8], asked_at: Timestamp) -> Result<Self, Unreadable> {
        const MEMBER: &str = "onboardingStatus";
        let document = Json::parse_object(body)?;
        let status = maybe_json(&document, MEMBER)?;
        let said = text(status).ok_or(Unreadable::Missing(MEMBER))?;
        let event = match &*said {
            "UNKNOWN" => None,
            said => Some(fact("onboarding-status", said, onboarding_status(MEMBER, status), session, asked_at)?),
        };
        Ok(Self { event, payload: minimise(&document), finished: said == "ONBOARDING_FINISHED" })
    }

    /// Reads the answer of `GET /omni/get/score`, in the same way.
    ///
    /// # Errors
    /// [`Unreadable`] if the answer holds no score, as with [`of_status`](Self::of_status).
    pub fn of_score(session: &SessionKey, body: &[u8], asked_at: Timestamp) -> Result<Self, Unreadable> {
        let document = Json::parse_object(body)?;
        let overall = document.member("overall")?.ok_or(Unreadable::Missing("overall"))?;
        let status = maybe_json(overall, "status")?;
        let event = match text(status).as_deref() {
            None | Some("UNKNOWN") => None,
            Some(said) => Some(fact("score", said, started(score(&document, status)), session, asked_at)?),
        };
        Ok(Self { event, payload: minimise(&document), finished: false })
    }
}

fn fact(
    name: &str,
    status: &str,
    facts: Facts,
    session: &SessionKey,
    asked_at: Timestamp,
) -> Result<SessionEvent, Unreadable> {
    // Only a score has sections. Without one, its id is as it was before they were read.
    let outcomes = if name == "score" { outcomes(&facts) } else { Vec::new() };
    let said: Vec<&str> = [status].into_iter().chain(outcomes.iter().map(String::as_str)).collect();
    let event_id = status_event_id(name, &session.session_id, &said)?;
    Ok(facts.event(event_id, session.clone(), Kind::Onboarding, asked_at))
}

/// A recurring finding as a fact of its own: a status that comes again after another one, such as approved, rejected,
/// approved again. With the id of the first one it would be a copy.
#[must_use]
pub fn recurrence(event: SessionEvent, asked_at: Timestamp) -> SessionEvent {
    // Both parts are short, so this is always an id.
    let event_id = EventId::new(format!("{}@{asked_at}", event.event_id)).unwrap_or_else(|_| event.event_id.clone());
    SessionEvent { event_id, received_at: asked_at, ..event }
}
