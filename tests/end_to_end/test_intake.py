"""What waits on intake and what comes from quarantine: recorded once, however often it is tried, and nothing that is in
nobody's power to record holds up the rest."""
from __future__ import annotations

import json
import os
import threading
import time
import uuid
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError
from stack.wire import Fate, Wire
from verdict.redrive import move

from . import intake
from .deliveries import SENDERS, WULTRA, post
from .functions import deployed, kill, relay_until
from .inbox import as_json
from .table import items, size

#: What the webhooks of all providers alike decide counts here.
pytestmark = pytest.mark.usefixtures("believing")

PATIENCE_SECONDS = 20
#: For so long `replay` puts off a message that it has received for the first time.
FIRST_PAUSE_SECONDS = 15


def sessions(count: int) -> list[str]:
    return [str(uuid.uuid4()) for _ in range(count)]


def recorded(verdict, session_id: str) -> int:
    return len(items(verdict, session_id, "EVENT", WULTRA.provider))


def unpublished(verdict, session_id: str) -> int:
    return len(items(verdict, session_id, "NOTIFICATION", WULTRA.provider))


# ---- Killed ----

@pytest.mark.skipif(not os.path.exists("/proc"), reason="/proc is where a function's process is found")
def test_a_batch_whose_function_dies_after_a_transaction_comes_back_and_counts_once(verdict, decisions):
    batch = sessions(3)
    transactions, dead = [], threading.Event()

    # The first webhook is recorded, and its message confirmed; the second is recorded.
    def silent_from_the_third_on(operation: str) -> Fate:
        if operation.endswith("TransactWriteItems"):
            transactions.append(operation)
        if dead.is_set() or len(transactions) < 3:
            return Fate.PASSED_ON
        return Fate.ANSWER_LOST if len(transactions) == 3 else Fate.LOST

    with Wire(verdict.endpoint, silent_from_the_third_on) as wire, \
            verdict.reconfigured("Replay", AWS_ENDPOINT_URL_DYNAMODB=wire.url), \
            intake.with_attributes(verdict, VisibilityTimeout="5"):
        with intake.held(verdict):
            intake.spool(verdict, WULTRA, [WULTRA.approves(session) for session in batch])
            # Found before, since it gives up on the table after a few seconds.
            deployed(verdict, "Replay").call({"Records": []})
            process = deployed(verdict, "Replay").process()
        wire.await_loss(PATIENCE_SECONDS)
        kill(process)
        dead.set()
        assert [recorded(verdict, session) for session in batch] == [1, 1, 0]
        assert [unpublished(verdict, session) for session in batch] == [0, 1, 0]
        # Its answer would have taken them off the queue.
        assert verdict.depth("IntakeQueueUrl") == 3
        intake.await_empty(verdict)

    relay_until(verdict, lambda: not any(unpublished(verdict, session) for session in batch))
    for session in batch:
        record = verdict.session("wultra", session)
        assert (record["version"], record["events"], record["notifications"]) == (1, 1, 1)
        assert [told.body["id"] for told in decisions.about(session)] == [f"wultra/{session}/1"]


# ---- Who may put something there ----

def test_not_even_the_account_s_root_user_puts_anything_on_intake(verdict):
    depth = verdict.depth("IntakeQueueUrl")
    with pytest.raises(ClientError, match="AccessDenied"):
        verdict.client("sqs").send_message(QueueUrl=verdict.outputs["IntakeQueueUrl"], MessageBody="a forged webhook")
    assert verdict.depth("IntakeQueueUrl") == depth


@pytest.mark.parametrize("queue", ["DecisionsDeadLetterQueueUrl", "QuarantineQueueUrl"])
def test_the_operator_puts_messages_only_where_a_redrive_ends(verdict, queue):
    fifo = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if "DeadLetter" in queue else {}
    with pytest.raises(ClientError, match="AccessDenied"):
        verdict.operator("sqs").send_message(QueueUrl=verdict.outputs[queue], MessageBody="a message", **fifo)


# ---- From quarantine, and back ----

def send_back(verdict) -> int:
    queues = verdict.operator("sqs")
    return move(queues, queues, verdict.outputs["QuarantineQueueUrl"], verdict.outputs["IntakeQueueUrl"])


def by_digest(messages: list[dict]) -> list[dict]:
    return sorted(messages, key=lambda message: message["sha256"])


