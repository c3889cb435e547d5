//! Anything as an event of API Gateway, and any request in one.
#![no_main]

use lambda_http::http::{HeaderName, HeaderValue, Method};
use lambda_runtime::Context;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use std::panic;
use verdict_fuzz::request::Request;
use verdict_pipeline::gateway;

// The fuzzer's own hook ends the process at once, even where `lambda_http` panics and that is caught. A panic that isn't
// caught still ends it.
fuzz_target!(init: panic::set_hook(Box::new(|panic| eprintln!("{panic}"))), |input: &[u8]| {
    if let Ok(text) = str::from_utf8(input) {
        drop(gateway::Request::from_event(text, &Context::default()));
    }
    check_request(Request::parse(input));
});

/// Whatever a stranger puts into a request, the gateway's event of it is one if HTTP has such requests.
fn check_request(sent: Request) {
    let query: Vec<_> = sent.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = query.join("&");
    let is_http = is_http(&sent);
    let headers: Map<String, Value> = sent.headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    let event = json!({"rawPath": sent.path, "rawQueryString": query, "headers": headers, "routeKey": "$default",
        "requestContext": {"http": {"method": sent.method}}, "body": String::from_utf8_lossy(&sent.body)});
    let Ok(request) = gateway::Request::from_event(&event.to_string(), &Context::default()) else {
        return assert!(!is_http, "a request");
    };
    // Another reader of forms.
    let parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    assert_eq!(request.query, parameters);
    assert_eq!(request.delivery.path(), without_slashes_too_many(&sent.path));
}

fn is_http(sent: &Request) -> bool {
    let is_header = |(name, value): &(String, String)| {
        HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| name != "host") && HeaderValue::from_str(value).is_ok()
    };
    let is_method = sent.method.is_empty() || Method::from_bytes(sent.method.as_bytes()).is_ok();
    is_method && (sent.path.is_empty() || sent.path.starts_with('/')) && sent.headers.iter().all(is_header)
}

fn without_slashes_too_many(path: &str) -> String {
    let mut path = path.to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    path.strip_suffix('/').unwrap_or(&path).to_owned()
}
