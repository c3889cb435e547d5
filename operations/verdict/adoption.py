"""Has a stack use a table that CloudFormation didn't make for it: one that was kept, or restored.

Its parameter is `SessionsTableName`. What the table lacks of the template's settings is shown and added before the
deploy, so that no function ever meets a table without its indexes.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Sequence

import click

from . import template
from .aws import Aws
from .parameters import Parameter
from .problem import Problem
from .stack import Stack
from .table_settings import TABLE, Difference, Table, differences, refuse_other_keys

PARAMETER = "SessionsTableName"
KEY = "TableKeyArn"
OUTPUT = "SessionsTableName"


@dataclass(frozen=True)
class Adoption:
    """A table that is to be used, and what it lacks."""

    table: str
    #: The table that the stack uses today.
    today: Optional[str]
    lacking: Sequence[Difference]

    def carry_out(self, aws: Aws) -> None:
        """Shows the differences, and then mends one after the other."""
        if self.today and self.today != self.table:
            click.echo(f"The stack changes its table: from {self.today}, which stays, to {self.table}")
        if self.lacking:
            click.echo(f"The table {self.table} differs from the template:")
        for each in self.lacking:
            click.echo(f"  {each.text}")
        for each in self.lacking:
            click.echo(f"Mending: {each.text} …")
            each.mend(aws.client("dynamodb"))


def plan(aws: Aws, stack: Optional[Stack], given: Sequence[Parameter], force: bool) -> Optional[Adoption]:
    """What a deploy of these parameters means for the table. Ends the command if it would lose the one of today, or if
    the one that is named can't hold sessions. None if the stack makes its own."""
    name = wanted(stack, given)
    refuse_loss(stack, name, force)
    if not name:
        return None
    return look(aws, name, expected(stack, given), stack.outputs.get(OUTPUT) if stack else None)


def expected(stack: Optional[Stack], given: Sequence[Parameter]) -> Mapping[str, Any]:
    """The properties of the table in this checkout's template, with the key that the parameters name."""
    properties = template.load()["Resources"][TABLE]["Properties"]
    return {**properties, "SSESpecification": {"KMSMasterKeyId": value_of(KEY, stack, given)}}


def look(aws: Aws, name: str, expected: Mapping[str, Any], today: Optional[str] = None) -> Adoption:
    """What a table lacks of the template's settings."""
    table = Table.read(aws.client("dynamodb"), name)
    refuse_other_keys(table, expected)
    return Adoption(name, today, list(differences(table, expected)))


def wanted(stack: Optional[Stack], given: Sequence[Parameter]) -> str:
    """The table that is to be adopted, or nothing if the stack makes its own. CloudFormation keeps a value left out."""
    return value_of(PARAMETER, stack, given)


def value_of(name: str, stack: Optional[Stack], given: Sequence[Parameter]) -> str:
    """The value that a parameter will have."""
    said = {each.name: each.value for each in given}
    return said.get(name, stack.parameters.get(name, "") if stack else "")


def refuse_loss(stack: Optional[Stack], name: str, force: bool) -> None:
    """Ends the command if the stack would go on with an empty table."""
    today = stack.parameters.get(PARAMETER) if stack else None
    if stack and today and not name and not force:
        raise Problem(
            f"{PARAMETER} is '' and the stack {stack.name} uses the table {today}: it would go on with a new, empty table, "
            "whose numbering begins at 1. Leave the parameter out to keep the table, or say FORCE=1")
