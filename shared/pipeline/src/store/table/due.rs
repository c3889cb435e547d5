//! The index `due`: sessions that wait, either for their outbox to be published or for a poll.

use super::{
    SessionsTable,
    error::TableError,
    items::{PartitionKey, string},
};
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashSet;
use verdict_sessions::Timestamp;

impl SessionsTable {
    /// Finds the sessions that are due by `now`, and since when: up to `limit` of each shard, the longest due first,
    /// and none that is `known`.
    pub(super) async fn due(
        &self,
        shards: impl Iterator<Item = String>,
        now: Timestamp,
        limit: usize,
        known: &HashSet<PartitionKey>,
    ) -> Result<Vec<(PartitionKey, Timestamp)>, TableError> {
        let mut due = Vec::new();
        for shard in shards {
            let mut entries = self
                .client
                .query()
                .table_name(&self.name)
                .index_name("due")
                .key_condition_expression("dueShard = :shard AND dueAt <= :now")
                .expression_attribute_values(":shard", AttributeValue::S(shard))
                .expression_attribute_values(":now", AttributeValue::S(now.sortable()))
                .into_paginator()
                .items()
                .send();
            // A session's entries are all in one shard, and the oldest comes first.
            let mut found = HashSet::new();
            while found.len() < limit
                && let Some(entry) = entries.next().await
            {
                let entry = entry?;
                let at = string(&entry, "dueAt").and_then(Timestamp::parse);
                let (Some(pk), Some(at)) = (string(&entry, "pk"), at) else {
                    tracing::error!("an entry of the index `due` can't be read; it is skipped");
                    continue;
                };
                let partition = PartitionKey::stored(pk);
                if !known.contains(&partition) && found.insert(partition.clone()) {
                    due.push((partition, at));
                }
            }
        }
        Ok(due)
    }
}
