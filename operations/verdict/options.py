"""Options that several commands have; each is also one of make's variables."""
from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

stack_name = click.option(
    "--stack-name", envvar="STACK_NAME", default="verdict", show_default=True, metavar="NAME",
    help="The CloudFormation stack.")
endpoint = click.option(
    "--endpoint", envvar="ENDPOINT", metavar="URL",
    help="In place of AWS, such as the local stack at http://127.0.0.1:4566.")
parameters_file = click.option(
    "--parameters", "path", envvar="PARAMETERS", default="parameters.yaml", show_default=True, metavar="FILE",
    type=click.Path(path_type=Path), help="The template's parameters, in YAML.")
force = click.option(
    "--force", envvar="FORCE", is_flag=True, help="Do it even if something would be lost.")


def is_default(context: click.Context, name: str) -> bool:
    """Whether an option was given neither on the command line nor as a variable."""
    return context.get_parameter_source(name) in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)
