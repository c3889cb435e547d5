//! The client as the SDK sees it.

use super::{
    connection::{Connection, Origin},
    failure,
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connection::CaptureSmithyConnection,
        connector_metadata::ConnectorMetadata,
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::body::SdkBody;
use futures_util::{future, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{Response, Uri, body::Incoming};
use rustls::ClientConfig;
use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The client. Its clones share their connections.
#[derive(Clone)]
pub(crate) struct Client(Arc<Connections>);

struct Connections {
    tls: TlsConnector,
    /// The connections that wait for a request, the last used one last.
    idle: Mutex<Vec<Connection>>,
}

/// The client with the time that a call may take.
#[derive(Debug)]
struct Connector {
    client: Client,
    connect_timeout: Option<Duration>,
    read_timeout: Option<Duration>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    pub(crate) fn new(tls: ClientConfig) -> Self {
        Self(Arc::new(Connections { tls: Arc::new(tls).into(), idle: Mutex::default() }))
    }

    /// The settings of TLS.
    pub(crate) fn tls(&self) -> &ClientConfig {
        self.0.tls.config()
    }

    /// Opens a connection to the server of a URL, for the first call to it.
    ///
    /// # Errors
    /// The problem, such as that of a connection that is refused.
    pub(crate) async fn open(&self, url: &Uri) -> Result<(), BoxError> {
        let origin = Origin::of(url).ok_or(NOT_HTTP)?;
        self.keep(Connection::open(origin, &self.0.tls).await?);
        Ok(())
    }

    async fn send(
        self,
        request: HttpRequest,
        connect_timeout: Option<Duration>,
    ) -> Result<HttpResponse, ConnectorError> {
        let mut request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let observer = request.extensions_mut().remove::<CaptureSmithyConnection>();
        let origin = Origin::of(request.uri()).ok_or_else(|| ConnectorError::user(NOT_HTTP.into()))?;
        origin.address(&mut request).map_err(ConnectorError::user)?;
        loop {
            let kept = self.take(&origin);
            let is_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                // Boxed: the state of a handshake is large, and would be moved about with each call that needs none.
                None => Box::pin(self.connect(&origin, connect_timeout)).await?,
            };
            if let Some(observer) = &observer {
                observer.set_connection_retriever(connection.metadata());
            }
            match connection.requests.try_send_request(request).await {
                Ok(response) => return self.receive(connection, response).await,
                Err(mut error) => match error.take_message() {
                    // The server had closed it, and got nothing of the request.
                    Some(unsent) if is_kept => request = unsent,
                    _ => return Err(failure::of_exchange(error.into_error())),
                },
            }
        }
    }

    /// Takes a connection that waits for a request.
    fn take(&self, origin: &Origin) -> Option<Connection> {
        let mut idle = self.idle();
        idle.retain(Connection::is_usable);
        let latest = idle.iter().rposition(|connection| connection.origin == *origin)?;
        Some(idle.remove(latest))
    }

    async fn connect(&self, origin: &Origin, limit: Option<Duration>) -> Result<Connection, ConnectorError> {
        let opened = within(limit, Connection::open(origin.clone(), &self.0.tls)).await?;
        opened.map_err(ConnectorError::io)
    }

    /// Receives all of the answer, so that its connection is free once the caller has it. If its end is missing, the
    /// SDK meets the error where it reads the body.
    async fn receive(
        &self,
        connection: Connection,
        response: Response<Incoming>,
    ) -> Result<HttpResponse, ConnectorError> {
        let (head, body) = response.into_parts();
        let body = match body.collect().await {
            Ok(body) => {
                self.keep(connection);
                SdkBody::from(body.to_bytes())
            }
            Err(error) => SdkBody::from_body_1_x(StreamBody::new(stream::once(future::ready(Err(error))))),
        };
        HttpResponse::try_from(Response::from_parts(head, body))
            .map_err(|error| ConnectorError::other(error.into(), None))
    }

    /// Keeps a connection for the next request: as soon as it can take one.
    fn keep(&self, mut connection: Connection) {
        if connection.requests.is_ready() {
            self.idle().push(connection.into_idle());
            return;
        }
        let client = self.clone();
        tokio::spawn(async move {
            if connection.requests.ready().await.is_ok() {
                client.idle().push(connection.into_idle());
            }
        });
    }

    /// Makes its connections look as if they had been idle for longer.
    #[cfg(test)]
    pub(super) fn age(&self, by: Duration) {
        for connection in self.idle().iter_mut() {
            connection.idle_since -= by;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The problem of a URL that leads to no server.
const NOT_HTTP: &str = "not a URL of HTTP with a host";

async fn within<F: Future>(limit: Option<Duration>, call: F) -> Result<F::Output, ConnectorError> {
    match limit {
        Some(limit) => timeout(limit, call).await.map_err(|elapsed| ConnectorError::timeout(elapsed.into())),
        None => Ok(call.await),
    }
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            client: self.clone(),
            connect_timeout: settings.connect_timeout(),
            read_timeout: settings.read_timeout(),
        })
    }

    /// The library that speaks HTTP, for the user agent.
    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some(Cow::Borrowed("1.x"))))
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let call = self.client.clone().send(request, self.connect_timeout);
        let read_timeout = self.read_timeout;
        HttpConnectorFuture::new(async move { within(read_timeout, call).await? })
    }
}
