"""The wake-up queue: sessions that Incode is asked about at once, and requests to ask about one."""
from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Iterator, Optional

import pytest
from botocore.exceptions import ClientError
from stack.incode_api import SCORE, STATUS, IncodeApi, error, held, throttled
from stack.incode_api import said as fine_answer

from .deliveries import as_event, post_all
from .functions import copy, deployed
from .incode import (
    PATIENCE_SECONDS, ago, credentials, deliver, end_pause, events, items, make_due, onboarding, outcome,
    poller, rewrite, scheduled, wake_ups, webhook, woken)
from .logs import assert_discreet, log, said

#: What the webhooks of all providers alike decide counts here.
pytestmark = pytest.mark.usefixtures("nobody_else_is_due", "believing")

NOWHERE = "http://127.0.0.1:9"
#: The most that waking the poller may hold up an answer, and what else an answer takes on a busy machine.
WAKE_SECONDS, SLACK_SECONDS = 0.2, 1.0
RIGHT = {"status": ["ONBOARDING_FINISHED"], "score": ["OK"]}
NOT_YET = {"status": ["ONBOARDING_FINISHED"], "score": ["UNKNOWN"]}


@pytest.fixture
def api(verdict):
    """An Incode of the test's own, which the deployed poller asks."""
    with IncodeApi() as running, verdict.reconfigured(
            "IncodePoller", INCODE_CREDENTIALS=credentials(api=running.credentials)):
        yield running


@pytest.fixture
def awake(verdict, api):
    """The stack, while messages reach the poller."""
    with woken(verdict):
        yield verdict


def await_that(is_so, what: str, seconds: float = PATIENCE_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def await_handled(verdict) -> None:
    """Waits until the poller has taken all messages."""
    await_that(lambda: verdict.depth("WakeUpQueueUrl") == 0, "messages are left on the queue")


def finished(api, session_id: str, **script) -> None:
    api.script(session_id, **(script or RIGHT))


def due_message(verdict, session_id: str) -> str:
    """What wakes the poller for a session as it is on the schedule."""
    [place] = items(verdict, session_id, "POLL")
    return json.dumps({"kind": "due", "provider": "incode", "sessionId": session_id, "dueAt": place["dueAt"]["S"]})


def send(verdict, *bodies: str, client=None) -> None:
    for body in bodies:
        (client or verdict.operator("sqs")).send_message(QueueUrl=verdict.outputs["WakeUpQueueUrl"], MessageBody=body)


def request(session_id: str, **more: object) -> str:
    return json.dumps({"kind": "poll", "interviewId": session_id, **more})


def asked(api, session_id: str) -> list[str]:
    return [made.path for made in api.about(session_id)]


def decided(verdict, session_id: str) -> Optional[str]:
    """What is decided of a session that may not be there yet."""
    return outcome(verdict, session_id) if verdict.session("incode", session_id) else None


def lines(verdict, message: str) -> list[dict]:
    return said(log(verdict, deployed(verdict, "IncodePoller"), message, at_least=0), message)


# ---- At once ----

def test_a_decision_is_there_shortly_after_the_webhook(awake, api, decisions, figures):
    taken = []
    for _ in range(5):
        session_id = str(uuid.uuid4())
        finished(api, session_id)
        began = time.monotonic()
        deliver(awake, onboarding(session_id, "ONBOARDING_FINISHED", externalId="customer-1"))
        await_that(lambda session_id=session_id: decisions.about(session_id), "no decision came")
        taken.append(time.monotonic() - began)
        assert outcome(awake, session_id) == "approved"
        assert scheduled(awake, session_id) is None
    seconds = ", ".join(f"{each:.2f} s" for each in sorted(taken))
    figures.append(f"Incode: {seconds} from a webhook to its decision's message")


def test_only_what_is_due_at_once_wakes_the_poller(verdict, session_id):
    wake_ups(verdict)
    deliver(verdict, webhook("session-started", {"interviewId": session_id}))
    deliver(verdict, onboarding(session_id, "FACE_VALIDATION_FINISHED"))
    assert wake_ups(verdict) == []
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    [place] = items(verdict, session_id, "POLL")
    [message] = wake_ups(verdict)
    assert message | {"dueAt": None} == {"kind": "due", "provider": "incode", "sessionId": session_id, "dueAt": None}
    assert place["dueAt"]["S"].startswith(message["dueAt"].rstrip("Z"))
    # What waits already stays as it is, and nobody is woken twice.
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"), "duplicate")
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_APPROVED"))
    assert wake_ups(verdict) == []


# ---- Never two questions at a time ----

class Moment(threading.Event):
    """Something that takes a tenth of a second to happen, each time that somebody waits for it."""

    def wait(self, timeout=None) -> bool:
        time.sleep(0.1)
        return True


def test_twenty_wake_ups_at_once_for_a_session_are_one_question(awake, api, session_id):
    gate = threading.Event()
    finished(api, session_id, status=[held(fine_answer(STATUS, "ONBOARDING_FINISHED"), gate)], score=["UNKNOWN"])
    with woken_later(awake):
        deliver(awake, onboarding(session_id, "ONBOARDING_FINISHED"))
        wake_ups(awake)
        message = due_message(awake, session_id)
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda _: send(awake, message), range(20)))
    await_that(lambda: asked(api, session_id), "nobody asked")
    # Time enough for another one.
    time.sleep(1)
    assert asked(api, session_id) == [STATUS]
    gate.set()
    await_handled(awake)
    assert asked(api, session_id) == [STATUS, SCORE]
    assert api.most_at_once == 1


