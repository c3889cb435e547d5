//! The members of Incode's payloads that may become a detail or a reason code of a check or a decision.

use crate::reading::{
    details::{
        Allowed,
        Form::{Code, Time},
        Remarks, codes, details,
    },
    fields::MaybeText,
    json::Json,
};
use verdict_sessions::{Detail, ReasonCode};

/// A webhook: what is needed to act on it. Its checks and its decision have it, and the event.
const WEBHOOK: [Allowed; 6] = [
    ("flowId", "flowId", Code),
    ("requestId", "requestId", Code),
    ("ref", "ref", Code),
    ("search_id", "search_id", Code),
    ("faceMatch", "faceMatch", Code),
    (SPOOF_ATTEMPT, SPOOF_ATTEMPT, Code),
];

/// An event only: times that order nothing.
const TIMES: [Allowed; 2] = [("timestamp", "timestamp", Time), ("completedAt", "completedAt", Time)];

/// The decision of a score, from its answer.
const SCORE: [Allowed; 1] = [("overall.value", "score", Code)];

/// The check of a section of a score, from the section.
const SECTION: [Allowed; 2] =
    [("overall.value", "score", Code), ("overallConfidence.value", "overallConfidence", Code)];

/// The member of an authentication that raises an alarm, and the reason code of the check that it flags.
pub(super) const SPOOF_ATTEMPT: &str = "spoofAttempt";

/// A webhook's details, and the times that only its event has.
pub(super) fn of_webhook(document: &Json<'_>) -> (Detail, Detail, Remarks) {
    let (detail, mut remarks) = details(document, &WEBHOOK);
    let (times, left_out) = details(document, &TIMES);
    remarks.extend(left_out);
    (detail, times, remarks)
}

/// A score's.
pub(super) fn of_score(answer: &Json<'_>) -> (Detail, Remarks) {
    details(answer, &SCORE)
}

/// A section's.
pub(super) fn of_section(section: &Json<'_>) -> (Detail, Remarks) {
    details(section, &SECTION)
}

/// The reason codes of an authentication: its error code, and the alarm.
pub(super) fn of_authentication(error_code: &MaybeText<'_>, is_spoofed: bool) -> (Vec<ReasonCode>, Remarks) {
    let alarm = is_spoofed.then(|| Some(SPOOF_ATTEMPT.into()));
    codes("errorCode", error_code.clone().map(Some).into_iter().chain(alarm))
}
