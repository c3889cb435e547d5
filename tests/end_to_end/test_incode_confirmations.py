"""Webhooks of Incode's that decide: only its API makes a decision of what they say, unless the operator believes them."""
from __future__ import annotations

import functools
from typing import Any, Callable

import pytest
from attacks import on_binaries
from stack.incode_api import SCORE, STATUS, error
from stack.samples import believing as decisions_believed

from . import intake
from .deliveries import INCODE, Delivery, as_event, post_all
from .functions import copy
from .incode import (
    ago, arrived, clear_schedule, credentials, deliver, events, items, make_due, onboarding, outcome, rewrite,
    scheduled, wake_ups, webhook)
from .test_rebuild import batch

pytestmark = [pytest.mark.usefixtures("nobody_else_is_due"), on_binaries("a decision by Incode's header or token alone")]


def poll(verdict):
    verdict.invoke("IncodePoller")


def notified(decisions, session_id):
    return [message.body["data"]["outcome"] for message in decisions.about(session_id)]


def succeeded(session_id: str, **more: Any) -> Delivery:
    return webhook("session-succeeded", {"interviewId": session_id, **more})


def failed(session_id: str) -> Delivery:
    return webhook("session-failed", {"interviewId": session_id})


def asked(verdict, session_id):
    return [request.path for request in verdict.incode_api.about(session_id)]


DECIDING: dict[str, Callable[[str], Delivery]] = {
    "session-succeeded": succeeded,
    "session-failed": failed,
    "session-pending-review": lambda session_id: webhook("session-pending-review", {"interviewId": session_id}),
    **{status: functools.partial(onboarding, status=status)
       for status in ("MANUAL_REVIEW_APPROVED", "MANUAL_REVIEW_REJECTED", "EXPIRED")},
}


# ---- The score decides ----

@pytest.mark.parametrize("kind", DECIDING)
def test_a_webhook_that_decides_is_recorded_and_the_session_is_due_at_once(verdict, decisions, session_id, kind):
    wake_ups(verdict)
    deliver(verdict, DECIDING[kind](session_id))
    record = verdict.session("incode", session_id)
    assert (record["status"], record["decision"], record["events"]) == ("new", None, 1)
    assert notified(decisions, session_id) == []
    [item] = items(verdict, session_id, "EVENT")
    assert item["sk"]["S"].endswith(":unconfirmed")
    assert "decision" not in item["event"]["M"]
    assert item["event"]["M"]["remarks"] == {"L": [{"S": "unconfirmed:decision"}]}
    place = scheduled(verdict, session_id)
    assert (place["reason"], place["in"] <= 0) == ("recheck", True)
    assert session_id in [message.get("sessionId") for message in wake_ups(verdict)]


@pytest.mark.parametrize("kind", DECIDING)
@pytest.mark.parametrize("score, decided", [("OK", "approved"), ("FAIL", "declined"), ("WARN", "review"), ("UNKNOWN", None)])
def test_the_score_decides_whatever_the_webhook_says(verdict, decisions, session_id, kind, score, decided):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=[score])
    deliver(verdict, DECIDING[kind](session_id))
    poll(verdict)
    assert outcome(verdict, session_id) == decided
    assert notified(decisions, session_id) == ([decided] if decided else [])
    assert (scheduled(verdict, session_id) is None) == (decided in ("approved", "declined"))


@pytest.mark.parametrize("status", [
    "UNKNOWN", "FACE_VALIDATION_FINISHED", "ONBOARDING_FINISHED", "MANUAL_REVIEW_REJECTED", "EXPIRED", "NEVER_HEARD_OF"])
def test_the_score_is_asked_for_and_decides_whatever_the_status_says(verdict, decisions, session_id, status):
    verdict.incode_api.script(session_id, status=[status], score=["OK"])
    deliver(verdict, succeeded(session_id))
    poll(verdict)
    assert asked(verdict, session_id) == [STATUS, SCORE]
    assert notified(decisions, session_id) == ["approved"]
    assert outcome(verdict, session_id) == "approved"


def test_a_status_of_the_api_s_decides_while_there_is_no_score(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["MANUAL_REVIEW_APPROVED"], score=["UNKNOWN"])
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_APPROVED"))
    poll(verdict)
    # What the API says of the same fact is an event of its own.
    assert events(verdict, session_id) == ["onboarding_status.manual_review_approved"] * 2
    assert notified(decisions, session_id) == ["approved"]


