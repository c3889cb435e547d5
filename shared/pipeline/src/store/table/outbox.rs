//! A session's outbox: the notifications that SQS has not confirmed yet.

use super::{
    SessionsTable,
    error::TableError,
    items::{self, OUTBOX_SHARDS, OutboxItem, PartitionKey, read},
};
use std::collections::HashSet;
use verdict_sessions::{Notification, Timestamp};

impl SessionsTable {
    /// Reads a session's outbox: in order of sequence, from the oldest entry on, up to the first gap.
    ///
    /// # Errors
    /// [`TableError`]; [`TableError::Conflict`] if the entry before the oldest is about to be written.
    pub(crate) async fn outbox(&self, partition: &PartitionKey) -> Result<Vec<Notification>, TableError> {
        let mut notifications = Vec::new();
        let mut pages = self.query(partition, items::NOTIFICATION).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            notifications.push(read::<OutboxItem>(item?, "outbox entry")?.notification);
        }
        let notifications = in_order(notifications);
        // A query may see one transaction's entry and not yet that of the transaction before. A read of that single
        // item sees it.
        if let Some(first) = notifications.first().filter(|first| first.sequence > 1)
            && self.item(partition, &items::notification_sk(first.sequence - 1)).await?.is_some()
        {
            return Err(TableError::Conflict);
        }
        Ok(notifications)
    }

    /// Deletes an outbox entry, once SQS has confirmed it.
    ///
    /// # Errors
    /// [`TableError`]. The entry will then be published once more, under the same id.
    pub(crate) async fn remove_from_outbox(&self, partition: &PartitionKey, sequence: u64) -> Result<(), TableError> {
        self.client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(items::key(partition, &items::notification_sk(sequence))))
            .send()
            .await?;
        Ok(())
    }

    /// Finds the sessions whose outbox should have been emptied by `now`, and since when: up to `limit` of each shard,
    /// so that no shard waits for another, and none that is `known`.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn due_outboxes(
        &self,
        now: Timestamp,
        limit: usize,
        known: &HashSet<PartitionKey>,
    ) -> Result<Vec<(PartitionKey, Timestamp)>, TableError> {
        self.due((0..OUTBOX_SHARDS).map(items::outbox_shard), now, limit, known).await
    }
}

/// Sorts by number, since as text 10 would come before 2, and cuts at the first gap. An outbox has none; but an entry
/// that is written between two pages of a long query may be missed, and a later one must not overtake it.
fn in_order(mut notifications: Vec<Notification>) -> Vec<Notification> {
    notifications.sort_by_key(|notification| notification.sequence);
    let first = notifications.first().map_or(0, |notification| notification.sequence);
    let unbroken =
        notifications.iter().zip(first..).take_while(|(entry, expected)| entry.sequence == *expected).count();
    notifications.truncate(unbroken);
    notifications
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_is_published_by_number_and_up_to_its_first_gap() {
        let of = |sequences: &[u64]| {
            let entries = sequences.iter().map(|sequence| {
                serde_json::from_value(serde_json::json!({
                    "provider": "veriff", "sessionId": "s", "kind": "verification", "sequence": sequence,
                    "outcome": "review", "final": false, "correction": false, "decidedAt": "2026-06-13T00:38:30Z",
                }))
                .unwrap()
            });
            in_order(entries.collect()).iter().map(|entry| entry.sequence).collect::<Vec<_>>()
        };
        assert_eq!(of(&[10, 11, 8, 9]), [8, 9, 10, 11]);
        assert_eq!(of(&[20, 21, 18]), [18]);
        assert_eq!(of(&[]), Vec::<u64>::new());
    }
}
