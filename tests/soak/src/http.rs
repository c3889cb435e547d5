//! A small HTTP server on this machine alone, for what the functions call.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::io;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// An answer; without one the connection is closed.
pub(crate) type Answer = Option<Response<Full<Bytes>>>;

/// A listener on a free port of 127.0.0.1, and the address.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Answers requests until this future is dropped, and their connections with it.
pub(crate) async fn serve<F>(
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
                Ok((stream, _)) => drop(connections.spawn(keep(stream, answer.clone()))),
                Err(error) => return error,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers what comes over one connection.
async fn keep<F>(stream: TcpStream, answer: impl Fn(Request<Bytes>) -> F + Clone)
where
    F: Future<Output = Answer>,
{
    // Small messages to and fro: none should wait for the next.
    let _ = stream.set_nodelay(true);
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
