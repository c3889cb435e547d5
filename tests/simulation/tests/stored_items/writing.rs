//! Today's code writes old items again with every member and value kept.

use super::{contents, lost_at, on_every_release, paths, place, session_of, with_items};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use verdict_pipeline::{Deadline, Payload, Recorded, Source};
use verdict_sessions::{EventId, RecordedEvent, SessionEvent, Subject};
use verdict_simulation::{
    World, simulate,
    stored::{Fixtures, Partition, lost},
};
use verdict_webhooks::Part;

const LIMIT: Duration = Duration::from_secs(5);

/// The event is counted, and nothing else changes.
#[test]
fn a_session_keeps_everything_when_an_event_is_folded_in() {
    on_every_release(|fixtures| {
        with_items(fixtures, async |world, partitions| {
            for partition in &partitions {
                let silent = silent(events(&world, partition).await.remove(0));
                assert_eq!(record(&world, &silent, "", "{}").await, Recorded::New { due: None });
            }
            let contents = contents(&world);
            let lost = partitions.iter().map(|partition| {
                let before = &partition.items["STATE"];
                let lost = lost(before, &contents[&place(before)]).into_iter();
                (&partition.name, lost.filter(|lost| !is_of_user_id_as_reference(before, lost)).collect::<Vec<_>>())
            });
            let wrong =
                lost.filter(|(_, lost)| paths(lost) != [".session.M.events.N", ".session.M.version.N", ".version.N"]);
            wrong.map(|(name, lost)| format!("table/{name}/STATE: {}", lost.join(", "))).collect()
        })
    });
}

/// Returns true for the loss of a reference that repeats Treezor's name for the user. Release 0.1 folded that in; since
/// then it stands in where it is shown or indexed.
fn is_of_user_id_as_reference(state: &Value, lost: &str) -> bool {
    let session = &state["session"]["M"];
    session["provider"]["S"] == "treezor"
        && session["reference"] == session["providerUserId"]
        && lost.starts_with(".session.M.reference.M.")
}

/// Written to an empty table, from what was read.
#[test]
fn an_event_and_its_payload_are_written_as_they_were() {
    on_every_release(|fixtures| {
        let read = read(fixtures);
        simulate(1, async |world| {
            for (partition, events) in &read {
                for RecordedEvent { event, evidence } in events {
                    let (path, text) = payload(partition, event);
                    let (source, part) =
                        (Source { path, evidence: evidence.as_ref(), trace: None }, Part::whole(text.to_owned()));
                    let (table, deadline) = (world.table(), Deadline::after(LIMIT));
                    table.record_part(event, source, &part, event.received_at, deadline).await.unwrap();
                }
            }
            let contents = contents(&world);
            let items = read.iter().flat_map(|(partition, _)| events_and_payloads(partition));
            items.flat_map(|(path, before)| lost_at(path, before, &contents[&place(before)])).collect()
        })
    });
}

/// Every session with its events, as they are read.
fn read(fixtures: &Fixtures) -> Vec<(Partition, Vec<RecordedEvent>)> {
    with_items(fixtures, async |world, partitions| {
        let mut read = Vec::new();
        for partition in partitions {
            let events = recorded(&world, &partition).await;
            read.push((partition, events));
        }
        read
    })
}

async fn events(world: &World, partition: &Partition) -> Vec<SessionEvent> {
    let recorded = recorded(world, partition).await;
    recorded.into_iter().map(|recorded| recorded.event).collect()
}

async fn recorded(world: &World, partition: &Partition) -> Vec<RecordedEvent> {
    world.table().events(&session_of(&partition.items["STATE"]), None).await.unwrap().unwrap().items
}

/// Another event of the same session, without any facts.
fn silent(event: SessionEvent) -> SessionEvent {
    SessionEvent {
        event_id: EventId::new("silent").unwrap(),
        attempt_id: None,
        stage: None,
        decision: None,
        checks: BTreeMap::new(),
        subject: Subject::default(),
        remark: None,
        detail: BTreeMap::new(),
        ..event
    }
}

/// Records an event as of its arrival.
async fn record(world: &World, event: &SessionEvent, source: &str, text: &str) -> Recorded {
    let payload = Payload { source, text };
    world.table().record(event, payload, event.received_at, Deadline::after(LIMIT)).await.unwrap()
}

/// The source and the text of an event's payload.
fn payload<'p>(partition: &'p Partition, event: &SessionEvent) -> (&'p str, &'p str) {
    let sk = format!("PAYLOAD#{}", event.event_id);
    let payload = partition.items.values().find(|item| item["sk"]["S"] == sk).unwrap();
    (payload["source"]["S"].as_str().unwrap(), payload["payload"]["S"].as_str().unwrap())
}

/// The event and payload items of a session, each with its path.
fn events_and_payloads(partition: &Partition) -> impl Iterator<Item = (String, &Value)> {
    let items = partition.items.iter().filter(|(name, _)| name.starts_with("EVENT-") || name.starts_with("PAYLOAD-"));
    items.map(|(name, item)| (format!("table/{}/{name}", partition.name), item))
}
