//! Address ranges and the edge's header: which lists are refused at the start, and which addresses are in a range.

use crate::conformance::{Verdict, cases, prove};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use verdict_sessions::Provider;
use verdict_webhooks::{
    Disposition, Refusal, WebhookSource as _, incode::Incode, treezor::Treezor, veriff::Veriff, wultra::Wultra,
};

const EDGE: &str = "edge-9bN4vR7tK2wQ5zX8";

/// Credentials that a genuine vector of the provider has, with more members.
fn credentials(provider: Provider, more: &Value) -> Value {
    let genuine = cases(provider).into_iter().find(|case| case.verdict == Verdict::Genuine).unwrap();
    let mut credentials: Map<String, Value> = genuine.credentials.as_object().unwrap().clone();
    credentials.extend(more.as_object().unwrap().clone());
    Value::Object(credentials)
}

/// What the first genuine vector of the provider becomes with more members in its credentials, from an address.
fn verdict(provider: Provider, more: &Value, source: &str) -> Result<Option<Refusal>, String> {
    let genuine = cases(provider).into_iter().find(|case| case.verdict == Verdict::Genuine).unwrap();
    let delivery = genuine.delivery().from_source(source);
    prove(provider, &credentials(provider, more).to_string(), delivery, genuine.now())
        .map(Result::err)
        .map_err(|error| error.to_string())
}

#[test]
fn a_wrong_list_fails_the_start_and_says_what_to_write() {
    let cases = [
        (json!({"allowedCidrs": []}), "`allowedCidrs` has no entry"),
        (json!({"allowedCidrs": null}), "`allowedCidrs`"),
        (json!({"allowedCidrs": "203.0.113.0/24"}), "`allowedCidrs`"),
        (json!({"allowedCidrs": ["203.0.113.0/24", 7]}), "`allowedCidrs`"),
        (
            json!({"allowedCidrs": ["203.0.113.0/24", "canary"]}),
            "`allowedCidrs` entry 2 is no address range; write one",
        ),
        (json!({"allowedCidrs": ["203.0.113.7"]}), "a single address like 203.0.113.7/32"),
        (json!({"allowedCidrs": ["203.0.113.7/24"]}), "`allowedCidrs` entry 1 has an address that doesn't begin"),
        (json!({"allowedCidrs": ["0.0.0.0/0"]}), "leave `allowedCidrs` out"),
        (json!({"allowedCidrs": ["::/0"]}), "leave `allowedCidrs` out"),
        (json!({"allowedCidrs": ["203.0.113.0/24"], "edgeHeader": {"x-edge": [EDGE]}}), "exclude each other"),
        (json!({"edgeHeader": {}}), "`edgeHeader` has no entry"),
        (json!({"edgeHeader": {"x-edge": []}}), "`edgeHeader` has no entry"),
        (json!({"edgeHeader": {"x edge": [EDGE]}}), "`edgeHeader` entry 1 has no usable name"),
        (json!({"edgeHeader": {"x-edge": ["canary"]}}), "`edgeHeader` entry 1 is shorter than 16"),
        (json!({"edgeHeader": {"x-edge": [EDGE], "X-Edge": [EDGE]}}), "`edgeHeader`"),
        (json!({"allowedCidr": ["203.0.113.0/24"]}), "did you mean `allowedCidrs`?"),
    ];
    for provider in Provider::ALL {
        for (more, says) in &cases {
            let message = verdict(provider, more, "203.0.113.7").expect_err("the function starts");
            assert!(message.contains(says), "{provider}, {more}: {message}");
            assert!(!message.contains("canary"), "{message}");
        }
    }
}

#[test]
fn the_edge_needs_a_header_that_proves_nothing_else() {
    for (provider, used) in [
        (Provider::Veriff, "x-hmac-signature"),
        (Provider::Veriff, "VRF-Auth-Client"),
        (Provider::Incode, "Authorization"),
        (Provider::Incode, "x-incode-secret"),
        (Provider::Treezor, "x-amz-sns-message-type"),
        (Provider::Wultra, "authorization"),
    ] {
        let more = match (provider, used) {
            (Provider::Incode, "x-incode-secret") => json!({"headers": {"x-incode-secret": [EDGE]}}),
            _ => json!({}),
        };
        let mut more = more.as_object().unwrap().clone();
        more.insert("edgeHeader".into(), json!({used: [EDGE]}));
        let message = verdict(provider, &Value::Object(more), "").expect_err("the function starts");
        assert!(message.contains("`edgeHeader` is a header that proves something else, too"), "{provider}: {message}");
    }
}

