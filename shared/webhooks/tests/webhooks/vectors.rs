//! Every provider's conformance vectors get their verdicts, and together they show every refusal.

use crate::conformance::{Case, Verdict, cases, prove};
use std::collections::BTreeSet;
use verdict_sessions::Provider;
use verdict_webhooks::{Genuine, Refusal};

/// The fewest vectors that a provider may have.
const FEWEST: usize = 60;

fn verdict(provider: Provider, case: &Case) -> Result<Genuine, Refusal> {
    let verdict = prove(provider, &case.credentials.to_string(), case.delivery(), case.now());
    let verdict = verdict.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    if let Ok(genuine) = &verdict {
        let segments: Vec<_> = case.path.split('/').filter(|segment| !segment.is_empty()).collect();
        assert!(format!("/{}", segments.join("/")).ends_with(genuine.path()), "{}", case.name);
        assert!(genuine.path().starts_with(&format!("/{provider}")), "{}", case.name);
        assert_eq!((genuine.provider(), genuine.received_at()), (provider, case.now()), "{}", case.name);
    }
    verdict
}

#[test]
fn every_vector_gets_its_verdict() {
    for provider in Provider::ALL {
        let cases = cases(provider);
        let wrong: Vec<String> = cases
            .iter()
            .filter_map(|case| {
                let expected = (case.verdict, case.refusal.clone());
                let found = match verdict(provider, case) {
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
    for provider in Provider::ALL {
        let cases = cases(provider);
        let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
        assert_eq!(names.len(), cases.len(), "{provider}");
        assert!(cases.iter().all(|case| case.why.ends_with('.')), "{provider}");
        assert!(cases.len() >= FEWEST, "{provider} has {}", cases.len());
    }
}

#[test]
fn every_refusal_has_a_vector() {
    let cases: Vec<Case> = Provider::ALL.into_iter().flat_map(cases).collect();
    let seen: BTreeSet<_> = cases.iter().filter_map(|case| case.refusal.as_deref()).collect();
    // No vector has a limit: that is the function's own.
    let all = Refusal::ALL.iter().filter(|refusal| **refusal != Refusal::BodyTooLarge);
    let all: BTreeSet<_> = all.map(|refusal| refusal.code()).collect();
    assert_eq!(seen, all);
}
