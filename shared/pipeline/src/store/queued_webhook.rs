//! A webhook as Verdict's own queues hold it: on intake until the table takes it, in quarantine until an operator does.
//!
//! Both queues hold the same form, so that a quarantined webhook can be sent to intake again as it is.
//!
//! # How these messages may change
//!
//! A message outlives the code that wrote it: up to 14 days on intake, and 14 in quarantine, from where an operator
//! sends it back after a fix. While a release is deployed, receivers of one release write what the replay of the other
//! reads. A message that can't be read is lost to all but an operator, and a provider that doesn't retry never sends it
//! again.
//!
//! - **A new member is optional**: an `Option` that is left out if it is empty, or `#[serde(default)]` with a default that
//!   is right for messages that lack it.
//! - **A member keeps its name, type and meaning.** Operators and the rebuild command write requests by these names, too.
//! - **Unknown members are allowed**, so there is no `deny_unknown_fields`. The release before drops them when its replay
//!   moves a webhook to quarantine.
//! - **A new kind of webhook's message, or a new encoding, takes two releases**: the first reads it, the next one writes
//!   it. The ones that there are stay readable.
//! - **A new kind of request takes one**, since an operator writes it, after the deployment. A replay that doesn't know
//!   a kind ([`ForeignMessage::UnknownKind`]) leaves the message on the queue, hidden for a quarter of an hour at most.
//!   So while a release is deployed, a request that the replay of the release before receives waits for the new one.
//!   After a rollback it goes to quarantine with its hundredth receive, about a day later. From there an operator can
//!   send it to intake again.
//!
//! `tests/stored/` has messages as every release wrote them; `tests/simulation/tests/stored_items/messages.rs` reads
//! them. How the table's items may change is written in `table/items.rs`.

use super::{aws_error::AwsError, stored_trace};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::{
    fmt,
    io::{self, Read as _, Write as _},
};
use thiserror::Error;
use verdict_sessions::{Evidence, Provider, SessionKey, Timestamp, Trace};
use verdict_webhooks::{Genuine, Unreadable};

/// The most that a body may unpack to, in bytes. Lambda takes events of at most 6 MiB, and a body is a part of one.
pub(crate) const BODY_LIMIT: usize = 6 * 1024 * 1024;

/// The longest reason for a request, in characters. `operations/verdict/rebuild.py` has the same.
const REASON_LIMIT: usize = 80;

/// The longest id of a request, in characters.
const REQUEST_ID_LIMIT: usize = 64;

/// The kinds of messages that this release knows.
const KINDS: [&str; 3] = ["webhook", "rebuild", "resend"];

/// A message on intake.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IntakeMessage {
    /// A genuine webhook.
    Webhook(Box<QueuedWebhook>),
    /// An operator's request to read a session's stored payloads again.
    Rebuild(RebuildRequest),
    /// An operator's request to send again what was told of a session.
    Resend(ResendRequest),
}

impl IntakeMessage {
    /// Reads a message's body.
    ///
    /// # Errors
    /// [`ForeignMessage`].
    pub fn read(body: &str) -> Result<Self, ForeignMessage> {
        serde_json::from_str(body).map_err(|_| ForeignMessage::of(body))
    }
}

/// A request to rebuild a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RebuildRequest {
    /// The session.
    #[serde(flatten)]
    pub session: SessionKey,
    /// True if a decision may be withdrawn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdraw: bool,
    /// The operator's reason, for the log: at most 80 plain characters. What is longer is cut; a reason with other
    /// characters is ignored.
    #[serde(default, deserialize_with = "plain", skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A request to send again what was told of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResendRequest {
    /// The session.
    #[serde(flatten)]
    pub session: SessionKey,
    /// The first sequence that is sent again. All that was told after it is, too.
    pub from: u64,
    /// The operator's reason, as for a rebuild.
    #[serde(default, deserialize_with = "plain", skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The sender's own id of the request: at most 64 plain characters. A second message with the same id and session
    /// is the same request. Without one, or with one of another form, SQS's id of the message counts.
    #[serde(default, deserialize_with = "plain_id", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Reads a reason for a request. Whatever else it is, the request is carried out.
fn plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" .,:;_/#()+-".contains(&byte);
    let value = Value::deserialize(deserializer)?;
    let reason = value.as_str().map(str::trim).filter(|reason| !reason.is_empty() && reason.bytes().all(is_plain));
    Ok(reason.map(|reason| reason.chars().take(REASON_LIMIT).collect()))
}

