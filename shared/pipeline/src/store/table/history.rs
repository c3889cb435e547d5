//! A session's history: reading what was recorded, and replacing what a corrected reader reads otherwise.

use super::{
    SessionsTable,
    error::TableError,
    items::{self, EventItem, PartitionKey, StoredPayload, read},
    outbox::OutboxEntry,
    transaction::Written,
};
use verdict_sessions::{Applied, SequenceBase, Session, SessionEvent, SessionKey, Timestamp};

impl SessionsTable {
    /// Reads all of a session's events.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn all_events(&self, session: &SessionKey) -> Result<Vec<SessionEvent>, TableError> {
        let mut events = Vec::new();
        let mut pages = self.query(&PartitionKey::of(session), items::EVENT).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            events.push(read::<EventItem>(item?, "event")?.event);
        }
        Ok(events)
    }

    /// Hands a session's payloads over one by one, since together they may be large.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn each_payload(
        &self,
        session: &SessionKey,
        mut each: impl FnMut(StoredPayload<'_>),
    ) -> Result<(), TableError> {
        let mut pages = self.query(&PartitionKey::of(session), items::PAYLOAD).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            each(items::stored_payload(&item?).ok_or(TableError::Unreadable("payload"))?);
        }
        Ok(())
    }

    /// Replaces an event by what a corrected reader makes of it. Whatever is stored beside it stays, above all its
    /// evidence.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn replace_event(&self, event: &SessionEvent) -> Result<(), TableError> {
        let key = items::key(&PartitionKey::of(&event.session), &items::event_sk(&event.event_id));
        self.client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key))
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET #event = :event")
            .expression_attribute_names("#event", "event")
            .expression_attribute_values(":event", items::event_attribute(event)?)
            .send()
            .await?;
        Ok(())
    }

    /// Replaces a payload that is still there.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn replace_payload(
        &self,
        session: &SessionKey,
        stored: &StoredPayload<'_>,
    ) -> Result<(), TableError> {
        let item = items::payload_until(&PartitionKey::of(session), stored);
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        put.condition_expression("attribute_exists(pk)").send().await?;
        Ok(())
    }

    /// Replaces a session's record, and puts the notification of the change in its outbox, unless another writer has
    /// changed the session since.
    ///
    /// # Errors
    /// [`TableError::Conflict`] if another writer has.
    pub(crate) async fn replace_session(
        &self,
        before: &Session,
        after: &Applied,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let key = PartitionKey::of(&before.key);
        let mut writes = vec![self.put_session(&key, &after.session, Some(before))?];
        if let Some(notification) = &after.notification {
            // No webhook caused it, so it belongs to no trace.
            let entry = OutboxEntry { notification: notification.clone(), due_since: now, trace: None };
            writes.push(self.put(items::outbox_entry(&key, &entry, before.notifications)?)?);
        }
        match self.write(writes).await? {
            Written::Yes => Ok(()),
            // The only condition is the session's version, and it comes first here.
            Written::ConditionFailed | Written::CheckFailed => Err(TableError::Conflict),
        }
    }

    /// Writes a session's record as it is, with the keys of the index `standing` that it lacked, unless another writer
    /// has changed the session since.
    ///
    /// # Errors
    /// [`TableError::Conflict`] if another writer has.
    pub(crate) async fn index_session(&self, session: &Session) -> Result<(), TableError> {
        let key = PartitionKey::of(&session.key);
        match self.write(vec![self.put_session(&key, session, Some(session))?]).await? {
            Written::Yes => Ok(()),
            Written::ConditionFailed | Written::CheckFailed => Err(TableError::Conflict),
        }
    }

    /// The number above which sequences go on.
    pub(crate) fn sequence_base(&self) -> SequenceBase {
        self.sequence_base
    }
}
