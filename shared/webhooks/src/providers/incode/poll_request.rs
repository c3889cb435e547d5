//! Poll requests: your own service, or an operator, asks for a session to be polled of which no webhook has come.

use super::{finding::Finding, payload::is_interview};
use crate::{
    digest::digest_of_parts,
    reading::{
        facts::Facts,
        fields::{event_id, id, subject, usable},
        json::Json,
        minimise::minimise,
        unreadable::Unreadable,
    },
};
use verdict_sessions::{Kind, Provider, SessionEvent, SessionId, SessionKey, Timestamp};

/// The source of a poll request, where webhooks have the path that they came on.
pub const POLL_REQUEST: &str = "wake-up";

const INTERVIEW_ID: &str = "interviewId";

impl Finding {
    /// Reads a poll request, `{"kind":"poll","interviewId":"…","reference":"…"}`. Its event says only that there is such
    /// a session and what your reference to the person is; the event of every request with the same two is the same.
    ///
    /// # Errors
    /// [`Unreadable`] if it names no interview.
    pub fn of_poll_request(body: &[u8], received_at: Timestamp) -> Result<Self, Unreadable> {
        let document = Json::parse_object(body)?;
        let session_id = usable(&id(&document, INTERVIEW_ID)?.ok_or(Unreadable::NoSessionId)?, SessionId::new)?;
        if !is_interview(&session_id) {
            return Err(Unreadable::UnusableId(INTERVIEW_ID));
        }
        let (subject, left_out) = subject(("reference", document.member("reference")?), ("", None));
        let parts = [session_id.as_str(), subject.reference.as_deref().unwrap_or_default()];
        let event_id = event_id(format!("poll-requested:{}", digest_of_parts(&parts)))?;
        let session = SessionKey { provider: Provider::Incode, session_id };
        let facts = Facts::default().named("poll.requested").with_remarks(left_out);
        let event = SessionEvent { subject, ..facts.event(event_id, session, Kind::Onboarding, received_at) };
        Ok(Self { event: Some(event), payload: minimise(&document), finished: false })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Incode, *};
    use crate::providers::provider::Reader as _;
    use serde_json::json;
    use verdict_sessions::Subject;

    fn read(request: &serde_json::Value) -> Result<SessionEvent, Unreadable> {
        let finding = Finding::of_poll_request(request.to_string().as_bytes(), Timestamp::EPOCH)?;
        Ok(finding.event.unwrap())
    }

    #[test]
    fn a_request_names_a_session_and_your_reference_and_says_nothing_else_of_it() {
        let event = read(&json!({"kind": "poll", "interviewId": "i 1", "reference": "customer-1"})).unwrap();
        assert_eq!((event.session.to_string().as_str(), event.name.as_str()), ("incode/i 1", "poll.requested"));
        assert_eq!(event.subject, Subject { reference: Some("customer-1".into()), provider_user_id: None });
        assert_eq!((event.stage, event.decision, event.checks.len()), (None, None, 0));
    }

    #[test]
    fn the_reference_may_be_left_out() {
        for reference in [json!(null), json!(""), json!(" ")] {
            let event = read(&json!({"interviewId": "i", "reference": reference})).unwrap();
            assert_eq!(event.subject.reference, None, "{reference}");
        }
        assert_eq!(read(&json!({"interviewId": "i"})).unwrap().subject.reference, None);
    }

    #[test]
    fn the_same_request_again_is_the_same_event_and_one_with_another_reference_is_not() {
        let of =
            |reference| read(&json!({"interviewId": "i", "reference": reference, "kind": "poll"})).unwrap().event_id;
        assert_eq!(of("a"), of("a"));
        assert_ne!(of("a"), of("b"));
        assert_eq!(of(""), read(&json!({"interviewId": "i"})).unwrap().event_id);
    }

    #[test]
    fn a_request_without_an_interview_is_none() {
        for (request, code) in [
            (json!({}), "no_session_id"),
            (json!({"interviewId": null}), "no_session_id"),
            (json!({"interviewId": " "}), "no_session_id"),
            (json!({"interviewId": {}}), "no_session_id"),
            (json!({"InterviewId": "i", "sessionId": "i"}), "no_session_id"),
            (json!({"interviewId": "x".repeat(1025)}), "unusable_id"),
            (json!({"interviewId": "request:1"}), "unusable_id"),
            (json!({"interviewId": "customer:1"}), "unusable_id"),
            (json!(["interviewId"]), "not_an_object"),
        ] {
            assert_eq!(read(&request).unwrap_err().code(), code, "{request:.100}");
        }
        let twice = Finding::of_poll_request(br#"{"interviewId":"a","interviewId":"b"}"#, Timestamp::EPOCH);
        assert_eq!(twice.unwrap_err().code(), "ambiguous");
    }

    #[test]
    fn a_rebuild_reads_a_request_as_it_was() {
        let request = json!({"kind": "poll", "interviewId": "i", "reference": "customer-1"}).to_string();
        let finding = Finding::of_poll_request(request.as_bytes(), Timestamp::EPOCH).unwrap();
        let recorded = finding.event.unwrap();
        assert_eq!(Incode::read_answer(&recorded, POLL_REQUEST, &finding.payload), Some(Ok(Some(recorded))));
    }
}
