//! The ids of facts don't change: a copy of a webhook that an earlier release recorded is known for one.
//!
//! `known_ids.json` in a provider's folder has the ids that the first release gave to the events of each body here. For
//! Treezor's, `part_ids.json` has those that came after them: a copy is known by either.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use verdict_sessions::{Provider, SessionId, SessionKey, Timestamp};
use verdict_webhooks::{
    Genuine, Part, Reading,
    incode::{Finding, SCORE_PATH, STATUS_PATH},
    read, sha256_hex,
};

use crate::conformance::cases;

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

/// The conformance vectors, genuine or not: what is refused today may have been recorded once.
fn vectors(provider: Provider) -> Bodies {
    let cases = cases(provider).into_iter();
    cases.map(|case| (format!("vector {}", case.name), (case.path.clone(), case.body()))).collect()
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

/// The ids of a body's events: those that the first release gave them, or those of today.
fn ids(provider: Provider, path: String, body: Vec<u8>, are_former: bool) -> Vec<String> {
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
        Ok(Reading::Events { events, parts }) => {
            let former = |part: &Part| part.former_id.clone().filter(|_| are_former);
            let ids = events.iter().zip(&parts);
            let ids = ids.map(|(event, part)| (&event.session, former(part).unwrap_or(event.event_id.clone())));
            ids.map(|(session, id)| format!("{session} {id}")).collect()
        }
        _ => Vec::new(),
    }
}

fn assert_known(provider: Provider, file: &str, are_former: bool) {
    let known = root().join("shared/webhooks/tests/webhooks").join(provider.as_str()).join(file);
    let known: BTreeMap<String, Vec<String>> = serde_json::from_str(&fs::read_to_string(known).unwrap()).unwrap();
    let bodies = [samples(provider), vectors(provider), stored(provider), printed(provider), answers(provider)];
    let found: BTreeMap<_, _> = bodies
        .into_iter()
        .flatten()
        .map(|(name, (path, body))| (name, ids(provider, path, body, are_former)))
        .collect();
    let other: Vec<_> = known
        .iter()
        .filter(|(name, _)| !NAMES_NO_SESSION.contains(&name.as_str()))
        .filter(|(name, ids)| found.get(*name) != Some(ids))
        .collect();
    assert!(known.len() > 50, "{provider}: {}", known.len());
    assert!(other.is_empty(), "{provider}: {other:#?}");
}

#[test]
fn every_event_is_known_by_the_id_that_the_first_release_gave_it() {
    for provider in Provider::ALL {
        assert_known(provider, "known_ids.json", true);
    }
}

#[test]
fn no_event_has_another_id_than_the_release_gave_it_that_made_ids_of_parts() {
    assert_known(Provider::Treezor, "part_ids.json", false);
}

/// SHA-256 over some texts, each behind its length, as in ids.
fn digest_of(parts: &[&str]) -> String {
    let behind_its_length = |part: &&str| [&(part.len() as u64).to_be_bytes()[..], part.as_bytes()].concat();
    sha256_hex(&parts.iter().flat_map(behind_its_length).collect::<Vec<u8>>())
}

/// The first release knew fewer names of secrets than today, and stored what is left out now.
#[test]
fn an_event_with_a_secret_in_its_id_is_known_by_the_id_that_the_first_release_gave_it() {
    let of = |provider, path: &str, body: &str| {
        let digest = sha256_hex(body.as_bytes());
        let arrival = Timestamp::parse("2026-06-13T00:40:00Z").unwrap();
        let genuine = Genuine::from_our_queue(provider, path.to_owned(), arrival, body.as_bytes().to_vec(), digest);
        let Ok(Reading::Events { events, parts }) = read(&genuine) else { panic!("{body}") };
        (events[0].event_id.to_string(), parts[0].clone())
    };
    let veriff = |context: &str| {
        format!(r#"{{"id":"s","attemptId":"a","code":7010,"action":"flow_cancelled","context":{context}}}"#)
    };
    let context = r#"{"pin":"1","reason":"x"}"#;
    let (id, part) = of(Provider::Veriff, "/veriff/events", &veriff(context));
    let first = digest_of(&["s", "a", "7010", "flow_cancelled", context]);
    assert_eq!(part.former_id.unwrap().as_str(), format!("event:{first}"));
    assert_eq!(id, of(Provider::Veriff, "/veriff/events", &part.payload).0, "today's is made of what is stored");
    assert_eq!(of(Provider::Veriff, "/veriff/events", &veriff(r#"{"reason":"x"}"#)).1.former_id, None);

    let payload = r#"{"userId":"7","kycReview":2,"pin":"1"}"#;
    let treezor = format!(r#"{{"webhook":"kycreview.result","webhook_id":"w","object_payload":{payload}}}"#);
    let (id, part) = of(Provider::Treezor, "/treezor", &treezor);
    let first = digest_of(&["kycreview.result", "w", payload]);
    assert_eq!(part.former_id.unwrap().as_str(), format!("{first}:1"));
    assert_eq!(id, of(Provider::Treezor, "/treezor", &part.payload).0, "today's is made of what is stored");
    assert!(!part.payload.contains("pin"));

    let long = format!(r#"{{\"pin\":1,\"x\":\"{}\"}}"#, "x. ".repeat(200));
    let wultra = format!(r#"{{"id":"{long}","type":"FINISHED","processId":"p"}}"#);
    let (_, part) = of(Provider::Wultra, "/wultra/process/event", &wultra);
    let first = sha256_hex(format!("\"{long}\"").as_bytes());
    assert_eq!(part.former_id.unwrap().as_str(), format!("id_digest:{first}"));
}
