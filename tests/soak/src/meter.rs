//! What DynamoDB and SQS bill for the calls that come: units of the table, requests of the queues.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The bytes of a message that SQS bills as one request.
const BYTES_PER_REQUEST: usize = 64 * 1024;

/// Units and requests.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bill {
    /// Of the table.
    pub read_units: f64,
    /// Of the table and its indexes.
    pub write_units: f64,
    /// Of standard queues.
    pub standard_requests: f64,
    /// Of FIFO queues.
    pub fifo_requests: f64,
}

/// A call to the table that also asks what it consumes: the emulator counts that by DynamoDB's rules, for the table and
/// each index.
#[must_use]
pub fn asking_for_capacity(request: &[u8]) -> Vec<u8> {
    let mut request: Map<String, Value> = serde_json::from_slice(request).unwrap();
    request.insert("ReturnConsumedCapacity".to_owned(), json!("TOTAL"));
    serde_json::to_vec(&request).unwrap()
}

impl Bill {
    /// Each of its numbers, changed.
    pub(crate) fn map(self, change: impl Fn(f64) -> f64) -> Self {
        Self {
            read_units: change(self.read_units),
            write_units: change(self.write_units),
            standard_requests: change(self.standard_requests),
            fifo_requests: change(self.fifo_requests),
        }
    }

    /// Adds what a call to the table consumed, as its answer says. The emulator says nothing of a write whose condition
    /// fails.
    pub fn add_table(&mut self, operation: &str, answer: &str) {
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let consumed = match &answer["ConsumedCapacity"] {
            Value::Array(tables) => tables.clone(),
            table => vec![table.clone()],
        };
        let units: f64 = consumed.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum();
        match operation {
            "GetItem" | "BatchGetItem" | "Query" | "Scan" => self.read_units += units,
            _ => self.write_units += units,
        }
    }

    /// Adds a call to a queue.
    pub(crate) fn add_queue(&mut self, request: &[u8]) {
        let request: Value = serde_json::from_slice(request).unwrap_or_default();
        let body = request["MessageBody"].as_str().unwrap_or_default().len();
        let attributes = request["MessageAttributes"].as_object().into_iter().flatten();
        let attributes =
            attributes.map(|(name, value)| name.len() + length(&value["DataType"]) + length(&value["StringValue"]));
        let requests = (body + attributes.sum::<usize>()).div_ceil(BYTES_PER_REQUEST).max(1) as f64;
        if request["MessageGroupId"].is_string() {
            self.fifo_requests += requests;
        } else {
            self.standard_requests += requests;
        }
    }
}

fn length(text: &Value) -> usize {
    text.as_str().unwrap_or_default().len()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "whole and half units are exact")]
mod tests {
    use super::*;
    use verdict_simulation::DynamoDb;

    fn billed(calls: &[(&str, Value)]) -> Bill {
        let (table, mut bill) = (DynamoDb::with_sessions_table("sessions"), Bill::default());
        for (operation, request) in calls {
            let answer = table.answer(operation, &asking_for_capacity(request.to_string().as_bytes()));
            assert_eq!(answer.status, 200, "{}", answer.body);
            bill.add_table(operation, &answer.body);
        }
        bill
    }

    fn item(bytes: usize, more: &Value) -> Value {
        let mut item = json!({"pk": {"S": "p"}, "sk": {"S": "s"}, "text": {"S": "x".repeat(bytes)}});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"TableName": "sessions", "Item": item})
    }

    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
    #[test]
    fn a_write_costs_a_unit_for_each_kilobyte_twice_that_in_a_transaction_and_more_for_an_index() {
        assert_eq!(billed(&[("PutItem", item(10, &json!({})))]).write_units, 1.0);
        assert_eq!(billed(&[("PutItem", item(1024, &json!({})))]).write_units, 2.0);
        let transaction = json!({"TransactItems": [{"Put": item(1024, &json!({}))}]});
        assert_eq!(billed(&[("TransactWriteItems", transaction)]).write_units, 4.0);
        let due = json!({"dueShard": {"S": "outbox#0"}, "dueAt": {"S": "2026"}});
        assert_eq!(billed(&[("PutItem", item(1024, &due))]).write_units, 3.0);
    }

    #[test]
    fn a_read_costs_a_unit_for_four_kilobytes_half_that_if_it_need_not_be_consistent_and_one_for_what_is_absent() {
        let get = |is_consistent: bool| json!({"TableName": "sessions", "Key": {"pk": {"S": "p"}, "sk": {"S": "s"}}, "ConsistentRead": is_consistent});
        let put = || ("PutItem", item(5000, &json!({})));
        assert_eq!(billed(&[put(), ("GetItem", get(true))]).read_units, 2.0);
        assert_eq!(billed(&[put(), ("GetItem", get(false))]).read_units, 1.0);
        assert_eq!(billed(&[("GetItem", get(true))]).read_units, 1.0);
    }

    /// <https://aws.amazon.com/sqs/pricing/>
    #[test]
    fn a_message_is_a_request_for_each_64_kilobytes() {
        let billed = |bytes: usize, more: &Value| {
            let mut bill = Bill::default();
            let mut request = json!({"QueueUrl": "q", "MessageBody": "x".repeat(bytes)});
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            bill.add_queue(request.to_string().as_bytes());
            (bill.standard_requests, bill.fifo_requests)
        };
        let attributes = json!({"MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}}});
        assert_eq!(billed(1, &json!({})), (1.0, 0.0));
        assert_eq!(billed(64 * 1024, &json!({})), (1.0, 0.0));
        assert_eq!(billed(64 * 1024, &attributes), (2.0, 0.0));
        assert_eq!(billed(1, &json!({"MessageGroupId": "g"})), (0.0, 1.0));
    }
}
