//! Sending again what was told of a session: from a sequence on to the last that was told, in order, each message as it
//! was told.
//!
//! This is for a consumer that lost messages. Nothing that is due is touched: the outbox is the publishers', and a request
//! waits until it is empty. A message in it may have reached the consumer before the consumer went back, and SQS would
//! drop the publisher's copy.
//!
//! Before it sends, a request takes the session (see [`mod@turn`]); when it stops, it writes down how far it has come.
//! If it crashes in between, its message comes back and it begins again where it was taken last. SQS drops what it has
//! then sent twice, or, after five minutes, consumers do, by their one rule.

mod report;
mod turn;

pub(crate) use report::Report;
pub(super) use turn::LEASE;

use crate::{
    decisions::publisher::{PublishError, Publisher},
    store::table::{
        SessionsTable,
        error::TableError,
        items::{PartitionKey, Resend},
        resends::{StoredResend, ToldFrom},
    },
    time::{
        backoff::Pauses,
        clock::Clock,
        deadline::{Deadline, Elapsed},
    },
};
use std::time::Duration;
use tokio::time::sleep;
use turn::{Turn, turn};
use verdict_sessions::SessionKey;

/// The pause before each message: no run sends more than twenty a second, so that consumers keep up with what is new.
const PAUSE: Duration = Duration::from_millis(50);

/// The most messages that one run sends: all that its time and the pauses allow.
const MOST_MESSAGES: usize = 500;

/// The part of a run that is kept back for writing down how far it has come.
const RESERVE: Duration = Duration::from_millis(1200);

/// A request, as its message on intake has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'r> {
    pub(crate) session: &'r SessionKey,
    /// The first sequence that is sent again.
    pub(crate) from: u64,
    /// Equal each time the request is received.
    pub(crate) id: &'r str,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) enum Resent {
    /// It has sent all that there was to send.
    All(Sent),
    /// It has sent a part. The rest is sent when the message is received again.
    Part { sent: Sent, stopped: PublishError },
    /// An earlier run of the same request has sent all.
    Before,
    /// It waits on intake.
    Waiting(Waiting),
    /// Nothing is sent, now and later.
    Refused(Refused),
}

/// The messages that a run has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The first sequence, if it has sent any. Above the one that was asked for if that was told by a release that kept
    /// nothing of it, or was sent by an earlier run.
    first: Option<u64>,
    /// The last sequence that the request sends.
    to: Option<u64>,
    count: usize,
}

/// The reason for which a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// A message of the session is due.
    Outbox,
    /// Another request is sending the session's messages.
    AnotherRequest,
}

/// The reason for which nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The session doesn't exist.
    Unknown,
    /// Nothing was told of it, or nothing that was kept.
    NothingTold,
    /// The last sequence that was told is below the one that was asked for.
    FromAboveLast(u64),
    /// There were too many requests for the session in the last hour.
    TooMany,
}

/// A run that may send.
struct Run {
    stored: StoredResend,
    told: ToldFrom,
}

/// Carries out a request, as far as its time goes.
///
/// # Errors
/// [`TableError`] if nothing was sent, since the table failed.
pub(crate) async fn resend(
    table: &SessionsTable,
    publisher: &Publisher,
    request: Request<'_>,
    clock: Clock,
    deadline: Deadline,
) -> Result<Resent, TableError> {
    let send_by = deadline.before(RESERVE);
    let partition = PartitionKey::of(request.session);
    let run = match send_by.try_bound(take(table, &partition, request, clock)).await? {
        Ok(run) => run,
        Err(ended) => return Ok(ended),
    };
    let mut resend = run.stored.resend.clone();
    let mut sent = Sent { to: Some(resend.last), ..Sent::default() };
    let stopped = send(publisher, &run.told, &mut resend, &mut sent, send_by).await.err();
    let resend = turn::stopped(resend, clock.now());
    // If this fails, others wait until the lease is over, and the request itself may send a part once more.
    let written = deadline.try_bound(table.write_resend(&partition, resend, Some(&run.stored))).await;
    if let Err(error) = written {
        tracing::warn!(%error, "could not write down how far a resend has come");
    }
    Ok(match stopped {
        None => Resent::All(sent),
        Some(stopped) => Resent::Part { sent, stopped },
    })
}

/// Takes the session for a request, or says why it doesn't.
async fn take(
    table: &SessionsTable,
    partition: &PartitionKey,
    Request { session, from, id }: Request<'_>,
    clock: Clock,
) -> Result<Result<Run, Resent>, TableError> {
    let refused = |refused| Ok(Err(Resent::Refused(refused)));
    let mut pauses = Pauses::default();
    loop {
        let latest = table.latest_resend(partition).await?;
        let own = latest.as_ref().map(|latest| &latest.resend).filter(|latest| latest.request == id);
        // Before what was told is read: what leaves the outbox is there from then on.
        if own.is_none() && table.has_outbox(partition).await? {
            return Ok(Err(Resent::Waiting(Waiting::Outbox)));
        }
        let next = own.map_or(from, |own| own.next);
        let Some(told) = table.told_from(partition, next, MOST_MESSAGES).await? else {
            let is_known = table.session(session).await?.is_some();
            return refused(if is_known { Refused::NothingTold } else { Refused::Unknown });
        };
        if own.is_none() && told.last < from {
            return refused(Refused::FromAboveLast(told.last));
        }
        match turn(latest.as_ref().map(|latest| &latest.resend), id, from, told.last, clock.now()) {
            Turn::Now(resend) => {
                if let Some(stored) = table.write_resend(partition, resend, latest.as_ref()).await? {
                    return Ok(Ok(Run { stored, told }));
                }
                // Another request was faster; or this write took effect, and its answer was lost.
                sleep(pauses.next()).await;
            }
            Turn::Later => return Ok(Err(Resent::Waiting(Waiting::AnotherRequest))),
            Turn::Done => return Ok(Err(Resent::Before)),
            Turn::TooMany => return refused(Refused::TooMany),
        }
    }
}

/// Sends one message after the other, and keeps count in `resend` and `sent`.
///
/// # Errors
/// [`PublishError`] at the first that can't be sent: a later one must not overtake it.
async fn send(
    publisher: &Publisher,
    told: &ToldFrom,
    resend: &mut Resend,
    sent: &mut Sent,
    send_by: Deadline,
) -> Result<(), PublishError> {
    for (sequence, entry) in told.entries.iter().take_while(|(sequence, _)| **sequence <= resend.last) {
        let next = async {
            sleep(PAUSE).await;
            publisher.publish_again(entry, &resend.request).await
        };
        send_by.try_bound(next).await?;
        resend.next = sequence + 1;
        sent.first.get_or_insert(*sequence);
        sent.count += 1;
    }
    if told.entries.len() == MOST_MESSAGES && resend.next <= resend.last {
        return Err(Elapsed.into());
    }
    resend.next = resend.last + 1;
    Ok(())
}
