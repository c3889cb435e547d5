//! The check as the tool calls it: by its standard input, its standard output and how it ends.
#![cfg(test)]

use serde_json::{Value, json};
use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};
use verdict_sessions::Provider;

const STRONG: &str = "9bN4vR7tK2wQ5zX8-Lm3dYs6F";

/// The credentials of the local stack.
const LOCAL: &str = include_str!("../../../events/local-credentials.json");

/// Runs the check for functions that talk to AWS itself.
fn run(input: &[u8]) -> Output {
    run_for(None, input)
}

/// Runs the check for functions with such an endpoint in AWS's place.
fn run_for(endpoint: Option<&str>, input: &[u8]) -> Output {
    let mut check = Command::new(env!("CARGO_BIN_EXE_check"))
        .env_remove("AWS_ENDPOINT_URL")
        .envs(endpoint.map(|endpoint| ("AWS_ENDPOINT_URL", endpoint)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    check.stdin.take().unwrap().write_all(input).unwrap();
    check.wait_with_output().unwrap()
}

/// The messages, by name; it ends with 1 if there is any.
fn problems(input: &Value) -> Vec<(String, String)> {
    problems_in(&run(input.to_string().as_bytes()))
}

fn problems_in(output: &Output) -> Vec<(String, String)> {
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = answer["problems"].as_array().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!problems.is_empty())), "{answer}");
    assert!(output.stderr.is_empty());
    let text = |problem: &Value, name: &str| problem[name].as_str().unwrap().to_owned();
    problems.iter().map(|problem| (text(problem, "name"), text(problem, "message"))).collect()
}

