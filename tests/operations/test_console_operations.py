"""The console's figures: counted minute by minute from log lines or metrics, and what a write has to say for itself. AWS is
played by a few lines of Python; the end-to-end tests ask a stack's console."""
from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections import Counter
from datetime import datetime, timezone
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from verdict import audit
from verdict.console import operations, serve, writes
from verdict.console.app import Console
from verdict.console.figures import Ages, Figures, first_minute, percentile, slowest
from verdict.console.line_figures import POLLS, REFUSED, Count, Waiting
from verdict.console.metric_figures import FromMetrics
from verdict.console.routes import Question, Refusal, Shared
from verdict.intake import Key
from verdict.log_lines import SOURCES, Tail

#: 2026-06-01T12:00:30Z, and the minute that it is in.
NOW, MINUTE = 1_780_315_230_000, 1_780_315_200_000
AN_HOUR = 60
GROUPS = {source.function: source for source in SOURCES}


def delivery(outcome, provider="veriff", ms=10, reason=None, message="delivery"):
    return {"message": message, "outcome": outcome, "provider": provider, "reason": reason, "took": ms,
            "session": None, "requestId": "r"}


class Logs:
    """CloudWatch Logs with some groups of events; a page has as many as it is told."""

    def __init__(self, page=1000):
        self.groups, self.page, self.asked, self.throttles = {}, page, [], 0

    def write(self, function, line, at=NOW):
        events = self.groups.setdefault(function, [])
        text = line if isinstance(line, str) else json.dumps(line)
        events.append({"timestamp": at, "message": text, "eventId": f"{function}-{len(events)}"})

    def filter_log_events(self, logGroupName, startTime, filterPattern, limit=None, nextToken="0"):
        self.asked.append((logGroupName, startTime, filterPattern))
        if self.throttles:
            self.throttles -= 1
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "FilterLogEvents")
        found = [event for event in self.groups.get(logGroupName, []) if event["timestamp"] >= startTime]
        begin = int(nextToken)
        # CloudWatch's own clock.
        headers = {"date": format_datetime(datetime.fromtimestamp(NOW / 1000, timezone.utc))}
        page: dict[str, Any] = {"events": found[begin:begin + self.page], "ResponseMetadata": {"HTTPHeaders": headers}}
        return page | ({"nextToken": str(begin + self.page)} if begin + self.page < len(found) else {})

    def get_paginator(self, operation):
        assert operation == "filter_log_events"
        return self

    def paginate(self, **question):
        yield self.filter_log_events(**question)


@pytest.fixture
def logs():
    return Logs()


def count_of(*functions, calls=100, clock=lambda: NOW):
    return Count(lambda since: [Tail(GROUPS[function], function, since) for function in functions], calls, clock)


# ---- From log lines ----

def test_webhooks_are_counted_by_minute_and_outcome(logs):
    for at, outcome in [(NOW, "recorded"), (NOW, "recorded"), (NOW, "duplicate"), (NOW - 60_000, "spooled")]:
        logs.write("veriff-decisions", delivery(outcome), at)
    logs.write("treezor-webhooks", delivery("recorded", "treezor"))
    figures = count_of("veriff-decisions", "treezor-webhooks").look(logs, AN_HOUR)
    assert figures.webhooks == {
        (MINUTE, "recorded"): 3, (MINUTE, "duplicate"): 1, (MINUTE - 60_000, "spooled"): 1}
    assert not figures.partial


def test_refusals_are_counted_by_minute_provider_and_reason(logs):
    for provider, reason in [("veriff", "signature_mismatch"), ("veriff", "signature_mismatch"),
                             ("veriff", "body_too_large")]:
        logs.write("veriff-decisions", delivery("refused", provider, reason=reason))
    logs.write("wultra-events", delivery("refused", "wultra", reason="authorization_mismatch"))
    assert count_of("veriff-decisions", "wultra-events").look(logs, AN_HOUR).refusals == {
        (MINUTE, "veriff", "signature_mismatch"): 2, (MINUTE, "veriff", "body_too_large"): 1,
        (MINUTE, "wultra", "authorization_mismatch"): 1}


