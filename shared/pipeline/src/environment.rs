//! A function's environment: its variables, and the clients and workers that are made from them once.

use crate::{
    decisions::{publisher::Publisher, relay::Relay},
    deliveries::{
        poll_schedule::PollSchedule, preview::RebuildPreview, receive::Receiver, record::Recorder, replay::Replay,
    },
    polling::{poller::Poller, provider_api::ProviderApi},
    store::{
        queued_webhook,
        queues::{DecisionsQueue, IntakeQueue, QuarantineQueue, WakeUpQueue},
        table::SessionsTable,
    },
    telemetry::log,
};
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_smithy_http_client::{
    Builder,
    tls::{self, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use std::{cell::OnceCell, env, fmt, time::Duration};
use verdict_sessions::{Provider, SequenceBase};
use verdict_webhooks::{CredentialsError, PUBLISHED, WebhookSource, are_published};

/// The reason for which a function can't start.
#[derive(thiserror::Error)]
pub enum StartError {
    /// A variable is missing or blank.
    #[error("{0} is not set; the function can't start without it")]
    Missing(String),
    /// A variable does not hold what it should.
    #[error("{variable} {problem}")]
    Invalid {
        /// The variable.
        variable: &'static str,
        /// The text that it should hold.
        problem: &'static str,
    },
    /// Credentials are malformed or weak.
    #[error("{variable}: {problem}")]
    Credentials {
        /// The variable that holds them.
        variable: String,
        /// The fault in them.
        problem: Box<CredentialsError>,
    },
    /// Credentials are those of the local stack, and AWS is no stand-in on this machine.
    #[error("{0} {PUBLISHED}")]
    Published(String),
    /// The HTTP client can't be made, mostly since the system has no root certificates.
    #[error("the HTTP client can't be made; does the system have root certificates?")]
    HttpClient,
}

/// `main` prints this when it returns the error: the message, not the structure.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The longest that one try of one call may take. A healthy call takes a few milliseconds; a provider waits 5 s in all.
const TRY_TIMEOUT: Duration = Duration::from_secs(1);

/// The days for which a payload is kept, if nothing else is configured.
const DEFAULT_RETENTION_DAYS: u32 = 400;

/// The fewest days: a provider's retries and an operator's holiday must not outlast them.
const MIN_RETENTION_DAYS: u32 = 30;

/// The function's environment.
pub struct Environment {
    variables: Variables,
    aws: SdkConfig,
    /// Made when a function first asks for the table, and shared by its workers.
    dynamodb: OnceCell<aws_sdk_dynamodb::Client>,
    /// Made when a function first asks for a queue, and shared by its queues.
    sqs: OnceCell<aws_sdk_sqs::Client>,
}

impl Environment {
    /// Reads what every function needs from the process's environment, and starts logging.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn start() -> Result<Self, StartError> {
        log::start();
        let https = Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https();
        Self::new(|variable| env::var(variable).ok(), https)
    }

    /// Takes the variables from anywhere, and sends calls to AWS by `http`.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn new(
        variables: impl Fn(&str) -> Option<String> + 'static,
        http: SharedHttpClient,
    ) -> Result<Self, StartError> {
        let variables = Variables(Box::new(variables));
        // Lambda hands over temporary credentials that outlive the process: nothing to refresh.
        let credentials = Credentials::new(
            variables.required("AWS_ACCESS_KEY_ID")?,
            variables.required("AWS_SECRET_ACCESS_KEY")?,
            variables.optional("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(http)
            .region(Region::new(variables.required("AWS_REGION")?))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(retries())
            .timeout_config(timeouts())
            .build();
        Ok(Self { variables, aws, dynamodb: OnceCell::new(), sqs: OnceCell::new() })
    }

    /// Reads a provider's credentials from the variable that holds their JSON, such as `VERIFF_CREDENTIALS`.
    ///
    /// # Errors
    /// [`StartError`] names the variable. No message holds any of its content.
    pub fn credentials<T>(
        &self,
        provider: Provider,
        from_json: impl FnOnce(&str) -> Result<T, CredentialsError>,
    ) -> Result<T, StartError> {
        let variable = format!("{}_CREDENTIALS", provider.as_str().to_ascii_uppercase());
        let json = self.variables.required(&variable)?;
        if are_published(&json, self.variables.optional("AWS_ENDPOINT_URL").as_deref()) {
            return Err(StartError::Published(variable));
        }
        from_json(&json).map_err(|problem| StartError::Credentials { variable, problem: problem.into() })
    }

    /// Makes the receiver of a provider's webhooks.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn receiver<P: WebhookSource>(
        &self,
        from_json: impl FnOnce(&str) -> Result<P, CredentialsError>,
    ) -> Result<Receiver<P>, StartError> {
        let provider = self.credentials(P::PROVIDER, from_json)?;
        let recorder = self.recorder()?.with_polls(self.poll_schedule(provider.is_polled())?);
        let receiver = Receiver::new(provider, recorder, self.intake_queue()?, self.quarantine_queue()?);
        Ok(match self.variables.body_limit()? {
            Some(body_limit) => receiver.with_body_limit(body_limit),
            None => receiver,
        })
    }

    /// Makes the replay of the intake queue.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn replay(&self) -> Result<Replay, StartError> {
        // Whether Incode is polled, only the poller knows: without credentials for the API it leaves the schedule
        // alone.
        let recorder = self.recorder()?.with_polls(self.poll_schedule(true)?);
        Ok(Replay::new(recorder, self.intake_queue()?, self.quarantine_queue()?))
    }

    /// Makes the preview of rebuilds, which has the table alone.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn rebuild_preview(&self) -> Result<RebuildPreview, StartError> {
        Ok(RebuildPreview::new(self.sessions_table()?))
    }

    /// Makes the relay.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn relay(&self) -> Result<Relay, StartError> {
        Ok(Relay::new(self.sessions_table()?, self.publisher()?))
    }

    /// Makes the poller. Without an API, each of its runs ends at once.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn poller<A: ProviderApi>(&self, api: Option<A>) -> Result<Poller<A>, StartError> {
        Ok(Poller::new(api, self.sessions_table()?, self.recorder()?))
    }

    /// Opens the table that `SESSIONS_TABLE` names. Payloads expire after `PAYLOAD_RETENTION_DAYS`, and sequences are
    /// above `SEQUENCE_BASE`.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn sessions_table(&self) -> Result<SessionsTable, StartError> {
        let name = self.variables.required("SESSIONS_TABLE")?;
        Ok(SessionsTable::new(self.dynamodb(), name, self.variables.retention()?, self.variables.sequence_base()?))
    }

    fn recorder(&self) -> Result<Recorder, StartError> {
        Ok(Recorder::new(self.sessions_table()?, self.publisher()?))
    }

    /// The schedule, with the queue that `WAKE_UP_QUEUE_URL` names: only a stack with Incode has one.
    fn poll_schedule(&self, is_polled: bool) -> Result<PollSchedule, StartError> {
        let url = self.variables.optional("WAKE_UP_QUEUE_URL");
        Ok(PollSchedule::new(self.sessions_table()?, url.map(|url| WakeUpQueue::new(self.sqs(), url)), is_polled))
    }

    fn publisher(&self) -> Result<Publisher, StartError> {
        let queue = DecisionsQueue::new(self.sqs(), self.variables.required("DECISIONS_QUEUE_URL")?);
        Ok(Publisher::new(self.sessions_table()?, queue))
    }

    fn intake_queue(&self) -> Result<IntakeQueue, StartError> {
        Ok(IntakeQueue::new(self.sqs(), self.variables.required("INTAKE_QUEUE_URL")?))
    }

    fn quarantine_queue(&self) -> Result<QuarantineQueue, StartError> {
        Ok(QuarantineQueue::new(self.sqs(), self.variables.required("QUARANTINE_QUEUE_URL")?))
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let make = || {
            let mut config = aws_sdk_dynamodb::config::Builder::from(&self.aws);
            config.set_endpoint_url(self.variables.endpoint("AWS_ENDPOINT_URL_DYNAMODB"));
            aws_sdk_dynamodb::Client::from_conf(config.build())
        };
        self.dynamodb.get_or_init(make).clone()
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        let make = || {
            let mut config = aws_sdk_sqs::config::Builder::from(&self.aws);
            config.set_endpoint_url(self.variables.endpoint("AWS_ENDPOINT_URL_SQS"));
            aws_sdk_sqs::Client::from_conf(config.build())
        };
        self.sqs.get_or_init(make).clone()
    }
}

