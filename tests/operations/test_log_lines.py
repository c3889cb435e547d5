"""The feed of the functions' log lines loses and doubles none, whenever CloudWatch hands them out, keeps to the quota and
to its memory. CloudWatch is played by a few lines of Python, with a clock of its own."""
from __future__ import annotations

import json
import random
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

import pytest
from botocore.exceptions import ClientError
from verdict import log_lines
from verdict.console import live
from verdict.console.live import Follower
from verdict.console.routes import Shared
from verdict.reads import tail
from verdict.log_lines import SOURCES, Feed, Line, Tail
from verdict.stack import Stack

#: When the tests begin, in milliseconds.
BEGUN = 1_781_308_800_000
DELIVERY = {"message": "delivery", "requestId": "r", "provider": "veriff", "outcome": "recorded", "reason": None,
            "session": "veriff/x", "eventKey": "veriff/x/decision:1", "took": 31, "source": "203.0.113.7"}


class Logs:
    """CloudWatch Logs: events become visible when they were ingested, and come in pages."""

    def __init__(self, page: int = 100, has_ids: bool = True):
        self.now, self.page, self.has_ids = BEGUN, page, has_ids
        self.events: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        self.calls: list[tuple[str, int]] = []
        self.refuses: Optional[str] = None

    def put(self, group: str, at: int, *, late: int = 0, **members: Any) -> None:
        events = self.events.setdefault(group, [])
        number = sum(map(len, self.events.values()))
        event = {"timestamp": at, "logStreamName": "s", "message": json.dumps({**DELIVERY, **members})}
        events.append((at + late, {**event, "eventId": str(number)} if self.has_ids else event))

    def filter_log_events(self, logGroupName: str, startTime: int, filterPattern: str, limit: int,
                          nextToken: Optional[str] = None) -> Mapping[str, Any]:
        self.calls.append((logGroupName, self.now))
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses}}, "FilterLogEvents")
        visible = sorted((event for at, event in self.events.get(logGroupName, ())
                          if at <= self.now and event["timestamp"] >= startTime), key=lambda event: event["timestamp"])
        start = int(nextToken or 0)
        end = start + min(limit, self.page)
        more = {"nextToken": str(end)} if self.has_ids and end < len(visible) else {}
        date = format_datetime(datetime.fromtimestamp(self.now // 1000, timezone.utc), usegmt=True)
        return {"events": visible[start:end], "ResponseMetadata": {"HTTPHeaders": {"date": date}}, **more}


def feed_of(logs: Logs, *groups: str) -> Feed:
    return Feed([Tail(SOURCES[1], group, BEGUN) for group in groups], clock=lambda: logs.now)


def turned(feed: Feed, logs: Logs, seconds: float, step: float = 0.5) -> Iterator[Line]:
    """The lines that a reader gets who asks after each turn for so long."""
    cursor = feed.after(None).cursor
    for _ in range(int(seconds / step)):
        logs.now += int(step * 1000)
        feed.turn(logs)
        page = feed.after(cursor)
        yield from page.lines
        cursor = page.cursor


def test_a_line_says_what_came_and_what_became_of_it():
    line = log_lines.line_of(SOURCES[1], {"timestamp": BEGUN + 7, "message": json.dumps(DELIVERY)})
    assert line == {
        "at": "2026-06-13T00:00:00.007Z", "provider": "veriff", "path": "/veriff/decisions", "outcome": "recorded",
        "ms": 31, "reason": None, "session": "veriff/x", "requestId": "r", "function": "veriff-decisions"}


@pytest.mark.parametrize("message", [
    "START RequestId: 1", "", "[]", "null", '"delivery"', "{", '{"message":"publication"}', '{"message":["delivery"]}',
    '{"outcome":"recorded"}'])
def test_a_line_about_anything_else_is_left_out(message):
    assert log_lines.line_of(SOURCES[1], {"timestamp": BEGUN, "message": message}) is None


def test_a_session_that_is_logged_as_a_digest_cannot_be_opened():
    digest = {**DELIVERY, "session": "veriff/sha256:00ff"}
    assert log_lines.line_of(SOURCES[1], {"timestamp": BEGUN, "message": json.dumps(digest)})["session"] is None


@pytest.mark.parametrize("has_ids", [True, False], ids=["CloudWatch", "the emulator"])
@pytest.mark.parametrize("seed", range(4))
def test_each_line_is_found_once_however_late_and_out_of_order_it_comes(seed, has_ids, monkeypatch):
    chance, logs, groups = random.Random(seed), Logs(page=7, has_ids=has_ids), ("a", "b", "c")
    monkeypatch.setattr(log_lines, "PAGE", 7)
    put = 0
    for _ in range(300):
        at = BEGUN + chance.randrange(60_000)
        # Most come soon, some within a pass or two, and a few after the passes that go back a little.
        late = chance.choice([0, 0, 0, 800, 4_000, 14_000, 60_000])
        # Some are like others to the letter.
        for _ in range(chance.choice([1, 1, 1, 3])):
            logs.put(chance.choice(groups), at, late=late, took=put // 3)
            put += 1
    found = list(turned(feed_of(logs, *groups), logs, 200, step=0.3))
    assert len(found) == put
    assert sorted(line["ms"] for line in found) == sorted(number // 3 for number in range(put))


def test_a_clock_of_the_operators_that_is_wrong_loses_nothing():
    logs = Logs()
    feed = Feed([Tail(SOURCES[1], "a", BEGUN)], clock=lambda: logs.now + 3_600_000)
    for second in range(60):
        logs.put("a", BEGUN + second * 1000 + 1)
    assert len(list(turned(feed, logs, 90))) == 60


def test_log_groups_take_turns():
    logs = Logs()
    list(turned(feed_of(logs, "a", "b", "c"), logs, 6))
    assert [group for group, _ in logs.calls] == ["a", "b", "c"] * 4


def test_calls_keep_to_half_of_the_quota():
    logs = Logs()
    feed = feed_of(logs, *map(str, range(len(SOURCES))))
    pauses = [(feed.turn(logs), feed.pause(False))[1] for _ in range(len(SOURCES) * 3)]
    assert min(pauses) >= 0.4 and pauses.count(max(pauses)) == 3
    assert len(pauses) / sum(pauses) < 2.5


def test_a_feed_that_is_throttled_says_so_and_calls_less_and_less():
    logs = Logs()
    feed = feed_of(logs, "a")
    assert (feed.turn(logs), feed.after(None).behind) == (0.0, False)
    logs.refuses = "ThrottlingException"
    pauses = [feed.turn(logs) for _ in range(8)]
    assert pauses == sorted(pauses) and pauses[0] >= 1 and pauses[-1] == log_lines.LONGEST_PAUSE
    assert feed.after(None).behind
    logs.refuses = None
    logs.put("a", BEGUN)
    assert feed.turn(logs) == 0.0
    assert not feed.after(None).behind and len(feed.after(None).lines) == 1


def test_another_refusal_is_an_error():
    logs = Logs()
    logs.refuses = "AccessDeniedException"
    with pytest.raises(ClientError):
        feed_of(logs, "a").turn(logs)


def test_a_log_group_that_was_read_too_long_ago_is_told():
    logs = Logs()
    feed = feed_of(logs, "a", "b")
    feed.turn(logs)
    feed.turn(logs)
    logs.now += log_lines.BEHIND_MILLIS
    assert not feed.after(None).behind
    logs.now += 1
    feed.turn(logs)
    assert feed.after(None).behind
    feed.turn(logs)
    assert not feed.after(None).behind


@pytest.mark.parametrize("wrong", [-3_600_000, -59_000, 59_000, 3_600_000])
def test_a_feed_is_behind_by_cloudwatchs_clock_and_not_by_the_operators(wrong):
    logs = Logs()
    feed = Feed([Tail(SOURCES[1], group, BEGUN) for group in "ab"], clock=lambda: logs.now + wrong)
    for _ in range(2):
        logs.now += log_lines.BEHIND_MILLIS * 2
        feed.turn(logs)
        assert feed.after(None).behind
        logs.now += 3_000
        feed.turn(logs)
        assert not feed.after(None).behind


# ---- Many lines ----

def many(logs: Logs, groups: Sequence[str], count: int) -> None:
    """So many lines in each group, a second apart in all of them, the last one now."""
    for number in range(count):
        for place, group in enumerate(groups):
            logs.put(group, logs.now - 1000 * (count - number) + place, took=number, provider=group)


def test_of_too_many_lines_the_latest_of_every_function_are_kept_and_it_is_said_that_some_are_not():
    logs = Logs(page=1000)
    # More in each than are kept.
    many(logs, "ab", 120)
    feed = Feed([Tail(SOURCES[1], group, BEGUN - 900_000) for group in "ab"], clock=lambda: logs.now, bound=100)
    while not feed.is_up:
        feed.turn(logs)
    page = feed.after(None)
    assert [(line["provider"], line["ms"]) for line in page.lines] == [
        (group, number) for number in range(70, 120) for group in "ab"]
    assert page.behind
    # Once they are older than the quarter of an hour, none is missing.
    logs.now += 15 * 60_000
    logs.put("a", logs.now, took=1000)
    for _ in range(6):
        feed.turn(logs)
    assert not feed.after(None).behind and [line["ms"] for line in feed.after(None).lines] == [1000]
    assert not feed.after(page.cursor).behind


def test_all_that_there_was_is_in_the_order_of_time():
    logs = Logs(page=40)
    many(logs, "ab", 60)
    feed = Feed([Tail(SOURCES[1], group, BEGUN - 900_000) for group in "ab"], clock=lambda: logs.now, bound=120)
    while not feed.is_up:
        feed.turn(logs)
    everything = feed.everything()
    assert not everything.behind and len(everything.lines) == 120
    assert [line["at"] for line in everything.lines] == sorted(line["at"] for line in everything.lines)
    logs.put("b", logs.now, took=1000)
    logs.now += 1000
    for _ in "ab":
        feed.turn(logs)
    assert [line["ms"] for line in feed.after(everything.cursor).lines] == [1000]


# ---- Readers ----

def test_a_new_reader_gets_the_last_quarter_of_an_hour_and_at_most_200_lines_oldest_first():
    logs = Logs(page=1000)
    feed = Feed([Tail(SOURCES[1], "a", BEGUN - 60 * 60_000)], clock=lambda: logs.now)
    logs.put("a", BEGUN - 16 * 60_000, took=0)
    for number in range(1, 4):
        logs.put("a", BEGUN - number * 60_000, took=number)
    feed.turn(logs)
    assert [line["ms"] for line in feed.after(None).lines] == [3, 2, 1]
    for number in range(300):
        logs.put("a", BEGUN + number, took=1000 + number)
    logs.now += 1000
    feed.turn(logs)
    assert [line["ms"] for line in feed.after(None).lines] == [*range(1100, 1300)]


def test_several_readers_each_get_every_line():
    logs = Logs()
    feed = feed_of(logs, "a")
    one = feed.after(None).cursor
    logs.put("a", BEGUN)
    feed.turn(logs)
    other = feed.after(None)
    assert len(other.lines) == len(feed.after(one).lines) == 1
    assert not feed.after(other.cursor).lines
    logs.put("a", BEGUN + 500, took=2)
    logs.now += 1000
    feed.turn(logs)
    assert len(feed.after(one).lines) == 2 and len(feed.after(other.cursor).lines) == 1


def test_a_cursor_of_an_earlier_feed_begins_anew():
    logs = Logs()
    logs.put("a", BEGUN)
    earlier, feed = feed_of(logs, "a").after(None).cursor, feed_of(logs, "a")
    feed.turn(logs)
    assert len(feed.after(earlier).lines) == 1
    assert feed.after(f"{feed.after(None).cursor}9").lines == []


@pytest.mark.parametrize("cursor", ["", "x", "-", "x-", "x-y", "x--1", "x-1.5", "x-²", "x-" + "9" * 16])
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(ValueError):
        feed_of(Logs(), "a").after(cursor)


def test_memory_is_bounded_and_a_reader_who_is_too_slow_is_told(monkeypatch):
    monkeypatch.setattr(log_lines, "SEEN", 100)
    monkeypatch.setattr(log_lines, "ANSWERED", 1000)
    logs = Logs(page=50)
    for number in range(8_000):
        logs.put("a", BEGUN + number, took=number)
    logs.now += 60_000
    tail = Tail(SOURCES[1], "a", BEGUN)
    feed = Feed([tail], clock=lambda: logs.now)
    beginning = feed.after(None).cursor
    while not feed.is_up:
        feed.turn(logs)
        assert len(tail._seen) <= 100
    late = feed.after(beginning)
    assert late.behind and [line["ms"] for line in late.lines] == [*range(3_000, 4_000)]
    rest = [late]
    while rest[-1].lines:
        rest.append(feed.after(rest[-1].cursor))
    assert sum(len(page.lines) for page in rest) == log_lines.KEPT and not rest[-1].behind
    # What is forgotten isn't read again.
    assert not list(turned(feed, logs, 30))[log_lines.KEPT:]


def test_after_a_long_pause_the_feed_goes_on_within_the_span_and_says_that_lines_may_be_missing():
    logs = Logs()
    feed = feed_of(logs, "a")
    logs.put("a", BEGUN, took=0)
    feed.turn(logs)
    cursor = feed.after(None).cursor
    logs.put("a", BEGUN + 1000, took=1)
    logs.now += 60 * 60_000
    logs.put("a", logs.now - 1000, took=2)
    feed.resume()
    feed.turn(logs)
    page = feed.after(cursor)
    assert page.behind and [line["ms"] for line in page.lines] == [2]
    assert not feed.after(page.cursor).behind


def test_after_a_short_pause_nothing_is_missing():
    logs = Logs()
    feed = feed_of(logs, "a")
    feed.turn(logs)
    cursor = feed.after(None).cursor
    logs.put("a", BEGUN + 1000, took=1)
    logs.now += 10 * 60_000
    feed.resume()
    feed.turn(logs)
    page = feed.after(cursor)
    assert not page.behind and len(page.lines) == 1


# ---- The thread ----

class Aws:
    """An account that has logs, and is local: a local feed pauses little."""

    region, is_local, endpoint = "eu-west-1", True, "http://127.0.0.1:1"

    def __init__(self, logs: Logs):
        self.logs = logs

    def client(self, service: str) -> Any:
        return self if service == "cloudformation" else self.logs

    def describe_stack_resource(self, StackName: str, LogicalResourceId: str) -> Mapping[str, Any]:
        return {"StackResourceDetail": {"PhysicalResourceId": f"/aws/{LogicalResourceId}"}}


@pytest.fixture
def logs():
    held = Logs()
    held.now = int(time.time() * 1000)
    return held


@pytest.fixture
def stack(logs, monkeypatch):
    monkeypatch.setattr(log_lines, "LOCAL_PAUSES", (0.0, 0.01))
    aws: Any = Aws(logs)
    return Stack(aws, "verdict", "arn", {"VeriffEventsUrl": "u", "VeriffDecisionsUrl": "u"}, {})


@pytest.fixture
def follower(stack):
    return Follower(Shared(stack))


def test_one_thread_reads_for_all_tabs_the_log_groups_that_the_stack_has(logs, follower):
    logs.put("/aws/VeriffDecisionsLogs", logs.now)
    before = threading.active_count()
    assert [len(follower.ask(None).lines) for _ in range(5)] == [1] * 5
    assert threading.active_count() == before + 1
    assert {group for group, _ in logs.calls} == {
        "/aws/VeriffEventsLogs", "/aws/VeriffDecisionsLogs", "/aws/ReplayLogs"}


def until(is_so: Callable[[], Any], seconds: float = 20) -> None:
    """Waits for what has to come."""
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_nothing_is_read_while_no_tab_asks(logs, follower, monkeypatch):
    cursor = follower.ask(None).cursor
    monkeypatch.setattr(live, "IDLE_SECONDS", 0.05)
    until(lambda: follower._thread is None)
    count = len(logs.calls)
    time.sleep(0.1)
    assert len(logs.calls) == count
    logs.put("/aws/ReplayLogs", logs.now)
    monkeypatch.setattr(live, "IDLE_SECONDS", 30.0)
    until(lambda: len(follower.ask(cursor).lines) == 1)


def test_a_refusal_of_long_ago_is_told_to_no_reader(logs, follower, monkeypatch):
    monkeypatch.setattr(live, "FAILED_SECONDS", 0.01)
    logs.refuses = "AccessDeniedException"
    with pytest.raises(ClientError):
        follower.ask(None)
    monkeypatch.setattr(live, "IDLE_SECONDS", 0.05)
    until(lambda: follower._thread is None)
    logs.refuses = None
    monkeypatch.setattr(live, "IDLE_SECONDS", 30.0)
    assert follower.ask(None).lines == []


def test_each_reader_is_told_of_a_refusal_until_it_is_over(logs, follower, monkeypatch):
    monkeypatch.setattr(live, "FAILED_SECONDS", 0.05)
    logs.refuses = "AccessDeniedException"
    for _ in range(2):
        with pytest.raises(ClientError):
            follower.ask(None)
    logs.refuses = None
    until(lambda: is_told(follower))
    assert follower.ask(None).lines == []


def is_told(follower: Follower) -> bool:
    """Whether a reader gets lines, and no error."""
    try:
        return bool(follower.ask(None).cursor)
    except ClientError:
        return False


# ---- The command ----

def test_tail_shows_all_that_there_is_in_the_order_of_time_whatever_a_tab_would_keep(logs, stack, capsys):
    many(logs, ("/aws/VeriffEventsLogs", "/aws/VeriffDecisionsLogs"), log_lines.KEPT // 2 + 50)
    since = datetime.fromtimestamp(logs.now / 1000, timezone.utc) - timedelta(hours=2)
    lines = list(tail.found(stack, since, is_followed=False))
    assert len(lines) == log_lines.KEPT + 100 and lines == sorted(lines, key=lambda line: line["at"])
    assert capsys.readouterr().err == ""


def test_tail_says_so_if_there_is_more_than_it_holds(logs, stack, capsys, monkeypatch):
    monkeypatch.setattr(tail, "MANY", 100)
    many(logs, ("/aws/VeriffEventsLogs", "/aws/VeriffDecisionsLogs"), 60)
    lines = list(tail.found(stack, datetime.fromtimestamp(0, timezone.utc), is_followed=False))
    assert [line["ms"] for line in lines] == [number for number in range(10, 60) for _ in "ab"]
    assert "some may be late or missing" in capsys.readouterr().err
