//! Genuine webhooks of Wultra's that can't be read, or are as large, deep and odd as a body can be.

use super::genuine::read;
use crate::patience::in_time;
use proptest::{prelude::*, sample::Index};
use verdict_sessions::{Outcome, SessionEvent};
use verdict_webhooks::{
    Reading, Unreadable,
    json::{DEPTH_LIMIT, VALUES_LIMIT},
};

const FINISHED: &str = r#"{"id":"e","timestamp":"2026-04-23T14:30:00Z","type":"PROCESS_FINISHED","userId":"customer-1","externalUserId":null,"processId":"p","processType":"onboarding","identityVerificationId":null,"eventData":{"process":{"status":"FINISHED","errorDetail":null}}}"#;

fn event_in(body: &str) -> SessionEvent {
    match read(body) {
        Ok(Reading::Events { events, .. }) => events.into_iter().next().unwrap(),
        other => panic!("{other:?}: {body}"),
    }
}

fn approves(body: &str) -> bool {
    event_in(body).decision.is_some_and(|decision| decision.outcome == Outcome::Approved)
}

/// The event with one more member in its envelope.
fn envelope_with(member: &str) -> String {
    format!("{},{member}}}", FINISHED.strip_suffix('}').unwrap())
}

/// The event with one more member in its process.
fn process_with(member: &str) -> String {
    format!("{},{member}}}}}}}", FINISHED.strip_suffix("}}}").unwrap())
}

