"""The command: looks at the secret, says what it will do, has it confirmed, and changes the secret."""
from __future__ import annotations

import contextlib
import copy
import json
import sys
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence

import click
from botocore.exceptions import ClientError

from .. import audit, credentials, options, secret
from ..aws import Aws
from ..check import SECRET_ARN, judged_as
from ..interruption import whole
from ..problem import Problem
from ..secret import Secret
from ..stack import Stack
from . import lists, times, value
from .lists import Entry, Step

TTL = "SecretTtlSeconds"
#: Secrets Manager's limit.
MAX_BYTES = 65536
#: The label of a version until it is the current one.
PROPOSED = "VERDICT_PROPOSED"


@dataclass(frozen=True)
class Rotation:
    """A list of a provider's credentials, as the secret has it, and had it before."""

    aws: Aws
    provider: str
    name: str
    current: Secret
    keys: dict[str, Any]
    entries: Sequence[Entry]
    before: Optional[Sequence[Entry]]
    before_at: Optional[datetime]
    ttl: timedelta

    @classmethod
    def of(cls, stack: Stack, provider: str, wanted: Optional[str]) -> Rotation:
        """Reads the secret of a provider of the stack."""
        arn = arn_of(stack, provider)
        current = required(stack.aws, arn)
        refuse_unusable(stack.aws, provider, current.text, "the secret as it is would not do: {}; put that right first")
        keys = json.loads(current.text)
        name = lists.choose(lists.lists_of(provider, keys), wanted)
        entries = lists.lists_of(provider, keys)[name]
        before, before_at = previous(stack.aws, provider, arn, name)
        return cls(stack.aws, provider, name, current, keys, entries, before, before_at,
                   timedelta(seconds=int(stack.parameters[TTL])))

    @property
    def last_step(self) -> Optional[Step]:
        return lists.last_step(self.entries, self.before)

    def refuse_too_early(self, step: Step, now: datetime) -> None:
        """Ends the command if a step would have genuine webhooks refused."""
        if step is Step.PROMOTE:
            self._refuse_second_promotion()
            self._refuse_before(times.usable_from(self.current.created, self.ttl), now,
                                "until then, some functions may not know the new entry")
        if step is Step.REMOVE:
            if self.last_step is Step.ADD:
                raise Problem("the last step was `add`: the entry at the end is the new one. `promote` comes first; --force "
                              "(FORCE=1) removes it all the same")
            self._refuse_before(self.removable_from(self.current.created), now,
                                f"until then, webhooks may come that {self.provider.title()} proved with it")

    def removable_from(self, changed: datetime) -> datetime:
        return times.removable_from(changed, self.provider, self.name, self.keys, self.ttl)

    def _refuse_second_promotion(self) -> None:
        if self.last_step is Step.PROMOTE:
            raise Problem("the last step was `promote`: entry 1 is the new one already. `remove` comes next; --force "
                          "(FORCE=1) puts the old one in front again")

    def _refuse_before(self, at: datetime, now: datetime, why: str) -> None:
        if now < at:
            raise Problem(f"not before {times.shown(at)}: {why}; --force (FORCE=1) does it all the same")

    def edited(self, entries: Sequence[Entry]) -> str:
        """The secret's text with another list."""
        keys = copy.deepcopy(self.keys)
        lists.lists_of(self.provider, keys)[self.name][:] = entries
        indent = 2 if "\n" in self.current.text.strip() else None
        return json.dumps(keys, ensure_ascii=False, indent=indent)

    # ---- What the operator is told ----

    def plan(self, step: Step, position: int, count: int) -> Iterator[str]:
        """What a step will do. It shows positions and ages, and nothing of a value."""
        yield f"{self.provider.title()}, {self.name}: entries now {len(self.entries)}, afterwards {count}"
        yield f"(the secret {self.current.arn})"
        for number, entry in enumerate(self.entries, 1):
            what = "the current one" if number == 1 else ""
            if step is not Step.ADD and number == position:
                what = "becomes the current one" if step is Step.PROMOTE else "goes"
            elif step is Step.PROMOTE and number == 1:
                what = "stays as an older one"
            yield f"  {number}  {self.age(entry):42}  {what}".rstrip()
        if step is Step.ADD:
            yield f"  {position}  {'new':42}"

    def age(self, entry: Entry) -> str:
        """Since when an entry is there, as far as the secret's last two versions show."""
        if self.before is None or self.before_at is None or entry not in self.before:
            return f"since {times.shown(self.current.created)}"
        return f"since {times.shown(self.before_at)} or longer"

    def next_step(self, step: Step, changed: datetime) -> Iterator[str]:
        """What comes next, and when."""
        usable, provider = times.shown(times.usable_from(changed, self.ttl)), self.provider.title()
        again = f"`make rotate PROVIDER={self.provider} LIST={self.name} STEP={{}}`"
        if step is Step.ADD and self.name == lists.SIGNING_KEYS:
            yield f"Every function knows the new key from {usable} on. Then: {again.format('promote')}"
        elif step is Step.ADD:
            yield f"{provider} may use the new one from {usable} on, and not earlier: some functions don't know it yet"
            yield f"Once {provider} uses it: {again.format('promote')}"
        elif step is Step.PROMOTE:
            if self.name == lists.SIGNING_KEYS:
                yield f"New tokens are signed with it, by every function from {usable} on"
            yield f"The older one may go from {times.shown(self.removable_from(changed))} on: {again.format('remove')}"
        else:
            yield f"Every function in use refuses the removed one from {usable} on"

    # ---- The change ----

    def put(self, text: str) -> Secret:
        """Makes the text the secret's current version, if the version that was read is still the current one."""
        arn, proposed = self.current.arn, str(uuid.uuid4())
        manager = secret.manager(self.aws, arn)
        manager.put_secret_value(
            SecretId=arn, SecretString=text, ClientRequestToken=proposed, VersionStages=[PROPOSED])
        try:
            manager.update_secret_version_stage(
                SecretId=arn, VersionStage=secret.CURRENT, MoveToVersionId=proposed,
                RemoveFromVersionId=self.current.version)
        except manager.exceptions.InvalidParameterException:
            raise Problem("the secret was changed by someone else meanwhile, and stays as they left it: look at it, and "
                          "begin anew") from None
        finally:
            # Whether that works or not, the secret is changed or isn't. The next change moves the label.
            with contextlib.suppress(ClientError):
                manager.update_secret_version_stage(SecretId=arn, VersionStage=PROPOSED, RemoveFromVersionId=proposed)
        return required(self.aws, arn)


