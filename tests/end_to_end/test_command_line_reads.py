"""The commands that look, on the stack, as its operator: they show what there is, whatever it is called, they take nothing
from anybody, and each look at a record is logged."""
from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass

import pytest
from stack.deployment import NAME, keys_of
from stack.operator_role import BACKEND
from verdict import command_line
from verdict.aws import Aws, Keys
from verdict.sessions_api import SessionsApi

from .deliveries import EVENTS, TREEZOR, decision, event, genuine, post
from .functions import deployed
from .logs import log, said
from .reading import PAGE, quote

#: What persons and providers may call themselves and others.
HOSTILE = "/a%2Fb?c=d&e \u202e\x1b[31m[red]<script>\"onload="


@dataclass(frozen=True)
class Run:
    """What came of a command."""

    status: int
    output: str
    told: str

    @property
    def json(self):
        return json.loads(self.output)


@pytest.fixture
def run(verdict, capfd):
    """Runs a command in this process, on the stack."""
    def run(*arguments: str) -> Run:
        capfd.readouterr()
        status = command_line.main([*arguments, "--endpoint", verdict.endpoint, "--stack-name", NAME])
        return Run(status, *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def odd(verdict):
    """A decided session that is called as nothing should be."""
    session_id = f"{uuid.uuid4()}{HOSTILE}"
    reference = f"customer-{uuid.uuid4()}{HOSTILE}"
    post(verdict, genuine(event(session_id, vendorData=reference), path=EVENTS))
    assert post(verdict, genuine(decision(session_id, "declined", vendorData=reference))).outcome == "recorded"
    return session_id, reference


def of_query(verdict, query):
    """What the API answers to the account's root user."""
    status, body = verdict.get(f"/sessions?{query}")
    assert status == 200, body
    return body


def is_harmless(text):
    """Whether a terminal acts on nothing in a text."""
    return all(letter.isprintable() or letter == "\n" for letter in text)


def test_a_session_is_found_and_shown_whatever_it_is_called(verdict, run, odd):
    session_id, reference = odd
    key = f"veriff/{session_id}"
    expected = of_query(verdict, f"session={quote(key)}")
    assert run("sessions", "list", "--reference", reference, "--json").json == {"sessions": [expected], "next": None}
    assert run("sessions", "show", key, "--json").json == expected
    for shown in (run("sessions", "list", "--reference", reference), run("sessions", "show", key), run("events", key)):
        assert (shown.status, shown.told, is_harmless(shown.output)) == (0, "", True)
        assert "declined" in shown.output
    listed = run("sessions", "list", "--reference", reference).output
    assert "/a%2Fb?c=d&e \\u202e\\x1b[31m[red]<script>\"onload=" in listed.splitlines()[1]


def test_events_payloads_and_messages_are_shown_as_the_api_has_them(verdict, run, odd):
    key = f"veriff/{odd[0]}"
    events = run("events", key, "--json").json
    assert events == of_query(verdict, f"session={quote(key)}&part=events")
    told = run("notifications", "list", key, "--json").json
    assert told == of_query(verdict, f"session={quote(key)}&part=notifications")
    assert [each["sequence"] for each in told["notifications"]] == [1]
    first, second = sorted(events["events"], key=lambda each: each["receivedAt"])
    payload = run("payload", key, second["eventId"], "--json").json
    assert payload["payload"]["verification"]["vendorData"] == odd[1]
    shown = run("payload", key, first["eventId"])
    assert is_harmless(shown.output) and json.loads(shown.output.split("\n\n", 1)[1])["id"] == odd[0]


def test_a_list_goes_on_past_a_page(verdict, run):
    reference = str(uuid.uuid4())
    approved = {"userTag": reference, "kycReview": "2", "modifiedDate": "2026-06-12 09:30:00"}
    users = [{"userId": uuid.uuid4().int >> 80, **approved} for _ in range(PAGE + 1)]
    assert post(verdict, TREEZOR.genuine({"users": users})).outcome == "recorded"
    first = of_query(verdict, f"reference={reference}")
    assert len(first["sessions"]) == PAGE
    every = run("sessions", "list", "--reference", reference, "--json").json
    assert {session["sessionId"] for session in every["sessions"]} == {f"user:{user['userId']}" for user in users}
    assert (every["sessions"][:PAGE], every["next"]) == (first["sessions"], None)
    limited = run("sessions", "list", "--reference", reference, "--limit", "1", "--json").json
    assert limited == first
    rest = run("sessions", "list", "--reference", reference, "--next", first["next"], "--json").json
    assert rest["sessions"] == every["sessions"][PAGE:]
    lines = run("sessions", "list", "--reference", reference).output.splitlines()
    assert len(lines) == PAGE + 2


def test_a_list_by_status_is_narrowed_by_how_long_ago(verdict, run):
    session_id = str(uuid.uuid4())
    post(verdict, genuine(decision(session_id, "review")))
    since_an_hour = run("sessions", "list", "--status", "in_review", "--provider", "veriff", "--since", "1h", "--json").json
    assert session_id in {session["sessionId"] for session in since_an_hour["sessions"]}
    for_three_days = run("sessions", "list", "--status", "in_review", "--provider", "veriff", "--until", "3d", "--json").json
    assert session_id not in {session["sessionId"] for session in for_three_days["sessions"]}
    none = run("sessions", "list", "--status", "in_review", "--until", "2020-01-01T00:00:00Z")
    assert (none.status, none.output) == (0, "No session matches\n")


def test_what_is_not_known_is_a_finding_in_one_line(verdict, run, odd):
    nowhere = f"veriff/{uuid.uuid4()}"
    for command in (["sessions", "show"], ["events"], ["notifications", "list"]):
        ended = run(*command, nowhere)
        assert (ended.status, ended.output) == (1, "")
        assert ended.told == f"{' '.join(command)}: no webhook has spoken of such a session\n"
    ended = run("payload", f"veriff/{odd[0]}", "decision:none", "--json")
    assert (ended.status, ended.json["error"]["code"], ended.told) == (
        1, "event_not_found", "payload: the session has no such event\n")
    assert run("sessions", "list", "--reference", nowhere).output == "No session has this reference\n"
    refused = run("sessions", "list", "--reference", nowhere, "--next", "made-up")
    assert refused.status == 2 and refused.told.startswith("sessions list: the sessions API says bad_request: `next`")


def test_each_look_is_logged_as_the_operators(verdict, run, session_id):
    post(verdict, genuine(decision(session_id)))
    key = f"veriff/{session_id}"
    [recorded] = run("events", key, "--json").json["events"]
    run("payload", key, recorded["eventId"])
    [read] = [line for line in said(log(verdict, deployed(verdict, "SessionsApi"), "read"), "read")
              if line.get("session") == key]
    [looked] = [line for line in said(log(verdict, deployed(verdict, "SessionPayloads"), "payload"), "payload")
                if line.get("session") == key]
    assert (read["asked"], read["outcome"], looked["outcome"]) == ("events", "shown", "shown")
    assert {line["caller"].split("/")[1] for line in (read, looked)} == {f"{NAME}-operator"}


def test_a_role_without_the_permission_is_told_which_it_lacks(verdict):
    keys = keys_of(BACKEND, verdict.endpoint)
    backend = Keys(keys["aws_access_key_id"], keys["aws_secret_access_key"], keys["aws_session_token"])
    api = SessionsApi(verdict.api_url, lambda: Aws("eu-west-1", verdict.endpoint, backend))
    for answer, route in (
            (api.by_reference("customer-1"), "GET/sessions"), (api.payload("veriff/1", "e"), "GET/sessions/payload")):
        assert answer.status == 403
        assert f"the role lacks execute-api:Invoke on {route}, " in answer.problem


def test_the_quarantine_is_seen_and_left_as_it_was(verdict, run, quarantine):
    bodies = [b"{" + uuid.uuid4().bytes.hex().encode() for _ in range(3)]
    for body in bodies:
        assert post(verdict, genuine(body)).outcome == "quarantined"
    seen = run("quarantine", "list", "--limit", "1000", "--json").json
    [message] = [each for each in seen["messages"] if each["sha256"] == sha256(bodies[0])]
    assert (message["reason"], message["provider"], message["path"]) == ("not_json", "veriff", "/veriff/decisions")
    assert seen["about"] >= seen["looked"] >= 3
    shown = run("quarantine", "show", message["messageId"], "--limit", "1000", "--json").json
    assert {**shown, "receives": None} == {**message, "receives": None}
    table = run("quarantine", "list", "--limit", "1000")
    assert message["messageId"] in table.output and bodies[0].decode() not in table.output
    assert run("quarantine", "show", "nothing").status == 1
    # The next reader finds each of them, at once, and once.
    assert [len(quarantine.holding(body)) for body in bodies] == [1, 1, 1]
    assert verdict.depth("QuarantineQueueUrl") == 0


def sha256(body):
    return hashlib.sha256(body).hexdigest()
