//! The question that a request asks: what its path and its query say, read strictly.

use verdict_pipeline::{
    ByStatus,
    gateway::Request,
    query::{Parameters, either},
};
use verdict_sessions::{EventId, Outcome, Provider, SessionKey, Status, Timestamp};

/// A question. The cursor is that of the page before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Session(SessionKey),
    Events(SessionKey, Option<String>),
    Notifications(SessionKey, Option<String>),
    /// Answered by another function.
    Payload(SessionKey, EventId),
    ByReference(String, Option<String>),
    ByStatus(ByStatus, Option<String>),
    /// Of a session that no webhook can have spoken of: its provider doesn't exist, or its id can't.
    OfNoSession,
}

/// The parameters of `GET /sessions`.
const SEARCH: &[&str] =
    &["session", "part", "event", "reference", "status", "provider", "outcome", "since", "until", "next"];

/// The parameters of which one has to be there.
const SUBJECTS: [&str; 3] = ["session", "reference", "status"];

/// The parameters that narrow a list by status.
const FILTERS: [&str; 4] = ["provider", "outcome", "since", "until"];

const PARTS: [&str; 3] = ["events", "notifications", "payload"];

impl Question {
    /// Reads a request.
    ///
    /// # Errors
    /// A text that says what to do. It repeats no value of the request.
    pub(crate) fn of(request: &Request) -> Result<Self, String> {
        let path = &request.path_parameters;
        match (path.get("provider"), path.get("sessionId")) {
            (Some(provider), Some(id)) => Self::of_path(request, SessionKey::named(provider, id)),
            _ => Self::of_search(&parameters(request, SEARCH)?),
        }
    }

    fn of_path(request: &Request, key: Option<SessionKey>) -> Result<Self, String> {
        let part = request.route.rsplit('/').next().filter(|part| PARTS.contains(part));
        let known: &[&str] = if part.is_some() { &["next"] } else { &[] };
        let next = parameters(request, known)?.get("next").map(str::to_owned);
        Ok(key.map_or(Self::OfNoSession, |key| match part {
            Some("events") => Self::Events(key, next),
            Some("notifications") => Self::Notifications(key, next),
            _ => Self::Session(key),
        }))
    }

    fn of_search(parameters: &Parameters<'_>) -> Result<Self, String> {
        let next = parameters.get("next").map(str::to_owned);
        refuse_lonely(parameters)?;
        match SUBJECTS.map(|subject| parameters.get(subject)) {
            [Some(session), None, None] => Self::of_session(session, parameters),
            [None, Some(reference), None] => Ok(Self::ByReference(reference.to_owned(), next)),
            [None, None, Some(status)] => Ok(Self::ByStatus(by_status(status, parameters)?, next)),
            [None, None, None] => {
                Err(format!("ask for {}, or for /sessions/{{provider}}/{{sessionId}}", either(&SUBJECTS)))
            }
            _ => Err(format!("ask for only one of {}", either(&SUBJECTS))),
        }
    }

    fn of_session(session: &str, parameters: &Parameters<'_>) -> Result<Self, String> {
        let (provider, id) = session.split_once('/').ok_or("`session` must be {provider}%2F{sessionId}")?;
        let (part, event) = (parameters.get("part"), parameters.get("event"));
        let next = parameters.get("next").map(str::to_owned);
        if !matches!(part, Some("events" | "notifications")) && next.is_some() {
            return Err("`next` goes with lists; leave it out".into());
        }
        let event = match (part, event) {
            (Some("payload"), None) => return Err("with `part=payload`, `event` must name the event".into()),
            (Some("payload"), Some(event)) => EventId::new(event).ok(),
            _ => None,
        };
        Ok(SessionKey::named(provider, id).map_or(Self::OfNoSession, |key| match (part, event) {
            (Some("events"), _) => Self::Events(key, next),
            (Some("notifications"), _) => Self::Notifications(key, next),
            (_, Some(event)) => Self::Payload(key, event),
            _ => Self::Session(key),
        }))
    }
}

/// Refuses parameters that say nothing without another one.
fn refuse_lonely(parameters: &Parameters<'_>) -> Result<(), String> {
    let has = |name: &str| parameters.get(name).is_some();
    if let Some(filter) = FILTERS.into_iter().find(|filter| has(filter) && !has("status")) {
        return Err(format!("`{filter}` goes with `status` only"));
    }
    if has("part") && !has("session") {
        return Err("`part` goes with `session` only".into());
    }
    if parameters.get("part").is_some_and(|part| !PARTS.contains(&part)) {
        return Err(format!("`part` must be {}; leave it out for the record", either(&PARTS)));
    }
    if has("event") && parameters.get("part") != Some("payload") {
        return Err("`event` goes with `part=payload` only".into());
    }
    Ok(())
}

