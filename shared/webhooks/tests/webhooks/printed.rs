//! Webhooks as their providers print them, and what an event says, in one line.

use std::{fs, path::Path};
use verdict_sessions::{Check, Decision, Detail, Provider, ReasonCode, SessionEvent, Timestamp};
use verdict_webhooks::{Genuine, Reading, read, sha256_hex};

/// The events of a printed webhook that came to a path, taken to be genuine.
pub(crate) fn events(provider: Provider, path: &str, file: &str, arrival: &str) -> Vec<SessionEvent> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhooks").join(provider.as_str()).join("printed");
    let body = fs::read(folder.join(format!("{file}.json"))).unwrap();
    let digest = sha256_hex(&body);
    let arrival = Timestamp::parse(arrival).unwrap();
    match read(&Genuine::from_our_queue(provider, path.to_owned(), arrival, body, digest)) {
        Ok(Reading::Events { events, .. }) => events,
        other => panic!("{file}: {other:?}"),
    }
}

/// All that an event says of its session, except its own details: what it has of stage, decision, checks, times,
/// subject and remarks.
pub(crate) fn summary(event: &SessionEvent) -> String {
    let at = |label: &str, at: Option<Timestamp>| at.map(|at| format!("{label} {at}"));
    let parts = [
        Some(event.session.session_id.to_string()),
        event.stage.map(|stage| format!("{stage:?}").to_lowercase()),
        event.decision.as_ref().map(decided),
        event.checks.iter().map(|(name, check)| format!("{name} {}", checked(check))).reduce(|a, b| format!("{a} {b}")),
        event.undated.then(|| "undated".to_owned()),
        at("at", event.occurred_at),
        at("sent", event.emitted_at),
        at("shown", event.decision.as_ref().and_then(|decision| decision.decided_at)),
        event.subject.reference.as_ref().map(|reference| format!("reference {reference}")),
        event.subject.provider_user_id.as_ref().map(|user| format!("user {user}")),
        event.remark.map(|remark| remark.as_str().to_owned()),
        Some(event.remarks.join(" ")).filter(|remarks| !remarks.is_empty()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn decided(decision: &Decision) -> String {
    let Decision { outcome, detail, .. } = decision;
    format!("{}{}", outcome.as_str(), values(decision.all_reason_codes(), detail))
}

fn checked(check: &Check) -> String {
    format!("{}{}", format!("{:?}", check.outcome).to_lowercase(), values(&check.reason_codes, &check.detail))
}

fn values(codes: &[ReasonCode], detail: &Detail) -> String {
    let codes = codes.iter().map(|code| code.as_str().to_owned());
    let values: Vec<_> = codes.chain(detail.iter().map(|(name, value)| format!("{name}={value}"))).collect();
    if values.is_empty() { String::new() } else { format!(" [{}]", values.join(" ")) }
}
