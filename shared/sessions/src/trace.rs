//! The trace that a message belongs to: AWS X-Ray's header in, and W3C's `traceparent` out.

use std::{
    fmt,
    num::{NonZeroU64, NonZeroU128},
};

/// A trace of AWS X-Ray's: a number, the step of the trace that caused what comes next, and whether X-Ray keeps it.
/// Nothing else that a header may hold is kept, so that it can't carry data of anybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// X-Ray writes it as a time and a random number.
    id: NonZeroU128,
    parent: Option<NonZeroU64>,
    is_sampled: bool,
}

/// The hex digits of a trace's random number.
const RANDOM: usize = 24;

impl Trace {
    /// Reads X-Ray's header, such as `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1`. Returns
    /// `None` if it has no such root, or a parent of another form. Members that aren't in this example are ignored.
    #[must_use]
    pub fn from_header(header: &str) -> Option<Self> {
        let member = |name| {
            let mut values = header.split(';').filter_map(|member| member.trim().split_once('='));
            values.find_map(|(key, value)| (key == name).then_some(value))
        };
        let (time, random) = member("Root")?.strip_prefix("1-")?.split_once('-')?;
        let id = number(time, 8)? << (4 * RANDOM) | number(random, RANDOM)?;
        let parent = match member("Parent") {
            Some(parent) => Some(NonZeroU64::new(number(parent, 16)?.try_into().ok()?)?),
            None => None,
        };
        Some(Self { id: NonZeroU128::new(id)?, parent, is_sampled: member("Sampled") == Some("1") })
    }

    /// X-Ray's id of the trace, such as `1-5759e988-bd862e3fe1be46a994272793`.
    #[must_use]
    pub fn id(&self) -> String {
        let digits = format!("{:032x}", self.id);
        let (time, random) = digits.split_at(digits.len() - RANDOM);
        format!("1-{time}-{random}")
    }

    /// The trace as W3C Trace Context writes it, such as `00-5759e988bd862e3fe1be46a994272793-557abcec3ee5a047-01`. That
    /// needs a parent.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        self.parent.map(|parent| format!("00-{:032x}-{parent:016x}-{:02x}", self.id, u8::from(self.is_sampled)))
    }
}

/// The header.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root={}", self.id())?;
        if let Some(parent) = self.parent {
            write!(f, ";Parent={parent:016x}")?;
        }
        write!(f, ";Sampled={}", u8::from(self.is_sampled))
    }
}

/// A number of that many lower-case hex digits.
fn number(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_number = text.len() == digits && text.bytes().all(is_digit);
    is_number.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1";

    #[test]
    fn a_trace_is_written_for_xray_and_for_everybody_else() {
        let trace = Trace::from_header(HEADER).unwrap();
        assert_eq!((trace.id().as_str(), trace.to_string().as_str()), (&HEADER[5..40], HEADER));
        let traceparent = "00-5759e988bd862e3fe1be46a994272793-557abcec3ee5a047-01";
        assert_eq!(trace.traceparent().as_deref(), Some(traceparent));
        let small = "Root=1-00000001-000000000000000000000002;Parent=0000000000000003;Sampled=0";
        let small = (Trace::from_header(small).unwrap(), small);
        assert_eq!(small.0.to_string(), small.1);
        let traceparent = "00-00000001000000000000000000000002-0000000000000003-00";
        assert_eq!(small.0.traceparent().as_deref(), Some(traceparent));
    }

    #[test]
    fn only_what_xray_documents_is_kept_of_a_header() {
        let of = |header: &str| Trace::from_header(header).map(|trace| trace.to_string());
        let (root, parent) = (&HEADER[..40], "Parent=557abcec3ee5a047");
        assert_eq!(of(root), Some(format!("{root};Sampled=0")));
        assert_eq!(Trace::from_header(root).unwrap().traceparent(), None, "it names no parent");
        assert_eq!(of(&format!("{root};Sampled=?")), Some(format!("{root};Sampled=0")));
        assert_eq!(
            of(&format!("{parent}; {root} ;Sampled=1")).as_deref(),
            Some(&*format!("{root};{parent};Sampled=1"))
        );
        assert_eq!(of(&format!("Self=a b;{HEADER};Lineage=a87bd80c:0;user=customer-1")).as_deref(), Some(HEADER));
    }

    #[test]
    fn a_header_of_another_form_is_no_trace() {
        for other in [
            "",
            "Root=",
            "1-5759e988-bd862e3fe1be46a994272793",
            "root=1-5759e988-bd862e3fe1be46a994272793",
            "Root=2-5759e988-bd862e3fe1be46a994272793",
            "Root=1-5759e988-bd862e3fe1be46a99427279",
            "Root=1-5759e988-bd862e3fe1be46a9942727933",
            "Root=1-5759E988-BD862E3FE1BE46A994272793",
            "Root=1-+759e988-bd862e3fe1be46a994272793",
            "Root=1-5759e988-bd862e3fe1be46a99427279é",
            "Root=1-00000000-000000000000000000000000;Parent=557abcec3ee5a047;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000;Sampled=1",
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=customer-1;Sampled=1",
            "00-5759e988bd862e3fe1be46a994272793-557abcec3ee5a047-01",
        ] {
            assert_eq!(Trace::from_header(other), None, "{other}");
        }
    }
}
