"""What came in, by the functions' own log lines, as CloudWatch Logs has them.

A `Tail` reads one log group, a call at a time, and yields each line once. Lines come late and out of order, so each pass
begins before the end of the one before it: mostly a little, now and then a lot. Ids that it has seen within that time are
left out. A `Feed` takes turns among the tails, so that the account's quota of calls is kept, and numbers the lines as they
are found: a reader's cursor is such a number, which a late line follows like any other.
"""
from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Callable, Mapping, Optional, Sequence

from botocore.exceptions import ClientError

from .stack import Stack

#: The messages of the lines that say what became of a webhook: when it came, when `replay` recorded it, and what a poll
#: of Incode's API found.
MESSAGES = ("delivery", "replay", "finding")
#: The emulator doesn't know such patterns and yields all lines.
PATTERN = "{ " + " || ".join(f'$.message = "{message}"' for message in MESSAGES) + " }"
#: Above this, CloudWatch refuses a page.
PAGE = 10_000
#: How far a pass goes back before the end of the one before it, and how far each tenth does.
OVERLAP_MILLIS, LONG_OVERLAP_MILLIS, LONG_EACH = 15_000, 120_000, 10
#: As many ids as are kept of a log group. If there are more, a pass goes back less far.
SEEN = 20_000
#: As many lines as a feed keeps, if it isn't told, and as it answers at once.
KEPT, ANSWERED, FIRST_ANSWERED = 5_000, 1_000, 200
#: As many lines as a feed keeps for a reader who wants all that there was.
MANY = 200_000
#: How far back a feed begins, if it isn't told.
SPAN_MILLIS = 15 * 60 * 1000
THROTTLED = ("ThrottlingException", "Throttling", "TooManyRequestsException")
LONGEST_PAUSE = 30.0
#: Seconds between two calls, and between two rounds. CloudWatch takes 5 calls a second from an account in a
#: region.
PAUSES, LOCAL_PAUSES = (0.5, 4.0), (0.0, 0.5)
#: A feed is behind if a log group was last read so long ago.
BEHIND_MILLIS = 60_000


@dataclass(frozen=True)
class Source:
    """A function whose lines are read."""

    function: str
    #: The route that its webhooks come by, or `intake` or `poll` if they come from there.
    path: str
    #: The logical id of its log group.
    logs: str
    #: The stack's output that says whether there is such a function; "" if there always is.
    output: str


SOURCES = (
    Source("veriff-events", "/veriff/events", "VeriffEventsLogs", "VeriffEventsUrl"),
    Source("veriff-decisions", "/veriff/decisions", "VeriffDecisionsLogs", "VeriffDecisionsUrl"),
    Source("incode-webhooks", "/incode/{webhook}", "IncodeWebhooksLogs", "IncodeWebhooksUrl"),
    Source("treezor-webhooks", "/treezor", "TreezorWebhooksLogs", "TreezorUrl"),
    Source("wultra-events", "/wultra/process/event", "WultraEventsLogs", "WultraUrl"),
    Source("replay", "intake", "ReplayLogs", ""),
    Source("incode-poller", "poll", "IncodePollerLogs", "IncodeWebhooksUrl"),
)

Line = Mapping[str, Any]


def line_of(source: Source, event: Mapping[str, Any]) -> Optional[Line]:
    """What a reader gets to see of a line; None if it says nothing of a webhook."""
    try:
        read = json.loads(event["message"])
    except ValueError:
        return None
    if not isinstance(read, dict) or read.get("message") not in MESSAGES:
        return None
    session = read.get("session")
    return {
        "at": rfc3339(event["timestamp"]),
        "provider": read.get("provider"),
        "path": source.path,
        "outcome": read.get("outcome"),
        "ms": read.get("took"),
        "reason": read.get("reason"),
        # An id that doesn't look like one is logged as its digest, by which no session can be found.
        "session": None if session is None or "/sha256:" in session else session,
        "requestId": read.get("requestId"),
        "function": source.function,
    }


