//! The one way that every provider's webhooks take: prove, read, record, publish, answer. And where they wait when the
//! table can't take them.

use crate::{
    Deadline, IntakeQueue, KeepError, Processor, QuarantineQueue,
    gateway::{Request, Response},
    kept::KeptWebhook,
    process::Fate,
    telemetry::DeliveryReport,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use std::time::{Duration, Instant};
use verdict_sessions::SessionId;
use verdict_webhooks::{Disposition, Genuine, Unreadable, WebhookSource};

/// What is kept back, of the time there is, for putting on a queue what could not be recorded: a try that gets no
/// answer, and a second one.
const KEEP_RESERVE: Duration = Duration::from_millis(1300);

/// What a session id is escaped with in a header or a path: all but RFC 3986's unreserved characters, and the colon of
/// ids such as `user:1`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// A session id as one segment of a path.
pub(crate) fn escaped(id: &SessionId) -> PercentEncode<'_> {
    utf8_percent_encode(id.as_str(), ESCAPED)
}

/// Receives one provider's webhooks.
#[derive(Debug)]
pub struct Receiver<P> {
    provider: P,
    processor: Processor,
    intake: IntakeQueue,
    quarantine: QuarantineQueue,
}

impl<P: WebhookSource> Receiver<P> {
    /// Puts the parts together.
    pub fn new(provider: P, processor: Processor, intake: IntakeQueue, quarantine: QuarantineQueue) -> Self {
        Self { provider, processor, intake, quarantine }
    }

    /// Receives one webhook. A 2xx means that what it says is durable.
    pub async fn receive(&self, request: Request) -> Response {
        let started = Instant::now();
        let Request { id, deadline, now, delivery, .. } = request;
        let path = delivery.path().to_owned();
        let fate = match self.provider.prove(delivery, now) {
            Ok(genuine) if genuine.is_probe() => Fate::of(Disposition::Probe),
            Ok(genuine) => self.take_in(&genuine, deadline).await,
            Err(refusal) => Fate::because(Disposition::Refused(refusal), refusal.code()),
        };
        let report = DeliveryReport {
            message: "delivery",
            request: Some(&id),
            provider: P::PROVIDER,
            fate: &fate,
            took: started.elapsed(),
        };
        report.print(now);
        self.respond(&path, &fate)
    }

    /// Records a webhook; or puts it where it waits, for a later try or for an operator.
    async fn take_in(&self, genuine: &Genuine, deadline: Deadline) -> Fate {
        match self.processor.process(genuine, genuine.received_at(), deadline.before(KEEP_RESERVE)).await {
            Ok(fate) if fate.disposition == Disposition::Failed => self.spool(genuine, fate, deadline).await,
            Ok(fate) => fate,
            Err(unreadable) => self.quarantine(genuine, unreadable, deadline).await,
        }
    }

    async fn spool(&self, genuine: &Genuine, fate: Fate, deadline: Deadline) -> Fate {
        let keep = async {
            let kept = KeptWebhook::of(genuine)?.with_event(fate.event_key.clone());
            self.intake.keep(kept).await
        };
        match kept(keep, deadline).await {
            Ok(()) => Fate { disposition: Disposition::Spooled, ..fate },
            Err(_) => fate,
        }
    }

    async fn quarantine(&self, genuine: &Genuine, unreadable: Unreadable, deadline: Deadline) -> Fate {
        let keep = async { self.quarantine.keep(KeptWebhook::of(genuine)?.because(unreadable)).await };
        match kept(keep, deadline).await {
            Ok(()) => Fate::because(Disposition::Quarantined, unreadable.code()),
            Err(reason) => Fate::because(Disposition::Failed, reason),
        }
    }

    fn respond(&self, path: &str, fate: &Fate) -> Response {
        let answer = self.provider.answer(path, fate.disposition);
        let response =
            Response::json(answer.status, answer.body).with_header("x-verdict-outcome", fate.disposition.as_str());
        match &fate.session {
            Some(key) => {
                response.with_header("x-verdict-session", format!("{}/{}", key.provider, escaped(&key.session_id)))
            }
            None => response,
        }
    }
}

/// Puts a webhook on a queue in time; else tells the log, and says why not.
async fn kept(keep: impl Future<Output = Result<(), KeepError>>, deadline: Deadline) -> Result<(), &'static str> {
    let (error, reason) = match deadline.bound(keep).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => (error.to_string(), "quarantine"),
        Err(elapsed) => (elapsed.to_string(), "deadline"),
    };
    tracing::error!(error, "neither table nor queue has it; answered so that a provider that retries sends it again");
    Err(reason)
}
