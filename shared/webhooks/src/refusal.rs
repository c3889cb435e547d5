//! Refusals: why a delivery is not genuine.

use thiserror::Error;

/// A reason why a delivery is not genuine. A closed set: the codes are stable, for logs and metrics. None of
/// them goes to the sender, who gets the same answer for all, except that an unknown path is not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum Refusal {
    /// Not a POST.
    #[error("webhooks are sent with POST")]
    MethodNotAllowed,
    /// Not a path of this provider.
    #[error("this path belongs to no webhook of the provider")]
    PathUnknown,
    /// The sender's address is in no allowed range, or unknown.
    #[error("the sender's address is in no allowed range")]
    AddressNotAllowed,
    /// The header that the edge adds is missing.
    #[error("the edge's header is missing")]
    EdgeHeaderMissing,
    /// The header that the edge adds came twice.
    #[error("there is more than one of the edge's header")]
    EdgeHeaderRepeated,
    /// The header that the edge adds has another value.
    #[error("the edge's header matches none of its configured values")]
    EdgeHeaderMismatch,
    /// A body that is longer than the provider's limit. Nothing was computed of it.
    #[error("the body is longer than the provider's limit")]
    BodyTooLarge,
    /// No signature at all.
    #[error("the signature is missing")]
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
    /// No `Authorization` header.
    #[error("the Authorization header is missing")]
    AuthorizationMissing,
    /// An `Authorization` header that no sender makes: another scheme, no base64, no token.
    #[error("the Authorization header does not have the form that the provider documents")]
    AuthorizationMalformed,
    /// The `Authorization` header came twice.
    #[error("there is more than one Authorization header")]
    AuthorizationRepeated,
    /// A well-formed `Authorization` header with another password, or a token that Verdict didn't sign.
    #[error("the Authorization header matches no configured credentials")]
    AuthorizationMismatch,
    /// A bearer token that Verdict issued, and that has expired.
    #[error("the bearer token has expired")]
    TokenExpired,
    /// A configured header is missing.
    #[error("a configured secret header is missing")]
    SecretHeaderMissing,
    /// A configured header came twice.
    #[error("there is more than one of a configured secret header")]
    SecretHeaderRepeated,
    /// A configured header has another value.
    #[error("a secret header matches none of its configured values")]
    SecretHeaderMismatch,
    /// No token in the URL, although one is configured.
    #[error("the token in the URL is missing")]
    UrlTokenMissing,
    /// Several tokens in the URL.
    #[error("there is more than one token in the URL")]
    UrlTokenRepeated,
    /// Another token in the URL.
    #[error("the token in the URL matches no configured one")]
    UrlTokenMismatch,
    /// The signature is in the body, and the body is not of the form that holds it.
    #[error("the body is not an envelope that holds a payload and its signature")]
    EnvelopeUnreadable,
}

impl Refusal {
    /// Every refusal there is.
    pub const ALL: [Self; 24] = [
        Self::MethodNotAllowed,
        Self::PathUnknown,
        Self::AddressNotAllowed,
        Self::EdgeHeaderMissing,
        Self::EdgeHeaderRepeated,
        Self::EdgeHeaderMismatch,
        Self::BodyTooLarge,
        Self::SignatureMissing,
        Self::SignatureMalformed,
        Self::SignatureRepeated,
        Self::SignatureMismatch,
        Self::ApiKeyUnknown,
        Self::AuthorizationMissing,
        Self::AuthorizationMalformed,
        Self::AuthorizationRepeated,
        Self::AuthorizationMismatch,
        Self::TokenExpired,
        Self::SecretHeaderMissing,
        Self::SecretHeaderRepeated,
        Self::SecretHeaderMismatch,
        Self::UrlTokenMissing,
        Self::UrlTokenRepeated,
        Self::UrlTokenMismatch,
        Self::EnvelopeUnreadable,
    ];

    /// Returns whether what the sender presented was compared with what is configured, and isn't among it: among newer
    /// credentials, it might be.
    #[must_use]
    pub const fn is_mismatch(self) -> bool {
        matches!(
            self,
            Self::AddressNotAllowed
                | Self::EdgeHeaderMismatch
                | Self::SignatureMismatch
                | Self::ApiKeyUnknown
                | Self::AuthorizationMismatch
                | Self::SecretHeaderMismatch
                | Self::UrlTokenMismatch
        )
    }

    /// The stable code for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MethodNotAllowed => "method_not_allowed",
            Self::PathUnknown => "path_unknown",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::EdgeHeaderMissing => "edge_header_missing",
            Self::EdgeHeaderRepeated => "edge_header_repeated",
            Self::EdgeHeaderMismatch => "edge_header_mismatch",
            Self::BodyTooLarge => "body_too_large",
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureRepeated => "signature_repeated",
            Self::SignatureMismatch => "signature_mismatch",
            Self::ApiKeyUnknown => "api_key_unknown",
            Self::AuthorizationMissing => "authorization_missing",
            Self::AuthorizationMalformed => "authorization_malformed",
            Self::AuthorizationRepeated => "authorization_repeated",
            Self::AuthorizationMismatch => "authorization_mismatch",
            Self::TokenExpired => "token_expired",
            Self::SecretHeaderMissing => "secret_header_missing",
            Self::SecretHeaderRepeated => "secret_header_repeated",
            Self::SecretHeaderMismatch => "secret_header_mismatch",
            Self::UrlTokenMissing => "url_token_missing",
            Self::UrlTokenRepeated => "url_token_repeated",
            Self::UrlTokenMismatch => "url_token_mismatch",
            Self::EnvelopeUnreadable => "envelope_unreadable",
        }
    }
}
