//! Anything at the doors of Veriff.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use verdict_fuzz::{genuine, provider::Sender as _};
use verdict_webhooks::veriff::Veriff;

static VERIFF: LazyLock<Veriff> = LazyLock::new(Veriff::configured);

fuzz_target!(|input: &[u8]| genuine::check(&*VERIFF, input));
