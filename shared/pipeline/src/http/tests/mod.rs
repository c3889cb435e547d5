//! The fault matrix of the client, over real sockets: what each fault of a connection becomes once the SDK has done what it
//! does about it.

mod server;

use super::{client::Client, roots};
use crate::store::aws_error::AwsError;
use aws_sdk_dynamodb::{
    config::{
        BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
    },
    types::{AttributeValue, Put, TransactWriteItem},
};
use futures_util::future::join_all;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use server::{Act, Server};
use std::{
    env, fs,
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    runtime::{Builder, Runtime},
    task::yield_now,
};

/// The longest that an attempt may take here.
const ATTEMPT: Duration = Duration::from_secs(1);

/// Faults that the SDK makes good with another attempt.
const PASSING: [Act; 7] =
    [Act::Refuse, Act::Reset, Act::CloseUnanswered, Act::HalfHead, Act::HalfBody, Act::Fault, Act::Silence];

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn client() -> Client {
    Client::new(roots::tls(None, None).unwrap())
}

/// DynamoDB's client, as the functions have it, but for the time that it waits.
fn dynamodb(client: &Client, url: &str) -> aws_sdk_dynamodb::Client {
    let timeouts = TimeoutConfig::builder().connect_timeout(ATTEMPT / 2).operation_attempt_timeout(ATTEMPT).build();
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(5));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(client.clone())
        .endpoint_url(url)
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts)
        .retry_config(retries);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// A server, and a client of it.
struct Pair {
    server: Server,
    client: Client,
    dynamodb: aws_sdk_dynamodb::Client,
}

impl Pair {
    fn new(script: &[Act]) -> Self {
        let server = Server::start(script);
        let client = client();
        let dynamodb = dynamodb(&client, &format!("http://{}", server.address));
        Self { server, client, dynamodb }
    }

    /// Writes a transaction.
    async fn call(&self) -> Result<(), AwsError> {
        call(&self.dynamodb).await
    }
}

async fn call(dynamodb: &aws_sdk_dynamodb::Client) -> Result<(), AwsError> {
    let put = Put::builder().table_name("sessions").item("pk", AttributeValue::S("session".to_owned()));
    let write = TransactWriteItem::builder().put(put.build().unwrap()).build();
    dynamodb.transact_write_items().transact_items(write).send().await?;
    Ok(())
}

/// The value of a member or a header of a request.
fn value<'r>(request: &'r str, before: &str, after: char) -> &'r str {
    request.split_once(before).unwrap_or_else(|| panic!("{before} in {request}")).1.split(after).next().unwrap()
}

/// Has a call meet faults, after answers. Returns its result, and the connections and requests that the server saw.
fn meet(before: usize, faults: &[Act]) -> (Result<(), AwsError>, (usize, usize)) {
    let pair = Pair::new(&[&vec![Act::Answer; before], faults].concat());
    runtime().block_on(async {
        for _ in 0..before {
            pair.call().await.unwrap();
        }
        let result = pair.call().await;
        (result, pair.server.counts())
    })
}

fn code(result: Result<(), AwsError>) -> String {
    result.map_or_else(|error| error.to_string(), |()| "done".to_owned())
}

#[test]
fn a_fault_of_a_connection_costs_an_attempt_and_no_more() {
    for fault in PASSING {
        // What is refused before it could be read isn't seen as a request.
        let requests = if fault == Act::Refuse { 1 } else { 2 };
        assert_eq!(meet(0, &[fault]), (Ok(()), (2, requests)), "{fault:?} on a new connection");
    }
}

#[test]
fn a_fault_of_a_connection_that_was_used_before_costs_an_attempt_and_no_more() {
    for fault in PASSING.into_iter().filter(|fault| *fault != Act::Refuse) {
        assert_eq!(meet(1, &[fault]), (Ok(()), (2, 3)), "{fault:?}");
    }
}

#[test]
fn a_fault_that_stays_ends_after_three_attempts_in_an_error_after_which_the_call_may_have_happened() {
    for fault in PASSING {
        let (result, (connections, requests)) = meet(0, &[fault; 9]);
        assert_eq!((connections, requests), (3, if fault == Act::Refuse { 0 } else { 3 }), "{fault:?}");
        let error = result.unwrap_err();
        assert!(error.is_ambiguous(), "{fault:?}: {error}");
        let expected = match fault {
            Act::Silence => "timeout",
            Act::HalfBody => "unreadable_answer",
            Act::Fault => "unknown",
            _ => "unreachable",
        };
        assert_eq!(error.code(), expected, "{fault:?}");
    }
}

