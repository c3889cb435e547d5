"""The console of `make run`: where it listens, and that it ends with the stack."""
from __future__ import annotations

import http.client
import socket
import time
import types
from typing import Any

import pytest
from verdict.console.app import Console
from verdict.console.serve import HOST, serving

from .console import reserved
from .steps import Failure


def test_it_takes_a_free_port_if_none_is_asked_for(monkeypatch):
    monkeypatch.delenv("CONSOLE_PORT", raising=False)
    with reserved() as first, reserved() as second:
        assert first.getsockname()[0] == HOST
        assert first.getsockname()[1] != second.getsockname()[1]


@pytest.mark.parametrize("text", ["x", "-1", "65536", "4600 "])
def test_a_port_that_is_no_number_is_told(monkeypatch, text):
    monkeypatch.setenv("CONSOLE_PORT", text)
    with pytest.raises(Failure, match="CONSOLE_PORT"):
        reserved()


def test_a_port_that_is_taken_is_told(monkeypatch):
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        monkeypatch.setenv("CONSOLE_PORT", str(taken.getsockname()[1]))
        with pytest.raises(Failure, match=r"can't be used for the console.*`make run CONSOLE_PORT=…`"):
            reserved()


def test_it_ends_at_once_although_a_browser_keeps_its_connection():
    stack: Any = types.SimpleNamespace()
    opened = reserved()
    port = opened.getsockname()[1]
    browser = http.client.HTTPConnection(HOST, port, timeout=10)
    with serving(Console(stack, "the token", port), opened):
        browser.request("GET", "/")
        answer = browser.getresponse()
        answer.read()
        assert (answer.status, answer.will_close) == (200, False)
        begun = time.monotonic()
    assert time.monotonic() < begun + 5
    with pytest.raises(OSError):
        http.client.HTTPConnection(HOST, port, timeout=10).request("GET", "/")
    browser.close()
