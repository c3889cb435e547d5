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
        queues::{DecisionsQueue, Published},
        table::{
            SessionsTable, error::TableError, items::PartitionKey, outbox::OutboxEntry, record::Due, resends::ToldEntry,
        },
    },
    telemetry::line::{Line, shown_notification},
    time::{
        clock::Clock,
        deadline::{Deadline, Elapsed},
    },
};
use std::collections::HashSet;
use thiserror::Error;
use verdict_sessions::{Timestamp, Trace};

/// Publishes what outboxes hold.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    table: SessionsTable,
    queue: DecisionsQueue,
    origin: Origin,
}

/// The work that a publisher does its part of, as its lines call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Receiving a webhook.
    Webhook,
    /// Replaying what waited on intake, rebuilds included.
    Intake,
    /// Polling.
    Poll,
    /// Relaying what another publisher left.
    Relay,
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
    pub(crate) fn new(table: SessionsTable, queue: DecisionsQueue, origin: Origin) -> Self {
        Self { table, queue, origin }
    }

    /// Publishes what is due, of one session after the other, until the deadline. The relay publishes what this can't:
    /// it is durable.
    pub(crate) async fn publish_due(&self, due: &[Due], clock: Clock, deadline: Deadline) {
        let mut left = HashSet::new();
        for (published, due) in (0..).zip(due) {
            // A later notification must not overtake one that is left.
            if left.contains(due.session()) {
                continue;
            }
            let partition = PartitionKey::of(due.session());
            let publish = async {
                match due {
                    Due::Next(next) => self.publish(&partition, next, clock).await,
                    Due::Outbox(_) => self.publish_outbox(&partition, clock).await.map(drop),
                }
            };
            match deadline.try_bound(publish).await {
                Ok(()) => {}
                Err(error @ PublishError::Deadline(_)) => {
                    tracing::warn!(%error, published, "could not publish all; the rest is left to the relay");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "could not publish; left to the relay");
                    left.insert(due.session());
                }
            }
        }
    }

    /// Publishes a session's outbox in order, and returns how many notifications it held.
    ///
    /// # Errors
    /// [`PublishError`] at the first entry that can't be published: a later one must not overtake it.
    pub(crate) async fn publish_outbox(&self, partition: &PartitionKey, clock: Clock) -> Result<usize, PublishError> {
        let entries = self.table.outbox(partition).await?;
        for entry in &entries {
            self.publish(partition, entry, clock).await?;
        }
        Ok(entries.len())
    }

    /// Publishes one entry. SQS's confirmation ends it.
    async fn publish(&self, partition: &PartitionKey, entry: &OutboxEntry, clock: Clock) -> Result<(), PublishError> {
        let published = self.queue.publish(entry).await?;
        let now = clock.now();
        self.line(entry, &published, now).print(now);
        self.table.confirm(partition, entry, &published.message_id, now).await?;
        Ok(())
    }

    /// Publishes what was told once more, for a request to do so. What is due is left alone.
    ///
    /// # Errors
    /// [`PublishError`] if SQS did not confirm it.
    pub(crate) async fn publish_again(&self, told: &ToldEntry, request: &str) -> Result<(), PublishError> {
        Ok(self.queue.publish_again(&told.notification, told.trace, request).await?)
    }

    /// The log line about one message that SQS confirmed. A copy has a line, too.
    fn line(&self, entry: &OutboxEntry, published: &Published, now: Timestamp) -> Line {
        Line::new("publication")
            .with("notification", shown_notification(&entry.notification))
            .with("origin", self.origin.as_str())
            .with("attempt", published.attempt)
            .with("lateMs", now.millis_since(entry.due_since))
            .with("trace", entry.trace.as_ref().map(Trace::id))
    }
}

impl Origin {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Intake => "intake",
            Self::Poll => "poll",
            Self::Relay => "relay",
        }
    }
}
