"""Sends what is in quarantine back to intake, for after a fix.

In AWS that is SQS's own redrive. The emulator lacks it, and SQS refuses a queue that intake's dead letters don't go to,
such as the quarantine that a deleted stack left behind: there the messages are moved one by one, by whoever may.
"""
from __future__ import annotations

import time
from typing import Any, Optional

import click

from . import options
from .aws import Aws
from .problem import Problem
from .stack import Stack

AT_ONCE = 10
POLL_SECONDS = 2.0
#: Without waiting, SQS may miss messages that it has.
WAIT_SECONDS = 2
#: SQS says so of a move that is over; any other status than RUNNING is an end, too.
RUNNING, COMPLETED = "RUNNING", "COMPLETED"


def redrive(queues: Any, source: str, destination: str) -> int:
    """Moves the messages that are on one queue now to another, as they are. What comes back meanwhile stays, so that
    a message that is still unreadable doesn't go round and round."""
    return move(queues, queues, source, destination)


def move(reader: Any, writer: Any, source: str, destination: str) -> int:
    """The same, with a client that may read the one queue and a client that may write to the other."""
    counted = reader.get_queue_attributes(QueueUrl=source, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    left, moved = int(counted["ApproximateNumberOfMessages"]), 0
    while moved < left:
        messages = reader.receive_message(
            QueueUrl=source, MessageAttributeNames=["All"], MaxNumberOfMessages=min(AT_ONCE, left - moved),
            WaitTimeSeconds=WAIT_SECONDS).get("Messages", [])
        if not messages:
            break
        for message in messages:
            writer.send_message(
                QueueUrl=destination, MessageBody=message["Body"],
                MessageAttributes=message.get("MessageAttributes", {}))
            # Only now: a message may be there twice, never not at all.
            reader.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def have_moved(queues: Any, source: str, destination: str) -> int:
    """Has SQS move everything, and waits until it has."""
    queues.start_message_move_task(SourceArn=arn(queues, source), DestinationArn=arn(queues, destination))
    while True:
        [task] = queues.list_message_move_tasks(SourceArn=arn(queues, source), MaxResults=1)["Results"]
        if task["Status"] != RUNNING:
            break
        time.sleep(POLL_SECONDS)
    if task["Status"] != COMPLETED:
        raise Problem(f"SQS ended the move with {task['Status']}: {task.get('FailureReason', 'no reason given')}")
    return task.get("ApproximateNumberOfMessagesMoved", 0)


def arn(queues: Any, url: str) -> str:
    return queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


@click.command("redrive")
@options.stack_name
@options.endpoint
@click.option("--from", "source", envvar="FROM", metavar="URL",
              help="An intake or quarantine that an earlier stack left behind, in place of the stack's quarantine.")
def redrive_command(stack_name: str, endpoint: Optional[str], source: Optional[str]) -> None:
    """Send what is in quarantine back to intake, to be read again."""
    aws = Aws.connect(endpoint)
    aws.caller()
    stack = Stack.require(aws, stack_name)
    urls = stack.queue_urls()
    refuse_own(source, urls)
    stack.refuse_without_operator()
    queues = stack.operator().client("sqs")
    if source or aws.is_local:
        moved = move(queues, queues, source or urls["Quarantine"], urls["Intake"])
    else:
        moved = have_moved(queues, urls["Quarantine"], urls["Intake"])
    click.echo(f"Sent to intake: {moved}. `replay` records each; what it still can't read goes to quarantine again")


def refuse_own(source: Optional[str], urls: dict[str, str]) -> None:
    """Ends the command if the messages would go round in a circle, or are none of webhooks."""
    for name in ("Intake", "Decisions", "DecisionsDeadLetter"):
        if source == urls[name]:
            raise Problem(f"that is the stack's own {name} queue: --from names a queue that an earlier stack left behind")
