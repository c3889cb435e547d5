"""Each of the operator's commands, tried on the local stack: it does its work, its JSON is JSON, and whatever keeps it from
its work (an unknown id, no credentials, no network, Ctrl-C in the middle) is one clear line and no traceback."""
from __future__ import annotations

import contextlib
import io
import json
import re
import signal
import uuid
from dataclasses import dataclass
from typing import Any, Iterator

import click
import pytest
from botocore.httpsession import URLLib3Session
from stack.deployment import ROOT, webhooks
from verdict import aws, command_line
from verdict.intake import Key
from verdict.resend import cursor

from .intake import await_empty

#: A port that nothing listens on.
NOWHERE = "http://127.0.0.1:9"
TAIL, DOCTOR = "sessions tail", "doctor"

#: How each command is tried. A word in braces is something that the stack has.
TRIED = {
    "sessions list": "--reference {reference}",
    "sessions show": "{session}",
    TAIL: "--no-follow",
    "events": "{session}",
    "payload": "{session} {event}",
    "notifications list": "{session}",
    "notifications resend": "{session} --from 1",
    "quarantine list": "",
    "quarantine show": "{message}",
    "quarantine redrive": "",
    "rebuild": "--session {session}",
    "send": "veriff/event-started --session new",
    "invoke": "VeriffEvents veriff/event-started --session new",
    DOCTOR: "",
}
#: The same about something that isn't there.
UNKNOWN = {
    "sessions show": "veriff/unknown",
    "events": "veriff/unknown",
    "payload": "veriff/unknown nothing",
    "notifications list": "veriff/unknown",
    "notifications resend": "veriff/unknown --from 1",
    "quarantine show": "nothing",
    "rebuild": "--session unknown/1",
    "send": "veriff/unknown",
    "invoke": "Unknown",
}
#: Where that is an answer. The other commands can't do it.
FINDINGS = ("sessions show", "events", "payload", "notifications list", "notifications resend", "quarantine show")
#: Commands that change a stack, or don't end: the file where each is tried.
ELSEWHERE = {
    "build": "tests/end_to_end/test_operations.py", "check": "tests/operations/test_check.py",
    "console": "tests/end_to_end/test_console.py", "delete": "tests/end_to_end/test_operations.py",
    "deploy": "tests/end_to_end/test_operations.py", "package": "tests/operations/test_package.py",
    "restore-drill": "tests/end_to_end/test_operations.py", "rollback": "tests/end_to_end/test_operations.py",
    "rotate": "tests/end_to_end/test_rotation.py",
}


