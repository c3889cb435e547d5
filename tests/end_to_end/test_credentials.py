"""Several secrets are a rotation; API keys are an allow-list."""
from __future__ import annotations

import json

import pytest

from .deliveries import as_event, decision, genuine, sign
from .functions import copy

OLD, REVOKED = "5f0c6bb1-old-secret-0001", "0d9e2c7a-revoked-secret"
NEW = "new secret, longer than a block of SHA-256, " + "ab" * 20 + "é" * 20
API_KEYS = ("871e8af2-e611-482b-a6d1-261524bfb6a7", "a second API key")


@pytest.fixture(scope="module")
def function(verdict):
    """A copy that knows two secrets and two API keys."""
    credentials = json.dumps({"secrets": [OLD, NEW], "apiKeys": API_KEYS})
    with copy(verdict, "VeriffDecisions", VERIFF_CREDENTIALS=credentials) as copied:
        yield copied


def outcome(function, session_id, secret, *headers):
    delivery = genuine(decision(session_id))
    delivery = delivery.but("x-hmac-signature", sign(delivery.body, secret)).plus(*headers)
    answer = function.answer(as_event(delivery))
    assert answer.status == {"recorded": 200, "refused": 401}[answer.outcome]
    return answer.outcome


@pytest.mark.parametrize("secret, expected", [(OLD, "recorded"), (NEW, "recorded"), (REVOKED, "refused")],
                         ids=["old", "new", "revoked"])
def test_every_configured_secret_proves_and_no_other(function, session_id, secret, expected):
    assert outcome(function, session_id, secret, ("x-auth-client", API_KEYS[0])) == expected


@pytest.mark.parametrize("headers, expected", [
    ([("x-auth-client", API_KEYS[0])], "recorded"),
    ([("x-auth-client", API_KEYS[1])], "recorded"),
    ([("vrf-auth-client", API_KEYS[1])], "recorded"),
    ([("x-auth-client", API_KEYS[0]), ("vrf-auth-client", API_KEYS[0])], "recorded"),
    ([("x-auth-client", API_KEYS[0]), ("vrf-auth-client", API_KEYS[1])], "refused"),
    ([("x-auth-client", API_KEYS[0].upper())], "refused"),
    ([("x-auth-client", ",".join(API_KEYS))], "refused"),
    ([("x-auth-client", "another")], "refused"),
    ([("x-auth-client", "")], "refused"),
    ([], "refused"),
], ids=["first", "second", "alias", "both alike", "both, known, that differ", "upper-case", "both in one", "unknown",
        "empty", "none"])
def test_a_right_signature_needs_an_api_key_of_the_list(function, session_id, headers, expected):
    assert outcome(function, session_id, OLD, *headers) == expected


def test_an_api_key_does_not_replace_a_signature(function, session_id):
    assert outcome(function, session_id, REVOKED, ("x-auth-client", API_KEYS[0])) == "refused"
    assert outcome(function, session_id, API_KEYS[0], ("x-auth-client", API_KEYS[0])) == "refused"
