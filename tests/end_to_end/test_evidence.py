"""What can be shown later: what proves an event, where a refused webhook came from, who has read a record, and who has had
one rebuilt."""
from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
import uuid

import pytest
from attacks import on_binaries

from .deliveries import DECISIONS, SENDERS, VERIFF, as_event, decision, genuine, post
from .functions import copy, deployed
from .intake import held, spool, waiting
from .logs import TALKATIVE, assert_discreet, log, said
from .reading import asked, quote
from .table import items

ARN = "arn:aws:sts::123456789012:assumed-role/support/operator-1"
BY_PATH = "/sessions/{provider}/{sessionId}"
NOWHERE = "http://127.0.0.1:9"

each_sender = pytest.mark.parametrize("sender", SENDERS, ids=str)


def sha256(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def from_address(delivery, address):
    """The event of a delivery, from that address."""
    event = as_event(delivery)
    event["requestContext"]["http"]["sourceIp"] = address
    return event


# ---- Evidence ----

@each_sender
def test_an_events_evidence_is_shown_and_holds_no_secret(verdict, sender):
    session_id = str(uuid.uuid4().int)[:12]
    delivery = sender.approves(session_id)
    assert post(verdict, delivery).outcome == "recorded"
    status, page = verdict.get(f"/sessions/{sender.provider}/{quote(sender.session(session_id))}/events")
    assert status == 200
    [event] = page["events"]
    evidence = event["evidence"]
    assert evidence["bodySha256"] == sha256(delivery.body)
    signature = evidence["signature"]
    assert (signature is not None) == (sender.provider in ("veriff", "treezor"))
    assert signature is None or signature in delivery.body.decode() + json.dumps(dict(delivery.headers))
    assert evidence["credentials"] and all(
        set(matched) == {"member", "position", "of"} and 1 <= matched["position"] <= matched["of"]
        for matched in evidence["credentials"])


def test_evidence_travels_through_intake(verdict, session_id):
    delivery = genuine(decision(session_id))
    with held(verdict):
        spool(verdict, VERIFF, [delivery])
        [message] = [message for message in waiting(verdict) if session_id in message["eventKey"]]
    assert message["evidence"] == {"bodySha256": sha256(delivery.body), "signature": delivery.signature,
                                   "credentials": [{"member": "secrets", "position": 1, "of": 1}]}
    end = time.monotonic() + 20
    while not (events := items(verdict, session_id, "EVENT")):
        assert time.monotonic() < end
        time.sleep(0.2)
    assert events[0]["evidence"]["M"]["signature"]["S"] == delivery.signature


# ---- Refusals ----

@on_binaries("a bearer secret from another address")
def test_a_refused_webhook_says_where_it_came_from_and_no_header_does(verdict, session_id):
    sender = next(sender for sender in SENDERS if sender.provider == "wultra")
    credentials = json.dumps({**sender.keys, "allowedCidrs": ["203.0.113.0/24", "2001:db8::/32"]})
    delivery = sender.approves(session_id)
    forwarded = delivery.plus(("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=203.0.113.7"))
    with copy(verdict, sender.function, WULTRA_CREDENTIALS=credentials) as function:
        answers = [function.answer(from_address(*request)).outcome for request in (
            (forwarded, "198.51.100.1"), (forwarded, ""), (delivery, "::ffff:203.0.113.7"), (delivery, "2001:db8::1"))]
        lines = said(log(verdict, function, "delivery", at_least=4), "delivery")
    assert answers == ["refused", "refused", "recorded", "duplicate"]
    assert [(line["reason"], line.get("source")) for line in lines] == [
        ("address_not_allowed", "198.51.100.1"), ("address_not_allowed", None), (None, None), (None, None)]
    assert "source" not in lines[2]


@on_binaries("a flood")
@each_sender
def test_a_body_above_the_limit_is_refused_before_its_proof_and_answered_like_any_other(verdict, sender):
    session_id = str(uuid.uuid4().int)[:12]
    delivery = sender.approves(session_id)
    limit = str(len(delivery.body) - 1)
    forged = sender.genuine(b"{" + b" " * len(delivery.body) + b"}")
    with copy(verdict, sender.function, BODY_LIMIT=limit) as function:
        event = as_event(delivery)
        too_large, unproved = function.answer(event), function.answer({**event, "headers": {}, "body": "{}"})
        assert (too_large.status, too_large.body) == (unproved.status, unproved.body) and too_large.status == sender.refusal
        assert function.answer(as_event(forged)).outcome == "refused"
        lines = said(log(verdict, function, "delivery", at_least=3), "delivery")
    assert [line["reason"] == "body_too_large" for line in lines] == [True, False, True]
    assert lines[0]["bodyTooLarge"] == 1
    with copy(verdict, sender.function, BODY_LIMIT=str(len(delivery.body))) as function:
        assert function.answer(as_event(delivery)).outcome == "recorded"


# ---- Who has read ----

@on_binaries("a record read in secret")
def test_each_read_of_a_record_is_logged_with_who_and_which(verdict, session_id):
    reference = f"canary-{session_id}"
    post(verdict, genuine(decision(session_id, vendorData=reference)))
    since = verdict.session("veriff", session_id)["statusSince"]
    of = {"provider": "veriff", "sessionId": session_id}
    with copy(verdict, "SessionsApi", **TALKATIVE) as function:
        answers = [function.answer(event) for event in (
            asked(BY_PATH, caller=ARN, **of),
            asked(BY_PATH + "/events", caller=ARN, **of),
            asked(BY_PATH + "/notifications", caller=ARN, **of),
            asked("/sessions", f"reference={reference}", ARN),
            asked("/sessions", f"status=decided&provider=veriff&outcome=approved&since={since}", ARN),
            asked("/sessions", f"session=veriff%2F{session_id}-x", ARN),
            asked("/sessions", f"status={reference}"))]
        lines = log(verdict, function, "read", at_least=7)
    assert_discreet(lines, reference)
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 200, 404, 400]
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers)
    read = said(lines, "read")
    name = f"veriff/{session_id}"
    assert [(line["caller"], line.get("asked"), line.get("session"), line["outcome"]) for line in read] == [
        (ARN, "session", name, "shown"), (ARN, "events", name, "shown"), (ARN, "notifications", name, "shown"),
        (ARN, "reference", None, "shown"), (ARN, "status", None, "shown"),
        (ARN, "session", f"{name}-x", "session_not_found"), (None, None, None, "bad_request")]
    assert (read[3]["reference"], read[3]["sessions"]) == (f"sha256:{sha256(reference)}", [name])
    assert read[4]["list"] == {"status": "decided", "provider": "veriff", "outcome": "approved",
                               "since": since, "until": None}
    assert name in read[4]["sessions"]


