//! Genuine webhooks that can't be read, or are as large, deep and odd as a body can be.

use super::genuine::read_on;
use crate::patience::in_time;
use proptest::{prelude::*, sample::Index};
use verdict_sessions::{Outcome, SessionEvent};
use verdict_webhooks::{
    Reading, Unreadable,
    json::{DEPTH_LIMIT, VALUES_LIMIT},
};

const DECISION: &str = r#"{"status":"success","verification":{"id":"s","attemptId":"a","status":"approved","code":9001,"reason":null,"reasonCode":null,"decisionTime":"2026-06-13T00:38:30.8Z","vendorData":"customer-1"}}"#;

fn read(body: impl AsRef<[u8]>) -> Result<Reading, Unreadable> {
    read_on("/veriff/decisions", body)
}

fn event_in(body: &str) -> SessionEvent {
    match read(body) {
        Ok(Reading::Events { events, .. }) => events.into_iter().next().unwrap(),
        other => panic!("{other:?}: {body}"),
    }
}

fn approves(body: &str) -> bool {
    event_in(body).decision.is_some_and(|decision| decision.outcome == Outcome::Approved)
}

/// A decision with one more member.
fn decision_with(member: &str) -> String {
    format!("{},{member}}}}}", DECISION.strip_suffix("}}").unwrap())
}

fn read_in_time(body: &str) -> Result<Reading, Unreadable> {
    in_time(|| read(body))
}

mod not_json {
    use super::*;

    #[test]
    fn an_empty_body_is_unreadable() {
        for body in ["", " ", "\t\r\n "] {
            assert_eq!(read(body), Err(Unreadable::Empty), "{body:?}");
        }
    }

    #[test]
    fn what_is_no_json_is_unreadable_from_where_it_goes_wrong() {
        for (body, at) in [
            ("{", 1),
            ("}", 0),
            ("{\"id\":\"s\"", 9),
            ("{\"id\":\"s\"}}", 10),
            ("{\"id\":\"s\"} {\"id\":\"s\"}", 11),
            ("{\"id\":\"s\"}\0", 10),
            ("{\"id\":\"s\"},", 10),
            ("{\"id\":\"s\",}", 10),
            ("{,\"id\":\"s\"}", 1),
            ("{\"id\"}", 5),
            ("{\"id\":}", 6),
            ("{\"id\" \"s\"}", 6),
            ("{id:\"s\"}", 1),
            ("{'id':'s'}", 1),
            ("{\"id\":\"s\"/* comment */}", 9),
            ("// comment\n{\"id\":\"s\"}", 0),
            ("{\"id\":NaN}", 6),
            ("{\"id\":Infinity}", 6),
            ("{\"id\":-Infinity}", 7),
            ("{\"id\":undefined}", 6),
            ("{\"id\":True}", 6),
            ("{\"id\":nul}", 6),
            ("{\"id\":01}", 7),
            ("{\"id\":+1}", 6),
            ("{\"id\":.5}", 6),
            ("{\"id\":1.}", 8),
            ("{\"id\":1e}", 8),
            ("{\"id\":0x10}", 7),
            ("{\"id\":1_000}", 7),
            ("{\"id\":-}", 7),
            ("{\"id\":\"s}", 9),
            ("{\"id\":\"\n\"}", 7),
            ("{\"id\":\"\0\"}", 7),
            ("{\"id\":\"\\x41\"}", 8),
            ("{\"id\":\"\\u12g4\"}", 11),
            ("{\"id\":\"\\", 8),
            ("[1,2", 4),
            ("id=s", 0),
            ("<id>s</id>", 0),
            ("\u{feff}{\"id\":\"s\"}", 0),
            ("{\"id\":\u{a0}\"s\"}", 6),
        ] {
            assert_eq!(read(body), Err(Unreadable::NotJson { at }), "{body:?}");
        }
    }

    #[test]
    fn what_is_not_utf_8_is_unreadable_from_where_it_stops_being_it() {
        assert_eq!(read(b"{\"id\":\"\xff\"}"), Err(Unreadable::NotJson { at: 7 }));
        assert_eq!(read(b"{\"id\":\"\xed\xa0\x80\"}"), Err(Unreadable::NotJson { at: 7 }));
        assert_eq!(read(b"{\"id\":\"\xc0\x80\"}"), Err(Unreadable::NotJson { at: 7 }));
        assert_eq!(read(b"{\"id\":\"s\"}\xf0\x9f"), Err(Unreadable::NotJson { at: 10 }));
    }

