"""Deploys the template, in steps that each look first: settings, parameters, functions, table, stack, and the doctor."""
from __future__ import annotations

import contextlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional, Sequence

import click
from botocore.exceptions import ClientError

from . import adoption, dead_letters, options, parameters, sam, template
from .aws import Aws
from .bridge import bridge_gaps
from .check import architecture, is_credentials, provider_of, refuse_unbuildable, refuse_wrong
from .doctor.command import report
from .doctor.probes import credentials_of, holders
from .parameters import Parameter
from .places import BUILD, ROOT, TEMPLATE
from .problem import Problem
from .stack import Stack

VERSION = "Version"
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


def deploy(target: Target, path: Path, *, is_checked: bool = True) -> int:
    """Deploys the parameters of a file. Returns how many findings the doctor has of the result."""
    caller, stack = target.aws.caller(), Stack.find(target.aws, target.stack_name)
    given = checked(target, path, stack) if is_checked else unchecked(path)
    adopted = adoption.plan(target.aws, stack, given, target.force)
    click.echo(f"Deploying {target.stack_name} in {target.aws.region}, as {caller}")
    build(target.aws, architecture(given, stack.parameters if stack else {}))
    if adopted:
        adopted.carry_out(target.aws)
    with overrides(path, given, is_checked) as said:
        sam.run(target.aws, "deploy", *arguments(target, said), secrets=hidden(path, given))
    stack = Stack.require(target.aws, target.stack_name)
    if target.aws.is_local:
        bridge_gaps(stack.name, stack.client)
    dead_letters.restrict(stack.name, stack.client)
    click.echo("")
    return report(stack, given, path.name)


# ---- Parameters ----

def checked(target: Target, path: Path, stack: Optional[Stack]) -> list[Parameter]:
    """The file's parameters, with which nothing is wrong."""
    given = parameters.read(path)
    refuse_unbuildable(architecture(given, stack.parameters if stack else {}))
    refuse_wrong(path, given, deployed=stack_credentials(stack), kept=kept_credentials(stack, given),
                 endpoint=target.aws.endpoint)
    return given


def stack_credentials(stack: Optional[Stack]) -> list[str]:
    """The parameters whose credentials the stack has. CloudFormation hides their values, but not their functions."""
    if stack is None:
        return []
    return [name for name in stack.parameters if is_credentials(name)
            and stack.template.holds(f"Uses{name.removesuffix('Credentials')}")]


def kept_credentials(stack: Optional[Stack], given: Sequence[Parameter]) -> dict[str, str]:
    """The credentials by provider that a deployed stack keeps, since the file doesn't have them. Its functions know them;
    the functions that are about to be deployed may not start with them."""
    if stack is None:
        return {}
    said = {provider_of(each.name) for each in given if is_credentials(each.name)}
    try:
        return {provider: credentials_of(stack, provider, function) for provider, function in holders(stack).items()
                if provider not in said}
    except ClientError as error:
        click.echo(f"The credentials that the stack keeps aren't checked: {error.response['Error'].get('Code')}")
        return {}


def unchecked(path: Path) -> list[Parameter]:
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
def overrides(path: Path, given: Sequence[Parameter], is_checked: bool) -> Iterator[list[str]]:
    """What sam's `--parameter-overrides` gets: a file that it takes as it is, or the operator's own, unchanged."""
    more = [] if any(each.name == VERSION for each in given) else version()
    if not is_checked:
        yield [f"file://{path.absolute()}", *more]
        return
    with sam.parameter_file(given) as file:
        yield [file, *more]


def version() -> list[str]:
    """The version parameter, as git names what is being deployed."""
    if VERSION not in template.load()["Parameters"]:
        return []
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--tags"], cwd=ROOT, capture_output=True, text=True)
    named = asked.stdout.strip()
    return [f"{VERSION}={named}"] if asked.returncode == 0 and PLAIN.fullmatch(named) else []


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

@click.command("build")
@options.endpoint
@options.parameters_file
@click.pass_context
def build_command(context: click.Context, endpoint: Optional[str], path: Path) -> None:
    """Compile the functions for the processor that the parameter file names."""
    given = parameters.read(path) if path.exists() or not options.is_default(context, "path") else []
    processor = architecture(given, {})
    refuse_unbuildable(processor)
    build(Aws.connect(endpoint or "http://127.0.0.1"), processor)


@click.command("deploy")
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
@click.pass_context
def deploy_command(
        context: click.Context, stack_name: str, endpoint: Optional[str], path: Path, tags: str, role_arn: Optional[str],
        bucket: Optional[str], force: bool, is_checked: bool) -> None:
    """Build the functions and deploy the stack, then have the doctor look at it. Nothing changes if the parameter file
    has a mistake; deploying the same again changes nothing."""
    target = Target(Aws.connect(endpoint), stack_name, tags, role_arn, bucket, force)
    if deploy(target, path, is_checked=is_checked):
        context.exit(1)
