"""Traces: a message, and each line about it, names the trace of the webhook that caused it, on whatever way it came."""
from __future__ import annotations

import contextlib
import json
import re
import uuid
from dataclasses import dataclass
from typing import Any, Iterator

import pytest
from stack.incode_api import IncodeApi
from stack.wire import Fate, Wire

from .deliveries import as_event, decision, genuine
from .functions import Function, bootstrap, copy, deployed, relay_until
from .incode import credentials, onboarding, wake_ups
from .intake import await_empty
from .logs import log, said
from .runtime_api import Running, environment
from .table import items, outbox

NOWHERE = "http://127.0.0.1:9"
HEADER = re.compile(r"Root=(1-([0-9a-f]{8})-([0-9a-f]{24}));Parent=([0-9a-f]{16});Sampled=1")

#: What the webhooks of all providers alike decide counts here.
pytestmark = pytest.mark.usefixtures("believing")


@contextlib.contextmanager
def traced(verdict, logical_id: str, tracing: str = "true", **environment: str) -> Iterator[Function]:
    """A copy of a function to whose invocations Lambda hands a trace."""
    with copy(verdict, logical_id, VERDICT_TRACING=tracing, **environment) as function:
        verdict.client("lambda").update_function_configuration(
            FunctionName=function.name, TracingConfig={"Mode": "Active"})
        yield function


@dataclass(frozen=True)
class Sent:
    """A webhook, and the line about it."""

    session_id: str
    line: dict[str, Any]


def sent(verdict, outcome: str, tracing: str = "true", **environment: str) -> Sent:
    """Has a decision arrive in a trace."""
    session_id = str(uuid.uuid4())
    with traced(verdict, "VeriffDecisions", tracing, **environment) as function:
        assert function.answer(as_event(genuine(decision(session_id)))).outcome == outcome
        [line] = said(log(verdict, function, "delivery"), "delivery")
    return Sent(session_id, line)


@pytest.fixture(scope="module", autouse=True)
def left_behind(verdict) -> Sent:
    """Sent first, since the relay leaves an entry to its function for ten seconds."""
    return sent(verdict, "recorded", AWS_ENDPOINT_URL_SQS=NOWHERE)


def assert_in_trace(message, trace: str) -> None:
    """The message names that trace, to its consumer and to X-Ray."""
    header = HEADER.fullmatch(message.trace)
    assert header and header[1] == trace
    assert message.body["traceparent"] == f"00-{header[2]}{header[3]}-{header[4]}-01"


def test_a_message_is_in_the_trace_of_its_webhook(verdict, decisions):
    came = sent(verdict, "recorded")
    [message] = decisions.about(came.session_id)
    assert_in_trace(message, came.line["trace"])
    # It is kept, so that the message is the same if it is sent again. Callers don't see it.
    [told] = items(verdict, came.session_id, "TOLD#")
    assert came.line["trace"] in told["trace"]["S"]
    _, history = verdict.get(f"/sessions/veriff/{came.session_id}/notifications")
    assert came.line["trace"] not in json.dumps(history)


def test_a_delivery_and_a_publication_are_a_line_each(verdict):
    session_id = str(uuid.uuid4())
    with traced(verdict, "VeriffDecisions") as function:
        for _ in range(2):
            function.answer(as_event(genuine(decision(session_id))))
        lines = log(verdict, function, "delivery", at_least=2)
    first, second = said(lines, "delivery")
    [published] = said(lines, "publication")
    assert first["eventKey"].startswith(f"veriff/{session_id}/decision:") and first["eventKey"] == second["eventKey"]
    assert (first["outcome"], first["notifications"], first["coldStart"], first["genuine"]) == ("recorded", 1, True, 1)
    assert (second["outcome"], second["notifications"], second["coldStart"]) == ("duplicate", 0, False)
    assert (published["notification"], published["origin"], published["attempt"]) == (f"veriff/{session_id}/1", "webhook", 1)
    assert 0 <= published["lateMs"] < 4000
    assert published["trace"] == first["trace"] != second["trace"]


