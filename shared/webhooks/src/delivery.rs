//! A delivery as it came in, and what a proof makes of it.

use crate::{
    digest::sha256_hex,
    reading::{json::Json, minimise::minimise_up_to, probe::is_probe, unreadable::Unreadable},
    refusal::Refusal,
};
use std::{borrow::Cow, fmt, net::IpAddr};
use verdict_sessions::{Evidence, MatchedCredential, Provider, Timestamp};

/// The most that is kept of a call of the transport's, in bytes: far above what one has.
const CALL_LIMIT: usize = 64 * 1024;

/// The request headers, in the order received. Names are compared without regard to case.
#[derive(Clone, Default)]
pub struct Headers(Vec<(String, String)>);

/// The header or parameter occurs more than once, so that it is unknown which one counts.
pub(crate) struct Repeated;

impl Headers {
    /// The one value of a header.
    pub(crate) fn only(&self, name: &str) -> Result<Option<&str>, Repeated> {
        only(self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| &**value))
    }
}

fn only<'v>(mut values: impl Iterator<Item = &'v str>) -> Result<Option<&'v str>, Repeated> {
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Repeated),
        (value, None) => Ok(value),
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        Self(headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A request that claims to be a webhook. Its body can't be read: only a proof gives access to it.
///
/// ```compile_fail,E0599
/// fn peek(delivery: &verdict_webhooks::Delivery) -> &[u8] {
///     delivery.body() // no method named `body` found
/// }
/// ```
///
/// Once it is proved, the same line compiles:
///
/// ```
/// fn peek(genuine: &verdict_webhooks::Genuine) -> &[u8] {
///     genuine.body()
/// }
/// ```
#[derive(Clone)]
pub struct Delivery {
    method: String,
    /// Without doubled and last slashes.
    path: String,
    /// The path that the gateway's route stands for, if it names one; likewise.
    routed: Option<String>,
    query: Vec<(String, String)>,
    headers: Headers,
    /// The address that it came from, as the gateway saw it.
    source: Option<IpAddr>,
    body: Vec<u8>,
    /// The longest body that is proved, in bytes.
    body_limit: usize,
}

/// The configured credentials that a proof found to match, and the signature.
pub(crate) struct Matched {
    /// The signature as it was sent.
    signature: Option<String>,
    credentials: Vec<MatchedCredential>,
}

impl Matched {
    /// A signature, and the credentials that matched.
    pub(crate) fn signed(signature: impl Into<String>, credentials: Vec<MatchedCredential>) -> Self {
        Self { signature: Some(signature.into()), credentials }
    }

    /// Credentials that matched, and no signature.
    pub(crate) const fn unsigned(credentials: Vec<MatchedCredential>) -> Self {
        Self { signature: None, credentials }
    }

    /// The evidence for a body as it was sent.
    fn evidence(self, body: &[u8]) -> Evidence {
        let evidence = Evidence { credentials: self.credentials, ..Evidence::of_body(sha256_hex(body)) };
        match self.signature {
            Some(signature) => evidence.signed(&signature),
            None => evidence,
        }
    }
}

impl Delivery {
    /// `body` is the bytes as the provider sent them: the gateway's base64 is undone before.
    #[must_use]
    pub fn new(method: impl Into<String>, path: impl Into<String>, headers: Headers, body: Vec<u8>) -> Self {
        let path = normalised(path.into());
        let (routed, query, source) = (None, Vec::new(), None);
        Self { method: method.into(), path, routed, query, headers, source, body, body_limit: usize::MAX }
    }

    /// The delivery with the path that the gateway's route stands for: its template, with the parameters filled in.
    /// Only a stage or a base path may then stand before it.
    #[must_use]
    pub fn with_route(self, path: impl Into<String>) -> Self {
        Self { routed: Some(normalised(path.into())), ..self }
    }

    /// The delivery with the query's parameters, percent-decoded, in order.
    #[must_use]
    pub fn with_query(self, query: Vec<(String, String)>) -> Self {
        Self { query, ..self }
    }

    /// The delivery with the address of its sender, as the gateway saw it: never as a header says. A text that is no
    /// address counts as none.
    #[must_use]
    pub fn from_source(self, address: &str) -> Self {
        Self { source: address.parse().ok().map(|address: IpAddr| address.to_canonical()), ..self }
    }

    /// The delivery with a limit for its body, in bytes. A longer one is refused right after method, path and gate.
    #[must_use]
    pub fn with_body_limit(self, body_limit: usize) -> Self {
        Self { body_limit, ..self }
    }

    /// Returns whether the body is within its limit.
    pub(crate) fn is_within_limit(&self) -> bool {
        self.body.len() <= self.body_limit
    }

    /// The address of the sender. An IPv4 address that is written as an IPv6 address is that IPv4 address.
    #[must_use]
    pub fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// The path as the gateway gives it, except for doubled and last slashes.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The one value of a query parameter. Names have case.
    pub(crate) fn only_parameter(&self, name: &str) -> Result<Option<&str>, Repeated> {
        only(self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| &**value))
    }

    /// The bytes that a proof covers. For proofs alone: they aren't proved yet.
    pub(crate) fn unproven_body(&self) -> &[u8] {
        &self.body
    }

    /// Reduces the path to the provider's own one: before it stands a stage, or a base path that may be secret.
    /// Webhooks are POSTs to one of these paths.
    pub(crate) fn posted_to(mut self, paths: &[&str]) -> Result<Self, Refusal> {
        if self.method != "POST" {
            return Err(Refusal::MethodNotAllowed);
        }
        let own = paths.iter().find(|path| self.is_to(path)).ok_or(Refusal::PathUnknown)?;
        self.path.drain(..self.path.len() - own.len());
        Ok(self)
    }

    /// A route that is the provider's must be this very path: a greedy one also lets in what only ends so. Any other,
    /// such as `$default` or one that an operator put before the function, doesn't say where the provider's own path
    /// begins.
    fn is_to(&self, path: &str) -> bool {
        let is_routed = match &self.routed {
            Some(routed) if first_segment(routed) == first_segment(path) => routed == path,
            _ => true,
        };
        is_routed && self.path.ends_with(path)
    }

    /// The webhook once a proof holds for the whole body.
    pub(crate) fn proven(self, provider: Provider, received_at: Timestamp, matched: Matched) -> Genuine {
        let is_probe = is_probe(&self.body);
        self.proven_in_part(provider, received_at, matched, is_probe)
    }

    /// The webhook once a proof holds for a part of the body; `is_probe` says whether that part is a probe.
    pub(crate) fn proven_in_part(
        self,
        provider: Provider,
        received_at: Timestamp,
        matched: Matched,
        is_probe: bool,
    ) -> Genuine {
        let evidence = matched.evidence(&self.body);
        Genuine { is_probe, ..Genuine::new(provider, self.path, received_at, self.body, evidence) }
    }

    /// A call of the transport that webhooks come by, from a known sender. Its body isn't proved and is no webhook: up
    /// to 64 KB of it are kept as sent, for an operator.
    pub(crate) fn proven_call(
        mut self,
        provider: Provider,
        received_at: Timestamp,
        matched: Matched,
        call: Unreadable,
    ) -> Genuine {
        let evidence = matched.evidence(&self.body);
        self.body.truncate(CALL_LIMIT);
        Genuine { call: Some(call), ..Genuine::new(provider, self.path, received_at, self.body, evidence) }
    }
}

