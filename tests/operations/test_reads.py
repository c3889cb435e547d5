"""The commands that look: which pages they ask for, what they print of an answer, and how they end. A few lines of Python
play the sessions API; the end-to-end tests have the commands ask the stack's."""
from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import click
import pytest
from verdict import options
from verdict.problem import Problem
from verdict.quarantine import Look, Quarantined
from verdict.reads import asking, quarantine
from verdict.reads.events import readable
from verdict.sessions_api import Answer

DECISION = {
    "outcome": "declined", "final": True, "reasonCode": "102", "reasonCodes": ["102", "103"],
    "reason": "[b]why[/b]\x1b[0m", "detail": {"country": "EE"}, "decidedAt": "2026-06-13T00:38:30.861285Z",
    "attemptId": "second"}
WATCHLIST = {"outcome": "passed", "reason": None, "reasonCodes": [], "detail": {}, "at": "2026-06-13T00:38:02Z"}
RECORD = {
    "provider": "veriff", "sessionId": "a/b \u202e", "kind": "verification", "status": "decided",
    "statusSince": "2026-06-13T00:38:31.1Z", "attemptId": "second",
    "subject": {"reference": "customer-1", "providerUserId": None}, "decision": DECISION,
    "checks": {"watchlist": WATCHLIST}, "remarks": ["left_out:checkDetails"], "events": 3,
    "notifications": 1, "version": 4, "firstEventAt": "2026-06-13T00:31:07.5Z", "lastEventAt": "2026-06-13T00:38:31.1Z"}
UNDECIDED = {
    **RECORD, "sessionId": "2", "status": "new", "statusSince": None, "attemptId": None, "decision": None, "checks": {},
    "remarks": [], "notifications": 0}


def event(number, attempt=None, outcome=None, **more):
    return {
        "eventId": f"event:{number}", "provider": "veriff", "sessionId": "1", "kind": "verification", "name": "event",
        "attemptId": attempt, "occurredAt": None, "emittedAt": None, "receivedAt": f"2026-06-13T00:3{number}:00Z",
        "effectiveAt": f"2026-06-13T00:3{number}:00Z", "undated": False, "stage": None,
        "decision": {**DECISION, "outcome": outcome} if outcome else None, "checks": {}, "subject": {}, "remark": None,
        "remarks": [], "detail": {}, "evidence": None, **more}


TOLD = {"sequence": 1, "toldAt": "2026-06-13T00:38:31.4Z", "messageId": "m-1", "message": {
    "id": "veriff/1/1", "type": "verdict.decision.v1",
    "data": {"outcome": "declined", "previousOutcome": None, "correction": True}}}
NOT_FOUND = {"error": {"code": "session_not_found", "message": "no webhook has spoken of such a session"}}


class Api:
    """The API with one list of one entry a page, whatever is asked."""

    def __init__(self):
        self.asked, self.pages, self.answers = [], {}, {}

    def _page(self, name, question, next, **more):
        self.asked.append((question, next))
        if name in self.answers:
            return self.answers[name]
        place, pages = int(next or 0), self.pages[name]
        later = str(place + 1) if place + 1 < len(pages) else None
        return Answer(200, {name: pages[place], "next": later, **more}, "GET/sessions")

    def by_reference(self, reference, next=None):
        return self._page("sessions", reference, next)

    def by_status(self, status, *, next=None, **filters):
        return self._page("sessions", (status, filters), next)

    def events(self, session, next=None):
        return self._page("events", session, next)

    def notifications(self, session, next=None):
        return self._page("notifications", session, next, begins=2 if self.pages.get("notifications") != [[]] else None)

    def record(self, session):
        self.asked.append(session)
        return self.answers["record"]

    def payload(self, session, event):
        self.asked.append((session, event))
        return self.answers["payload"]


@pytest.fixture
def api(monkeypatch):
    api = Api()
    monkeypatch.setattr(asking, "api", lambda endpoint, stack_name: api)
    return api


# ---- Pages ----

@pytest.mark.parametrize("arguments, pages, next", [
    ([], [None, "1", "2"], None), (["--limit", "1"], [None], "1"), (["--limit", "2"], [None, "1"], "2"),
    (["--limit", "99"], [None, "1", "2"], None), (["--next", "1"], ["1", "2"], None),
    (["--next", "1", "--limit", "1"], ["1"], "2"),
])
def test_a_list_is_followed_to_its_end_or_to_the_limit(api, verdict, arguments, pages, next):
    api.pages["sessions"] = [[{**UNDECIDED, "sessionId": str(page)}] for page in range(3)]
    run = verdict("sessions", "list", "--reference", "r", *arguments)
    assert (run.status, api.asked) == (0, [("r", page) for page in pages])
    assert [line.split()[0] for line in run.output.splitlines()[1:] if line.startswith("veriff")] == [
        f"veriff/{page or 0}" for page in pages]
    assert run.output.endswith(f"There are more: --next {next}\n") is (next is not None)
    api.asked.clear()
    as_json = json.loads(verdict("sessions", "list", "--reference", "r", "--json", *arguments).output)
    assert [session["sessionId"] for session in as_json["sessions"]] == [page or "0" for page in pages]
    assert (as_json["next"], set(as_json)) == (next, {"sessions", "next"})