def test_a_publication_says_which_try_was_confirmed(verdict):
    lost, session_id = [Fate.CUT_OFF], str(uuid.uuid4())
    with Wire(verdict.endpoint, lambda _: lost.pop() if lost else Fate.PASSED_ON) as wire, Running(
            bootstrap(verdict, "VeriffDecisions"),
            environment(verdict, "VeriffDecisions", AWS_ENDPOINT_URL_SQS=wire.url)) as function:
        assert function.answer(as_event(genuine(decision(session_id)))).outcome == "recorded"
    [published] = [line for line in function.lines if line.get("message") == "publication"]
    assert (published["notification"], published["attempt"]) == (f"veriff/{session_id}/1", 2)


def test_without_tracing_a_message_is_in_no_trace_whatever_lambda_hands_over(verdict, decisions):
    came = sent(verdict, "recorded", tracing="false")
    [message] = decisions.about(came.session_id)
    assert (came.line["trace"], message.trace, "traceparent" in message.body) == (None, None, False)


def test_a_webhook_that_waited_on_intake_keeps_its_trace(verdict, decisions):
    came = sent(verdict, "spooled", AWS_ENDPOINT_URL_DYNAMODB=NOWHERE)
    await_empty(verdict)
    [message] = decisions.about(came.session_id)
    assert_in_trace(message, came.line["trace"])
    lines = log(verdict, deployed(verdict, "Replay"), "publication")
    [published] = [line for line in said(lines, "publication") if came.session_id in line["notification"]]
    assert (published["origin"], published["trace"]) == ("intake", came.line["trace"])


def test_what_the_poller_finds_is_in_the_trace_of_the_webhook_that_woke_it(verdict, decisions, nobody_else_is_due):
    session_id = str(uuid.uuid4())
    wake_ups(verdict)
    with IncodeApi() as api:
        api.script(session_id, status=["ONBOARDING_FINISHED"], score=["OK"])
        keys = credentials(api=api.credentials)
        with traced(verdict, "IncodeWebhooks", INCODE_CREDENTIALS=keys) as receiver:
            answer = receiver.answer(as_event(onboarding(session_id, "ONBOARDING_FINISHED")))
            [line] = said(log(verdict, receiver, "delivery"), "delivery")
        assert (answer.outcome, line["notifications"]) == ("recorded", 0)
        with traced(verdict, "IncodePoller", INCODE_CREDENTIALS=keys) as poller:
            poller.call({"Records": waiting(verdict)})
            [published] = said(log(verdict, poller, "publication"), "publication")
    [message] = decisions.about(session_id)
    assert_in_trace(message, line["trace"])
    assert (published["origin"], published["trace"]) == ("poll", line["trace"])


def waiting(verdict) -> list[dict[str, Any]]:
    """Takes what wakes the poller off its queue, and returns it as an event source mapping hands it over."""
    queues, url = verdict.client("sqs"), verdict.outputs["WakeUpQueueUrl"]
    messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])["Messages"]
    for message in messages:
        queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [{"messageId": message["MessageId"], "body": message["Body"], "attributes": message["Attributes"]}
            for message in messages]


def test_the_relay_sends_a_message_in_the_trace_of_its_webhook(verdict, decisions, left_behind):
    assert left_behind.line["notifications"] == 1
    relay_until(verdict, lambda: outbox(verdict, left_behind.session_id) == [])
    [message] = decisions.about(left_behind.session_id)
    assert_in_trace(message, left_behind.line["trace"])
    lines = log(verdict, deployed(verdict, "OutboxRelay"), "publication")
    [published] = [line for line in said(lines, "publication") if left_behind.session_id in line["notification"]]
    assert (published["origin"], published["trace"]) == ("relay", left_behind.line["trace"])
    # The relay had to leave it to its function for so long.
    assert published["lateMs"] >= 10_000