def test_a_status_that_decides_waits_for_the_score(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["MANUAL_REVIEW_APPROVED"], score=[error(500), "FAIL"])
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_APPROVED"))
    poll(verdict)
    assert (outcome(verdict, session_id), scheduled(verdict, session_id)["tries"]) == (None, 1)
    make_due(verdict, session_id)
    poll(verdict)
    assert notified(decisions, session_id) == ["declined"]


def test_a_score_that_is_not_there_yet_is_asked_for_again(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["UNKNOWN"], score=["UNKNOWN", "MANUAL_PENDING", "MANUAL_OK"])
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_APPROVED"))
    for _ in range(3):
        make_due(verdict, session_id)
        poll(verdict)
    assert notified(decisions, session_id) == ["review", "approved"]
    assert scheduled(verdict, session_id) is None


def test_a_poll_request_does_not_forget_what_has_to_be_confirmed(verdict, session_id):
    verdict.incode_api.script(session_id, status=["FACE_VALIDATION_FINISHED"], score=["OK"])
    deliver(verdict, succeeded(session_id))
    body = f'{{"kind":"poll","interviewId":"{session_id}","reference":"customer-1"}}'
    verdict.invoke("IncodePoller", {"Records": [{"messageId": "1", "body": body}]})
    assert asked(verdict, session_id) == [STATUS, SCORE]
    assert outcome(verdict, session_id) == "approved"


# ---- What a forged one is worth ----

def test_a_forged_approval_of_an_interview_that_nobody_started_is_never_one(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=[error(404)], score=[error(404)])
    deliver(verdict, succeeded(session_id))
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_APPROVED", externalId="customer-1"))
    for _ in range(4):
        make_due(verdict, session_id)
        poll(verdict)
    assert (outcome(verdict, session_id), scheduled(verdict, session_id) is None) == (None, False)
    rewrite(verdict, session_id, "POLL", pollSince={"S": ago(hours=73)}, dueAt={"S": ago(seconds=1)})
    poll(verdict)
    assert scheduled(verdict, session_id) is None
    deliver(verdict, succeeded(session_id), "duplicate")
    assert (outcome(verdict, session_id), notified(decisions, session_id)) == (None, [])


def test_a_forged_approval_of_a_declined_person_changes_nothing(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["FAIL"])
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    poll(verdict)
    deliver(verdict, succeeded(session_id))
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_APPROVED"))
    assert scheduled(verdict, session_id)["in"] <= 0
    poll(verdict)
    assert (outcome(verdict, session_id), notified(decisions, session_id)) == ("declined", ["declined"])
    assert scheduled(verdict, session_id) is None


def test_a_refusal_after_an_approval_is_confirmed_and_told(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["OK", "MANUAL_FAIL"])
    deliver(verdict, succeeded(session_id))
    poll(verdict)
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_REJECTED"))
    poll(verdict)
    assert notified(decisions, session_id) == ["approved", "declined"]


# ---- Copies ----

def test_copies_of_what_is_confirmed_change_nothing_and_ask_nobody(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["OK"])
    deliver(verdict, succeeded(session_id))
    poll(verdict)
    before = verdict.session("incode", session_id)
    for _ in range(3):
        deliver(verdict, succeeded(session_id), "duplicate")
        assert scheduled(verdict, session_id) is None
    assert verdict.session("incode", session_id) == before
    assert (len(asked(verdict, session_id)), notified(decisions, session_id)) == (2, ["approved"])


def test_fifty_copies_at_once_are_one_event(verdict, session_id):
    answers = post_all(verdict, [succeeded(session_id)] * 50, at_once=20)
    assert sorted(answer.outcome for answer in answers) == ["duplicate"] * 49 + ["recorded"]
    assert len(items(verdict, session_id, "EVENT")) == 1


def test_a_copy_that_waits_for_its_answer_puts_nothing_off(verdict, session_id):
    verdict.incode_api.script(session_id, status=["UNKNOWN"], score=["UNKNOWN"])
    deliver(verdict, succeeded(session_id))
    for _ in range(2):
        make_due(verdict, session_id)
        poll(verdict)
    before = scheduled(verdict, session_id)
    deliver(verdict, succeeded(session_id), "duplicate")
    after = scheduled(verdict, session_id)
    assert (after["tries"], round(after["in"] - before["in"], -1)) == (before["tries"], 0)


def test_a_session_that_the_function_died_before_scheduling_is_scheduled_by_the_retry(verdict, session_id):
    deliver(verdict, succeeded(session_id))
    clear_schedule(verdict)
    deliver(verdict, succeeded(session_id), "duplicate")
    assert scheduled(verdict, session_id)["in"] <= 0


