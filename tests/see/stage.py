"""What is driven: the console of a local stack, ours or one that is up."""
from __future__ import annotations

import contextlib
import json
import os
import shutil
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any, Iterator, Mapping

import stack
from stack.console import console, reserved
from stack.deployment import directory_of

SECONDS = 30


@dataclass(frozen=True)
class Stage:
    """A console by its address, and the stack behind it."""

    console: str
    endpoint: str
    api_url: str

    @property
    def token(self) -> str:
        return token_of(self.console)


def token_of(console: str) -> str:
    """The token, which stands in the part of the address that a browser doesn't send."""
    fragment = urllib.parse.urlsplit(console).fragment
    return dict(urllib.parse.parse_qsl(fragment)).get("token", "")


@contextlib.contextmanager
def stage(environment: Mapping[str, str] = os.environ) -> Iterator[Stage]:
    """The console that CONSOLE names, as `make run` prints it, or else one of our own."""
    given = environment.get("CONSOLE")
    if given:
        yield of_console(given)
        return
    port = stack.free_port()
    with stack.start(port) as verdict, console(verdict, reserved()) as address:
        yield of_console(address)
    # Else its logs are worth keeping.
    shutil.rmtree(directory_of(port))


def of_console(console: str) -> Stage:
    if not token_of(console):
        raise stack.Failure("CONSOLE has no token: give the whole address, as `make run` prints it")
    about = ask(console, "/api/stack")
    if not about["isLocal"]:
        raise stack.Failure(f"the console shows the stack {about['name']} in AWS: what drives it sends webhooks and makes"
                            " faults, which only a local stack is for")
    return Stage(console, f"http://127.0.0.1:{about['port']}", about["apiUrl"])


def ask(console: str, path: str) -> Any:
    """GETs a path of the console's, as its page does."""
    base = urllib.parse.urlsplit(console)
    request = urllib.request.Request(f"http://{base.netloc}{path}", headers={"x-verdict-token": token_of(console)})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=SECONDS) as answer:
            return json.loads(answer.read())
    except OSError as error:
        raise stack.Failure(f"the console at {base.netloc} doesn't answer ({error})") from None
