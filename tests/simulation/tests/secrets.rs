//! Credentials in Secrets Manager: they change while functions run, Secrets Manager goes away, and what it gives may be of no
//! use. A webhook is proved all the same, and a forger can't cause more than a few calls.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use serde_json::{Value, json};
use std::{rc::Rc, time::Duration};
use tokio::time::Instant;
use verdict_pipeline::{
    ApiError, Credentials, Deadline, Environment, Poller, ProviderApi, Receiver, StartError, cron::Invocation,
};
use verdict_sessions::{Outcome, Provider, SessionId};
use verdict_simulation::{Call, Fault, Service, Webhook, World, credentials, simulate};
use verdict_webhooks::{
    Delivery, WebhookSource,
    incode::{ApiAccess, Incode, TokenAnswer, TokenEndpoint},
    veriff::Veriff,
};

const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:verdict/veriff-AbCdEf";
const API_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:verdict/incode-api-AbCdEf";
const OTHER: &str = "0f3b6c1e-52d4-4a7b-9c60-7d1e8a2b4f95";

/// How long credentials count, if nothing else is configured.
const TTL: Duration = Duration::from_mins(5);

/// The longest that an answer waits for a fetch beside it.
const GRACE: Duration = Duration::from_millis(100);

/// A moment, beside which what a simulated call takes is nothing.
const MOMENT: Duration = Duration::from_millis(10);

/// The functions' environment in a world, with Veriff's credentials in a secret, no other's, and some variables changed.
fn environment(world: &World, changes: &[(&str, &str)]) -> Environment {
    let none = ["VERIFF", "INCODE", "TREEZOR", "WULTRA"].map(|provider| format!("{provider}_CREDENTIALS"));
    let by_secret = none.iter().map(|name| (&**name, "")).chain([("VERIFF_CREDENTIALS_ARN", ARN)]);
    world.environment(&by_secret.chain(changes.iter().copied()).collect::<Vec<_>>())
}

/// The secret that Veriff's webhooks are signed with here.
fn own() -> &'static str {
    credentials(Provider::Veriff)["secrets"][0].as_str().unwrap()
}

fn put(world: &World, secrets: &[&str]) {
    put_text(world, &json!({"secrets": secrets}).to_string());
}

fn put_text(world: &World, text: &str) {
    world.network.with_secrets_manager(|secrets| secrets.put(ARN, text));
}

async fn started(world: &World) -> Receiver<Veriff> {
    environment(world, &[]).receiver(Veriff::from_json).await.unwrap()
}

/// The calls of Secrets Manager so far.
fn calls(world: &World) -> usize {
    world.network.calls().iter().filter(|call| call.service == Service::SecretsManager).count()
}

/// From now on, each call of Secrets Manager goes wrong so.
fn lose_secrets_manager(world: &World, fault: Fault) {
    world.network.fail(move |call: &Call| (call.service == Service::SecretsManager).then_some(fault));
}

/// A webhook that is new each time, signed with a secret.
fn signed_with(world: &World, secret: &str) -> Webhook {
    let session = format!("s-{}", world.network.call_count());
    let webhook = Webhook::decision(Provider::Veriff, &session, Outcome::Approved, world.clock.now(), "1");
    webhook.proved_by(&json!({"secrets": [secret]}))
}

/// What becomes of a webhook, and how long its sender waits.
async fn deliver<P: WebhookSource>(world: &World, receiver: &Receiver<P>, webhook: &Webhook) -> (String, Duration) {
    let begun = Instant::now();
    let response = receiver.receive(world.request(webhook)).await;
    let outcome = response.header("x-verdict-outcome").unwrap().to_owned();
    let status = match &*outcome {
        "failed" => 503,
        "refused" => 401,
        _ => 200,
    };
    assert_eq!(response.status(), status, "{outcome}");
    (outcome, begun.elapsed())
}

async fn outcome(world: &World, receiver: &Receiver<Veriff>, secret: &str) -> String {
    deliver(world, receiver, &signed_with(world, secret)).await.0
}

#[test]
fn what_was_fetched_at_the_start_proves_webhooks_without_another_call() {
    simulate(1, async |world| {
        put(&world, &[own()]);
        let receiver = started(&world).await;
        for _ in 0..100 {
            assert_eq!(outcome(&world, &receiver, own()).await, "recorded");
        }
        assert_eq!(calls(&world), 1);
        let call = &world.network.calls()[0];
        assert_eq!((&*call.operation, &*call.region), ("GetSecretValue", "eu-central-1"), "the region of the ARN");
    });
}

