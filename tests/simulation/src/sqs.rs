//! A small SQS, behind its own JSON protocol: standard and FIFO queues with what the documentation says of deduplication,
//! order, visibility and redrive. A model and no emulator: no permissions, no long polling, no delays, no throttling.
//!
//! Rules are quoted from the Amazon SQS Developer Guide and API Reference in the tests below.

use crate::{Clock, network::Answer, template};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// How long SQS drops copies of a FIFO queue's message.
const DEDUPLICATION: Duration = Duration::from_mins(5);

/// The most that a message, or all messages of a batch, may hold, in bytes.
const SIZE_LIMIT: usize = 1024 * 1024;

/// The longest that a message may be kept from other receivers.
const LONGEST_VISIBILITY: Duration = Duration::from_hours(12);

/// How a queue behaves.
#[derive(Clone, Debug)]
pub struct QueueSettings {
    /// Whether it is FIFO, with deduplication by group.
    pub is_fifo: bool,
    /// How long a received message is kept from other receivers.
    pub visibility_timeout: Duration,
    /// How long a message is kept.
    pub retention: Duration,
    /// The dead-letter queue's name, and how often a message may be received before it goes there.
    pub redrive: Option<(String, u32)>,
}

impl QueueSettings {
    /// A queue of the template, whose dead-letter queue is known by its resource's name.
    #[must_use]
    pub fn of_template(resource: &str) -> Self {
        let queue = template::queue(resource);
        Self {
            is_fifo: queue.is_fifo,
            visibility_timeout: queue.visibility_timeout,
            retention: queue.retention,
            redrive: queue.redrive.map(|(name, count)| (name.to_owned(), count)),
        }
    }
}

/// A message that a queue took: no copy that it dropped.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The body.
    pub body: String,
    /// A FIFO queue's message group.
    pub group: Option<String>,
    /// A FIFO queue's deduplication id.
    pub deduplication_id: Option<String>,
    /// SQS's id of it.
    pub message_id: String,
    /// The texts of its attributes, by name.
    pub attributes: BTreeMap<String, String>,
    /// X-Ray's header, if it is in a trace.
    pub trace: Option<String>,
    /// When, since the start of Unix time.
    pub at: Duration,
}

/// The queues.
pub struct Sqs {
    clock: Clock,
    queues: BTreeMap<String, Queue>,
    messages: u64,
}

struct Queue {
    settings: QueueSettings,
    /// In the order sent.
    messages: Vec<Message>,
    /// What was sent within the last five minutes, by group and deduplication id.
    recent: BTreeMap<(String, String), (Duration, Sent)>,
    accepted: Vec<Accepted>,
}

#[derive(Clone, Debug)]
struct Sent {
    message_id: String,
    /// Compared by SDKs with their own.
    md5_of_body: String,
    sequence: Option<String>,
}

#[derive(Clone, Debug)]
struct Message {
    id: String,
    body: String,
    attributes: Map<String, Value>,
    group: Option<String>,
    deduplication_id: Option<String>,
    sequence: Option<String>,
    trace: Option<String>,
    sent_at: Duration,
    first_received_at: Option<Duration>,
    receive_count: u32,
    /// The handle of the latest receipt, and until when it keeps others out.
    receipt: Option<(String, Duration)>,
}

impl Message {
    fn is_in_flight(&self, now: Duration) -> bool {
        self.receipt.as_ref().is_some_and(|(_, until)| now < *until)
    }
}

