"""Nothing personal or secret is ever logged: not at the most talkative level, not where something goes wrong."""
from __future__ import annotations

import base64
import collections
import gzip
import json
import random
import time
from dataclasses import replace
from typing import Any

import pytest
from attacks import on_binaries

from . import intake
from .deliveries import (
    ATTEMPT, DECISIONS, EVENTS, INCODE, SENDERS, TREEZOR, WULTRA, Delivery, Sender, as_event, decision, envelope, event,
    genuine, post, sign, treezor_signature, with_token,
)
from .functions import copy
from .logs import TALKATIVE, log, said

pytestmark = [pytest.mark.usefixtures("believing"), on_binaries("secrets and personal data in logs")]

SECRET = "canary-secret-8e1f5d3b-0c6a-4e61-9f0e"
NOWHERE = "http://127.0.0.1:9"
#: SQS's id of who sends to intake.
OPERATOR = "AROAEXAMPLE:operator"
PATIENCE_SECONDS = 10


def canary(where: str) -> str:
    return f"canary-{where}-3f7c"


PERSON = {
    "firstName": canary("first-name"), "lastName": canary("last-name"), "dateOfBirth": "1970-01-01",
    "idNumber": canary("id-number"), "addresses": [{"fullAddress": canary("address")}]}
DOCUMENT = {"number": canary("document-number"), "type": "PASSPORT", "firstIssue": canary("first-issue")}
TOLD: dict[str, Any] = {
    "person": PERSON, "document": DOCUMENT, "reason": canary("reason"), "comments": [canary("comment")],
    "vendorData": canary("reference"), "endUserId": canary("user"), "attemptId": ATTEMPT,
    "additionalVerifiedData": {"driversLicenseNumber": canary("license")},
    canary("member-name"): canary("member-value")}


def noise():
    """What no message of the quarantine has room for, in a body below each provider's limit."""
    letters = [letter for letter in map(chr, range(0x20, 0x7F)) if letter not in '"\\\\']
    return "".join(random.Random(7919).choices(letters, k=1_040_000))


def deliveries(session_id):
    """A delivery of every sort, by what should become of it."""
    spoiled = json.dumps(decision(session_id, **TOLD)).encode()[:-1]
    doubled = json.dumps(decision(session_id, **TOLD)).encode().replace(b'"reason":', b'"reason": "x", "reason":', 1)
    too_large = f'{{"x": "{canary("too-large")} {noise()}", '.encode()
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
        lines = [line["message"] for page in pages.paginate(logGroupName=function.log_group)
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


# ---- The other providers ----

IMAGE = base64.b64encode(canary("image").encode() * 100).decode()
BEARER = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (
    b'{"alg":"HS256"}', canary("claims").encode(), b"0" * 32))
#: What nobody's webhook holds all of, and somebody's each.
PERSONAL = {
    **TOLD, "firstname": canary("first-name"), "birthday": "1970-01-01", "email": canary("email"), "image": IMAGE,
    "token": BEARER, "interviewToken": canary("interview-token"), "apiKey": canary("api-key"),
    "externalId": canary("reference"), "customerId": canary("customer"), "kycReviewComment": canary("comment"),
    "userTag": canary("tag"), "codeStatus": canary("code"), "ipAddress": "203.0.113.77",
    "externalUserId": canary("user"), "processType": canary("process-type"), "documentNumber": canary("number")}
# But for those that every approval of somebody's holds already.
MEMBERS = "".join(
    f",{json.dumps(name)}:{json.dumps(value)}" for name, value in PERSONAL.items() if name != "attemptId")

#: Credentials of which nothing may be logged, not even the names.
KEYS: dict[Sender, Any] = {
    INCODE: {
        "headers": {"x-incode-secret": [canary("header")]},
        "oauth": {"clients": [{"id": canary("client"), "secret": canary("client-secret")}],
                  "signingKeys": [canary("signing-key")]}},
    TREEZOR: {"secrets": [canary("secret")], "urlTokens": [canary("url-token-0123456789abcdef")]},
    WULTRA: {"basic": [{"username": canary("username"), "password": canary("password")}]},
}


