//! What is measured of a sample: the stages that a webhook goes through in Verdict, and the wall, which is work on the
//! same bytes that no receiver can leave out, or that the usual library does.

use crate::{Sample, growing::images, sample::read};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{fmt, hint::black_box};
use verdict_sessions::{SequenceBase, Session, SessionEvent};
use verdict_webhooks::{Delivery, Genuine, treezor};

/// A stage or a part of the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// What Verdict adds to a webhook of a new session: proof, reading with the minimised payload, and fold. The rest of
    /// a function's time goes to the runtime, the SDK and HTTP.
    AllOfOurs,
    /// The proof, with the digest of the body as evidence.
    Proof,
    /// Reading a genuine webhook's events, with the minimised payload.
    Reading,
    /// Folding its events into a new session.
    Folding,
    /// Minimising the payload, as part of reading or alone.
    Minimising,
    /// The canonical form of what Treezor signs.
    CanonicalForm,
    /// The wall: HMAC-SHA256 of the body.
    Hmac,
    /// The wall: SHA-256 of the body, and of each image in it, decoded from base64.
    Base64AndSha256,
    /// The wall: `serde_json` reads the body into its own values.
    SerdeJson,
}

impl Stage {
    /// Every stage, and every part of the wall.
    pub const ALL: [Self; 9] = [
        Self::AllOfOurs,
        Self::Proof,
        Self::Reading,
        Self::Folding,
        Self::Minimising,
        Self::CanonicalForm,
        Self::Hmac,
        Self::Base64AndSha256,
        Self::SerdeJson,
    ];

    /// The name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllOfOurs => "all of ours",
            Self::Proof => "proof",
            Self::Reading => "reading",
            Self::Folding => "folding",
            Self::Minimising => "minimising",
            Self::CanonicalForm => "canonical form",
            Self::Hmac => "HMAC",
            Self::Base64AndSha256 => "base64 and SHA-256",
            Self::SerdeJson => "serde_json",
        }
    }
}

/// A stage of one sample, with everything ready that isn't measured.
pub struct Case {
    stage: Stage,
    sample: Sample,
    genuine: Genuine,
    events: Vec<SessionEvent>,
    images: Vec<String>,
    /// The signed part, if that has a canonical form.
    payload: String,
}

impl Case {
    /// Gets a stage ready; `None` if the sample doesn't go through it.
    #[must_use]
    pub fn new(stage: Stage, sample: &Sample) -> Option<Self> {
        let payload = sample.signed_payload().unwrap_or_default().to_owned();
        if stage == Stage::CanonicalForm && payload.is_empty() {
            return None;
        }
        let (sample, genuine) = (sample.clone(), sample.prove(sample.delivery()));
        let (events, images) = (read(&genuine), images(sample.body()));
        Some(Self { stage, sample, genuine, events, images, payload })
    }

    /// The stage.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// The sample.
    #[must_use]
    pub const fn sample(&self) -> &Sample {
        &self.sample
    }

    /// The delivery that one run takes, if it takes one.
    #[must_use]
    pub fn input(&self) -> Option<Delivery> {
        matches!(self.stage, Stage::AllOfOurs | Stage::Proof).then(|| self.sample.delivery())
    }

    /// Does the work once, and drops what comes of it.
    pub fn run(&self, input: Option<Delivery>) {
        let body = || black_box(self.sample.body());
        match self.stage {
            Stage::AllOfOurs => {
                let genuine = self.sample.prove(input.unwrap());
                read(&genuine).iter().for_each(fold);
            }
            Stage::Proof => drop(black_box(self.sample.prove(input.unwrap()))),
            Stage::Reading => drop(black_box(read(black_box(&self.genuine)))),
            Stage::Folding => black_box(&self.events).iter().for_each(fold),
            Stage::Minimising => drop(black_box(black_box(&self.genuine).minimised_body(usize::MAX))),
            Stage::CanonicalForm => drop(black_box(treezor::canonical(black_box(&self.payload)))),
            Stage::Hmac => _ = black_box(hmac(self.sample.secret(), body().as_bytes())),
            Stage::Base64AndSha256 => hash(body(), black_box(&self.images)),
            Stage::SerdeJson => drop(black_box(serde_json::from_str::<Value>(body()).unwrap())),
        }
    }
}

/// The stage, the provider, and how long the body is.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sample.provider(), self.sample.body().len())
    }
}

fn fold(event: &SessionEvent) {
    black_box(Session::apply(None, event, SequenceBase::default()));
}

/// The signature of a body.
pub(crate) fn hmac(secret: &str, body: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().into()
}

fn hash(body: &str, images: &[String]) {
    black_box(Sha256::digest(body));
    for image in images {
        black_box(Sha256::digest(BASE64_STANDARD.decode(image).unwrap()));
    }
}
