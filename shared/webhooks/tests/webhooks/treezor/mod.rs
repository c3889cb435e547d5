//! Treezor: what its proof accepts, the form that it signs, what its webhooks mean, and which of them can't be read.

mod canonical;
mod credentials;
mod event_ids;
pub(crate) mod genuine;
mod histories;
mod parts;
mod printed;
mod proofs;
mod readings;
mod unreadable;
