//! The form that Treezor signs, against another way of writing it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;
use verdict_fuzz::php;
use verdict_webhooks::treezor::canonical;

fuzz_target!(|text: &str| {
    let form = canonical(text);
    // What is no JSON has a form too, which nobody promises anything of.
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return;
    }
    assert_eq!(form, php::json_encode(text));
    assert_eq!(form, canonical(&form), "the form of a form is itself");
    assert!(form.is_ascii());
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        assert_eq!(serde_json::from_str::<Value>(&form).ok(), Some(value), "the form means something else");
    }
});
