//! What must hold of a provider's door, whatever comes in.

use crate::{arrival, kept, php, provider::Sender, record, request::Request};
use serde_json::Value;
use std::collections::HashSet;
use verdict_sessions::{AttemptId, EventId, Session, SessionEvent, SessionId};
use verdict_webhooks::{Genuine, Part, Reading, Refusal, json::Json, read, read_again};

/// A text of an event that is shorter than this is neither a blob nor what is left of one that was cut off.
const HARMLESS: usize = 100;

/// In a body this short, no reference is too long to be kept, which might fit once a blob was taken out of it.
const WITHOUT_LONG_REFERENCES: usize = 1024;

/// Takes an input for a request of the provider's, as it stands and rightly proved.
pub fn check<P: Sender>(provider: &P, input: &[u8]) {
    let request = Request::parse(input);
    let forged = provider.prove(request.delivery(), arrival());
    assert!(forged.is_err(), "proved without a secret: {forged:?}");

    let Some((request, genuine)) = proved(provider, request) else { return };
    let pick = input.iter().fold(input.len(), |pick, byte| pick.wrapping_mul(31) ^ usize::from(*byte));
    let wrong = provider.prove(P::wrongly(request.clone(), pick).delivery(), arrival());
    assert!(wrong.is_err(), "proved by a wrong proof");

    assert!(!genuine.path().contains("//") && !genuine.path().ends_with('/'), "a slash too many is stored");
    let reading = read(&genuine);
    assert_eq!(reading, read(&genuine));
    assert!(!(genuine.is_probe() && matches!(reading, Ok(Reading::Events { .. }))), "a probe says something");
    let kept = check_kept(&genuine);
    if let Ok(Reading::Events { events, parts }) = &reading {
        check_events(events, &genuine);
        parts.iter().for_each(|part| kept::check(&part.payload));
        check_fold(events);
        check_read_later(&genuine, &kept, events, parts);
    }
}

/// The request with the right proof, on a path of the provider's.
fn proved<P: Sender>(provider: &P, request: Request) -> Option<(Request, Genuine)> {
    let request = P::rightly(Request { method: "POST".into(), ..request })?;
    match provider.prove(request.delivery(), arrival()) {
        Ok(genuine) => Some((request, genuine)),
        Err(Refusal::PathUnknown) => {
            let request = Request { path: P::PATH.into(), ..request };
            proof_holds(provider.prove(request.delivery(), arrival())).map(|genuine| (request, genuine))
        }
        refused => proof_holds(refused).map(|genuine| (request, genuine)),
    }
}

/// Of what is rightly proved, only an envelope in which two readers could find different members is refused, and a
/// payload that only has the form that is signed once its white space is dropped: that is no JSON.
fn proof_holds(proved: Result<Genuine, Refusal>) -> Option<Genuine> {
    match proved {
        Ok(genuine) => Some(genuine),
        Err(refusal) => {
            let is_right = matches!(refusal, Refusal::EnvelopeUnreadable | Refusal::SignatureMismatch);
            assert!(is_right, "the right proof is refused: {refusal:?}");
            None
        }
    }
}

/// Every text that becomes a key is there and fits; every other is bounded.
fn check_events(events: &[SessionEvent], genuine: &Genuine) {
    assert!(!events.is_empty());
    let ids: HashSet<_> = events.iter().map(|event| (&event.session, &event.event_id)).collect();
    assert_eq!(ids.len(), events.len(), "two facts of one webhook under one id");
    for event in events {
        assert_eq!((event.session.provider, event.received_at), (genuine.provider(), genuine.received_at()));
        assert!(SessionId::new(event.session.session_id.as_str()).is_ok());
        assert!(EventId::new(event.event_id.as_str()).is_ok());
        assert!(event.attempt_id.as_ref().is_none_or(|id| AttemptId::new(id.as_str()).is_ok()));
        for name in [&event.subject.reference, &event.subject.provider_user_id].into_iter().flatten() {
            assert!(!name.trim().is_empty() && name.len() <= 1024, "no key: {name:?}");
        }
        let reasons = event.checks.values().filter_map(|check| check.reason.as_ref());
        for reason in reasons.chain(event.decision.as_ref().and_then(|decision| decision.reason.as_ref())) {
            assert!(reason.chars().count() <= 1024);
        }
        assert!(event.detail.values().all(|value| value.chars().count() <= 128));
        assert!(event.checks.keys().all(|name| name.len() <= 256) && event.name.len() <= 64);
    }
}

