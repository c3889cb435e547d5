//! Credentials: read once from a variable, or fetched from a secret of Secrets Manager and kept up to date.

pub(crate) mod arn;
pub(crate) mod cache;
pub(crate) mod credentials;
pub(crate) mod fault;
mod report;
pub(crate) mod secret;
