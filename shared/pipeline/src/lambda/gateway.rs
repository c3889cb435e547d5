//! API Gateway's HTTP API events (payload format 2.0) in, its responses out.
//!
//! Read here rather than by `lambda_http`, which refuses an event whose headers aren't ASCII and
//! panics on base64 that isn't: both are things that a stranger's request can cause, and every request
//! deserves a proper answer.

use crate::time::{clock, deadline::Deadline};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::FutureExt as _;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, fmt, panic::AssertUnwindSafe, time::Duration};
use tracing::Instrument as _;
use verdict_sessions::Timestamp;
use verdict_webhooks::{Delivery, Headers};

#[cfg(panic = "abort")]
compile_error!("build with panic = \"unwind\": a request that meets a bug must be answered, and so must the next");

/// How long an answer may take. Veriff gives up after 5 s, network included.
const BUDGET: Duration = Duration::from_millis(3800);

/// Lambda's name for one invocation, for finding its log lines.
#[derive(Clone, Debug)]
pub struct RequestId(String);

impl From<String> for RequestId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl RequestId {
    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An HTTP request.
pub struct Request {
    /// Lambda's name for this invocation.
    pub id: RequestId,
    /// When it has to be answered.
    pub deadline: Deadline,
    /// When it came.
    pub now: Timestamp,
    /// The query's parameters, percent-decoded, in order.
    pub query: Vec<(String, String)>,
    /// The route's parameters, percent-decoded.
    pub path_parameters: BTreeMap<String, String>,
    /// The route that the gateway chose, such as `GET /sessions`.
    pub route: String,
    /// The rest: what a proof looks at.
    pub delivery: Delivery,
}

impl Request {
    /// Reads the event that the gateway makes of a request.
    ///
    /// # Errors
    /// What is wrong with an event that is none, in words without any of its content.
    pub fn from_event(event: &str, context: &Context) -> Result<Self, &'static str> {
        // The parser's own message is dropped, since it may quote the request.
        let event: Event =
            serde_json::from_str(event).map_err(|_| "not an event of an API Gateway HTTP API in payload format 2.0")?;
        let body = match event.body.unwrap_or_default() {
            encoded if event.is_base64_encoded => BASE64_STANDARD
                .decode(encoded.as_bytes())
                .map_err(|_| "the body is not base64, as the event says it is")?,
            text => text.into_bytes(),
        };
        let headers: Headers = event.headers.unwrap_or_default().into_iter().collect();
        let query = query(&event.raw_query_string);
        let path_parameters = event.path_parameters.unwrap_or_default();
        let delivery = Delivery::new(event.request_context.http.method, event.raw_path, headers, body);
        let delivery = match routed_path(&event.route_key, &path_parameters) {
            Some(path) => delivery.with_route(path),
            None => delivery,
        };
        Ok(Self {
            id: RequestId(context.request_id.clone()),
            deadline: clock::deadline(context.deadline, BUDGET),
            now: clock::now(),
            path_parameters,
            route: event.route_key,
            delivery: delivery.with_query(query.clone()),
            query,
        })
    }
}

/// Says nothing of the query: it may hold a token.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("id", &self.id).field("route", &self.route).finish_non_exhaustive()
    }
}

/// An HTTP response.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The HTTP status.
    #[serde(rename = "statusCode")]
    pub status: u16,
    /// The headers.
    pub headers: BTreeMap<&'static str, String>,
    /// The body: JSON.
    pub body: String,
    is_base64_encoded: bool,
}

impl Response {
    /// A JSON response.
    #[must_use]
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        let headers = BTreeMap::from([("content-type", "application/json".to_owned())]);
        Self { status, headers, body: body.into(), is_base64_encoded: false }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// A JSON error.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, serde_json::json!({"error": {"code": code, "message": message}}).to_string())
    }
}

