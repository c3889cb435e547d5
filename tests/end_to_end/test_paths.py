"""Slashes too many in a webhook's URL, and what else the greedy routes let in."""
from __future__ import annotations

import json
from dataclasses import replace

import pytest
from attacks import on_binaries

from .deliveries import DECISIONS, EVENTS, INCODE, SENDERS, TREEZOR, VERIFF, WULTRA, Delivery, decision, genuine, post
from .incode import token_of, token_request
from .table import items
from .test_forged_webhooks import state

pytestmark = [
    pytest.mark.usefixtures("believing", "nobody_else_notifies"), on_binaries("a slash too many in a URL")]

#: Every path of a webhook, and whose.
PATHS = [(VERIFF, EVENTS), (VERIFF, DECISIONS), *((sender, sender.path) for sender in SENDERS if sender is not VERIFF)]


def sent_to(delivery: Delivery, path: str) -> Delivery:
    """The delivery to another path, under the same query."""
    query = delivery.path.partition("?")[2]
    return replace(delivery, path=f"{path}?{query}" if query else path)


@pytest.mark.parametrize("sender, path", PATHS, ids=str)
def test_a_slash_behind_a_webhooks_url_changes_nothing(verdict, session_id, sender, path):
    webhook = sender.approves(session_id)
    for slashes, outcome in (("/", "recorded"), ("//", "duplicate"), ("", "duplicate")):
        answer = post(verdict, sent_to(webhook, path + slashes))
        assert (answer.status, answer.outcome) == (200, outcome)


DOUBLED = {
    VERIFF: ["/veriff//events", "/veriff//decisions", "/veriff//decisions/"],
    INCODE: ["/incode//onboarding-status", "/incode///onboarding-status//"],
    # Its path has one segment.
    TREEZOR: [],
    WULTRA: ["/wultra//process/event", "/wultra/process//event", "/wultra//process/event/"],
}


@pytest.mark.parametrize("sender, path", [(sender, path) for sender in SENDERS for path in DOUBLED[sender]], ids=str)
def test_a_doubled_slash_in_a_webhooks_url_changes_nothing(verdict, session_id, sender, path):
    webhook = sender.approves(session_id)
    assert post(verdict, sent_to(webhook, path)).outcome == "recorded"
    assert post(verdict, webhook).outcome == "duplicate"


#: What a greedy route lets in, and is nobody's.
ASTRAY = [
    "/veriff/decisions/x", "/veriff/events/x", "/veriff/x", "/veriff/decisions/veriff/decisions",
    "/incode/a/session-succeeded", "/incode/incode/session-succeeded", "/incode/session-succeeded/x",
    "/treezor/x", "/treezor/treezor", "/wultra/process", "/wultra/x/process/event", "/wultra/wultra/process/event",
]


@pytest.mark.parametrize("path", ASTRAY)
def test_what_else_a_greedy_route_lets_in_is_not_found(verdict, session_id, path):
    [sender] = [sender for sender in SENDERS if path.startswith(f"/{sender.provider}/")]
    before = state(verdict)
    right = sent_to(sender.approves(session_id), path)
    for webhook in (right, replace(right, headers=(), body=b"\xff")):
        answer = post(verdict, webhook)
        assert (answer.status, answer.outcome, answer.session) == (404, "refused", None)
        expected = {"errorCode": "ERROR_GENERIC", "message": "Not Found"} if sender is WULTRA else {
            "message": "Not Found"}
        assert json.loads(answer.body) == expected
    assert state(verdict) == before


def test_a_slash_behind_the_token_endpoints_url_changes_nothing(verdict):
    assert token_of(post(verdict, replace(token_request(), path="/incode/oauth/token/")))
    answer = post(verdict, replace(token_request(), path="/incode/oauth/token/x"))
    assert (answer.status, json.loads(answer.body)) == (404, {"message": "Not Found"})


def test_what_is_stored_as_the_source_has_no_slash_too_many(verdict, session_id):
    assert post(verdict, genuine(decision(session_id), path="/veriff//decisions//")).outcome == "recorded"
    [payload] = items(verdict, session_id, "PAYLOAD")
    assert payload["source"]["S"] == DECISIONS
