//! Queries are not isolated from transactions: one may miss an item of a transaction of which another read has seen a
//! part. Nothing may be skipped or overtaken for that.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use std::time::Duration;
use verdict_sessions::{Outcome, Provider, SessionId, SessionKey};
use verdict_simulation::{Call, Fault, Service, Webhook, World, simulate};

const SESSION: &str = "veriff/s";

async fn decide(world: &World, outcome: Outcome, attempt: &str) {
    let webhook = Webhook::decision(Provider::Veriff, "s", outcome, world.clock.now(), attempt);
    assert_eq!(world.deliver(&webhook).await.status(), 200);
    world.pass(Duration::from_secs(1)).await;
}

fn sequences(world: &World) -> Vec<u64> {
    world.published().iter().map(|event| event["data"]["sequence"].as_u64().unwrap()).collect()
}

#[test]
fn no_notification_overtakes_one_that_a_query_does_not_see_yet() {
    simulate(1, async |world| {
        world.network.fail(|call: &Call| (call.service == Service::Sqs).then_some(Fault::FailBefore));
        decide(&world, Outcome::Declined, "1").await;
        decide(&world, Outcome::Approved, "2").await;
        world.network.mend();
        world.pass(Duration::from_secs(15)).await;
        world.network.hide_from_queries(Some("NOTIFICATION#1"));
        world.run_relay().await.unwrap();
        assert_eq!(sequences(&world), [0; 0]);
        world.network.hide_from_queries(None);
        world.run_relay().await.unwrap();
        assert_eq!(sequences(&world), [1, 2]);
        // What is gone, since it was published, is waited for by nobody.
        decide(&world, Outcome::Declined, "3").await;
        assert_eq!(sequences(&world), [1, 2, 3]);
    });
}

#[test]
fn no_rebuild_leaves_out_an_event_that_a_query_does_not_see_yet() {
    simulate(1, async |world| {
        decide(&world, Outcome::Declined, "1").await;
        decide(&world, Outcome::Approved, "2").await;
        let before = world.record(SESSION);
        let latest = &before.session.as_ref().unwrap()["decision"]["rank"]["eventId"];
        world.network.hide_from_queries(Some(&format!("EVENT#{}", latest.as_str().unwrap())));
        let session_id = SessionId::new("s").unwrap();
        world.request_rebuild(SessionKey { provider: Provider::Veriff, session_id });
        // It takes all the time that it has, and a webhook behind it waits for no other run.
        world.network.fail(|call: &Call| (call.service == Service::DynamoDb).then_some(Fault::FailBefore));
        let behind = Webhook::decision(Provider::Wultra, "1001", Outcome::Approved, world.clock.now(), "");
        assert_eq!(world.deliver(&behind).await.header("x-verdict-outcome"), Some("spooled"));
        world.network.mend();
        assert_eq!(world.run_replay().await, 2);
        assert_eq!((world.record(SESSION), world.waiting().len()), (before.clone(), 1));
        world.network.hide_from_queries(None);
        assert!(world.settle().await);
        assert_eq!((world.record(SESSION), sequences(&world)), (before, vec![1, 2, 1]));
    });
}
