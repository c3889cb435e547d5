"""How far long work has come, on standard error. Nothing if that isn't a terminal, so that scripts see lines alone; and
nothing of what a server's thread does.
"""
from __future__ import annotations

import contextlib
import sys
import threading
from typing import Callable, Iterator, Optional

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

#: Says that so many more are done.
Advance = Callable[[int], None]


@contextlib.contextmanager
def bar(what: str, total: Optional[int] = None) -> Iterator[Advance]:
    """A bar that goes when the work is over. Without a total, it counts what is done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Lines that are printed meanwhile go above the bar if both are on the terminal, and else where they always go.
    is_shown = console.is_terminal and threading.current_thread() is threading.main_thread()
    with Progress(*columns, console=console, disable=not is_shown, transient=True,
                  redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)
