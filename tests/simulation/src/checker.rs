//! Checks whether a history went, and ended, as it must.

use crate::{
    Accepted, Change, Claim, Network, Transaction, Webhook, World,
    dynamodb::as_stored,
    fake_incode::Answered,
    model::{self, Fact},
    resends::{self, RESENT},
    world::{DECISIONS, INTAKE, QUARANTINE, Record, SESSION, trace_of},
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};
use verdict_sessions::{Timestamp, Trace};
use verdict_webhooks::incode::{SCORE_PATH, STATUS_PATH};

/// How much finer the clock of a run is than the functions'.
const CLOCK_STEP: Duration = Duration::from_micros(1);

/// A webhook as it was sent, and what its provider knows about it.
#[derive(Debug)]
pub(crate) struct SentWebhook<'p> {
    pub(crate) webhook: &'p Webhook,
    /// When copies of it arrived, and whether what it decides had to be confirmed then.
    pub(crate) arrivals: BTreeSet<(Timestamp, bool)>,
    /// What was stored each time it was answered with 2xx.
    pub(crate) acknowledged: Vec<Taken>,
}

/// How much was stored at some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    changes: usize,
    on_intake: usize,
    in_quarantine: usize,
}

impl Taken {
    /// Counts now.
    pub(crate) fn of(network: &Network) -> Self {
        let taken = |queue| network.with_sqs(|sqs| sqs.accepted_count(queue));
        Self { changes: network.change_count(), on_intake: taken(INTAKE), in_quarantine: taken(QUARANTINE) }
    }
}

/// Returns what is wrong, in words, and SHA-256 over the records and notifications at the end.
pub(crate) fn check(world: &World, sent: &[SentWebhook<'_>]) -> (Vec<String>, [u8; 32]) {
    let records = world.records();
    let published = world.network.with_sqs(|sqs| sqs.accepted(DECISIONS));
    let mut checker = Checker::new(sent, world.fake_incode.answers());
    for (index, change) in world.network.changes().iter().enumerate() {
        match change {
            Change::Committed(transaction) if transaction.put("TOLD#").is_some() => {
                checker.confirm(transaction, &published);
            }
            Change::Committed(transaction) => checker.observe(index, transaction),
            Change::Restored { to, at } => checker.restore(*to, *at),
        }
    }
    checker.compare(&records, &published);
    checker.read(&published);
    checker.look_for(world);
    checker.look_for_answers(world);
    checker.violations.extend(resends::check(world).iter().map(ToString::to_string));
    if !world.is_settled() {
        checker.violations.push("something waits still".to_owned());
    }
    if world.network.calls().iter().any(|call| call.operation == "PutItem") {
        checker.violations.push("a rebuild has changed an event".to_owned());
    }
    let sessions: BTreeMap<_, _> = records.iter().map(|(session, record)| (session, &record.session)).collect();
    let bodies: Vec<_> = published.iter().map(|message| &message.body).collect();
    (checker.violations, Sha256::digest(json!([sessions, bodies]).to_string()).into())
}

struct Checker<'s> {
    sent: &'s [SentWebhook<'s>],
    bodies: Vec<Option<Value>>,
    /// Each session's facts, in the order in which they were committed.
    facts: BTreeMap<String, Vec<Fact>>,
    /// The messages that each session's facts made due, likewise.
    due: BTreeMap<String, Vec<Value>>,
    /// The changes that committed them, likewise.
    places: BTreeMap<String, Vec<usize>>,
    /// When each message became due, by session and sequence.
    due_since: BTreeMap<(String, u64), Duration>,
    /// The trace of each message, likewise: that of the webhook that caused it.
    traces: BTreeMap<(String, u64), Option<Trace>>,
    /// The messages that were due before the table was restored, by session, and when that was.
    forgotten: BTreeMap<String, Vec<Value>>,
    restored_at: Option<Duration>,
    /// The events as they were committed, by session and id.
    events: BTreeMap<(String, String), Value>,
    /// Which changes recorded what a webhook says of a session: several if the table was restored in between.
    recorded: BTreeMap<(usize, String), Vec<usize>>,
    /// What each session's decision last won by.
    ranks: BTreeMap<String, (Option<Timestamp>, Option<Timestamp>, bool)>,
    /// What Incode's API has answered.
    answers: Vec<Answered>,
    /// The events that Incode's API had to confirm, by session and id, and the webhook of each.
    unconfirmed: BTreeMap<(String, String), usize>,
    violations: Vec<String>,
}

