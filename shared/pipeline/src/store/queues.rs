//! The queues: decisions for their consumers, intake for webhooks that wait for `replay`, quarantine for unreadable
//! ones that wait for an operator, wake-up for sessions that the poller should ask about now.

use super::{
    aws_error::AwsError,
    queued_webhook::{IntakeMessage, QueuedWebhook},
    table::outbox::OutboxEntry,
    wake_up::{DuePoll, WakeUp},
};
use crate::time::deadline::Elapsed;
use aws_sdk_sqs::{
    config::{ConfigBag, Intercept, interceptors::BeforeTransmitInterceptorContextRef},
    error::BoxError,
    operation::send_message::builders::SendMessageFluentBuilder,
    types::{MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue},
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::{
    borrow::Cow,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use thiserror::Error;
use verdict_sessions::{Notification, Trace};
use verdict_webhooks::sha256_hex;

/// The decisions queue: FIFO, one group a session, so that a session's decisions stay in order.
#[derive(Clone, Debug)]
pub(crate) struct DecisionsQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl DecisionsQueue {
    pub(crate) fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        Self { client, url }
    }

    /// Publishes a notification. SQS drops a copy that comes within five minutes.
    ///
    /// # Errors
    /// [`AwsError`] if SQS did not confirm it.
    pub(crate) async fn publish(&self, entry: &OutboxEntry) -> Result<Published, AwsError> {
        let OutboxEntry { notification, trace, .. } = entry;
        let send = self.message(notification, *trace)?.message_deduplication_id(fifo_id(&notification.id()));
        let attempts = Attempts::default();
        let answer = send.customize().interceptor(attempts.clone()).send().await?;
        Ok(Published { message_id: answer.message_id.unwrap_or_default(), attempt: attempts.so_far() })
    }

    /// Publishes a notification again, on a request: the same message, marked as one that is sent again. SQS drops a
    /// copy for the same request that comes within five minutes, and none for another one.
    ///
    /// # Errors
    /// [`AwsError`] if SQS did not confirm it.
    pub(crate) async fn publish_again(
        &self,
        notification: &Notification,
        trace: Option<Trace>,
        request: &str,
    ) -> Result<(), AwsError> {
        // A notification's own id begins with its provider.
        let id = format!("resent/{request}/{}", notification.sequence);
        let send = self.message(notification, trace)?.message_deduplication_id(fifo_id(&id));
        send.message_attributes(RESENT, text("true")).send().await?;
        Ok(())
    }

    /// The message of a notification, except for its deduplication id.
    fn message(&self, notification: &Notification, trace: Option<Trace>) -> Result<SendMessageFluentBuilder, AwsError> {
        let is_final = if notification.is_final { "true" } else { "false" };
        let event = notification.cloud_event().in_trace(trace);
        let body = serde_json::to_string(&event).map_err(|_| AwsError::request_not_built())?;
        let send = in_trace(self.client.send_message(), trace)
            .queue_url(&self.url)
            .message_group_id(fifo_id(&notification.session.to_string()))
            .message_body(ascii(&body))
            .message_attributes("provider", text(notification.provider().as_str()))
            .message_attributes("final", text(is_final))
            .message_attributes("type", text(notification.notification_type().as_str()));
        Ok(match notification.outcome {
            Some(outcome) => send.message_attributes("outcome", text(outcome.as_str())),
            None => send,
        })
    }
}

/// The attribute of a message that is sent again, on an operator's request.
const RESENT: &str = "resent";

/// SQS's confirmation of a message.
pub(crate) struct Published {
    /// SQS's id of the message.
    pub(crate) message_id: String,
    /// The SDK's try that SQS answered: it repeats a call without an answer.
    pub(crate) attempt: u32,
}

/// Counts the SDK's tries of one call.
#[derive(Clone, Debug, Default)]
struct Attempts(Arc<AtomicU32>);

impl Attempts {
    fn so_far(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// The intake queue: genuine webhooks that the table could not take in time.
#[derive(Clone, Debug)]
pub(crate) struct IntakeQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

/// The quarantine: genuine webhooks that can't be read.
#[derive(Clone, Debug)]
pub(crate) struct QuarantineQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

/// The wake-up queue: sessions that the poller should ask about now.
#[derive(Clone, Debug)]
pub(crate) struct WakeUpQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

/// The reason for which a webhook could not be put on a queue.
#[derive(Debug, Error)]
pub(crate) enum EnqueueError {
    /// Larger than a message may be, even minimised and compressed.
    #[error("too large for a message, even minimised and compressed")]
    TooLarge,
    /// SQS did not confirm it.
    #[error(transparent)]
    Sqs(#[from] AwsError),
    /// The deadline came first.
    #[error(transparent)]
    Deadline(#[from] Elapsed),
}

/// SQS's limit for a message with its attributes, in bytes, less room for the attributes.
const MESSAGE_LIMIT: usize = 1024 * 1024 - 1024;

impl IntakeQueue {
    pub(crate) fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        Self { client, url }
    }

    /// Puts a webhook on the queue, for `replay` to record.
    ///
    /// # Errors
    /// [`EnqueueError`]. It may not be on the queue then, and the provider should send it again.
    pub(crate) async fn enqueue(&self, webhook: QueuedWebhook) -> Result<(), EnqueueError> {
        let send = self.client.send_message().queue_url(&self.url);
        send_webhook(send, webhook).await
    }

    /// Hides a received message for a while from now on, in whole seconds.
    ///
    /// # Errors
    /// [`AwsError`]. The message comes back when the queue's own visibility timeout ends then.
    pub(crate) async fn put_off(&self, receipt_handle: &str, pause: Duration) -> Result<(), AwsError> {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(i32::try_from(pause.as_secs()).unwrap_or(i32::MAX))
            .send()
            .await?;
        Ok(())
    }
}

impl QuarantineQueue {
    pub(crate) fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        Self { client, url }
    }

    /// Puts a webhook in quarantine, for an operator. It should have a reason.
    ///
    /// # Errors
    /// [`EnqueueError`]. It may not be there then, and has to be sent or received again.
    pub(crate) async fn enqueue(&self, webhook: QueuedWebhook) -> Result<(), EnqueueError> {
        let reason = webhook.reason().unwrap_or("unknown").to_owned();
        let send = self.client.send_message().queue_url(&self.url).message_attributes("reason", text(&reason));
        send_webhook(send, webhook).await
    }
}

impl WakeUpQueue {
    pub(crate) fn new(client: aws_sdk_sqs::Client, url: String) -> Self {
        Self { client, url }
    }

    /// Tells the poller of a session on the schedule that is due, in the trace of what made it due.
    ///
    /// # Errors
    /// [`AwsError`] if SQS did not confirm it. The poller's next run finds the session on the schedule.
    pub(crate) async fn send(&self, due: DuePoll, trace: Option<Trace>) -> Result<(), AwsError> {
        let body = serde_json::to_string(&WakeUp::Due(due)).map_err(|_| AwsError::request_not_built())?;
        let send = in_trace(self.client.send_message(), trace);
        send.queue_url(&self.url).message_body(ascii(&body)).send().await?;
        Ok(())
    }
}

async fn send_webhook(send: SendMessageFluentBuilder, webhook: QueuedWebhook) -> Result<(), EnqueueError> {
    let (provider, send) = (webhook.provider(), in_trace(send, webhook.trace()));
    let body =
        serde_json::to_string(&IntakeMessage::Webhook(webhook.into())).map_err(|_| AwsError::request_not_built())?;
    let body = ascii(&body);
    if body.len() > MESSAGE_LIMIT {
        return Err(EnqueueError::TooLarge);
    }
    let send = send.message_body(body).message_attributes("provider", text(provider.as_str()));
    send.send().await.map_err(AwsError::from)?;
    Ok(())
}

/// A message in a trace, so that X-Ray shows its receiver's work there. The size of a message doesn't count this.
fn in_trace(send: SendMessageFluentBuilder, trace: Option<Trace>) -> SendMessageFluentBuilder {
    let Some(trace) = trace else { return send };
    let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace.to_string()).build();
    match value {
        Ok(value) => send.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value),
        Err(_) => send,
    }
}

#[expect(clippy::expect_used, reason = "both members that the type requires are given")]
fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().expect("complete")
}