def test_a_probe_and_what_replay_and_the_poller_record_are_no_webhooks_that_came_in(logs):
    logs.write("veriff-decisions", delivery("probe"))
    logs.write("replay", delivery("recorded", message="replay"))
    logs.write("incode-poller", delivery("recorded", "incode", message="finding"))
    figures = count_of("veriff-decisions", "replay", "incode-poller").look(logs, AN_HOUR)
    assert (figures.webhooks, figures.latency) == ({}, {})


def test_a_line_that_is_no_json_is_passed_over(logs):
    logs.write("veriff-decisions", "START RequestId: 1")
    logs.write("veriff-decisions", '["delivery"]')
    assert count_of("veriff-decisions").look(logs, AN_HOUR).webhooks == {}


def test_the_latency_of_a_minute_is_that_of_the_slowest_provider(logs):
    for ms in range(1, 101):
        logs.write("veriff-decisions", delivery("recorded", ms=ms))
    logs.write("wultra-events", delivery("recorded", "wultra", ms=70))
    assert count_of("veriff-decisions", "wultra-events").look(logs, AN_HOUR).latency == {MINUTE: (70, 99)}


def test_lines_that_come_later_are_added_and_no_line_counts_twice(logs):
    count = count_of("veriff-decisions")
    for total in (1, 2, 3):
        logs.write("veriff-decisions", delivery("recorded"))
        assert count.look(logs, AN_HOUR).webhooks == {(MINUTE, "recorded"): total}


def test_more_minutes_than_before_are_read_from_further_back(logs):
    logs.write("veriff-decisions", delivery("recorded"), NOW - 90 * 60_000)
    logs.write("veriff-decisions", delivery("recorded"))
    count = count_of("veriff-decisions")
    assert sum(count.look(logs, AN_HOUR).webhooks.values()) == 1
    assert sum(count.look(logs, 120).webhooks.values()) == 2
    # And a question about less is answered with less.
    assert sum(count.look(logs, AN_HOUR).webhooks.values()) == 1


def test_what_is_older_than_what_was_asked_for_is_forgotten(logs):
    now = [NOW]
    count = count_of("veriff-decisions", clock=lambda: now[0])
    logs.write("veriff-decisions", delivery("recorded"))
    assert count.look(logs, 5).webhooks
    now[0] += 5 * 60_000
    assert not count.look(logs, 5).webhooks
    assert not count._webhooks


@pytest.mark.parametrize("spoil", ["few calls", "a quota that is used up"])
def test_what_isnt_read_to_the_end_is_partial_and_read_on_the_next_time(logs, spoil):
    logs.page = 1
    for _ in range(3):
        logs.write("veriff-decisions", delivery("recorded"))
    logs.throttles = spoil != "few calls"
    count = count_of("veriff-decisions", calls=2 if spoil == "few calls" else 100)
    assert count.look(logs, AN_HOUR).partial
    figures = count.look(logs, AN_HOUR)
    assert (figures.partial, sum(figures.webhooks.values())) == (False, 3)


def test_a_log_group_with_many_lines_keeps_no_other_waiting(logs):
    logs.page = 1
    for _ in range(50):
        logs.write("veriff-decisions", delivery("recorded"))
    logs.write("wultra-events", delivery("recorded", "wultra"))
    count_of("veriff-decisions", "wultra-events", calls=4).look(logs, AN_HOUR)
    assert Counter(group for group, *_ in logs.asked) == {"veriff-decisions": 3, "wultra-events": 1}


def test_an_error_that_is_no_quota_is_told(logs):
    def refuse(**_):
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "FilterLogEvents")

    logs.filter_log_events = refuse
    with pytest.raises(ClientError):
        count_of("veriff-decisions").look(logs, AN_HOUR)


# ---- How long things have waited ----

