//! One connection, and where it leads.

use aws_smithy_runtime_api::{box_error::BoxError, client::connection::ConnectionMetadata};
use aws_smithy_types::body::SdkBody;
use hyper::{
    Request, Uri,
    client::conn::http1::{SendRequest, handshake},
    http::{
        HeaderValue, header,
        uri::{Authority, PathAndQuery, Scheme},
    },
};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::TlsConnector;

/// The time after which an idle connection isn't used any more.
const IDLE_LIMIT: Duration = Duration::from_secs(90);

/// Where a connection leads: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    is_https: bool,
    authority: Authority,
}

impl Origin {
    /// The origin of a URL; `None` if it isn't a URL of HTTP with a host.
    pub(super) fn of(url: &Uri) -> Option<Self> {
        let scheme = url.scheme()?;
        let is_https = *scheme == Scheme::HTTPS;
        (is_https || *scheme == Scheme::HTTP).then_some(())?;
        Some(Self { is_https, authority: url.authority()?.clone() })
    }

    /// Makes a request one for a connection to this origin: with a path instead of a URL, and the host as a header.
    pub(super) fn address<B>(&self, request: &mut Request<B>) -> Result<(), BoxError> {
        if !request.headers().contains_key(header::HOST) {
            let host = HeaderValue::from_str(&self.host_header())?;
            request.headers_mut().insert(header::HOST, host);
        }
        let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        *request.uri_mut() = path.into();
        Ok(())
    }

    /// The host, with the port if it isn't the scheme's: as it was signed.
    fn host_header(&self) -> String {
        match self.authority.port_u16() {
            Some(port) if port != self.default_port() => format!("{}:{port}", self.authority.host()),
            _ => self.authority.host().to_owned(),
        }
    }

    const fn default_port(&self) -> u16 {
        if self.is_https { 443 } else { 80 }
    }

    /// The host as a resolver takes it: an IPv6 address without its brackets.
    fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }
}

/// A connection that takes one request at a time.
pub(super) struct Connection {
    pub(super) origin: Origin,
    pub(super) requests: SendRequest<SdkBody>,
    is_poisoned: Arc<AtomicBool>,
    pub(super) idle_since: Instant,
}

impl Connection {
    /// Opens a connection: TCP, for `https` TLS, and the task that reads and writes.
    pub(super) async fn open(origin: Origin, tls: &TlsConnector) -> Result<Self, BoxError> {
        let port = origin.authority.port_u16().unwrap_or(origin.default_port());
        let tcp = TcpStream::connect((origin.host(), port)).await?;
        tcp.set_nodelay(true)?;
        let requests = if origin.is_https {
            let name = ServerName::try_from(origin.host().to_owned()).map_err(io::Error::other)?;
            serve(tls.connect(name, tcp).await?).await?
        } else {
            serve(tcp).await?
        };
        Ok(Self { origin, requests, is_poisoned: Arc::default(), idle_since: Instant::now() })
    }

    /// Returns whether another request can be sent over it. The server may close it at any time all the same.
    pub(super) fn is_usable(&self) -> bool {
        self.requests.is_ready() && !self.is_poisoned.load(Ordering::Relaxed) && self.idle_since.elapsed() < IDLE_LIMIT
    }

    /// Says that it is idle from now on.
    pub(super) fn into_idle(self) -> Self {
        Self { idle_since: Instant::now(), ..self }
    }

    /// What the SDK gets to know: how to say that the connection must not be used again.
    pub(super) fn metadata(&self) -> impl Fn() -> Option<ConnectionMetadata> + Send + Sync + 'static {
        let is_poisoned = self.is_poisoned.clone();
        move || {
            let is_poisoned = is_poisoned.clone();
            let poison = move || is_poisoned.store(true, Ordering::Relaxed);
            Some(ConnectionMetadata::builder().proxied(false).poison_fn(poison).build())
        }
    }
}

/// Speaks HTTP/1.1 over a stream, in a task that ends with the connection.
async fn serve<S>(stream: S) -> Result<SendRequest<SdkBody>, hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut requests, connection) = handshake(TokioIo::new(stream)).await?;
    // Its error is that of the request, too. Without a request it is nobody's.
    tokio::spawn(connection);
    requests.ready().await?;
    Ok(requests)
}
