"""Has chosen sessions read again by today's readers: all their stored payloads, into a new record.

For after a reader was corrected. A dry run changes nothing: the function `rebuild-preview`, which can only read, is asked
what a rebuild would come to, and there is one line for each session. Applied, each session goes to the intake queue as a
request, from where `replay` rebuilds it, and to the audit file as a line. A decision is withdrawn only if the operator
asks for that.

For other programs: `ask(Deployment.of(stack), keys, Rebuild(withdraw))` gives the preview's reports, and
`apply(Deployment.of(stack), keys, Rebuild(withdraw, reason), rate, log)` requests the rebuilds and tells how many, with a
log of `audit.Log.opened`.

A time chooses by arrival: `since` the sessions that have had an event at that time or later, `until` those that have had
one before it; together, those whose events lie within the span or around it.
"""
from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable, Iterable, Iterator, Optional

import click

from . import options
from .audit import Log, Write, asked_for
from .aws import Aws
from .deployed import ALIAS
from .intake import PROVIDERS, Key, at_once, in_groups, request
from .interruption import Interrupted, whole
from .problem import Problem
from .progress import bar
from .stack import Stack
from .wording import counted, printable

KINDS = ("identification", "kyc_review", "onboarding", "verification")

#: The members of a session's item that are looked at. All names are aliases: some are DynamoDB's reserved words.
MEMBERS = "#pk, #session.#kind, #session.#first, #session.#last"
NAMES = {"#pk": "pk", "#session": "session", "#kind": "kind", "#first": "firstEventAt", "#last": "lastEventAt"}

#: How many sessions one call asks about: they share the 25 s that the function takes for an answer.
ASKED_AT_ONCE = 10

@dataclass(frozen=True)
class Session:
    """What is looked at of a session to choose it: nothing of the person."""

    key: Key
    kind: str
    first_event_at: datetime
    last_event_at: datetime

    @classmethod
    def of(cls, item: dict[str, Any]) -> Session:
        session = item["session"]["M"]
        return cls(
            key=Key(*item["pk"]["S"].removeprefix("SESSION#").split("/", 1)),
            kind=session["kind"]["S"],
            first_event_at=moment(session["firstEventAt"]["S"]),
            last_event_at=moment(session["lastEventAt"]["S"]))


@dataclass(frozen=True)
class Choice:
    """Which sessions."""

    sessions: tuple[Key, ...] = ()
    provider: Optional[str] = None
    kind: Optional[str] = None
    since: Optional[datetime] = None
    until: Optional[datetime] = None
    reference: Optional[str] = None

    def check(self) -> None:
        """Tells what cannot be meant."""
        others = [self.provider, self.kind, self.since, self.until, self.reference]
        if self.sessions and any(others):
            raise Problem("--session names its sessions by itself: leave the other choices out")
        if not self.sessions and not any(others):
            raise Problem("choose sessions by --session, --reference, --provider, --kind, --since or --until")
        if self.since and self.until and self.since >= self.until:
            raise Problem("--since is not before --until: no session lies between")

    def takes(self, session: Session) -> bool:
        return ((self.provider is None or session.key.provider == self.provider)
                and (self.kind is None or session.kind == self.kind)
                and (self.since is None or session.last_event_at >= self.since)
                and (self.until is None or session.first_event_at < self.until))


@dataclass(frozen=True)
class Rebuild:
    """What is asked for of each session."""

    #: True if a decision may be withdrawn that today's readers find to be none.
    withdraw: bool = False
    #: Why, for the log of `replay` and the audit file.
    reason: Optional[str] = None

    @property
    def question(self) -> dict[str, Any]:
        """Its members in a question; none if nothing special is asked for."""
        return {"withdraw": True} if self.withdraw else {}

    @property
    def request(self) -> dict[str, Any]:
        """What is asked of each session."""
        return {"kind": "rebuild", **self.question, **({"reason": self.reason} if self.reason else {})}


@dataclass(frozen=True)
class Deployment:
    """The stack whose sessions they are."""

    table: str
    intake: str
    preview: str
    replay: str
    client: Callable[[str], Any]

    @classmethod
    def of(cls, stack: Stack) -> Deployment:
        """What a stack has, for its operator to use."""
        return cls(
            table=stack.outputs["SessionsTableName"], intake=stack.outputs["IntakeQueueUrl"],
            preview=f"{stack.resource('RebuildPreview')}:{ALIAS}", replay=stack.resource("Replay"),
            client=stack.operator().client)


# ---- Choosing ----

