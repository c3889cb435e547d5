"""When the poller asks, when it stops asking, and what it makes of an API that gives no answers."""
from __future__ import annotations

import contextlib
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from stack.deployment import NAME
from stack.incode_api import (
    APPROVED, LOG_IN, SCORE, STATUS, Answer, Ending, IncodeApi, document, ending, error, held, html, huge, redirect,
    throttled)
from stack.incode_api import said as fine_answer

from .deliveries import post_all
from .functions import Ended, Function
from .incode import (
    ago, arrived, clear_schedule, deliver, end_pause, events, make_due, onboarding, outcome, poller, poller_rule,
    rewrite, scheduled, webhook)
from .logs import assert_discreet, log, said

MINUTE, HOUR = 60, 3600
#: What the webhooks of all providers alike decide counts here.
pytestmark = pytest.mark.usefixtures("nobody_else_is_due", "believing")

NOWHERE = "http://127.0.0.1:9"
#: What passes between an instant that counts and the one at which a test looks.
SLACK_SECONDS = 20
#: Until the stack's own schedule has come round, and the run is over.
SCHEDULE_SECONDS = 150


@pytest.fixture
def api():
    """An Incode of the test's own."""
    with IncodeApi() as running:
        yield running


@pytest.fixture
def function(verdict, api):
    """The poller that asks it."""
    with poller(verdict, api) as copied:
        yield copied


def waiting(verdict, api, count=1, **script) -> list[str]:
    """So many sessions that wait for their decision, the longest first."""
    session_ids = [str(uuid.uuid4()) for _ in range(count)]
    script = script or {"status": ["ONBOARDING_FINISHED"], "score": ["OK"]}
    for session_id in session_ids:
        api.script(session_id, **script)
    deliveries = [onboarding(session_id, "ONBOARDING_FINISHED") for session_id in session_ids]
    answers = post_all(verdict, deliveries, at_once=8)
    assert {answer.outcome for answer in answers} == {"recorded"}
    return session_ids


def run(verdict, function: Function) -> dict:
    """Has the poller do its round; what it says of it."""
    before = len(said(lines_of(verdict, function), "poll"))
    assert function.call({}) is None
    return said(log(verdict, function, "poll", at_least=before + 1), "poll")[-1]


def lines_of(verdict, function) -> list[str]:
    return log(verdict, function, "poll", at_least=0)


def counted(line: dict) -> dict:
    """The counts of a round that are not zero; all of them are metrics."""
    [metrics] = line["_aws"]["CloudWatchMetrics"]
    names = [metric["Name"] for metric in metrics["Metrics"]]
    assert metrics["Namespace"] == NAME
    assert set(line) - {"_aws", "message", "version"} == set(names)
    return {name: line[name] for name in names if line[name] and name != "oldestPollDue"}


def assert_nothing_secret(verdict, function, *apis):
    tokens = {request.headers.get("x-incode-hardware-id") for api in apis for request in api.requests} - {None}
    keys = [secret for api in apis for name, secret in api.credentials.items() if name != "baseUrl"]
    assert_discreet(lines_of(verdict, function), *tokens, *keys, "synthetic", "be right back")


# ---- When ----

def test_the_longer_nothing_comes_the_longer_the_pauses(verdict, api, function):
    [session_id] = waiting(verdict, api, status=["ONBOARDING_FINISHED"], score=["UNKNOWN"])
    pauses = []
    for tries in range(1, 5):
        run(verdict, function)
        place = scheduled(verdict, session_id)
        assert (place["reason"], place["tries"]) == ("decision", tries)
        pauses.append(place["in"])
        # Not due, not asked.
        run(verdict, function)
        assert len(api.about(session_id)) == 2 * tries
        make_due(verdict, session_id)
    assert pauses == [pytest.approx(2 ** tries * MINUTE, abs=SLACK_SECONDS) for tries in range(4)]

    rewrite(verdict, session_id, "POLL", pollTries={"N": "30"})
    run(verdict, function)
    assert scheduled(verdict, session_id)["in"] == pytest.approx(4 * HOUR, abs=SLACK_SECONDS)


