//! A handler of Veriff's decision webhook over the stock SDK that calls as often as Verdict does, for the same reasons: it
//! looks for the event and the session, writes the event, its payload, the session and an outbox entry in one transaction,
//! sends the message, and turns the entry into what was told in another transaction.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::{
    error::BuildError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem, builders::PutBuilder},
};
use lambda_http::{Body, Error, Request, Response, http::StatusCode, run, service_fn, tracing};
use serde_json::Value;
use std::{
    collections::HashMap,
    env,
    time::{Duration, SystemTime},
};
use veriff::{Credentials, Decision, answer, digest};

/// The time for which a payload is kept.
const RETENTION: Duration = Duration::from_secs(400 * 24 * 3600);

/// The time after which a job of one's own would publish an entry that is still there.
const GRACE: Duration = Duration::from_secs(10);

type Item = HashMap<String, AttributeValue>;

struct Handler {
    credentials: Credentials,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    table: String,
    queue: String,
}

/// What the table knows of a webhook and its session.
#[derive(Default)]
struct Known {
    is_copy: bool,
    session: Option<Item>,
}

/// A message, and its place in the session.
struct Notification {
    sequence: u64,
    message: Value,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let handler = Handler {
        credentials: Credentials::from_env()?,
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        sqs: aws_sdk_sqs::Client::new(&config),
        table: env::var("SESSIONS_TABLE")?,
        queue: env::var("DECISIONS_QUEUE_URL")?,
    };
    run(service_fn(|request| handler.handle(request))).await
}

