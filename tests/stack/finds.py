"""What a find costs in a large table: the calls to DynamoDB, counted on the wire, and the time, beside those in a small one.

By reference it may be one query and one batch of reads, by status one query for each shard and one batch, however many
sessions there are. What is found must be as the functions write it: a rebuild of it would change nothing.
`make finds` counts on a stack of its own, with SESSIONS=100000.
"""
from __future__ import annotations

import collections
import shutil
import statistics
import sys
import time
import urllib.parse
from dataclasses import dataclass
from typing import Any, Iterator

from . import Failure, Stack, free_port, many, start
from .deployment import directory_of, webhooks
from .wire import Fate, Wire

FEW = 100
#: For each kind of list.
FINDS = 50
BY_REFERENCE = collections.Counter({"Query": 1, "BatchGetItem": 1})
BY_STATUS = collections.Counter({"Query": many.SHARDS, "BatchGetItem": 1})
#: For a machine with other things to do.
TRIES = 5
#: Sessions of which one invocation shows what a rebuild would change.
PREVIEWED = 10
#: Two of which there are thousands, and one of which there are none. Of `decided`, the emulator has too many for a request's
#: time: for each query of an index it looks at all entries of the status, DynamoDB at those of one page.
STATUSES = ("started", "in_review", "new")


@dataclass(frozen=True)
class Find:
    """One list that was asked for: its calls to DynamoDB, and the time to its answer."""

    kind: str
    sessions: list[dict[str, Any]]
    calls: collections.Counter[str]
    seconds: float


class Finder:
    """Asks the sessions API, whose calls to DynamoDB go over a wire that counts them."""

    def __init__(self, stack: Stack):
        self._stack = stack
        self._calls: collections.Counter[str] = collections.Counter()

    def count(self, operation: str) -> Fate:
        self._calls[operation.rpartition(".")[2]] += 1
        return Fate.PASSED_ON

    def find(self, parameter: str, value: str) -> Find:
        for _ in range(TRIES):
            self._calls.clear()
            begun = time.monotonic()
            status, answer = self._stack.get(f"/sessions?{parameter}={urllib.parse.quote(value)}")
            seconds = time.monotonic() - begun
            if status != 503:
                break
        if status != 200:
            raise Failure(f"the list of {parameter} {value} was answered {status}: {answer}")
        return Find(parameter, answer["sessions"], self._calls.copy(), seconds)


def finds(stack: Stack, sessions: int) -> list[Find]:
    """Finds sessions by references from all over the table, and by status; the first one only wakes the function."""
    finder = Finder(stack)
    step = max(1, sessions // FINDS // many.SESSIONS_PER_REFERENCE) * many.SESSIONS_PER_REFERENCE
    with Wire(stack.endpoint, finder.count) as wire, \
            stack.reconfigured("SessionsApi", AWS_ENDPOINT_URL_DYNAMODB=wire.url):
        finder.find("reference", "nobody")
        return [*(finder.find("reference", many.reference_of(number, "text")) for number in range(0, sessions, step)),
                *(finder.find("status", status) for status in STATUSES)]


def wrong(found: list[Find]) -> Iterator[str]:
    """What took other calls than it may."""
    for find in found:
        expected = BY_STATUS if find.kind == "status" else BY_REFERENCE
        if find.calls != (expected if find.sessions else expected - collections.Counter({"BatchGetItem": 1})):
            yield f"a find by {find.kind} of {len(find.sessions)} sessions took {dict(find.calls)}"
    if not all(find.sessions for find in found if find.kind == "reference"):
        yield "a reference has no session"


def unlike(stack: Stack, found: list[Find]) -> Iterator[str]:
    """The sessions that a rebuild would change."""
    keys = [{name: session[name] for name in ("provider", "sessionId")} for find in found for session in find.sessions]
    for several in (keys[first:first + PREVIEWED] for first in range(0, len(keys), PREVIEWED)):
        for report in stack.invoke("RebuildPreview", {"dryRun": several})["sessions"]:
            if report["outcome"] != "unchanged":
                yield f"a rebuild of {report['provider']}/{report['sessionId']} would be: {report['outcome']}"


def shown(sessions: int, found: list[Find]) -> Iterator[str]:
    for kind in ("reference", "status"):
        of_kind = [find for find in found if find.kind == kind]
        calls = " or ".join(sorted({
            ", ".join(f"{count} {operation}" for operation, count in sorted(find.calls.items())) for find in of_kind}))
        times = [find.seconds * 1000 for find in of_kind]
        yield (f"{sessions:>7} sessions: {len(of_kind)} finds by {kind}: {calls}; median {statistics.median(times):.0f} ms,"
               f" slowest {max(times):.0f} ms")


def main() -> int:
    try:
        most, port = many.asked_for(), free_port()
        problems: list[str] = []
        with start(port) as stack:
            for sessions, before in ((FEW, 0), (most, FEW)):
                begun = time.monotonic()
                many.fill(stack.endpoint, stack.api_url, sessions, before)
                print(f"{sessions:>7} sessions: filled in {time.monotonic() - begun:.0f} s", flush=True)
                found = finds(stack, sessions)
                print(*shown(sessions, found), sep="\n", flush=True)
                problems += [*wrong(found), *unlike(stack, found)]
        if not problems:
            # Else its logs are worth keeping.
            shutil.rmtree(directory_of(port))
    except (Failure, webhooks.Problem) as failure:
        print(f"make finds: {failure}", file=sys.stderr)
        return 1
    print(*problems or ["A find takes as many calls in the large table as in the small one."], sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