def chosen(deployment: Deployment, choice: Choice) -> Iterator[Key]:
    """The sessions chosen, each once. Those that were named need not be known."""
    if choice.sessions:
        yield from dict.fromkeys(choice.sessions)
        return
    candidates = of_reference(deployment, choice.reference) if choice.reference else all_sessions(deployment)
    yield from (session.key for session in candidates if choice.takes(session))


def all_sessions(deployment: Deployment) -> Iterator[Session]:
    pages = deployment.client("dynamodb").get_paginator("scan").paginate(
        TableName=deployment.table,
        FilterExpression="#sk = :state", ExpressionAttributeValues={":state": {"S": "STATE"}},
        ProjectionExpression=MEMBERS, ExpressionAttributeNames={**NAMES, "#sk": "sk"})
    for page in pages:
        yield from map(Session.of, page["Items"])


def indexed(reference: str) -> str:
    """The key of a reference in the index: as `indexed` in shared/pipeline/src/store/table/items.rs makes it."""
    text = reference.encode()
    return reference if len(text) <= 1024 else f"sha256:{hashlib.sha256(text).hexdigest()}"


def of_reference(deployment: Deployment, reference: str) -> Iterator[Session]:
    database = deployment.client("dynamodb")
    pages = database.get_paginator("query").paginate(
        TableName=deployment.table, IndexName="reference", KeyConditionExpression="#reference = :reference",
        ExpressionAttributeNames={"#reference": "reference"},
        ExpressionAttributeValues={":reference": {"S": indexed(reference)}})
    for page in pages:
        for entry in page["Items"]:
            found = database.get_item(
                TableName=deployment.table, Key={"pk": entry["pk"], "sk": entry["sk"]},
                ProjectionExpression=MEMBERS, ExpressionAttributeNames=NAMES)
            if "Item" in found:
                yield Session.of(found["Item"])


# ---- Asking what would change ----

def ask(deployment: Deployment, sessions: Iterable[Key], how: Rebuild) -> Iterator[dict[str, Any]]:
    """What a rebuild of each session would come to. Nothing is written."""
    functions = deployment.client("lambda")
    for some in in_groups(sessions, ASKED_AT_ONCE):
        answer = functions.invoke(
            FunctionName=deployment.preview, Payload=json.dumps({"dryRun": [key.json for key in some], **how.question}))
        content = answer["Payload"].read()
        if "FunctionError" in answer:
            yield from ({**key.json, "outcome": "failed", "reason": "the function failed; see its log"} for key in some)
        else:
            yield from json.loads(content)["sessions"]


def as_line(report: dict[str, Any]) -> str:
    """What an operator gets to see of one session."""
    return f"{report['outcome']:9}  {printable(Key(report['provider'], report['sessionId']))}  {what(report)}".rstrip()


def what(report: dict[str, Any]) -> str:
    narrowed = f"{counted(report['narrowed'], 'payload')} narrowed" if report.get("narrowed") else ""
    return "; ".join(filter(None, [of_record(report), narrowed]))


def of_record(report: dict[str, Any]) -> str:
    """What would become of a record, beside its stored payloads."""
    if report["outcome"] == "changed":
        events, members, decision = report["events"], report["members"], report["decision"]
        parts = [counted(events, "event")]
        if decision["from"] != decision["to"]:
            parts.append(f"decision {decision['from'] or 'none'} -> {decision['to'] or 'none'}")
        parts += [f"record: {', '.join(members)}"] if members else []
        parts += ["notified"] if report["notified"] else []
        return "; ".join(parts)
    if report["outcome"] == "refused":
        indexed = "; place in the lists" if report.get("indexed") else ""
        return report["reason"] + (f" ({report['events']})" if report.get("events") else "") + indexed
    return "place in the lists" if report["outcome"] == "indexed" else report.get("reason", "")


def show(reports: Iterable[dict[str, Any]]) -> int:
    """Prints a line a session and the totals; gives the exit status: 1 if one isn't there, or couldn't be told."""
    totals: Counter[str] = Counter()
    for report in reports:
        print(as_line(report), flush=True)
        totals[report["outcome"]] += 1
        totals["notified"] += bool(report.get("notified"))
        totals["places"] += report["outcome"] == "indexed" or bool(report.get("indexed"))
        totals["missing"] += report.get("reason") == "session_not_found"
        totals["withdrawals"] += report.get("reason") == "decision_withdrawn"
        totals["payloads"] += report.get("narrowed", 0)
        totals["narrow"] += bool(report.get("narrowed"))
    for line in in_all(totals):
        print(line)
    return 1 if totals["failed"] or totals["missing"] else 0


