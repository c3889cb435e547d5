"""Incode's webhooks made up for a test, and its poll schedule."""
from __future__ import annotations

import base64
import contextlib
import json
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Iterator, Optional, Union

from stack import Stack
from stack.deployment import webhooks
from stack.incode_api import IncodeApi
from verdict.deployed import ALIAS_ID

from . import table
from .deliveries import JSON, Delivery, post
from .functions import Function, copy
from .logs import TALKATIVE

KEYS = webhooks.credentials("incode", webhooks.LOCAL_CREDENTIALS)
SECRET_HEADER = "x-incode-secret"
[HEADER_SECRET] = KEYS["headers"][SECRET_HEADER]
[CLIENT] = KEYS["oauth"]["clients"]
[SIGNING_KEY] = KEYS["oauth"]["signingKeys"]
TOKEN_PATH = webhooks.Incode.TOKEN_PATH
FORM = "application/x-www-form-urlencoded"
GRANT = b"grant_type=client_credentials"

#: For what happens at once where the machine has nothing else to do.
PATIENCE_SECONDS = 20


def credentials(**members: Any) -> str:
    """The local credentials as a function gets them, with some members changed, or left out where they are None."""
    changed = {**KEYS, **members}
    return json.dumps({name: member for name, member in changed.items() if member is not None})


def bearer(key: str = SIGNING_KEY, client: str = CLIENT["id"], expires_at: Optional[int] = None) -> str:
    """What the header `authorization` holds, with a token as the token endpoint makes it, made here."""
    now = int(time.time())
    issued_at = now if expires_at is None else webhooks.Incode.ISSUED_AT
    return f"Bearer {webhooks.Incode.token(key, client, expires_at or now + KEYS['oauth']['tokenTtlSeconds'], issued_at)}"


def basic(client: str = CLIENT["id"], secret: str = CLIENT["secret"]) -> str:
    """What the header `authorization` holds where the token endpoint is asked."""
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


def token_request(body: bytes = GRANT, authorization: Optional[str] = basic(), content_type: Optional[str] = FORM,
                  method: str = "POST") -> Delivery:
    """As Incode asks for a token; what a test changes about that, it says, and what it leaves out is None."""
    headers = (("content-type", content_type), ("authorization", authorization))
    return Delivery(body, tuple((name, value) for name, value in headers if value is not None), TOKEN_PATH, method)


def token_of(answer: webhooks.Answer) -> str:
    """The token that the endpoint gave."""
    assert answer.status == 200, answer.status
    return json.loads(answer.body)["access_token"]


def webhook(kind: str, body: Union[bytes, dict[str, Any]]) -> Delivery:
    """A webhook of that kind, rightly proved."""
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    headers = (("content-type", JSON), (SECRET_HEADER, HEADER_SECRET), ("authorization", bearer()))
    return Delivery(body, headers, f"/incode/{kind}")


def onboarding(session_id: str, status: str, **more: Any) -> Delivery:
    """The webhook that tells the status of an onboarding."""
    return webhook("onboarding-status", {"interviewId": session_id, "onboardingStatus": status, **more})


def deliver(stack: Stack, delivery: Delivery, outcome: str = "recorded") -> None:
    """Delivers a webhook of which that should become."""
    answer = post(stack, delivery)
    assert (answer.status, answer.outcome) == (200, outcome), answer


def comparable(answer: webhooks.Answer) -> webhooks.Answer:
    """The answer without what the gateway adds to each: the time, and its own name for the request."""
    added = ("date", "apigw-requestid")
    return replace(answer, headers={name: value for name, value in answer.headers.items() if name not in added})


def items(stack: Stack, session_id: str, sort: str = "") -> list[dict[str, Any]]:
    """A session's items: all, or those of one sort."""
    return table.items(stack, session_id, sort, provider="incode")


def events(stack: Stack, session_id: str) -> list[str]:
    """The names of what is known to have happened, in order."""
    known = [item["event"]["M"] for item in items(stack, session_id, "EVENT")]
    return [event["name"]["S"] for event in sorted(known, key=lambda event: moment(event["receivedAt"]["S"]))]


def outcome(stack: Stack, session_id: str) -> Optional[str]:
    """What is decided of a session."""
    decision = stack.session("incode", session_id)["decision"]
    return decision and decision["outcome"]


# ---- Times, as the table has them ----