    #[test]
    fn other_encodings_are_unreadable() {
        let utf_16: Vec<u16> = DECISION.encode_utf16().collect();
        let little: Vec<u8> = utf_16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = utf_16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let utf_32: Vec<u8> = DECISION.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        for body in [[&b"\xff\xfe"[..], &little].concat(), [&b"\xfe\xff"[..], &big].concat(), little, big, utf_32] {
            assert!(matches!(read(&body), Err(Unreadable::NotJson { .. })), "{body:?}");
        }
    }

    #[test]
    fn json_that_is_no_object_is_unreadable() {
        for body in ["null", "true", "1", "\"text\"", "[]", &format!("[{DECISION}]")] {
            assert_eq!(read(body), Err(Unreadable::NotAnObject), "{body}");
        }
    }

    #[test]
    fn no_beginning_of_a_webhook_is_readable() {
        for end in 0..DECISION.len() {
            assert!(matches!(read(&DECISION[..end]), Err(Unreadable::NotJson { .. } | Unreadable::Empty)), "{end}");
        }
    }

    #[test]
    fn no_message_shows_what_was_sent() {
        for body in [
            "canary",
            r#"{"canary""#,
            r#"["canary"]"#,
            r#"{"canary":"canary"}"#,
            r#"{"verification":{"id":"canary","id":"canary"}}"#,
            &format!(r#"{{"id":"canary{}"}}"#, "x".repeat(2000)),
        ] {
            let unreadable = read(body).unwrap_err();
            let printed = format!("{unreadable} {unreadable:?} {}", unreadable.code());
            assert!(!printed.contains("canary"), "{printed}");
        }
    }
}

mod ambiguous {
    use super::*;

    fn assert_ambiguous(body: &str, member: &'static str) {
        assert_eq!(read(body), Err(Unreadable::Ambiguous(member)), "{body}");
    }

