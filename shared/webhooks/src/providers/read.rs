//! Reading a genuine webhook, and reading it again later.
//!
//! A reading needs no credentials: what is [`Genuine`] was proved before.

use crate::{
    delivery::Genuine,
    digest::sha256_hex,
    providers::{
        incode::Incode,
        provider::{Batch, Part, Reader, Reading},
        treezor::Treezor,
        veriff::Veriff,
        wultra::Wultra,
    },
    reading::{minimise::was_cut, unreadable::Unreadable},
};
use verdict_sessions::{EventId, Provider, SessionEvent};

/// The most subjects of a webhook whose events are in memory at once.
pub const SUBJECTS_IN_A_BATCH: usize = 512;

/// Reads a genuine webhook.
///
/// # Errors
/// [`Unreadable`] if it can't become events.
pub fn read(genuine: &Genuine) -> Result<Reading, Unreadable> {
    batch(genuine, 0, usize::MAX).map(|batch| batch.reading)
}

/// Reads at most [`SUBJECTS_IN_A_BATCH`] of a genuine webhook's subjects, beginning with the one in the place `first`.
/// With the first of all, the others are looked at, too: if one of them can't be read, none is.
///
/// # Errors
/// [`Unreadable`] if the webhook can't become events.
pub fn read_batch(genuine: &Genuine, first: usize) -> Result<Batch, Unreadable> {
    batch(genuine, first, SUBJECTS_IN_A_BATCH)
}

fn batch(genuine: &Genuine, first: usize, most: usize) -> Result<Batch, Unreadable> {
    if let Some(call) = genuine.call() {
        return Err(call);
    }
    let Batch { reading, next } = match genuine.provider() {
        Provider::Veriff => Veriff::read_batch(genuine, first, most),
        Provider::Incode => Incode::read_batch(genuine, first, most),
        Provider::Treezor => Treezor::read_batch(genuine, first, most),
        Provider::Wultra => Wultra::read_batch(genuine, first, most),
    }?;
    Ok(Batch { reading: reading.without_repeats(), next })
}

/// A recorded event as today's reader has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadAgain {
    /// The event.
    pub event: SessionEvent,
    /// The id that a webhook of today with this part would give the event.
    pub id: EventId,
    /// The part of its payload that it comes from, as it would be stored today.
    pub part: Part,
}

/// Reads again what a recorded event was made of: the path that its payload came to or was fetched from, and the
/// minimised payload. The event keeps its id, session and arrival, that it was a second reading, and whether its
/// decision had to be confirmed; everything else is as today's reader has it. `None` if today's reader finds nothing
/// about that session in it, or if the payload was cut and the reader gives another event: what the reader misses may
/// have been cut away.
///
/// # Errors
/// [`Unreadable`] if today's reader can't read it.
pub fn read_again(recorded: &SessionEvent, source: &str, payload: &str) -> Result<Option<SessionEvent>, Unreadable> {
    Ok(read_part_again(recorded, source, payload)?.map(|again| again.event))
}

/// Does so, and returns the part of the payload that the event comes from, too.
///
/// # Errors
/// [`Unreadable`] if today's reader can't read it.
pub fn read_part_again(recorded: &SessionEvent, source: &str, payload: &str) -> Result<Option<ReadAgain>, Unreadable> {
    match recorded.session.provider {
        Provider::Veriff => again::<Veriff>(recorded, source, payload),
        Provider::Incode => again::<Incode>(recorded, source, payload),
        Provider::Treezor => again::<Treezor>(recorded, source, payload),
        Provider::Wultra => again::<Wultra>(recorded, source, payload),
    }
}

fn again<R: Reader>(recorded: &SessionEvent, source: &str, payload: &str) -> Result<Option<ReadAgain>, Unreadable> {
    let found = match R::read_answer(recorded, source, payload) {
        Some(event) => event?.map(|event| (event, Part::whole(payload.to_owned()))),
        None => of_webhook::<R>(recorded, source, payload)?,
    };
    let found = found.filter(|(event, _)| event.session == recorded.session);
    let found = found.map(|(mut event, part)| {
        let id = std::mem::replace(&mut event.event_id, recorded.event_id.clone());
        let event = if recorded.is_second_reading() { event.as_second_reading() } else { event };
        let event = if recorded.is_unconfirmed() { event.as_unconfirmed() } else { event };
        ReadAgain { event, id, part }
    });
    Ok(found.filter(|again| again.event == *recorded || !was_cut(payload)))
}

/// The event of a stored webhook that is the recorded one: by its id of today or of the first release. Of a webhook with
/// one event, it is that event: an id that was made of the whole body can't be made again.
fn of_webhook<R: Reader>(
    recorded: &SessionEvent,
    path: &str,
    payload: &str,
) -> Result<Option<(SessionEvent, Part)>, Unreadable> {
    let body = payload.as_bytes().to_vec();
    let digest = sha256_hex(&body);
    let genuine =
        Genuine::from_our_queue(recorded.session.provider, path.to_owned(), recorded.received_at, body, digest)
            .stamped(recorded.is_unconfirmed());
    let Reading::Events { events, parts } = R::read(&genuine)? else { return Ok(None) };
    let is_alone = events.len() == 1;
    let is_same = |(event, part): &(SessionEvent, Part)| {
        let ids = [Some(&event.event_id), part.former_id.as_ref()];
        is_alone || event.session == recorded.session && ids.contains(&Some(&recorded.event_id))
    };
    Ok(events.into_iter().zip(parts).find(is_same))
}
