"""Intake and the function behind it: filled, held up, looked at, waited for."""
from __future__ import annotations

import contextlib
import json
import time
from typing import Any, Iterator

from stack import Stack

from .deliveries import Delivery, Sender, as_event
from .functions import copy

NOWHERE = "http://127.0.0.1:9"
PATIENCE_SECONDS = 20
MOST = 10  # that SQS hands out at once


@contextlib.contextmanager
def held(stack: Stack) -> Iterator[None]:
    """While what is on intake stays there."""
    functions = stack.client("lambda")
    [mapping] = functions.list_event_source_mappings(FunctionName=stack.resource("Replay"))["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@contextlib.contextmanager
def with_attributes(stack: Stack, queue: str = "IntakeQueueUrl", **attributes: str) -> Iterator[None]:
    """While intake, or another queue, is set otherwise than the template sets it."""
    queues, url = stack.client("sqs"), stack.outputs[queue]
    before = queues.get_queue_attributes(QueueUrl=url, AttributeNames=list(attributes))["Attributes"]
    queues.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    try:
        yield
    finally:
        queues.set_queue_attributes(QueueUrl=url, Attributes=before)


def spool(stack: Stack, sender: Sender, deliveries: list[Delivery]) -> None:
    """Delivers webhooks that the table can't take."""
    with copy(stack, sender.function, AWS_ENDPOINT_URL_DYNAMODB=NOWHERE) as function:
        for delivery in deliveries:
            assert function.answer(as_event(delivery)).outcome == "spooled"


def waiting(stack: Stack, queue: str = "IntakeQueueUrl") -> list[dict[str, Any]]:
    """The bodies of the messages on intake, or on another queue, of which there must be no more than SQS hands out at
    once. They stay; to SQS, they were received once more."""
    assert stack.depth(queue) <= MOST
    received = stack.client("sqs").receive_message(
        QueueUrl=stack.outputs[queue], MaxNumberOfMessages=MOST, VisibilityTimeout=0)
    return [json.loads(message["Body"]) for message in received.get("Messages", [])]


def await_empty(stack: Stack, seconds: float = PATIENCE_SECONDS) -> None:
    """Waits until all that was on intake has been replayed."""
    end = time.monotonic() + seconds
    while left := stack.depth("IntakeQueueUrl"):
        assert time.monotonic() < end, f"{left} messages are still on intake"
        time.sleep(0.1)
