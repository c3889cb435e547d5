//! The stories behind the fixtures in `events/notifications/`: what happens to a session until the message of that name
//! goes out. Persons, ids and times are made up. The messages are made by the code that makes all messages.

use std::time::Duration;
use verdict_sessions::{
    AttemptId, Check, CheckOutcome, Decision, Detail, EventId, Kind, Notification, Outcome, Provider, ReasonCode,
    Refolded, SequenceBase, Session, SessionEvent, SessionId, SessionKey, Stage, Subject, Timestamp, Trace, Withdrawal,
};

/// The message that belongs to a trace, by the name of its file.
const IN_A_TRACE: &str = "decision-in-a-trace";

/// The trace that a message belongs to, by the name of its file.
#[must_use]
pub fn trace_of(message: &str) -> Option<Trace> {
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1";
    Trace::from_header(trace).filter(|_| message == IN_A_TRACE)
}

/// Every message, by the name of its file.
#[must_use]
pub fn messages() -> Vec<(&'static str, Notification)> {
    vec![
        ("decision-approved", veriff().decided(approved()).last()),
        ("decision-declined", treezor().checked("document:4711", refused()).decided(refused_review()).last()),
        ("decision-expired", treezor().decided(Decision::new(Outcome::Expired)).last()),
        ("decision-abandoned", veriff().attempt("attempt-1").decided(Decision::new(Outcome::Abandoned)).last()),
        ("decision-failed", wultra().decided(failed()).last()),
        ("decision-review", incode().decided(Decision::new(Outcome::Review)).last()),
        ("decision-resubmission-requested", veriff().attempt("attempt-1").decided(resubmission()).last()),
        ("decision-replaced", incode().decided(Decision::new(Outcome::Review)).decided(scored()).last()),
        ("decision-of-another-attempt", another_attempt().last()),
        ("decision-for-other-reasons", veriff().decided(declined_for(&["102"])).decided(declined_for(&["106"])).last()),
        (IN_A_TRACE, veriff().decided(approved()).last()),
        ("decision-corrected", veriff().decided(approved()).read_again(&declined_for(&["106"]))),
        (
            "decision-after-a-restore",
            veriff().decided(approved()).restored(1000).decided(declined_for(&["106"])).last(),
        ),
        ("check-watchlist-hit", approved_and_clean().checked("watchlist", hits(&["sanctions"], 1)).last()),
        ("check-second-list", on_one_list().checked("watchlist", hits(&["sanctions", "pep"], 2)).last()),
        ("check-login-failed", onboarded().checked("authentication", login(false)).last()),
        ("check-login-spoofed", onboarded().checked("authentication", login(true)).last()),
        ("check-user-status", veriff().decided(approved()).checked("user_status", revoked()).last()),
        ("check-several", several_checks().last()),
        ("check-corrected", approved_and_clean().check_read_again("watchlist", &hits(&["sanctions"], 1))),
        ("check-gone", on_one_list().check_not_read_again("watchlist")),
        ("decision-withdrawn", veriff().decided(approved()).decision_not_read_again()),
    ]
}

/// A session as it goes on: its events, and the last message about it.
struct Story {
    session: SessionKey,
    kind: Kind,
    attempt: Option<&'static str>,
    subject: Subject,
    events: Vec<SessionEvent>,
    record: Option<Session>,
    base: SequenceBase,
    message: Option<Notification>,
}

fn veriff() -> Story {
    let story = Story::of(Provider::Veriff, "f04bdb47-d3be-4b28-b028-a652feb060b5", Kind::Verification);
    story.attempt("e30122d1-740b-4764-853f-470374a7abf4").about(Some("customer-1"), None)
}

fn incode() -> Story {
    let story = Story::of(Provider::Incode, "5f0c7a3e9b1d4c2a8e6f0b17", Kind::Onboarding);
    story.about(Some("customer-2"), Some("61d5c0a94b7e2f38a1c0d9e4"))
}

fn treezor() -> Story {
    Story::of(Provider::Treezor, "user:6461762", Kind::KycReview).about(Some("customer-3"), Some("6461762"))
}

