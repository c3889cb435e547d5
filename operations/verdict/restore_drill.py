"""Rehearses the restore of the sessions table on the local stack: to a point in time, into a new table, on which the
stack then works.

The steps are those of a real restore: restore, put back the settings that a restore loses, have the stack use the new
table, with a greater base of sequences, see that all is well. A session that was there before shows that nothing was lost,
and its next decision that the numbers go on above what consumers may have seen.
"""
from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Optional

import click

from . import adoption, live, options
from .adoption import PARAMETER
from .aws import Aws
from .bridge import bridge_gaps
from .doctor import probes
from .doctor.command import report
from .doctor.probes import webhooks
from .problem import Problem
from .stack import Stack
from .table_settings import TABLE, await_active

DEFAULT_PORT = "4566"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
#: The parameter above which sequences go on, and how much a restore adds to it: far above what any session can have counted.
BASE = "SequenceBase"
BASE_STEP = 1000


@dataclass(frozen=True)
class Decision:
    """A sample that decides its session, with members that say when."""

    sample: str
    members: Mapping[str, Any] = field(default_factory=dict)

    def event(self, keys: Any, session: str) -> dict[str, Any]:
        """The webhook, as an API Gateway event."""
        return webhooks.make(webhooks.find(self.sample), keys, dict(self.members), session=session)


#: For each provider, what decides a session twice.
DECISIONS = {
    "veriff": (
        Decision("veriff/decision-resubmission-requested", {"decisionTime": "2026-06-12T09:20:00.000001Z"}),
        Decision("veriff/decision-approved", {"decisionTime": "2026-06-12T09:40:00.000001Z"})),
    "incode": (Decision("incode/session-pending-review"), Decision("incode/manual-review-approved")),
    "treezor": (
        Decision("treezor/user-kycreview-review-open",
                 {"modifiedDate": "2026-06-12 09:25:00", "webhook_created_at": 17812563000000}),
        Decision("treezor/user-kycreview-validated",
                 {"modifiedDate": "2026-06-12 09:40:00", "webhook_created_at": 17812572000000})),
    "wultra": (
        Decision("wultra/process-failed", {"timestamp": "2026-06-12T09:20:00Z"}),
        Decision("wultra/process-finished", {"timestamp": "2026-06-12T09:40:00Z"})),
}


def decides(keys: Any) -> bool:
    """Whether the webhooks of a provider with these credentials decide by themselves: Incode's API may have to confirm."""
    return "api" not in keys or keys.get("confirmDecisions") is False


@dataclass
class Times:
    """How long each step took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        click.echo(f"{name} …")
        begun = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - begun

    def lines(self) -> Iterator[str]:
        width = max(map(len, self.seconds))
        for name, seconds in self.seconds.items():
            yield f"  {name:{width}}  {seconds:6.1f} s"
        yield f"  {'in all':{width}}  {sum(self.seconds.values()):6.1f} s"


@dataclass(frozen=True)
class Witness:
    """A session that is decided once before the restore, and once after."""

    provider: str
    session: str
    keys: Any = field(repr=False)

    @classmethod
    def of(cls, stack: Stack, provider: Optional[str] = None) -> Witness:
        """A fresh session of a provider, or of the first that the stack has and whose webhooks decide by themselves."""
        for credentials in (each for each in probes.configured(stack, [], "") if not each.unread):
            keys = json.loads(credentials.text)
            if provider == credentials.provider or (provider is None and decides(keys)):
                sample = webhooks.find(DECISIONS[credentials.provider][0].sample)
                return cls(credentials.provider, webhooks.fresh(sample.ids["session"]), keys)
        raise Problem(f"the stack {stack.name} has no provider whose webhooks decide by themselves")

    def decide(self, stack: Stack, number: int) -> webhooks.Answer:
        """Sends the first or the second decision."""
        decision = DECISIONS[self.provider][number]
        event = decision.event(self.keys, self.session)
        sample = webhooks.find(decision.sample)
        return webhooks.send(webhooks.with_fetched_token(event, sample, self.keys, stack.api_url), stack.api_url)

    def record(self, stack: Stack, number: int) -> None:
        """Sends a decision that has to be recorded."""
        answer = self.decide(stack, number)
        if answer.outcome != "recorded":
            raise Problem(f"the session's decision was not recorded: the stack answered {answer.status} ({answer.outcome})")

    def sequence(self, stack: Stack, table: str) -> Optional[int]:
        """The sequence of the session's last notification in a table; None if the table has no such session."""
        key = webhooks.find(DECISIONS[self.provider][0].sample).session_key(self.session)
        found = stack.client("dynamodb").get_item(
            TableName=table, ConsistentRead=True,
            Key={"pk": {"S": f"SESSION#{self.provider}/{key}"}, "sk": {"S": "STATE"}})
        return int(found["Item"]["session"]["M"]["notifications"]["N"]) if "Item" in found else None


