#!/usr/bin/env python3
"""Has chosen sessions read again by today's readers: all their stored payloads, into a new record.

For after a reader was corrected. Without --apply nothing changes: the function `replay` is asked what a rebuild would
come to, and there is one line for each session. With --apply each session goes to the intake queue as a request, from
where `replay` rebuilds it, and to the audit file as a line.

--session names sessions one by one, --reference those of one of your own references; else the whole table is gone
through. A time chooses by arrival: --since the sessions that have had an event at that time or later, --until those
that have had one before it; together, those whose events lie within the span or around it.

Every option can be given as a variable, as in `make replay PROVIDER=veriff SINCE=2026-06-01T00:00:00Z APPLY=1`.
"""
from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.parse
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, TextIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PROVIDERS = ("incode", "treezor", "veriff", "wultra")
KINDS = ("identification", "kyc_review", "onboarding", "verification")

#: The members of a session's item that are looked at. All names are aliases: some are DynamoDB's reserved words.
MEMBERS = "#pk, #session.#kind, #session.#first, #session.#last"
NAMES = {"#pk": "pk", "#session": "session", "#kind": "kind", "#first": "firstEventAt", "#last": "lastEventAt"}

#: How many sessions one call asks about: they share the 25 s that the function takes for an answer.
ASKED_AT_ONCE = 10
#: How many requests SQS takes in one call, and how often it is asked to take those that it did not.
SENT_AT_ONCE = 10
TRIES = 5
#: Longer than the function may take.
ANSWER_SECONDS = 40


class Problem(Exception):
    """Something that the operator can put right; the message is one line that says how."""


@dataclass(frozen=True)
class Key:
    """What a session is filed under."""

    provider: str
    session_id: str

    @classmethod
    def parse(cls, text: str) -> Key:
        provider, slash, session_id = text.partition("/")
        if provider not in PROVIDERS or not slash or not session_id:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no session: write {{provider}}/{{sessionId}}, as in treezor/user:6461762")
        return cls(provider, session_id)

    @property
    def partition(self) -> str:
        return f"SESSION#{self}"

    @property
    def json(self) -> dict:
        return {"provider": self.provider, "sessionId": self.session_id}

    def __str__(self) -> str:
        return f"{self.provider}/{self.session_id}"


@dataclass(frozen=True)
class Session:
    """What is looked at of a session to choose it: nothing of the person."""

    key: Key
    kind: str
    first_event_at: datetime
    last_event_at: datetime

    @classmethod
    def of(cls, item: dict) -> Session:
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
class Deployment:
    """The stack whose sessions they are."""

    table: str
    intake: str
    function: str
    client: Callable[[str], Any]

    @classmethod
    def find(cls, stack: str, endpoint: Optional[str]) -> Deployment:
        client = clients(endpoint)
        formation = client("cloudformation")
        described = formation.describe_stacks(StackName=stack)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
        if not {"SessionsTableName", "IntakeQueueUrl"} <= outputs.keys():
            raise Problem(f"the stack {stack} is no Verdict, or an older one: it has no output IntakeQueueUrl")
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}
        if is_local(endpoint) and parameters.get("OperatorArn"):
            client = clients(endpoint, keys_of(client("sts"), parameters["OperatorArn"]))
        function = client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId="Replay")
        return cls(
            table=outputs["SessionsTableName"], intake=outputs["IntakeQueueUrl"],
            function=function["StackResourceDetail"]["PhysicalResourceId"], client=client)