/// Reads an id of a request.
fn plain_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    let fits = |id: &&str| (1..=REQUEST_ID_LIMIT).contains(&id.len()) && id.bytes().all(is_plain);
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().filter(fits).map(str::to_owned))
}

/// A genuine webhook, minimised and compressed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueuedWebhook {
    /// The reason for which it is in quarantine: a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The reason in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    provider: Provider,
    path: String,
    received_at: Timestamp,
    /// True if it was stamped so when it was proved: what it decides has to be confirmed. Earlier releases stamped
    /// nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unconfirmed: bool,
    /// `{provider}/{sessionId}/{eventId}` of the first event in it, if it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_key: Option<String>,
    /// The length of the body as sent.
    bytes: usize,
    sha256: String,
    /// The evidence that its provider sent it. Absent if an earlier release proved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
    /// The trace of its arrival. Absent if it has none, or if an earlier release proved it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stored_trace")]
    trace: Option<Trace>,
    encoding: Encoding,
    body: String,
}

/// The encoding of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Encoding {
    #[serde(rename = "gzip+base64")]
    GzipBase64,
}

/// A message that Verdict did not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ForeignMessage {
    /// It has another form.
    #[error("Verdict did not write this message")]
    Unknown,
    /// It names a kind that this release doesn't know: a later release may.
    #[error("this release of Verdict doesn't know this kind of message")]
    UnknownKind,
    /// Its body unpacks to more than Lambda delivers.
    #[error("Verdict did not write this message: its body unpacks to more than a webhook can have")]
    TooLarge,
}

impl ForeignMessage {
    /// The reason for which a body can't be read.
    fn of(body: &str) -> Self {
        #[derive(Deserialize)]
        struct Named {
            kind: String,
        }
        match serde_json::from_str::<Named>(body) {
            Ok(Named { kind }) if !KINDS.contains(&kind.as_str()) => Self::UnknownKind,
            _ => Self::Unknown,
        }
    }
}

impl QueuedWebhook {
    /// Packs a webhook.
    pub(crate) fn of(genuine: &Genuine) -> Result<Self, AwsError> {
        // Many short tokens may grow. It couldn't be unpacked again.
        let minimised = genuine.minimised_body(BODY_LIMIT).ok_or_else(AwsError::request_not_built)?;
        let body = gzip(&minimised).map_err(|_| AwsError::request_not_built())?;
        Ok(Self {
            reason: None,
            message: None,
            provider: genuine.provider(),
            path: genuine.path().to_owned(),
            received_at: genuine.received_at(),
            unconfirmed: genuine.is_unconfirmed(),
            event_key: None,
            bytes: genuine.body().len(),
            sha256: genuine.body_digest(),
            evidence: Some(genuine.evidence().clone()),
            trace: None,
            encoding: Encoding::GzipBase64,
            body: BASE64_STANDARD.encode(body),
        })
    }

    /// Adds the first event in it.
    pub(crate) fn with_event(self, event_key: Option<String>) -> Self {
        Self { event_key, ..self }
    }

    /// Adds the trace of its arrival.
    pub(crate) fn in_trace(self, trace: Option<Trace>) -> Self {
        Self { trace, ..self }
    }

    /// Adds the reason for which it can't be read.
    pub(crate) fn because(self, unreadable: Unreadable) -> Self {
        Self { reason: Some(unreadable.code().to_owned()), message: Some(unreadable.to_string()), ..self }
    }

    /// The webhook with another time of arrival.
    pub(crate) fn arriving(self, received_at: Timestamp) -> Self {
        Self { received_at, ..self }
    }

    /// Unpacks the webhook, as it was when it was proved, except that its body is minimised.
    ///
    /// # Errors
    /// [`ForeignMessage`] if Verdict did not write the body.
    pub fn restore(&self) -> Result<Genuine, ForeignMessage> {
        let packed = BASE64_STANDARD.decode(&self.body).map_err(|_| ForeignMessage::Unknown)?;
        let body = gunzip(&packed)?;
        let call = self.reason().and_then(Unreadable::of_call);
        let (path, digest) = (self.path.clone(), self.sha256.clone());
        let genuine = Genuine::from_our_queue(self.provider, path, self.received_at, body, digest);
        let genuine = genuine.stamped(self.unconfirmed).as_call(call);
        Ok(match &self.evidence {
            Some(evidence) => genuine.with_evidence(evidence.clone()),
            None => genuine,
        })
    }

