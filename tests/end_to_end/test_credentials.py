"""Several secrets are a rotation; Veriff's API keys are an allow-list; what else is configured must hold, too."""
from __future__ import annotations

import json
from typing import Any

import pytest

from .deliveries import INCODE, TREEZOR, WULTRA, Sender, as_event, decision, genuine, sign
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


# ---- The other providers ----

STATIC = "static-header-5f0c6bb1"
TOKEN, OTHER_TOKEN = "url-token-9bN4vR7tK2wQ5zX8-01234567", "url-token-of-somebody-else-01234567"


def incode(*, secrets=(OLD,), keys=(OLD,), client="client", headers=True, oauth=True) -> dict:
    parts = {"headers": {"x-incode-secret": list(secrets)},
             "oauth": {"clients": [{"id": client, "secret": REVOKED}], "signingKeys": list(keys)}}
    return {name: part for name, part in parts.items() if {"headers": headers, "oauth": oauth}[name]}


def treezor(secret=OLD, *tokens) -> dict:
    return {"secrets": [secret], "urlTokens": list(tokens)} if tokens else {"secrets": [secret]}


def wultra(password=OLD, username="wultra") -> dict:
    return {"basic": [{"username": username, "password": password}]}


BOTH = {"basic": [*wultra(OLD)["basic"], *wultra(NEW, "second")["basic"]], "headers": {"x-key": [STATIC]}}


def with_key(delivery, value=STATIC):
    return delivery.plus(("x-key", value))


#: By provider: what is configured; and deliveries proved with other credentials, changed, with what becomes of them.
ROTATIONS: dict[Sender, Any] = {
    INCODE: (incode(secrets=(OLD, NEW), keys=(NEW, OLD)), {
        "old header, old key": (incode(), None, "recorded"),
        "new header, new key": (incode(secrets=(NEW,), keys=(NEW,)), None, "recorded"),
        "revoked header": (incode(secrets=(REVOKED,)), None, "refused"),
        "revoked key": (incode(keys=(REVOKED,)), None, "refused"),
        "no header": (incode(headers=False), None, "refused"),
        "no bearer": (incode(oauth=False), None, "refused"),
        "a client that is gone": (incode(client="gone"), None, "refused"),
    }),
    TREEZOR: ({"secrets": [OLD, NEW], "urlTokens": [TOKEN, TOKEN.upper()]}, {
        "old secret, first token": (treezor(OLD, TOKEN), None, "recorded"),
        "new secret, second token": (treezor(NEW, TOKEN.upper()), None, "recorded"),
        "revoked secret": (treezor(REVOKED, TOKEN), None, "refused"),
        "another token": (treezor(OLD, OTHER_TOKEN), None, "refused"),
        "no token": (treezor(OLD), None, "refused"),
        "the token for a secret": (treezor(TOKEN, TOKEN), None, "refused"),
        "the secret for a token": (treezor(OLD, OLD), None, "refused"),
    }),
    WULTRA: (BOTH, {
        "first login": (wultra(), with_key, "recorded"),
        "second login": (wultra(NEW, "second"), with_key, "recorded"),
        "no header": (wultra(), None, "refused"),
        "another header": (wultra(), lambda delivery: with_key(delivery, REVOKED), "refused"),
        "revoked password": (wultra(REVOKED), with_key, "refused"),
        "one's name, the other's password": (wultra(NEW), with_key, "refused"),
        "no login": (wultra(), lambda delivery: with_key(delivery.without("authorization")), "refused"),
    }),
}


@pytest.mark.parametrize("sender", ROTATIONS, ids=str)
def test_every_configured_proof_is_needed_and_any_of_a_rotation_will_do(verdict, session_id, sender):
    configured, cases = ROTATIONS[sender]
    variable = f"{sender.provider.upper()}_CREDENTIALS"
    seen = {}
    with copy(verdict, sender.function, **{variable: json.dumps(configured)}) as function:
        for what, (keys, change, _) in cases.items():
            delivery = sender.approves(f"{session_id} {what}", keys=keys)
            answer = function.answer(as_event(change(delivery) if change else delivery))
            seen[what] = answer.outcome
            assert answer.status == {"recorded": 200, "refused": sender.refusal}[answer.outcome]
    assert seen == {what: expected for what, (_, _, expected) in cases.items()}
