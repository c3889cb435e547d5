//! Quarantining: a webhook that can't be read waits for an operator.

use super::handling::{Failure, Handling};
use crate::{
    store::{
        aws_error::AwsError,
        queued_webhook::QueuedWebhook,
        queues::{EnqueueError, QuarantineQueue},
    },
    time::deadline::Deadline,
};
use verdict_webhooks::Unreadable;

/// Puts a webhook in quarantine, with the reason for which it can't be read.
pub(crate) async fn quarantine(
    queue: &QuarantineQueue,
    webhook: Result<QueuedWebhook, AwsError>,
    unreadable: Unreadable,
    deadline: Deadline,
) -> Handling {
    let enqueue = async { queue.enqueue(webhook?.because(unreadable)).await };
    match deadline.try_bound(enqueue).await {
        Ok(()) => {
            if Unreadable::of_call(unreadable.code()).is_some() {
                // What an operator has to do, in words that name nothing of it.
                tracing::warn!("{unreadable}");
            }
            Handling::quarantined(unreadable)
        }
        Err(error) => {
            tracing::error!(%error, "could not quarantine");
            Handling::failed(match error {
                EnqueueError::Deadline(_) => Failure::Deadline,
                EnqueueError::TooLarge | EnqueueError::Sqs(_) => Failure::Quarantine,
            })
        }
    }
}
