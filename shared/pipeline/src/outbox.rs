//! The outbox: notifications that are committed but not yet known to be in the queue.
//!
//! Each is written in the transaction that makes it due, published right after, and deleted once SQS
//! has it. A function that dies in between leaves its entries to the relay. Both publish a session's
//! entries in order of sequence and under the same ids, so that they can't get in each other's way:
//! at worst SQS is sent a copy, which it drops.

use crate::{AwsError, Deadline, DecisionsQueue, SessionsTable, TableError, table::PartitionKey, telemetry};
use futures_util::{StreamExt as _, stream};
use std::pin::pin;
use thiserror::Error;
use verdict_sessions::Timestamp;

/// The most sessions of each shard that one run of the relay takes on; the next run is a minute away.
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

/// Publishes what functions that died left behind, until nothing is due or the time is up.
///
/// # Errors
/// [`TableError`] where the table can't say what is due.
pub async fn relay(
    table: &SessionsTable,
    queue: &DecisionsQueue,
    now: Timestamp,
    deadline: Deadline,
) -> Result<(), TableError> {
    let due = deadline.bound(table.due_sessions(now, SESSIONS_A_SHARD)).await.map_err(|_| TableError::Deadline)??;
    let oldest = due.iter().map(|(_, since)| now.unix_seconds().saturating_sub(since.unix_seconds())).max();
    let drained = stream::iter(&due)
        .map(async |(session, _)| deadline.bound(drain(table, queue, session)).await)
        .buffer_unordered(AT_A_TIME);
    let (mut published, mut failed) = (0, 0);
    let mut drained = pin!(drained);
    while let Some(session) = drained.next().await {
        match session {
            Ok(Ok(count)) => published += count,
            Ok(Err(error)) => {
                failed += 1;
                tracing::warn!(%error, "an outbox could not be emptied; the next run tries again");
            }
            Err(_elapsed) => failed += 1,
        }
    }
    telemetry::report_relay(now, published, failed, oldest.and_then(|age| age.try_into().ok()).unwrap_or(0));
    Ok(())
}
