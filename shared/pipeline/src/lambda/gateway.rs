//! API Gateway's HTTP API events (payload format 2.0) in, its responses out.
//!
//! `lambda_http` reads the events. It makes a URL of an event's host and query, and panics if they don't make one.
//! A stranger can cause that, and every request deserves a proper answer. So the event is mended first where that
//! changes nothing, and what still panics is refused like an event that can't be read.

use crate::{
    telemetry::{self, log},
    time::{clock, deadline::Deadline},
};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::FutureExt as _;
use lambda_http::{
    Body, RequestExt as _,
    http::{self, HeaderMap, HeaderName, HeaderValue},
    request::LambdaRequest,
};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, cell::Cell, collections::BTreeMap, fmt, panic::AssertUnwindSafe, time::Duration};
use tracing::Instrument as _;
use verdict_sessions::{Timestamp, Trace};
use verdict_webhooks::{Delivery, Headers};

#[cfg(panic = "abort")]
compile_error!("build with panic = \"unwind\": a request that meets a bug must be answered, and so must the next");

/// The longest time that an answer may take. Veriff gives up after 5 s, network included.
const BUDGET: Duration = Duration::from_millis(3800);

/// The problem of an event that isn't a request's. The parser's own message is not used: it may quote the request.
const NOT_A_REQUEST: &str = "not an event of an API Gateway HTTP API in payload format 2.0";

/// The characters of a query that `http::Uri` refuses, and `#`, where it would cut the query off.
const NOT_IN_A_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

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
    /// The deadline of the answer.
    pub deadline: Deadline,
    /// The time of arrival.
    pub now: Timestamp,
    /// The query's parameters, percent-decoded, in order.
    pub query: Vec<(String, String)>,
    /// The route's parameters, percent-decoded.
    pub path_parameters: BTreeMap<String, String>,
    /// The route that the gateway chose, such as `GET /sessions`.
    pub route: String,
    /// The ARN of the caller, if the route asks for IAM authorization.
    pub caller: Option<String>,
    /// True if this is the first request of its process.
    pub is_cold_start: bool,
    /// The trace of this invocation, if the functions send traces.
    pub trace: Option<Trace>,
    /// The rest: what a proof looks at.
    pub delivery: Delivery,
}

