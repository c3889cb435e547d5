//! Wultra: what its proof accepts, what its webhooks mean, and which of them can't be read.

mod credentials;
pub(crate) mod genuine;
mod histories;
mod printed;
mod proofs;
mod readings;
mod unreadable;
