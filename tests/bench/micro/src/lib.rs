//! What Verdict's own code takes of a webhook, stage by stage, beside work on the same bytes that no receiver can leave
//! out: a sample of each provider, as it is and grown.

#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a tool: what can't be ends it")]

mod growing;
mod sample;
mod stage;

pub use sample::Sample;
pub use stage::{Case, Stage};

use verdict_sessions::Provider;

/// The sample that is measured: about 1 KB, and with images if the provider sends any.
const fn name(provider: Provider) -> &'static str {
    match provider {
        Provider::Veriff => "decision-approved",
        Provider::Incode => "authentication-fail",
        Provider::Treezor => "kycliveness-update-refused",
        Provider::Wultra => "document-accepted",
    }
}

/// A size between a sample's own and the largest, in bytes.
const MIDDLE: usize = 32 * 1024;

/// The largest body that comes in if nothing else is configured, in bytes.
const fn largest(provider: Provider) -> usize {
    match provider {
        // As much as Lambda delivers, with room for the event around it.
        Provider::Wultra => 6 * 1024 * 1024 - 8 * 1024,
        Provider::Veriff | Provider::Incode | Provider::Treezor => 1024 * 1024,
    }
}

/// A provider's sample: as it is, grown to tens of KB, and grown to the largest body within the limit.
#[must_use]
pub fn samples(provider: Provider) -> [Sample; 3] {
    let sample = Sample::read(provider, name(provider));
    let (middle, largest) = (sample.grown(MIDDLE), sample.grown(largest(provider)));
    [sample, middle, largest]
}

/// A stage of every provider's samples.
#[must_use]
pub fn cases(stage: Stage) -> Vec<Case> {
    let samples = Provider::ALL.into_iter().flat_map(samples);
    samples.filter_map(|sample| Case::new(stage, &sample)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growing::images;

    #[test]
    fn a_grown_webhook_is_genuine_and_about_as_large_as_asked_for() {
        for provider in Provider::ALL {
            let grown = Sample::read(provider, name(provider)).grown(MIDDLE);
            let shortage = MIDDLE.abs_diff(grown.body().len());
            assert!(shortage < 1024, "{provider}: {shortage} bytes");
            let genuine = grown.prove(grown.delivery());
            assert!(!sample::read(&genuine).is_empty(), "{provider}");
        }
    }

    #[test]
    fn the_images_of_a_webhook_take_up_its_size() {
        for provider in [Provider::Incode, Provider::Wultra] {
            let sample = Sample::read(provider, name(provider));
            let grown = sample.grown(MIDDLE);
            let (before, after) = (images(sample.body()), images(grown.body()));
            assert_eq!(before.len(), after.len());
            assert!(after.iter().map(String::len).sum::<usize>() > MIDDLE * 9 / 10, "{provider}");
        }
    }
}