def waiting():
    return Waiting({"relay": "outbox-relay", "intake": "replay", "poll": "incode-poller"}, lambda: NOW)


def test_ages_are_what_the_last_runs_said(logs):
    logs.write("outbox-relay", {"message": "relay", "oldestDue": 90}, NOW - 70_000)
    logs.write("outbox-relay", {"message": "relay", "oldestDue": 30}, NOW - 10_000)
    logs.write("replay", {"message": "intake", "oldestIntake": 46})
    logs.write("replay", {"message": "replay", "oldestIntake": 1})
    logs.write("incode-poller", {"message": "poll", "oldestPollDue": 7, **dict.fromkeys(POLLS, 2), "pollNews": 9})
    logs.write("incode-poller", {"message": "wake-up", **dict.fromkeys(POLLS, 50)})
    assert waiting().ages(logs) == Ages(30, 46, 7, 2 * len(POLLS))


def test_an_age_that_nothing_has_told_for_long_is_not_known(logs):
    logs.write("outbox-relay", {"message": "relay", "oldestDue": 90}, NOW - 6 * 60_000)
    assert waiting().ages(logs) == Ages(None, None, None, None)


def test_the_age_of_intake_is_left_out_once_intake_is_empty():
    figures = Figures("metrics", {}, {}, {}, Ages(oldest_intake=46))
    empty = {"name": "intake", "visible": 0, "inFlight": 0, "delayed": 0}
    assert operations.with_intake(figures, [empty]).ages.oldest_intake is None
    assert operations.with_intake(figures, [{**empty, "delayed": 1}]).ages.oldest_intake == 46


# ---- From metrics ----

class CloudWatch:
    """Answers a question about metrics from a table, in two pages."""

    def __init__(self, **values):
        self.values, self.questions, self.status = values, [], "Complete"

    def get_paginator(self, operation):
        assert operation == "get_metric_data"
        return self

    def paginate(self, MetricDataQueries, StartTime, EndTime):
        self.questions.append((MetricDataQueries, StartTime, EndTime))
        results = [self.result(query["Id"], **query["MetricStat"]) for query in MetricDataQueries]
        return [{"MetricDataResults": results[:3]}, {"MetricDataResults": results[3:]}]

    def result(self, Id, Metric, Period, Stat):
        assert (Metric["Namespace"], Period) == ("verdict", 60)
        dimensions = [each["Value"] for each in Metric["Dimensions"]]
        values = self.values.get("_".join([Metric["MetricName"], *dimensions, *([Stat] if Stat[0] == "p" else [])]), {})
        return {"Id": Id, "StatusCode": self.status, "Values": list(values.values()), "Timestamps": [
            datetime.fromtimestamp((MINUTE - back * 60_000) / 1000, timezone.utc) for back in values]}


class Operator:
    """An operator with these clients."""

    def __init__(self, **clients):
        self.clients = clients

    def client(self, service):
        return self.clients[service]


def look(cloudwatch, logs, minutes=AN_HOUR):
    source = FromMetrics("verdict", ["veriff", "wultra"], count_of("veriff-decisions"), lambda: NOW)
    operator: Any = Operator(cloudwatch=cloudwatch, logs=logs)
    return source.look(operator, minutes)


def test_metrics_of_all_providers_come_with_one_question(logs):
    cloudwatch = CloudWatch(recorded_veriff={0: 2.0, 1: 1.0}, recorded_wultra={0: 3.0}, spooled_wultra={0: 0.0})
    figures = look(cloudwatch, logs)
    assert figures.webhooks == {(MINUTE, "recorded"): 5, (MINUTE - 60_000, "recorded"): 1}
    [(queries, since, until)] = cloudwatch.questions
    assert len({query["Id"] for query in queries}) == len(queries) <= 500
    assert (until - since).total_seconds() == 59 * 60 + 30
    # Nothing was refused, so that no log is read.
    assert (figures.refusals, logs.asked, figures.partial) == ({}, [], False)


