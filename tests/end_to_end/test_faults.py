"""A function killed half-way, a store out of reach: nothing acknowledged is lost, nothing is told twice."""
from __future__ import annotations

import contextlib
import hashlib
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, Optional

import pytest
from stack.deployment import webhooks
from stack.wire import Fate, Wire

from . import intake
from .deliveries import SENDERS, Delivery, as_event, decision, genuine, post
from .functions import Ended, Function, copy, deployed, kill
from .table import items, outbox

#: What the webhooks of all providers alike decide counts here.
pytestmark = pytest.mark.usefixtures("believing")

NOWHERE = "http://127.0.0.1:9"
#: The functions give up after 3.8 s of their own; the rest is for the emulator, on a machine with other things to do.
#: Without that deadline an answer would take Lambda's 10 s.
PATIENCE_SECONDS = 7
#: Within two minutes the relay has published what a dead function left behind.
RELAY_SECONDS = 120


def timed(function: Function, delivery: Delivery) -> webhooks.Answer:
    begun = time.monotonic()
    answer = function.answer(as_event(delivery))
    assert time.monotonic() - begun < PATIENCE_SECONDS
    return answer


def always(fate: Fate) -> Callable[[str], Fate]:
    return lambda operation: fate


def only_first(operation: str, fate: Fate, times: int = 1) -> Callable[[str], Fate]:
    """That for the first requests of an operation; all others pass."""
    left = [operation] * times
    return lambda requested: fate if requested.endswith(operation) and left and left.pop() else Fate.PASSED_ON


# ---- The queue out of reach, or the function gone: what is committed waits in the outbox for the relay ----

@dataclass(frozen=True)
class LeftBehind:
    """A decision that was committed and could not be published."""

    session_id: str
    delivery: Delivery
    outbox: list
    since: float
    #: Its number among the session's decisions; those before it were published.
    sequence: int = 1


def killed(verdict, fate: Fate) -> LeftBehind:
    """The function dies while it publishes."""
    session_id = str(uuid.uuid4())
    delivery = genuine(decision(session_id))
    with Wire(verdict.endpoint, always(fate)) as wire, ThreadPoolExecutor(1) as caller, \
            copy(verdict, "VeriffDecisions", AWS_ENDPOINT_URL_SQS=wire.url) as function:
        # Found before, since it gives up on publishing after a second.
        function.call("warm-up")
        process = function.process()
        call = caller.submit(function.answer, as_event(delivery))
        wire.await_loss(PATIENCE_SECONDS)
        kill(process)
        with pytest.raises(Ended):
            call.result()
    return LeftBehind(session_id, delivery, outbox(verdict, session_id), time.monotonic())


def answered(
        verdict, service: str, fate: Optional[Callable[[str], Fate]], status: int, outcome: str,
        session_id: Optional[str] = None, sequence: int = 1) -> LeftBehind:
    """The function can't publish; what it recorded is durable, whether it knows that or not."""
    session_id = session_id or str(uuid.uuid4())
    delivery = genuine(decision(session_id))
    with contextlib.ExitStack() as opened:
        url = opened.enter_context(Wire(verdict.endpoint, fate)).url if fate else NOWHERE
        function = opened.enter_context(copy(verdict, "VeriffDecisions", **{f"AWS_ENDPOINT_URL_{service}": url}))
        answer = timed(function, delivery)
    assert (answer.status, answer.outcome) == (status, outcome)
    return LeftBehind(session_id, delivery, outbox(verdict, session_id), time.monotonic(), sequence)


def answered_after_a_review(verdict) -> LeftBehind:
    """The function can't publish a session's second decision, whose first was published."""
    session_id = str(uuid.uuid4())
    assert post(verdict, genuine(decision(session_id, "review", at="2026-06-12T09:00:00Z"))).outcome == "recorded"
    assert outbox(verdict, session_id) == []
    return answered(verdict, "SQS", None, 200, "recorded", session_id, sequence=2)


def no_answer_to_the_transaction(operation: str) -> Fate:
    return Fate.ANSWER_LOST if operation.endswith("TransactWriteItems") else Fate.PASSED_ON


