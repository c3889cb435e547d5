"""Deploys the template, in steps that each look first: settings, parameters, functions, table, stack, and the doctor.

A deployment that turns out to be broken is taken back: what was live before is live again.
"""
from __future__ import annotations

import contextlib
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Mapping, Optional, Sequence

import click

from . import (
    adoption, dead_letters, default_endpoint, live, options, parameters, planned, release, sam, start_check, template)
from .aws import Aws
from .bridge import bridge_gaps
from .check import architecture, refuse_unbuildable, refuse_wrong
from .credential_sources import in_whose_place, kept_credentials, look_at_secrets, secret_arns, stack_credentials
from .doctor import new_version
from .doctor.command import report
from .parameters import Parameter
from .places import BOOTSTRAP, BUILD, ROOT, TEMPLATE
from .planned import Planned
from .problem import Problem
from .stack import IN_PROGRESS, Stack
from .wording import counted

VERSION = "Version"
CANARY = "Canary"
#: What a parameter of sam's command line needs no quotes for.
PLAIN = re.compile(r"[\w.+/@:-]+")


@dataclass(frozen=True)
class Target:
    """Where and how to deploy."""

    aws: Aws
    stack_name: str
    tags: str = ""
    role: Optional[str] = None
    bucket: Optional[str] = None
    force: bool = False


@dataclass(frozen=True)
class Deployment:
    """What is about to be deployed, and what was there before."""

    path: Path
    given: Sequence[Parameter]
    #: The credentials, by provider, that the stack keeps.
    kept: Mapping[str, str] = field(repr=False)
    stack: Optional[Stack]
    before: live.Pointers

    @classmethod
    def of(cls, path: Path, stack: Optional[Stack], is_checked: bool = True) -> Deployment:
        """The deployment of a file's parameters, with those that they take the place of."""
        given = parameters.read(path) if is_checked else readable(path)
        if is_checked:
            given = [*given, *in_whose_place(given, stack_credentials(stack))]
        return cls(path, given, kept_credentials(stack, given), stack, live.read(stack) if stack else {})

    @property
    def secrets(self) -> list[str]:
        """What must not be shown."""
        return [*hidden(self.path, self.given),
                *(secret for text in self.kept.values() for secret in parameters.secrets(text))]

    @property
    def processor(self) -> str:
        return architecture(self.given, self.deployed)

    @property
    def deployed(self) -> Mapping[str, str]:
        """The parameters that the stack has."""
        return self.stack.parameters if self.stack else {}

    @property
    def was_taken_back(self) -> bool:
        """Whether an older release than the last one is live."""
        return bool(self.stack and live.outdated(self.stack, self.before))


def deploy(target: Target, path: Path, *, is_checked: bool = True, is_started: bool = True) -> int:
    """Deploys the parameters of a file. Returns how many findings the doctor has of the result."""
    caller, stack = target.aws.caller(), Stack.find(target.aws, target.stack_name)
    this = Deployment.of(path, stack, is_checked)
    if is_checked:
        refuse_mistakes(target, this, caller)
    default_endpoint.refuse_unseen(stack, this.given, target.force)
    adopted = adoption.plan(target.aws, stack, this.given, target.force)
    if not target.force:
        refuse_canary(this)
    click.echo(f"Deploying {target.stack_name} in {target.aws.region}, as {caller}")
    build(target.aws, this.processor)
    plan = planned_deployment(target, this)
    if is_checked and is_started:
        start_check.check(target.aws, plan, BUILD, this.processor, this.secrets)
    if adopted:
        adopted.carry_out(target.aws)
    with overrides(path, this.given, is_checked, [*version(this.given), *release_of(this, plan)]) as said:
        run_sam(target, this, said)
    return look(target, this)


def look(target: Target, this: Deployment) -> int:
    """Looks at what was deployed, takes it back first of all if it doesn't work, and does what CloudFormation doesn't.
    Returns how many findings there are."""
    stack = Stack.require(target.aws, target.stack_name)
    live.remember(stack, this.before)
    is_taken_back = take_back_broken(stack, this, target.force)
    if target.aws.is_local:
        bridge_gaps(stack.name, stack.client)
    dead_letters.restrict(stack.name, stack.client)
    click.echo("")
    return report(stack, this.given, this.path.name) or int(is_taken_back)