#[test]
fn credentials_that_are_too_old_prove_one_more_webhook_and_are_fetched_beside_it() {
    simulate(2, async |world| {
        put(&world, &[own()]);
        let receiver = started(&world).await;
        put(&world, &[OTHER]);
        world.pass(TTL.checked_sub(MOMENT).unwrap()).await;
        assert_eq!((outcome(&world, &receiver, own()).await, calls(&world)), ("recorded".to_owned(), 1));
        world.pass(2 * MOMENT).await;
        assert_eq!((outcome(&world, &receiver, own()).await, calls(&world)), ("recorded".to_owned(), 2));
        // The removed one, and the new one, by what was fetched.
        assert_eq!(outcome(&world, &receiver, own()).await, "refused");
        assert_eq!(outcome(&world, &receiver, OTHER).await, "recorded");
    });
}

#[test]
fn a_process_that_was_idle_fetches_before_it_proves() {
    simulate(3, async |world| {
        put(&world, &[own()]);
        let receiver = started(&world).await;
        put(&world, &[OTHER]);
        world.pass(3 * TTL).await;
        assert_eq!(outcome(&world, &receiver, own()).await, "refused");
    });
}

#[test]
fn an_answer_waits_a_tenth_of_a_second_at_most_for_a_fetch() {
    simulate(4, async |world| {
        put(&world, &[own()]);
        let receiver = started(&world).await;
        lose_secrets_manager(&world, Fault::Stalled);
        world.pass(TTL + MOMENT).await;
        let (outcome, took) = deliver(&world, &receiver, &signed_with(&world, own())).await;
        assert_eq!(outcome, "recorded");
        assert!(took >= GRACE && took < GRACE + MOMENT, "{took:?}");
        // A process that was idle waits for it before, and then after.
        world.pass(2 * TTL).await;
        let (outcome, took) = deliver(&world, &receiver, &signed_with(&world, own())).await;
        assert_eq!(outcome, "recorded");
        assert!(took < 2 * GRACE + MOMENT, "{took:?}");
    });
}

/// Refusing takes no time. So the fetch must not begin anew with each webhook.
#[test]
fn a_fetch_that_takes_longer_than_a_webhook_goes_on_with_the_next_one() {
    simulate(5, async |world| {
        put(&world, &[own()]);
        let receiver = started(&world).await;
        put(&world, &[OTHER]);
        world.pass(TTL + MOMENT).await;
        world.network.take_time(Duration::from_millis(150)..Duration::from_millis(151));
        // The mismatch of the first one waits for the fetch that is under way.
        let forged = signed_with(&world, "a2b4f950-7d1e-4a7b-9c60-0f3b6c1e52d4");
        let probe = Webhook::probe(Provider::Veriff);
        let mut unsigned = forged.clone();
        unsigned.headers.clear();
        for webhook in [&unsigned, &unsigned, &unsigned] {
            let (outcome, took) = deliver(&world, &receiver, webhook).await;
            assert_eq!(outcome, "refused");
            assert!(took <= GRACE + MOMENT, "{took:?}");
        }
        assert_eq!(calls(&world), 2);
        assert_eq!(deliver(&world, &receiver, &probe.proved_by(&json!({"secrets": [OTHER]}))).await.0, "probe");
    });
}

#[test]
fn a_webhook_that_matches_nothing_is_compared_with_newer_credentials() {
    simulate(6, async |world| {
        put(&world, &[own()]);
        let receiver = started(&world).await;
        put(&world, &[OTHER]);
        assert_eq!(outcome(&world, &receiver, OTHER).await, "recorded");
        assert_eq!(outcome(&world, &receiver, own()).await, "refused");
        assert_eq!(calls(&world), 2);
        // Half a minute later, again.
        put(&world, &[own()]);
        world.pass(Duration::from_secs(29)).await;
        assert_eq!((outcome(&world, &receiver, own()).await, calls(&world)), ("refused".to_owned(), 2));
        world.pass(Duration::from_secs(1)).await;
        assert_eq!((outcome(&world, &receiver, own()).await, calls(&world)), ("recorded".to_owned(), 3));
    });
}

#[test]
fn only_a_mismatch_asks_for_newer_credentials() {
    simulate(7, async |world| {
        put(&world, &[own()]);
        let receiver = started(&world).await;
        let mut unsigned = signed_with(&world, own());
        unsigned.headers.clear();
        let malformed = Webhook { headers: vec![("x-hmac-signature".to_owned(), "00".to_owned())], ..unsigned.clone() };
        for webhook in [unsigned, malformed] {
            assert_eq!(deliver(&world, &receiver, &webhook).await.0, "refused");
        }
        assert_eq!(calls(&world), 1);
    });
}

