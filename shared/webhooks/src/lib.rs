//! Webhooks: is a delivery genuine, what does it say, and what is that to us?
//!
//! Pure: neither AWS nor HTTP servers nor clocks. Each provider has the same three files: `proof`
//! (is it genuine?), `payload` (what does it say?), `meaning` (what is that to us?). Whoever has read
//! one provider finds the way in the others.
//!
//! The order is a type: a [`Delivery`] can't be read; a proof turns it into [`Genuine`], which can.

mod authorization;
mod credentials;
mod delivery;
mod digest;
mod fields;
pub mod incode;
pub mod json;
mod minimise;
mod probe;
mod reading;
mod receiver;
mod refusal;
mod secret;
mod secret_headers;
pub mod treezor;
mod unreadable;
pub mod veriff;
pub mod wultra;

pub use credentials::{CredentialsError, Fault};
pub use delivery::{Delivery, Genuine, Headers};
pub use digest::sha256_hex;
pub use minimise::PAYLOAD_LIMIT;
pub use reading::{read, read_again};
pub use receiver::{Answer, Disposition, Ignored, Provide, Reading};
pub use refusal::Refusal;
pub use secret::{Secret, WeakSecret};
pub use unreadable::Unreadable;
