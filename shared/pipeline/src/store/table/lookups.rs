//! Reading records: of one session or by reference, page by page.

use super::{
    SessionsTable,
    error::TableError,
    items::{self, EventItem, Item, PartitionKey, SessionItem, read, string},
};
use crate::{store::aws_error::AwsError, time::backoff::Pauses};
use aws_sdk_dynamodb::{
    operation::query::{QueryOutput, builders::QueryFluentBuilder},
    types::{AttributeValue, KeysAndAttributes},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use std::collections::{HashMap, HashSet};
use verdict_sessions::{Session, SessionEvent, SessionKey};

/// The number of entries on a page.
const PAGE_SIZE: i32 = 50;

/// A part of a list, and where the rest begins.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

impl SessionsTable {
    /// Reads a session's record, consistently.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn session(&self, session: &SessionKey) -> Result<Option<Session>, TableError> {
        let item = self.item(&PartitionKey::of(session), items::STATE).await?;
        item.map(|item| Ok(read::<SessionItem>(item, "session")?.session)).transpose()
    }

    /// Reads a page of a session's events, by arrival within the page. Returns `None` if the cursor isn't one.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn events(
        &self,
        session: &SessionKey,
        cursor: Option<&str>,
    ) -> Result<Option<Page<SessionEvent>>, TableError> {
        let key = PartitionKey::of(session);
        let start = match cursor.map(decode_cursor) {
            None => None,
            Some(Some(sk)) if sk.starts_with(items::EVENT) => Some(items::key(&key, &sk)),
            Some(_) => return Ok(None),
        };
        let Some(answer) = page(self.query(&key, items::EVENT), start).await? else { return Ok(None) };
        let next = answer.last_evaluated_key.as_ref().and_then(|key| string(key, "sk")).map(encode_cursor);
        let mut items: Vec<SessionEvent> = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|item| Ok(read::<EventItem>(item, "event")?.event))
            .collect::<Result<_, TableError>>()?;
        items.sort_by(|a, b| (a.received_at, &a.event_id).cmp(&(b.received_at, &b.event_id)));
        Ok(Some(Page { items, next }))
    }

    /// Reads a page of the sessions of one reference, oldest first. Returns `None` if the cursor isn't one.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn by_reference(
        &self,
        reference: &str,
        cursor: Option<&str>,
    ) -> Result<Option<Page<Session>>, TableError> {
        let start = match cursor.map(decode_cursor) {
            None => None,
            Some(text) => match text.as_deref().and_then(|text| text.split_once(' ')) {
                Some((at, pk)) if pk.starts_with(items::SESSION) => Some(items::reference_key(reference, at, pk)),
                _ => return Ok(None),
            },
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
        let Some(found) = page(query, start).await? else { return Ok(None) };
        let next = found
            .last_evaluated_key
            .as_ref()
            .and_then(|key| Some(encode_cursor(&format!("{} {}", string(key, "referenceAt")?, string(key, "pk")?))));
        // A session that has just moved within the index may be in it twice.
        let found = found.items.unwrap_or_default();
        let found: HashSet<&str> = found.iter().filter_map(|item| string(item, "pk")).collect();
        let keys = found.into_iter().map(|pk| items::state_key(&PartitionKey::stored(pk))).collect();
        let mut items = self.batch_get(keys).await?;
        items.sort_by(|a, b| (a.first_event_at, &a.key).cmp(&(b.first_event_at, &b.key)));
        // The index lags behind the table: a session may have got another reference since. And the key of a long
        // reference may be another session's reference.
        items.retain(|session| session.reference() == Some(reference));
        Ok(Some(Page { items, next }))
    }

    /// Reads sessions by their keys, consistently.
    async fn batch_get(&self, mut keys: Vec<Item>) -> Result<Vec<Session>, TableError> {
        let mut sessions = Vec::new();
        let mut pauses = Pauses::default();
        while !keys.is_empty() {
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let wanted = wanted.map_err(|_| TableError::Unwritable("key"))?;
            let answer = self.client.batch_get_item().request_items(&self.name, wanted).send().await?;
            for item in answer.responses.into_iter().flat_map(HashMap::into_values).flatten() {
                sessions.push(read::<SessionItem>(item, "session")?.session);
            }
            // Keys that DynamoDB left out for its limits on size or throughput: they say nothing about the items.
            keys =
                answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values).flat_map(|left| left.keys).collect();
            if !keys.is_empty() {
                tokio::time::sleep(pauses.next()).await;
            }
        }
        Ok(sessions)
    }
}

/// Reads one page from `start` on. Returns `None` if there is no such place.
async fn page(query: QueryFluentBuilder, start: Option<Item>) -> Result<Option<QueryOutput>, TableError> {
    let from_cursor = start.is_some();
    match query.set_exclusive_start_key(start).limit(PAGE_SIZE).send().await.map_err(AwsError::from) {
        Ok(page) => Ok(Some(page)),
        // The query itself is sound, so the cursor was tampered with.
        Err(error) if from_cursor && !error.is_transient() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn encode_cursor(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

fn decode_cursor(cursor: &str) -> Option<String> {
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_its_own_inverse_and_garbage_is_none() {
        assert_eq!(decode_cursor(&encode_cursor("EVENT#é 1")).as_deref(), Some("EVENT#é 1"));
        assert_eq!(decode_cursor("%%%"), None);
    }
}
