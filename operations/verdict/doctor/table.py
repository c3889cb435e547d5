"""The sessions table: its keys, indexes, expiry, recovery and deletion protection."""
from __future__ import annotations

import functools
from typing import Iterator

from ..problem import Problem
from ..stack import Stack
from ..table_settings import TABLE, Table, differences, refuse_other_keys
from .finding import Finding, Look, Result, results

REMEDY = "turn it on again in DynamoDB's console"
#: What `make deploy` mends is a table that was adopted: CloudFormation has its own idea of the others.
ADOPTED = "`make deploy` puts it right"


def looks(stack: Stack) -> Iterator[Look]:
    yield functools.partial(look, stack)


def look(stack: Stack) -> Iterator[Result]:
    expected = stack.template.properties(TABLE)
    is_adopted = TABLE not in stack.template.physical
    try:
        table = Table.read(stack.client("dynamodb"), stack.outputs["SessionsTableName"])
        refuse_other_keys(table, expected)
        found = [each.text for each in differences(table, expected)]
    except Problem as problem:
        yield Finding(TABLE, str(problem), "see there")
        return
    remedy = ADOPTED if is_adopted else REMEDY
    yield from results(TABLE, *(Finding(TABLE, text, remedy) for text in found))
