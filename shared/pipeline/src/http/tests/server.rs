//! A server over real sockets that follows a script. It has threads of its own: it goes on while the client stands still,
//! as AWS does while Lambda has frozen a function.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::{
    collections::VecDeque,
    io::{self, BufRead as _, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

/// What becomes of a connection, or of a request on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// The connection is closed as soon as it is there.
    Refuse,
    /// It is closed with a request half read, which resets it.
    Reset,
    /// It is closed after the request, without an answer.
    CloseUnanswered,
    /// It is closed in the middle of the answer's head.
    HalfHead,
    /// It is closed in the middle of the answer's body.
    HalfBody,
    /// The answer isn't HTTP.
    Gibberish,
    /// The answer is a fault of the service.
    Fault,
    /// There is no answer.
    Silence,
    /// The answer comes late, but within the time that an attempt may take.
    Late,
    /// The answer comes in many parts.
    Parts,
    /// The answer says that the connection ends with it.
    LastAnswer,
    /// The connection is closed after the answer, without a word.
    AnswerAndClose,
    Answer,
}

/// The body of an answer.
const ANSWER: &str = r#"{"ConsumedCapacity": []}"#;

/// The delay of an answer that is late.
const DELAY: Duration = Duration::from_millis(60);

/// The server.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

/// What the server has seen so far.
#[derive(Default)]
pub(super) struct Seen {
    script: VecDeque<Act>,
    pub(super) connections: usize,
    /// Each request as it came.
    pub(super) requests: Vec<String>,
}

impl Server {
    /// Starts a server that follows the script, and after it answers.
    pub(super) fn start(script: &[Act]) -> Self {
        Self::start_with(script, None)
    }

    /// Starts a server that speaks TLS if there are settings for it.
    pub(super) fn start_with(script: &[Act], tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen { script: script.iter().copied().collect(), ..Seen::default() }));
        let shared = seen.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, stream, tls) = (shared.clone(), stream.unwrap(), tls.clone());
                thread::spawn(move || match tls {
                    Some(tls) => converse(&seen, StreamOwned::new(ServerConnection::new(tls).unwrap(), stream)),
                    None => converse(&seen, stream),
                });
            }
        });
        Self { address, seen }
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// How many connections and requests there were.
    pub(super) fn counts(&self) -> (usize, usize) {
        let seen = self.seen();
        (seen.connections, seen.requests.len())
    }
}

/// Follows the script on one connection. The client may be gone at any time.
fn converse<S: Read + Write>(seen: &Mutex<Seen>, stream: S) {
    seen.lock().unwrap().connections += 1;
    let _ = try_to_converse(seen, &mut BufReader::with_capacity(64, stream));
}

fn try_to_converse<S: Read + Write>(seen: &Mutex<Seen>, stream: &mut BufReader<S>) -> io::Result<()> {
    if seen.lock().unwrap().script.pop_front_if(|act| *act == Act::Refuse).is_some() {
        return Ok(());
    }
    loop {
        // The first bytes of a request. What follows in the script may have changed while the connection was idle.
        if stream.fill_buf()?.is_empty() {
            return Ok(());
        }
        let act = seen.lock().unwrap().script.pop_front().unwrap_or(Act::Answer);
        if act == Act::Reset {
            seen.lock().unwrap().requests.push(String::new());
            return Ok(());
        }
        let request = request(stream)?;
        seen.lock().unwrap().requests.push(request);
        if !answer(stream.get_mut(), act)? {
            return Ok(());
        }
    }
}

/// Reads a request whole.
fn request<S: Read>(stream: &mut BufReader<S>) -> io::Result<String> {
    let mut text = String::new();
    let mut length = 0;
    while !text.ends_with("\r\n\r\n") {
        let begin = text.len();
        stream.read_line(&mut text)?;
        if let Some(value) = text[begin..].to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    stream.take(length).read_to_string(&mut text)?;
    Ok(text)
}

/// Returns whether the connection stays open.
fn answer(stream: &mut impl Write, act: Act) -> io::Result<bool> {
    let head = |status, length, more| format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{more}\r\n");
    let whole = |status, more| head(status, ANSWER.len(), more) + ANSWER;
    let mut say = |text: &str| stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    match act {
        Act::Refuse | Act::Reset | Act::CloseUnanswered => return Ok(false),
        Act::HalfHead => return say("HTTP/1.1 200 OK\r\ncontent-len").map(|()| false),
        Act::HalfBody => return say(&(head("200 OK", 1000, "") + ANSWER)).map(|()| false),
        Act::Gibberish => return say("SSH-2.0-OpenSSH_9.2\r\n\r\n").map(|()| false),
        Act::Silence => loop {
            thread::park();
        },
        Act::LastAnswer => return say(&whole("200 OK", "connection: close\r\n")).map(|()| false),
        Act::AnswerAndClose => return say(&whole("200 OK", "")).map(|()| false),
        Act::Fault => say(&whole("503 Service Unavailable", ""))?,
        Act::Late => {
            thread::sleep(DELAY);
            say(&whole("200 OK", ""))?;
        }
        Act::Parts => {
            for part in whole("200 OK", "").as_bytes().chunks(7) {
                say(std::str::from_utf8(part).unwrap())?;
                thread::sleep(Duration::from_micros(200));
            }
        }
        Act::Answer => say(&whole("200 OK", ""))?,
    }
    Ok(true)
}