#[test]
fn an_answer_that_isnt_http_ends_the_call_and_it_may_have_happened() {
    let (result, counts) = meet(1, &[Act::Gibberish]);
    assert_eq!(counts, (1, 2));
    let error = result.unwrap_err();
    assert!(error.is_ambiguous(), "{error}");
}

#[test]
fn answers_that_come_late_or_in_parts_are_answers() {
    for answer in [Act::Late, Act::Parts] {
        assert_eq!(meet(1, &[answer]), (Ok(()), (1, 2)), "{answer:?}");
    }
}

#[test]
fn every_attempt_of_a_transaction_has_the_same_token() {
    let pair = Pair::new(&[Act::CloseUnanswered, Act::HalfBody]);
    runtime().block_on(pair.call()).unwrap();
    let seen = pair.server.seen();
    let [first, second, third] = &seen.requests[..] else { panic!("{} requests", seen.requests.len()) };
    let token = |request| value(request, "\"ClientRequestToken\":\"", '"');
    assert!(!token(first).is_empty());
    assert_eq!([token(second), token(third)], [token(first); 2]);
}

#[test]
fn calls_one_after_the_other_share_a_connection() {
    let pair = Pair::new(&[]);
    runtime().block_on(async {
        for _ in 0..20 {
            pair.call().await.unwrap();
        }
    });
    assert_eq!(pair.server.counts(), (1, 20));
}

#[test]
fn calls_side_by_side_have_a_connection_each_and_leave_them_to_the_next() {
    let pair = Pair::new(&[Act::Late; 3]);
    runtime().block_on(async {
        join_all((0..3).map(|_| pair.call())).await.into_iter().collect::<Result<(), _>>().unwrap();
        join_all((0..3).map(|_| pair.call())).await.into_iter().collect::<Result<(), _>>().unwrap();
    });
    assert_eq!(pair.server.counts(), (3, 6));
}

#[test]
fn a_connection_ends_with_its_last_answer() {
    let pair = Pair::new(&[Act::LastAnswer]);
    runtime().block_on(async {
        pair.call().await.unwrap();
        pair.call().await.unwrap();
    });
    assert_eq!(pair.server.counts(), (2, 2));
}

/// The number of the attempt that a request belongs to.
fn attempt(request: &str) -> &str {
    value(request, "amz-sdk-request: attempt=", ';')
}

#[test]
fn a_connection_that_the_server_closed_meanwhile_costs_no_attempt() {
    let pair = Pair::new(&[Act::AnswerAndClose]);
    runtime().block_on(async {
        pair.call().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        pair.call().await.unwrap();
    });
    assert_eq!(pair.server.counts(), (2, 2));
    assert_eq!(attempt(&pair.server.seen().requests[1]), "1");
}

/// Who learns first that the process goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// The tasks of connections, one of which brings an event.
    Tasks,
    /// The caller, before any task has seen that its connection is closed.
    Caller,
}

/// Stands still as Lambda freezes a process: nothing runs, not even the task of a connection, until an event comes over a
/// connection of its own.
async fn stand_still(first: First) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let runtime_api = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let event = async move { runtime_api.readable().await.unwrap() };
    let thaw = || {
        thread::sleep(Duration::from_millis(50));
        listener.accept().unwrap().0.write_all(b"!").unwrap();
    };
    if first == First::Caller {
        thaw();
        return event.await;
    }
    let event = tokio::spawn(event);
    yield_now().await;
    thaw();
    event.await.unwrap();
}

#[test]
fn a_connection_that_the_server_closed_while_the_process_stood_still_costs_no_attempt() {
    for first in [First::Tasks, First::Caller] {
        let pair = Pair::new(&[Act::AnswerAndClose]);
        runtime().block_on(async {
            pair.call().await.unwrap();
            stand_still(first).await;
            pair.call().await.unwrap();
        });
        assert_eq!(pair.server.counts(), (2, 2), "{first:?}");
        assert_eq!(attempt(&pair.server.seen().requests[1]), "1", "{first:?}");
    }
}

#[test]
fn a_connection_that_was_idle_for_long_is_left_alone() {
    let pair = Pair::new(&[]);
    runtime().block_on(async {
        pair.call().await.unwrap();
        pair.client.age(Duration::from_secs(91));
        pair.call().await.unwrap();
    });
    assert_eq!(pair.server.counts(), (2, 2));
}

#[test]
fn a_request_has_a_path_and_names_its_host_once() {
    let pair = Pair::new(&[]);
    runtime().block_on(pair.call()).unwrap();
    let seen = pair.server.seen();
    let request = &seen.requests[0];
    assert!(request.starts_with("POST / HTTP/1.1\r\n"), "{request}");
    assert_eq!(request.matches("host: ").count(), 1);
    assert_eq!(value(request, "host: ", '\r'), pair.server.address.to_string());
}