/// The event, as far as we look at it. Everything is optional: what a request lacks is the handler's matter.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    route_key: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    path_parameters: Option<BTreeMap<String, String>>,
    request_context: RequestContext,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct RequestContext {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// Answers requests with `handle` until Lambda ends the process.
///
/// # Errors
/// When the Lambda Runtime API can't be reached.
pub async fn serve<H>(handle: H) -> Result<(), Error>
where
    H: AsyncFn(Request) -> Response,
{
    let handle = &handle;
    lambda_runtime::run(service_fn(async |invocation| Ok::<_, Error>(respond(handle, invocation).await))).await
}

/// Answers, whatever happens: a panic is a bug, but nobody's lost request.
async fn respond<H>(handle: &H, invocation: LambdaEvent<Box<RawValue>>) -> Response
where
    H: AsyncFn(Request) -> Response,
{
    let span = tracing::error_span!("invocation", request_id = invocation.context.request_id);
    // Boxed: the future of a whole webhook is large, and moved about on the way down to the runtime.
    let response = Box::pin(try_to_respond(handle, invocation).instrument(span));
    AssertUnwindSafe(response).catch_unwind().await.unwrap_or_else(|_panic| {
        Response::error(500, "internal", "a bug; the log says where").with_header("x-verdict-outcome", "failed")
    })
}

async fn try_to_respond<H>(handle: &H, invocation: LambdaEvent<Box<RawValue>>) -> Response
where
    H: AsyncFn(Request) -> Response,
{
    let LambdaEvent { payload, context } = invocation;
    let request = Request::from_event(payload.get(), &context);
    // Up to 6 MB that nobody needs any more.
    drop(payload);
    match request {
        Ok(request) => handle(request).await,
        Err(problem) => {
            tracing::warn!(problem, "not a request");
            Response::error(400, "event_unreadable", problem).with_header("x-verdict-outcome", "refused")
        }
    }
}

/// The path that a route such as `POST /incode/{webhook}` stands for, with its parameters filled in; `$default` stands for
/// any. A greedy parameter may stand for nothing, and then need not be there.
fn routed_path(route: &str, parameters: &BTreeMap<String, String>) -> Option<String> {
    let (_method, template) = route.split_once(' ')?;
    let filled = template.split('/').map(|segment| match parameter_name(segment) {
        Some(name) => parameters.get(name).map_or("", String::as_str),
        None => segment,
    });
    Some(filled.collect::<Vec<_>>().join("/"))
}

/// The name within `{name}` or `{name+}`.
fn parameter_name(segment: &str) -> Option<&str> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    Some(name.strip_suffix('+').unwrap_or(name))
}

