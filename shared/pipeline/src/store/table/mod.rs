//! The sessions table: one table, ten sorts of item.
//!
//! | item | pk | sk |
//! |---|---|---|
//! | session | `SESSION#{provider}/{sessionId}` | `STATE` |
//! | event | same | `EVENT#{eventId}` |
//! | payload | same | `PAYLOAD#{eventId}` |
//! | outbox entry | same | `NOTIFICATION#{sequence}` |
//! | notification told | same | `TOLD#{sequence}` |
//! | binding | the signed user's session | `BOUND#{eventId}` |
//! | id of today | as the event | `SAME#{id}` |
//! | poll | same | `POLL` |
//! | latest resend | same | `RESEND` |
//! | pause of the polls | `POLLS#incode` | `PAUSE` |
//!
//! An event is recorded in one transaction: the event if it is not there yet, its payload, the session if no other
//! writer has changed it meanwhile, and the outbox entry if a notification is due. One transaction takes many events of
//! a session, if one webhook tells them. So each fact counts once, and a notification exists exactly if its change does. Once SQS has taken a notification, one more transaction turns its
//! outbox entry into what was told.
//!
//! A binding holds the unsigned id that a signed payload of Treezor's came with first. An id of today says which event
//! of release 0.1, recorded under an id of another sort, is the same fact. The latest resend says which request may send
//! a session's messages again, and how far it has come.
//!
//! `items` holds what is stored, `record` writes it (by `transaction`) after `known` has looked up what is there, `lookups`
//! reads it for callers, `history` for a rebuild, `part_ids` for both, `resends` for what is sent again; `outbox` and
//! `polls` are the two sorts of item that wait, and `due` the index that finds them.

mod due;
pub(crate) mod error;
mod history;
pub(crate) mod items;
pub(crate) mod known;
pub(crate) mod lookups;
pub(crate) mod outbox;
pub(crate) mod part_ids;
pub(crate) mod polls;
pub(crate) mod record;
pub(crate) mod resends;
mod transaction;

use crate::{store::aws_error::AwsError, time::backoff::Pauses};
use aws_sdk_dynamodb::{
    Client,
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, KeysAndAttributes, Select, builders::KeysAndAttributesBuilder},
};
use error::TableError;
use items::{Item, PartitionKey};
use std::{collections::HashMap, time::Duration};
use verdict_sessions::SequenceBase;

/// The most keys that DynamoDB takes in one batch of reads.
const KEYS_PER_READ: usize = 100;

/// The table.
#[derive(Clone, Debug)]
pub struct SessionsTable {
    client: Client,
    name: String,
    retention: Duration,
    sequence_base: SequenceBase,
}

impl SessionsTable {
    pub(crate) fn new(client: Client, name: String, retention: Duration, sequence_base: SequenceBase) -> Self {
        Self { client, name, retention, sequence_base }
    }

    /// Reads one item, consistently.
    async fn item(&self, partition: &PartitionKey, sk: &str) -> Result<Option<Item>, AwsError> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(items::key(partition, sk)));
        Ok(get.consistent_read(true).send().await?.item)
    }

    /// Reads these attributes of one item, consistently.
    async fn item_by(&self, key: Item, attributes: &[&str]) -> Result<Option<Item>, AwsError> {
        let Projection { expression, names } = Projection::of(attributes);
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key)).consistent_read(true);
        let get = get.projection_expression(expression).set_expression_attribute_names(Some(names));
        Ok(get.send().await?.item)
    }

    /// Reads items by their keys, consistently: those that there are, in no order.
    async fn items(&self, keys: Vec<Item>) -> Result<Vec<Item>, TableError> {
        self.batch(KeysAndAttributes::builder(), keys).await
    }

    /// Reads these attributes of items by their keys, consistently: of those that there are, in no order.
    async fn items_by(&self, keys: Vec<Item>, attributes: &[&str]) -> Result<Vec<Item>, TableError> {
        let Projection { expression, names } = Projection::of(attributes);
        let wanted = KeysAndAttributes::builder().projection_expression(expression);
        self.batch(wanted.set_expression_attribute_names(Some(names)), keys).await
    }

    /// Reads what is wanted of items, by up to [`KEYS_PER_READ`] keys.
    async fn batch(&self, wanted: KeysAndAttributesBuilder, mut keys: Vec<Item>) -> Result<Vec<Item>, TableError> {
        let mut items = Vec::new();
        let mut pauses = Pauses::default();
        while !keys.is_empty() {
            let wanted = wanted.clone().set_keys(Some(keys)).consistent_read(true).build();
            let wanted = wanted.map_err(|_| TableError::Unwritable("key"))?;
            let answer = self.client.batch_get_item().request_items(&self.name, wanted).send().await?;
            items.extend(answer.responses.into_iter().flat_map(HashMap::into_values).flatten());
            // Keys that DynamoDB left out for its limits on size or throughput: they say nothing about the items.
            keys =
                answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values).flat_map(|left| left.keys).collect();
            if !keys.is_empty() {
                tokio::time::sleep(pauses.next()).await;
            }
        }
        Ok(items)
    }

    /// A consistent query for the items of a partition whose sort keys begin with `prefix`.
    fn query(&self, partition: &PartitionKey, prefix: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(partition.as_str().to_owned()))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
    }

    /// That query, for these attributes alone.
    fn query_by(&self, partition: &PartitionKey, prefix: &str, attributes: &[&str]) -> QueryFluentBuilder {
        let Projection { expression, names } = Projection::of(attributes);
        self.query(partition, prefix)
            .select(Select::SpecificAttributes)
            .projection_expression(expression)
            .set_expression_attribute_names(Some(names))
    }
}

/// The attributes that a read is for. All names are aliases, since some are DynamoDB's reserved words.
struct Projection {
    expression: String,
    names: HashMap<String, String>,
}

impl Projection {
    fn of(attributes: &[&str]) -> Self {
        let names = attributes.iter().map(|name| (format!("#{name}"), (*name).to_owned())).collect();
        let aliases: Vec<_> = attributes.iter().map(|name| format!("#{name}")).collect();
        Self { expression: aliases.join(", "), names }
    }
}
