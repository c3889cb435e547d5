//! The providers: what each of them has to offer, and the four of them in the same files.
//!
//! No provider imports from another one, and only [`read`] knows them all.

pub mod incode;
pub(crate) mod provider;
pub(crate) mod read;
pub mod treezor;
pub mod veriff;
pub mod wultra;