impl<'s> Checker<'s> {
    fn new(sent: &'s [SentWebhook<'s>], answers: Vec<Answered>) -> Self {
        let bodies = sent.iter().map(|sent| serde_json::from_slice(&sent.webhook.body).ok()).collect();
        Self {
            sent,
            bodies,
            facts: BTreeMap::new(),
            due: BTreeMap::new(),
            places: BTreeMap::new(),
            due_since: BTreeMap::new(),
            traces: BTreeMap::new(),
            forgotten: BTreeMap::new(),
            restored_at: None,
            events: BTreeMap::new(),
            recorded: BTreeMap::new(),
            ranks: BTreeMap::new(),
            answers,
            unconfirmed: BTreeMap::new(),
            violations: Vec::new(),
        }
    }

    fn violated(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }

    /// Checks one transaction: after it, the record must be what the model makes of the facts so far.
    fn observe(&mut self, index: usize, transaction: &Transaction) {
        let session = session_of(transaction);
        let (Some(event), Some(payload)) = (transaction.put("EVENT#"), transaction.put("PAYLOAD#")) else {
            return self.violated(format!("{session}: a rebuild has changed the record"));
        };
        let event_id = text(event, "sk")["EVENT#".len()..].to_owned();
        let key = (session.clone(), event_id.clone());
        let mut trace = None;
        let (claim, is_stamped) = if [STATUS_PATH, SCORE_PATH].contains(&text(payload, "source")) {
            let Some(claim) = self.answer_of(&session, &event["event"], payload, transaction.at) else {
                return self.violated(format!("{session}: {event_id} was recorded and never answered"));
            };
            (claim, false)
        } else {
            let Some(webhook) = self.webhook_of(&session, payload) else {
                return self.violated(format!("{session}: {event_id} was recorded and never sent"));
            };
            let claim = self.sent[webhook].webhook.claims.iter().find(|claim| claim.session == session).unwrap();
            let is_stamped = claim.outcome.is_some() && is_unconfirmed(&event["event"]);
            let is_read = self.is_recorded_otherwise(webhook, &session);
            self.arrived(index, &key, webhook, &event["event"]);
            trace = event["event"]["receivedAt"].as_str().and_then(Timestamp::parse).map(trace_of);
            let is_marked = Fact::of(&event["event"]).is_second_reading();
            self.differs(&session, "whether it is a second reading", &is_marked.into(), &is_read.into());
            if is_stamped {
                self.unconfirmed.insert(key.clone(), webhook);
            }
            (if is_read { of_second_reading(claim) } else { claim.clone() }, is_stamped)
        };
        self.places.entry(session.clone()).or_default().push(index);
        self.events.insert(key, event["event"].clone());
        // What has to be confirmed decides nothing.
        let claim = Claim { outcome: claim.outcome.filter(|_| !is_stamped), ..claim };
        if said(&claim) != read(&event["event"], &claim) {
            let (said, read) = (said(&claim), read(&event["event"], &claim));
            self.violated(format!("{session}: {event_id} was read as {read} and says {said}"));
        }
        let facts = self.facts.entry(session.clone()).or_default();
        let all_due = self.due.entry(session.clone()).or_default();
        let last = model::last_sequence(all_due);
        facts.push(Fact::of(&event["event"]).above(transaction.base));
        let due = model::notification_of_the_last(facts, all_due);
        all_due.extend(due.clone());
        let (record, status) = (model::record_after(facts, model::last_sequence(all_due)), model::status(facts));
        let due = due.map(|mut due| due["data"].take());

        let Some(state) = transaction.put("STATE") else {
            return self.violated(format!("{session}: an event without its session"));
        };
        self.differs(&session, "the record", &state["session"], &as_stored(&record));
        self.differs(&session, "the status", &state["status"], &json!(status));
        self.differs(
            &session,
            "the place in lists",
            &place_in_lists(state),
            &json!([status, record["statusSince"], record["provider"], record["decision"]["value"]["outcome"]]),
        );
        let entries = transaction.puts.iter().filter(|item| item.contains_key("notification"));
        let outbox: Vec<_> =
            entries.map(|item| json!([item["notification"], item.get("follows"), item.get("trace")])).collect();
        let follows = |due: &Value| (sequence_of(due) != last + 1).then_some(last);
        let header = trace.as_ref().map(Trace::to_string);
        let expected: Vec<_> = due.iter().map(|due| json!([due, follows(due), header])).collect();
        self.differs(&session, "the outbox", &json!(outbox), &as_stored(&json!(expected)));
        if let Some(due) = &due {
            self.due_since.insert((session.clone(), sequence_of(due)), transaction.at);
            self.traces.insert((session.clone(), sequence_of(due)), trace);
        }
        self.goes_back(&session, &state["session"]["decision"]["rank"]);
    }

    /// Checks that a webhook's event is new, and came when the webhook did, with the stamp that it got then.
    fn arrived(&mut self, index: usize, (session, event_id): &(String, String), webhook: usize, event: &Value) {
        let arrived_at = event["receivedAt"].as_str().and_then(Timestamp::parse).unwrap();
        let alike = self.alike(webhook, session);
        let arrivals: BTreeSet<_> = alike.iter().flat_map(|webhook| &self.sent[*webhook].arrivals).collect();
        if !arrivals.iter().any(|(at, _)| *at == arrived_at) {
            self.violated(format!("{session}: {event_id} did not arrive at {arrived_at}"));
        }
        let claims = &self.sent[webhook].webhook.claims;
        let can_have_stamp = session.starts_with("incode/") && claims.iter().any(|claim| claim.outcome.is_some());
        if can_have_stamp && !arrivals.contains(&(arrived_at, is_unconfirmed(event))) {
            self.violated(format!("{session}: {event_id} has another stamp than it arrived with"));
        }
        let fact = self.fact_of(webhook, session);
        if self.is_recorded(&fact) {
            self.violated(format!("{session}: webhook {webhook} was recorded twice"));
        }
        self.recorded.entry(fact).or_default().push(index);
    }

    /// What an answer of Incode's API says that was recorded as this event.
    fn answer_of(&self, session: &str, event: &Value, payload: &Map<String, Value>, by: Duration) -> Option<Claim> {
        let (path, body) = (text(payload, "source"), text(payload, "payload"));
        let asked_at = time_of(&event["receivedAt"]);
        let is_it = |answer: &&Answered| {
            answer.path == path
                && answer.body == body
                && session.strip_prefix("incode/") == Some(&answer.session)
                && (asked_at..=by).contains(&answer.at)
        };
        let answer = self.answers.iter().find(is_it)?;
        Some(Claim::of_answer(&answer.path, &answer.session, &answer.body))
    }

    /// What had to be confirmed was asked about, if Incode knows: after it came, and once it was acknowledged.
    fn look_for_answers(&mut self, world: &World) {
        let mut left = Vec::new();
        for ((session, event_id), webhook) in &self.unconfirmed {
            let Some(event) = self.events.get(&(session.clone(), event_id.clone())) else { continue };
            let id = session.trim_start_matches("incode/");
            let came_at = time_of(&event["receivedAt"]);
            let is_answer =
                |answer: &Answered| answer.path == SCORE_PATH && answer.session == id && answer.at >= came_at;
            let is_decided_since = || {
                let standing = model::standing(&self.facts[session]);
                standing.is_some_and(|standing| {
                    time_of(&self.events[&(session.clone(), standing.id().to_owned())]["receivedAt"]) >= came_at
                })
            };
            let must_be_asked = !self.sent[*webhook].acknowledged.is_empty() && world.fake_incode.has_scored(id);
            if must_be_asked && !self.answers.iter().any(is_answer) && !is_decided_since() {
                left.push(format!("{session}: Incode was not asked to confirm {event_id}"));
            }
        }
        self.violations.append(&mut left);
    }

    /// Checks a transaction that says that a message was told: it replaces the outbox entry, and SQS had taken the message
    /// by then, and not before it was due.
    fn confirm(&mut self, transaction: &Transaction, published: &[Accepted]) {
        let session = session_of(transaction);
        let told = transaction.put("TOLD#").unwrap();
        let sequence = text(told, "sk")["TOLD#".len()..].to_owned();
        if transaction.puts.len() != 1 || transaction.deletes != [format!("NOTIFICATION#{sequence}")] {
            self.violated(format!("{session}: {sequence} is told and not taken from the outbox: {transaction:?}"));
        }
        self.differs(
            &session,
            "the sequence told",
            &json!(sequence),
            &told["notification"]["sequence"].to_string().into(),
        );
        let of_it = published.iter().find(|message| message.message_id == text(told, "messageId"));
        if of_it.is_none_or(|message| message.at > transaction.at) {
            self.violated(format!("{session}: {sequence} is told and SQS has not taken it"));
        }
        self.differs(&session, "what is told", &as_stored(&json!(of_it.map(data_of))), &told["notification"]);
        let trace = self.traces.get(&(session.clone(), sequence.parse().unwrap())).copied().flatten();
        let expected = json!([trace.as_ref().and_then(Trace::traceparent), trace.as_ref().map(Trace::to_string)]);
        self.differs(&session, "the trace of what is told", &json!(of_it.map(traces_of)), &expected);
        let (told_at, told_by) = (time_of(&told["toldAt"]) + CLOCK_STEP, time_of(&told["toldAt"]));
        let due_since = self.due_since.get(&(session.clone(), sequence.parse().unwrap()));
        if due_since.is_none_or(|since| told_at < *since) || told_by > transaction.at {
            self.violated(format!("{session}: {sequence}, due since {due_since:?}, was told at {}", told["toldAt"]));
        }
    }

    /// The table is again as it was after so many changes: of what came later, nothing is known. What was told of it stays
    /// told.
    fn restore(&mut self, to: usize, at: Duration) {
        self.restored_at = Some(at);
        for (session, places) in &mut self.places {
            let facts = self.facts.get_mut(session).unwrap();
            let due = self.due.entry(session.clone()).or_default();
            self.forgotten.entry(session.clone()).or_default().append(due);
            let left = places.iter().take_while(|place| **place < to).count();
            places.truncate(left);
            for fact in facts.drain(left..) {
                self.events.remove(&(session.clone(), fact.id().to_owned()));
            }
            due.extend(model::notifications(facts));
        }
        self.facts.retain(|_, facts| !facts.is_empty());
        self.places.retain(|_, places| !places.is_empty());
        self.ranks.clear();
    }

    /// The webhook whose payload it is.
    fn webhook_of(&self, session: &str, payload: &Map<String, Value>) -> Option<usize> {
        let body: Value = serde_json::from_str(text(payload, "payload")).ok()?;
        (0..self.sent.len()).find(|index| {
            let webhook = self.sent[*index].webhook;
            self.bodies[*index].as_ref().is_some_and(|sent| is_part_of(&body, sent))
                && webhook.path == text(payload, "source")
                && webhook.claims.iter().any(|claim| claim.session == session)
        })
    }

    /// The webhooks that tell the same fact of a session as this one: of Treezor's, what surrounds the subject's own
    /// part of the payload is no part of the fact, except as far as the name has it read another way.
    fn alike(&self, webhook: usize, session: &str) -> Vec<usize> {
        let part = |index: usize| part_of(self.bodies[index].as_ref()?, session);
        let Some(own) = part(webhook).filter(|_| session.starts_with("treezor/")) else { return vec![webhook] };
        (0..self.sent.len()).filter(|index| part(*index) == Some(own.clone())).collect()
    }

    /// The fact that a webhook tells of a session: the first webhook that tells it, and the session. What its provider
    /// signs without naming an identification is one fact, whatever identification it comes with.
    fn fact_of(&self, webhook: usize, session: &str) -> (usize, String) {
        let is_bound = session.starts_with("treezor/") && self.bodies[webhook].as_ref().is_some_and(is_bound);
        (self.alike(webhook, session)[0], if is_bound { "bound".to_owned() } else { session.to_owned() })
    }

    /// Whether a fact is recorded, as the table is now.
    fn is_recorded(&self, fact: &(usize, String)) -> bool {
        let is_there = |place: &usize| self.places.values().any(|places| places.contains(place));
        self.recorded.get(fact).is_some_and(|places| places.iter().any(is_there))
    }

    /// Whether the part that a webhook has of a session is recorded as another name has it read.
    fn is_recorded_otherwise(&self, webhook: usize, session: &str) -> bool {
        let part = |index: usize| part_of(self.bodies[index].as_ref()?, session);
        let Some((own, reading)) = part(webhook).filter(|_| session.starts_with("treezor/")) else { return false };
        let is_other = |index: &usize| part(*index).is_some_and(|(other, read)| other == own && read != reading);
        (0..self.sent.len()).filter(is_other).any(|index| self.is_recorded(&self.fact_of(index, session)))
    }

    fn differs(&mut self, session: &str, what: &str, is: &Value, must_be: &Value) {
        if is != must_be {
            self.violated(format!("{session}: {what} is {is} and must be {must_be}"));
        }
    }

    fn goes_back(&mut self, session: &str, rank: &Value) {
        // A decision that a second user has taken away doesn't come back.
        if rank.is_null() {
            return;
        }
        let time = |name: &str| rank[name].as_str().and_then(Timestamp::parse);
        // Of one time, the more cautious decision may come from the smaller id.
        let rank = (time("at"), time("emittedAt"), rank["final"] == true);
        let before = self.ranks.insert(session.to_owned(), rank);
        if before.is_some_and(|before| before > rank) {
            self.violated(format!("{session}: the decision went backwards"));
        }
    }

    /// The table at the end holds what was committed, whole, and nothing else.
    fn compare(&mut self, records: &BTreeMap<String, Record>, published: &[Accepted]) {
        let strangers: Vec<_> = records.keys().filter(|session| !self.facts.contains_key(*session)).cloned().collect();
        for session in strangers {
            self.violated(format!("{session}: nothing was recorded of it, and yet it is there"));
        }
        for (session, facts) in self.facts.clone() {
            let Some(record) = records.get(&session) else {
                self.violated(format!("{session}: the session is gone"));
                continue;
            };
            let is = record.session.clone().unwrap_or_default();
            self.differs(&session, "the record at the end", &is, &as_stored(&model::record(&facts)));
            let of_session = self.events.iter().filter(|((of, _), _)| *of == session);
            let committed: BTreeMap<_, _> = of_session.map(|((_, id), event)| (id, event)).collect();
            let committed = (json!(committed), json!(committed.keys().collect::<Vec<_>>()));
            self.differs(&session, "what is kept of its events", &json!(record.events), &committed.0);
            self.differs(&session, "what is kept of its payloads", &json!(record.payloads), &committed.1);
            self.differs(&session, "the outbox at the end", &json!(record.outbox), &json!({}));
            self.compare_history(&session, record, published);
        }
    }

    /// The history at the end has each message that became due, once, with all that it said and the id under which SQS
    /// took it.
    fn compare_history(&mut self, session: &str, record: &Record, published: &[Accepted]) {
        let due: BTreeMap<u64, Value> =
            self.due[session].iter().cloned().map(|mut due| due["data"].take()).map(by_sequence).collect();
        let told: BTreeMap<u64, &Value> = record.told.iter().map(|(n, told)| (*n, &told["notification"])).collect();
        self.differs(session, "the history", &json!(told), &as_stored(&json!(due)));
        for (sequence, told) in &record.told {
            let id = told["messageId"].as_str().unwrap();
            let is_of_it =
                |message: &Accepted| message.message_id == id && as_stored(&data_of(message)) == told["notification"];
            if !published.iter().any(is_of_it) {
                self.violated(format!("{session}: {sequence} was told as {id}, which is another message"));
            }
        }
    }

    /// What was published: each session's notifications, in order, each of them the same whenever it comes; and in a
    /// group of its own, which is what keeps them in order.
    fn read(&mut self, published: &[Accepted]) {
        let mut first: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut groups: BTreeMap<Option<&str>, String> = BTreeMap::new();
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        for message in published {
            let event: Value = serde_json::from_str(&message.body).unwrap();
            let session =
                format!("{}/{}", event["data"]["provider"].as_str().unwrap(), event["subject"].as_str().unwrap());
            let group = groups.entry(message.group.as_deref()).or_insert_with(|| session.clone());
            if *group != session {
                self.violated(format!("{session}: shares a message group with {group}"));
            }
            let known = first.entry(session.clone()).or_default();
            let mut is_new = false;
            match known.iter().find(|earlier| earlier["id"] == event["id"]) {
                Some(earlier) if *earlier == event => {}
                Some(_) => self.violated(format!("{session}: {} was published in two ways", event["id"])),
                None => {
                    is_new = true;
                    known.push(event.clone());
                }
            }
            let mut attributes = message.attributes.clone();
            let is_resent = attributes.remove(RESENT).is_some();
            self.differs(&session, "the attributes", &json!(attributes), &attributes_of(&event));
            let sequence = sequence_of(&event["data"]);
            let last = told.entry(session.clone()).or_default();
            let is_after_restore = self.restored_at.is_some_and(|restored_at| message.at > restored_at);
            if is_new && sequence <= last.sequence {
                self.violations.push(format!("{session}: {sequence} is new and not above {}", last.sequence));
            }
            if is_resent && sequence > last.sequence {
                self.violations.push(format!("{session}: {sequence} was sent again, and a consumer handles it"));
            }
            // What a consumer does that follows the one rule, whatever the types.
            if sequence > last.sequence {
                *last = Told { sequence, data: event["data"].clone(), is_after_restore };
            }
        }
        // Of what was forgotten, the same may have been filed under another identification since.
        let is_known = |session: &String| self.facts.contains_key(session) || self.forgotten.contains_key(session);
        for session in first.keys().filter(|session| !is_known(session)).cloned().collect::<Vec<_>>() {
            self.violated(format!("{session}: was published and is unknown"));
        }
        for (session, facts) in self.facts.clone() {
            let is: Vec<_> = first.remove(&session).unwrap_or_default().into_iter().map(without_trace).collect();
            let mut due = self.forgotten.get(&session).cloned().unwrap_or_default();
            due.extend(self.due[&session].iter().filter(|new| !due.contains(new)).cloned().collect::<Vec<_>>());
            self.differs(&session, "what was published", &json!(is), &json!(due));
            let told = told.remove(&session).unwrap_or_default();
            // What a restore has taken back is told anew only with the next change.
            if self.restored_at.is_none() || told.is_after_restore {
                self.believes(&session, &told.data, &model::record_after(&facts, 0));
            }
        }
    }

    /// A consumer that keeps nothing but the latest message knows the decision that stands, and while that is final, the
    /// outcome of each check.
    fn believes(&mut self, session: &str, told: &Value, record: &Value) {
        let decision = &record["decision"]["value"];
        let decided = json!([decision["outcome"], decision["attemptId"]]);
        let told_decision = json!([told["outcome"], told["attemptId"]]);
        self.differs(session, "what a consumer believes in the end", &told_decision, &decided);
        if told["final"] == true {
            let checks = record["checks"].as_object().unwrap().iter();
            let checks: Map<_, _> =
                checks.map(|(name, check)| (name.clone(), check["value"]["outcome"].clone())).collect();
            self.differs(session, "what a consumer believes of checks in the end", &told["checks"], &checks.into());
        }
    }

    /// Whatever was acknowledged was durable then, and is where it belongs now.
    fn look_for(&mut self, world: &World) {
        let digests = |bodies: Vec<Value>| -> Vec<String> {
            bodies.iter().map(|kept| kept["sha256"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let accepted = |queue| {
            let accepted = world.network.with_sqs(|sqs| sqs.accepted(queue));
            digests(accepted.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect())
        };
        let (on_intake, in_quarantine) = (accepted(INTAKE), accepted(QUARANTINE));
        let quarantined = digests(world.quarantined());
        for (index, sent) in self.sent.iter().enumerate() {
            let digest = hex_digest(&sent.webhook.body);
            let is_quarantined = quarantined.contains(&digest);
            let is_readable = !sent.webhook.claims.is_empty();
            if is_readable && is_quarantined {
                self.violated(format!("webhook {index} can be read and is in quarantine"));
            }
            for then in &sent.acknowledged {
                let is_recorded_by = |limit| {
                    let of = |session: &String| self.recorded.get(&self.fact_of(index, session));
                    let is_recorded = |places: &Vec<usize>| places.iter().any(|place| *place < limit);
                    sent.webhook.claims.iter().all(|claim| of(&claim.session).is_some_and(is_recorded))
                };
                let is_known = || {
                    let is_recorded = |claim: &Claim| self.is_recorded(&self.fact_of(index, &claim.session));
                    sent.webhook.claims.iter().all(is_recorded)
                };
                let was_durable = is_readable && is_recorded_by(then.changes)
                    || on_intake[..then.on_intake].contains(&digest)
                    || in_quarantine[..then.in_quarantine].contains(&digest);
                let is_kept = if is_readable { is_known() } else { is_quarantined };
                if !was_durable {
                    self.violated(format!("webhook {index} was acknowledged before it was durable"));
                }
                if !is_kept {
                    self.violated(format!("webhook {index} was acknowledged and is lost"));
                }
            }
        }
    }
}

/// Whether an event says that what its webhook decides has to be confirmed.
pub(crate) fn is_unconfirmed(event: &Value) -> bool {
    event["remarks"].as_array().is_some_and(|remarks| remarks.contains(&json!("unconfirmed:decision")))
}

/// What a consumer keeps: the latest.
#[derive(Default)]
struct Told {
    sequence: u64,
    data: Value,
    is_after_restore: bool,
}

fn session_of(transaction: &Transaction) -> String {
    transaction.pk().strip_prefix(SESSION).unwrap().to_owned()
}

fn sequence_of(data: &Value) -> u64 {
    data["sequence"].as_u64().unwrap()
}

fn by_sequence(data: Value) -> (u64, Value) {
    (sequence_of(&data), data)
}

fn data_of(message: &Accepted) -> Value {
    let mut event: Value = serde_json::from_str(&message.body).unwrap();
    event["data"].take()
}

/// The trace of a message, as its body has it and as SQS hands it on.
fn traces_of(message: &Accepted) -> Value {
    let event: Value = serde_json::from_str(&message.body).unwrap();
    json!([event.get("traceparent"), message.trace])
}

/// A message as the model knows it: the trace that it belongs to is checked where it is told.
pub(crate) fn without_trace(mut event: Value) -> Value {
    event.as_object_mut().map(|members| members.remove("traceparent"));
    event
}

/// A time, since the start of Unix time.
fn time_of(text: &Value) -> Duration {
    let time = text.as_str().and_then(Timestamp::parse).unwrap();
    let nanos: u32 = time.sortable()["2026-06-13T00:00:00.".len()..][..9].parse().unwrap();
    Duration::new(u64::try_from(time.unix_seconds()).unwrap(), nanos)
}

/// The attributes of a message: what stands in its body.
fn attributes_of(event: &Value) -> Value {
    let data = &event["data"];
    let mut attributes =
        json!({"provider": data["provider"], "final": data["final"].to_string(), "type": event["type"]});
    if let Some(outcome) = data["outcome"].as_str() {
        attributes["outcome"] = outcome.into();
    }
    attributes
}

/// The place of a session in the lists by status, as the index has it: the status, since when, and what is filtered by.
fn place_in_lists(state: &Map<String, Value>) -> Value {
    let (status, _shard) = text(state, "standingShard").split_once('#').unwrap_or_default();
    let (since, _digest) = text(state, "standingAt").split_once('#').unwrap_or_default();
    json!([status, Timestamp::parse(since), state.get("provider"), state.get("outcome")])
}

/// What a webhook says of a session, as far as the claim tells.
fn said(claim: &Claim) -> Value {
    let check = claim.check.as_ref().map(|(name, outcome)| json!({name: [outcome, claim.check_codes]}));
    json!({
        "stage": claim.stage,
        "outcome": claim.outcome,
        "reasonCodes": claim.reason_codes,
        "checks": check.unwrap_or_else(|| json!({})),
        "at": claim.at,
        "isUndated": claim.is_undated,
        "attempt": claim.attempt,
        "reference": claim.reference,
    })
}

/// The same of the event that it was read as.
fn read(event: &Value, claim: &Claim) -> Value {
    let checks = event["checks"].as_object().into_iter().flatten();
    let codes = |check: &Value| check.get("reasonCodes").cloned().unwrap_or_else(|| json!([]));
    let checks: Map<String, Value> =
        checks.map(|(name, check)| (name.clone(), json!([check["outcome"], codes(check)]))).collect();
    // Treezor's webhooks have a time of their own, in place of a payload's.
    let at = if claim.is_undated { &Value::Null } else { &event["occurredAt"] };
    json!({
        "stage": event["stage"],
        "outcome": event["decision"]["outcome"],
        "reasonCodes": Fact::of(event).codes(),
        "checks": checks,
        "at": at,
        "isUndated": event["undated"] == true,
        "attempt": event["attemptId"],
        "reference": event["subject"]["reference"],
    })
}

fn text<'i>(item: &'i Map<String, Value>, name: &str) -> &'i str {
    item[name].as_str().unwrap_or_default()
}