def test_ctrl_c_in_the_middle_is_one_line(api, verdict):
    api.pages["sessions"] = [[UNDECIDED], [UNDECIDED]]
    asked = api.by_reference

    def interrupted(reference, next=None):
        if next:
            raise KeyboardInterrupt
        return asked(reference, next)

    api.by_reference = interrupted
    run = verdict("sessions", "list", "--reference", "r")
    # The first line is the one that has the terminal's ^C.
    assert (run.status, run.output, run.told) == (130, "", ["", "sessions list: interrupted"])


# ---- Which sessions ----

def test_filters_go_to_the_api_with_times_as_it_takes_them(api, verdict):
    api.pages["sessions"] = [[]]
    verdict("sessions", "list", "--status", "in_review", "--provider", "veriff", "--outcome", "review",
            "--since", "2026-06-01T02:00:00+02:00", "--until", "3d")
    [((status, filters), _)] = api.asked
    until = datetime.fromisoformat(filters.pop("until"))
    assert (status, filters) == ("in_review", {"provider": "veriff", "outcome": "review", "since": "2026-06-01T00:00:00Z"})
    assert timedelta(0) <= datetime.now(timezone.utc) - timedelta(days=3) - until < timedelta(minutes=1)


@pytest.mark.parametrize("arguments, problem", [
    ([], "say which sessions: either --reference or --status"),
    (["--reference", "r", "--status", "new"], "say which sessions: either --reference or --status"),
    (["--reference", "r", "--provider", "veriff"], "--provider goes with --status"),
    (["--reference", "r", "--until", "3d"], "--until goes with --status"),
    (["--status", "waiting"], "'waiting' is not one of"),
    (["--status", "new", "--since", "yesterday"], "or how long ago, such as 90m, 36h, 3d or 2w"),
    (["--status", "new", "--since", "3"], "or how long ago"),
    (["--status", "new", "--since", "2026-06-01"], "a day alone has no time zone"),
    (["--status", "new", "--since", "2126-06-01T00:00:00Z"], "is in the future: nothing has happened since then"),
    (["--status", "new", "--limit", "0"], "--limit"),
])
def test_what_cannot_be_meant_is_one_line_and_nothing_is_asked(api, verdict, arguments, problem):
    run = verdict("sessions", "list", *arguments)
    assert (run.status, run.output, api.asked) == (2, "", [])
    [line] = run.told
    assert problem in line


@pytest.mark.parametrize("text, ago", [
    ("45s", timedelta(seconds=45)), ("90m", timedelta(minutes=90)), ("36h", timedelta(hours=36)), ("3d", timedelta(days=3)),
    ("2w", timedelta(weeks=2))])
def test_a_time_may_be_how_long_ago(text, ago):
    before = datetime.now(timezone.utc)
    found = options.moment(text)
    assert before <= found + ago <= datetime.now(timezone.utc)


