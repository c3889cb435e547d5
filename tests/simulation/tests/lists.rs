//! Lists by status: they page through exactly the right sessions, each once, while webhooks move others about.

#![expect(clippy::unwrap_used, reason = "what can't be has failed the test")]

use serde_json::{Value, json};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    env, iter,
    time::Duration,
};
use verdict_pipeline::{ByStatus, Deadline, Page, Payload, SessionsTable};
use verdict_sessions::{
    Check, CheckOutcome, Decision, EventId, Kind, Outcome, Provider, Session, SessionEvent, SessionId, SessionKey,
    Stage, Status, Subject, Timestamp,
};
use verdict_simulation::{Call, DynamoDb, Fault, World, simulate};

/// The sessions of the large lists, unless `LISTED_SESSIONS` says more, as in `make contract`.
const SESSIONS: usize = 1500;

const PAGE: usize = 50;

fn sessions_of_large_lists() -> usize {
    env::var("LISTED_SESSIONS").map_or(SESSIONS, |sessions| sessions.parse().unwrap())
}

/// What an event brings a session to, and the status and the outcome that it then has.
type Step = (Option<Stage>, Option<Outcome>, Status);

const STEPS: [Step; 10] = [
    (Some(Stage::New), None, Status::New),
    (Some(Stage::Started), None, Status::Started),
    (Some(Stage::Submitted), None, Status::Submitted),
    (None, Some(Outcome::Review), Status::InReview),
    (None, Some(Outcome::ResubmissionRequested), Status::AwaitingResubmission),
    (None, Some(Outcome::Approved), Status::Decided),
    (None, Some(Outcome::Declined), Status::Decided),
    (None, Some(Outcome::Expired), Status::Decided),
    (None, Some(Outcome::Abandoned), Status::Decided),
    (None, Some(Outcome::Failed), Status::Decided),
];

fn key(number: usize) -> SessionKey {
    let provider = Provider::ALL[number % Provider::ALL.len()];
    SessionKey { provider, session_id: SessionId::new(format!("s-{number}")).unwrap() }
}

fn event(session: SessionKey, id: &str, (stage, outcome, _): Step, at: Timestamp) -> SessionEvent {
    SessionEvent {
        event_id: EventId::new(id).unwrap(),
        session,
        kind: Kind::Verification,
        name: "any".to_owned(),
        attempt_id: None,
        occurred_at: None,
        emitted_at: None,
        received_at: at,
        stage,
        decision: outcome.map(Decision::new),
        checks: BTreeMap::new(),
        subject: Subject { reference: Some("everybody".to_owned()), provider_user_id: None },
        remark: None,
        remarks: Vec::new(),
        undated: false,
        detail: BTreeMap::new(),
    }
}

async fn record(table: &SessionsTable, event: &SessionEvent) {
    let payload = Payload { source: "/any", text: "{}" };
    table.record(event, payload, event.received_at, Deadline::after(Duration::from_mins(1))).await.unwrap();
}

fn list(status: Status) -> ByStatus {
    ByStatus { status, provider: None, outcome: None, since: None, until: None }
}

/// The pages of a list, from the first to the last.
async fn pages(table: &SessionsTable, list: ByStatus) -> Vec<Page<Session>> {
    let mut pages: Vec<Page<Session>> = Vec::new();
    loop {
        let cursor = pages.last().and_then(|page| page.next.clone());
        if cursor.is_none() && !pages.is_empty() {
            return pages;
        }
        pages.push(table.by_status(list, cursor.as_deref()).await.unwrap().unwrap());
    }
}

fn names<'p>(pages: impl IntoIterator<Item = &'p Page<Session>>) -> Vec<String> {
    pages.into_iter().flat_map(|page| &page.items).map(|session| session.key.to_string()).collect()
}

/// What the sessions are, by a rule of its own: by number, the time at which they entered their status, and that.
#[derive(Default)]
struct Model(BTreeMap<usize, (Timestamp, Step)>);

impl Model {
    /// The sessions of a list, newest first.
    fn listed(&self, list: ByStatus) -> Vec<usize> {
        let mut listed: Vec<_> = self
            .0
            .iter()
            .filter(|(number, (since, (_, outcome, status)))| {
                *status == list.status
                    && list.outcome.is_none_or(|wanted| *outcome == Some(wanted))
                    && list.provider.is_none_or(|provider| key(**number).provider == provider)
                    && list.since.is_none_or(|earliest| earliest <= *since)
                    && list.until.is_none_or(|end| *since < end)
            })
            .map(|(number, (since, _))| (*since, *number))
            .collect();
        listed.sort_unstable_by_key(|(since, _)| std::cmp::Reverse(*since));
        listed.into_iter().map(|(_, number)| number).collect()
    }
}

