//! The members of Veriff's payloads that may become a detail or a reason code of a check or a decision.

use crate::reading::{
    details::{
        Allowed,
        Form::{Code, Time},
        Remarks, codes, details, left_out, list, remark,
    },
    fields::MaybeJson,
    json::Json,
    minimise::is_mark,
};
use std::borrow::Cow;
use verdict_sessions::{Detail, ReasonCode};

/// A decision, from `verification`, and Full Auto's, from `data.verification`.
const DECISION: [Allowed; 7] = [
    ("riskScore", "riskScore", Code),
    ("decisionScore", "decisionScore", Code),
    ("document.type", "documentType", Code),
    ("document.country", "country", Code),
    ("acceptanceTime", "acceptanceTime", Time),
    ("submissionTime", "submissionTime", Time),
    ("biometricAuthentication.matchedSessionId", "matchedSessionId", Code),
];

/// The check `flow`, from an event: the step at which the person left, and why.
const FLOW: [Allowed; 3] =
    [("action", "action", Code), ("context.reason", "reason", Code), ("context.state", "state", Code)];

/// The check `watchlist`.
const WATCHLIST: [Allowed; 2] = [("totalHits", "totalHits", Code), ("checkType", "checkType", Code)];

/// The check `user_status`, from `userDefinedData`. Both are also its reason codes.
const USER_STATUS: [Allowed; 2] = [("statusCode", "statusCode", Code), ("reasonCode", "reasonCode", Code)];

/// The check `registry`, from `data`.
const REGISTRY: [Allowed; 2] = [("code", "code", Code), ("details.statusCurp", "statusCurp", Code)];

/// Reason codes, details, and what was left out of them.
pub(super) type Said = (Vec<ReasonCode>, Detail, Remarks);

/// A decision's: its reason code, then the labels of the risks that were seen.
pub(super) fn of_decision(verification: &Json<'_>, reason_code: MaybeJson<'_>) -> Said {
    let (detail, mut remarks) = details(verification, &DECISION);
    let (reason, no_code) = codes("reasonCode", reason_code.map(Json::text));
    let (labels, no_list) = list(verification, "riskLabels");
    let reason = reason.iter().map(|code| Some(Cow::Borrowed(code.as_str())));
    let (codes, no_label) = codes("riskLabels", reason.chain(labels.iter().map(label)));
    for one in [no_code, no_list, no_label].into_iter().flatten() {
        remark(&mut remarks, one);
    }
    (codes, detail, remarks)
}

/// An event's, if it says where or why the person left.
pub(super) fn of_flow(event: &Json<'_>) -> (Option<Detail>, Remarks) {
    let (detail, remarks) = details(event, &FLOW);
    let says_where_or_why = detail.iter().any(|(name, _)| name != "action");
    (says_where_or_why.then_some(detail), remarks)
}

/// A watchlist's: the lists with hits, and whether the result comes from monitoring.
pub(super) fn of_watchlist(result: &Json<'_>, check_type: MaybeJson<'_>) -> Said {
    let (mut detail, mut remarks) = details(result, &WATCHLIST);
    let monitoring = match check_type.and_then(Json::text).as_deref() {
        Some("initial_result") => Some("false"),
        Some("updated_result") => Some("true"),
        _ => None,
    };
    if monitoring.is_some_and(|monitoring| detail.insert("monitoring", monitoring).is_err()) {
        remark(&mut remarks, left_out("checkType"));
    }
    let (hits, no_list) = list(result, "hits");
    let (codes, no_name) = codes("hits", hits.iter().flat_map(lists));
    for one in no_list.into_iter().chain(no_name) {
        remark(&mut remarks, one);
    }
    (codes, detail, remarks)
}

/// A user-defined status's.
pub(super) fn of_user_status(defined: &Json<'_>) -> Said {
    let (detail, remarks) = details(defined, &USER_STATUS);
    let text = |name: &str| detail.iter().find(|(given, _)| *given == name).map(|(_, text)| text);
    let codes = USER_STATUS.iter().filter_map(|(_, name, _)| ReasonCode::new(text(name)?)).collect();
    (codes, detail, remarks)
}

/// A registry's.
pub(super) fn of_registry(data: &Json<'_>) -> (Detail, Remarks) {
    details(data, &REGISTRY)
}

/// A risk's label; Veriff documents an object with its category beside it.
fn label<'a>(risk: &Json<'a>) -> Option<Cow<'a, str>> {
    match risk {
        Json::Object(_) => risk.member("label").ok().flatten()?.text(),
        _ => risk.text(),
    }
}

/// The names of the lists that a hit stands in. `None` stands for what can't be read as such.
fn lists<'a>(hit: &Json<'a>) -> Vec<Option<Cow<'a, str>>> {
    match hit.member("listingsRelatedToMatch") {
        Ok(Some(mark)) if is_mark(mark) => vec![None],
        Ok(Some(Json::Object(lists))) => {
            lists.iter().filter(|(_, entries)| !is_empty(entries)).map(|(name, _)| Some(name.decoded())).collect()
        }
        Ok(None) if matches!(hit, Json::Object(_)) => Vec::new(),
        _ => vec![None],
    }
}

fn is_empty(entries: &Json<'_>) -> bool {
    match entries {
        Json::Array(entries) => entries.is_empty(),
        Json::Null => true,
        _ => false,
    }
}
