//! Reading a genuine webhook, now and once more later.
//!
//! A reading needs no credentials: what is [`Genuine`] was proved before.

use crate::{
    delivery::Genuine,
    digest::sha256_hex,
    providers::{
        incode::{self, Finding},
        provider::Reading,
        treezor, veriff, wultra,
    },
    reading::{minimise::was_cut, unreadable::Unreadable},
};
use verdict_sessions::{Provider, SessionEvent};

/// Reads a genuine webhook.
///
/// # Errors
/// [`Unreadable`] where it can't become events.
pub fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    match genuine.provider() {
        Provider::Veriff => veriff::read(genuine),
        Provider::Incode => incode::read(genuine),
        Provider::Treezor => treezor::read(genuine),
        Provider::Wultra => wultra::read(genuine),
    }
}

/// Reads once more what a recorded event was made of: the path that its payload came to or was fetched from, and
/// the minimised payload. The event keeps its id, session and arrival; all else is as today's reader has it.
/// `None` where today's reader finds nothing about that session there, or reads otherwise a payload that was cut: what
/// it misses may be what was cut away.
///
/// # Errors
/// [`Unreadable`] where today's reader can make nothing of it.
pub fn read_again(recorded: &SessionEvent, source: &str, payload: &str) -> Result<Option<SessionEvent>, Unreadable> {
    let mut events = match source {
        incode::STATUS_PATH => {
            answered(Finding::of_status(&recorded.session, payload.as_bytes(), recorded.received_at)?)
        }
        incode::SCORE_PATH => answered(Finding::of_score(&recorded.session, payload.as_bytes(), recorded.received_at)?),
        _ => webhook(recorded, source, payload)?,
    };
    events.retain(|event| event.session == recorded.session);
    // An id that was made of the whole body can't be made again. Such a webhook speaks of one subject; Treezor's, which
    // may speak of several, have ids that can.
    let is_alone = events.len() == 1 && recorded.session.provider != Provider::Treezor;
    let same = events.iter().position(|event| event.event_id == recorded.event_id);
    let found = same.or(is_alone.then_some(0)).map(|position| events.swap_remove(position));
    let found = found.map(|event| SessionEvent { event_id: recorded.event_id.clone(), ..event });
    Ok(found.filter(|event| event == recorded || !was_cut(payload)))
}

fn answered(finding: Finding) -> Vec<SessionEvent> {
    finding.event.into_iter().collect()
}

fn webhook(recorded: &SessionEvent, path: &str, payload: &str) -> Result<Vec<SessionEvent>, Unreadable> {
    let body = payload.as_bytes().to_vec();
    let digest = sha256_hex(&body);
    let genuine = Genuine::kept(recorded.session.provider, path.to_owned(), recorded.received_at, body, digest);
    Ok(match read(&genuine)? {
        Reading::Events { events, .. } => events,
        Reading::Nothing(_) => Vec::new(),
    })
}