fn message(provider: &str, credentials: &str) -> String {
    let [(named, message)] = <[_; 1]>::try_from(problems(&json!({provider: credentials}))).unwrap();
    assert_eq!(named, provider);
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn credentials_that_a_function_starts_with_are_no_problem() {
    let secrets = format!(r#"{{"secrets":["{STRONG}"]}}"#);
    assert!(problems(&json!({"veriff": secrets, "treezor": secrets})).is_empty());
    assert!(problems(&json!({})).is_empty());
    let headers = format!(r#"{{"headers":{{"x-incode-secret":["{STRONG}"]}}}}"#);
    assert!(problems(&json!({"incode": headers})).is_empty(), "without oauth only the token endpoint does not start");
    // Empty credentials take a provider away.
    assert!(problems(&json!({"veriff": "", "wultra": ""})).is_empty());
}

#[test]
fn the_local_stacks_credentials_are_a_problem_except_on_a_local_stack() {
    let local: Value = serde_json::from_str(LOCAL).unwrap();
    let all: Value = local.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    for endpoint in ["http://127.0.0.1:4566", "http://localhost:4566", "http://host.docker.internal:4566"] {
        assert_eq!(problems_in(&run_for(Some(endpoint), all.to_string().as_bytes())), [], "{endpoint}");
    }
    for endpoint in [None, Some("https://dynamodb.eu-west-1.amazonaws.com"), Some("http://203.0.113.7:4566")] {
        let found = problems_in(&run_for(endpoint, all.to_string().as_bytes()));
        assert_eq!(found.len(), Provider::ALL.len());
        for (provider, message) in found {
            let variable = format!("{}_CREDENTIALS", provider.to_uppercase());
            assert!(message.starts_with(&format!("{variable} holds a secret of the local stack")), "{message}");
        }
    }
}

#[test]
fn each_slip_is_named_in_the_functions_own_words() {
    for (provider, credentials, expected) in [
        (
            "veriff",
            r#"{"secrets":["…"]}"#,
            "VERIFF_CREDENTIALS: `secrets` entry 1 is a placeholder; put the real one there",
        ),
        ("veriff", r#"{"secrets":["short"]}"#, "VERIFF_CREDENTIALS: `secrets` entry 1 is shorter than 16 characters"),
        (
            "treezor",
            r#"{"secrets":["9bN4vR7tK2wQ5zX8","my-webhook-secret-2026"]}"#,
            "TREEZOR_CREDENTIALS: `secrets` entry 2 is easily guessed; use a random one, such as `openssl rand -hex 32` prints",
        ),
        (
            "veriff",
            "secrets: [abcdef12]",
            "VERIFF_CREDENTIALS: not JSON: it must begin with `{` (near line 1, column 1)",
        ),
        (
            "veriff",
            r#"{"secrets":["abcdef12]}"#,
            "VERIFF_CREDENTIALS: not JSON: a quote or a bracket is not closed (near line 1, column 24)",
        ),
        (
            "treezor",
            r#"{"secret":["abcdef12"]}"#,
            "TREEZOR_CREDENTIALS: unknown member; did you mean `secrets`? (near line 1, column 3)",
        ),
        ("wultra", "{}", "WULTRA_CREDENTIALS: `basic or headers` has no entry; give at least one"),
        ("wultra", " \n", "WULTRA_CREDENTIALS is not set; the function can't start without it"),
    ] {
        let message = message(provider, credentials);
        let (fault, form) = message.split_once("; must be JSON like ").unwrap_or((&message, "{"));
        assert_eq!(fault, expected);
        assert!(form.starts_with('{'), "{message}");
    }
    let wultras = format!(r#"{{"basic":[{{"username":"wultra","password":"{STRONG}"}}]}}"#);
    for provider in ["veriff", "treezor", "incode"] {
        assert!(message(provider, &wultras).contains(": these look like Wultra's credentials"), "{provider}");
    }
    assert!(message("incode", r#"{"oauth":{"clients":[]}}"#).contains("`oauth`: `signingKeys` is missing"));
}

#[test]
fn what_a_secret_holds_is_judged_as_what_a_variable_does_except_incodes_api() {
    let api = r#""api":{"baseUrl":"https://api.example.com","apiKey":"k","email":"e@example.com","password":"p"}"#;
    let headers = format!(r#""headers":{{"x-incode-secret":["{STRONG}"]}}"#);
    let secrets = format!(r#"{{"secrets":["{STRONG}"]}}"#);
    let (whole, apart, alone) = (format!("{{{headers},{api}}}"), format!("{{{headers}}}"), format!("{{{api}}}"));
    assert!(problems(&json!({"incode": whole, "veriffSecret": secrets, "treezorSecret": secrets})).is_empty());
    assert!(problems(&json!({"incodeSecret": apart, "incodeApiSecret": alone})).is_empty());
    for (name, credentials, expected) in [
        (
            "incodeSecret",
            &whole,
            "INCODE_CREDENTIALS_ARN: `api` has no place in this secret; put it into a secret of its own",
        ),
        ("incodeApiSecret", &apart, "INCODE_API_CREDENTIALS_ARN: these look like Incode's or Wultra's credentials"),
        ("incodeApiSecret", &whole, "INCODE_API_CREDENTIALS_ARN: these look like Incode's or Wultra's credentials"),
        ("incodeSecret", &alone, "INCODE_CREDENTIALS_ARN: `headers or oauth` has no entry; give at least one"),
        ("wultraSecret", &secrets, "WULTRA_CREDENTIALS_ARN: these look like Veriff's or Treezor's credentials"),
    ] {
        let message = message(name, credentials);
        assert!(message.starts_with(expected), "{message}");
    }
    // A secret is there, whatever is in it: nothing is no provider that isn't deployed.
    for nothing in ["", " "] {
        assert!(message("veriffSecret", nothing).starts_with("VERIFF_CREDENTIALS_ARN: not JSON"));
    }
    let local: Value = serde_json::from_str(LOCAL).unwrap();
    assert!(message("wultraSecret", &local["wultra"].to_string()).contains("a secret of the local stack"));
}

#[test]
fn every_provider_with_a_problem_is_named() {
    let good = format!(r#"{{"secrets":["{STRONG}"]}}"#);
    let input = json!({"wultra": "[]", "veriff": good, "incode": "null", "treezor": "x"});
    let mut named: Vec<_> = problems(&input).into_iter().map(|(provider, _)| provider).collect();
    named.sort();
    assert_eq!(named, ["incode", "treezor", "wultra"]);
}

#[test]
fn nothing_printed_shows_any_part_of_the_credentials() {
    let canary = "canary-7f3a91";
    for credentials in [
        canary.to_owned(),
        format!("{{\"{canary}\":1}}"),
        format!(r#"{{"secrets":["{canary}"]}}"#),
        format!(r#"{{"secrets":"{canary}","basic":"{canary}","headers":"{canary}"}}"#),
        format!(r#"{{"headers":{{"{canary}":["{canary}"]}}}}"#),
        format!(r#"{{"secrets":["{canary}]}}"#),
    ] {
        for provider in Provider::ALL {
            let message = message(provider.as_str(), &credentials);
            assert!(!message.contains("canary"), "{message}");
        }
    }
}

#[test]
fn another_input_is_told_from_a_problem() {
    for input in [
        &b""[..],
        b"null",
        b"[]",
        b"\"canary\"",
        b"{\"veriff\":\"{}\"",
        b"{\"veriff\":{\"secrets\":[\"canary\"]}}",
        b"{\"veriff\":null}",
        b"{\"canary\":\"{}\"}",
        b"{\"canarySecret\":\"{}\"}",
        b"{\"Secret\":\"{}\"}",
        b"{\"veriff\":\"\xff\"}",
    ] {
        let output = run(input);
        assert_eq!(output.status.code(), Some(2), "{input:?}");
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.lines().count() == 1 && !said.contains("canary"), "{said}");
    }
}
