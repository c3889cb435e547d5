"""The commands `quarantine list` and `quarantine show`."""
from __future__ import annotations

from typing import Any, Optional

import click

from ..problem import NotThere
from ..quarantine import Look, Quarantined, look
from ..tables import Number, seconds, show_fields, show_json, show_table
from ..wording import counted
from . import asking

#: What a look without --limit sees, and the most that it may.
USUAL, MOST = 50, 1000
COLUMNS = ("MESSAGE", "REASON", "PROVIDER", "PATH", "RECEIVED", Number("BYTES"), Number("RECEIVES"))

limit = click.option(
    "--limit", type=click.IntRange(1, MOST), metavar="N", default=USUAL, show_default=True, help="Look at up to so many.")


def row(message: Quarantined) -> list[Any]:
    return [message.message_id, why(message), message.provider, message.path, seconds(message.received_at), message.size,
            message.receives]


def why(message: Quarantined) -> str:
    """Why a message is there."""
    if message.reason:
        return message.reason
    return "failed too often" if message.kind else "not Verdict's"


@click.command("list", short_help="Look at the messages in quarantine.")
@limit
@asking.of_stack
def list_command(stack_name: str, endpoint: Optional[str], is_json: bool, limit: int) -> None:
    """Look at the messages in quarantine, and give them back: SQS hands out some of them. No webhook's body is shown.
    With --json, `reason` is a code, and `message` says the same in words."""
    found = look(asking.stack(endpoint, stack_name), limit)
    if is_json:
        show_json(found.json)
    elif found.messages:
        show_table(COLUMNS, map(row, found.messages))
        click.echo(of_about(found))
    elif found.about:
        click.echo(f"Nothing came, of about {counted(found.about, 'message')}: someone else has received them just now")
    else:
        click.echo("Nothing is in quarantine")


def of_about(found: Look) -> str:
    if len(found.messages) < found.about:
        return f"Some of about {found.about}: {counted(len(found.messages), 'message')}, given back"
    return f"About {counted(found.about, 'message')}, given back"


@click.command("show", short_help="Look at one message in quarantine.")
@click.argument("message")
@limit
@asking.of_stack
def show_command(message: str, stack_name: str, endpoint: Optional[str], is_json: bool, limit: int) -> None:
    """Show one MESSAGE in quarantine, by the id that `quarantine list` shows. SQS hands out some of the messages: if it
    isn't among them, look again, or at more of them with --limit."""
    found = look(asking.stack(endpoint, stack_name), limit)
    shown = next((each for each in found.messages if each.message_id == message), None)
    if shown is None:
        missing = f"it isn't among the {len(found.messages)} that SQS handed out, of about {found.about}"
        if is_json:
            show_json({"error": {"code": "message_not_found", "message": missing}})
        raise NotThere(missing)
    if is_json:
        show_json(shown.json)
    else:
        show_fields(fields(shown))


def fields(message: Quarantined) -> dict[str, Any]:
    return {
        "message": message.message_id,
        "why": why(message),
        "in words": message.message,
        "provider": message.provider,
        "path": message.path,
        "received at": message.received_at,
        "body's bytes": message.size,
        "body's SHA-256": message.sha256,
        "first event": message.event_key,
        "in quarantine since": message.sent_at,
        "receives": message.receives,
    }
