//! The rule that says which request may send a session's messages again.
//!
//! One request at a time: two that interleaved would have a consumer that went back drop what the slower one sends. So
//! a request leases the session's item, and others wait until it is done or the lease is over. A request that crashed,
//! or that had no time to send all, comes back and goes on where the item says. Two runs of one request can't disturb
//! each other: each sends in order, and SQS drops what the other one has sent before.
//!
//! A loop of requests comes to an end: of each session, so many are taken in an hour.

use crate::store::table::items::Resend;
use std::time::Duration;
use verdict_sessions::Timestamp;

/// The time for which a session belongs to the request that took it, unless it is done before. It is longer than the
/// longest pause before a message is received again, so that a request that crashed, or was put off, comes back before
/// another one has its turn.
pub(in crate::deliveries) const LEASE: Duration = Duration::from_mins(20);

/// The time over which a session's requests are counted.
const COUNTED: Duration = Duration::from_hours(1);

/// The most requests of a session that are taken in that time.
const MOST_REQUESTS: u32 = 10;

/// The answer to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may send, once this is written.
    Now(Resend),
    /// Another request is at work.
    Later,
    /// The request is done: its message was received again.
    Done,
    /// There were too many requests.
    TooMany,
}

/// Says whether a request may send now what was told from `from` to `last`, by the session's latest resend.
pub(super) fn turn(latest: Option<&Resend>, request: &str, from: u64, last: u64, now: Timestamp) -> Turn {
    match latest {
        Some(own) if own.request == request && is_done(own) => Turn::Done,
        Some(own) if own.request == request => Turn::Now(Resend { leased_until: now.plus(LEASE), ..own.clone() }),
        Some(other) if now < other.leased_until => Turn::Later,
        latest => {
            let counted = latest.filter(|latest| now < latest.counted_since.plus(COUNTED));
            let requests = counted.map_or(0, |latest| latest.requests);
            if requests >= MOST_REQUESTS {
                return Turn::TooMany;
            }
            Turn::Now(Resend {
                request: request.to_owned(),
                next: from,
                last,
                leased_until: now.plus(LEASE),
                counted_since: counted.map_or(now, |latest| latest.counted_since),
                requests: requests + 1,
            })
        }
    }
}

/// The resend when a run of it has stopped: one that is not done keeps its turn until it comes back.
pub(super) fn stopped(resend: Resend, now: Timestamp) -> Resend {
    let leased_until = if is_done(&resend) { now } else { now.plus(LEASE) };
    Resend { leased_until, ..resend }
}

/// Returns whether a request has sent all that it should.
const fn is_done(resend: &Resend) -> bool {
    resend.next > resend.last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(1_781_308_800, 0).unwrap().plus(Duration::from_secs(seconds))
    }

    fn taken(latest: Option<&Resend>, request: &str, seconds: u64) -> Resend {
        match turn(latest, request, 3, 5, at(seconds)) {
            Turn::Now(resend) => resend,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_has_its_turn_until_it_is_done_or_its_lease_is_over() {
        let first = taken(None, "a", 0);
        assert_eq!((first.next, first.last, first.leased_until), (3, 5, at(1200)));
        assert_eq!(turn(Some(&first), "b", 1, 5, at(1199)), Turn::Later);
        let second = taken(Some(&first), "b", 1200);
        assert_eq!((second.request.as_str(), second.leased_until), ("b", at(2400)));
        let halfway = stopped(Resend { next: 5, ..first.clone() }, at(2));
        assert_eq!(turn(Some(&halfway), "b", 1, 5, at(1201)), Turn::Later);
        let done = stopped(Resend { next: 6, ..first }, at(2));
        assert_eq!(taken(Some(&done), "b", 2).request, "b");
        assert_eq!(turn(Some(&done), "a", 3, 5, at(2)), Turn::Done);
    }

    #[test]
    fn a_request_that_comes_back_goes_on_to_the_end_that_it_had() {
        let halfway = Resend { next: 4, ..taken(None, "a", 0) };
        let Turn::Now(again) = turn(Some(&halfway), "a", 3, 9, at(10)) else { panic!("it may go on") };
        assert_eq!(again, Resend { leased_until: at(1210), ..halfway });
    }

    #[test]
    fn a_loop_of_requests_comes_to_an_end_and_may_go_on_an_hour_after_it_began() {
        let mut latest = None;
        let counts = (0..u64::from(MOST_REQUESTS)).map(|number| {
            let resend = taken(latest.as_ref(), &number.to_string(), number * 100);
            let requests = resend.requests;
            latest = Some(stopped(Resend { next: 6, ..resend }, at(number * 100)));
            requests
        });
        assert_eq!(counts.collect::<Vec<_>>(), (1..=MOST_REQUESTS).collect::<Vec<_>>());
        assert_eq!(turn(latest.as_ref(), "more", 3, 5, at(3599)), Turn::TooMany);
        assert_eq!(turn(latest.as_ref(), "9", 3, 5, at(3599)), Turn::Done, "the last one is known");
        assert_eq!(taken(latest.as_ref(), "more", 3600).requests, 1);
    }
}