@pytest.mark.parametrize("text", [
    "", "d", "3 d", "-3d", "3D", "３d", "999999999w", "2026-06-01", "2026-06-01T00:00:00", "\x1b3d"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(click.BadParameter, match="isn't a time: write") as raised:
        options.moment(text)
    assert raised.value.message.isprintable()


# ---- What is printed ----

def test_a_record_is_a_page_with_its_checks_and_attempts(api, verdict):
    api.answers["record"] = Answer(200, RECORD, "GET/sessions")
    api.pages["events"] = [
        [event(3, "second", "declined")], [event(1, "first", "resubmission_requested"), event(2, "second")]]
    run = verdict("sessions", "show", "veriff/a/b \u202e")
    assert (run.status, api.asked[0]) == (0, "veriff/a/b \u202e")
    fields, checks, attempts = run.output.split("\n\n")
    assert [line.split("  ")[0] for line in fields.splitlines()] == [
        "session", "kind", "status", "reference", "provider's user id", "current attempt", "decision", "decided at",
        "attempt decided on", "reason codes", "reason", "detail", "events", "last sequence told", "version", "remarks"]
    for text in ("veriff/a/b \\u202e\n", "decided, since 2026-06-13T00:38:31Z", "declined, final", " 102, 103\n",
                 "country=EE", " [b]why[/b]\\x1b[0m\n", "3, from 2026-06-13T00:31:07Z to 2026-06-13T00:38:31Z"):
        assert text in fields
    assert checks.splitlines()[2].split() == ["watchlist", "passed", "2026-06-13T00:38:02Z", "-", "-", "-"]
    assert [line.split() for line in attempts.splitlines()[2:]] == [
        ["first", "1", "2026-06-13T00:31:00Z", "2026-06-13T00:31:00Z", "resubmission_requested"],
        ["second", "2", "2026-06-13T00:32:00Z", "2026-06-13T00:33:00Z", "declined"]]


def test_an_attempts_decision_is_the_one_that_counts_and_not_the_one_that_came_last(api, verdict):
    api.answers["record"] = Answer(200, RECORD, "GET/sessions")
    early = event(3, "second", "approved", receivedAt="2026-06-13T00:33:00.5Z", effectiveAt="2026-06-13T00:30:00Z")
    late = event(2, "second", "declined", receivedAt="2026-06-13T00:33:00Z", effectiveAt="2026-06-13T00:30:00.123456789Z")
    first = event(1, "second", "review", effectiveAt="2026-06-13T00:29:00Z")
    api.pages["events"] = [[early, first, late]]
    assert verdict("sessions", "show", "veriff/1").output.splitlines()[-1].split()[-1] == "declined"
    lines = verdict("events", "veriff/1").output.splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["event:1", "event:2", "event:3"]


def test_a_record_of_little_is_a_page_of_little(api, verdict):
    api.answers["record"] = Answer(200, UNDECIDED, "GET/sessions")
    api.pages["events"] = [[event(1)]]
    run = verdict("sessions", "show", "veriff/2")
    assert run.output.splitlines()[2] == "status              new"
    assert "Checks" not in run.output and "Attempts" not in run.output


def test_json_is_the_record_as_the_api_has_it_and_asks_for_nothing_else(api, verdict):
    api.answers["record"] = Answer(200, RECORD, "GET/sessions")
    assert json.loads(verdict("sessions", "show", "veriff/1", "--json").output) == RECORD
    assert api.asked == ["veriff/1"]


def test_events_are_listed_by_arrival_with_what_they_say(api, verdict):
    api.pages["events"] = [[event(2, undated=True, remark="unrecognised", remarks=["cut:riskLabels"])],
                           [event(1, "first", "declined", stage="submitted", checks={"presence": {"outcome": "passed"}})]]
    run = verdict("events", "veriff/1")
    first, second = (line.split("  ") for line in run.output.splitlines()[1:])
    assert [cell.strip() for cell in first if cell] == [
        "2026-06-13T00:31:00.000Z", "event", "submitted, declined, presence passed", "2026-06-13T00:31:00.000Z", "first",
        "-", "event:1"]
    assert [cell.strip() for cell in second if cell] == [
        "2026-06-13T00:32:00.000Z", "event", "-", "undated", "-", "unrecognised, cut:riskLabels", "event:2"]


def test_notifications_say_where_the_history_begins(api, verdict):
    api.pages["notifications"] = [[TOLD]]
    run = verdict("notifications", "list", "veriff/1")
    assert run.output.splitlines()[1].split() == [
        "1", "2026-06-13T00:38:31Z", "verdict.decision.v1", "declined", "-", "yes", "m-1"]
    assert run.output.splitlines()[2].startswith("The history begins with sequence 2")
    assert json.loads(verdict("notifications", "list", "veriff/1", "--json").output) == {
        "notifications": [TOLD], "begins": 2, "next": None}


@pytest.mark.parametrize("command, line", [
    (["sessions", "list", "--reference", "r"], "No session has this reference"),
    (["sessions", "list", "--status", "new"], "No session matches"),
    (["notifications", "list", "veriff/1"], "Nothing was told of this session, or SQS hasn't taken it yet"),
])
def test_a_list_of_nothing_says_so(api, verdict, command, line):
    api.pages |= {"sessions": [[]], "notifications": [[]]}
    run = verdict(*command)
    assert (run.status, run.output) == (0, f"{line}\n")


def test_a_payload_is_json_that_no_terminal_acts_on(api, verdict):
    payload = {"name": "Zoë \u202e\x1b[31m", "line": "a\nb\u2028\x9b"}
    api.answers["payload"] = Answer(200, {"eventId": "e", "source": "/veriff/events", "expiresAt": "2028-01-02T03:43:35Z",
                                          "payload": payload}, "GET/sessions/payload")
    run = verdict("payload", "veriff/1", "e")
    head, _, body = run.output.partition("\n\n")
    assert head.splitlines()[1].split() == ["source", "/veriff/events"]
    assert json.loads(body) == payload and "Zoë" in body
    assert all(letter.isprintable() or letter == "\n" for letter in run.output)
    assert readable({"a": "\U000e0001"}) == '{\n  "a": "\\udb40\\udc01"\n}'


# ---- How they end ----

@pytest.mark.parametrize("command", [
    ["sessions", "show", "veriff/1"], ["events", "veriff/1"], ["notifications", "list", "veriff/1"],
    ["payload", "veriff/1", "e"]])
@pytest.mark.parametrize("status, body, exit_status, told", [
    (404, NOT_FOUND, 1, "no webhook has spoken of such a session"),
    (410, {"error": {"code": "payload_expired", "message": "its time is over"}}, 1, "its time is over"),
    (400, {"error": {"code": "bad_request", "message": "m"}}, 2, "the sessions API says bad_request: m"),
    (503, None, 2, "the sessions API doesn't answer (503): try again after a pause"),
])
def test_what_is_not_there_is_a_finding_and_what_cannot_be_asked_is_none(
        api, verdict, command, status, body, exit_status, told):
    api.answers = dict.fromkeys(["record", "events", "notifications", "payload"], Answer(status, body, "GET/sessions"))
    name = " ".join(word for word in command if word not in ("veriff/1", "e"))
    run = verdict(*command)
    assert (run.status, run.output, run.told) == (exit_status, "", [f"{name}: {told}"])
    run = verdict(*command, "--json")
    assert (run.status, run.told) == (exit_status, [f"{name}: {told}"])
    assert run.output == "" if exit_status == 2 else json.loads(run.output) == body


@pytest.mark.parametrize("key", ["", "veriff", "veriff/", "nobody/1", "/1", "\x1b[31m/1"])
@pytest.mark.parametrize("command", [["sessions", "show"], ["events"], ["notifications", "list"]])
def test_what_is_no_session_is_one_line(api, verdict, command, key):
    run = verdict(*command, key)
    [line] = run.told
    assert run.status == 2 and "isn't a session: write {provider}/{sessionId}" in line and line.isprintable()


# ---- The quarantine ----

MESSAGE = Quarantined(
    "m-1", "webhook", "not_json", "in words", "veriff", "/veriff/\x1b[0m", "2026-06-13T00:40:00.5Z", 42, "04b3", None,
    "2026-06-13T00:40:01.000Z", 2)
FOREIGN = Quarantined("m-2", *[None] * 11)
REBUILD = Quarantined("m-3", "rebuild", *[None] * 10)


@pytest.fixture
def looked(monkeypatch):
    """Has a look see what a test says, and keeps how many it might have seen."""
    limits: list[int] = []

    def see(about, *messages):
        def look(stack, limit):
            limits.append(limit)
            return Look(about, messages)

        monkeypatch.setattr(asking, "stack", lambda endpoint, stack_name: None)
        monkeypatch.setattr(quarantine, "look", look)
        return limits

    return see


def test_the_quarantine_is_listed_with_why_and_how_many_of_how_many(looked, verdict):
    limits = looked(9, MESSAGE, FOREIGN, REBUILD)
    run = verdict("quarantine", "list", "--limit", "3")
    assert (run.status, limits) == (0, [3])
    _, webhook, foreign, request, some = run.output.splitlines()
    assert webhook.split() == ["m-1", "not_json", "veriff", "/veriff/\\x1b[0m", "2026-06-13T00:40:00Z", "42", "2"]
    assert "not Verdict's" in foreign and "failed too often" in request
    assert some == "Some of about 9: 3 messages, given back"
    assert json.loads(verdict("quarantine", "list", "--json").output) == {
        "about": 9, "looked": 3, "messages": [MESSAGE.json, FOREIGN.json, REBUILD.json]}


@pytest.mark.parametrize("about, line", [
    (0, "Nothing is in quarantine"), (2, "Nothing came, of about 2 messages: someone else has received them just now")])
def test_an_empty_look_says_why(looked, verdict, about, line):
    looked(about)
    assert verdict("quarantine", "list").output == f"{line}\n"


def test_one_message_is_shown_if_it_is_handed_out(looked, verdict):
    looked(9, FOREIGN, MESSAGE)
    run = verdict("quarantine", "show", "m-1")
    assert run.status == 0 and "not_json" in run.output and "/veriff/\\x1b[0m" in run.output
    assert json.loads(verdict("quarantine", "show", "m-1", "--json").output) == MESSAGE.json
    run = verdict("quarantine", "show", "m-7")
    told = "it isn't among the 2 that SQS handed out, of about 9"
    assert (run.status, run.output, run.told) == (1, "", [f"quarantine show: {told}"])
    run = verdict("quarantine", "show", "m-7", "--json")
    assert (run.status, json.loads(run.output)) == (1, {"error": {"code": "message_not_found", "message": told}})


def test_a_problem_is_one_line(monkeypatch, verdict):
    def no_stack(*_):
        raise Problem("there is no stack")

    monkeypatch.setattr(asking, "stack", no_stack)
    run = verdict("quarantine", "list", "--json")
    assert (run.status, run.output, run.told) == (2, "", ["quarantine list: there is no stack"])
