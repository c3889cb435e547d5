//! The ids of today of events that release 0.1 recorded under ids of another sort. A copy comes with the id of today,
//! and with one of the other sort only if nothing around its payload was changed.

use super::{
    SessionsTable,
    error::TableError,
    items::{self, Item, PartitionKey},
};
use std::collections::{HashMap, HashSet};
use verdict_sessions::{EventId, SessionEvent, SessionKey};
use verdict_webhooks::{Binding, ReadAgain, read_part_again};

/// The ids by which copies of a recorded event are known that come with another id.
#[derive(Debug)]
pub(crate) struct PartId {
    recorded: EventId,
    /// The id that the event would have today.
    today: EventId,
    binding: Option<Binding>,
}

impl PartId {
    /// Of an event that was read again. `None` if it is recorded under its id of today.
    pub(crate) fn of(recorded: &SessionEvent, again: &ReadAgain) -> Option<Self> {
        let of_recorded = || Self {
            recorded: recorded.event_id.clone(),
            today: again.id.clone(),
            binding: again.part.binding.clone(),
        };
        // Only an id of the first release is another one that stays known.
        (again.part.former_id.is_some() && again.id != recorded.event_id).then(of_recorded)
    }
}

impl SessionsTable {
    /// Writes down the ids of today of a session's events, as far as their payloads are there, and returns them.
    ///
    /// # Errors
    /// [`TableError`].
    pub(super) async fn learn_part_ids(&self, session: &SessionKey) -> Result<HashSet<EventId>, TableError> {
        let events = self.all_events(session).await?;
        let events: HashMap<_, _> = events.iter().map(|event| (&event.event_id, event)).collect();
        let mut part_ids = Vec::new();
        self.each_payload(session, |stored| {
            let Some(event) = events.get(&stored.event_id) else { return };
            if let Ok(Some(again)) = read_part_again(event, stored.payload.source, stored.payload.text) {
                part_ids.extend(PartId::of(event, &again));
            }
        })
        .await?;
        self.write_part_ids(session, &part_ids).await?;
        Ok(part_ids.into_iter().map(|part_id| part_id.today).collect())
    }

    /// Writes down ids of today, and what the events' payloads are bound to.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) async fn write_part_ids(&self, session: &SessionKey, part_ids: &[PartId]) -> Result<(), TableError> {
        let key = PartitionKey::of(session);
        for PartId { recorded, today, binding } in part_ids {
            if let Some(Binding { session, object_id }) = binding {
                self.put_first(items::binding(&PartitionKey::of(session), today, object_id)).await?;
            }
            self.put_first(items::same_event(&key, today, recorded)).await?;
        }
        Ok(())
    }

    /// Puts an item, unless there is one.
    async fn put_first(&self, item: Item) -> Result<(), TableError> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(failed) if failed.is_conditional_check_failed_exception() => Ok(()),
                _ => Err(error.into()),
            },
        }
    }
}
