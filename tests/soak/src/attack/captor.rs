//! One captured request of Treezor's, whose unsigned parts a captor varies thousands of times, 40 at a time: that must
//! make no news, and must not hold up a genuine refusal of the same session.

use super::{Target, outcome};
use crate::{
    lambda::Function,
    soak::Settings,
    stores::{DECISIONS, INTAKE, QUARANTINE, Stores},
};
use fastrand::Rng;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};
use verdict_sessions::Provider;
use verdict_simulation::Webhook;

/// The number of copies under way at once.
const AT_ONCE: usize = 40;

/// The processes that receive them.
const PROCESSES: usize = 8;

/// The longest that a genuine refusal may take among them.
const HELD_UP: Duration = Duration::from_secs(3);

/// Names that an event may have, and some that no event has.
const NAMES: [&str; 18] = [
    "user.kycrequest",
    "user.kycreview",
    "kycreview.request",
    "kycreview.result",
    "kycreview.sample",
    "document.create",
    "document.update",
    "document.cancel",
    "document.sample",
    "kycliveness.create",
    "kycliveness.update",
    "kycliveness.sample",
    "qes.created",
    "qes.finalized",
    "videoConference.aborted",
    "videoConference.sample",
    "payin.create",
    "",
];

/// A request that was captured, and a later one of the same session.
struct Case {
    name: &'static str,
    event: &'static str,
    payload: Value,
    /// A refusal that comes meanwhile.
    later: Value,
    /// The readings that a name can give the payload.
    readings: usize,
}

fn cases() -> Vec<Case> {
    let user = |review: u8, second: u8| json!({"users": [{"userId": "7", "userTag": "customer-7", "firstname": "Canary", "kycReview": review.to_string(), "modifiedDate": format!("2026-06-12 09:30:0{second}")}]});
    let review = |review: u8| json!({"userId": "7", "kycReview": review});
    let document = |status: &str, second: u8| json!({"documents": [{"documentId": "88", "userId": "7", "documentStatus": status, "modifiedDate": format!("2026-06-12 09:30:0{second}")}]});
    let liveness = |score: u8, second: u8| json!({"kyc-status": "processed", "score": score, "user_id": "7", "updated-at": format!("2026-06-12T09:30:0{second}Z")});
    let signature = |result: &str, second: u8| json!({"transactionNumber": "t", "userId": "7", "result": result, "identificationTime": format!("2026-06-12T09:30:0{second}Z")});
    vec![
        Case { name: "a user's review", event: "user.kycreview", payload: user(2, 0), later: user(3, 5), readings: 2 },
        Case {
            name: "a review without a time",
            event: "kycreview.result",
            payload: review(2),
            later: review(3),
            readings: 2,
        },
        Case {
            name: "a document",
            event: "document.update",
            payload: document("VALIDATED", 0),
            later: document("REFUSED", 5),
            readings: 2,
        },
        Case {
            name: "a liveness",
            event: "kycliveness.update",
            payload: liveness(1, 0),
            later: liveness(0, 5),
            readings: 1,
        },
        Case {
            name: "a signature",
            event: "qes.finalized",
            payload: signature("SUCCESS", 0),
            later: signature("CANCELED", 5),
            readings: 1,
        },
    ]
}

pub(super) async fn run(settings: &Settings) -> bool {
    let mut is_well = true;
    for (number, case) in cases().into_iter().enumerate() {
        // All variations on the first, a tenth of them on each of the others.
        let variations = if number == 0 { settings.webhooks } else { settings.webhooks / 10 };
        is_well &= captured(settings, &case, variations).await;
    }
    is_well
}

