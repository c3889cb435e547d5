//! A function's environment: its variables, and the clients and workers that are made from them once.

use crate::{
    decisions::{
        publisher::{Origin, Publisher},
        relay::Relay,
    },
    deliveries::{
        poll_schedule::PollSchedule, preview::RebuildPreview, receive::Receiver, record::Recorder, replay::Replay,
    },
    http::{
        client::Client,
        roots::{self, NoRoots},
    },
    polling::{poller::Poller, provider_api::ProviderApi},
    secrets::{arn::SecretArn, cache::Settings, credentials::Credentials, fault::Problem, secret::Secret},
    store::{
        endpoints, queued_webhook,
        queues::{DecisionsQueue, IntakeQueue, QuarantineQueue, WakeUpQueue},
        table::SessionsTable,
    },
    telemetry::log,
};
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials as AwsCredentials, Region, SharedCredentialsProvider, StalledStreamProtectionConfig,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use futures_util::future::join;
use rustls::ClientConfig;
use std::{cell::OnceCell, env, fmt, path::PathBuf, time::Duration};
use tokio::time::timeout;
use verdict_sessions::{Provider, SequenceBase};
use verdict_webhooks::{
    CredentialsError, PUBLISHED, WebhookSource, are_published,
    incode::{ApiAccess, Incode},
};

