"""What each of Incode's webhooks does to a session, by its path and its status."""
from __future__ import annotations

import collections
import json
from typing import Any

import pytest

from .deliveries import Delivery, post, post_all
from .inbox import quarantined_body
from .incode import deliver, events, items, onboarding, outcome, scheduled, webhook
from .table import size

#: What the webhooks of all providers alike decide counts here.
pytestmark = pytest.mark.usefixtures("only_tests_poll", "believing")

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5LWNhbmFyeS1jYW5hcnk"


def record(verdict, session_id):
    found = verdict.session("incode", session_id)
    assert (found["provider"], found["sessionId"], found["kind"]) == ("incode", session_id, "onboarding")
    return found


def checks(found):
    return {name: check["outcome"] for name, check in found["checks"].items()}


# ---- How far the onboarding is ----

STATUSES = {
    "ID_VALIDATION_FINISHED": ("id_validation_finished", "started", {"document": "captured"}, None),
    "ID_VALIDATION_FINISHED_SECOND_ID": ("id_validation_finished_second_id", "started", {"document": "captured"}, None),
    "POST_PROCESSING_FINISHED": ("post_processing_finished", "started", {"document": "captured"}, None),
    "FACE_VALIDATION_FINISHED": ("face_validation_finished", "started", {"face": "captured"}, None),
    "GOVERNMENT_VALIDATION_FINISHED": ("government_validation_finished", "new", {"government": "captured"}, None),
    "ONBOARDING_FINISHED": ("finished", "submitted", {}, None),
    "MANUAL_REVIEW_APPROVED": ("manual_review_approved", "decided", {}, "approved"),
    "MANUAL_REVIEW_REJECTED": ("manual_review_rejected", "decided", {}, "declined"),
    "EXPIRED": ("expired", "decided", {}, "expired"),
    "UNKNOWN": ("unknown", "new", {}, None),
    "NEVER_HEARD_OF": ("unrecognised", "new", {}, None),
    "onboarding_finished": ("unrecognised", "new", {}, None),
    "": ("unrecognised", "new", {}, None),
}


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: status or "blank")
def test_an_onboarding_status_means_what_the_contract_says(verdict, decisions, session_id, status):
    name, ends_as, checked, decided = STATUSES[status]
    deliver(verdict, onboarding(session_id, status, clientId="client-1", flowId="flow-1", externalId="customer-1"))
    found = record(verdict, session_id)
    assert events(verdict, session_id) == [f"onboarding_status.{name}"]
    assert (found["status"], checks(found), outcome(verdict, session_id)) == (ends_as, checked, decided)
    assert found["subject"] == {"reference": "customer-1", "providerUserId": None}
    told = [message.body["data"] for message in decisions.about(session_id)]
    assert [(data["outcome"], data["final"], data["reasonCode"]) for data in told] == (
        [(decided, True, None)] if decided else [])


# ---- The other kinds ----

KINDS: dict[str, Any] = {
    "session-started": ({}, "session.started", "started", {}, None),
    "session-progress": ({}, "session.progress", "new", {}, None),
    "session-succeeded": ({}, "session.succeeded", "decided", {}, "approved"),
    "session-failed": ({}, "session.failed", "decided", {}, "declined"),
    "session-pending-review": ({}, "session.pending_review", "in_review", {}, "review"),
    "identity-enrolled": ({}, "identity_enrolled", "new", {}, None),
    "video-selfie": ({"clientId": "c", "flowId": "f"}, "video_selfie", "started", {"video_selfie": "captured"}, None),
    "watchlist": ({"ref": "r", "search_id": 1234567890123456789}, "watchlist", "new", {"watchlist": "captured"}, None),
    "work-history": (
        {"requestId": "r", "workHistory": {"apiKey": "k"}}, "work_history", "new", {"work_history": "captured"}, None),
    "proof-of-payment": (
        {"requestId": "r", "rfcIssuer": "x"}, "proof_of_payment", "new", {"proof_of_payment": "captured"}, None),
    "face-authentication": ({}, "face_authentication", "started", {"face_authentication": "captured"}, None),
    "authentication": ({"customerId": "c"}, "authentication", "started", {"authentication": "captured"}, None),
    "ine-scraping": ({"ScrapingStatus": "FINISHED"}, "ine_scraping.finished", "new", {"ine": "captured"}, None),
    "never-heard-of": ({}, "unrecognised", "new", {}, None),
}


