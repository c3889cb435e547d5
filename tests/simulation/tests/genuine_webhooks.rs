//! What the simulation sends is what the functions read: every kind of webhook of every provider.

use verdict_sessions::{Outcome, Provider, Stage};
use verdict_simulation::{DynamoDb, Fault, Webhook, World, simulate};

async fn delivered(world: &World, webhook: &Webhook) -> (i64, String) {
    let response = world.deliver(webhook).await;
    (response.status(), response.header("x-verdict-outcome").unwrap_or_default().to_owned())
}

#[test]
fn every_outcome_of_every_provider_is_recorded_and_published_once() {
    for provider in Provider::ALL {
        for outcome in Webhook::outcomes(provider) {
            simulate(1, async |world| {
                let webhook = Webhook::decision(provider, "1001", *outcome, world.clock.now(), "attempt-1");
                assert_eq!(delivered(&world, &webhook).await, (200, "recorded".into()), "{provider} {outcome:?}");
                assert_eq!(delivered(&world, &webhook).await, (200, "duplicate".into()), "{provider} {outcome:?}");
                let record = world.record(&webhook.claims[0].session);
                let session = record.session.unwrap();
                assert_eq!(session["decision"]["value"]["outcome"], outcome.as_str());
                assert_eq!(session["events"], 1);
                assert_eq!((record.events.len(), record.payloads.len(), record.outbox.len()), (1, 1, 0));
                let published = world.published();
                assert_eq!(published.len(), 1);
                assert_eq!(published[0]["data"]["outcome"], outcome.as_str());
            });
        }
    }
}

/// The SDK's three tries all lose their answer, so that the next one finds the event there: its own, and to be published
/// by nobody else for a minute.
#[test]
fn what_was_recorded_and_not_confirmed_is_published_at_once() {
    simulate(1, async |world| {
        let webhook = Webhook::decision(Provider::Veriff, "1001", Outcome::Approved, world.clock.now(), "attempt-1");
        let mut left = 3;
        world.network.fail(move |call| {
            let is_lost = call.operation == "TransactWriteItems" && left > 0;
            left -= usize::from(is_lost);
            is_lost.then_some(Fault::AnswerLost)
        });
        assert_eq!(delivered(&world, &webhook).await, (200, "recorded".into()));
        assert_eq!((world.network.recordings().len(), world.published().len()), (1, 1));
    });
}

#[test]
fn progress_moves_the_stage_and_notifies_nobody() {
    for provider in Provider::ALL {
        simulate(1, async |world| {
            let webhook = Webhook::progress(provider, "1001", Stage::Submitted, world.clock.now(), "attempt-1");
            assert_eq!(delivered(&world, &webhook).await, (200, "recorded".into()), "{provider}");
            let session = world.record(&webhook.claims[0].session).session.unwrap();
            // At Wultra, it is a check, which shows that the person has started.
            let stage = if provider == Provider::Wultra { "started" } else { "submitted" };
            assert_eq!(session["attempts"][0]["stage"], stage, "{provider}");
            assert!(world.published().is_empty());
        });
    }
}

#[test]
fn a_webhook_of_several_users_decides_each() {
    simulate(1, async |world| {
        let webhook = Webhook::decisions_of_users(&["1001", "1002"], Outcome::Declined, world.clock.now());
        assert_eq!(delivered(&world, &webhook).await, (200, "recorded".into()));
        let sessions: Vec<_> = world.published().iter().map(|event| event["data"]["sessionId"].clone()).collect();
        assert_eq!(sessions, ["user:1001", "user:1002"]);
    });
}

#[test]
fn what_is_unreadable_goes_to_quarantine() {
    for provider in Provider::ALL {
        simulate(1, async |world| {
            let fate = delivered(&world, &Webhook::unreadable(provider)).await;
            assert_eq!(fate, (200, "quarantined".into()), "{provider}");
            assert_eq!(world.quarantined().len(), 1);
            assert!(world.records().is_empty());
        });
    }
}

/// A slash too many makes no other fact of it: the path is stored without.
#[test]
fn a_slash_too_many_changes_nothing() {
    for provider in Provider::ALL {
        simulate(1, async |world| {
            let webhook = Webhook::decision(provider, "1001", Outcome::Approved, world.clock.now(), "attempt-1");
            let slashed = Webhook { path: format!("/{}//", webhook.path), ..webhook.clone() };
            assert_eq!(delivered(&world, &slashed).await, (200, "recorded".into()), "{provider}");
            assert_eq!(delivered(&world, &webhook).await, (200, "duplicate".into()), "{provider}");
            let items = world.network.with_dynamodb(DynamoDb::items);
            let sources: Vec<_> = items.iter().filter_map(|item| item.get("source")?.as_str()).collect();
            assert_eq!(sources, [&webhook.path]);
        });
    }
}

#[test]
fn a_path_that_is_none_is_not_found_whatever_is_sent_there() {
    for provider in Provider::ALL {
        simulate(1, async |world| {
            let webhook = Webhook::decision(provider, "1001", Outcome::Approved, world.clock.now(), "attempt-1");
            let astray = Webhook { path: format!("{}/x", webhook.path), ..webhook };
            let response = world.deliver(&astray).await;
            let body = match provider {
                Provider::Wultra => r#"{"errorCode":"ERROR_GENERIC","message":"Not Found"}"#,
                _ => r#"{"message":"Not Found"}"#,
            };
            assert_eq!((response.status(), response.body()), (404, body), "{provider}");
            assert_eq!(response.header("x-verdict-outcome"), Some("refused"));
            assert!(world.network.calls().is_empty(), "{provider}");
        });
    }
}

/// A probe asks for a proof and for nothing behind it: it gets through while table and queues are away, too.
#[test]
fn a_probe_is_answered_and_calls_nobody() {
    for provider in Provider::ALL {
        simulate(1, async |world| {
            world.network.fail(|_| Some(Fault::ServerError));
            let response = world.deliver(&Webhook::probe(provider)).await;
            let body = if provider == Provider::Incode { r#"{"success": true}"# } else { "{}" };
            assert_eq!((response.status(), response.body()), (200, body), "{provider}");
            assert_eq!(response.header("x-verdict-outcome"), Some("probe"));
            assert_eq!(response.header("x-verdict-session"), None);
            assert!(world.network.calls().is_empty(), "{provider}");
        });
    }
}
