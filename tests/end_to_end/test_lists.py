"""Lists: of sessions by status, and what cursors of any list are good for."""
from __future__ import annotations

import base64
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from .deliveries import EVENTS, WULTRA, decision, event, genuine, post, post_all
from .functions import deployed
from .reading import PAGE, compact, cursor, error, pages, quote, tampered
from .table import items


def record(verdict, session_id, provider="veriff"):
    found = verdict.session(provider, session_id)
    assert found is not None
    return found


def names(listed):
    return [session["sessionId"] for session in listed]


def listed(verdict, query):
    """The sessions of a list, all of its pages in one."""
    found = list(pages(verdict, f"/sessions?{query}"))
    assert all(len(page["sessions"]) == PAGE for page in found[:-1])
    return [session for page in found for session in page["sessions"]]


@pytest.fixture
def since(verdict):
    """A filter that only the sessions of this test pass, from here on."""
    first = str(uuid.uuid4())
    post(verdict, genuine(event(first), path=EVENTS))
    time.sleep(0.001)
    return f"since={quote(record(verdict, first)['lastEventAt'])}"


def test_sessions_are_listed_by_status_newest_first(verdict, since):
    first, second, other = (str(uuid.uuid4()) for _ in range(3))
    for session in (first, second):
        assert post(verdict, genuine(decision(session, "review"))).outcome == "recorded"
    post(verdict, genuine(decision(other, "approved")))
    assert listed(verdict, f"status=in_review&{since}") == [record(verdict, second), record(verdict, first)]
    assert listed(verdict, f"status=decided&{since}") == [record(verdict, other)]
    assert listed(verdict, f"status=awaiting_resubmission&{since}") == []


def test_a_session_moves_to_the_list_of_its_new_status_and_keeps_its_place_in_that(verdict, since):
    moving, staying = str(uuid.uuid4()), str(uuid.uuid4())
    post(verdict, genuine(decision(moving, "review", at="2026-06-12T09:00:00Z")))
    [before] = listed(verdict, f"status=in_review&{since}")
    post(verdict, genuine(decision(moving, "declined", at="2026-06-12T10:00:00Z")))
    post(verdict, genuine(decision(staying)))
    assert listed(verdict, f"status=in_review&{since}") == []
    assert names(listed(verdict, f"status=decided&{since}")) == [staying, moving]
    since_decided = record(verdict, moving)["statusSince"]
    assert before["statusSince"] < since_decided
    # Another outcome is no other status.
    post(verdict, genuine(decision(moving, "approved", at="2026-06-12T11:00:00Z")))
    assert names(listed(verdict, f"status=decided&{since}")) == [staying, moving]
    assert record(verdict, moving)["statusSince"] == since_decided


def test_a_list_is_narrowed_by_provider_outcome_and_time(verdict, since):
    veriff, declined, wultra = (str(uuid.uuid4()) for _ in range(3))
    post(verdict, genuine(decision(veriff)))
    post(verdict, genuine(decision(declined, "declined")))
    post(verdict, WULTRA.approves(wultra))
    decided = f"status=decided&{since}"
    assert names(listed(verdict, decided)) == [wultra, declined, veriff]
    assert names(listed(verdict, f"{decided}&provider=veriff")) == [declined, veriff]
    assert names(listed(verdict, f"{decided}&outcome=approved")) == [wultra, veriff]
    assert names(listed(verdict, f"{decided}&outcome=approved&provider=wultra")) == [wultra]
    assert names(listed(verdict, f"{decided}&outcome=expired")) == []
    entered = quote(record(verdict, declined)["statusSince"])
    # The time itself belongs to what begins with it, in whatever zone it is written.
    assert names(listed(verdict, f"status=decided&since={entered}")) == [wultra, declined]
    assert names(listed(verdict, f"{decided}&until={entered}")) == [veriff]
    elsewhere = entered.replace("Z", "%2B00%3A00")
    assert elsewhere != entered
    assert names(listed(verdict, f"status=decided&since={elsewhere}")) == [wultra, declined]