fn wultra() -> Story {
    Story::of(Provider::Wultra, "3f1f0e7e-6f0a-4a51-9c4b-2d7f3a5b8c90", Kind::Onboarding).about(None, Some("user-4"))
}

fn approved_and_clean() -> Story {
    veriff().decided(approved()).checked("watchlist", Check::new(CheckOutcome::Passed))
}

fn on_one_list() -> Story {
    approved_and_clean().checked("watchlist", hits(&["sanctions"], 1))
}

fn onboarded() -> Story {
    incode().decided(scored()).checked("authentication", Check::new(CheckOutcome::Passed))
}

fn another_attempt() -> Story {
    let declined = declined_for(&["102"]);
    veriff().attempt("attempt-1").decided(declined.clone()).attempt("attempt-2").decided(declined)
}

fn several_checks() -> Story {
    let [document, presence] = ["document:81ac5e2f", "presence"];
    let story = wultra().checked(document, Check::new(CheckOutcome::Pending)).decided(Decision::new(Outcome::Approved));
    story.all_checked(&[
        (document, Check { reason_codes: codes(&["EXPIRED"]), ..Check::new(CheckOutcome::Failed) }),
        (presence, Check::new(CheckOutcome::Error)),
    ])
}

fn approved() -> Decision {
    let detail = detail(&[("country", "EE"), ("documentType", "PASSPORT"), ("riskScore", "0.12")]);
    Decision { detail, ..Decision::new(Outcome::Approved) }
}

fn declined_for(reasons: &[&str]) -> Decision {
    Decision::new(Outcome::Declined).with_codes(codes(reasons))
}

fn refused_review() -> Decision {
    let detail = detail(&[("identification", "liveness"), ("kycLevel", "0")]);
    Decision { detail, ..declined_for(&["1312", "2401"]) }
}

fn failed() -> Decision {
    Decision { detail: detail(&[("processType", "ONBOARDING")]), ..Decision::new(Outcome::Failed) }
        .with_codes(codes(&["maxFailedAttemptsReached"]))
}

fn resubmission() -> Decision {
    Decision::new(Outcome::ResubmissionRequested).with_codes(codes(&["201"]))
}

fn scored() -> Decision {
    Decision { detail: detail(&[("score", "94.2")]), ..Decision::new(Outcome::Approved) }
}

fn refused() -> Check {
    let detail = detail(&[("documentType", "9")]);
    Check { reason_codes: codes(&["600003"]), detail, ..Check::new(CheckOutcome::Failed) }
}

/// A watchlist's result: the lists with hits, found by monitoring.
fn hits(lists: &[&str], count: u8) -> Check {
    let detail = detail(&[("checkType", "updated_result"), ("monitoring", "true"), ("totalHits", &count.to_string())]);
    Check { reason_codes: codes(lists), detail, ..Check::new(CheckOutcome::Flagged) }
}

fn login(is_spoofed: bool) -> Check {
    let (outcome, code) =
        if is_spoofed { (CheckOutcome::Flagged, "spoofAttempt") } else { (CheckOutcome::Failed, "FACE_NOT_FOUND") };
    let is_spoofed = if is_spoofed { "true" } else { "false" };
    let detail = detail(&[("faceMatch", "true"), ("spoofAttempt", is_spoofed)]);
    Check { reason_codes: codes(&[code]), detail, ..Check::new(outcome) }
}

/// A status that the user of Veriff defined, as a person's revocation.
fn revoked() -> Check {
    let detail = detail(&[("reasonCode", "account_takeover"), ("statusCode", "revoked")]);
    Check { reason_codes: codes(&["revoked", "account_takeover"]), detail, ..Check::new(CheckOutcome::Captured) }
}

fn codes(codes: &[&str]) -> Vec<ReasonCode> {
    codes.iter().filter_map(|code| ReasonCode::new(code)).collect()
}

fn detail(values: &[(&str, &str)]) -> Detail {
    let mut detail = Detail::empty();
    for (name, value) in values {
        detail.insert(name, value).expect("it is short");
    }
    detail
}