    #[test]
    fn a_member_that_matters_must_not_occur_twice_in_a_decision() {
        for member in
            ["id", "attemptId", "status", "code", "reason", "reasonCode", "decisionTime", "vendorData", "endUserId"]
        {
            for value in ["\"x\"", "1", "null", "{}"] {
                let doubled = format!("\"{member}\":{value},\"{member}\":\"y\"");
                assert_ambiguous(&format!("{{\"verification\":{{\"id2\":\"s\",{doubled}}}}}"), member);
            }
        }
        assert_ambiguous(&decision_with(r#""status":"declined""#), "status");
        assert_ambiguous(&decision_with(r#""status":"approved""#), "status");
    }

    #[test]
    fn a_member_spelled_with_escapes_is_the_same_member() {
        for (member, meant) in [
            (r#""st\u0061tus":"declined""#, "status"),
            (r#""\u0073\u0074\u0061\u0074\u0075\u0073":"declined""#, "status"),
            (r#""\u0069d":"another""#, "id"),
            (r#""attempt\u0049d":"another""#, "attemptId"),
            (r#""c\u006Fde":9102"#, "code"),
        ] {
            assert_ambiguous(&decision_with(member), meant);
        }
    }

    #[test]
    fn two_verifications_are_none() {
        let verification = r#"{"id":"s","status":"approved","code":9001}"#;
        for other in [verification, "null", "{}", r#"{"id":"s","status":"declined"}"#, "[]"] {
            assert_ambiguous(&format!(r#"{{"verification":{verification},"verification":{other}}}"#), "verification");
            assert_ambiguous(
                &format!(r#"{{"verification":{other},"verif\u0069cation":{verification}}}"#),
                "verification",
            );
        }
        assert_ambiguous(r#"{"verification":null,"verification":null}"#, "verification");
    }

    #[test]
    fn a_member_that_matters_must_not_occur_twice_in_the_other_families() {
        for (body, member) in [
            (r#"{"id":"s","id":"t","code":7001,"action":"started"}"#, "id"),
            (r#"{"id":"s","attemptId":"a","attemptId":"b","code":7001,"action":"started"}"#, "attemptId"),
            (r#"{"id":"s","code":7001,"code":7002,"action":"started"}"#, "code"),
            (r#"{"id":"s","code":7001,"action":"started","action":"submitted"}"#, "action"),
            (r#"{"id":"s","code":7001,"action":"started","context":{},"context":{}}"#, "context"),
            (r#"{"id":"s","code":7001,"action":"started","context":{"reason":"a","reason":"b"}}"#, "reason"),
            (r#"{"id":"s","code":7001,"action":"started","context":{"state":"a","state":"b"}}"#, "state"),
            (r#"{"id":"s","code":7005,"action":"submitted","addressId":"a","addressId":"b"}"#, "addressId"),
            (r#"{"id":"s","code":7001,"action":"started","vendorData":"a","vendorData":"b"}"#, "vendorData"),
            (
                r#"{"checkType":"x","sessionId":"s","matchStatus":"no_match","matchStatus":"possible_match"}"#,
                "matchStatus",
            ),
            (r#"{"checkType":"x","checkType":"y","sessionId":"s","matchStatus":"no_match"}"#, "checkType"),
            (r#"{"checkType":"x","sessionId":"s","sessionId":"t","matchStatus":"no_match"}"#, "sessionId"),
            (r#"{"checkType":"x","sessionId":"s","matchStatus":"no_match","createdAt":1,"createdAt":2}"#, "createdAt"),
            (r#"{"data":{"checkType":"x","sessionId":"s"},"data":{}}"#, "data"),
            (r#"{"eventType":"fullauto","eventType":"ine_registry","sessionId":"s"}"#, "eventType"),
            (r#"{"eventType":"fullauto","sessionId":"s","sessionId":"t"}"#, "sessionId"),
            (r#"{"eventType":"fullauto","sessionId":"s","time":"a","time":"b"}"#, "time"),
            (
                r#"{"eventType":"fullauto","sessionId":"s","data":{"verification":{},"verification":{}}}"#,
                "verification",
            ),
            (
                r#"{"eventType":"fullauto","sessionId":"s","data":{"verification":{"decision":{"value":"approved","value":"declined"}}}}"#,
                "value",
            ),
            (
                r#"{"eventType":"user-status.created","sessionId":"s","data":{"verification":{"userDefinedData":{"statusCode":"a","statusCode":"b"}}}}"#,
                "statusCode",
            ),
            (r#"{"eventType":"fullauto","data":{"verification":{"id":"s","id":"t"}}}"#, "id"),
            (r#"{"eventType":"user-status.created","sessionId":"s","sessionId":"s"}"#, "sessionId"),
            (r#"{"type":"curp_registry","type":"other","id":"s"}"#, "type"),
            (r#"{"type":"curp_registry","id":"s","data":{"code":200,"code":404}}"#, "code"),
            (r#"{"type":"curp_registry","id":"s","data":{"attemptId":"a","attemptId":"b"}}"#, "attemptId"),
            (
                r#"{"eventType":"ine_registry","sessionId":"s","data":{"details":{"active":true,"active":false}}}"#,
                "active",
            ),
            (r#"{"sessionId":"s","sessionId":"t"}"#, "sessionId"),
        ] {
            assert_ambiguous(body, member);
        }
    }

    #[test]
    fn a_member_that_does_not_matter_may_occur_twice() {
        for body in [
            decision_with(r#""person":{"firstName":"A","firstName":"B"},"person":null,"new":1,"new":2"#),
            decision_with(r#""sessionId":"x","sessionId":"y","action":"a","action":"b","":1,"":2"#),
            format!(r#"{},"status":"fail","technicalData":1,"technicalData":2}}"#, DECISION.strip_suffix('}').unwrap()),
        ] {
            assert!(approves(&body), "{body}");
        }
        let body = r#"{"id":"s","attemptId":"a","code":7001,"action":"started","feature":"a","feature":"b","context":{"x":1,"x":2}}"#;
        assert!(event_in(body).stage.is_some());
    }

    #[test]
    fn names_that_only_look_alike_are_other_members() {
        for member in [
            r#""Status":"declined""#,
            r#""status ":"declined""#,
            r#""stаtus":"declined""#,
            r#""status\u0000":"declined""#,
            r#""st\\u0061tus":"declined""#,
            r#""ｓtatus":"declined""#,
        ] {
            assert!(approves(&decision_with(member)), "{member}");
        }
    }
}

mod ids {
    use super::*;

    fn event_with_id(id: &str) -> String {
        format!(r#"{{"id":{id},"attemptId":"a","code":7001,"action":"started"}}"#)
    }

    fn session_id(id: &str) -> String {
        event_in(&event_with_id(id)).session.session_id.to_string()
    }

    #[test]
    fn a_blank_id_is_missing() {
        for id in ["null", r#""""#, r#"" ""#, r#""\t\r\n""#, "\"\u{3000}\u{a0}\"", "{}", "[\"s\"]", "true", "false"] {
            assert_eq!(read(event_with_id(id)), Err(Unreadable::NoSessionId), "{id}");
        }
        assert_eq!(read(r#"{"attemptId":"a","code":7001,"action":"started"}"#), Err(Unreadable::NoSessionId));
    }

    #[test]
    fn a_decision_is_never_filed_under_an_id_beside_it() {
        let body = r#"{"id":"x","sessionId":"y","verification":{"attemptId":"a","status":"approved","code":9001}}"#;
        assert_eq!(read(body), Err(Unreadable::NoSessionId));
    }

    #[test]
    fn numbers_are_ids_as_spelled() {
        let digits = "1234567890".repeat(40);
        for id in ["7", "9007199254740993", "18446744073709551617", "-0", "1.0", "1e400", "0.1000", &digits] {
            assert_eq!(session_id(id), id);
        }
    }

    #[test]
    fn texts_are_ids_as_meant() {
        for (id, meant) in [
            (r#""a/b?c=d#e%2F""#, "a/b?c=d#e%2F"),
            (r#""\u0061\u002f\/\"\\""#, "a//\"\\"),
            (r#""a\u0000b\u0007""#, "a\u{0}b\u{7}"),
            (r#""\ud83d\udd11\uFFFE""#, "🔑\u{fffe}"),
            (r#"" padded ""#, " padded "),
            (r#""línea\r\n二""#, "línea\r\n二"),
        ] {
            assert_eq!(session_id(id), meant, "{id}");
        }
    }

    #[test]
    fn an_id_too_long_for_a_key_is_unusable() {
        let text = |length: usize| format!("\"{}\"", "s".repeat(length));
        assert_eq!(session_id(&text(1024)).len(), 1024);
        assert_eq!(read(event_with_id(&text(1025))), Err(Unreadable::UnusableId("id")));
        assert_eq!(read(event_with_id(&format!("\"{}\"", "é".repeat(513)))), Err(Unreadable::UnusableId("id")));
        assert_eq!(read(event_with_id(&"9".repeat(1025))), Err(Unreadable::UnusableId("id")));

        let attempt = |length| decision_with("\"new\":1").replace("\"a\"", &text(length));
        assert_eq!(event_in(&attempt(256)).attempt_id.unwrap().as_str().len(), 256);
        assert_eq!(read(attempt(257)), Err(Unreadable::UnusableId("attemptId")));

        let watchlist =
            |length| format!(r#"{{"checkType":"x","matchStatus":"no_match","sessionId":{}}}"#, text(length));
        assert_eq!(read(watchlist(1025)), Err(Unreadable::UnusableId("sessionId")));
    }

    #[test]
    fn an_id_with_half_a_surrogate_pair_is_unusable() {
        for id in [
            r#""\ud83d""#,
            r#""\udd11""#,
            r#""a\ud83dz""#,
            r#""\udd11\ud83d""#,
            r#""\ud83d\u0041""#,
            r#""\ud83d\ud83d\udd11""#,
        ] {
            assert_eq!(read(event_with_id(id)), Err(Unreadable::UnusableId("id")), "{id}");
            let attempt = format!(r#"{{"id":"s","attemptId":{id},"code":7001,"action":"started"}}"#);
            assert_eq!(read(attempt), Err(Unreadable::UnusableId("attemptId")), "{id}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_elsewhere_is_no_obstacle() {
        let body = decision_with(r#""person":{"firstName":"\ud83d","\udd11":1}"#);
        assert!(approves(&body));
        let Ok(Reading::Events { parts, .. }) = read(&body) else { panic!() };
        assert!(parts[0].payload.contains(r#""firstName":"\ud83d""#), "{parts:?}");
        let reference = event_in(&DECISION.replace("customer-1", r"a\ud83dz")).subject.reference;
        assert_eq!(reference.as_deref(), Some("a\u{fffd}z"));
        assert!(!approves(&DECISION.replace("\"approved\"", r#""approved\ud83d""#)));
    }
}

mod large {
    use super::*;

    #[test]
    fn nesting_is_read_up_to_the_limit() {
        // The document and its `verification` are two levels.
        let nested = |depth: usize| {
            let inside = depth - 2;
            decision_with(&format!("\"new\":{}{}", "[".repeat(inside), "]".repeat(inside)))
        };
        assert!(approves(&nested(DEPTH_LIMIT)));
        assert_eq!(read(nested(DEPTH_LIMIT + 1)), Err(Unreadable::TooDeep));
        for depth in [128 + 2, 100_000, 1_000_000] {
            assert_eq!(read(nested(depth)), Err(Unreadable::TooDeep), "{depth}");
        }
        for depth in [100_000, 1_000_000] {
            assert_eq!(read("[".repeat(depth)), Err(Unreadable::TooDeep), "{depth}");
            assert_eq!(read("{\"a\":".repeat(depth)), Err(Unreadable::TooDeep), "{depth}");
            assert_eq!(read("[{\"a\":".repeat(depth)), Err(Unreadable::TooDeep), "{depth}");
        }
    }

    #[test]
    fn a_hundred_thousand_members_take_no_time_to_speak_of() {
        let members = |name: &dyn Fn(usize) -> String| {
            let members: Vec<String> = (0..100_000).map(|at| format!("\"{}\":{at}", name(at))).collect();
            decision_with(&members.join(","))
        };
        for body in
            [members(&|at| format!("member-{at}")), members(&|_| "new".into()), members(&|at| format!(r"\u0061\n{at}"))]
        {
            let Ok(Reading::Events { events, .. }) = read_in_time(&body) else { panic!() };
            assert!(events[0].decision.is_some());
        }
    }

    #[test]
    fn as_many_values_are_read_as_a_body_of_1_mib_can_hold_and_no_more_than_the_limit() {
        let others = DECISION.matches(':').count() + 1;
        let items = |count: usize| decision_with(&format!("\"new\":[{}1]", "1,".repeat(count - 1)));
        assert!(items(VALUES_LIMIT - others).len() > 1 << 20);
        assert!(read_in_time(&items(VALUES_LIMIT - others)).is_ok());
        for count in [VALUES_LIMIT, 3_000_000] {
            assert_eq!(read_in_time(&items(count)), Err(Unreadable::TooManyValues));
        }
        // In a text, they are looked for as far.
        let nested = decision_with(&format!("\"new\":\"[{}1]\"", "1,".repeat(VALUES_LIMIT)));
        let Ok(Reading::Events { parts, .. }) = read_in_time(&nested) else { panic!() };
        assert!(parts[0].payload.contains(r#""new":{"kind":"application/json""#), "{}", parts[0].payload);
    }

    #[test]
    fn values_of_half_a_megabyte_are_read() {
        let long = "9".repeat(1 << 19);
        for member in
            [format!("\"n\":{long}"), format!("\"n\":\"{long}\""), format!("\"{long}\":1"), format!("\"n\":1e{long}")]
        {
            assert!(read_in_time(&decision_with(&member)).is_ok());
        }
        let escapes = r"\u0061".repeat(1 << 16);
        assert!(read_in_time(&decision_with(&format!("\"{escapes}\":\"{escapes}\""))).is_ok());
        let white_space = " ".repeat(1 << 19);
        assert!(read_in_time(&format!("{white_space}{DECISION}{white_space}")).is_ok());
    }
}

proptest! {
    #[test]
    fn no_body_makes_the_reader_panic(body in any::<Vec<u8>>()) {
        let _any = read(body);
    }

    #[test]
    fn no_change_of_a_byte_makes_the_reader_panic(at: Index, byte: u8) {
        let mut body = DECISION.as_bytes().to_vec();
        let at = at.index(body.len());
        body[at] = byte;
        let _any = read(body);
    }

    #[test]
    fn no_member_put_beside_them_changes_what_a_decision_says(
        name in "[a-z]{0,5}|\\PC*",
        value in "-?[1-9][0-9]{0,30}|null|true|\\[\\]|\\{\"status\":\"declined\"\\}",
    ) {
        let matters =
            ["id", "attemptId", "status", "code", "reason", "reasonCode", "decisionTime", "vendorData", "endUserId"];
        prop_assume!(!matters.contains(&name.as_str()));
        let member = format!("{}:{value}", serde_json::Value::from(name));
        prop_assert_eq!(event_in(&decision_with(&member)), event_in(DECISION));
    }
}
