"""The commands, and how what ends one is told."""
from __future__ import annotations

import signal
import sys
from typing import Optional, Sequence

import click

from .check import check
from .console.command import console_command
from .delete import delete
from .deploy import build_command, deploy_command
from .doctor import doctor
from .interruption import ENDINGS, Interrupted
from .invoke import invoke_command
from .package import package_command
from .problem import NotThere, told
from .reads import notifications as reads_notifications
from .reads import quarantine as reads_quarantine
from .reads import sessions as reads_sessions
from .reads.events import events_command, payload_command
from .reads.tail import tail
from .rebuild import rebuild
from .redrive import redrive_command
from .resend import resend_command
from .restore_drill import restore_drill
from .rotation import rotate
from .rollback import rollback_command
from .send import send

#: A finding is 1, such as a session that isn't there; whatever kept a command from its work is 2.
FOUND, COULD_NOT = 1, 2
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def verdict() -> None:
    """Operate a Verdict stack. Options can be given as variables of make, too, as in `make doctor STACK_NAME=test`."""


@click.group()
def sessions() -> None:
    """Records and lists of sessions, and what comes in."""


@click.group()
def notifications() -> None:
    """Messages about decisions."""


@click.group()
def quarantine() -> None:
    """Genuine webhooks that couldn't be read."""


GROUPS = {
    verdict: (build_command, check, console_command, delete, deploy_command, doctor, events_command, invoke_command,
              notifications, package_command, payload_command, quarantine, rebuild, restore_drill, rollback_command, rotate,
              send, sessions),
    sessions: (reads_sessions.list_command, reads_sessions.show_command, tail),
    notifications: (reads_notifications.list_command, resend_command),
    quarantine: (reads_quarantine.list_command, reads_quarantine.show_command, redrive_command),
}
for group, commands in GROUPS.items():
    for command in commands:
        group.add_command(command)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs a command and returns its exit status. An operator sees lines, never a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for ending in ENDINGS:
        signal.signal(ending, signal.default_int_handler)
    if not given:
        # Without a line's own name before each line: it isn't a message.
        print(verdict.get_help(click.Context(verdict, info_name="verdict")), file=sys.stderr)
        return COULD_NOT
    try:
        return verdict.main(given, prog_name="verdict", standalone_mode=False) or 0
    except (click.exceptions.Abort, KeyboardInterrupt) as end:
        # click has an Abort in the place of a KeyboardInterrupt, which is its cause then.
        said = next((each for each in (end, end.__cause__) if isinstance(each, Interrupted)), "interrupted")
        print(f"{name_of(given)}: {said}", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        message = told(error)
        if message is None:
            raise
        print(*(f"{name_of(given)}: {line}" for line in message.splitlines()), sep="\n", file=sys.stderr)
        return FOUND if isinstance(error, NotThere) else COULD_NOT


def name_of(arguments: Sequence[str]) -> str:
    """The command that arguments name, as far as there is one."""
    command: click.Command = verdict
    names = []
    for argument in arguments:
        if not isinstance(command, click.Group) or argument not in command.commands:
            break
        command = command.commands[argument]
        names.append(argument)
    return " ".join(names) or "verdict"