#: The local stack's administrator.
LOCAL_KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def keys_of(sts: Any, role: str) -> dict[str, str]:
    """Assumes a role; its keys are arguments of a boto3 client."""
    keys = sts.assume_role(RoleArn=role, RoleSessionName="operator")["Credentials"]
    return {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"]}


def is_local(endpoint: Optional[str]) -> bool:
    return urllib.parse.urlsplit(endpoint or "").hostname in ("127.0.0.1", "localhost", "::1")


def clients(endpoint: Optional[str], local_keys: Mapping[str, str] = LOCAL_KEYS) -> Callable[[str], Any]:
    """Makes boto3's clients; the keys are for an endpoint on this machine, which is the local stack's."""
    more: dict[str, Any] = {}
    config: dict[str, Any] = {"read_timeout": ANSWER_SECONDS, "retries": {"mode": "standard", "max_attempts": 5}}
    if endpoint:
        more["endpoint_url"] = endpoint
        if is_local(endpoint):
            more |= {"region_name": "eu-west-1", **local_keys}
            config["proxies"] = {"http": None, "https": None}
    session = boto3.session.Session()
    return lambda service: session.client(service, config=Config(**config), **more)


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


def of_reference(deployment: Deployment, reference: str) -> Iterator[Session]:
    database = deployment.client("dynamodb")
    pages = database.get_paginator("query").paginate(
        TableName=deployment.table, IndexName="reference", KeyConditionExpression="#reference = :reference",
        ExpressionAttributeNames={"#reference": "reference"},
        ExpressionAttributeValues={":reference": {"S": reference}})
    for page in pages:
        for entry in page["Items"]:
            found = database.get_item(
                TableName=deployment.table, Key={"pk": entry["pk"], "sk": entry["sk"]},
                ProjectionExpression=MEMBERS, ExpressionAttributeNames=NAMES)
            if "Item" in found:
                yield Session.of(found["Item"])


# ---- Asking what would change ----

def ask(deployment: Deployment, sessions: Iterable[Key]) -> Iterator[dict]:
    """What a rebuild of each session would come to. Nothing is written."""
    functions = deployment.client("lambda")
    for some in in_groups(sessions, ASKED_AT_ONCE):
        answer = functions.invoke(
            FunctionName=deployment.function, Payload=json.dumps({"dryRun": [key.json for key in some]}))
        content = answer["Payload"].read()
        if "FunctionError" in answer:
            yield from ({**key.json, "outcome": "failed", "reason": "the function failed; see its log"} for key in some)
        else:
            yield from json.loads(content)["sessions"]


def as_line(report: dict) -> str:
    """What an operator gets to see of one session."""
    return f"{report['outcome']:9}  {printable(Key(report['provider'], report['sessionId']))}  {what(report)}".rstrip()


def what(report: dict) -> str:
    if report["outcome"] == "changed":
        events, members, decision = report["events"], report["members"], report["decision"]
        parts = [counted(events, "event")]
        if decision["from"] != decision["to"]:
            parts.append(f"decision {decision['from'] or 'none'} -> {decision['to'] or 'none'}")
        parts += [f"record: {', '.join(members)}"] if members else []
        parts += ["notified"] if report["notified"] else []
        return "; ".join(parts)
    if report["outcome"] == "refused":
        return report["reason"] + (f" ({report['events']})" if report.get("events") else "")
    return report.get("reason", "")


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def printable(key: Key) -> str:
    """A provider may call a session what it likes; a terminal is not to act on it."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in str(key))


def show(reports: Iterable[dict]) -> int:
    """Prints a line a session and the totals; gives the exit status: 1 where one could not be told."""
    totals: Counter = Counter()
    for report in reports:
        print(as_line(report), flush=True)
        totals[report["outcome"]] += 1
        totals["notified"] += bool(report.get("notified"))
    count = sum(totals[outcome] for outcome in ("unchanged", "changed", "refused", "failed"))
    print(f"{counted(count, 'session')}: {totals['unchanged']} unchanged, {totals['changed']} would change"
          f" ({totals['notified']} notified), {totals['refused']} refused, {totals['failed']} failed")
    return 1 if totals["failed"] else 0


# ---- Having it done ----

def apply(deployment: Deployment, sessions: Iterable[Key], rate: float, audit: TextIO) -> int:
    """Requests each session's rebuild, so many a second, and tells how many."""
    who = deployment.client("sts").get_caller_identity()["Arn"]
    queues, requested = deployment.client("sqs"), 0
    for some in in_groups(sessions, SENT_AT_ONCE):
        if requested:
            time.sleep(len(some) / rate)
        for key, message_id in send(queues, deployment.intake, some):
            line = {"at": now(), "who": who, "session": str(key), "asked": "rebuild", "messageId": message_id}
            print(json.dumps(line), file=audit, flush=True)
            requested += 1
    return requested


def send(queues: Any, url: str, sessions: list[Key]) -> Iterator[tuple[Key, str]]:
    """Puts requests on intake and tells of each that is there, and its message's id."""
    left = {str(number): key for number, key in enumerate(sessions)}
    for attempt in range(TRIES):
        if attempt:
            time.sleep(2 ** attempt / 4)
        answer = queues.send_message_batch(QueueUrl=url, Entries=[
            {"Id": entry, "MessageBody": json.dumps({"kind": "rebuild", **key.json})} for entry, key in left.items()])
        for sent in answer.get("Successful", []):
            yield left.pop(sent["Id"]), sent["MessageId"]
        if not left:
            return
    raise Problem(f"SQS did not take the request for {', '.join(map(printable, left.values()))}: "
                  "the audit file says which were sent; run it again, a session that is right stays as it is")


def in_groups(sessions: Iterable[Key], size: int) -> Iterator[list[Key]]:
    group: list[Key] = []
    for key in sessions:
        group.append(key)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


# ---- Times ----

def moment(text: str) -> datetime:
    """A time of the table; digits beyond the microsecond are cut off."""
    return datetime.fromisoformat(text).astimezone(timezone.utc)


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is not None:
            return read.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no time in RFC 3339: write 2026-06-01T00:00:00Z")


# ---- The command line ----

def sessions_a_second(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0
    if not 0 < rate <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of sessions a second: write one from 0.01 to 1000")
    return rate


class Parser(argparse.ArgumentParser):
    """Reports a wrong command line as a problem, in one line."""

    def error(self, message: str):
        raise Problem(f"{message}; `operations/replay.py --help` shows what there is")


def parser() -> argparse.ArgumentParser:
    top = Parser(prog="replay", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    option = top.add_argument
    option("--stack-name", default="verdict", metavar="NAME", help="the CloudFormation stack (verdict)")
    option("--session", type=Key.parse, action="append", default=[], metavar="PROVIDER/ID",
           help="this session; may be repeated (SESSION: several, with spaces between)")
    option("--reference", help="the sessions of this reference of yours")
    option("--provider", choices=PROVIDERS, help="only this provider's sessions")
    option("--kind", choices=KINDS, help="only sessions of this kind")
    option("--since", type=rfc3339, metavar="TIME", help="only sessions with an event at this time (RFC 3339) or later")
    option("--until", type=rfc3339, metavar="TIME", help="only sessions with an event before this time")
    option("--apply", action="store_true", help="have them rebuilt, instead of asking what that would change (APPLY=1)")
    option("--rate", default=10, type=sessions_a_second, help="how many sessions to request a second (10)")
    option("--audit", default="replay-audit.jsonl", type=Path, metavar="FILE",
           help="where --apply adds a line for each session (replay-audit.jsonl)")
    option("--endpoint", metavar="URL", help="in place of AWS, such as the local stack at http://127.0.0.1:4566")
    return top


def from_variables(variables: Mapping[str, str]) -> list[str]:
    """What make's variables say, as arguments; blank is as if left out."""
    names = ("stack-name", "reference", "provider", "kind", "since", "until", "rate", "audit", "endpoint")
    given = {name: variables.get(name.upper().replace("-", "_")) for name in names}
    said = [f"--{name}={value}" for name, value in given.items() if value]
    said += [f"--session={session}" for session in variables.get("SESSION", "").split()]
    return said + (["--apply"] if variables.get("APPLY", "") not in ("", "0") else [])


def run(options: argparse.Namespace) -> int:
    choice = Choice(
        sessions=tuple(options.session), provider=options.provider, kind=options.kind, since=options.since,
        until=options.until, reference=options.reference)
    choice.check()
    deployment = Deployment.find(options.stack_name, options.endpoint)
    sessions = chosen(deployment, choice)
    if not options.apply:
        return show(ask(deployment, sessions))
    try:
        audit = options.audit.open("a", encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write {options.audit} ({error.strerror}); give another file with --audit")
    with audit:
        requested = apply(deployment, sessions, options.rate, audit)
    print(f"{counted(requested, 'rebuild')} requested, on record in {options.audit}; "
          f"what each came to is in the log of {deployment.function}, message `rebuild`")
    return 0


def main(arguments: Optional[list[str]] = None, variables: Mapping[str, str] = os.environ) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        return run(parser().parse_args(from_variables(variables) + arguments))
    except Problem as problem:
        print(f"replay: {problem}", file=sys.stderr)
    except ClientError as error:
        print(f"replay: AWS refused {error.operation_name}: {error.response['Error'].get('Message') or error}",
              file=sys.stderr)
    except BotoCoreError as error:
        print(f"replay: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 2


if __name__ == "__main__":
    sys.exit(main())
