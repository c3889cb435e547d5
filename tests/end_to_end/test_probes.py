"""What an operator's tools ask a deployed stack, and that nothing is left of it."""
from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import proofs
import pytest

from .deliveries import INCODE, SENDERS, TREEZOR, Delivery, Sender, as_event, envelope, post, treezor_signature
from .functions import copy, deployed
from .logs import log, said
from .test_forged_webhooks import state

pytestmark = pytest.mark.usefixtures("nobody_else_notifies")

PROBE = {"verdictProbe": "00112233445566778899aabbccddeeff"}
#: Credentials in which each list has two entries.
ROTATION: dict[str, Any] = {
    "veriff": {"secrets": ["056ea70fff77399bca7e5a70", "fa597ea797e692ab1c7aa6b7"], "apiKeys": ["k-1", "k-2"]},
    "incode": {
        "headers": {"x-incode-secret": ["3549dd0672cda9588ddcaa81", "6eff6dbbb88c987f48d9a063"]},
        "oauth": {"clients": [{"id": "client-1", "secret": "52dd8479676aebff36966b5b"},
                              {"id": "client-2", "secret": "dd47751212d4cdce1fafe739"}],
                  "signingKeys": ["ea267a31c8eeaa37b57f8724", "b523bf05b9b8637d60d6295a"]}},
    "treezor": {"secrets": ["e1369126e49a34e2a17ba29d", "73ce485155f7901267c64ded"],
                "urlTokens": ["f1efef3716796e8190ff9eaa2527651232a1f1ba", "fa26c295766183a5be915e48423e1855ca723625"]},
    "wultra": {"basic": [{"username": "wultra-1", "password": "c8c6982f7d2509881ef7386d"},
                         {"username": "wultra-2", "password": "2018037d7eb1f4391ab77642"}],
               "headers": {"x-wultra": ["b3abb0abe623ccee3efef29c", "bfc582f9837749795c485459"]}},
}


def delivery(request: dict) -> Delivery:
    path = f"{request['path']}?{request['query']}" if request["query"] else request["path"]
    return Delivery(request["body"].encode(), tuple(request["headers"].items()), path)


@pytest.fixture(params=SENDERS, ids=str)
def sender(request) -> Sender:
    return request.param


def test_a_probe_gets_through_the_api_and_leaves_nothing(verdict, sender):
    before = state(verdict)
    for label, request in proofs.probes(sender.provider, sender.keys):
        for path in (request["path"], f"{request['path']}/"):
            answer = post(verdict, delivery({**request, "path": path}))
            assert (answer.status, answer.outcome, answer.session) == (200, "probe", None), label
            assert json.loads(answer.body) == ({"success": True} if sender is INCODE else {})
    assert state(verdict) == before


def test_each_entry_of_a_rotation_is_proved_by_its_probe(verdict, sender):
    keys, variable = ROTATION[sender.provider], f"{sender.provider.upper()}_CREDENTIALS"
    probes = proofs.probes(sender.provider, keys)
    assert len(probes) >= 4
    with copy(verdict, sender.function, **{variable: json.dumps(keys)}) as function:
        answers = {label: function.answer(as_event(delivery(request))).outcome for label, request in probes}
        lines = log(verdict, function, "delivery", at_least=len(probes))
    assert answers == {label: "probe" for label, _ in probes}
    for line in said(lines, "delivery"):
        assert (line["outcome"], line["provider"], line["session"]) == ("probe", sender.provider, None)
        assert "_aws" not in line


def test_an_entry_that_the_function_does_not_have_shows(verdict, sender):
    keys = ROTATION[sender.provider]
    before = state(verdict)
    answers = [post(verdict, delivery(request)) for _, request in proofs.probes(sender.provider, keys)]
    assert {(answer.status, answer.outcome) for answer in answers} == {(sender.refusal, "refused")}
    assert state(verdict) == before


@pytest.mark.parametrize("content", [
    {**PROBE, "x": 1}, {"verdictProbe": "00112233445566778899aabbccddee"}, [PROBE], {"verdictProbe": [PROBE]}, {},
], ids=["with a member more", "too few digits", "in a list", "as a list", "empty"])
def test_what_says_anything_else_is_a_webhook(verdict, sender, content):
    answer = post(verdict, sender.genuine(json.dumps(content)))
    assert answer.outcome in ("quarantined", "ignored"), answer


def test_a_probe_of_treezors_is_what_is_signed(verdict):
    payload = json.dumps(PROBE, separators=(",", ":"))
    signed = replace(TREEZOR.genuine("{}"), body=envelope(payload, treezor_signature(payload), webhook_id="1", x=[{}]))
    assert post(verdict, signed).outcome == "probe"
    unsigned = replace(signed, body=envelope(payload, webhook="kycreview.result"))
    assert (post(verdict, unsigned).status, post(verdict, unsigned).outcome) == (500, "refused")


# ---- Functions without a URL, and those whose version shows ----

@pytest.mark.parametrize("function", ["IncodePoller", "OutboxRelay", "RebuildPreview", "Replay"])
def test_a_function_that_started_tells_the_doctor(verdict, function):
    assert deployed(verdict, function).call({"doctor": True}) == {"started": True}


def test_the_version_is_in_each_line_and_in_the_apis_answers(verdict, session_id):
    event = {"version": "2.0", "routeKey": "GET /sessions/{provider}/{sessionId}", "rawQueryString": "", "headers": {},
             "rawPath": f"/sessions/veriff/{session_id}", "requestContext": {"http": {"method": "GET"}},
             "pathParameters": {"provider": "veriff", "sessionId": session_id}}
    with copy(verdict, "SessionsApi", VERDICT_VERSION="v1.2-3-gabcdef") as api:
        answer = api.answer(event)
        assert (answer.status, answer.headers["x-verdict-version"]) == (404, "v1.2-3-gabcdef")
    with copy(verdict, "VeriffEvents", VERDICT_VERSION="v1.2-3-gabcdef", VERDICT_NAMESPACE="another") as receiver:
        assert receiver.answer({}).status == 400
        assert receiver.answer({**event, "routeKey": "$default"}).status == 401
        lines = log(verdict, receiver, "delivery")
    [told], [unread] = said(lines, "delivery"), said(lines, "not a request")
    assert (told["version"], unread["version"]) == ("v1.2-3-gabcdef", "v1.2-3-gabcdef")
    assert told["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "another"