/// Environment variables. A blank one counts as missing.
struct Variables(Box<Lookup>);

/// Returns a variable's value, if it is set.
type Lookup = dyn Fn(&str) -> Option<String>;

impl Variables {
    /// The SDKs' own variables for endpoints: one for each service, or one for all.
    fn endpoint(&self, variable: &str) -> Option<String> {
        self.optional(variable).or_else(|| self.optional("AWS_ENDPOINT_URL"))
    }

    fn retention(&self) -> Result<Duration, StartError> {
        let days = match self.optional("PAYLOAD_RETENTION_DAYS") {
            None => DEFAULT_RETENTION_DAYS,
            Some(text) => text.parse().ok().filter(|days| *days >= MIN_RETENTION_DAYS).ok_or(StartError::Invalid {
                variable: "PAYLOAD_RETENTION_DAYS",
                problem: "must be a whole number of days, 30 or more",
            })?,
        };
        Ok(Duration::from_hours(24) * days)
    }

    fn sequence_base(&self) -> Result<SequenceBase, StartError> {
        let Some(text) = self.optional("SEQUENCE_BASE") else { return Ok(SequenceBase::default()) };
        text.parse().ok().and_then(SequenceBase::new).ok_or(StartError::Invalid {
            variable: "SEQUENCE_BASE",
            problem: "must be a whole number from 0 to 1000000000000",
        })
    }

    /// The longest body that a receiver proves, in bytes, if it isn't the provider's own limit.
    fn body_limit(&self) -> Result<Option<usize>, StartError> {
        let Some(text) = self.optional("BODY_LIMIT") else { return Ok(None) };
        let limit = text.parse().ok().filter(|limit| (1..=queued_webhook::BODY_LIMIT).contains(limit));
        limit.map(Some).ok_or(StartError::Invalid {
            variable: "BODY_LIMIT",
            problem: "must be a whole number of bytes from 1 to 6291456",
        })
    }

    fn required(&self, variable: &str) -> Result<String, StartError> {
        self.optional(variable).ok_or_else(|| StartError::Missing(variable.to_owned()))
    }

    fn optional(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.trim().is_empty())
    }
}

/// The SDK retries a call without an answer, under the same idempotency token. What outlasts that is for the caller's
/// own deadline.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(25))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(TRY_TIMEOUT).operation_attempt_timeout(TRY_TIMEOUT).build()
}
