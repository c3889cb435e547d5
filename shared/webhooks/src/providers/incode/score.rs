//! Scores: the overall status decides, and each section is a check.

use super::details::{of_score, of_section};
use crate::reading::{
    details::{Remarks, codes, cut, left_out, remark, shown},
    facts::Facts,
    fields::{MaybeJson, MaybeText, text},
    json::Json,
};
use std::{borrow::Cow, collections::BTreeMap};
use verdict_sessions::{Check, CheckOutcome, Decision, Detail, Outcome, ReasonCode, Remark};

/// The most sections of which an answer is read; Incode documents four.
const SECTIONS_LIMIT: usize = 16;

/// The sections whose checks other webhooks report, too. Any other section's check has the section's name.
const CHECKS: [(&str, &str); 4] = [
    ("idValidation", "document"),
    ("liveness", "liveness"),
    ("faceRecognition", "face"),
    ("governmentValidation", "government"),
];

/// A section's members with a status that is no test's: that of the section, and that of a rule.
const NO_TESTS: [&str; 2] = ["overall", "appliedRule"];

/// A section as a check.
struct Section {
    check: String,
    outcome: CheckOutcome,
    failed: Vec<ReasonCode>,
    detail: Detail,
}

/// One test of a section.
struct Test<'a> {
    status: Cow<'a, str>,
    /// Its key or the name of its member, if it has one; within, its text, if it is text.
    key: Option<MaybeText<'a>>,
}

/// The facts of a score whose overall status is there.
pub(super) fn score(answer: &Json<'_>, status: MaybeJson<'_>) -> Facts {
    let (name, outcome) = match text(status).as_deref() {
        Some("OK") => ("ok", Some(Outcome::Approved)),
        Some("MANUAL_OK") => ("manual_ok", Some(Outcome::Approved)),
        Some("FAIL") => ("fail", Some(Outcome::Declined)),
        Some("MANUAL_FAIL") => ("manual_fail", Some(Outcome::Declined)),
        Some("WARN") => ("warn", Some(Outcome::Review)),
        Some("MANUAL") => ("manual", Some(Outcome::Review)),
        Some("MANUAL_PENDING") => ("manual_pending", Some(Outcome::Review)),
        _ => ("unrecognised", None),
    };
    let facts = match outcome {
        Some(outcome) => Facts::decided(outcome),
        None => Facts::unrecognised(shown([("overall.status", status)])),
    };
    with_sections(facts, answer).named(format!("score.{name}"))
}

/// The ends of a score's checks, as its event's id has them: in the order of their names.
pub(super) fn outcomes(facts: &Facts) -> Vec<String> {
    facts.checks.iter().map(|(name, check)| format!("{name}={}", word(check.outcome))).collect()
}

/// The facts with the sections as checks, and with the keys of all failed tests as reason codes of the decision.
fn with_sections(mut facts: Facts, answer: &Json<'_>) -> Facts {
    let (detail, mut remarks) = of_score(answer);
    let sections = sections(answer, &mut facts, &mut remarks);
    let failed = sections.iter().flat_map(|section| &section.failed);
    let (reasons, cut) = codes("reasonCodes", failed.map(|code| Some(Cow::Borrowed(code.as_str()))));
    let decision = facts.decision.take();
    facts.decision = decision.map(|decision| Decision { detail, ..decision }.with_codes(reasons));
    for section in sections {
        let check = Check { reason_codes: section.failed, detail: section.detail, ..Check::new(section.outcome) };
        let first = facts.checks.get(&section.check).map(|first| caution(first.outcome));
        if first.is_none_or(|first| first < caution(check.outcome)) {
            facts.checks.insert(section.check, check);
        }
    }
    facts.with_remarks(remarks.into_iter().chain(cut))
}

