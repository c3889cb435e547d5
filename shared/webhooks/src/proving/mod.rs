//! What a proof may be made with: secrets, where they stand in a request, and how they are configured.

pub(crate) mod authorization;
pub(crate) mod credentials;
pub(crate) mod secret;
pub(crate) mod secret_headers;
