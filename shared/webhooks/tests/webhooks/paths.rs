//! Which paths are a provider's own: by the gateway's route where there is one, else by how they end.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt::Write as _;
use verdict_sessions::{Provider, Timestamp};
use verdict_webhooks::{
    Delivery, Genuine, Headers, Refusal, WebhookSource, incode::Incode, treezor::Treezor, veriff::Veriff,
    wultra::Wultra,
};

const SECRET: &str = "7b1f4e0a-5c7d-4d62-9f0b-2c8e61a3d94f";
const PAYLOAD: &str = r#"{"users":[]}"#;

/// A provider, and a delivery to a path that holds what proves it.
struct Sender {
    prove: fn(Delivery) -> Result<Genuine, Refusal>,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Sender {
    /// The own path of a delivery, by route and path; or why it is refused.
    fn own_path(&self, route: Option<&str>, path: &str) -> Result<String, Refusal> {
        (self.prove)(self.delivery(route, path, self.headers.iter().cloned().collect()))
            .map(|genuine| genuine.path().to_owned())
    }

    fn delivery(&self, route: Option<&str>, path: &str, headers: Headers) -> Delivery {
        let delivery = Delivery::new("POST", path, headers, self.body.clone().into());
        match route {
            Some(route) => delivery.with_route(route),
            None => delivery,
        }
    }

    /// Neither a proof nor a body is looked at where the path is none.
    fn assert_unknown(&self, route: Option<&str>, path: &str) {
        assert_eq!(self.own_path(route, path), Err(Refusal::PathUnknown), "{route:?} {path}");
        let naked = self.delivery(route, path, Headers::default());
        assert_eq!((self.prove)(naked).err(), Some(Refusal::PathUnknown), "{route:?} {path}");
    }

    fn assert_own(&self, route: Option<&str>, path: &str, own: &str) {
        assert_eq!(self.own_path(route, path).as_deref(), Ok(own), "{route:?} {path}");
    }
}

fn now() -> Timestamp {
    Timestamp::parse("2026-06-13T00:40:00Z").unwrap()
}

fn hmac(message: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(message);
    mac.finalize().into_bytes().to_vec()
}

fn veriff() -> Sender {
    let signature = hmac(PAYLOAD).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    Sender {
        prove: |delivery| {
            let credentials = format!(r#"{{"secrets":["{SECRET}"]}}"#);
            Veriff::from_json(&credentials).unwrap().prove(delivery, now())
        },
        headers: vec![("x-hmac-signature", signature)],
        body: PAYLOAD.to_owned(),
    }
}

fn incode() -> Sender {
    Sender {
        prove: |delivery| {
            let credentials = format!(r#"{{"headers":{{"x-incode-secret":["{SECRET}"]}}}}"#);
            Incode::from_json(&credentials).unwrap().prove(delivery, now())
        },
        headers: vec![("x-incode-secret", SECRET.to_owned())],
        body: PAYLOAD.to_owned(),
    }
}

fn treezor() -> Sender {
    let signature = STANDARD.encode(hmac(PAYLOAD));
    Sender {
        prove: |delivery| {
            let credentials = format!(r#"{{"secrets":["{SECRET}"]}}"#);
            Treezor::from_json(&credentials).unwrap().prove(delivery, now())
        },
        headers: Vec::new(),
        body: format!(r#"{{"object_payload":{PAYLOAD},"object_payload_signature":"{signature}"}}"#),
    }
}

fn wultra() -> Sender {
    Sender {
        prove: |delivery| {
            let credentials = format!(r#"{{"headers":{{"x-wultra-secret":["{SECRET}"]}}}}"#);
            Wultra::from_json(&credentials).unwrap().prove(delivery, now())
        },
        headers: vec![("x-wultra-secret", SECRET.to_owned())],
        body: PAYLOAD.to_owned(),
    }
}

/// A provider, with paths of its own, and others that only end like one.
fn paths_of(provider: Provider) -> (Sender, &'static [&'static str], &'static [&'static str]) {
    match provider {
        Provider::Veriff => (
            veriff(),
            &["/veriff/events", "/veriff/decisions"],
            &["/veriff/decisions/veriff/decisions", "/veriff/x/veriff/events", "/veriff/decisions/x"],
        ),
        Provider::Incode => {
            (incode(), &["/incode/ine-scraping"], &["/incode/incode/session-succeeded", "/incode/a/session-succeeded"])
        }
        Provider::Treezor => (treezor(), &["/treezor"], &["/treezor/treezor", "/treezor/x"]),
        Provider::Wultra => {
            (wultra(), &["/wultra/process/event"], &["/wultra/wultra/process/event", "/wultra/user/lookup"])
        }
    }
}

#[test]
fn a_slash_too_many_is_no_part_of_a_path() {
    for (sender, own_paths, _) in Provider::ALL.map(paths_of) {
        for own in own_paths {
            let with_slashes = [
                (*own).to_owned(),
                format!("{own}/"),
                format!("{own}///"),
                own.replace('/', "//"),
                format!("/prod/{own}/"),
            ];
            for path in with_slashes {
                sender.assert_own(None, &path, own);
                let route = path.strip_prefix("/prod").unwrap_or(&path);
                sender.assert_own(Some(route), &path, own);
            }
        }
    }
}

/// What is seen of a path beside the proof has no slash too many either: the answer to INE scraping hangs on it.
#[test]
fn a_delivery_shows_its_path_without_slashes_too_many() {
    for (sent, path) in [
        ("/incode//ine-scraping/", "/incode/ine-scraping"),
        ("//production///incode/ine-scraping//", "/production/incode/ine-scraping"),
        ("/a%2F/%2f//b", "/a%2F/%2f/b"),
        ("///", ""),
        ("", ""),
    ] {
        assert_eq!(Delivery::new("POST", sent, Headers::default(), Vec::new()).path(), path);
    }
}

#[test]
fn what_only_ends_like_an_own_path_is_not_found_where_the_route_says_so() {
    for (sender, _, others) in Provider::ALL.map(paths_of) {
        for path in others {
            sender.assert_unknown(Some(path), path);
            sender.assert_unknown(Some(path), &format!("/production{path}/"));
            sender.assert_unknown(Some(&format!("{path}/")), &path.replace('/', "//"));
        }
    }
}

#[test]
fn without_a_route_of_the_providers_a_path_counts_by_its_end() {
    for route in [None, Some("/hooks/9f3c/veriff/decisions"), Some("/"), Some("")] {
        veriff().assert_own(route, "/hooks/9f3c/veriff/decisions", "/veriff/decisions");
        veriff().assert_unknown(route, "/hooks/9f3c/veriff/decisions/x");
    }
    incode().assert_own(None, "/incode/incode/session-succeeded", "/incode/session-succeeded");
    incode().assert_unknown(None, "/incode/a/session-succeeded");
    // A segment that begins like the provider's name.
    incode().assert_own(None, "/incode/incode-of-2027", "/incode/incode-of-2027");
}

#[test]
fn the_path_must_end_as_its_route_says() {
    veriff().assert_unknown(Some("/veriff/decisions"), "/veriff/events");
    veriff().assert_unknown(Some("/veriff/decisions"), "/veriff/other");
    treezor().assert_unknown(Some("/treezor"), "");
}

/// A gateway may decode a parameter and not the path: then what looks like a slash in one is none in the other.
#[test]
fn an_encoded_slash_is_no_slash() {
    for route in [None, Some("/veriff/decisions/"), Some("/veriff/decisions%2F"), Some("/veriff/decisions")] {
        veriff().assert_unknown(route, "/veriff/decisions%2F");
        veriff().assert_unknown(route, "/veriff%2Fdecisions");
        veriff().assert_unknown(route, "/veriff/%2fdecisions");
    }
    incode().assert_unknown(Some("/incode/a/session-succeeded"), "/incode/a%2Fsession-succeeded");
    incode().assert_unknown(Some("/incode/session-succeeded/"), "/incode/session-succeeded%2F");
}

#[test]
fn only_a_post_gets_so_far() {
    let get = Delivery::new("GET", "/veriff/x", Headers::default(), Vec::new()).with_route("/veriff/x");
    assert_eq!((veriff().prove)(get).err(), Some(Refusal::MethodNotAllowed));
}
