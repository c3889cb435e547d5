"""A look at the quarantine that takes nothing: messages are received with a short visibility, and given back at once.

    look(stack, limit=50)        # as the stack's operator; Look.about is how many there are, roughly

SQS hands out what it likes, so that a look shows some of about so many. It can't be seen without being received: each
look counts as a receive, and while it lasts, nothing else receives the message. Of a message it keeps why it is there,
and what the webhook was; a webhook's body is never kept.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Iterator, Mapping, Optional, Sequence

from .stack import Stack

#: After that, SQS gives a message back by itself.
VISIBILITY_SECONDS = 20
#: What SQS hands out, or takes, in one call.
AT_ONCE = 10
#: Without waiting, SQS may miss messages that it has.
WAIT_SECONDS = 1
#: The longest text that is shown of a message.
LONGEST = 4096
WEBHOOK = "webhook"
COUNTED = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


@dataclass(frozen=True)
class Quarantined:
    """What may be seen of one message. What it lacks, or has in another form, is None."""

    message_id: str
    #: `webhook`, or what else an operator had asked for; None if Verdict didn't write the message.
    kind: Optional[str]
    #: Why the webhook is here: a stable code, and in words. None if `replay` failed on it too often.
    reason: Optional[str]
    message: Optional[str]
    provider: Optional[str]
    path: Optional[str]
    received_at: Optional[str]
    #: The size and the SHA-256 of the body as it was sent.
    size: Optional[int]
    sha256: Optional[str]
    event_key: Optional[str]
    sent_at: Optional[str]
    receives: Optional[int]

    @classmethod
    def of(cls, received: Mapping[str, Any]) -> Quarantined:
        body, attributes = document(received["Body"]), received.get("Attributes", {})
        kind = text(body.get("kind"))
        webhook = body if kind == WEBHOOK else {}
        return cls(
            message_id=received["MessageId"], kind=kind,
            reason=text(webhook.get("reason")), message=text(webhook.get("message")),
            provider=text(webhook.get("provider")), path=text(webhook.get("path")),
            received_at=text(webhook.get("receivedAt")), size=number(webhook.get("bytes")),
            sha256=text(webhook.get("sha256")), event_key=text(webhook.get("eventKey")),
            sent_at=moment(attributes.get("SentTimestamp")), receives=number(attributes.get("ApproximateReceiveCount")))

    @property
    def json(self) -> dict[str, Any]:
        return {
            "messageId": self.message_id, "kind": self.kind, "reason": self.reason, "message": self.message,
            "provider": self.provider, "path": self.path, "receivedAt": self.received_at, "bytes": self.size,
            "sha256": self.sha256, "eventKey": self.event_key, "sentAt": self.sent_at, "receives": self.receives}


@dataclass(frozen=True)
class Look:
    """What a look has seen."""

    #: How many messages there are, roughly, those included that another reader has received just now.
    about: int
    messages: Sequence[Quarantined]

    @property
    def json(self) -> dict[str, Any]:
        return {"about": self.about, "looked": len(self.messages), "messages": [one.json for one in self.messages]}


def look(stack: Stack, limit: int) -> Look:
    """Looks at up to so many of the messages in a stack's quarantine, as its operator. All of them are given back,
    whatever happens."""
    queues, url = stack.operator().client("sqs"), stack.queue_url("Quarantine")
    about = count(queues, url)
    seen: dict[str, Quarantined] = {}
    handles: list[str] = []
    try:
        for message in received(queues, url, limit, about, handles):
            seen.setdefault(message.message_id, message)
    finally:
        give_back(queues, url, handles)
    return Look(max(about, len(seen)), sorted(seen.values(), key=lambda one: (one.sent_at or "", one.message_id)))


def count(queues: Any, url: str) -> int:
    attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTED))["Attributes"]
    return sum(int(attributes[name]) for name in COUNTED)


def received(queues: Any, url: str, limit: int, about: int, handles: list[str]) -> Iterator[Quarantined]:
    """Receives until the limit, until as many have come as there are, or until nothing comes. Leaves in a list what has
    to be given back."""
    while len(handles) < limit:
        messages = queues.receive_message(
            QueueUrl=url, MaxNumberOfMessages=min(AT_ONCE, limit - len(handles)), VisibilityTimeout=VISIBILITY_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS, AttributeNames=["SentTimestamp", "ApproximateReceiveCount"]).get("Messages", [])
        handles += [message["ReceiptHandle"] for message in messages]
        yield from map(Quarantined.of, messages)
        if not messages or len(handles) >= about:
            return


def give_back(queues: Any, url: str, handles: Sequence[str]) -> None:
    """Makes messages visible again. What SQS doesn't take here, it has given back already, or does when the time is up."""
    for first in range(0, len(handles), AT_ONCE):
        entries = [{"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                   for number, handle in enumerate(handles[first:first + AT_ONCE])]
        queues.change_message_visibility_batch(QueueUrl=url, Entries=entries)


# ---- What a message says: it may be anything ----

def document(body: str) -> Mapping[str, Any]:
    """A message's members; none if it isn't an object."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def text(value: Any) -> Optional[str]:
    return value[:LONGEST] if isinstance(value, str) else None


def number(value: Any) -> Optional[int]:
    """A number, also as SQS writes it."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def moment(milliseconds: Any) -> Optional[str]:
    """One of SQS's times in RFC 3339."""
    since_epoch = number(milliseconds)
    if since_epoch is None:
        return None
    return datetime.fromtimestamp(since_epoch / 1000, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
