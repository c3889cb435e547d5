//! What the simulation takes from `template.yaml`, so that it runs on the table and the queues that are deployed.

use serde_json::{Value, json};
use std::time::Duration;

/// The template.
const TEMPLATE: &str = include_str!("../../../template.yaml");

/// A resource's properties, flattened: every `Key: value` of its block, in order. That is no YAML reader: it reads
/// the plain scalars that this template writes, one to a line or in `{ … }`.
fn scalars(resource: &str) -> Vec<(&'static str, &'static str)> {
    let (_, block) = TEMPLATE.split_once(&format!("\n  {resource}:\n")).unwrap_or_else(|| panic!("no {resource}"));
    block
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("   "))
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(parts)
        .filter_map(|part| part.trim().trim_start_matches("- ").split_once(": "))
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(key, value)| (key.trim(), value.trim()))
        .collect()
}

/// What stands on a line, one `Key: value` in each part. A list such as `[a, b]` is one value.
fn parts(line: &str) -> impl Iterator<Item = &str> {
    let mut is_in_list = false;
    line.split(move |character| match character {
        '[' | ']' => {
            is_in_list = character == '[';
            false
        }
        ',' => !is_in_list,
        character => matches!(character, '{' | '}'),
    })
}

/// The request that creates the sessions table, but for its name.
pub(crate) fn sessions_table() -> Value {
    let mut attributes = Vec::new();
    let mut keys: Vec<Value> = Vec::new();
    let mut indexes: Vec<Value> = Vec::new();
    let mut attribute = "";
    for (key, value) in scalars("SessionsTable") {
        match key {
            "AttributeName" => attribute = value,
            "AttributeType" => attributes.push(json!({"AttributeName": attribute, "AttributeType": value})),
            "KeyType" => {
                let part = json!({"AttributeName": attribute, "KeyType": value});
                match indexes.last_mut() {
                    Some(index) => index["KeySchema"].as_array_mut().unwrap().push(part),
                    None => keys.push(part),
                }
            }
            "IndexName" => indexes.push(json!({"IndexName": value, "KeySchema": []})),
            "ProjectionType" => indexes.last_mut().unwrap()["Projection"] = json!({"ProjectionType": value}),
            "NonKeyAttributes" => {
                let attributes: Vec<_> = value.trim_matches(['[', ']']).split(", ").collect();
                indexes.last_mut().unwrap()["Projection"]["NonKeyAttributes"] = json!(attributes);
            }
            _ => {}
        }
    }
    json!({
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": keys,
        "GlobalSecondaryIndexes": indexes,
    })
}

/// A queue as the template describes it.
#[derive(Clone)]
pub(crate) struct QueueProperties {
    pub(crate) is_fifo: bool,
    pub(crate) visibility_timeout: Duration,
    pub(crate) retention: Duration,
    /// The resource that is its dead-letter queue, and how often a message may be received before.
    pub(crate) redrive: Option<(&'static str, u32)>,
}

/// Reads a queue's properties.
pub(crate) fn queue(resource: &str) -> QueueProperties {
    // SQS's own defaults, where the template is silent.
    let scalars = scalars(resource);
    let scalar = |key| scalars.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let seconds = |key, default| scalar(key).map_or(default, |value| value.parse().unwrap());
    let target = scalar("deadLetterTargetArn").map(|arn| {
        arn.strip_prefix("!GetAtt ").and_then(|arn| arn.strip_suffix(".Arn")).unwrap_or_else(|| panic!("{arn}"))
    });
    QueueProperties {
        is_fifo: scalar("FifoQueue") == Some("true"),
        visibility_timeout: Duration::from_secs(seconds("VisibilityTimeout", 30)),
        retention: Duration::from_secs(seconds("MessageRetentionPeriod", 345_600)),
        redrive: target.zip(scalar("maxReceiveCount").map(|count| count.parse().unwrap())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_its_keys_and_indexes() {
        let table = sessions_table();
        assert_eq!(table["KeySchema"][0], json!({"AttributeName": "pk", "KeyType": "HASH"}));
        assert_eq!(table["KeySchema"][1], json!({"AttributeName": "sk", "KeyType": "RANGE"}));
        assert_eq!(table["AttributeDefinitions"].as_array().unwrap().len(), 8);
        let due = &table["GlobalSecondaryIndexes"][0];
        assert_eq!(due["IndexName"], "due");
        assert_eq!(due["KeySchema"][1], json!({"AttributeName": "dueAt", "KeyType": "RANGE"}));
        assert_eq!(due["Projection"], json!({"ProjectionType": "KEYS_ONLY"}));
        assert_eq!(table["GlobalSecondaryIndexes"][1]["IndexName"], "reference");
        let standing = &table["GlobalSecondaryIndexes"][2];
        assert_eq!(standing["IndexName"], "standing");
        let projection = json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["provider", "outcome"]});
        assert_eq!(standing["Projection"], projection);
    }

    #[test]
    fn a_queue_has_its_properties() {
        let decisions = queue("DecisionsQueue");
        assert!(decisions.is_fifo);
        assert_eq!(decisions.redrive, Some(("DecisionsDeadLetterQueue", 10)));
        assert_eq!(decisions.visibility_timeout, Duration::from_mins(1));
        let quarantine = queue("QuarantineQueue");
        assert!(!quarantine.is_fifo);
        assert_eq!(quarantine.retention, Duration::from_hours(14 * 24));
        assert_eq!(queue("IntakeQueue").redrive.unwrap().0, "QuarantineQueue");
    }
}