    /// The provider that sent it.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The time at which it was proved.
    #[must_use]
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// The trace of its arrival.
    pub(crate) fn trace(&self) -> Option<Trace> {
        self.trace
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

/// Says nothing of the body: it holds personal data.
impl fmt::Debug for QueuedWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuedWebhook")
            .field("provider", &self.provider)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Unpacks a body. However much it would become, no more than the limit is unpacked, and one byte to see that it goes
/// on.
fn gunzip(packed: &[u8]) -> Result<Vec<u8>, ForeignMessage> {
    if packed.is_empty() {
        // The decoder takes this for the end of a list of files.
        return Err(ForeignMessage::Unknown);
    }
    let mut bytes = Vec::new();
    let mut decoder = GzDecoder::new(packed).take(BODY_LIMIT as u64 + 1);
    decoder.read_to_end(&mut bytes).map_err(|_| ForeignMessage::Unknown)?;
    if bytes.len() > BODY_LIMIT { Err(ForeignMessage::TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use verdict_sessions::MatchedCredential;
    use verdict_webhooks::Reading;

    fn genuine(body: &str) -> Genuine {
        let at = Timestamp::from_unix(1_750_000_000, 123_456_000).unwrap();
        Genuine::from_our_queue(Provider::Wultra, "/wultra/process/event".into(), at, body.into(), "digest".into())
    }

    fn written_and_read(webhook: QueuedWebhook) -> Box<QueuedWebhook> {
        let text = serde_json::to_string(&IntakeMessage::Webhook(webhook.into())).unwrap();
        let Ok(IntakeMessage::Webhook(read)) = IntakeMessage::read(&text) else { panic!("{text}") };
        read
    }

    #[test]
    fn a_queued_webhook_comes_back_minimised_and_otherwise_as_it_was() {
        let queued =
            QueuedWebhook::of(&genuine(r#"{"processId": "p", "apiToken": "t", "é": "\ud83d\ude00"}"#)).unwrap();
        let restored = written_and_read(queued).restore().unwrap();
        let original = genuine("");
        assert_eq!(restored.body(), r#"{"processId":"p","é":"\ud83d\ude00"}"#.as_bytes());
        assert_eq!((restored.provider(), restored.path()), (original.provider(), original.path()));
        assert_eq!((restored.received_at(), restored.body_digest()), (original.received_at(), "digest".into()));
    }

    #[test]
    fn a_stamp_stays_on_a_queued_webhook_and_is_left_out_where_there_is_none() {
        for is_unconfirmed in [true, false] {
            let queued = QueuedWebhook::of(&genuine("{}").stamped(is_unconfirmed)).unwrap();
            let text = serde_json::to_value(&queued).unwrap();
            assert_eq!(text.get("unconfirmed"), is_unconfirmed.then_some(&serde_json::Value::Bool(true)));
            let because = queued.because(Unreadable::NoSessionId);
            assert_eq!(written_and_read(because).restore().unwrap().is_unconfirmed(), is_unconfirmed);
        }
    }

    /// Intake holds them for up to 14 days: a release reads what the one before it kept there.
    #[test]
    fn what_an_earlier_release_kept_is_read_as_before() {
        let text = concat!(
            r#"{"kind":"webhook","provider":"incode","path":"/incode/session-succeeded","#,
            r#""receivedAt":"2026-06-13T00:40:00Z","eventKey":"incode/60000a22b09a35d2ef5aaa99/x","bytes":42,"#,
            r#""sha256":"04b396a07d0f54e48a6540f18a6132600abc64a3b5f5f9cd56fd216d5c01d10d","encoding":"gzip+base64","#,
            r#""body":"H4sIAAAAAAAC/6tWyswrSS0qy0wt90xRslIyMwCCRCOjJAPLRGPTFKPUNNPExERLS6VaADzbEmAqAAAA"}"#,
        );
        let Ok(IntakeMessage::Webhook(read)) = IntakeMessage::read(text) else { panic!("{text}") };
        let restored = read.restore().unwrap();
        assert_eq!((restored.path(), restored.provider()), ("/incode/session-succeeded", Provider::Incode));
        assert!(!restored.is_probe());
        let Ok(Reading::Events { events, .. }) = verdict_webhooks::read(&restored) else { panic!("{restored:?}") };
        assert_eq!(events[0].session.to_string(), "incode/60000a22b09a35d2ef5aaa99");
        assert!(events[0].decision.is_some());
    }

    #[test]
    fn a_body_that_is_not_json_is_queued_as_it_was_sent() {
        let body = "\u{0}not json \u{fffe}";
        assert_eq!(
            written_and_read(QueuedWebhook::of(&genuine(body)).unwrap()).restore().unwrap().body(),
            body.as_bytes()
        );
    }

    #[test]
    fn a_reason_is_written_and_a_later_one_takes_its_place() {
        let queued = QueuedWebhook::of(&genuine("{")).unwrap().because(Unreadable::NotJson { at: 1 });
        let again = written_and_read(queued).because(Unreadable::NoSessionId);
        assert_eq!(again.reason(), Some("no_session_id"));
        assert_eq!(again.message.as_deref(), Some("there is no session id"));
    }

    #[test]
    fn a_call_of_the_transport_is_kept_as_sent_and_stays_one_when_it_is_sent_to_intake_again() {
        for call in [Unreadable::SubscriptionConfirmation, Unreadable::UnsubscribeConfirmation] {
            let body = r#"{ "Type": "any", "Token": "t", "SubscribeURL": "https://example.com/?Token=t" }"#;
            let queued = QueuedWebhook::of(&genuine(body).as_call(Some(call))).unwrap().because(call);
            let restored = written_and_read(queued).restore().unwrap();
            assert_eq!((restored.body(), restored.call()), (body.as_bytes(), Some(call)));
            assert_eq!(verdict_webhooks::read(&restored), Err(call));
        }
        let other = QueuedWebhook::of(&genuine("{")).unwrap().because(Unreadable::NotJson { at: 1 });
        assert_eq!(written_and_read(other).restore().unwrap().call(), None);
    }

    #[test]
    fn a_message_that_verdict_did_not_write_is_refused() {
        let queued =
            serde_json::to_value(IntakeMessage::Webhook(QueuedWebhook::of(&genuine("{}")).unwrap().into())).unwrap();
        for (member, value, error) in [
            ("kind", "webhooks", ForeignMessage::UnknownKind),
            ("encoding", "gzip", ForeignMessage::Unknown),
            ("provider", "nobody", ForeignMessage::Unknown),
            ("receivedAt", "now", ForeignMessage::Unknown),
        ] {
            let mut other = queued.clone();
            other[member] = value.into();
            assert_eq!(IntakeMessage::read(&other.to_string()).err(), Some(error), "{member}");
        }
        for body in ["not base64", "bm90IGd6aXA=", ""] {
            let mut other = queued.clone();
            other["body"] = body.into();
            let Ok(IntakeMessage::Webhook(read)) = IntakeMessage::read(&other.to_string()) else { panic!("{body}") };
            assert_eq!(read.restore().err(), Some(ForeignMessage::Unknown), "{body}");
        }
        for text in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"kind":"rebuild"}"#,
            r#"{"kind":"rebuild","provider":"veriff","sessionId":""}"#,
            r#"{"kind":"resend","provider":"veriff","sessionId":"s"}"#,
            r#"{"kind":"resend","provider":"veriff","sessionId":"s","from":-1}"#,
            r#"{"kind":"resend","provider":"veriff","sessionId":"s","from":"1"}"#,
            r#"{"kind":7,"provider":"veriff","sessionId":"s"}"#,
        ] {
            assert_eq!(IntakeMessage::read(text).err(), Some(ForeignMessage::Unknown), "{text}");
        }
    }

    #[test]
    fn a_body_unpacks_to_its_limit_and_not_beyond() {
        let packed = |length| gzip(&vec![b' '; length]).unwrap();
        assert_eq!(gunzip(&packed(BODY_LIMIT)).map(|body| body.len()), Ok(BODY_LIMIT));
        for longer in [BODY_LIMIT + 1, 33_000_000] {
            assert_eq!(gunzip(&packed(longer)), Err(ForeignMessage::TooLarge));
        }
    }

    /// It would be acknowledged, and could then never be unpacked.
    #[test]
    fn a_body_that_could_not_be_unpacked_again_is_not_queued() {
        assert!(QueuedWebhook::of(&genuine(&"x".repeat(BODY_LIMIT))).is_ok());
        assert!(QueuedWebhook::of(&genuine(&"x".repeat(BODY_LIMIT + 1))).is_err());
    }

    #[test]
    fn the_evidence_of_a_webhook_is_on_the_queue_and_comes_back() {
        let credentials = vec![MatchedCredential { member: "basic".into(), position: 2, of: 3 }];
        let evidence = Evidence { credentials, ..Evidence::of_body("digest".into()).signed("c2lnbmVk") };
        let queued = QueuedWebhook::of(&genuine("{}").with_evidence(evidence.clone())).unwrap();
        let text = serde_json::to_value(&queued).unwrap();
        let expected = serde_json::json!({"bodySha256": "digest", "signature": "c2lnbmVk",
            "credentials": [{"member": "basic", "position": 2, "of": 3}]});
        assert_eq!(text["evidence"], expected);
        assert_eq!(*written_and_read(queued).restore().unwrap().evidence(), evidence);
        // An earlier release didn't write it.
        let mut earlier = text;
        earlier.as_object_mut().unwrap().remove("evidence");
        let earlier: QueuedWebhook = serde_json::from_value(earlier).unwrap();
        assert_eq!(*earlier.restore().unwrap().evidence(), Evidence::of_body("digest".into()));
    }

    #[test]
    fn the_trace_of_a_webhook_is_on_the_queue_and_another_text_is_none() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1";
        let queued = QueuedWebhook::of(&genuine("{}")).unwrap();
        let text = serde_json::to_value(&queued).unwrap();
        assert_eq!(text.get("trace"), None);
        let trace = Trace::from_header(header);
        let mut text = serde_json::to_value(queued.in_trace(trace)).unwrap();
        assert_eq!(text["trace"], header);
        let read = |text: &Value| serde_json::from_value::<QueuedWebhook>(text.clone()).unwrap().trace();
        assert_eq!(read(&text), trace);
        for other in [Value::Null, "customer-1".into(), 7.into(), serde_json::json!({"Root": header})] {
            text["trace"] = other;
            assert_eq!(read(&text), None, "{text}");
        }
    }

    #[test]
    fn a_reason_for_a_rebuild_is_plain_and_short_and_never_in_its_way() {
        let read = |reason: serde_json::Value| {
            let message =
                serde_json::json!({"kind": "rebuild", "provider": "veriff", "sessionId": "s", "reason": reason});
            let Ok(IntakeMessage::Rebuild(request)) = IntakeMessage::read(&message.to_string()) else {
                panic!("{message}")
            };
            request.reason
        };
        assert_eq!(
            read("TICKET-7: reader corrected (0.2)".into()).as_deref(),
            Some("TICKET-7: reader corrected (0.2)")
        );
        assert_eq!(read("x".repeat(81).into()), Some("x".repeat(80)));
        for other in ["".into(), " ".into(), "a\nb".into(), "é".into(), "a@b".into(), "\"".into(), 7.into()] {
            assert_eq!(read(other), None);
        }
        assert_eq!(read(Value::Null), None);
    }

    #[test]
    fn a_rebuild_names_its_session_like_everything_else() {
        let text = r#"{"kind":"rebuild","provider":"veriff","sessionId":"s 1"}"#;
        let Ok(IntakeMessage::Rebuild(request)) = IntakeMessage::read(text) else { panic!("{text}") };
        assert_eq!(request.session.to_string(), "veriff/s 1");
        assert_eq!(serde_json::to_string(&IntakeMessage::Rebuild(request)).unwrap(), text);
    }

    #[test]
    fn a_resend_names_its_session_like_everything_else_and_where_it_begins() {
        for text in [
            r#"{"kind":"resend","provider":"veriff","sessionId":"s 1","from":3}"#,
            r#"{"kind":"resend","provider":"veriff","sessionId":"s 1","from":3,"reason":"lost","requestId":"a:1"}"#,
        ] {
            let Ok(IntakeMessage::Resend(request)) = IntakeMessage::read(text) else { panic!("{text}") };
            assert_eq!((request.session.to_string(), request.from), ("veriff/s 1".to_owned(), 3));
            assert_eq!(serde_json::to_string(&IntakeMessage::Resend(request)).unwrap(), text);
        }
    }

    #[test]
    fn an_id_of_a_request_is_plain_and_short_or_none() {
        let read = |id: &str| {
            let message =
                format!(r#"{{"kind":"resend","provider":"veriff","sessionId":"s","from":1,"requestId":{id}}}"#);
            let Ok(IntakeMessage::Resend(request)) = IntakeMessage::read(&message) else { panic!("{message}") };
            request.request_id
        };
        let longest = "x".repeat(REQUEST_ID_LIMIT);
        assert_eq!(read(&format!("\"{longest}\"")), Some(longest.clone()));
        for other in [format!("\"{longest}x\""), r#""""#.into(), r#""a b""#.into(), "7".into(), "null".into()] {
            assert_eq!(read(&other), None, "{other}");
        }
    }
}
