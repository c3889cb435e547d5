"""The commands, and how what ends one is told."""
from __future__ import annotations

import signal
import sys
from typing import Optional, Sequence

import click
from botocore.exceptions import BotoCoreError, ClientError

from .aws import one_line
from .check import check
from .delete import delete
from .deploy import build_command, deploy_command
from .doctor import doctor
from .package import package_command
from .problem import Problem
from .rebuild import rebuild
from .redrive import redrive_command
from .restore_drill import restore_drill
from .rotation import rotate
from .rollback import rollback_command

#: A finding is 1; whatever kept a command from its work is 2.
COULD_NOT = 2
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def verdict() -> None:
    """Operate a Verdict stack. Options can be given as variables of make, too, as in `make doctor STACK_NAME=test`."""


for command in (build_command, check, delete, deploy_command, doctor, package_command, rebuild, redrive_command,
                restore_drill, rollback_command, rotate):
    verdict.add_command(command)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs a command and returns its exit status. An operator sees lines, never a traceback."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        return verdict.main(list(arguments), prog_name="verdict", standalone_mode=False) or 0
    except (click.exceptions.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        message = told(error)
        if message is None:
            raise
        command = arguments[0] if arguments and arguments[0] in verdict.commands else "verdict"
        print(*(f"{command}: {line}" for line in message.splitlines()), sep="\n", file=sys.stderr)
        return COULD_NOT


def told(error: Exception) -> Optional[str]:
    """What an operator is told of an error; None of one that is a mistake of ours."""
    if isinstance(error, Problem):
        return str(error)
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, ClientError):
        return f"AWS refused {error.operation_name}: {error.response['Error'].get('Message') or one_line(error)}"
    if isinstance(error, BotoCoreError):
        return one_line(error)
    return None
