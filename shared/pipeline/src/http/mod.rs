//! The HTTP client of every call to AWS: HTTP/1.1, with the roots compiled in, over connections that can be opened before
//! the first call.
//!
//! `client` is what the SDK sees, `connection` one connection and where it leads, `failure` the sorts of failures that
//! the SDK tells apart, `roots` who is believed.

pub(crate) mod client;
mod connection;
mod failure;
pub(crate) mod roots;
#[cfg(test)]
mod tests;
