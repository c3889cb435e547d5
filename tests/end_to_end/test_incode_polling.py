"""What the poller asks Incode, and what becomes of the answers."""
from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from stack.incode_api import SCORE, STATUS, held
from stack.incode_api import said as fine_answer

from . import intake
from .deliveries import INCODE, as_event
from .functions import copy, deployed
from .incode import (
    PATIENCE_SECONDS, arrived, credentials, deliver, events, items, make_due, moment, onboarding,
    outcome, scheduled, webhook)
from .logs import TALKATIVE, log, said


#: What the webhooks of all providers alike decide counts here.
pytestmark = pytest.mark.usefixtures("nobody_else_is_due", "believing")

def poll(verdict):
    verdict.invoke("IncodePoller")


def notified(decisions, session_id):
    return [message.body["data"]["outcome"] for message in decisions.about(session_id)]


# ---- From a finished onboarding to a decision ----

def test_a_finished_onboarding_is_asked_about_and_its_score_is_notified_once(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["OK"])
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED", externalId="customer-1"))
    assert verdict.session("incode", session_id)["status"] == "submitted"
    assert notified(decisions, session_id) == []

    for _ in range(3):
        poll(verdict)

    record = verdict.session("incode", session_id)
    assert (record["decision"]["outcome"], record["decision"]["final"]) == ("approved", True)
    assert (record["status"], record["events"], record["notifications"]) == ("decided", 2, 1)
    assert record["subject"]["reference"] == "customer-1"
    assert events(verdict, session_id) == ["onboarding_status.finished", "score.ok"]
    assert [request.path for request in verdict.incode_api.about(session_id)] == [STATUS, SCORE]
    assert scheduled(verdict, session_id) is None
    [message] = decisions.about(session_id)
    assert message.body["data"] | {"decidedAt": None} == {
        "provider": "incode", "sessionId": session_id, "kind": "onboarding", "attemptId": None, "sequence": 1,
        "outcome": "approved", "final": True, "previousOutcome": None, "reasonCode": None, "reasonCodes": [],
        "detail": {"score": "0.0"}, "correction": False, "decidedAt": None, "reference": "customer-1",
        "providerUserId": None, "checks": {}}


def test_a_finished_onboarding_that_waited_for_the_table_is_asked_about_as_any_other(verdict, session_id):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["OK"])
    intake.spool(verdict, INCODE, [onboarding(session_id, "ONBOARDING_FINISHED")])
    intake.await_empty(verdict)
    assert scheduled(verdict, session_id) is not None
    poll(verdict)
    assert outcome(verdict, session_id) == "approved"


@pytest.mark.parametrize("score, status, decided, is_over", [
    ("OK", "decided", "approved", True),
    ("MANUAL_OK", "decided", "approved", True),
    ("FAIL", "decided", "declined", True),
    ("MANUAL_FAIL", "decided", "declined", True),
    ("WARN", "in_review", "review", False),
    ("MANUAL", "in_review", "review", False),
    ("MANUAL_PENDING", "in_review", "review", False),
    ("UNKNOWN", "submitted", None, False),
    ("NEVER_HEARD_OF", "submitted", None, False),
])
def test_a_score_means_what_the_contract_says(verdict, decisions, session_id, score, status, decided, is_over):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=[score])
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    poll(verdict)
    assert verdict.session("incode", session_id)["status"] == status
    assert outcome(verdict, session_id) == decided
    assert notified(decisions, session_id) == ([decided] if decided else [])
    assert (scheduled(verdict, session_id) is None) == is_over


