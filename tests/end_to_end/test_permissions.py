"""Every permission of every function's role is needed: without any one of them, something fails.

Each function has a driver, which makes the function do everything that it can do. The driver passes with the role that the
template gives the function, and has to fail as soon as a single permission is taken away from the role.
"""
from __future__ import annotations

import base64
import contextlib
import functools
import gzip
import hashlib
import json
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Callable, Iterator
from urllib.parse import quote

import pytest
from stack.deployment import NAME
from verdict.deployed import DeployedTemplate

from . import intake
from .deliveries import (
    EVENTS, INCODE, TREEZOR, VERIFF, WULTRA, Delivery, Sender, as_event, decision, genuine, post)
from .functions import Ended, copy, deployed
from .incode import ago, clear_schedule, deliver, onboarding, outcome, token_of, token_request, wake_ups
from .permissions import Role
from .table import items, outbox

NOWHERE = "http://127.0.0.1:9"
WRITES_LOGS = "Lambda writes a function's log as the function's role; the emulator writes it by itself"
TAKES_MESSAGES = "the event source mapping receives and deletes as the function's role; the emulator's does by itself"
#: The actions that the emulator never asks a role for, so that no driver can miss them, and why AWS does.
NEVER_ASKED = {
    "logs:CreateLogStream": WRITES_LOGS,
    "logs:PutLogEvents": WRITES_LOGS,
    "sqs:ReceiveMessage": TAKES_MESSAGES,
    "sqs:DeleteMessage": TAKES_MESSAGES,
    "sqs:GetQueueAttributes": TAKES_MESSAGES,
}


@pytest.fixture(scope="module", autouse=True)
def undisturbed(verdict):
    """Only drivers call `replay` and the poller. What they leave behind goes in the end."""
    intake.await_empty(verdict)
    with intake.held(verdict):
        yield
        for queue in ("IntakeQueueUrl", "QuarantineQueueUrl", "WakeUpQueueUrl"):
            verdict.client("sqs").purge_queue(QueueUrl=verdict.outputs[queue])
        clear_schedule(verdict)


# ---- The drivers ----

def receives(sender: Sender, *more: Callable) -> Callable:
    """Has webhooks recorded and published, one spooled, and one quarantined."""
    def drive(verdict) -> None:
        recorded, spooled = str(uuid.uuid4()), str(uuid.uuid4())
        assert post(verdict, sender.approves(recorded)).outcome == "recorded"
        assert outbox_of(verdict, sender, recorded) == []
        for deliver_more in more:
            deliver_more(verdict)
        # The next message waits for one that is still in the outbox.
        leave_behind(verdict, sender, recorded)
        assert post(verdict, declines(sender, recorded)).outcome == "recorded"
        assert outbox_of(verdict, sender, recorded) == []
        with unreadable_record(verdict, sender, spooled):
            assert post(verdict, sender.approves(spooled)).outcome == "spooled"
        assert post(verdict, sender.approves(recorded, ',"x":NaN')).outcome == "quarantined"
    return drive


#: By provider: what makes a decline of an approval, which counts before an approval of the same time.
DECLINES = {
    "veriff": ('"approved","code":9001', '"declined","code":9102'),
    "incode": ("MANUAL_REVIEW_APPROVED", "MANUAL_REVIEW_REJECTED"),
    "treezor": ('"kycReview":"2"', '"kycReview":"3"'),
    "wultra": ('"FINISHED"', '"FAILED"'),
}


def declines(sender: Sender, session_id: str) -> Delivery:
    """A genuine decline of the session."""
    approved, declined = DECLINES[sender.provider]
    approval = sender.approval(json.dumps(session_id), "")
    assert approved in approval
    return sender.genuine(approval.replace(approved, declined))


#: The sequence of a message that is left behind. All before it are told.
LEFT = 5


def leave_behind(verdict, sender: Sender, session_id: str) -> None:
    """Puts a message in a session's outbox, as a function leaves it there that dies before it publishes."""
    database, table = verdict.client("dynamodb"), verdict.outputs["SessionsTableName"]
    [record] = items(verdict, sender.session(session_id), "STATE", sender.provider)
    database.update_item(
        TableName=table, Key={name: record[name] for name in ("pk", "sk")},
        UpdateExpression="SET #session.notifications = :left", ExpressionAttributeNames={"#session": "session"},
        ExpressionAttributeValues={":left": {"N": str(LEFT)}})
    notification = {
        **{name: record["session"]["M"][name] for name in ("provider", "sessionId", "kind")},
        "sequence": {"N": str(LEFT)}, "outcome": {"S": "review"}, "final": {"BOOL": False},
        "correction": {"BOOL": False}, "decidedAt": {"S": "2026-06-12T09:00:00Z"}}
    # The relay leaves it alone for the time of a test.
    database.put_item(TableName=table, Item={
        "pk": record["pk"], "sk": {"S": f"NOTIFICATION#{LEFT}"}, "dueShard": {"S": "outbox#0"},
        "dueAt": {"S": ago(hours=-1)}, "notification": {"M": notification}})