/// The sections that say something. Nothing is inferred from one that is missing.
fn sections(answer: &Json<'_>, facts: &mut Facts, remarks: &mut Remarks) -> Vec<Section> {
    let Json::Object(members) = answer else { return Vec::new() };
    let mut sections = Vec::new();
    for (name, value) in members.iter().filter(|(name, _)| !name.means("overall")) {
        let name = name.decoded();
        let (overall, tests) = (status_of(value), tests(value));
        let statuses = || overall.iter().chain(tests.iter().map(|test| &test.status));
        if statuses().all(|status| status == "UNKNOWN") {
            continue;
        }
        if !is_plain(&name) {
            remark(remarks, left_out("section"));
        } else if sections.len() == SECTIONS_LIMIT {
            remark(remarks, cut("sections"));
        } else {
            if overall.as_deref().is_some_and(|status| status != "UNKNOWN" && outcome(status).is_none()) {
                facts.remark = Some(Remark::Unrecognised);
                facts.detail.extend(unfamiliar(&name, value));
            }
            sections.push(section(&name, value, overall.as_deref(), &tests, remarks));
        }
    }
    sections
}

fn section(
    name: &str,
    section: &Json<'_>,
    overall: Option<&str>,
    tests: &[Test<'_>],
    remarks: &mut Remarks,
) -> Section {
    let worst = || tests.iter().filter_map(|test| outcome(&test.status)).max_by_key(|outcome| caution(*outcome));
    let failed = tests.iter().filter(|test| outcome(&test.status) == Some(CheckOutcome::Failed));
    let (failed, left_out) = codes(&format!("{name}.key"), failed.filter_map(|test| test.key.clone()));
    let (detail, no_code) = of_section(section);
    // The section's members, by the section's name.
    let no_code = no_code.iter().map(|one| one.replacen(':', &format!(":{name}."), 1));
    left_out.into_iter().chain(no_code).for_each(|one| remark(remarks, one));
    Section {
        check: CHECKS.iter().find(|(section, _)| *section == name).map_or(name, |(_, check)| check).to_owned(),
        outcome: overall.and_then(outcome).or_else(worst).unwrap_or(CheckOutcome::Captured),
        failed,
        detail,
    }
}

/// The tests of a section: in lists, or members of it.
fn tests<'a>(section: &Json<'a>) -> Vec<Test<'a>> {
    let Json::Object(members) = section else { return Vec::new() };
    let members = members.iter().filter(|(name, _)| !NO_TESTS.iter().any(|other| name.means(other)));
    members
        .flat_map(|(name, value)| match value {
            Json::Array(tests) => tests.iter().filter_map(|one| test(one, None)).collect(),
            _ => test(value, Some(name.decoded())).into_iter().collect::<Vec<_>>(),
        })
        .collect()
}

fn test<'a>(value: &Json<'a>, name: Option<Cow<'a, str>>) -> Option<Test<'a>> {
    let status = value.member("status").ok()??.text()?;
    let key = value.member("key").ok().flatten().map(Json::text);
    let key = key.filter(|text| text.as_deref().is_none_or(|text| !text.trim().is_empty()));
    Some(Test { status, key: key.or_else(|| name.map(Some)) })
}

/// The status of a section as a whole.
fn status_of<'a>(section: &Json<'a>) -> Option<Cow<'a, str>> {
    let overall = section.member("overall").ok()??;
    overall.member("status").ok()??.text().filter(|status| !status.trim().is_empty())
}

fn outcome(status: &str) -> Option<CheckOutcome> {
    match status {
        "OK" | "MANUAL_OK" => Some(CheckOutcome::Passed),
        "WARN" | "MANUAL" | "MANUAL_PENDING" => Some(CheckOutcome::Flagged),
        "FAIL" | "MANUAL_FAIL" => Some(CheckOutcome::Failed),
        _ => None,
    }
}

/// The status of a section that this version doesn't know.
fn unfamiliar(name: &str, section: &Json<'_>) -> BTreeMap<String, String> {
    let overall = section.member("overall").ok().flatten();
    let status = overall.and_then(|overall| overall.member("status").ok().flatten());
    shown([("status", status)]).into_values().map(|status| (format!("{name}.overall.status"), status)).collect()
}

/// The order of caution: of two sections of one check the more cautious counts.
const fn caution(outcome: CheckOutcome) -> u8 {
    match outcome {
        CheckOutcome::Failed => 3,
        CheckOutcome::Flagged => 2,
        CheckOutcome::Passed => 1,
        _ => 0,
    }
}

const fn word(outcome: CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Failed => "failed",
        CheckOutcome::Flagged => "flagged",
        CheckOutcome::Passed => "passed",
        _ => "captured",
    }
}

/// Returns whether a section's name can be a check's: a code that begins with a letter.
fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && ReasonCode::new(name).is_some()
}