@pytest.mark.parametrize("status, name, ends_as", [
    ("ID_VALIDATION_FINISHED", "id_validation_finished", "started"),
    ("POST_PROCESSING_FINISHED", "post_processing_finished", "started"),
    ("FACE_VALIDATION_FINISHED", "face_validation_finished", "started"),
    ("GOVERNMENT_VALIDATION_FINISHED", "government_validation_finished", "new"),
    ("MANUAL_REVIEW_APPROVED", "manual_review_approved", "decided"),
    ("MANUAL_REVIEW_REJECTED", "manual_review_rejected", "decided"),
    ("EXPIRED", "expired", "decided"),
    ("NEVER_HEARD_OF", "unrecognised", "new"),
])
def test_what_a_quiet_session_has_come_to_is_learnt_and_no_score_asked_for(verdict, session_id, status, name, ends_as):
    verdict.incode_api.script(session_id, status=[status], score=["OK"])
    deliver(verdict, webhook("session-progress", {"interviewId": session_id}))
    make_due(verdict, session_id)
    poll(verdict)
    assert events(verdict, session_id) == ["session.progress", f"onboarding_status.{name}"]
    assert verdict.session("incode", session_id)["status"] == ends_as
    assert [request.path for request in verdict.incode_api.about(session_id)] == [STATUS]
    assert (scheduled(verdict, session_id) is None) == (ends_as == "decided")


def test_a_status_that_verdict_does_not_know_is_counted_as_a_webhooks_is(verdict, session_id):
    poller = deployed(verdict, "IncodePoller")
    verdict.incode_api.script(session_id, status=["NEVER_HEARD_OF"])
    deliver(verdict, webhook("session-progress", {"interviewId": session_id}))
    make_due(verdict, session_id)
    before = len(said(log(verdict, poller, "finding", at_least=0), "finding"))
    poll(verdict)
    [line] = said(log(verdict, poller, "finding", at_least=before + 1), "finding")[before:]
    assert (line["session"], line["outcome"], line["unrecognised"]) == (f"incode/{session_id}", "recorded", 1)
    [metrics] = line["_aws"]["CloudWatchMetrics"]
    assert (metrics["Dimensions"], metrics["Metrics"]) == ([["provider"]], [{"Name": "unrecognised", "Unit": "Count"}])


def test_a_score_that_is_not_there_yet_is_asked_for_again(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["UNKNOWN", "MANUAL_PENDING", "OK"])
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    seen = []
    for _ in range(3):
        make_due(verdict, session_id)
        poll(verdict)
        seen.append(outcome(verdict, session_id))
    assert seen == [None, "review", "approved"]
    assert notified(decisions, session_id) == ["review", "approved"]
    assert scheduled(verdict, session_id) is None


def test_a_session_whose_webhooks_were_all_lost_after_the_first_is_decided_all_the_same(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["UNKNOWN", "FACE_VALIDATION_FINISHED", "ONBOARDING_FINISHED"],
                              score=["FAIL"])
    deliver(verdict, webhook("session-started", {"sessionId": session_id}))
    statuses = []
    for _ in range(3):
        assert scheduled(verdict, session_id)["reason"] == "quiet"
        make_due(verdict, session_id)
        poll(verdict)
        statuses.append(verdict.session("incode", session_id)["status"])
    assert statuses == ["started", "started", "decided"]
    assert verdict.session("incode", session_id)["checks"]["face"]["outcome"] == "captured"
    assert notified(decisions, session_id) == ["declined"]


def test_what_an_answer_says_counts_from_before_it_was_asked_for_and_is_kept_with_its_source(verdict, session_id):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["OK"])
    deliver(verdict, webhook("session-started", {"interviewId": session_id}))
    make_due(verdict, session_id)
    poll(verdict)
    asked = {request.path: request.at for request in verdict.incode_api.about(session_id)}
    known = {item["event"]["M"]["name"]["S"]: item["event"]["M"]["receivedAt"]["S"]
             for item in items(verdict, session_id, "EVENT")}
    assert moment(known["onboarding_status.finished"]) <= asked[STATUS]
    assert asked[STATUS] <= moment(known["score.ok"]) <= asked[SCORE]
    payloads = {item["source"]["S"]: json.loads(item["payload"]["S"]) for item in items(verdict, session_id, "PAYLOAD")}
    assert payloads[STATUS] == {"onboardingStatus": "ONBOARDING_FINISHED"}
    assert payloads[SCORE]["overall"]["status"] == "OK"


# ---- A webhook and a poll that say the same ----