#[test]
fn no_message_shows_an_id_that_was_sent() {
    for body in
        [r#"{"processId":"canary","processId":"canary"}"#, &format!(r#"{{"processId":"canary{}"}}"#, "x".repeat(2000))]
    {
        let unreadable = read(body).unwrap_err();
        let printed = format!("{unreadable} {unreadable:?} {}", unreadable.code());
        assert!(!printed.contains("canary"), "{printed}");
    }
}

mod ambiguous {
    use super::*;

    fn assert_ambiguous(body: &str, member: &'static str) {
        assert_eq!(read(body), Err(Unreadable::Ambiguous(member)), "{body}");
    }

    #[test]
    fn a_member_of_the_envelope_must_not_occur_twice() {
        for member in [
            "id",
            "timestamp",
            "type",
            "userId",
            "externalUserId",
            "processId",
            "processType",
            "identityVerificationId",
            "eventData",
        ] {
            for value in ["\"x\"", "1", "null", "{}"] {
                assert_ambiguous(&envelope_with(&format!("\"{member}\":{value}")), member);
            }
        }
        assert_ambiguous(&envelope_with(r#""process\u0049d":"q""#), "processId");
        assert_ambiguous(&envelope_with(r#""\u0065ventData":{}"#), "eventData");
    }

    #[test]
    fn a_member_that_matters_must_not_occur_twice_in_the_data() {
        assert_ambiguous(&process_with(r#""status":"FAILED""#), "status");
        assert_ambiguous(&process_with(r#""st\u0061tus":"FINISHED""#), "status");
        assert_ambiguous(&process_with(r#""errorDetail":"x""#), "errorDetail");
        assert_ambiguous(&FINISHED.replace(r#""process":{"#, r#""process":null,"process":{"#), "process");
        for (event_type, data, members) in [
            (
                "DOCUMENT_VERIFICATION_FINISHED",
                "documentVerification",
                &["status", "rejectReason", "errorDetail", "provider", "documentId", "documentVerificationId"][..],
            ),
            (
                "FINAL_DOCUMENT_VERIFICATION_FINISHED",
                "finalDocumentVerification",
                &["status", "rejectReason", "errorDetail", "provider"],
            ),
            ("PRESENCE_CHECK_FINISHED", "presenceCheck", &["status", "rejectReason", "errorDetail", "provider"]),
        ] {
            let body = |data: &str| format!(r#"{{"processId":"p","type":"{event_type}","eventData":{{{data}}}}}"#);
            for member in members {
                assert_ambiguous(&body(&format!(r#""{data}":{{"{member}":null,"{member}":"x"}}"#)), member);
            }
            assert_ambiguous(&body(&format!(r#""{data}":{{}},"{data}":{{"status":"ACCEPTED"}}"#)), data);
        }
        let legacy = r#"{"processId":"p","type":"FINISHED","eventData":{"process":{},"process":{}}}"#;
        assert_ambiguous(legacy, "process");
    }

    #[test]
    fn a_member_that_does_not_matter_may_occur_twice() {
        for body in [
            process_with(r#""deviceData":{"locale":"a","locale":"b"},"deviceData":null,"score":1,"score":2"#),
            envelope_with(r#""data":{},"data":null,"status":"FAILED","status":"FAILED","":1,"":2"#),
            FINISHED.replace(r#""process":{"#, r#""presenceCheck":{},"presenceCheck":{},"process":{"#),
        ] {
            assert!(approves(&body), "{body}");
        }
    }

    #[test]
    fn names_that_only_look_alike_are_other_members() {
        for member in [r#""Status":"FAILED""#, r#""status ":"FAILED""#, r#""stаtus":"FAILED""#, r#""status\u0000":1"#]
        {
            assert!(approves(&process_with(member)), "{member}");
        }
    }
}

mod ids {
    use super::*;

    fn with_process_id(id: &str) -> String {
        FINISHED.replace("\"p\"", id)
    }

    #[test]
    fn a_blank_process_id_is_missing() {
        for id in ["null", r#""""#, r#"" ""#, r#""\t\r\n""#, "\"\u{3000}\u{a0}\"", "{}", "[\"p\"]", "true", "false"] {
            assert_eq!(read(with_process_id(id)), Err(Unreadable::NoSessionId), "{id}");
        }
        for body in [
            "{}",
            r#"{"id":"e","type":"PROCESS_FINISHED"}"#,
            r#"{"ProcessId":"p"}"#,
            r#"{"eventData":{"processId":"p"}}"#,
        ] {
            assert_eq!(read(body), Err(Unreadable::NoSessionId), "{body}");
        }
    }

    #[test]
    fn process_ids_are_taken_as_meant() {
        for (id, meant) in [
            ("9007199254740993", "9007199254740993"),
            (r#""a/b?c=d#e%2F""#, "a/b?c=d#e%2F"),
            (r#""\u0061\u0000\/\"\\""#, "a\u{0}/\"\\"),
            (r#""\ud83d\udd11""#, "🔑"),
            (r#"" padded ""#, " padded "),
        ] {
            assert_eq!(event_in(&with_process_id(id)).session.session_id.as_str(), meant, "{id}");
        }
    }

    #[test]
    fn a_process_id_that_no_record_can_have_is_unusable() {
        let text = |length: usize| format!("\"{}\"", "p".repeat(length));
        assert_eq!(event_in(&with_process_id(&text(1024))).session.session_id.as_str().len(), 1024);
        for id in [&text(1025), r#""\ud83d""#, r#""\udd11""#, r#""a\ud83dz""#, r#""\udd11\ud83d""#] {
            assert_eq!(read(with_process_id(id)), Err(Unreadable::UnusableId("processId")), "{id}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_elsewhere_is_no_obstacle() {
        let body = FINISHED.replace("customer-1", r"a\ud83dz");
        assert_eq!(event_in(&body).subject.reference.as_deref(), Some("a\u{fffd}z"));
        assert!(!approves(&FINISHED.replace("\"FINISHED\"", r#""FINISHED\ud83d""#)));
        assert!(approves(&FINISHED.replace("\"e\"", r#""\ud83d""#)));
    }
}

mod large {
    use super::*;

    /// Reads it in a time that is long for an unoptimised build on a busy machine, and that anything worse than
    /// linear exceeds by far.
    fn read_in_time(body: &str) -> Result<Reading, Unreadable> {
        in_time(|| read(body))
    }

    #[test]
    fn nesting_is_read_up_to_the_limit() {
        // The document, its data and its process are three levels.
        let nested = |depth: usize| {
            let inside = depth - 3;
            process_with(&format!("\"rawData\":{}{}", "[".repeat(inside), "]".repeat(inside)))
        };
        assert!(approves(&nested(DEPTH_LIMIT)));
        for depth in [DEPTH_LIMIT + 1, 128, 129, 100_000, 1_000_000] {
            assert_eq!(read(nested(depth)), Err(Unreadable::TooDeep), "{depth}");
        }
    }

    #[test]
    fn very_many_and_very_long_members_are_read() {
        let many: Vec<String> = (0..100_000).map(|at| format!("\"member-{at}\":{at}")).collect();
        let long = "9".repeat(1 << 19);
        for member in [
            many.join(","),
            format!("\"n\":[{}1]", "1,".repeat(VALUES_LIMIT - 100)),
            format!("\"n\":{long}"),
            format!("\"n\":\"{long}\""),
            format!("\"{long}\":1"),
            format!("\"n\":1e{long}"),
            format!("\"n\":\"{}\"", r"\u0061".repeat(1 << 16)),
        ] {
            assert!(read_in_time(&process_with(&member)).is_ok());
        }
    }
}

proptest! {
    #[test]
    fn no_body_makes_the_reader_panic(body in any::<Vec<u8>>()) {
        let _any = read(body);
    }

    #[test]
    fn no_change_of_a_byte_makes_the_reader_panic(at: Index, byte: u8) {
        let mut body = FINISHED.as_bytes().to_vec();
        let at = at.index(body.len());
        body[at] = byte;
        let _any = read(body);
    }

    #[test]
    fn no_member_put_beside_them_changes_what_a_process_says(
        name in "[a-z]{0,5}|\\PC*",
        value in "-?[1-9][0-9]{0,30}|null|true|\\[\\]|\\{\"status\":\"FAILED\"\\}",
    ) {
        prop_assume!(!["status", "errorDetail"].contains(&name.as_str()));
        let member = format!("{}:{value}", serde_json::Value::from(name));
        prop_assert_eq!(event_in(&process_with(&member)), event_in(FINISHED));
    }
}
