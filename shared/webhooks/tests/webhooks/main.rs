//! What providers' webhooks are: the rules for all of them here, and each provider's own in its folder.
#![cfg(test)]

mod conformance;
mod credentials;
mod directions;
mod folders;
mod incode;
mod json_reader;
mod minimised_payloads;
mod paths;
mod patience;
mod probes;
mod read_again;
mod treezor;
mod unreadable;
mod vectors;
mod veriff;
mod wultra;
