//! The sample webhooks of `events/`, each as its provider sends it.

use crate::Webhook;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use std::fs;
use verdict_sessions::Provider;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");

impl Webhook {
    /// A sample by its name, such as `veriff/decision-approved`. `events/catalogue.json` describes it; its
    /// [`claims`](Self::claims) stays empty.
    ///
    /// # Panics
    /// If there is no such sample.
    #[must_use]
    pub fn sample(name: &str) -> Self {
        let file = format!("{FOLDER}/{name}.json");
        let event = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let event: Value = serde_json::from_str(&event).unwrap();
        let (provider, _) = name.split_once('/').unwrap();
        Self::of_event(provider.parse().unwrap(), &event)
    }

    /// The webhook that an API Gateway event holds; its [`claims`](Self::claims) stays empty.
    ///
    /// # Panics
    /// If it isn't such an event.
    #[must_use]
    pub fn of_event(provider: Provider, event: &Value) -> Self {
        Self {
            provider,
            path: event["rawPath"].as_str().unwrap().to_owned(),
            query: pairs(&event["queryStringParameters"]),
            headers: pairs(&event["headers"]),
            body: body(event),
            claims: Vec::new(),
        }
    }
}

fn pairs(members: &Value) -> Vec<(String, String)> {
    let members = members.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn body(event: &Value) -> Vec<u8> {
    let body = event["body"].as_str().unwrap_or_default();
    if event["isBase64Encoded"] == true { BASE64_STANDARD.decode(body).unwrap() } else { body.as_bytes().to_vec() }
}