@contextlib.contextmanager
def woken_later(verdict) -> Iterator[None]:
    """While messages pile up."""
    functions, mapping = verdict.client("lambda"), verdict.resource("IncodePollerFromWakeUp")
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def test_twenty_webhooks_at_once_that_each_ask_for_the_score_are_asked_about_one_after_the_other(awake, api, session_id):
    api.script(session_id, status=[held(fine_answer(STATUS, "ONBOARDING_FINISHED"), Moment())], score=["UNKNOWN"])
    deliveries = [webhook("session-pending-review", {"interviewId": session_id, "n": number}) for number in range(20)]
    assert {answer.outcome for answer in post_all(awake, deliveries, at_once=20)} == {"recorded"}
    await_handled(awake)
    await_that(lambda: not is_held(awake, session_id), "somebody still asks")
    assert api.most_at_once == 1
    assert 1 <= asked(api, session_id).count(STATUS) <= 20
    # What came while somebody asked is asked about, too: nothing is left to the next minute.
    assert scheduled(awake, session_id)["in"] > 0


def is_held(verdict, session_id: str) -> bool:
    return any("leasedUntil" in place for place in items(verdict, session_id, "POLL"))


def test_a_minutes_run_does_not_ask_about_a_session_that_is_being_asked_about(awake, api, session_id):
    gate = threading.Event()
    finished(api, session_id, status=[held(fine_answer(STATUS, "ONBOARDING_FINISHED"), gate)], score=["UNKNOWN"])
    deliver(awake, onboarding(session_id, "ONBOARDING_FINISHED"))
    await_that(lambda: asked(api, session_id), "nobody asked")
    # News make it due again meanwhile.
    deliver(awake, webhook("session-pending-review", {"interviewId": session_id}))
    assert scheduled(awake, session_id)["in"] <= 0
    with poller(awake, api) as other:
        assert other.call({}) is None
    assert asked(api, session_id) == [STATUS]
    gate.set()
    # Whoever asked first asks again, since there were news.
    await_that(lambda: asked(api, session_id) == [STATUS, SCORE] * 2, "not asked again")
    await_that(lambda: scheduled(awake, session_id)["in"] > 0, "not put off")
    assert api.most_at_once == 1


def test_a_session_that_a_dead_poller_holds_is_asked_about_once_its_time_is_over(verdict, api, session_id):
    finished(api, session_id)
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    rewrite(verdict, session_id, "POLL", leasedUntil={"S": ago(seconds=-60)})
    with poller(verdict, api) as function:
        function.call({})
        assert asked(api, session_id) == []
        rewrite(verdict, session_id, "POLL", leasedUntil={"S": ago(seconds=1)})
        function.call({})
    assert outcome(verdict, session_id) == "approved"


# ---- Late and lost messages ----

def test_a_stale_wake_up_finds_nothing_due_and_ends(awake, api, session_id):
    finished(api, session_id)
    with woken_later(awake):
        deliver(awake, onboarding(session_id, "ONBOARDING_FINISHED"))
        stale = due_message(awake, session_id)
    await_that(lambda: decided(awake, session_id), "not decided")
    before = len(lines(awake, "wake-up"))
    send(awake, stale, stale)
    unknown = {"kind": "due", "provider": "incode", "sessionId": str(uuid.uuid4()), "dueAt": "2026-06-13T00:38:30Z"}
    send(awake, json.dumps(unknown))
    await_handled(awake)
    assert asked(api, session_id) == [STATUS, SCORE]
    assert api.about(unknown["sessionId"]) == []
    assert scheduled(awake, session_id) is None
    assert sum(line["wakeUpStale"] for line in lines(awake, "wake-up")[before:]) == 3