/// SQS takes 128 characters of ASCII letters, digits and punctuation as a group or deduplication id;
/// anything else goes in as its SHA-256.
fn fifo_id(id: &str) -> Cow<'_, str> {
    if (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        Cow::Borrowed(id)
    } else {
        Cow::Owned(sha256_hex(id.as_bytes()))
    }
}

/// JSON in ASCII alone: SQS refuses U+FFFE, U+FFFF and most controls, and in JSON all of them can only
/// stand in a string, where an escape means the same.
fn ascii(json: &str) -> Cow<'_, str> {
    if json.is_ascii() {
        return Cow::Borrowed(json);
    }
    let mut units = [0; 2];
    Cow::Owned(json.chars().fold(String::with_capacity(json.len() * 2), |mut out, character| {
        if character.is_ascii() {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut units) {
                // Writing to a string never fails.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
        out
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifo_ids_are_kept_where_sqs_takes_them() {
        assert_eq!(fifo_id("veriff/f04bdb47-d3be/1"), "veriff/f04bdb47-d3be/1");
        for refused in ["a b", "é", "\u{0}", &"x".repeat(129)] {
            assert_eq!(fifo_id(refused).len(), 64, "{refused:?}");
        }
    }

    #[test]
    fn ascii_json_means_the_same() {
        let json = serde_json::json!({"é": "\u{fffe}\u{ffff}\u{10ffff}😀\u{0}\u{7f}"}).to_string();
        let ascii = ascii(&json);
        assert!(ascii.is_ascii());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&ascii).unwrap(),
            serde_json::from_str::<serde_json::Value>(&json).unwrap()
        );
    }
}
