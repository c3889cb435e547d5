"""Half a minute without the table, in small; `make outage` is the whole."""
from __future__ import annotations

from stack.outage import outage

from .intake import await_empty


def test_events_that_come_during_an_outage_count_once_each(verdict, figures):
    await_empty(verdict)
    result = outage(verdict, events=60, seconds=10)
    figures.append(f"outage: {result}")
    assert result.is_right, result
