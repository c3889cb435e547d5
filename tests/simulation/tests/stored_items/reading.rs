//! Today's readers find in old items what the release that wrote them found there.

use super::{contents, is_newest, lost_at, on_every_release, on_every_session, paths, place, session_of, with_items};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use verdict_sessions::Outcome;
use verdict_simulation::{
    simulate,
    stored::{Fixtures, Partition, as_read, lost},
};

#[test]
fn a_session_and_its_events_read_as_when_they_were_written() {
    on_every_session(&async |world, partition| match as_read(world, &session_of(&partition.items["STATE"])).await {
        Ok(read) => lost(&partition.expected, &read),
        Err(error) => vec![error.to_string()],
    });
}

#[test]
fn a_session_is_found_by_its_reference() {
    on_every_session(&async |world, partition| {
        let state = &partition.items["STATE"];
        let Some(reference) = partition.expected["session"]["subject"]["reference"].as_str() else { return vec![] };
        match world.table().by_reference(reference, None).await {
            Ok(Some(page)) if page.items.iter().any(|session| session.key == session_of(state)) => vec![],
            other => vec![format!("not among the sessions of {reference}: {other:?}")],
        }
    });
}

/// The replay reads them, as for a rebuild. Today's readers may see more in an older release's payloads.
#[test]
fn every_payload_is_read_again() {
    on_every_release(|fixtures| {
        let outcomes: &[&str] =
            if is_newest(fixtures) { &["unchanged"] } else { &["unchanged", "changed", "indexed", "narrowed"] };
        with_items(fixtures, async |world, partitions| {
            let sessions = partitions.iter().map(|partition| session_of(&partition.items["STATE"])).collect();
            let answer = world.preview_rebuild(sessions).await;
            let reports = answer["sessions"].as_array().unwrap().iter().zip(&partitions);
            let wrong = reports.filter(|(report, _)| !outcomes.contains(&report["outcome"].as_str().unwrap()));
            wrong.map(|(report, partition)| format!("table/{}: {report}", partition.name)).collect()
        })
    });
}

/// The relay reads them all, and publishes them as the release that wrote them would have.
#[test]
fn every_outbox_entry_is_published_with_all_that_it_held() {
    on_every_release(|fixtures| {
        let before = messages(fixtures);
        with_items(fixtures, async |world, partitions| {
            world.run_relay().await.unwrap();
            let published = by_id(world.published());
            assert_eq!(published.keys().cloned().collect::<Vec<_>>(), outbox(&partitions));
            published.iter().flat_map(|(id, after)| lost_at(format!("decisions, {id}"), &before[id], after)).collect()
        })
    });
}

/// The poller takes every entry that is due. Incode doesn't know the sessions, so that all stay on the schedule.
#[test]
fn every_entry_of_the_poll_schedule_is_read_and_put_off() {
    on_every_release(|fixtures| {
        with_items(fixtures, async |world, partitions| {
            world.run_poller().await.unwrap();
            let contents = contents(&world);
            let polls = partitions.iter().filter_map(|partition| Some((&partition.name, partition.items.get("POLL")?)));
            let now = polls.map(|(name, before)| (name, before, contents.get(&place(before)).unwrap_or(&Value::Null)));
            let wrong = now.filter(|(_, before, after)| !is_put_off(before, after));
            wrong.map(|(name, before, after)| format!("table/{name}/POLL: {before} is now {after}")).collect()
        })
    });
}

/// Returns true if an entry was tried once more and has kept everything else. If a poller had it that crashed, it is let go.
fn is_put_off(before: &Value, after: &Value) -> bool {
    let tries = |item: &Value| item["pollTries"]["N"].as_str().and_then(|tries| tries.parse::<u32>().ok());
    let lost = lost(before, after);
    let lost = paths(&lost).into_iter().filter(|path| *path != ".leasedUntil.S");
    lost.eq([".dueAt.S", ".pollTries.N"])
        && after.get("leasedUntil").is_none()
        && tries(after) == tries(before).map(|tries| tries + 1)
}

/// The session that the message names is asked about, and so is one that a request names.
#[test]
fn a_message_that_wakes_the_poller_is_read() {
    on_every_release(|fixtures| {
        let messages = fixtures.files().filter(|(path, _)| path.starts_with("wake-up/"));
        let asked_about = messages.map(|(path, message)| {
            with_items(fixtures, async |world, _| {
                let session = "5f0c7a3e0000400080000003";
                world.fake_incode.close(session, Outcome::Approved);
                world.wake_poller(&[message.trim_end()]).await;
                let record = world.record(&format!("incode/{session}")).session.unwrap();
                let outcome = &record["decision"]["value"]["outcome"];
                if outcome == "approved" { Vec::new() } else { vec![format!("{path}: it is {outcome}")] }
            })
        });
        asked_about.flatten().collect()
    });
}

/// While it lasts, nothing is asked.
#[test]
fn a_pause_of_the_polls_is_kept() {
    on_every_release(|fixtures| {
        let Some(pause) = fixtures.file("polls/PAUSE.json") else { return Vec::new() };
        simulate(1, async |world| {
            let partitions = fixtures.partitions();
            let woken = partitions.iter().find(|partition| partition.name == "incode-woken").unwrap();
            world.network.with_dynamodb(|table| {
                woken.put(table);
                table.put(&serde_json::from_str(pause).unwrap());
            });
            world.pass(Duration::from_mins(10)).await;
            let before = contents(&world);
            world.run_poller().await.unwrap();
            let is_kept = contents(&world) == before;
            world.pass(Duration::from_mins(20)).await;
            world.run_poller().await.unwrap();
            let is_over = contents(&world) != before;
            if is_kept && is_over { Vec::new() } else { vec![format!("polls/PAUSE: kept {is_kept}, over {is_over}")] }
        })
    });
}

/// The messages of the decisions queue, by id.
fn messages(fixtures: &Fixtures) -> BTreeMap<String, Value> {
    let messages = fixtures.files().filter(|(path, _)| path.starts_with("decisions/"));
    by_id(messages.map(|(_, text)| serde_json::from_str(text).unwrap()).collect())
}

fn by_id(messages: Vec<Value>) -> BTreeMap<String, Value> {
    messages.into_iter().map(|message| (message["id"].as_str().unwrap().to_owned(), message)).collect()
}

/// The ids of the notifications in the outboxes, sorted.
fn outbox(partitions: &[Partition]) -> Vec<String> {
    let items = partitions.iter().flat_map(|partition| partition.items.values());
    let mut ids: Vec<String> = items
        .filter_map(|item| {
            let sequence = item["sk"]["S"].as_str()?.strip_prefix("NOTIFICATION#")?;
            Some(format!("{}/{sequence}", session_of(item)))
        })
        .collect();
    ids.sort();
    ids
}