def sorts(sender: Sender, session_id: str) -> list[tuple[str, Delivery]]:
    """A delivery of every sort, by what should become of it."""
    def approval(session: str, more: str = "") -> Delivery:
        return sender.genuine(sender.approval(json.dumps(session), MEMBERS + more), keys=KEYS[sender])

    right = approval(session_id)
    headers = tuple((name, canary(name)) for name, _ in right.headers)
    sent = [
        ("recorded", right), ("duplicate", right), ("recorded", approval(f"{canary('id')} é {session_id}")),
        ("quarantined", approval(session_id, ',"x":NaN')),
        ("quarantined", approval(canary("long-id") + "x" * 1024)),
        ("quarantined", approval("")),
        ("failed", approval(session_id, f',"x":NaN,"y":"{noise()}"')),
        ("refused", replace(right, headers=(), path=sender.path)),
        ("refused", replace(right, path=f"/{canary('path')}")),
        ("refused", replace(right, method=canary("method"))),
        *more_sorts(sender, session_id, right),
    ]
    if sender is not TREEZOR:
        sent.append(("refused", replace(right, headers=headers)))
    return sent


def more_sorts(sender: Sender, session_id: str, right: Delivery) -> list[tuple[str, Delivery]]:
    """Those that only this provider has."""
    keys, prove = KEYS[sender], lambda body: sender.genuine(body, keys=KEYS[sender])
    if sender is INCODE:
        status = {"interviewId": session_id, "onboardingStatus": canary("status"), "externalId": canary("reference")}
        passed = {"interviewId": session_id, "overallStatus": "FAIL", "errorCode": canary("error"), "token": BEARER}
        two = {"interviewId": session_id, "sessionId": canary("another")}
        return [("recorded", prove(status)), ("quarantined", prove(two)),
                ("recorded", replace(prove(passed), path="/incode/authentication")),
                ("recorded", replace(prove(status), path="/incode/another-kind")),
                ("refused", right.but("authorization", f"Bearer {BEARER}")),
                ("refused", right.but("x-incode-secret", canary("wrong")))]
    if sender is WULTRA:
        check = {"status": canary("status"), "rejectReason": canary("reason"), "provider": canary("provider")}
        failed = {
            "status": "FAILED", "errorDetail": canary("detail") + " é", "deviceData": {"ipAddress": "203.0.113.77"}}
        told = {"processId": session_id, "timestamp": canary("time"), "id": canary("event-id") + " é"}
        return [("recorded", prove({**told, "type": canary("type"), "userId": canary("user")})),
                ("recorded", prove({
                    **told, "id": canary("2") + " é", "type": "PROCESS_FINISHED", "eventData": {"process": failed}})),
                ("recorded", prove({**told, "id": canary("3") + " é", "type": "PRESENCE_CHECK_FINISHED", "eventData": {
                    "presenceCheck": {**check, "presenceCheckResult": {"frame": IMAGE}}}})),
                ("refused", right.but("authorization", f"Bearer {canary('bearer')}"))]
    payload = sender.approval(json.dumps(session_id), MEMBERS)
    signature = treezor_signature(payload, keys["secrets"][0])

    def enveloped(signature, payload=payload, **members):
        return replace(right, body=envelope(payload, signature, **members))

    def another(number, **members):
        """Of another state of the user: the same one is a copy, whatever its envelope says."""
        payload = sender.approval(json.dumps(session_id), f'{MEMBERS},"state":{number}')
        return enveloped(treezor_signature(payload, keys["secrets"][0]), payload, **members)

    asked = {"Type": "SubscriptionConfirmation", "SubscribeURL": canary("url"), "Token": canary("token")}
    return [("ignored", enveloped(signature, webhook=f"payin.{canary('event')}")),
            ("duplicate", enveloped(signature, webhook=f"qes.{canary('event')}", webhook_id=canary("webhook-id"))),
            ("recorded", another(1, webhook=f"qes.{canary('event')}", webhook_id=canary("webhook-id"))),
            ("recorded", another(
                2, webhook=[canary("event")], webhook_created_at=canary("time"), object_id=canary("object"))),
            ("quarantined", replace(right, body=json.dumps(asked).encode())),
            ("refused", enveloped(canary("signature"))), ("refused", enveloped(None)),
            ("refused", with_token(right, canary("another-token"))),
            ("refused", replace(right, body=canary("no-envelope").encode()))]


