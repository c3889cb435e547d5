//! DynamoDB in process, behind its own JSON protocol: an emulator on `SQLite` in memory; or, where speed counts more than
//! all that DynamoDB can do, a plain table.

use crate::{network::Answer, plain_table::PlainTable, template};
use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::sync::{LazyLock, Mutex};

/// A DynamoDB with one table.
pub struct DynamoDb(Engine);

enum Engine {
    Emulator(Emulator),
    Plain(Mutex<PlainTable>),
}

/// The emulator, and its table's name.
struct Emulator {
    database: Database,
    table: String,
}

impl DynamoDb {
    /// A DynamoDB with the sessions table, empty, under a name.
    #[must_use]
    pub fn with_sessions_table(name: &str) -> Self {
        static DEFINITION: LazyLock<Value> = LazyLock::new(template::sessions_table);
        let database = Database::memory().unwrap();
        let mut definition = DEFINITION.clone();
        definition["TableName"] = json!(name);
        let definition = serde_json::from_value(definition).unwrap();
        database.create_table(definition).unwrap();
        Self(Engine::Emulator(Emulator { database, table: name.to_owned() }))
    }

    /// The same in plain memory: many times as fast, and able to do no more than what the functions ask for.
    #[must_use]
    pub fn with_plain_sessions_table() -> Self {
        Self(Engine::Plain(Mutex::default()))
    }

    /// Does what a request of the JSON protocol says.
    #[must_use]
    pub fn answer(&self, operation: &str, request: &[u8]) -> Answer {
        match &self.0 {
            Engine::Emulator(emulator) => emulator.answer(operation, request),
            Engine::Plain(table) => table.lock().unwrap().answer(operation, request),
        }
    }

    /// Every item of the table, as plain JSON, by key.
    #[must_use]
    pub fn items(&self) -> Vec<Map<String, Value>> {
        self.typed_items().iter().map(plain_item).collect()
    }

    /// Every item of the table, with DynamoDB's types (`{"pk": {"S": "…"}, …}`), by key.
    #[must_use]
    pub fn typed_items(&self) -> Vec<Map<String, Value>> {
        match &self.0 {
            Engine::Emulator(emulator) => emulator.items(),
            Engine::Plain(table) => table.lock().unwrap().items().cloned().collect(),
        }
    }

    /// Puts an item, written with DynamoDB's types, in the table.
    ///
    /// # Panics
    /// When the emulator refuses the item.
    pub fn put(&self, item: &Value) {
        match &self.0 {
            Engine::Emulator(emulator) => {
                emulator.write("PutItem", &json!({"TableName": emulator.table, "Item": item}));
            }
            Engine::Plain(table) => table.lock().unwrap().insert(item),
        }
    }

    /// Has the table hold these items, with DynamoDB's types, and nothing else.
    pub(crate) fn restore(&mut self, items: &[Map<String, Value>]) {
        match &mut self.0 {
            Engine::Emulator(emulator) => emulator.restore(items),
            Engine::Plain(table) => table.get_mut().unwrap().restore(items),
        }
    }

    /// The items of one partition, as plain JSON, by sort key.
    #[must_use]
    pub fn items_of(&self, pk: &str) -> Vec<Map<String, Value>> {
        match &self.0 {
            Engine::Emulator(emulator) => emulator.items_of(pk).iter().map(plain_item).collect(),
            Engine::Plain(_) => self.items().into_iter().filter(|item| item["pk"] == pk).collect(),
        }
    }

    /// The bytes that the table and its indexes are billed for: each item and each entry takes a hundred more.
    ///
    /// # Panics
    /// On a plain table.
    #[must_use]
    pub fn stored_bytes(&self) -> usize {
        let Engine::Emulator(emulator) = &self.0 else { panic!("only the emulator has indexes to measure") };
        emulator.stored_bytes()
    }

    /// How many outbox entries there are.
    #[must_use]
    pub fn outbox_entries(&self) -> usize {
        self.due_entries("outbox#")
    }

    /// How many sessions are on the poll schedule.
    #[must_use]
    pub fn poll_entries(&self) -> usize {
        self.due_entries("poll#")
    }

    /// The entries of the sparse index whose shards' names start so.
    fn due_entries(&self, shards: &str) -> usize {
        match &self.0 {
            Engine::Emulator(emulator) => emulator.due_entries(shards),
            Engine::Plain(table) => table.lock().unwrap().due_entries(shards),
        }
    }
}

impl Emulator {
    fn answer(&self, operation: &str, request: &[u8]) -> Answer {
        let database = &self.database;
        match operation {
            "GetItem" => run(request, |get| database.get_item(get)),
            "BatchGetItem" => run(request, |get| database.batch_get_item(get)),
            "Query" => run(request, |query| database.query(query)),
            "Scan" => run(request, |scan| database.scan(scan)),
            "PutItem" => run(request, |put| database.put_item(put)),
            "UpdateItem" => run(request, |update| database.update_item(update)),
            "DeleteItem" => run(request, |delete| database.delete_item(delete)),
            "TransactWriteItems" => run(request, |writes| database.transact_write_items(writes)),
            _ => Answer::error("com.amazonaws.dynamodb.v20120810", "UnknownOperationException", operation),
        }
    }

    fn items(&self) -> Vec<Map<String, Value>> {
        self.all("Scan", &json!({"TableName": self.table}))
    }

