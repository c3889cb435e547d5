//! The contract's files are what the types make.

use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};
use verdict_contract::{
    MESSAGES, SCHEMAS, files, root,
    schemas::{OUTCOMES, schemas},
    stories::messages,
};
use verdict_sessions::NotificationType;

const WRITE: &str =
    "`cargo run --package verdict-contract` writes the files anew. Look at the difference: consumers rely on them";

#[test]
fn the_schemas_and_sample_messages_are_what_the_types_make() {
    for (path, text) in files() {
        let committed = fs::read_to_string(root().join(&path)).unwrap_or_default();
        assert!(committed == text, "{} differs from the types. {WRITE}", path.display());
    }
}

#[test]
fn no_schema_and_no_sample_message_is_left_over() {
    let made: BTreeSet<_> = files().into_iter().map(|(path, _)| path).collect();
    for (folder, ending) in [(SCHEMAS, ".schema.json"), (MESSAGES, ".json")] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = Path::new(folder).join(entry.unwrap().file_name());
            let is_ours = path.to_string_lossy().ends_with(ending);
            assert!(!is_ours || made.contains(&path), "{}: nothing makes it", path.display());
        }
    }
}

#[test]
fn every_type_and_every_outcome_has_a_sample_message() {
    let messages = messages();
    let has = |is: &dyn Fn(&verdict_sessions::Notification) -> bool| messages.iter().any(|(_, message)| is(message));
    for notification_type in NotificationType::ALL {
        assert!(has(&|message| message.notification_type() == notification_type), "{notification_type:?}");
        assert!(has(&|message| message.notification_type() == notification_type && message.correction));
    }
    for outcome in OUTCOMES {
        assert!(has(&|message| message.outcome == Some(outcome)), "{outcome:?}");
    }
    assert!(has(&|message| message.reason_codes.len() > 1));
    assert!(has(&|message| message.changes.len() > 1));
    assert!(has(&|message| message.changes.iter().any(|change| change.outcome.is_none())));
}

#[test]
fn every_outcome_is_in_the_schemas_and_no_other() {
    let of_decisions = &schemas().into_iter().find(|(name, _)| *name == "decision.schema.json").unwrap().1;
    assert_eq!(of_decisions["$defs"]["Outcome"]["enum"], serde_json::json!(OUTCOMES));
}

#[test]
fn a_sample_message_is_named_after_its_type() {
    for (name, message) in messages() {
        let expected = match message.notification_type() {
            NotificationType::Check => name.starts_with("check-"),
            NotificationType::DecisionWithdrawn => name.starts_with("decision-withdrawn"),
            NotificationType::Decision => name.starts_with("decision-") && !name.starts_with("decision-withdrawn"),
        };
        assert!(expected, "{name}");
    }
}

/// Readers of the schemas don't know Rust.
#[test]
fn descriptions_have_nothing_of_rust() {
    for (name, schema) in schemas() {
        let text = schema.to_string();
        for rust in ["::", "[`", "`]", "`None`", "`Some`", "_codes"] {
            assert!(!text.contains(rust), "{name} has {rust}");
        }
    }
}

/// What isn't described can't be relied on.
#[test]
fn every_member_is_described() {
    for (name, schema) in schemas() {
        let definitions = schema["$defs"].as_object().unwrap();
        for (of, definition) in definitions.iter().chain([(&name.to_owned(), &schema)]) {
            assert!(definition["description"].is_string(), "{name}: {of}");
            for (member, schema) in definition["properties"].as_object().into_iter().flatten() {
                assert!(schema["description"].is_string(), "{name}: {of}.{member}");
            }
        }
    }
}

/// Tools of `AsyncAPI` read schemas as draft 07 does: they ignore what stands beside `$ref`, and what draft 07 doesn't have.
#[test]
fn the_schemas_mean_the_same_in_draft_07() {
    const KNOWN: [&str; 21] = [
        "$defs",
        "$ref",
        "$schema",
        "additionalProperties",
        "anyOf",
        "const",
        "description",
        "enum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "minItems",
        "minLength",
        "minimum",
        "not",
        "pattern",
        "properties",
        "propertyNames",
        "required",
    ];
    fn check(schema: &Value) {
        let Some(keywords) = schema.as_object() else { return };
        let beside_ref = keywords.keys().filter(|keyword| *keyword != "$ref" && *keyword != "description");
        assert!(!keywords.contains_key("$ref") || beside_ref.count() == 0, "{schema}");
        for (keyword, value) in keywords {
            assert!(KNOWN.contains(&&**keyword) || ["title", "type"].contains(&&**keyword), "{keyword} in {schema}");
            match &**keyword {
                "properties" | "$defs" => value.as_object().unwrap().values().for_each(check),
                "anyOf" => value.as_array().unwrap().iter().for_each(check),
                "additionalProperties" | "items" | "not" | "propertyNames" => check(value),
                _ => {}
            }
        }
    }
    for (_, schema) in schemas() {
        check(&schema);
    }
}