def test_what_is_unreadable_still_comes_back_to_quarantine_as_it_was(verdict, decisions, quarantine, session_id):
    quarantine.all()
    intake.await_empty(verdict)
    sent = [sender.approves(session_id, ',"x":NaN') for sender in SENDERS]
    assert [post(verdict, delivery).outcome for delivery in sent] == ["quarantined"] * len(sent)
    before, facts = by_digest(intake.waiting(verdict, "QuarantineQueueUrl")), size(verdict)
    assert [(kept["kind"], kept["reason"]) for kept in before] == [("webhook", "not_json")] * len(sent)

    with intake.held(verdict):
        assert send_back(verdict) == len(sent)
        assert verdict.depth("QuarantineQueueUrl") == 0
        assert by_digest(intake.waiting(verdict)) == before
    intake.await_empty(verdict)

    # Body, arrival and reason: everything.
    assert by_digest(intake.waiting(verdict, "QuarantineQueueUrl")) == before
    again = [message for delivery in sent for message in quarantine.holding(delivery.body)]
    assert [message.attributes for message in again] == [
        {"provider": sender.provider, "reason": "not_json"} for sender in SENDERS]
    assert size(verdict) == facts and decisions.about(session_id) == []


def test_what_has_become_readable_is_recorded_under_its_arrival(verdict, decisions, quarantine):
    quarantine.all()
    intake.await_empty(verdict)
    queues, arrivals = verdict.client("sqs"), {}
    # Not more than 60 days before the message is sent.
    arrival = (datetime.now(timezone.utc) - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%S.861285Z")
    for sender in SENDERS:
        session = str(uuid.uuid4())
        with intake.held(verdict):
            intake.spool(verdict, sender, [sender.approves(session)])
            [kept] = intake.waiting(verdict)
            queues.purge_queue(QueueUrl=verdict.outputs["IntakeQueueUrl"])
        # As an older reader would have put it aside.
        arrivals[sender, session] = kept["receivedAt"] = arrival
        with intake.with_attributes(verdict, "QuarantineQueueUrl", Policy=""):
            queues.send_message(
                QueueUrl=verdict.outputs["QuarantineQueueUrl"],
                MessageBody=json.dumps({**kept, "reason": "no_session_id", "message": "there is no session id"}))

    assert send_back(verdict) == len(SENDERS)
    intake.await_empty(verdict)

    assert verdict.depth("QuarantineQueueUrl") == 0
    for (sender, session), arrival in arrivals.items():
        record = verdict.session(sender.provider, sender.session(session))
        assert (record["decision"]["outcome"], record["events"]) == ("approved", 1)
        assert record["firstEventAt"] == arrival
        assert len(decisions.about(sender.session(session))) == 1


# ---- Poison ----

FOREIGN = [
    "no message of ours", '{"kind": "invoice", "amount": 1}',
    '{"kind": "webhook", "provider": "wultra", "path": "/wultra/process/event", "body": "no webhook at all"}']


def test_a_message_that_is_not_ours_ends_in_quarantine_and_holds_up_nobody(verdict, decisions, quarantine):
    intake.await_empty(verdict)
    operator, url, good = verdict.operator("sqs"), verdict.outputs["IntakeQueueUrl"], sessions(len(FOREIGN))
    quarantine_arn = operator.get_queue_attributes(
        QueueUrl=verdict.outputs["QuarantineQueueUrl"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    once = json.dumps({"deadLetterTargetArn": quarantine_arn, "maxReceiveCount": 1})
    with intake.with_attributes(verdict, RedrivePolicy=once):
        with intake.held(verdict):
            for text, session in zip(FOREIGN, good):
                operator.send_message(QueueUrl=url, MessageBody=text)
                intake.spool(verdict, WULTRA, [WULTRA.approves(session)])
        begun = time.monotonic()
        while verdict.depth("IntakeQueueUrl") > len(FOREIGN):
            assert time.monotonic() < begun + PATIENCE_SECONDS
            time.sleep(0.1)
        assert [recorded(verdict, session) for session in good] == [1] * len(good)
        assert [len(decisions.about(session)) for session in good] == [1] * len(good)
        assert time.monotonic() < begun + FIRST_PAUSE_SECONDS

        intake.await_empty(verdict, FIRST_PAUSE_SECONDS + PATIENCE_SECONDS)
    aside = [message.body for message in quarantine.all()]
    assert [aside.count(as_json(text)) for text in FOREIGN] == [1] * len(FOREIGN)