@pytest.mark.parametrize("status", ["MANUAL_REVIEW_APPROVED", "MANUAL_REVIEW_REJECTED", "EXPIRED"])
def test_what_a_poll_has_learnt_a_webhook_does_not_count_again(verdict, decisions, session_id, status):
    verdict.incode_api.script(session_id, status=[status])
    deliver(verdict, webhook("session-started", {"interviewId": session_id}))
    make_due(verdict, session_id)
    poll(verdict)
    before = verdict.session("incode", session_id)
    deliver(verdict, onboarding(session_id, status, clientId="a client"), "duplicate")
    assert verdict.session("incode", session_id) == before
    assert len(notified(decisions, session_id)) == 1


@pytest.mark.parametrize("status", ["MANUAL_REVIEW_APPROVED", "MANUAL_REVIEW_REJECTED", "EXPIRED"])
def test_what_a_webhook_has_told_a_poll_does_not_count_again(verdict, decisions, session_id, status):
    verdict.incode_api.script(session_id, status=[status])
    come_late(verdict, session_id, status, f"onboarding_status.{status.lower()}")
    before = verdict.session("incode", session_id)
    poll(verdict)
    assert len(verdict.incode_api.about(session_id)) == 1
    assert verdict.session("incode", session_id) == before
    assert len(notified(decisions, session_id)) == 1


@pytest.mark.parametrize("poll_first", [True, False], ids=["poll first", "webhook first"])
def test_that_an_onboarding_is_finished_counts_once(verdict, decisions, session_id, poll_first):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["OK"])
    finished = onboarding(session_id, "ONBOARDING_FINISHED")
    deliver(verdict, webhook("session-started", {"interviewId": session_id}) if poll_first else finished)
    make_due(verdict, session_id)
    poll(verdict)
    deliver(verdict, finished, "duplicate")
    assert events(verdict, session_id)[-2:] == ["onboarding_status.finished", "score.ok"]
    assert verdict.session("incode", session_id)["events"] == (3 if poll_first else 2)
    assert notified(decisions, session_id) == ["approved"]
    # The copy does not put back on the schedule what is decided.
    poll(verdict)
    assert len(verdict.incode_api.about(session_id)) == 2


@pytest.mark.parametrize("score, decided, status", [
    ("OK", "approved", "MANUAL_REVIEW_APPROVED"), ("FAIL", "declined", "MANUAL_REVIEW_REJECTED")])
def test_a_score_and_a_review_that_agree_are_one_decision(verdict, decisions, session_id, score, decided, status):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=[score])
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    poll(verdict)
    deliver(verdict, onboarding(session_id, status))
    assert verdict.session("incode", session_id)["events"] == 3
    assert notified(decisions, session_id) == [decided]


def test_a_session_that_a_webhook_decides_meanwhile_is_not_asked_about(verdict, decisions, session_id):
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_REJECTED"))
    poll(verdict)
    assert verdict.incode_api.about(session_id) == []
    assert scheduled(verdict, session_id) is None
    assert notified(decisions, session_id) == ["declined"]


def test_an_answer_does_not_undo_what_a_webhook_said_while_it_was_on_its_way(verdict, decisions, session_id):
    may_arrive = threading.Event()
    slow = held(fine_answer(SCORE, "OK"), may_arrive)
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=[slow])
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    try:
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(poll, verdict)
            await_question(verdict, session_id, SCORE)
            deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_REJECTED"))
            may_arrive.set()
            run.result()
    finally:
        may_arrive.set()
    assert events(verdict, session_id) == [
        "onboarding_status.finished", "score.ok", "onboarding_status.manual_review_rejected"]
    assert outcome(verdict, session_id) == "declined"
    assert notified(decisions, session_id) == ["declined"]
    assert scheduled(verdict, session_id) is None


def await_question(verdict, session_id, path):
    end = time.monotonic() + PATIENCE_SECONDS
    while path not in [request.path for request in verdict.incode_api.about(session_id)]:
        assert time.monotonic() < end, "nobody asked"
        time.sleep(0.02)


