"""A table of many sessions, for the browser to look for some in."""
from __future__ import annotations

import os
import time
from typing import Any

import stack
from stack.many import SESSIONS_PER_REFERENCE, fill as fill_table, reference_of

from .stage import Stage

DEFAULT = 100_000
#: A reference of the sort that those of most sessions have.
LIKE = "customer-1"
#: As many people are looked for.
PEOPLE = 12


def fill(where: Stage) -> dict[str, Any]:
    """Puts so many sessions into the table as SESSIONS says. Returns what the browser has to know of them."""
    text = os.environ.get("SESSIONS") or str(DEFAULT)
    if not text.isdecimal() or int(text) < PEOPLE * SESSIONS_PER_REFERENCE:
        raise stack.Failure(f"SESSIONS is {text!r}: give a number, as in `make see SESSIONS={DEFAULT}`")
    sessions, begun = int(text), time.monotonic()
    fill_table(where.endpoint, where.api_url, sessions)
    print(f"  many: {sessions} sessions more in {time.monotonic() - begun:.0f} s", flush=True)
    persons = sessions // SESSIONS_PER_REFERENCE
    people = [reference_of(persons * number // PEOPLE * SESSIONS_PER_REFERENCE, LIKE) for number in range(PEOPLE)]
    return {"many": sessions, "people": people}
