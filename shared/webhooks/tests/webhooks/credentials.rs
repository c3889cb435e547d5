//! Credentials that were given to another provider's function are known by their members.

use crate::conformance::{Verdict, cases, prove};
use serde_json::{Map, Value};
use verdict_sessions::{Provider, Timestamp};
use verdict_webhooks::{Delivery, Headers};

/// All members of a provider's credentials, each with a value that is right for it.
fn members(provider: Provider) -> Map<String, Value> {
    let genuine = cases(provider).into_iter().filter(|case| case.verdict == Verdict::Genuine);
    genuine.filter_map(|case| case.credentials.as_object().cloned()).flatten().collect()
}

/// What a provider's function says of some credentials that it does not take.
fn message(provider: Provider, credentials: &Value) -> String {
    let delivery = Delivery::new("POST", "/", Headers::default(), Vec::new());
    let now = Timestamp::parse("2026-06-13T00:40:00Z").unwrap();
    prove(provider, &credentials.to_string(), delivery, now).unwrap_err().to_string()
}

#[test]
fn the_message_says_whose_credentials_they_look_like() {
    for owner in Provider::ALL {
        for taker in Provider::ALL {
            let taken = members(taker);
            for (member, value) in members(owner).into_iter().filter(|(member, _)| !taken.contains_key(member)) {
                let message = message(taker, &[(member.clone(), value)].into_iter().collect()).to_lowercase();
                let says = message.split(" credentials").next().unwrap();
                assert!(says.contains(&format!("{owner}'s")), "{member} of {owner}'s given to {taker}: {message}");
            }
        }
    }
}
