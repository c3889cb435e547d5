"""Reading what was recorded."""
from __future__ import annotations

import uuid

import pytest

from .deliveries import ATTEMPT, EVENTS, decision, different_events, event, genuine, post, post_all
from .reading import PAGE, error, quote


@pytest.mark.parametrize("path", [
    "", "/veriff/x", "/veriff/x/events", "/veriff/x/notifications", "/veriff/x/events/y/payload", "/payload",
    "?reference=x", "?status=decided", "?session=veriff%2Fx"])
def test_nobody_reads_unsigned(verdict, path):
    status, body = verdict.get(f"/sessions{path}", signed=False)
    assert status == 403 and "session" not in str(body).lower()


def test_a_record_has_exactly_the_members_of_its_description(verdict, session_id):
    post(verdict, genuine(event(session_id, vendorData="12345678"), path=EVENTS))
    post(verdict, genuine(decision(
        session_id, "declined", at="2026-06-13T00:38:30.861285Z", reason="Document damaged", reasonCode=102,
        vendorData="12345678", endUserId="c75b4569-0528-4004-aecc-8dc8c9b46b6e")))
    post(verdict, genuine({
        "checkType": "initial_result", "status": "success", "sessionId": session_id, "attemptId": ATTEMPT,
        "vendorData": "12345678", "createdAt": "2026-06-13T00:40:00.000Z", "matchStatus": "no_match",
        "searchTerm": {"name": "SAMPLE SPECIMEN", "year": "1970"}, "totalHits": 0, "hits": []}))

    record = verdict.session("veriff", session_id)

    arrivals = [record.pop("firstEventAt"), record.pop("statusSince"), record.pop("lastEventAt")]
    assert arrivals == sorted(arrivals)
    assert record == {
        "provider": "veriff",
        "sessionId": session_id,
        "kind": "verification",
        "status": "decided",
        "attemptId": ATTEMPT,
        "subject": {"reference": "12345678", "providerUserId": "c75b4569-0528-4004-aecc-8dc8c9b46b6e"},
        "decision": {
            "outcome": "declined", "final": True, "reasonCode": "102", "reasonCodes": ["102"], "reason": "Document damaged",
            "detail": {}, "decidedAt": "2026-06-13T00:38:30.861285Z", "attemptId": ATTEMPT},
        "checks": {"watchlist": {
            "outcome": "passed", "reason": None, "reasonCodes": [],
            "detail": {"checkType": "initial_result", "monitoring": "false", "totalHits": "0"},
            "at": "2026-06-13T00:40:00Z"}},
        "remarks": [],
        "events": 3,
        "notifications": 2,
        "version": 3,
    }


def test_a_record_that_knows_little_still_has_every_member(verdict, session_id):
    post(verdict, genuine({"id": session_id, "eventType": "nobody.knows"}))
    record = verdict.session("veriff", session_id)
    assert record.pop("firstEventAt") == record.pop("statusSince") == record.pop("lastEventAt")
    assert record == {
        "provider": "veriff", "sessionId": session_id, "kind": "verification", "status": "new", "attemptId": None,
        "subject": {"reference": None, "providerUserId": None}, "decision": None, "checks": {}, "remarks": [],
        "events": 1, "notifications": 0, "version": 1}


def test_events_are_listed_as_they_were_understood(verdict, session_id):
    said = {"reason": "quit_session_confirmed", "state": "x"}
    post(verdict, genuine(event(session_id, 7010, "flow_cancelled", context=said), path=EVENTS))
    post(verdict, genuine(decision(session_id, "declined", reason="Document damaged", reasonCode="102")))

    status, page = verdict.get(f"/sessions/veriff/{session_id}/events")

    assert (status, set(page), page["next"]) == (200, {"events", "next"}, None)
    cancelled, declined = page["events"]
    for listed in (cancelled, declined):
        assert set(listed) == {
            "eventId", "provider", "sessionId", "kind", "name", "attemptId", "occurredAt", "emittedAt", "receivedAt",
            "effectiveAt", "undated", "stage", "decision", "checks", "subject", "remark", "remarks", "detail", "evidence"}
    assert (cancelled["name"], cancelled["detail"]) == ("event.flow_cancelled", said)
    assert (cancelled["occurredAt"], cancelled["effectiveAt"]) == (None, cancelled["receivedAt"])
    assert declined["name"] == "decision.declined"
    assert declined["decision"] == {
        "outcome": "declined", "reasonCode": "102", "reasonCodes": ["102"], "reason": "Document damaged", "detail": {},
        "decidedAt": None}
    assert declined["effectiveAt"] == declined["occurredAt"] == "2026-06-12T09:30:00.000001Z"


