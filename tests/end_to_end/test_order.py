"""In whatever order the same facts arrive, the record ends the same, and never goes back."""
from __future__ import annotations

import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from attacks import on_binaries

from .deliveries import EVENTS, TREEZOR, WULTRA, Delivery, decision, event, genuine, post

pytestmark = on_binaries("a late or back-dated webhook")

# What tells of the order of arrival.
ARRIVAL = ("version", "notifications", "firstEventAt", "lastEventAt", "statusSince")


def without(record, *members):
    return {name: value for name, value in record.items() if name not in members}


def facts_of_veriff(session_id: str) -> list[Delivery]:
    return [
        genuine(event(session_id, 7001, "started"), path=EVENTS),
        genuine(event(session_id, 7002, "submitted"), path=EVENTS),
        genuine(decision(session_id, "review", at="2026-06-12T09:00:00Z")),
        genuine(decision(session_id, "approved", at="2026-06-12T09:30:00.861285Z")),
    ]


def facts_of_treezor(user: str) -> list[Delivery]:
    def review(state: int, modified: str) -> dict:
        return {"users": [{"userId": user, "kycReview": state, "modifiedDate": modified}]}

    document = {"documentId": 7, "userId": user, "documentStatus": "VALIDATED", "modifiedDate": "2026-06-12 09:20:00"}
    return [TREEZOR.genuine(payload) for payload in (
        review(1, "2026-06-12 08:00:00"), {"documents": [document]}, review(6, "2026-06-12 09:00:00"),
        review(2, "2026-06-12 09:30:00"))]


def facts_of_wultra(process: str) -> list[Delivery]:
    def fact(event_type: str, minute: int, **data) -> dict:
        return {"id": str(uuid.uuid4()), "timestamp": f"2026-06-12T09:{minute:02}:00.5Z", "type": event_type,
                "userId": "customer-1", "processId": process, "eventData": data}

    verification = {"documentId": "front", "status": "REJECTED", "rejectReason": "blurred"}
    return [WULTRA.genuine(body) for body in (
        fact("DOCUMENT_VERIFICATION_FINISHED", 1, documentVerification=verification),
        fact("DOCUMENT_VERIFICATION_FINISHED", 2, documentVerification={**verification, "status": "ACCEPTED"}),
        fact("PROCESS_FINISHED", 3, process={"status": "FAILED", "errorDetail": "timeout"}),
        fact("PROCESS_FINISHED", 4, process={"status": "FINISHED", "errorDetail": None}))]


# Incode's webhooks have no time of their own: there the order of arrival is all there is.
@pytest.mark.parametrize("provider, prefix, facts", [
    ("veriff", "", facts_of_veriff), ("treezor", "user:", facts_of_treezor), ("wultra", "", facts_of_wultra),
], ids=["veriff", "treezor", "wultra"])
def test_the_same_four_facts_in_any_order_give_equal_records(verdict, decisions, provider, prefix, facts):
    orders = {str(uuid.uuid4()): order for order in itertools.permutations(range(4))}

    def deliver(session_id):
        sent = facts(session_id)
        return [post(verdict, sent[position]).outcome for position in orders[session_id]]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(deliver, orders)) == [["recorded"] * 4] * 24

    records = [verdict.session(provider, prefix + session_id) for session_id in orders]
    # Treezor's sessions are a person's: their ids are all that these may differ in.
    same = [without(record, "sessionId", *ARRIVAL, *(["subject"] if prefix else [])) for record in records]
    assert same == [same[0]] * 24
    assert (records[0]["status"], records[0]["events"]) == ("decided", 4)
    assert records[0]["decision"]["outcome"] == "approved"
    for session_id, record in zip(orders, records):
        told = [message.body["data"] for message in decisions.about(prefix + session_id)]
        assert [data["sequence"] for data in told] == list(range(1, record["notifications"] + 1))
        assert told[-1]["outcome"] == "approved"
        assert [data["previousOutcome"] for data in told] == [None, *(data["outcome"] for data in told[:-1])]


def test_an_older_decision_that_arrives_later_changes_and_tells_nothing(verdict, decisions, session_id):
    post(verdict, genuine(decision(session_id, "approved", at="2026-06-12T09:30:00Z")))
    before = verdict.session("veriff", session_id)

    late = genuine(decision(session_id, "declined", at="2026-06-12T09:29:59.999999Z", reason="x", reasonCode=102))
    assert post(verdict, late).outcome == "recorded"

    after = verdict.session("veriff", session_id)
    counters = ("events", "version", "lastEventAt")
    assert without(after, *counters) == without(before, *counters)
    assert (after["events"], after["version"]) == (2, 2)
    assert [message.body["data"]["outcome"] for message in decisions.about(session_id)] == ["approved"]


def test_a_later_decision_replaces_outcome_code_and_reason_together(verdict, decisions, session_id):
    post(verdict, genuine(decision(
        session_id, "declined", at="2026-06-12T09:00:00Z", reason="blurred", reasonCode=102)))
    post(verdict, genuine(decision(session_id, "approved", at="2026-06-12T10:00:00Z")))

    now = verdict.session("veriff", session_id)["decision"]
    assert (now["outcome"], now["reasonCode"], now["reason"]) == ("approved", None, None)
    told = [message.body["data"] for message in decisions.about(session_id)]
    assert [(data["outcome"], data["previousOutcome"], data["reasonCode"]) for data in told] == [
        ("declined", None, "102"), ("approved", "declined", None)]


def test_a_date_in_the_far_future_does_not_freeze_a_session(verdict, session_id):
    post(verdict, genuine(decision(session_id, "approved", at="2999-01-01T00:00:00Z")))
    assert verdict.session("veriff", session_id)["decision"]["decidedAt"] < "2999"