    fn stored_bytes(&self) -> usize {
        const OVERHEAD: usize = 100;
        let indexes = ["due", "reference", "standing"];
        let entries = indexes.map(|index| self.all("Scan", &json!({"TableName": self.table, "IndexName": index})));
        let size = |item: Map<String, Value>| {
            let item = serde_json::from_value(Value::Object(item)).unwrap();
            OVERHEAD + dynoxide::types::item_size(&item)
        };
        entries.into_iter().flatten().chain(self.items()).map(size).sum()
    }

    fn restore(&self, items: &[Map<String, Value>]) {
        for item in self.items() {
            let key = json!({"pk": item["pk"], "sk": item["sk"]});
            self.write("DeleteItem", &json!({"TableName": self.table, "Key": key}));
        }
        for item in items {
            self.write("PutItem", &json!({"TableName": self.table, "Item": item}));
        }
    }

    fn write(&self, operation: &str, request: &Value) {
        let answer = self.answer(operation, request.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    fn items_of(&self, pk: &str) -> Vec<Map<String, Value>> {
        let query = json!({"TableName": self.table, "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}}});
        self.all("Query", &query)
    }

    fn due_entries(&self, shards: &str) -> usize {
        let scan = json!({"TableName": self.table, "IndexName": "due",
            "FilterExpression": "begins_with(dueShard, :shards)",
            "ExpressionAttributeValues": {":shards": {"S": shards}}});
        self.all("Scan", &scan).len()
    }

    /// All pages of a scan or a query: the items with their types.
    fn all(&self, operation: &str, request: &Value) -> Vec<Map<String, Value>> {
        let mut items = Vec::new();
        let mut request = request.clone();
        loop {
            let answer = self.answer(operation, request.to_string().as_bytes());
            assert_eq!(answer.status, 200, "{}", answer.body);
            let mut page: Value = serde_json::from_str(&answer.body).unwrap();
            items.extend(page["Items"].as_array().unwrap().iter().map(|item| item.as_object().unwrap().clone()));
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"].take();
            if request["ExclusiveStartKey"].is_null() {
                items.sort_by_key(|item: &Map<_, _>| (item["pk"].to_string(), item["sk"].to_string()));
                return items;
            }
        }
    }
}

/// Reads a request, runs it and writes its answer.
fn run<Q: DeserializeOwned, A: Serialize>(request: &[u8], call: impl FnOnce(Q) -> dynoxide::Result<A>) -> Answer {
    let request = serde_json::from_slice(request)
        .map_err(|malformed| DynoxideError::SerializationException(malformed.to_string()));
    match request.and_then(call) {
        Ok(answer) => Answer { status: 200, body: serde_json::to_string(&answer).unwrap() },
        Err(error) => Answer { status: error.status_code(), body: error.to_json() },
    }
}

/// An item without DynamoDB's types.
pub(crate) fn plain_item(typed: &Map<String, Value>) -> Map<String, Value> {
    typed.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
}

/// What a value is once it was stored and read: a member that holds null is left out.
pub(crate) fn as_stored(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, member)| !member.is_null());
            kept.map(|(name, member)| (name.clone(), as_stored(member))).collect()
        }
        Value::Array(values) => values.iter().map(as_stored).collect(),
        other => other.clone(),
    }
}

/// A value without DynamoDB's types: `{"M": {"n": {"N": "1"}}}` is `{"n": 1}`.
fn plain(typed: &Value) -> Value {
    let (kind, value) = typed.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "M" => value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        "L" => value.as_array().unwrap().iter().map(plain).collect(),
        "N" => serde_json::from_str(value.as_str().unwrap()).unwrap(),
        "NULL" => Value::Null,
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(db: &DynamoDb, operation: &str, request: &Value) -> (u16, Value) {
        let Answer { status, body } = db.answer(operation, request.to_string().as_bytes());
        (status, serde_json::from_str(&body).unwrap())
    }

    #[test]
    fn a_transaction_takes_effect_whole_or_not_at_all_and_says_why() {
        let db = DynamoDb::with_sessions_table("sessions");
        let put = |sk: &str| {
            json!({"Put": {"TableName": "sessions", "Item": {"pk": {"S": "p"}, "sk": {"S": sk}, "n": {"N": "1"}},
                "ConditionExpression": "attribute_not_exists(pk)"}})
        };
        assert_eq!(call(&db, "TransactWriteItems", &json!({"TransactItems": [put("a"), put("b")]})).0, 200);
        let (status, refused) = call(&db, "TransactWriteItems", &json!({"TransactItems": [put("c"), put("b")]}));
        assert_eq!(status, 400);
        assert!(refused["__type"].as_str().unwrap().ends_with("TransactionCanceledException"));
        assert_eq!(refused["CancellationReasons"][0]["Code"], "None");
        assert_eq!(refused["CancellationReasons"][1]["Code"], "ConditionalCheckFailed");
        let keys: Vec<_> = db.items().into_iter().map(|item| item["sk"].clone()).collect();
        assert_eq!(keys, ["a", "b"]);
    }

    #[test]
    fn a_transaction_that_is_repeated_under_its_token_takes_effect_once() {
        let db = DynamoDb::with_sessions_table("sessions");
        let transaction = json!({"ClientRequestToken": "token", "TransactItems": [{"Put": {"TableName": "sessions",
            "Item": {"pk": {"S": "p"}, "sk": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(pk)"}}]});
        for _ in 0..2 {
            assert_eq!(call(&db, "TransactWriteItems", &transaction).0, 200);
        }
    }
}