def test_a_hundred_and_twenty_events_are_listed_page_by_page_each_once(verdict, session_id):
    answers = post_all(verdict, different_events(session_id, 120), at_once=4)
    assert {answer.outcome for answer in answers} == {"recorded"}

    pages, query = [], ""
    while query is not None:
        status, page = verdict.get(f"/sessions/veriff/{session_id}/events{query}")
        assert status == 200
        pages.append(page["events"])
        query = page["next"] and f"?next={page['next']}"

    assert [len(page) for page in pages] == [50, 50, 20]
    reasons = [listed["detail"]["reason"] for page in pages for listed in page]
    assert sorted(reasons) == sorted(f"reason-{number}" for number in range(120))
    for page in pages:
        arrivals = [listed["receivedAt"] for listed in page]
        assert arrivals == sorted(arrivals)


def test_the_sessions_of_a_reference_are_listed_oldest_first(verdict):
    reference, first, second, other = f"customer {uuid.uuid4()} & söhne/1", *(str(uuid.uuid4()) for _ in range(3))
    post(verdict, genuine(decision(first, "declined", vendorData=reference)))
    post(verdict, genuine(decision(second, vendorData=reference)))
    post(verdict, genuine(decision(other, vendorData="somebody else")))

    status, page = verdict.get(f"/sessions?reference={quote(reference)}")

    assert (status, page["next"]) == (200, None)
    assert page["sessions"] == [verdict.session("veriff", first), verdict.session("veriff", second)]


def test_a_session_that_changed_its_reference_is_found_by_the_later_one(verdict, session_id):
    earlier, later = str(uuid.uuid4()), str(uuid.uuid4())
    post(verdict, genuine(decision(session_id, "review", at="2026-06-12T09:00:00Z", vendorData=earlier)))
    post(verdict, genuine(decision(session_id, "approved", at="2026-06-12T10:00:00Z", vendorData=later)))
    assert verdict.get(f"/sessions?reference={earlier}") == (200, {"sessions": [], "next": None})
    _, page = verdict.get(f"/sessions?reference={later}")
    assert [record["sessionId"] for record in page["sessions"]] == [session_id]


def test_many_sessions_of_a_reference_are_listed_page_by_page_each_once(verdict):
    reference, sessions = str(uuid.uuid4()), [str(uuid.uuid4()) for _ in range(PAGE + 3)]
    post_all(verdict, [genuine(event(session, vendorData=reference), path=EVENTS) for session in sessions], at_once=4)
    _, first = verdict.get(f"/sessions?reference={reference}")
    _, second = verdict.get(f"/sessions?reference={reference}&next={first['next']}")
    assert (len(first["sessions"]), len(second["sessions"]), second["next"]) == (PAGE, 3, None)
    assert {record["sessionId"] for record in first["sessions"] + second["sessions"]} == set(sessions)


def test_a_reference_of_nobody_has_no_sessions(verdict):
    assert verdict.get(f"/sessions?reference={uuid.uuid4()}") == (200, {"sessions": [], "next": None})


@pytest.mark.parametrize("path", [
    "/veriff/{id}", "/veriff/{id}/events", "/incode/{id}", "?session=veriff%2F{id}", "?session=veriff%2F{id}&part=events"])
def test_a_session_of_nobody_is_not_found(verdict, session_id, path):
    assert error(verdict.get("/sessions" + path.format(id=session_id))) == (404, "session_not_found")


@pytest.mark.parametrize("path", [
    "/nobody/x", "/nobody/x/events", "/VERIFF/x", "/veriff/%20", "/veriff/" + "x" * 1025, "?session=veriff%2F",
    "?session=%2Fx", "?session=nobody%2Fx", "?session=Veriff%2Fx", "?session=veriff%2F" + "x" * 1025,
])
def test_what_can_be_no_session_is_not_found(verdict, path):
    assert error(verdict.get("/sessions" + path)) == (404, "session_not_found")


@pytest.mark.parametrize("path", ["", "?", "?reference=", "?reference=%20", "?session=", "?session=veriff", "?other=x",
                                  "/veriff/x?other=x", "/veriff/x?next=x", "/veriff/x/events?part=events"])
def test_a_question_that_makes_no_sense_is_a_bad_request(verdict, path):
    assert error(verdict.get("/sessions" + path)) == (400, "bad_request")


@pytest.mark.parametrize("cursor", ["x", "!", "%00", "A" * 5000])
def test_a_cursor_that_was_not_given_out_is_a_bad_request(verdict, session_id, cursor):
    post(verdict, genuine(decision(session_id)))
    assert error(verdict.get(f"/sessions/veriff/{session_id}/events?next={cursor}")) == (400, "bad_request")
    assert error(verdict.get(f"/sessions?reference=customer-1&next={cursor}")) == (400, "bad_request")


@pytest.mark.parametrize("reference", ["x" * 3000, "x" * 2049, "\ufffe", "\0", "%", "🪪"])
def test_any_reference_may_be_asked_for(verdict, reference):
    status, page = verdict.get(f"/sessions?reference={quote(reference)}")
    assert (status, page["next"]) == (200, None)


