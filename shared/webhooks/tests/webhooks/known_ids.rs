//! The ids of facts don't change: a copy of a webhook that an earlier release recorded is known for one.
//!
//! `known_ids.json` in a provider's folder has the ids that the first release gave to the events of each body here.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use verdict_sessions::{Provider, Timestamp};
use verdict_webhooks::{Genuine, Reading, read, sha256_hex};

use crate::conformance::{Verdict, cases};

/// Bodies by name, with the path that each came to.
type Bodies = BTreeMap<String, (String, Vec<u8>)>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a folder, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(file).unwrap())).collect()
}

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

/// The samples that `make run` sends.
fn samples(provider: Provider) -> Bodies {
    let body = |event: &Value| {
        let text = event["body"].as_str().unwrap_or_default();
        if event["isBase64Encoded"] == true { STANDARD.decode(text).unwrap() } else { text.as_bytes().to_vec() }
    };
    let path = |event: &Value| event["rawPath"].as_str().unwrap().to_owned();
    let samples = files(&root().join("events").join(provider.as_str())).into_iter();
    samples.map(|(name, file)| (format!("sample {name}"), (path(&json(&file)), body(&json(&file))))).collect()
}

/// The conformance vectors that are genuine.
fn vectors(provider: Provider) -> Bodies {
    let genuine = cases(provider).into_iter().filter(|case| case.verdict == Verdict::Genuine);
    genuine.map(|case| (format!("vector {}", case.name), (case.path.clone(), case.body()))).collect()
}

/// The payloads in the table, as the first release stored them.
fn stored(provider: Provider) -> Bodies {
    let table = root().join("tests/stored/0.1/table");
    let folders = fs::read_dir(table).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|folder| folder.file_name().unwrap().to_str().unwrap().starts_with(provider.as_str()));
    let payload = |(name, file): (String, Vec<u8>)| {
        let item = json(&file);
        let text = item["payload"]["S"].as_str()?.as_bytes().to_vec();
        Some((name, (item["source"]["S"].as_str()?.to_owned(), text)))
    };
    let payloads = folders.flat_map(|folder| {
        let session = folder.file_name().unwrap().to_str().unwrap().to_owned();
        files(&folder)
            .into_iter()
            .filter_map(payload)
            .map(move |(name, body)| (format!("stored {session} {name}"), body))
    });
    payloads.collect()
}

/// The webhooks as the provider prints them.
fn printed(provider: Provider) -> Bodies {
    let folder = root().join("shared/webhooks/tests/webhooks").join(provider.as_str()).join("printed");
    let path = if provider == Provider::Treezor { "/treezor" } else { "/wultra/process/event" };
    files(&folder).into_iter().map(|(name, body)| (format!("printed {name}"), (path.to_owned(), body))).collect()
}

fn ids(provider: Provider, path: String, body: Vec<u8>) -> Vec<String> {
    let digest = sha256_hex(&body);
    let now = Timestamp::parse("2026-06-13T00:40:00Z").unwrap();
    match read(&Genuine::from_our_queue(provider, path, now, body, digest)) {
        Ok(Reading::Events { events, .. }) => {
            events.iter().map(|event| format!("{} {}", event.session, event.event_id)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn no_event_has_another_id_than_the_first_release_gave_it() {
    for provider in [Provider::Treezor, Provider::Wultra] {
        let known = root().join("shared/webhooks/tests/webhooks").join(provider.as_str()).join("known_ids.json");
        let known: BTreeMap<String, Vec<String>> = serde_json::from_str(&fs::read_to_string(known).unwrap()).unwrap();
        let bodies = [samples(provider), vectors(provider), stored(provider), printed(provider)];
        let found: BTreeMap<_, _> =
            bodies.into_iter().flatten().map(|(name, (path, body))| (name, ids(provider, path, body))).collect();
        let other: Vec<_> = known.iter().filter(|(name, ids)| found.get(*name) != Some(ids)).collect();
        assert!(known.len() > 50, "{provider}: {}", known.len());
        assert!(other.is_empty(), "{provider}: {other:#?}");
    }
}
