//! Is it genuine? Static headers, an access token that Verdict issued, or both: every configured one must hold.
//!
//! A sender who has the secret can write any body. So if the API is configured, a webhook is stamped: what it decides
//! has to be confirmed.

use super::{credentials::Credentials, payload::segment};
use crate::{
    delivery::{Delivery, Genuine, Matched},
    proving::authorization::{authorization, of_scheme},
    refusal::Refusal,
};
use verdict_sessions::{Provider, Timestamp};

pub(super) fn prove(credentials: &Credentials, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
    let path = segment(delivery.path()).map(|segment| format!("/incode/{segment}"));
    let delivery = delivery.posted_to(path.as_deref().as_slice())?;
    credentials.gate.admit(&delivery)?;
    let mut matched = Vec::new();
    if let Some(headers) = &credentials.headers {
        matched.extend(headers.prove(delivery.headers())?);
    }
    if let Some(oauth) = &credentials.oauth {
        let header = authorization(delivery.headers())?;
        matched.push(oauth.verify(of_scheme(header, "Bearer").ok_or(Refusal::AuthorizationMalformed)?, now)?);
    }
    Ok(delivery.proven(Provider::Incode, now, Matched::unsigned(matched)).stamped(credentials.confirms_decisions))
}
