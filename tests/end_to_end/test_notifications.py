"""What consumers read from the decisions queue."""
from __future__ import annotations

import hashlib
import json
import uuid

import pytest

from .deliveries import ATTEMPT, EVENTS, decision, event, genuine, post


def test_a_notification_is_a_cloud_event_with_exactly_the_members_of_its_description(verdict, decisions, session_id):
    post(verdict, genuine(decision(
        session_id, "declined", at="2026-06-13T00:38:30.861285Z", reason="Document damaged", reasonCode=102,
        vendorData="12345678", endUserId="c75b4569-0528-4004-aecc-8dc8c9b46b6e",
        person={"firstName": "SAMPLE", "lastName": "SPECIMEN"}, document={"number": "SPECIMEN000001"})))

    [message] = decisions.about(session_id)

    assert message.body == {
        "specversion": "1.0",
        "id": f"veriff/{session_id}/1",
        "source": "/sessions/veriff",
        "type": "verdict.decision.v1",
        "subject": session_id,
        "time": "2026-06-13T00:38:30.861285Z",
        "datacontenttype": "application/json",
        "data": {
            "provider": "veriff",
            "sessionId": session_id,
            "kind": "verification",
            "attemptId": ATTEMPT,
            "sequence": 1,
            "outcome": "declined",
            "final": True,
            "previousOutcome": None,
            "reasonCode": "102",
            "reasonCodes": ["102"],
            "detail": {},
            "correction": False,
            "decidedAt": "2026-06-13T00:38:30.861285Z",
            "reference": "12345678",
            "providerUserId": "c75b4569-0528-4004-aecc-8dc8c9b46b6e",
            "checks": {},
        },
    }
    assert message.attributes == {
        "provider": "veriff", "outcome": "declined", "final": "true", "type": "verdict.decision.v1"}
    assert (message.group, message.deduplication) == (f"veriff/{session_id}", f"veriff/{session_id}/1")


def test_what_is_not_final_says_so(verdict, decisions, session_id):
    post(verdict, genuine(decision(session_id, "review")))
    [message] = decisions.about(session_id)
    assert message.body["data"]["final"] is False
    assert message.attributes["final"] == "false"


@pytest.mark.parametrize("end", [" with a space", "é", "x" * 200], ids=["space", "accent", "length"])
def test_a_session_id_that_sqs_would_refuse_goes_in_as_its_digest(verdict, decisions, session_id, end):
    session_id += end
    post(verdict, genuine(decision(session_id)))
    [message] = decisions.about(session_id)
    assert message.group == hashlib.sha256(f"veriff/{session_id}".encode()).hexdigest()
    assert message.deduplication == hashlib.sha256(f"veriff/{session_id}/1".encode()).hexdigest()
    assert message.body["id"] == f"veriff/{session_id}/1"


@pytest.mark.parametrize("code", ["two words", "x" * 65, "é", "", "1;2"])
def test_a_reason_code_that_is_text_stays_out(verdict, decisions, session_id, code):
    post(verdict, genuine(decision(session_id, "declined", reasonCode=code)))
    [message] = decisions.about(session_id)
    assert message.body["data"]["reasonCode"] is None


def test_progress_and_copies_notify_nobody(verdict, decisions, session_id):
    post(verdict, genuine(event(session_id), path=EVENTS))
    post(verdict, genuine(event(session_id, 7002, "submitted"), path=EVENTS))
    assert decisions.about(session_id) == []
    for _ in range(2):
        post(verdict, genuine(decision(session_id)))
    # The same decision, told again with a later time.
    post(verdict, genuine(decision(session_id, at="2026-06-12T11:00:00Z")))
    assert len(decisions.about(session_id)) == 1


def test_another_reason_code_or_attempt_is_another_decision(verdict, decisions, session_id):
    for hour, code, attempt in [("09", 101, ATTEMPT), ("10", 102, ATTEMPT), ("11", 102, "next")]:
        post(verdict, genuine(decision(
            session_id, "declined", at=f"2026-06-12T{hour}:00:00Z", reasonCode=code, attemptId=attempt)))
    told = [message.body["data"] for message in decisions.about(session_id)]
    assert [(data["sequence"], data["reasonCode"], data["attemptId"], data["previousOutcome"]) for data in told] == [
        (1, "101", ATTEMPT, None), (2, "102", ATTEMPT, "declined"), (3, "102", "next", "declined")]


def test_a_notification_that_is_not_taken_off_the_queue_holds_up_its_own_session_alone(verdict, decisions, session_id):
    decisions.all()
    queues, url, other = verdict.client("sqs"), verdict.outputs["DecisionsQueueUrl"], str(uuid.uuid4())
    for session, status, hour in [
            (session_id, "review", "09"), (session_id, "approved", "10"), (other, "declined", "09")]:
        post(verdict, genuine(decision(session, status, at=f"2026-06-12T{hour}:00:00Z")))

    def receive(most: int) -> dict:
        received = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=most, VisibilityTimeout=60)
        return {json.loads(message["Body"])["id"]: message["ReceiptHandle"] for message in received.get("Messages", [])}

    stuck = receive(1)
    assert list(stuck) == [f"veriff/{session_id}/1"]
    of_others = receive(10)
    assert list(of_others) == [f"veriff/{other}/1"]
    for handle in of_others.values():
        queues.delete_message(QueueUrl=url, ReceiptHandle=handle)
    assert receive(10) == {}
    [handle] = stuck.values()
    queues.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert [told.body["data"]["sequence"] for told in decisions.about(session_id)] == [1, 2]