def ago(**span: float) -> str:
    """The time so long ago, in the form of the schedule: its texts sort as the times do."""
    return (datetime.now(timezone.utc) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def moment(text: str) -> float:
    """A time of the table, in Unix seconds."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
    return seconds + float(f"0.{fraction or 0}")


def rewrite(stack: Stack, session_id: str, sort_key: str, **members: dict[str, Any]) -> None:
    """Gives members of one item, named from the top with `__` between, another value in DynamoDB's JSON."""
    for path, value in members.items():
        names = {f"#{depth}": name for depth, name in enumerate(path.split("__"))}
        stack.client("dynamodb").update_item(
            TableName=stack.outputs["SessionsTableName"],
            Key={"pk": {"S": f"SESSION#incode/{session_id}"}, "sk": {"S": sort_key}},
            UpdateExpression=f"SET {'.'.join(names)} = :value", ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames=names, ExpressionAttributeValues={":value": value})


def arrived(stack: Stack, session_id: str, name: str, **ago_span: float) -> None:
    """Has an event that is known have arrived so long ago."""
    [item] = [item for item in items(stack, session_id, "EVENT") if item["event"]["M"]["name"]["S"] == name]
    rewrite(stack, session_id, item["sk"]["S"], event__receivedAt={"S": ago(**ago_span)})


# ---- The schedule of polls ----

def scheduled(stack: Stack, session_id: str) -> Optional[dict[str, Any]]:
    """A session's place on the schedule: its reason, its tries, and in how many seconds it is due."""
    for place in items(stack, session_id, "POLL"):
        return {
            "reason": place["pollReason"]["S"],
            "tries": int(place["pollTries"]["N"]),
            "in": moment(place["dueAt"]["S"]) - time.time(),
        }
    return None


def make_due(stack: Stack, *session_ids: str) -> None:
    """Has the time come at which a session on the schedule is asked about."""
    for session_id in session_ids:
        rewrite(stack, session_id, "POLL", dueAt={"S": ago(seconds=1)})


def clear_schedule(stack: Stack) -> None:
    """Takes everybody off the schedule, and ends the pause that Incode asked for."""
    end_pause(stack)
    database, name = stack.client("dynamodb"), stack.outputs["SessionsTableName"]
    pages = database.get_paginator("scan").paginate(
        TableName=name, ConsistentRead=True, FilterExpression="sk = :poll",
        ExpressionAttributeValues={":poll": {"S": "POLL"}})
    for page in pages:
        for item in page["Items"]:
            database.delete_item(TableName=name, Key={key: item[key] for key in ("pk", "sk")})


def end_pause(stack: Stack) -> None:
    """Has the poller forget that Incode wants fewer requests."""
    stack.client("dynamodb").delete_item(
        TableName=stack.outputs["SessionsTableName"], Key={"pk": {"S": "POLLS#incode"}, "sk": {"S": "PAUSE"}})


@contextlib.contextmanager
def unscheduled(stack: Stack) -> Iterator[None]:
    """While nobody but the test runs the poller; leaves an empty schedule behind."""
    try:
        yield
    finally:
        clear_schedule(stack)


def poller_rule(stack: Stack) -> str:
    """The name of what runs the poller every minute."""
    alias = stack.resource(f"IncodePoller{ALIAS_ID}")
    [rule] = stack.client("events").list_rule_names_by_target(TargetArn=alias)["RuleNames"]
    return rule


def poller_mapping(stack: Stack) -> str:
    """The id of what hands the poller the messages on the wake-up queue."""
    return stack.resource("IncodePollerFromWakeUp")


@contextlib.contextmanager
def woken(stack: Stack) -> Iterator[None]:
    """While messages on the wake-up queue reach the poller. What is there from before doesn't."""
    functions = stack.client("lambda")
    stack.client("sqs").purge_queue(QueueUrl=stack.outputs["WakeUpQueueUrl"])
    functions.update_event_source_mapping(UUID=poller_mapping(stack), Enabled=True)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=poller_mapping(stack), Enabled=False)


def wake_ups(stack: Stack) -> list[dict[str, Any]]:
    """Takes the messages off the wake-up queue, while the poller doesn't, and returns what they say."""
    queues, url = stack.client("sqs"), stack.outputs["WakeUpQueueUrl"]
    bodies = []
    while messages := queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            bodies.append(json.loads(message["Body"]))
    return bodies


@contextlib.contextmanager
def poller(stack: Stack, api: IncodeApi, access: Optional[dict[str, Any]] = None, **environment: str) -> Iterator[Function]:
    """A poller, at its most talkative, that takes this stand-in for Incode; with some of its keys changed."""
    keys = credentials(api={**api.credentials, **(access or {})})
    with copy(stack, "IncodePoller", **{"INCODE_CREDENTIALS": keys, **TALKATIVE, **environment}) as function:
        yield function