def refuse_canary(this: Deployment) -> None:
    """Ends the command if CodeDeploy would have a version that was taken back live again, beside the new one: it begins at
    the version that CloudFormation made live last."""
    said = {each.name: each.value for each in this.given}
    if this.was_taken_back and said.get(CANARY, this.deployed.get(CANARY)) == "true":
        raise Problem(f"{CANARY} is true, and the release before is live: a canary would begin at the one that was taken "
                      f"back. Deploy once with {CANARY}: 'false', or say FORCE=1")


def run_sam(target: Target, this: Deployment, said: Sequence[str]) -> None:
    """Has sam deploy. If that fails, CloudFormation has the last template's versions live again, even if those had been
    taken back. If only sam has ended, nothing is moved under CloudFormation's hands."""
    try:
        sam.run(target.aws, "deploy", *arguments(target, said), secrets=this.secrets)
    except Problem:
        now = Stack.find(target.aws, target.stack_name)
        if now and now.status.endswith(IN_PROGRESS):
            click.echo(f"CloudFormation is still at work ({now.status}): wait for its end, then see `make doctor`")
            raise
        moved = live.put_back(this.stack, this.before) if this.stack else []
        if moved:
            click.echo(f"What was live before is live again, in {', '.join(moved)}")
        raise


def take_back_broken(stack: Stack, this: Deployment, force: bool) -> bool:
    """Has what was live before live again if the new versions don't work. Says so."""
    broken = new_version.broken(stack, this.given, this.path.name)
    if not broken:
        return False
    click.echo("\nThe versions that were just published don't work:")
    for finding in broken:
        click.echo(f"BAD   {finding}")
    if force:
        click.echo("They stay live, since FORCE=1 says so")
        return False
    stranded = live.stranded(stack, this.before.values())
    if stranded:
        click.echo("They are live: what was live before can't work any more, since the deployment changed its role, table, "
                   f"queue, secret or network ({', '.join(stranded)}). Correct it and deploy again")
        return False
    moved = live.put_back(stack, this.before)
    if not moved:
        click.echo("They are live: there is nothing to go back to. Correct it and deploy again")
        return False
    click.echo(f"What was live before is live again, in {counted(len(moved), 'function')}. Only they went back: everything "
               "else in the stack is as it was just deployed. Correct it and deploy again")
    return True


# ---- Parameters ----

def refuse_mistakes(target: Target, this: Deployment, caller: str) -> None:
    """Ends the command if something is wrong with the parameters."""
    refuse_unbuildable(this.processor)
    secrets = look_at_secrets(target.aws, secret_arns(this.stack, this.given), caller)
    refuse_wrong(this.path, this.given, deployed=stack_credentials(this.stack), kept=this.kept, secrets=secrets,
                 endpoint=target.aws.endpoint)


def readable(path: Path) -> list[Parameter]:
    """What can be read of the file's parameters."""
    try:
        return parameters.read(path)
    except Problem:
        if not path.is_file():
            raise
        return []


def hidden(path: Path, given: Sequence[Parameter]) -> list[str]:
    """What sam must not show: of a file that can't be read, whatever it holds."""
    declared = template.load()["Parameters"]
    shown = [name for name, declaration in declared.items() if not declaration.get("NoEcho")]
    if not given:
        return list(parameters.secrets(path.read_text("utf-8", "replace")))
    return sam.secrets_of(given, shown)


@contextlib.contextmanager
def overrides(path: Path, given: Sequence[Parameter], is_checked: bool, more: Sequence[str]) -> Iterator[list[str]]:
    """What sam's `--parameter-overrides` gets: a file that it takes as it is, or the operator's own, unchanged, and more."""
    if not is_checked:
        yield [f"file://{path.absolute()}", *more]
        return
    with sam.parameter_file(given) as file:
        yield [file, *more]


def version(given: Sequence[Parameter] = ()) -> list[str]:
    """The version parameter, as git names what is being deployed; nothing if the file has it."""
    if VERSION not in template.load()["Parameters"] or any(each.name == VERSION for each in given):
        return []
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--tags"], cwd=ROOT, capture_output=True, text=True)
    named = asked.stdout.strip()
    return [f"{VERSION}={named}"] if asked.returncode == 0 and PLAIN.fullmatch(named) else []


