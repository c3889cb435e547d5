//! Refusals: why a delivery is not genuine.

use thiserror::Error;

/// Why a delivery is not genuine. A closed set: the codes are stable, for logs and metrics. None of
/// them goes to the sender, who gets the same answer for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum Refusal {
    /// Not a POST.
    #[error("webhooks are sent with POST")]
    MethodNotAllowed,
    /// Not a path of this provider.
    #[error("this path belongs to no webhook of the provider")]
    PathUnknown,
    /// No signature at all.
    #[error("the signature header is missing")]
    SignatureMissing,
    /// A signature that no signer makes: wrong length, wrong alphabet.
    #[error("the signature does not have the form that the provider documents")]
    SignatureMalformed,
    /// Several signatures that don't agree, or a header that came twice.
    #[error("there is more than one signature")]
    SignatureRepeated,
    /// A well-formed signature over something else, or made with another secret.
    #[error("the signature does not match the body under any configured secret")]
    SignatureMismatch,
    /// The signature holds, but the sender's API key is missing, ambiguous or not on the allow-list.
    #[error("the API key is not on the configured allow-list")]
    ApiKeyUnknown,
}

impl Refusal {
    /// Every refusal there is.
    pub const ALL: [Self; 7] = [
        Self::MethodNotAllowed,
        Self::PathUnknown,
        Self::SignatureMissing,
        Self::SignatureMalformed,
        Self::SignatureRepeated,
        Self::SignatureMismatch,
        Self::ApiKeyUnknown,
    ];

    /// The stable code for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MethodNotAllowed => "method_not_allowed",
            Self::PathUnknown => "path_unknown",
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureRepeated => "signature_repeated",
            Self::SignatureMismatch => "signature_mismatch",
            Self::ApiKeyUnknown => "api_key_unknown",
        }
    }
}