SCENES = {
    "SQS refuses connections": lambda verdict: answered(verdict, "SQS", None, 200, "recorded"),
    "SQS refuses connections, at the second decision": answered_after_a_review,
    "SQS never answers": lambda verdict: answered(verdict, "SQS", always(Fate.LOST), 200, "recorded"),
    "SQS never answers, and has it":
        lambda verdict: answered(verdict, "SQS", always(Fate.ANSWER_LOST), 200, "recorded"),
    "DynamoDB has it, and never says so":
        lambda verdict: answered(verdict, "DYNAMODB", no_answer_to_the_transaction, 200, "spooled"),
}
if os.path.exists("/proc"):  # where a function's process is found
    SCENES["killed before SQS had it"] = lambda verdict: killed(verdict, Fate.LOST)
    SCENES["killed when SQS had it"] = lambda verdict: killed(verdict, Fate.ANSWER_LOST)


@pytest.fixture(scope="module", autouse=True)
def left_behind(verdict) -> dict[str, LeftBehind]:
    """All scenes, played first and together, since all wait for the relay. Their tests come last."""
    with ThreadPoolExecutor(len(SCENES)) as stage:
        played = {name: stage.submit(scene, verdict) for name, scene in SCENES.items()}
        return {name: scene.result() for name, scene in played.items()}


# ---- The table out of reach: the webhook waits on intake ----

def without(verdict, services: tuple[str, ...], silent: bool, deliveries: list[Delivery]) -> list[webhooks.Answer]:
    """What becomes of a webhook of each provider, all at once, where these services refuse connections or say nothing.
    """
    with contextlib.ExitStack() as opened:
        url = opened.enter_context(Wire(verdict.endpoint, always(Fate.LOST))).url if silent else NOWHERE
        nowhere = {f"AWS_ENDPOINT_URL_{service}": url for service in services}
        functions = [opened.enter_context(copy(verdict, sender.function, **nowhere)) for sender in SENDERS]
        with ThreadPoolExecutor(len(SENDERS)) as pool:
            return list(pool.map(timed, functions, deliveries))


@pytest.mark.parametrize("silent", [False, True], ids=["refuses connections", "never answers"])
def test_without_the_table_a_webhook_is_kept_in_time_and_recorded_later(verdict, decisions, session_id, silent):
    sent = [sender.approves(session_id) for sender in SENDERS]
    with intake.held(verdict):
        answers = without(verdict, ("DYNAMODB",), silent, sent)
        kept = {message["provider"]: message for message in intake.waiting(verdict)}
        for sender, delivery, answer in zip(SENDERS, sent, answers):
            session, message = sender.session(session_id), kept[sender.provider]
            assert (answer.status, answer.outcome, answer.session) == (200, "spooled", f"{sender}/{session}")
            assert items(verdict, session, provider=sender.provider) == []
            assert (message["kind"], message["path"]) == ("webhook", sender.path)
            assert message["sha256"] == hashlib.sha256(delivery.body).hexdigest()
            assert message["eventKey"].startswith(f"{sender}/{session}/")
        assert decisions.about(session_id) == []

    intake.await_empty(verdict)

    for sender, delivery in zip(SENDERS, sent):
        session = sender.session(session_id)
        assert_once(verdict, decisions, session, sender.provider)
        # As if it had been recorded when it came.
        assert verdict.session(sender.provider, session)["firstEventAt"] == kept[sender.provider]["receivedAt"]
        assert post(verdict, delivery).outcome == "duplicate"


@pytest.mark.parametrize("silent", [False, True], ids=["refuse connections", "never answer"])
def test_without_table_and_queues_a_webhook_fails_in_time_and_succeeds_later(verdict, decisions, session_id, silent):
    sent = [sender.approves(session_id) for sender in SENDERS]
    answers = without(verdict, ("DYNAMODB", "SQS"), silent, sent)
    assert [(answer.status, answer.outcome) for answer in answers] == [(503, "failed")] * len(SENDERS)
    assert intake.waiting(verdict) == []
    for sender, delivery in zip(SENDERS, sent):
        session = sender.session(session_id)
        assert items(verdict, session, provider=sender.provider) == []
        assert post(verdict, delivery).outcome == "recorded"
        assert_once(verdict, decisions, session, sender.provider)


def test_a_transaction_that_never_arrives_is_tried_again(verdict, decisions, session_id):
    with Wire(verdict.endpoint, only_first("TransactWriteItems", Fate.LOST)) as wire, \
            copy(verdict, "VeriffDecisions", AWS_ENDPOINT_URL_DYNAMODB=wire.url) as function:
        assert timed(function, genuine(decision(session_id))).outcome == "recorded"
    assert_once(verdict, decisions, session_id)


