"""Looking takes nothing: while webhooks come in and a consumer takes what it is told, an operator looks by every door of the
console and of the command line. Each message comes to the consumer once, and what waits elsewhere stays as it was."""
from __future__ import annotations

import contextlib
import json
import threading
import time
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping

import pytest
from stack.console import console, reserved
from verdict.console.app import ROUTES

from . import intake
from .deliveries import VERIFF, decision, genuine, post
from .permissions import QueuePolicy
from .test_command_line import COMMANDS, TRIED, run

PATIENCE_SECONDS = 20
#: How long messages wait for the consumer to come again.
PAUSE_SECONDS = 0.3

#: How each door of the console is asked to look, by its method and path. A word in braces is something that the stack has.
DOORS: Mapping[str, list[dict[str, Any]]] = {
    "GET /api/stack": [{}],
    "GET /api/live": [{}],
    "GET /api/queues": [{}],
    "GET /api/operations": [{}, {"minutes": "5"}],
    "GET /api/laboratory": [{}],
    "GET /api/sessions": [{"reference": "{reference}"}, {"status": "decided"}],
    "GET /api/session": [
        {"session": "{session}"}, {"session": "{session}", "part": "events"},
        {"session": "{session}", "part": "notifications"}, {"session": "{session}", "part": "payload", "event": "{event}"}],
    "POST /api/quarantine/look": [{}],
    "POST /api/rebuild/preview": [{"sessions": ["{session}"], "withdraw": True}],
    "POST /api/resend": [{"session": "{session}", "from": 1, "dryRun": True}],
    "POST /api/redrive": [{"dryRun": True}],
}
#: The doors that change something, beside the dry runs of those above.
WRITES = {"POST /api/rebuild", *(f"POST /api/laboratory/{what}" for what in ("send", "play", "forge", "outage"))}
#: The commands that change something, each of them by itself; and the one that opens the console.
CHANGES = {
    "build", "check", "console", "delete", "deploy", "doctor", "invoke", "package", "restore-drill", "rollback", "rotate",
    "send"}
#: The commands that look, and those that say what they would do.
LOOKS = {name: arguments for name, arguments in TRIED.items() if name not in CHANGES}


def test_every_door_is_looked_by():
    doors = {f"{method} {path}" for path, methods in ROUTES.items() for method in methods}
    assert (doors, set(COMMANDS)) == (DOORS.keys() | WRITES, LOOKS.keys() | CHANGES)


class Consumer:
    """A service that takes messages about decisions off the queue, as they come."""

    def __init__(self, verdict):
        self._queues, self._url = verdict.client("sqs"), verdict.outputs["DecisionsQueueUrl"]
        self._ended = threading.Event()
        #: By session, the sequences in the order in which they came, and how often each message was received.
        self.sequences: dict[str, list[int]] = {}
        self.receives: Counter[int] = Counter()

    def run(self) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            for message in self._queues.receive_message(
                    QueueUrl=self._url, MaxNumberOfMessages=10,
                    AttributeNames=["ApproximateReceiveCount"]).get("Messages", []):
                body = json.loads(message["Body"])
                self.sequences.setdefault(body["subject"], []).append(body["data"]["sequence"])
                self.receives[int(message["Attributes"]["ApproximateReceiveCount"])] += 1
                self._queues.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def end(self) -> None:
        self._ended.set()


@contextlib.contextmanager
def running(work: Callable[[], None], end: Callable[[], None]) -> Iterator[None]:
    """While something is done beside."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        end()
        thread.join(PATIENCE_SECONDS)


class Provider:
    """Sends webhooks, one after the other: each session is in review, and then approved."""

    def __init__(self, verdict):
        self._verdict = verdict
        self._ended = threading.Event()
        self.sessions: list[str] = []

    def run(self) -> None:
        while not self._ended.is_set():
            session = str(uuid.uuid4())
            for outcome, at in (("review", "2026-06-12T09:00:00Z"), ("approved", "2026-06-12T09:10:00Z")):
                assert post(self._verdict, genuine(decision(session, outcome, at=at))).outcome == "recorded"
            self.sessions.append(session)

    def end(self) -> None:
        self._ended.set()


@pytest.fixture(scope="module")
def known(verdict) -> dict[str, str]:
    """A session that the stack has, with its event and its reference."""
    session_id, reference = str(uuid.uuid4()), f"customer-{uuid.uuid4()}"
    assert post(verdict, VERIFF.approves(session_id, f',"vendorData":"{reference}"')).outcome == "recorded"
    [event] = verdict.get(f"/sessions/veriff/{session_id}/events")[1]["events"]
    return {"session": f"veriff/{session_id}", "reference": reference, "event": event["eventId"]}


#: Queues that nothing takes from for a while, beside intake.
IDLE = ("DecisionsDeadLetterQueueUrl", "WakeUpQueueUrl")


@pytest.fixture(scope="module")
def waiting(verdict, quarantine) -> Iterator[None]:
    """Three messages in quarantine, and one on each other queue except the consumer's, which nothing takes."""
    quarantine.all()
    intake.await_empty(verdict)
    queues = verdict.client("sqs")
    with intake.held(verdict):
        for number in range(3):
            assert post(verdict, genuine(f"unreadable {number} {uuid.uuid4()}".encode())).outcome == "quarantined"
        intake.spool(verdict, VERIFF, [genuine(decision(str(uuid.uuid4())))])
        for queue in IDLE:
            of_fifo = {"MessageGroupId": "one", "MessageDeduplicationId": str(uuid.uuid4())}
            with QueuePolicy(verdict, queue).lifted():
                queues.send_message(
                    QueueUrl=verdict.outputs[queue], MessageBody="a message",
                    **(of_fifo if verdict.outputs[queue].endswith(".fifo") else {}))
        yield
        for queue in IDLE:
            queues.purge_queue(QueueUrl=verdict.outputs[queue])
    quarantine.all()
    intake.await_empty(verdict)