fn by_status(status: &str, parameters: &Parameters<'_>) -> Result<ByStatus, String> {
    let time = |name: &str| {
        let read = |text| {
            Timestamp::parse(text).ok_or_else(|| {
                format!("`{name}` must be a time in RFC 3339, such as 2026-06-12T00:00:00Z; write a plus sign as %2B")
            })
        };
        parameters.get(name).map(read).transpose()
    };
    let list = ByStatus {
        status: word("status", status, Status::ALL, Status::as_str)?,
        provider: chosen(parameters, "provider", Provider::ALL, Provider::as_str)?,
        outcome: chosen(parameters, "outcome", Outcome::ALL, Outcome::as_str)?,
        since: time("since")?,
        until: time("until")?,
    };
    match (list.since, list.until) {
        (Some(since), Some(until)) if since >= until => Err("`since` must be before `until`".into()),
        _ => Ok(list),
    }
}

fn chosen<T: Copy, const N: usize>(
    parameters: &Parameters<'_>,
    name: &str,
    all: [T; N],
    text: fn(T) -> &'static str,
) -> Result<Option<T>, String> {
    parameters.get(name).map(|value| word(name, value, all, text)).transpose()
}

/// Reads one of the words that a parameter may be.
fn word<T: Copy, const N: usize>(
    name: &str,
    value: &str,
    all: [T; N],
    text: fn(T) -> &'static str,
) -> Result<T, String> {
    let found = all.into_iter().find(|word| text(*word) == value);
    found.ok_or_else(|| format!("`{name}` must be {}", either(&all.map(text))))
}