/// The events make the same record in any order, and what is to be told of it holds nothing of the reason's text.
fn check_fold(events: &[SessionEvent]) {
    let one_session = || events.iter().filter(|event| event.session == events[0].session);
    let (first, last) = (record::fold(None, one_session()), record::fold(None, one_session().rev()));
    let comparable = |session: Session| Session { version: 0, notifications: 0, ..session };
    assert_eq!(comparable(first), comparable(last), "the order of events shows");
}

/// The webhook as a queue of ours keeps it, and gives it back.
fn check_kept(genuine: &Genuine) -> Genuine {
    let body = genuine.minimised_body(usize::MAX).unwrap().into_owned();
    // What can't be read stays as sent.
    if Json::parse(genuine.body()).is_ok() {
        kept::nothing_secret_is_left(str::from_utf8(&body).expect("JSON"));
    }
    let path = genuine.path().to_owned();
    let kept = Genuine::from_our_queue(genuine.provider(), path, genuine.received_at(), body, genuine.body_digest());
    assert_eq!(&*kept.minimised_body(usize::MAX).unwrap(), kept.body(), "not minimal yet");
    kept
}

/// What is kept on a queue, and what is stored, can be read later to the same end.
fn check_read_later(genuine: &Genuine, kept: &Genuine, events: &[SessionEvent], parts: &[Part]) {
    let is_whole = |body: &str| matches!(parts, [part] if php::without_white_space(body) == part.payload);
    let all_is_kept = str::from_utf8(genuine.body()).is_ok_and(is_whole);
    let is_told_the_same =
        genuine.body().len() <= WITHOUT_LONG_REFERENCES && events.iter().all(shows_nothing_to_leave_out);
    let again = events.iter().zip(parts).map(|(event, part)| read_again(event, genuine.path(), &part.payload));
    let later = read(kept);
    if all_is_kept {
        assert_eq!(later, Ok(Reading::Events { events: events.to_owned(), parts: parts.to_owned() }));
        assert!(again.eq(events.iter().map(|event| Ok(Some(event.clone())))), "it means something else once stored");
    } else if is_told_the_same {
        let Ok(Reading::Events { events: later, .. }) = later else { panic!("unreadable once it was kept: {later:?}") };
        assert_eq!(without_ids(&later), without_ids(events), "it means something else once it was kept");
    } else {
        again.for_each(drop);
    }
}

fn without_ids(events: &[SessionEvent]) -> Vec<SessionEvent> {
    let same = EventId::new("any").expect("an id");
    events.iter().map(|event| SessionEvent { event_id: same.clone(), ..event.clone() }).collect()
}

/// Whether no text of an event is of a sort that minimising may shorten: long, a document, or with a token in it.
fn shows_nothing_to_leave_out(event: &SessionEvent) -> bool {
    fn is_harmless(value: &Value) -> bool {
        match value {
            Value::String(text) => {
                text.len() < HARMLESS && !text.contains("eyJ") && !text.trim_start().starts_with(['{', '[', '"'])
            }
            Value::Array(items) => items.iter().all(is_harmless),
            Value::Object(members) => members.iter().all(|(name, value)| name.len() < 64 && is_harmless(value)),
            _ => true,
        }
    }
    let any_id = EventId::new("any").expect("an id");
    is_harmless(&serde_json::to_value(SessionEvent { event_id: any_id, ..event.clone() }).expect("JSON"))
}
