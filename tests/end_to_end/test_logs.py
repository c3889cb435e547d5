"""Nothing personal or secret is ever logged: not at the most talkative level, not where something goes wrong."""
from __future__ import annotations

import contextlib
import json
import time
from dataclasses import replace

import pytest

from .deliveries import ATTEMPT, DECISIONS, EVENTS, as_event, decision, event, genuine, sign
from .functions import copy

TALKATIVE = {
    "VERDICT_LOG": "trace", "RUST_LOG": "trace", "AWS_LAMBDA_LOG_LEVEL": "TRACE", "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "RUST_BACKTRACE": "full", "RUST_LIB_BACKTRACE": "1",
}
SECRET = "canary-secret-8e1f5d3b-0c6a-4e61-9f0e"
NOWHERE = "http://127.0.0.1:9"
PATIENCE_SECONDS = 10


def canary(where: str) -> str:
    return f"canary-{where}-3f7c"


PERSON = {
    "firstName": canary("first-name"), "lastName": canary("last-name"), "dateOfBirth": "1970-01-01",
    "idNumber": canary("id-number"), "addresses": [{"fullAddress": canary("address")}]}
DOCUMENT = {"number": canary("document-number"), "type": "PASSPORT", "firstIssue": canary("first-issue")}
TOLD = {
    "person": PERSON, "document": DOCUMENT, "reason": canary("reason"), "comments": [canary("comment")],
    "vendorData": canary("reference"), "endUserId": canary("user"), "attemptId": ATTEMPT,
    "additionalVerifiedData": {"driversLicenseNumber": canary("license")},
    canary("member-name"): canary("member-value")}


def deliveries(session_id):
    """A delivery of every sort, by what should become of it."""
    spoiled = json.dumps(decision(session_id, **TOLD)).encode()[:-1]
    doubled = json.dumps(decision(session_id, **TOLD)).encode().replace(b'"reason":', b'"reason": "x", "reason":', 1)
    noise = "".join(chr(0x4E00 + position * 7919 % 20_000) for position in range(1_100_000))
    too_large = f'{{"x": "{canary("too-large")} {noise}", '.encode()
    return [
        ("recorded", genuine(decision(session_id, "review", at="2026-06-12T08:00:00Z", **TOLD))),
        ("recorded", genuine(decision(
            session_id, "declined", at="2026-06-12T09:00:00Z", reasonCode=canary("code") + " é", **TOLD))),
        ("recorded", genuine(decision(session_id, "approved", at="2026-06-12T10:00:00Z", **TOLD))),
        ("duplicate", genuine(decision(session_id, "approved", at="2026-06-12T10:00:00Z", **TOLD))),
        ("recorded", genuine(event(session_id, context={"reason": canary("event-reason"), "state": canary("state")}))),
        ("recorded", genuine(event(session_id, 7777, canary("action"), vendorData=canary("reference")))),
        ("recorded", genuine({"sessionId": session_id, "eventType": canary("event-type"), "x": canary("unknown")})),
        ("recorded", genuine({"sessionId": session_id, "checkType": "x", "matchStatus": canary("match"),
                              "searchTerm": {"name": canary("search-term")}})),
        ("ignored", genuine({"status": "success", "verification": None, "x": canary("ignored")})),
        ("quarantined", genuine(spoiled)),
        ("quarantined", genuine(doubled)),
        ("quarantined", genuine(json.dumps(canary("no-object")).encode())),
        ("quarantined", genuine(decision("", **TOLD))),
        ("quarantined", genuine(decision(canary("long-id") + "x" * 1024, **TOLD))),
        ("failed", genuine(too_large)),
        ("refused", genuine(decision(session_id, **TOLD)).without("x-hmac-signature")),
        ("refused", genuine(decision(session_id, **TOLD)).but("x-hmac-signature", canary("signature"))),
        ("refused", genuine(decision(session_id, **TOLD)).plus(("vrf-hmac-signature", canary("alias")))),
        ("refused", replace(genuine(decision(session_id, **TOLD)), path=f"/{canary('path')}")),
        ("refused", replace(genuine(decision(session_id, **TOLD)), method=canary("method"))),
    ]


