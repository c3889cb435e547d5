//! Credentials that must not start a function, and what the message says of them: where, never what.

use serde_json::{Value, json};
use verdict_webhooks::{CredentialsError, WeakSecret, veriff::Veriff};

const STRONG: &str = "abcdef12-abcd-abcd-abcd-abcdef012345";
const OTHER: &str = "0f3b6c1e-52d4-4a7b-9c60-7d1e8a2b4f95";

fn error(credentials: &Value) -> CredentialsError {
    error_of_text(&credentials.to_string())
}

fn error_of_text(credentials: &str) -> CredentialsError {
    Veriff::from_json(credentials).expect_err(credentials)
}

fn weak_secret(position: usize, weakness: WeakSecret) -> CredentialsError {
    CredentialsError::Weak { member: "secrets", position, weakness }
}

#[test]
fn strong_secrets_are_taken_as_they_are() {
    let sixteen = "9bN4vR7tK2wQ5zX8";
    for credentials in [
        json!({"secrets": [STRONG]}),
        json!({"secrets": [STRONG, OTHER, sixteen, "sécret-ключ-鍵-🔑-2026", "with \"quotes\" and \\"]}),
        json!({"secrets": [STRONG], "apiKeys": []}),
        json!({"apiKeys": ["871e8af2-e611-482b-a6d1-261524bfb6a7", "short"], "secrets": [STRONG]}),
    ] {
        assert!(Veriff::from_json(&credentials.to_string()).is_ok(), "{credentials}");
    }
}

#[test]
fn without_any_secret_there_is_no_start() {
    assert_eq!(error(&json!({"secrets": []})), CredentialsError::Empty { member: "secrets" });
    for credentials in [json!({}), json!({"apiKeys": ["k"]}), json!({"secrets": null}), json!({"secrets": STRONG})] {
        assert!(matches!(error(&credentials), CredentialsError::Shape { .. }), "{credentials}");
    }
}

#[test]
fn each_weakness_is_named() {
    for (secret, weakness) in [
        ("", WeakSecret::Blank),
        (" ", WeakSecret::Blank),
        ("\t\r\n", WeakSecret::Blank),
        ("\u{a0}\u{3000}", WeakSecret::Blank),
        ("abcdef12-abcd-abcd-abcd-abcdef012345\n", WeakSecret::Padded),
        ("abcdef12-abcd-abcd-abcd-abcdef012345\r\n", WeakSecret::Padded),
        (" abcdef12-abcd-abcd-abcd-abcdef012345", WeakSecret::Padded),
        ("abcdef12-abcd-abcd-abcd-abcdef012345\u{a0}", WeakSecret::Padded),
        ("x", WeakSecret::Short),
        ("0123456789abcde", WeakSecret::Short),
        ("ключ-ключ-ключ", WeakSecret::Short),
        ("changeme", WeakSecret::Placeholder),
        ("change_me_please_1234", WeakSecret::Placeholder),
        ("your-secret-from-the-portal", WeakSecret::Placeholder),
        ("***", WeakSecret::Placeholder),
        ("0000000000000000000000000000000000000000", WeakSecret::Guessable),
        ("<shared secret of the integration>", WeakSecret::Placeholder),
        ("{{resolve:secretsmanager:veriff}}", WeakSecret::Placeholder),
        ("${VERIFF_SHARED_SECRET}", WeakSecret::Placeholder),
        ("TODO: ask for the secret", WeakSecret::Placeholder),
    ] {
        assert_eq!(error(&json!({"secrets": [secret]})), weak_secret(1, weakness), "{secret:?}");
    }
}

#[test]
fn one_weak_entry_spoils_the_rotation() {
    assert_eq!(error(&json!({"secrets": [STRONG, ""]})), weak_secret(2, WeakSecret::Blank));
    assert_eq!(error(&json!({"secrets": ["", STRONG]})), weak_secret(1, WeakSecret::Blank));
    assert_eq!(error(&json!({"secrets": [STRONG, OTHER, "short"]})), weak_secret(3, WeakSecret::Short));
    assert_eq!(error(&json!({"secrets": [STRONG, "changeme", ""]})), weak_secret(2, WeakSecret::Placeholder));
}

