"""Has a stack use a table that CloudFormation didn't make for it: one that was kept, or restored.

Its parameter is `SessionsTableName`. What the table lacks of the template's settings is shown and added before the
deploy, so that no function ever meets a table without its indexes.
"""
from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence

import click

from . import template
from .aws import Aws
from .parameters import Parameter
from .problem import Problem
from .stack import Stack
from .table_settings import TABLE, Table, differences, refuse_other_keys

PARAMETER = "SessionsTableName"
OUTPUT = "SessionsTableName"


def adopt(aws: Aws, stack: Optional[Stack], given: Sequence[Parameter], force: bool) -> None:
    """Prepares the table that the stack is to use after the deploy, and refuses to lose the one that it uses today."""
    name = wanted(stack, given)
    refuse_loss(stack, name, force)
    if not name:
        return
    if stack is not None and name != stack.outputs.get(OUTPUT):
        click.echo(f"The stack {stack.name} changes its table: from {stack.outputs.get(OUTPUT)} to {name}")
    prepare(aws, name, template.load()["Resources"][TABLE]["Properties"])


def wanted(stack: Optional[Stack], given: Sequence[Parameter]) -> str:
    """The table that is to be adopted, or nothing if the stack makes its own. CloudFormation keeps a value left out."""
    said = {each.name: each.value for each in given}
    return said.get(PARAMETER, stack.parameters.get(PARAMETER, "") if stack else "")


def refuse_loss(stack: Optional[Stack], name: str, force: bool) -> None:
    """Ends the command if the stack would go on with an empty table."""
    today = stack.parameters.get(PARAMETER) if stack else None
    if today and not name and not force:
        raise Problem(
            f"{PARAMETER} is '' and the stack {stack.name} uses the table {today}: it would go on with a new, empty table, "
            f"whose numbering begins at 1. Leave the parameter out to keep the table, or say FORCE=1")


def prepare(aws: Aws, name: str, expected: Mapping[str, Any]) -> None:
    """Brings a table to what the template says of it."""
    database = aws.client("dynamodb")
    table = Table.read(database, name)
    refuse_other_keys(table, expected)
    lacking = list(differences(table, expected))
    if not lacking:
        return
    click.echo(f"The table {name} differs from the template:")
    for each in lacking:
        click.echo(f"  {each.text}")
    for each in lacking:
        click.echo(f"Mending: {each.text} …")
        each.mend(database)
