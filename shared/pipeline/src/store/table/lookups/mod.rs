//! Reading for callers: records, what they are made of, what was told of them, and lists of them, page by page.
//!
//! Except for `payload`, all of it names the attributes that it reads: the role of the function that answers callers may
//! read no others, and so no payload.

mod cursor;
mod events;
mod page;
pub(crate) mod payload;
mod reference;
pub(crate) mod standing;
pub(crate) mod told;

pub use page::Page;

use super::{
    KEYS_PER_READ, SessionsTable,
    error::TableError,
    items::{self, Item, PartitionKey, string},
};
use std::collections::{HashMap, HashSet};
use verdict_sessions::{Session, SessionKey};

const _: () = assert!(page::PAGE_SIZE <= KEYS_PER_READ, "the records of a page are read in one batch");

impl SessionsTable {
    /// Reads a session's record, consistently.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn session(&self, session: &SessionKey) -> Result<Option<Session>, TableError> {
        let key = items::state_key(&PartitionKey::of(session));
        let item = self.item_by(key, items::SESSION_ATTRIBUTES).await?;
        item.map(items::read_session).transpose()
    }

    /// Reads the records of up to a page of sessions, consistently and in one batch: those that there are, as items.
    pub(super) async fn records(
        &self,
        partitions: impl Iterator<Item = &PartitionKey>,
    ) -> Result<HashMap<PartitionKey, Item>, TableError> {
        let partitions: HashSet<&PartitionKey> = partitions.collect();
        let keys = partitions.into_iter().map(items::state_key).collect();
        let found = self.items_by(keys, items::SESSION_ATTRIBUTES).await?;
        let by_partition = |item: Item| Some((PartitionKey::stored(string(&item, "pk")?), item));
        Ok(found.into_iter().filter_map(by_partition).collect())
    }
}