/// Removes doubled and last slashes from a path: they come from putting URLs together, and mean nothing.
fn normalised(mut path: String) -> String {
    let mut last = None;
    path.retain(|character| last.replace(character) != Some('/') || character != '/');
    if path.ends_with('/') {
        path.pop();
    }
    path
}

/// The text between the first two slashes.
fn first_segment(path: &str) -> Option<&str> {
    path.split('/').nth(1)
}

/// Says nothing of headers and body: they may hold secrets and personal data.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// A webhook that its provider has vouched for. Only a proof makes one, or [`from_our_queue`](Self::from_our_queue) for
/// one that was proved before.
///
/// ```compile_fail,E0451
/// # use verdict_webhooks::Genuine;
/// # use verdict_sessions::{Provider, Timestamp};
/// let forged = Genuine { // its fields are private
///     provider: Provider::Veriff,
///     path: String::new(),
///     received_at: Timestamp::from_unix(0, 0).unwrap(),
///     body: Vec::new(),
/// };
/// ```
pub struct Genuine {
    provider: Provider,
    path: String,
    received_at: Timestamp,
    /// As sent, or minimised if it comes from Verdict's own queue.
    body: Vec<u8>,
    evidence: Evidence,
    is_probe: bool,
    /// True if the provider has to be asked before a decision counts.
    is_unconfirmed: bool,
    /// What it is, if it is a call of the transport's and no webhook.
    call: Option<Unreadable>,
}

