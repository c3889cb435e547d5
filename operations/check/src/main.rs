//! Checks credentials before a deploy, with the code that the functions read them with, and in its words.
//!
//! Reads from standard input `{"veriff":"…","incodeSecret":"…"}`: each value is the text of some credentials. A name is
//! that of a provider, whose credentials are in a variable, or has `Secret` behind it if they are in a secret. The access
//! to Incode's API that stands in a secret of its own is `incodeApiSecret`. `AWS_ENDPOINT_URL` is the functions', if they
//! will have one. Prints `{"problems":[{"name":"veriff","message":"…"}]}`; each message is one line and shows no part of a
//! value. Exits with 0 if there is no problem, 1 if there is one, and 2 if the input has another form.

use serde_json::{Map, Value, json};
use std::{
    env,
    io::{self, Read as _},
    process::ExitCode,
};
use verdict_sessions::{Provider, UnknownProvider};
use verdict_webhooks::{
    CredentialsError, PUBLISHED, WebhookSource as _, are_published,
    incode::{ApiAccess, Incode},
    treezor::Treezor,
    veriff::Veriff,
    wultra::Wultra,
};

/// The place where a function finds credentials.
#[derive(Clone, Copy)]
enum Place {
    /// A provider's variable.
    Variable(Provider),
    /// The secret that a provider's variable names.
    Secret(Provider),
    /// The secret that only Incode's poller reads.
    IncodeApi,
}

impl Place {
    /// The place that the input calls by this name.
    fn named(name: &str) -> Result<Self, UnknownProvider> {
        match name.strip_suffix("Secret") {
            None => name.parse().map(Self::Variable),
            Some("incodeApi") => Ok(Self::IncodeApi),
            Some(provider) => provider.parse().map(Self::Secret),
        }
    }

    /// The variable by which the functions know it.
    fn variable(self) -> String {
        match self {
            Self::Variable(provider) => format!("{}_CREDENTIALS", provider.as_str().to_uppercase()),
            Self::Secret(provider) => format!("{}_CREDENTIALS_ARN", provider.as_str().to_uppercase()),
            Self::IncodeApi => "INCODE_API_CREDENTIALS_ARN".to_owned(),
        }
    }

    /// Reads the credentials as the functions do. Incode's token endpoint reads the same ones as its receiver. It also
    /// needs `oauth`, but without `oauth` Incode doesn't call it.
    fn read(self, json: &str) -> Result<(), CredentialsError> {
        match self {
            Self::Variable(Provider::Veriff) | Self::Secret(Provider::Veriff) => Veriff::from_json(json).map(drop),
            Self::Variable(Provider::Treezor) | Self::Secret(Provider::Treezor) => Treezor::from_json(json).map(drop),
            Self::Variable(Provider::Wultra) | Self::Secret(Provider::Wultra) => Wultra::from_json(json).map(drop),
            Self::Variable(Provider::Incode) => Incode::from_json(json).map(drop),
            Self::Secret(Provider::Incode) => Incode::from_json(json)?.with_api_elsewhere(true).map(drop),
            Self::IncodeApi => ApiAccess::from_json(json).map(drop),
        }
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
        serde_json::from_slice(input).map_err(|_| "the input must be one JSON object of credentials by name")?;
    let mut problems = Vec::new();
    for (name, credentials) in &credentials {
        let text = credentials.as_str().ok_or("each credentials must be a JSON text in a string")?;
        let place = Place::named(name).map_err(|UnknownProvider| only_providers())?;
        if let Some(problem) = problem(place, text) {
            problems.push(json!({"name": name, "message": problem}));
        }
    }
    Ok(problems)
}

fn only_providers() -> String {
    let [names @ .., last] = Provider::ALL.map(Provider::as_str);
    format!("the only providers are {} and {last}", names.join(", "))
}

/// The message with which a function would end at its start, or refuse a version of a secret. A provider whose variable is
/// empty is not deployed.
fn problem(place: Place, text: &str) -> Option<String> {
    let variable = place.variable();
    if text.is_empty() && matches!(place, Place::Variable(_)) {
        return None;
    }
    if text.trim().is_empty() && matches!(place, Place::Variable(_)) {
        return Some(format!("{variable} is not set; the function can't start without it"));
    }
    if are_published(text, env::var("AWS_ENDPOINT_URL").ok().as_deref()) {
        return Some(format!("{variable} {PUBLISHED}"));
    }
    place.read(text).err().map(|problem| format!("{variable}: {problem}"))
}

#[expect(clippy::print_stdout, reason = "the calling tool reads it")]
fn print(answer: &Value) {
    println!("{answer}");
}

#[expect(clippy::print_stderr, reason = "for a person at a terminal")]
fn complain(problem: &str) {
    eprintln!("{problem}");
}
