//! Sessions that release 0.1 misread, rebuilt by today's code: what comes of them, and what is told.
//!
//! A rebuild tells of another outcome, another attempt, or a reason taken back. What was only added is recorded.

use super::{session_of, shown, with_items};
use serde_json::{Value, json};
use std::{collections::BTreeSet, io::Write as _};
use verdict_simulation::{
    World,
    stored::{Fixtures, MISREAD, Partition, as_read},
};

/// A session's name, what its record shows by now at some places, and whether that is told.
type Expected = (&'static str, Vec<(&'static str, Value)>, bool);

fn expected() -> Vec<Expected> {
    let outcome = |outcome: &str| vec![("/decision/outcome", json!(outcome))];
    let status = |status: &str| vec![("/status", json!(status))];
    vec![
        ("incode-captured", status("started"), false),
        ("incode-captured-after-a-result", vec![("/checks/authentication/outcome", json!("failed"))], false),
        (
            "incode-other-spelling",
            vec![("/status", json!("submitted")), ("/subject/reference", json!("customer-1"))],
            false,
        ),
        ("treezor-code-in-the-message", vec![("/decision/reasonCodes", json!(["STALLED_TIMEOUT"]))], false),
        ("treezor-document-created-late", vec![("/checks/document:88/outcome", json!("passed"))], false),
        ("treezor-liveness-for-several-reasons", vec![("/decision/reasonCodes", json!(["1312", "2401"]))], false),
        // Refused: the decision would be gone.
        ("treezor-liveness-without-score", outcome("declined"), false),
        ("treezor-no-own-reference", vec![("/subject/reference", json!("6461924"))], false),
        ("treezor-own-reference", vec![("/subject/reference", json!("customer-1"))], false),
        ("treezor-review-with-blank-times", outcome("declined"), true),
        ("veriff-declined", vec![("/decision/reasonCodes", json!(["102"]))], false),
        ("veriff-full-auto-null", vec![("/decision", Value::Null)], false),
        ("veriff-full-auto-word", outcome("approved"), true),
        ("veriff-time-in-milliseconds", outcome("declined"), true),
        ("veriff-time-with-a-space", outcome("declined"), true),
        ("veriff-two-decisions-of-one-time", outcome("declined"), true),
        ("veriff-two-decisions-of-one-time-again", outcome("declined"), true),
        ("veriff-two-decisions-of-one-time-once-more", outcome("declined"), false),
        ("veriff-with-risk-labels", vec![("/decision/reasonCode", json!("106"))], false),
        ("wultra-begun", status("started"), false),
        ("wultra-codes-in-the-reason", vec![("/checks/document:d-1/reasonCodes", json!(["W001", "I002"]))], false),
    ]
}

fn fixtures() -> Fixtures {
    Fixtures::of(&format!("{MISREAD}/0.1"))
}

/// What a rebuild made of a session.
struct Rebuilt {
    before: Value,
    after: Value,
    told: Vec<Value>,
    /// Whether the rebuild left the record as it was, since it would have no decision any more.
    is_refused: bool,
}

async fn rebuilt(world: &World, partition: &Partition) -> Rebuilt {
    let session = session_of(&partition.items["STATE"]);
    let report = world.preview_rebuild(vec![session.clone()]).await["sessions"][0].take();
    let told_before = world.published().len();
    let before = as_read(world, &session).await.unwrap()["session"].take();
    world.request_rebuild(session.clone());
    assert_eq!(world.run_replay().await, 1);
    let after = as_read(world, &session).await.unwrap()["session"].take();
    let told = world.published().split_off(told_before);
    Rebuilt { before, after, told, is_refused: report["outcome"] == "refused" }
}

