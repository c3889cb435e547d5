"""The other end of a queue."""
from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from stack import Stack


@dataclass(frozen=True)
class Message:
    """One message as it was received."""

    body: Any  # what it says, or its text where that is no JSON
    attributes: dict[str, Any]  # ours, by name
    group: str | None
    deduplication: str | None
    trace: str | None  # X-Ray's header


class Inbox:
    """Takes every message off its queue and keeps it, so that tests which share the queue don't take each other's."""

    def __init__(self, stack: Stack, output: str):
        self._queues, self._url = stack.client("sqs"), stack.outputs[output]
        self._messages: list[Message] = []

    def all(self) -> list[Message]:
        """Every message so far, in order."""
        while received := self._receive():
            for message in received:
                self._queues.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                self._messages.append(Message(
                    body=as_json(message["Body"]),
                    attributes={
                        name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()},
                    group=message["Attributes"].get("MessageGroupId"),
                    deduplication=message["Attributes"].get("MessageDeduplicationId"),
                    trace=message["Attributes"].get("AWSTraceHeader"),
                ))
        return list(self._messages)

    def about(self, session_id: str) -> list[Message]:
        """The notifications about one session, in order of sequence."""
        of_session = [message for message in self.all() if message.body["subject"] == session_id]
        return sorted(of_session, key=lambda message: message.body["data"]["sequence"])

    def holding(self, body: bytes) -> list[Message]:
        """What is in quarantine that came with exactly that body."""
        digest = hashlib.sha256(body).hexdigest()
        return [message for message in self.all()
                if isinstance(message.body, dict) and message.body.get("sha256") == digest]

    def _receive(self) -> list[dict[str, Any]]:
        return self._queues.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"],
        ).get("Messages", [])


def as_json(text: str) -> Any:
    with contextlib.suppress(ValueError):
        return json.loads(text)
    return text


def quarantined_body(message: Message) -> bytes:
    """The webhook's body as it is kept: minimised where it is JSON, else as the provider sent it."""
    assert message.body["encoding"] == "gzip+base64"
    return gzip.decompress(base64.b64decode(message.body["body"]))
