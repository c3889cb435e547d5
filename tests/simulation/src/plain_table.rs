//! A DynamoDB table in plain memory: what the functions ask for, and not a word more.
//!
//! Many times as fast as the emulator, which is what thousands of histories need; `tests/histories.rs` has histories go
//! the same way on both. Whatever it does not know ends the simulation.

use crate::network::Answer;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An item with DynamoDB's types: `{"pk": {"S": "…"}, …}`.
type Item = Map<String, Value>;

const NAMESPACE: &str = "com.amazonaws.dynamodb.v20120810";

/// The table.
#[derive(Default)]
pub(crate) struct PlainTable {
    /// By partition key and sort key.
    items: BTreeMap<(String, String), Item>,
    /// The transactions that took effect, by token.
    tokens: BTreeMap<String, Value>,
}

impl PlainTable {
    /// Does what a request of the JSON protocol says.
    pub(crate) fn answer(&mut self, operation: &str, request: &[u8]) -> Answer {
        let request: Value = serde_json::from_slice(request).unwrap();
        let answer = match operation {
            "GetItem" => Ok(self.get(&request)),
            "BatchGetItem" => Ok(self.get_batch(&request)),
            "Query" => Ok(self.query(&request)),
            "PutItem" => self.put(&request),
            "UpdateItem" => self.update(&request),
            "DeleteItem" => self.delete(&request),
            "TransactWriteItems" => self.transact(&request),
            _ => unknown(operation),
        };
        match answer {
            Ok(answer) => Answer { status: 200, body: answer.to_string() },
            Err(refusal) => Answer { status: 400, body: refusal.to_string() },
        }
    }

    /// Every item, by key.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// How many entries of the index `due` are in shards whose names start so.
    pub(crate) fn due_entries(&self, shards: &str) -> usize {
        let is_there = |item: &&Item| item.get("dueShard").is_some_and(|shard| text(shard).starts_with(shards));
        self.items.values().filter(is_there).count()
    }

    fn get(&self, request: &Value) -> Value {
        self.items.get(&key(&request["Key"])).map_or(json!({}), |item| json!({"Item": item}))
    }

    /// The items of which there are such, of one table or several.
    fn get_batch(&self, request: &Value) -> Value {
        let tables = request["RequestItems"].as_object().unwrap().iter();
        let found = tables.map(|(table, wanted)| {
            let keys: Vec<_> = wanted["Keys"].as_array().unwrap().iter().map(key).collect();
            let is_named_once = keys.iter().enumerate().all(|(place, key)| !keys[..place].contains(key));
            assert!(is_named_once && (1..=100).contains(&keys.len()), "a batch that DynamoDB refuses: {keys:?}");
            (table.clone(), keys.iter().filter_map(|key| self.items.get(key)).cloned().map(Value::Object).collect())
        });
        json!({"Responses": found.collect::<Map<_, _>>(), "UnprocessedKeys": {}})
    }

    fn query(&self, request: &Value) -> Value {
        let value = |name: &str| text(&request["ExpressionAttributeValues"][name]);
        let found: Vec<Item> = match text_or_empty(&request["KeyConditionExpression"]) {
            "pk = :pk AND begins_with(sk, :prefix)" => {
                let (pk, prefix) = (value(":pk"), value(":prefix"));
                let from_prefix = self.items.range((pk.to_owned(), prefix.to_owned())..);
                from_prefix
                    .take_while(|((of, sk), _)| of == pk && sk.starts_with(prefix))
                    .map(|(_, item)| item.clone())
                    .collect()
            }
            "dueShard = :shard AND dueAt <= :now" => self.due(value(":shard"), value(":now")),
            other => unknown(other),
        };
        json!({"Count": found.len(), "ScannedCount": found.len(), "Items": found})
    }

    /// The index `due`: the keys alone, by time.
    fn due(&self, shard: &str, now: &str) -> Vec<Item> {
        const KEYS: [&str; 4] = ["pk", "sk", "dueShard", "dueAt"];
        let is_due = |item: &&Item| {
            let is_in_shard = item.get("dueShard").is_some_and(|of| text(of) == shard);
            is_in_shard && item.get("dueAt").is_some_and(|at| text(at) <= now)
        };
        let mut due: Vec<&Item> = self.items.values().filter(is_due).collect();
        due.sort_by_key(|item| text(&item["dueAt"]).to_owned());
        due.into_iter()
            .map(|item| KEYS.iter().map(|name| ((*name).to_owned(), item[*name].clone())).collect())
            .collect()
    }

    fn put(&mut self, request: &Value) -> Result<Value, Value> {
        self.check(&request["Item"], request)?;
        self.insert(&request["Item"]);
        Ok(json!({}))
    }

    fn update(&mut self, request: &Value) -> Result<Value, Value> {
        self.check(&request["Key"], request)?;
        let key = key(&request["Key"]);
        let item = self.items.entry(key).or_insert_with(|| request["Key"].as_object().unwrap().clone());
        let update = text_or_empty(&request["UpdateExpression"]);
        let (set, removed) = update.split_once("REMOVE ").unwrap_or((update, ""));
        let assignments =
            if set.is_empty() { set } else { set.strip_prefix("SET ").unwrap_or_else(|| unknown(update)) };
        for assignment in assignments.trim_end().split(", ").filter(|assignment| !assignment.is_empty()) {
            let (name, value) = assignment.split_once(" = ").unwrap_or_else(|| unknown(update));
            // A name that starts with # is an alias.
            let name = request["ExpressionAttributeNames"][name].as_str().unwrap_or(name);
            item.insert(name.to_owned(), request["ExpressionAttributeValues"][value].clone());
        }
        item.remove(removed);
        Ok(if request["ReturnValues"] == "ALL_NEW" { json!({"Attributes": item}) } else { json!({}) })
    }

