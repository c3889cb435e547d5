//! Which of several events of Wultra's counts, in whatever order they arrive.

use super::genuine::read;
use crate::histories::{Ending, in_all_orders};
use serde_json::{Value, json};
use verdict_sessions::{CheckOutcome, Outcome, SessionEvent, Status};
use verdict_webhooks::Reading;

fn event(event_type: &str, timestamp: &Value, data: &Value) -> SessionEvent {
    let body = json!({"id": format!("{event_type} {timestamp} {data}"), "timestamp": timestamp, "type": event_type,
        "userId": "customer-1", "processId": "p", "eventData": data});
    match read(body.to_string()) {
        Ok(Reading::Events { events, .. }) => <[_; 1]>::try_from(events).expect("one event")[0].clone(),
        other => panic!("{body}: {other:?}"),
    }
}

fn finished(timestamp: &Value, status: &str) -> SessionEvent {
    event("PROCESS_FINISHED", timestamp, &json!({"process": {"status": status}}))
}

#[test]
fn a_process_whose_documents_or_presence_were_checked_has_started() {
    let at = json!("2026-06-12T23:00:00Z");
    for (event_type, data, check) in [
        ("PRESENCE_CHECK_FINISHED", json!({"presenceCheck": {"status": "REJECTED"}}), "presence"),
        ("DOCUMENT_VERIFICATION_FINISHED", json!({"documentVerification": {"status": "REJECTED"}}), "document"),
        (
            "FINAL_DOCUMENT_VERIFICATION_FINISHED",
            json!({"finalDocumentVerification": {"status": "REJECTED"}}),
            "documents",
        ),
    ] {
        let checks = vec![(check.to_owned(), CheckOutcome::Failed)];
        let ending = in_all_orders(&[event(event_type, &at, &data)]).0;
        assert_eq!(ending, Ending { status: Status::Started, decision: None, checks }, "{event_type}");
    }
}

#[test]
fn the_later_process_counts_however_its_time_is_spelled() {
    let failed = finished(&json!("2026-06-13T00:38:30Z"), "FAILED");
    for earlier in [json!(1_781_305_200), json!("1781305200000"), json!("2026-06-12 23:00:00"), json!(1_781_305_200.25)]
    {
        let (ending, _) = in_all_orders(&[failed.clone(), finished(&earlier, "FINISHED")]);
        assert_eq!(ending.decision, Some(Outcome::Failed), "{earlier}");
    }
}
