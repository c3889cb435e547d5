//! The history of a session: what was told of it, in order of sequence.

use super::{
    cursor::List,
    page::{Filling, PAGE_SIZE, Page, size_in_answer},
};
use crate::store::table::{
    SessionsTable,
    error::TableError,
    items::{self, PartitionKey, ToldItem, read},
};
use serde::Serialize;
use std::collections::BTreeMap;
use verdict_sessions::{CloudEvent, Notification, SessionKey, Timestamp};

/// A notification that SQS has taken.
#[derive(Debug)]
pub struct Told {
    notification: Notification,
    at: Timestamp,
    message_id: String,
}

/// A notification that SQS has taken, as callers see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToldView<'t> {
    sequence: u64,
    told_at: Timestamp,
    message_id: &'t str,
    message: CloudEvent<'t>,
}

/// A part of what was told of a session.
#[derive(Debug)]
pub struct History {
    /// The lowest sequence that is kept. Releases up to 0.1 kept none.
    pub begins: Option<u64>,
    /// The notifications.
    pub page: Page<Told>,
}

impl SessionsTable {
    /// Reads a page of what was told of a session. Returns `None` if the cursor is none of this list.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn history(&self, session: &SessionKey, cursor: Option<&str>) -> Result<Option<History>, TableError> {
        let key = PartitionKey::of(session);
        let list = List::new("notifications", &[Some(key.as_str())]);
        let after = match cursor.map(|cursor| list.place(cursor).and_then(|place| place.parse().ok())) {
            None => 0,
            Some(Some(sequence)) => sequence,
            Some(None) => return Ok(None),
        };
        let (begins, told) = self.told_after(&key, after).await?;
        Ok(Some(History { begins, page: page_of(&list, told, after) }))
    }

    /// Reads the notifications with the lowest sequences above `after`: a page, and one more if there is one. Also
    /// returns the lowest sequence of all. Sort keys hold numbers as text, in which 10 comes before 2, so all are read.
    async fn told_after(
        &self,
        key: &PartitionKey,
        after: u64,
    ) -> Result<(Option<u64>, BTreeMap<u64, ToldItem>), TableError> {
        let (mut begins, mut told) = (None, BTreeMap::new());
        let mut pages = self.query_by(key, items::TOLD, items::TOLD_ATTRIBUTES).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item: ToldItem = read(item?, "notification")?;
            let sequence = item.notification.sequence;
            begins = Some(begins.map_or(sequence, |lowest: u64| lowest.min(sequence)));
            if sequence > after {
                told.insert(sequence, item);
            }
            if told.len() > PAGE_SIZE + 1 {
                told.pop_last();
            }
        }
        Ok((begins, told))
    }
}

fn page_of(list: &List, told: BTreeMap<u64, ToldItem>, after: u64) -> Page<Told> {
    let mut filling = Filling::new();
    let mut place = after;
    for (sequence, item) in told {
        let told = Told { notification: item.notification, at: item.told_at, message_id: item.message_id };
        let size = size_in_answer(&told.view());
        if filling.add(told, size).is_err() {
            return filling.page(list, Some(&place.to_string()));
        }
        place = sequence;
    }
    filling.page(list, None)
}

impl Told {
    /// The part of it that callers see.
    #[must_use]
    pub fn view(&self) -> ToldView<'_> {
        ToldView {
            sequence: self.notification.sequence,
            told_at: self.at,
            message_id: &self.message_id,
            message: self.notification.cloud_event(),
        }
    }
}