impl Story {
    fn of(provider: Provider, id: &str, kind: Kind) -> Self {
        let session = SessionKey { provider, session_id: SessionId::new(id).expect("it is an id") };
        let (subject, base) = (Subject::default(), SequenceBase::default());
        Self { session, kind, attempt: None, subject, events: Vec::new(), record: None, base, message: None }
    }

    fn attempt(self, attempt: &'static str) -> Self {
        Self { attempt: Some(attempt), ..self }
    }

    fn about(self, reference: Option<&str>, user: Option<&str>) -> Self {
        let [reference, provider_user_id] = [reference, user].map(|name| name.map(str::to_owned));
        Self { subject: Subject { reference, provider_user_id }, ..self }
    }

    fn decided(self, decision: Decision) -> Self {
        let event = SessionEvent { decision: Some(decision), ..self.event("decision") };
        self.happens(event)
    }

    fn checked(self, name: &str, check: Check) -> Self {
        self.all_checked(&[(name, check)])
    }

    fn all_checked(self, checks: &[(&str, Check)]) -> Self {
        let checks = checks.iter().map(|(name, check)| ((*name).to_owned(), check.clone())).collect();
        let event = SessionEvent { checks, ..self.event("check") };
        self.happens(event)
    }

    /// The table was restored, and the base raised.
    fn restored(self, base: u64) -> Self {
        Self { base: SequenceBase::new(base).expect("it is below the limit"), ..self }
    }

    /// The message that a rebuild makes if the last event is now read as this decision.
    fn read_again(self, decision: &Decision) -> Notification {
        self.rebuilt(|event| event.decision = Some(decision.clone()))
    }

    /// The message that a rebuild makes if the last event is now read as no decision.
    fn decision_not_read_again(self) -> Notification {
        self.rebuilt(|event| event.decision = None)
    }

    fn check_read_again(self, name: &str, check: &Check) -> Notification {
        self.rebuilt(|event| drop(event.checks.insert(name.to_owned(), check.clone())))
    }

    /// The message that a rebuild makes if no event is now read as that check.
    fn check_not_read_again(mut self, name: &str) -> Notification {
        for event in &mut self.events {
            event.checks.remove(name);
        }
        self.rebuilt(|_| ())
    }

    /// The message that a rebuild makes if the last event is now read in another way.
    fn rebuilt(mut self, read: impl Fn(&mut SessionEvent)) -> Notification {
        self.events.last_mut().into_iter().for_each(read);
        let record = self.record.expect("something has happened");
        let withdrawal = Withdrawal::At(at(self.events.len() + 1));
        match record.rebuild(&self.events, self.base, withdrawal) {
            Ok(Refolded::Changed(applied)) => applied.notification.expect("a rebuild tells it"),
            other => unreachable!("{other:?}"),
        }
    }

    fn last(self) -> Notification {
        self.message.expect("the last event makes a message")
    }

    fn event(&self, name: &str) -> SessionEvent {
        let number = self.events.len() + 1;
        SessionEvent {
            event_id: EventId::new(format!("{name}:{number}")).expect("it is an id"),
            session: self.session.clone(),
            kind: self.kind,
            name: name.to_owned(),
            attempt_id: self.attempt.and_then(|attempt| AttemptId::new(attempt).ok()),
            occurred_at: Some(at(number)),
            emitted_at: None,
            received_at: at(number).plus(Duration::from_millis(250)),
            stage: (number == 1).then_some(Stage::Submitted),
            decision: None,
            checks: std::collections::BTreeMap::new(),
            subject: self.subject.clone(),
            remark: None,
            remarks: Vec::new(),
            undated: false,
            detail: std::collections::BTreeMap::new(),
        }
    }

    fn happens(mut self, event: SessionEvent) -> Self {
        let applied = Session::apply(self.record.as_ref(), &event, self.base);
        self.events.push(event);
        Self { record: Some(applied.session), message: applied.notification, ..self }
    }
}

/// The time of a session's event of that number: a day after the one before.
fn at(number: usize) -> Timestamp {
    let days = Duration::from_hours(24 * number as u64);
    Timestamp::parse("2026-06-12T09:30:00.861285Z").expect("it is a time").plus(days)
}