/// Why SQS refuses a request: its code and its words.
struct Refusal(&'static str, String);

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self(code, message.into())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "the protocol's own names")]
struct SendMessage {
    message_body: String,
    #[serde(default)]
    message_attributes: Map<String, Value>,
    #[serde(default)]
    message_system_attributes: Map<String, Value>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveMessage {
    #[serde(default = "one")]
    max_number_of_messages: usize,
    visibility_timeout: Option<u64>,
}

fn one() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteMessage {
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeMessageVisibility {
    receipt_handle: String,
    visibility_timeout: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    entries: Vec<Value>,
}

impl Sqs {
    /// No queues yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, queues: BTreeMap::new(), messages: 0 }
    }

    /// Creates a queue. Its dead-letter queue is looked up when it is needed.
    pub fn create(&mut self, name: &str, settings: QueueSettings) {
        let queue = Queue { settings, messages: Vec::new(), recent: BTreeMap::new(), accepted: Vec::new() };
        self.queues.insert(name.to_owned(), queue);
    }

    /// A queue's URL.
    #[must_use]
    pub fn url(name: &str) -> String {
        format!("https://sqs.simulation.example/123456789012/{name}")
    }

    /// The time, since the start of Unix time.
    pub(crate) fn now(&self) -> Duration {
        self.clock.since_epoch()
    }

    /// How a queue behaves.
    #[must_use]
    pub fn settings(&self, queue: &str) -> QueueSettings {
        self.queues[queue].settings.clone()
    }

    /// Every message that a queue took, in order, received and deleted ones included; those redriven to it are not.
    #[must_use]
    pub fn accepted(&self, queue: &str) -> Vec<Accepted> {
        self.queues[queue].accepted.clone()
    }

    /// How many messages a queue took.
    #[must_use]
    pub fn accepted_count(&self, queue: &str) -> usize {
        self.queues[queue].accepted.len()
    }

    /// The bodies of the messages that are in a queue, in flight or not.
    #[must_use]
    pub fn held(&self, queue: &str) -> Vec<String> {
        let (queue, now) = (&self.queues[queue], self.clock.since_epoch());
        let is_kept = |message: &&Message| now < message.sent_at + queue.settings.retention;
        queue.messages.iter().filter(is_kept).map(|message| message.body.clone()).collect()
    }

    /// What `start-message-move-task` does: sends what is in a dead-letter queue to another one, with its ids, and says how
    /// many messages there were. "Redriven messages are considered as new messages": their counts and times start again,
    /// and as there is no deduplication of what was moved, one that the queue had taken comes again.
    ///
    /// # Panics
    /// If a queue doesn't exist.
    pub fn redrive_dead_letters(&mut self, from: &str, to: &str) -> usize {
        let now = self.clock.since_epoch();
        let dead = std::mem::take(&mut self.queues.get_mut(from).expect("the queue exists").messages);
        let count = dead.len();
        let again = dead.into_iter().map(|message| Message {
            sent_at: now,
            first_received_at: None,
            receive_count: 0,
            receipt: None,
            ..message
        });
        self.queues.get_mut(to).expect("the queue exists").messages.extend(again);
        count
    }

    /// Does what a request of the JSON protocol says.
    pub fn answer(&mut self, operation: &str, request: &[u8]) -> Answer {
        match self.run(operation, request) {
            Ok(answer) => Answer { status: 200, body: answer.to_string() },
            Err(Refusal(code, message)) => Answer::error("com.amazonaws.sqs", code, &message),
        }
    }

    fn run(&mut self, operation: &str, request: &[u8]) -> Result<Value, Refusal> {
        let request: Value = serde_json::from_slice(request)
            .map_err(|malformed| Refusal::new("SerializationException", malformed.to_string()))?;
        let queue = request["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default().to_owned();
        if !self.queues.contains_key(&queue) {
            return Err(Refusal::new("QueueDoesNotExist", "The specified queue does not exist."));
        }
        match operation {
            "SendMessage" => self.send(&queue, read(request)?),
            "SendMessageBatch" => self.send_batch(&queue, read(request)?),
            "ReceiveMessage" => self.receive(&queue, &read(request)?),
            "DeleteMessage" => self.delete(&queue, &read(request)?),
            "DeleteMessageBatch" => each(read(request)?, |entry| self.delete(&queue, &read(entry)?)),
            "ChangeMessageVisibility" => self.change_visibility(&queue, &read(request)?),
            "ChangeMessageVisibilityBatch" => {
                each(read(request)?, |entry| self.change_visibility(&queue, &read(entry)?))
            }
            _ => Err(Refusal::new("UnknownOperationException", operation)),
        }
    }

    fn send_batch(&mut self, queue: &str, batch: Batch) -> Result<Value, Refusal> {
        let sends: Vec<SendMessage> = batch.entries.iter().cloned().map(read).collect::<Result<_, _>>()?;
        if sends.iter().map(size).sum::<usize>() > SIZE_LIMIT {
            return Err(Refusal::new("BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes."));
        }
        each(batch, |entry| self.send(queue, read(entry)?))
    }

    fn send(&mut self, name: &str, message: SendMessage) -> Result<Value, Refusal> {
        let now = self.clock.since_epoch();
        check(&message)?;
        let queue = self.queues.get_mut(name).unwrap();
        queue.recent.retain(|_, (sent_at, _)| now < *sent_at + DEDUPLICATION);
        let fifo = fifo_ids(&message, queue.settings.is_fifo)?;
        if let Some((_, sent)) = fifo.as_ref().and_then(|ids| queue.recent.get(ids)) {
            return Ok(sent.answer());
        }
        self.messages += 1;
        let sequence = fifo.is_some().then(|| format!("{:020}", self.messages));
        let sent = Sent {
            message_id: format!("00000000-0000-4000-8000-{:012}", self.messages),
            md5_of_body: format!("{:x}", md5::compute(&message.message_body)),
            sequence,
        };
        let (group, deduplication_id) = fifo.clone().unzip();
        let trace = message.message_system_attributes.get("AWSTraceHeader").map(text_of);
        queue.accepted.push(Accepted {
            body: message.message_body.clone(),
            group: group.clone(),
            deduplication_id: deduplication_id.clone(),
            message_id: sent.message_id.clone(),
            attributes: message.message_attributes.iter().map(|(name, value)| (name.clone(), text_of(value))).collect(),
            trace: trace.clone(),
            at: now,
        });
        queue.messages.push(Message {
            id: sent.message_id.clone(),
            body: message.message_body,
            attributes: message.message_attributes,
            group,
            deduplication_id,
            sequence: sent.sequence.clone(),
            trace,
            sent_at: now,
            first_received_at: None,
            receive_count: 0,
            receipt: None,
        });
        queue.recent.extend(fifo.map(|ids| (ids, (now, sent.clone()))));
        Ok(sent.answer())
    }

    fn receive(&mut self, name: &str, receive: &ReceiveMessage) -> Result<Value, Refusal> {
        if !(1..=10).contains(&receive.max_number_of_messages) {
            return Err(Refusal::new("InvalidParameterValue", "MaxNumberOfMessages must be between 1 and 10."));
        }
        self.redrive(name);
        let now = self.clock.since_epoch();
        let queue = self.queues.get_mut(name).unwrap();
        let hidden = receive.visibility_timeout.map_or(queue.settings.visibility_timeout, Duration::from_secs);
        let mut received = Vec::new();
        // A group that has a message in flight from before gives nothing; one of this receipt may give several.
        let busy: Vec<_> = queue
            .messages
            .iter()
            .filter(|message| message.is_in_flight(now))
            .map(|message| message.group.clone())
            .collect();
        for message in &mut queue.messages {
            let is_blocked = message.group.is_some() && busy.contains(&message.group);
            if received.len() == receive.max_number_of_messages || is_blocked || message.is_in_flight(now) {
                continue;
            }
            message.receive_count += 1;
            message.first_received_at.get_or_insert(now);
            let handle = format!("{}#{}", message.id, message.receive_count);
            received.push(message.as_received(&handle));
            message.receipt = Some((handle, now + hidden));
        }
        Ok(if received.is_empty() { json!({}) } else { json!({"Messages": received}) })
    }

    /// Ends what is over its time, and moves what has been received too often to the dead-letter queue.
    fn redrive(&mut self, name: &str) {
        let now = self.clock.since_epoch();
        let queue = self.queues.get_mut(name).unwrap();
        queue.messages.retain(|message| now < message.sent_at + queue.settings.retention);
        let Some((target, limit)) = queue.settings.redrive.clone() else { return };
        let is_worn_out = |message: &mut Message| message.receive_count >= limit && !message.is_in_flight(now);
        let dead: Vec<Message> = queue.messages.extract_if(.., is_worn_out).collect();
        let target = self.queues.get_mut(&target).expect("the dead-letter queue exists");
        target.messages.extend(dead.into_iter().map(|message| Message { receipt: None, ..message }));
    }

    fn delete(&mut self, name: &str, delete: &DeleteMessage) -> Result<Value, Refusal> {
        let now = self.clock.since_epoch();
        let queue = self.queues.get_mut(name).unwrap();
        let is_fifo = queue.settings.is_fifo;
        let found = queue.messages.iter().position(|message| message.is_received_as(&delete.receipt_handle));
        match found {
            Some(place) if is_fifo && !queue.messages[place].is_in_flight(now) => {
                Err(Refusal::new("InvalidParameterValue", "The receipt handle has expired."))
            }
            Some(place) => {
                queue.messages.remove(place);
                Ok(json!({}))
            }
            // Deleting what is gone, or with an older receipt, succeeds without effect.
            None => Ok(json!({})),
        }
    }

    fn change_visibility(&mut self, name: &str, change: &ChangeMessageVisibility) -> Result<Value, Refusal> {
        let now = self.clock.since_epoch();
        let hidden = Duration::from_secs(change.visibility_timeout);
        if hidden > LONGEST_VISIBILITY {
            return Err(Refusal::new("InvalidParameterValue", "VisibilityTimeout must be between 0 and 43200."));
        }
        let queue = self.queues.get_mut(name).unwrap();
        let received = queue
            .messages
            .iter_mut()
            .find(|message| message.is_received_as(&change.receipt_handle) && message.is_in_flight(now));
        match received.and_then(|message| message.receipt.as_mut()) {
            Some((_, until)) => {
                *until = now + hidden;
                Ok(json!({}))
            }
            None => Err(Refusal::new("MessageNotInflight", "The specified message isn't in flight.")),
        }
    }
}

impl Sent {
    fn answer(&self) -> Value {
        let mut answer = json!({"MessageId": self.message_id, "MD5OfMessageBody": self.md5_of_body});
        if let Some(sequence) = &self.sequence {
            answer["SequenceNumber"] = json!(sequence);
        }
        answer
    }
}

impl Message {
    fn is_received_as(&self, handle: &str) -> bool {
        self.receipt.as_ref().is_some_and(|(latest, _)| latest == handle)
    }

    fn as_received(&self, handle: &str) -> Value {
        let millis = |time: Duration| time.as_millis().to_string();
        let attributes = json!({
            "ApproximateReceiveCount": self.receive_count.to_string(),
            "SentTimestamp": millis(self.sent_at),
            "ApproximateFirstReceiveTimestamp": self.first_received_at.map(millis),
            "MessageGroupId": self.group,
            "MessageDeduplicationId": self.deduplication_id,
            "SequenceNumber": self.sequence,
            "AWSTraceHeader": self.trace,
        });
        let Value::Object(mut attributes) = attributes else { unreachable!("it is an object") };
        attributes.retain(|_, value| !value.is_null());
        json!({
            "MessageId": self.id,
            "ReceiptHandle": handle,
            "Body": self.body,
            "Attributes": attributes,
            "MessageAttributes": self.attributes,
        })
    }
}

fn read<T: DeserializeOwned>(request: Value) -> Result<T, Refusal> {
    serde_json::from_value(request).map_err(|missing| Refusal::new("MissingParameter", missing.to_string()))
}

/// An attribute's text.
fn text_of(attribute: &Value) -> String {
    attribute["StringValue"].as_str().unwrap_or_default().to_owned()
}

/// Does the same with each entry of a batch, and says of each what came of it.
fn each(batch: Batch, mut one: impl FnMut(Value) -> Result<Value, Refusal>) -> Result<Value, Refusal> {
    if !(1..=10).contains(&batch.entries.len()) {
        return Err(Refusal::new("TooManyEntriesInBatchRequest", "A batch holds 1 to 10 entries."));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in batch.entries {
        let id = entry["Id"].clone();
        match one(entry) {
            Ok(mut answer) => {
                answer["Id"] = id;
                successful.push(answer);
            }
            Err(Refusal(code, message)) => {
                failed.push(json!({"Id": id, "Code": code, "Message": message, "SenderFault": true}));
            }
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

/// A message's size: the body, and each attribute's name, type and value.
fn size(send: &SendMessage) -> usize {
    let attribute = |(name, value): (&String, &Value)| {
        let text = |member: &str| value[member].as_str().map_or(0, str::len);
        name.len() + text("DataType") + text("StringValue") + text("BinaryValue")
    };
    send.message_body.len() + send.message_attributes.iter().map(attribute).sum::<usize>()
}

fn check(send: &SendMessage) -> Result<(), Refusal> {
    if send.message_body.is_empty() {
        return Err(Refusal::new("MissingParameter", "The request must contain the parameter MessageBody."));
    }
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
    if !send.message_body.chars().all(is_allowed) {
        return Err(Refusal::new("InvalidMessageContents", "Invalid characters in the message."));
    }
    if size(send) > SIZE_LIMIT {
        return Err(Refusal::new("InvalidParameterValue", "Message must be shorter than 1048576 bytes."));
    }
    if send.message_attributes.len() > 10 {
        return Err(Refusal::new("InvalidParameterValue", "A message holds up to 10 attributes."));
    }
    Ok(())
}

/// The group and deduplication id that a FIFO queue wants, and a standard queue has no use for.
fn fifo_ids(send: &SendMessage, is_fifo: bool) -> Result<Option<(String, String)>, Refusal> {
    let usable = |id: &Option<String>| {
        let id = id.as_deref().filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()));
        id.map(str::to_owned)
    };
    if !is_fifo {
        return Ok(None);
    }
    let group = usable(&send.message_group_id)
        .ok_or_else(|| Refusal::new("MissingParameter", "The request must contain the parameter MessageGroupId."))?;
    let deduplication_id = usable(&send.message_deduplication_id).ok_or_else(|| {
        Refusal::new("InvalidParameterValue", "The queue should have ContentBasedDeduplication enabled.")
    })?;
    Ok(Some((group, deduplication_id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const STANDARD: &str = "standard";
    const FIFO: &str = "orders.fifo";
    const DEAD: &str = "dead";

    /// A standard queue whose messages die after three receipts, its dead-letter queue, and a FIFO queue.
    fn queues() -> Sqs {
        let mut sqs = Sqs::new(Clock::start());
        let settings = QueueSettings {
            is_fifo: false,
            visibility_timeout: Duration::from_secs(30),
            retention: Duration::from_hours(24),
            redrive: None,
        };
        sqs.create(DEAD, settings.clone());
        sqs.create(FIFO, QueueSettings { is_fifo: true, ..settings.clone() });
        sqs.create(STANDARD, QueueSettings { redrive: Some((DEAD.into(), 3)), ..settings });
        sqs
    }

    /// What SQS answers, or the code that it refuses with.
    fn call(sqs: &mut Sqs, operation: &str, queue: &str, mut request: Value) -> Result<Value, String> {
        request["QueueUrl"] = json!(Sqs::url(queue));
        let Answer { status, body } = sqs.answer(operation, request.to_string().as_bytes());
        let body: Value = serde_json::from_str(&body).unwrap();
        match status {
            200 => Ok(body),
            _ => Err(body["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned()),
        }
    }

    fn send(sqs: &mut Sqs, body: &str) {
        call(sqs, "SendMessage", STANDARD, json!({"MessageBody": body})).unwrap();
    }

    fn send_fifo(sqs: &mut Sqs, group: &str, id: &str) -> Value {
        let message = json!({"MessageBody": id, "MessageGroupId": group, "MessageDeduplicationId": id});
        call(sqs, "SendMessage", FIFO, message).unwrap()
    }

    fn receive(sqs: &mut Sqs, queue: &str) -> Vec<Value> {
        let mut answer = call(sqs, "ReceiveMessage", queue, json!({"MaxNumberOfMessages": 10})).unwrap();
        answer.get_mut("Messages").map_or(Vec::new(), |messages| messages.as_array().unwrap().clone())
    }

    fn bodies(messages: &[Value]) -> Vec<&str> {
        messages.iter().map(|message| message["Body"].as_str().unwrap()).collect()
    }

    fn delete(sqs: &mut Sqs, queue: &str, message: &Value) -> Result<Value, String> {
        call(sqs, "DeleteMessage", queue, json!({"ReceiptHandle": message["ReceiptHandle"]}))
    }

    /// "Immediately after a message is received, it remains in the queue. […] Amazon SQS sets a visibility timeout, a
    /// period during which other consumers can't receive and process the message."
    #[tokio::test(start_paused = true)]
    async fn a_received_message_is_hidden_until_its_timeout_ends() {
        let mut sqs = queues();
        send(&mut sqs, "a");
        assert_eq!(bodies(&receive(&mut sqs, STANDARD)), ["a"]);
        advance(Duration::from_secs(29)).await;
        assert!(receive(&mut sqs, STANDARD).is_empty());
        advance(Duration::from_secs(1)).await;
        let again = receive(&mut sqs, STANDARD);
        assert_eq!(again[0]["Attributes"]["ApproximateReceiveCount"], "2");
    }

    /// "If you receive a message more than once, each time you receive a message, you get a different receipt handle.
    /// You must provide the most recently received receipt handle when you request to delete the message (otherwise,
    /// the message might not be deleted)."
    #[tokio::test(start_paused = true)]
    async fn only_the_latest_receipt_deletes() {
        let mut sqs = queues();
        send(&mut sqs, "a");
        let first = receive(&mut sqs, STANDARD);
        advance(Duration::from_secs(30)).await;
        let second = receive(&mut sqs, STANDARD);
        delete(&mut sqs, STANDARD, &first[0]).unwrap();
        assert_eq!(sqs.held(STANDARD), ["a"]);
        delete(&mut sqs, STANDARD, &second[0]).unwrap();
        assert!(sqs.held(STANDARD).is_empty());
        delete(&mut sqs, STANDARD, &second[0]).expect("deleting what is gone succeeds");
    }

    /// "When the `ReceiveCount` for a message exceeds the `maxReceiveCount` for a queue, Amazon SQS moves the message to the
    /// dead-letter queue."
    #[tokio::test(start_paused = true)]
    async fn a_message_that_was_received_too_often_goes_to_the_dead_letter_queue() {
        let mut sqs = queues();
        send(&mut sqs, "poison");
        for _ in 0..3 {
            assert_eq!(bodies(&receive(&mut sqs, STANDARD)), ["poison"]);
            advance(Duration::from_secs(30)).await;
        }
        assert!(sqs.held(DEAD).is_empty(), "it moves when it would be received once more");
        assert!(receive(&mut sqs, STANDARD).is_empty());
        assert!(sqs.held(STANDARD).is_empty());
        assert_eq!(bodies(&receive(&mut sqs, DEAD)), ["poison"]);
    }

    /// "Redriven messages reset their retention period. All redriven messages are considered new messages with a new
    /// `messageID` and `enqueueTime` assigned to them." (The id stays here: nothing asks for it.)
    #[tokio::test(start_paused = true)]
    async fn a_dead_letter_that_is_redriven_comes_as_if_it_were_new() {
        let mut sqs = queues();
        send(&mut sqs, "poison");
        for _ in 0..4 {
            receive(&mut sqs, STANDARD);
            advance(Duration::from_secs(30)).await;
        }
        assert_eq!((sqs.held(DEAD), sqs.held(STANDARD)), (vec!["poison".to_owned()], vec![]));
        advance(Duration::from_hours(20)).await;
        assert_eq!(sqs.redrive_dead_letters(DEAD, STANDARD), 1);
        assert_eq!(sqs.held(DEAD), [""; 0]);
        let again = receive(&mut sqs, STANDARD);
        assert_eq!(again[0]["Attributes"]["ApproximateReceiveCount"], "1");
        advance(Duration::from_hours(20)).await;
        assert_eq!(sqs.held(STANDARD), ["poison"]);
    }

    /// "For standard queues, the expiration of a message is always based on its original enqueue timestamp. When a
    /// message is moved to a dead-letter queue, the enqueue timestamp is unchanged."
    #[tokio::test(start_paused = true)]
    async fn a_message_ends_with_its_retention_counted_from_when_it_was_sent() {
        let mut sqs = queues();
        send(&mut sqs, "a");
        for _ in 0..4 {
            receive(&mut sqs, STANDARD);
            advance(Duration::from_hours(5)).await;
        }
        assert_eq!(sqs.held(DEAD), ["a"]);
        advance(Duration::from_hours(4)).await;
        assert!(receive(&mut sqs, DEAD).is_empty());
        assert!(sqs.held(DEAD).is_empty());
    }

    /// "The visibility timeout begins from the time you make the API call to change […] You can set it to 0 […] The
    /// maximum is 12 hours"; "`MessageNotInflight`: The specified message isn't in flight."
    #[tokio::test(start_paused = true)]
    async fn visibility_can_be_changed_while_a_message_is_in_flight() {
        let mut sqs = queues();
        send(&mut sqs, "a");
        let message = receive(&mut sqs, STANDARD).remove(0);
        let change = |seconds: u64| json!({"ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": seconds});
        advance(Duration::from_secs(20)).await;
        call(&mut sqs, "ChangeMessageVisibility", STANDARD, change(60)).unwrap();
        advance(Duration::from_secs(59)).await;
        assert!(receive(&mut sqs, STANDARD).is_empty());
        let too_long = call(&mut sqs, "ChangeMessageVisibility", STANDARD, change(43_201));
        assert_eq!(too_long.unwrap_err(), "InvalidParameterValue");
        call(&mut sqs, "ChangeMessageVisibility", STANDARD, change(0)).unwrap();
        assert_eq!(call(&mut sqs, "ChangeMessageVisibility", STANDARD, change(9)).unwrap_err(), "MessageNotInflight");
        assert_eq!(bodies(&receive(&mut sqs, STANDARD)), ["a"]);
    }

    /// "The minimum […] maximum is 1,048,576 bytes (1 MiB)" with attributes; "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000
    /// to #xFFFD | #x10000 to #x10FFFF. Amazon SQS […] rejects" others.
    #[tokio::test(start_paused = true)]
    async fn a_message_has_its_size_and_its_characters() {
        let mut sqs = queues();
        let mut send = |body: &str, attribute: &str| {
            let attributes = json!({"a": {"DataType": "String", "StringValue": attribute}});
            call(&mut sqs, "SendMessage", STANDARD, json!({"MessageBody": body, "MessageAttributes": attributes}))
        };
        let longest = "x".repeat(1_048_576 - 1 - 6 - 1);
        send(&longest, "v").unwrap();
        assert_eq!(send(&longest, "vw").unwrap_err(), "InvalidParameterValue");
        assert_eq!(send("", "v").unwrap_err(), "MissingParameter");
        for refused in ["\u{0}", "\u{b}", "\u{fffe}", "\u{ffff}"] {
            assert_eq!(send(refused, "v").unwrap_err(), "InvalidMessageContents");
        }
        send("\t\n\r é😀\u{7f}", "v").unwrap();
    }

    /// "If a message with a particular message deduplication ID is sent successfully, any messages sent with the same
    /// message deduplication ID are accepted successfully but aren't delivered during the 5-minute deduplication
    /// interval." That holds for a message that has been received and deleted, too.
    #[tokio::test(start_paused = true)]
    async fn a_fifo_queue_drops_copies_for_five_minutes() {
        let mut sqs = queues();
        let first = send_fifo(&mut sqs, "g", "1");
        let message = receive(&mut sqs, FIFO).remove(0);
        delete(&mut sqs, FIFO, &message).unwrap();
        advance(Duration::from_secs(299)).await;
        assert_eq!(send_fifo(&mut sqs, "g", "1"), first, "it is answered as the first was");
        assert!(receive(&mut sqs, FIFO).is_empty());
        send_fifo(&mut sqs, "other", "1");
        assert_eq!(bodies(&receive(&mut sqs, FIFO)), ["1"], "with high throughput the scope is the message group");
        advance(Duration::from_secs(1)).await;
        assert_ne!(send_fifo(&mut sqs, "g", "1"), first);
        assert_eq!(sqs.accepted(FIFO).len(), 3);
    }

    /// "When you receive a message with a message group ID, no more messages for the same message group ID are returned
    /// unless you delete the message or it becomes visible." Within a group, order is kept; several may come at once.
    #[tokio::test(start_paused = true)]
    async fn a_group_keeps_its_order_and_waits_for_what_is_in_flight() {
        let mut sqs = queues();
        for (group, id) in [("g", "1"), ("g", "2"), ("h", "3"), ("g", "4")] {
            send_fifo(&mut sqs, group, id);
        }
        let two = call(&mut sqs, "ReceiveMessage", FIFO, json!({"MaxNumberOfMessages": 2})).unwrap();
        let two = two["Messages"].as_array().unwrap();
        assert_eq!(bodies(two), ["1", "2"]);
        assert_eq!(bodies(&receive(&mut sqs, FIFO)), ["3"], "another group goes on");
        delete(&mut sqs, FIFO, &two[0]).unwrap();
        assert!(receive(&mut sqs, FIFO).is_empty(), "2 is still in flight");
        advance(Duration::from_secs(30)).await;
        let late = delete(&mut sqs, FIFO, &two[1]);
        assert_eq!(late.unwrap_err(), "InvalidParameterValue", "a FIFO queue refuses a receipt that has expired");
        assert_eq!(bodies(&receive(&mut sqs, FIFO)), ["2", "3", "4"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fifo_message_without_its_ids_is_refused() {
        let mut sqs = queues();
        let no_group = json!({"MessageBody": "a", "MessageDeduplicationId": "1"});
        assert_eq!(call(&mut sqs, "SendMessage", FIFO, no_group).unwrap_err(), "MissingParameter");
        let no_id = json!({"MessageBody": "a", "MessageGroupId": "g"});
        assert_eq!(call(&mut sqs, "SendMessage", FIFO, no_id).unwrap_err(), "InvalidParameterValue");
        let absent = call(&mut sqs, "SendMessage", "absent", json!({"MessageBody": "a"}));
        assert_eq!(absent.unwrap_err(), "QueueDoesNotExist");
    }

    /// "The result of the action on each message is reported individually in the response."
    #[tokio::test(start_paused = true)]
    async fn a_batch_says_of_each_entry_what_came_of_it() {
        let mut sqs = queues();
        let entries = json!({"Entries": [{"Id": "0", "MessageBody": "a"}, {"Id": "1", "MessageBody": "\u{0}"}]});
        let sent = call(&mut sqs, "SendMessageBatch", STANDARD, entries).unwrap();
        assert_eq!((&sent["Successful"][0]["Id"], &sent["Failed"][0]["Id"]), (&json!("0"), &json!("1")));
        let handle = receive(&mut sqs, STANDARD)[0]["ReceiptHandle"].clone();
        let change = json!({"Entries": [{"Id": "0", "ReceiptHandle": handle, "VisibilityTimeout": 0},
            {"Id": "1", "ReceiptHandle": "none", "VisibilityTimeout": 0}]});
        let changed = call(&mut sqs, "ChangeMessageVisibilityBatch", STANDARD, change).unwrap();
        assert_eq!(changed["Failed"][0]["Code"], "MessageNotInflight");
        let handle = receive(&mut sqs, STANDARD)[0]["ReceiptHandle"].clone();
        let delete = json!({"Entries": [{"Id": "0", "ReceiptHandle": handle}]});
        call(&mut sqs, "DeleteMessageBatch", STANDARD, delete).unwrap();
        assert!(sqs.held(STANDARD).is_empty());
        let half = "x".repeat(600_000);
        let large = json!({"Entries": [{"Id": "0", "MessageBody": half}, {"Id": "1", "MessageBody": half}]});
        assert_eq!(call(&mut sqs, "SendMessageBatch", STANDARD, large).unwrap_err(), "BatchRequestTooLong");
    }
}
