//! Reading a genuine webhook, and reading it again later.
//!
//! A reading needs no credentials: what is [`Genuine`] was proved before.

use crate::{
    delivery::Genuine,
    digest::sha256_hex,
    providers::{
        incode::Incode,
        provider::{Reader, Reading},
        treezor::Treezor,
        veriff::Veriff,
        wultra::Wultra,
    },
    reading::{minimise::was_cut, unreadable::Unreadable},
};
use verdict_sessions::{Provider, SessionEvent};

/// Reads a genuine webhook.
///
/// # Errors
/// [`Unreadable`] if it can't become events.
pub fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    if let Some(call) = genuine.call() {
        return Err(call);
    }
    match genuine.provider() {
        Provider::Veriff => Veriff::read(genuine),
        Provider::Incode => Incode::read(genuine),
        Provider::Treezor => Treezor::read(genuine),
        Provider::Wultra => Wultra::read(genuine),
    }
}

/// Reads again what a recorded event was made of: the path that its payload came to or was fetched from, and the
/// minimised payload. The event keeps its id, session and arrival; everything else is as today's reader has it.
/// `None` if today's reader finds nothing about that session in it, or if the payload was cut and the reader gives
/// another event: what the reader misses may have been cut away.
///
/// # Errors
/// [`Unreadable`] if today's reader can't read it.
pub fn read_again(recorded: &SessionEvent, source: &str, payload: &str) -> Result<Option<SessionEvent>, Unreadable> {
    match recorded.session.provider {
        Provider::Veriff => again::<Veriff>(recorded, source, payload),
        Provider::Incode => again::<Incode>(recorded, source, payload),
        Provider::Treezor => again::<Treezor>(recorded, source, payload),
        Provider::Wultra => again::<Wultra>(recorded, source, payload),
    }
}

fn again<R: Reader>(recorded: &SessionEvent, source: &str, payload: &str) -> Result<Option<SessionEvent>, Unreadable> {
    let mut events = match R::read_answer(recorded, source, payload) {
        Some(event) => event?.into_iter().collect(),
        None => webhook::<R>(recorded, source, payload)?,
    };
    events.retain(|event| event.session == recorded.session);
    // An id that was made of the whole body can't be made again. Such a webhook speaks of one subject.
    let is_alone = events.len() == 1 && !R::TELLS_OF_SEVERAL;
    let same = events.iter().position(|event| event.event_id == recorded.event_id);
    let found = same.or(is_alone.then_some(0)).map(|position| events.swap_remove(position));
    let found = found.map(|event| SessionEvent { event_id: recorded.event_id.clone(), ..event });
    Ok(found.filter(|event| event == recorded || !was_cut(payload)))
}

fn webhook<R: Reader>(recorded: &SessionEvent, path: &str, payload: &str) -> Result<Vec<SessionEvent>, Unreadable> {
    let body = payload.as_bytes().to_vec();
    let digest = sha256_hex(&body);
    let genuine =
        Genuine::from_our_queue(recorded.session.provider, path.to_owned(), recorded.received_at, body, digest);
    Ok(match R::read(&genuine)? {
        Reading::Events { events, .. } => events,
        Reading::Nothing(_) => Vec::new(),
    })
}