def commands(group: click.Group = command_line.verdict, under: str = "") -> Iterator[tuple[str, click.Command]]:
    """All commands, by what an operator calls them."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{under}{name} ")
        else:
            yield f"{under}{name}", command


COMMANDS = dict(commands())
HAVE_JSON = [name for name, command in COMMANDS.items() if any(each.name == "is_json" for each in command.params)]


@dataclass(frozen=True)
class Run:
    """What came of a command."""

    status: int
    output: str
    error: str

    @property
    def line(self) -> str:
        """The one line that it told."""
        assert "Traceback" not in self.error
        [line] = [line for line in self.error.splitlines() if line]
        return line


def run(name: str, arguments: str, *more: str) -> Run:
    """Runs a command in this process."""
    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(io.StringIO()) as error:
        status = command_line.main([*name.split(), *arguments.split(), *more])
    return Run(status, output.getvalue(), error.getvalue())


@pytest.fixture(scope="module")
def known(verdict, quarantine) -> Iterator[dict[str, str]]:
    """A session that the stack has, its event, its reference, and a message in quarantine: each sent and found by the
    command line itself."""
    at, session, reference = ("--endpoint", verdict.endpoint), str(uuid.uuid4()), f"customer-{uuid.uuid4()}"
    wish = f"veriff/decision-declined --outcome approved --session {session} --reference {reference}"
    for sent, outcome in ((wish, "recorded"), ("veriff/unreadable-body", "quarantined")):
        assert run("send", sent, *at).output.split()[1] == outcome
    known = {"session": f"veriff/{session}", "reference": reference}
    [event] = json.loads(run("events", known["session"], *at, "--json").output)["events"]
    message = json.loads(run("quarantine list", "", *at, "--json").output)["messages"][0]
    yield {**known, "event": event["eventId"], "message": message["messageId"]}
    quarantine.all()


@pytest.fixture
def tried(verdict, known):
    """The arguments that a command is tried with."""
    return lambda name: (TRIED[name].format(**known), "--endpoint", verdict.endpoint)


def test_every_command_is_tried_here_or_elsewhere():
    assert sorted(COMMANDS) == sorted([*TRIED, *ELSEWHERE])
    for name, file in ELSEWHERE.items():
        assert re.search(rf"\b{name}\b", (ROOT / file).read_text("utf-8")), name
    assert not UNKNOWN.keys() - TRIED.keys()


@pytest.mark.parametrize("name", [name for name in TRIED if name != DOCTOR])
def test_a_command_does_its_work_and_tells_of_nothing_else(tried, name):
    done = run(name, *tried(name))
    assert done.status == 0 and done.output
    # The function's own log lines are what `invoke` is for.
    assert done.error == "" or name == "invoke"


@pytest.mark.parametrize("name", HAVE_JSON)
def test_what_a_command_shows_is_json_for_programs(tried, name):
    arguments = ("list", *tried(name)[1:]) if name == "send" else tried(name)
    done = run(name, *arguments, "--json")
    # The doctor may find something: tests stop the poller.
    assert (done.error, done.status in ((0, 1) if name == DOCTOR else (0,))) == ("", True)
    documents = list(map(json.loads, done.output.splitlines() if name == TAIL else [done.output]))
    assert documents and all(isinstance(each, dict) and each for each in documents)


def test_what_was_said_to_a_sample_is_in_all_that_is_shown_of_its_session(tried, known):
    def shown(name: str) -> Any:
        return json.loads(run(name, *tried(name), "--json").output)

    assert shown("sessions show")["decision"]["outcome"] == "approved"
    [session] = shown("sessions list")["sessions"]
    assert f"{session['provider']}/{session['sessionId']}" == known["session"]
    assert shown("payload")["payload"]["verification"]["status"] == "approved"
    [told] = shown("notifications list")["notifications"]
    assert told["message"]["data"]["outcome"] == "approved"
    assert f"1 message of {known['session']} would be sent again" in run("notifications resend", *tried(
        "notifications resend")).output


# ---- One clear line ----

@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_unknown_is_told_in_one_line(verdict, name):
    done = run(name, UNKNOWN[name], "--endpoint", verdict.endpoint)
    assert (done.status, done.output) == (1 if name in FINDINGS else 2, "")
    assert done.line.startswith(f"{name}: ")


@pytest.mark.parametrize("name", TRIED)
def test_no_network_is_told_in_one_line(known, name, monkeypatch):
    # Pauses between tries would take longer than all the rest.
    monkeypatch.setattr("time.sleep", lambda _: None)
    done = run(name, TRIED[name].format(**known), "--endpoint", NOWHERE)
    assert (done.status, done.output) == (2, "")
    assert done.line == (
        f"{name}: no local stack answers on port 9: start it with `make run`, or say which port with PORT=")


@pytest.fixture(scope="module")
def without_credentials(known, tmp_path_factory) -> Iterator[None]:
    """An operator without credentials; what asks the local stack needs none."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, str(tmp_path_factory.mktemp("none") / "none"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_REGION", "eu-west-1")
        aws.session.cache_clear()
        yield
        aws.session.cache_clear()


@pytest.mark.parametrize("name", [name for name in TRIED if name != "invoke"])
def test_no_credentials_are_told_in_one_line(without_credentials, known, name):
    done = run(name, TRIED[name].format(**known))
    assert (done.status, done.output) == (2, "")
    assert done.line == f"{name}: there are no AWS credentials: set AWS_PROFILE, or sign in (`aws sso login`)"


@pytest.mark.parametrize("name", TRIED)
def test_ctrl_c_in_the_middle_is_told_in_one_line(tried, name, monkeypatch):
    """At the second request of the command, or at its only one."""
    for number in (2, 1):
        done = run_until(number, monkeypatch, name, *tried(name))
        if done.status == command_line.INTERRUPTED:
            break
    assert (done.status, done.line) == (130, f"{name}: interrupted")


def run_until(number: int, monkeypatch, name: str, *arguments: str) -> Run:
    """Runs a command that is told to end at one of its requests."""
    send, sent = URLLib3Session.send, iter(range(1, number + 1))

    def sent_until(session, request):
        if next(sent, None) == number:
            signal.raise_signal(signal.SIGINT)
        return send(session, request)

    with monkeypatch.context() as patch:
        patch.setattr(URLLib3Session, "send", sent_until)
        return run(name, *arguments)


