"""Figures from the functions' log lines.

The local stack has no others: its emulator makes no metrics of log lines. In AWS, this counts refusals alone, since their
reasons are in no metric; CloudWatch finds those lines, so that no other is read.
"""
from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict, deque
from typing import Any, Callable, Mapping, Optional, Sequence

from botocore.exceptions import ClientError

from ..aws import Aws
from ..log_lines import SOURCES, THROTTLED, Line, Tail, now_millis
from ..stack import Stack
from .figures import OUTCOMES, Ages, Figures, first_minute, minute_of, percentile, slowest

#: The lines of refusals.
REFUSED = '{ $.message = "delivery" && $.outcome = "refused" }'
#: How many calls one look makes at most; CloudWatch takes 5 a second, or 10, which other readers share. The emulator counts
#: none.
CALLS, LOCAL_CALLS = 12, 200
#: For so long, a run's line tells what waits: the relay and the poller run each minute.
FRESH_MILLIS = 5 * 60 * 1000
#: The members of a poller's line that make up what was due.
POLLS = ("polled", "pollDecided", "pollGivenUp", "pollLeft", "pollFailed")


class Count:
    """Counts of the lines that say what became of webhooks, read a little further each time."""

    def __init__(self, tails: Callable[[int], Sequence[Tail]], calls: int, clock: Callable[[], int] = now_millis):
        #: Makes the tails of the log groups, from a time on.
        self._make, self._calls, self._clock = tails, calls, clock
        self._minutes = 0
        self._lock = threading.Lock()

    def look(self, logs: Any, minutes: int) -> Figures:
        """Reads on, and tells what is counted of so many minutes. For more than before, it begins anew."""
        with self._lock:
            if minutes > self._minutes:
                self._begin(minutes)
            is_complete = self._read(logs)
            self._forget()
            return self._figures(first_minute(self._clock(), minutes), not is_complete)

    def _begin(self, minutes: int) -> None:
        self._minutes = minutes
        self._tails = self._make(first_minute(self._clock(), minutes))
        self._webhooks: Counter[tuple[int, str]] = Counter()
        self._refusals: Counter[tuple[int, str, str]] = Counter()
        self._millis: defaultdict[tuple[int, str], list[float]] = defaultdict(list)

    def _read(self, logs: Any) -> bool:
        """Reads what is new of the log groups, in turns; tells whether it came to the end of all of them."""
        left, waiting = self._calls, deque(self._tails)
        while waiting and left:
            tail = waiting.popleft()
            if not self._read_page(logs, tail):
                return False
            left -= 1
            if tail.is_reading:
                waiting.append(tail)
        return not waiting

    def _read_page(self, logs: Any, tail: Tail) -> bool:
        try:
            found = tail.read(logs)
        except ClientError as error:
            if error.response["Error"].get("Code") not in THROTTLED:
                raise
            return False
        for at, line in found:
            self._add(minute_of(at), line)
        return True

    def _add(self, minute: int, line: Line) -> None:
        """Counts an answer to a provider. What `replay` and the poller record came in before, or didn't come in."""
        provider, outcome = line["provider"], line["outcome"]
        if not line["path"].startswith("/") or outcome not in OUTCOMES:
            return
        self._webhooks[minute, outcome] += 1
        if outcome == "refused":
            self._refusals[minute, provider, line["reason"]] += 1
        if line["ms"] is not None:
            self._millis[minute, provider].append(line["ms"])

    def _forget(self) -> None:
        oldest = first_minute(self._clock(), self._minutes)
        kept: tuple[dict[Any, Any], ...] = (self._webhooks, self._refusals, self._millis)
        for counts in kept:
            for key in [key for key in counts if key[0] < oldest]:
                del counts[key]

    def _figures(self, since: int, partial: bool) -> Figures:
        of_providers: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
        for (minute, _), millis in self._millis.items():
            if minute >= since:
                ordered = sorted(millis)
                of_providers[minute].append((percentile(ordered, 50), percentile(ordered, 99)))
        return Figures(
            source="log lines",
            webhooks={key: count for key, count in self._webhooks.items() if key[0] >= since},
            refusals={key: count for key, count in self._refusals.items() if key[0] >= since},
            latency={minute: slowest(each) for minute, each in of_providers.items()},
            partial=partial)


class Waiting:
    """How long things have waited, as the last runs of the relay, of `replay` and of the poller say."""

    def __init__(self, groups: Mapping[str, str], clock: Callable[[], int] = now_millis):
        #: The log group by the message of the line.
        self._groups, self._clock = groups, clock

    @classmethod
    def of(cls, stack: Stack) -> Waiting:
        logs = {"relay": "OutboxRelayLogs", "intake": "ReplayLogs"}
        if "IncodeWebhooksUrl" in stack.outputs:
            logs["poll"] = "IncodePollerLogs"
        return cls({message: stack.resource(group) for message, group in logs.items()})

    def ages(self, logs: Any) -> Ages:
        found = {message: self._newest(logs, group, message) for message, group in self._groups.items()}
        poll = found.get("poll")
        return Ages(
            oldest_due=member(found["relay"], "oldestDue"), oldest_intake=member(found["intake"], "oldestIntake"),
            oldest_poll_due=member(poll, "oldestPollDue"),
            polls_due=None if poll is None else sum(member(poll, name) or 0 for name in POLLS))

    def _newest(self, logs: Any, group: str, message: str) -> Optional[Mapping[str, Any]]:
        """The last line with that message, if it is fresh."""
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=f'"{message}"', startTime=self._clock() - FRESH_MILLIS)
        newest: Optional[Mapping[str, Any]] = None
        for page in pages:
            for event in page["events"]:
                read = document(event["message"])
                newest = read if read.get("message") == message else newest
        return newest


class FromLines:
    """All figures of a stack, from its log lines."""

    def __init__(self, count: Count, waiting: Waiting):
        self._count, self._waiting = count, waiting

    @classmethod
    def of(cls, stack: Stack) -> FromLines:
        return cls(Count(tails(stack), LOCAL_CALLS), Waiting.of(stack))

    def look(self, operator: Aws, minutes: int) -> Figures:
        logs = operator.client("logs")
        counted = self._count.look(logs, minutes)
        return Figures(counted.source, counted.webhooks, counted.refusals, counted.latency, self._waiting.ages(logs),
                       counted.partial)


def refusals_of(stack: Stack) -> Count:
    """The count of a stack's refusals alone."""
    return Count(tails(stack, REFUSED), CALLS)


def tails(stack: Stack, *pattern: str) -> Callable[[int], Sequence[Tail]]:
    """Makes those of the functions that answer providers."""
    groups = {source: stack.resource(source.logs) for source in SOURCES
              if source.path.startswith("/") and source.output in stack.outputs}
    return lambda since: [Tail(source, group, since, *pattern) for source, group in groups.items()]


def document(line: str) -> Mapping[str, Any]:
    """A line's members; none if it isn't one of the functions' own."""
    try:
        read = json.loads(line)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def member(line: Optional[Mapping[str, Any]], name: str) -> Optional[int]:
    value = None if line is None else line.get(name)
    return value if isinstance(value, int) else None
