"""The console of the local stack, in the process that keeps the stack up, with the laboratory."""
from __future__ import annotations

import contextlib
import os
import socket
from typing import Iterator

from verdict.aws import Aws
from verdict.console.app import Console
from verdict.console.command import address, new_token
from verdict.console.serve import HOST, listening, serving
from verdict.problem import Problem
from verdict.stack import Stack as Operated

from .deployment import NAME, Stack
from .laboratory import Laboratory
from .steps import Failure


@contextlib.contextmanager
def console(stack: Stack, opened: socket.socket) -> Iterator[str]:
    """While the console answers there: its address, with the token."""
    port, token = opened.getsockname()[1], new_token()
    operated = Operated.require(Aws.connect(stack.endpoint), NAME)
    with Laboratory(stack) as laboratory, serving(Console(operated, token, port, laboratory), opened):
        yield address(port, token)


def reserved() -> socket.socket:
    """A socket for it: at the port that the user asks for, or at a free one."""
    text = os.environ.get("CONSOLE_PORT") or "0"
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise Failure(f"CONSOLE_PORT is {text!r}: give a number from 1 to 65535, as in `make run CONSOLE_PORT=4600`")
    try:
        return listening(int(text))
    except Problem:
        raise Failure(f"port {text} on {HOST} can't be used for the console: end what listens there, or take another with "
                      "`make run CONSOLE_PORT=…`") from None