impl Rebuilt {
    fn codes(session: &Value) -> BTreeSet<&str> {
        session["decision"]["reasonCodes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether a consumer has to hear of it.
    fn is_to_be_told(&self) -> bool {
        let decided = |session: &Value| ["outcome", "attemptId"].map(|member| session["decision"][member].clone());
        decided(&self.before) != decided(&self.after) || !Self::codes(&self.before).is_subset(&Self::codes(&self.after))
    }

    fn problems(&self, name: &str) -> Vec<String> {
        let mut problems = Vec::new();
        if self.told.len() != usize::from(self.is_to_be_told()) {
            problems.push(format!("{name}: {} messages for {} after {}", self.told.len(), self.after, self.before));
        }
        for message in &self.told {
            let data = &message["data"];
            let told = ["outcome", "reasonCodes", "detail", "decidedAt"].map(|member| &data[member]);
            let shown = ["outcome", "reasonCodes", "detail", "decidedAt"].map(|member| &self.after["decision"][member]);
            if told != shown || data["correction"] != true || data["sequence"] != self.after["notifications"] {
                problems.push(format!("{name}: {data} for {}", self.after));
            }
        }
        // It has its place in the lists by status then, and is otherwise as it was.
        let mut before = self.before.clone();
        before["statusSince"] = self.after["statusSince"].clone();
        if self.is_refused && (before != self.after || before["statusSince"].is_null()) {
            problems.push(format!("{name}: refused, and yet {} is {} now", self.before, self.after));
        }
        problems
    }
}

#[test]
fn what_was_misread_comes_right_by_a_rebuild_and_is_told_if_a_consumer_would_act_on_it() {
    let expected = expected();
    let (mut problems, mut changed, mut told, mut refused) = (Vec::new(), 0, 0, 0);
    with_items(&fixtures(), async |world, partitions| {
        let names: Vec<&str> = partitions.iter().map(|partition| partition.name.as_str()).collect();
        assert_eq!(names, expected.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
        for (partition, (name, shows, is_told)) in partitions.iter().zip(&expected) {
            let rebuilt = rebuilt(&world, partition).await;
            problems.extend(rebuilt.problems(name));
            let wrong = shows.iter().filter(|(place, value)| rebuilt.after.pointer(place) != Some(value));
            problems.extend(wrong.map(|(place, value)| format!("{name}: {place} isn't {value}: {}", rebuilt.after)));
            if rebuilt.told.len() != usize::from(*is_told) {
                problems.push(format!("{name}: told {} times", rebuilt.told.len()));
            }
            changed += usize::from(rebuilt.before != rebuilt.after);
            told += rebuilt.told.len();
            refused += usize::from(rebuilt.is_refused);
        }
        let counts = format!("{} sessions, {changed} changed, {told} told, {refused} refused", names.len());
        writeln!(std::io::stderr(), "rebuilt: {counts}").unwrap();
    });
    assert!(problems.is_empty(), "{}", shown(&problems));
}

#[test]
fn a_second_rebuild_changes_nothing() {
    with_items(&fixtures(), async |world, partitions| {
        for partition in &partitions {
            rebuilt(&world, partition).await;
            let again = rebuilt(&world, partition).await;
            assert_eq!((again.before, again.told), (again.after, vec![]), "{}", partition.name);
        }
    });
}

/// The items are changed to what a reader would have written that takes another member for the code.
#[test]
fn a_reason_that_is_taken_back_is_told() {
    with_items(&fixtures(), async |world, partitions| {
        let partition = partitions.iter().find(|partition| partition.name == "veriff-declined").unwrap();
        for item in partition.items.values().filter(|item| item.get("payload").is_none()) {
            let misread = item.to_string().replace(r#""reasonCode":{"S":"102"}"#, r#""reasonCode":{"S":"9102"}"#);
            world.network.with_dynamodb(|table| table.put(&serde_json::from_str(&misread).unwrap()));
        }
        let rebuilt = rebuilt(&world, partition).await;
        assert_eq!(rebuilt.problems("veriff-declined"), [""; 0]);
        assert_eq!((rebuilt.told.len(), &rebuilt.before["decision"]["reasonCode"]), (1, &json!("9102")));
        assert_eq!(rebuilt.told[0]["data"]["reasonCodes"], json!(["102"]));
    });
}

/// What 0.1 read less of is no other fact under the same id.
#[test]
fn a_copy_of_what_was_misread_does_not_count_as_another_fact() {
    with_items(&fixtures(), async |world, partitions| {
        for partition in &partitions {
            let recorded = world.table().events(&session_of(&partition.items["STATE"]), None).await.unwrap().unwrap();
            rebuilt(&world, partition).await;
            let read = world.table().events(&session_of(&partition.items["STATE"]), None).await.unwrap().unwrap();
            for (first, copy) in recorded.items.iter().zip(&read.items) {
                assert!(!copy.event.contradicts(&first.event), "{}: {copy:?}", partition.name);
            }
        }
    });
}