#[test]
fn the_first_call_finds_the_connection_that_was_opened_before() {
    let pair = Pair::new(&[]);
    runtime().block_on(async {
        pair.client.open(&format!("http://{}", pair.server.address).parse().unwrap()).await.unwrap();
        pair.call().await.unwrap();
    });
    assert_eq!(pair.server.counts(), (1, 1));
}

#[test]
fn an_opened_connection_that_the_server_closed_costs_no_attempt() {
    let pair = Pair::new(&[Act::Refuse]);
    runtime().block_on(async {
        pair.client.open(&format!("http://{}", pair.server.address).parse().unwrap()).await.unwrap();
        stand_still(First::Tasks).await;
        pair.call().await.unwrap();
    });
    assert_eq!(pair.server.counts(), (2, 1));
    assert_eq!(attempt(&pair.server.seen().requests[0]), "1");
}

#[test]
fn where_nobody_listens_nothing_is_opened_and_a_call_fails() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = client();
    let url = format!("http://{address}");
    runtime().block_on(async {
        assert!(client.open(&url.parse().unwrap()).await.is_err());
        assert_eq!(code(call(&dynamodb(&client, &url)).await), "unavailable (unreachable)");
    });
}

#[test]
fn a_connection_that_doesnt_come_about_times_out() {
    // The kernel takes connections for it, and nobody speaks TLS over them.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let begun = Instant::now();
    let result = runtime().block_on(call(&dynamodb(&client(), &format!("https://{}", listener.local_addr().unwrap()))));
    assert_eq!(code(result), "unavailable (unreachable)");
    assert!(begun.elapsed() >= 3 * (ATTEMPT / 2));
}

/// A certificate of this run for this machine, and the settings of a server that has it.
fn certified(name: &str) -> (PathBuf, Arc<ServerConfig>) {
    let file = env::temp_dir().join(format!("verdict-{name}-{}.pem", std::process::id()));
    let key = file.with_extension("key");
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-nodes", "-days", "1", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]).arg("-keyout").arg(&key).arg("-out").arg(&file);
    assert!(openssl.output().unwrap().status.success());
    let certificate = CertificateDer::from_pem_file(&file).unwrap();
    let private = PrivateKeyDer::from_pem_file(&key).unwrap();
    fs::remove_file(key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    (file, Arc::new(config.with_single_cert(vec![certificate], private).unwrap()))
}

#[test]
fn a_server_is_believed_if_its_root_is_in_the_file_that_is_named() {
    let (file, tls) = certified("believed");
    let server = Server::start_with(&[], Some(tls));
    let url = format!("https://localhost:{}", server.address.port());
    let client_of = |file: Option<&Path>| Client::new(roots::tls(file, None).unwrap());
    runtime().block_on(async {
        assert_eq!(code(call(&dynamodb(&client_of(Some(&file)), &url)).await), "done");
        assert_eq!(code(call(&dynamodb(&client_of(None), &url)).await), "unavailable (unreachable)");
    });
    fs::remove_file(file).unwrap();
}

#[test]
fn a_server_with_another_name_is_not_believed() {
    let (file, tls) = certified("named");
    let server = Server::start_with(&[], Some(tls));
    let client = Client::new(roots::tls(Some(&file), None).unwrap());
    let url = format!("https://127.0.0.1:{}", server.address.port());
    let result = runtime().block_on(call(&dynamodb(&client, &url)));
    assert_eq!(code(result), "unavailable (unreachable)");
    fs::remove_file(file).unwrap();
}

#[test]
fn a_file_or_folder_without_roots_is_a_problem() {
    for place in ["/nowhere", "/dev/null"] {
        assert!(roots::tls(Some(Path::new(place)), None).is_err(), "{place}");
        assert!(roots::tls(None, Some(Path::new(place))).is_err(), "{place}");
    }
}

#[test]
fn the_roots_of_aws_are_compiled_in() {
    // https://www.amazontrust.com/repository/ lists them.
    let names =
        ["Amazon Root CA 1", "Amazon Root CA 2", "Amazon Root CA 3", "Amazon Root CA 4", "Starfield Services Root"];
    for name in names {
        let has_name = |subject: &[u8]| subject.windows(name.len()).any(|part| part == name.as_bytes());
        assert!(webpki_roots::TLS_SERVER_ROOTS.iter().any(|root| has_name(&root.subject)), "{name}");
    }
}
