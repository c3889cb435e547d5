//! Transactions: all writes or none, and what a cancelled one says.

use super::{
    SessionsTable,
    error::TableError,
    items::{self, Item, PartitionKey, number},
};
use crate::store::aws_error::AwsError;
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, ConditionCheck, Delete, Put, TransactWriteItem, builders::PutBuilder},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use verdict_sessions::Session;

/// The most writes that the events of a transaction take: DynamoDB takes 100, and two are the session's and a check's.
const MAX_WRITES: usize = 98;

/// The most bytes that the items of these take: DynamoDB takes 4 MB, and up to 400 KB are the session's.
const MAX_BYTES: usize = 3 * 1024 * 1024;

impl SessionsTable {
    /// Writes all or nothing.
    pub(super) async fn write(&self, writes: Vec<TransactWriteItem>) -> Result<Written, TableError> {
        let is_check = |write: &TransactWriteItem| write.condition_check.is_some();
        let check = writes.iter().rposition(is_check);
        let written = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        match written {
            Ok(_) => Ok(Written::Yes),
            Err(error) => match Cancelled::from_error(&error, check) {
                Some(Cancelled::ConditionFailed) => Ok(Written::ConditionFailed),
                Some(Cancelled::CheckFailed) => Ok(Written::CheckFailed),
                Some(Cancelled::Conflict) => Err(TableError::Conflict),
                Some(Cancelled::Throttled) => Err(AwsError::throttled().into()),
                None => Err(match AwsError::from(error) {
                    error if error.is_ambiguous() => TableError::Unconfirmed(error),
                    error => error.into(),
                }),
            },
        }
    }

    pub(super) fn put(&self, item: Item) -> Result<TransactWriteItem, TableError> {
        self.transact_put(item, |put| put)
    }

    pub(super) fn put_if_absent(&self, item: Item) -> Result<TransactWriteItem, TableError> {
        self.transact_put(item, |put| put.condition_expression("attribute_not_exists(pk)"))
    }

    pub(super) fn delete(&self, key: Item) -> Result<TransactWriteItem, TableError> {
        let delete = Delete::builder().table_name(&self.name).set_key(Some(key)).build();
        Ok(TransactWriteItem::builder().delete(delete.map_err(|_| TableError::Unwritable("key"))?).build())
    }

