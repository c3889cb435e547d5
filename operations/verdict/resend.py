"""Has messages about decisions sent again: of one session from a sequence on, or of all that were told something since a
time.

`replay` sends what was told from that sequence to the last that was told, in order, with the ids and sequences that the
messages had. What wasn't told yet is the relay's. A consumer drops what it has handled, unless it goes back first.

For other programs: `resend_plan(stack, key, first)` tells which messages there are, by the sessions API, and
`resend(stack, key, first, reason, log)` asks `replay` for them, with a log of `audit.Log.opened`. A key is an `intake.Key`.
"""
from __future__ import annotations

import base64
import re
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import groupby, takewhile
from typing import Any, Collection, Iterator, Optional, Sequence

import click
from botocore.exceptions import BotoCoreError, ClientError

from . import options
from .audit import HOW_TO, Log, Write, asked_for
from .aws import Aws
from .intake import Key, at_once, in_groups, request
from .interruption import Interrupted, whole
from .problem import Problem, told
from .progress import bar
from .reads.notifications import COLUMNS
from .sessions_api import SessionsApi
from .stack import Stack
from .tables import seconds, show_table
from .wording import counted, printable

#: What the sort keys of told messages begin with, and a sort key behind all of them.
TOLD, AFTER_TOLD = "TOLD#", "TOLD#~"
#: What the end of a dry run and of a request says.
DROPPED = "A consumer drops what it has handled, unless it goes back first (docs/consume.md)"
#: The log group of `replay`, and the lines of its runs.
LOGS, RUNS = "ReplayLogs", '{ $.message = "resend" }'
HEADINGS = COLUMNS[:4]
#: The releases whose `replay` doesn't know a resend.
OLD = re.compile(r"v?0\.1\.\d+")


# ---- One session ----

@dataclass(frozen=True)
class Told:
    """A message that SQS has taken."""

    sequence: int
    type: str
    outcome: Optional[str]
    told_at: str

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Told:
        """Reads an entry of `…/notifications`."""
        message = entry["message"]
        return cls(entry["sequence"], message["type"], message["data"].get("outcome"), entry["toldAt"])

    @property
    def json(self) -> dict[str, Any]:
        return {"sequence": self.sequence, "type": self.type, "outcome": self.outcome, "toldAt": self.told_at}

    @property
    def row(self) -> list[Any]:
        """Its cells under the first headings of `notifications list`."""
        return [self.sequence, seconds(self.told_at), self.type, self.outcome]


@dataclass(frozen=True)
class Plan:
    """What a resend of one session would send."""

    session: Key
    messages: Sequence[Told]

    @property
    def json(self) -> dict[str, Any]:
        sequences = [each.sequence for each in self.messages]
        return {"session": str(self.session), "from": sequences[0], "to": sequences[-1],
                "messages": [each.json for each in self.messages]}


def resend_plan(stack: Stack, key: Key, first: int) -> Plan:
    """Tells what was told of a session from a sequence on. Ends the command if there is nothing to send again."""
    history = list(all_told(SessionsApi.of(stack), key))
    messages = [each for each in history if each.sequence >= first]
    if not messages:
        last = f"the last message told of it has the sequence {history[-1].sequence}" if history else "none was told yet"
        raise Problem(f"{printable(key)} has nothing to send again from sequence {first} on: {last}")
    return Plan(key, messages)


def all_told(api: SessionsApi, key: Key) -> Iterator[Told]:
    """Goes through all pages of a session's history."""
    next_page: Optional[str] = None
    while True:
        answer = api.notifications(str(key), next_page)
        yield from map(Told.of, answer.found("notifications"))
        next_page = answer.next
        if not next_page:
            return


def resend(stack: Stack, key: Key, first: int, reason: str, log: Log) -> str:
    """Asks `replay` to send a session's messages again, and puts that on record. Returns the request's id on intake."""
    stack.refuse_without_operator()
    sent: dict[Key, str] = {}
    ask(stack, {key: first}, reason, log, sent)
    return sent[key]


