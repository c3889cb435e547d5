"""What happens after a decision reaches consumers, with the decision that stands; and their one rule holds after a
redrive, too."""
from __future__ import annotations

import json
import time
import uuid
from typing import Any

from .deliveries import ATTEMPT, Delivery, decision, genuine, post

#: Stands wherever a webhook names the person.
CANARY = "Canary Specimen"
#: What a message says of the decision that stands.
STANDING = ("outcome", "final", "reasonCode", "reasonCodes", "detail", "decidedAt", "attemptId", "reference",
            "providerUserId", "kind")
#: How often a message may be received before it becomes a dead letter; a receive more finds that out.
MAX_RECEIVES = 10
PATIENCE_SECONDS = 20


def hit(session_id: str, minute: int, *lists: str) -> Delivery:
    """A watchlist's result from ongoing monitoring, with a hit in each of these lists."""
    listings = {name: [{"sourceName": CANARY, "sourceUrl": None, "date": None}] for name in lists}
    hits = [{"matchedName": CANARY, "aka": [CANARY], "dateOfBirth": "1970", "listingsRelatedToMatch": listings}]
    return genuine({
        "checkType": "updated_result", "sessionId": session_id, "attemptId": ATTEMPT, "vendorData": "customer-1",
        "matchStatus": "possible_match" if lists else "no_match", "searchTerm": {"name": CANARY, "year": "1970"},
        "totalHits": len(lists), "createdAt": f"2026-06-12T09:{minute}:00Z", "hits": hits if lists else []})


def revocation(session_id: str) -> Delivery:
    """A status of one's own, set by a reviewer."""
    defined = {"status": CANARY, "statusCode": "revoked", "reason": CANARY, "reasonCode": None,
               "createdAt": "2026-06-12T09:51:00Z"}
    return genuine({
        "eventType": "user-status.created", "sessionId": session_id, "attemptId": ATTEMPT, "time": "2026-06-12T09:51:01Z",
        "data": {"verification": {"id": session_id, "userDefinedData": defined}}})


def approval(session_id: str, minute: int = 30) -> Delivery:
    person = {"firstName": CANARY, "lastName": CANARY, "dateOfBirth": "1970-01-01"}
    return genuine(decision(session_id, at=f"2026-06-12T09:{minute}:00Z", person=person))


def test_hits_and_a_revocation_after_an_approval_are_told_with_the_decision_that_stands(verdict, decisions, session_id):
    for delivery in (approval(session_id), hit(session_id, 31, "sanctions"), hit(session_id, 41, "sanctions", "pep"),
                     revocation(session_id)):
        assert post(verdict, delivery).outcome == "recorded"

    approved, *later = decisions.about(session_id)

    assert approved.body["type"] == "verdict.decision.v1" and "changes" not in approved.body["data"]
    assert len(later) == 3
    for message in later:
        assert message.body["type"] == message.attributes["type"] == "verdict.check.v1"
        assert message.attributes["outcome"] == message.body["data"]["previousOutcome"] == "approved"
        assert message.body["data"]["correction"] is False
        assert {name: message.body["data"][name] for name in STANDING} == {
            name: approved.body["data"][name] for name in STANDING}
    changes = [change for message in later for change in message.body["data"]["changes"]]
    members = ("check", "outcome", "previousOutcome", "reasonCodes")
    assert [tuple(change[name] for name in members) for change in changes] == [
        ("watchlist", "flagged", None, ["sanctions"]),
        ("watchlist", "flagged", "flagged", ["sanctions", "pep"]),
        ("user_status", "captured", None, ["revoked"])]
    assert [message.body["data"]["checks"] for message in later] == [
        {"watchlist": "flagged"}, {"watchlist": "flagged"}, {"watchlist": "flagged", "user_status": "captured"}]
    assert [message.body["time"] for message in later] == [change["at"] for change in changes]
    for message in (approved, *later):
        assert CANARY.split()[0] not in json.dumps([message.body, message.attributes])


