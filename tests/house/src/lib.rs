//! The plan of the house, held against the code: which crate may depend on which, and within a crate which room may
//! import from which.
//!
//! `plan` is the plan, as tables. `sources` finds the code, `imports` reads what a file imports, and the tests here say
//! where the code leaves the plan.

#![cfg(test)]

mod crates;
mod imports;
mod plan;
mod rooms;
mod sources;
