//! Reading the payload of one event.

use crate::store::table::{
    SessionsTable,
    error::TableError,
    items::{self, Item, PartitionKey, string},
};
use std::collections::HashMap;
use verdict_sessions::{EventId, SessionKey, Timestamp};

/// The payload that a session's event has, or the reason why there is none.
#[derive(Debug)]
pub enum FoundPayload {
    /// No webhook has spoken of the session.
    NoSession,
    /// The session has no such event.
    NoEvent,
    /// The event stays, but its payload's time is over.
    Expired,
    /// The payload.
    Stored(StoredPayload),
}

/// A minimised payload, as it is stored.
#[derive(Debug)]
pub struct StoredPayload {
    /// The path that it came to or was fetched from.
    pub source: String,
    /// The payload as JSON text.
    pub text: String,
    /// The time from which it is no longer shown. DynamoDB deletes it within days after that.
    pub expires_at: Timestamp,
}

impl SessionsTable {
    /// Reads the payload of an event, consistently.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn payload(
        &self,
        session: &SessionKey,
        event_id: &EventId,
        now: Timestamp,
    ) -> Result<FoundPayload, TableError> {
        let key = PartitionKey::of(session);
        let (event_sk, payload_sk) = (items::event_sk(event_id), items::payload_sk(event_id));
        let keys = vec![items::state_key(&key), items::key(&key, &event_sk), items::key(&key, &payload_sk)];
        let items = self.items(keys).await?;
        let by_sk: HashMap<&str, &Item> = items.iter().filter_map(|item| Some((string(item, "sk")?, item))).collect();
        if !by_sk.contains_key(items::STATE) {
            return Ok(FoundPayload::NoSession);
        }
        if !by_sk.contains_key(&*event_sk) {
            return Ok(FoundPayload::NoEvent);
        }
        let Some(item) = by_sk.get(&*payload_sk) else { return Ok(FoundPayload::Expired) };
        let stored = stored(item).ok_or(TableError::Unreadable("payload"))?;
        Ok(if stored.expires_at <= now { FoundPayload::Expired } else { FoundPayload::Stored(stored) })
    }
}

fn stored(item: &Item) -> Option<StoredPayload> {
    let items::StoredPayload { payload, .. } = items::stored_payload(item)?;
    Some(StoredPayload {
        source: payload.source.to_owned(),
        text: payload.text.to_owned(),
        expires_at: items::expires_at(item)?,
    })
}