def test_a_hit_before_the_decision_is_told_with_it_and_a_copy_after_it_is_not_told(verdict, decisions, session_id):
    for delivery in (hit(session_id, 21, "sanctions"), approval(session_id), hit(session_id, 21, "sanctions")):
        post(verdict, delivery)
    [approved] = decisions.about(session_id)
    assert approved.body["type"] == "verdict.decision.v1"
    assert approved.body["data"]["checks"] == {"watchlist": "flagged"}


class Consumer:
    """Follows the rule: drops what is not above the last sequence, and keeps what the latest message says."""

    def __init__(self, cannot_handle: int):
        self.cannot_handle = cannot_handle
        self.last = 0
        self.known: dict[str, Any] = {}
        self.handled: list[int] = []
        self.dropped: list[int] = []

    def take(self, data: dict) -> bool:
        """Returns whether the message can be deleted."""
        if data["sequence"] == self.cannot_handle:
            return False
        if data["sequence"] <= self.last:
            self.dropped.append(data["sequence"])
            return True
        self.last, self.known = data["sequence"], {name: data[name] for name in ("outcome", "attemptId", "checks")}
        self.handled.append(data["sequence"])
        return True


def test_a_message_that_is_redriven_after_a_later_one_is_dropped_and_the_consumer_knows_what_stands(verdict, decisions):
    session_id = str(uuid.uuid4())
    decisions.all()
    for delivery in (
            genuine(decision(session_id, "review", at="2026-06-12T09:20:00Z")), approval(session_id),
            hit(session_id, 31, "sanctions"), hit(session_id, 41),
            genuine(decision(session_id, "declined", at="2026-06-12T09:42:00Z")), hit(session_id, 51, "pep")):
        assert post(verdict, delivery).outcome == "recorded"
    consumer = Consumer(cannot_handle=5)

    consume(verdict, consumer, until=lambda: consumer.last == 6)
    assert consumer.handled == [1, 2, 3, 4, 6]
    assert redrive(verdict, session_id) == [5]
    consumer.cannot_handle = 0
    consume(verdict, consumer, until=lambda: consumer.dropped)

    assert (consumer.handled, consumer.dropped) == ([1, 2, 3, 4, 6], [5])
    record = verdict.session("veriff", session_id)
    assert consumer.known == {
        "outcome": record["decision"]["outcome"], "attemptId": record["decision"]["attemptId"],
        "checks": {name: check["outcome"] for name, check in record["checks"].items()}}
    assert consumer.known["outcome"] == "declined" and consumer.known["checks"] == {"watchlist": "flagged"}


def consume(verdict, consumer: Consumer, until) -> None:
    """Receives one message after the other, and puts back at once what can't be handled."""
    queues, url = verdict.client("sqs"), verdict.outputs["DecisionsQueueUrl"]
    end = time.monotonic() + PATIENCE_SECONDS
    while not until():
        assert time.monotonic() < end, consumer.handled
        for message in queues.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages", []):
            handle = message["ReceiptHandle"]
            if consumer.take(json.loads(message["Body"])["data"]):
                queues.delete_message(QueueUrl=url, ReceiptHandle=handle)
            else:
                queues.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)


def redrive(verdict, session_id: str) -> list[int]:
    """Sends a session's dead letters back, as an operator does by hand; their sequences."""
    queues, sequences = verdict.operator("sqs"), []
    received = queues.receive_message(
        QueueUrl=verdict.outputs["DecisionsDeadLetterQueueUrl"], MaxNumberOfMessages=10, WaitTimeSeconds=2,
        AttributeNames=["All"])
    for message in received["Messages"]:
        data = json.loads(message["Body"])["data"]
        assert data["sessionId"] == session_id
        assert int(message["Attributes"]["ApproximateReceiveCount"]) > MAX_RECEIVES
        queues.send_message(
            QueueUrl=verdict.outputs["DecisionsQueueUrl"], MessageBody=message["Body"],
            MessageGroupId=message["Attributes"]["MessageGroupId"], MessageDeduplicationId=str(uuid.uuid4()))
        queues.delete_message(
            QueueUrl=verdict.outputs["DecisionsDeadLetterQueueUrl"], ReceiptHandle=message["ReceiptHandle"])
        sequences.append(data["sequence"])
    return sequences
