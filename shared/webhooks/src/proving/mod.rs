//! Tools of a proof: secrets, the headers that carry them, and the credentials that configure them.

pub(crate) mod authorization;
pub(crate) mod credentials;
pub(crate) mod secret;
pub(crate) mod secret_headers;
