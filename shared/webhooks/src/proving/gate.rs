//! The gate before a proof: the sender's address, or a header that an edge in front of the API adds; and the length of
//! the body.
//!
//! It proves nothing by itself. It narrows who can try a proof at all, where a stolen secret can be used, and how much
//! work a stranger can cause.

use crate::{
    delivery::Delivery,
    proving::{
        address_range::AddressRange,
        credentials::CredentialsError,
        secret_headers::{SecretHeaders, SecretHeadersJson},
    },
    refusal::Refusal,
};
use std::net::IpAddr;

/// The member of the credentials that lists address ranges.
const ALLOWED_CIDRS: &str = "allowedCidrs";

/// The member of the credentials with the header that an edge adds.
const EDGE_HEADER: &str = "edgeHeader";

/// The conditions that a delivery has to meet before it may prove itself.
#[derive(Debug)]
pub(crate) enum Gate {
    /// Nothing.
    Open,
    /// The sender's address is in one of these ranges.
    Addresses(Vec<AddressRange>),
    /// The edge's header is there.
    Edge(SecretHeaders),
}

impl Gate {
    /// Checks the two members of the credentials. `used` are the headers that something else uses.
    ///
    /// # Errors
    /// [`CredentialsError`] if both are there, if one is empty or malformed, or if the edge's header is used.
    pub(crate) fn new(
        allowed_cidrs: Option<Vec<String>>,
        edge_header: Option<SecretHeadersJson>,
        used: &[&str],
    ) -> Result<Self, CredentialsError> {
        match (allowed_cidrs, edge_header) {
            (None, None) => Ok(Self::Open),
            (Some(_), Some(_)) => Err(CredentialsError::BothGates),
            (Some(texts), None) => ranges(&texts).map(Self::Addresses),
            (None, Some(header)) => {
                let header = SecretHeaders::new(EDGE_HEADER, header)?;
                if header.names().any(|name| used.contains(&name)) {
                    return Err(CredentialsError::EdgeHeaderUsed);
                }
                Ok(Self::Edge(header))
            }
        }
    }

    /// Lets a delivery pass, or not: by where it comes from, then by its body's length, before anything is computed of
    /// the body.
    ///
    /// # Errors
    /// The [`Refusal`]. A delivery whose sender's address is unknown is in no range.
    pub(crate) fn admit(&self, delivery: &Delivery) -> Result<(), Refusal> {
        self.admit_sender(delivery)?;
        delivery.is_within_limit().then_some(()).ok_or(Refusal::BodyTooLarge)
    }

    fn admit_sender(&self, delivery: &Delivery) -> Result<(), Refusal> {
        match self {
            Self::Open => Ok(()),
            Self::Addresses(ranges) => {
                let is_in = |address: IpAddr| ranges.iter().any(|range| range.contains(address));
                delivery.source().is_some_and(is_in).then_some(()).ok_or(Refusal::AddressNotAllowed)
            }
            Self::Edge(header) => header.prove(delivery.headers()).map(drop).map_err(|refusal| match refusal {
                Refusal::SecretHeaderMissing => Refusal::EdgeHeaderMissing,
                Refusal::SecretHeaderRepeated => Refusal::EdgeHeaderRepeated,
                _ => Refusal::EdgeHeaderMismatch,
            }),
        }
    }
}

fn ranges(texts: &[String]) -> Result<Vec<AddressRange>, CredentialsError> {
    if texts.is_empty() {
        return Err(CredentialsError::Empty { member: ALLOWED_CIDRS });
    }
    let check = |(index, text): (usize, &String)| {
        AddressRange::parse(text).map_err(|problem| CredentialsError::Range { position: index + 1, problem })
    };
    texts.iter().enumerate().map(check).collect()
}
