//! Anything at the door of Incode.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use verdict_fuzz::{genuine, provider::Sender as _};
use verdict_webhooks::incode::Incode;

static INCODE: LazyLock<Incode> = LazyLock::new(Incode::configured);

fuzz_target!(|input: &[u8]| genuine::check(&*INCODE, input));