def drill(stack: Stack, table: str) -> int:
    """Restores, switches and looks. Returns how many findings the doctor has."""
    times, witness, before = Times(), Witness.of(stack), stack.outputs["SessionsTableName"]
    witness.record(stack, 0)
    told = witness.sequence(stack, before) or 0
    with times.step(f"Restoring {before} into {table}"):
        restore(stack, before, table)
    with times.step("Putting back the settings that a restore loses"):
        put_back(stack, before, table)
    base = int(stack.parameters[BASE]) + BASE_STEP
    with times.step(f"Having {stack.name} use {table}, with {BASE} {base}"):
        stack = switch(stack, table, base)
    with times.step("Asking the doctor"):
        bad = report(stack, [], "")
    look_for(stack, witness, table, told, base + 1)
    click.echo(f"\nThe session of before is there, and its next decision has the sequence above the base ({base + 1}).")
    for line in times.lines():
        click.echo(line)
    click.echo(f"The stack uses {table} from now on; {before} stays as it was.")
    return bad


def restore(stack: Stack, source: str, target: str) -> None:
    database = stack.client("dynamodb")
    database.restore_table_to_point_in_time(
        SourceTableName=source, TargetTableName=target, UseLatestRestorableTime=True)
    await_active(database, target)


def put_back(stack: Stack, source: str, target: str) -> None:
    """A restored table has no expiry, no recovery, no protection and no tags."""
    adoption.look(stack.aws, target, stack.template.properties(TABLE)).carry_out(stack.aws)
    database = stack.client("dynamodb")
    tags = database.list_tags_of_resource(ResourceArn=arn(database, source)).get("Tags", [])
    # AWS keeps names with that prefix to itself: CloudFormation's own say whose the old table is.
    own = [tag for tag in tags if not tag["Key"].startswith("aws:")]
    if own:
        database.tag_resource(ResourceArn=arn(database, target), Tags=own)


def arn(database: Any, table: str) -> str:
    return database.describe_table(TableName=table)["Table"]["TableArn"]


def switch(stack: Stack, table: str, base: int) -> Stack:
    """Deploys the same template with another table and base of sequences: nothing is compiled, and all other parameters
    stay as they are."""
    formation, changed = stack.client("cloudformation"), {PARAMETER: table, BASE: str(base)}
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in stack.parameters if name not in changed]
    formation.update_stack(
        StackName=stack.name, UsePreviousTemplate=True, Capabilities=CAPABILITIES,
        Parameters=[*kept, *({"ParameterKey": name, "ParameterValue": value} for name, value in changed.items())])
    formation.get_waiter("stack_update_complete").wait(StackName=stack.name, WaiterConfig={"Delay": 1})
    bridge_gaps(stack.name, stack.client)
    publish(stack)
    return Stack.require(stack.aws, stack.name)


def publish(stack: Stack) -> None:
    """Makes versions of the functions live that know the table. An update that keeps the template publishes none here."""
    functions, pointers = stack.client("lambda"), live.read(stack).values()
    live.point(stack, [
        each.followed_by(functions.publish_version(FunctionName=each.function)["Version"]) for each in pointers])


def look_for(stack: Stack, witness: Witness, table: str, told: int, expected: int) -> None:
    """Ends the command if the session of before is not there, or its next decision has another sequence than expected."""
    restored = witness.sequence(stack, table)
    if restored != told:
        raise Problem(f"the restored table has sequence {restored} of the session of before, not {told}")
    witness.record(stack, 1)
    following = witness.sequence(stack, table)
    if following != expected:
        raise Problem(f"the session's next decision has sequence {following}, not {expected}")


@click.command("restore-drill", short_help="Rehearse a restore of the table on the local stack.")
@options.stack_name
@click.option("--endpoint", envvar="ENDPOINT", metavar="URL", show_default="the local stack on PORT",
              help="The local stack.")
@click.option("--table", envvar="TABLE", metavar="NAME", show_default="the stack's name and a random ending",
              help="The name of the new table.")
@click.pass_context
def restore_drill(context: click.Context, stack_name: str, endpoint: Optional[str], table: Optional[str]) -> None:
    """Rehearse a restore of the sessions table on the local stack, and tell how long each step took."""
    aws = Aws.connect(endpoint or f"http://127.0.0.1:{os.environ.get('PORT') or DEFAULT_PORT}")
    if not aws.is_local:
        raise Problem("the drill sends webhooks of its own and switches the table: it is for the local stack only")
    stack = Stack.require(aws, stack_name)
    for name in (PARAMETER, BASE):
        if name not in stack.parameters:
            raise Problem(f"the stack {stack_name} is older than this command: it has no parameter {name}")
    if drill(stack, table or f"{stack_name}-restored-{uuid.uuid4().hex[:8]}"):
        context.exit(1)
