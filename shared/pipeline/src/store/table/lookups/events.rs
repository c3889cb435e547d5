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
use verdict_sessions::{EventId, RecordedEvent, SessionKey};

impl SessionsTable {
    /// Reads a page of a session's events, by arrival within the page. Returns `None` if the cursor is none of this list.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn events(
        &self,
        session: &SessionKey,
        cursor: Option<&str>,
    ) -> Result<Option<Page<RecordedEvent>>, TableError> {
        let key = PartitionKey::of(session);
        let list = List::new("events", &[Some(key.as_str())]);
        let start = match cursor.map(|cursor| list.place(cursor)) {
            None => None,
            Some(Some(sk)) if is_event(&sk) => Some(items::key(&key, &sk)),
            Some(_) => return Ok(None),
        };
        let Some(answer) = page::query(self.query_by(&key, items::EVENT, items::EVENT_ATTRIBUTES), start).await? else {
            return Ok(None);
        };
        let next = answer.last_evaluated_key.as_ref().and_then(|key| string(key, "sk")).map(|sk| list.cursor(sk));
        let recorded = |item| {
            let EventItem { event, evidence, .. } = read(item, "event")?;
            Ok(RecordedEvent { event, evidence })
        };
        let items = answer.items.unwrap_or_default().into_iter().map(recorded);
        let mut items: Vec<RecordedEvent> = items.collect::<Result<_, TableError>>()?;
        let by_arrival = |RecordedEvent { event, .. }: &RecordedEvent| (event.received_at, event.event_id.clone());
        items.sort_by_cached_key(by_arrival);
        Ok(Some(Page { items, next }))
    }
}

fn is_event(sk: &str) -> bool {
    sk.strip_prefix(items::EVENT).is_some_and(|event_id| EventId::new(event_id).is_ok())
}