def test_the_reasons_of_refusals_are_read_from_the_log_if_there_are_any(logs):
    logs.write("veriff-decisions", delivery("refused", reason="signature_mismatch"))
    figures = look(CloudWatch(refused_veriff={0: 1.0}), logs)
    assert figures.webhooks == {(MINUTE, "refused"): 1}
    assert figures.refusals == {(MINUTE, "veriff", "signature_mismatch"): 1}
    assert '$.outcome = "refused"' in REFUSED


def test_the_latency_from_metrics_is_the_slowest_providers_too(logs):
    figures = look(CloudWatch(
        took_veriff_p50={0: 10.0}, took_veriff_p99={0: 900.0}, took_wultra_p50={0: 40.0}, took_wultra_p99={0: 50.0}), logs)
    assert figures.latency == {MINUTE: (40.0, 900.0)}


def test_ages_from_metrics_are_the_newest_unless_they_are_old(logs):
    figures = look(CloudWatch(
        oldestDue={0: 12.0, 1: 99.0}, oldestIntake={20: 46.0}, oldestPollDue={1: 3.0}, polled={1: 4.0},
        pollLeft={1: 2.0}), logs)
    assert figures.ages == Ages(12, None, 3, 6)


def test_metrics_that_cloudwatch_has_failed_to_read_are_partial(logs):
    cloudwatch = CloudWatch()
    cloudwatch.status = "InternalError"
    assert look(cloudwatch, logs).partial


def test_figures_are_told_in_the_words_of_the_page():
    figures = Figures("metrics", {(MINUTE, "recorded"): 2}, {(MINUTE, "veriff", "signature_missing"): 1},
                      {MINUTE: (1.5, 9.0)}, Ages(1, 2, 3, 4), partial=True)
    assert json.loads(json.dumps(figures.json)) == {
        "source": "metrics", "partial": True,
        "webhooks": [{"minute": "2026-06-01T12:00:00Z", "outcome": "recorded", "count": 2}],
        "refusals": [{"minute": "2026-06-01T12:00:00Z", "provider": "veriff", "reason": "signature_missing", "count": 1}],
        "latency": [{"minute": "2026-06-01T12:00:00Z", "p50": 1.5, "p99": 9.0}],
        "ages": {"oldestDueSeconds": 1, "oldestIntakeSeconds": 2, "oldestPollDueSeconds": 3, "pollsDue": 4}}


@pytest.mark.parametrize("percent, wanted", [(50, 2), (99, 4), (100, 4), (1, 1)])
def test_a_percentile_is_one_of_the_values(percent, wanted):
    assert percentile([1, 2, 3, 4], percent) == wanted


def test_the_present_minute_is_the_last_of_those_asked_for():
    assert first_minute(NOW, 1) == MINUTE
    assert first_minute(NOW, 60) == MINUTE - 59 * 60_000
    assert slowest([(1, 9), (2, 3)]) == (2, 9)


@pytest.mark.parametrize("query", [{"minutes": "0"}, {"minutes": "1441"}, {"minutes": "-1"}, {"minutes": "x"},
                                   {"minutes": ""}, {"minutes": "٣"}, {"minutes": "99999"}, {"hours": "1"}])
def test_a_question_about_other_minutes_is_refused(query):
    with pytest.raises(Refusal) as refusal:
        operations.minutes_of(Question(query))
    assert refusal.value.status == 400


# ---- The writes ----

SESSION = "veriff/f04bdb47"


class Writes:
    """What the command line's functions are called with in place of a stack."""

    def __init__(self, monkeypatch, path):
        self.calls: list[Any] = []
        monkeypatch.setattr(writes.audit, "FILE", path)
        monkeypatch.setattr(writes, "Deployment", Any)
        monkeypatch.setattr(writes.Deployment, "of", lambda stack: "deployment", raising=False)
        for module, name, answer in [
                (writes, "ask", [{"outcome": "unchanged"}]), (writes, "apply", 1),
                (writes.redrive, "redrive_dry_run", 7), (writes.redrive, "redrive", 5),
                (writes.resend, "refuse_too_old", None), (writes.resend, "resend", "m1")]:
            monkeypatch.setattr(module, name, self.noted(name, answer))
        monkeypatch.setattr(writes.resend, "resend_plan", self.noted("resend_plan", self))

    json = {"session": SESSION, "from": 2, "to": 3, "messages": []}  # noqa: RUF012

    def noted(self, name, answer):
        def call(*arguments):
            self.calls.append((name, *arguments))
            return answer

        return call

    @property
    def names(self):
        return [name for name, *_ in self.calls]


