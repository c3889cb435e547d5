//! The sessions of one reference.

use super::{
    cursor::List,
    page::{self, Filling, Page, size_in_answer},
};
use crate::store::table::{
    SessionsTable,
    error::TableError,
    items::{self, Item, PartitionKey, string},
};
use aws_sdk_dynamodb::types::AttributeValue;
use verdict_sessions::{Session, Timestamp};

/// An entry of the index `reference`.
struct Entry {
    at: String,
    partition: PartitionKey,
}

impl SessionsTable {
    /// Reads a page of the sessions of one reference, oldest first. Returns `None` if the cursor is none of this list.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn by_reference(
        &self,
        reference: &str,
        cursor: Option<&str>,
    ) -> Result<Option<Page<Session>>, TableError> {
        let list = List::new("reference", &[Some(reference)]);
        let start = match cursor.map(|cursor| list.place(cursor).as_deref().and_then(Entry::of_place)) {
            None => None,
            Some(Some(entry)) => Some(items::reference_key(reference, &entry.at, entry.partition.as_str())),
            Some(None) => return Ok(None),
        };
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("reference")
            // An alias, since REFERENCE is one of DynamoDB's reserved words.
            .key_condition_expression("#reference = :reference")
            .expression_attribute_names("#reference", "reference")
            .expression_attribute_values(":reference", AttributeValue::S(items::indexed(reference).into_owned()));
        let Some(found) = page::query(query, start).await? else { return Ok(None) };
        let end = found.last_evaluated_key.as_ref().and_then(Entry::of_item);
        let entries: Vec<Entry> = found.items.iter().flatten().filter_map(Entry::of_item).collect();
        Ok(Some(self.page_of(reference, &list, entries, end).await?))
    }

    /// Reads the records of entries, as many as fit on a page.
    async fn page_of(
        &self,
        reference: &str,
        list: &List,
        entries: Vec<Entry>,
        end: Option<Entry>,
    ) -> Result<Page<Session>, TableError> {
        let mut records = self.records(entries.iter().map(|entry| &entry.partition)).await?;
        let mut filling = Filling::new();
        let mut taken: Option<Entry> = None;
        for entry in entries {
            // A session that has just moved within the index may be in it twice. And the index lags behind the table: a
            // session may have got another reference since, and the key of a long reference may be another session's
            // reference.
            let session = match records.remove(&entry.partition) {
                Some(item) => items::read_session(item)?,
                None => continue,
            };
            if session.reference() == Some(reference) {
                let size = size_in_answer(&session.view());
                if filling.add(session, size).is_err() {
                    let place = taken.as_ref().map(Entry::place);
                    return Ok(filling.page(list, place.as_deref()));
                }
            }
            taken = Some(entry);
        }
        Ok(filling.page(list, end.as_ref().map(Entry::place).as_deref()))
    }
}

impl Entry {
    fn of_item(item: &Item) -> Option<Self> {
        Some(Self { at: string(item, "referenceAt")?.to_owned(), partition: PartitionKey::stored(string(item, "pk")?) })
    }

    fn place(&self) -> String {
        format!("{} {}", self.at, self.partition.as_str())
    }

    fn of_place(place: &str) -> Option<Self> {
        let (at, pk) = place.split_once(' ')?;
        let entry = Self { at: at.to_owned(), partition: PartitionKey::stored(pk) };
        let is_time = Timestamp::parse(at).is_some_and(|time| time.sortable() == at);
        (is_time && entry.partition.session().is_some()).then_some(entry)
    }
}
