//! The JSON reader that every body goes through, against `serde_json`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;
use verdict_webhooks::{Unreadable, json::Json};

fuzz_target!(|body: &[u8]| {
    let ours = Json::parse(body);
    let Ok(text) = str::from_utf8(body) else {
        assert!(ours.is_err());
        return;
    };
    let theirs = serde_json::from_str::<IgnoredAny>(text);
    match &ours {
        Ok(json) => {
            assert!(theirs.is_ok(), "read, and no JSON");
            // Theirs loses numbers beyond f64 and the halves of pairs.
            if let Ok(value) = serde_json::from_str::<Value>(text) {
                assert_same(json, &value);
            }
            assert_members(json);
        }
        Err(Unreadable::TooDeep) => assert!(serde_json::from_str::<Value>(&format!("[{text}]")).is_err()),
        Err(_) => assert!(theirs.is_err(), "JSON, and not read"),
    }
});

fn assert_same(ours: &Json<'_>, theirs: &Value) {
    match (ours, theirs) {
        (Json::Null, Value::Null) => {}
        (Json::Bool(ours), Value::Bool(theirs)) => assert_eq!(ours, theirs),
        (Json::Number(ours), Value::Number(_)) => {
            assert_eq!(serde_json::from_str::<Value>(ours).ok().as_ref(), Some(theirs))
        }
        (Json::String(ours), Value::String(theirs)) => {
            assert!(ours.is_unicode());
            assert_eq!(ours.decoded(), *theirs);
        }
        (Json::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len());
            ours.iter().zip(theirs).for_each(|(ours, theirs)| assert_same(ours, theirs));
        }
        (Json::Object(ours), Value::Object(theirs)) => {
            for (name, value) in theirs {
                // Of several members of one name, theirs keeps the last.
                let same = ours.iter().rev().find(|(ours, _)| ours.decoded() == *name).expect("a member that is there");
                assert_same(&same.1, value);
            }
            assert!(ours.iter().all(|(name, _)| theirs.contains_key(&*name.decoded())));
        }
        _ => panic!("another sort of value"),
    }
}

/// A member that is there once is found, and one that is there twice is seen to be.
fn assert_members(json: &Json<'_>) {
    match json {
        Json::Array(items) => items.iter().for_each(assert_members),
        Json::Object(members) => {
            for name in ["id", "é", "🔑"] {
                let named: Vec<_> = members.iter().filter(|(other, _)| other.decoded() == name).collect();
                match json.member(name) {
                    Ok(Some(value)) => assert!(named.len() == 1 && named[0].1 == *value),
                    Ok(None) => assert!(named.is_empty() || named.len() == 1 && named[0].1 == Json::Null),
                    Err(_) => assert!(named.len() > 1),
                }
                assert_eq!(json.has(name).ok(), (named.len() < 2).then_some(named.len() == 1));
            }
            members.iter().for_each(|(_, value)| assert_members(value));
        }
        _ => assert!(json.member("id") == Ok(None) && json.has("id") == Ok(false)),
    }
}
