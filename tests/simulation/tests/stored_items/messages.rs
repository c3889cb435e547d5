//! Messages that outlast a deployment: those that an earlier release left on intake and in quarantine.

use super::{LATER, Problems, contents, is_newest, key, lost_at, on_every_release, paths, with_items};
use serde_json::{Value, json};
use verdict_pipeline::IntakeMessage;
use verdict_simulation::{
    World, simulate,
    stored::{Fixtures, as_read, lost},
};

#[test]
fn a_webhook_on_intake_is_recorded_as_what_it_was() {
    on_every_release(|fixtures| {
        let mut problems = Vec::new();
        for (name, files) in fixtures.folders("intake") {
            let Some(Value::Object(expected)) = files.get("expected") else { continue };
            simulate(1, async |world| {
                replay(&world, fixtures.file(&format!("intake/{name}/message.json")).unwrap()).await;
                assert_eq!(world.records().len(), expected.len(), "{name}: {:?}", world.quarantined());
                for (session, expected) in expected {
                    let read = as_read(&world, &key(session)).await.unwrap();
                    let lost = lost(expected, &read).into_iter();
                    let lost = lost.filter(|lost| is_newest(fixtures) || !is_read_anew(session, lost));
                    problems.extend(lost.map(|lost| format!("intake/{name}, {session}: {lost}")));
                }
            });
        }
        problems
    });
}

/// Returns true for a loss at a member that a later release may read otherwise: it reads more, or shows another time.
/// Treezor's ids are of another sort since 0.1.
fn is_read_anew(session: &str, lost: &str) -> bool {
    const MEMBERS: [&str; 5] = ["stage", "status", "reference", "decidedAt", "detail"];
    let place = paths(&[lost.to_owned()])[0].to_owned();
    let is_at = |member: &str| place.ends_with(&format!(".{member}"));
    MEMBERS.into_iter().any(is_at) || session.starts_with("treezor/") && is_at("eventId")
}

/// A webhook that a provider sends again after a deployment changes nothing: its events have the ids that are stored.
#[test]
fn a_webhook_that_is_recorded_is_a_copy() {
    on_every_release(|fixtures| {
        with_items(fixtures, async |world, _| {
            let before = contents(&world);
            for (path, message) in under("copies/", fixtures) {
                replay(&world, message).await;
                assert_eq!(world.quarantined(), [""; 0], "{path}");
            }
            let after = contents(&world);
            // A copy may bring the next poll forward.
            let items = after.iter().filter(|((_, sk), _)| sk != "POLL");
            let wrong = items.filter(|(place, item)| before.get(*place) != Some(*item));
            wrong.map(|((pk, sk), _)| format!("table: {pk}, {sk} is written again")).collect()
        })
    });
}

/// A redrive sends messages from quarantine back to intake. One that still can't be read returns with all its members.
#[test]
fn a_webhook_in_quarantine_can_be_tried_again() {
    on_every_release(|fixtures| {
        let messages = under("quarantine/", fixtures);
        messages.flat_map(|(path, text)| tried_again(path, text, is_newest(fixtures))).collect()
    });
}

#[test]
fn a_rebuild_request_is_carried_out() {
    on_every_release(|fixtures| {
        with_items(fixtures, async |world, _| {
            let before = world.records();
            replay(&world, fixtures.file("intake/rebuild/message.json").unwrap()).await;
            assert!(!is_newest(fixtures) || world.records() == before);
            Vec::new()
        })
    });
}

#[test]
fn a_resend_request_is_carried_out() {
    on_every_release(|fixtures| {
        let Some(request) = fixtures.file("intake/resend/message.json") else { return Vec::new() };
        with_items(fixtures, async |world, _| {
            let before = world.records();
            replay(&world, request).await;
            assert!(!is_newest(fixtures) || world.records() == before);
            assert_eq!(resent(&world).len(), 1);
            Vec::new()
        })
    });
}

/// Also beside the latest resend, as the release left it. What today's code told is the same to the byte.
#[test]
fn what_was_told_can_be_sent_again() {
    on_every_release(|fixtures| {
        let told: Vec<_> = under("decisions/", fixtures).map(|(_, text)| text.trim_end()).collect();
        with_items(fixtures, async |world, _| {
            world.pass(LATER).await;
            assert!(world.settle().await, "an outbox is not emptied");
            let mut problems = Vec::new();
            for (session, record) in world.records() {
                let before = resent(&world).len();
                world.request_resend(key(&session), 0, None);
                assert_eq!(world.run_replay().await, 1);
                let again = &resent(&world)[before..];
                if again.len() != record.told.len() {
                    problems.push(format!("{session}: {} of {} are sent again", again.len(), record.told.len()));
                }
                let is_other = |body: &&String| is_newest(fixtures) && !told.contains(&body.as_str());
                problems.extend(again.iter().filter(is_other).map(|body| format!("{session}: never told: {body}")));
            }
            problems
        })
    });
}

#[test]
fn a_message_is_written_again_as_it_was() {
    on_every_release(|fixtures| {
        let on_intake = fixtures.files().filter(|(path, _)| path.ends_with("/message.json"));
        let messages = on_intake.chain(under("copies/", fixtures)).chain(under("quarantine/", fixtures));
        messages
            .flat_map(|(path, text)| match IntakeMessage::read(text) {
                Ok(message) => lost_at(path, &json(text), &json!(message)),
                Err(error) => vec![format!("{path}: {error}")],
            })
            .collect()
    });
}

/// Replays a message from quarantine. An older release's message may be readable by now, or be refused for another
/// reason.
fn tried_again(path: &str, text: &str, is_newest: bool) -> Problems {
    simulate(1, async |world| {
        replay(&world, text).await;
        match &world.quarantined()[..] {
            [after] => {
                let mut before = json(text);
                before.as_object_mut().unwrap().retain(|name, _| is_newest || name != "reason" && name != "message");
                lost_at(path, &before, after)
            }
            _ if !is_newest && !world.records().is_empty() => Vec::new(),
            other => vec![format!("{path}: quarantine holds {other:?}")],
        }
    })
}

/// The files of a folder.
fn under<'f>(folder: &'static str, fixtures: &'f Fixtures) -> impl Iterator<Item = (&'f str, &'f str)> {
    fixtures.files().filter(move |(path, _)| path.starts_with(folder))
}

/// The bodies of the messages that were sent again.
fn resent(world: &World) -> Vec<String> {
    let accepted = world.network.with_sqs(|sqs| sqs.accepted("DecisionsQueue"));
    let resent = accepted.into_iter().filter(|message| message.attributes.contains_key("resent"));
    resent.map(|message| message.body).collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Puts a message on intake, later than its webhook arrived, and lets the replay take it.
async fn replay(world: &World, message: &str) {
    world.pass(LATER).await;
    world.put_on_intake(message.trim_end());
    assert_eq!(world.run_replay().await, 1);
    assert!(world.waiting().is_empty(), "the replay leaves it on intake: {message}");
}
