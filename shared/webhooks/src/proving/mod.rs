//! Tools of a proof: secrets, the headers that carry them, and the credentials that configure them.

pub(crate) mod address_range;
pub(crate) mod authorization;
pub(crate) mod credentials;
pub(crate) mod gate;
pub(crate) mod guessing;
pub(crate) mod published;
pub(crate) mod secret;
pub(crate) mod secret_headers;