/// Every status alone, and with each of the filters.
fn lists(model: &Model) -> Vec<ByStatus> {
    let since = |number: usize| model.0[&number].0;
    let (early, late) = (since(model.0.len() / 4), since(model.0.len() * 3 / 4));
    let decided = list(Status::Decided);
    let outcomes = Outcome::ALL.map(|outcome| ByStatus { outcome: Some(outcome), ..decided });
    let providers = Provider::ALL.map(|provider| ByStatus { provider: Some(provider), ..list(Status::InReview) });
    let both = ByStatus { provider: Some(Provider::Wultra), outcome: Some(Outcome::Declined), ..decided };
    let spans = [(Some(early), None), (None, Some(late)), (Some(early), Some(late))];
    let spans = spans.map(|(since, until)| ByStatus { since, until, ..decided });
    Status::ALL.map(list).into_iter().chain(outcomes).chain(providers).chain([both]).chain(spans).collect()
}

/// Sessions of every status, each a moment after the one before.
async fn fill(world: &World, sessions: usize) -> Model {
    let table = world.table();
    let mut model = Model::default();
    for number in 0..sessions {
        world.pass(Duration::from_millis(1)).await;
        let at = world.clock.now();
        // By turns of 7: the providers go by 4, so that each has sessions of every step.
        let step = STEPS[number / 7 % STEPS.len()];
        record(&table, &event(key(number), "first", step, at)).await;
        model.0.insert(number, (at, step));
    }
    model
}

#[test]
fn a_list_has_exactly_its_sessions_on_full_pages_while_others_move() {
    let sessions = sessions_of_large_lists();
    simulate(1, async |world| {
        let model = fill(&world, sessions).await;
        let moved = Cell::new(0);
        for list in lists(&model) {
            read_while_others_move(&world, &model, list, sessions, &moved).await;
        }
        assert!(moved.get() > 100, "{} moved", moved.get());
    });
}

/// Every tenth session moves. The others stand still.
async fn read_while_others_move(world: &World, model: &Model, list: ByStatus, sessions: usize, moved: &Cell<usize>) {
    let table = world.table();
    world.network.take_time(Duration::from_millis(1)..Duration::from_millis(20));
    let is_over = Cell::new(false);
    let reading = async {
        let pages = pages(&table, list).await;
        is_over.set(true);
        pages
    };
    let moving = async {
        let table = world.table();
        while !is_over.get() {
            let number = fastrand::usize(..sessions / 10) * 10;
            let (step, at) = (STEPS[fastrand::usize(..STEPS.len())], world.clock.now());
            moved.set(moved.get() + 1);
            record(&table, &event(key(number), &format!("moved {}", moved.get()), step, at)).await;
        }
    };
    let (pages, ()) = futures_util::join!(reading, moving);
    world.network.take_time(Duration::ZERO..Duration::ZERO);
    let still = |name: &&String| !name.ends_with('0');
    let names = names(&pages);
    let stood_still: Vec<_> = names.iter().filter(still).cloned().collect();
    let expected: Vec<_> = model.listed(list).into_iter().map(|number| key(number).to_string()).collect();
    let expected: Vec<_> = expected.iter().filter(still).cloned().collect();
    assert_eq!(stood_still, expected, "{list:?}");
    let (rest, full) = pages.split_last().unwrap();
    assert!(full.iter().all(|page| page.items.len() == PAGE), "{list:?}");
    assert!(rest.items.len() <= PAGE);
    for session in pages.iter().flat_map(|page| &page.items) {
        assert_eq!(session.status(), list.status, "{list:?}");
        assert!(list.outcome.is_none_or(|outcome| session.standing_outcome() == Some(outcome)), "{list:?}");
    }
}

