//! Reading for callers: records, what they are made of, what was told of them, and lists of them, page by page.

mod cursor;
mod events;
mod page;
pub(crate) mod payload;
mod reference;
pub(crate) mod standing;
pub(crate) mod told;

pub use page::Page;

use super::{
    SessionsTable,
    error::TableError,
    items::{self, Item, PartitionKey, SessionItem, read, string},
};
use std::collections::HashMap;
use verdict_sessions::{Session, SessionKey};

impl SessionsTable {
    /// Reads a session's record, consistently.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn session(&self, session: &SessionKey) -> Result<Option<Session>, TableError> {
        let item = self.item(&PartitionKey::of(session), items::STATE).await?;
        item.map(|item| Ok(read::<SessionItem>(item, "session")?.session)).transpose()
    }

    /// Reads the records of sessions, consistently: those that there are, as items.
    pub(super) async fn records(
        &self,
        partitions: impl Iterator<Item = &PartitionKey>,
    ) -> Result<HashMap<PartitionKey, Item>, TableError> {
        // DynamoDB refuses a request that names a key twice.
        let keys: HashMap<&PartitionKey, Item> = partitions.map(|pk| (pk, items::state_key(pk))).collect();
        let found = self.items(keys.into_values().collect()).await?;
        Ok(found.into_iter().filter_map(|item| Some((PartitionKey::stored(string(&item, "pk")?), item))).collect())
    }
}
