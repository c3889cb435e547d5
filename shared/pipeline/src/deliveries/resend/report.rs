//! The log line about a resend: the audit of who had what sent again, and why.

use super::{Refused, Request, Resent, Sent, Waiting};
use crate::{
    store::table::error::TableError,
    telemetry::line::{Line, shown},
};

/// The report of one run.
#[derive(Debug)]
pub(crate) struct Report<'r> {
    request: Request<'r>,
    outcome: &'static str,
    reason: Option<String>,
    sent: Sent,
}

impl Waiting {
    const fn code(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::AnotherRequest => "another_request",
        }
    }
}

impl Refused {
    const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "session_not_found",
            Self::NothingTold => "nothing_told",
            Self::FromAboveLast(_) => "from_above_last",
            Self::TooMany => "too_many_requests",
        }
    }

    const fn last(self) -> Option<u64> {
        match self {
            Self::FromAboveLast(last) => Some(last),
            Self::Unknown | Self::NothingTold | Self::TooMany => None,
        }
    }
}

impl<'r> Report<'r> {
    pub(crate) fn of(request: Request<'r>, resent: &Result<Resent, TableError>) -> Self {
        let (outcome, reason, sent) = match resent {
            Ok(Resent::All(sent)) => ("sent", None, *sent),
            Ok(Resent::Part { sent, stopped }) => ("unfinished", Some(stopped.to_string()), *sent),
            Ok(Resent::Before) => ("sent_before", None, Sent::default()),
            Ok(Resent::Waiting(waiting)) => ("waiting", Some(waiting.code().to_owned()), Sent::default()),
            Ok(Resent::Refused(refused)) => {
                ("refused", Some(refused.code().to_owned()), Sent { to: refused.last(), ..Sent::default() })
            }
            Err(error) => ("failed", Some(error.to_string()), Sent::default()),
        };
        Self { request, outcome, reason, sent }
    }

    /// The log line. `to` is the last sequence that the request sends; of a request from above the last one that was
    /// told, it is that one.
    pub(crate) fn line(self, who: Option<&str>, why: Option<&str>) -> Line {
        let Self { request, outcome, reason, sent } = self;
        Line::new("resend")
            .by("provider", request.session.provider.as_str())
            .with("session", shown(request.session))
            .with("who", who)
            .with("why", why)
            .with("request", request.id)
            .with("outcome", outcome)
            .with("reason", reason)
            .with("from", request.from)
            .with("first", sent.first)
            .with("to", sent.to)
            .count_if_any("resent", sent.count)
            .count(&format!("resend.{outcome}"), 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use verdict_sessions::{SessionKey, Timestamp};

    #[test]
    fn a_resends_line_says_who_asked_for_it_and_why_and_what_was_sent() {
        let session = SessionKey::named("veriff", "s").unwrap();
        let request = Request { session: &session, from: 2, id: "r-1" };
        let line = |resent, why| {
            let line = Report::of(request, &resent).line(Some("AROAEXAMPLE:operator-1"), why);
            line.value(Timestamp::EPOCH)
        };
        let members = ["session", "who", "why", "request", "outcome", "reason", "from", "first", "to", "resent"];
        let of = |line: &serde_json::Value| json!(members.map(|name| line[name].clone()));
        let all = line(Ok(Resent::All(Sent { first: Some(3), to: Some(5), count: 3 })), Some("lost"));
        assert_eq!(
            of(&all),
            json!(["veriff/s", "AROAEXAMPLE:operator-1", "lost", "r-1", "sent", null, 2, 3, 5, 3]),
            "what release 0.1 told is not kept: it began at 3"
        );
        let metrics = &all["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        assert_eq!(json!([metrics[0]["Name"], metrics[1]["Name"]]), json!(["resent", "resend.sent"]));
        let refused = line(Ok(Resent::Refused(Refused::FromAboveLast(1))), None);
        assert_eq!(
            of(&refused),
            json!(["veriff/s", "AROAEXAMPLE:operator-1", null, "r-1", "refused", "from_above_last", 2, null, 1, 0])
        );
    }
}
