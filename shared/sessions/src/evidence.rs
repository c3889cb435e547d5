//! Evidence: what shows later that a provider sent what an event was made of.
//!
//! Stored as it stands: `shared/pipeline/src/store/table/items.rs` says how it may change.

use crate::SessionEvent;
use serde::{Deserialize, Serialize};

/// Evidence that a provider sent what an event was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// SHA-256 of the body as it was sent, in lower-case hex.
    pub body_sha256: String,
    /// The signature as it was sent, if there is one: at most [`SIGNATURE_LIMIT`](Self::SIGNATURE_LIMIT) bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The configured credentials that matched: all that had to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<MatchedCredential>,
}

/// A configured credential that matched: which one it is, never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MatchedCredential {
    /// The member of the provider's credentials that lists it, such as `secrets`, `urlTokens`, `basic`,
    /// `oauth.signingKeys`, or `headers.` and the header's name.
    pub member: String,
    /// Its position in that list at the time, from 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub position: u64,
    /// The length of that list at the time.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub of: u64,
}

impl Evidence {
    /// The longest signature that is kept, in bytes: far above what a provider sends.
    pub const SIGNATURE_LIMIT: usize = 256;

    /// Evidence of nothing but the body: nothing vouched for it, or an earlier release didn't record what did.
    #[must_use]
    pub const fn of_body(body_sha256: String) -> Self {
        Self { body_sha256, signature: None, credentials: Vec::new() }
    }

    /// The evidence with the signature as it was sent. One that is too long to be a provider's is left out.
    #[must_use]
    pub fn signed(self, signature: &str) -> Self {
        let signature = Some(signature).filter(|signature| signature.len() <= Self::SIGNATURE_LIMIT);
        Self { signature: signature.map(str::to_owned), ..self }
    }
}

/// An event as it is recorded, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The event.
    pub event: SessionEvent,
    /// `None` if an earlier release recorded the event.
    pub evidence: Option<Evidence>,
}
