//! What providers' webhooks are: the rules for all of them here, and each provider's own in its folder.
#![cfg(test)]

mod canaries;
mod conformance;
mod credentials;
mod directions;
mod evidence;
mod facts;
mod folders;
mod gates;
mod histories;
mod incode;
mod json_reader;
mod known_ids;
mod made_up_ids;
mod minimised_payloads;
mod paths;
mod patience;
mod printed;
mod probes;
mod read_again;
mod treezor;
mod unreadable;
mod vectors;
mod veriff;
mod wultra;
