//! The JSON Schemas of what consumers and readers get, made from the types.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use verdict_sessions::{CloudEvent, EventView, NotificationType, Outcome, SessionView};

/// Every outcome.
pub const OUTCOMES: [Outcome; 7] = [
    Outcome::Approved,
    Outcome::Declined,
    Outcome::Expired,
    Outcome::Abandoned,
    Outcome::Failed,
    Outcome::Review,
    Outcome::ResubmissionRequested,
];

/// The schemas, by the names of their files.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Value)> {
    let message = |notification_type| message(of::<CloudEvent<'_>>(), notification_type);
    vec![
        ("session.schema.json", of::<SessionView<'_>>()),
        ("event.schema.json", of::<EventView<'_>>()),
        ("decision.schema.json", message(NotificationType::Decision)),
        ("check.schema.json", message(NotificationType::Check)),
        ("decision-withdrawn.schema.json", message(NotificationType::DecisionWithdrawn)),
    ]
}

/// The schema of a type as it is written. Members that it doesn't name are allowed: new ones may come.
fn of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    plain(&mut schema);
    schema
}

/// Rewrites what only Rust's readers understand, and leaves out what validators needn't know.
fn plain(value: &mut Value) {
    match value {
        Value::Object(schema) => {
            if let Some(Value::String(description)) = schema.get_mut("description") {
                *description = prose(description);
            }
            // Formats of Rust's numbers, which strict validators refuse, and what a reader of stored items assumes.
            if schema.get("format").is_some_and(|format| format == "uint64") {
                schema.remove("format");
            }
            schema.remove("default");
            schema.values_mut().for_each(plain);
            words(schema);
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(plain),
        _ => {}
    }
}

/// Writes a choice of words as `enum`, which every generator of code knows. What each word means goes into the
/// description.
fn words(schema: &mut Map<String, Value>) {
    let Some(choices) = schema.get("oneOf").and_then(Value::as_array).cloned() else { return };
    let words: Vec<_> = choices.iter().filter_map(|choice| choice.get("const").cloned()).collect();
    if words.len() < choices.len() {
        return;
    }
    let meaning =
        |choice: &Value| Some(format!("\n- `{}`: {}", choice["const"].as_str()?, choice["description"].as_str()?));
    let meanings: String = choices.iter().filter_map(meaning).collect();
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    schema.insert("description".to_owned(), format!("{description}\n{meanings}").into());
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), words.into());
    schema.remove("oneOf");
}

/// A doc comment as prose: without links to code, each paragraph in one line.
fn prose(comment: &str) -> String {
    let paragraphs = comment.split("\n\n").map(|paragraph| paragraph.split('\n').collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n").replace("[`", "`").replace("`]", "`")
}

/// The schema of one type of message, from that of all. They share their members; what each type narrows is here.
fn message(mut schema: Value, notification_type: NotificationType) -> Value {
    let members = members_of(&mut schema);
    members["type"] = described(&members["type"], json!({"const": notification_type.as_str()}));
    let definitions = schema["$defs"].as_object_mut().unwrap();
    definitions.remove("NotificationType");
    match notification_type {
        NotificationType::Decision => decision(definitions),
        NotificationType::Check => check(definitions),
        NotificationType::DecisionWithdrawn => decision_withdrawn(definitions),
    }
    schema["title"] = notification_type.as_str().into();
    schema["description"] = title_of(notification_type).into();
    drop_unused(&mut schema);
    schema
}

fn title_of(notification_type: NotificationType) -> &'static str {
    match notification_type {
        NotificationType::Decision => "The decision changed: another outcome, another attempt, or other reasons.",
        NotificationType::Check => {
            "A final decision stands, and at least one check changed. The standing decision is repeated as it is."
        }
        NotificationType::DecisionWithdrawn => {
            "The decision was found not to be one, so that none stands. No outcome takes its place."
        }
    }
}

fn decision(definitions: &mut Map<String, Value>) {
    let data = data_of(definitions);
    let outcome = "The outcome of the decision that stands.";
    narrow(data, "outcome", &json!({"$ref": "#/$defs/Outcome", "description": outcome}));
    narrow(data, "decidedAt", &json!({"$ref": "#/$defs/Timestamp"}));
    without(data, &["changes", "withdrawnAt"]);
}

fn check(definitions: &mut Map<String, Value>) {
    let is_final = |outcome: &Outcome| outcome.is_final();
    let outcomes: Vec<_> = OUTCOMES.into_iter().filter(is_final).map(Outcome::as_str).collect();
    let data = data_of(definitions);
    let outcome = "The outcome of the decision that stands.";
    narrow(data, "outcome", &json!({"type": "string", "enum": outcomes, "description": outcome}));
    let same = json!({"type": "string", "enum": outcomes, "description": "The same outcome: only checks changed."});
    narrow(data, "previousOutcome", &same);
    narrow(data, "final", &json!({"const": true}));
    narrow(data, "decidedAt", &json!({"$ref": "#/$defs/Timestamp"}));
    require(data, "changes");
    data["properties"]["changes"]["minItems"] = 1.into();
    without(data, &["withdrawnAt"]);
}

fn decision_withdrawn(definitions: &mut Map<String, Value>) {
    let data = data_of(definitions);
    for member in ["outcome", "attemptId", "reasonCode", "decidedAt"] {
        narrow(data, member, &json!({"type": "null", "description": "There is no decision."}));
    }
    narrow(data, "final", &json!({"const": false}));
    let taken_back = "The outcome that is taken back: the one that the message before this one told.";
    narrow(data, "previousOutcome", &json!({"$ref": "#/$defs/Outcome", "description": taken_back}));
    narrow(data, "reasonCodes", &json!({"type": "array", "maxItems": 0}));
    narrow(data, "detail", &json!({"type": "object", "maxProperties": 0}));
    narrow(data, "withdrawnAt", &json!({"$ref": "#/$defs/Timestamp"}));
    require(data, "withdrawnAt");
    without(data, &["changes"]);
}

fn data_of(definitions: &mut Map<String, Value>) -> &mut Value {
    &mut definitions["Notification"]
}

fn members_of(schema: &mut Value) -> &mut Map<String, Value> {
    schema["properties"].as_object_mut().unwrap()
}

/// A schema with the description of another, unless it has one.
fn described(before: &Value, mut schema: Value) -> Value {
    if let (Some(description), None) = (before.get("description"), schema.get("description")) {
        schema["description"] = description.clone();
    }
    schema
}

/// Gives a member a narrower schema, with the description that it has, unless the schema brings its own.
fn narrow(data: &mut Value, member: &str, schema: &Value) {
    let members = members_of(data);
    let before = members.get(member).unwrap_or_else(|| panic!("no member {member}"));
    members[member] = described(before, schema.clone());
}

fn require(data: &mut Value, member: &str) {
    data["required"].as_array_mut().unwrap().push(member.into());
}

/// Leaves members out, and says that they are never there.
fn without(data: &mut Value, members: &[&str]) {
    for member in members {
        members_of(data).remove(*member).unwrap_or_else(|| panic!("no member {member}"));
    }
    data["propertyNames"] = json!({"not": {"enum": members}});
}

/// Removes the definitions that nothing refers to any more.
fn drop_unused(schema: &mut Value) {
    loop {
        let text = schema.to_string();
        let definitions = schema["$defs"].as_object_mut().unwrap();
        let before = definitions.len();
        definitions.retain(|name, _| text.contains(&format!("\"#/$defs/{name}\"")));
        if definitions.len() == before {
            return;
        }
    }
}