#[test]
fn a_blank_api_key_is_named_with_its_position() {
    for blank in ["", " ", "\n"] {
        assert_eq!(
            error(&json!({"secrets": [STRONG], "apiKeys": ["key", blank]})),
            CredentialsError::Weak { member: "apiKeys", position: 2, weakness: WeakSecret::Blank },
            "{blank:?}"
        );
    }
}

#[test]
fn what_is_not_the_documented_json_is_refused() {
    for credentials in [
        String::new(),
        " ".into(),
        STRONG.into(),
        "null".into(),
        format!("\"{STRONG}\""),
        format!("[\"{STRONG}\"]"),
        format!("{{'secrets':['{STRONG}']}}"),
        format!(r#"{{"secrets":["{STRONG}"]}} "#) + "}",
        format!(r#"{{"secrets":["{STRONG}"],}}"#),
        format!("\u{feff}{{\"secrets\":[\"{STRONG}\"]}}"),
        format!(r#"{{"secrets":["{STRONG}",null]}}"#),
        format!(r#"{{"secrets":["{STRONG}",1234567890123456]}}"#),
        format!(r#"{{"secrets":[["{STRONG}"]]}}"#),
        format!(r#"{{"secrets":{{"0":"{STRONG}"}}}}"#),
        format!(r#"{{"secrets":["{STRONG}"],"apiKeys":null}}"#),
        format!(r#"{{"secrets":["{STRONG}"],"apiKeys":"key"}}"#),
        format!(r#"{{"veriff":{{"secrets":["{STRONG}"]}}}}"#),
    ] {
        assert!(matches!(error_of_text(&credentials), CredentialsError::Shape { .. }), "{credentials}");
    }
}

#[test]
fn a_misspelled_member_is_refused_and_not_ignored() {
    for member in ["secret", "Secrets", "api_keys", "apikeys", "urlTokens", ""] {
        let credentials = json!({"secrets": [STRONG], member: ["key"]});
        assert!(matches!(error(&credentials), CredentialsError::Shape { .. }), "{member:?}");
    }
}

#[test]
fn a_doubled_member_is_refused() {
    for credentials in [
        format!(r#"{{"secrets":["{STRONG}"],"secrets":["{OTHER}"]}}"#),
        format!(r#"{{"secrets":["{STRONG}"],"s\u0065crets":["{OTHER}"]}}"#),
        format!(r#"{{"secrets":["{STRONG}"],"apiKeys":["a"],"apiKeys":["b"]}}"#),
    ] {
        assert!(matches!(error_of_text(&credentials), CredentialsError::Shape { .. }), "{credentials}");
    }
}

#[test]
fn the_message_says_where_and_what_to_do() {
    for (credentials, message) in [
        (json!({"secrets": []}), "`secrets` has no entry; give at least one"),
        (json!({"secrets": [STRONG, "short"]}), "`secrets` entry 2 is shorter than 16 characters"),
        (json!({"secrets": [format!("{STRONG}\n")]}), "`secrets` entry 1 starts or ends with white space; remove it"),
        (json!({"secrets": ["changeme"]}), "`secrets` entry 1 is a placeholder; put the real one there"),
        (json!({"secrets": [STRONG], "apiKeys": [""]}), "`apiKeys` entry 1 is blank"),
    ] {
        assert_eq!(error(&credentials).to_string(), message);
    }
}

#[test]
fn json_of_another_form_is_refused_with_what_is_wrong_and_where() {
    for (credentials, fault) in [
        ("{\n  \"secret\": []\n}", "unknown member; did you mean `secrets`? (near line 2, column 4)"),
        (r#"{"secrets":["x"],"api_key":["k"]}"#, "unknown member; did you mean `apiKeys`? (near line 1, column 19)"),
        (r#"{"secrets":["x"],"x":1}"#, "unknown member (near line 1, column 19)"),
        (r#"{"apiKeys":["k"]}"#, "`secrets` is missing"),
        (r#"{"secrets":["x"],"secrets":["y"]}"#, "`secrets` is there twice"),
        (r#"{"secrets":"x"}"#, "`secrets`: must be a list (near line 1, column 3)"),
        (r#"{"secrets":null}"#, "`secrets`: must be a list (near line 1, column 3)"),
        (r#"{"secrets":["x",["y"]]}"#, "`secrets` entry 2: must be text in double quotes (near line 1, column 3)"),
        (
            r#"{"basic":[{"username":"u","password":"p"}]}"#,
            "these look like Wultra's credentials (near line 1, column 3)",
        ),
        (r#"{"secrets":["x"],"urlTokens":["t"]}"#, "these look like Treezor's credentials (near line 1, column 19)"),
        (r#"{"headers":{"x-a":["x"]}}"#, "these look like Incode's or Wultra's credentials (near line 1, column 3)"),
        (r#"["x"]"#, "must be an object"),
        ("null", "must be an object"),
        ("", "not JSON: it is empty (near line 1, column 1)"),
        ("secrets:\n  - x", "not JSON: it must begin with `{` (near line 1, column 1)"),
        ("{secrets: [x]}", "not JSON: names and texts need straight double quotes (near line 1, column 2)"),
        ("{'secrets':['x']}", "not JSON: names and texts need straight double quotes (near line 1, column 2)"),
        ("{“secrets”:[]}", "not JSON: names and texts need straight double quotes (near line 1, column 2)"),
        (r#"{"secrets":["x]}"#, "not JSON: a quote or a bracket is not closed (near line 1, column 17)"),
        (r#"{"secrets":["x"]"#, "not JSON: a quote or a bracket is not closed (near line 1, column 17)"),
        ("{\"secrets\":[\"x]}\n", "not JSON: a text is not closed before its line ends (near line 1, column 17)"),
        (
            r#"{"secrets":["x"],}"#,
            "not JSON: there is a character too many, or one is missing (near line 1, column 18)",
        ),
        (
            r#"{"secrets":["x"]}}"#,
            "not JSON: there is a character too many, or one is missing (near line 1, column 18)",
        ),
        (r#"{"secrets" ["x"]}"#, "not JSON: there is a character too many, or one is missing (near line 1, column 12)"),
    ] {
        let expected = r#"must be JSON like {"secrets":["…"],"apiKeys":["…"],"allowedCidrs":["…"],"#;
        let message = error_of_text(credentials).to_string();
        assert!(message.starts_with(&format!("{fault}; {expected}")), "{credentials}: {message}");
    }
    let deep = error_of_text(&format!("{{\"secrets\":{}", "[".repeat(1000))).to_string();
    assert!(deep.starts_with("not JSON: it is nested too deeply (near line 1, column 1)"), "{deep}");
}

#[test]
fn the_documented_example_is_no_credentials() {
    assert_eq!(error_of_text(r#"{"secrets":["…"],"apiKeys":["…"]}"#), weak_secret(1, WeakSecret::Placeholder));
}

#[test]
fn no_message_shows_any_part_of_the_credentials() {
    let canary = "canary-7f3a91";
    for credentials in [
        canary.to_owned(),
        format!("\"{canary}\""),
        format!("{{\"{canary}\":[]}}"),
        format!(r#"{{"secrets":"{canary}"}}"#),
        format!(r#"{{"secrets":["{canary}"]}}"#),
        format!(r#"{{"secrets":["{canary}-0123456789 "]}}"#),
        format!(r#"{{"secrets":["changeme-{canary}"]}}"#),
        format!(r#"{{"secrets":["{STRONG}"],"apiKeys":"{canary}"}}"#),
        format!(r#"{{"secrets":["{STRONG}"],"apiKeys":["{canary}",""]}}"#),
        format!(r#"{{"secrets":["{STRONG}"],"{canary}":1}}"#),
        format!(r#"{{"secrets":["{STRONG}"]}} {canary}"#),
        format!(r#"{{"secrets":["{canary}"#),
        format!(r#"{{"secrets":[{{"{canary}":"{canary}"}}]}}"#),
        format!(r#"{{"secrets":true,"{canary}":["{canary}"]}}"#),
        format!(r#"{{"secret":["{canary}"]}}"#),
        format!("secrets: [{canary}]"),
    ] {
        let error = error_of_text(&credentials);
        let printed = format!("{error} {error:?} {error:#?}");
        assert!(!printed.contains("canary") && !printed.contains(STRONG), "{printed}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}
