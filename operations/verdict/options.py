"""Options that several commands have; each is also one of make's variables."""
from __future__ import annotations

import os
import re
import urllib.parse
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar

import click
from click.core import ParameterSource

Command = TypeVar("Command", bound=Callable[..., Any])

#: The local stack's port, if PORT names no other.
LOCAL_PORT = "4566"
#: How long ago: a number, and what it is of.
AGO = re.compile(r"([0-9]{1,9})([smhdw])")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
#: Where `--local` leaves its value for `--endpoint`, among what belongs to one run of a command.
LOCAL = "verdict.local"

stack_name = click.option(
    "--stack-name", envvar="STACK_NAME", default="verdict", show_default=True, metavar="NAME",
    help="The CloudFormation stack.")
parameters_file = click.option(
    "--parameters", "path", envvar="PARAMETERS", default="parameters.yaml", show_default=True, metavar="FILE",
    type=click.Path(path_type=Path), help="The template's parameters, in YAML.")
force = click.option(
    "--force", envvar="FORCE", is_flag=True, help="Do it even if something would be lost.")

#: Of commands that show something.
as_json = click.option("--json", "is_json", is_flag=True, help="Print one JSON document, for programs.")
limit = click.option(
    "--limit", type=click.IntRange(min=1), metavar="N",
    help="Ask for no further page once there are so many: whole pages are shown, of up to 50.")
next_page = click.option("--next", "cursor", metavar="CURSOR", help="Begin with the page that an earlier `next` names.")


def is_default(context: click.Context, name: str) -> bool:
    """Whether an option was given neither on the command line nor as a variable."""
    return context.get_parameter_source(name) in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)


def endpoint(command: Command) -> Command:
    """The options `--endpoint` and `--local`, of which a command sees one: `endpoint`."""
    local = click.option(
        "--local", envvar="LOCAL", is_flag=True, is_eager=True, expose_value=False, callback=keep_local,
        help="The local stack that `make run` brought up, at the port that PORT names (4566).")
    given = click.option(
        "--endpoint", envvar="ENDPOINT", metavar="URL", callback=endpoint_of, help="In place of AWS.")
    return given(local(command))


def keep_local(context: click.Context, _: click.Parameter, value: bool) -> None:
    context.meta[LOCAL] = value


def endpoint_of(context: click.Context, _: click.Parameter, value: Optional[str]) -> Optional[str]:
    """The endpoint that a command works with; None is AWS itself."""
    if not context.meta.get(LOCAL):
        return value and url(value)
    if value:
        raise click.UsageError("give --endpoint or --local, not both: --local is the endpoint of the local stack")
    return f"http://127.0.0.1:{port(os.environ.get('PORT') or LOCAL_PORT)}"


def port(text: str) -> int:
    """The port that PORT names."""
    number = int(text) if re.fullmatch("[0-9]{1,5}", text) else 0
    if not 1 <= number <= 65535:
        raise click.UsageError(f"PORT is {text!r}, which isn't a port: write a number from 1 to 65535")
    return number


def url(text: str) -> str:
    """An endpoint, if it is a URL that can be called."""
    try:
        parts = urllib.parse.urlsplit(text)
        # A port that isn't one is told only if it is asked for.
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return text
    except ValueError:
        pass
    raise click.UsageError(f"ENDPOINT is {text!r}, which isn't a URL: write one such as http://127.0.0.1:4566")


# ---- Values ----

def parsed_by(parse: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Has an option's text, or each of its texts, read by a function."""
    def read(_: click.Context, __: click.Parameter, given: Any) -> Any:
        if isinstance(given, tuple):
            return tuple(map(parse, given))
        return None if given is None else parse(given)

    return read


def rfc3339(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is not None:
            return read.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        pass
    raise click.BadParameter(f"{text!r} isn't a time in RFC 3339: write 2026-06-01T00:00:00Z")


def moment(text: str) -> datetime:
    """A time as an operator gives it: RFC 3339, or how long ago."""
    ago = AGO.fullmatch(text)
    try:
        return datetime.now(timezone.utc) - timedelta(**{UNITS[ago[2]]: int(ago[1])}) if ago else rfc3339(text)
    except (OverflowError, click.BadParameter):
        day = "; a day alone has no time zone" if DAY.fullmatch(text) else ""
        raise click.BadParameter(f"{text!r} isn't a time: write 2026-06-01T00:00:00Z, or how long ago, such as 90m, 36h, 3d "
                                 f"or 2w{day}") from None


def past(text: str) -> datetime:
    """The same of something that has happened."""
    time = moment(text)
    if time > datetime.now(timezone.utc):
        raise click.BadParameter(f"{text!r} is in the future: nothing has happened since then")
    return time


def sessions_a_second(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0
    if not 0 < rate <= 1000:
        raise click.BadParameter(f"{text!r} isn't a number of sessions a second: write one from 0.01 to 1000")
    return rate


rate = click.option(
    "--rate", envvar="RATE", default="10", show_default=True, callback=parsed_by(sessions_a_second),
    help="How many sessions to request a second.")
