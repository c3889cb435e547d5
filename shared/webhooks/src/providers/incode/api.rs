//! Incode's API: how to ask it, and what its answers say.

use super::{
    meaning::{Facts, status_event_id},
    payload::{AUTHENTICATION, FACE_AUTHENTICATION, is_interview},
};
use crate::{
    proving::{
        credentials::CredentialsError,
        secret::{Secret, WeakSecret},
    },
    reading::{fields::scalar, json::Json, minimise::minimise, unreadable::Unreadable},
};
use serde::Deserialize;
use std::fmt;
use verdict_sessions::{EventId, Provider, SessionEvent, SessionKey, Subject, Timestamp};
use zeroize::Zeroizing;

/// The API's path for how far a session is. Also what its answers are stored under.
pub const STATUS_PATH: &str = "/omni/get/onboarding/status";

/// The same for how a session scored.
pub const SCORE_PATH: &str = "/omni/get/score";

/// How to ask Incode's API.
#[derive(Clone)]
pub struct ApiAccess {
    base_url: String,
    api_key: Zeroizing<String>,
    email: Zeroizing<String>,
    password: Zeroizing<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ApiJson {
    base_url: BaseUrl,
    api_key: Zeroizing<String>,
    email: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl ApiAccess {
    pub(super) fn new(json: ApiJson) -> Result<Self, CredentialsError> {
        let ApiJson { base_url: BaseUrl(base_url), api_key, email, password } = json;
        expect_filled_in("api.apiKey", &api_key)?;
        expect_filled_in("api.email", &email)?;
        expect_filled_in("api.password", &password)?;
        Ok(Self { base_url, api_key, email, password })
    }

    /// Whether the API has more to tell of the session that an event speaks of. It knows interviews, and nothing of
    /// what is filed under a request or a customer; and of somebody who only logs in again there is nothing to decide.
    #[must_use]
    pub fn knows_more_than(event: &SessionEvent) -> bool {
        let is_login = event.name == AUTHENTICATION || event.name == FACE_AUTHENTICATION;
        event.session.provider == Provider::Incode && is_interview(&event.session.session_id) && !is_login
    }

    /// What the API's paths come after; it has no slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The `x-api-key`.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Who logs in.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// What with.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }
}

/// Shows where, and neither who nor what with.
impl fmt::Debug for ApiAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiAccess").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// As every secret, but of any length: Incode chooses it.
fn expect_filled_in(member: &'static str, text: &str) -> Result<(), CredentialsError> {
    match Secret::new(text) {
        Ok(_) | Err(WeakSecret::Short) => Ok(()),
        Err(weakness) => Err(CredentialsError::Weak { member, position: 1, weakness }),
    }
}

/// A URL that paths can be put after. Passwords go there, so it is HTTPS, but for this machine.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct BaseUrl(String);

impl TryFrom<String> for BaseUrl {
    type Error = &'static str;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        let url = url.trim_end_matches('/');
        is_base_url(url).then(|| Self(url.to_owned())).ok_or("no HTTPS URL that paths can be put after")
    }
}

fn is_base_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    // An IPv6 address has colons of its own, in brackets.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_this_machine = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    let is_host = is_this_machine
        || (!host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.'));
    let is_port = port.is_none_or(|port| !port.starts_with('+') && port.parse::<u16>().is_ok_and(|port| port > 0));
    let is_path = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte));
    (scheme == "https" || (scheme == "http" && is_this_machine)) && is_host && is_port && is_path
}

/// What one answer of the API says of a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// The fact, as a webhook would tell it; none where nothing is known yet.
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
    /// [`Unreadable`] where the answer holds no status, such as an error of the API's or a gateway's page.
    pub fn of_status(session: &SessionKey, body: &[u8], asked_at: Timestamp) -> Result<Self, Unreadable> {
        const MEMBER: &str = "onboardingStatus";
        let document = object(body)?;
        let status = scalar(&document, MEMBER)?;
        let said = status.as_deref().ok_or(Unreadable::Missing(MEMBER))?;
        let event = match said {
            "UNKNOWN" => None,
            _ => Some(fact("onboarding-status", said, Facts::of_onboarding_status(&status), session, asked_at)?),
        };
        Ok(Self { event, payload: minimise(&document), finished: said == "ONBOARDING_FINISHED" })
    }

    /// Reads the answer of `GET /omni/get/score`, in the same way.
    ///
    /// # Errors
    /// [`Unreadable`] where the answer holds no score, as with [`of_status`](Self::of_status).
    pub fn of_score(session: &SessionKey, body: &[u8], asked_at: Timestamp) -> Result<Self, Unreadable> {
        let document = object(body)?;
        let overall = document.member("overall")?.ok_or(Unreadable::Missing("overall"))?;
        let status = scalar(overall, "status")?;
        let event = match status.as_deref() {
            None | Some("UNKNOWN") => None,
            Some(said) => Some(fact("score", said, Facts::of_score(&status), session, asked_at)?),
        };
        Ok(Self { event, payload: minimise(&document), finished: false })
    }
}

fn object(body: &[u8]) -> Result<Json<'_>, Unreadable> {
    let document = Json::parse(body)?;
    if matches!(document, Json::Object(_)) { Ok(document) } else { Err(Unreadable::NotAnObject) }
}

fn fact(
    name: &str,
    status: &str,
    facts: Facts,
    session: &SessionKey,
    asked_at: Timestamp,
) -> Result<SessionEvent, Unreadable> {
    let event_id = status_event_id(name, &session.session_id, status)?;
    Ok(facts.event(event_id, session.clone(), Subject::default(), asked_at))
}

/// The same finding as a fact of its own, for a status that comes again after another one: approved, rejected,
/// approved again. Its id would otherwise make it a copy of the first.
#[must_use]
pub fn recurrence(event: SessionEvent, asked_at: Timestamp) -> SessionEvent {
    // Both parts are short, so this is always an id.
    let event_id = EventId::new(format!("{}@{asked_at}", event.event_id)).unwrap_or_else(|_| event.event_id.clone());
    SessionEvent { event_id, received_at: asked_at, ..event }
}