def test_a_transaction_whose_answer_is_lost_counts_once(verdict, decisions, session_id):
    with Wire(verdict.endpoint, only_first("TransactWriteItems", Fate.ANSWER_LOST)) as wire, \
            copy(verdict, "VeriffDecisions", AWS_ENDPOINT_URL_DYNAMODB=wire.url) as function:
        answer = timed(function, genuine(decision(session_id)))
    assert (answer.status, answer.outcome in ("recorded", "duplicate")) == (200, True)
    assert_once(verdict, decisions, session_id)


def test_a_copy_whose_session_could_not_be_read_at_first_is_a_copy_all_the_same(verdict, session_id):
    delivery = genuine(decision(session_id))
    assert post(verdict, delivery).outcome == "recorded"
    more_often_than_the_sdk_tries = only_first("GetItem", Fate.CUT_OFF, times=4)
    with Wire(verdict.endpoint, more_often_than_the_sdk_tries) as wire, \
            copy(verdict, "VeriffDecisions", AWS_ENDPOINT_URL_DYNAMODB=wire.url) as function:
        assert timed(function, delivery).outcome == "duplicate"


def assert_once(verdict, decisions, session_id, provider="veriff"):
    assert len(items(verdict, session_id, "EVENT", provider)) == 1
    record = verdict.session(provider, session_id)
    assert (record["version"], record["events"], record["notifications"]) == (1, 1, 1)
    assert [told.body["data"]["provider"] for told in decisions.about(session_id)].count(provider) == 1
    assert items(verdict, session_id, "NOTIFICATION", provider) == []


# ---- The quarantine out of reach ----

@pytest.mark.parametrize("silent", [False, True], ids=["refuses connections", "never answers"])
def test_without_the_quarantine_an_unreadable_webhook_fails_and_is_kept_later(verdict, quarantine, session_id, silent):
    delivery = genuine(f"unreadable, of {session_id}".encode())
    with contextlib.ExitStack() as opened:
        url = opened.enter_context(Wire(verdict.endpoint, always(Fate.LOST))).url if silent else NOWHERE
        answer = timed(opened.enter_context(copy(verdict, "VeriffDecisions", AWS_ENDPOINT_URL_SQS=url)), delivery)

    assert (answer.status, answer.outcome) == (503, "failed")
    assert quarantine.holding(delivery.body) == []
    assert post(verdict, delivery).outcome == "quarantined"
    assert len(quarantine.holding(delivery.body)) == 1


# ---- What was left behind ----

def test_a_decision_left_behind_goes_out_before_the_next_of_its_session(verdict, decisions, session_id):
    with copy(verdict, "VeriffDecisions", AWS_ENDPOINT_URL_SQS=NOWHERE) as function:
        assert timed(function, genuine(decision(session_id, "review", at="2026-06-12T09:00:00Z"))).outcome == "recorded"
    assert decisions.about(session_id) == []
    assert post(verdict, genuine(decision(session_id, "approved", at="2026-06-12T10:00:00Z"))).outcome == "recorded"
    of_session = [told.body["data"] for told in decisions.all() if told.body["subject"] == session_id]
    assert [(data["sequence"], data["outcome"]) for data in of_session] == [(1, "review"), (2, "approved")]
    assert outbox(verdict, session_id) == []


@pytest.mark.parametrize("scene", SCENES)
def test_a_decision_left_behind_is_published_once_within_two_minutes(verdict, decisions, left_behind, scene):
    left = left_behind[scene]
    # Committed, and due.
    assert [entry["sk"]["S"] for entry in left.outbox] == [f"NOTIFICATION#{left.sequence}"]
    assert verdict.session("veriff", left.session_id)["decision"]["outcome"] == "approved"

    while outbox(verdict, left.session_id):
        assert time.monotonic() < left.since + RELAY_SECONDS, "still in the outbox"
        time.sleep(0.5)

    sequences = list(range(1, left.sequence + 1))
    assert [told.body["data"]["sequence"] for told in decisions.about(left.session_id)] == sequences
    # Neither the provider's next try nor another run of the relay tells it again.
    assert post(verdict, left.delivery).outcome == "duplicate"
    deployed(verdict, "OutboxRelay").call({})
    assert len(decisions.about(left.session_id)) == len(sequences)
    assert len(items(verdict, left.session_id, "EVENT")) == len(sequences)
