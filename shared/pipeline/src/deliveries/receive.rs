//! Receiving: the way of every provider's webhooks. Prove, record, report, answer; and if the table can't take a
//! webhook, put it on a queue.

use super::{
    handling::{Handling, HandlingReport, Origin},
    quarantine::quarantine,
    record::Recorder,
};
use crate::{
    lambda::{
        gateway::{Request, Response},
        path_segment::path_segment,
    },
    store::{
        queued_webhook::QueuedWebhook,
        queues::{IntakeQueue, QuarantineQueue},
    },
    time::deadline::Deadline,
};
use std::time::{Duration, Instant};
use verdict_webhooks::{Disposition, Genuine, WebhookSource};

/// The time that is kept back for putting a webhook on a queue: a try without an answer, and a second one.
const ENQUEUE_RESERVE: Duration = Duration::from_millis(1300);

/// Receives one provider's webhooks.
#[derive(Debug)]
pub struct Receiver<P> {
    provider: P,
    recorder: Recorder,
    intake: IntakeQueue,
    quarantine: QuarantineQueue,
    /// The longest body that is proved, in bytes.
    body_limit: usize,
}

impl<P: WebhookSource> Receiver<P> {
    pub(crate) fn new(provider: P, recorder: Recorder, intake: IntakeQueue, quarantine: QuarantineQueue) -> Self {
        Self { provider, recorder, intake, quarantine, body_limit: P::BODY_LIMIT }
    }

    /// Sets another limit for bodies, in bytes.
    pub(crate) fn with_body_limit(self, body_limit: usize) -> Self {
        Self { body_limit, ..self }
    }

    /// Receives one webhook. A 2xx means that it is durable.
    pub async fn receive(&self, request: Request) -> Response {
        let started = Instant::now();
        let Request { id, deadline, now, delivery, .. } = request;
        let (path, source) = (delivery.path().to_owned(), delivery.source());
        let handling = match self.provider.prove(delivery.with_body_limit(self.body_limit), now) {
            Ok(genuine) if genuine.is_probe() => Handling::of(Disposition::Probe),
            Ok(genuine) => self.take_in(&genuine, deadline).await,
            Err(refusal) => Handling::refused(refusal),
        };
        let report = HandlingReport {
            origin: Origin::Provider,
            request: Some(&id),
            source,
            provider: P::PROVIDER,
            handling: &handling,
            took: started.elapsed(),
        };
        report.print(now);
        self.respond(&path, &handling)
    }

    /// Records a webhook, or puts it on a queue: for a later try, or for an operator.
    async fn take_in(&self, genuine: &Genuine, deadline: Deadline) -> Handling {
        let durable_by = deadline.before(ENQUEUE_RESERVE);
        match self.recorder.record_webhook(genuine, genuine.received_at(), durable_by).await {
            Ok(handling) if handling.disposition == Disposition::Failed => {
                self.spool(genuine, handling, deadline).await
            }
            Ok(handling) => handling,
            Err(unreadable) => quarantine(&self.quarantine, QueuedWebhook::of(genuine), unreadable, deadline).await,
        }
    }

    async fn spool(&self, genuine: &Genuine, handling: Handling, deadline: Deadline) -> Handling {
        let enqueue = async {
            let webhook = QueuedWebhook::of(genuine)?.with_event(handling.event_key.clone());
            self.intake.enqueue(webhook).await
        };
        match deadline.try_bound(enqueue).await {
            Ok(()) => Handling { disposition: Disposition::Spooled, ..handling },
            Err(error) => {
                tracing::error!(%error, "neither table nor queue took the webhook; it is lost unless the provider retries");
                handling
            }
        }
    }

    fn respond(&self, path: &str, handling: &Handling) -> Response {
        let answer = self.provider.answer(path, handling.disposition);
        let response =
            Response::json(answer.status, answer.body).with_header("x-verdict-outcome", handling.disposition.as_str());
        match &handling.session {
            Some(key) => {
                response.with_header("x-verdict-session", format!("{}/{}", key.provider, path_segment(&key.session_id)))
            }
            None => response,
        }
    }
}