#[test]
fn a_session_that_has_moved_on_since_the_index_was_read_is_not_listed() {
    simulate(1, async |world| {
        let (table, model) = (world.table(), fill(&world, 70).await);
        let in_review = model.listed(list(Status::InReview));
        assert_eq!(in_review.len(), 7);
        let before: Vec<Value> = in_review.iter().map(|number| state(&world, *number)).collect();
        for number in &in_review {
            record(&table, &event(key(*number), "moved", STEPS[5], world.clock.now())).await;
        }
        let after: Vec<Value> = in_review.iter().map(|number| state(&world, *number)).collect();
        // The index still has them in review, and the records no longer do.
        put(&world, &before);
        let moving = async {
            let is_done = |call: &&Call| call.operation == "Query" && call.is_applied;
            while world.network.calls().iter().filter(is_done).count() < 8 {
                tokio::task::yield_now().await;
            }
            put(&world, &after);
        };
        let (in_review, ()) = futures_util::join!(pages(&table, list(Status::InReview)), moving);
        assert_eq!(names(&in_review), [""; 0]);
        let approved = pages(&table, ByStatus { outcome: Some(Outcome::Approved), ..list(Status::Decided) }).await;
        assert_eq!(names(&approved).len(), 14);
    });
}

/// A session's item, with DynamoDB's types.
fn state(world: &World, number: usize) -> Value {
    let pk = format!("SESSION#{}", key(number));
    let items = world.network.with_dynamodb(DynamoDb::typed_items);
    items.into_iter().find(|item| item["pk"]["S"] == pk && item["sk"]["S"] == "STATE").unwrap().into()
}

fn put(world: &World, items: &[Value]) {
    world.network.with_dynamodb(|table| items.iter().for_each(|item| table.put(item)));
}

#[test]
fn a_page_ends_when_its_time_is_over_and_nothing_is_lost() {
    simulate(1, async |world| {
        let (table, model) = (world.table(), fill(&world, 600).await);
        // A query takes longer than a quarter of the time that a page has, and few of its entries are of the list.
        world.network.take_time(Duration::from_millis(300)..Duration::from_millis(301));
        let rare =
            ByStatus { provider: Some(Provider::Wultra), outcome: Some(Outcome::Failed), ..list(Status::Decided) };
        let pages = pages(&table, rare).await;
        let expected: Vec<_> = model.listed(rare).into_iter().map(|number| key(number).to_string()).collect();
        assert!(!expected.is_empty());
        assert_eq!(names(&pages), expected);
    });
}

/// A record whose JSON doubles when it is put into an answer.
fn large(number: usize, at: Timestamp) -> SessionEvent {
    let check = Check { reason: Some("\"".repeat(1024)), ..Check::new(CheckOutcome::Failed) };
    let checks = (0..64).map(|number| (format!("document:{number}"), check.clone())).collect();
    SessionEvent { checks, ..event(key(number), "first", STEPS[3], at) }
}

#[test]
fn a_page_ends_before_its_answer_is_too_large_and_nothing_is_lost() {
    simulate(1, async |world| {
        let table = world.table();
        for number in 0..PAGE {
            world.pass(Duration::from_millis(1)).await;
            record(&table, &large(number, world.clock.now())).await;
        }
        let all: BTreeSet<_> = (0..PAGE).map(|number| key(number).to_string()).collect();
        let by_status = pages(&table, list(Status::InReview)).await;
        let mut by_reference = vec![table.by_reference("everybody", None).await.unwrap().unwrap()];
        while let Some(next) = by_reference.last().unwrap().next.clone() {
            by_reference.push(table.by_reference("everybody", Some(&next)).await.unwrap().unwrap());
        }
        for pages in [by_status, by_reference] {
            let names = names(&pages);
            assert_eq!((names.len(), names.into_iter().collect::<BTreeSet<_>>()), (PAGE, all.clone()));
            let sizes: Vec<usize> = pages.iter().map(size).collect();
            assert!(sizes.iter().all(|size| *size < 5_100_000), "{sizes:?}");
            assert!(sizes.iter().rev().skip(1).all(|size| *size > 4_500_000), "{sizes:?}");
            assert!(sizes.len() > 1);
        }
    });
}

/// The size of a page in the answer of a function, which is a text within JSON.
fn size(page: &Page<Session>) -> usize {
    let sessions: Vec<_> = page.items.iter().map(|session| json!(session.view())).collect();
    json!(json!(sessions).to_string()).to_string().len()
}