    fn delete(&mut self, request: &Value) -> Result<Value, Value> {
        self.check(&request["Key"], request)?;
        self.items.remove(&key(&request["Key"]));
        Ok(json!({}))
    }

    /// Has the table hold these items and nothing else.
    pub(crate) fn restore(&mut self, items: &[Item]) {
        self.items = items.iter().map(|item| (key(&json!(item)), item.clone())).collect();
    }

    /// All writes or none; under a token that is known, nothing more. A check writes nothing.
    fn transact(&mut self, request: &Value) -> Result<Value, Value> {
        let token = text_or_empty(&request["ClientRequestToken"]);
        if let Some(before) = self.tokens.get(token) {
            assert_eq!(before, request, "a token belongs to one transaction");
            return Ok(json!({}));
        }
        let writes: Vec<Write> = request["TransactItems"].as_array().unwrap().iter().map(Write::of).collect();
        let keys: Vec<_> = writes.iter().map(|write| key(write.key())).collect();
        let is_written_once = keys.iter().enumerate().all(|(place, key)| !keys[..place].contains(key));
        assert!(is_written_once, "a transaction that DynamoDB refuses: {keys:?}");
        let checks: Vec<_> = writes.iter().map(|write| self.check(write.key(), write.request())).collect();
        if checks.iter().any(Result::is_err) {
            // One for each write, in their order.
            let codes = checks.iter().map(|check| if check.is_ok() { "None" } else { "ConditionalCheckFailed" });
            let reasons: Vec<Value> = codes.map(|code| json!({"Code": code})).collect();
            return Err(json!({
                "__type": format!("{NAMESPACE}#TransactionCanceledException"),
                "Message": "Transaction cancelled",
                "CancellationReasons": reasons,
            }));
        }
        for write in writes {
            match write {
                Write::Put(put) => self.insert(&put["Item"]),
                Write::Delete(delete) => drop(self.items.remove(&key(&delete["Key"]))),
                Write::Check(_) => {}
            }
        }
        self.tokens.insert(token.to_owned(), request.clone());
        Ok(json!({}))
    }

    /// Puts an item.
    pub(crate) fn insert(&mut self, item: &Value) {
        self.items.insert(key(item), item.as_object().unwrap().clone());
    }

    /// Whether the condition of a write holds, on the item as it is.
    fn check(&self, item: &Value, write: &Value) -> Result<(), Value> {
        let Some(condition) = write["ConditionExpression"].as_str() else { return Ok(()) };
        let before = self.items.get(&key(item));
        if condition.split(" OR ").any(|clause| clause.split(" AND ").all(|term| holds(term, before, write))) {
            return Ok(());
        }
        Err(json!({
            "__type": format!("{NAMESPACE}#ConditionalCheckFailedException"),
            "message": "The conditional request failed",
        }))
    }
}

/// One part of a transaction.
enum Write<'r> {
    Put(&'r Value),
    Delete(&'r Value),
    Check(&'r Value),
}

impl<'r> Write<'r> {
    fn of(write: &'r Value) -> Self {
        let (kind, request) = write.as_object().unwrap().iter().next().unwrap();
        match kind.as_str() {
            "Put" => Self::Put(request),
            "Delete" => Self::Delete(request),
            "ConditionCheck" => Self::Check(request),
            other => unknown(other),
        }
    }

    const fn request(&self) -> &'r Value {
        let (Self::Put(request) | Self::Delete(request) | Self::Check(request)) = self;
        request
    }

    /// Its key; of a put, among other members.
    fn key(&self) -> &'r Value {
        match self {
            Self::Put(put) => &put["Item"],
            Self::Delete(request) | Self::Check(request) => &request["Key"],
        }
    }
}

/// Whether one term of a condition holds. Of an item that is not there, no comparison does.
fn holds(term: &str, item: Option<&Item>, write: &Value) -> bool {
    match term {
        "attribute_not_exists(pk)" => return item.is_none(),
        "attribute_exists(pk)" => return item.is_some(),
        "attribute_not_exists(leasedUntil)" => return item.is_none_or(|item| !item.contains_key("leasedUntil")),
        "leasedUntil < :now" => {
            let now = text(&write["ExpressionAttributeValues"][":now"]);
            return item.and_then(|item| item.get("leasedUntil")).is_some_and(|until| text(until) < now);
        }
        _ => {}
    }
    let (name, is_equal, value) = match (term.split_once(" = "), term.split_once(" <> ")) {
        (Some((name, value)), _) => (name, true, value),
        (_, Some((name, value))) => (name, false, value),
        _ => unknown(term),
    };
    // A name that starts with # is an alias.
    let name = write["ExpressionAttributeNames"][name].as_str().unwrap_or(name);
    let value = &write["ExpressionAttributeValues"][value];
    item.is_some_and(|item| (item.get(name) == Some(value)) == is_equal)
}

fn key(item: &Value) -> (String, String) {
    (text(&item["pk"]).to_owned(), text(&item["sk"]).to_owned())
}

/// A string with its type: `{"S": "…"}`.
fn text(typed: &Value) -> &str {
    text_or_empty(&typed["S"])
}

fn text_or_empty(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn unknown(request: &str) -> ! {
    panic!("the plain table does not know {request:?}; teach it, and compare it with the emulator")
}
