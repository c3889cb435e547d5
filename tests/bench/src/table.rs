//! DynamoDB tables in plain memory, which take far less time than the functions that call them: an answer takes some
//! ten microseconds. They know what the functions and their peers ask for; whatever they don't know is refused.

use crate::expression::{Item, Unknown, holds, partition, project, update};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use verdict_simulation::Answer;

const NAMESPACE: &str = "com.amazonaws.dynamodb.v20120810";

/// The table of the template.
pub(crate) const SESSIONS: &str = "sessions";

/// An index of the sessions table: its name, its keys, and what else its entries hold.
struct Index(&'static str, [&'static str; 2], &'static [&'static str]);

const INDEXES: [Index; 3] = [
    Index("due", ["dueShard", "dueAt"], &[]),
    Index("reference", ["reference", "referenceAt"], &[]),
    Index("standing", ["standingShard", "standingAt"], &["provider", "outcome"]),
];

/// The text of the partition key, and that of the sort key.
type Key = (String, String);

/// Tables by name.
#[derive(Clone, Default)]
pub(crate) struct Tables {
    items: BTreeMap<String, BTreeMap<Key, Item>>,
    /// The tokens of the transactions that took effect.
    tokens: BTreeSet<String>,
}

/// The reason why nothing was done.
enum Refusal {
    /// A condition doesn't hold of this item.
    Condition(Option<Item>),
    /// The reasons of a transaction, in the order of its writes.
    Cancelled(Vec<Value>),
    Unknown(String),
}

impl From<Unknown> for Refusal {
    fn from(Unknown(expression): Unknown) -> Self {
        Self::Unknown(expression)
    }
}

impl Tables {
    /// Does what a request of the JSON protocol says.
    pub(crate) fn answer(&mut self, operation: &str, request: &[u8]) -> Answer {
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        let answer = match operation {
            "GetItem" => Ok(self.get(&request)),
            "BatchGetItem" => Ok(self.get_batch(&request)),
            "Query" => self.query(&request),
            "PutItem" | "UpdateItem" | "DeleteItem" => self.write(operation.trim_end_matches("Item"), &request),
            "TransactWriteItems" => self.transact(&request),
            _ => Err(Refusal::Unknown(operation.to_owned())),
        };
        match answer {
            Ok(answer) => Answer { status: 200, body: answer.to_string() },
            Err(refusal) => Answer { status: 400, body: refusal.body().to_string() },
        }
    }

    /// How many items of a table have this sort key.
    pub(crate) fn count(&self, table: &str, sort: &str) -> usize {
        self.items.get(table).map_or(0, |items| items.keys().filter(|(_, of)| of == sort).count())
    }

    fn get(&self, request: &Value) -> Value {
        self.item(request, &request["Key"]).map_or(json!({}), |item| json!({"Item": projected(item, request)}))
    }

    fn get_batch(&self, request: &Value) -> Value {
        let tables = request["RequestItems"].as_object().into_iter().flatten();
        let found = tables.map(|(table, wanted)| {
            let keys = wanted["Keys"].as_array().into_iter().flatten();
            let items = keys.filter_map(|key| self.items.get(table)?.get(&key_of(table, key)));
            (table.clone(), items.map(|item| json!(projected(item, wanted))).collect::<Value>())
        });
        json!({"Responses": found.collect::<Item>(), "UnprocessedKeys": {}})
    }

    fn query(&self, request: &Value) -> Result<Value, Refusal> {
        let condition = text(request, "KeyConditionExpression");
        let index = request["IndexName"].as_str();
        let index = index.and_then(|name| INDEXES.iter().find(|Index(known, ..)| *known == name));
        let mut found = self.candidates(condition, index.is_some(), request);
        let mut problem = None;
        found.retain(|(_, item)| {
            holds(condition, Some(item), request).unwrap_or_else(|unknown| {
                problem = Some(unknown);
                false
            })
        });
        if let Some(unknown) = problem {
            return Err(unknown.into());
        }
        if let Some(Index(_, [_, sort], _)) = index {
            found.sort_by_key(|(key, item)| (item.get(*sort).and_then(|sort| sort["S"].as_str()), *key));
        }
        if request["ScanIndexForward"] == false {
            found.reverse();
        }
        page(&found, index, request)
    }

