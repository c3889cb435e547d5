//! Webhooks: is a delivery genuine, what does it say, and what does that mean for a session?
//!
//! Pure: neither AWS nor HTTP servers nor clocks. The body of a [`Delivery`] can't be read. A proof turns it into
//! [`Genuine`], which can be read.
//!
//! | room | holds | imports from |
//! |---|---|---|
//! | `providers` | what a provider offers, and each provider: `proof` (is it genuine?), `payload` (what does it say?), `meaning` (what does it mean for a session?) | all below, and no provider from another |
//! | `proving` | tools of a proof: secrets, headers, credentials | `delivery`, `refusal`, `digest`, `reading` |
//! | `delivery` | what comes in, and what a proof makes of it | `refusal`, `digest`, `reading` |
//! | `reading` | tools of a payload or a meaning: JSON, fields, minimising | `digest` |
//! | `refusal`, `digest` | why a delivery is turned away; SHA-256 | nothing |
//!
//! Inside the crate everything is imported by its module path. What is re-exported here is for other crates.

mod delivery;
mod digest;
mod providers;
mod proving;
mod reading;
mod refusal;

pub use delivery::{Delivery, Genuine, Headers};
pub use digest::sha256_hex;
pub use providers::{
    incode,
    provider::{Answer, Batch, Binding, Disposition, Ignored, Part, Reading, WebhookSource},
    read::{ReadAgain, SUBJECTS_IN_A_BATCH, read, read_again, read_batch, read_part_again},
    treezor, veriff, wultra,
};
pub use proving::{
    address_range::BadRange,
    credentials::{CredentialsError, Fault},
    published::{PUBLISHED, are_published},
    secret::{Secret, WeakSecret},
};
pub use reading::{json, minimise::PAYLOAD_LIMIT, unreadable::Unreadable};
pub use refusal::Refusal;
