//! The fixtures themselves: the newest are what today's code writes, those of a release that is out don't change, and
//! they leave out no member and no word.

use super::{newest, shown};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use verdict_pipeline::IntakeMessage;
use verdict_sessions::Provider;
use verdict_simulation::stored::{Fixtures, MISREAD, differences, released_digest, releases, today};

/// The members that may be missing: null, for readers.
const OPTIONAL: [&str; 35] = [
    "STATE.reference",
    "STATE.session.reference",
    "STATE.session.reference.rank.emittedAt",
    "STATE.session.providerUserId",
    "STATE.session.decision",
    "STATE.session.decision.rank.emittedAt",
    "STATE.session.decision.value.attemptId",
    "STATE.session.decision.value.reason",
    "STATE.session.decision.value.reasonCode",
    "STATE.session.attempts.*.id",
    "STATE.session.checks.*.value.reason",
    "EVENT.event.attemptId",
    "EVENT.event.occurredAt",
    "EVENT.event.emittedAt",
    "EVENT.event.stage",
    "EVENT.event.decision",
    "EVENT.event.decision.reason",
    "EVENT.event.decision.reasonCode",
    "EVENT.event.checks.*.reason",
    "EVENT.event.subject.reference",
    "EVENT.event.subject.providerUserId",
    "EVENT.event.remark",
    "NOTIFICATION.notification.attemptId",
    "NOTIFICATION.notification.previousOutcome",
    "NOTIFICATION.notification.reasonCode",
    "NOTIFICATION.notification.reference",
    "NOTIFICATION.notification.providerUserId",
    "NOTIFICATION.notification.outcome",
    "NOTIFICATION.notification.decidedAt",
    "NOTIFICATION.notification.checks",
    "NOTIFICATION.notification.changes.*.previousOutcome",
    "TOLD.notification.attemptId",
    "TOLD.notification.reasonCode",
    "EVENT.event.checks",
    "EVENT.event.detail",
];

/// The members that are left out where they say nothing.
const LEFT_OUT: [&str; 29] = [
    "STATE.session.decision.value.decidedAt",
    "STATE.session.decision.value.detail.*",
    "STATE.session.decision.value.reasonCodes",
    "STATE.session.checks.*.shownAt",
    "STATE.session.checks.*.value.detail.*",
    "STATE.session.checks.*.value.reasonCodes",
    "EVENT.event.decision.decidedAt",
    "EVENT.event.decision.detail.*",
    "EVENT.event.decision.reasonCodes",
    "EVENT.event.checks.*.detail.*",
    "EVENT.event.checks.*.reasonCodes",
    "EVENT.event.remarks",
    "EVENT.event.undated",
    "STATE.session.checks.*.largest",
    "STATE.session.statusSince",
    "STATE.standingShard",
    "STATE.standingAt",
    "STATE.outcome",
    "NOTIFICATION.follows",
    "NOTIFICATION.trace",
    "TOLD.trace",
    "NOTIFICATION.notification.changes.*.reasonCodes.*",
    "NOTIFICATION.notification.withdrawnAt",
    "POLL.leasedUntil",
    "POLL.pollConfirms",
    "STATE.session.hasSeveralUsers",
    "BOUND.objectId",
    "EVENT.evidence.signature",
    "EVENT.evidence.credentials.*.member",
];

/// The words of each closed set.
const WORDS: [(&str, &[&str]); 9] = [
    ("STATE.status", &["new", "started", "submitted", "in_review", "awaiting_resubmission", "decided"]),
    ("STATE.session.kind", &["verification", "onboarding", "kyc_review", "identification"]),
    ("STATE.session.attempts.*.stage", &["new", "started", "submitted"]),
    (
        "EVENT.event.decision.outcome",
        &["approved", "declined", "expired", "abandoned", "failed", "review", "resubmission_requested"],
    ),
    ("EVENT.event.checks.*.outcome", &["pending", "passed", "failed", "flagged", "error", "captured", "cancelled"]),
    ("EVENT.event.remark", &["unrecognised", "inconsistent"]),
    ("NOTIFICATION.notification.correction", &["false", "true"]),
    ("NOTIFICATION.notification.final", &["false", "true"]),
    ("POLL.pollReason", &["quiet", "decision", "recheck"]),
];

#[test]
fn the_newest_fixtures_are_what_today_s_code_writes() {
    let newest = releases().pop().unwrap();
    let (before, after) = (Fixtures::of(&newest), today());
    let paths: BTreeSet<&str> = before.files().chain(after.files()).map(|(path, _)| path).collect();
    let different: Vec<String> = paths.into_iter().flat_map(|path| different(path, &before, &after)).collect();
    let advice = if released_digest(&newest).is_some() {
        format!(
            "{newest} is out, and its items are in tables: leave tests/stored/{newest}/ as it is, and add a folder for the \
             next release, with `cargo run -p verdict-simulation --bin stored -- RELEASE`. New members must be optional"
        )
    } else {
        format!("{newest} isn't out yet: `cargo run -p verdict-simulation --bin stored -- {newest}` writes it anew")
    };
    assert!(
        different.is_empty(),
        "What is stored has another form than tests/stored/{newest}/:\n{}\n{advice}. See tests/stored/README.md.",
        shown(&different),
    );
}