/// What a webhook of Treezor's says of a session, and how its name has that read.
fn part_of(body: &Value, session: &str) -> Option<(Value, &'static str)> {
    let payload = &body["object_payload"];
    let list = ["users", "documents"].into_iter().find_map(|list| payload[list].as_array());
    let is_own = |entry: &&Value| entry["userId"].as_str().is_some_and(|id| session == format!("treezor/user:{id}"));
    let is_of_session = || {
        let id = payload["transactionNumber"].as_str();
        is_bound(body) || id.is_some_and(|id| session == format!("treezor/identification:{id}"))
    };
    let own = match list {
        Some(entries) => entries.iter().find(is_own)?,
        None => Some(payload).filter(|_| is_of_session())?,
    };
    let reading = match body["webhook"].as_str() {
        Some("user.kycrequest") if payload.get("users").is_some() => "request",
        Some("document.create") if payload.get("documents").is_some() => "new document",
        _ => "any",
    };
    Some((own.clone(), reading))
}

/// Whether the payload that is signed doesn't say what identification it is about.
fn is_bound(body: &Value) -> bool {
    body["object_payload"].get("kyc-status").is_some()
}

/// What a claim comes to if its payload was recorded before as another name has it read.
fn of_second_reading(claim: &Claim) -> Claim {
    let claim = claim.clone();
    Claim { outcome: None, reason_codes: Vec::new(), check: None, check_codes: Vec::new(), reference: None, ..claim }
}

/// Returns whether a stored payload is the sent one, or a subject's own part of it, in what is known of the envelope.
fn is_part_of(stored: &Value, sent: &Value) -> bool {
    let is_part = |(name, value): (&String, &Value)| match name.as_str() {
        "object_payload" => ["users", "documents"]
            .into_iter()
            .find_map(|list| Some((value[list].as_array()?, sent[name][list].as_array()?)))
            .map_or(sent[name] == *value, |(own, all)| own.len() == 1 && all.contains(&own[0])),
        _ => sent[name] == *value,
    };
    let is_narrowed = sent.get("object_payload").is_some() && stored.get("object_payload").is_some();
    stored == sent || is_narrowed && stored.as_object().is_some_and(|stored| stored.iter().all(is_part))
}

fn hex_digest(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
