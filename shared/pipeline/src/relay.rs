//! The outbox: notifications that are committed but not yet known to be in the queue.
//!
//! Each is written in the transaction that makes it due, published right after, and deleted once SQS
//! has it. A function that dies in between leaves its entries to the relay. Both publish a session's
//! entries in order of sequence and under the same ids, so that they can't get in each other's way: at
//! worst SQS is sent a copy. SQS drops a copy that comes within five minutes. A drainer that was frozen
//! for longer can repeat an id after newer ones have gone out; it can't change the order in which new
//! ones come first, since each drainer starts at the oldest entry that was there.
//!
//! Entries go out one by one and not as a batch: SQS may refuse part of a batch, and a later entry
//! would overtake.

use crate::{AwsError, Deadline, DecisionsQueue, SessionsTable, TableError, table::items::PartitionKey, telemetry};
use futures_util::{StreamExt as _, stream};
use std::{collections::HashSet, pin::pin};
use thiserror::Error;
use verdict_sessions::Timestamp;

/// How many sessions of each shard the relay looks up at a time.
const SESSIONS_A_SHARD: usize = 250;

/// How many sessions the relay works on at a time. Within a session, one after the other.
const AT_A_TIME: usize = 16;

/// Why an outbox could not be emptied. Its entries stay for the relay.
#[derive(Debug, Error)]
pub(crate) enum DrainError {
    /// The table did not answer.
    #[error("table: {0}")]
    Table(#[from] TableError),
    /// SQS did not confirm.
    #[error("queue: {0}")]
    Queue(#[from] AwsError),
}

/// Publishes what a session's outbox holds, in order, and says how many it published.
///
/// # Errors
/// [`DrainError`] at the first entry that could not be published: a later one must not overtake it.
pub(crate) async fn drain(
    table: &SessionsTable,
    queue: &DecisionsQueue,
    session: &PartitionKey,
) -> Result<usize, DrainError> {
    let notifications = table.outbox(session).await?;
    for notification in &notifications {
        queue.publish(notification).await?;
        table.remove_from_outbox(session, notification.sequence).await?;
    }
    Ok(notifications.len())
}

/// Publishes what functions that died left behind, until nothing is due or the time is up. Each session is tried once
/// a run: one that can't be published stands in nobody's way.
///
/// # Errors
/// [`TableError`] where the table can't say what is due.
pub async fn relay(
    table: &SessionsTable,
    queue: &DecisionsQueue,
    now: Timestamp,
    deadline: Deadline,
) -> Result<(), TableError> {
    let mut tried = HashSet::new();
    let mut run = Run::default();
    loop {
        let due = table.due_outboxes(now, SESSIONS_A_SHARD, &tried);
        let due = match deadline.try_bound(due).await {
            Err(TableError::Deadline) if !tried.is_empty() => break,
            due => due?,
        };
        if due.is_empty() {
            break;
        }
        let ages = due.iter().map(|(_, since)| now.seconds_since(*since));
        run.oldest_seconds = ages.chain([run.oldest_seconds]).max().unwrap_or(0);
        run.drain(table, queue, &due, deadline).await;
        tried.extend(due.into_iter().map(|(session, _)| session));
    }
    telemetry::report_relay(now, run.published, run.failed, run.oldest_seconds);
    Ok(())
}

/// What one run of the relay did.
#[derive(Default)]
struct Run {
    published: usize,
    /// Sessions whose outbox is not empty yet.
    failed: usize,
    oldest_seconds: u64,
}

impl Run {
    async fn drain(
        &mut self,
        table: &SessionsTable,
        queue: &DecisionsQueue,
        due: &[(PartitionKey, Timestamp)],
        deadline: Deadline,
    ) {
        let drained = stream::iter(due)
            .map(async |(session, _)| deadline.bound(drain(table, queue, session)).await)
            .buffer_unordered(AT_A_TIME);
        let mut drained = pin!(drained);
        while let Some(session) = drained.next().await {
            match session {
                Ok(Ok(count)) => self.published += count,
                Ok(Err(error)) => {
                    self.failed += 1;
                    tracing::warn!(%error, "an outbox could not be emptied; the next run tries again");
                }
                Err(_elapsed) => self.failed += 1,
            }
        }
    }
}
