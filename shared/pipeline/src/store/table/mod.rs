//! The sessions table: one table, six sorts of item.
//!
//! | item | pk | sk |
//! |---|---|---|
//! | session | `SESSION#{provider}/{sessionId}` | `STATE` |
//! | event | same | `EVENT#{eventId}` |
//! | payload | same | `PAYLOAD#{eventId}` |
//! | outbox entry | same | `NOTIFICATION#{sequence}` |
//! | poll | same | `POLL` |
//! | pause of the polls | `POLLS#incode` | `PAUSE` |
//!
//! An event is recorded in one transaction: the event if it is not there yet, its payload, the session if no other
//! writer has changed it meanwhile, and the outbox entry if a notification is due. So each fact counts once, and a
//! notification exists exactly if its change does.
//!
//! `items` holds what is stored, `record` writes it (by `transaction`), `lookups` reads it for callers, `history` for a
//! rebuild; `outbox` and `polls` are the two sorts of item that wait, and `due` the index that finds them.

mod due;
pub(crate) mod error;
mod history;
pub(crate) mod items;
pub(crate) mod lookups;
mod outbox;
pub(crate) mod polls;
pub(crate) mod record;
mod transaction;

use crate::store::aws_error::AwsError;
use aws_sdk_dynamodb::{Client, operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use items::{Item, PartitionKey};
use std::time::Duration;

/// The table.
#[derive(Clone, Debug)]
pub struct SessionsTable {
    client: Client,
    name: String,
    retention: Duration,
}

impl SessionsTable {
    pub(crate) fn new(client: Client, name: String, retention: Duration) -> Self {
        Self { client, name, retention }
    }

    /// Reads one item, consistently.
    async fn item(&self, partition: &PartitionKey, sk: &str) -> Result<Option<Item>, AwsError> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(items::key(partition, sk)));
        Ok(get.consistent_read(true).send().await?.item)
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
}
