//! Receiving: the way of every provider's webhooks. Prove, record, report, answer; and if the table can't take a
//! webhook, put it on a queue.

use super::{
    handling::{Failure, Handling, HandlingReport, Origin},
    quarantine::quarantine,
    record::Recorder,
};
use crate::{
    lambda::{
        gateway::{Request, Response},
        path_segment::path_segment,
    },
    secrets::credentials::{Credentials, Unavailable},
    store::{
        aws_error::AwsError,
        queued_webhook::QueuedWebhook,
        queues::{IntakeQueue, QuarantineQueue},
    },
    time::deadline::Deadline,
};
use futures_util::FutureExt as _;
use std::time::{Duration, Instant};
use verdict_sessions::{Timestamp, Trace};
use verdict_webhooks::{Delivery, Disposition, Genuine, Refusal, WebhookSource};

/// The time that is kept back for putting a webhook on a queue: a try without an answer, and a second one.
const ENQUEUE_RESERVE: Duration = Duration::from_millis(1300);

/// Receives one provider's webhooks.
#[derive(Debug)]
pub struct Receiver<P> {
    credentials: Credentials<P>,
    recorder: Recorder,
    intake: IntakeQueue,
    quarantine: QuarantineQueue,
    /// The longest body that is proved, in bytes.
    body_limit: usize,
}

impl<P: WebhookSource> Receiver<P> {
    pub(crate) fn new(
        credentials: Credentials<P>,
        recorder: Recorder,
        intake: IntakeQueue,
        quarantine: QuarantineQueue,
    ) -> Self {
        Self { credentials, recorder, intake, quarantine, body_limit: P::BODY_LIMIT }
    }

    /// Sets another limit for bodies, in bytes.
    pub(crate) fn with_body_limit(self, body_limit: usize) -> Self {
        Self { body_limit, ..self }
    }

    /// Receives one webhook. A 2xx means that it is durable.
    pub async fn receive(&self, request: Request) -> Response {
        let started = Instant::now();
        let Request { id, deadline, now, delivery, is_cold_start, trace, .. } = request;
        let (path, source) = (delivery.path().to_owned(), delivery.source());
        // Boxed: the future is large, and moved about here.
        let handling = self.credentials.beside(self.handle(delivery, now, trace, deadline).boxed_local()).await;
        let report = HandlingReport {
            origin: Origin::Provider,
            request: Some(&id),
            source,
            is_cold_start,
            trace,
            provider: P::PROVIDER,
            handling: &handling,
            took: started.elapsed(),
        };
        report.print(now);
        Self::respond(&path, &handling)
    }

    async fn handle(&self, delivery: Delivery, now: Timestamp, trace: Option<Trace>, deadline: Deadline) -> Handling {
        match self.prove(delivery, now, deadline).await {
            Ok(Ok(genuine)) if genuine.is_probe() => Handling::of(Disposition::Probe),
            Ok(Ok(genuine)) => self.take_in(&genuine, trace, deadline).await,
            Ok(Err(refusal)) => Handling::refused(refusal),
            Err(Unavailable { .. }) => Handling::failed(Failure::Secret),
        }
    }

    async fn prove(
        &self,
        delivery: Delivery,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Result<Genuine, Refusal>, Unavailable> {
        let prove = |provider: &P, delivery| provider.prove(delivery, now);
        let is_mismatch = |proved: &Result<_, Refusal>| proved.as_ref().is_err_and(|refusal| refusal.is_mismatch());
        self.credentials.attempt(delivery.with_body_limit(self.body_limit), deadline, prove, is_mismatch).await
    }

    /// Records a webhook, or puts it on a queue: for a later try, or for an operator.
    async fn take_in(&self, genuine: &Genuine, trace: Option<Trace>, deadline: Deadline) -> Handling {
        let durable_by = deadline.before(ENQUEUE_RESERVE);
        let queued = || QueuedWebhook::of(genuine).map(|webhook| webhook.in_trace(trace));
        match self.recorder.record_webhook(genuine, trace, genuine.received_at(), durable_by).await {
            Ok(handling) if handling.disposition == Disposition::Failed => {
                self.spool(queued(), handling, deadline).await
            }
            Ok(handling) => handling,
            Err(unreadable) => quarantine(&self.quarantine, queued(), unreadable, deadline).await,
        }
    }

    async fn spool(
        &self,
        webhook: Result<QueuedWebhook, AwsError>,
        handling: Handling,
        deadline: Deadline,
    ) -> Handling {
        let enqueue = async { self.intake.enqueue(webhook?.with_event(handling.event_key())).await };
        match deadline.try_bound(enqueue).await {
            Ok(()) => Handling { disposition: Disposition::Spooled, ..handling },
            Err(error) => {
                tracing::error!(%error, "neither table nor queue took the webhook; it is lost unless the provider retries");
                handling
            }
        }
    }

    fn respond(path: &str, handling: &Handling) -> Response {
        let answer = P::answer(path, handling.disposition);
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
