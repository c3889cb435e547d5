"""Ctrl-C in the middle of a command: what belongs together is done together, and one line says how to go on."""
from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import Any, Iterator

#: What ends a command. `command_line.main` has all of them raise KeyboardInterrupt.
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


#: While the process ends: what its threads do ends between two steps, too.
IS_ENDING = threading.Event()


class Interrupted(KeyboardInterrupt):
    """An end that the operator asked for, with one line that says what was done and how to go on."""


@contextlib.contextmanager
def whole() -> Iterator[None]:
    """A block that runs to its end: if the command is told to end within it, it ends after it. For a write and the line
    that puts it on record. Signals come to the main thread alone: in others, none begins while the process
    ends, which waits for the last one (`ending`)."""
    if threading.current_thread() is not threading.main_thread():
        pause(0)
        yield
        return
    came: list[tuple[int, Any]] = []
    before = {ending: signal.signal(ending, lambda *ending: came.append(ending)) for ending in ENDINGS}
    try:
        yield
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)
    for number, frame in came[:1]:
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """While the process waits for what its threads have begun."""
    IS_ENDING.set()
    try:
        yield
    finally:
        IS_ENDING.clear()


def pause(seconds: float) -> None:
    """A sleep between two steps, which ends as the process does."""
    if threading.current_thread() is threading.main_thread():
        time.sleep(seconds)
    elif IS_ENDING.wait(seconds):
        raise KeyboardInterrupt