def test_a_late_copy_has_incode_asked_again(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["UNKNOWN"], score=["OK", "FAIL"])
    deliver(verdict, succeeded(session_id))
    poll(verdict)
    arrived(verdict, session_id, "session.succeeded", minutes=41)
    deliver(verdict, succeeded(session_id), "duplicate")
    assert scheduled(verdict, session_id)["reason"] == "recheck"
    poll(verdict)
    assert notified(decisions, session_id) == ["approved", "declined"]


# ---- The switch, and what was stamped before it was turned ----

@pytest.mark.parametrize("changes", [{"confirmDecisions": False}, {"api": None}], ids=["switched off", "no api"])
@pytest.mark.parametrize("kind, decided", [
    ("session-succeeded", "approved"), ("session-failed", "declined"), ("MANUAL_REVIEW_APPROVED", "approved")])
def test_without_a_confirmation_a_webhook_decides_as_it_comes(verdict, decisions, session_id, changes, kind, decided):
    keys = credentials(**{"api": verdict.incode_api.credentials, **changes})
    with copy(verdict, "IncodeWebhooks", INCODE_CREDENTIALS=keys) as function:
        assert function.answer(as_event(DECIDING[kind](session_id))).outcome == "recorded"
    assert (outcome(verdict, session_id), notified(decisions, session_id)) == (decided, [decided])
    assert scheduled(verdict, session_id) is None


def test_what_a_webhook_decided_before_stays_decided_and_its_copies_are_copies(verdict, decisions, session_id):
    with decisions_believed(verdict):
        deliver(verdict, succeeded(session_id))
    deliver(verdict, succeeded(session_id), "duplicate")
    assert (outcome(verdict, session_id), notified(decisions, session_id)) == ("approved", ["approved"])
    assert len(items(verdict, session_id, "EVENT")) == 1
    assert scheduled(verdict, session_id) is None


def test_a_copy_of_what_had_to_be_confirmed_decides_nothing_after_the_switch_was_turned(verdict, decisions, session_id):
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=["FAIL"])
    deliver(verdict, succeeded(session_id))
    poll(verdict)
    with decisions_believed(verdict):
        deliver(verdict, succeeded(session_id), "duplicate")
    assert (outcome(verdict, session_id), notified(decisions, session_id)) == ("declined", ["declined"])


def test_what_was_spooled_keeps_its_stamp(verdict, decisions, session_id):
    believed = f"{session_id}-believed"
    verdict.incode_api.script(session_id, status=["UNKNOWN"], score=["UNKNOWN"])
    keys = credentials(api=verdict.incode_api.credentials, confirmDecisions=False)
    with intake.held(verdict):
        intake.spool(verdict, INCODE, [succeeded(session_id)])
        with copy(verdict, INCODE.function, AWS_ENDPOINT_URL_DYNAMODB=intake.NOWHERE, INCODE_CREDENTIALS=keys) as function:
            assert function.answer(as_event(succeeded(believed))).outcome == "spooled"
        stamps = {message["eventKey"].split("/")[1]: message.get("unconfirmed") for message in intake.waiting(verdict)}
    assert stamps == {session_id: True, believed: None}
    intake.await_empty(verdict)
    assert (outcome(verdict, session_id), outcome(verdict, believed)) == (None, "approved")
    assert scheduled(verdict, session_id)["in"] <= 0 and scheduled(verdict, believed) is None
    assert (notified(decisions, session_id), notified(decisions, believed)) == ([], ["approved"])


def test_a_rebuild_keeps_the_stamps(verdict, session_id):
    believed = f"{session_id}-believed"
    deliver(verdict, succeeded(session_id))
    with decisions_believed(verdict):
        deliver(verdict, succeeded(believed))
    before = {each: verdict.session("incode", each) for each in (session_id, believed)}
    assert [each["status"] for each in before.values()] == ["new", "decided"]
    answer = verdict.invoke("Replay", batch(*(f"incode/{each}" for each in before)))
    assert answer == {"batchItemFailures": []}
    assert {each: verdict.session("incode", each) for each in before} == before


def test_the_sessions_api_shows_what_had_to_be_confirmed(verdict, session_id):
    deliver(verdict, succeeded(session_id))
    _, shown = verdict.get(f"/sessions/incode/{session_id}/events")
    [event] = shown["events"]
    assert (event["name"], event["decision"], event["remarks"]) == ("session.succeeded", None, ["unconfirmed:decision"])
