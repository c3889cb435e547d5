"""Sends what is in quarantine back to intake, for after a fix.

In AWS that is SQS's own redrive. The emulator lacks it, and SQS refuses a queue that intake's dead letters don't go to,
such as the quarantine that a deleted stack left behind: there the messages are moved one by one, by whoever may.

For other programs: `redrive_dry_run(stack)` tells about how many messages there are, and `redrive(stack, reason, log)`
moves them and tells how many, with a log of `audit.Log.opened`.
"""
from __future__ import annotations

from typing import Any, Callable, Optional

import click

from . import options
from .audit import HOW_TO, Log, Write, asked_for
from .aws import Aws
from .interruption import Interrupted, pause, whole
from .problem import Problem
from .progress import bar
from .stack import Stack
from .wording import counted

AT_ONCE = 10
POLL_SECONDS = 2.0
#: Without waiting, SQS may miss messages that it has.
WAIT_SECONDS = 2
#: SQS says so of a move that is over; any other status than RUNNING is an end, too.
RUNNING, COMPLETED = "RUNNING", "COMPLETED"
COUNT, HIDDEN = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


def redrive_dry_run(stack: Stack, source: Optional[str] = None) -> int:
    """Tells how many messages a redrive would move, about. Without a source, it is the stack's quarantine."""
    queues, urls = stack.operator().client("sqs"), stack.queue_urls()
    refuse_own(source, urls)
    return about(queues, source or urls["Quarantine"])


def redrive(stack: Stack, reason: str, log: Log, source: Optional[str] = None) -> int:
    """Moves the messages to intake, puts that on record, and tells how many there were."""
    queues, urls = stack.operator().client("sqs"), stack.queue_urls()
    refuse_own(source, urls)
    stack.refuse_without_operator()
    origin = source or urls["Quarantine"]

    def record(result: str, **more: Any) -> None:
        log.add("redrive", origin, reason, result, **more)

    if source or stack.aws.is_local:
        return moved_by_hand(queues, origin, urls["Intake"], record)
    return have_moved(queues, origin, urls["Intake"], record)


def moved_by_hand(queues: Any, source: str, destination: str, record: Callable[..., None]) -> int:
    """Moves the messages one by one, and puts on record how many, also if an operator ends it."""
    moved, there = 0, about(queues, source)
    try:
        with bar("Moving", there) as advance:
            def count() -> None:
                nonlocal moved
                moved += 1
                advance(1)

            move(queues, queues, source, destination, count)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted after {moved} of about {counted(there, 'message')}; the others are where they were, "
                          "a few of them out of sight for a while, and the same command moves them") from None
    finally:
        record("moved", messages=moved)
    return moved


def move(reader: Any, writer: Any, source: str, destination: str, count: Callable[[], None] = lambda: None) -> int:
    """Moves the messages that are on one queue now to another, as they are. What comes back meanwhile stays, so that a
    message that is still unreadable doesn't go round and round. One client may read the one queue, the other write to
    the other."""
    left, moved = about(reader, source), 0
    while moved < left:
        messages = reader.receive_message(
            QueueUrl=source, MessageAttributeNames=["All"], MaxNumberOfMessages=min(AT_ONCE, left - moved),
            WaitTimeSeconds=WAIT_SECONDS).get("Messages", [])
        if not messages:
            break
        for message in messages:
            with whole():
                writer.send_message(
                    QueueUrl=destination, MessageBody=message["Body"],
                    MessageAttributes=message.get("MessageAttributes", {}))
                # Only now: a message may be there twice, never not at all.
                reader.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
                moved += 1
                count()
    return moved


def have_moved(queues: Any, source: str, destination: str, record: Callable[..., None]) -> int:
    """Has SQS move everything, and waits until it has."""
    there = about(queues, source)
    with whole():
        queues.start_message_move_task(SourceArn=arn(queues, source), DestinationArn=arn(queues, destination))
        record("started")
    try:
        task = ended(queues, source, there)
    except KeyboardInterrupt:
        raise Interrupted("interrupted, but SQS goes on with the move by itself: `aws sqs list-message-move-tasks` shows "
                          "how far it is, `aws sqs cancel-message-move-task` ends it") from None
    moved = task.get("ApproximateNumberOfMessagesMoved", 0)
    record("moved" if task["Status"] == COMPLETED else "failed", messages=moved)
    if task["Status"] != COMPLETED:
        raise Problem(f"SQS ended the move with {task['Status']}: {task.get('FailureReason', 'no reason given')}")
    return moved


def ended(queues: Any, source: str, there: int) -> dict[str, Any]:
    """The move's task, once it isn't running any more."""
    with bar("Moving", there) as advance:
        told = 0
        while True:
            [task] = queues.list_message_move_tasks(SourceArn=arn(queues, source), MaxResults=1)["Results"]
            moved = task.get("ApproximateNumberOfMessagesMoved", 0)
            advance(moved - told)
            told = moved
            if task["Status"] != RUNNING:
                return task
            pause(POLL_SECONDS)


def about(queues: Any, url: str, count: str = COUNT) -> int:
    """About how many messages can be received from a queue, or are hidden since they were received."""
    return int(queues.get_queue_attributes(QueueUrl=url, AttributeNames=[count])["Attributes"][count])


def arn(queues: Any, url: str) -> str:
    return queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def refuse_own(source: Optional[str], urls: dict[str, str]) -> None:
    """Ends the command if the messages would go round in a circle, or are none of webhooks."""
    for name in ("Intake", "Decisions", "DecisionsDeadLetter"):
        if source == urls[name]:
            raise Problem(f"that is the stack's own {name} queue: --from names a queue that an earlier stack left behind")


def nothing(stack: Stack, source: Optional[str]) -> str:
    """What is said if nothing is moved."""
    hidden = about(stack.operator().client("sqs"), source or stack.queue_urls()["Quarantine"], HIDDEN)
    if hidden:
        return (f"Nothing can be moved just now: {counted(hidden, 'message')} {'is' if hidden == 1 else 'are'} out of sight "
                "for a while, because someone has received what is there. Try again in a minute")
    return "Nothing is on that queue" if source else "Nothing is in quarantine"


@click.command("redrive")
@options.stack_name
@options.endpoint
@click.option("--from", "source", envvar="FROM", metavar="URL",
              help="An intake or quarantine that an earlier stack left behind, in place of the stack's quarantine.")
@asked_for
def redrive_command(stack_name: str, endpoint: Optional[str], source: Optional[str], write: Write) -> None:
    """Send what is in quarantine back to intake, to be read again. Without --apply, it only says how much there is."""
    aws = Aws.connect(endpoint)
    aws.caller()
    stack = Stack.require(aws, stack_name)
    there = redrive_dry_run(stack, source)
    stack.refuse_without_operator()
    if not write.is_applied:
        would = f"About {counted(there, 'message')} would be sent to intake. {HOW_TO}"
        click.echo(would if there else nothing(stack, source))
        return
    # Even if there seems to be nothing: SQS counts about.
    with write.log(stack) as log:
        moved = redrive(stack, write.why, log, source)
    if not moved:
        click.echo(nothing(stack, source))
        return
    click.echo(f"Sent to intake: {moved}, on record in {write.path}. `replay` records each; what it still can't read goes "
               "to quarantine again")