def arn_of(stack: Stack, provider: str) -> str:
    """The secret of a provider. Ends the command if it has none: its credentials are a parameter then."""
    title = provider.title()
    arn = stack.parameters.get(f"{title}{SECRET_ARN}")
    if not arn:
        raise Problem(f"the stack {stack.name} has no {title}{SECRET_ARN}: if it has {title}'s credentials, they are the "
                      f"parameter {title}Credentials. To rotate them, deploy that parameter with both entries, and later "
                      "without the old one (docs/deploy.md, \"Rotate a secret\")")
    return arn


def required(aws: Aws, arn: str) -> Secret:
    """The current version of a secret, which has to be readable."""
    try:
        return secret.read(aws, arn)
    except secret.Unreadable as problem:
        raise Problem(f"the secret {arn} {problem}") from None


def previous(aws: Aws, provider: str, arn: str, name: str) -> tuple[Optional[Sequence[Entry]], Optional[datetime]]:
    """The list in the version before the current one, and since when it was so; nothing if there is none."""
    try:
        before = secret.read(aws, arn, secret.PREVIOUS)
        entries = lists.lists_of(provider, json.loads(before.text))[name]
    except (secret.Unreadable, ValueError, TypeError, AttributeError, LookupError):
        return None, None
    return (entries, before.created) if isinstance(entries, list) else (None, None)


def refuse_unusable(aws: Aws, provider: str, text: str, message: str) -> None:
    """Ends the command if the functions would not take the credentials."""
    name = judged_as(f"{provider.title()}{SECRET_ARN}")
    for finding in credentials.judge({name: text}, aws.endpoint):
        raise Problem(message.format(finding.spoken))
    if len(text.encode("utf-8")) > MAX_BYTES:
        raise Problem(f"the secret would have more than the {MAX_BYTES} bytes that Secrets Manager takes")


def refuse_repeated(rotation: Rotation, new: str) -> None:
    for number, entry in enumerate(rotation.entries, 1):
        if lists.secret_of(rotation.name, entry) == new:
            raise Problem(f"the new value is entry {number} of the list already")


