//! Probes: deliveries that are proved like any webhook, and say nothing. An operator sends one to see whether a URL and
//! the secrets behind it work.

use crate::reading::json::Json;

/// The only member of a probe. Its value is [`DIGITS`] hex digits, which are new each time.
const MEMBER: &str = "verdictProbe";

/// The number of hex digits in a probe.
const DIGITS: usize = 32;

/// The longest text read, in bytes. A probe takes 51, and six times as many if all of it is escaped: what is longer is
/// a webhook, of up to 6 MB, that must not be parsed once more for this.
const LENGTH_LIMIT: usize = 512;

/// Returns whether the text that a proof covers is a probe: one object with the one member. With anything beside it, it
/// is a webhook.
pub(crate) fn is_probe(text: &[u8]) -> bool {
    text.len() <= LENGTH_LIMIT && Json::parse(text).is_ok_and(|document| is_only_member(&document))
}

fn is_only_member(document: &Json<'_>) -> bool {
    let Json::Object(members) = document else { return false };
    match &members[..] {
        [(name, Json::String(value))] => name.means(MEMBER) && is_hex(&value.decoded()),
        _ => false,
    }
}

fn is_hex(value: &str) -> bool {
    value.len() == DIGITS && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}