def received(verdict, queue: str) -> list[tuple[str, int]]:
    """The messages that a queue hands out, and how often each was received, this time included."""
    messages = verdict.client("sqs").receive_message(
        QueueUrl=verdict.outputs[queue], MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"],
        VisibilityTimeout=0).get("Messages", [])
    return sorted((message["Body"], int(message["Attributes"]["ApproximateReceiveCount"])) for message in messages)


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """What a door is asked, with what the stack has in the place of the words in braces."""
    if isinstance(value, str):
        return value.format(**known)
    return [filled(each, known) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def looks(verdict, known) -> Iterator[Callable[[], None]]:
    """Looks by every door, once."""
    with console(verdict, reserved()) as address:
        url = urllib.parse.urlsplit(address)
        headers = {"x-verdict-token": url.fragment.removeprefix("token="), "content-type": "application/json"}
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def ask(door: str, question: Mapping[str, Any]) -> Any:
            method, path = door.split()
            asked = {name: filled(value, known) for name, value in question.items()}
            query, body = (urllib.parse.urlencode(asked), None) if method == "GET" else ("", json.dumps(asked).encode())
            with direct.open(urllib.request.Request(
                    f"http://{url.netloc}{path}?{query}", body, headers, method=method), timeout=30) as answer:
                return json.load(answer)

        def look() -> None:
            for door, questions in DOORS.items():
                for question in questions:
                    ask(door, question)
            [message, *_] = ask("POST /api/quarantine/look", {})["messages"]
            for command, arguments in LOOKS.items():
                words = arguments.format(**known, message=message["messageId"])
                done = run(command, words, "--endpoint", verdict.endpoint)
                assert (done.status, done.error) == (0, ""), command

        yield look


@dataclass(frozen=True)
class Looked:
    """What was there while and after an operator looked: by queue, what it then hands out."""

    provider: Provider
    consumer: Consumer
    in_quarantine_before: list[tuple[str, int]]
    after: dict[str, list[tuple[str, int]]]


@pytest.fixture(scope="module")
def looked(verdict, decisions, waiting, looks) -> Looked:
    """Looks by every door while webhooks come in and a consumer takes what it is told."""
    decisions.all()
    before = received(verdict, "QuarantineQueueUrl")
    provider, consumer = Provider(verdict), Consumer(verdict)
    with running(consumer.run, consumer.end):
        with running(provider.run, provider.end):
            looks()
        after = {queue: received(verdict, queue) for queue in ("QuarantineQueueUrl", "IntakeQueueUrl", *IDLE)}
        end = time.monotonic() + PATIENCE_SECONDS
        while verdict.depth("DecisionsQueueUrl") and time.monotonic() < end:
            time.sleep(0.05)
    return Looked(provider, consumer, before, after)


def test_a_consumer_is_told_all_of_it_once_and_in_order(looked):
    sessions = looked.provider.sessions
    assert looked.consumer.sequences == {session: [1, 2] for session in sessions}
    assert len(sessions) > 3 and looked.consumer.receives == {1: 2 * len(sessions)}


def test_what_is_in_quarantine_was_given_back(looked):
    # To be seen, a message is received, and counts as such.
    bodies = [body for body, _ in looked.in_quarantine_before]
    assert len(bodies) == 3 and [body for body, _ in looked.after["QuarantineQueueUrl"]] == bodies


@pytest.mark.parametrize("queue", ["IntakeQueueUrl", *IDLE])
def test_what_waits_on_another_queue_was_received_by_nobody(looked, queue):
    assert [receives for _, receives in looked.after[queue]] == [1]
