//! Credentials of Treezor's that must not start a function, and what the message says of them: where, never what.

use serde_json::{Value, json};
use verdict_webhooks::{CredentialsError, WeakSecret, treezor::Treezor};

const STRONG: &str = "abcdef12-abcd-abcd-abcd-abcdef012345";
const OTHER: &str = "0f3b6c1e-52d4-4a7b-9c60-7d1e8a2b4f95";

const TOKEN: &str = "local-treezor-url-token-0123456789abcdef";

fn error(credentials: &Value) -> CredentialsError {
    error_of_text(&credentials.to_string())
}

fn error_of_text(credentials: &str) -> CredentialsError {
    Treezor::from_json(credentials).expect_err(credentials)
}

#[test]
fn url_tokens_are_optional() {
    let thirty_two = "9bN4vR7tK2wQ5zX8mL6jH3gF0dS9aP1c";
    for credentials in [
        json!({"secrets": [STRONG]}),
        json!({"secrets": [STRONG, OTHER], "urlTokens": [TOKEN]}),
        json!({"urlTokens": [TOKEN, thirty_two, "~a.b_c-d=e/f~9bN4.vR7t_K2wQ-5zX8=mL6j/H3gF"], "secrets": [STRONG]}),
    ] {
        assert!(Treezor::from_json(&credentials.to_string()).is_ok(), "{credentials}");
    }
}

#[test]
fn a_list_of_url_tokens_that_is_there_has_an_entry() {
    let credentials = json!({"secrets": [STRONG], "urlTokens": []});
    assert_eq!(error(&credentials), CredentialsError::Empty { member: "urlTokens" });
    for tokens in [json!(null), json!(TOKEN), json!({}), json!([null]), json!([[TOKEN]])] {
        let credentials = json!({"secrets": [STRONG], "urlTokens": tokens});
        assert!(matches!(error(&credentials), CredentialsError::Shape { .. }), "{credentials}");
    }
}

#[test]
fn unsigned_reviews_are_asked_for_in_a_word_and_need_a_url_token() {
    for asked_for in [true, false] {
        let credentials = json!({"secrets": [STRONG], "urlTokens": [TOKEN], "unsignedReviews": asked_for});
        assert!(Treezor::from_json(&credentials.to_string()).is_ok(), "{credentials}");
    }
    assert!(Treezor::from_json(&json!({"secrets": [STRONG], "unsignedReviews": false}).to_string()).is_ok());
    let error_without_token = error(&json!({"secrets": [STRONG], "unsignedReviews": true}));
    assert_eq!(error_without_token, CredentialsError::UnsignedWithoutToken);
    let message = "`unsignedReviews` needs `urlTokens`: a token in the URL is all that proves an unsigned review";
    assert_eq!(error_without_token.to_string(), message);
    for value in [json!(null), json!("true"), json!(1), json!([true])] {
        let credentials = json!({"secrets": [STRONG], "urlTokens": [TOKEN], "unsignedReviews": value});
        assert!(matches!(error(&credentials), CredentialsError::Shape { .. }), "{credentials}");
    }
}

#[test]
fn a_url_token_makes_up_for_no_secret() {
    for credentials in [json!({"urlTokens": [TOKEN]}), json!({"secrets": null, "urlTokens": [TOKEN]})] {
        assert!(matches!(error(&credentials), CredentialsError::Shape { .. }), "{credentials}");
    }
    let credentials = json!({"secrets": [], "urlTokens": [TOKEN]});
    assert_eq!(error(&credentials), CredentialsError::Empty { member: "secrets" });
}

#[test]
fn each_weakness_of_a_url_token_is_named() {
    for (token, weakness) in [
        ("", WeakSecret::Blank),
        (" \n", WeakSecret::Blank),
        ("local-treezor-url-token-0123456789abcdef\n", WeakSecret::Padded),
        ("0123456789abcde", WeakSecret::Short),
        ("9bN4vR7tK2wQ5zX8", WeakSecret::ShortInUrl),
        ("9bN4vR7tK2wQ5zX8mL6jH3gF0dS9aP1", WeakSecret::ShortInUrl),
        ("a token of more than 32 characters", WeakSecret::NotForUrl),
        ("9bN4vR7tK2wQ5zX8+mL6jH3gF0dS9aP1c", WeakSecret::NotForUrl),
        ("9bN4vR7tK2wQ5zX8%mL6jH3gF0dS9aP1c", WeakSecret::NotForUrl),
        ("9bN4vR7tK2wQ5zX8&mL6jH3gF0dS9aP1c", WeakSecret::NotForUrl),
        ("9bN4vR7tK2wQ5zX8#mL6jH3gF0dS9aP1c", WeakSecret::NotForUrl),
        ("ключ-надёжный-случайный-длинный-9bN4", WeakSecret::NotForUrl),
        ("changeme-changeme-changeme-changeme", WeakSecret::Placeholder),
        ("<the token in the URL that is given to Treezor>", WeakSecret::Placeholder),
        ("00000000000000000000000000000000", WeakSecret::Guessable),
    ] {
        let credentials = json!({"secrets": [STRONG], "urlTokens": [TOKEN, token]});
        let expected = CredentialsError::Weak { member: "urlTokens", position: 2, weakness };
        assert_eq!(error(&credentials), expected, "{token:?}");
    }
    assert_eq!(
        error(&json!({"secrets": ["short", STRONG]})),
        CredentialsError::Weak { member: "secrets", position: 1, weakness: WeakSecret::Short }
    );
}

#[test]
fn a_misspelled_or_doubled_member_is_refused_and_not_ignored() {
    for member in ["urltokens", "url_tokens", "urlToken", "apiKeys", "token", ""] {
        let credentials = json!({"secrets": [STRONG], member: [TOKEN]});
        assert!(matches!(error(&credentials), CredentialsError::Shape { .. }), "{member:?}");
    }
    let doubled = format!(r#"{{"secrets":["{STRONG}"],"urlTokens":["{TOKEN}"],"urlTokens":["{TOKEN}"]}}"#);
    assert!(matches!(error_of_text(&doubled), CredentialsError::Shape { .. }));
}

#[test]
fn the_message_says_where_and_what_to_do_and_shows_no_part_of_them() {
    let message = error(&json!({"secrets": [STRONG], "urlTokens": ["canary-Xk9pQ2vB7rT4"]})).to_string();
    assert_eq!(message, "`urlTokens` entry 1 is shorter than the 32 characters of a URL token");
    let message = error_of_text("{\n  \"canary\": []\n}").to_string();
    assert!(message.contains(r#"{"secrets":["…"],"urlTokens":["…"],"#) && message.contains("line 2"), "{message}");
    for credentials in [
        json!({"secrets": [STRONG], "urlTokens": "canary"}),
        json!({"secrets": [STRONG], "urlTokens": ["canary"]}),
        json!({"secrets": ["canary"], "urlTokens": [TOKEN]}),
        json!({"secrets": [STRONG], "urlTokens": [TOKEN], "canary": 1}),
    ] {
        let error = error(&credentials);
        let printed = format!("{error} {error:?} {error:#?}");
        assert!(!printed.contains("canary") && !printed.contains(TOKEN), "{printed}");
    }
}
