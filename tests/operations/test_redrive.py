"""The redrive of the quarantine: SQS's own where it can, else message by message; what it leaves on record, also if it ends
early."""
import contextlib
import signal
from types import SimpleNamespace
from typing import Any

import pytest
from verdict import redrive
from verdict.audit import Write
from verdict.interruption import Interrupted
from verdict.problem import Problem


class Queues:
    """A quarantine of SQS, and its moves."""

    def __init__(self, *bodies, ends_at=None):
        self.there, self.sent, self.ends_at = list(bodies), [], ends_at
        self.answers: list[Any] = []

    def get_queue_attributes(self, QueueUrl, AttributeNames):
        return {"Attributes": {"ApproximateNumberOfMessages": str(len(self.there)), "QueueArn": f"arn:{QueueUrl}"}}

    def receive_message(self, MaxNumberOfMessages, **_):
        return {"Messages": [{"Body": body, "ReceiptHandle": body} for body in self.there[:MaxNumberOfMessages]]}

    def send_message(self, QueueUrl, MessageBody, **_):
        self.sent.append(MessageBody)
        if MessageBody == self.ends_at:
            signal.raise_signal(signal.SIGINT)

    def delete_message(self, QueueUrl, ReceiptHandle):
        self.there.remove(ReceiptHandle)

    def start_message_move_task(self, SourceArn, DestinationArn):
        self.started = (SourceArn, DestinationArn)

    def list_message_move_tasks(self, SourceArn, MaxResults):
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return {"Results": [answer]}


@pytest.fixture
def recorded():
    return []


@pytest.fixture
def record(recorded):
    return lambda result, **more: recorded.append((result, more))


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(redrive, "POLL_SECONDS", 0)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_by_hand_all_that_is_there_moves_and_that_is_on_record(record, recorded):
    queues = Queues(*map(str, range(23)))
    assert redrive.moved_by_hand(queues, "from", "to", record) == 23
    assert (queues.there, queues.sent) == ([], list(map(str, range(23))))
    assert recorded == [("moved", {"messages": 23})]


def test_an_interrupted_one_leaves_each_message_on_one_queue_and_says_how_many_moved(record, recorded):
    queues = Queues(*"abcde", ends_at="c")
    with pytest.raises(Interrupted, match="interrupted after 3 of about 5 messages; "):
        redrive.moved_by_hand(queues, "from", "to", record)
    assert (queues.sent, queues.there) == (["a", "b", "c"], ["d", "e"])
    assert recorded == [("moved", {"messages": 3})]


def test_in_aws_sqs_moves_them_and_the_beginning_is_on_record_too(record, recorded):
    queues = Queues("a")
    queues.answers = [{"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 0},
                      {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 7}]
    assert redrive.have_moved(queues, "from", "to", record) == 7
    assert queues.started == ("arn:from", "arn:to")
    assert recorded == [("started", {}), ("moved", {"messages": 7})]


def test_a_move_that_sqs_ends_is_told_and_on_record(record, recorded):
    queues = Queues("a")
    queues.answers = [{"Status": "FAILED", "FailureReason": "AccessDenied", "ApproximateNumberOfMessagesMoved": 1}]
    with pytest.raises(Problem, match="SQS ended the move with FAILED: AccessDenied"):
        redrive.have_moved(queues, "from", "to", record)
    assert recorded == [("started", {}), ("failed", {"messages": 1})]


def test_an_operator_who_stops_waiting_is_told_that_sqs_goes_on(record, recorded):
    queues = Queues("a")
    queues.answers = [{"Status": "RUNNING"}, KeyboardInterrupt()]
    with pytest.raises(Interrupted, match="SQS goes on with the move by itself"):
        redrive.have_moved(queues, "from", "to", record)
    assert recorded == [("started", {})]


@pytest.mark.parametrize("arguments", [[], ["--apply", "--reason", "a test"]])
@pytest.mark.parametrize("source, hidden, says", [
    ([], 0, "Nothing is in quarantine\n"), (["--from", "u"], 0, "Nothing is on that queue\n"),
    ([], 2, "Nothing can be moved just now: 2 messages are out of sight for a while, because someone has received what is "
            "there. Try again in a minute\n")])
def test_nothing_to_move_is_said_so(monkeypatch, verdict, arguments, source, hidden, says):
    queues = SimpleNamespace(get_queue_attributes=lambda QueueUrl, AttributeNames: {
        "Attributes": {name: hidden if name.endswith("NotVisible") else 0 for name in AttributeNames}})
    stack = SimpleNamespace(refuse_without_operator=lambda: None, queue_urls=lambda: {"Quarantine": "q"})
    stack.operator = lambda: SimpleNamespace(client=lambda service: queues)
    monkeypatch.setattr(redrive.Aws, "connect", lambda endpoint: SimpleNamespace(caller=lambda: "arn"))
    monkeypatch.setattr(redrive.Stack, "require", lambda aws, name: stack)
    monkeypatch.setattr(redrive, "redrive_dry_run", lambda *_: 0)
    monkeypatch.setattr(redrive, "redrive", lambda *_: 0)
    monkeypatch.setattr(Write, "log", lambda *_: contextlib.nullcontext())
    run = verdict("quarantine", "redrive", *arguments, *source)
    assert (run.status, run.output, run.error) == (0, says, "")
