//! A session's outbox: the notifications that SQS has not confirmed yet.

use super::{
    SessionsTable,
    error::TableError,
    items::{self, OUTBOX_SHARDS, OutboxItem, PartitionKey, read},
    transaction::Written,
};
use crate::time::backoff::Pauses;
use std::collections::HashSet;
use verdict_sessions::{Notification, Timestamp, Trace};

/// A notification in an outbox: SQS has not confirmed it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    pub(crate) notification: Notification,
    /// The time at which it became due: of the arrival or the poll that caused it.
    pub(crate) due_since: Timestamp,
    /// The trace of what caused it.
    pub(crate) trace: Option<Trace>,
}

impl SessionsTable {
    /// Reads a session's outbox: in order of sequence, from the oldest entry on, up to the first gap.
    ///
    /// # Errors
    /// [`TableError`]; [`TableError::Conflict`] if the entry before the oldest is about to be written.
    pub(crate) async fn outbox(&self, partition: &PartitionKey) -> Result<Vec<OutboxEntry>, TableError> {
        let mut entries = Vec::new();
        let mut pages = self.query(partition, items::NOTIFICATION).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            entries.push(read::<OutboxItem>(item?, "outbox entry")?);
        }
        let entries = in_order(entries);
        // A query may see one transaction's entry and not yet that of the transaction before. A read of that single
        // item sees it.
        if let Some(last) = entries.first().map(OutboxItem::predecessor).filter(|last| *last > 0)
            && self.item(partition, &items::notification_sk(last)).await?.is_some()
        {
            return Err(TableError::Conflict);
        }
        entries.into_iter().map(OutboxItem::entry).collect()
    }

    /// Turns an outbox entry into what was told, once SQS has taken it under this id. If it was turned before, the
    /// first time counts.
    ///
    /// # Errors
    /// [`TableError`]. The entry will then be published once more, under the same id.
    pub(crate) async fn confirm(
        &self,
        partition: &PartitionKey,
        entry: &OutboxEntry,
        message_id: &str,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let key = || items::key(partition, &items::notification_sk(entry.notification.sequence));
        let mut pauses = Pauses::default();
        loop {
            let writes =
                vec![self.put_if_absent(items::told(partition, entry, message_id, now)?)?, self.delete(key())?];
            match self.write(writes).await {
                Ok(Written::Yes) => return Ok(()),
                Ok(Written::ConditionFailed | Written::CheckFailed) => break,
                // The next notification of the session is being written, and looks at this entry.
                Err(TableError::Conflict) => tokio::time::sleep(pauses.next()).await,
                Err(error) => return Err(error),
            }
        }
        self.client.delete_item().table_name(&self.name).set_key(Some(key())).send().await?;
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
fn in_order(mut entries: Vec<OutboxItem>) -> Vec<OutboxItem> {
    entries.sort_by_key(|entry| entry.notification.sequence);
    let follows = |pair: &[OutboxItem]| pair[1].predecessor() == pair[0].notification.sequence;
    let unbroken = entries.windows(2).take_while(|pair| follows(pair)).count();
    entries.truncate(unbroken + 1);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_is_published_by_number_and_up_to_its_first_gap() {
        let of = |entries: &[(u64, Option<u64>)]| {
            let entries = entries.iter().map(|(sequence, follows)| {
                serde_json::from_value(serde_json::json!({
                    "pk": "p", "sk": "s", "dueShard": "outbox#0", "dueAt": "2026-06-13T00:38:30Z", "follows": follows,
                    "notification": {
                        "provider": "veriff", "sessionId": "s", "kind": "verification", "sequence": sequence,
                        "outcome": "review", "final": false, "correction": false, "decidedAt": "2026-06-13T00:38:30Z",
                    },
                }))
                .unwrap()
            });
            in_order(entries.collect()).iter().map(|entry| entry.notification.sequence).collect::<Vec<_>>()
        };
        let one_less = |sequences: &[u64]| of(&sequences.iter().map(|sequence| (*sequence, None)).collect::<Vec<_>>());
        assert_eq!(one_less(&[10, 11, 8, 9]), [8, 9, 10, 11]);
        assert_eq!(one_less(&[20, 21, 18]), [18]);
        assert_eq!(one_less(&[]), Vec::<u64>::new());
        assert_eq!(of(&[(1001, Some(3)), (2, None), (1002, None), (3, None)]), [2, 3, 1001, 1002], "a jump is no gap");
        assert_eq!(of(&[(1001, Some(4)), (3, None)]), [3]);
    }
}