/// The reason for which a function can't start.
#[derive(thiserror::Error)]
pub enum StartError {
    /// A variable is missing or blank.
    #[error("{0} is not set; the function can't start without it")]
    Missing(String),
    /// Neither credentials nor the ARN of their secret.
    #[error("{variable} is not set, and neither is {arn_variable}; the function can't start without one of them")]
    MissingCredentials {
        /// The variable that holds credentials.
        variable: &'static str,
        /// The variable that names their secret.
        arn_variable: &'static str,
    },
    /// Both credentials and the ARN of their secret.
    #[error("{variable} and {arn_variable} are both set; remove one of them")]
    BothCredentials {
        /// The variable that holds credentials.
        variable: &'static str,
        /// The variable that names their secret.
        arn_variable: &'static str,
    },
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
        variable: &'static str,
        /// The fault in them.
        problem: Box<CredentialsError>,
    },
    /// The secret was fetched, and neither its current version nor the one before can be used.
    #[error("{variable}: the secret can't be used: {problem}")]
    Secret {
        /// The variable that names it.
        variable: &'static str,
        /// The problem with each version.
        problem: String,
    },
    /// Credentials are those of the local stack, and AWS is no stand-in on this machine.
    #[error("{0} {PUBLISHED}")]
    Published(&'static str),
    /// Root certificates of one's own are named, and there are none.
    #[error("{FILE_OF_ROOTS} or {FOLDER_OF_ROOTS} is set, and no root certificate can be read from there")]
    NoRoots,
    /// The HTTP client can't be made.
    #[error("the HTTP client can't be made")]
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

/// It says whether the access to Incode's API is in a secret of its own, which only the poller reads.
const INCODE_API: &str = "INCODE_API";

/// OpenSSL's names for the variables that say where root certificates are.
const FILE_OF_ROOTS: &str = "SSL_CERT_FILE";
const FOLDER_OF_ROOTS: &str = "SSL_CERT_DIR";

/// The longest that a start waits for connections. The first webhook makes its own if there are none.
const OPENING_LIMIT: Duration = Duration::from_millis(500);

/// The age at which credentials are fetched again from their secret, if nothing else is configured.
const DEFAULT_SECRET_TTL: Duration = Duration::from_mins(5);

/// The function's environment.
pub struct Environment {
    variables: Variables,
    aws: SdkConfig,
    /// The client that calls to AWS go by, if it is ours.
    http: Option<Client>,
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
        Self::with_connections(|variable| env::var(variable).ok())
    }

    /// Takes the variables from anywhere, and sends calls to AWS over connections of its own.
    fn with_connections(variables: impl Fn(&str) -> Option<String> + Clone + 'static) -> Result<Self, StartError> {
        let http = Client::new(Variables(Box::new(variables.clone())).tls()?);
        let environment = Self::new(variables, SharedHttpClient::new(http.clone()))?;
        Ok(Self { http: Some(http), ..environment })
    }

    /// The settings of TLS for clients of other servers than AWS'.
    ///
    /// # Errors
    /// [`StartError`] if root certificates of one's own are named, and there are none.
    pub fn tls(&self) -> Result<ClientConfig, StartError> {
        // Reading roots of one's own takes time: a start does it once.
        self.http.as_ref().map_or_else(|| self.variables.tls(), |http| Ok(http.tls().clone()))
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
        let credentials = AwsCredentials::new(
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
            // It measures bodies second by second, and an attempt has one second in all.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Ok(Self { variables, aws, http: None, dynamodb: OnceCell::new(), sqs: OnceCell::new() })
    }

    /// Opens a connection to each store that the function's workers call, so that the first invocation finds them open.
    /// Nothing is sent over them. Without them, or if `VERDICT_CONNECT` is false, the first calls open their own.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub async fn connect(&self) -> Result<(), StartError> {
        let is_wanted = self.variables.flag("VERDICT_CONNECT")? != Some(false);
        if let Some(http) = self.http.as_ref().filter(|_| is_wanted) {
            // What goes wrong here goes wrong again with the first call, which reports it.
            let _ = timeout(OPENING_LIMIT, join(self.open_dynamodb(http), self.open_sqs(http))).await;
        }
        Ok(())
    }

    async fn connected<T>(&self, worker: T) -> Result<T, StartError> {
        self.connect().await.map(|()| worker)
    }

    async fn open_dynamodb(&self, http: &Client) -> Option<()> {
        self.dynamodb.get()?;
        let configured = self.variables.endpoint("AWS_ENDPOINT_URL_DYNAMODB");
        http.open(&endpoints::dynamodb(self.aws.region()?.as_ref(), configured).await?).await.ok()
    }

    async fn open_sqs(&self, http: &Client) -> Option<()> {
        self.sqs.get()?;
        let configured = self.variables.endpoint("AWS_ENDPOINT_URL_SQS");
        http.open(&endpoints::sqs(self.aws.region()?.as_ref(), configured).await?).await.ok()
    }

    /// Reads a provider's credentials from the variable that holds their JSON, such as `VERIFF_CREDENTIALS`, or fetches
    /// them from the secret that a variable such as `VERIFF_CREDENTIALS_ARN` names.
    ///
    /// # Errors
    /// [`StartError`] names the variable. No message holds any of its content, or the secret's.
    pub async fn credentials<T: 'static>(
        &self,
        provider: Provider,
        from_json: impl Fn(&str) -> Result<T, CredentialsError> + 'static,
    ) -> Result<Credentials<T>, StartError> {
        match self.place(provider, Names::of(provider))? {
            Place::Variable { variable, json } => {
                self.read_variable(variable, &json, from_json).map(Credentials::fixed)
            }
            Place::Secret { secret, settings } => {
                let credentials = Credentials::in_secret(secret, settings, self.secret_reader(from_json));
                start(&credentials, settings).await?;
                Ok(credentials)
            }
        }
    }

    /// Makes the receiver of a provider's webhooks.
    ///
    /// # Errors
    /// [`StartError`] names the variable.
    pub async fn receiver<P: WebhookSource + 'static>(
        &self,
        from_json: impl Fn(&str) -> Result<P, CredentialsError> + 'static,
    ) -> Result<Receiver<P>, StartError> {
        match self.place(P::PROVIDER, Names::of(P::PROVIDER))? {
            Place::Variable { variable, json } => {
                let provider = self.read_variable(variable, &json, from_json)?;
                let is_polled = provider.is_polled();
                self.connected(self.receiver_with(Credentials::fixed(provider), is_polled)?).await
            }
            Place::Secret { secret, settings } => {
                let has_api = P::PROVIDER == Provider::Incode && self.variables.flag(INCODE_API)? == Some(true);
                let read = move |json: &str| from_json(json)?.with_api_elsewhere(has_api);
                let credentials = Credentials::in_secret(secret, settings, self.secret_reader(read));
                // What else the receiver needs is made while the first answer is on its way.
                let receiver = async { self.connected(self.receiver_with(credentials.clone(), has_api)?).await };
                let (started, receiver) = join(start(&credentials, settings), receiver).await;
                started.and(receiver)
            }
        }
    }

    fn receiver_with<P: WebhookSource>(
        &self,
        credentials: Credentials<P>,
        is_polled: bool,
    ) -> Result<Receiver<P>, StartError> {
        let recorder = self.recorder(Origin::Webhook)?.with_polls(self.poll_schedule(is_polled)?);
        let receiver = Receiver::new(credentials, recorder, self.intake_queue()?, self.quarantine_queue()?);
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
        let recorder = self.recorder(Origin::Intake)?.with_polls(self.poll_schedule(true)?);
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
        Ok(Relay::new(self.sessions_table()?, self.publisher(Origin::Relay)?))
    }

    /// Makes the poller, whose API `connect` makes. The access to it is among `INCODE_CREDENTIALS`, or in the secret that
    /// `INCODE_API_CREDENTIALS_ARN` names. Without access, or if `INCODE_API` is false, each of the poller's runs ends at
    /// once.
    ///
    /// # Errors
    /// [`StartError`] names the variable; or it is `connect`'s.
    pub async fn poller<A: ProviderApi + 'static>(
        &self,
        connect: impl Fn(&ApiAccess) -> Result<A, StartError> + 'static,
    ) -> Result<Poller<A>, StartError> {
        // The proofs are in a secret that the poller doesn't read, and there is no access to the API beside them.
        if self.variables.flag(INCODE_API)? == Some(false) {
            return self.poller_with(None);
        }
        match self.place(Provider::Incode, Names::OF_API)? {
            Place::Variable { variable, json } => {
                let incode = self.read_variable(variable, &json, Incode::from_json)?;
                let api = incode.api().map(connect).transpose()?;
                self.connected(self.poller_with(api.map(Credentials::fixed))?).await
            }
            Place::Secret { secret, settings } => {
                let access = self.secret_reader(ApiAccess::from_json);
                let read =
                    move |json: &str| connect(&access(json)?).map_err(|error| Problem::malformed(error.to_string()));
                let credentials = Credentials::in_secret(secret, settings, read);
                let poller = async { self.connected(self.poller_with(Some(credentials.clone()))?).await };
                let (started, poller) = join(start(&credentials, settings), poller).await;
                started.and(poller)
            }
        }
    }

    fn poller_with<A: ProviderApi>(&self, api: Option<Credentials<A>>) -> Result<Poller<A>, StartError> {
        Ok(Poller::new(api, self.sessions_table()?, self.recorder(Origin::Poll)?))
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

    fn recorder(&self, origin: Origin) -> Result<Recorder, StartError> {
        Ok(Recorder::new(self.sessions_table()?, self.publisher(origin)?))
    }

    /// The schedule, with the queue that `WAKE_UP_QUEUE_URL` names: only a stack with Incode has one.
    fn poll_schedule(&self, is_polled: bool) -> Result<PollSchedule, StartError> {
        let url = self.variables.optional("WAKE_UP_QUEUE_URL");
        Ok(PollSchedule::new(self.sessions_table()?, url.map(|url| WakeUpQueue::new(self.sqs(), url)), is_polled))
    }

    fn publisher(&self, origin: Origin) -> Result<Publisher, StartError> {
        let queue = DecisionsQueue::new(self.sqs(), self.variables.required("DECISIONS_QUEUE_URL")?);
        Ok(Publisher::new(self.sessions_table()?, queue, origin))
    }

    fn intake_queue(&self) -> Result<IntakeQueue, StartError> {
        Ok(IntakeQueue::new(self.sqs(), self.variables.required("INTAKE_QUEUE_URL")?))
    }

    fn quarantine_queue(&self) -> Result<QuarantineQueue, StartError> {
        Ok(QuarantineQueue::new(self.sqs(), self.variables.required("QUARANTINE_QUEUE_URL")?))
    }

    /// The place of credentials: one of two variables says it.
    fn place(&self, provider: Provider, names: Names) -> Result<Place, StartError> {
        let Names { variable, arn_variable } = names;
        match (self.variables.optional(variable), self.variables.optional(arn_variable)) {
            (Some(json), None) => Ok(Place::Variable { variable, json }),
            (None, Some(arn)) => {
                let arn =
                    SecretArn::parse(&arn).ok_or(StartError::Invalid { variable: arn_variable, problem: NO_ARN })?;
                let settings = Settings { provider, variable: arn_variable, ttl: self.variables.secret_ttl()? };
                Ok(Place::Secret { secret: self.secret(arn), settings })
            }
            (None, None) => Err(StartError::MissingCredentials { variable, arn_variable }),
            (Some(_), Some(_)) => Err(StartError::BothCredentials { variable, arn_variable }),
        }
    }

    fn read_variable<T>(
        &self,
        variable: &'static str,
        json: &str,
        from_json: impl Fn(&str) -> Result<T, CredentialsError>,
    ) -> Result<T, StartError> {
        if are_published(json, self.variables.optional("AWS_ENDPOINT_URL").as_deref()) {
            return Err(StartError::Published(variable));
        }
        from_json(json).map_err(|problem| StartError::Credentials { variable, problem: problem.into() })
    }

    /// Returns what reads a secret as a variable is read.
    fn secret_reader<T, F: Fn(&str) -> Result<T, CredentialsError>>(
        &self,
        from_json: F,
    ) -> impl Fn(&str) -> Result<T, Problem> + use<T, F> {
        let endpoint = self.variables.optional("AWS_ENDPOINT_URL");
        move |json| {
            if are_published(json, endpoint.as_deref()) {
                return Err(Problem::published());
            }
            from_json(json).map_err(Problem::from)
        }
    }

    fn secret(&self, arn: SecretArn) -> Secret {
        let mut config = aws_sdk_secretsmanager::config::Builder::from(&self.aws);
        config.set_endpoint_url(self.variables.endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"));
        // A call that fails is repeated by the cache, which counts its calls.
        let config = config.region(Region::new(arn.region().to_owned())).retry_config(RetryConfig::disabled());
        Secret::new(aws_sdk_secretsmanager::Client::from_conf(config.build()), arn)
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

/// Fetches the first credentials from a secret.
async fn start<T>(credentials: &Credentials<T>, settings: Settings) -> Result<(), StartError> {
    let problem = |problem: Problem| StartError::Secret { variable: settings.variable, problem: problem.to_string() };
    credentials.start().await.map_err(problem)
}

/// The problem of a text that should be the ARN of a secret.
const NO_ARN: &str =
    "must be the ARN of a secret, such as arn:aws:secretsmanager:eu-west-1:123456789012:secret:verdict/name-AbCdEf";

/// The two variables of which one says where credentials are.
#[derive(Clone, Copy)]
struct Names {
    /// It holds credentials.
    variable: &'static str,
    /// It names the secret that holds them.
    arn_variable: &'static str,
}

impl Names {
    /// Those of the access to Incode's API, which stands among other credentials, or in a secret of its own.
    const OF_API: Self = Self { variable: "INCODE_CREDENTIALS", arn_variable: "INCODE_API_CREDENTIALS_ARN" };

    /// Those of what proves a provider's webhooks.
    const fn of(provider: Provider) -> Self {
        let (variable, arn_variable) = match provider {
            Provider::Veriff => ("VERIFF_CREDENTIALS", "VERIFF_CREDENTIALS_ARN"),
            Provider::Incode => ("INCODE_CREDENTIALS", "INCODE_CREDENTIALS_ARN"),
            Provider::Treezor => ("TREEZOR_CREDENTIALS", "TREEZOR_CREDENTIALS_ARN"),
            Provider::Wultra => ("WULTRA_CREDENTIALS", "WULTRA_CREDENTIALS_ARN"),
        };
        Self { variable, arn_variable }
    }
}

/// The place of credentials.
enum Place {
    Variable { variable: &'static str, json: String },
    Secret { secret: Secret, settings: Settings },
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

    /// The age at which credentials are fetched again from their secret.
    fn secret_ttl(&self) -> Result<Duration, StartError> {
        let Some(text) = self.optional("SECRET_TTL_SECONDS") else { return Ok(DEFAULT_SECRET_TTL) };
        let seconds = text.parse().ok().filter(|seconds| (5..=3600).contains(seconds));
        seconds.map(Duration::from_secs).ok_or(StartError::Invalid {
            variable: "SECRET_TTL_SECONDS",
            problem: "must be a whole number of seconds from 5 to 3600",
        })
    }

    /// Returns whether something is said to be so, if anything is said.
    fn flag(&self, variable: &'static str) -> Result<Option<bool>, StartError> {
        let problem = |_| StartError::Invalid { variable, problem: "must be true or false" };
        self.optional(variable).map(|text| text.parse().map_err(problem)).transpose()
    }

    /// The settings of TLS, with the roots compiled in or those that OpenSSL's variables name.
    fn tls(&self) -> Result<ClientConfig, StartError> {
        let [file, folder] =
            [FILE_OF_ROOTS, FOLDER_OF_ROOTS].map(|variable| self.optional(variable).map(PathBuf::from));
        roots::tls(file.as_deref(), folder.as_deref()).map_err(|NoRoots| StartError::NoRoots)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        collections::BTreeMap,
        net::{TcpListener, TcpStream},
    };

    /// Two stores that take connections and say nothing.
    struct Stores {
        dynamodb: TcpListener,
        sqs: TcpListener,
    }

    impl Stores {
        fn new() -> Self {
            let listener = || {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                listener.set_nonblocking(true).unwrap();
                listener
            };
            Self { dynamodb: listener(), sqs: listener() }
        }

        fn environment(&self, scheme: &str, more: &[(&'static str, &str)]) -> Result<Environment, StartError> {
            let url = |listener: &TcpListener| format!("{scheme}://{}", listener.local_addr().unwrap());
            let mut variables = BTreeMap::from([
                ("AWS_ACCESS_KEY_ID", "id".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "key".to_owned()),
                ("AWS_REGION", "eu-west-1".to_owned()),
                ("AWS_ENDPOINT_URL_DYNAMODB", url(&self.dynamodb)),
                ("AWS_ENDPOINT_URL_SQS", url(&self.sqs)),
                ("SESSIONS_TABLE", "sessions".to_owned()),
                ("DECISIONS_QUEUE_URL", "queue".to_owned()),
            ]);
            variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
            Environment::with_connections(move |name| variables.get(name).cloned())
        }

        /// How many connections each store has got.
        fn connections(&self) -> [usize; 2] {
            let accepted = |listener: &TcpListener| -> Vec<TcpStream> {
                std::iter::from_fn(|| listener.accept().ok().map(|(stream, _)| stream)).collect()
            };
            [&self.dynamodb, &self.sqs].map(|listener| accepted(listener).len())
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn each_store_that_the_workers_call_has_a_connection_before_the_first_call() {
        let stores = Stores::new();
        let environment = stores.environment("http", &[]).unwrap();
        environment.connect().await.unwrap();
        assert_eq!(stores.connections(), [0, 0]);
        let _table = environment.sessions_table().unwrap();
        environment.connect().await.unwrap();
        assert_eq!(stores.connections(), [1, 0]);
        let _relay = environment.relay().unwrap();
        environment.connect().await.unwrap();
        assert_eq!(stores.connections(), [1, 1]);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn nothing_is_opened_if_that_is_said() {
        let stores = Stores::new();
        let environment = stores.environment("http", &[("VERDICT_CONNECT", "false")]).unwrap();
        let _relay = environment.relay().unwrap();
        environment.connect().await.unwrap();
        assert_eq!(stores.connections(), [0, 0]);
        let unclear = stores.environment("http", &[("VERDICT_CONNECT", "no")]).unwrap();
        assert_eq!(unclear.connect().await.unwrap_err().to_string(), "VERDICT_CONNECT must be true or false");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn stores_that_dont_answer_or_arent_there_keep_no_function_from_starting() {
        let stores = Stores::new();
        // TLS never comes about.
        let environment = stores.environment("https", &[]).unwrap();
        let _relay = environment.relay().unwrap();
        environment.connect().await.unwrap();
        assert_eq!(stores.connections(), [1, 1]);
        drop(stores);
        environment.connect().await.unwrap();
    }

    #[test]
    fn named_roots_that_arent_there_keep_a_function_from_starting() {
        for variable in [FILE_OF_ROOTS, FOLDER_OF_ROOTS] {
            let error = Stores::new().environment("http", &[(variable, "/nowhere")]).err().unwrap();
            assert!(matches!(error, StartError::NoRoots), "{error}");
        }
    }
}
