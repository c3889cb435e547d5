"""The laboratory's outage: one at a time, for as long as it was asked for, and over when the laboratory is closed. And its
webhooks: on their way at the same time."""
from __future__ import annotations

import contextlib
import http.client
import threading
import time
import types
import urllib.parse
from typing import Any

import pytest
from verdict.problem import Problem

from . import laboratory as settings
from .adapter import Adapter
from .deployment import webhooks
from .laboratory import Laboratory
from .wire import Fate, Wire


@pytest.fixture
def wire():
    with Adapter() as adapter, Wire(adapter.url, lambda operation: Fate.PASSED_ON) as wire:
        yield wire


@pytest.fixture
def laboratory(wire):
    stack: Any = types.SimpleNamespace(dynamodb=wire, api_url="http://127.0.0.1:9")
    with Laboratory(stack) as laboratory:
        yield laboratory


def is_there(wire):
    """Whether a call gets through."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(wire.url).netloc, timeout=30)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.request("POST", "/", b"", {"X-Amz-Target": "DynamoDB_20120810.GetItem"})
        return connection.getresponse().status == 200
    return False


def remaining(laboratory):
    return laboratory.describe()["outage"]["remainingSeconds"]


def test_an_outage_begins_at_once_and_ends_by_itself(laboratory, wire):
    assert is_there(wire)
    begun = time.monotonic()
    assert 3 <= laboratory.outage(5)["remainingSeconds"] <= 5
    assert not is_there(wire)
    while remaining(laboratory):
        assert time.monotonic() < begun + 60
        time.sleep(0.05)
    assert time.monotonic() >= begun + 5
    assert is_there(wire)
    # And another one may follow.
    assert laboratory.outage(60)["remainingSeconds"] > 30


def test_while_dynamodb_is_away_it_is_not_taken_away_again(laboratory):
    laboratory.outage(60)
    with pytest.raises(Problem, match=r"away already, for \d+ s more"):
        laboratory.outage(5)
    assert 30 <= remaining(laboratory) <= 60


def test_a_laboratory_that_is_closed_gives_dynamodb_back(laboratory, wire):
    laboratory.outage(60)
    begun = time.monotonic()
    laboratory.close()
    assert time.monotonic() < begun + 30
    assert is_there(wire)
    assert remaining(laboratory) == 0


@pytest.mark.parametrize("seconds", [0, 4, 61])
def test_an_outage_lasts_from_five_seconds_to_a_minute(laboratory, wire, seconds):
    with pytest.raises(Problem, match="for 5 to 60 seconds"):
        laboratory.outage(seconds)
    assert is_there(wire)


def test_so_many_webhooks_are_on_their_way_at_the_same_time(laboratory, monkeypatch):
    all_are_there = threading.Barrier(settings.MOST_TIMES)

    def send(event, url):
        all_are_there.wait(60)
        return webhooks.Answer(200, {"x-verdict-outcome": "recorded"}, "")

    monkeypatch.setattr(webhooks, "send", send)
    assert laboratory.send("veriff/decision-approved", times=settings.MOST_TIMES) == {
        "answers": [{"status": 200, "outcome": "recorded", "session": None, "count": 50}]}
