"""The progress bar: on the terminal of the operator who runs a command, and never in what a server's thread does."""
from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console
from verdict import progress


@pytest.fixture
def terminal(monkeypatch):
    """What is written on a terminal that standard error is."""
    written = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=written, force_terminal=True))
    return written


def work():
    with progress.bar("Moving", 3) as advance:
        advance(3)


def test_a_command_shows_how_far_it_has_come(terminal):
    work()
    assert "Moving" in terminal.getvalue()


def test_a_servers_thread_shows_nothing(terminal):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert terminal.getvalue() == ""