def ask(stack: Stack, firsts: dict[Key, int], reason: str, log: Log, sent: dict[Key, str]) -> None:
    """Asks for each of these sessions from its sequence on, at most `intake.SENT_AT_ONCE`. As each is taken, the
    request's id is in `sent`: SQS may take some, and the others not."""
    queues = stack.operator().client("sqs")
    # Of an id of its own: the SDK may put a message on intake twice, and that is one request all the same.
    asked = {key: {"kind": "resend", "from": first, "reason": reason, "requestId": uuid.uuid4().hex}
             for key, first in firsts.items()}
    with whole():
        for key, message_id in request(queues, stack.outputs["IntakeQueueUrl"], asked):
            log.add("resend", str(key), reason, "requested", **{"from": firsts[key]}, messageId=message_id)
            sent[key] = message_id


def refuse_too_old(stack: Stack) -> None:
    """Ends the command if the deployed release doesn't know such a request. 0.1 kept no history of what was told."""
    version = stack.outputs.get("Version", "")
    if OLD.fullmatch(version):
        raise Problem(f"the stack {stack.name} has the release {version}, which can't send again: deploy a newer one first")


# ---- All that were told something since a time ----

@dataclass(frozen=True)
class Since:
    """A session that was told something since a time: from which sequence on, and in how many messages."""

    key: Key
    first: int
    count: int

    @classmethod
    def of(cls, partition: str, items: Sequence[dict[str, Any]]) -> Since:
        sequences = [int(item["sk"]["S"].removeprefix(TOLD)) for item in items]
        return cls(Key(*partition.removeprefix("SESSION#").split("/", 1)), min(sequences), len(sequences))


def told_since(stack: Stack, since: datetime, after: Optional[Key] = None) -> Iterator[Since]:
    """Goes through the table, page by page. A Scan gives what is stored of one session in one piece, and always in the same
    order of sessions: so it goes on after a session."""
    # A time's text ends after its second or has a fraction: both are greater than the text up to the second.
    second = since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    begin = {"ExclusiveStartKey": {"pk": {"S": after.partition}, "sk": {"S": AFTER_TOLD}}} if after else {}
    pages = stack.operator().client("dynamodb").get_paginator("scan").paginate(
        TableName=stack.outputs["SessionsTableName"],
        FilterExpression="begins_with(#sk, :told) AND #at >= :second",
        ProjectionExpression="#pk, #sk, #at", ExpressionAttributeNames={"#pk": "pk", "#sk": "sk", "#at": "toldAt"},
        ExpressionAttributeValues={":told": {"S": TOLD}, ":second": {"S": second}}, **begin)
    items = (item for page in pages for item in page["Items"]
             if datetime.fromisoformat(item["toldAt"]["S"]) >= since)
    for partition, its_items in groupby(items, lambda item: item["pk"]["S"]):
        yield Since.of(partition, list(its_items))


def counted_since(stack: Stack, since: datetime, after: Optional[Key]) -> tuple[int, int]:
    """How many messages of how many sessions that would be."""
    messages = sessions = 0
    with bar("Looking") as advance:
        for each in told_since(stack, since, after):
            messages, sessions = messages + each.count, sessions + 1
            advance(1)
    return messages, sessions


@dataclass
class Going:
    """How far a resend of many has come."""

    since: datetime
    last: Optional[Key]
    asked: int = 0
    #: How many of them it asks for again if it goes on after `last`.
    again: int = 0

    def add(self, some: Sequence[Since], sent: Collection[Key]) -> None:
        """Counts those that were asked for. It goes on with the first that wasn't."""
        before = [each.key for each in takewhile(lambda each: each.key in sent, some)]
        self.asked, self.again = self.asked + len(sent), len(sent) - len(before)
        self.last = before[-1] if before else self.last

    def __str__(self) -> str:
        since = f"--since {as_text(self.since)}"
        place = f"{since} --after {cursor(self.last)}" if self.last else since
        again = f", and for {self.again} again" if self.again else ""
        return f"{counted(self.asked, 'session')} asked for; the same command with {place} asks for the others{again}"


def resend_since(stack: Stack, since: datetime, reason: str, rate: float, log: Log, after: Optional[Key] = None) -> int:
    """Asks for each session that was told something since then, so many a second, and tells how many. If something ends it,
    one line says how to go on."""
    stack.refuse_without_operator()
    going = Going(since, after)
    try:
        with bar("Requesting") as advance:
            for some in in_groups(told_since(stack, since, after), at_once(rate)):
                if going.asked:
                    time.sleep(len(some) / rate)
                sent: dict[Key, str] = {}
                with whole():
                    try:
                        ask(stack, {each.key: each.first for each in some}, reason, log, sent)
                    finally:
                        going.add(some, sent)
                    advance(len(some))
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted: {going}") from None
    except (BotoCoreError, ClientError, Problem) as error:
        raise Problem(f"{told(error)}. It ended with {going}") from None
    return going.asked


