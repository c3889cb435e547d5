"""The commands `events` and `payload`."""
from __future__ import annotations

import json
from typing import Any, Mapping, Optional

import click

from ..intake import Key
from ..tables import listed, milliseconds, show_fields, show_json, show_table
from . import asking
from .pages import follow, shown
from .record import by_arrival

COLUMNS = ("ARRIVED", "NAME", "SAYS", "COUNTS FROM", "ATTEMPT", "REMARKS", "EVENT")


def row(event: Mapping[str, Any]) -> list[Any]:
    return [
        milliseconds(event["receivedAt"]), event["name"], says(event),
        "undated" if event["undated"] else milliseconds(event["effectiveAt"]), event["attemptId"],
        listed(filter(None, [event["remark"], *event["remarks"]])), event["eventId"]]


def says(event: Mapping[str, Any]) -> str:
    """What an event says of its session: a stage, a decision, checks."""
    decision = event["decision"]
    checks = (f"{name} {check['outcome']}" for name, check in event["checks"].items())
    return listed(filter(None, [event["stage"], decision and decision["outcome"], *checks]))


@click.command("events")
@asking.key
@asking.paged
def events_command(key: Key, stack_name: str, endpoint: Optional[str], is_json: bool, limit: Optional[int],
                   cursor: Optional[str]) -> None:
    """List the events of a session, by their arrival. A list of several pages is in that order within each page."""
    api = asking.api(endpoint, stack_name)
    found = follow(lambda page: api.events(str(key), page), "events", cursor, limit, is_json)
    if is_json:
        show_json(found.json)
        return
    show_table(COLUMNS, map(row, by_arrival(found.entries)))
    found.tell_more()


@click.command("payload", short_help="Show the minimised payload of an event.")
@asking.key
@click.argument("event")
@asking.of_stack
def payload_command(key: Key, event: str, stack_name: str, endpoint: Optional[str], is_json: bool) -> None:
    """Show the minimised payload of an EVENT, by the id that `events` shows. It is personal data, and who looks is
    logged."""
    found = shown(asking.api(endpoint, stack_name).payload(str(key), event), is_json)
    if is_json:
        show_json(found)
        return
    show_fields({"event": found["eventId"], "source": found["source"], "expires at": found["expiresAt"]})
    click.echo()
    click.echo(readable(found["payload"]))


def readable(payload: Any) -> str:
    """A payload as JSON for people. What isn't printable is escaped, as JSON does it."""
    text = json.dumps(payload, indent=2, ensure_ascii=False)
    return "".join(letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1] for letter in text)