def outbox_of(verdict, sender: Sender, session_id: str) -> list[dict]:
    return items(verdict, sender.session(session_id), "NOTIFICATION", sender.provider)


@contextlib.contextmanager
def unreadable_record(verdict, sender: Sender, session_id: str) -> Iterator[None]:
    """While a session has a record that no function can read, so that its webhooks have to wait on intake."""
    database, table = verdict.client("dynamodb"), verdict.outputs["SessionsTableName"]
    key = {"pk": {"S": f"SESSION#{sender.provider}/{sender.session(session_id)}"}, "sk": {"S": "STATE"}}
    database.put_item(TableName=table, Item={**key, "session": {"S": "not a record"}})
    try:
        yield
    finally:
        database.delete_item(TableName=table, Key=key)


def schedules_a_poll(verdict) -> None:
    session_id = str(uuid.uuid4())
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    assert session_id in [message["sessionId"] for message in wake_ups(verdict)]


def hands_out_a_token(verdict) -> None:
    assert token_of(post(verdict, token_request()))


def polls(verdict) -> None:
    session_id = str(uuid.uuid4())
    clear_schedule(verdict)
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["OK"])
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    leave_behind(verdict, INCODE, session_id)
    deployed(verdict, "IncodePoller").call({})
    assert outcome(verdict, session_id) == "approved"
    for sort in ("NOTIFICATION", "POLL"):
        assert items(verdict, session_id, sort, "incode") == []


def replays(verdict) -> None:
    """Has a webhook recorded and published with the message before it, another's poll scheduled and woken for, one
    quarantined, and a foreign message put off."""
    session_id = str(uuid.uuid4())
    assert post(verdict, VERIFF.approves(session_id)).outcome == "recorded"
    leave_behind(verdict, VERIFF, session_id)
    messages = [
        kept(VERIFF, declines(VERIFF, session_id)), kept(INCODE, onboarding(session_id, "ONBOARDING_FINISHED")),
        kept(VERIFF, VERIFF.approves(session_id, ',"x":NaN'))]
    foreign = received_from_intake(verdict, "not a message of Verdict's")
    answer = deployed(verdict, "Replay").call({"Records": [
        *({"messageId": str(number), "receiptHandle": "none", "body": json.dumps(message)}
          for number, message in enumerate(messages)),
        {"messageId": "foreign", "receiptHandle": foreign["ReceiptHandle"], "body": foreign["Body"]}]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "foreign"}]}
    assert outbox(verdict, session_id) == []
    assert session_id in [message["sessionId"] for message in wake_ups(verdict)]
    assert is_hidden(verdict, "IntakeQueueUrl")


def kept(sender: Sender, delivery: Delivery) -> dict:
    """A webhook as a receiver puts it on intake."""
    return {
        "kind": "webhook", "provider": sender.provider, "path": delivery.path.partition("?")[0],
        "receivedAt": "2026-06-13T00:38:30.861285Z", "bytes": len(delivery.body),
        "sha256": hashlib.sha256(delivery.body).hexdigest(), "encoding": "gzip+base64",
        "body": base64.b64encode(gzip.compress(delivery.body)).decode()}


#: For so long a driver's message is invisible, unless it is put off.
VISIBILITY_SECONDS = 2


def received_from_intake(verdict, text: str) -> dict:
    """A message on intake, as its consumer gets it."""
    url = verdict.outputs["IntakeQueueUrl"]
    verdict.client("sqs").purge_queue(QueueUrl=url)
    verdict.operator("sqs").send_message(QueueUrl=url, MessageBody=text)
    [message] = verdict.client("sqs").receive_message(QueueUrl=url, VisibilityTimeout=VISIBILITY_SECONDS)["Messages"]
    return message


def is_hidden(verdict, queue: str) -> bool:
    """Whether the one message of a queue is still invisible when it would have come back by itself."""
    time.sleep(VISIBILITY_SECONDS)
    attributes = verdict.client("sqs").get_queue_attributes(
        QueueUrl=verdict.outputs[queue], AttributeNames=["ApproximateNumberOfMessagesNotVisible"])["Attributes"]
    return attributes["ApproximateNumberOfMessagesNotVisible"] == "1"


