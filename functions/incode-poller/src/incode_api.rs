//! The HTTP client of Incode's API, as far as the poller asks it: how far a session is, and how it scored.
//!
//! Answers stay bytes here. `verdict_webhooks::incode` reads them.

use reqwest::{Client, StatusCode, header, redirect};
use rustls::ClientConfig;
use serde::Deserialize;
use std::time::Duration;
use tokio::{sync::Mutex, time::Instant};
use verdict_pipeline::{ApiError, ProviderApi, StartError, path_segment};
use verdict_sessions::SessionId;
use verdict_webhooks::incode::ApiAccess;
use zeroize::Zeroizing;

/// The longest that one request may take. A run polls several sessions and has 45 s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);

/// The longest that connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The time for which a connection is kept for the next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest answer that is read, in bytes. A score with everything in it is some 100 KB.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// The path that gives the admin token, which lives 24 hours.
const LOGIN_PATH: &str = "/executive/log-in";

/// The API, with the token of the last login.
pub(crate) struct IncodeApi {
    client: Client,
    access: ApiAccess,
    login: Mutex<Login>,
}

/// The result of the last login.
#[derive(Default)]
enum Login {
    #[default]
    None,
    Token(Zeroizing<String>),
    /// It failed, at that time. A request that waited for it doesn't log in again at once.
    Failed(ApiError, Instant),
}

impl IncodeApi {
    /// Makes the client. It sends nothing before the first request.
    ///
    /// # Errors
    /// [`StartError::HttpClient`] if the client can't be made.
    pub(crate) fn new(access: &ApiAccess, tls: ClientConfig) -> Result<Self, StartError> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent("verdict")
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // Runs are a minute apart, and the process is frozen in between: a connection doesn't outlive its run.
            .pool_idle_timeout(IDLE_TIMEOUT)
            // Keys and tokens go to the configured host only.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|_| StartError::HttpClient)?;
        Ok(Self { client, access: access.clone(), login: Mutex::default() })
    }

    /// Returns the token, or logs in if there is none except the refused one. Requests that come meanwhile wait for
    /// this one login.
    async fn token_other_than(&self, refused: Option<&str>) -> Result<Zeroizing<String>, ApiError> {
        let waiting_since = Instant::now();
        let mut login = self.login.lock().await;
        match &*login {
            Login::Token(token) if Some(token.as_str()) != refused => return Ok(token.clone()),
            Login::Failed(error, at) if waiting_since < *at => return Err(*error),
            _ => {}
        }
        match self.log_in().await {
            Ok(token) => {
                *login = Login::Token(token.clone());
                Ok(token)
            }
            Err(error) => {
                *login = Login::Failed(error, Instant::now());
                Err(error)
            }
        }
    }

    async fn get_with(&self, path: &str, session: &SessionId, token: &str) -> Result<Vec<u8>, ApiError> {
        let request = self
            .client
            .get(format!("{}{path}?id={}", self.access.base_url(), path_segment(session)))
            .header("x-incode-hardware-id", sensitive(token).ok_or(ApiError::NoToken)?);
        self.send(request).await
    }

    async fn log_in(&self) -> Result<Zeroizing<String>, ApiError> {
        #[derive(Deserialize)]
        struct LoggedIn {
            token: Zeroizing<String>,
        }

        let login = serde_json::json!({"email": self.access.email(), "password": self.access.password()});
        let request = self
            .client
            .post(format!("{}{LOGIN_PATH}", self.access.base_url()))
            .header(header::CONTENT_TYPE, "application/json")
            .body(login.to_string());
        let answer = Zeroizing::new(self.send(request).await?);
        let logged_in: LoggedIn = serde_json::from_slice(&answer).map_err(|_| ApiError::NoToken)?;
        Ok(logged_in.token)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, ApiError> {
        let request = request
            .header("api-version", "1.0")
            .header("x-api-key", sensitive(self.access.api_key()).ok_or(ApiError::Forbidden)?)
            .header(header::ACCEPT, "application/json");
        let mut response = request.send().await.map_err(failed)?;
        match response.status() {
            status if status.is_success() => {}
            StatusCode::UNAUTHORIZED => return Err(ApiError::Unauthorised),
            StatusCode::FORBIDDEN => return Err(ApiError::Forbidden),
            StatusCode::TOO_MANY_REQUESTS => {
                return Err(ApiError::TooManyRequests { retry_after: retry_after(&response) });
            }
            status if status.is_server_error() => return Err(ApiError::Server(status.as_u16())),
            status => return Err(ApiError::Refused(status.as_u16())),
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if answer.len() + chunk.len() > ANSWER_LIMIT {
                return Err(ApiError::TooLong);
            }
            answer.extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

impl ProviderApi for IncodeApi {
    /// A token that is refused, mostly since its 24 hours are over, is renewed once.
    async fn get(&self, path: &str, session: &SessionId) -> Result<Vec<u8>, ApiError> {
        let token = self.token_other_than(None).await?;
        match self.get_with(path, session, &token).await {
            Err(ApiError::Unauthorised) => {
                let token = self.token_other_than(Some(&token)).await?;
                self.get_with(path, session, &token).await
            }
            answer => answer,
        }
    }
}

/// The pause that the API asks for, if it is given in seconds and not as a date.
fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A header that no debug output shows, or `None` if no header can hold the value.
fn sensitive(value: &str) -> Option<header::HeaderValue> {
    let mut value = header::HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Drops the error's own text: it holds the URL, and so the session.
#[expect(clippy::needless_pass_by_value, reason = "for use with `map_err`")]
fn failed(error: reqwest::Error) -> ApiError {
    if error.is_timeout() { ApiError::Timeout } else { ApiError::Unreachable }
}
