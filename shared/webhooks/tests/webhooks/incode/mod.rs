//! Incode: what its proofs and its tokens accept, and what its webhooks and the answers of its API mean.

mod credentials;
mod findings;
pub(crate) mod genuine;
mod proofs;
mod readings;
mod stamps;
mod tokens;