fn query(raw: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use verdict_webhooks::{Refusal, WebhookSource as _, veriff::Veriff};

    fn event(changes: &Value) -> String {
        let mut event = json!({
            "version": "2.0", "routeKey": "POST /veriff/events", "rawPath": "/veriff/events", "rawQueryString": "",
            "headers": {"content-type": "application/json"},
            "requestContext": {"http": {"method": "POST", "path": "/veriff/events"}},
            "body": "{}", "isBase64Encoded": false,
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            event[name] = value.clone();
        }
        event.to_string()
    }

    fn read(changes: &Value) -> Result<Request, &'static str> {
        Request::from_event(&event(changes), &Context::default())
    }

    #[test]
    fn what_a_stranger_can_put_into_a_request_is_still_a_request() {
        for changes in [
            json!({"headers": {"x-hmac-signature": "é\u{ff11}\u{0}"}}),
            json!({"headers": {"": "", "a b": "c\r\nd"}}),
            json!({"headers": null, "body": null}),
            json!({"rawQueryString": "%zz&=&a=%ff&%00"}),
            json!({"rawPath": "/veriff/../é%zz", "cookies": ["é"]}),
        ] {
            assert!(read(&changes).is_ok(), "{changes}");
        }
    }

    #[test]
    fn what_no_http_api_sends_is_refused_and_never_a_panic() {
        for text in ["null", "[]", "{}", "\"\"", "0", r#"{"source":"aws.events","detail":{}}"#] {
            assert!(Request::from_event(text, &Context::default()).is_err(), "{text}");
        }
        for changes in [
            json!({"isBase64Encoded": true, "body": "not base64!"}),
            json!({"isBase64Encoded": true, "body": "e30"}),
            json!({"isBase64Encoded": "true"}),
            json!({"requestContext": {"elb": {}}}),
            json!({"headers": {"a": ["b"]}}),
        ] {
            assert!(read(&changes).is_err(), "{changes}");
        }
    }

    #[tokio::test]
    async fn a_panic_is_answered_and_so_is_the_next_request() {
        let invocation = |query: &str| {
            let event = RawValue::from_string(event(&json!({"rawQueryString": query}))).unwrap();
            LambdaEvent::new(event, Context::default())
        };
        let handle = async |request: Request| {
            assert!(request.query.is_empty(), "a bug");
            Response::json(200, "{}")
        };
        let failed = respond(&handle, invocation("a=b")).await;
        assert_eq!((failed.status, failed.headers["x-verdict-outcome"].as_str()), (500, "failed"));
        assert_eq!(respond(&handle, invocation("")).await.status, 200);
    }

    #[test]
    fn a_route_stands_for_the_path_that_its_parameters_make() {
        let parameters = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
        };
        for (route, given, path) in [
            ("POST /treezor", &[][..], Some("/treezor")),
            ("POST /incode/{webhook}", &[("webhook", "session-succeeded")], Some("/incode/session-succeeded")),
            ("ANY /veriff/{proxy+}", &[("proxy", "/decisions//x/")], Some("/veriff//decisions//x/")),
            ("POST /a/{b}/c/{d+}", &[("b", "1"), ("d", "2/3")], Some("/a/1/c/2/3")),
            // What a greedy parameter stands for may be nothing.
            ("POST /treezor/{proxy+}", &[("proxy", "")], Some("/treezor/")),
            ("POST /treezor/{proxy+}", &[], Some("/treezor/")),
            // What is filled in is no template.
            ("POST /incode/{webhook}", &[("webhook", "{proxy+}"), ("proxy", "x")], Some("/incode/{proxy+}")),
            ("$default", &[("proxy", "x")], None),
            ("", &[], None),
        ] {
            assert_eq!(routed_path(route, &parameters(given)).as_deref(), path, "{route}");
        }
    }

    /// Why a webhook of Veriff's without a proof is refused: it tells whether the path was taken for an own one.
    fn refusal(route: &str, path: &str, parameters: &Value) -> Refusal {
        let event = json!({"routeKey": route, "rawPath": path, "pathParameters": parameters});
        let veriff = Veriff::from_json(r#"{"secrets":["abcdef12-abcd-abcd-abcd-abcdef012345"]}"#).unwrap();
        veriff.prove(read(&event).unwrap().delivery, Timestamp::EPOCH).unwrap_err()
    }

    #[test]
    fn a_greedy_route_lets_in_what_its_providers_path_is_and_nothing_else() {
        let (known, unknown) = (Refusal::SignatureMissing, Refusal::PathUnknown);
        for (route, path, parameters, expected) in [
            ("POST /veriff/decisions", "/veriff/decisions", json!(null), known),
            ("POST /veriff/decisions", "/production/veriff/decisions", json!(null), known),
            ("POST /veriff/decisions/{proxy+}", "/veriff/decisions/", json!({"proxy": ""}), known),
            ("POST /veriff/decisions/{proxy+}", "/veriff/decisions/", json!(null), known),
            ("POST /veriff/decisions/{proxy+}", "/production/veriff/decisions//", json!({"proxy": "/"}), known),
            ("POST /veriff/{proxy+}", "/veriff//decisions", json!({"proxy": "/decisions"}), known),
            ("POST /veriff/decisions/{proxy+}", "/veriff/decisions/x", json!({"proxy": "x"}), unknown),
            (
                "POST /veriff/decisions/{proxy+}",
                "/veriff/decisions/veriff/decisions",
                json!({"proxy": "veriff/decisions"}),
                unknown,
            ),
            ("POST /veriff/{proxy+}", "/veriff/decisions%2F", json!({"proxy": "decisions/"}), unknown),
            ("POST /veriff/{proxy+}", "/veriff/events", json!({"proxy": "decisions"}), unknown),
            ("$default", "/veriff/decisions/veriff/decisions", json!(null), known),
            ("", "/production/veriff/decisions/", json!(null), known),
            ("ANY /{proxy+}", "/hooks/veriff/decisions", json!({"proxy": "hooks/veriff/decisions"}), known),
            ("$default", "/veriff/decisions/x", json!(null), unknown),
        ] {
            assert_eq!(refusal(route, path, &parameters), expected, "{route} {path}");
        }
    }

    #[test]
    fn a_query_is_decoded_once() {
        let request = read(&json!({"rawQueryString": "session=veriff%2Fa%252Fb&reference=a+b%2B"})).unwrap();
        let expected = [("session", "veriff/a%2Fb"), ("reference", "a b+")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(request.query, expected);
    }
}