def test_a_failure_is_a_try_too(verdict, api, function):
    [session_id] = waiting(verdict, api, status=[error(500)])
    pauses = []
    for _ in range(3):
        run(verdict, function)
        pauses.append(scheduled(verdict, session_id)["in"])
        make_due(verdict, session_id)
    assert pauses == [pytest.approx(2 ** tries * MINUTE, abs=SLACK_SECONDS) for tries in range(3)]


def test_a_quiet_session_is_left_alone_for_as_long_as_retries_may_come_then_asked_about_seldom(
        verdict, api, function, session_id):
    deliver(verdict, webhook("session-started", {"interviewId": session_id}))
    place = scheduled(verdict, session_id)
    assert place == {"reason": "quiet", "tries": 0, "in": pytest.approx(40 * MINUTE, abs=SLACK_SECONDS)}
    pauses = []
    for _ in range(5):
        make_due(verdict, session_id)
        run(verdict, function)
        pauses.append(scheduled(verdict, session_id)["in"])
    assert pauses == [pytest.approx(minutes * MINUTE, abs=SLACK_SECONDS) for minutes in (32, 64, 128, 240, 240)]


def test_news_begin_the_waiting_anew(verdict, api, function, session_id):
    deliver(verdict, webhook("session-started", {"interviewId": session_id}))
    rewrite(verdict, session_id, "POLL", dueAt={"S": ago(minutes=-5)}, pollTries={"N": "7"})
    deliver(verdict, onboarding(session_id, "FACE_VALIDATION_FINISHED"))
    place = scheduled(verdict, session_id)
    assert place == {"reason": "quiet", "tries": 0, "in": pytest.approx(40 * MINUTE, abs=SLACK_SECONDS)}
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    place = scheduled(verdict, session_id)
    assert place == {"reason": "decision", "tries": 0, "in": pytest.approx(0, abs=SLACK_SECONDS)}
    assert place["in"] <= 0


def test_a_session_that_waits_for_its_decision_is_not_put_back_by_news_of_other_things(verdict, api):
    [session_id] = waiting(verdict, api)
    deliver(verdict, onboarding(session_id, "POST_PROCESSING_FINISHED"))
    assert scheduled(verdict, session_id)["reason"] == "decision"
    assert scheduled(verdict, session_id)["in"] <= 0


def test_a_retry_does_not_begin_the_waiting_anew(verdict, api, function):
    [session_id] = waiting(verdict, api, status=["ONBOARDING_FINISHED"], score=["UNKNOWN"])
    run(verdict, function)
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"), "duplicate")
    place = scheduled(verdict, session_id)
    assert (place["tries"], place["in"] > 0) == (1, True)


def test_a_session_that_the_function_died_before_scheduling_is_scheduled_by_the_retry(verdict, api):
    [session_id] = waiting(verdict, api)
    clear_schedule(verdict)
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"), "duplicate")
    assert scheduled(verdict, session_id)["reason"] == "decision"


def test_a_session_that_does_not_decide_is_given_up_after_three_days(verdict, api, function):
    young, old = waiting(verdict, api, 2, status=["ONBOARDING_FINISHED"], score=["UNKNOWN"])
    rewrite(verdict, young, "POLL", pollSince={"S": ago(hours=71)})
    rewrite(verdict, old, "POLL", pollSince={"S": ago(hours=73)})
    counts = counted(run(verdict, function))
    assert counts == {"polled": 1, "pollGivenUp": 1}
    assert (len(api.about(young)), len(api.about(old))) == (2, 0)
    assert scheduled(verdict, young) and scheduled(verdict, old) is None
    # Until something is heard of it again.
    deliver(verdict, onboarding(old, "GOVERNMENT_VALIDATION_FINISHED"))
    assert scheduled(verdict, old)["reason"] == "quiet"


def test_a_session_that_a_dead_run_has_taken_is_asked_about_later(verdict, api, function):
    [session_id] = waiting(verdict, api)
    # As a run leaves it that has taken it and not come back.
    rewrite(verdict, session_id, "POLL", dueAt={"S": ago(seconds=-60)}, pollTries={"N": "1"})
    assert counted(run(verdict, function)) == {}
    make_due(verdict, session_id)
    assert counted(run(verdict, function)) == {"polled": 1, "pollNews": 1}