/// The limit is judged after method, path and gate, and before anything of the proof.
#[test]
fn a_body_above_its_limit_is_refused_before_its_proof_whatever_that_is() {
    for provider in Provider::ALL {
        for case in cases(provider) {
            let length = case.body().len();
            let verdict = |limit: usize| {
                let delivery = case.delivery().with_body_limit(limit);
                prove(provider, &case.credentials.to_string(), delivery, case.now()).unwrap().err()
            };
            let before_the_proof = [
                Refusal::MethodNotAllowed,
                Refusal::PathUnknown,
                Refusal::AddressNotAllowed,
                Refusal::EdgeHeaderMissing,
                Refusal::EdgeHeaderRepeated,
                Refusal::EdgeHeaderMismatch,
            ];
            let within = verdict(length);
            let is_by_the_gate = within.is_some_and(|refusal| before_the_proof.contains(&refusal));
            assert_eq!(within.map(Refusal::code), case.refusal.as_deref(), "{}", case.name);
            if length > 0 {
                let expected = if is_by_the_gate { within } else { Some(Refusal::BodyTooLarge) };
                assert_eq!(verdict(length - 1), expected, "{}", case.name);
            }
        }
    }
}

/// A sender can't tell it from any other refusal.
#[test]
fn a_body_above_its_limit_is_answered_like_every_other_refusal() {
    for provider in Provider::ALL {
        let case = cases(provider).into_iter().find(|case| case.verdict == Verdict::Genuine).unwrap();
        let answer = |refusal| {
            let (path, disposition) = (&case.path, Disposition::Refused(refusal));
            match provider {
                Provider::Veriff => Veriff::answer(path, disposition),
                Provider::Incode => Incode::answer(path, disposition),
                Provider::Treezor => Treezor::answer(path, disposition),
                Provider::Wultra => Wultra::answer(path, disposition),
            }
        };
        for other in Refusal::ALL.into_iter().filter(|refusal| *refusal != Refusal::PathUnknown) {
            assert_eq!(answer(Refusal::BodyTooLarge), answer(other), "{provider}: {other}");
        }
    }
}

#[test]
fn a_limit_is_far_above_what_a_provider_sends() {
    assert_eq!([Veriff::BODY_LIMIT, Incode::BODY_LIMIT, Treezor::BODY_LIMIT], [1_048_576; 3]);
    assert_eq!(Wultra::BODY_LIMIT, 6_291_456);
}

/// Whether the first bits of two addresses of one kind are the same.
fn share_bits(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    let (one, other, width) = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (u128::from(u32::from(one)), u128::from(u32::from(other)), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => (u128::from(one), u128::from(other), 128),
        _ => return false,
    };
    (one ^ other).checked_shr(width - bits).unwrap_or(0) == 0
}

fn masked(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            IpAddr::V4(Ipv4Addr::from(u32::from(address) & u32::MAX.checked_shl(32 - bits).unwrap_or(0)))
        }
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & u128::MAX.checked_shl(128 - bits).unwrap_or(0)))
        }
    }
}

/// An address and a prefix length of its kind. No mapped address: they are IPv4 addresses.
fn any_range() -> impl Strategy<Value = (IpAddr, u32)> {
    let of_four = (any::<u32>(), 1..=32_u32).prop_map(|(address, bits)| (IpAddr::V4(Ipv4Addr::from(address)), bits));
    let of_six = (any::<u128>(), 1..=128_u32).prop_map(|(address, bits)| (IpAddr::V6(Ipv6Addr::from(address)), bits));
    prop_oneof![of_four, of_six.prop_filter("mapped", |(address, _)| address.to_canonical() == *address)]
        .prop_map(|(address, bits)| (masked(address, bits), bits))
}

/// An address that differs from another one in a few bits, or any other one.
fn near(address: IpAddr) -> impl Strategy<Value = IpAddr> {
    let flipped = (0..128_u32).prop_map(move |bit| match address {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from(u32::from(address) ^ (1 << (bit % 32)))),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) ^ (1 << bit))),
    });
    prop_oneof![Just(address), flipped, any::<u32>().prop_map(|any| IpAddr::V4(Ipv4Addr::from(any)))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn an_address_is_let_in_exactly_if_it_shares_the_prefix(
        ((beginning, bits), address) in any_range().prop_flat_map(|range| (Just(range), near(range.0)))
    ) {
        let range = json!({"allowedCidrs": [format!("{beginning}/{bits}")]});
        let allowed = share_bits(beginning, address, bits);
        let expected = (!allowed).then_some(Refusal::AddressNotAllowed);
        prop_assert_eq!(verdict(Provider::Veriff, &range, &address.to_string()), Ok(expected));
        if let IpAddr::V4(address) = address {
            let mapped = address.to_ipv6_mapped().to_string();
            prop_assert_eq!(verdict(Provider::Veriff, &range, &mapped), Ok(expected), "mapped");
        }
    }
}
