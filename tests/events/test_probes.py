"""Probes: one for each entry of each provider's credentials, proved as the contracts say, and saying nothing."""
import base64
import hashlib
import json
import re
import time
import urllib.parse
from typing import Any

import proofs
import pytest
from verifying import LOCAL, claims_under, flat_envelope, kind_of, veriff_signature, wultra

KEYS: dict[str, Any] = {
    "veriff": {"secrets": ["veriff-secret-1", "veriff-secret-2"], "apiKeys": ["api-key-1", "api-key-2", "api-key-3"]},
    "incode": {
        "headers": {"x-a": ["header-a-1", "header-a-2"], "X-B": ["header-b-1"]},
        "oauth": {"clients": [{"id": "client-1", "secret": "s"}, {"id": "client-2", "secret": "s"}],
                  "signingKeys": ["signing-key-1", "signing-key-2"]},
    },
    "treezor": {"secrets": ["treezor-secret-1", "treezor-secret-2"], "urlTokens": ["url-token-1", "url-token-2"]},
    "wultra": {
        "basic": [{"username": "login-1", "password": "password-1"}, {"username": "login-2", "password": "password-2"}],
        "headers": {"x-a": ["header-a-1", "header-a-2"]},
    },
}
#: The label of each probe and which entry of each list it is to be proved with.
ENTRIES = {
    "veriff": {
        "secrets entry 1": (1, 1), "secrets entry 2": (2, 1),
        "apiKeys entry 1": (1, 1), "apiKeys entry 2": (1, 2), "apiKeys entry 3": (1, 3),
    },
    "incode": {
        "headers 1 entry 1": (1, 1, 1), "headers 1 entry 2": (2, 1, 1), "headers 2 entry 1": (1, 1, 1),
        "oauth.clients entry 1, oauth.signingKeys entry 1": (1, 1, 1),
        "oauth.clients entry 1, oauth.signingKeys entry 2": (1, 1, 2),
        "oauth.clients entry 2, oauth.signingKeys entry 1": (1, 2, 1),
        "oauth.clients entry 2, oauth.signingKeys entry 2": (1, 2, 2),
    },
    "treezor": {
        "secrets entry 1": (1, 1), "secrets entry 2": (2, 1), "urlTokens entry 1": (1, 1), "urlTokens entry 2": (1, 2),
    },
    "wultra": {
        "basic entry 1": (1, 1), "basic entry 2": (2, 1), "headers 1 entry 1": (1, 1), "headers 1 entry 2": (1, 2),
    },
}
PATHS = {"veriff": "/veriff/decisions", "incode": "/incode/onboarding-status", "treezor": "/treezor",
         "wultra": "/wultra/process/event"}

EDGE = {"edgeHeader": {"X-Edge": ["edge-1", "edge-2"]}}

each_provider = pytest.mark.parametrize("provider", proofs.PROVIDERS)


def made(provider, keys=None):
    return dict(proofs.probes(provider, keys or KEYS[provider]))


def as_event(request):
    return {"headers": request["headers"], "rawQueryString": request["query"], "body": request["body"],
            "isBase64Encoded": False}


def proved_with(provider, request):
    return {"veriff": of_veriff, "incode": of_incode, "treezor": of_treezor, "wultra": of_wultra}[provider](request)


def of_veriff(request):
    event = as_event(request)
    [secret] = [number for number, secret in enumerate(KEYS["veriff"]["secrets"], 1)
                if kind_of("veriff", event, {"secrets": [secret]}) == "genuine"]
    assert veriff_signature(event).islower()
    return secret, int(request["headers"]["x-auth-client"].rsplit("-", 1)[1])


def of_incode(request):
    assert request["headers"]["x-b"] == "header-b-1"
    header = request["headers"]["x-a"]
    claims = {number: claims_under(key, request["headers"]["authorization"])
              for number, key in enumerate(KEYS["incode"]["oauth"]["signingKeys"], 1)}
    [(key, claimed)] = [(number, claimed) for number, claimed in claims.items() if claimed]
    return int(header.rsplit("-", 1)[1]), int(claimed["sub"].rsplit("-", 1)[1]), key


def of_treezor(request):
    token = urllib.parse.parse_qs(request["query"])["token"][0]
    [secret] = [number for number, secret in enumerate(KEYS["treezor"]["secrets"], 1)
                if kind_of("treezor", as_event(request), {"secrets": [secret], "urlTokens": [token]}) == "genuine"]
    return secret, int(token.rsplit("-", 1)[1])


