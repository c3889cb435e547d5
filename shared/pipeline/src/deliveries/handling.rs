//! The handling of one webhook, or of one answer to a poll: what became of it and why, and the log line that says so.

use crate::{
    lambda::gateway::RequestId,
    store::table::error::TableError,
    telemetry::line::{Line, shown, shown_event},
};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};
use verdict_sessions::{EventId, Provider, Remark, SessionEvent, SessionKey, Timestamp, Trace};
use verdict_webhooks::{Disposition, Ignored, Refusal, Unreadable};

/// The way in which one webhook was handled.
#[derive(Debug)]
pub(crate) struct Handling {
    pub(crate) disposition: Disposition,
    /// The reason, of a disposition that needs one.
    pub(crate) reason: Option<Reason>,
    /// The first session in it.
    pub(crate) session: Option<SessionKey>,
    /// The first event in it.
    pub(crate) event_id: Option<EventId>,
    /// The number of notifications that it made due.
    pub(crate) notifications: usize,
    pub(crate) remarks: Vec<Remark>,
    /// The other remarks on its events: codes, each with the member that it is about.
    pub(crate) coded_remarks: Vec<String>,
    /// Copies that came later than any retry.
    pub(crate) late_copies: usize,
    /// Duplicates that contradict the event recorded under their id.
    pub(crate) reused_ids: usize,
}

/// The reason for a disposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Refused(Refusal),
    Ignored(Ignored),
    Unreadable(Unreadable),
    Failed(Failure),
}

/// The reason for which a webhook could not be made durable where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Other writers of its session were faster until the deadline.
    Conflict,
    /// The deadline came first.
    Deadline,
    /// Its session, or what should be written of it, can't be read or written.
    Item,
    /// The table failed.
    Table,
    /// It belongs in quarantine, and that queue did not take it.
    Quarantine,
    /// There are no credentials to prove it with.
    Secret,
}

impl Handling {
    pub(crate) fn of(disposition: Disposition) -> Self {
        Self {
            disposition,
            reason: None,
            session: None,
            event_id: None,
            notifications: 0,
            remarks: Vec::new(),
            coded_remarks: Vec::new(),
            late_copies: 0,
            reused_ids: 0,
        }
    }

    /// The handling of events before any is recorded.
    pub(crate) fn of_events(events: &[SessionEvent]) -> Self {
        let first = events.first();
        Self {
            session: first.map(|event| event.session.clone()),
            event_id: first.map(|event| event.event_id.clone()),
            ..Self::of(Disposition::Duplicate)
        }
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self { reason: Some(Reason::Refused(refusal)), ..Self::of(Disposition::Refused(refusal)) }
    }

    pub(crate) fn ignored(ignored: Ignored) -> Self {
        Self { reason: Some(Reason::Ignored(ignored)), ..Self::of(Disposition::Ignored) }
    }

    pub(crate) fn quarantined(unreadable: Unreadable) -> Self {
        Self { reason: Some(Reason::Unreadable(unreadable)), ..Self::of(Disposition::Quarantined) }
    }

    pub(crate) fn failed(failure: Failure) -> Self {
        Self::of(Disposition::Failed).because_of(failure)
    }

    /// Changes it into one that failed in the end.
    pub(crate) fn because_of(self, failure: Failure) -> Self {
        Self { disposition: Disposition::Failed, reason: Some(Reason::Failed(failure)), ..self }
    }

    /// The key of the first event in it: `{provider}/{sessionId}/{eventId}`.
    pub(crate) fn event_key(&self) -> Option<String> {
        let (session, event_id) = self.session.as_ref().zip(self.event_id.as_ref())?;
        Some(format!("{session}/{event_id}"))
    }

    /// That key as the log shows it.
    fn shown_event_key(&self) -> Option<String> {
        let (session, event_id) = self.session.as_ref().zip(self.event_id.as_ref())?;
        Some(format!("{}/{}", shown(session), shown_event(event_id)))
    }

    /// The failure, if that is what became of it.
    pub(crate) fn failure(&self) -> Option<Failure> {
        match (self.disposition, self.reason) {
            (Disposition::Failed, Some(Reason::Failed(failure))) => Some(failure),
            _ => None,
        }
    }
}

impl Reason {
    /// The stable code for logs.
    const fn code(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Ignored(ignored) => ignored.code(),
            Self::Unreadable(unreadable) => unreadable.code(),
            Self::Failed(failure) => failure.code(),
        }
    }
}

