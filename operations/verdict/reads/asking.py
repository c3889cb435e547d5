"""The arguments and options that the commands have in common."""
from __future__ import annotations

from typing import Any, Callable, Optional, TypeVar

import click

from .. import options
from ..aws import Aws
from ..intake import Key
from ..sessions_api import SessionsApi
from ..stack import Stack

Command = TypeVar("Command", bound=Callable[..., Any])

key = click.argument("key", metavar="PROVIDER/ID", callback=options.parsed_by(Key.parse))


def of_stack(command: Command) -> Command:
    """The options of a command that shows something of a stack."""
    for option in (options.as_json, options.endpoint, options.stack_name):
        command = option(command)
    return command


def paged(command: Command) -> Command:
    """The options of a command that shows a list."""
    for option in (options.next_page, options.limit):
        command = option(command)
    return of_stack(command)


def stack(endpoint: Optional[str], stack_name: str) -> Stack:
    return Stack.require(Aws.connect(endpoint), stack_name)


def api(endpoint: Optional[str], stack_name: str) -> SessionsApi:
    """The sessions API of a stack, asked by its operator."""
    return SessionsApi.of(stack(endpoint, stack_name))
