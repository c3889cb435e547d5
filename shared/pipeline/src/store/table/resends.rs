//! Sending again what was told: the messages, and the item that says whose turn it is.

use super::{
    SessionsTable,
    error::{TableError, if_condition_holds},
    items::{self, PartitionKey, Resend, ResendItem, ToldItem, number, read},
};
use std::{collections::BTreeMap, time::Duration};
use verdict_sessions::{Notification, Trace};

/// The time for which the item outlives its lease, before DynamoDB may delete it. It is longer than requests are counted.
const RETENTION: Duration = Duration::from_hours(24);

/// A notification that was told, as it is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToldEntry {
    pub(crate) notification: Notification,
    /// The trace that it was told in. Absent if it has none, or if an earlier release told it.
    pub(crate) trace: Option<Trace>,
}

/// What was told of a session from some sequence on.
#[derive(Debug)]
pub(crate) struct ToldFrom {
    /// The highest sequence of all.
    pub(crate) last: u64,
    /// The entries with the lowest sequences, in order: all, or as many as were asked for.
    pub(crate) entries: BTreeMap<u64, ToldEntry>,
}

/// The latest resend of a session, as it was read.
#[derive(Debug)]
pub(crate) struct StoredResend {
    pub(crate) resend: Resend,
    version: u64,
}

impl SessionsTable {
    /// Reads what was told of a session from this sequence on, up to `limit` entries. Returns `None` if nothing was
    /// told of it at all. Sort keys hold numbers as text, in which 10 comes before 2, so all are read.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn told_from(
        &self,
        partition: &PartitionKey,
        from: u64,
        limit: usize,
    ) -> Result<Option<ToldFrom>, TableError> {
        let (mut last, mut entries) = (None, BTreeMap::new());
        let mut pages = self.query(partition, items::TOLD).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let ToldItem { notification, trace, .. } = read(item?, "notification")?;
            let sequence = notification.sequence;
            last = last.max(Some(sequence));
            if sequence >= from {
                entries.insert(sequence, ToldEntry { notification, trace });
            }
            if entries.len() > limit {
                entries.pop_last();
            }
        }
        Ok(last.map(|last| ToldFrom { last, entries }))
    }

    /// Returns whether a session's outbox holds anything. SQS may have taken that already.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn has_outbox(&self, partition: &PartitionKey) -> Result<bool, TableError> {
        Ok(!self.query(partition, items::NOTIFICATION).limit(1).send().await?.items().is_empty())
    }

    /// Reads a session's latest resend, consistently.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn latest_resend(&self, partition: &PartitionKey) -> Result<Option<StoredResend>, TableError> {
        let Some(item) = self.item(partition, items::RESEND).await? else { return Ok(None) };
        let ResendItem { resend, version, .. } = read(item, "resend")?;
        Ok(Some(StoredResend { resend, version }))
    }

    /// Writes a session's latest resend, on condition that no other writer has changed it since it was read. Returns it
    /// as it is stored then, or `None` if another writer has.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn write_resend(
        &self,
        partition: &PartitionKey,
        resend: Resend,
        before: Option<&StoredResend>,
    ) -> Result<Option<StoredResend>, TableError> {
        let version = before.map_or(0, |before| before.version) + 1;
        let item = items::resend(partition, &resend, version, RETENTION)?;
        let mut update = self.client.update_item().table_name(&self.name).set_key(Some(items::resend_key(partition)));
        let mut assignments = Vec::new();
        for (name, value) in item.into_iter().filter(|(name, _)| !["pk", "sk"].contains(&name.as_str())) {
            assignments.push(format!("#{name} = :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), &name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        let update = update.update_expression(format!("SET {}", assignments.join(", ")));
        let update = match before {
            None => update.condition_expression("attribute_not_exists(pk)"),
            Some(before) => update
                .condition_expression("#version = :before")
                .expression_attribute_values(":before", number(before.version)),
        };
        let written = if_condition_holds(update.send().await)?;
        Ok(written.map(|_| StoredResend { resend, version }))
    }
}
