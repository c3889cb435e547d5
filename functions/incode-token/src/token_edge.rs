//! The HTTP edge around `verdict_webhooks::incode::TokenEndpoint`: requests in, answers and log lines out.

use verdict_pipeline::{
    Credentials,
    gateway::{Request, Response},
    telemetry::Line,
};
use verdict_sessions::Provider;
use verdict_webhooks::incode::{TokenAnswer, TokenEndpoint, TokenError};

/// Answers one request for a token.
pub(crate) async fn answer(endpoint: &Credentials<TokenEndpoint>, request: Request) -> Response {
    let Request { id, now, deadline, delivery, .. } = request;
    let source = delivery.source();
    let answer = |endpoint: &TokenEndpoint, delivery| endpoint.answer(delivery, now);
    let answered = endpoint.beside(endpoint.attempt(delivery, deadline, answer, TokenAnswer::is_mismatch)).await;
    let TokenAnswer { status, body, error } = answered.unwrap_or_else(|_unavailable| TokenError::Unavailable.into());
    let line = Line::new("token").with("requestId", id.as_str()).by("provider", Provider::Incode.as_str());
    let line = line.with("reason", error.map(TokenError::code));
    let line = match source.filter(|_| error.is_some()) {
        Some(address) => line.with("source", address.to_string()),
        None => line,
    };
    line.count(if error.is_none() { "tokenIssued" } else { "tokenRefused" }, 1).print(now);
    // RFC 6749, section 5.1: no cache may store an answer that holds a token.
    let response =
        Response::json(status, body).with_header("cache-control", "no-store").with_header("pragma", "no-cache");
    match status {
        401 => response.with_header("www-authenticate", r#"Basic realm="verdict", charset="UTF-8""#),
        _ => response,
    }
}
