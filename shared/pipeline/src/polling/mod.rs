//! Polling: asking a provider's API about sessions that have gone quiet, or that wait for a decision.

mod attempt;
mod plan;
pub(crate) mod poller;
pub(crate) mod provider_api;
