//! The size of a notification, and what is left out of one that is too large.

use super::{CheckChange, Notification};
use crate::{Detail, ReasonCode};

/// The most bytes of a notification's JSON. 256 KiB is what SNS and event buses pass on, and what older
/// queues take, with attributes and envelopes.
const LIMIT: usize = 240 * 1024;

/// The most bytes of a member beside its texts: its name, and quotes, commas and braces.
const MEMBER: usize = 32;

/// The members beside lists and details: a number, a time, a word, a trace.
const FIXED: usize = 2048;

impl Notification {
    /// Leaves out details, and then codes, of the checks that changed, and at last the decision's details, until the
    /// rest fits in a message. The record has all of them. The decision, its reasons and the outcome of each check
    /// always fit.
    pub(crate) fn bounded(mut self) -> Self {
        let mut size = self.size();
        let mut leave_out = |size_of: usize| {
            let is_too_large = size > LIMIT;
            size -= if is_too_large { size_of } else { 0 };
            is_too_large
        };
        for change in self.changes.iter_mut().rev() {
            if leave_out(size_of_detail(&change.detail)) {
                change.detail = Detail::empty();
            }
        }
        for change in self.changes.iter_mut().rev() {
            if leave_out(size_of_codes(&change.reason_codes)) {
                change.reason_codes = Vec::new();
            }
        }
        if leave_out(size_of_detail(&self.detail)) {
            self.detail = Detail::empty();
        }
        self
    }

    /// The most bytes that its JSON takes in ASCII.
    fn size(&self) -> usize {
        let names = [self.reference.as_deref(), self.provider_user_id.as_deref()];
        let attempt = self.attempt_id.as_ref().map_or(0, |id| size_of(id.as_str()));
        FIXED
            // In `id`, `subject` and `sessionId`.
            + 3 * size_of(self.session.session_id.as_str())
            + attempt
            + names.into_iter().flatten().map(size_of).sum::<usize>()
            + size_of_codes(&self.reason_codes)
            + size_of_detail(&self.detail)
            + self.checks.keys().map(|name| size_of(name)).sum::<usize>()
            + self.changes.iter().map(CheckChange::size).sum::<usize>()
    }
}

impl CheckChange {
    fn size(&self) -> usize {
        5 * MEMBER + size_of(&self.check) + size_of_codes(&self.reason_codes) + size_of_detail(&self.detail)
    }
}

fn size_of_codes(codes: &[ReasonCode]) -> usize {
    codes.iter().map(|code| size_of(code.as_str())).sum()
}

fn size_of_detail(detail: &Detail) -> usize {
    detail.iter().map(|(name, value)| size_of(name) + size_of(value)).sum()
}

/// A text in JSON: characters beyond ASCII and controls take six bytes for each of their UTF-16 units.
fn size_of(text: &str) -> usize {
    let in_json = |character: char| match character {
        '"' | '\\' => 2,
        ' '..='~' => 1,
        _ => 6 * character.len_utf16(),
    };
    MEMBER + text.chars().map(in_json).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AttemptId, CheckOutcome, Kind, Outcome, Provider, SessionId, SessionKey, Timestamp, Trace};
    use proptest::{collection::vec, prelude::*, sample::select};

    /// A text, of characters that take little room in JSON or much.
    fn text(longest: usize) -> impl Strategy<Value = String> {
        let characters = select(vec!['x', '"', '\\', '\u{1}', '\u{7f}', 'é', '\u{ffff}', '\u{1f512}']);
        vec(characters, 1..longest).prop_map(|characters| characters.into_iter().collect())
    }

    /// None, often: what there is more of is counted generously, and would hide what is counted too small.
    fn few_or_many<S: Strategy>(each: S, limit: usize) -> impl Strategy<Value = Vec<S::Value>> {
        (any::<bool>(), vec(each, 0..limit)).prop_map(move |(is_none, mut all)| {
            all.truncate(if is_none { 0 } else { limit });
            all
        })
    }

    fn detail() -> impl Strategy<Value = Detail> {
        few_or_many((text(20), text(17)), 17).prop_map(|values| {
            let mut detail = Detail::empty();
            for (name, value) in values {
                // One that is too long is left out.
                let _ = detail.insert(&name, &value);
            }
            detail
        })
    }

    fn codes() -> impl Strategy<Value = Vec<ReasonCode>> {
        few_or_many((1..=64_usize).prop_map(|length| ReasonCode::new(&"7".repeat(length)).unwrap()), 17)
    }

    fn change() -> impl Strategy<Value = CheckChange> {
        let outcomes = || select(vec![None, Some(CheckOutcome::Cancelled)]);
        (text(40), outcomes(), outcomes(), codes(), detail()).prop_map(
            |(check, outcome, previous_outcome, reason_codes, detail)| {
                let at = Timestamp::from_unix(1_781_308_800, 123_456_789).unwrap();
                CheckChange { check, outcome, previous_outcome, reason_codes, detail, at }
            },
        )
    }

    fn notification() -> impl Strategy<Value = Notification> {
        let texts = (text(300), text(50), prop::option::of(text(1500)), prop::option::of(text(1500)));
        let lists = (
            codes(),
            detail(),
            vec((text(40), select(vec![CheckOutcome::Cancelled])), 0..70),
            few_or_many(change(), 65),
        );
        (texts, lists, any::<bool>()).prop_map(
            |((session, attempt, reference, user), (reason_codes, detail, checks, changes), is_withdrawn)| {
                let at = Timestamp::from_unix(1_781_308_800, 123_456_789).unwrap();
                let session = SessionId::new(session.trim()).or_else(|_| SessionId::new("s")).unwrap();
                let attempt = AttemptId::new(attempt.trim()).ok();
                Notification {
                    session: SessionKey { provider: Provider::Treezor, session_id: session },
                    kind: Kind::Identification,
                    attempt_id: attempt,
                    sequence: u64::MAX,
                    outcome: Some(Outcome::ResubmissionRequested).filter(|_| !is_withdrawn),
                    is_final: false,
                    previous_outcome: Some(Outcome::ResubmissionRequested),
                    reason_code: reason_codes.first().cloned(),
                    reason_codes,
                    detail,
                    correction: false,
                    decided_at: Some(at),
                    reference,
                    provider_user_id: user,
                    checks: checks.into_iter().collect(),
                    changes,
                    withdrawn_at: Some(at),
                }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        /// JSON in ASCII, as SQS is sent it.
        #[test]
        fn the_size_is_never_below_the_length_of_the_message(notification in notification()) {
            let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1";
            let event = notification.cloud_event().in_trace(Trace::from_header(trace));
            let json = serde_json::to_string(&event).unwrap();
            let length: usize =
                json.chars().map(|character| if character.is_ascii() { 1 } else { 6 * character.len_utf16() }).sum();
            prop_assert!(length <= notification.size(), "{length} > {}", notification.size());
        }
    }
}
