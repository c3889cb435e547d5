//! The events of a session.

use super::{
    cursor::List,
    page::{self, Page},
};
use crate::store::table::{
    SessionsTable,
    error::TableError,
    items::{self, EventItem, PartitionKey, read, string},
};
use verdict_sessions::{EventId, SessionEvent, SessionKey};

impl SessionsTable {
    /// Reads a page of a session's events, by arrival within the page. Returns `None` if the cursor is none of this list.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn events(
        &self,
        session: &SessionKey,
        cursor: Option<&str>,
    ) -> Result<Option<Page<SessionEvent>>, TableError> {
        let key = PartitionKey::of(session);
        let list = List::new("events", &[Some(key.as_str())]);
        let start = match cursor.map(|cursor| list.place(cursor)) {
            None => None,
            Some(Some(sk)) if is_event(&sk) => Some(items::key(&key, &sk)),
            Some(_) => return Ok(None),
        };
        let Some(answer) = page::query(self.query(&key, items::EVENT), start).await? else { return Ok(None) };
        let next = answer.last_evaluated_key.as_ref().and_then(|key| string(key, "sk")).map(|sk| list.cursor(sk));
        let mut items: Vec<SessionEvent> = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|item| Ok(read::<EventItem>(item, "event")?.event))
            .collect::<Result<_, TableError>>()?;
        items.sort_by(|a, b| (a.received_at, &a.event_id).cmp(&(b.received_at, &b.event_id)));
        Ok(Some(Page { items, next }))
    }
}

fn is_event(sk: &str) -> bool {
    sk.strip_prefix(items::EVENT).is_some_and(|event_id| EventId::new(event_id).is_ok())
}