#[test]
fn a_cursor_is_of_its_own_list_alone() {
    simulate(1, async |world| {
        let (table, model) = (world.table(), fill(&world, 1200).await);
        let mut cursors = Vec::new();
        for list in lists(&model) {
            cursors.push((list, table.by_status(list, None).await.unwrap().unwrap().next));
        }
        let given: Vec<_> = cursors.iter().filter_map(|(list, next)| Some((*list, next.clone()?))).collect();
        assert!(given.len() > 5, "{}", given.len());
        for ((list, _), (other, cursor)) in given.iter().flat_map(|of| iter::repeat(of).zip(&given)) {
            let page = table.by_status(*list, Some(cursor)).await.unwrap();
            assert_eq!(page.is_some(), list == other, "{list:?} {other:?}");
        }
        let (_, of_status) = &given[0];
        assert!(table.by_reference("everybody", Some(of_status)).await.unwrap().is_none());
        let of_reference = table.by_reference("everybody", None).await.unwrap().unwrap().next.unwrap();
        assert!(table.by_status(given[0].0, Some(&of_reference)).await.unwrap().is_none());
        assert!(table.by_reference("somebody", Some(&of_reference)).await.unwrap().is_none());
    });
}

#[test]
fn a_page_of_a_list_asks_each_shard_once_and_for_its_records_in_one_batch() {
    simulate(1, async |world| {
        fill(&world, 1200).await;
        let table = world.table();
        let before = world.network.call_count();
        assert_eq!(table.by_status(list(Status::Decided), None).await.unwrap().unwrap().items.len(), PAGE);
        let operations = operations_after(&world, before);
        assert_eq!(operations, [["Query"; 8].as_slice(), &["BatchGetItem"]].concat());
    });
}

#[test]
fn sessions_are_found_by_reference_in_one_query_and_one_batch_however_many_others_there_are() {
    let sessions = sessions_of_large_lists();
    simulate(1, async |world| {
        fill(&world, sessions).await;
        let table = world.table();
        for number in [sessions, sessions + 1] {
            world.pass(Duration::from_millis(1)).await;
            let subject = Subject { reference: Some("one".to_owned()), provider_user_id: None };
            let event = SessionEvent { subject, ..event(key(number), "first", STEPS[0], world.clock.now()) };
            record(&table, &event).await;
        }
        let (of_one, cost) = ([sessions, sessions + 1], &["Query", "BatchGetItem"][..]);
        let of_one = of_one.map(|number| key(number).to_string());
        let of_everybody: Vec<_> = (0..PAGE).map(|number| key(number).to_string()).collect();
        for (reference, found, cost) in
            [("one", &of_one[..], cost), ("everybody", &of_everybody, cost), ("nobody", &[], &["Query"])]
        {
            let before = world.network.call_count();
            let page = table.by_reference(reference, None).await.unwrap().unwrap();
            assert_eq!(names([&page]), found);
            assert_eq!(operations_after(&world, before), cost, "{reference}");
        }
    });
}

/// The operations of the calls after so many.
fn operations_after(world: &World, before: usize) -> Vec<String> {
    world.network.calls_after(before).into_iter().map(|call| call.operation).collect()
}

/// Records that a batch leaves for another time are there all the same.
#[test]
fn a_page_has_the_records_that_a_batch_left_out_or_there_is_none() {
    for seed in 0..20 {
        simulate(seed, async |world| {
            fill(&world, 60).await;
            let table = world.table();
            let whole = names([&table.by_reference("everybody", None).await.unwrap().unwrap()]);
            assert_eq!(whole.len(), PAGE);
            leave_out(&world, 3);
            let before = world.network.call_count();
            let page = table.by_reference("everybody", None).await.unwrap().unwrap();
            assert_eq!(names([&page]), whole);
            assert_eq!(operations_after(&world, before), ["Query", "BatchGetItem", "BatchGetItem", "BatchGetItem"]);
            leave_out(&world, usize::MAX);
            let in_time = Deadline::after(Duration::from_secs(3)).bound(table.by_reference("everybody", None)).await;
            assert!(in_time.is_err(), "a page that lacks a record");
        });
    }
}

/// Has batches answered in part, until the last of so many.
fn leave_out(world: &World, batches: usize) {
    let mut left = batches;
    world.network.fail(move |call| {
        left -= usize::from(call.operation == "BatchGetItem" && left > 0);
        (left > 0).then_some(Fault::Unprocessed).filter(|fault| fault.concerns(&call.operation))
    });
}
