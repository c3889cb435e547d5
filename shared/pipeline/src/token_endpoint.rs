//! The OAuth token endpoint that Incode calls: the edge around `verdict_webhooks::incode::TokenEndpoint`.

use crate::{
    gateway::{Request, Response},
    telemetry,
};
use verdict_webhooks::incode::{TokenAnswer, TokenEndpoint, TokenError};

/// Answers one request for a token.
#[must_use]
pub fn token_endpoint(endpoint: &TokenEndpoint, request: Request) -> Response {
    let Request { id, now, delivery, .. } = request;
    let TokenAnswer { status, body, error } = endpoint.answer(delivery, now);
    telemetry::report_token(&id, now, error.map(TokenError::code));
    // RFC 6749, section 5.1: whatever holds a token is stored nowhere.
    let response =
        Response::json(status, body).with_header("cache-control", "no-store").with_header("pragma", "no-cache");
    match status {
        401 => response.with_header("www-authenticate", r#"Basic realm="verdict", charset="UTF-8""#),
        _ => response,
    }
}