# ---- What comes later than any retry ----

def come_late(verdict, session_id, status, name, first="recorded"):
    """The same webhook twice, with more time between than Incode's retries take."""
    deliver(verdict, onboarding(session_id, status), first)
    arrived(verdict, session_id, name, minutes=41)
    deliver(verdict, onboarding(session_id, status), "duplicate")


def test_a_late_copy_has_a_decided_session_asked_about_and_corrected(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["MANUAL_REVIEW_REJECTED"])
    come_late(verdict, session_id, "MANUAL_REVIEW_APPROVED", "onboarding_status.manual_review_approved")
    assert scheduled(verdict, session_id)["reason"] == "recheck"
    assert scheduled(verdict, session_id)["in"] <= 0
    assert outcome(verdict, session_id) == "approved"
    poll(verdict)
    assert outcome(verdict, session_id) == "declined"
    assert [(message.body["data"]["outcome"], message.body["data"]["previousOutcome"])
            for message in decisions.about(session_id)] == [("approved", None), ("declined", "approved")]
    assert scheduled(verdict, session_id) is None


def test_a_retry_is_no_late_copy(verdict, session_id):
    approved = onboarding(session_id, "MANUAL_REVIEW_APPROVED")
    deliver(verdict, approved)
    arrived(verdict, session_id, "onboarding_status.manual_review_approved", minutes=39)
    deliver(verdict, approved, "duplicate")
    assert scheduled(verdict, session_id) is None


@pytest.mark.parametrize("status, score", [
    ("MANUAL_REVIEW_APPROVED", "OK"), ("ONBOARDING_FINISHED", "OK"), ("ONBOARDING_FINISHED", "UNKNOWN"),
    ("UNKNOWN", "UNKNOWN")])
def test_a_late_copy_changes_nothing_where_incode_knows_no_other_decision(
        verdict, decisions, session_id, status, score):
    verdict.incode_api.script(session_id, status=[status], score=[score])
    come_late(verdict, session_id, "MANUAL_REVIEW_APPROVED", "onboarding_status.manual_review_approved")
    poll(verdict)
    assert verdict.incode_api.about(session_id) != []
    assert outcome(verdict, session_id) == "approved"
    assert notified(decisions, session_id) == ["approved"]
    # One answer is enough.
    assert scheduled(verdict, session_id) is None


def test_a_recheck_is_not_ended_by_a_decision(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["MANUAL_REVIEW_REJECTED"])
    come_late(verdict, session_id, "ONBOARDING_FINISHED", "onboarding_status.finished")
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_APPROVED"))
    poll(verdict)
    assert notified(decisions, session_id) == ["approved", "declined"]


def test_approved_then_declined_then_approved_again_is_learnt_from_polls(verdict, decisions, session_id):
    verdict.incode_api.script(
        session_id, status=["ONBOARDING_FINISHED", "MANUAL_REVIEW_REJECTED", "ONBOARDING_FINISHED",
                            "MANUAL_REVIEW_REJECTED"], score=["OK"])
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    poll(verdict)
    for _ in range(3):
        come_late(verdict, session_id, "ONBOARDING_FINISHED", "onboarding_status.finished", first="duplicate")
        poll(verdict)
    assert notified(decisions, session_id) == ["approved", "declined", "approved", "declined"]
    assert outcome(verdict, session_id) == "declined"
    assert scheduled(verdict, session_id) is None
    # A recurrence is a fact of its own, and known from then on.
    assert events(verdict, session_id)[1:] == [
        "score.ok", "onboarding_status.manual_review_rejected",
        "score.ok", "onboarding_status.manual_review_rejected"]


def test_approved_then_declined_then_approved_again_by_webhooks_is_settled_by_a_poll(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["MANUAL_REVIEW_APPROVED"])
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_APPROVED"))
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_REJECTED"))
    come_late(verdict, session_id, "MANUAL_REVIEW_APPROVED", "onboarding_status.manual_review_approved",
              first="duplicate")
    poll(verdict)
    assert notified(decisions, session_id) == ["approved", "declined", "approved"]