impl Genuine {
    fn new(provider: Provider, path: String, received_at: Timestamp, body: Vec<u8>, evidence: Evidence) -> Self {
        Self { provider, path, received_at, body, evidence, is_probe: false, is_unconfirmed: false, call: None }
    }

    /// A webhook that was proved before and has been on Verdict's own queue since, to which only Verdict can send, or
    /// in the table. Its body is [minimised](Self::minimised_body); `digest` is the [`body_digest`](Self::body_digest)
    /// that it had.
    #[must_use]
    pub fn from_our_queue(
        provider: Provider,
        path: String,
        received_at: Timestamp,
        body: Vec<u8>,
        digest: String,
    ) -> Self {
        Self::new(provider, path, received_at, body, Evidence::of_body(digest))
    }

    /// Adds the evidence that it had when it was proved. The digest of its body stays.
    #[must_use]
    pub fn with_evidence(self, evidence: Evidence) -> Self {
        Self { evidence: Evidence { body_sha256: self.evidence.body_sha256, ..evidence }, ..self }
    }

    /// Adds the stamp that it got when it was proved: if `is_unconfirmed`, a decision that it tells of counts only
    /// once the provider's API confirms it.
    #[must_use]
    pub fn stamped(self, is_unconfirmed: bool) -> Self {
        Self { is_unconfirmed, ..self }
    }

    /// The stamp: returns true if what proved the webhook doesn't vouch for a decision.
    #[must_use]
    pub fn is_unconfirmed(&self) -> bool {
        self.is_unconfirmed
    }

    /// The same as a call of the transport's, if it was one when it was proved.
    #[must_use]
    pub fn as_call(self, call: Option<Unreadable>) -> Self {
        Self { call, ..self }
    }

    /// What it is, if it is a call of the transport's: then it can't be read, and an operator has to see to it.
    #[must_use]
    pub fn call(&self) -> Option<Unreadable> {
        self.call
    }

    /// The provider that vouched for it.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The provider's path that it was sent to, without stage or base path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns true if the proved text is a probe and not a webhook: one object with the one member `verdictProbe`.
    /// Nothing of it is stored or published.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.is_probe
    }

    /// The time at which it was proved.
    #[must_use]
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// The bytes as sent, or minimised if the webhook comes from Verdict's own queue.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as an operator may keep it: minimised, if it can be read as JSON; otherwise (not JSON, or nested too
    /// deeply) as sent. A call of the transport's is kept as sent: it holds nobody's data, and its token is what the
    /// operator needs. `None` if that is longer than a limit, in bytes: no more than the limit is ever in memory.
    #[must_use]
    pub fn minimised_body(&self, limit: usize) -> Option<Cow<'_, [u8]>> {
        let as_sent = || (self.body.len() <= limit).then_some(Cow::Borrowed(&self.body[..]));
        if self.call.is_some() {
            return as_sent();
        }
        match Json::parse(&self.body) {
            Ok(document) => minimise_up_to(limit, &document).map(|text| Cow::Owned(text.into_bytes())),
            Err(_) => as_sent(),
        }
    }

    /// SHA-256 of the body as it was sent, in lower-case hex.
    #[must_use]
    pub fn body_digest(&self) -> String {
        self.evidence.body_sha256.clone()
    }

    /// The evidence that its provider sent it.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

/// Says nothing of the body: it holds personal data.
impl fmt::Debug for Genuine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Genuine")
            .field("provider", &self.provider)
            .field("received_at", &self.received_at)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