def test_many_sessions_are_listed_page_by_page_each_once(verdict, since):
    sessions = [str(uuid.uuid4()) for _ in range(2 * PAGE + 3)]
    answers = post_all(verdict, [genuine(decision(session, "review")) for session in sessions], at_once=4)
    assert {answer.outcome for answer in answers} == {"recorded"}
    found = list(pages(verdict, f"/sessions?status=in_review&{since}"))
    assert [len(page["sessions"]) for page in found] == [PAGE, PAGE, 3]
    everything = [session for page in found for session in page["sessions"]]
    assert sorted(names(everything)) == sorted(sessions)
    times = [datetime.fromisoformat(session["statusSince"]) for session in everything]
    assert times == sorted(times, reverse=True)


def test_a_page_that_holds_all_that_is_left_is_the_last(verdict, since):
    sessions = [str(uuid.uuid4()) for _ in range(PAGE)]
    post_all(verdict, [genuine(decision(session, "resubmission_requested")) for session in sessions], at_once=4)
    [page] = pages(verdict, f"/sessions?status=awaiting_resubmission&{since}")
    assert len(page["sessions"]) == PAGE


def test_a_session_that_an_earlier_release_wrote_is_listed_once_it_is_rebuilt(verdict, since, session_id):
    post(verdict, genuine(decision(session_id, "expired")))
    [state] = items(verdict, session_id, "STATE")
    verdict.client("dynamodb").update_item(
        TableName=verdict.outputs["SessionsTableName"], Key={name: state[name] for name in ("pk", "sk")},
        UpdateExpression="REMOVE standingShard, standingAt, provider, outcome, #session.statusSince",
        ExpressionAttributeNames={"#session": "session"})
    assert listed(verdict, f"status=decided&outcome=expired&{since}") == []
    assert record(verdict, session_id)["statusSince"] is None
    deployed(verdict, "Replay").call({"Records": [{"messageId": "1", "receiptHandle": "none", "body": json.dumps(
        {"kind": "rebuild", "provider": "veriff", "sessionId": session_id})}]})
    assert names(listed(verdict, f"status=decided&outcome=expired&{since}")) == [session_id]


# ---- Mistakes ----

TIME = "2026-06-12T00:00:00Z"


@pytest.mark.parametrize("query", [
    "status=canary", "status=DECIDED", "status=", "status=decided&status=decided", "status=decided&provider=canary",
    "status=decided&outcome=canary", "status=decided&since=canary", "status=decided&until=2026-06-12T00:00:00+02:00",
    f"status=decided&since={TIME}&until={TIME}", "status=decided&reference=canary",
    "status=decided&session=veriff%2Fcanary", "session=veriff%2Fcanary&reference=canary",
    "reference=canary&outcome=approved",
    "outcome=approved", f"since={TIME}", "part=events", "session=veriff%2Fx&part=canary",
    "session=veriff%2Fx&part=payload",
    "session=veriff%2Fx&part=events&event=canary", "session=veriff%2Fx&next=canary", "status=decided&canary=x",
    "status=decided&next=canary",
])
def test_a_question_that_makes_no_sense_is_a_bad_request_that_says_so_and_repeats_nothing(verdict, query):
    answer = verdict.get(f"/sessions?{query}")
    assert error(answer) == (400, "bad_request")
    assert "canary" not in str(answer)


def test_what_a_presigned_request_carries_is_no_parameter(verdict, session_id):
    status, page = verdict.get(f"/sessions?reference={session_id}&X-Amz-Expires=60&x-amz-other=")
    assert (status, page) == (200, {"sessions": [], "next": None})


# ---- Cursors ----

@pytest.fixture(scope="module")
def real(verdict):
    """A list of each kind that has a second page: its path, and what its cursors are made of."""
    session_id, reference = str(uuid.uuid4()), str(uuid.uuid4())
    sessions = [genuine(event(str(uuid.uuid4()), vendorData=reference), path=EVENTS) for _ in range(PAGE + 1)]
    events = [genuine(event(session_id, context={"reason": f"reason-{number}"}), path=EVENTS)
              for number in range(PAGE + 1)]
    post_all(verdict, [*sessions, *events], at_once=4)
    post(verdict, genuine(decision(session_id)))
    tell_more(verdict, session_id, PAGE + 1)
    partition = f"SESSION#veriff/{session_id}"
    return {
        "events": (f"/sessions/veriff/{session_id}/events?", [partition]),
        "notifications": (f"/sessions/veriff/{session_id}/notifications?", [partition]),
        "reference": (f"/sessions?reference={reference}&", [reference]),
        "status": ("/sessions?status=started&", ["started", None, None, None, None]),
    }