impl Request {
    /// Reads the event that the gateway makes of a request.
    ///
    /// # Errors
    /// The problem, if the event isn't a request; the text holds nothing of the event.
    pub fn from_event(event: &str, context: &Context) -> Result<Self, &'static str> {
        let Read { request, route, path, caller, source } =
            log::expecting_panics(|| Read::from_event(event)).unwrap_or(Err(NOT_A_REQUEST))?;
        let query = query(request.uri().query().unwrap_or_default());
        let path_parameters = path_parameters(&request);
        let method = request.method().to_string();
        let headers = headers(request.headers());
        let delivery = Delivery::new(method, path, headers, request.into_body());
        let delivery = match routed_path(&route, &path_parameters) {
            Some(path) => delivery.with_route(path),
            None => delivery,
        };
        let delivery = match source {
            Some(address) => delivery.from_source(&address),
            None => delivery,
        };
        Ok(Self {
            id: RequestId(context.request_id.clone()),
            deadline: clock::deadline(context.deadline, BUDGET),
            now: clock::now(),
            path_parameters,
            route,
            caller,
            is_cold_start: false,
            trace: telemetry::trace(context.xray_trace_id.as_deref()),
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

/// The request that `lambda_http` makes of an event, and its route.
struct Read {
    request: http::Request<Vec<u8>>,
    /// The event's `routeKey`, which `lambda_http` drops.
    route: String,
    /// The event's `rawPath`.
    path: String,
    /// The event's `requestContext.authorizer.iam.userArn`.
    caller: Option<String>,
    /// The event's `requestContext.http.sourceIp`: the other end of the connection, whatever a header says.
    source: Option<String>,
}

impl Read {
    /// Panics if the event's host and query don't make a URL.
    fn from_event(event: &str) -> Result<Self, &'static str> {
        let Spelled { headers } = serde_json::from_str(event).map_err(|_| NOT_A_REQUEST)?;
        let mut event: ApiGatewayV2httpRequest = serde_json::from_str(event).map_err(|_| NOT_A_REQUEST)?;
        // Without the path, since not every path makes a URL.
        let path = event.raw_path.take().ok_or(NOT_A_REQUEST)?;
        event.headers = headers.unwrap_or_default().0;
        // `lambda_http` would copy the body, and panic over wrong base64.
        let body = bytes(event.body.take().unwrap_or_default(), event.is_base64_encoded)?;
        let route = event.route_key.take().unwrap_or_default();
        let authorizer = event.request_context.authorizer.take();
        let source = event.request_context.http.source_ip.clone();
        mend(&mut event);
        let request: lambda_http::Request = LambdaRequest::ApiGatewayV2(event).into();
        let caller = authorizer.and_then(|authorizer| authorizer.iam?.user_arn);
        Ok(Self { request: request.map(|_empty| body), route, path, caller, source })
    }
}

/// The headers of an event, read once more: `ApiGatewayV2httpRequest` keeps the last of those whose names differ only in
/// case, and a proof must see that there are several.
#[derive(Deserialize)]
struct Spelled {
    headers: Option<EachHeader>,
}

/// Every header of an event.
#[derive(Default)]
struct EachHeader(HeaderMap);

impl<'de> Deserialize<'de> for EachHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = EachHeader;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers, each a text")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<EachHeader, A::Error> {
                let mut headers = HeaderMap::new();
                while let Some((name, value)) = members.next_entry::<Cow<'_, str>, Cow<'_, str>>()? {
                    let name = HeaderName::try_from(&*name).map_err(A::Error::custom)?;
                    let value = HeaderValue::try_from(&*value).map_err(A::Error::custom)?;
                    headers.try_append(name, value).map_err(A::Error::custom)?;
                }
                Ok(EachHeader(headers))
            }
        }

        deserializer.deserialize_map(Names)
    }
}

/// The bytes of a body as they were sent.
fn bytes(body: String, is_base64_encoded: bool) -> Result<Vec<u8>, &'static str> {
    if !is_base64_encoded {
        return Ok(body.into_bytes());
    }
    BASE64_STANDARD.decode(body).map_err(|_| "the body is not base64, as the event says it is")
}

/// Keeps `lambda_http` from panicking over parts of an event that can be encoded or left out.
fn mend(event: &mut ApiGatewayV2httpRequest) {
    event.raw_query_string =
        event.raw_query_string.take().map(|query| utf8_percent_encode(&query, NOT_IN_A_QUERY).to_string());
    // It would become the URL's scheme, whatever it is: two proxies make it `https,https`.
    event.headers.remove("x-forwarded-proto");
}

/// The values come from JSON, so that they are UTF-8; `HeaderValue::to_str` would allow ASCII only.
fn headers(headers: &HeaderMap) -> Headers {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect()
}

fn path_parameters<B>(request: &http::Request<B>) -> BTreeMap<String, String> {
    let parameters = request.path_parameters_ref().into_iter().flat_map(|parameters| parameters.iter());
    parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// An HTTP response.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Response(ApiGatewayV2httpResponse);

impl Response {
    /// A JSON response.
    #[must_use]
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = status.into();
        response.body = Some(Body::Text(body.into()));
        Self(response).with_header("content-type", "application/json")
    }

    /// Adds a header, unless HTTP doesn't allow its value.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Ok(value) = HeaderValue::try_from(value.into()) {
            self.0.headers.insert(name, value);
        }
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> i64 {
        self.0.status_code
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.get(name)?.to_str().ok()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &str {
        match &self.0.body {
            Some(Body::Text(text)) => text,
            _ => "",
        }
    }

    /// A JSON error.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, serde_json::json!({"error": {"code": code, "message": message}}).to_string())
    }
}