@pytest.mark.parametrize("sender", KEYS, ids=str)
def test_the_other_providers_webhooks_leave_nothing_personal_in_the_log(verdict, session_id, sender):
    credentials = {f"{sender.provider.upper()}_CREDENTIALS": json.dumps(KEYS[sender])}
    with copy(verdict, sender.function, **TALKATIVE, **credentials) as function:
        sent = sorts(sender, session_id)
        requests = [{**as_event(delivery.plus(("cookie", canary("cookie")), ("x-forwarded-for", "203.0.113.77"))),
                     "cookies": [canary("cookies")]} for _, delivery in sent]
        assert [function.answer(request).outcome for request in requests] == [outcome for outcome, _ in sent]
        assert function.answer({"warm-up": canary("warm-up")}).outcome == "refused"
        lines = logged(verdict, function, at_least=len(sent) + 1)
    told = [json.loads(line) for line in lines if '"message":"delivery"' in line]
    assert [line["outcome"] for line in told] == [outcome for outcome, _ in sent]
    # An id that could be a name is shown as its digest.
    sessions = [line["session"] for line in told if line["session"]]
    assert f"{sender}/{sender.session(session_id)}" in sessions
    assert any(session.startswith(f"{sender}/sha256:") for session in sessions)
    if sender is WULTRA:
        assert any("/sha256:" in line["eventKey"] for line in told if line["eventKey"])
    shown = [value for _, delivery in sent for _, value in delivery.headers if len(value) >= 16]
    assert_discreet(lines, IMAGE[:32], BEARER, *shown)


# ---- Where something goes wrong ----

#: By what can't be reached: what becomes of a webhook that can be read, and of one that can't.
OUT_OF_REACH = {
    ("DYNAMODB",): ["spooled", "quarantined"], ("SQS",): ["recorded", "failed"],
    ("DYNAMODB", "SQS"): ["failed", "failed"]}


@pytest.mark.parametrize("services", OUT_OF_REACH, ids=" and ".join)
@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_a_store_that_cannot_be_reached_leaves_nothing_personal_in_the_log(verdict, session_id, sender, services):
    sent = [sender.approves(session_id, MEMBERS), sender.approves(session_id, MEMBERS + ',"x":NaN')]
    nowhere = {f"AWS_ENDPOINT_URL_{service}": NOWHERE for service in services}
    with copy(verdict, sender.function, **TALKATIVE, **nowhere) as function:
        outcomes = [function.answer(as_event(delivery)).outcome for delivery in sent]
        lines = logged(verdict, function, at_least=2)
    assert outcomes == OUT_OF_REACH[services]
    assert any('"level":"ERROR"' in line for line in lines) == ("failed" in outcomes)
    assert any('"level":"WARN"' in line for line in lines)
    proofs = [value for delivery in sent for _, value in delivery.headers if len(value) >= 32]
    assert_discreet(lines, *proofs, json.dumps(sender.keys)[:40], IMAGE[:32], BEARER)
    intake.await_empty(verdict)


# ---- On the queues, and off them ----

def received(verdict, queue: str) -> list[dict]:
    """Takes up to ten messages off a queue, as SQS hands them out."""
    queues, url = verdict.client("sqs"), verdict.outputs[queue]
    messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])["Messages"]
    for message in messages:
        queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return messages


@pytest.fixture
def kept(verdict, quarantine, session_id) -> tuple[list[dict], list[dict]]:
    """What intake and quarantine hold of webhooks of every provider, with all in them that there could be."""
    quarantine.all()
    with intake.held(verdict):
        for sender in SENDERS:
            intake.spool(verdict, sender, [sender.approves(session_id, MEMBERS)])
            post(verdict, sender.approves(session_id, MEMBERS + ',"x":NaN'))
        return received(verdict, "IntakeQueueUrl"), received(verdict, "QuarantineQueueUrl")