def requests(session_id, path):
    """The same as the gateway's events, rightly signed where they were, with more in them that is nobody's business."""
    for outcome, delivery in deliveries(session_id):
        if outcome != "refused":
            delivery = delivery.but("x-hmac-signature", sign(delivery.body, SECRET))
        if delivery.path == DECISIONS:
            delivery = replace(delivery, path=path)
        event = as_event(delivery.plus(
            ("x-auth-client", canary("api-key")), ("user-agent", canary("user-agent")), ("cookie", canary("cookie")),
            ("authorization", canary("authorization")), ("x-forwarded-for", "203.0.113.77")))
        yield outcome, {**event, "rawQueryString": f"q={canary('query')}", "cookies": [canary("cookies")]}
    unreadable = {**as_event(genuine(decision(session_id, **TOLD))), "isBase64Encoded": True}
    yield "refused", unreadable
    yield "refused", {"warm-up": canary("warm-up")}


def logged(verdict, function, at_least):
    """All that the function has logged, once it is that many deliveries' worth."""
    pages = verdict.client("logs").get_paginator("filter_log_events")
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        lines = [line["message"] for page in pages.paginate(logGroupName=f"/aws/lambda/{function.name}")
                 for line in page["events"]]
        if sum('"message":"delivery"' in line or "not a request" in line for line in lines) >= at_least:
            return lines
        assert time.monotonic() < end, f"not all of {at_least} deliveries are in the log:\n" + "\n".join(lines)
        time.sleep(0.1)


def assert_discreet(lines, *secrets):
    text = "\n".join(lines)
    for secret in ("canary", "SPECIMEN", "203.0.113.77", "1970-01-01", *secrets):
        found = [line[:300] for line in lines if secret.lower() in line.lower()]
        assert not found, (secret, found)
    assert "panicked" not in text


@pytest.fixture(
    scope="module", params=[("VeriffDecisions", DECISIONS), ("VeriffEvents", EVENTS)], ids=["decisions", "events"])
def receiver(verdict, request):
    """A copy of a webhook function, at its most talkative, and the path that it serves."""
    function, path = request.param
    with copy(verdict, function, **TALKATIVE, VERIFF_CREDENTIALS=json.dumps({"secrets": [SECRET]})) as copied:
        yield copied, path


def test_webhooks_of_every_sort_leave_nothing_personal_in_the_log(verdict, receiver, session_id):
    function, path = receiver
    sent = list(requests(session_id, path))
    for outcome, request in sent:
        assert function.answer(request).outcome == outcome

    lines = logged(verdict, function, at_least=len(sent))

    told = [json.loads(line) for line in lines if '"message":"delivery"' in line]
    assert {line["outcome"] for line in told} == {outcome for outcome, _ in sent}
    assert f"veriff/{session_id}" in {line["session"] for line in told}
    signatures = {request.get("headers", {}).get("x-hmac-signature") for _, request in sent} - {None}
    assert_discreet(lines, SECRET, *signatures)


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"])
def test_a_store_that_cannot_be_reached_leaves_nothing_personal_in_the_log(verdict, session_id, variable):
    with contextlib.ExitStack() as copies:
        function = copies.enter_context(copy(verdict, "VeriffDecisions", **TALKATIVE, **{variable: NOWHERE}))
        approval, unreadable = genuine(decision(session_id, **TOLD)), genuine(canary("unreadable").encode())
        outcomes = {function.answer(as_event(delivery)).outcome for delivery in (approval, unreadable)}
        assert "failed" in outcomes
        lines = logged(verdict, function, at_least=2)
    assert any('"level":"ERROR"' in line for line in lines)
    assert_discreet(lines, approval.signature, unreadable.signature)


def test_questions_to_the_sessions_api_are_not_logged(verdict):
    with copy(verdict, "SessionsApi", **TALKATIVE, AWS_ENDPOINT_URL_DYNAMODB=NOWHERE) as function:
        question = {
            **as_event(genuine(b"{}")), "routeKey": "GET /sessions", "rawPath": "/sessions",
            "rawQueryString": f"reference={canary('reference')}"}
        assert function.answer(question).status == 503
        assert function.answer({"warm-up": canary("warm-up")}).status == 400
        lines = logged(verdict, function, at_least=1)
    assert any("could not read" in line for line in lines)
    assert_discreet(lines)