class Stack:
    """A stack whose operator is known to STS."""

    name, refuses = "verdict", False

    def operator(self):
        return self

    def client(self, service):
        assert service == "sts"
        return self

    def get_caller_identity(self):
        return {"Arn": "arn:aws:iam::123456789012:role/operations"}

    def refuse_without_operator(self):
        if self.refuses:
            raise audit.Problem("the stack has no OperatorArn")


@pytest.fixture
def written(monkeypatch, tmp_path):
    return Writes(monkeypatch, tmp_path / "audit.jsonl")


@pytest.fixture
def shared():
    return Shared(Stack())  # type: ignore[arg-type]


def post(shared, path, **body):
    [handler] = [route.handler for route in writes.ROUTES if route.path == path]
    return handler(shared, Question({}, body))


REASON = {"reason": "a reader was corrected"}
WRITES: dict[str, dict[str, Any]] = {
    "/api/rebuild": {"sessions": [SESSION], "withdraw": False},
    "/api/resend": {"session": SESSION, "from": 2, "dryRun": False},
    "/api/redrive": {"dryRun": False},
}


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("reason", [None, "", 1, "of Jörg", "x" * 81, "two\nlines"])
def test_nothing_is_written_without_a_reason_that_may_be_logged(shared, written, path, reason):
    with pytest.raises(Refusal) as refusal:
        post(shared, path, **WRITES[path], **({} if reason is None else {"reason": reason}))
    assert (refusal.value.status, refusal.value.code) == (400, "reason_needed")
    assert not {"apply", "resend", "redrive"} & set(written.names)


@pytest.mark.parametrize("path, name", [("/api/rebuild", "apply"), ("/api/resend", "resend"), ("/api/redrive", "redrive")])
def test_a_write_has_the_audit_log_of_its_operator(shared, written, path, name):
    post(shared, path, **WRITES[path], **REASON)
    [log] = [each for call in written.calls if call[0] == name for each in call if isinstance(each, audit.Log)]
    assert (log.who, log.stack, log.path) == (
        "arn:aws:iam::123456789012:role/operations", "verdict", writes.audit.FILE)


@pytest.mark.parametrize("path", ["/api/resend", "/api/redrive"])
def test_a_dry_run_needs_no_reason_and_writes_nothing(shared, written, path):
    answer = post(shared, path, **{**WRITES[path], "dryRun": True})
    assert answer == ({"about": 7, "moved": None} if path == "/api/redrive" else {**written.json, "requested": False})
    assert not {"resend", "redrive"} & set(written.names)


def test_writes_are_answered_with_what_they_came_to(shared, written):
    assert post(shared, "/api/rebuild", **WRITES["/api/rebuild"], **REASON) == {"requested": 1}
    assert post(shared, "/api/resend", **WRITES["/api/resend"], **REASON) == {**written.json, "requested": True}
    assert post(shared, "/api/redrive", **WRITES["/api/redrive"], **REASON) == {"about": 7, "moved": 5}


def test_a_rebuild_is_asked_for_as_its_preview_was(shared, written):
    sessions = {"sessions": [SESSION, SESSION, "treezor/user:7"], "withdraw": True}
    assert post(shared, "/api/rebuild/preview", **sessions) == {"sessions": [{"outcome": "unchanged"}]}
    post(shared, "/api/rebuild", **sessions, **REASON)
    (_, _, asked, question), (_, _, requested, how, *_) = written.calls
    assert asked == requested == [Key("veriff", "f04bdb47"), Key("treezor", "user:7")]
    assert (question.withdraw, how.withdraw, how.reason) == (True, True, REASON["reason"])


