//! Every provider's conformance vectors get their verdicts, and together they show every refusal.
#![cfg(test)]

#[path = "support/vectors.rs"]
mod support;

use std::collections::BTreeSet;
use support::{Case, Verdict, cases};
use verdict_webhooks::{
    CredentialsError, Genuine, Provide, Refusal, incode::Incode, treezor::Treezor, veriff::Veriff, wultra::Wultra,
};

/// The fewest vectors that a provider may have.
const FEWEST: usize = 60;

type Prove = fn(&Case) -> Result<Genuine, Refusal>;

const PROVIDERS: [(&str, &str, Prove); 4] = [
    ("veriff", include_str!("../../../tests/vectors/veriff.json"), |case| prove(case, Veriff::from_json)),
    ("incode", include_str!("../../../tests/vectors/incode.json"), |case| prove(case, Incode::from_json)),
    ("treezor", include_str!("../../../tests/vectors/treezor.json"), |case| prove(case, Treezor::from_json)),
    ("wultra", include_str!("../../../tests/vectors/wultra.json"), |case| prove(case, Wultra::from_json)),
];

fn prove<P: Provide>(case: &Case, from_json: impl Fn(&str) -> Result<P, CredentialsError>) -> Result<Genuine, Refusal> {
    let proven = case.prove(from_json);
    if let Ok(genuine) = &proven {
        let segments: Vec<_> = case.path.split('/').filter(|segment| !segment.is_empty()).collect();
        assert!(format!("/{}", segments.join("/")).ends_with(genuine.path()), "{}", case.name);
        assert!(genuine.path().starts_with(&format!("/{}", P::PROVIDER)), "{}", case.name);
        assert_eq!((genuine.provider(), genuine.received_at()), (P::PROVIDER, case.now()), "{}", case.name);
    }
    proven
}

#[test]
fn every_vector_gets_its_verdict() {
    for (provider, vectors, prove) in PROVIDERS {
        let cases = cases(vectors);
        let wrong: Vec<String> = cases
            .iter()
            .filter_map(|case| {
                let expected = (case.verdict, case.refusal.clone());
                let found = match prove(case) {
                    Ok(_) => (Verdict::Genuine, None),
                    Err(refusal) => (Verdict::Refused, Some(refusal.code().to_owned())),
                };
                (found != expected).then(|| format!("{}: {found:?}, not {expected:?} ({})", case.name, case.why))
            })
            .collect();
        assert!(wrong.is_empty(), "{provider}: {wrong:#?}");
    }
}

#[test]
fn every_vector_has_a_name_of_its_own_and_says_why() {
    for (provider, vectors, _) in PROVIDERS {
        let cases = cases(vectors);
        let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
        assert_eq!(names.len(), cases.len(), "{provider}");
        assert!(cases.iter().all(|case| case.why.ends_with('.')), "{provider}");
        assert!(cases.len() >= FEWEST, "{provider} has {}", cases.len());
    }
}

#[test]
fn every_refusal_has_a_vector() {
    let cases: Vec<Case> = PROVIDERS.iter().flat_map(|(_, vectors, _)| cases(vectors)).collect();
    let seen: BTreeSet<_> = cases.iter().filter_map(|case| case.refusal.as_deref()).collect();
    let all: BTreeSet<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
    assert_eq!(seen, all);
}