impl Handler {
    async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        if !self.credentials.prove(&request) {
            return answer(StatusCode::UNAUTHORIZED);
        }
        let body = request.body();
        let Some(decision) = Decision::from_webhook(body)? else { return answer(StatusCode::OK) };
        let event_id = digest(body);
        let known = self.known(&decision, &event_id).await?;
        if !known.is_copy {
            let notification = known.notification(&decision);
            self.record(&decision, &event_id, body, &known, notification.as_ref()).await?;
            if let Some(notification) = notification {
                let message_id = self.publish(&decision, &notification).await?;
                self.confirm(&decision, &notification, &message_id).await?;
            }
        }
        answer(StatusCode::OK)
    }

    async fn known(&self, decision: &Decision, event_id: &str) -> Result<Known, Error> {
        let keys = [key(decision, "STATE"), key(decision, &format!("EVENT#{event_id}"))];
        let keys = KeysAndAttributes::builder().set_keys(Some(keys.into())).consistent_read(true).build()?;
        let answer = self.dynamodb.batch_get_item().request_items(&self.table, keys).send().await?;
        if answer.unprocessed_keys.is_some_and(|keys| !keys.is_empty()) {
            return Err("the table is throttled".into());
        }
        let items = answer.responses.into_iter().flat_map(HashMap::into_values).flatten();
        Ok(items.fold(Known::default(), |known, item| match text_of(&item, "sk") {
            Some("STATE") => Known { session: Some(item), ..known },
            _ => Known { is_copy: true, ..known },
        }))
    }

    async fn record(
        &self,
        decision: &Decision,
        event_id: &str,
        body: &[u8],
        known: &Known,
        notification: Option<&Notification>,
    ) -> Result<(), Error> {
        let mut event = described(decision, &format!("EVENT#{event_id}"));
        event.insert("receivedAt".to_owned(), number(unix(Duration::ZERO)?));
        event.insert("bodySha256".to_owned(), text(event_id));
        let mut payload = key(decision, &format!("PAYLOAD#{event_id}"));
        payload.insert("payload".to_owned(), text(str::from_utf8(body)?));
        payload.insert("expiresAt".to_owned(), number(unix(RETENTION)?));
        let mut writes = vec![
            self.put(event, |put| put.condition_expression("attribute_not_exists(pk)"))?,
            self.put(payload, |put| put)?,
            self.put_session(decision, known, notification)?,
        ];
        if let Some(notification) = notification {
            let mut entry = told(decision, "NOTIFICATION", notification);
            entry.insert("dueShard".to_owned(), text("outbox#0"));
            entry.insert("dueAt".to_owned(), text(&unix(GRACE)?.to_string()));
            writes.push(self.put(entry, |put| put)?);
        }
        match self.dynamodb.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.into_service_error() {
                // A copy was faster, or another webhook of the session: Veriff sends this one again.
                TransactWriteItemsError::TransactionCanceledException(_) => Err("another writer was faster".into()),
                error => Err(error.into()),
            },
        }
    }

    /// Puts the session, if no other writer has changed it since it was read. A later decision stays.
    fn put_session(
        &self,
        decision: &Decision,
        known: &Known,
        notification: Option<&Notification>,
    ) -> Result<TransactWriteItem, Error> {
        let version = known.number("version");
        let mut session = match &known.session {
            Some(before) if known.is_later_than(decision) => before.clone(),
            _ => described(decision, "STATE"),
        };
        let last = notification.map_or(known.number("notifications"), |notification| notification.sequence);
        session.insert("version".to_owned(), number(version + 1));
        session.insert("notifications".to_owned(), number(last));
        let put = self.put(session, |put| match version {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            before => put
                .condition_expression("#version = :before")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":before", number(before)),
        });
        Ok(put?)
    }

    async fn publish(&self, decision: &Decision, notification: &Notification) -> Result<String, Error> {
        let sent = self
            .sqs
            .send_message()
            .queue_url(&self.queue)
            .message_group_id(format!("veriff/{}", decision.id))
            .message_deduplication_id(format!("veriff/{}/{}", decision.id, notification.sequence))
            .message_body(notification.message.to_string())
            .send()
            .await?;
        Ok(sent.message_id.unwrap_or_default())
    }

    async fn confirm(&self, decision: &Decision, notification: &Notification, message_id: &str) -> Result<(), Error> {
        let entry = key(decision, &format!("NOTIFICATION#{}", notification.sequence));
        let delete = Delete::builder().table_name(&self.table).set_key(Some(entry)).build()?;
        let mut told = told(decision, "TOLD", notification);
        told.insert("messageId".to_owned(), text(message_id));
        told.insert("toldAt".to_owned(), number(unix(Duration::ZERO)?));
        let delete = TransactWriteItem::builder().delete(delete).build();
        let writes = vec![delete, self.put(told, |put| put)?];
        self.dynamodb.transact_write_items().set_transact_items(Some(writes)).send().await?;
        Ok(())
    }

    fn put(
        &self,
        item: Item,
        condition: impl FnOnce(PutBuilder) -> PutBuilder,
    ) -> Result<TransactWriteItem, BuildError> {
        let put = condition(Put::builder().table_name(&self.table).set_item(Some(item))).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

impl Known {
    /// The message that a decision makes due, if it changes the outcome.
    fn notification(&self, decision: &Decision) -> Option<Notification> {
        let before = self.session.as_ref().and_then(|session| text_of(session, "outcome"));
        let is_change = before != Some(&decision.status) && !self.is_later_than(decision);
        is_change
            .then(|| Notification { sequence: self.number("notifications") + 1, message: decision.message(before) })
    }

    fn is_later_than(&self, decision: &Decision) -> bool {
        let at = self.session.as_ref().and_then(|session| text_of(session, "decidedAt"));
        at.is_some_and(|at| at > decision.decided_at())
    }

    fn number(&self, name: &str) -> u64 {
        let number = self.session.as_ref().and_then(|session| session.get(name)?.as_n().ok()?.parse().ok());
        number.unwrap_or_default()
    }
}

fn key(decision: &Decision, sk: &str) -> Item {
    HashMap::from([("pk".to_owned(), text(&decision.partition())), ("sk".to_owned(), text(sk))])
}

/// An item that says what was decided.
fn described(decision: &Decision, sk: &str) -> Item {
    let mut item = key(decision, sk);
    item.extend([
        ("outcome".to_owned(), text(&decision.status)),
        ("code".to_owned(), number(decision.code.into())),
        ("decidedAt".to_owned(), text(decision.decided_at())),
    ]);
    let optional =
        [("attemptId", &decision.attempt_id), ("reason", &decision.reason), ("reference", &decision.vendor_data)];
    item.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value.as_ref()?)))));
    item
}

/// An item that holds a notification.
fn told(decision: &Decision, kind: &str, notification: &Notification) -> Item {
    let mut item = key(decision, &format!("{kind}#{}", notification.sequence));
    item.insert("notification".to_owned(), text(&notification.message.to_string()));
    item
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn text_of<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// The time in seconds since 1970, that much later than now.
fn unix(later: Duration) -> Result<u64, Error> {
    Ok((SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)? + later).as_secs())
}