def in_all(totals: Counter[str]) -> Iterator[str]:
    """The totals of a dry run."""
    # A session that only gets its place in the lists, or narrower payloads, has the record that it had.
    unchanged = totals["unchanged"] + totals["indexed"] + totals["narrowed"]
    count = unchanged + totals["changed"] + totals["refused"] + totals["failed"]
    yield (f"{counted(count, 'session')}: {unchanged} unchanged, {totals['changed']} would change"
           f" ({totals['notified']} notified), {totals['refused']} refused, {totals['failed']} failed")
    if places := totals["places"]:
        yield (f"{counted(places, 'session')} among these would get {'its' if places == 1 else 'their'} place in the "
               "lists by status, and keep the record as it is")
    if payloads := totals["payloads"]:
        yield (f"{counted(payloads, 'payload')} of {counted(totals['narrow'], 'session')} would be narrowed to the "
               "session's own part of its webhooks")
    if withdrawals := totals["withdrawals"]:
        yield (f"{counted(withdrawals, 'session')} refused with decision_withdrawn: WITHDRAW=1 rebuilds "
               f"{'it' if withdrawals == 1 else 'them'}, and tells consumers that no decision stands")


# ---- Having it done ----

def apply(deployment: Deployment, sessions: Iterable[Key], how: Rebuild, rate: float, log: Log) -> int:
    """Requests each session's rebuild, so many a second, and tells how many."""
    queues, requested = deployment.client("sqs"), 0
    try:
        with bar("Requesting") as advance:
            for some in in_groups(sessions, at_once(rate)):
                if requested:
                    time.sleep(len(some) / rate)
                with whole():
                    for key, message_id in request(queues, deployment.intake, dict.fromkeys(some, how.request)):
                        more = {"withdraw": True} if how.withdraw else {}
                        log.add("rebuild", str(key), how.reason or "", "requested", messageId=message_id, **more)
                        requested += 1
                        advance(1)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted after {counted(requested, 'request')}, which are on record in {log.path}; the same "
                          "command begins anew, and a session that is right stays as it is") from None
    return requested


# ---- Times ----

def moment(text: str) -> datetime:
    """A time of the table; digits beyond the microsecond are cut off."""
    return datetime.fromisoformat(text).astimezone(timezone.utc)


# ---- The command ----

def run(stack: Stack, choice: Choice, withdraw: bool, rate: float, write: Write) -> int:
    """Asks or requests, and returns the exit status."""
    deployment = Deployment.of(stack)
    sessions, how = chosen(deployment, choice), Rebuild(withdraw, write.reason)
    if not write.is_applied:
        return show(ask(deployment, sessions, how))
    stack.refuse_without_operator()
    with write.log(stack) as log:
        requested = apply(deployment, sessions, how, rate, log)
    print(f"{counted(requested, 'rebuild')} requested, on record in {write.path}; "
          f"what each came to is in the log of {deployment.replay}, message `rebuild`")
    return 0


@click.command()
@options.stack_name
@options.endpoint
@click.option("--session", "sessions", envvar="SESSION", multiple=True, metavar="PROVIDER/ID",
              callback=options.parsed_by(Key.parse),
              help="This session; may be repeated (SESSION: several, with spaces between).")
@click.option("--reference", envvar="REFERENCE", help="The sessions of this reference of yours.")
@click.option("--provider", envvar="PROVIDER", type=click.Choice(PROVIDERS), help="Only this provider's sessions.")
@click.option("--kind", envvar="KIND", type=click.Choice(KINDS), help="Only sessions of this kind.")
@click.option("--since", envvar="SINCE", metavar="TIME", callback=options.parsed_by(options.past),
              help="Only sessions with an event at this time (RFC 3339, or how long ago: 36h, 3d) or later.")
@click.option("--until", envvar="UNTIL", metavar="TIME", callback=options.parsed_by(options.moment),
              help="Only sessions with an event before this time.")
@click.option("--withdraw", envvar="WITHDRAW", is_flag=True,
              help="Withdraw decisions that aren't decisions for today's readers, and tell consumers (WITHDRAW=1); else "
                   "such sessions are refused.")
@options.rate
@asked_for
@click.pass_context
def rebuild(context: click.Context, /, stack_name: str, endpoint: Optional[str], withdraw: bool, rate: float, write: Write,
            **choice: Any) -> None:
    """Have chosen sessions read again by today's readers. Without --apply nothing changes: there is one line for each
    session that says what a rebuild would come to. With --apply each is requested, and put on record in the audit file.

    --session names sessions one by one, --reference those of one of your own references; else the whole table is gone
    through. A time chooses by arrival: --since the sessions that have had an event at that time or later, --until those
    that have had one before it; together, those whose events lie within the span or around it."""
    chosen_by = Choice(**choice)
    chosen_by.check()
    context.exit(run(Stack.require(Aws.connect(endpoint), stack_name), chosen_by, withdraw, rate, write))