# ---- Sent again ----

def test_what_is_asked_to_be_sent_again_is_sent_and_on_record(verdict, known, decisions, tmp_path):
    """Of one session; then of all that were told something since, one after the other."""
    at, audit, session_id = ("--endpoint", verdict.endpoint), tmp_path / "audit.jsonl", known["session"].partition("/")[2]
    applied = f"--apply --reason TICKET-7 --audit {audit}"
    [told] = json.loads(run("notifications list", known["session"], *at, "--json").output)["notifications"]

    one = run("notifications resend", f"{known['session']} --from 1 {applied}", *at)
    assert (one.status, one.error) == (0, "") and one.output.startswith(f"Requested: 1 message of {known['session']}, ")
    await_empty(verdict)
    many = run("notifications resend", f"--since {told['toldAt']} --rate 100 {applied}", *at)
    assert (many.status, many.error) == (0, "") and many.output.startswith("Requested: the messages of ")
    await_empty(verdict)

    first, *again = decisions.about(session_id)
    assert "resent" not in first.attributes and len(again) == 2
    assert all(message.body == first.body and message.attributes["resent"] for message in again)
    lines = [json.loads(line) for line in audit.read_text("utf-8").splitlines()]
    of_session = [line for line in lines if line["which"] == known["session"]]
    assert [(line["what"], line["from"], line["reason"], line["result"]) for line in of_session] == [
        ("resend", 1, "TICKET-7", "requested")] * 2
    assert all("role/verdict-operator" in line["who"] for line in lines)


def test_what_is_asked_to_be_sent_again_goes_on_after_any_session_with_those_that_follow_it(verdict, decisions, tmp_path):
    """In the order of the table itself, which no test knows beforehand."""
    at, since = ("--endpoint", verdict.endpoint), None
    asked: list[list[str]] = []
    for _ in range(3):
        session = f"veriff/{uuid.uuid4()}"
        run("send", f"veriff/decision-approved --session {session.partition('/')[2]}", *at)
        [told] = json.loads(run("notifications list", session, *at, "--json").output)["notifications"]
        since = since or told["toldAt"]
    for name, place in (("all", ""), ("others", "--after {place}")):
        audit, after = tmp_path / name, place.format(place=asked and cursor(Key.parse(asked[0][0])))
        done = run("notifications resend", f"--since {since} {after} --apply --reason TICKET-7 --audit {audit}", *at)
        assert (done.status, done.error) == (0, "")
        asked.append([json.loads(line)["which"] for line in audit.read_text("utf-8").splitlines()])
        await_empty(verdict)
    everything, others = asked
    assert len(everything) == 3 and others == everything[1:]
    # As it was told, and as often as it was asked for.
    assert [len(decisions.about(session.partition("/")[2])) for session in everything] == [2, 3, 3]


# ---- Refusals ----

def test_a_refusal_says_whose_credentials_count_and_which_command_shows_why(verdict, monkeypatch):
    monkeypatch.setenv("VERIFF_CREDENTIALS", json.dumps({"secrets": [f"other-{uuid.uuid4()}"]}))
    refused = run("send", "veriff/decision-approved --session new", "--endpoint", verdict.endpoint)
    assert refused.status == 1 and refused.output.startswith("401 refused ")
    assert "the credentials used here are not those of the API" in refused.line
    assert "`./verdict sessions tail` shows" in refused.line
    lines = map(json.loads, run(TAIL, "--no-follow --json", "--endpoint", verdict.endpoint).output.splitlines())
    assert any(line["reason"] == "signature_mismatch" for line in lines)


def test_a_function_without_a_sample_gets_an_empty_event_and_any_spelling_of_its_name_will_do(verdict):
    for name in ("OutboxRelay", "outbox-relay"):
        done = run("invoke", name, "--endpoint", verdict.endpoint)
        assert (done.status, json.loads(done.output)) == (0, None)
        assert json.loads(done.error.splitlines()[-1])["message"] == "relay"
    close = run("invoke", "OutboxRely", "--endpoint", verdict.endpoint)
    assert close.status == 2 and "did you mean OutboxRelay?" in close.line


def test_the_samples_of_a_provider_are_listed(verdict):
    listed = json.loads(run("send", "list wultra", "--json").output)
    assert {each["provider"] for kind in listed.values() for each in kind} == {"wultra"}
    assert len(listed["samples"]) == sum(sample.provider == "wultra" for sample in webhooks.catalogue())