def test_a_round_says_what_it_did(verdict, api, function):
    assert counted(run(verdict, function)) == {}
    [approved] = waiting(verdict, api)
    [silent] = waiting(verdict, api, status=["UNKNOWN"])
    [decided] = waiting(verdict, api)
    deliver(verdict, onboarding(decided, "MANUAL_REVIEW_REJECTED"))
    rewrite(verdict, silent, "POLL", dueAt={"S": ago(minutes=10)})
    line = run(verdict, function)
    assert counted(line) == {"polled": 2, "pollNews": 1, "pollDecided": 1}
    assert line["oldestPollDue"] == pytest.approx(10 * MINUTE, abs=SLACK_SECONDS)
    assert outcome(verdict, approved) == "approved"


# ---- How many at once ----

def test_many_are_asked_about_in_one_round_four_at_a_time_and_on_one_log_in(verdict, decisions, api, function):
    gate = threading.Event()
    session_ids = waiting(
        verdict, api, 30, status=[held(fine_answer(STATUS, "ONBOARDING_FINISHED"), gate)], score=["OK"])
    with ThreadPoolExecutor(1) as pool, opened_at_last(gate):
        round_ = pool.submit(run, verdict, function)
        end = time.monotonic() + SLACK_SECONDS
        while asked(api, STATUS) < 4:
            assert time.monotonic() < end, "nobody asked"
            time.sleep(0.02)
        # Time enough for a fifth.
        time.sleep(0.5)
        assert asked(api, STATUS) == 4
        gate.set()
        counts = counted(round_.result())
    assert counts == {"polled": 30, "pollNews": 30}
    assert api.most_at_once == 4
    assert (asked(api, STATUS), asked(api, SCORE), asked(api, LOG_IN)) == (30, 30, 1)
    for session_id in session_ids:
        assert len(decisions.about(session_id)) == 1


def test_two_rounds_at_once_ask_about_each_session_once(verdict, decisions, api, function):
    session_ids = waiting(verdict, api, 30)
    with poller(verdict, api) as other, ThreadPoolExecutor(2) as pool:
        rounds = list(pool.map(lambda each: counted(run(verdict, each)), [function, other]))
    assert sum(counts.get("polled", 0) for counts in rounds) == 30
    for session_id in session_ids:
        assert [request.path for request in api.about(session_id)] == [STATUS, SCORE]
        assert len(decisions.about(session_id)) == 1


def asked(api, path):
    return sum(request.path == path for request in api.requests)


@contextlib.contextmanager
def opened_at_last(gate):
    """Whatever happens, nobody is kept waiting."""
    try:
        yield
    finally:
        gate.set()


# ---- An API that fails for one session ----

FAILURES = {
    "a fault of its own": (error(500), "server"),
    "a gateway's page with 502": (html(502), "server"),
    "a session it does not know": (error(404), "refused"),
    "a question it does not understand": (error(400), "refused"),
    "a page for people with 200": (html(), "unreadable"),
    "an empty answer": (Answer(200, b""), "unreadable"),
    "no object": (document(["ONBOARDING_FINISHED"]), "unreadable"),
    "an object without what was asked for": (document({"status": "OK"}), "unreadable"),
    "an answer twice": (
        Answer(200, b'{"onboardingStatus":"EXPIRED","onboardingStatus":"ONBOARDING_FINISHED",'
                    b'"overall":{"status":"OK"},"overall":{"status":"FAIL"}}'), "unreadable"),
    "bytes that are no text": (Answer(200, b'{"onboardingStatus":"\xff"}'), "unreadable"),
    "a huge answer": (huge(), "too_long"),
    "an answer that is cut off": (ending(Ending.CUT), "unreachable"),
}


