//! The stories of the sessions in the fixtures. Together they have every sort of item, with and without each optional
//! member, and every word that Verdict stores.

use crate::{Call, Clock, Fault, Service, Webhook, World, webhooks::Said};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;
use verdict_sessions::{CheckOutcome, Outcome, Provider, SessionId, SessionKey, Stage, Timestamp};

/// A webhook's arrival within a minute. The next one comes in another minute.
const ARRIVAL: Duration = Duration::from_millis(123);
const MINUTE: Duration = Duration::from_mins(1);

/// A copy that comes so late is no retry of Incode's.
const LONGER_THAN_RETRIES: Duration = Duration::from_mins(41);

/// The story in which the poller is woken.
pub(super) const WOKEN: &str = "incode-woken";

/// The message with which your own service, or an operator, has a session asked about.
pub(super) const POLL_REQUEST: &str =
    r#"{"kind":"poll","interviewId":"5f0c7a3e0000400080000003","reference":"customer-1"}"#;

/// The story of one session, or of the sessions that one webhook speaks of.
pub(super) struct Story {
    /// The provider, and what is special.
    pub(super) name: &'static str,
    steps: Vec<Step>,
}

enum Step {
    Deliver(Webhook),
    /// From here on Incode's API has to confirm what a webhook decides.
    Confirm,
    Wait(Duration),
    /// From here on no queue answers, so that notifications stay in the outbox.
    LoseQueues,
    /// From here on Incode's API says that a session is handed in, and scored so.
    Score(&'static str, Outcome),
    /// The poller runs.
    Poll,
    /// The poller crashes while it waits for an answer.
    PollAndCrash,
    /// From here on Incode's API wants fewer questions, for an hour.
    WantFewer,
    /// From here on sequences are above this.
    RaiseBase(u64),
    /// An operator has sent again what was told of the session.
    Resend(SessionKey),
    /// An operator rebuilds the session and may withdraw a decision, after a word of its payloads was changed to one that
    /// no reader knows.
    Withdraw {
        session: SessionKey,
        word: &'static str,
    },
    /// An operator rebuilds the session, after its items were changed to what an earlier reader would have recorded.
    Rebuild {
        session: SessionKey,
        read: Outcome,
        recorded: Outcome,
    },
}

/// A webhook that decides, and has to be confirmed where the API is.
pub(super) fn unconfirmed(session: &str) -> Webhook {
    Webhook::decision(Provider::Incode, session, Outcome::Approved, minutes_before(0), "flow-1")
}

/// The stories of sessions.
pub(super) fn sessions() -> Vec<Story> {
    [veriff(), incode(), treezor(), wultra()].into_iter().flatten().collect()
}

fn veriff() -> Vec<Story> {
    const ID: &str = "5f0c7a3e-0000-4000-8000-000000000001";
    const HIT: &str = "5f0c7a3e-0000-4000-8000-000000000005";
    const FEWER: &str = "5f0c7a3e-0000-4000-8000-000000000006";
    const RESTORED: &str = "5f0c7a3e-0000-4000-8000-000000000007";
    const WITHDRAWN: &str = "5f0c7a3e-0000-4000-8000-000000000008";
    const RESENT: &str = "5f0c7a3e-0000-4000-8000-00000000000a";
    let decided =
        |id, outcome, minutes| Webhook::decision(Provider::Veriff, id, outcome, minutes_before(minutes), "attempt-1");
    let hits = |id, lists: &[&str], minutes| {
        Webhook::watchlist(id, CheckOutcome::Flagged, lists, minutes_before(minutes), "attempt-1")
    };
    let progress = |attempt| Webhook::progress(Provider::Veriff, ID, Stage::Started, minutes_before(0), attempt);
    let watchlist = Webhook::check(Provider::Veriff, ID, CheckOutcome::Flagged, minutes_before(8), "attempt-2");
    let again = Webhook::decision_because(
        Some("201"),
        Provider::Veriff,
        ID,
        Outcome::ResubmissionRequested,
        minutes_before(20),
        "attempt-1",
    );
    let approved = Webhook::decision(Provider::Veriff, ID, Outcome::Approved, minutes_before(5), "attempt-2");
    let unusual = Webhook::veriff_saying(
        "/veriff/decisions",
        &json!({"status": "success", "verification": {"id": "5f0c7a3e-0000-4000-8000-000000000004", "code": 9102,
            "status": "declined", "reasonCode": 106, "riskLabels": [{"label": "velocity_high", "category": "crosslinks"}],
            "vendorData": "é".repeat(1000), "decisionTime": "yesterday"}}),
    );
    vec![
        Story::of("veriff-resubmitted")
            .deliver(progress("attempt-1"))
            .deliver(again)
            .deliver(progress("attempt-2"))
            .deliver(watchlist)
            .lose_queues()
            .deliver(approved),
        Story::of("veriff-in-review").sample("veriff/decision-review"),
        Story::of("veriff-awaiting-resubmission").sample("veriff/decision-resubmission-requested"),
        Story::untold("veriff-declined").sample("veriff/decision-declined"),
        Story::untold("veriff-approved-without-attempt").sample("veriff/decision-approved-legacy"),
        Story::untold("veriff-expired-without-time").sample("veriff/decision-expired"),
        Story::of("veriff-submitted").sample("veriff/event-submitted"),
        Story::of("veriff-cancelled-with-detail").sample("veriff/event-flow-cancelled"),
        Story::of("veriff-registry").sample("veriff/ine-registry"),
        Story::of("veriff-unrecognised").sample("veriff/event-unknown"),
        Story::of("veriff-inconsistent").sample("veriff/event-contradicting"),
        Story::untold("veriff-with-long-reference-and-unreadable-time").deliver(unusual),
        Story::of("veriff-hits-after-approval")
            .deliver(decided(HIT, Outcome::Approved, 9))
            .lose_queues()
            .deliver(hits(HIT, &["pep"], 5))
            .deliver(hits(HIT, &["pep", "sanctions"], 4)),
        Story::of("veriff-fewer-hits").deliver(hits(FEWER, &["pep", "sanctions"], 5)).deliver(hits(FEWER, &["pep"], 4)),
        Story::of("veriff-after-a-restore")
            .deliver(decided(RESTORED, Outcome::Review, 9))
            .lose_queues()
            .raise_base(1000)
            .deliver(decided(RESTORED, Outcome::Approved, 5)),
        Story::of("veriff-withdrawn").deliver(decided(WITHDRAWN, Outcome::Review, 9)).lose_queues().withdraw(
            Provider::Veriff,
            WITHDRAWN,
            "review",
        ),
        Story::of("veriff-sent-again")
            .deliver(decided(RESENT, Outcome::Review, 9))
            .deliver(decided(RESENT, Outcome::Approved, 5))
            .resend(Provider::Veriff, RESENT),
    ]
}

fn incode() -> Vec<Story> {
    /// The session of `incode/onboarding-finished`.
    const REVIEWED: &str = "9a1e40b458151a9959e2d153";
    const APPROVED: &str = "5f0c7a3e0000400080000002";
    const CONFIRMED: &str = "5f0c7a3e0000400080000007";
    let submitted = |id| Webhook::progress(Provider::Incode, id, Stage::Submitted, minutes_before(0), "flow-1");
    let declined = Webhook::decision(Provider::Incode, APPROVED, Outcome::Declined, minutes_before(0), "flow-1");
    vec![
        Story::of("incode-started").sample("incode/session-started"),
        Story::of("incode-sent-again-late")
            .sample("incode/session-succeeded")
            .wait(LONGER_THAN_RETRIES)
            .sample("incode/session-succeeded"),
        Story::of("incode-reviewed-by-poll-without-reference")
            .sample("incode/onboarding-finished")
            .score(REVIEWED, Outcome::Review)
            .lose_queues()
            .poll(),
        Story::of("incode-approved-again-by-poll")
            .deliver(submitted(APPROVED))
            .score(APPROVED, Outcome::Approved)
            .poll()
            .deliver(declined)
            .wait(LONGER_THAN_RETRIES)
            .deliver(submitted(APPROVED))
            .poll(),
        Story::untold("incode-corrected").sample("incode/session-failed").rebuild(
            Provider::Incode,
            "59ec8712e8e3574f00a154d8",
            Outcome::Declined,
            Outcome::Approved,
        ),
        Story::of(WOKEN).deliver(submitted("5f0c7a3e0000400080000003")),
        Story::of("incode-asked-about").deliver(submitted("5f0c7a3e0000400080000004")).poll_and_crash(),
        Story::of("incode-left-alone").deliver(submitted("5f0c7a3e0000400080000005")).want_fewer().poll(),
        Story::of("incode-to-be-confirmed").confirm().deliver(unconfirmed("5f0c7a3e0000400080000006")),
        Story::untold("incode-confirmed")
            .confirm()
            .deliver(unconfirmed(CONFIRMED))
            .score(CONFIRMED, Outcome::Declined)
            .poll(),
        Story::of("incode-document").sample("incode/id-validation-finished"),
        Story::of("incode-login-failed").sample("incode/authentication-fail"),
        Story::of("incode-enrolled").sample("incode/identity-enrolled"),
        Story::of("incode-unrecognised").sample("incode/onboarding-status-unheard-of"),
    ]
}

fn treezor() -> Vec<Story> {
    const USER: &str = "6461901";
    const SHARED: &str = "5f0c7a3e-0000-4000-8000-000000000009";
    let of_shared = |user, minutes| Webhook::liveness_of(user, SHARED, false, &[], minutes_before(minutes));
    let requested = Webhook::progress(Provider::Treezor, "6461905", Stage::Submitted, minutes_before(30), "");
    let captured = requested.in_another_envelope(&json!({"webhook": "user.kycreview", "webhook_id": "another"}));
    let decision = |outcome, minutes| Webhook::decision(Provider::Treezor, USER, outcome, minutes_before(minutes), "");
    vec![
        Story::of("treezor-reviewed")
            .deliver(Webhook::progress(Provider::Treezor, USER, Stage::Submitted, minutes_before(30), ""))
            .deliver(decision(Outcome::Review, 20))
            .lose_queues()
            .deliver(decision(Outcome::Declined, 10)),
        Story::untold("treezor-two-users").sample("treezor/user-kycreview-two-users"),
        Story::untold("treezor-with-own-reference").deliver(Webhook::review(
            "6461902",
            Outcome::Approved,
            Said { at: Some(minutes_before(30)), sent: minutes_before(20), tag: Some("customer-1") },
        )),
        Story::of("treezor-with-blank-times")
            .deliver(Webhook::document("6461903", CheckOutcome::Pending, None, 1))
            .deliver(Webhook::review(
                "6461903",
                Outcome::Review,
                Said { at: None, sent: minutes_before(20), tag: None },
            )),
        Story::untold("treezor-declined-for-several-reasons").deliver(Webhook::liveness(
            "6461904",
            true,
            &["1312", "2401"],
            minutes_before(20),
        )),
        Story::of("treezor-liveness-of-two-users")
            .deliver(of_shared("6461906", 20))
            .lose_queues()
            .deliver(of_shared("6461907", 15)),
        Story::of("treezor-read-twice").deliver(requested).deliver(captured),
        Story::of("treezor-document-pending").sample("treezor/document-create"),
        Story::of("treezor-document-refused").sample("treezor/document-update-refused"),
        Story::of("treezor-document-cancelled").sample("treezor/document-cancel"),
        Story::untold("treezor-liveness-declined").sample("treezor/kycliveness-update-refused"),
        Story::untold("treezor-signature-abandoned").sample("treezor/qes-aborted"),
        Story::of("treezor-recorded-only").sample("treezor/user-kycreview-none"),
        Story::of("treezor-unrecognised").sample("treezor/user-kycreview-unheard-of"),
        Story::of("treezor-inconsistent").sample("treezor/kycreview-result-contradicting"),
    ]
}

fn wultra() -> Vec<Story> {
    const PROCESS: &str = "5f0c7a3e-0000-4000-8000-000000000003";
    let presence = |outcome, minutes| Webhook::check(Provider::Wultra, PROCESS, outcome, minutes_before(minutes), "");
    vec![
        Story::of("wultra-onboarded")
            .deliver(presence(CheckOutcome::Failed, 20))
            .deliver(presence(CheckOutcome::Passed, 15))
            .lose_queues()
            .deliver(Webhook::decision(Provider::Wultra, PROCESS, Outcome::Approved, minutes_before(10), "")),
        Story::untold("wultra-failed").sample("wultra/process-failed"),
        Story::of("wultra-failed-in-words").sample("wultra/process-failed-in-words"),
        Story::of("wultra-document-rejected").sample("wultra/document-rejected"),
        Story::of("wultra-document-error").sample("wultra/document-failed"),
        Story::of("wultra-document-without-time").sample("wultra/document-before-2-2-0"),
        Story::of("wultra-recorded-only").sample("wultra/process-without-data"),
        Story::of("wultra-unrecognised").sample("wultra/unknown-type"),
    ]
}

/// Webhooks that come while the table is out: one of each provider, one of them of two sessions, one with images.
pub(super) fn spooled() -> Vec<(&'static str, Webhook)> {
    [
        ("veriff", "veriff/decision-declined"),
        ("incode", "incode/onboarding-finished"),
        ("treezor", "treezor/user-kycreview-two-users"),
        ("wultra", "wultra/document-rejected"),
    ]
    .map(|(name, sample)| (name, Webhook::sample(sample)))
    .into()
}

/// Webhooks that are genuine and can't be read: one of each provider, and one without any body.
pub(super) fn quarantined() -> Vec<(&'static str, Webhook)> {
    [
        ("veriff", "veriff/unreadable-body"),
        ("veriff-empty", "veriff/empty-body"),
        ("incode", "incode/two-sessions"),
        ("treezor", "treezor/payload-without-user-id"),
        ("wultra", "wultra/ambiguous-body"),
    ]
    .map(|(name, sample)| (name, Webhook::sample(sample)))
    .into()
}

/// The session of which a rebuild is requested.
pub(super) fn rebuilt() -> SessionKey {
    key(Provider::Incode, "59ec8712e8e3574f00a154d8")
}

/// The session whose messages are to be sent again.
pub(super) fn resent() -> SessionKey {
    key(Provider::Veriff, "5f0c7a3e-0000-4000-8000-00000000000a")
}

/// Delivers a webhook at its time of arrival, and returns the outcome.
pub(super) async fn deliver(world: &World, webhook: &Webhook) -> String {
    until_arrival(world).await;
    let response = world.deliver(webhook).await;
    assert_eq!(response.status(), 200, "{}", webhook.path);
    response.header("x-verdict-outcome").unwrap().to_owned()
}

impl Story {
    pub(super) fn of(name: &'static str) -> Self {
        Self { name, steps: Vec::new() }
    }