/// Answers requests with `handle` until Lambda ends the process.
///
/// # Errors
/// An error if the Lambda Runtime API can't be reached.
pub async fn serve<H>(handle: H) -> Result<(), Error>
where
    H: AsyncFn(Request) -> Response,
{
    let is_cold_start = Cell::new(true);
    let handle = &async |request: Request| {
        let is_cold_start = is_cold_start.replace(false);
        handle(Request { is_cold_start, ..request }).await
    };
    lambda_runtime::run(service_fn(async |invocation| Ok::<_, Error>(respond(handle, invocation).await))).await
}

/// Answers every request: if a panic occurs, with 500.
async fn respond<H>(handle: &H, invocation: LambdaEvent<Box<RawValue>>) -> Response
where
    H: AsyncFn(Request) -> Response,
{
    let span = tracing::error_span!("invocation", request_id = invocation.context.request_id);
    // Boxed: the future of a whole webhook is large, and moved about on the way down to the runtime.
    let response = Box::pin(try_to_respond(handle, invocation).instrument(span));
    AssertUnwindSafe(response).catch_unwind().await.unwrap_or_else(|_panic| {
        let response = Response::error(500, "internal", "a bug; the log says where");
        response.with_header("cache-control", "no-store").with_header("x-verdict-outcome", "failed")
    })
}

async fn try_to_respond<H>(handle: &H, invocation: LambdaEvent<Box<RawValue>>) -> Response
where
    H: AsyncFn(Request) -> Response,
{
    let LambdaEvent { payload, context } = invocation;
    let request = Request::from_event(payload.get(), &context);
    // Frees up to 6 MB.
    drop(payload);
    match request {
        Ok(request) => handle(request).await,
        Err(problem) => {
            tracing::warn!(problem, "not a request");
            let response = Response::error(400, "event_unreadable", problem);
            response.with_header("cache-control", "no-store").with_header("x-verdict-outcome", "refused")
        }
    }
}

/// The path that a route such as `POST /incode/{webhook}` stands for, with its parameters filled in. `$default` stands
/// for no path in particular. A greedy parameter can match nothing; the event may then leave it out.
fn routed_path(route: &str, parameters: &BTreeMap<String, String>) -> Option<String> {
    let (_method, template) = route.split_once(' ')?;
    let filled = template.split('/').map(|segment| match parameter_name(segment) {
        Some(name) => parameters.get(name).map_or("", String::as_str),
        None => segment,
    });
    Some(filled.collect::<Vec<_>>().join("/"))
}