@pytest.mark.parametrize("answer, code", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("question", ["status", "score"])
def test_a_session_that_can_not_be_asked_about_is_tried_later_and_holds_up_no_other(
        verdict, decisions, api, function, question, answer, code):
    right = {"status": ["ONBOARDING_FINISHED"], "score": ["OK"]}
    [failing] = waiting(verdict, api, **{**right, question: [answer]})
    [first, second] = waiting(verdict, api, 2)

    line = run(verdict, function)

    assert counted(line) == {"polled": 2, "pollNews": 2, "pollFailed": 1, f"pollFailed.{code}": 1}
    for session_id in (first, second):
        assert outcome(verdict, session_id) == "approved"
    assert outcome(verdict, failing) is None
    assert events(verdict, failing) == ["onboarding_status.finished"]
    assert scheduled(verdict, failing)["in"] == pytest.approx(MINUTE, abs=SLACK_SECONDS)
    assert any('"level":"WARN"' in line and "stays on the schedule" in line for line in lines_of(verdict, function))
    assert_nothing_secret(verdict, function, api)

    api.script(failing, **right)
    make_due(verdict, failing)
    run(verdict, function)
    assert [message.body["data"]["outcome"] for message in decisions.about(failing)] == ["approved"]


def test_sessions_about_which_no_answer_comes_in_time_hold_up_no_other(verdict, api, function):
    right = {"status": ["ONBOARDING_FINISHED"], "score": ["OK"]}
    failing = [
        waiting(verdict, api, **{**right, question: [ending(how)]})[0]
        for question, how in [("status", Ending.SILENT), ("score", Ending.SILENT), ("status", Ending.STALLED)]]
    others = waiting(verdict, api, 5)
    line = run(verdict, function)
    assert counted(line) == {"polled": 5, "pollNews": 5, "pollFailed": 3, "pollFailed.timeout": 3}
    assert {outcome(verdict, session_id) for session_id in others} == {"approved"}
    for session_id in failing:
        assert scheduled(verdict, session_id)["reason"] == "decision"
    assert_nothing_secret(verdict, function, api)


@pytest.mark.parametrize("question", ["status", "score"])
def test_a_redirect_is_not_followed_and_takes_no_key_along(verdict, api, function, question):
    with IncodeApi() as elsewhere:
        right = {"status": ["ONBOARDING_FINISHED"], "score": ["OK"]}
        [session_id] = waiting(verdict, api, **{**right, question: [redirect(f"{elsewhere.base_url}{STATUS}?id=x")]})
        assert counted(run(verdict, function)) == {"pollFailed": 1, "pollFailed.refused": 1}
        assert elsewhere.requests == []
    assert scheduled(verdict, session_id)
    assert_nothing_secret(verdict, function, api, elsewhere)


def test_a_log_in_that_is_redirected_takes_no_password_along(verdict, api, function):
    with IncodeApi() as elsewhere:
        api.interject(LOG_IN, *[redirect(elsewhere.base_url + LOG_IN)] * 2)
        [session_id] = waiting(verdict, api)
        assert counted(run(verdict, function)) == {"pollFailed": 1, "pollFailed.refused": 1}
        assert elsewhere.requests == []
    assert scheduled(verdict, session_id)


def test_what_was_learnt_before_a_failure_stays(verdict, api, function, session_id):
    deliver(verdict, webhook("session-started", {"interviewId": session_id}))
    api.script(session_id, status=["ONBOARDING_FINISHED"], score=[error(500), "FAIL"])
    for ends_as in ("submitted", "decided"):
        make_due(verdict, session_id)
        run(verdict, function)
        assert verdict.session("incode", session_id)["status"] == ends_as
    assert events(verdict, session_id) == ["session.started", "onboarding_status.finished", "score.fail"]


def test_a_recheck_that_failed_is_one_still(verdict, api, function):
    [session_id] = waiting(verdict, api)
    run(verdict, function)
    arrived(verdict, session_id, "onboarding_status.finished", minutes=41)
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"), "duplicate")
    api.script(session_id, status=[error(500), "MANUAL_REVIEW_REJECTED"])
    run(verdict, function)
    assert (scheduled(verdict, session_id)["reason"], outcome(verdict, session_id)) == ("recheck", "approved")
    make_due(verdict, session_id)
    run(verdict, function)
    assert (scheduled(verdict, session_id), outcome(verdict, session_id)) == (None, "declined")


# ---- An API that fails for everybody ----

def test_a_token_that_is_refused_is_renewed_once(verdict, api, function):
    [session_id] = waiting(verdict, api, status=[error(401), "ONBOARDING_FINISHED"], score=["OK"])
    assert counted(run(verdict, function)) == {"polled": 1, "pollNews": 1}
    assert [request.path for request in api.requests] == [LOG_IN, STATUS, LOG_IN, STATUS, SCORE]
    assert outcome(verdict, session_id) == "approved"


def test_a_token_is_kept_from_round_to_round_until_its_day_is_over(verdict, api, function):
    for log_ins in (1, 1, 2):
        [session_id] = waiting(verdict, api)
        if log_ins == 2:
            api.revoke_tokens()
        assert counted(run(verdict, function)) == {"polled": 1, "pollNews": 1}
        assert outcome(verdict, session_id) == "approved"
        assert asked(api, LOG_IN) == log_ins


def test_many_whose_token_is_refused_at_once_log_in_once(verdict, api, function):
    waiting(verdict, api, 4)
    run(verdict, function)
    api.revoke_tokens()
    waiting(verdict, api, 12)
    assert counted(run(verdict, function)) == {"polled": 12, "pollNews": 12}
    assert asked(api, LOG_IN) == 2


FAILURES_FOR_ALL = {
    "every token is refused": (STATUS, error(401), "unauthorised"),
    "the log-in is refused": (LOG_IN, error(401), "unauthorised"),
    "the log-in gives no token": (LOG_IN, document({"message": "no token"}), "no_token"),
    "the log-in is a page for people": (LOG_IN, html(), "no_token"),
    "the API key is refused": (STATUS, error(403), "forbidden"),
    "the API key is refused at the log-in": (LOG_IN, error(403), "forbidden"),
    "too many requests": (STATUS, error(429), "too_many_requests"),
    "too many requests, with an hour to wait": (STATUS, throttled(3600), "too_many_requests"),
    "too many requests at the log-in": (LOG_IN, throttled(30), "too_many_requests"),
    "too many requests, with a date to wait for": (
        STATUS, error(429, Retry_After="Fri, 31 Dec 2100 23:59:59 GMT"), "too_many_requests"),
}


@pytest.mark.parametrize("path, answer, code", FAILURES_FOR_ALL.values(), ids=FAILURES_FOR_ALL)
def test_an_api_that_has_had_enough_is_left_alone_and_everybody_stays_on_the_schedule(
        verdict, api, function, path, answer, code):
    session_ids = waiting(verdict, api, 12)
    api.interject(path, *[answer] * 100)

    counts = counted(run(verdict, function))

    # Those that were being asked about, and nobody after.
    failed = counts[f"pollFailed.{code}"]
    assert counts == {"pollFailed": failed, f"pollFailed.{code}": failed, "pollLeft": 12 - failed}
    assert 1 <= failed <= 4
    assert asked(api, STATUS) <= 2 * failed
    assert asked(api, SCORE) == 0
    for session_id in session_ids:
        assert scheduled(verdict, session_id) is not None
    assert_nothing_secret(verdict, function, api)

    # Nor does the same process ask in its next round, if that comes at once. Another one does, which may have better
    # credentials, except if it is the number of requests that Incode minds.
    before = len(api.requests)
    make_due(verdict, *session_ids)
    assert counted(run(verdict, function)) == {"pollLeft": 12}
    assert len(api.requests) == before
    with IncodeApi() as mended, poller(verdict, mended) as other:
        mended.unscripted = APPROVED
        if code == "too_many_requests":
            assert counted(run(verdict, other)) == {"pollLeft": 12}
            assert mended.requests == []
            end_pause(verdict)
        assert counted(run(verdict, other)) == {"polled": 12, "pollNews": 12}
    assert {outcome(verdict, session_id) for session_id in session_ids} == {"approved"}


def test_after_the_time_that_it_asked_for_the_api_is_asked_again(verdict, api, function):
    [session_id] = waiting(verdict, api, status=[throttled(2), "ONBOARDING_FINISHED"], score=["OK"])
    run(verdict, function)
    end = time.monotonic() + SLACK_SECONDS
    while outcome(verdict, session_id) is None:
        assert time.monotonic() < end, "not asked again"
        make_due(verdict, session_id)
        run(verdict, function)
        time.sleep(0.2)
    first, second = [request.at for request in api.about(session_id) if request.path == STATUS]
    assert second - first >= 1.9


@pytest.mark.parametrize("answer, code", [
    (error(500), "server"), (error(404), "refused"), (ending(Ending.CUT), "unreachable"), (huge(), "too_long")],
    ids=["a fault of its own", "unknown", "cut off", "huge"])
def test_a_log_in_that_fails_leaves_everybody_on_the_schedule(verdict, api, function, answer, code):
    session_ids = waiting(verdict, api, 3)
    api.interject(LOG_IN, *[answer] * 3)
    assert counted(run(verdict, function)) == {"pollFailed": 3, f"pollFailed.{code}": 3}
    api.relent(LOG_IN)
    assert asked(api, STATUS) == 0
    make_due(verdict, *session_ids)
    assert counted(run(verdict, function)) == {"polled": 3, "pollNews": 3}
    assert_nothing_secret(verdict, function, api)


def test_an_api_that_can_not_be_reached_leaves_everybody_on_the_schedule(verdict, api):
    session_ids = waiting(verdict, api, 3)
    with poller(verdict, api, {"baseUrl": NOWHERE}) as function:
        assert counted(run(verdict, function)) == {"pollFailed": 3, "pollFailed.unreachable": 3}
        assert_nothing_secret(verdict, function, api)
    for session_id in session_ids:
        assert scheduled(verdict, session_id)["in"] > 0


def test_wrong_keys_are_named_by_what_to_mend(verdict, api):
    for member, code in (("apiKey", "403"), ("password", "401")):
        clear_schedule(verdict)
        waiting(verdict, api)
        wrong = f"another-{member}-0123456789abcdef"
        with poller(verdict, api, {member: wrong}) as function:
            run(verdict, function)
            lines = lines_of(verdict, function)
            [warning] = said(lines, "a session could not be polled; it stays on the schedule")
            assert code in warning["error"] and f"`{member}`" in warning["error"]
            assert_discreet(lines, wrong)


# ---- A table or a queue that fails ----

def test_without_the_queue_a_score_is_recorded_and_left_to_the_relay(verdict, decisions, api):
    [session_id] = waiting(verdict, api)
    with poller(verdict, api, AWS_ENDPOINT_URL_SQS=NOWHERE) as function:
        assert counted(run(verdict, function)) == {"polled": 1, "pollNews": 1}
    assert outcome(verdict, session_id) == "approved"
    assert scheduled(verdict, session_id) is None
    assert decisions.about(session_id) == []
    end = time.monotonic() + SCHEDULE_SECONDS
    while decisions.about(session_id) == []:
        assert time.monotonic() < end, "not published"
        verdict.invoke("OutboxRelay")
        time.sleep(0.5)
    assert [message.body["data"]["outcome"] for message in decisions.about(session_id)] == ["approved"]


def test_without_the_table_a_round_fails_and_asks_nothing(verdict, api):
    [session_id] = waiting(verdict, api)
    with poller(verdict, api, AWS_ENDPOINT_URL_DYNAMODB=NOWHERE) as function:
        with pytest.raises(Ended):
            function.call({})
        assert_nothing_secret(verdict, function, api)
    assert api.requests == []
    assert scheduled(verdict, session_id)["tries"] == 0


# ---- The schedule itself ----

def test_every_minute_the_stack_runs_the_poller_by_itself(verdict, decisions):
    [session_id] = waiting(verdict, verdict.incode_api)
    rules, rule = verdict.client("events"), poller_rule(verdict)
    rules.enable_rule(Name=rule)
    try:
        end = time.monotonic() + SCHEDULE_SECONDS
        while decisions.about(session_id) == []:
            assert time.monotonic() < end, "nobody asked"
            time.sleep(0.5)
    finally:
        rules.disable_rule(Name=rule)
    assert outcome(verdict, session_id) == "approved"
