"""`make run`: the stack with its samples sent, and the console, up until it is told to stop."""
from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

from . import Failure, Stack, start
from .commands import first_look
from .console import console, reserved
from .deployment import webhooks
from .emulator import port
from .samples import send_all

ASKED_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """We were asked to stop. Not an Exception, so that nothing takes it for a failure of its own."""


def stop(_signal: int, _frame: object) -> None:
    # Once: cleaning up is quick and must not be cut short.
    for asked in ASKED_TO_STOP:
        signal.signal(asked, signal.SIG_IGN)
    raise Stopped


def asked_for(variable: str) -> bool:
    return os.environ.get(variable, "") not in ("", "0")


def show_urls(stack: Stack) -> None:
    width = max(map(len, stack.outputs))
    print("\nThe stack's outputs:")
    for name, value in stack.outputs.items():
        print(f"  {name:{width}}  {value}")
    print(f"AWS clients reach it with AWS_ENDPOINT_URL={stack.endpoint}, region eu-west-1 and the keys test, test.\n")


def main() -> int:
    for asked in ASKED_TO_STOP:
        signal.signal(asked, stop)
    ready = False
    try:
        # Before what takes long, so that a port that is taken is told at once.
        socket = None if asked_for("ONCE") else reserved()
        with start(port()) as stack, contextlib.ExitStack() as opened:
            all_right = send_all(stack, verbose=asked_for("VERBOSE"))
            show_urls(stack)
            ready = socket is not None
            if socket:
                address = opened.enter_context(console(stack, socket))
                print(f"Ready: {stack.endpoint} (Ctrl-C stops it)\nConsole: {address}\n")
            print(first_look(stack), flush=True)
            if not ready:
                return 0 if all_right else 1
            while stack.running:
                time.sleep(0.5)
            raise Failure("MiniStack has ended by itself; its log is in target/stack")
    except (Failure, webhooks.Problem) as failure:
        print(f"make run: {failure}", file=sys.stderr)
        return 1
    except Stopped:
        return 0 if ready else 130


if __name__ == "__main__":
    sys.exit(main())