def confirm(is_confirmed: bool) -> None:
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise Problem("there is no terminal to ask on: say --yes (YES=1) to have it done")
    click.confirm("Change the secret?", abort=True, err=True)


@dataclass(frozen=True)
class Wish:
    """What the operator asks for."""

    step: Step
    list_name: Optional[str] = None
    position: Optional[int] = None
    login: Optional[str] = None
    is_generated: bool = False
    file: Optional[Path] = None
    is_confirmed: bool = False
    is_forced: bool = False


#: Puts a step on record: the list that it is about, and which version of the secret it made.
Record = Callable[[str, str], None]


def carry_out(stack: Stack, provider: str, wish: Wish, record: Record) -> None:
    """Takes one step of a rotation."""
    rotation, step = Rotation.of(stack, provider, wish.list_name), wish.step
    position = lists.position_of(step, rotation.entries, wish.position)
    if not wish.is_forced:
        rotation.refuse_too_early(step, datetime.now(timezone.utc))
    new, entry = "", None
    if step is Step.ADD:
        new = value.obtain(provider, rotation.name, wish.is_generated, wish.file)
        refuse_repeated(rotation, new)
        entry = lists.entry_of(rotation.name, rotation.entries, new, wish.login)
    entries = lists.after(step, rotation.entries, position, entry)
    text = rotation.edited(entries)
    refuse_unusable(stack.aws, provider, text, "with the change, the functions would not take the secret: {}")
    for line in rotation.plan(step, position, len(entries)):
        click.echo(line)
    confirm(wish.is_confirmed)
    with whole(), value.left_in(wish.file, new):
        changed = put(rotation, text)
        record(rotation.name, changed.version)
    click.echo("The secret is changed")
    if wish.file:
        click.echo(f"The value is in {wish.file}, which only you can read: enter it at the other end, and delete the file")
    for line in rotation.next_step(step, changed.created):
        click.echo(line)


def put(rotation: Rotation, text: str) -> Secret:
    """Changes the secret. What Secrets Manager says of a refusal might repeat the value, so that only its code is told."""
    try:
        return rotation.put(text)
    except ClientError as error:
        raise Problem(f"Secrets Manager refused the change ({error.response['Error'].get('Code')})") from None


@click.command(short_help="Rotate a provider's secret, step by step.")
@click.argument("provider", envvar="PROVIDER", type=click.Choice(sorted(lists.LISTS)))
@click.argument("step", envvar="STEP", type=click.Choice([step.value for step in Step]))
@options.stack_name
@options.endpoint
@click.option("--list", "list_name", envvar="LIST", metavar="NAME",
              help="The list, such as secrets, headers.x-incode-secret or oauth.signingKeys; needed if there are several.")
@click.option("--position", envvar="POSITION", type=int, metavar="N",
              help="The entry to promote or remove, from 2; without, the last one.")
@click.option("--login", envvar="LOGIN", metavar="NAME",
              help="The name of a new login; without, that of the current one.")
@click.option("--generate", "is_generated", envvar="GENERATE", is_flag=True,
              help="Make the new value, in place of asking for it.")
@click.option("--to", "file", envvar="TO", metavar="FILE", type=click.Path(path_type=Path),
              help="A new file for the value that is made, which only you can read.")
@click.option("--yes", "is_confirmed", envvar="YES", is_flag=True, help="Don't ask before the secret is changed.")
@click.option("--force", "is_forced", envvar="FORCE", is_flag=True,
              help="Do it even if genuine webhooks may be refused.")
@audit.on_record
def rotate(provider: str, step: str, stack_name: str, endpoint: Optional[str], write: audit.Write, **wished: Any) -> None:
    """Rotate what PROVIDER proves itself with, by one STEP of three: add a new entry to a list in the provider's secret,
    promote it to the current one, remove the older one. The new value is asked for, or read from standard input. It says
    what it will do, and asks before it does it."""
    reason, aws = write.why, Aws.connect(endpoint)
    who = aws.caller()
    stack = Stack.require(aws, stack_name)
    with audit.Log.opened(write.path, stack, who) as log:
        carry_out(stack, provider, Wish(Step(step), **wished), lambda name, version: log.add(
            "rotate", f"{provider} {name}", reason, step, version=version))