impl Failure {
    const fn code(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Deadline => "deadline",
            Self::Item => "item",
            Self::Table => "table",
            Self::Quarantine => "quarantine",
            Self::Secret => "secret",
        }
    }

    /// Returns whether the failure concerns this webhook or its session alone, so that others may well succeed.
    pub(crate) const fn is_webhook_specific(self) -> bool {
        matches!(self, Self::Conflict | Self::Item | Self::Quarantine)
    }
}

impl From<&TableError> for Failure {
    fn from(error: &TableError) -> Self {
        match error {
            TableError::Conflict => Self::Conflict,
            TableError::Deadline => Self::Deadline,
            error if error.is_session_specific() => Self::Item,
            _ => Self::Table,
        }
    }
}

/// The place that a webhook came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Its provider.
    Provider,
    /// The intake queue.
    Intake,
    /// It is the answer to a poll.
    Poll,
}

/// The log line about one handling, with its metrics.
pub(crate) struct HandlingReport<'a> {
    pub(crate) origin: Origin,
    pub(crate) request: Option<&'a RequestId>,
    /// The address that it came from. Logged of what is refused alone.
    pub(crate) source: Option<IpAddr>,
    /// True if it was the first request of its process. Logged of what a provider sent alone.
    pub(crate) is_cold_start: bool,
    /// The trace of its arrival.
    pub(crate) trace: Option<Trace>,
    pub(crate) provider: Provider,
    pub(crate) handling: &'a Handling,
    pub(crate) took: Duration,
}

impl HandlingReport<'_> {
    /// Prints the line. A probe is logged and not counted.
    pub(crate) fn print(&self, now: Timestamp) {
        self.line().print(now);
    }

    fn line(&self) -> Line {
        let Handling { disposition, reason, session, notifications, .. } = self.handling;
        let line = Line::new(self.message())
            .with("requestId", self.request.map(RequestId::as_str))
            .by("provider", self.provider.as_str())
            .with("outcome", disposition.as_str())
            .with("reason", reason.map(Reason::code))
            .with("session", session.as_ref().map(shown))
            .with("eventKey", self.handling.shown_event_key())
            .with("notifications", *notifications)
            .with("trace", self.trace.as_ref().map(Trace::id));
        let line = if self.origin == Origin::Provider { line.with("coldStart", self.is_cold_start) } else { line };
        let took = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        match (self.origin, disposition) {
            (_, Disposition::Probe) => line.with("took", took),
            // The run of the poller counts its answers itself.
            (Origin::Poll, _) => self.with_rarities(line.with("took", took)),
            (Origin::Provider, Disposition::Refused(refusal)) => {
                let line = line.with("source", self.source.map(|address| address.to_string()));
                // Before the proof: it may be a stranger's, or a webhook that is lost.
                let line = line.count_if_any("bodyTooLarge", usize::from(*refusal == Refusal::BodyTooLarge));
                self.with_rarities(line.count(disposition.as_str(), 1).millis("took", took))
            }
            (Origin::Provider, _) => {
                let line = line.count(disposition.as_str(), 1);
                let line = if self.is_genuine() { line.count("genuine", 1) } else { line };
                self.with_rarities(line.millis("took", took))
            }
            (Origin::Intake, _) => {
                self.with_rarities(line.count(&format!("replay.{}", disposition.as_str()), 1).millis("took", took))
            }
        }
    }

    /// Returns whether a webhook was proved: not without credentials, nor if it is a call of the transport's.
    fn is_genuine(&self) -> bool {
        match self.handling.reason {
            Some(Reason::Failed(Failure::Secret)) => false,
            Some(Reason::Unreadable(unreadable)) => Unreadable::of_call(unreadable.code()).is_none(),
            _ => true,
        }
    }

    const fn message(&self) -> &'static str {
        match self.origin {
            Origin::Provider => "delivery",
            Origin::Intake => "replay",
            Origin::Poll => "finding",
        }
    }

    fn with_rarities(&self, line: Line) -> Line {
        let Handling { remarks, coded_remarks, late_copies, reused_ids, .. } = self.handling;
        let count = |remark| remarks.iter().filter(|made| **made == remark).count();
        let line = [Remark::Unrecognised, Remark::Inconsistent]
            .into_iter()
            .fold(line, |line, remark| line.count_if_any(remark.as_str(), count(remark)))
            .count_if_any("lateCopy", *late_copies)
            .count_if_any("idReused", *reused_ids);
        counts(coded_remarks).into_iter().fold(line, |line, (metric, times)| line.count(&metric, times))
    }
}

