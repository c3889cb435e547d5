//! What is stored of a webhook of Treezor's: each subject's own part. And what a captured one is good for.

use super::genuine::{genuine, read, signature, signed};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use verdict_sessions::{EventId, Provider, SessionEvent, SessionKey};
use verdict_webhooks::{Genuine, Part, Reading, read_part_again};

/// The names that an event may have, and some that it may not.
const NAMES: [&str; 21] = [
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
    "qes.processing",
    "qes.aborted",
    "qes.finalized",
    "videoConference.created",
    "videoConference.finalized",
    "videoConference.sample",
    "",
    "payin.create",
];

fn told(body: &str) -> Vec<(SessionEvent, Part)> {
    match read(body) {
        Ok(Reading::Events { events, parts }) => events.into_iter().zip(parts).collect(),
        Ok(Reading::Nothing(_)) => Vec::new(),
        Err(unreadable) => panic!("{body}: {unreadable}"),
    }
}

fn user(number: usize) -> Value {
    json!({"userId": number.to_string(), "firstname": format!("Canary{number:06}"), "kycReview": "2",
        "modifiedDate": "2026-05-18 12:21:12", "address1": "1 rue de l'Échantillon / bât. A"})
}

fn users(count: usize) -> String {
    let users: Vec<_> = (0..count).map(user).collect();
    signed(r#""webhook":"user.kycreview","webhook_id":"w","object_id":"0""#, &json!({"users": users}).to_string())
}

#[test]
fn each_session_stores_its_own_subject_and_what_is_known_of_the_envelope() {
    let documents = json!({"documents": [
        {"documentId": 1, "userId": 7, "documentStatus": "VALIDATED"},
        {"documentId": 2, "userId": 8, "documentStatus": "REFUSED"},
    ], "total": 2});
    let envelope = r#""webhook":"document.update","webhook_id":"w","webhook_created_at":1,"object":"document","object_id":"1","new":"canary","photo":"canary""#;
    let flat = signed(envelope, &documents.to_string());
    for body in
        [&flat, &format!(r#"{{"messageId":"m","webhookId":"w","webhook":{flat},"clientId":5,"more":"canary"}}"#)]
    {
        let told = told(body);
        assert_eq!(told.len(), 2);
        for (index, (_, part)) in told.iter().enumerate() {
            let stored: Value = serde_json::from_str(&part.payload).unwrap();
            assert_eq!(stored["object_payload"], json!({"documents": [documents["documents"][index]]}));
            let members: Vec<_> = stored.as_object().unwrap().keys().map(String::as_str).collect();
            let known = ["object", "object_id", "object_payload", "webhook", "webhook_created_at", "webhook_id"];
            let around = ["clientId", "messageId", "webhookId"];
            let is_wrapped = body.starts_with(r#"{"messageId""#);
            assert!(
                members.iter().all(|name| known.contains(name) || is_wrapped && around.contains(name)),
                "{members:?}"
            );
            // The id of the other document isn't stored with this one.
            assert_eq!(members.len(), if is_wrapped { 9 } else { 6 } - index);
        }
    }
}

#[test]
fn a_long_or_nested_member_of_the_envelope_is_left_out() {
    let payload = user_payload(7);
    for value in
        [format!("\"{}\"", "two words ".repeat(300)), r#"{"canary":1}"#.into(), format!("[{}1]", "1000,".repeat(1000))]
    {
        let told =
            told(&signed(&format!(r#""webhook":"user.kycreview","webhook_id":{value},"object":{value}"#), &payload));
        let stored: Value = serde_json::from_str(&told[0].1.payload).unwrap();
        assert_eq!(stored.as_object().unwrap().len(), 2, "{stored}");
    }
}

fn user_payload(number: usize) -> String {
    json!({"users": [user(number)]}).to_string()
}

#[test]
#[expect(clippy::print_stderr, reason = "the cost is worth seeing")]
fn what_many_users_cost_grows_with_their_number_and_nobody_s_data_is_stored_for_another() {
    for count in [1, 3, 40, 300, 400, 3000] {
        let body = users(count);
        let told = told(&body);
        assert_eq!(told.len(), count);
        let stored: usize = told.iter().map(|(_, part)| part.payload.len()).sum();
        eprintln!(
            "{count} users: {} bytes sent, {stored} stored, {} if each stored all",
            body.len(),
            count * body.len()
        );
        // The envelope, once for each of them.
        assert!(stored <= body.len() + count * 200, "{count}: {stored}");
        for (number, (_, part)) in told.iter().enumerate() {
            let named: Vec<_> = part.payload.matches("Canary").collect();
            assert_eq!(named.len(), 1);
            assert!(part.payload.contains(&format!("Canary{number:06}")), "{}", part.payload);
        }
    }
}

#[test]
fn a_part_is_stored_as_it_is_read_again() {
    for body in [users(3), signed(r#""webhook":"kycliveness.update","object_id":"o""#, &liveness("7", 1).to_string())] {
        for (event, part) in told(&body) {
            let again = read_part_again(&event, "/treezor", &part.payload).unwrap().unwrap();
            assert_eq!(again.event, event);
            assert_eq!((&again.part.payload, &again.part.binding), (&part.payload, &part.binding));
            assert_eq!(again.part.other_reading, part.other_reading);
        }
    }
}

/// A webhook is kept on a queue while the table is away, without what looks like an image. A reference may look like
/// one.
#[test]
fn a_webhook_that_was_on_a_queue_has_the_ids_that_it_would_have_had() {
    for tag in ["customer-1".to_owned(), "QUJD".repeat(100), "two words ".repeat(500), r#"{"a":[1]}"#.into()] {
        let mut tagged = user(7);
        tagged["userTag"] = tag.clone().into();
        let body = signed(r#""webhook":"user.kycreview""#, &json!({"users": [tagged]}).to_string());
        let treezor = genuine(&body);
        let kept = treezor.minimised_body(usize::MAX).unwrap().into_owned();
        let digest = treezor.body_digest();
        let kept = Genuine::from_our_queue(Provider::Treezor, "/treezor".into(), treezor.received_at(), kept, digest);
        let ids = |genuine| match verdict_webhooks::read(genuine) {
            Ok(Reading::Events { events, parts }) => (events[0].event_id.clone(), parts[0].former_id.clone()),
            other => panic!("{other:?}"),
        };
        assert_eq!(ids(&kept), ids(&treezor), "{tag}");
        let [(event, part)] = &told(&body)[..] else { panic!("{tag}") };
        let again = read_part_again(event, "/treezor", &part.payload).unwrap().unwrap();
        assert_eq!(again.id, event.event_id, "{tag}");
    }
}

fn liveness(user: &str, score: u8) -> Value {
    json!({"kyc-status": "processed", "score": score, "user_id": user, "updated-at": "2026-06-12T09:15:18Z"})
}

fn document(status: &str) -> String {
    json!({"documents": [{"documentId": 1, "userId": 7, "documentStatus": status, "createdDate": "2026-06-12 09:00:00"}]})
        .to_string()
}

/// One captured request of each sort, and the number of ids that its payload can get.
fn captured() -> [(String, usize); 6] {
    [
        (user_payload(7), 2),
        (json!({"userId": 7, "kycReview": 2, "kycStatus": "VALIDATED"}).to_string(), 2),
        (document("VALIDATED"), 2),
        (liveness("7", 1).to_string(), 1),
        (json!({"result": "SUCCESS", "transactionNumber": "t", "userId": "7"}).to_string(), 1),
        (json!({"userId": "7", "new": 1}).to_string(), 1),
    ]
}

#[test]
fn whatever_is_put_around_a_captured_payload_it_has_one_id_for_each_reading() {
    for (sort, (payload, readings)) in captured().into_iter().enumerate() {
        let signature = signature(&payload);
        let mut ids: BTreeMap<EventId, BTreeSet<Option<EventId>>> = BTreeMap::new();
        for number in 0..if sort == 0 { 10_000 } else { 1000 } {
            let name = NAMES[number % NAMES.len()];
            let mut body = format!(
                r#"{{"webhook":"{name}","webhook_id":"{number}","webhook_created_at":{},"object_id":"o{}","new{number}":[],"object_payload":{payload},"object_payload_signature":"{signature}"}}"#,
                17_194_726_044_907 + number,
                number / 7,
            );
            if number % 3 == 0 {
                body = format!(r#"{{"webhookId":"{number}","webhook":{body},"clientId":{number}}}"#);
            }
            for (event, part) in told(&body) {
                ids.entry(event.event_id).or_default().insert(part.other_reading);
            }
        }
        assert_eq!(ids.len(), readings, "{payload}: {ids:#?}");
        // Each of two readings knows the other one's id.
        for (id, others) in &ids {
            assert_eq!(others.len(), 1);
            let other = others.first().unwrap();
            assert_eq!(other.is_some(), readings == 2);
            assert!(other.as_ref().is_none_or(|other| other != id && ids.contains_key(other)), "{ids:#?}");
        }
    }
}

#[test]
fn a_payload_that_names_no_identification_is_bound_to_the_one_that_it_came_with() {
    let bound = |name: &str, object_id: &str, payload: &Value| {
        let told = told(&signed(&format!(r#""webhook":"{name}","object_id":"{object_id}""#), &payload.to_string()));
        let [(event, part)] = &told[..] else { panic!("{told:?}") };
        (
            event.session.to_string(),
            part.binding.clone().map(|binding| (binding.session.to_string(), binding.object_id)),
        )
    };
    let at_user = |id: &str| Some(("treezor/user:7".to_owned(), id.to_owned()));
    for id in ["one", "two"] {
        let session = format!("treezor/identification:{id}");
        assert_eq!(bound("kycliveness.update", id, &liveness("7", 1)), (session.clone(), at_user(id)));
        // An unfamiliar payload, and an identification, that names itself no more than a liveness does.
        assert_eq!(bound("kycliveness.sample", id, &json!({"user_id": 7, "new": 1})), (session.clone(), at_user(id)));
        assert_eq!(
            bound("qes.finalized", id, &json!({"userId": 7, "result": "SUCCESS"})),
            (session.clone(), at_user(id))
        );
        let named = json!({"userId": 7, "result": "SUCCESS", "transactionNumber": "t"});
        assert_eq!(bound("qes.finalized", id, &named), ("treezor/identification:t".into(), None));
        assert_eq!(bound("user.kycreview", id, &json!({"users": [user(7)]})), ("treezor/user:7".into(), None));
        // Nobody is named: its place is made of its own id.
        let (_, binding) = bound("kycliveness.update", id, &json!({"kyc-status": "processed", "score": 1}));
        let place: SessionKey = told_place(&json!({"kyc-status": "processed", "score": 1}), "elsewhere");
        assert_eq!(binding, Some((place.to_string(), id.to_owned())));
    }
}

fn told_place(payload: &Value, object_id: &str) -> SessionKey {
    let body = signed(&format!(r#""webhook":"kycliveness.update","object_id":"{object_id}""#), &payload.to_string());
    told(&body)[0].1.binding.clone().unwrap().session
}
