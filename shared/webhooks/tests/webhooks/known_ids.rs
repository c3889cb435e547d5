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
use verdict_sessions::{Provider, SessionId, SessionKey, Timestamp};
use verdict_webhooks::{
    Genuine, Reading,
    incode::{Finding, SCORE_PATH, STATUS_PATH},
    read, sha256_hex,
};

use crate::conformance::{Verdict, cases};

/// Bodies that the first release filed under an id of which nothing says that it is a session's. They are kept for an
/// operator now.
const NAMES_NO_SESSION: [&str; 2] = ["printed user-status.created", "sample user-status-without-session-id"];

/// Bodies by name, with the path that each came to.
pub(crate) type Bodies = BTreeMap<String, (String, Vec<u8>)>;

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
pub(crate) fn samples(provider: Provider) -> Bodies {
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
pub(crate) fn printed(provider: Provider) -> Bodies {
    let folder = root().join("shared/webhooks/tests/webhooks").join(provider.as_str()).join("printed");
    let path = |name: &str| match provider {
        Provider::Veriff => "/veriff/decisions".to_owned(),
        // The body doesn't say what it is, so the file's name does.
        Provider::Incode => format!("/incode/{}", name.split('.').next().unwrap()),
        Provider::Treezor => "/treezor".to_owned(),
        Provider::Wultra => "/wultra/process/event".to_owned(),
    };
    files(&folder).into_iter().map(|(name, body)| (format!("printed {name}"), (path(&name), body))).collect()
}

/// Answers of Incode's API. The scores have no sections, which the id of a score covers since they are read.
fn answers(provider: Provider) -> Bodies {
    const ANSWERS: [(&str, &str); 9] = [
        (STATUS_PATH, r#"{"onboardingStatus":"ONBOARDING_FINISHED"}"#),
        (STATUS_PATH, r#"{"onboardingStatus":"MANUAL_REVIEW_APPROVED"}"#),
        (STATUS_PATH, r#"{"onboardingStatus":"EXPIRED"}"#),
        (STATUS_PATH, r#"{"onboardingStatus":"NEVER_HEARD_OF"}"#),
        (SCORE_PATH, r#"{"overall":{"status":"OK","value":"93.1"}}"#),
        (SCORE_PATH, r#"{"overall":{"status":"FAIL"}}"#),
        (SCORE_PATH, r#"{"overall":{"status":"MANUAL_PENDING"}}"#),
        (SCORE_PATH, r#"{"overall":{"status":"OK"},"idValidation":null,"liveness":{},"reasonMsg":"Sample"}"#),
        (SCORE_PATH, r#"{"overall":{"status":"NEVER_HEARD_OF"}}"#),
    ];
    let answers = ANSWERS.iter().filter(|_| provider == Provider::Incode);
    answers
        .map(|(path, body)| (format!("answer {path} {body}"), ((*path).to_owned(), body.as_bytes().to_vec())))
        .collect()
}

fn ids(provider: Provider, path: String, body: Vec<u8>) -> Vec<String> {
    let session = SessionKey { provider, session_id: SessionId::new("asked-about").unwrap() };
    let arrival = Timestamp::parse("2026-06-13T00:40:00Z").unwrap();
    let finding = match &*path {
        STATUS_PATH => Some(Finding::of_status(&session, &body, arrival)),
        SCORE_PATH => Some(Finding::of_score(&session, &body, arrival)),
        _ => None,
    };
    if let Some(finding) = finding {
        return finding.unwrap().event.iter().map(|event| event.event_id.to_string()).collect();
    }
    let digest = sha256_hex(&body);
    match read(&Genuine::from_our_queue(provider, path, arrival, body, digest)) {
        Ok(Reading::Events { events, .. }) => {
            events.iter().map(|event| format!("{} {}", event.session, event.event_id)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn no_event_has_another_id_than_the_first_release_gave_it() {
    for provider in Provider::ALL {
        let known = root().join("shared/webhooks/tests/webhooks").join(provider.as_str()).join("known_ids.json");
        let known: BTreeMap<String, Vec<String>> = serde_json::from_str(&fs::read_to_string(known).unwrap()).unwrap();
        let bodies = [samples(provider), vectors(provider), stored(provider), printed(provider), answers(provider)];
        let found: BTreeMap<_, _> =
            bodies.into_iter().flatten().map(|(name, (path, body))| (name, ids(provider, path, body))).collect();
        let other: Vec<_> = known
            .iter()
            .filter(|(name, _)| !NAMES_NO_SESSION.contains(&name.as_str()))
            .filter(|(name, ids)| found.get(*name) != Some(ids))
            .collect();
        assert!(known.len() > 50, "{provider}: {}", known.len());
        assert!(other.is_empty(), "{provider}: {other:#?}");
    }
}