#[test]
fn the_fixtures_of_a_release_that_is_out_stay_as_they_are() {
    let releases = releases();
    let (_, older) = releases.split_last().unwrap();
    let misread_by = releases.iter().map(|release| format!("{MISREAD}/{release}"));
    let misread = misread_by.filter(|folder| released_digest(folder).is_some()).collect::<Vec<_>>();
    assert!(!misread.is_empty());
    for release in releases.iter().chain(&misread) {
        let digest = released_digest(release);
        assert!(
            digest.is_some() || !older.contains(release),
            "{release} isn't the newest, so it is out: add its digest"
        );
        if let Some(digest) = digest {
            assert_eq!(Fixtures::of(release).digest(), digest, "tests/stored/{release}/ was changed after its release");
        }
    }
}

#[test]
fn every_optional_member_is_there_with_and_without_a_value() {
    let found = members();
    for path in OPTIONAL {
        let values = found.get(path).unwrap_or_else(|| panic!("{path} is nowhere"));
        let without = values.iter().filter(|value| ["null", "{}"].contains(&&***value)).count();
        assert!(without > 0, "{path} is there everywhere");
        assert!(values.len() > without, "{path} has a value nowhere");
    }
}

#[test]
fn no_item_has_a_member_that_holds_null() {
    let newest = newest();
    let with_null =
        |(path, text): (&str, &str)| (path.starts_with("table/") && text.contains("NULL")).then(|| path.to_owned());
    assert_eq!(newest.files().filter_map(with_null).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_member_that_may_be_left_out_is_there() {
    let found = members();
    let missing: Vec<_> = LEFT_OUT.iter().filter(|path| !found.contains_key(**path)).collect();
    assert!(missing.is_empty(), "nowhere: {missing:?}");
}

#[test]
fn every_word_of_a_closed_set_is_there() {
    let found = members();
    for (path, words) in WORDS {
        let missing: Vec<_> = words.iter().filter(|word| !found[path].contains(**word)).collect();
        assert!(missing.is_empty(), "{path} is nowhere {missing:?}");
    }
}

#[test]
fn every_provider_has_every_sort() {
    let newest = newest();
    let paths: Vec<&str> = newest.files().map(|(path, _)| path).collect();
    for provider in Provider::ALL {
        for sort in ["STATE.", "EVENT-", "PAYLOAD-", "NOTIFICATION-", "TOLD-"] {
            let is_there = paths
                .iter()
                .any(|path| path.starts_with(&format!("table/{provider}-")) && path.contains(&format!("/{sort}")));
            assert!(is_there, "no {sort} of {provider}");
        }
        for sort in ["intake", "quarantine", "decisions"] {
            assert!(
                paths.iter().any(|path| path.starts_with(&format!("{sort}/{provider}"))),
                "no {sort} of {provider}"
            );
        }
    }
}

/// The differences between a stored file and the one that today's code writes.
fn different(path: &str, before: &Fixtures, after: &Fixtures) -> Vec<String> {
    match (before.file(path), after.file(path)) {
        (Some(before), Some(after)) => differences(&unpacked(before), &unpacked(after))
            .into_iter()
            .map(|difference| format!("{path}: {difference}"))
            .collect(),
        (None, _) => vec![format!("{path} is new")],
        (_, None) => vec![format!("{path} is not written any more")],
    }
}

/// A file's JSON, in which a webhook's body is unpacked: another version of gzip may pack it otherwise.
fn unpacked(text: &str) -> Value {
    let mut value: Value = serde_json::from_str(text).unwrap();
    if let Ok(IntakeMessage::Webhook(kept)) = IntakeMessage::read(text) {
        value["body"] = String::from_utf8(kept.restore().unwrap().body().to_vec()).unwrap().into();
    }
    value
}

/// The values that the newest items have at each path, which begins with the sort of item.
fn members() -> BTreeMap<String, BTreeSet<String>> {
    let partitions = newest().partitions();
    let items = partitions.iter().flat_map(|partition| &partition.items);
    let items: Vec<_> =
        items.map(|(name, item)| (name.split('-').next().unwrap(), item.as_object().unwrap())).collect();
    let mut found = BTreeMap::new();
    for (sort, item) in &items {
        for (member, value) in *item {
            collect(value, &format!("{sort}.{member}"), &mut found);
        }
        note_missing(sort, item, &mut found);
    }
    found
}

/// Notes which optional members are missing in what is at a path.
fn note_missing(path: &str, members: &Map<String, Value>, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let is_missing = |optional: &&&str| {
        let (parent, member) = optional.rsplit_once('.').unwrap();
        parent == path && !members.contains_key(member)
    };
    for optional in OPTIONAL.iter().filter(is_missing) {
        found.entry((*optional).to_owned()).or_default().insert("null".to_owned());
    }
}

/// Collects a value and the values in it. In paths, `*` stands for a check's name, a detail's name, or a place in a list.
fn collect(typed: &Value, path: &str, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let (kind, value) = typed.as_object().unwrap().iter().next().unwrap();
    let is_map = [".checks", ".detail"].iter().any(|map| path.ends_with(map));
    let text = match (kind.as_str(), value) {
        ("M", Value::Object(members)) => {
            for (name, member) in members {
                collect(member, &format!("{path}.{}", if is_map { "*" } else { name }), found);
            }
            note_missing(path, members, found);
            if members.is_empty() { "{}".to_owned() } else { "{…}".to_owned() }
        }
        ("L", Value::Array(items)) => {
            for item in items {
                collect(item, &format!("{path}.*"), found);
            }
            format!("{} items", items.len())
        }
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    };
    found.entry(path.to_owned()).or_default().insert(text);
}