def test_a_session_that_was_put_off_is_not_asked_about_by_the_message_of_before(awake, api, session_id):
    finished(api, session_id, **NOT_YET)
    deliver(awake, onboarding(session_id, "ONBOARDING_FINISHED"))
    await_that(lambda: len(asked(api, session_id)) == 2, "nobody asked")
    await_that(lambda: not is_held(awake, session_id), "somebody still asks")
    place = scheduled(awake, session_id)
    assert (place["reason"], place["tries"], 50 < place["in"] < 70) == ("decision", 1, True)
    send(awake, json.dumps({
        "kind": "due", "provider": "incode", "sessionId": session_id, "dueAt": "2026-06-13T00:38:30Z"}))
    await_handled(awake)
    assert len(asked(api, session_id)) == 2


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """Something that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("is_slow", [False, True], ids=["unreachable", "silent"])
def test_a_wake_up_that_can_not_be_sent_holds_up_nothing_and_is_left_to_the_minute(verdict, api, session_id, is_slow):
    finished(api, session_id)
    with contextlib.ExitStack() as stack:
        queues = stack.enter_context(silent_server()) if is_slow else NOWHERE
        function = stack.enter_context(copy(verdict, "IncodeWebhooks", AWS_ENDPOINT_URL_SQS=queues))
        function.answer(as_event(webhook("session-started", {"interviewId": session_id})))
        began = time.monotonic()
        answer = function.answer(as_event(onboarding(session_id, "ONBOARDING_FINISHED")))
        took = time.monotonic() - began
        log(verdict, function, "waking the poller took too long; left to its next run" if is_slow
            else "could not wake the poller; left to its next run")
    assert answer.outcome == "recorded"
    assert took < WAKE_SECONDS + SLACK_SECONDS
    with poller(verdict, api) as function:
        function.call({})
    assert outcome(verdict, session_id) == "approved"


# ---- Too many requests ----

def test_too_many_requests_silence_every_process(awake, api, session_id):
    other_id = str(uuid.uuid4())
    finished(api, session_id, status=[throttled(60), "ONBOARDING_FINISHED"], score=["OK"])
    finished(api, other_id)
    with poller(awake, api) as other:
        # It has been asked before, and has nothing in mind.
        assert other.call({}) is None
        deliver(awake, onboarding(session_id, "ONBOARDING_FINISHED"))
        await_that(lambda: asked(api, session_id), "nobody asked")
        await_handled(awake)
        deliver(awake, onboarding(other_id, "ONBOARDING_FINISHED"))
        await_handled(awake)
        make_due(awake, session_id, other_id)
        other.call({})
        assert (asked(api, session_id), asked(api, other_id)) == ([STATUS], [])
        # Both stay due; when the pause is over, the minute's run asks.
        end_pause(awake)
        other.call({})
    assert {outcome(awake, each) for each in (session_id, other_id)} == {"approved"}


# ---- A session of which no webhook came ----

def test_a_session_without_any_webhook_is_asked_about_on_request(awake, api, decisions, session_id):
    finished(api, session_id)
    send(awake, request(session_id, reference="customer-1"))
    await_that(lambda: decisions.about(session_id), "no decision came")
    record = awake.session("incode", session_id)
    assert (record["kind"], record["status"], record["subject"]["reference"]) == ("onboarding", "decided", "customer-1")
    assert events(awake, session_id) == ["poll.requested", "onboarding_status.finished", "score.ok"]
    [message] = decisions.about(session_id)
    assert (message.body["data"]["outcome"], message.body["data"]["reference"]) == ("approved", "customer-1")
    assert scheduled(awake, session_id) is None
    assert [item["source"]["S"] for item in items(awake, session_id, "PAYLOAD")].count("wake-up") == 1


def test_your_own_service_may_ask_too_and_the_reference_may_be_left_out(awake, api, session_id):
    finished(api, session_id)
    send(awake, request(session_id), client=awake.backend("sqs"))
    await_that(lambda: decided(awake, session_id), "not decided")
    assert awake.session("incode", session_id)["subject"]["reference"] is None


def test_nobody_else_may_wake_the_poller(verdict, session_id):
    url = verdict.outputs["WakeUpQueueUrl"]
    for body in (request(session_id), json.dumps({"kind": "due", "provider": "incode", "sessionId": session_id})):
        with pytest.raises(ClientError, match="AccessDenied"):
            verdict.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    # Nor may the service do anything else there, or put anything on intake.
    for refused in (lambda: verdict.backend("sqs").receive_message(QueueUrl=url),
                    lambda: verdict.backend("sqs").send_message(
                        QueueUrl=verdict.outputs["IntakeQueueUrl"], MessageBody=request(session_id))):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()


def test_a_request_twice_is_one_event_and_a_question_each(awake, api, session_id):
    finished(api, session_id, **NOT_YET)
    for questions in (1, 2):
        send(awake, request(session_id, reference="customer-1"))
        await_that(lambda questions=questions: asked(api, session_id).count(SCORE) == questions, "nobody asked")
        await_handled(awake)
    assert events(awake, session_id).count("poll.requested") == 1


def test_a_request_asks_about_a_session_that_is_put_off_or_decided(awake, api, session_id):
    api.script(session_id, status=["ONBOARDING_FINISHED"], score=["WARN", "FAIL", "OK"])
    deliver(awake, onboarding(session_id, "ONBOARDING_FINISHED"))
    for expected in ("review", "declined", "approved"):
        await_that(lambda expected=expected: decided(awake, session_id) == expected, f"not {expected}")
        await_handled(awake)
        send(awake, request(session_id))
    await_handled(awake)
    assert scheduled(awake, session_id) is None


def test_a_session_that_incode_does_not_know_is_given_up_after_three_days(awake, api, session_id):
    api.script(session_id, status=[error(404)])
    send(awake, request(session_id, reference="customer-1"))
    await_that(lambda: asked(api, session_id), "nobody asked")
    await_handled(awake)
    place = scheduled(awake, session_id)
    assert (place["reason"], place["in"] > 0) == ("quiet", True)
    record = awake.session("incode", session_id)
    assert (record["status"], record["decision"], record["subject"]["reference"]) == ("new", None, "customer-1")
    rewrite(awake, session_id, "POLL", pollSince={"S": ago(hours=73)}, dueAt={"S": ago(seconds=1)})
    before = len(asked(api, session_id))
    with poller(awake, api) as function:
        function.call({})
        [line] = said(log(awake, function, "poll"), "poll")
    assert line["pollGivenUp"] == 1
    assert scheduled(awake, session_id) is None
    assert len(asked(api, session_id)) == before


def test_a_request_that_the_table_can_not_take_stays_on_the_queue(verdict, api, session_id):
    with poller(verdict, api, AWS_ENDPOINT_URL_DYNAMODB=NOWHERE) as function:
        records = [{"messageId": "one", "body": request(session_id)}, {"messageId": "two", "body": "{}"}]
        assert function.call({"Records": records}) == {"batchItemFailures": [{"itemIdentifier": "one"}]}
    assert api.requests == []


MALFORMED = {
    "no JSON": "canary customer-1",
    "no object": '["canary"]',
    "another kind": '{"kind":"canary","interviewId":"i"}',
    "no interview": '{"kind":"poll","reference":"canary"}',
    "a blank interview": '{"kind":"poll","interviewId":" ","reference":"canary"}',
    "an interview too long": json.dumps({"kind": "poll", "interviewId": "canary" * 200}),
    "an interview twice": '{"kind":"poll","interviewId":"canary","interviewId":"canary-2"}',
    "no interview's id": '{"kind":"poll","interviewId":"request:canary"}',
    "due at no time": '{"kind":"due","provider":"incode","sessionId":"canary","dueAt":"canary"}',
}


def test_what_can_not_be_read_is_dropped_and_not_repeated_in_the_log(awake, api, session_id):
    finished(api, session_id)
    before = sum(line["wakeUpUnreadable"] for line in lines(awake, "wake-up"))
    send(awake, *MALFORMED.values(), request(session_id))
    await_that(lambda: decided(awake, session_id), "held up")
    await_handled(awake)
    await_that(lambda: sum(line["wakeUpUnreadable"] for line in lines(awake, "wake-up")) == before + len(MALFORMED),
               "not counted")
    assert_discreet(log(awake, deployed(awake, "IncodePoller"), "wake-up"), "canary")
    assert {made.session_id for made in api.requests} - {None} == {session_id}
