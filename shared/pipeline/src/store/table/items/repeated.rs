//! Members of a record that its item holds twice. A later release may leave the second out, so that the record of an
//! ordinary session stays under 1 KB, which is what DynamoDB bills as one write unit; this one reads such items, and
//! writes all members, since the release before needs them.
//!
//! | may be left out of `session` | is then |
//! |---|---|
//! | `provider`, `sessionId` | what `pk` names |
//! | `version` | the item's `version` |
//! | `statusSince` | the time in `standingAt`, if the item has that |
//! | a `rank` | the rank before it, in the order `decision`, `providerUserId`, `reference`, checks by name |

use super::{Item, PartitionKey, string};
use aws_sdk_dynamodb::types::AttributeValue;

/// The values that have a rank, beside the checks, in the order in which one has the rank of the one before.
const RANKED: [&str; 3] = ["decision", "providerUserId", "reference"];

const RANK: &str = "rank";

/// Puts back what was left out of a session's item.
pub(super) fn put_back(item: &mut Item) {
    let key = string(item, "pk").map(PartitionKey::stored).and_then(|key| key.session());
    let since = string(item, "standingAt").and_then(|place| place.split_once('#')).map(|(since, _)| since.to_owned());
    let members = [
        ("provider", key.as_ref().map(|key| AttributeValue::S(key.provider.to_string()))),
        ("sessionId", key.as_ref().map(|key| AttributeValue::S(key.session_id.to_string()))),
        ("version", item.get("version").cloned()),
        ("statusSince", since.map(AttributeValue::S)),
    ];
    let Some(AttributeValue::M(session)) = item.get_mut("session") else { return };
    for (name, value) in members {
        if let Some(value) = value {
            session.entry(name.to_owned()).or_insert(value);
        }
    }
    put_ranks_back(session);
}

fn put_ranks_back(session: &mut Item) {
    let mut ranked = ranked(session);
    if ranked.iter().all(|value| value.contains_key(RANK)) {
        return;
    }
    let mut before: Option<AttributeValue> = None;
    for value in &mut ranked {
        match (value.get(RANK), &before) {
            (Some(rank), _) => before = Some(rank.clone()),
            (None, Some(rank)) => _ = value.insert(RANK.to_owned(), rank.clone()),
            (None, None) => {}
        }
    }
}

/// The members of a record that have a rank, in their order.
fn ranked(session: &mut Item) -> Vec<&mut Item> {
    let (mut values, mut checks) = (Vec::new(), Vec::new());
    for (name, member) in session {
        let AttributeValue::M(members) = member else { continue };
        if name == "checks" {
            checks.extend(members);
        } else if let Some(place) = RANKED.iter().position(|ranked| ranked == name) {
            values.push((place, members));
        }
    }
    values.sort_by_key(|(place, _)| *place);
    checks.sort_by_key(|(name, _)| *name);
    let checks = checks.into_iter().filter_map(|(_, check)| match check {
        AttributeValue::M(check) => Some(check),
        _ => None,
    });
    values.into_iter().map(|(_, value)| value).chain(checks).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Session, read_session, session as item_of, tests::largest},
        *,
    };
    use serde_json::Value;
    use std::{fs, path::Path};
    use verdict_sessions::SequenceBase;

    const STORED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/stored");

    /// An item as a later release may write it.
    fn without_repeated(mut item: Item) -> Item {
        let has_place = item.contains_key("standingAt");
        let Some(AttributeValue::M(session)) = item.get_mut("session") else { unreachable!("{item:?}") };
        for name in ["provider", "sessionId", "version"] {
            session.remove(name).unwrap();
        }
        if has_place {
            session.remove("statusSince").unwrap();
        }
        let mut before = None;
        for value in ranked(session) {
            let rank = value.remove(RANK);
            if rank != before {
                value.insert(RANK.to_owned(), rank.clone().unwrap());
                before = rank;
            }
        }
        item
    }

    /// Every record of the fixtures, as releases have stored it.
    fn stored() -> Vec<Item> {
        let releases = fs::read_dir(STORED).unwrap().map(|entry| entry.unwrap().path().join("table"));
        let sessions = releases.filter(|table| table.exists()).flat_map(|table| fs::read_dir(table).unwrap());
        let files = sessions.map(|session| session.unwrap().path().join("STATE.json"));
        files.map(|file| item_in(&file)).collect()
    }

    fn item_in(file: &Path) -> Item {
        let item: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
    }

    /// A value of DynamoDB's own JSON.
    fn attribute(typed: &Value) -> AttributeValue {
        let (kind, value) = typed.as_object().unwrap().iter().next().unwrap();
        let text = || value.as_str().unwrap().to_owned();
        match kind.as_str() {
            "S" => AttributeValue::S(text()),
            "N" => AttributeValue::N(text()),
            "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
            "NULL" => AttributeValue::Null(true),
            "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
            "M" => AttributeValue::M(
                value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect(),
            ),
            other => unreachable!("{other}"),
        }
    }

    #[test]
    fn a_record_without_what_its_item_repeats_reads_as_the_same_record() {
        let items = stored();
        assert!(items.len() > 80, "{}", items.len());
        for item in items {
            let whole = read_session(item.clone()).unwrap();
            let read = read_session(without_repeated(item)).unwrap();
            assert_eq!(read, whole);
        }
    }

    #[test]
    fn a_rank_that_is_left_out_is_that_of_the_value_before_it() {
        let mut session = Session::apply(None, &largest(1), SequenceBase::default()).session;
        for number in 2..5 {
            let mut event = largest(number);
            event.decision = None;
            session = Session::apply(Some(&session), &event, SequenceBase::default()).session;
        }
        let item = item_of(&PartitionKey::of(&session.key), &session).unwrap();
        let short = without_repeated(item.clone());
        let ranks = |mut item: Item| {
            let AttributeValue::M(session) = item.get_mut("session").unwrap() else { unreachable!() };
            ranked(session).into_iter().map(|value| value.contains_key(RANK)).collect::<Vec<_>>()
        };
        // The decision is the first event's, who the person is the last one's, and each event has a check of its own.
        assert_eq!(ranks(item), [true; 7]);
        assert_eq!(ranks(short.clone()), [true, true, false, true, true, true, true]);
        assert_eq!(read_session(short).unwrap(), session);
    }

    #[test]
    fn a_record_without_any_rank_is_unreadable() {
        let session = Session::apply(None, &largest(1), SequenceBase::default()).session;
        let mut item = item_of(&PartitionKey::of(&session.key), &session).unwrap();
        let AttributeValue::M(members) = item.get_mut("session").unwrap() else { unreachable!() };
        for value in ranked(members) {
            value.remove(RANK);
        }
        assert!(read_session(item).is_err());
    }
}
