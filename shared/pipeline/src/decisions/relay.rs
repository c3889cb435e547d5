//! The relay publishes notifications that a crashed function left in the outbox, or that SQS did not confirm.

use super::publisher::{PublishError, Publisher};
use crate::{
    store::table::{SessionsTable, error::TableError, items::PartitionKey},
    telemetry::Line,
    time::{
        clock::Clock,
        deadline::{Deadline, Elapsed},
    },
};
use futures_util::{StreamExt as _, stream};
use std::{collections::HashSet, pin::pin};
use verdict_sessions::Timestamp;

/// The number of sessions of each shard that the relay looks up at once.
const SESSIONS_PER_SHARD: usize = 250;

/// The most sessions that the relay works on at once. Within a session, it publishes one entry after the other.
const MAX_CONCURRENT_SESSIONS: usize = 16;

/// Publishes what functions left in outboxes.
#[derive(Debug)]
pub struct Relay {
    table: SessionsTable,
    publisher: Publisher,
}

/// The tally of one run.
#[derive(Default)]
struct RelayRun {
    published: usize,
    /// Sessions whose outbox is not empty yet.
    failed: usize,
    oldest_seconds: u64,
}

impl Relay {
    pub(crate) fn new(table: SessionsTable, publisher: Publisher) -> Self {
        Self { table, publisher }
    }

    /// Publishes all that is due, until nothing is left or the deadline comes. A run tries each session once, so that
    /// one which can't be published holds up no other.
    ///
    /// # Errors
    /// [`TableError`] if the table can't say what is due.
    pub async fn run(&self, now: Timestamp, deadline: Deadline) -> Result<(), TableError> {
        let clock = Clock::at(now);
        let mut tried = HashSet::new();
        let mut run = RelayRun::default();
        loop {
            let due = self.table.due_outboxes(now, SESSIONS_PER_SHARD, &tried);
            let due = match deadline.try_bound(due).await {
                Err(TableError::Deadline) if !tried.is_empty() => break,
                due => due?,
            };
            if due.is_empty() {
                break;
            }
            let ages = due.iter().map(|(_, since)| now.seconds_since(*since));
            run.oldest_seconds = ages.chain([run.oldest_seconds]).max().unwrap_or(0);
            self.publish(&due, clock, deadline, &mut run).await;
            tried.extend(due.into_iter().map(|(partition, _)| partition));
        }
        let line = Line::new("relay").count("relayed", run.published).count("notRelayed", run.failed);
        line.seconds("oldestDue", run.oldest_seconds).print(now);
        Ok(())
    }

    async fn publish(&self, due: &[(PartitionKey, Timestamp)], clock: Clock, deadline: Deadline, run: &mut RelayRun) {
        let published = stream::iter(due)
            .map(async |(partition, _)| deadline.try_bound(self.publisher.publish_outbox(partition, clock)).await)
            .buffer_unordered(MAX_CONCURRENT_SESSIONS);
        let mut published = pin!(published);
        while let Some(outbox) = published.next().await {
            run.add(outbox);
        }
    }
}

impl RelayRun {
    fn add(&mut self, outbox: Result<usize, PublishError>) {
        match outbox {
            Ok(count) => self.published += count,
            Err(PublishError::Deadline(Elapsed)) => self.failed += 1,
            Err(error) => {
                self.failed += 1;
                tracing::warn!(%error, "an outbox could not be emptied; the next run tries again");
            }
        }
    }
}