def reads(verdict) -> None:
    session_id, reference = str(uuid.uuid4()), f"customer-{uuid.uuid4()}"
    assert post(verdict, VERIFF.approves(session_id, f',"vendorData":"{reference}"')).outcome == "recorded"
    assert verdict.session("veriff", session_id)["decision"]["outcome"] == "approved"
    assert len(read(verdict, f"/sessions/veriff/{session_id}/events")["events"]) == 1
    [session] = read(verdict, f"/sessions?reference={reference}")["sessions"]
    assert session["sessionId"] == session_id
    assert len(read(verdict, f"/sessions/veriff/{session_id}/notifications")["notifications"]) == 1
    now = session["statusSince"].replace("Z", "%2B00:00")
    [session] = read(verdict, f"/sessions?status=decided&since={now}")["sessions"]
    assert session["sessionId"] == session_id


def shows_payloads(verdict) -> None:
    session_id = str(uuid.uuid4())
    assert post(verdict, VERIFF.approves(session_id)).outcome == "recorded"
    [event] = items(verdict, session_id, "EVENT")
    event_id = quote(event["sk"]["S"].removeprefix("EVENT#"), safe="")
    for path in (f"/sessions/veriff/{session_id}/events/{event_id}/payload",
                 f"/sessions/payload?session=veriff%2F{session_id}&event={event_id}"):
        assert read(verdict, path)["payload"]["verification"]["id"] == session_id


def read(verdict, path: str) -> dict:
    status, answer = verdict.get(path)
    assert status == 200, path
    return answer


def relays(verdict) -> None:
    """Publishes a session's second decision, which is due."""
    entry = left_behind(verdict)
    verdict.client("dynamodb").put_item(
        TableName=verdict.outputs["SessionsTableName"], Item={**entry, "dueAt": {"S": ago(minutes=1)}})
    deployed(verdict, "OutboxRelay").call({})
    assert outbox(verdict, entry["pk"]["S"].removeprefix("SESSION#veriff/")) == []


@functools.cache
def left_behind(verdict) -> dict:
    """The outbox entry of a session's second decision; the first one was published. The same entry every time."""
    session_id = str(uuid.uuid4())
    review = genuine(decision(session_id, "review", at="2026-06-12T09:00:00Z"))
    assert post(verdict, review).outcome == "recorded"
    with copy(verdict, "VeriffDecisions", AWS_ENDPOINT_URL_SQS=NOWHERE) as function:
        assert function.answer(as_event(genuine(decision(session_id)))).outcome == "recorded"
    [entry] = outbox(verdict, session_id)
    return entry


#: By function.
DRIVERS = {
    "VeriffEvents": receives(replace(VERIFF, path=EVENTS)),
    "VeriffDecisions": receives(VERIFF),
    "IncodeWebhooks": receives(INCODE, schedules_a_poll),
    "TreezorWebhooks": receives(TREEZOR),
    "WultraEvents": receives(WULTRA),
    "IncodeToken": hands_out_a_token,
    "IncodePoller": polls,
    "Replay": replays,
    "SessionsApi": reads,
    "SessionPayloads": shows_payloads,
    "OutboxRelay": relays,
}


# ---- The loop ----

@dataclass
class Tally:
    """How often each action was taken away, by whether a driver failed."""

    noticed: Counter = field(default_factory=Counter)
    unnoticed: Counter = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        noticed, unnoticed = self.noticed.total(), self.unnoticed.total()
        never = ", ".join(f"{action} ×{count}" for action, count in sorted(self.unnoticed.items()))
        return (f"permissions: {noticed + unnoticed} taken away one by one in {time.monotonic() - self.began:.0f} s,"
                f" {noticed} noticed, {unnoticed} that the emulator never asks for: {never}")


@pytest.fixture(scope="module")
def tally(figures):
    tally = Tally()
    yield tally
    figures.append(str(tally))


@pytest.mark.parametrize("function", DRIVERS)
def test_a_function_misses_each_of_its_permissions(verdict, tally, function):
    drive, role = DRIVERS[function], Role(verdict, function)
    drive(verdict)
    wrong = []
    for permission in role.permissions():
        with role.without(permission):
            noticed = fails(drive, verdict)
        (tally.noticed if noticed else tally.unnoticed)[permission.action] += 1
        if noticed == (permission.action in NEVER_ASKED):
            wrong.append(f"{permission}: {'noticed' if noticed else 'not noticed'}")
    assert wrong == []
    drive(verdict)


def fails(drive: Callable, verdict) -> bool:
    """Whether the driver fails. Errors of other types are the test's own."""
    try:
        drive(verdict)
    except (AssertionError, Ended):
        return True
    return False


def test_every_function_is_driven(verdict):
    functions = DeployedTemplate(NAME, verdict.client("cloudformation")).resources("AWS::Lambda::Function")
    assert set(DRIVERS) == set(functions)


def test_what_is_never_asked_for_is_allowed_to_some_function(verdict):
    allowed = {permission.action for function in DRIVERS for permission in Role(verdict, function).permissions()}
    assert set(NEVER_ASKED) - allowed == set()
