//! The credentials of the local stack. Everybody can read them, so that they prove something on one's own machine only.

use crate::reading::json::Json;
use std::net::IpAddr;

/// The file that the local stack and its samples use.
const LOCAL: &str = include_str!("../../../../events/local-credentials.json");

/// The shortest text of that file that is a secret. Names of users and clients are shorter.
const SHORTEST: usize = 16;

/// The words for credentials that hold such a secret, after the name of the variable that they are in.
pub const PUBLISHED: &str =
    "holds a secret of the local stack, which everybody can read; make one, such as with `openssl rand -hex 32`";

/// Returns whether a text is one of the local stack's secrets, in lower or upper case.
pub(crate) fn is_published(text: &str) -> bool {
    Json::parse(LOCAL.as_bytes()).is_ok_and(|local| holds(&local, &|secret| secret.eq_ignore_ascii_case(text)))
}

/// Returns whether some credentials hold one of the local stack's secrets, and AWS isn't a stand-in on this machine.
/// `endpoint` is the URL that takes the place of AWS's own, if there is one. JSON that can't be read holds no secret.
#[must_use]
pub fn are_published(credentials: &str, endpoint: Option<&str>) -> bool {
    let credentials = Json::parse(credentials.as_bytes());
    !endpoint.is_some_and(is_on_this_machine) && credentials.is_ok_and(|credentials| holds(&credentials, &is_published))
}

/// Returns whether a URL names this machine, or the one that a container runs on.
fn is_on_this_machine(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    !authority.contains('@')
        && (["localhost", "host.docker.internal"].iter().any(|name| host.eq_ignore_ascii_case(name))
            || host.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback()))
}

/// Returns whether a text in the JSON, however deep, is such a secret.
fn holds(json: &Json<'_>, is_secret: &dyn Fn(&str) -> bool) -> bool {
    match json {
        Json::String(text) => {
            let text = text.decoded();
            text.len() >= SHORTEST && is_secret(&text)
        }
        Json::Array(entries) => entries.iter().any(|entry| holds(entry, is_secret)),
        Json::Object(members) => members.iter().any(|(_, value)| holds(value, is_secret)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_stacks_secrets_are_published_wherever_they_stand() {
        let published = |credentials: &str| are_published(credentials, None);
        assert!(published(r#"{"secrets":["9bN4vR7tK2wQ5zX8","abcdef12-abcd-abcd-abcd-abcdef012345"]}"#));
        assert!(published(r#"{"oauth":{"clients":[{"secret":"local-incode-client-secret-0123456789"}]}}"#));
        assert!(published(r#"{"secrets":["ABCDEF12-ABCD-ABCD-ABCD-ABCDEF012345"]}"#), "in whatever case");
        assert!(published(r#"{"secrets":["\u0061bcdef12-abcd-abcd-abcd-abcdef012345"]}"#), "however it is spelled");
        assert!(!published(r#"{"basic":[{"username":"wultra","password":"9bN4vR7tK2wQ5zX8"}]}"#));
        assert!(!published("no JSON") && !is_published("wultra") && !is_published(""));
    }

    #[test]
    fn they_are_for_this_machine_alone() {
        let veriffs = r#"{"secrets":["abcdef12-abcd-abcd-abcd-abcdef012345"]}"#;
        for endpoint in [
            "http://127.0.0.1:4566",
            "http://127.9.9.9",
            "http://[::1]:4566/",
            "http://LocalHost:4566/x",
            "http://host.docker.internal:4566",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(!are_published(veriffs, Some(endpoint)), "{endpoint}");
        }
        for endpoint in [
            "https://dynamodb.eu-west-1.amazonaws.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "http://203.0.113.7:4566",
            "localhost:4566",
            "http://",
            "",
        ] {
            assert!(are_published(veriffs, Some(endpoint)), "{endpoint}");
        }
    }
}
