//! The session record: how events fold into it, and which changes are worth a notification.
//!
//! Everything here is pure. No clock, no network, no storage: times and ids come in as values, and
//! the result depends on the *set* of events that were applied, never on their order.

mod caution;
mod decision;
mod detail;
mod event;
mod evidence;
mod fold;
mod id;
mod notification;
#[cfg(feature = "schema")]
mod schema;
mod session;
mod timestamp;
mod trace;
mod view;

pub use decision::{Decision, Outcome, ReasonCode};
pub use detail::{Detail, NoDetail};
pub use event::{Check, CheckOutcome, Remark, SessionEvent, Stage, Subject};
pub use evidence::{Evidence, MatchedCredential, RecordedEvent};
pub use fold::{Applied, NotRebuilt, Refolded, Withdrawal};
pub use id::{AttemptId, EventId, IdError, Provider, SessionId, SessionKey, UnknownProvider};
pub use notification::{CheckChange, CloudEvent, Notification, NotificationType, SequenceBase};
pub use session::{Attempt, AttemptDecision, Kind, Rank, Ranked, RankedCheck, Session, Status};
pub use timestamp::Timestamp;
pub use trace::Trace;
pub use view::{CheckView, DecisionView, EventCheckView, EventDecisionView, EventView, EvidenceView, SessionView};