def test_a_message_says_nothing_personal_about_the_webhook_in_it(kept):
    on_intake, in_quarantine = kept
    assert (len(on_intake), len(in_quarantine)) == (len(SENDERS), len(SENDERS))
    for message in on_intake + in_quarantine:
        content = json.loads(message["Body"])
        packed = content.pop("body")
        assert_discreet([json.dumps([content, message["MessageAttributes"]])])
        assert "canary" not in packed
    for message in on_intake:
        text = webhook_in(json.loads(message["Body"]))
        # What is personal has to be in it, to be recorded.
        assert canary("last-name") in text
        for secret in (IMAGE[:32], BEARER, canary("interview-token"), canary("api-key")):
            assert secret not in text


def webhook_in(content: dict) -> str:
    return gzip.decompress(base64.b64decode(content["body"])).decode()


def test_what_is_replayed_leaves_nothing_personal_in_the_log(verdict, kept, session_id):
    on_intake, in_quarantine = ([message["Body"] for message in messages] for messages in kept)
    foreign = [
        canary("text"), json.dumps({"kind": canary("kind")}),
        json.dumps({**json.loads(on_intake[0]), "body": canary("body")}),
        json.dumps({**json.loads(on_intake[0]), "provider": canary("provider")})]
    sessions = [{"provider": "veriff", "sessionId": name} for name in (session_id, f"{canary('id')} é", "unheard-of")]
    rebuilds = [json.dumps({"kind": "rebuild", **session}) for session in sessions]
    bodies = [*on_intake, *on_intake, *in_quarantine, *foreign, *rebuilds]
    batch = {"Records": [
        {"messageId": str(number), "receiptHandle": canary("receipt"), "body": body, "messageAttributes": {},
         "attributes": {"ApproximateReceiveCount": "1", "SenderId": OPERATOR}, "eventSource": "aws:sqs"}
        for number, body in enumerate(bodies)]}

    with copy(verdict, "Replay", **TALKATIVE) as function:
        stay = function.call(batch)["batchItemFailures"]
        lines = log(verdict, function, "intake")
    replayed = said(lines, "replay")
    assert collections.Counter(line["outcome"] for line in replayed) == {
        "recorded": len(on_intake), "duplicate": len(on_intake), "quarantined": len(in_quarantine)}
    assert [line["outcome"] for line in said(lines, "rebuild")] == ["unchanged", "refused", "refused"]
    assert [bodies[int(failure["itemIdentifier"])] for failure in stay] == foreign
    # Who sent what is logged on purpose.
    assert {line["who"] for line in said(lines, "rebuild")} == {OPERATOR}
    assert [line["sender"] for line in said(lines, "left to the quarantine")] == [OPERATOR] * len(foreign)
    assert_discreet(lines, IMAGE[:32], BEARER)

    for services in OUT_OF_REACH:
        nowhere = {f"AWS_ENDPOINT_URL_{service}": NOWHERE for service in services}
        with copy(verdict, "Replay", **TALKATIVE, **nowhere) as function:
            assert function.call(batch)["batchItemFailures"]
            lines = log(verdict, function, "intake")
        assert any('"level":"WARN"' in line for line in lines)
        assert_discreet(lines, IMAGE[:32], BEARER)


def test_a_preview_of_a_rebuild_leaves_nothing_personal_in_the_log(verdict, kept, session_id):
    sessions = [{"provider": "veriff", "sessionId": name} for name in (session_id, f"{canary('id')} é", "unheard-of")]
    for more in ({}, {"AWS_ENDPOINT_URL_DYNAMODB": NOWHERE}):
        with copy(verdict, "RebuildPreview", **TALKATIVE, **more) as function:
            assert len(function.call({"dryRun": sessions})["sessions"]) == len(sessions)
            lines = log(verdict, function, "preview", at_least=len(sessions))
        expected = ["failed"] * len(sessions) if more else ["refused"] * len(sessions)
        assert [line["outcome"] for line in said(lines, "preview")] == expected
        assert_discreet(lines, IMAGE[:32], BEARER)


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