#[test]
fn a_flood_of_forgeries_costs_two_calls_a_minute_whether_or_not_they_are_answered() {
    for fault in [None, Some(Fault::FailBefore), Some(Fault::Throttled), Some(Fault::Stalled)] {
        simulate(8, async |world| {
            put(&world, &[own()]);
            let receiver = started(&world).await;
            if let Some(fault) = fault {
                lose_secrets_manager(&world, fault);
            }
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_mins(12) {
                assert_eq!(outcome(&world, &receiver, OTHER).await, "refused");
                world.pass(Duration::from_millis(500)).await;
            }
            assert!(calls(&world) - 1 <= 24, "{fault:?}: {}", calls(&world));
            assert_eq!(outcome(&world, &receiver, own()).await, "recorded");
        });
    }
}

/// Texts of a secret that can't be used.
fn unusable() -> Vec<String> {
    let canary = "canary-5b1e";
    let mut texts = vec![
        String::new(),
        " \n".to_owned(),
        canary.to_owned(),
        format!(r#"{{"secrets":["{canary}"]}}"#),
        r#"{"secrets":[]}"#.to_owned(),
        json!({"basic": [{"username": canary, "password": OTHER}]}).to_string(),
    ];
    let guessable = ["0123456789abcdef", "CHANGE-ME-change-me-CHANGE-ME", "passwordpassword"];
    texts.extend(guessable.map(|weak| json!({"secrets": [OTHER, weak]}).to_string()));
    texts
}

#[test]
fn a_new_version_that_cannot_be_used_leaves_the_old_one_in_force() {
    for text in unusable() {
        simulate(9, async |world| {
            put(&world, &[own()]);
            let receiver = started(&world).await;
            put_text(&world, &text);
            for _ in 0..3 {
                world.pass(TTL + MOMENT).await;
                assert_eq!(outcome(&world, &receiver, own()).await, "recorded", "{text}");
                assert_eq!(outcome(&world, &receiver, OTHER).await, "refused", "{text}");
            }
            // A function that starts now holds the version before.
            let fresh = started(&world).await;
            assert_eq!(outcome(&world, &fresh, own()).await, "recorded", "{text}");
            // Mended.
            put(&world, &[OTHER]);
            world.pass(TTL + MOMENT).await;
            outcome(&world, &fresh, own()).await;
            assert_eq!(outcome(&world, &fresh, OTHER).await, "recorded", "{text}");
        });
    }
}

#[test]
fn a_function_does_not_start_if_neither_version_can_be_used_and_says_why() {
    for text in unusable() {
        simulate(10, async |world| {
            put_text(&world, &text);
            let alone = environment(&world, &[]).receiver(Veriff::from_json).await.unwrap_err().to_string();
            put_text(&world, &text);
            let both = environment(&world, &[]).receiver(Veriff::from_json).await.unwrap_err().to_string();
            assert!(alone.contains("there is none") && !both.contains("there is none"), "{alone} {both}");
            for error in [alone, both] {
                assert!(error.contains("VERIFF_CREDENTIALS_ARN") && error.contains("AWSCURRENT"), "{error}");
                assert!(!error.contains("canary") && !error.contains(OTHER) && !error.contains("0123"), "{error}");
            }
        });
    }
}

#[test]
fn a_binary_secret_and_the_local_stacks_are_no_credentials() {
    simulate(11, async |world| {
        world.network.with_secrets_manager(|secrets| secrets.put_binary(ARN));
        let error = environment(&world, &[]).receiver(Veriff::from_json).await.unwrap_err().to_string();
        assert!(error.contains("SecretString"), "{error}");
        put(&world, &[own()]);
        let elsewhere = [("AWS_ENDPOINT_URL", "https://example.com"), ("VERIFF_CREDENTIALS_ARN", ARN)];
        let error = environment(&world, &elsewhere).receiver(Veriff::from_json).await.unwrap_err().to_string();
        assert!(error.contains("local stack"), "{error}");
        assert!(environment(&world, &[]).receiver(Veriff::from_json).await.is_ok());
    });
}

/// Ways in which Secrets Manager gives nothing.
#[derive(Clone, Copy, Debug)]
enum Away {
    Fault(Fault),
    Deleted,
}

const AWAY: [Away; 7] = [
    Away::Fault(Fault::FailBefore),
    Away::Fault(Fault::Throttled),
    Away::Fault(Fault::Stalled),
    Away::Fault(Fault::CutMidBody),
    Away::Fault(Fault::ServerError),
    Away::Fault(Fault::CredentialsExpired),
    Away::Deleted,
];

impl Away {
    fn begin(self, world: &World) {
        match self {
            Self::Fault(fault) => lose_secrets_manager(world, fault),
            Self::Deleted => world.network.with_secrets_manager(|secrets| secrets.delete(ARN, true)),
        }
    }

    fn end(world: &World) {
        world.network.mend();
        world.network.with_secrets_manager(|secrets| secrets.delete(ARN, false));
    }
}

#[test]
fn a_running_function_goes_on_however_long_secrets_manager_is_away() {
    for away in AWAY {
        simulate(12, async |world| {
            put(&world, &[own()]);
            let receiver = started(&world).await;
            put(&world, &[OTHER]);
            away.begin(&world);
            for _ in 0..20 {
                world.pass(TTL).await;
                assert_eq!(outcome(&world, &receiver, own()).await, "recorded", "{away:?}");
            }
            Away::end(&world);
            world.pass(TTL).await;
            outcome(&world, &receiver, own()).await;
            assert_eq!(outcome(&world, &receiver, OTHER).await, "recorded", "{away:?}");
        });
    }
}

#[test]
fn a_function_that_starts_meanwhile_answers_as_if_a_store_had_failed_until_there_are_credentials() {
    for away in AWAY {
        simulate(13, async |world| {
            put(&world, &[own()]);
            away.begin(&world);
            let begun = Instant::now();
            let receiver = started(&world).await;
            assert!(begun.elapsed() <= Duration::from_millis(1501), "{away:?}: {:?}", begun.elapsed());
            for _ in 0..3 {
                let before = calls(&world);
                let (outcome, took) = deliver(&world, &receiver, &signed_with(&world, own())).await;
                assert_eq!(outcome, "failed", "{away:?}");
                assert!(took <= Duration::from_millis(2001), "{away:?}: {took:?}");
                assert!((1..=9).contains(&(calls(&world) - before)), "{away:?}: {}", calls(&world) - before);
            }
            Away::end(&world);
            assert_eq!(outcome(&world, &receiver, own()).await, "recorded", "{away:?}");
        });
    }
}

#[test]
fn a_webhook_is_proved_with_the_first_credentials_that_come_within_its_time() {
    simulate(14, async |world| {
        put(&world, &[own()]);
        lose_secrets_manager(&world, Fault::FailBefore);
        let receiver = started(&world).await;
        let mend = async {
            world.pass(Duration::from_secs(1)).await;
            world.network.mend();
        };
        let webhook = signed_with(&world, own());
        let ((outcome, took), ()) = tokio::join!(deliver(&world, &receiver, &webhook), mend);
        assert_eq!(outcome, "recorded");
        assert!(took < Duration::from_millis(1300), "{took:?}");
    });
}

#[test]
fn variables_that_say_nothing_sure_end_the_start_and_say_what_to_do() {
    simulate(15, async |world| {
        put(&world, &[own()]);
        let json = json!({"secrets": [OTHER]}).to_string();
        let (none, bad) =
            (("VERIFF_CREDENTIALS_ARN", ""), ("VERIFF_CREDENTIALS_ARN", "arn:aws:ssm:eu-west-1:1:parameter/x"));
        for (changes, words) in [
            (vec![("VERIFF_CREDENTIALS", &*json)], vec!["VERIFF_CREDENTIALS and VERIFF_CREDENTIALS_ARN", "both set"]),
            (vec![none], vec!["VERIFF_CREDENTIALS is not set", "VERIFF_CREDENTIALS_ARN"]),
            (vec![bad], vec!["VERIFF_CREDENTIALS_ARN must be the ARN of a secret, such as arn:aws:secretsmanager:"]),
            (vec![("SECRET_TTL_SECONDS", "4")], vec!["SECRET_TTL_SECONDS", "from 5 to 3600"]),
            (vec![("SECRET_TTL_SECONDS", "3601")], vec!["SECRET_TTL_SECONDS"]),
            (vec![("SECRET_TTL_SECONDS", "1e2")], vec!["SECRET_TTL_SECONDS"]),
        ] {
            let error = environment(&world, &changes).receiver(Veriff::from_json).await.unwrap_err().to_string();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
            assert!(!error.contains(OTHER), "{error}");
        }
        let [variable, short] = [vec![none, ("VERIFF_CREDENTIALS", &*json)], vec![("SECRET_TTL_SECONDS", "5")]]
            .map(|it| environment(&world, &it));
        let before = calls(&world);
        let receiver = variable.receiver(Veriff::from_json).await.unwrap();
        world.pass(3 * TTL).await;
        assert_eq!((outcome(&world, &receiver, own()).await, calls(&world)), ("refused".to_owned(), before));
        let receiver = short.receiver(Veriff::from_json).await.unwrap();
        world.pass(Duration::from_secs(6)).await;
        outcome(&world, &receiver, own()).await;
        assert_eq!(calls(&world), before + 2);
    });
}

fn incodes(world: &World, changes: &[(&'static str, &str)]) -> Environment {
    let changes: Vec<_> = [("INCODE_CREDENTIALS_ARN", ARN)].into_iter().chain(changes.iter().copied()).collect();
    environment(world, &changes)
}

/// Incode's credentials without access to the API.
fn proofs_alone() -> Value {
    let mut proofs = credentials(Provider::Incode).clone();
    let members = proofs.as_object_mut().unwrap();
    members.remove("api");
    members.remove("confirmDecisions");
    proofs
}

#[test]
fn incodes_receiver_learns_from_a_variable_that_there_is_access_to_the_api() {
    for (changes, remark) in
        [(vec![("INCODE_API", "true")], true), (vec![], false), (vec![("INCODE_API", "false")], false)]
    {
        simulate(16, async |world| {
            put_text(&world, &proofs_alone().to_string());
            let receiver = incodes(&world, &changes).receiver(Incode::from_json).await.unwrap();
            let webhook = Webhook::decision(Provider::Incode, "1001", Outcome::Approved, world.clock.now(), "flow");
            assert_eq!(deliver(&world, &receiver, &webhook).await.0, "recorded");
            let events = world.record("incode/1001").events;
            let text = json!(events).to_string();
            assert_eq!(text.contains("unconfirmed:decision"), remark, "{changes:?}: {text}");
            assert_eq!(world.is_poll_due(), remark, "{changes:?}");
        });
    }
}

#[test]
fn incodes_receiver_refuses_access_to_the_api_in_its_own_secret() {
    simulate(17, async |world| {
        put_text(&world, &credentials(Provider::Incode).to_string());
        let error = incodes(&world, &[]).receiver(Incode::from_json).await.unwrap_err().to_string();
        assert!(error.contains("put it into a secret of its own"), "{error}");
        put_text(&world, &proofs_alone().to_string());
        let error =
            incodes(&world, &[("INCODE_API", "yes")]).receiver(Incode::from_json).await.unwrap_err().to_string();
        assert!(error.contains("INCODE_API must be true or false"), "{error}");
    });
}

#[test]
fn the_token_endpoint_knows_a_new_client_as_soon_as_it_asks() {
    simulate(18, async |world| {
        let oauth = |id: &str| json!({"oauth": {"clients": [{"id": id, "secret": OTHER}], "signingKeys": [OTHER]}});
        put_text(&world, &oauth("first").to_string());
        let endpoint: Credentials<TokenEndpoint> =
            incodes(&world, &[]).credentials(Provider::Incode, TokenEndpoint::from_json).await.unwrap();
        put_text(&world, &oauth("second").to_string());
        let asked = async |client: &str| {
            let login = base64(&format!("{client}:{OTHER}"));
            let headers = [("authorization", format!("Basic {login}")), ("content-type", FORM.to_owned())];
            let delivery = Delivery::new("POST", "/incode/oauth/token", headers.into_iter().collect(), GRANT.into());
            let (now, deadline) = (world.clock.now(), Deadline::after(Duration::from_millis(3800)));
            let answer = |endpoint: &TokenEndpoint, delivery| endpoint.answer(delivery, now);
            let answered = endpoint.attempt(delivery, deadline, answer, TokenAnswer::is_mismatch).await.unwrap();
            answered.status
        };
        assert_eq!((asked("first").await, calls(&world)), (200, 1));
        assert_eq!((asked("second").await, calls(&world)), (200, 2));
        assert_eq!((asked("first").await, calls(&world)), (401, 2));
    });
}

const FORM: &str = "application/x-www-form-urlencoded";
const GRANT: &str = "grant_type=client_credentials";

fn base64(text: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(text)
}

/// An API that lets in one user.
struct PickyIncode {
    email: String,
}

impl ProviderApi for PickyIncode {
    async fn get(&self, _path: &str, _session: &SessionId) -> Result<Vec<u8>, ApiError> {
        match &*self.email {
            "right@example.com" => Ok(json!({"onboardingStatus": "ONBOARDING_FINISHED", "overall": {"status": "OK"}})
                .to_string()
                .into_bytes()),
            _ => Err(ApiError::Unauthorised),
        }
    }
}

async fn poller(world: &World) -> Result<Poller<PickyIncode>, StartError> {
    let connect = |access: &ApiAccess| Ok(PickyIncode { email: access.email().to_owned() });
    environment(world, &[("INCODE_API_CREDENTIALS_ARN", API_ARN)]).poller(connect).await
}

fn put_api(world: &World, email: &str) {
    let mut access = json!({"api": credentials(Provider::Incode)["api"]});
    access["api"]["email"] = json!(email);
    world.network.with_secrets_manager(|secrets| secrets.put(API_ARN, &access.to_string()));
}

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(45))
}

fn invocation(world: &World) -> Invocation {
    Invocation { now: world.clock.now(), deadline: deadline(), trace: None }
}

#[test]
fn without_credentials_the_pollers_run_fails_and_messages_stay_on_their_queue() {
    simulate(19, async |world| {
        put_api(&world, "right@example.com");
        lose_secrets_manager(&world, Fault::FailBefore);
        let poller = poller(&world).await.unwrap();
        let error = poller.run(invocation(&world)).await.unwrap_err().to_string();
        assert!(error.contains("INCODE_API_CREDENTIALS_ARN") && error.contains("unreachable"), "{error}");
        assert!(poller.check(deadline()).await.is_err(), "the doctor would be told that it started");
        let batch = || {
            let request = json!({"kind": "poll", "interviewId": "1001"}).to_string();
            serde_json::from_value(json!({"Records": [
                {"messageId": "m", "body": request}, {"messageId": "n", "body": request},
            ]}))
        };
        let kept = poller.take(batch().unwrap(), invocation(&world)).await;
        let kept: Vec<_> = kept.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        assert_eq!(kept, ["m", "n"]);
        world.network.mend();
        poller.check(deadline()).await.unwrap();
        let kept = poller.take(batch().unwrap(), invocation(&world)).await;
        assert!(kept.batch_item_failures.is_empty());
        assert!(world.record("incode/1001").session.is_some(), "it was asked about");
    });
}

#[test]
fn the_poller_takes_newer_access_as_soon_as_the_api_refuses_what_it_has() {
    simulate(20, async |world| {
        put_api(&world, "wrong@example.com");
        let poller = Rc::new(poller(&world).await.unwrap());
        let ask = async || {
            let request = json!({"kind": "poll", "interviewId": "1001"}).to_string();
            let batch = serde_json::from_value(json!({"Records": [{"messageId": "m", "body": request}]})).unwrap();
            poller.take(batch, invocation(&world)).await;
        };
        let is_decided = || json!(world.record("incode/1001").session).to_string().contains("approved");
        ask().await;
        put_api(&world, "right@example.com");
        assert!(!is_decided());
        world.pass(Duration::from_secs(1)).await;
        ask().await;
        assert!(is_decided(), "without the pause that follows a refusal");
    });
}

#[test]
fn a_poller_is_told_if_there_is_no_access_and_does_not_start_if_it_is_told_nothing() {
    simulate(22, async |world| {
        let connect = |access: &ApiAccess| Ok(PickyIncode { email: access.email().to_owned() });
        let poller = environment(&world, &[("INCODE_API", "false")]).poller(connect).await.unwrap();
        poller.run(invocation(&world)).await.unwrap();
        let Err(error) = environment(&world, &[]).poller(connect).await else { panic!("it starts") };
        assert!(error.to_string().contains("INCODE_API_CREDENTIALS_ARN"), "{error}");
        assert_eq!(calls(&world), 0);
    });
}

#[test]
fn the_poller_reads_the_access_alone() {
    simulate(21, async |world| {
        for text in [json!({}), credentials(Provider::Incode).clone(), credentials(Provider::Incode)["api"].clone()] {
            world.network.with_secrets_manager(|secrets| secrets.put(API_ARN, &text.to_string()));
            let Err(error) = poller(&world).await else { panic!("{text}") };
            assert!(error.to_string().contains("INCODE_API_CREDENTIALS_ARN"), "{error}");
        }
    });
}
