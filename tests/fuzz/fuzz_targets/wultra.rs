//! Anything at the door of Wultra.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use verdict_fuzz::{genuine, provider::Sender as _};
use verdict_webhooks::wultra::Wultra;

static WULTRA: LazyLock<Wultra> = LazyLock::new(Wultra::configured);

fuzz_target!(|input: &[u8]| genuine::check(&*WULTRA, input));
