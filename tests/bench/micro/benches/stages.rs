//! The stages that a webhook goes through in Verdict, and the wall beside them, on the same bytes. Times are of a clock on
//! the wall: for a machine that does nothing else. `src/main.rs` measures the same cases by CPU time.

use divan::Bencher;
use verdict_micro::{Case, Stage, cases};

fn main() {
    divan::main();
}

fn measure(bencher: Bencher, case: &Case) {
    bencher.with_inputs(|| case.input()).bench_values(|input| case.run(input));
}

#[divan::bench(args = cases(Stage::AllOfOurs))]
fn all_of_ours(bencher: Bencher, case: &Case) {
    measure(bencher, case);
}

#[divan::bench(args = cases(Stage::Proof))]
fn proof(bencher: Bencher, case: &Case) {
    measure(bencher, case);
}

#[divan::bench(args = cases(Stage::Reading))]
fn reading(bencher: Bencher, case: &Case) {
    measure(bencher, case);
}

#[divan::bench(args = cases(Stage::Folding))]
fn folding(bencher: Bencher, case: &Case) {
    measure(bencher, case);
}

#[divan::bench(args = cases(Stage::Minimising))]
fn minimising(bencher: Bencher, case: &Case) {
    measure(bencher, case);
}

#[divan::bench(args = cases(Stage::CanonicalForm))]
fn canonical_form(bencher: Bencher, case: &Case) {
    measure(bencher, case);
}

mod wall {
    use super::{Bencher, Case, Stage, cases, measure};

    #[divan::bench(args = cases(Stage::Hmac))]
    fn hmac(bencher: Bencher, case: &Case) {
        measure(bencher, case);
    }

    #[divan::bench(args = cases(Stage::Base64AndSha256))]
    fn base64_and_sha256(bencher: Bencher, case: &Case) {
        measure(bencher, case);
    }

    #[divan::bench(args = cases(Stage::SerdeJson))]
    fn serde_json(bencher: Bencher, case: &Case) {
        measure(bencher, case);
    }
}