/// The parameter's name in `{name}` or `{name+}`.
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
    use verdict_webhooks::{Refusal, WebhookSource as _, veriff::Veriff, wultra::Wultra};

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

    /// Texts that a request's event may hold, besides those that providers send.
    #[test]
    fn what_a_stranger_can_put_into_a_request_is_still_a_request() {
        for changes in [
            json!({"headers": {"x-hmac-signature": "é\u{ff11}\u{80}"}}),
            json!({"headers": {"user-agent": "\t caf\u{e9} 名前 \u{fffe}", "x-empty": ""}}),
            json!({"headers": {"cookie": "a=b", "X-Two": "a,b"}, "cookies": ["c=d", "é"]}),
            json!({"headers": {"x-forwarded-proto": "https,https"}}),
            json!({"headers": {"x-forwarded-proto": " :// "}}),
            json!({"headers": {"host": "é.example", "x-long": "x".repeat(100_000)}}),
            json!({"headers": null, "body": null, "cookies": null, "pathParameters": null, "stageVariables": null}),
            json!({"headers": (0..10_000).map(|n| (format!("x-{n}"), json!("v"))).collect::<serde_json::Map<_, _>>()}),
            json!({"cookies": vec!["a=b"; 10_000]}),
            json!({"cookies": ["a=b\r\nx: y", "\u{0}"]}),
            json!({"rawQueryString": "%zz&=&a=%ff&%00"}),
            json!({"rawQueryString": "a=\"<> #\u{0}\t\r\n\u{7f}\u{80}é|{}\\^`[]"}),
            json!({"rawQueryString": "a=1".repeat(20_000)}),
            json!({"rawPath": "/veriff/../é%zz", "cookies": ["é"]}),
            json!({"rawPath": "/veriff/\"<> #?\u{0}\r\n\\%/events"}),
            json!({"rawPath": ""}),
            json!({"rawPath": "//"}),
            json!({"rawPath": "%2Fveriff/events"}),
            json!({"rawPath": "a b:c@d"}),
            json!({"rawPath": format!("/{}", "x".repeat(70_000))}),
            json!({"requestContext": {"http": {"method": "BREW"}}}),
            json!({"requestContext": {"http": {"method": ""}}}),
            json!({"requestContext": {"http": {"method": "POST"}, "stage": "é \"?", "domainName": null}}),
            json!({"body": "\u{0}é", "version": "3.0"}),
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
            json!({"body": {}}),
            json!({"requestContext": {"elb": {}}}),
            json!({"requestContext": {"http": {}}}),
            json!({"requestContext": {"http": {"method": "POST "}}}),
            json!({"requestContext": {"http": {"method": "PÖST"}}}),
            json!({"requestContext": {"http": {"method": "POST"}, "timeEpoch": "soon"}}),
            json!({"rawPath": null}),
            json!({"rawQueryString": "x".repeat(66_000)}),
            json!({"rawQueryString": "é".repeat(11_000)}),
            json!({"rawQueryString": {}}),
            json!({"queryStringParameters": {"a": 1}}),
            json!({"pathParameters": {"proxy": null}}),
            json!({"cookies": "a=b"}),
            json!({"headers": []}),
            json!({"headers": {"": ""}}),
            json!({"headers": {"a b": "c"}}),
            json!({"headers": {"é": "c"}}),
            json!({"headers": {"x": "c\r\nd"}}),
            json!({"headers": {"x": "\u{0}"}}),
            json!({"headers": {"x": 1}}),
            json!({"headers": {"x": ["a"]}}),
            json!({"headers": {"host": "a b"}}),
            json!({"headers": {"host": "a:b"}}),
            json!({"headers": (0..40_000).map(|n| (format!("x-{n}"), json!("v"))).collect::<serde_json::Map<_, _>>()}),
        ] {
            assert!(read(&changes).is_err(), "{:.200}", changes.to_string());
        }
    }

    #[test]
    fn a_query_is_read_as_it_was_written_whatever_it_holds() {
        for character in (0..=0xff).filter_map(char::from_u32).filter(|character| !"&=+%".contains(*character)) {
            let request = read(&json!({"rawQueryString": format!("b=2&a={character}&b=1&{character}")})).unwrap();
            let text = character.to_string();
            let expected = [("b", "2"), ("a", &text), ("b", "1"), (&text, "")];
            assert_eq!(request.query, expected.map(|(k, v)| (k.to_owned(), v.to_owned())), "{character:?}");
        }
    }

    #[test]
    fn a_path_is_taken_as_it_is_whatever_it_holds() {
        for character in (0..=0xff).filter_map(char::from_u32).filter(|character| *character != '/') {
            let path = format!("/a{character}b");
            let request = read(&json!({"rawPath": path})).unwrap();
            assert_eq!(request.delivery.path(), path);
        }
    }

    /// Proves a webhook of Wultra's, whose proof is a header.
    fn prove(credentials: &Value, headers: &Value) -> Result<(), Refusal> {
        let path = "/wultra/process/event";
        let event = json!({"routeKey": format!("POST {path}"), "rawPath": path, "headers": headers});
        let wultra = Wultra::from_json(&credentials.to_string()).unwrap();
        wultra.prove(read(&event).unwrap().delivery, Timestamp::EPOCH).map(drop)
    }

    #[test]
    fn a_header_proves_only_with_its_every_byte() {
        let password = "9f1c7a52e0b84d36aa517c20fd3e8b64";
        let login = json!({"basic": [{"username": "wultra", "password": password}]});
        let proof = format!("Basic {}", BASE64_STANDARD.encode(format!("wultra:{password}")));
        assert_eq!(prove(&login, &json!({"Authorization": proof})), Ok(()));
        for value in [
            json!(format!("{proof}é")),
            json!(format!("é{proof}")),
            json!(format!("{proof}\u{80}")),
            json!(format!("{proof}\u{a0}")),
            json!(format!("{proof},{proof}")),
            json!(proof.replace('a', "а")),
            json!("\u{ff}\u{fe}"),
        ] {
            assert!(prove(&login, &json!({"authorization": value})).is_err(), "{value}");
        }
    }

    #[test]
    fn two_spellings_of_a_header_are_two_headers() {
        let login = json!({"basic": [{"username": "wultra", "password": "9f1c7a52e0b84d36aa517c20fd3e8b64"}]});
        let proof = format!("Basic {}", BASE64_STANDARD.encode("wultra:9f1c7a52e0b84d36aa517c20fd3e8b64"));
        for other in [&*proof, "", "Basic eDp5"] {
            for (first, last) in [(&*proof, other), (other, &*proof)] {
                let headers = json!({"Authorization": first, "authorization": last});
                assert_eq!(prove(&login, &headers), Err(Refusal::AuthorizationRepeated), "{headers}");
            }
        }
    }

    #[test]
    fn a_secret_in_a_header_may_be_of_any_letters() {
        let secret = "Schlüssel 9f1c7a52e0b84d36aa517c20fd3e8b64 鍵";
        let header = json!({"headers": {"x-secret": [secret]}});
        assert_eq!(prove(&header, &json!({"x-secret": secret})), Ok(()));
        let other = secret.replace('鍵', "鑰");
        assert_eq!(prove(&header, &json!({"x-secret": other})), Err(Refusal::SecretHeaderMismatch));
    }

    #[test]
    fn an_answer_is_what_the_gateway_reads() {
        let answer =
            Response::json(200, "{}").with_header("x-verdict-outcome", "recorded").with_header("x-unfit", "a\nb");
        let expected = json!({
            "statusCode": 200, "headers": {"content-type": "application/json", "x-verdict-outcome": "recorded"},
            "multiValueHeaders": {}, "body": "{}", "isBase64Encoded": false, "cookies": [],
        });
        assert_eq!(serde_json::to_value(&answer).unwrap(), expected);
    }

    #[tokio::test]
    async fn a_strangers_event_is_refused_and_the_next_answered() {
        let invocation =
            |changes: &Value| LambdaEvent::new(RawValue::from_string(event(changes)).unwrap(), Context::default());
        let handle = async |_: Request| Response::json(200, "{}");
        for changes in [json!({"headers": {"host": "a b"}}), json!({"isBase64Encoded": true, "body": "?"})] {
            let refused = respond(&handle, invocation(&changes)).await;
            assert_eq!((refused.status(), refused.header("x-verdict-outcome")), (400, Some("refused")), "{changes}");
            assert!(refused.body().contains("event_unreadable"), "{changes}");
            assert_eq!(respond(&handle, invocation(&json!({}))).await.status(), 200);
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
        assert_eq!((failed.status(), failed.header("x-verdict-outcome")), (500, Some("failed")));
        assert_eq!(respond(&handle, invocation("")).await.status(), 200);
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

    /// The refusal of a webhook of Veriff's without a proof: it tells whether the path was taken for an own one.
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

    /// The refusal of a webhook without a signature, by a function that lets in two ranges of addresses.
    fn refusal_from(source: &Value, headers: &Value) -> Refusal {
        let credentials = json!({"secrets": ["abcdef12-abcd-abcd-abcd-abcdef012345"],
            "allowedCidrs": ["203.0.113.0/24", "2001:db8::/32"]});
        let context = json!({"http": {"method": "POST", "path": "/veriff/events", "sourceIp": source}});
        let veriff = Veriff::from_json(&credentials.to_string()).unwrap();
        let delivery = read(&json!({"requestContext": context, "headers": headers})).unwrap().delivery;
        veriff.prove(delivery, Timestamp::EPOCH).unwrap_err()
    }

    #[test]
    fn the_senders_address_is_the_gateways_word_and_a_missing_one_is_outside() {
        let (inside, outside) = (Refusal::SignatureMissing, Refusal::AddressNotAllowed);
        for (source, expected) in [
            (json!("203.0.113.7"), inside),
            (json!("::ffff:203.0.113.7"), inside),
            (json!("::ffff:cb00:7107"), inside),
            (json!("2001:db8::1"), inside),
            (json!("2001:DB8:0:0:0:0:0:1"), inside),
            (json!("203.0.114.7"), outside),
            (json!("::203.0.113.7"), outside),
            (json!("64:ff9b::203.0.113.7"), outside),
            (json!("203.0.113.7:443"), outside),
            (json!("203.0.113.7, 203.0.113.8"), outside),
            (json!(" 203.0.113.7"), outside),
            (json!("203.0.113.07"), outside),
            (json!("2001:db8::1%eth0"), outside),
            (json!(""), outside),
            (json!(null), outside),
        ] {
            assert_eq!(refusal_from(&source, &json!({})), expected, "{source}");
        }
    }

    #[test]
    fn no_header_says_where_a_request_comes_from() {
        let names = [
            "X-Forwarded-For",
            "x-forwarded-for",
            "Forwarded",
            "X-Real-IP",
            "X-Client-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "CloudFront-Viewer-Address",
            "X-Amzn-Source-Ip",
            "sourceIp",
        ];
        let values = ["203.0.113.7", "for=203.0.113.7", "203.0.113.7, 198.51.100.1", "198.51.100.1, 203.0.113.7"];
        for (name, value) in names.into_iter().flat_map(|name| values.map(|value| (name, value))) {
            let headers = json!({name: value});
            for source in [json!("198.51.100.1"), json!("::1"), json!(""), json!(null)] {
                let refusal = refusal_from(&source, &headers);
                assert_eq!(refusal, Refusal::AddressNotAllowed, "{headers} from {source}");
            }
            // What stands in it doesn't shut anybody out, either.
            let headers = json!({name: value.replace("203.0.113.7", "192.0.2.1")});
            assert_eq!(refusal_from(&json!("203.0.113.7"), &headers), Refusal::SignatureMissing, "{headers}");
        }
    }

    #[test]
    fn the_caller_is_known_only_if_the_gateway_says_who_it_is() {
        let arn = "arn:aws:sts::123456789012:assumed-role/support/operator-1";
        let context = |authorizer: Value| json!({"requestContext": {"http": {"method": "GET", "path": "/"}, "authorizer": authorizer}});
        let caller = |authorizer| read(&context(authorizer)).unwrap().caller;
        assert_eq!(caller(json!({"iam": {"userArn": arn, "accountId": "123456789012"}})).as_deref(), Some(arn));
        for nobody in [json!(null), json!({}), json!({"iam": {"userArn": null}}), json!({"jwt": {"claims": {}}})] {
            assert_eq!(caller(nobody), None);
        }
        assert_eq!(read(&json!({"headers": {"userArn": arn}})).unwrap().caller, None);
    }

    #[test]
    fn a_query_is_decoded_once() {
        let request = read(&json!({"rawQueryString": "session=veriff%2Fa%252Fb&reference=a+b%2B"})).unwrap();
        let expected = [("session", "veriff/a%2Fb"), ("reference", "a b+")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(request.query, expected);
    }
}
