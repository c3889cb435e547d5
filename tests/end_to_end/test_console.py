"""The console of a stack, and `sessions tail`: they show what the stack has, as its operator, and take nothing from it."""
from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any, Callable, Iterator, Mapping

import pytest
from stack.deployment import ROOT
from stack.steps import without_aws
from verdict.aws import Aws
from verdict.console.app import Console
from verdict.console.serve import HOST, listening, serving
from verdict.stack import Stack

from . import intake
from .deliveries import EVENTS, VERIFF, decision, event, genuine, post
from .functions import Function
from .logs import log, said
from .reading import quote

PATIENCE_SECONDS = 10
Ask = Callable[..., tuple[int, Any]]


def asking(port: int, token: str) -> Ask:
    """Asks a console as its page does: status and JSON."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(path: str, **query: str) -> tuple[int, Any]:
        url = f"http://{HOST}:{port}{path}?{urllib.parse.urlencode(query)}"
        try:
            answer = direct.open(urllib.request.Request(url, headers={"x-verdict-token": token}), timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, json.load(answer)

    return ask


@pytest.fixture(scope="module")
def ask(verdict) -> Iterator[Ask]:
    """Asks the console of the stack."""
    opened = listening()
    port = opened.getsockname()[1]
    with serving(Console(Stack.require(Aws.connect(verdict.endpoint), "verdict"), "the token", port), opened):
        yield asking(port, "the token")


def until(find: Callable[[], Any]) -> Any:
    """What can be found within a while."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := find()):
        assert time.monotonic() < end, "not found"
        time.sleep(0.1)
    return found


def test_the_stack_is_the_local_one(verdict, ask):
    status, shown = ask("/api/stack")
    assert status == 200 and shown == {
        "name": "verdict", "region": "eu-west-1", "apiUrl": verdict.api_url, "isLocal": True,
        "port": urllib.parse.urlsplit(verdict.endpoint).port, "version": verdict.outputs["Version"],
        "providers": ["veriff", "incode", "treezor", "wultra"], "laboratory": False}


# ---- Live ----

def lines_of(ask: Ask, cursor: str) -> Iterator[Mapping[str, Any]]:
    """The lines after a cursor, as a page that asks again and again gets them."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        status, found = ask("/api/live", after=cursor)
        assert status == 200
        cursor = found["cursor"]
        yield from found["lines"]
        time.sleep(0.1)


def test_what_comes_in_is_seen_within_seconds_and_once(verdict, ask, session_id):
    cursor = ask("/api/live")[1]["cursor"]
    post(verdict, genuine(event(session_id), path=EVENTS))
    post(verdict, genuine(decision(session_id)))
    post(verdict, genuine(decision(session_id)))
    post(verdict, genuine(decision(session_id)).but("x-hmac-signature", "0" * 64))

    seen = []
    for line in lines_of(ask, cursor):
        seen.append(line)
        if len(seen) == 4:
            break
    # What each function has logged is in order; of two functions whose lines come late, it isn't.
    seen.sort(key=lambda line: line["at"])

    session = f"veriff/{session_id}"
    assert [(line["path"], line["outcome"], line["reason"], line["session"]) for line in seen] == [
        ("/veriff/events", "recorded", None, session), ("/veriff/decisions", "recorded", None, session),
        ("/veriff/decisions", "duplicate", None, session), ("/veriff/decisions", "refused", "signature_mismatch", None)]
    assert {frozenset(line) for line in seen} == {frozenset((
        "at", "provider", "path", "outcome", "ms", "reason", "session", "requestId", "function"))}
    assert [line["function"] for line in seen] == ["veriff-events", *["veriff-decisions"] * 3]
    assert all(isinstance(line["ms"], int) and line["at"].endswith("Z") for line in seen)
    recent = ask("/api/live")[1]["lines"]
    assert [line["outcome"] for line in recent if line["session"] == session] == ["recorded", "recorded", "duplicate"]
    assert recent == sorted(recent, key=lambda line: line["at"]) and len(recent) <= 200


def test_what_waited_on_intake_is_seen_again_when_it_is_recorded(verdict, ask, session_id):
    cursor = ask("/api/live")[1]["cursor"]
    with intake.held(verdict):
        intake.spool(verdict, VERIFF, [genuine(decision(session_id))])
    line = next(line for line in lines_of(ask, cursor) if line["session"] == f"veriff/{session_id}")
    assert (line["function"], line["path"], line["outcome"]) == ("replay", "intake", "recorded")


def test_a_cursor_that_is_none_is_refused(ask):
    assert ask("/api/live", after="nonsense")[0] == 400


# ---- Queues ----

def test_depths_are_those_of_the_queues(verdict, ask, session_id):
    def depths() -> Mapping[str, int]:
        queues = ask("/api/queues")[1]["queues"]
        assert {frozenset(queue) for queue in queues} == {
            frozenset(("name", "visible", "inFlight", "delayed", "oldestSeconds"))}
        return {queue["name"]: queue["visible"] + queue["inFlight"] + queue["delayed"] for queue in queues}

    before = depths()
    assert [*before] == ["decisions", "decisions-dead-letter", "intake", "quarantine", "wake-up"]
    post(verdict, genuine(decision(session_id)))
    post(verdict, genuine(b"no JSON"))
    until(lambda: depths() == {**before, "decisions": before["decisions"] + 1, "quarantine": before["quarantine"] + 1})
    assert depths()["decisions"] == verdict.depth("DecisionsQueueUrl")


def test_looking_at_everything_takes_nothing_from_a_consumer(verdict, ask, decisions, session_id):
    decisions.all()
    post(verdict, genuine(decision(session_id)))
    for path in ("/api/live", "/api/queues", "/api/stack"):
        assert ask(path)[0] == 200
    for part in ({}, {"part": "events"}, {"part": "notifications"}):
        assert ask("/api/session", session=f"veriff/{session_id}", **part)[0] == 200
    [message] = verdict.client("sqs").receive_message(
        QueueUrl=verdict.outputs["DecisionsQueueUrl"], MessageSystemAttributeNames=["ApproximateReceiveCount"],
        VisibilityTimeout=0)["Messages"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    decisions.all()


# ---- Records ----

@pytest.fixture
def reference(verdict, session_id) -> str:
    """A reference of one's own, with a decided session."""
    name = f"customer {uuid.uuid4()}"
    post(verdict, genuine(event(session_id, vendorData=name), path=EVENTS))
    post(verdict, genuine(decision(session_id, vendorData=name)))
    return name


