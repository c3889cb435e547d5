"""Every permission of every function's role is needed: without any one of them, something fails. And what the roles and the
queues' policies keep out stays out.

Each function has a driver, which makes the function do everything that it can do. The driver passes with the role that the
template gives the function, and has to fail as soon as a single permission is taken away from the role, or as soon as the
role is taken out of a queue's policy.

What the emulator doesn't hold (`dynamodb:LeadingKeys`, `RedriveAllowPolicy`) is held by the template's text:
`tests/stack/test_template_text.py`.
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
from attacks import under_iam
from botocore.exceptions import ClientError
from stack.deployment import NAME, connect
from stack.operator_role import TRUST, assume
from verdict.deployed import DeployedTemplate

from . import intake
from .deliveries import (
    EVENTS, INCODE, TREEZOR, VERIFF, WULTRA, Delivery, Sender, as_event, decision, genuine, post)
from .functions import Ended, copy, deployed
from .incode import ago, clear_schedule, deliver, onboarding, outcome, token_of, token_request, wake_ups
from .permissions import QueuePolicy, Role
from .table import clear_outboxes, items, outbox

pytestmark = [pytest.mark.usefixtures("believing"), under_iam("a function whose role may do more than it needs")]

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
        clear_outboxes(verdict)


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


def previews(verdict) -> None:
    """Has a session of two events looked at."""
    session_id = str(uuid.uuid4())
    for delivery in (VERIFF.approves(session_id), declines(VERIFF, session_id)):
        assert post(verdict, delivery).outcome == "recorded"
    assert preview(verdict, session_id) == [{"provider": "veriff", "sessionId": session_id, "outcome": "unchanged"}]


def preview(verdict, session_id: str) -> list[dict]:
    question = {"dryRun": [{"provider": "veriff", "sessionId": session_id}]}
    return deployed(verdict, "RebuildPreview").call(question)["sessions"]


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
def fetches_its_secret(verdict) -> None:
    """Starts a copy, which holds no version of the secret yet."""
    with copy(verdict, WULTRA.function) as function:
        assert function.answer(as_event(WULTRA.approves(str(uuid.uuid4())))).outcome == "recorded"


DRIVERS = {
    "VeriffEvents": receives(replace(VERIFF, path=EVENTS)),
    "VeriffDecisions": receives(VERIFF),
    "IncodeWebhooks": receives(INCODE, schedules_a_poll),
    "TreezorWebhooks": receives(TREEZOR),
    "WultraEvents": receives(WULTRA, fetches_its_secret),
    "IncodeToken": hands_out_a_token,
    "IncodePoller": polls,
    "Replay": replays,
    "RebuildPreview": previews,
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


# ---- Queues: who may send ----

QUEUES = ("DecisionsQueueUrl", "DecisionsDeadLetterQueueUrl", "IntakeQueueUrl", "QuarantineQueueUrl", "WakeUpQueueUrl")
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def stranger(verdict):
    """Keys of a role of somebody else's in the account, whose own policy allows it everything."""
    iam, name = verdict.client("iam"), "stranger"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    yield assume(verdict.client("sts"), role)
    iam.delete_role_policy(RoleName=name, PolicyName="all")
    iam.delete_role(RoleName=name)


def send_to(queues, url: str, body: str = "a message") -> str:
    """Sends a message that means nothing; gives the code of the error, or nothing."""
    fifo = {"MessageGroupId": "g", "MessageDeduplicationId": str(uuid.uuid4())} if url.endswith(".fifo") else {}
    return error_of(queues.send_message, QueueUrl=url, MessageBody=body, **fifo)


def may_send(queues, url: str) -> bool:
    """Whether a message would be taken: SQS looks at an empty one only if its sender may send. So nothing is left behind."""
    code = send_to(queues, url, body="")
    assert code in ("MissingParameter", *REFUSED), code
    return code == "MissingParameter"


def send_several_to(queues, url: str) -> str:
    fifo = {"MessageGroupId": "g", "MessageDeduplicationId": str(uuid.uuid4())} if url.endswith(".fifo") else {}
    return error_of(
        queues.send_message_batch, QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "a message", **fifo}])


