//! Waking the poller: however often and by whomever a session is named, one process at a time asks about it, nothing that
//! comes meanwhile is left unasked, and a message that gets lost or comes late changes nothing.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};
use tokio::time::sleep;
use verdict_pipeline::{ApiError, Environment, Poller, ProviderApi, Receiver, StartError, gateway::Response};
use verdict_sessions::{Outcome, Provider, SessionId, Stage};
use verdict_simulation::{Fault, Service, Sqs, Webhook, World, simulate};
use verdict_webhooks::incode::{Incode, SCORE_PATH, STATUS_PATH};

const SESSION: &str = "incode/1001";

/// How long a question takes, if nobody else asks.
const ANSWER: Duration = Duration::from_millis(100);

/// An API that counts. Clones are the same.
#[derive(Clone, Default)]
struct CountingIncode {
    asked: Rc<RefCell<Vec<String>>>,
    /// What it answers to questions for the score: its status, and that of its section `faceRecognition` if there is
    /// one. The last one stays.
    scores: Rc<RefCell<VecDeque<Result<&'static str, ApiError>>>>,
    /// How many wait for an answer, and the most that ever did.
    waiting: Rc<Cell<usize>>,
    most: Rc<Cell<usize>>,
}

impl CountingIncode {
    fn scoring(scores: impl IntoIterator<Item = Result<&'static str, ApiError>>) -> Self {
        Self { scores: Rc::new(RefCell::new(scores.into_iter().collect())), ..Self::default() }
    }

    fn questions_for(&self, path: &str) -> usize {
        self.asked.borrow().iter().filter(|asked| *asked == path).count()
    }
}

impl ProviderApi for CountingIncode {
    async fn get(&self, path: &str, _session: &SessionId) -> Result<Vec<u8>, ApiError> {
        self.asked.borrow_mut().push(path.to_owned());
        self.waiting.update(|waiting| waiting + 1);
        self.most.set(self.most.get().max(self.waiting.get()));
        sleep(ANSWER * u32::try_from(self.waiting.get()).unwrap()).await;
        self.waiting.update(|waiting| waiting - 1);
        if path == STATUS_PATH {
            return Ok(json!({"onboardingStatus": "ONBOARDING_FINISHED"}).to_string().into());
        }
        let mut scores = self.scores.borrow_mut();
        let score = if scores.len() > 1 { scores.pop_front().unwrap() } else { scores[0] };
        let (score, face) = score?.split_once(", face ").map_or((score?, None), |(score, face)| (score, Some(face)));
        let face = face.map(|face| json!({"overall": {"status": face}}));
        Ok(json!({"overall": {"status": score}, "faceRecognition": face}).to_string().into())
    }
}

/// The functions' environment in a world, whose wake-up queue is the quarantine's: nothing else goes there here.
fn environment(world: &World) -> Environment {
    world.environment(&[("WAKE_UP_QUEUE_URL", &Sqs::url("QuarantineQueue"))])
}

/// Credentials in a variable need no waiting.
fn at_once<T>(made: impl Future<Output = Result<T, StartError>>) -> T {
    made.now_or_never().unwrap().unwrap()
}

fn poller(world: &World, api: &CountingIncode) -> Poller<CountingIncode> {
    let api = api.clone();
    at_once(environment(world).poller(move |_access| Ok(api.clone())))
}

fn receiver(world: &World) -> Receiver<Incode> {
    at_once(environment(world).receiver(Incode::from_json))
}

/// A receiver whose webhooks' decisions the API has to confirm.
fn confirming_receiver(world: &World) -> Receiver<Incode> {
    let confirming = |json: &str| {
        let mut credentials: Value = serde_json::from_str(json).unwrap();
        credentials["confirmDecisions"] = json!(true);
        Incode::from_json(&credentials.to_string())
    };
    at_once(environment(world).receiver(confirming))
}

async fn deliver(world: &World, receiver: &Receiver<Incode>, webhook: &Webhook) -> Response {
    receiver.receive(world.request(webhook)).await
}

fn finished(world: &World) -> Webhook {
    Webhook::progress(Provider::Incode, "1001", Stage::Submitted, world.clock.now(), "flow")
}

fn in_review(world: &World) -> Webhook {
    Webhook::decision(Provider::Incode, "1001", Outcome::Review, world.clock.now(), "")
}

