"""Deletes a stack, unless something waits in it that would be left to itself; says what stays."""
from __future__ import annotations

from typing import Iterator, Optional

import click

from . import options, sam
from .audit import Write, on_record
from .aws import Aws
from .problem import Problem
from .stack import Stack
from .wording import counted

COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
#: The index of what waits in the table, and what the sort keys of notifications to be published begin with.
DUE, OUTBOX = "due", "NOTIFICATION#"


def waiting(stack: Stack) -> Iterator[str]:
    """What waits in the stack, a line for each place."""
    for name, url in stack.queue_urls().items():
        attributes = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS))["Attributes"]
        count = sum(int(attributes[each]) for each in COUNTS)
        if count:
            yield f"{counted(count, 'message')} on {name}Queue"
    count = unpublished(stack)
    if count:
        yield f"{counted(count, 'notification')} to publish in the table"


def unpublished(stack: Stack) -> int:
    """How many notifications the outbox still holds."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(
        TableName=stack.outputs["SessionsTableName"], IndexName=DUE, Select="COUNT",
        FilterExpression="begins_with(sk, :outbox)", ExpressionAttributeValues={":outbox": {"S": OUTBOX}})
    return sum(page["Count"] for page in pages)


def what_stays(stack: Stack) -> Iterator[str]:
    """What a deletion leaves in the account, and how it gets into a new stack."""
    table, urls = stack.outputs["SessionsTableName"], stack.queue_urls()
    yield "What stays, until you delete it by hand:"
    yield f"  the table {table}; a new stack goes on with it if its parameters say SessionsTableName: {table}"
    for name, url in urls.items():
        yield f"  the {name} queue {url}"
    for group in filter(None, stack.outputs.get("LogGroups", "").split(",")):
        yield f"  the log group {group}"
    yield "To have a new stack record what was left on the old intake or quarantine:"
    for name in ("Intake", "Quarantine"):
        yield f"  make redrive FROM={urls[name]} APPLY=1 REASON=\"…\""


@click.command()
@options.stack_name
@options.endpoint
@options.force
@on_record
def delete(stack_name: str, endpoint: Optional[str], force: bool, write: Write) -> None:
    """Delete the stack. The table, the queues and the log groups stay. Refused while anything waits to be recorded,
    published or consumed."""
    aws = Aws.connect(endpoint)
    who = aws.caller()
    stack = Stack.require(aws, stack_name)
    left = list(waiting(stack))
    if left and not force:
        raise Problem(f"the stack {stack_name} still holds {', '.join(left)}: let it be consumed, or say FORCE=1 "
                      "(the queues stay, but nothing serves them any more)")
    stays = list(what_stays(stack))
    with write.noted(stack, who, "delete", "deleted"):
        sam.run(aws, "delete", "--no-prompts", "--stack-name", stack_name, "--region", aws.region)
    for line in stays:
        click.echo(line)
