//! A small HTTP server on this machine alone, for what the functions call.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// An answer; without one the connection is closed.
pub type Answer = Option<Response<Full<Bytes>>>;

/// TLS for the connections of a server, which counts their handshakes.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    handshakes: Arc<AtomicUsize>,
}

impl Tls {
    /// Of an acceptor, which others may share.
    #[must_use]
    pub fn new(acceptor: TlsAcceptor) -> Self {
        Self { acceptor, handshakes: Arc::default() }
    }

    /// The handshakes so far that came to their end.
    #[must_use]
    pub fn handshakes(&self) -> usize {
        self.handshakes.load(Ordering::Relaxed)
    }
}

/// A listener on a free port of 127.0.0.1, and the address.
pub async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Answers requests until this future is dropped, and their connections with it.
pub async fn serve<F>(listener: TcpListener, answer: impl Fn(Request<Bytes>) -> F + Clone + Send + 'static) -> io::Error
where
    F: Future<Output = Answer> + Send + 'static,
{
    serve_over(None, listener, answer).await
}

/// The same over TLS, if there is any.
pub async fn serve_over<F>(
    tls: Option<Tls>,
    listener: TcpListener,
    answer: impl Fn(Request<Bytes>) -> F + Clone + Send + 'static,
) -> io::Error
where
    F: Future<Output = Answer> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(open(stream, tls.clone(), answer.clone()))),
                Err(error) => return error,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Begins one connection.
async fn open<F>(stream: TcpStream, tls: Option<Tls>, answer: impl Fn(Request<Bytes>) -> F + Clone)
where
    F: Future<Output = Answer>,
{
    // Small messages to and fro: none should wait for the next.
    let _ = stream.set_nodelay(true);
    match tls {
        None => keep(stream, answer).await,
        Some(tls) => {
            if let Ok(stream) = tls.acceptor.accept(stream).await {
                tls.handshakes.fetch_add(1, Ordering::Relaxed);
                keep(stream, answer).await;
            }
        }
    }
}

/// Answers what comes over one connection.
async fn keep<F>(stream: impl AsyncRead + AsyncWrite + Unpin, answer: impl Fn(Request<Bytes>) -> F + Clone)
where
    F: Future<Output = Answer>,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            answer(Request::from_parts(head, body)).await.ok_or(io::Error::from(io::ErrorKind::ConnectionAborted))
        }
    });
    // An error is a peer that went away, or one that we hang up on.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
