"""A look at the quarantine: what it shows of whatever lies there, and that all of it is given back."""
from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import pytest
from verdict import quarantine
from verdict.quarantine import Quarantined, look

WEBHOOK = {
    "kind": "webhook", "reason": "not_json", "message": "the body is not a JSON document (at byte 1)", "provider": "veriff",
    "path": "/veriff/decisions", "receivedAt": "2026-06-13T00:40:00.5Z", "eventKey": "veriff/s/e", "bytes": 42,
    "sha256": "04b396a0", "evidence": {"bodySha256": "04b396a0", "signature": "SAMPLE", "credentials": []},
    "encoding": "gzip+base64", "body": "SAMPLE"}


class Queue:
    """A standard queue of SQS's, of so many messages, of which it hands out as many as it likes."""

    def __init__(self, count=0, body=WEBHOOK, hands_out=10, about=None):
        self.visible = {f"m{number}": json.dumps(body) for number in range(count)}
        self.hidden: dict[str, str] = {}
        self.hands_out, self.about = hands_out, count if about is None else about
        self.receives, self.batches = itertools.count(), []
        self.breaks_at: dict[int, BaseException] = {}

    def get_queue_attributes(self, QueueUrl, AttributeNames):
        assert set(AttributeNames) == {"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}
        counts = {"ApproximateNumberOfMessages": self.about - 1, "ApproximateNumberOfMessagesNotVisible": 1}
        return {"Attributes": {name: str(count) for name, count in counts.items()}}

    def receive_message(self, QueueUrl, MaxNumberOfMessages, VisibilityTimeout, WaitTimeSeconds, AttributeNames):
        assert 1 <= MaxNumberOfMessages <= 10 and VisibilityTimeout <= 30
        if error := self.breaks_at.get(next(self.receives)):
            raise error
        handed = list(self.visible)[:min(MaxNumberOfMessages, self.hands_out)]
        self.hidden |= {name: self.visible.pop(name) for name in handed}
        return {"Messages": [{
            "MessageId": name, "ReceiptHandle": f"handle {name}", "Body": self.hidden[name],
            "Attributes": {"SentTimestamp": "1781311200500", "ApproximateReceiveCount": "2"}} for name in handed]}

    def change_message_visibility_batch(self, QueueUrl, Entries):
        assert len(Entries) <= 10 and {entry["VisibilityTimeout"] for entry in Entries} == {0}
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        self.batches.append(len(Entries))
        for entry in Entries:
            name = entry["ReceiptHandle"].removeprefix("handle ")
            self.visible[name] = self.hidden.pop(name)
        return {"Successful": [], "Failed": []}


def stack_of(queue):
    """A stack with that quarantine. SQS is all that its operator is asked for."""
    def client(service):
        assert service == "sqs"
        return queue

    return SimpleNamespace(operator=lambda: SimpleNamespace(client=client), queue_url=lambda name: f"https://sqs/{name}")


def test_all_that_is_received_is_given_back():
    queue = Queue(25)
    found = look(stack_of(queue), 100)
    assert (found.about, len(found.messages), len(queue.visible), queue.hidden) == (25, 25, 25, {})
    assert queue.batches == [10, 10, 5]


def test_no_more_are_received_than_asked_for():
    queue = Queue(25)
    found = look(stack_of(queue), 12)
    assert (found.about, len(found.messages), queue.batches) == (25, 12, [10, 2])
    assert found.json["looked"] == 12


def test_a_look_ends_when_nothing_more_comes():
    # There are more, as SQS says, but it hands them to another reader.
    found = look(stack_of(Queue(3, about=9)), 100)
    assert (found.about, len(found.messages)) == (9, 3)


def test_it_does_not_wait_for_more_than_there_are():
    queue = Queue(3)
    look(stack_of(queue), 100)
    assert next(queue.receives) == 1


def test_there_are_at_least_as_many_as_were_seen():
    assert look(stack_of(Queue(10, about=2)), 100).about == 10


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("the connection broke")])
def test_whatever_ends_a_look_what_was_received_is_given_back(error):
    queue = Queue(25)
    queue.breaks_at = {2: error}
    with pytest.raises(type(error)):
        look(stack_of(queue), 100)
    assert (len(queue.visible), queue.hidden, queue.batches) == (25, {}, [10, 10])


class Doubling(Queue):
    """A queue that hands out its messages twice."""

    def receive_message(self, QueueUrl, MaxNumberOfMessages, *question, **more):
        messages = super().receive_message(QueueUrl, 1, *question, **more)["Messages"]
        return {"Messages": messages * 2}

    def change_message_visibility_batch(self, QueueUrl, Entries):
        self.batches.append(len(Entries))


def test_a_message_that_comes_twice_is_shown_once_and_both_are_given_back():
    queue = Doubling(2)
    assert len(look(stack_of(queue), 2).messages) == 1
    assert queue.batches == [2]


def of(body) -> Quarantined:
    """What is seen of a message with that body."""
    return Quarantined.of({"MessageId": "m", "Body": body if isinstance(body, str) else json.dumps(body), "Attributes": {}})


def test_a_webhook_is_shown_without_its_body_its_signature_and_what_else_there_is():
    queue = Queue(1, body={**WEBHOOK, "anything": "SAMPLE"})
    [shown] = look(stack_of(queue), 1).json["messages"]
    assert shown == {
        "messageId": "m0", "kind": "webhook", "reason": "not_json",
        "message": "the body is not a JSON document (at byte 1)", "provider": "veriff", "path": "/veriff/decisions",
        "receivedAt": "2026-06-13T00:40:00.5Z", "bytes": 42, "sha256": "04b396a0", "eventKey": "veriff/s/e",
        "sentAt": "2026-06-13T00:40:00.500Z", "receives": 2}


@pytest.mark.parametrize("body", [
    "SAMPLE", "", "[\"SAMPLE\"]", "\"SAMPLE\"", "null", "[" * 100_000, "{", {"reason": "SAMPLE", "path": "SAMPLE"},
    {**WEBHOOK, "kind": ["webhook"]}])
def test_of_what_verdict_did_not_write_nothing_is_shown(body):
    shown = of(body).json
    assert {name for name, value in shown.items() if value is not None} == {"messageId"}


def test_of_a_request_that_failed_too_often_its_kind_is_shown():
    shown = of({"kind": "rebuild", "provider": "veriff", "sessionId": "s", "reason": "TICKET-7"}).json
    assert {name: value for name, value in shown.items() if value is not None} == {"messageId": "m", "kind": "rebuild"}


@pytest.mark.parametrize("value", [None, 7, True, ["x"], {"x": "y"}])
def test_a_member_of_another_form_is_left_out(value):
    shown = of({**WEBHOOK, "reason": value, "bytes": str(value)}).json
    assert (shown["reason"], shown["provider"]) == (None, "veriff")
    assert shown["bytes"] == (7 if value == 7 and value is not True else None)


def test_a_text_is_shown_up_to_a_limit():
    assert of({**WEBHOOK, "path": "x" * 100_000}).path == "x" * quarantine.LONGEST
