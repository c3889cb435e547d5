"""`verdict sessions tail`: what comes in, line by line, as the console's page Live shows it."""
from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Iterator, Optional

import click

from .. import options
from ..log_lines import MANY, Feed, Line, now_millis
from ..stack import Stack
from ..tables import NOTHING
from ..wording import printable
from . import asking

#: A line for a person. The longest path is that of Wultra's webhooks.
FORM = "{:24}  {:8}  {:21}  {:32}  {:>5}  {}"
HEADINGS = FORM.format("AT", "PROVIDER", "PATH", "OUTCOME", "MS", "SESSION")


def found(stack: Stack, since: datetime, is_followed: bool) -> Iterator[Line]:
    """The lines since a time, and, if they are followed, all that come later."""
    feed = Feed.of(stack, max(0, now_millis() - int(since.timestamp() * 1000)), MANY)
    cursor, was_behind = None, False
    while True:
        pause = feed.turn(stack.operator().client("logs"))
        # Before each log group was read once, the lines would be out of order.
        while feed.is_up:
            page = feed.after(cursor) if cursor else feed.everything()
            if page.behind and not was_behind:
                click.echo("sessions tail: there are too many lines, or CloudWatch is slow: some may be late or missing",
                           err=True)
            cursor, was_behind = page.cursor, page.behind
            yield from page.lines
            if not page.lines:
                break
        if feed.is_up and not is_followed:
            return
        time.sleep(pause or feed.pause(stack.aws.is_local))


def as_text(line: Line) -> str:
    """A line for a person, with the columns of `HEADINGS`."""
    cells = [line["at"], line["provider"], line["path"], what(line), line["ms"], line["session"]]
    return FORM.format(*(NOTHING if cell is None else printable(cell) for cell in cells))


def what(line: Line) -> str:
    """What became of a webhook, and why."""
    # What `replay` couldn't record stays on `intake`, and it tries again.
    outcome = "put off" if (line["function"], line["outcome"]) == ("replay", "failed") else str(line["outcome"])
    return f"{outcome} ({line['reason']})" if line["reason"] else outcome


@click.command("tail", short_help="Show each webhook as it comes in, until Ctrl-C.")
@asking.of_stack
@click.option("--since", default="15m", show_default=True, metavar="TIME", callback=options.parsed_by(options.past),
              help="Begin at this time, in RFC 3339, or as long ago as 90m, 36h or 3d.")
@click.option("--follow/--no-follow", default=True, show_default=True, help="Go on until Ctrl-C.")
def tail(stack_name: str, endpoint: Optional[str], is_json: bool, since: datetime, follow: bool) -> None:
    """Show what comes in, webhook by webhook, from the functions' own log lines: when, of which provider, by which path,
    what became of it, why, how long it took, and its session. Nothing is taken from any queue, and no record is read.
    With --json, one JSON object a line."""
    stack = asking.stack(endpoint, stack_name)
    if not is_json:
        print(HEADINGS, flush=True)
    try:
        for line in found(stack, since, follow):
            print(json.dumps(line) if is_json else as_text(line), flush=True)
    except KeyboardInterrupt:
        # The way to end what is followed. It is no failure then.
        if not follow:
            raise
