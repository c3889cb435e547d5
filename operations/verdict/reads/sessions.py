"""The commands `sessions list` and `sessions show`."""
from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Optional

import click

from .. import options
from ..intake import PROVIDERS, Key
from ..sessions_api import Answer
from ..tables import seconds, show_json, show_table
from . import asking, record
from .pages import follow, shown

STATUSES = ("new", "started", "submitted", "in_review", "awaiting_resubmission", "decided")
OUTCOMES = ("approved", "declined", "expired", "abandoned", "failed", "review", "resubmission_requested")

COLUMNS = ("SESSION", "STATUS", "SINCE", "OUTCOME", "REFERENCE")


def row(session: Any) -> list[Any]:
    decision = session["decision"] or {}
    return [Key(session["provider"], session["sessionId"]), session["status"], seconds(session["statusSince"]),
            decision.get("outcome"), session["subject"]["reference"]]


def rfc3339(time: Optional[datetime]) -> Optional[str]:
    """A time as the API takes it."""
    return time.astimezone(timezone.utc).isoformat().replace("+00:00", "Z") if time else None


def refuse_unclear(reference: Optional[str], status: Optional[str], filters: dict[str, Any]) -> None:
    if (reference is None) == (status is None):
        raise click.UsageError("say which sessions: either --reference or --status")
    lonely = [name for name, value in filters.items() if value is not None]
    if status is None and lonely:
        raise click.UsageError(f"--{lonely[0]} goes with --status")


@click.command("list")
@click.option("--reference", metavar="TEXT", help="The sessions of one of your own references, the oldest first.")
@click.option("--status", type=click.Choice(STATUSES), help="The sessions of this status, the latest to enter it first.")
@click.option("--provider", type=click.Choice(PROVIDERS), help="With --status: only this provider's.")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="With --status: only those with this outcome.")
@click.option("--since", metavar="TIME", callback=options.parsed_by(options.past),
              help="With --status: only those that have entered it at this time or later, in RFC 3339, or as long ago "
                   "as 90m, 36h, 3d or 2w.")
@click.option("--until", metavar="TIME", callback=options.parsed_by(options.moment),
              help="With --status: only those that entered it before this time.")
@asking.paged
def list_command(stack_name: str, endpoint: Optional[str], is_json: bool, limit: Optional[int], cursor: Optional[str],
                 reference: Optional[str], status: Optional[str], provider: Optional[str], outcome: Optional[str],
                 since: Optional[datetime], until: Optional[datetime]) -> None:
    """List sessions by your reference, or by status. Who has been in review for three days: `--status in_review --until
    3d`."""
    refuse_unclear(reference, status, {"provider": provider, "outcome": outcome, "since": since, "until": until})
    api = asking.api(endpoint, stack_name)

    def ask(page: Optional[str]) -> Answer:
        if reference is not None:
            return api.by_reference(reference, page)
        return api.by_status(str(status), provider=provider, outcome=outcome, since=rfc3339(since), until=rfc3339(until),
                             next=page)

    found = follow(ask, "sessions", cursor, limit, is_json)
    if is_json:
        show_json(found.json)
    elif found.entries:
        show_table(COLUMNS, map(row, found.entries))
        found.tell_more()
    else:
        click.echo("No session has this reference" if status is None else "No session matches")
        found.tell_more()


@click.command("show")
@asking.key
@asking.of_stack
def show_command(key: Key, stack_name: str, endpoint: Optional[str], is_json: bool) -> None:
    """Show the record of a session, with its checks and attempts. With --json, the record as the API has it."""
    api = asking.api(endpoint, stack_name)
    session = shown(api.record(str(key)), is_json)
    if is_json:
        show_json(session)
        return
    events = follow(lambda page: api.events(str(key), page), "events", None, None, is_json).entries
    record.show(session, events)
