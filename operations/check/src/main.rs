//! Checks credentials before a deploy, with the code that the functions read them with, and in its words.
//!
//! Reads from standard input `{"veriff":"…","incode":"…","treezor":"…","wultra":"…"}` or a part of it: each value is
//! the text of a provider's credentials. `AWS_ENDPOINT_URL` is the functions', if they will have one. Prints
//! `{"problems":[{"provider":"veriff","message":"…"}]}`; each message is one line and shows no part of a value. Exits
//! with 0 if there is no problem, 1 if there is one, and 2 if the input has another form.

use serde_json::{Map, Value, json};
use std::{
    env,
    io::{self, Read as _},
    process::ExitCode,
};
use verdict_sessions::{Provider, UnknownProvider};
use verdict_webhooks::{
    CredentialsError, PUBLISHED, are_published, incode::Incode, treezor::Treezor, veriff::Veriff, wultra::Wultra,
};

type FromJson = fn(&str) -> Result<(), CredentialsError>;

/// The way in which the functions of a provider read its credentials. Incode's token endpoint reads the same credentials.
/// It also needs `oauth`, but without `oauth` Incode doesn't call it.
fn reader(provider: Provider) -> FromJson {
    match provider {
        Provider::Veriff => |json| Veriff::from_json(json).map(drop),
        Provider::Incode => |json| Incode::from_json(json).map(drop),
        Provider::Treezor => |json| Treezor::from_json(json).map(drop),
        Provider::Wultra => |json| Wultra::from_json(json).map(drop),
    }
}

fn main() -> ExitCode {
    let mut input = Vec::new();
    let read = io::stdin().read_to_end(&mut input).map_err(|_| "standard input can't be read".to_owned());
    match read.and_then(|_| problems(&input)) {
        Ok(problems) => {
            print(&json!({"problems": problems}));
            ExitCode::from(u8::from(!problems.is_empty()))
        }
        Err(unusable) => {
            complain(&unusable);
            ExitCode::from(2)
        }
    }
}

/// The problems of the credentials in the input.
fn problems(input: &[u8]) -> Result<Vec<Value>, String> {
    // The parser's own message is dropped, since it may quote a value.
    let credentials: Map<String, Value> =
        serde_json::from_slice(input).map_err(|_| "the input must be one JSON object of credentials by provider")?;
    let mut problems = Vec::new();
    for (name, credentials) in &credentials {
        let text = credentials.as_str().ok_or("the credentials of each provider must be a JSON text in a string")?;
        let provider: Provider = name.parse().map_err(|UnknownProvider| only_providers())?;
        if let Some(problem) = problem(provider, text) {
            problems.push(json!({"provider": provider, "message": problem}));
        }
    }
    Ok(problems)
}

fn only_providers() -> String {
    let [names @ .., last] = Provider::ALL.map(Provider::as_str);
    format!("the only providers are {} and {last}", names.join(", "))
}

/// The message with which a function would end at its start. A provider whose credentials are empty is not deployed.
fn problem(provider: Provider, text: &str) -> Option<String> {
    let variable = format!("{}_CREDENTIALS", provider.as_str().to_uppercase());
    if text.is_empty() {
        return None;
    }
    if text.trim().is_empty() {
        return Some(format!("{variable} is not set; the function can't start without it"));
    }
    if are_published(text, env::var("AWS_ENDPOINT_URL").ok().as_deref()) {
        return Some(format!("{variable} {PUBLISHED}"));
    }
    reader(provider)(text).err().map(|problem| format!("{variable}: {problem}"))
}

#[expect(clippy::print_stdout, reason = "the calling tool reads it")]
fn print(answer: &Value) {
    println!("{answer}");
}

#[expect(clippy::print_stderr, reason = "for a person at a terminal")]
fn complain(problem: &str) {
    eprintln!("{problem}");
}