def of_wultra(request):
    [login] = [number for number, login in enumerate(KEYS["wultra"]["basic"], 1)
               if login["username"] in base64.b64decode(request["headers"]["authorization"].split()[1]).decode()]
    assert wultra(as_event(request), {"basic": [KEYS["wultra"]["basic"][login - 1]]}) == "genuine"
    return login, int(request["headers"]["x-a"].rsplit("-", 1)[1])


@each_provider
def test_each_entry_has_a_probe_that_is_proved_with_it(provider):
    requests = made(provider)
    assert {label: proved_with(provider, request) for label, request in requests.items()} == ENTRIES[provider]
    assert len(proofs.probes(provider, KEYS[provider])) == len(requests)


@each_provider
def test_a_probe_says_nothing_and_is_fresh_each_time(provider):
    texts = [json.loads(request["body"]) for request in [*made(provider).values(), *made(provider).values()]]
    if provider == "treezor":
        texts = [flat_envelope(text)["object_payload"] for text in texts]
    assert all(text.keys() == {"verdictProbe"} for text in texts)
    found = [text["verdictProbe"] for text in texts]
    assert all(re.fullmatch("[0-9a-f]{32}", probe) for probe in found)
    assert len(set(found)) == len(found)


@each_provider
def test_a_probe_goes_where_webhooks_go(provider):
    for request in made(provider).values():
        assert request.keys() == {"path", "query", "headers", "body"}
        assert request["path"] == PATHS[provider]
        assert (request["query"] == "") == (provider != "treezor")
        assert request["headers"]["content-type"] == "application/json"
        assert all(name == name.lower() for name in request["headers"])


@each_provider
def test_no_label_shows_any_value(provider):
    keys = {"headers": {"x-canary": ["canary"]}} if provider in ("incode", "wultra") else {"secrets": ["canary"]}
    labels = list(made(provider, keys))
    assert labels and not any("canary" in label for label in labels)
    assert not any(re.search("-[123]", label) for label in made(provider))


@each_provider
def test_the_local_credentials_have_probes(provider):
    for request in made(provider, LOCAL[provider]).values():
        if provider != "incode":  # whose tokens are no sample's
            assert kind_of(provider, as_event(request), LOCAL[provider]) == "genuine"


@pytest.mark.parametrize("provider, keys, labels", [
    ("veriff", {"secrets": ["s"]}, ["secrets entry 1"]),
    ("veriff", {"secrets": ["s"], "apiKeys": []}, ["secrets entry 1"]),
    ("treezor", {"secrets": ["s"]}, ["secrets entry 1"]),
    ("incode", {"headers": {"x-a": ["v"]}}, ["headers 1 entry 1"]),
    ("incode", {"oauth": {"clients": [{"id": "c", "secret": "s"}], "signingKeys": ["k"]}, "api": {"password": "p"}},
     ["oauth.clients entry 1, oauth.signingKeys entry 1"]),
    ("wultra", {"basic": [{"username": "u", "password": "p"}]}, ["basic entry 1"]),
    ("wultra", {"headers": {"x-a": ["v"]}}, ["headers 1 entry 1"]),
])
def test_what_is_not_configured_needs_no_probe(provider, keys, labels):
    assert [label for label, _ in proofs.probes(provider, keys)] == labels


def test_a_token_that_is_signed_with_a_real_key_is_soon_over():
    before = int(time.time())
    [(_, request)] = proofs.probes("incode", {"oauth": KEYS["incode"]["oauth"] | {
        "clients": [{"id": "client-1", "secret": "s"}], "signingKeys": ["signing-key-1"]}})
    claimed = claims_under("signing-key-1", request["headers"]["authorization"])
    assert before <= claimed["iat"] <= time.time() and claimed["exp"] == claimed["iat"] + 300
    header = json.loads(base64.urlsafe_b64decode(request["headers"]["authorization"].split()[1].split(".")[0] + "=="))
    assert header["kid"] == hashlib.sha256(b"signing-key-1").hexdigest()[:8]


@each_provider
def test_behind_an_edge_each_probe_carries_its_header_and_each_of_its_values_has_one(provider):
    probes = made(provider, {**KEYS[provider], **EDGE})
    assert probes.keys() == made(provider).keys() | {"edgeHeader 1 entry 1", "edgeHeader 1 entry 2"}
    for label, request in probes.items():
        assert request["headers"]["x-edge"] == ("edge-2" if label == "edgeHeader 1 entry 2" else "edge-1"), label
