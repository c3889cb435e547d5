//! Publishing: a notification leaves its outbox once SQS has confirmed it, and in no other way.
//!
//! Each notification is written to its session's outbox in the transaction that makes it due, published right after,
//! and turned into what was told when SQS has confirmed it. If a function crashes in between, the relay publishes what
//! is left. Both publish a session's entries in order of sequence and under the same ids, so that they can't get in
//! each other's way: at worst SQS is sent a copy, and drops it if it comes within five minutes. A publisher that was
//! frozen for longer can repeat an id after newer ones have gone out. It can't change the order in which new ones come
//! first: it publishes one from memory only if all before it were told when that one was written, and else starts at
//! the oldest entry that was there.
//!
//! Entries go out one by one and not as a batch: SQS may refuse a part of a batch, and a later entry would overtake.

use crate::{
    store::{
        aws_error::AwsError,
        queues::DecisionsQueue,
        table::{SessionsTable, error::TableError, items::PartitionKey, record::Due},
    },
    time::{
        clock::Clock,
        deadline::{Deadline, Elapsed},
    },
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

    /// Publishes what is due, of one session after the other, until the deadline. The relay publishes what this can't:
    /// it is durable.
    pub(crate) async fn publish_due(&self, due: &[Due], clock: Clock, deadline: Deadline) {
        for (published, due) in (0..).zip(due) {
            let publish = async {
                match due {
                    Due::Next(next) => self.publish(&PartitionKey::of(&next.session), next, clock).await,
                    Due::Outbox(session) => self.publish_outbox(&PartitionKey::of(session), clock).await.map(drop),
                }
            };
            match deadline.try_bound(publish).await {
                Ok(()) => {}
                Err(error @ PublishError::Deadline(_)) => {
                    tracing::warn!(%error, published, "could not publish all; the rest is left to the relay");
                    return;
                }
                Err(error) => tracing::warn!(%error, "could not publish; left to the relay"),
            }
        }
    }

    /// Publishes a session's outbox in order, and returns how many notifications it held.
    ///
    /// # Errors
    /// [`PublishError`] at the first entry that can't be published: a later one must not overtake it.
    pub(crate) async fn publish_outbox(&self, partition: &PartitionKey, clock: Clock) -> Result<usize, PublishError> {
        let notifications = self.table.outbox(partition).await?;
        for notification in &notifications {
            self.publish(partition, notification, clock).await?;
        }
        Ok(notifications.len())
    }

    /// Publishes one entry. SQS's confirmation ends it.
    async fn publish(
        &self,
        partition: &PartitionKey,
        notification: &Notification,
        clock: Clock,
    ) -> Result<(), PublishError> {
        let message_id = self.queue.publish(notification).await?;
        self.table.confirm(partition, notification, &message_id, clock.now()).await?;
        Ok(())
    }
}