/// The session's place on the schedule.
fn place(world: &World) -> Option<Value> {
    let items = world.network.with_dynamodb(|table| table.items_of(&format!("SESSION#{SESSION}")));
    items.into_iter().find(|item| item["sk"] == "POLL").map(Value::Object)
}

/// What would wake the poller for the session now.
fn wake_up(world: &World) -> String {
    let due_at = place(world).unwrap()["dueAt"].clone();
    json!({"kind": "due", "provider": "incode", "sessionId": "1001", "dueAt": due_at}).to_string()
}

/// Hands messages to a poller. Says which of them stay on the queue, by position.
async fn hand(world: &World, poller: &Poller<CountingIncode>, bodies: &[String]) -> Vec<String> {
    let records: Vec<_> =
        bodies.iter().enumerate().map(|(n, body)| json!({"messageId": n.to_string(), "body": body})).collect();
    let batch = serde_json::from_value(json!({"Records": records})).unwrap();
    let answer = poller.take(batch, world.scheduled()).await;
    answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

async fn run(world: &World, poller: &Poller<CountingIncode>) {
    poller.run(world.scheduled()).await.unwrap();
}

fn outcome(world: &World) -> Value {
    world.record(SESSION).session.unwrap()["decision"]["value"]["outcome"].clone()
}

/// Runs a test that is not as long as a minute.
fn simulated(test: impl AsyncFnOnce(&World)) {
    simulate(1, async |world| test(&world).await);
}

#[test]
fn a_finished_session_is_decided_by_the_message_that_names_it() {
    simulated(async |world| {
        let api = CountingIncode::scoring([Ok("OK")]);
        assert_eq!(deliver(world, &receiver(world), &finished(world)).await.status(), 200);
        let [message] = world.quarantined().try_into().unwrap();
        assert_eq!(message.to_string(), wake_up_as_sent(world));
        assert_eq!(hand(world, &poller(world, &api), &[message.to_string()]).await, [""; 0]);
        assert_eq!((outcome(world), place(world)), (json!("approved"), None));
    });
}

/// As `wake_up`, with the time as it is written.
fn wake_up_as_sent(world: &World) -> String {
    let mut message: Value = serde_json::from_str(&wake_up(world)).unwrap();
    let due_at = verdict_sessions::Timestamp::parse(message["dueAt"].as_str().unwrap()).unwrap();
    message["dueAt"] = json!(due_at.to_string());
    message.to_string()
}

#[test]
fn a_wake_up_that_is_not_sent_in_time_or_at_all_holds_up_no_answer() {
    for (fault, most) in [(Fault::Stalled, 200), (Fault::FailBefore, 200), (Fault::CredentialsExpired, 0)] {
        simulated(async |world| {
            let receiver = receiver(world);
            world.network.fail(move |call| (call.service == Service::Sqs).then_some(fault));
            let began = world.clock.since_epoch();
            let answer = deliver(world, &receiver, &finished(world)).await;
            let took = world.clock.since_epoch().saturating_sub(began).as_millis();
            assert_eq!(answer.header("x-verdict-outcome"), Some("recorded"), "{fault:?}");
            assert!(took <= most, "{fault:?}: {took} ms");
            world.network.mend();
            assert_eq!(world.quarantined(), [json!(null); 0]);
            let api = CountingIncode::scoring([Ok("OK")]);
            run(world, &poller(world, &api)).await;
            assert_eq!(outcome(world), "approved");
        });
    }
}

#[test]
fn a_session_that_twenty_messages_and_a_run_name_at_once_is_asked_about_once() {
    simulated(async |world| {
        let api = CountingIncode::scoring([Ok("UNKNOWN")]);
        deliver(world, &receiver(world), &finished(world)).await;
        let messages: Vec<String> = (0..10).map(|_| wake_up(world)).collect();
        let pollers = [poller(world, &api), poller(world, &api), poller(world, &api)];
        tokio::join!(hand(world, &pollers[0], &messages), hand(world, &pollers[1], &messages), run(world, &pollers[2]),);
        assert_eq!((api.most.get(), api.asked.borrow().len()), (1, 2));
    });
}

#[test]
fn news_of_a_session_that_is_being_asked_about_have_it_asked_about_again_and_by_nobody_else() {
    simulated(async |world| {
        let api = CountingIncode::scoring([Ok("UNKNOWN"), Ok("OK")]);
        let (receiver, first, second) = (receiver(world), poller(world, &api), poller(world, &api));
        deliver(world, &receiver, &finished(world)).await;
        let messages = [wake_up(world)];
        let meanwhile = async {
            sleep(ANSWER / 2).await;
            deliver(world, &receiver, &in_review(world)).await;
            hand(world, &second, &[wake_up(world)]).await;
            run(world, &second).await;
        };
        tokio::join!(hand(world, &first, &messages), meanwhile);
        assert_eq!((api.most.get(), api.questions_for(STATUS_PATH)), (1, 2));
        assert_eq!((outcome(world), place(world)), (json!("approved"), None));
    });
}

#[test]
fn news_that_come_while_a_session_is_put_off_are_not_left_to_the_next_run() {
    // The last answer is recorded, and the entry about to be put off.
    simulated(async |world| {
        let api = CountingIncode::scoring([Ok("UNKNOWN")]);
        let (receiver, poller) = (receiver(world), poller(world, &api));
        deliver(world, &receiver, &finished(world)).await;
        let messages = [wake_up(world)];
        let meanwhile = async {
            while api.questions_for(SCORE_PATH) == 0 {
                sleep(Duration::from_millis(1)).await;
            }
            deliver(world, &receiver, &in_review(world)).await;
        };
        tokio::join!(hand(world, &poller, &messages), meanwhile);
        assert_eq!((api.most.get(), api.questions_for(STATUS_PATH)), (1, 2));
        let place = place(world).unwrap();
        assert_eq!(place.get("leasedUntil"), None);
        assert!(place["dueAt"].as_str().unwrap() > world.clock.now().sortable().as_str());
    });
}

#[test]
fn a_section_that_ends_as_it_did_once_before_counts_again() {
    simulated(async |world| {
        let api = CountingIncode::scoring([Ok("WARN, face OK"), Ok("WARN, face FAIL"), Ok("WARN, face OK")]);
        let poller = poller(world, &api);
        deliver(world, &receiver(world), &finished(world)).await;
        for expected in ["passed", "failed", "passed", "passed"] {
            run(world, &poller).await;
            let session = world.record(SESSION).session.unwrap();
            assert_eq!(session["checks"]["face"]["value"]["outcome"], expected);
            sleep(Duration::from_mins(10)).await;
        }
        let session = world.record(SESSION).session.unwrap();
        assert_eq!((&session["events"], &session["notifications"]), (&json!(4), &json!(1)));
    });
}

#[test]
fn a_message_of_before_finds_nothing_due() {
    simulated(async |world| {
        let api = CountingIncode::scoring([Ok("UNKNOWN")]);
        let poller = poller(world, &api);
        deliver(world, &receiver(world), &finished(world)).await;
        let message = wake_up(world);
        let unknown = message.replace("1001", "1002");
        hand(world, &poller, std::slice::from_ref(&message)).await;
        assert_eq!(hand(world, &poller, &[message, unknown]).await, [""; 0]);
        assert_eq!(api.asked.borrow().len(), 2);
        assert_eq!(world.records().keys().collect::<Vec<_>>(), [SESSION]);
    });
}

#[test]
fn a_process_that_dies_keeps_a_session_for_two_minutes() {
    simulated(async |world| {
        let api = CountingIncode::scoring([Ok("OK")]);
        let (receiver, dead, other) = (receiver(world), poller(world, &api), poller(world, &api));
        deliver(world, &receiver, &finished(world)).await;
        let messages = [wake_up(world)];
        tokio::select! {
            _ = hand(world, &dead, &messages) => {}
            () = sleep(ANSWER / 2) => {}
        }
        api.waiting.set(0);
        deliver(world, &receiver, &in_review(world)).await;
        hand(world, &other, &[wake_up(world)]).await;
        world.pass(Duration::from_secs(110)).await;
        run(world, &other).await;
        assert_eq!(api.asked.borrow().len(), 1);
        world.pass(Duration::from_secs(11)).await;
        run(world, &other).await;
        assert_eq!(outcome(world), "approved");
    });
}

#[test]
fn too_many_requests_silence_every_process_until_the_pause_is_over() {
    simulated(async |world| {
        let throttled = ApiError::TooManyRequests { retry_after: Some(Duration::from_secs(90)) };
        let api = CountingIncode::scoring([Err(throttled), Ok("OK")]);
        let (receiver, first, other) = (receiver(world), poller(world, &api), poller(world, &api));
        deliver(world, &receiver, &finished(world)).await;
        hand(world, &first, &[wake_up(world)]).await;
        let asked = api.asked.borrow().len();
        deliver(world, &receiver, &in_review(world)).await;
        assert_eq!(hand(world, &other, &[wake_up(world)]).await, [""; 0]);
        world.pass(Duration::from_secs(80)).await;
        run(world, &other).await;
        run(world, &first).await;
        assert_eq!(api.asked.borrow().len(), asked);
        world.pass(Duration::from_secs(15)).await;
        run(world, &other).await;
        assert_eq!(outcome(world), "approved");
    });
}

#[test]
fn a_shorter_pause_does_not_end_a_longer_one() {
    simulated(async |world| {
        let pause = |seconds| Err(ApiError::TooManyRequests { retry_after: Some(Duration::from_secs(seconds)) });
        let api = CountingIncode::scoring([pause(300), pause(1), Ok("OK")]);
        let (receiver, pollers) = (receiver(world), [poller(world, &api), poller(world, &api)]);
        deliver(world, &receiver, &finished(world)).await;
        let other = Webhook::progress(Provider::Incode, "1002", Stage::Submitted, world.clock.now(), "flow");
        deliver(world, &receiver, &other).await;
        // Both ask at the same time, and the shorter pause comes last.
        tokio::join!(run(world, &pollers[0]), run(world, &pollers[1]));
        assert_eq!(api.questions_for(SCORE_PATH), 2);
        world.pass(Duration::from_secs(200)).await;
        run(world, &pollers[1]).await;
        assert_eq!(api.questions_for(SCORE_PATH), 2);
    });
}

#[test]
fn a_refused_key_silences_the_process_that_has_it_alone() {
    simulated(async |world| {
        let (refused, right) =
            (CountingIncode::scoring([Err(ApiError::Forbidden)]), CountingIncode::scoring([Ok("OK")]));
        deliver(world, &receiver(world), &finished(world)).await;
        hand(world, &poller(world, &refused), &[wake_up(world)]).await;
        world.pass(Duration::from_secs(61)).await;
        run(world, &poller(world, &right)).await;
        assert_eq!(outcome(world), "approved");
    });
}

fn request(more: &Value) -> String {
    let mut request = json!({"kind": "poll", "interviewId": "1001"});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request.to_string()
}

#[test]
fn a_session_without_any_webhook_is_asked_about_on_request() {
    simulated(async |world| {
        let api = CountingIncode::scoring([Ok("OK")]);
        let asked = hand(world, &poller(world, &api), &[request(&json!({"reference": "customer-1"}))]).await;
        assert_eq!(asked, [""; 0]);
        let record = world.record(SESSION);
        let names: Vec<_> = record.events.values().map(|event| event["name"].clone()).collect();
        assert!(names.contains(&json!("poll.requested")), "{names:?}");
        assert_eq!(record.session.unwrap()["reference"]["value"], "customer-1");
        assert_eq!((outcome(world), place(world)), (json!("approved"), None));
        let rebuilt = world
            .preview_rebuild(vec![serde_json::from_value(json!({"provider": "incode", "sessionId": "1001"})).unwrap()])
            .await;
        assert_eq!(rebuilt["sessions"][0]["outcome"], "unchanged");
    });
}

#[test]
fn a_request_that_can_not_be_recorded_stays_on_the_queue_and_holds_up_no_other_message() {
    simulated(async |world| {
        let api = CountingIncode::scoring([Ok("OK")]);
        let poller = poller(world, &api);
        world.network.fail(|call| (call.operation == "TransactWriteItems").then_some(Fault::CredentialsExpired));
        let messages = [request(&json!({})), "{}".to_owned(), request(&json!({"interviewId": " "}))];
        assert_eq!(hand(world, &poller, &messages).await, ["0"]);
        assert_eq!((api.asked.borrow().len(), place(world)), (0, None));
        world.network.mend();
        assert_eq!(hand(world, &poller, &messages[..1]).await, [""; 0]);
        assert_eq!(outcome(world), "approved");
    });
}

#[test]
fn a_request_brings_forward_what_was_put_off_and_has_a_decided_session_asked_about_once() {
    simulated(async |world| {
        let api = CountingIncode::scoring([Ok("UNKNOWN"), Ok("OK"), Ok("FAIL")]);
        let poller = poller(world, &api);
        deliver(world, &receiver(world), &finished(world)).await;
        run(world, &poller).await;
        assert_eq!(place(world).unwrap()["pollTries"], 1);
        for decided in ["approved", "declined"] {
            hand(world, &poller, &[request(&json!({}))]).await;
            assert_eq!((outcome(world), place(world)), (json!(decided), None));
        }
        // The same request is the same event.
        assert_eq!(world.record(SESSION).events.len(), 4);
    });
}

#[test]
fn a_session_that_incode_does_not_know_is_given_up_after_three_days() {
    simulated(async |world| {
        let api = CountingIncode::scoring([Err(ApiError::Refused(404))]);
        let poller = poller(world, &api);
        hand(world, &poller, &[request(&json!({}))]).await;
        assert_eq!(place(world).unwrap()["pollReason"], "quiet");
        for _ in 0..71 {
            world.pass(Duration::from_hours(1)).await;
            run(world, &poller).await;
        }
        assert!(place(world).is_some());
        // The last pause is four hours at most.
        for _ in 0..6 {
            world.pass(Duration::from_hours(1)).await;
            run(world, &poller).await;
        }
        assert_eq!(place(world), None);
    });
}

fn succeeded(world: &World) -> Webhook {
    Webhook::decision(Provider::Incode, "1001", Outcome::Approved, world.clock.now(), "")
}

#[test]
fn what_has_to_be_confirmed_wakes_the_poller_and_the_score_decides() {
    simulated(async |world| {
        let api = CountingIncode::scoring([Ok("FAIL")]);
        deliver(world, &confirming_receiver(world), &succeeded(world)).await;
        assert_eq!((outcome(world), place(world).unwrap()["pollConfirms"].clone()), (json!(null), json!(true)));
        let [message] = world.quarantined().try_into().unwrap();
        assert_eq!(message.to_string(), wake_up_as_sent(world));
        hand(world, &poller(world, &api), &[message.to_string()]).await;
        assert_eq!((outcome(world), place(world)), (json!("declined"), None));
    });
}

#[test]
fn a_decision_that_stands_does_not_end_what_has_to_be_confirmed() {
    simulated(async |world| {
        let (receiver, api) = (confirming_receiver(world), CountingIncode::scoring([Ok("OK"), Ok("FAIL")]));
        deliver(world, &receiver, &finished(world)).await;
        hand(world, &poller(world, &api), &[wake_up(world)]).await;
        assert_eq!(outcome(world), "approved");
        world.pass(Duration::from_secs(1)).await;
        deliver(
            world,
            &receiver,
            &Webhook::decision(Provider::Incode, "1001", Outcome::Declined, world.clock.now(), ""),
        )
        .await;
        assert_eq!(outcome(world), "approved");
        hand(world, &poller(world, &api), &[wake_up(world)]).await;
        assert_eq!((outcome(world), place(world)), (json!("declined"), None));
    });
}

#[test]
fn what_comes_between_does_not_forget_what_has_to_be_confirmed() {
    simulated(async |world| {
        let (receiver, api) = (confirming_receiver(world), CountingIncode::scoring([Ok("UNKNOWN"), Ok("OK")]));
        deliver(world, &receiver, &succeeded(world)).await;
        hand(world, &poller(world, &api), &[wake_up(world)]).await;
        // A poll request, and news of a session that hasn't finished.
        hand(world, &poller(world, &api), &[json!({"kind": "poll", "interviewId": "1001"}).to_string()]).await;
        assert_eq!((api.questions_for(SCORE_PATH), outcome(world)), (2, json!("approved")));
    });
}

#[test]
fn a_copy_of_what_has_to_be_confirmed_is_asked_about_once_more_only_if_nobody_has_answered() {
    simulated(async |world| {
        let (receiver, api) = (confirming_receiver(world), CountingIncode::scoring([Ok("UNKNOWN"), Ok("OK")]));
        let webhook = succeeded(world);
        deliver(world, &receiver, &webhook).await;
        hand(world, &poller(world, &api), &[wake_up(world)]).await;
        let waiting = place(world);
        deliver(world, &receiver, &webhook).await;
        assert_eq!(place(world), waiting, "it is on the schedule");
        world.pass(Duration::from_secs(61)).await;
        run(world, &poller(world, &api)).await;
        assert_eq!((outcome(world), place(world)), (json!("approved"), None));
        deliver(world, &receiver, &webhook).await;
        assert_eq!(place(world), None, "it is answered");
        world.pass(Duration::from_mins(41)).await;
        deliver(world, &receiver, &webhook).await;
        assert_eq!(place(world).unwrap()["pollReason"], "recheck", "no retry comes so late");
    });
}
