//! What a function is configured with: its environment variables, and the clients made from them once.

use crate::{DecisionsQueue, IntakeQueue, Processor, QuarantineQueue, SessionsTable, telemetry};
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use std::{cell::OnceCell, env, fmt, time::Duration};
use verdict_webhooks::CredentialsError;

/// Why a function can't start.
#[derive(thiserror::Error)]
pub enum StartError {
    /// A variable is missing or blank.
    #[error("{0} is not set; the function can't start without it")]
    Missing(&'static str),
    /// A variable holds something else than it should.
    #[error("{variable} {problem}")]
    Invalid {
        /// Which.
        variable: &'static str,
        /// What it should be.
        problem: &'static str,
    },
    /// Credentials are malformed or weak.
    #[error("{variable}: {problem}")]
    Credentials {
        /// The variable that holds them.
        variable: &'static str,
        /// What is wrong with them.
        problem: CredentialsError,
    },
    /// Nothing can be sent: mostly since the system has no root certificates.
    #[error("the HTTP client can't be made; does the system have root certificates?")]
    HttpClient,
}

/// What `main` prints when it returns this: the message, not the structure.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How long one try of one call may take. A healthy call takes a few milliseconds; a provider waits 5 s in all.
const TRY_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a payload is kept, in days, where nothing else is configured.
const DEFAULT_RETENTION_DAYS: u32 = 400;

/// The fewest days: shorter than that, a provider's retries and an operator's holiday outlast it.
const MIN_RETENTION_DAYS: u32 = 30;

/// The function's surroundings.
pub struct Environment {
    variables: Variables,
    aws: SdkConfig,
    /// Made when a function first asks for a queue; its queues share it.
    sqs: OnceCell<aws_sdk_sqs::Client>,
}

impl Environment {
    /// Reads what every function needs from the process's environment, and starts logging.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn start() -> Result<Self, StartError> {
        telemetry::start();
        let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        Self::new(|variable| env::var(variable).ok(), https)
    }

    /// The same with variables from anywhere, and calls to AWS by way of `http`.
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
        Ok(Self { variables, aws, sqs: OnceCell::new() })
    }

    /// A provider's credentials, from the variable that holds their JSON.
    ///
    /// # Errors
    /// [`StartError`] names the variable; no message holds any of its content.
    pub fn credentials<T>(
        &self,
        variable: &'static str,
        from_json: impl Fn(&str) -> Result<T, CredentialsError>,
    ) -> Result<T, StartError> {
        from_json(&self.variables.required(variable)?).map_err(|problem| StartError::Credentials { variable, problem })
    }

    /// The table that `SESSIONS_TABLE` names; payloads expire after `PAYLOAD_RETENTION_DAYS`.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn sessions_table(&self) -> Result<SessionsTable, StartError> {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&self.aws);
        config.set_endpoint_url(self.variables.endpoint("AWS_ENDPOINT_URL_DYNAMODB"));
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        Ok(SessionsTable::new(client, self.variables.required("SESSIONS_TABLE")?, self.variables.retention()?))
    }

    /// The queue that `DECISIONS_QUEUE_URL` names.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn decisions_queue(&self) -> Result<DecisionsQueue, StartError> {
        Ok(DecisionsQueue::new(self.sqs(), self.variables.required("DECISIONS_QUEUE_URL")?))
    }

    /// What records webhooks: in the [`sessions_table`](Self::sessions_table), for the
    /// [`decisions_queue`](Self::decisions_queue).
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn processor(&self) -> Result<Processor, StartError> {
        Ok(Processor::new(self.sessions_table()?, self.decisions_queue()?))
    }

    /// The queue that `INTAKE_QUEUE_URL` names.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn intake_queue(&self) -> Result<IntakeQueue, StartError> {
        Ok(IntakeQueue::new(self.sqs(), self.variables.required("INTAKE_QUEUE_URL")?))
    }

    /// The queue that `QUARANTINE_QUEUE_URL` names.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub fn quarantine_queue(&self) -> Result<QuarantineQueue, StartError> {
        Ok(QuarantineQueue::new(self.sqs(), self.variables.required("QUARANTINE_QUEUE_URL")?))
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

/// Environment variables; one that is blank counts as missing.
struct Variables(Box<Lookup>);

/// Gives a variable's value, where it is set.
type Lookup = dyn Fn(&str) -> Option<String>;

impl Variables {
    /// The SDKs' own variables for endpoints: one per service, or one for all.
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

    fn required(&self, variable: &'static str) -> Result<String, StartError> {
        self.optional(variable).ok_or(StartError::Missing(variable))
    }

    fn optional(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.trim().is_empty())
    }
}

/// The SDK repeats a call that got no answer, under the same idempotency token; what outlasts that is
/// for the caller's own deadline.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(25))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(TRY_TIMEOUT).operation_attempt_timeout(TRY_TIMEOUT).build()
}