async fn captured(settings: &Settings, case: &Case, variations: usize) -> bool {
    let target = Target::new(settings).await;
    let receiver = Arc::new(target.receiver(Provider::Treezor, PROCESSES));
    let sent = |name: &str| {
        Webhook::with_payload(
            &format!(r#""webhook":"{name}","webhook_id":"1","object_id":"first""#),
            &case.payload.to_string(),
        )
    };
    assert_eq!(outcome(&receiver, &sent(case.event)).await, "recorded", "{}", case.name);
    // The first of each reading that a name can give.
    for name in NAMES {
        outcome(&receiver, &sent(name)).await;
    }
    let before = stored(&target.stores);
    let later = Webhook::with_payload(
        &format!(r#""webhook":"{}","webhook_id":"2","object_id":"first""#, case.event),
        &case.later.to_string(),
    );
    let (outcomes, refusal, after_refusal) = storm(&target, &receiver, case, &later, variations, settings.seed).await;
    let after = stored(&target.stores);
    let told: Vec<Value> = target
        .stores
        .accepted(DECISIONS)
        .iter()
        .map(|body| serde_json::from_str::<Value>(body).unwrap()["data"]["outcome"].clone())
        .collect();

    let new: BTreeSet<_> = after.keys().filter(|place| !before.contains_key(*place)).collect();
    let of_refusal: BTreeSet<_> = after_refusal.keys().filter(|place| !before.contains_key(*place)).collect();
    let written_again = after.iter().filter(|(place, item)| before.get(*place).is_some_and(|was| was != *item)).count();
    let count = |items: &BTreeMap<(String, String), String>, sort: &str| {
        items.keys().filter(|(_, sk)| sk.starts_with(sort)).count()
    };
    println!(
        "{}: {variations} variations, {} outcomes {outcomes:?}; {} sessions, {} events of {} readings and the refusal, told {}; \
         beside the refusal's {} items {} new, {written_again} written again; the refusal among {AT_ONCE} at a time: {:.2} s",
        case.name,
        outcomes.len(),
        count(&after, "STATE"),
        count(&after, "EVENT#"),
        case.readings,
        json!(told),
        of_refusal.len(),
        new.difference(&of_refusal).count(),
        refusal.as_secs_f64(),
    );
    // Refused: a liveness that comes without any id.
    let allowed = ["duplicate", "ignored", "refused"];
    outcomes.keys().all(|outcome| allowed.contains(&outcome.as_str()))
        && new == of_refusal
        // The session's record, by the refusal.
        && written_again <= 1
        && count(&after, "STATE") == 1
        && count(&after, "EVENT#") == case.readings + 1
        && [INTAKE, QUARANTINE].iter().all(|queue| target.stores.accepted(queue).is_empty())
        && refusal < HELD_UP
}

/// What a table holds: the items, by partition and sort key.
type Items = BTreeMap<(String, String), String>;

/// Sends the variations, and in their midst the refusal. Returns what came of them, how long the refusal took, and
/// what was stored just after it.
async fn storm(
    target: &Target,
    receiver: &Arc<Function>,
    case: &Case,
    later: &Webhook,
    variations: usize,
    seed: u64,
) -> (BTreeMap<String, usize>, Duration, Items) {
    let mut rng = Rng::with_seed(seed);
    let (mut outcomes, mut under_way) = (BTreeMap::new(), JoinSet::new());
    let mut refusal = None;
    let mut count = |outcome: String| *outcomes.entry(outcome).or_default() += 1;
    for number in 0..variations {
        if under_way.len() == AT_ONCE {
            count(under_way.join_next().await.expect("there are many").expect("no copy panics"));
        }
        let (receiver, stores) = (receiver.clone(), target.stores.clone());
        if number == variations / 2 {
            let (receiver, later) = (receiver.clone(), later.clone());
            refusal = Some(tokio::spawn(async move {
                let begun = Instant::now();
                let answer = outcome(&receiver, &later).await;
                (answer, begun.elapsed(), stored(&stores))
            }));
        }
        let copy = variation(&mut rng, case);
        under_way.spawn(async move { outcome(&receiver, &copy).await });
    }
    while let Some(done) = under_way.join_next().await {
        count(done.expect("no copy panics"));
    }
    let (answer, took, stored) = refusal.expect("it was sent").await.expect("it doesn't panic");
    assert_eq!(answer, "recorded", "{}", case.name);
    // What is due may be told a moment later.
    sleep(Duration::from_secs(1)).await;
    (outcomes, took, stored)
}

/// The captured payload in an envelope that the captor makes up.
fn variation(rng: &mut Rng, case: &Case) -> Webhook {
    let mut members = Map::new();
    members.insert("webhook".to_owned(), json!(if rng.bool() { case.event } else { NAMES[rng.usize(..NAMES.len())] }));
    let number = rng.u64(..);
    let others = [
        ("webhook_id", json!(number)),
        ("webhook_id", json!(number.to_string())),
        ("webhook_created_at", json!(rng.u64(1_700_000_000..9_999_999_999))),
        ("webhook_created_at", json!(rng.u64(10_000_000_000_000..99_999_999_999_999).to_string())),
        ("object", json!("user")),
        ("object_id", json!(number.to_string())),
        ("object_id", json!("first")),
        ("new", json!({"approved": number})),
        ("clientId", json!(number)),
        ("userId", json!("7")),
        ("kycReview", json!("2")),
    ];
    for (name, value) in others {
        if rng.u8(..3) == 0 {
            members.insert(name.to_owned(), value);
        }
    }
    let text = Value::Object(members).to_string();
    let members = &text[1..text.len() - 1];
    // The canonical form is signed; white space is no part of it.
    let payload = if rng.bool() { case.payload.to_string() } else { format!("{:#}", case.payload) };
    let flat = Webhook::with_payload_signed_as(members, &payload, &case.payload.to_string());
    if rng.u8(..3) > 0 {
        return flat;
    }
    let body = String::from_utf8(flat.body).expect("it is text");
    let body = format!(r#"{{"messageId":"{number}","webhookId":{number},"webhook":{body},"clientId":"c"}}"#);
    Webhook { body: body.into_bytes(), ..flat }
}

fn stored(stores: &Stores) -> Items {
    let items = stores.table().typed_items();
    let place =
        |item: &Map<String, Value>| ["pk", "sk"].map(|name| item[name]["S"].as_str().unwrap_or_default().to_owned());
    // What is told has left the outbox, and stands in the history.
    let facts = items.into_iter().filter(|item| !place(item)[1].starts_with("NOTIFICATION#"));
    facts.map(|item| (place(&item).into(), Value::Object(item).to_string())).collect()
}