@on_binaries("a record read in secret")
@pytest.mark.parametrize("logical_id", ["SessionsApi", "SessionPayloads"])
def test_no_cache_may_store_an_answer_of_the_session_routes(verdict, session_id, logical_id):
    route = BY_PATH + ("/events/{eventId}/payload" if logical_id == "SessionPayloads" else "")
    of = {"provider": "veriff", "sessionId": session_id, "eventId": "x"}
    with copy(verdict, logical_id, AWS_ENDPOINT_URL_DYNAMODB=NOWHERE) as away:
        answers = [away.answer(asked(route, caller=ARN, **of))]
    function = deployed(verdict, logical_id)
    answers += [function.answer(asked(route, **of)), function.answer(asked(route, "x=y", **of)), function.answer({})]
    assert [answer.status for answer in answers] == [503, 404, 400, 400]
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers)


# ---- What is on intake ----

@on_binaries("a message on intake that unpacks to more than fits")
def test_a_small_message_that_unpacks_to_33_mb_is_refused_and_the_others_of_its_batch_are_recorded(verdict, session_id):
    others = [f"{session_id}-{number}" for number in (1, 2)]
    with held(verdict):
        spool(verdict, VERIFF, [genuine(decision(other)) for other in others])
        messages = [message for message in waiting(verdict) if session_id in message["eventKey"]]
    bomb = {**messages[0], "body": base64.b64encode(gzip.compress(b" " * 33_000_000)).decode()}
    with copy(verdict, "Replay") as function:
        answer = function.call({"Records": [
            {"messageId": str(number), "receiptHandle": "none", "body": json.dumps(message),
             "attributes": {"SenderId": "AROAEXAMPLE:forger", "SentTimestamp": "1781308800000"}}
            for number, message in enumerate([messages[0], bomb, messages[1]])]})
        assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
        [line] = said(log(verdict, function, "left to the quarantine"), "left to the quarantine")
    assert (line["sender"], line["level"]) == ("AROAEXAMPLE:forger", "ERROR")
    assert all(items(verdict, other, "STATE") for other in others)


def test_a_rebuild_says_who_asked_for_it_and_why(verdict, session_id):
    post(verdict, genuine(decision(session_id), path=DECISIONS))
    request = {"kind": "rebuild", "provider": "veriff", "sessionId": session_id}
    with copy(verdict, "Replay") as function:
        for number, more in enumerate([{"reason": "TICKET-7: reader corrected"}, {"reason": "canary@é"}, {}]):
            record = {"messageId": str(number), "receiptHandle": "none", "body": json.dumps({**request, **more}),
                      "attributes": {"SenderId": "AROAEXAMPLE:operator-1"}}
            assert function.call({"Records": [record]}) == {"batchItemFailures": []}
        lines = log(verdict, function, "rebuild", at_least=3)
    rebuilds = said(lines, "rebuild")
    assert [(line["who"], line["why"], line["outcome"]) for line in rebuilds] == [
        ("AROAEXAMPLE:operator-1", "TICKET-7: reader corrected", "unchanged"), ("AROAEXAMPLE:operator-1", None, "unchanged"),
        ("AROAEXAMPLE:operator-1", None, "unchanged")]
    assert_discreet(lines, "canary")