def planned_deployment(target: Target, this: Deployment) -> Planned:
    """What the built template comes to in this deployment."""
    values = planned.values(this.given, this.stack, this.kept)
    told = dict(each.split("=", 1) for each in version(this.given))
    return Planned(BUILD / "template.yaml", {**values, **told}, target.aws, target.stack_name, this.stack)


def release_of(this: Deployment, plan: Planned) -> list[str]:
    """The release parameter: the stack's own if nothing changes, unless that was taken back. Nothing if the file has one."""
    if any(each.name == release.PARAMETER for each in this.given):
        return []
    files = {name: BUILD / name / BOOTSTRAP for name in plan.functions()}
    # A file that can't be read here goes to sam as it is.
    more = {"template": TEMPLATE, **({} if this.given else {"parameters": this.path})}
    values = {name: value for name, value in plan.parameters.items() if name != release.PARAMETER}
    current = "" if this.was_taken_back else this.deployed.get(release.PARAMETER, "")
    return [f"{release.PARAMETER}={release.name(release.content({**files, **more}, values), current)}"]


# ---- sam ----

def build(aws: Aws, processor: str) -> None:
    """Compiles the functions. sam needs no other parameter for it, so it gets none to see."""
    sam.run(aws, "build", "--template-file", str(TEMPLATE), "--build-dir", str(BUILD),
            "--parameter-overrides", f"Architecture={processor}")


def arguments(target: Target, said: Sequence[str]) -> list[str]:
    given = ["--template-file", str(BUILD / "template.yaml"), "--region", target.aws.region,
             "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
    # The prefix, too: `sam delete` deletes the code of its stack, which without one may be another stack's as well.
    given += ["--stack-name", target.stack_name, "--s3-prefix", target.stack_name]
    given += ["--no-resolve-s3", "--s3-bucket", target.bucket] if target.bucket else []
    given += ["--role-arn", target.role] if target.role else []
    given += ["--tags", target.tags] if target.tags else []
    return [*given, "--parameter-overrides", *said]


# ---- The commands ----

@click.command("build", short_help="Compile the functions.")
@options.endpoint
@options.parameters_file
@click.pass_context
def build_command(context: click.Context, endpoint: Optional[str], path: Path) -> None:
    """Compile the functions for the processor that the parameter file names."""
    given = parameters.read(path) if path.exists() or not options.is_default(context, "path") else []
    processor = architecture(given, {})
    refuse_unbuildable(processor)
    build(Aws.connect(endpoint or "http://127.0.0.1"), processor)


@click.command("deploy", short_help="Build and deploy the stack, and check it.")
@options.stack_name
@options.endpoint
@options.parameters_file
@click.option("--tags", envvar="TAGS", default="", metavar="'NAME=VALUE …'",
              help="Tags of the stack, which everything in it gets.")
@click.option("--role-arn", envvar="ROLE_ARN", metavar="ARN",
              help="The role that CloudFormation takes to make the stack; without, it has the caller's permissions.")
@click.option("--bucket", envvar="BUCKET", metavar="NAME",
              help="The S3 bucket for the functions' code; without, sam makes one.")
@options.force
@click.option("--check/--no-check", "is_checked", envvar="CHECK", default=True, show_default=True,
              help="Hold the parameter file against the template and the functions' own rules first.")
@click.option("--start/--no-start", "is_started", envvar="START", default=True, show_default=True,
              help="Start each function on this machine before anything is deployed.")
@click.pass_context
def deploy_command(
        context: click.Context, stack_name: str, endpoint: Optional[str], path: Path, tags: str, role_arn: Optional[str],
        bucket: Optional[str], force: bool, is_checked: bool, is_started: bool) -> None:
    """Build the functions and deploy the stack, then have the doctor look at it. Nothing changes if the parameter file
    has a mistake, or a function doesn't start; deploying the same again changes nothing. If the deployed functions don't
    work, what was live before is live again."""
    target = Target(Aws.connect(endpoint), stack_name, tags, role_arn, bucket, force)
    if deploy(target, path, is_checked=is_checked, is_started=is_started):
        context.exit(1)