def rfc3339(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Tail:
    """One log group, read again and again. Each line is yielded once, however late it comes within the long overlap."""

    def __init__(self, source: Source, group: str, since: int, pattern: str = PATTERN):
        self.source, self._group, self._pattern = source, group, pattern
        #: Nothing before it is asked for.
        self._begin = since
        #: Until when the last complete pass has read, by CloudWatch's clock.
        self.until = since
        #: When CloudWatch last answered, by its clock.
        self.answered_at = 0
        self.passes = 0
        #: When the lines were that have been yielded, by their ids.
        self._seen: dict[bytes, int] = {}
        self._pass: Optional[Pass] = None

    @property
    def is_reading(self) -> bool:
        """Whether a pass has more pages."""
        return self._pass is not None

    def skip_to(self, since: int) -> bool:
        """Goes on from a later time if it has read less far; tells whether something may be left out."""
        if self.until >= since:
            return False
        self._begin = self.until = since
        self._pass = None
        return True

    def read(self, logs: Any) -> list[tuple[int, Line]]:
        """The new lines of the next page, which is one call."""
        if self._pass is None:
            self._pass = Pass(max(self._begin, self.until - overlap(self.passes)), self._pattern)
        page = self._pass.read(logs, self._group)
        self.answered_at = self._pass.answered_at
        found = [(event["timestamp"], line) for name, event in page
                 if (line := line_of(self.source, event)) is not None and self._is_new(name, event["timestamp"])]
        if self._pass.is_over:
            self.until, self.passes, self._pass = max(self.until, self._pass.asked_at), self.passes + 1, None
        self._forget()
        return found

    def _is_new(self, name: bytes, at: int) -> bool:
        if name in self._seen:
            return False
        self._seen[name] = at
        return True

    def _forget(self) -> None:
        """Forgets lines that no pass reads again; if they are too many, has no pass go back to the oldest ones."""
        oldest = self.until - LONG_OVERLAP_MILLIS
        self._seen = {name: at for name, at in self._seen.items() if at >= oldest}
        if len(self._seen) > SEEN:
            self._begin = max(self._begin, 1 + sorted(self._seen.values())[-SEEN - 1])
            self._seen = {name: at for name, at in self._seen.items() if at >= self._begin}


class Pass:
    """A reading of a log group from one time on, page by page."""

    def __init__(self, start: int, pattern: str):
        self._start, self._pattern = start, pattern
        self._token: Optional[str] = None
        self._copies: Counter[bytes] = Counter()
        #: By CloudWatch's clock, when the first page was asked for.
        self.asked_at = 0
        #: By the same clock, when the last one was answered.
        self.answered_at = 0
        self.is_over = False

    def read(self, logs: Any, group: str) -> list[tuple[bytes, Mapping[str, Any]]]:
        """The next page's events, each with a name of its own."""
        more = {"nextToken": self._token} if self._token else {}
        page = logs.filter_log_events(
            logGroupName=group, startTime=self._start, filterPattern=self._pattern, limit=PAGE, **more)
        self.answered_at = answered_at(page)
        self.asked_at = self.asked_at or self.answered_at
        named = [(self._name(event), event) for event in page["events"]]
        self._turn(page)
        return named

    def _turn(self, page: Mapping[str, Any]) -> None:
        self._token = page.get("nextToken")
        self.is_over = not self._token and len(page["events"]) < PAGE
        if not self._token and not self.is_over:
            # The emulator has no tokens.
            last = page["events"][-1]["timestamp"]
            self._start = last if last > self._start else last + 1
            self._copies.clear()

    def _name(self, event: Mapping[str, Any]) -> bytes:
        """What tells an event from others: CloudWatch's id. The emulator has none, where equal ones are counted."""
        known = event.get("eventId")
        content = known or "\0".join([event.get("logStreamName", ""), str(event["timestamp"]), event["message"]])
        name = hashlib.sha256(content.encode()).digest()[:12]
        if known:
            return name
        self._copies[name] += 1
        return name + self._copies[name].to_bytes(4, "big")


def overlap(passes: int) -> int:
    """How far the next pass goes back, after so many."""
    return LONG_OVERLAP_MILLIS if passes % LONG_EACH == LONG_EACH - 1 else OVERLAP_MILLIS


def answered_at(answer: Mapping[str, Any]) -> int:
    """When CloudWatch answered, by its own clock: the operator's may be wrong."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return int(parsedate_to_datetime(date).timestamp() * 1000) if date else now_millis()


def now_millis() -> int:
    return int(time.time() * 1000)


@dataclass(frozen=True)
class Lines:
    """What a reader gets: lines, the oldest first, the cursor to go on from, and whether some are missing or late."""

    lines: Sequence[Line]
    cursor: str
    behind: bool


class Feed:
    """The lines of several log groups, numbered as they are found. One thread turns it; any may read it."""

    def __init__(self, tails: Sequence[Tail], span: int = SPAN_MILLIS, clock: Callable[[], int] = now_millis,
                 bound: int = KEPT):
        self._tails, self._span, self._clock, self._bound = tails, span, clock, bound
        self._name = secrets.token_hex(4)
        #: Each with its number and its time, in the order of the numbers.
        self._kept: list[tuple[int, int, Line]] = []
        self._count = 0
        #: The last number that stands for lines that were dropped or may have been left out.
        self._gap = 0
        #: The time of the latest line that was dropped.
        self._dropped_at = 0
        #: What CloudWatch's clock is ahead of the operator's.
        self._ahead = 0
        self._turns = 0
        self._throttled = 0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, stack: Stack, span: int = SPAN_MILLIS, bound: int = KEPT) -> Feed:
        """The feed of a stack's functions that webhooks come to."""
        since = now_millis() - span
        return cls([Tail(source, stack.resource(source.logs), since) for source in SOURCES
                    if not source.output or source.output in stack.outputs], span, bound=bound)

    @property
    def is_up(self) -> bool:
        """Whether each log group has been read once."""
        return all(tail.passes for tail in self._tails)

    def pause(self, is_local: bool) -> float:
        """How long to pause before the next turn: longer after a round, if no log group has more pages."""
        call, round_ = LOCAL_PAUSES if is_local else PAUSES
        is_round = self._turns % len(self._tails) == 0 and not any(tail.is_reading for tail in self._tails)
        return round_ if is_round else call

    def turn(self, logs: Any) -> float:
        """Makes one call, and says how long to pause before the next one because of CloudWatch's quota."""
        tail, was_up = self._tails[self._turns % len(self._tails)], self.is_up
        try:
            found = tail.read(logs)
        except ClientError as error:
            if error.response["Error"].get("Code") not in THROTTLED:
                raise
            self._throttled += 1
            return min(2.0 ** self._throttled, LONGEST_PAUSE)
        with self._lock:
            self._throttled = 0
            self._turns += 1
            self._ahead = ahead(tail.answered_at, self._clock())
            self._kept += [(number, at, line) for number, (at, line) in enumerate(found, self._count + 1)]
            self._count += len(found)
            self._drop(was_up)
        return 0.0

    def _drop(self, is_up: bool) -> None:
        """Drops what is too much: the first that were found, or, until each log group has been read once, the oldest. One
        is read after the other until then, so that the first that were found would be all of one function's."""
        if len(self._kept) <= self._bound:
            return
        in_order = self._kept if is_up else sorted(self._kept, key=lambda each: each[1])
        dropped, self._kept = in_order[:-self._bound], sorted(in_order[-self._bound:], key=lambda each: each[0])
        self._gap = max(self._gap, *(number for number, _, _ in dropped))
        self._dropped_at = max(self._dropped_at, *(at for _, at, _ in dropped))

    def resume(self) -> None:
        """Goes on after a pause: a long one leaves out what lies before the span."""
        since = self._now() - self._span
        if sum(tail.skip_to(since) for tail in self._tails):
            with self._lock:
                self._count += 1
                self._gap = self._count

    def everything(self) -> Lines:
        """All that is kept, in the order of time, and the cursor to go on from."""
        with self._lock:
            return Lines([line for _, _, line in by_time(self._kept)], self._cursor(self._count),
                         self._is_behind() or self._gap > 0)

    def after(self, cursor: Optional[str]) -> Lines:
        """What was found after a cursor; without one, or with one of an earlier feed, the last of the span."""
        with self._lock:
            number = self._number(cursor)
            return self._recent() if number is None else self._since(number)

    def _number(self, cursor: Optional[str]) -> Optional[int]:
        name, _, number = (cursor or "").partition("-")
        if cursor is not None and not (number.isascii() and number.isdigit() and len(number) < 16):
            raise ValueError("no cursor of a feed's")
        return min(int(number), self._count) if name == self._name else None

    def _recent(self) -> Lines:
        since = self._now() - self._span
        found = by_time([each for each in self._kept if each[1] >= since])
        return Lines([line for _, _, line in found[-FIRST_ANSWERED:]], self._cursor(self._count),
                     self._is_behind() or self._dropped_at >= since)

    def _since(self, after: int) -> Lines:
        found = [each for each in self._kept if each[0] > after][:ANSWERED]
        last = found[-1][0] if found else self._count
        behind = self._is_behind() or after < self._gap or last < self._count
        return Lines([line for _, _, line in by_time(found)], self._cursor(last), behind)

    def _cursor(self, number: int) -> str:
        return f"{self._name}-{number}"

    def _is_behind(self) -> bool:
        return self._throttled > 0 or min(tail.until for tail in self._tails) < self._now() - BEHIND_MILLIS

    def _now(self) -> int:
        """The time by CloudWatch's clock: the operator's may be wrong."""
        return self._clock() + self._ahead


def by_time(found: Sequence[tuple[int, int, Line]]) -> list[tuple[int, int, Line]]:
    return sorted(found, key=lambda each: (each[1], each[0]))


def ahead(theirs: int, ours: int) -> int:
    """The milliseconds that CloudWatch's clock is ahead of the operator's. An answer's time has no fraction: within its
    second, both clocks are right."""
    return 0 if 0 <= ours - theirs < 1000 else theirs - ours