    /// Checks that there is no such item. The result of a transaction tells the last check from all others.
    pub(super) fn check_absent(&self, key: Item) -> Result<TransactWriteItem, TableError> {
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(key))
            .condition_expression("attribute_not_exists(pk)")
            .build();
        Ok(TransactWriteItem::builder().condition_check(check.map_err(|_| TableError::Unwritable("key"))?).build())
    }

    /// Puts a session, on condition that no other writer has changed it since it was read.
    pub(super) fn put_session(
        &self,
        key: &PartitionKey,
        session: &Session,
        before: Option<&Session>,
    ) -> Result<TransactWriteItem, TableError> {
        let item = items::session(key, session)?;
        match before {
            None => self.put_if_absent(item),
            Some(before) => self.transact_put(item, |put| {
                put.condition_expression("#version = :before")
                    .expression_attribute_names("#version", "version")
                    .expression_attribute_values(":before", number(before.version))
            }),
        }
    }

    fn transact_put(
        &self,
        item: Item,
        condition: impl FnOnce(PutBuilder) -> PutBuilder,
    ) -> Result<TransactWriteItem, TableError> {
        let put = condition(Put::builder().table_name(&self.name).set_item(Some(item)));
        let put = put.build().map_err(|_| TableError::Unwritable("item"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// The writes that belong to some events of a session, as far as one transaction takes them, beside the session itself and
/// a check.
#[derive(Default)]
pub(super) struct Writes {
    writes: Vec<TransactWriteItem>,
    bytes: usize,
}

impl Writes {
    /// Adds the writes of one event, or says that they have to wait for another transaction.
    pub(super) fn add(&mut self, writes: Vec<TransactWriteItem>) -> bool {
        let puts = writes.iter().filter_map(|write| write.put.as_ref());
        let bytes = self.bytes + puts.map(|put| items::size(&put.item)).sum::<usize>();
        let fit = self.writes.len() + writes.len() <= MAX_WRITES && bytes <= MAX_BYTES;
        let is_taken = fit || self.writes.is_empty();
        if is_taken {
            self.writes.extend(writes);
            self.bytes = bytes;
        }
        is_taken
    }

    /// All of them, in their order.
    pub(super) fn all(self) -> Vec<TransactWriteItem> {
        self.writes
    }
}

/// The result of a transaction.
pub(super) enum Written {
    Yes,
    /// Nothing was written, since the condition of the first write did not hold.
    ConditionFailed,
    /// Nothing was written, and the last check alone is why.
    CheckFailed,
}

/// The reason for which a transaction was cancelled. Of several, the last of these counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cancelled {
    /// The last check failed, and nothing else.
    CheckFailed,
    /// One of the items was throttled.
    Throttled,
    /// Another writer changed the session meanwhile, or is about to.
    Conflict,
    /// The condition of the first write did not hold. If an event is recorded, it was there already.
    ConditionFailed,
}

impl Cancelled {
    /// Returns `None` if the transaction was cancelled for none of these reasons: the error speaks for itself then.
    fn from_error(error: &SdkError<TransactWriteItemsError, HttpResponse>, check: Option<usize>) -> Option<Self> {
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
            return None;
        };
        Self::from_codes(
            cancelled.cancellation_reasons().iter().map(|reason| CancellationReason::code(reason).unwrap_or_default()),
            check,
        )
    }

    /// The codes come in the order of the writes, of which `check` is the place of the last check.
    fn from_codes<'r>(codes: impl Iterator<Item = &'r str>, check: Option<usize>) -> Option<Self> {
        let reasons = codes.enumerate().filter_map(|(position, code)| match code {
            "ConditionalCheckFailed" if position == 0 => Some(Self::ConditionFailed),
            "ConditionalCheckFailed" if Some(position) == check => Some(Self::CheckFailed),
            "ConditionalCheckFailed" | "TransactionConflict" => Some(Self::Conflict),
            code => AwsError::is_throttling(code).then_some(Self::Throttled),
        });
        reasons.max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue;

    #[test]
    fn the_reasons_of_a_cancelled_transaction_are_told_apart() {
        const NONE: &str = "None";
        const FAILED: &str = "ConditionalCheckFailed";
        let cases: [(&[&str], Option<Cancelled>); 15] = [
            (&[NONE, NONE, NONE, NONE, FAILED], Some(Cancelled::CheckFailed)),
            (&[FAILED, NONE, NONE, NONE, FAILED], Some(Cancelled::ConditionFailed)),
            (&[NONE, NONE, FAILED, NONE, FAILED], Some(Cancelled::Conflict)),
            (&[NONE, NONE, NONE, NONE, "TransactionConflict"], Some(Cancelled::Conflict)),
            (&[NONE, "ThrottlingError", NONE, NONE, FAILED], Some(Cancelled::Throttled)),
            (&[FAILED, NONE, NONE], Some(Cancelled::ConditionFailed)),
            (&[FAILED, NONE, FAILED, NONE], Some(Cancelled::ConditionFailed)),
            (&[NONE, NONE, FAILED], Some(Cancelled::Conflict)),
            (&[NONE, NONE, "TransactionConflict", NONE], Some(Cancelled::Conflict)),
            (&["TransactionConflict", NONE, NONE], Some(Cancelled::Conflict)),
            (&[NONE, "ThrottlingError", NONE], Some(Cancelled::Throttled)),
            (&[NONE, "ProvisionedThroughputExceeded", NONE], Some(Cancelled::Throttled)),
            (&["ThrottlingError", NONE, FAILED], Some(Cancelled::Conflict)),
            (&[NONE, "ValidationError", NONE], None),
            (&[], None),
        ];
        for (reasons, expected) in cases {
            assert_eq!(Cancelled::from_codes(reasons.iter().copied(), Some(4)), expected, "{reasons:?}");
        }
    }

    #[test]
    fn a_transaction_takes_as_many_events_as_dynamodb_takes_and_one_in_any_case() {
        let put = |bytes: usize| {
            let item = Item::from([("s".to_owned(), AttributeValue::S("x".repeat(bytes)))]);
            let put = Put::builder().table_name("t").set_item(Some(item)).build().unwrap();
            TransactWriteItem::builder().put(put).build()
        };
        let taken = |writes: usize, bytes: usize| {
            let mut all = Writes::default();
            let taken = (0..200).take_while(|_| all.add((0..writes).map(|_| put(bytes)).collect())).count();
            assert_eq!(all.all().len(), taken * writes);
            taken
        };
        assert_eq!([1, 2, 3, 4, 5].map(|writes| taken(writes, 10)), [98, 49, 32, 24, 19]);
        assert_eq!([taken(2, 100_000), taken(2, 300_000)], [15, 5], "3 MB");
        assert_eq!([taken(99, 10), taken(1, 4_000_000)], [1, 1], "more than that is for DynamoDB to refuse");
    }
}