def tell_more(verdict, session_id, count):
    """Gives a session's history so many messages more, with the sequences from 2 on."""
    [told] = items(verdict, session_id, "TOLD")
    for sequence in range(2, count + 2):
        notification = {**told["notification"]["M"], "sequence": {"N": str(sequence)}}
        verdict.client("dynamodb").put_item(TableName=verdict.outputs["SessionsTableName"], Item={
            **told, "sk": {"S": f"TOLD#{sequence}"}, "notification": {"M": notification}})


KINDS = ("events", "notifications", "reference", "status")


def next_of(verdict, path):
    status, page = verdict.get(path.rstrip("?&"))
    assert status == 200 and page["next"]
    return page["next"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cursor_that_was_changed_or_cut_is_a_bad_request(verdict, real, kind):
    path, _ = real[kind]
    cursors = tampered(next_of(verdict, path), 25)
    assert len(cursors) >= 40
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda changed: verdict.get(f"{path}next={changed}"), cursors))
    assert {error(answer) for answer in answers} == {(400, "bad_request")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_cursor_of_another_list_is_a_bad_request(verdict, real, kind):
    path, _ = real[kind]
    cursors = [next_of(verdict, other) for of, (other, _) in real.items() if of != kind]
    cursors += [next_of(verdict, "/sessions?status=started&provider=veriff")] if kind == "status" else []
    for other in cursors:
        assert error(verdict.get(f"{path}next={other}")) == (400, "bad_request")


@pytest.mark.parametrize("kind", KINDS)
def test_a_cursor_of_the_release_before_is_a_bad_request(verdict, real, kind):
    path, _ = real[kind]
    for place in ("EVENT#decision:1", "2026-06-12T00:00:00.000000000Z SESSION#veriff/x"):
        old = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
        assert error(verdict.get(f"{path}next={old}")) == (400, "bad_request")


#: Places that no page ends at.
PLACES = [
    "", " ", "\0", "x", "EVENT#", "EVENT#x", "EVENT#" + "x" * 1100, "EVENT", "PAYLOAD#x", "STATE", "NOTIFICATION#1",
    "TOLD#1",
    "0", "-1", "1", "+1", "1e3", "18446744073709551615", "18446744073709551616", "x" * 3000, "🪪",
    "2026-06-12T00:00:00.000000000Z", "2026-06-12T00:00:00.000000000Z#0123456789abcdef",
    "2026-06-12T00:00:00Z#0123456789abcdef", "9999-12-31T23:59:59.999999999Z#ffffffffffffffff", "#", "Z#g",
    "2026-06-12T00:00:00.000000000Z SESSION#veriff/x", "2026-06-12T00:00:00.000000000Z SESSION#nobody/x",
    "2026-06-12T00:00:00.000000000Z POLLS#incode", "x SESSION#veriff/x", " SESSION#veriff/x",
    "2026-06-12T00:00:00.000000000Z SESSION#veriff/" + "x" * 1025,
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cursor_that_was_made_up_is_a_bad_request_or_a_place_in_the_same_list(verdict, real, kind):
    path, parameters = real[kind]
    everything = {compact(entry) for page in pages(verdict, path.rstrip("?&")) for entry in entries(page)}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(
            lambda place: verdict.get(f"{path}next={cursor(kind, parameters, place)}"), PLACES))
    assert any(status == 200 for status, _ in answers), "the cursors are none of this list"
    for status, page in answers:
        assert status in (200, 400), page
        if status == 200:
            assert {compact(entry) for entry in entries(page)} <= everything


def entries(page):
    [found] = (value for name, value in page.items() if name not in ("next", "begins"))
    return found