    /// A story whose notifications stay in the outbox.
    fn untold(name: &'static str) -> Self {
        Self::of(name).lose_queues()
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    fn sample(self, name: &str) -> Self {
        self.deliver(Webhook::sample(name))
    }

    pub(super) fn deliver(self, webhook: Webhook) -> Self {
        self.then(Step::Deliver(webhook))
    }

    fn confirm(self) -> Self {
        self.then(Step::Confirm)
    }

    fn wait(self, time: Duration) -> Self {
        self.then(Step::Wait(time))
    }

    fn lose_queues(self) -> Self {
        self.then(Step::LoseQueues)
    }

    fn score(self, session: &'static str, outcome: Outcome) -> Self {
        self.then(Step::Score(session, outcome))
    }

    fn poll(self) -> Self {
        self.then(Step::Poll)
    }

    fn poll_and_crash(self) -> Self {
        self.then(Step::PollAndCrash)
    }

    fn want_fewer(self) -> Self {
        self.then(Step::WantFewer)
    }

    fn raise_base(self, base: u64) -> Self {
        self.then(Step::RaiseBase(base))
    }

    fn resend(self, provider: Provider, session: &str) -> Self {
        self.then(Step::Resend(key(provider, session)))
    }

    fn withdraw(self, provider: Provider, session: &str, word: &'static str) -> Self {
        self.then(Step::Withdraw { session: key(provider, session), word })
    }

    fn rebuild(self, provider: Provider, session: &str, read: Outcome, recorded: Outcome) -> Self {
        self.then(Step::Rebuild { session: key(provider, session), read, recorded })
    }

    /// The webhooks in it, in their order.
    pub(super) fn webhooks(&self) -> impl Iterator<Item = &Webhook> {
        self.steps.iter().filter_map(|step| if let Step::Deliver(webhook) = step { Some(webhook) } else { None })
    }

    /// Runs the story.
    pub(super) async fn run(&self, world: &World) {
        for step in &self.steps {
            step.run(world).await;
        }
    }
}

impl Step {
    async fn run(&self, world: &World) {
        match self {
            Self::Deliver(webhook) => {
                let outcome = deliver(world, webhook).await;
                assert!(["recorded", "duplicate"].contains(&&*outcome), "{} was {outcome}", webhook.path);
            }
            Self::Confirm => world.confirm_decisions(true),
            Self::Wait(time) => world.pass(*time).await,
            Self::LoseQueues => {
                world.network.fail(|call: &Call| (call.service == Service::Sqs).then_some(Fault::FailBefore));
            }
            Self::Score(session, outcome) => world.fake_incode.close(session, *outcome),
            Self::Poll => {
                until_arrival(world).await;
                world.run_poller().await.unwrap();
            }
            Self::PollAndCrash => {
                until_arrival(world).await;
                world.fake_incode.hang();
                assert!(timeout(Duration::from_secs(1), world.run_poller()).await.is_err(), "nothing was asked");
            }
            Self::WantFewer => world.fake_incode.want_fewer(Duration::from_hours(1)),
            Self::RaiseBase(base) => world.raise_base(*base),
            Self::Resend(session) => {
                until_arrival(world).await;
                world.request_resend(session.clone(), 1, Some("request-1"));
                assert_eq!(world.run_replay().await, 1);
            }
            Self::Withdraw { session, word } => {
                forget(world, word);
                until_arrival(world).await;
                world.request_rebuild_that(session.clone(), true);
                assert_eq!(world.run_replay().await, 1);
            }
            Self::Rebuild { session, read, recorded } => {
                misread(world, *read, *recorded);
                until_arrival(world).await;
                world.request_rebuild(session.clone());
                assert_eq!(world.run_replay().await, 1);
            }
        }
    }
}

/// Lets time pass until the next webhook arrives.
async fn until_arrival(world: &World) {
    let past = world.clock.since_epoch().saturating_sub(ARRIVAL).as_nanos() % MINUTE.as_nanos();
    world.pass(MINUTE.saturating_sub(Duration::from_nanos(u64::try_from(past).unwrap()))).await;
}

/// Puts another outcome in the place of one, in all items except the payloads.
fn misread(world: &World, read: Outcome, recorded: Outcome) {
    let [read, recorded] = [read, recorded].map(|outcome| format!(r#"{{"S":"{}"}}"#, outcome.as_str()));
    world.network.with_dynamodb(|table| {
        for item in table.typed_items().into_iter().filter(|item| !item.contains_key("payload")) {
            let misread = Value::Object(item).to_string().replace(&read, &recorded);
            table.put(&serde_json::from_str(&misread).unwrap());
        }
    });
}

/// Puts a word that no reader knows in the place of one, in the payloads.
fn forget(world: &World, known: &str) {
    world.network.with_dynamodb(|table| {
        for mut item in table.typed_items().into_iter().filter(|item| item.contains_key("payload")) {
            let text = item["payload"]["S"].as_str().unwrap().replace(known, "unheard_of");
            item["payload"]["S"] = text.into();
            table.put(&Value::Object(item));
        }
    });
}

/// A provider's time, before the first arrival.
fn minutes_before(minutes: u32) -> Timestamp {
    let seconds = i64::try_from(Clock::EPOCH).unwrap() - i64::from(minutes) * 60;
    Timestamp::from_unix(seconds, 861_285_000).unwrap()
}

fn key(provider: Provider, session: &str) -> SessionKey {
    SessionKey { provider, session_id: SessionId::new(session).unwrap() }
}
