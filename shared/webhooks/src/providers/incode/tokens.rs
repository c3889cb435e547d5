//! The access tokens that Incode's webhooks carry: JWTs, signed here and verified here.

use crate::{
    digest::sha256_hex,
    proving::{
        credentials::{CredentialsError, secrets},
        secret::{Secret, first_match},
    },
    refusal::Refusal,
};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    signature::{self, Signer, Verifier},
};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::cell::RefCell;
use verdict_sessions::{MatchedCredential, Timestamp};
use zeroize::Zeroizing;

/// The member of the credentials that lists the signing keys.
const MEMBER: &str = "oauth.signingKeys";

/// Who signs.
const ISSUER: &str = "verdict";

/// What the tokens are for.
const AUDIENCE: &str = "incode-webhooks";

/// The longest token read, in bytes: ours take 300 and the client's name.
const TOKEN_LIMIT: usize = 4 * 1024;

/// How far ahead the clock may be that a token was signed by, in seconds.
const CLOCK_TOLERANCE: i64 = 5 * 60;

/// How long a token is good for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct Lifetime(u32);

impl Lifetime {
    /// The longest, in seconds: a day.
    const MAX: u32 = 24 * 60 * 60;

    pub(super) fn seconds(self) -> u32 {
        self.0
    }
}

impl Default for Lifetime {
    fn default() -> Self {
        Self(60 * 60)
    }
}

impl TryFrom<u32> for Lifetime {
    type Error = &'static str;

    fn try_from(seconds: u32) -> Result<Self, Self::Error> {
        (1..=Self::MAX).contains(&seconds).then_some(Self(seconds)).ok_or("not from 1 to 86400 seconds")
    }
}

/// What a token says. Times are seconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// The client that it was given to.
    sub: String,
    iat: i64,
    exp: i64,
}

/// A token that Verdict issued.
pub(super) struct Verified {
    /// The client that it was given to.
    pub(super) client: String,
    /// The key that signed it.
    pub(super) key: MatchedCredential,
}

/// The keys that tokens are signed with: the first signs, any verifies.
#[derive(Debug)]
pub(super) struct SigningKeys(Vec<SigningKey>);

#[derive(Debug)]
struct SigningKey {
    /// The start of the key's digest, so that one can tell which key signed a token.
    id: String,
    signs: EncodingKey,
    verifies: DecodingKey,
}

impl SigningKey {
    fn new(secret: &Secret) -> Self {
        let mut id = sha256_hex(secret.as_bytes());
        id.truncate(8);
        Self {
            id,
            signs: EncodingKey::from_secret(secret.as_bytes()),
            verifies: DecodingKey::from_secret(secret.as_bytes()),
        }
    }
}

impl SigningKeys {
    /// Checks a rotation list of keys.
    ///
    /// # Errors
    /// [`CredentialsError`] if the list is empty, or a key is blank or weak.
    pub(super) fn new(texts: Vec<Zeroizing<String>>) -> Result<Self, CredentialsError> {
        // An error only says that it is installed already.
        let _ = HS256.install_default();
        Ok(Self(secrets(MEMBER, texts)?.iter().map(SigningKey::new).collect()))
    }

    /// A token for a client, or `None` if the library could not sign.
    pub(super) fn sign(&self, client: &str, now: Timestamp, lifetime: Lifetime) -> Option<String> {
        let key = self.0.first()?;
        let iat = now.unix_seconds();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: client.into(),
            iat,
            exp: iat + i64::from(lifetime.seconds()),
        };
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &key.signs).ok()
    }

    /// The client that a token was given to, and the key that signed it.
    ///
    /// # Errors
    /// [`Refusal::AuthorizationMalformed`] for text that isn't a token, [`Refusal::AuthorizationMismatch`] for a token
    /// that Verdict didn't issue, [`Refusal::TokenExpired`] for one that has expired, to the second: by its own time, or
    /// by the lifetime that is configured now, if that is shorter.
    pub(super) fn verify(&self, token: &str, now: Timestamp, lifetime: Lifetime) -> Result<Verified, Refusal> {
        if token.len() > TOKEN_LIMIT || !is_compact(token) {
            return Err(Refusal::AuthorizationMalformed);
        }
        let claims = RefCell::new(None);
        let key = first_match(MEMBER, &self.0, |key| {
            let signed = jsonwebtoken::decode::<Claims>(token, &key.verifies, &signature_alone());
            signed.map(|signed| claims.replace(Some(signed.claims))).is_ok()
        });
        let (key, claims) = key.zip(claims.into_inner()).ok_or(Refusal::AuthorizationMismatch)?;
        let Claims { iss, aud, sub, iat, exp } = claims;
        let now = now.unix_seconds();
        let is_of_a_day = exp.checked_sub(iat).is_some_and(|seconds| (1..=i64::from(Lifetime::MAX)).contains(&seconds));
        let is_ours = iss == ISSUER && aud == AUDIENCE && iat <= now + CLOCK_TOLERANCE && is_of_a_day;
        if !is_ours {
            Err(Refusal::AuthorizationMismatch)
        } else if now >= exp.min(iat + i64::from(lifetime.seconds())) {
            Err(Refusal::TokenExpired)
        } else {
            Ok(Verified { client: sub, key })
        }
    }
}

/// Whether this is a JWT in its compact form: three parts of base64url, with dots between.
fn is_compact(token: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    token.split('.').count() == 3 && token.split('.').all(is_part)
}

/// The library checks the signature, under HS256 alone. The claims are checked above: the library would
/// ask the machine's clock.
fn signature_alone() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

/// HS256 for the JWT library, on the HMAC that the other proofs use: its own backends bring RSA and
/// elliptic curves along.
static HS256: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(HmacSha256::new(*algorithm, key.family(), key.as_bytes())?)),
    verifier_factory: |algorithm, key| {
        Ok(Box::new(HmacSha256::new(*algorithm, key.family(), key.try_get_as_bytes()?)?))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct HmacSha256(Hmac<Sha256>);

impl HmacSha256 {
    fn new(algorithm: Algorithm, family: AlgorithmFamily, key: &[u8]) -> Result<Self, Error> {
        if algorithm != Algorithm::HS256 || family != AlgorithmFamily::Hmac {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        Hmac::new_from_slice(key).map(Self).map_err(|_| ErrorKind::InvalidKeyFormat.into())
    }
}

impl Signer<Vec<u8>> for HmacSha256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl JwtSigner for HmacSha256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for HmacSha256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.0.clone().chain_update(message).verify_slice(signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for HmacSha256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}
