"""What an operator asks of `replay`: requests about single sessions, as messages on intake."""
from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping, TypeVar

import click

from .problem import Problem
from .wording import printable

Each = TypeVar("Each")

PROVIDERS = ("incode", "treezor", "veriff", "wultra")

#: How many requests SQS takes in one call, and how often it is asked to take those that it did not.
SENT_AT_ONCE = 10
TRIES = 5


@dataclass(frozen=True)
class Key:
    """What a session is filed under."""

    provider: str
    session_id: str

    @classmethod
    def parse(cls, text: str) -> Key:
        provider, slash, session_id = text.partition("/")
        if provider not in PROVIDERS or not slash or not session_id:
            raise click.BadParameter(
                f"{text!r} isn't a session: write {{provider}}/{{sessionId}}, as in treezor/user:6461762")
        return cls(provider, session_id)

    @property
    def partition(self) -> str:
        return f"SESSION#{self}"

    @property
    def json(self) -> dict[str, Any]:
        return {"provider": self.provider, "sessionId": self.session_id}

    def __str__(self) -> str:
        return f"{self.provider}/{self.session_id}"


def request(queues: Any, url: str, requests: Mapping[Key, Mapping[str, Any]]) -> Iterator[tuple[Key, str]]:
    """Puts one request for each session on intake, at most `SENT_AT_ONCE`, and tells of each that is there, and its
    message's id."""
    left = {str(number): key for number, key in enumerate(requests)}
    for attempt in range(TRIES):
        if attempt:
            time.sleep(2 ** attempt / 4)
        answer = queues.send_message_batch(QueueUrl=url, Entries=[
            {"Id": entry, "MessageBody": json.dumps({**requests[key], **key.json})} for entry, key in left.items()])
        for sent in answer.get("Successful", []):
            yield left.pop(sent["Id"]), sent["MessageId"]
        if not left:
            return
    raise Problem(f"SQS did not take the request for {', '.join(map(printable, left.values()))}: "
                  "the audit file says which were sent; run it again for the others")


def at_once(rate: float) -> int:
    """How many requests go out together at so many a second: at a low rate, they don't come in bursts."""
    return min(SENT_AT_ONCE, max(1, int(rate)))


def in_groups(sessions: Iterable[Each], size: int) -> Iterator[list[Each]]:
    group: list[Each] = []
    for each in sessions:
        group.append(each)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