/// How often each code occurs, by the metric that counts it.
fn counts(coded_remarks: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for remark in coded_remarks {
        *counts.entry(metric_of(remark)).or_default() += 1;
    }
    counts
}

/// The metric of a remark: its code in camel case, such as `timeUnreadable` for `time_unreadable:decisionTime`.
fn metric_of(remark: &str) -> String {
    let code = remark.split(':').next().unwrap_or_default();
    let mut words = code.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |metric, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        metric + &initial.to_ascii_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::aws_error::AwsError;
    use serde_json::{Value, json};

    #[test]
    fn a_failure_says_whose_it_is() {
        for (error, code, is_webhook_specific) in [
            (TableError::Conflict, "conflict", true),
            (TableError::Deadline, "deadline", false),
            (TableError::Unreadable("session"), "item", true),
            (TableError::Unwritable("item"), "item", true),
            (AwsError::request_not_built().into(), "item", true),
            (AwsError::throttled().into(), "table", false),
            (TableError::Unconfirmed(AwsError::throttled()), "table", false),
        ] {
            let failure = Failure::from(&error);
            assert_eq!((failure.code(), failure.is_webhook_specific()), (code, is_webhook_specific), "{error}");
        }
        assert!(Failure::Quarantine.is_webhook_specific());
    }

    fn line(origin: Origin, handling: &Handling) -> Value {
        let report = HandlingReport {
            origin,
            request: None,
            source: Some([203, 0, 113, 7].into()),
            is_cold_start: true,
            trace: Trace::from_header("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1"),
            provider: Provider::Veriff,
            handling,
            took: Duration::from_millis(7),
        };
        report.line().value(Timestamp::from_unix(1_781_308_800, 0).unwrap())
    }

    /// The names of the metrics in a line, and what they are grouped by.
    fn metrics(line: &Value) -> (Vec<&str>, &Value) {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let metrics = directive["Metrics"].as_array().into_iter().flatten();
        (metrics.map(|metric| metric["Name"].as_str().unwrap()).collect(), &directive["Dimensions"])
    }

    #[test]
    fn a_delivery_is_a_line_and_a_metric_of_its_provider() {
        let line = line(Origin::Provider, &Handling::ignored(Ignored::Undecided));
        assert_eq!(metrics(&line), (vec!["ignored", "genuine", "took"], &json!([["provider"]])));
        assert_eq!((&line["message"], &line["reason"]), (&json!("delivery"), &json!("undecided")));
        assert_eq!((&line["ignored"], &line["provider"], &line["took"]), (&json!(1), &json!("veriff"), &json!(7)));
        assert_eq!((&line["unrecognised"], &line["lateCopy"], &line["idReused"]), (&json!(0), &json!(0), &json!(0)));
    }

    #[test]
    fn a_refusal_says_where_it_came_from_and_nothing_else_does() {
        let refused = line(Origin::Provider, &Handling::refused(Refusal::SignatureMismatch));
        assert_eq!(metrics(&refused), (vec!["refused", "took"], &json!([["provider"]])));
        assert_eq!((&refused["source"], &refused["reason"]), (&json!("203.0.113.7"), &json!("signature_mismatch")));
        for disposition in [Disposition::Recorded, Disposition::Duplicate, Disposition::Failed, Disposition::Probe] {
            assert_eq!(line(Origin::Provider, &Handling::of(disposition)).get("source"), None, "{disposition:?}");
        }
    }

    #[test]
    fn a_body_that_is_too_large_is_counted_for_an_alarm() {
        let refused = line(Origin::Provider, &Handling::refused(Refusal::BodyTooLarge));
        assert_eq!(metrics(&refused), (vec!["bodyTooLarge", "refused", "took"], &json!([["provider"]])));
        assert_eq!((&refused["bodyTooLarge"], &refused["reason"]), (&json!(1), &json!("body_too_large")));
    }

    #[test]
    fn a_stranger_makes_no_metric_of_its_own_and_no_long_line() {
        let kinds = [Refusal::PathUnknown, Refusal::SignatureMissing, Refusal::UrlTokenMismatch, Refusal::BodyTooLarge];
        for refusal in kinds {
            let line = line(Origin::Provider, &Handling::refused(refusal));
            let (names, dimensions) = metrics(&line);
            assert!(names.iter().all(|name| ["refused", "bodyTooLarge", "took"].contains(name)), "{names:?}");
            assert_eq!((dimensions, &line["provider"]), (&json!([["provider"]]), &json!("veriff")));
            assert!(line.to_string().len() < 700, "{line}");
        }
    }

    #[test]
    fn a_genuine_webhook_counts_whatever_becomes_of_it() {
        let is_genuine = |handling| metrics(&line(Origin::Provider, &handling)).0.contains(&"genuine");
        for disposition in [
            Disposition::Recorded,
            Disposition::Duplicate,
            Disposition::Ignored,
            Disposition::Spooled,
            Disposition::Quarantined,
            Disposition::Failed,
        ] {
            assert!(is_genuine(Handling::of(disposition)), "{disposition:?}");
        }
        assert!(is_genuine(Handling::quarantined(Unreadable::NoSessionId)));
        assert!(is_genuine(Handling::failed(Failure::Table)));
        assert!(!is_genuine(Handling::of(Disposition::Probe)));
        assert!(!is_genuine(Handling::refused(Refusal::SignatureMismatch)));
        // It could not be proved, and what is no webhook isn't.
        assert!(!is_genuine(Handling::failed(Failure::Secret)));
        assert!(!is_genuine(Handling::quarantined(Unreadable::SubscriptionConfirmation)));
        let replayed = line(Origin::Intake, &Handling::of(Disposition::Recorded));
        assert!(!metrics(&replayed).0.contains(&"genuine"), "it counted when it came");
    }

    #[test]
    fn an_event_is_shown_by_the_rule_of_sessions() {
        let session = SessionKey::named("wultra", "a@example.com").unwrap();
        let event_id = Some(EventId::new("id:1").unwrap());
        let handling = Handling { session: Some(session), event_id, ..Handling::of(Disposition::Recorded) };
        let line = line(Origin::Provider, &handling);
        assert_eq!(line["eventKey"], format!("{}/id:1", line["session"].as_str().unwrap()));
        assert!(!line.to_string().contains("example.com"), "{line}");
        assert_eq!(handling.event_key().as_deref(), Some("wultra/a@example.com/id:1"));
    }

    #[test]
    fn a_replayed_webhook_is_counted_apart() {
        let line = line(Origin::Intake, &Handling::of(Disposition::Recorded));
        assert_eq!(metrics(&line).0, ["replay.recorded", "took"]);
        assert_eq!((&line["message"], &line["replay.recorded"]), (&json!("replay"), &json!(1)));
    }

    #[test]
    fn a_finding_counts_for_what_is_odd_about_it() {
        let recorded = Handling::of(Disposition::Recorded);
        let odd = Handling { remarks: vec![Remark::Unrecognised], ..Handling::of(Disposition::Recorded) };
        assert_eq!(line(Origin::Poll, &recorded)["_aws"], json!(null));
        let line = line(Origin::Poll, &odd);
        assert_eq!(metrics(&line), (vec!["unrecognised"], &json!([["provider"]])));
        assert_eq!((&line["message"], &line["unrecognised"]), (&json!("finding"), &json!(1)));
    }

    #[test]
    fn a_remark_is_counted_under_its_code_whatever_member_it_is_about() {
        let remarks = ["time_unreadable:decisionTime", "left_out:vendorData", "left_out:riskLabels", "cut:reasonCodes"];
        let odd = Handling { coded_remarks: remarks.map(str::to_owned).into(), ..Handling::of(Disposition::Recorded) };
        let line = line(Origin::Provider, &odd);
        assert_eq!(metrics(&line).0, ["recorded", "genuine", "took", "cut", "leftOut", "timeUnreadable"]);
        assert_eq!((&line["cut"], &line["leftOut"], &line["timeUnreadable"]), (&json!(1), &json!(2), &json!(1)));
        assert!(!line.to_string().contains("vendorData"), "{line}");
    }

    #[test]
    fn a_probe_is_a_line_and_no_metric() {
        let mut line = line(Origin::Provider, &Handling::of(Disposition::Probe));
        line["version"].take();
        let expected = json!({"message": "delivery", "requestId": null, "provider": "veriff", "outcome": "probe",
            "reason": null, "session": null, "eventKey": null, "notifications": 0, "coldStart": true,
            "trace": "1-5759e988-bd862e3fe1be46a994272793", "took": 7, "version": null});
        assert_eq!(line, expected);
    }
}