    /// The items among which a query looks.
    fn candidates(&self, condition: &str, is_of_index: bool, request: &Value) -> Vec<(&Key, &Item)> {
        let Some(items) = self.items.get(text(request, "TableName")) else { return Vec::new() };
        match partition(condition, request) {
            Some((_, partition)) if !is_of_index => {
                let partition = scalar(partition);
                items.range((partition.clone(), String::new())..).take_while(|((of, _), _)| *of == partition).collect()
            }
            _ => items.iter().collect(),
        }
    }

    fn write(&mut self, kind: &str, request: &Value) -> Result<Value, Refusal> {
        self.check(kind, request)?;
        let before = self.item(request, key_in(kind, request)).cloned();
        self.apply(kind, request)?;
        let after = self.item(request, key_in(kind, request));
        Ok(match (text(request, "ReturnValues"), before, after) {
            ("ALL_NEW" | "UPDATED_NEW", _, Some(after)) => json!({"Attributes": after}),
            ("ALL_OLD" | "UPDATED_OLD", Some(before), _) => json!({"Attributes": before}),
            _ => json!({}),
        })
    }

    /// All writes or none; under a token that is known, nothing more.
    fn transact(&mut self, request: &Value) -> Result<Value, Refusal> {
        let token = text(request, "ClientRequestToken");
        if self.tokens.contains(token) {
            return Ok(json!({}));
        }
        let writes = request["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object);
        let writes: Vec<(&String, &Value)> = writes.flatten().collect();
        let mut reasons = Vec::new();
        for (kind, write) in &writes {
            reasons.push(match self.check(kind, write) {
                Ok(()) => json!({"Code": "None"}),
                Err(Refusal::Condition(None)) => json!({"Code": "ConditionalCheckFailed"}),
                Err(Refusal::Condition(Some(item))) => json!({"Code": "ConditionalCheckFailed", "Item": item}),
                Err(other) => return Err(other),
            });
        }
        if reasons.iter().any(|reason| reason["Code"] != "None") {
            return Err(Refusal::Cancelled(reasons));
        }
        for (kind, write) in writes {
            self.apply(kind, write)?;
        }
        if !token.is_empty() {
            self.tokens.insert(token.to_owned());
        }
        Ok(json!({}))
    }

    /// Whether the condition of a write holds.
    fn check(&self, kind: &str, request: &Value) -> Result<(), Refusal> {
        let Some(condition) = request["ConditionExpression"].as_str() else { return Ok(()) };
        let item = self.item(request, key_in(kind, request));
        if holds(condition, item, request)? {
            return Ok(());
        }
        let is_wanted = request["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD";
        Err(Refusal::Condition(item.filter(|_| is_wanted).cloned()))
    }

    fn apply(&mut self, kind: &str, request: &Value) -> Result<(), Refusal> {
        let table = text(request, "TableName");
        let key = key_of(table, key_in(kind, request));
        let items = self.items.entry(table.to_owned()).or_default();
        match kind {
            "Put" => drop(items.insert(key, object(&request["Item"]))),
            "Delete" => drop(items.remove(&key)),
            "Update" => {
                let item = items.entry(key).or_insert_with(|| object(&request["Key"]));
                update(text(request, "UpdateExpression"), item, request)?;
            }
            "ConditionCheck" => {}
            other => return Err(Refusal::Unknown(other.to_owned())),
        }
        Ok(())
    }

    fn item(&self, request: &Value, key: &Value) -> Option<&Item> {
        let table = text(request, "TableName");
        self.items.get(table)?.get(&key_of(table, key))
    }
}

impl Refusal {
    fn body(&self) -> Value {
        let (kind, message) = match self {
            Self::Condition(_) => ("ConditionalCheckFailedException", "The conditional request failed"),
            Self::Cancelled(_) => ("TransactionCanceledException", "Transaction cancelled"),
            Self::Unknown(what) => ("ValidationException", what.as_str()),
        };
        let mut body = json!({"__type": format!("{NAMESPACE}#{kind}"), "message": message});
        match self {
            Self::Condition(Some(item)) => body["Item"] = json!(item),
            Self::Cancelled(reasons) => body["CancellationReasons"] = json!(reasons),
            Self::Condition(None) | Self::Unknown(_) => {}
        }
        body
    }
}

/// A page of what a query found, from after its start up to its limit.
fn page(found: &[(&Key, &Item)], index: Option<&Index>, request: &Value) -> Result<Value, Refusal> {
    let table = text(request, "TableName");
    let start = request["ExclusiveStartKey"].as_object().map(|start| key_of(table, &json!(start)));
    let start = start.and_then(|start| found.iter().position(|(key, _)| **key == start)).map_or(0, |place| place + 1);
    let limit = request["Limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let later = &found[start..];
    let page = &later[..later.len().min(limit)];
    let filter = request["FilterExpression"].as_str();
    let mut items = Vec::new();
    for (_, item) in page {
        if filter.map_or(Ok(true), |filter| holds(filter, Some(item), request))? {
            items.push(index.map_or_else(|| projected(item, request), |index| index.entry(item)));
        }
    }
    let mut answer = json!({"Count": items.len(), "ScannedCount": page.len(), "Items": items});
    if let Some((_, last)) = page.last().filter(|_| page.len() < later.len()) {
        answer["LastEvaluatedKey"] = json!(index.map_or_else(|| names(last, &["pk", "sk"]), |index| index.keys(last)));
    }
    Ok(answer)
}

impl Index {
    /// The members of an item that the index holds.
    fn entry(&self, item: &Item) -> Item {
        let mut entry = self.keys(item);
        entry.extend(names(item, self.2));
        entry
    }

    fn keys(&self, item: &Item) -> Item {
        let mut keys = names(item, &["pk", "sk"]);
        keys.extend(names(item, &self.1));
        keys
    }
}

fn names(item: &Item, names: &[&str]) -> Item {
    names
        .iter()
        .filter_map(|name| item.get_key_value(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn projected(item: &Item, request: &Value) -> Item {
    request["ProjectionExpression"].as_str().map_or_else(|| item.clone(), |names| project(names, item, request))
}

/// A write's key, of a put among other members.
fn key_in<'r>(kind: &str, request: &'r Value) -> &'r Value {
    if kind == "Put" { &request["Item"] } else { &request["Key"] }
}

/// A key of the sessions table, or of another's, which has a partition key `id` alone.
fn key_of(table: &str, item: &Value) -> Key {
    if table == SESSIONS { (scalar(&item["pk"]), scalar(&item["sk"])) } else { (scalar(&item["id"]), String::new()) }
}

fn scalar(typed: &Value) -> String {
    typed["S"].as_str().or_else(|| typed["N"].as_str()).unwrap_or_default().to_owned()
}

fn text<'r>(request: &'r Value, member: &str) -> &'r str {
    request[member].as_str().unwrap_or_default()
}

fn object(value: &Value) -> Item {
    value.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use verdict_simulation::DynamoDb;

    /// Has the tables and the emulator do the same, one call after the other.
    fn both_answer_alike(calls: &[(&str, Value)]) {
        let (mut tables, emulator) = (Tables::default(), DynamoDb::with_sessions_table(SESSIONS));
        for (operation, request) in calls {
            let mut request = request.clone();
            request["TableName"] = json!(SESSIONS);
            let request = request.to_string();
            let (ours, other) =
                (tables.answer(operation, request.as_bytes()), emulator.answer(operation, request.as_bytes()));
            let [body, expected]: [Value; 2] =
                [&ours, &other].map(|answer| serde_json::from_str(&answer.body).unwrap());
            assert_eq!(ours.status, other.status, "{operation} {request}: {body}, {expected}");
            for member in ["Item", "Items", "Attributes", "Count", "ScannedCount", "LastEvaluatedKey"] {
                assert_eq!(body[member], expected[member], "{operation} {request}: {member}");
            }
        }
    }

    fn item(sk: &str, more: &Value) -> Value {
        let mut item = json!({"pk": {"S": "p"}, "sk": {"S": sk}});
        item.as_object_mut().unwrap().extend(object(more));
        item
    }

    fn put(sk: &str, more: &Value) -> (&'static str, Value) {
        ("PutItem", json!({"Item": item(sk, more)}))
    }

    fn get(sk: &str) -> (&'static str, Value) {
        ("GetItem", json!({"Key": item(sk, &json!({}))}))
    }

    /// The write of an item under a condition, with the values that the conditions of a test need.
    fn put_if(condition: &str) -> (&'static str, Value) {
        let values = json!({":one": {"N": "1"}, ":ten": {"N": "10"}, ":b": {"S": "b"}});
        let mut request = json!({"Item": item("a", &json!({"n": {"N": "2"}, "s": {"S": "bc"}})),
            "ConditionExpression": condition, "ExpressionAttributeNames": {"#n": "n"}});
        let used = object(&values).into_iter().filter(|(name, _)| condition.contains(name.as_str()));
        request["ExpressionAttributeValues"] = used.collect::<Value>();
        for (member, sign) in [("ExpressionAttributeNames", '#'), ("ExpressionAttributeValues", ':')] {
            if !condition.contains(sign) {
                request.as_object_mut().unwrap().remove(member);
            }
        }
        ("PutItem", request)
    }

    #[test]
    fn conditions_hold_as_in_the_emulator() {
        let conditions = [
            "attribute_not_exists(pk)",
            "attribute_exists(pk) AND #n < :ten",
            "NOT attribute_exists(pk) OR #n >= :ten",
            "#n = :ten OR (attribute_exists(s) AND #n > :one)",
            "#n <> :one AND begins_with(s, :b)",
            "#n BETWEEN :one AND :ten",
            "absent <> :one",
            "absent < :one OR absent = :ten",
        ];
        both_answer_alike(&conditions.map(put_if));
        let mut again = vec![put("a", &json!({"n": {"N": "2"}, "s": {"S": "bc"}}))];
        again.extend(conditions.map(put_if));
        both_answer_alike(&again);
    }

    #[test]
    fn updates_change_items_as_in_the_emulator() {
        let update = |expression: &str| {
            let mut request = json!({"Key": item("a", &json!({})), "UpdateExpression": expression, "ReturnValues": "ALL_NEW",
                "ExpressionAttributeValues": {":one": {"N": "1"}}});
            if !expression.contains(':') {
                request.as_object_mut().unwrap().remove("ExpressionAttributeValues");
            }
            ("UpdateItem", request)
        };
        both_answer_alike(&[
            update("SET n = :one, m = if_not_exists(m, :one)"),
            update("SET n = n + :one REMOVE m"),
            update("ADD n :one"),
            update("REMOVE n, m"),
            get("a"),
        ]);
    }

    #[test]
    fn a_transaction_writes_all_or_nothing() {
        let write = |condition: &str| {
            let put = json!({"TableName": SESSIONS, "Item": item("a", &json!({}))});
            let check = json!({"TableName": SESSIONS, "Key": item("b", &json!({})), "ConditionExpression": condition});
            ("TransactWriteItems", json!({"TransactItems": [{"Put": put}, {"ConditionCheck": check}]}))
        };
        both_answer_alike(&[write("attribute_exists(pk)"), get("a"), write("attribute_not_exists(pk)"), get("a")]);
    }

    #[test]
    fn a_query_finds_what_the_emulator_finds_in_its_order_page_by_page() {
        let due = |at: &str| json!({"dueShard": {"S": "outbox#0"}, "dueAt": {"S": at}, "text": {"S": "t"}});
        let of_partition = |more: &Value| {
            let mut query = json!({"KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
                "ExpressionAttributeValues": {":pk": {"S": "p"}, ":prefix": {"S": "a"}}});
            query.as_object_mut().unwrap().extend(object(more));
            ("Query", query)
        };
        let of_index = json!({"IndexName": "due", "KeyConditionExpression": "dueShard = :shard AND dueAt <= :now",
            "ExpressionAttributeValues": {":shard": {"S": "outbox#0"}, ":now": {"S": "3"}}});
        both_answer_alike(&[
            put("a1", &due("3")),
            put("a2", &due("2")),
            put("a3", &due("4")),
            put("b", &json!({})),
            of_partition(&json!({})),
            of_partition(&json!({"ScanIndexForward": false, "Limit": 2})),
            of_partition(&json!({"Limit": 1, "ExclusiveStartKey": item("a1", &json!({}))})),
            ("Query", of_index),
        ]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let mut tables = Tables::default();
        for (operation, request) in [put_if("size(pk) > :one"), ("ListTables", json!({})), put_if("pk =")] {
            assert_eq!(tables.answer(operation, request.to_string().as_bytes()).status, 400, "{operation}");
        }
    }
}