def error_of(call: Callable, **arguments: object) -> str:
    """The code of the error that a call to AWS ends with; nothing if it succeeds."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


REFUSED = ("AccessDenied", "AccessDeniedException")


@under_iam("a message put on a queue by another role")
@pytest.mark.parametrize("queue", QUEUES)
def test_another_roles_messages_are_refused_on_every_queue(verdict, stranger, queue):
    url, depth = verdict.outputs[queue], verdict.depth(queue)
    queues = connect("sqs", verdict.endpoint, stranger)
    for send in (send_to, send_several_to):
        assert send(queues, url) in REFUSED
        # The account's root user's, too.
        assert send(verdict.client("sqs"), url) in REFUSED
    assert verdict.depth(queue) == depth
    # It is the queue's policy that does it, and nothing else.
    with QueuePolicy(verdict, queue).lifted():
        assert may_send(queues, url)
    assert not may_send(queues, url)


#: By queue: those besides the functions that may send. A role's own policy allows it, too.
OUTSIDERS = {
    "DecisionsQueueUrl": ["operator"], "DecisionsDeadLetterQueueUrl": ["operator"], "IntakeQueueUrl": ["operator"],
    "WakeUpQueueUrl": ["operator", "backend"]}


@pytest.mark.parametrize("queue, who", [(queue, who) for queue, those in OUTSIDERS.items() for who in those])
def test_an_operator_or_a_backend_may_send_only_as_long_as_the_queues_policy_names_it(verdict, queue, who):
    policy, url = QueuePolicy(verdict, queue), verdict.outputs[queue]
    iam, name = verdict.client("iam"), f"{NAME}-{who}"
    role = iam.get_role(RoleName=name)["Role"]["Arn"]
    assert role in policy.senders
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    try:
        queues = getattr(verdict, who)("sqs")
        assert may_send(queues, url)
        with policy.without_sender(role):
            assert not may_send(queues, url)
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="all")


@pytest.mark.parametrize("function", DRIVERS)
def test_a_function_misses_its_name_in_each_queues_policy(verdict, tally, function):
    drive, role = DRIVERS[function], Role(verdict, function).arn
    policies = {queue: QueuePolicy(verdict, queue) for queue in QUEUES}
    named = [queue for queue in QUEUES if role in policies[queue].senders]
    sends = {permission.resource.rsplit(":", 1)[-1] for permission in Role(verdict, function).permissions()
             if permission.action == "sqs:SendMessage"}
    assert {verdict.outputs[queue].rsplit("/", 1)[-1] for queue in named} == sends
    unnoticed = []
    for queue in named:
        with policies[queue].without_sender(role):
            if not fails(drive, verdict):
                unnoticed.append(queue)
            tally.noticed["a name in a queue's policy"] += 1
    assert unnoticed == []


def test_a_queues_policy_names_nobody_else(verdict):
    functions = {Role(verdict, function).arn for function in DRIVERS}
    known = functions | {verdict.client("iam").get_role(RoleName=f"{NAME}-{who}")["Role"]["Arn"]
                         for who in ("operator", "backend")}
    for queue in QUEUES:
        assert set(QueuePolicy(verdict, queue).senders) - known == set(), queue


# ---- What those can do who may look ----

def keys_of(verdict, function: str) -> dict[str, str]:
    """The keys that a function has, as arguments of a client. It has to have run."""
    environment = (deployed(verdict, function).processes()[0] / "environ").read_bytes().split(b"\0")
    variables = dict(entry.decode().split("=", 1) for entry in environment if b"=" in entry)
    names = ("access_key_id", "secret_access_key", "session_token")
    return {f"aws_{name}": variables[f"AWS_{name.upper()}"] for name in names}


@under_iam("a write by who may preview a rebuild")
def test_who_may_preview_a_rebuild_can_write_nothing(verdict):
    session_id = str(uuid.uuid4())
    assert post(verdict, VERIFF.approves(session_id)).outcome == "recorded"
    assert preview(verdict, session_id)[0]["outcome"] == "unchanged"
    before = items(verdict, session_id)
    keys = keys_of(verdict, "RebuildPreview")
    database, queues = (connect(service, verdict.endpoint, keys) for service in ("dynamodb", "sqs"))
    table, [event] = verdict.outputs["SessionsTableName"], items(verdict, session_id, "EVENT")
    key = {name: event[name] for name in ("pk", "sk")}
    assert database.get_item(TableName=table, Key=key)["Item"] == event
    put, delete = {"TableName": table, "Item": {**event, "more": {"S": "x"}}}, {"TableName": table, "Key": key}
    update = {**delete, "UpdateExpression": "SET more = :x", "ExpressionAttributeValues": {":x": {"S": "x"}}}
    writes: list[Callable] = [
        lambda: database.put_item(**put), lambda: database.delete_item(**delete), lambda: database.update_item(**update),
        lambda: database.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": put["Item"]}}]}),
        *(functools.partial(database.transact_write_items, TransactItems=[{name: write}])
          for name, write in (("Put", put), ("Delete", delete), ("Update", update))),
        lambda: database.execute_statement(
            Statement=f'DELETE FROM "{table}" WHERE pk=? AND sk=?', Parameters=[*key.values()]),
        lambda: database.update_table(TableName=table, DeletionProtectionEnabled=False),
        lambda: database.delete_table(TableName=table),
    ]
    assert [error_of(write) in REFUSED for write in writes] == [True] * len(writes)
    for queue in QUEUES:
        url = verdict.outputs[queue]
        for call in (queues.receive_message, queues.purge_queue):
            assert error_of(call, QueueUrl=url) in REFUSED, queue
        assert send_to(queues, url) in REFUSED, queue
    assert items(verdict, session_id) == before


@under_iam("a write by who may preview a rebuild")
def test_a_preview_takes_no_messages(verdict):
    session_id = str(uuid.uuid4())
    message = {"messageId": "1", "receiptHandle": "r", "body": json.dumps(kept(VERIFF, VERIFF.approves(session_id)))}
    with pytest.raises(Ended):
        deployed(verdict, "RebuildPreview").call({"Records": [message]})
    assert items(verdict, session_id) == []


def test_replay_says_who_previews_a_rebuild(verdict):
    with pytest.raises(Ended, match="ask the function rebuild-preview"):
        deployed(verdict, "Replay").call({"dryRun": [{"provider": "veriff", "sessionId": "s"}]})


@under_iam("a write by who may preview a rebuild")
def test_the_operator_may_invoke_the_preview_and_no_other_function(verdict):
    functions = verdict.operator("lambda")
    for function in DRIVERS:
        code = error_of(
            functions.invoke, FunctionName=verdict.live(function), Payload=json.dumps({"doctor": True}))
        assert (code in REFUSED) == (function != "RebuildPreview"), (function, code)


# ---- What answers callers can't read ----

@under_iam("a payload read by what reads records")
def test_with_the_keys_of_what_reads_records_no_payload_can_be_read(verdict):
    session_id = str(uuid.uuid4())
    assert post(verdict, VERIFF.approves(session_id)).outcome == "recorded"
    assert verdict.session("veriff", session_id)["events"] == 1
    database = connect("dynamodb", verdict.endpoint, keys_of(verdict, "SessionsApi"))
    table, [payload] = verdict.outputs["SessionsTableName"], items(verdict, session_id, "PAYLOAD")
    key = {name: payload[name] for name in ("pk", "sk")}
    where = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": payload["pk"]}}
    alias = {"ExpressionAttributeNames": {"#p": "payload"}}
    reads: list[Callable] = [
        lambda: database.get_item(TableName=table, Key=key),
        lambda: database.get_item(TableName=table, Key=key, ProjectionExpression="payload"),
        lambda: database.get_item(TableName=table, Key=key, ProjectionExpression="sk, #p", **alias),
        lambda: database.get_item(TableName=table, Key=key, AttributesToGet=["payload"]),
        lambda: database.query(TableName=table, **where),
        lambda: database.query(TableName=table, ProjectionExpression="pk, #p", **where, **alias),
        lambda: database.query(TableName=table, Select="ALL_ATTRIBUTES", **where),
        *(functools.partial(database.batch_get_item, RequestItems={table: {"Keys": [key], **named}}) for named in (
            {}, {"ProjectionExpression": "payload"}, {"ProjectionExpression": "sk, #p", **alias},
            {"AttributesToGet": ["payload"]})),
        lambda: database.transact_get_items(TransactItems=[{"Get": {"TableName": table, "Key": key}}]),
        lambda: database.scan(TableName=table),
        lambda: database.execute_statement(Statement=f'SELECT * FROM "{table}" WHERE pk=?', Parameters=[payload["pk"]]),
    ]
    assert [error_of(read) in REFUSED for read in reads] == [True] * len(reads)
    # That there is one may be known.
    found = database.query(TableName=table, ProjectionExpression="pk, sk", **where)["Items"]
    assert key in found
    batch = {table: {"Keys": [key], "ProjectionExpression": "pk, sk"}}
    assert database.batch_get_item(RequestItems=batch)["Responses"][table] == [key]
    # It is the condition that does it.
    with Role(verdict, "SessionsApi").unconditional():
        assert [error_of(read) for read in reads[:11]] == [""] * 11


def test_the_sessions_api_misses_each_attribute_that_it_may_read(verdict):
    # `evidence` isn't there in each event, but always asked for.
    drive, role = DRIVERS["SessionsApi"], Role(verdict, "SessionsApi")
    drive(verdict)
    unnoticed = []
    for attribute in role.attributes():
        with role.without_attribute(attribute):
            if not fails(drive, verdict):
                unnoticed.append(attribute)
    assert unnoticed == []
