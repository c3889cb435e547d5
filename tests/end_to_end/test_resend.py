"""What was told is sent again on an operator's request: as it was, in order, and only what was asked for."""
from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from . import table
from .deliveries import decision, genuine, post
from .functions import deployed, relay_until
from .inbox import Message
from .intake import await_empty
from .logs import log, said

OUTCOMES = ["review", "declined", "approved"]
REASON = "TICKET-9: consumer lost its store"


class Consumer:
    """A consumer that follows the one rule."""

    def __init__(self) -> None:
        self.last, self.handled = 0, list[int]()

    def take(self, messages: list[Message]) -> None:
        for message in messages:
            if (sequence := message.body["data"]["sequence"]) > self.last:
                self.last = sequence
                self.handled.append(sequence)


def messages_of(decisions, session_id: str) -> list[Message]:
    """A session's messages in the order in which the queue took them."""
    return [message for message in decisions.all() if message.body["subject"] == session_id]


def tell(verdict, session_id: str) -> None:
    """Has each outcome told of a session."""
    for minute, outcome in enumerate(OUTCOMES):
        webhook = genuine(decision(session_id, outcome, f"2026-06-12T09:3{minute}:00.000001Z"))
        assert post(verdict, webhook).outcome == "recorded"
    relay_until(verdict, lambda: not table.outbox(verdict, session_id))


def request(session_id: str, first: int, **more: Any) -> str:
    return json.dumps({"kind": "resend", "provider": "veriff", "sessionId": session_id, "from": first, **more})


def resend(verdict, *requests: str) -> None:
    """Puts requests on intake, as the operator, and waits until they are done."""
    for body in requests:
        verdict.operator("sqs").send_message(QueueUrl=verdict.outputs["IntakeQueueUrl"], MessageBody=body)
    await_empty(verdict)


def lines_of(verdict, session_id: str) -> list[dict[str, Any]]:
    """What `replay` has logged of resends of a session."""
    lines = said(log(verdict, deployed(verdict, "Replay"), "resend"), "resend")
    return [line for line in lines if line["session"] == f"veriff/{session_id}"]


@pytest.fixture
def told(verdict, decisions, session_id) -> list[Message]:
    """The messages of a session that the consumer has received."""
    tell(verdict, session_id)
    received = messages_of(decisions, session_id)
    assert [message.body["data"]["sequence"] for message in received] == [1, 2, 3]
    return received


def test_a_consumer_that_went_back_handles_each_message_once_and_one_that_did_not_drops_them(
        verdict, decisions, session_id, told):
    steady, restored = Consumer(), Consumer()
    steady.take(told)
    restored.take(told)
    restored.last = 1
    items = [item for item in table.items(verdict, session_id) if item["sk"]["S"] != "RESEND"]

    resend(verdict, request(session_id, 2, reason=REASON, requestId="ticket-9"))

    again = messages_of(decisions, session_id)[len(told):]
    assert [message.body for message in again] == [message.body for message in told[1:]]
    assert [message.attributes for message in again] == [
        {**message.attributes, "resent": "true"} for message in told[1:]]
    assert [message.group for message in again] == [message.group for message in told[1:]]
    assert [message.deduplication for message in again] == ["resent/ticket-9/2", "resent/ticket-9/3"]
    steady.take(again)
    restored.take(again)
    assert (steady.handled, restored.handled) == ([1, 2, 3], [1, 2, 3, 2, 3])
    assert [item for item in table.items(verdict, session_id) if item["sk"]["S"] != "RESEND"] == items

    [line] = lines_of(verdict, session_id)
    assert {name: line[name] for name in ("outcome", "reason", "from", "first", "to", "resent", "why", "request")} == {
        "outcome": "sent", "reason": None, "from": 2, "first": 2, "to": 3, "resent": 2, "why": REASON,
        "request": "ticket-9"}
    assert line["who"], "SQS says who sent the request"


def test_a_request_that_comes_twice_is_carried_out_once_and_another_one_again(verdict, decisions, session_id, told):
    for requests, sent in [(("a", "a"), [3]), (("b",), [3, 3])]:
        resend(verdict, *(request(session_id, 3, requestId=name) for name in requests))
        again = messages_of(decisions, session_id)[len(told):]
        assert [message.body["data"]["sequence"] for message in again] == sent


def test_a_request_for_what_was_never_told_is_done_and_says_why(verdict, decisions, session_id, told):
    unknown = str(uuid.uuid4())
    resend(verdict, request(unknown, 1), request(session_id, 4))
    assert [line["reason"] for line in lines_of(verdict, unknown)] == ["session_not_found"]
    [line] = lines_of(verdict, session_id)
    assert (line["outcome"], line["reason"], line["to"]) == ("refused", "from_above_last", 3)
    assert messages_of(decisions, session_id) == told and messages_of(decisions, unknown) == []


def test_a_kind_of_message_that_a_later_release_writes_is_left_on_the_queue(verdict):
    """As the release before leaves a resend."""
    record = {"messageId": "later", "receiptHandle": "none", "body": json.dumps({"kind": "kind-of-a-later-release"})}
    answer = deployed(verdict, "Replay").call({"Records": [record]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "later"}]}
    left = said(log(verdict, deployed(verdict, "Replay"), "left to the quarantine"), "left to the quarantine")
    assert "this release of Verdict doesn't know this kind of message" in [line["error"] for line in left]