@pytest.mark.parametrize("member", ["interviewId", "InterviewId", "sessionId"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_webhook_means_what_its_path_says_whatever_its_session_is_called(verdict, session_id, kind, member):
    body, name, ends_as, checked, decided = KINDS[kind]
    answer = post(verdict, webhook(kind, {**body, member: session_id}))
    assert (answer.status, answer.outcome, answer.session) == (200, "recorded", f"incode/{session_id}")
    found = record(verdict, session_id)
    assert events(verdict, session_id) == [name]
    assert (found["status"], checks(found), outcome(verdict, session_id)) == (ends_as, checked, decided)


@pytest.mark.parametrize("kind, check", [
    ("authentication", "authentication"), ("face-authentication", "face_authentication")])
@pytest.mark.parametrize("body, result, reason", [
    ({"overallStatus": "PASS"}, "passed", None),
    ({"overallStatus": "FAIL"}, "failed", None),
    ({"overallStatus": "FAIL", "errorCode": "SPOOF_ATTEMPT_DETECTED"}, "failed", "SPOOF_ATTEMPT_DETECTED"),
    ({"overallStatus": "PASS", "errorCode": "NONE"}, "passed", None),
    ({"overallStatus": "NEVER_HEARD_OF"}, "captured", None),
], ids=["passed", "failed", "failed and why", "passed whatever else", "neither"])
def test_an_authentication_is_a_check_and_decides_nothing(verdict, session_id, kind, check, body, result, reason):
    deliver(verdict, webhook(kind, {"interviewId": session_id, **body}))
    found = record(verdict, session_id)["checks"][check]
    assert (found["outcome"], found["reason"]) == (result, reason)
    assert outcome(verdict, session_id) is None


def test_ine_scraping_goes_on_and_finishes(verdict, session_id):
    for status, checked in (("IN_PROGRESS", {}), ("FINISHED", {"ine": "captured"})):
        deliver(verdict, webhook("ine-scraping", {"InterviewId": session_id, "ScrapingStatus": status}))
        assert checks(record(verdict, session_id)) == checked


@pytest.mark.parametrize("kind, member, prefix", [
    ("proof-of-payment", "requestId", "request:"), ("authentication", "customerId", "customer:")])
def test_what_has_no_interview_is_filed_under_what_it_has(verdict, session_id, kind, member, prefix):
    answer = post(verdict, webhook(kind, {member: session_id, "interviewId": " "}))
    assert (answer.outcome, answer.session) == ("recorded", f"incode/{prefix}{session_id}")
    assert len(record(verdict, prefix + session_id)["checks"]) == 1
    assert items(verdict, session_id) == []


def test_a_person_is_known_by_your_name_and_by_incodes(verdict, session_id):
    deliver(verdict, webhook("authentication", {
        "interviewId": session_id, "customerId": "customer-of-incode", "externalId": "customer-1"}))
    assert record(verdict, session_id)["subject"] == {
        "reference": "customer-1", "providerUserId": "customer-of-incode"}


def test_every_webhook_of_a_session_adds_to_one_record(verdict, decisions, session_id):
    deliver(verdict, webhook("session-started", {"sessionId": session_id}))
    deliver(verdict, onboarding(session_id, "FACE_VALIDATION_FINISHED", externalId="customer-1"))
    deliver(verdict, onboarding(session_id, "ONBOARDING_FINISHED"))
    deliver(verdict, webhook("watchlist", {"interviewId": session_id, "ref": "r"}))
    deliver(verdict, webhook("session-pending-review", {"sessionId": session_id}))
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_APPROVED"))
    # What comes late in the order of things takes nothing back.
    deliver(verdict, onboarding(session_id, "ID_VALIDATION_FINISHED"))
    deliver(verdict, webhook("session-progress", {"sessionId": session_id}))
    found = record(verdict, session_id)
    assert (found["status"], found["events"], found["version"]) == ("decided", 8, 8)
    assert checks(found) == {"document": "captured", "face": "captured", "watchlist": "captured"}
    assert found["subject"]["reference"] == "customer-1"
    # The document that came late is a check that changed while the approval stands.
    told = [(message.body["type"], message.body["data"]["outcome"]) for message in decisions.about(session_id)]
    assert told == [("verdict.decision.v1", "review"), ("verdict.decision.v1", "approved"), ("verdict.check.v1", "approved")]


# ---- Copies ----

def test_a_retry_is_a_copy(verdict, session_id):
    delivery = onboarding(session_id, "MANUAL_REVIEW_APPROVED")
    deliver(verdict, delivery)
    before = record(verdict, session_id)
    for _ in range(5):
        deliver(verdict, delivery, "duplicate")
    assert record(verdict, session_id) == before


def test_fifty_copies_twenty_at_once_count_once(verdict, decisions, session_id):
    answers = post_all(verdict, [onboarding(session_id, "MANUAL_REVIEW_APPROVED")] * 50, at_once=20)
    assert [answer.status for answer in answers] == [200] * 50
    assert collections.Counter(answer.outcome for answer in answers) == {"recorded": 1, "duplicate": 49}
    assert len(items(verdict, session_id, "EVENT")) == 1
    assert len(decisions.about(session_id)) == 1


def test_the_same_status_of_a_session_is_a_copy_whatever_else_the_body_says(verdict, session_id):
    deliver(verdict, onboarding(session_id, "FACE_VALIDATION_FINISHED"))
    deliver(verdict, onboarding(session_id, "FACE_VALIDATION_FINISHED", clientId="c"), "duplicate")
    deliver(verdict, onboarding(session_id, "ID_VALIDATION_FINISHED", clientId="c"))


@pytest.mark.parametrize("kind", ["watchlist", "session-progress", "face-authentication", "never-heard-of"])
def test_without_a_status_a_copy_is_one_byte_for_byte(verdict, session_id, kind):
    body = {"interviewId": session_id, "ref": "r"}
    deliver(verdict, webhook(kind, body))
    deliver(verdict, webhook(kind, body), "duplicate")
    deliver(verdict, webhook(kind, {**body, "ref": "another"}))
    deliver(verdict, webhook(kind, json.dumps(body, indent=1).encode()))


def test_the_same_body_on_two_paths_is_two_facts(verdict, session_id):
    for kind in ("video-selfie", "session-progress", "watchlist"):
        deliver(verdict, webhook(kind, {"interviewId": session_id}))
    assert record(verdict, session_id)["events"] == 3


def test_the_same_status_of_two_sessions_is_two_facts(verdict, session_id):
    deliver(verdict, onboarding(session_id, "UNKNOWN"))
    deliver(verdict, onboarding(f"{session_id}-2", "UNKNOWN"))


# ---- What is kept ----

def test_secrets_in_a_body_are_in_no_item(verdict, session_id):
    secrets = {"token": JWT + "-1", "interviewToken": JWT + "-2", "apiKey": "canary-api-key-0001"}
    image = "/9j/" + "QUJDREVG" * 4000
    deliver(verdict, webhook("authentication", {
        "interviewId": session_id, **secrets, "overallStatus": "PASS", "nested": {"list": [secrets]}, "image": image}))
    deliver(verdict, webhook("work-history", {"interviewId": session_id, "workHistory": {**secrets, "name": "SAMPLE"}}))
    deliver(verdict, onboarding(session_id, "FACE_VALIDATION_FINISHED", **secrets))
    deliver(verdict, webhook("never-heard-of", {"interviewId": session_id, **secrets}))

    kept = items(verdict, session_id)

    assert len(kept) == 10  # four events with their payloads, the session, its place on the schedule
    text = json.dumps(kept)
    for secret in (*secrets.values(), *secrets, JWT.split(".")[1], image[:64], image[-64:]):
        assert secret not in text
    # The rest is there.
    assert "SAMPLE" in text


def test_what_is_kept_says_where_it_came_in(verdict, session_id):
    deliver(verdict, webhook("watchlist", {"interviewId": session_id, "ref": "r"}))
    [payload] = items(verdict, session_id, "PAYLOAD")
    assert payload["source"]["S"] == "/incode/watchlist"
    assert json.loads(payload["payload"]["S"]) == {"interviewId": session_id, "ref": "r"}


# ---- What belongs to no session, or to several ----

NOBODYS = {
    "two sessions": {"interviewId": "one", "sessionId": "another"},
    "two spellings of two sessions": {"interviewId": "one", "InterviewId": "another"},
    "two sessions in other case": {"interviewId": "abc", "sessionId": "ABC"},
    "no session": {"onboardingStatus": "MANUAL_REVIEW_APPROVED"},
    "an empty id": {"interviewId": ""},
    "a blank id": {"interviewId": " \t"},
    "blank ids": {"interviewId": " ", "InterviewId": "", "sessionId": "\u00a0"},
    "a null id": {"interviewId": None},
    "an id that is an object": {"interviewId": {"id": "x"}},
    "an id too long for a key": {"interviewId": "x" * 2048},
    "an id in another spelling": {"interviewid": "x"},
    "a request where there should be an interview": {"requestId": "x"},
}


@pytest.mark.parametrize("body", NOBODYS.values(), ids=NOBODYS)
@pytest.mark.parametrize("kind", ["onboarding-status", "session-succeeded"])
def test_a_webhook_of_no_session_or_of_several_is_put_aside(verdict, quarantine, session_id, kind, body):
    body = json.dumps({"onboardingStatus": "MANUAL_REVIEW_APPROVED", "note": session_id, **body}).encode()
    before = size(verdict)
    answer = post(verdict, webhook(kind, body))
    assert (answer.status, answer.outcome, answer.session) == (200, "quarantined", None)
    assert size(verdict) == before
    [message] = quarantine.holding(body)
    assert (message.body["path"], message.attributes["provider"]) == (f"/incode/{kind}", "incode")


def test_what_is_put_aside_holds_no_secret(verdict, quarantine, session_id):
    body = json.dumps({"note": session_id, "interviewToken": "canary", "token": "canary", "apiKey": "canary"}).encode()
    deliver(verdict, webhook("authentication", body), outcome="quarantined")
    [message] = quarantine.holding(body)
    assert json.loads(quarantined_body(message)) == {"note": session_id}


@pytest.mark.parametrize("members", [
    '"interviewId": "{id}", "interviewId": "{id}"', '"interviewId": "{id}", "interview\\u0049d": "other"',
    '"interviewId": "{id}", "onboardingStatus": "EXPIRED"'], ids=["id twice", "id twice, once escaped", "status twice"])
def test_a_webhook_that_says_something_twice_is_put_aside(verdict, quarantine, session_id, members):
    body = ('{"onboardingStatus": "MANUAL_REVIEW_APPROVED", ' + members.replace("{id}", session_id) + "}").encode()
    answer = post(verdict, webhook("onboarding-status", body))
    assert (answer.status, answer.outcome) == (200, "quarantined")
    assert items(verdict, session_id) == []
    assert len(quarantine.holding(body)) == 1


def test_ids_that_agree_are_one_session(verdict, session_id):
    deliver(verdict, webhook("session-started", {
        "interviewId": session_id, "InterviewId": session_id, "sessionId": session_id}))
    deliver(verdict, webhook("session-progress", {"interviewId": session_id, "InterviewId": " ", "sessionId": None}))
    assert record(verdict, session_id)["events"] == 2


# ---- Paths ----

@pytest.mark.parametrize("path", [
    "/incode", "/incode/", "/incode/onboarding-status/more", "/incode/oauth/token/more",
    "/Incode/onboarding-status", "/incode/Onboarding-Status", "/incode/onboarding%2Dstatus%2Fx", "/incode/x%00y",
    "/incode/" + "x" * 65, "/incode/a/onboarding-status", "/incode/incode/onboarding-status"])
def test_on_no_other_path_anything_is_recorded(verdict, session_id, path):
    delivery = webhook("session-succeeded", {"interviewId": session_id})
    answer = post(verdict, Delivery(delivery.body, delivery.headers, path))
    assert 400 <= answer.status < 500, answer
    assert items(verdict, session_id) == []


def test_a_webhook_puts_its_session_on_the_schedule_of_polls(verdict, session_id):
    deliver(verdict, webhook("session-progress", {"interviewId": session_id}))
    assert scheduled(verdict, session_id)["reason"] == "quiet"
    deliver(verdict, webhook("session-pending-review", {"interviewId": session_id}))
    assert scheduled(verdict, session_id)["reason"] == "decision"


def test_a_session_that_is_decided_at_once_is_not_put_there(verdict, session_id):
    deliver(verdict, webhook("session-succeeded", {"interviewId": session_id}))
    assert scheduled(verdict, session_id) is None
