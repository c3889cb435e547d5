"""`verdict console`: the console, until Ctrl-C."""
from __future__ import annotations

import secrets
import webbrowser
from typing import Optional

import click

from .. import options
from ..aws import Aws
from ..stack import Stack
from .app import Console
from .serve import HOST, listening, serve

#: 256 bits.
TOKEN_BYTES = 32


def new_token() -> str:
    """A token for one process."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def address(port: int, token: str) -> str:
    """What a browser opens. It keeps what follows the # to itself."""
    return f"http://{HOST}:{port}/#token={token}"


@click.command("console", short_help="Show a stack in the browser.")
@options.stack_name
@options.endpoint
@click.option("--port", "port", default=0, metavar="PORT", type=click.IntRange(0, 65535),
              help="Where it listens on 127.0.0.1; a free port by default.")
@click.option("--browser/--no-browser", default=False,
              help="Open it in the browser. The address, token included, is then an argument of the browser's process, "
                   "which other users of this machine may see.")
def console_command(stack_name: str, endpoint: Optional[str], port: int, browser: bool) -> None:
    """Show a stack in the browser: what comes in, sessions, queues, what operates it. It runs here, answers 127.0.0.1
    alone, and acts with your own credentials. Ctrl-C ends it."""
    aws = Aws.connect(endpoint)
    aws.caller()
    stack = Stack.require(aws, stack_name)
    opened = listening(port)
    port, token = opened.getsockname()[1], new_token()
    console = Console(stack, token, port)
    click.echo(f"Console: {address(port, token)}")
    if browser:
        webbrowser.open(address(port, token))
    serve(console, opened)
    click.echo("The console has ended.")