def test_only_one_write_is_under_way_at_a_time(shared, written, monkeypatch):
    def meanwhile(*_):
        with pytest.raises(Refusal) as refusal:
            post(shared, "/api/rebuild", **WRITES["/api/rebuild"], **REASON)
        assert (refusal.value.status, refusal.value.code) == (409, "busy")
        return 0

    monkeypatch.setattr(writes.redrive, "redrive", meanwhile)
    post(shared, "/api/redrive", **WRITES["/api/redrive"], **REASON)
    assert "apply" not in written.names
    # Afterwards the next one may begin.
    assert post(shared, "/api/rebuild", **WRITES["/api/rebuild"], **REASON) == {"requested": 1}


@pytest.mark.parametrize("is_told_twice", [False, True])
def test_a_console_that_ends_waits_until_the_write_under_way_is_on_record(written, monkeypatch, is_told_twice, capsys):
    stack: Any = Stack()
    console, begun = Console(stack, "token", 0), threading.Event()

    def redriven(stack, reason, log):
        begun.set()
        time.sleep(0.2)
        if is_told_twice:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        log.add("redrive", "quarantine", reason, "moved")

    monkeypatch.setattr(writes.redrive, "redrive", redriven)
    monkeypatch.setattr(serve, "server", lambda *_: SimpleNamespace(run=begun.wait, close=lambda: None))
    threading.Thread(target=post, args=(console._shared, "/api/redrive"), kwargs={
        **WRITES["/api/redrive"], **REASON}, daemon=True).start()
    with pytest.raises(KeyboardInterrupt) if is_told_twice else contextlib.nullcontext():
        serve.serve(console)
    assert json.loads(writes.audit.FILE.read_text("utf-8"))["result"] == "moved"
    assert capsys.readouterr().err == "The write that is under way is put on record first.\n"
    with pytest.raises(Refusal, match="another write is under way"):
        post(console._shared, "/api/redrive", **WRITES["/api/redrive"], **REASON)


def test_without_an_operator_nothing_is_requested(shared, written):
    shared.stack.refuses = True
    with pytest.raises(audit.Problem):
        post(shared, "/api/rebuild", **WRITES["/api/rebuild"], **REASON)
    assert written.calls == []


@pytest.mark.parametrize("path, body", [
    ("/api/rebuild/preview", {}), ("/api/rebuild/preview", {"sessions": []}),
    ("/api/rebuild/preview", {"sessions": SESSION}), ("/api/rebuild/preview", {"sessions": ["nobody/1"]}),
    ("/api/rebuild/preview", {"sessions": [1]}), ("/api/rebuild/preview", {"sessions": [f"veriff/{n}" for n in range(21)]}),
    ("/api/rebuild/preview", {"sessions": [SESSION], "withdraw": "no"}),
    ("/api/rebuild/preview", {"sessions": [SESSION], "withdrawn": True}),
    ("/api/resend", {"session": SESSION, "from": 0, "dryRun": True}),
    ("/api/resend", {"session": SESSION, "from": True, "dryRun": True}),
    ("/api/resend", {"session": SESSION, "from": 1}), ("/api/resend", {"from": 1, "dryRun": True}),
    ("/api/redrive", {}), ("/api/redrive", {"dryRun": 0}), ("/api/redrive", {"dryRun": True, "from": "https://x"}),
    ("/api/quarantine/look", {"limit": 5}),
])
def test_what_cant_be_meant_is_told_in_one_line_that_repeats_nothing(shared, written, path, body):
    with pytest.raises(Refusal) as refusal:
        post(shared, path, **body)
    assert (refusal.value.status, refusal.value.code) == (400, "bad_request")
    assert "\n" not in refusal.value.message
    assert "nobody" not in refusal.value.message
    assert written.calls == []