fn parameters<'r>(request: &'r Request, known: &'static [&'static str]) -> Result<Parameters<'r>, String> {
    Parameters::read(&request.query, known).map_err(|problem| problem.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use verdict_pipeline::{Deadline, gateway::RequestId};
    use verdict_webhooks::{Delivery, Headers};

    fn request(route: &str, path: &[(&str, &str)], query: &[(&str, &str)]) -> Request {
        let owned = |pair: &(&str, &str)| (pair.0.to_owned(), pair.1.to_owned());
        Request {
            id: RequestId::from("request".to_owned()),
            deadline: Deadline::after(std::time::Duration::from_secs(1)),
            now: Timestamp::EPOCH,
            query: query.iter().map(owned).collect(),
            path_parameters: path.iter().map(owned).collect(),
            route: format!("GET /sessions{route}"),
            caller: None,
            is_cold_start: false,
            trace: None,
            delivery: Delivery::new("GET", "/sessions", Headers::default(), Vec::new()),
        }
    }

    #[tokio::test]
    async fn a_path_asks_for_a_session_or_a_part_of_it() {
        let ask = |part: &str, provider: &str, query: &[(&str, &str)]| {
            let path = [("provider", provider), ("sessionId", "a/b")];
            Question::of(&request(&format!("/{{provider}}/{{sessionId}}{part}"), &path, query))
        };
        let session = || SessionKey::named("veriff", "a/b").unwrap();
        assert_eq!(ask("", "veriff", &[]), Ok(Question::Session(session())));
        assert_eq!(ask("/events", "veriff", &[]), Ok(Question::Events(session(), None)));
        let next = || Some("c".to_owned());
        assert_eq!(ask("/events", "veriff", &[("next", "c")]), Ok(Question::Events(session(), next())));
        assert_eq!(ask("/notifications", "veriff", &[("next", "c")]), Ok(Question::Notifications(session(), next())));
        assert_eq!(ask("/events", "nobody", &[]), Ok(Question::OfNoSession));
        assert!(ask("", "veriff", &[("next", "c")]).is_err());
        assert!(ask("/events", "veriff", &[("part", "events")]).is_err());
        assert!(ask("", "nobody", &[("part", "events")]).is_err());
    }

    fn search(query: &[(&str, &str)]) -> Result<Question, String> {
        Question::of(&request("", &[], query))
    }

    #[tokio::test]
    async fn a_search_asks_for_one_session_or_for_those_of_a_reference_or_a_status() {
        let session = ("session", "wultra/a/b");
        let key = || SessionKey::named("wultra", "a/b").unwrap();
        let next = || Some("c".to_owned());
        assert_eq!(search(&[session]), Ok(Question::Session(key())));
        assert_eq!(search(&[("part", "events"), session]), Ok(Question::Events(key(), None)));
        let told = [session, ("part", "notifications"), ("next", "c")];
        assert_eq!(search(&told), Ok(Question::Notifications(key(), next())));
        let payload = [session, ("part", "payload"), ("event", "e/1")];
        assert_eq!(search(&payload), Ok(Question::Payload(key(), EventId::new("e/1").unwrap())));
        assert_eq!(search(&[("session", "nobody/x")]), Ok(Question::OfNoSession));
        let reference = [("reference", " c 1 "), ("next", "c")];
        assert_eq!(search(&reference), Ok(Question::ByReference(" c 1 ".to_owned(), next())));
        let list = ByStatus { status: Status::InReview, provider: None, outcome: None, since: None, until: None };
        assert_eq!(search(&[("status", "in_review")]), Ok(Question::ByStatus(list, None)));
        let narrowed = ByStatus {
            provider: Some(Provider::Incode),
            outcome: Some(Outcome::ResubmissionRequested),
            since: Timestamp::parse("2026-06-12T00:00:00Z"),
            until: Timestamp::parse("2026-06-12T00:00:00.000000001Z"),
            ..list
        };
        let query = [
            ("outcome", "resubmission_requested"),
            ("provider", "incode"),
            ("since", "2026-06-12T02:00:00+02:00"),
            ("until", "2026-06-12T00:00:00.000000001Z"),
            ("status", "in_review"),
            ("next", "c"),
            ("X-Amz-Signature", "0"),
        ];
        assert_eq!(search(&query), Ok(Question::ByStatus(narrowed, next())));
    }

    const TIME: &str = "2026-06-12T00:00:00Z";

    /// What is asked wrongly, and what the answer says of it. `canary` is in no answer.
    const MISTAKES: [(&[(&str, &str)], &str); 25] = [
        (&[], "ask for `session`, `reference` or `status`"),
        (&[("next", "canary")], "ask for `session`, `reference` or `status`"),
        (&[("canary", "x")], "a parameter is unknown; this path takes `session`, `part`"),
        (&[("status", "decided"), ("Outcome", "canary")], "a parameter is unknown"),
        (&[("reference", "canary"), ("status", "decided")], "only one of"),
        (&[("reference", "canary"), ("session", "veriff/canary")], "only one of"),
        (&[("session", "veriff/canary"), ("status", "decided")], "only one of"),
        (&[("status", "decided"), ("status", "decided")], "`status` stands there more than once"),
        (
            &[("status", "canary")],
            "`status` must be `new`, `started`, `submitted`, `in_review`, `awaiting_resubmission` or",
        ),
        (&[("status", "DECIDED")], "`status` must be"),
        (&[("status", " ")], "`status` has no value"),
        (
            &[("status", "decided"), ("provider", "canary")],
            "`provider` must be `veriff`, `incode`, `treezor` or `wultra`",
        ),
        (&[("status", "decided"), ("outcome", "canary")], "`outcome` must be `approved`, `declined`"),
        (&[("status", "decided"), ("since", "canary")], "`since` must be a time in RFC 3339"),
        (&[("status", "decided"), ("until", "2026-06-12T02:00:00 02:00")], "write a plus sign as %2B"),
        (&[("status", "decided"), ("since", TIME), ("until", TIME)], "`since` must be before `until`"),
        (
            &[("status", "decided"), ("since", TIME), ("until", "2026-06-11T23:59:59Z")],
            "`since` must be before `until`",
        ),
        (&[("reference", "canary"), ("outcome", "approved")], "`outcome` goes with `status` only"),
        (&[("since", TIME)], "`since` goes with `status` only"),
        (&[("part", "events")], "`part` goes with `session` only"),
        (&[("session", "veriff/x"), ("part", "canary")], "`part` must be `events`, `notifications` or `payload`"),
        (&[("session", "veriff/x"), ("part", "payload")], "`event` must name the event"),
        (&[("session", "veriff/x"), ("part", "events"), ("event", "canary")], "`event` goes with `part=payload` only"),
        (&[("session", "veriff/x"), ("next", "canary")], "`next` goes with lists"),
        (&[("session", "canary")], "`session` must be {provider}%2F{sessionId}"),
    ];

    #[tokio::test]
    async fn a_mistake_is_told_and_what_was_given_is_not_repeated() {
        for (query, expected) in MISTAKES {
            let message = search(query).unwrap_err();
            assert!(message.contains(expected), "{query:?}: {message}");
            assert!(!message.contains("canary"), "{message}");
        }
    }
}
