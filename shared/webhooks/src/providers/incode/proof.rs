//! Is it genuine? Static headers, an access token that Verdict issued, or both: every configured one must hold.

use super::{credentials::Credentials, payload::segment};
use crate::{
    delivery::{Delivery, Genuine},
    proving::authorization::{authorization, of_scheme},
    refusal::Refusal,
};
use verdict_sessions::{Provider, Timestamp};

pub(super) fn prove(credentials: &Credentials, delivery: Delivery, now: Timestamp) -> Result<Genuine, Refusal> {
    let path = segment(delivery.path()).map(|segment| format!("/incode/{segment}"));
    let delivery = delivery.posted_to(path.as_deref().as_slice())?;
    if let Some(headers) = &credentials.headers {
        headers.prove(delivery.headers())?;
    }
    if let Some(oauth) = &credentials.oauth {
        let header = authorization(delivery.headers())?;
        oauth.verify(of_scheme(header, "Bearer").ok_or(Refusal::AuthorizationMalformed)?, now)?;
    }
    Ok(delivery.proven(Provider::Incode, now))
}
