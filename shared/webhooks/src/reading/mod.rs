//! What a payload may be read with: JSON as written, the members and facts in it, and what is stored of it.

pub(crate) mod details;
pub(crate) mod facts;
pub(crate) mod fields;
pub mod json;
pub(crate) mod minimise;
pub(crate) mod probe;
pub(crate) mod strides;
pub(crate) mod times;
pub(crate) mod unreadable;
pub(crate) mod word;
