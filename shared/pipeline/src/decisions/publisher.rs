//! Publishing: a notification leaves its outbox once SQS has confirmed it, and in no other way.
//!
//! Each notification is written to its session's outbox in the transaction that makes it due, published right after,
//! and deleted when SQS has confirmed it. If a function crashes in between, the relay publishes what is left. Both
//! publish a session's entries in order of sequence and under the same ids, so that they can't get in each other's way:
//! at worst SQS is sent a copy, and drops it if it comes within five minutes. A publisher that was frozen for longer
//! can repeat an id after newer ones have gone out. It can't change the order in which new ones come first, since each
//! publisher starts at the oldest entry that was there.
//!
//! Entries go out one by one and not as a batch: SQS may refuse a part of a batch, and a later entry would overtake.

use crate::{
    store::{
        aws_error::AwsError,
        queues::DecisionsQueue,
        table::{SessionsTable, error::TableError, items::PartitionKey},
    },
    time::deadline::{Deadline, Elapsed},
};
use thiserror::Error;
use verdict_sessions::Notification;

/// Publishes what outboxes hold.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    table: SessionsTable,
    queue: DecisionsQueue,
}

/// The reason for which an outbox could not be emptied. The relay publishes what is left of it.
#[derive(Debug, Error)]
pub(crate) enum PublishError {
    /// The table failed.
    #[error("table: {0}")]
    Table(#[from] TableError),
    /// SQS did not confirm.
    #[error("queue: {0}")]
    Queue(#[from] AwsError),
    /// The deadline came first.
    #[error(transparent)]
    Deadline(#[from] Elapsed),
}

impl Publisher {
    pub(crate) fn new(table: SessionsTable, queue: DecisionsQueue) -> Self {
        Self { table, queue }
    }

    /// Publishes the outboxes that have something due, one after the other. The relay publishes what this can't: it is
    /// durable.
    pub(crate) async fn publish_due(&self, due: &[PartitionKey], deadline: Deadline) {
        for partition in due {
            if let Err(error) = deadline.try_bound(self.publish_outbox(partition)).await {
                tracing::warn!(%error, "could not publish; left to the relay");
            }
        }
    }

    /// Publishes a session's outbox in order, and returns how many notifications it held.
    ///
    /// # Errors
    /// [`PublishError`] at the first entry that can't be published: a later one must not overtake it.
    pub(crate) async fn publish_outbox(&self, partition: &PartitionKey) -> Result<usize, PublishError> {
        let notifications = self.table.outbox(partition).await?;
        for notification in &notifications {
            self.publish(partition, notification).await?;
        }
        Ok(notifications.len())
    }

    /// Publishes one entry. SQS's confirmation ends it.
    async fn publish(&self, partition: &PartitionKey, notification: &Notification) -> Result<(), PublishError> {
        self.queue.publish(notification).await?;
        self.table.remove_from_outbox(partition, notification.sequence).await?;
        Ok(())
    }
}
