"""The command `notifications list`."""
from __future__ import annotations

from typing import Any, Mapping, Optional

import click

from ..intake import Key
from ..tables import Number, seconds, show_json, show_table
from . import asking
from .pages import Pages, follow

COLUMNS = (Number("SEQUENCE"), "TOLD", "TYPE", "OUTCOME", "BEFORE", "CORRECTION", "MESSAGE")


def row(told: Mapping[str, Any]) -> list[Any]:
    message = told["message"]
    data = message["data"]
    return [
        told["sequence"], seconds(told["toldAt"]), message["type"], data.get("outcome"), data.get("previousOutcome"),
        "yes" if data.get("correction") else None, told["messageId"]]


@click.command("list")
@asking.key
@asking.paged
def list_command(key: Key, stack_name: str, endpoint: Optional[str], is_json: bool, limit: Optional[int],
                 cursor: Optional[str]) -> None:
    """List the messages about a session that SQS has taken. With --json, each as it was sent."""
    api = asking.api(endpoint, stack_name)
    found = follow(lambda page: api.notifications(str(key), page), "notifications", cursor, limit, is_json)
    if is_json:
        show_json(found.json)
        return
    show(found)


def show(found: Pages) -> None:
    if not found.entries:
        click.echo("Nothing was told of this session, or SQS hasn't taken it yet")
        return
    show_table(COLUMNS, map(row, found.entries))
    if found.last["begins"] > 1:
        click.echo(f"The history begins with sequence {found.last['begins']}: docs/read-records.md says what that means")
    found.tell_more()