def test_what_is_shown_is_what_the_sessions_api_answers(verdict, ask, session_id, reference):
    session = f"veriff/{session_id}"
    assert ask("/api/sessions", reference=reference) == verdict.get(f"/sessions?reference={quote(reference)}")
    # The emulator looks at all sessions of a status for each page: few are in review.
    post(verdict, genuine(decision(str(uuid.uuid4()), "review")))
    until(lambda: ask("/api/sessions", status="in_review", provider="veriff", outcome="review")[1].get("sessions"))
    assert ask("/api/sessions", status="in_review", provider="incode", since="2026-01-01T00:00:00Z")[0] == 200
    assert ask("/api/session", session=session) == verdict.get(f"/sessions/{session}")
    for part in ("events", "notifications"):
        assert ask("/api/session", session=session, part=part) == verdict.get(f"/sessions/{session}/{part}")
    for listed in ask("/api/session", session=session, part="events")[1]["events"]:
        name = listed["eventId"]
        asked = ask("/api/session", session=session, part="payload", event=name)
        assert asked == verdict.get(f"/sessions/{session}/events/{quote(name)}/payload") and asked[0] == 200


def test_an_error_of_the_sessions_api_is_answered_as_it_is(verdict, ask, session_id):
    for query, status, code in [
            ({"session": f"veriff/{session_id}"}, 404, "session_not_found"),
            ({"session": "nobody/x"}, 404, "session_not_found"),
            ({"session": f"veriff/{session_id}", "part": "events", "next": "nonsense"}, 400, "bad_request")]:
        answered, body = ask("/api/session", **query)
        assert (answered, body["error"]["code"]) == (status, code)


def test_each_look_is_logged_with_the_operators_name(verdict, ask, session_id, reference):
    session = f"veriff/{session_id}"

    def looks() -> list[tuple[str, str]]:
        lines = [line for function, message in (("SessionsApi", "read"), ("SessionPayloads", "payload"))
                 for line in said(log(verdict, Function(verdict, verdict.resource(function)), message, 0), message)]
        return [(line.get("asked", "payload"), line["caller"]) for line in lines
                if session in (line.get("session"), *line.get("sessions", []))]

    ask("/api/sessions", reference=reference)
    ask("/api/session", session=session)
    events = ask("/api/session", session=session, part="events")[1]["events"]
    ask("/api/session", session=session, part="notifications")
    ask("/api/session", session=session, part="payload", event=events[0]["eventId"])
    until(lambda: len(looks()) >= 5)
    found = looks()
    assert [asked for asked, _ in found] == ["reference", "session", "events", "notifications", "payload"]
    assert all("assumed-role/verdict-operator/" in caller for _, caller in found)


# ---- The commands ----

@pytest.fixture
def started(verdict) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts a command of the command line, as one does at a terminal, on the local stack."""
    running = []

    def start(*arguments: str) -> subprocess.Popen:
        environment = without_aws({
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "operations"), "PYTHONUNBUFFERED": "1",
            "PORT": str(urllib.parse.urlsplit(verdict.endpoint).port)})
        running.append(subprocess.Popen(
            [ROOT / ".venv/operations/bin/python", "-m", "verdict", *arguments, "--local"], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen) -> str:
    assert select.select([process.stdout], [], [], PATIENCE_SECONDS)[0], "it has said nothing"
    return process.stdout.readline().rstrip("\n")


def test_the_command_says_where_the_console_is_and_ends_at_ctrl_c(started):
    process = started("console")
    address = urllib.parse.urlsplit(first_line(process).removeprefix("Console: "))
    assert address.hostname == HOST and address.fragment.startswith("token=")
    ask = asking(address.port, address.fragment.removeprefix("token="))
    assert ask("/api/stack")[1]["isLocal"] and ask("/api/live")[0] == 200
    assert urllib.request.urlopen(f"http://{HOST}:{address.port}/", timeout=10).status == 200
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10) == ("The console has ended.\n", "") and process.returncode == 0
    with listening(address.port):
        pass


def test_sessions_tail_shows_the_same_lines_until_ctrl_c(verdict, ask, started, session_id):
    post(verdict, genuine(decision(session_id)))
    until(lambda: [line for line in ask("/api/live")[1]["lines"] if line["session"] == f"veriff/{session_id}"])
    shown = ask("/api/live")[1]["lines"]

    tail = started("sessions", "tail", "--json")
    told = map(json.loads, iter(tail.stdout.readline, ""))
    lines: list[Mapping[str, Any]] = []
    while not lines or lines[-1]["at"] < shown[-1]["at"]:
        lines.append(next(told))
    assert [line for line in shown[:-1] if line not in lines] == []
    other = str(uuid.uuid4())
    post(verdict, genuine(decision(other)))
    assert next(line for line in told if line["session"] == f"veriff/{other}")["outcome"] == "recorded"
    tail.send_signal(signal.SIGINT)
    assert tail.communicate(timeout=10) == ("", "") and tail.returncode == 0
