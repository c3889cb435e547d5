//! Reading for callers: records, what they are made of, what was told of them, and lists of them, page by page.
//!
//! Except for `payload`, all of it names the attributes that it reads: the role of the function that answers callers may
//! read no others, and so no payload. It uses no batches, since the local stack's IAM doesn't know the attributes that
//! a batch names, so that no test could hold the role to them.

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
    items::{self, Item, PartitionKey},
};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use std::collections::{HashMap, HashSet};
use verdict_sessions::{Session, SessionKey};

/// The number of records of a list that are read at the same time, each over a connection of its own.
const READS_AT_A_TIME: usize = 10;

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

    /// Reads the records of sessions, consistently: those that there are, as items.
    pub(super) async fn records(
        &self,
        partitions: impl Iterator<Item = &PartitionKey>,
    ) -> Result<HashMap<PartitionKey, Item>, TableError> {
        let partitions: HashSet<&PartitionKey> = partitions.collect();
        let reads = partitions.into_iter().map(async |partition| {
            let item = self.item_by(items::state_key(partition), items::SESSION_ATTRIBUTES).await?;
            Ok::<_, TableError>(item.map(|item| (partition.clone(), item)))
        });
        let found: Vec<_> = stream::iter(reads).buffer_unordered(READS_AT_A_TIME).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}
