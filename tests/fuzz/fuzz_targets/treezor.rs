//! Anything at the door of Treezor.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use verdict_fuzz::{genuine, provider::Sender as _};
use verdict_webhooks::treezor::Treezor;

static TREEZOR: LazyLock<Treezor> = LazyLock::new(Treezor::configured);

fuzz_target!(|input: &[u8]| genuine::check(&*TREEZOR, input));
