"""Options that several commands have; each is also one of make's variables."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar

import click
from click.core import ParameterSource

Command = TypeVar("Command", bound=Callable[..., Any])

#: The local stack's port, if PORT names no other.
LOCAL_PORT = "4566"
#: Where `--local` leaves its value for `--endpoint`, among what belongs to one run of a command.
LOCAL = "verdict.local"

stack_name = click.option(
    "--stack-name", envvar="STACK_NAME", default="verdict", show_default=True, metavar="NAME",
    help="The CloudFormation stack.")
parameters_file = click.option(
    "--parameters", "path", envvar="PARAMETERS", default="parameters.yaml", show_default=True, metavar="FILE",
    type=click.Path(path_type=Path), help="The template's parameters, in YAML.")
force = click.option(
    "--force", envvar="FORCE", is_flag=True, help="Do it even if something would be lost.")


def is_default(context: click.Context, name: str) -> bool:
    """Whether an option was given neither on the command line nor as a variable."""
    return context.get_parameter_source(name) in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)


def endpoint(command: Command) -> Command:
    """The options `--endpoint` and `--local`, of which a command sees one: `endpoint`."""
    local = click.option(
        "--local", envvar="LOCAL", is_flag=True, is_eager=True, expose_value=False, callback=keep_local,
        help="The local stack that `make run` brought up, at the port that PORT names (4566).")
    url = click.option(
        "--endpoint", envvar="ENDPOINT", metavar="URL", callback=endpoint_of, help="In place of AWS.")
    return url(local(command))


def keep_local(context: click.Context, _: click.Parameter, value: bool) -> None:
    context.meta[LOCAL] = value


def endpoint_of(context: click.Context, _: click.Parameter, value: Optional[str]) -> Optional[str]:
    """The endpoint that a command works with; None is AWS itself."""
    if not context.meta.get(LOCAL):
        return value
    if value:
        raise click.UsageError("give --endpoint or --local, not both: --local is the endpoint of the local stack")
    return f"http://127.0.0.1:{os.environ.get('PORT') or LOCAL_PORT}"