def cursor(key: Key) -> str:
    """A session as `--after` takes it. An id may hold what a shell or a terminal would act on."""
    return base64.urlsafe_b64encode(str(key).encode()).decode("ascii").rstrip("=")


def of_cursor(text: str) -> Key:
    try:
        return Key.parse(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    except (ValueError, click.BadParameter):
        raise click.BadParameter("that isn't a place to go on from: take the one that an interrupted run printed") from None


def as_text(time: datetime) -> str:
    """A time as `--since` takes it."""
    return time.isoformat().replace("+00:00", "Z")


# ---- The command ----

def one(stack: Stack, key: Key, first: int, write: Write) -> None:
    plan = resend_plan(stack, key, first)
    if not write.is_applied:
        show_table(HEADINGS, (each.row for each in plan.messages))
        click.echo(f"{counted(len(plan.messages), 'message')} of {printable(key)} would be sent again. {HOW_TO}")
        click.echo(DROPPED)
        return
    with write.log(stack) as log:
        resend(stack, key, first, write.why, log)
    click.echo(f"Requested: {counted(len(plan.messages), 'message')} of {printable(key)}, on record in {write.path}")
    tell_of_runs(stack)


def many(stack: Stack, since: datetime, after: Optional[Key], rate: float, write: Write) -> None:
    if not write.is_applied:
        messages, sessions = counted_since(stack, since, after)
        if not sessions:
            click.echo(none_since(since, after))
            return
        click.echo(f"{counted(messages, 'message')} of {counted(sessions, 'session')} would be sent again. {HOW_TO}")
        click.echo(DROPPED)
        return
    with write.log(stack) as log:
        sessions = resend_since(stack, since, write.why, rate, log, after)
    if not sessions:
        click.echo(none_since(since, after))
        return
    click.echo(f"Requested: the messages of {counted(sessions, 'session')}, on record in {write.path}")
    tell_of_runs(stack)


def none_since(since: datetime, after: Optional[Key]) -> str:
    """What is said if there is nothing to send again."""
    return f"No {'other ' if after else ''}session was told anything since {seconds(as_text(since))}"


def tell_of_runs(stack: Stack) -> None:
    """Says who sends what was requested, which command shows that, and what consumers make of it."""
    endpoint = f" --endpoint-url {stack.aws.endpoint}" if stack.aws.endpoint else ""
    click.echo("`replay` sends them. Its log has a line for each run:\n"
               f"aws logs filter-log-events{endpoint} --region {stack.aws.region} --log-group-name {stack.resource(LOGS)} "
               f"--start-time {time.time_ns() // 1_000_000} --filter-pattern '{RUNS}' "
               "--query 'events[].[message]' --output text")
    click.echo(DROPPED)


@click.command("resend", short_help="Send messages about decisions again.")
@click.argument("key", metavar="[PROVIDER/ID]", required=False, callback=options.parsed_by(Key.parse))
@options.stack_name
@options.endpoint
@click.option("--from", "first", type=click.IntRange(min=1), metavar="SEQUENCE",
              help="From this sequence to the last that was told.")
@click.option("--since", metavar="TIME", callback=options.parsed_by(options.past),
              help="Every session that was told something at this time or later, from there on: RFC 3339, or how long ago.")
@click.option("--after", metavar="PLACE", callback=options.parsed_by(of_cursor),
              help="Go on after this place, which an interrupted run with --since printed.")
@options.rate
@asked_for
def resend_command(key: Optional[Key], stack_name: str, endpoint: Optional[str], first: Optional[int],
                   since: Optional[datetime], after: Optional[Key], rate: float, write: Write) -> None:
    """Send messages about decisions again: of one session from a sequence on, or, by --since, of all sessions. They have
    the ids and sequences that they had. Without --apply, it only says which or how many."""
    if bool(key) != bool(first) or bool(key) == bool(since):
        raise Problem("name a session and --from, the sequence to begin with, or give --since alone")
    if after and not since:
        raise Problem("--after goes with --since")
    stack = Stack.require(Aws.connect(endpoint), stack_name)
    refuse_too_old(stack)
    if key and first:
        one(stack, key, first, write)
    elif since:
        many(stack, since, after, rate, write)