# ---- Whom it asks about, and how ----

@pytest.mark.parametrize("kind, body, prefix", [
    ("proof-of-payment", "requestId", "request:"), ("authentication", "customerId", "customer:")])
def test_a_session_without_interview_is_never_asked_about(verdict, session_id, kind, body, prefix):
    delivery = webhook(kind, {body: session_id, "overallStatus": "PASS"})
    deliver(verdict, delivery)
    [item] = items(verdict, prefix + session_id, "EVENT")
    arrived(verdict, prefix + session_id, item["event"]["M"]["name"]["S"], minutes=41)
    deliver(verdict, delivery, "duplicate")
    assert scheduled(verdict, prefix + session_id) is None
    poll(verdict)
    assert [request for request in verdict.incode_api.requests if session_id in (request.session_id or "")] == []


def test_a_question_carries_the_headers_that_incode_asks_for(verdict, session_id):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["OK"])
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    poll(verdict)
    keys = verdict.incode_api.credentials
    for request in verdict.incode_api.about(session_id):
        assert (request.method, request.headers["api-version"], request.body) == ("GET", "1.0", b"")
        assert request.headers["x-api-key"] == keys["apiKey"]
        assert request.headers["x-incode-hardware-id"]
        assert "authorization" not in request.headers
        assert "application/json" in request.headers["accept"]
    log_in = next(request for request in verdict.incode_api.requests if request.path == "/executive/log-in")
    assert (log_in.method, log_in.headers["api-version"], log_in.headers["x-api-key"], log_in.headers["content-type"]) \
        == ("POST", "1.0", keys["apiKey"], "application/json")
    assert json.loads(log_in.body) == {"email": keys["email"], "password": keys["password"]}


@pytest.mark.parametrize("odd", [
    "a b", "a+b", "a%41b", "a&id=b", "a#b", "a?b=c", "a/../b", "ä 名前 😀", "\"';<>\\", "a\tb", "a=b;c"])
def test_an_odd_session_id_is_asked_about_as_it_is(verdict, decisions, session_id, odd):
    session_id = f"{odd} {session_id}"
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["OK"])
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    poll(verdict)
    assert [request.path for request in verdict.incode_api.about(session_id)] == [STATUS, SCORE]
    assert notified(decisions, session_id) == ["approved"]


# ---- Without access to the API ----

def test_without_access_to_the_api_webhooks_count_and_nothing_is_scheduled(verdict, decisions, session_id):
    finished = onboarding(session_id, "ONBOARDING_FINISHED")
    approved = onboarding(session_id, "MANUAL_REVIEW_APPROVED")
    with copy(verdict, "IncodeWebhooks", INCODE_CREDENTIALS=credentials(api=None), **TALKATIVE) as function:
        assert [function.answer(as_event(delivery)).outcome for delivery in (finished, approved)] == ["recorded"] * 2
        # A retry, then a copy that comes too late to be one.
        assert function.answer(as_event(approved)).outcome == "duplicate"
        arrived(verdict, session_id, "onboarding_status.manual_review_approved", minutes=41)
        assert function.answer(as_event(approved)).outcome == "duplicate"
        lines = said(log(verdict, function, "delivery", at_least=4), "delivery")
    assert scheduled(verdict, session_id) is None
    assert notified(decisions, session_id) == ["approved"]
    assert [line["lateCopy"] for line in lines] == [0, 0, 0, 1]
    metrics = [[metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]] for line in lines]
    assert ["lateCopy" in names for names in metrics] == [False, False, False, True]


def test_without_access_to_the_api_the_poller_does_nothing_and_succeeds(verdict, session_id):
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    before = verdict.incode_api.requests
    with copy(verdict, "IncodePoller", INCODE_CREDENTIALS=credentials(api=None), **TALKATIVE) as function:
        assert function.call({}) is None
        log(verdict, function, "no credentials for Incode's API: nothing is polled")
    assert verdict.incode_api.requests == before
    assert scheduled(verdict, session_id)["tries"] == 0
