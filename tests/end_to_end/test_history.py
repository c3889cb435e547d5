"""Reading what was told of a session."""
from __future__ import annotations

import pytest

from .deliveries import EVENTS, decision, event, genuine, post
from .reading import error, pages, quote
from .table import items
from .test_lists import tell_more


def history(verdict, session_id, query=""):
    status, page = verdict.get(f"/sessions/veriff/{session_id}/notifications{query}")
    assert status == 200, page
    return page


def test_each_message_is_listed_as_it_was_sent_with_when_sqs_took_it(verdict, decisions, session_id):
    post(verdict, genuine(decision(session_id, "review", at="2026-06-12T09:00:00Z")))
    post(verdict, genuine(decision(session_id, "declined", at="2026-06-12T10:00:00Z", reasonCode=102)))
    page = history(verdict, session_id)
    assert (set(page), page["begins"], page["next"]) == ({"notifications", "begins", "next"}, 1, None)
    assert [told["message"] for told in page["notifications"]] == [
        message.body for message in decisions.about(session_id)]
    for sequence, told in enumerate(page["notifications"], 1):
        assert set(told) == {"sequence", "toldAt", "messageId", "message"}
        assert told["sequence"] == told["message"]["data"]["sequence"] == sequence
        assert told["messageId"]
    times = [told["toldAt"] for told in page["notifications"]]
    assert verdict.session("veriff", session_id)["firstEventAt"] < times[0] <= times[1]


def test_many_messages_are_listed_page_by_page_in_order_of_sequence(verdict, session_id):
    post(verdict, genuine(decision(session_id)))
    tell_more(verdict, session_id, 109)
    found = list(pages(verdict, f"/sessions/veriff/{session_id}/notifications"))
    assert [len(page["notifications"]) for page in found] == [50, 50, 10]
    assert {page["begins"] for page in found} == {1}
    sequences = [told["sequence"] for page in found for told in page["notifications"]]
    assert sequences == list(range(1, 111))


def test_a_history_says_where_it_begins(verdict, session_id):
    post(verdict, genuine(decision(session_id)))
    tell_more(verdict, session_id, 11)
    # The first messages were told by a release that kept nothing.
    for told in items(verdict, session_id, "TOLD"):
        if int(told["notification"]["M"]["sequence"]["N"]) < 9:
            verdict.client("dynamodb").delete_item(
                TableName=verdict.outputs["SessionsTableName"], Key={name: told[name] for name in ("pk", "sk")})
    page = history(verdict, session_id)
    assert (page["begins"], [told["sequence"] for told in page["notifications"]]) == (9, [9, 10, 11, 12])


def test_a_session_of_which_nothing_was_told_has_an_empty_history(verdict, session_id):
    post(verdict, genuine(event(session_id), path=EVENTS))
    assert history(verdict, session_id) == {"notifications": [], "begins": None, "next": None}


def test_a_message_that_sqs_has_not_taken_is_not_told(verdict, session_id):
    post(verdict, genuine(decision(session_id)))
    [told] = items(verdict, session_id, "TOLD")
    database, table = verdict.client("dynamodb"), verdict.outputs["SessionsTableName"]
    database.delete_item(TableName=table, Key={name: told[name] for name in ("pk", "sk")})
    database.put_item(TableName=table, Item={
        "pk": told["pk"], "sk": {"S": "NOTIFICATION#1"}, "notification": told["notification"]})
    assert history(verdict, session_id)["notifications"] == []


def test_the_history_of_a_session_of_nobody_is_not_found(verdict, session_id):
    assert error(verdict.get(f"/sessions/veriff/{session_id}/notifications")) == (404, "session_not_found")
    assert error(verdict.get("/sessions/nobody/x/notifications")) == (404, "session_not_found")


@pytest.mark.parametrize("part", ["events", "notifications"])
def test_the_parts_of_a_session_are_read_whatever_its_id(verdict, session_id, part):
    odd = f"{session_id}/a b?%2F"
    post(verdict, genuine(decision(odd)))
    status, page = verdict.get(f"/sessions?session=veriff%2F{quote(odd)}&part={part}")
    assert status == 200
    [entry] = page[part]
    assert odd in (entry.get("sessionId"), entry.get("message", {}).get("subject"))
    post(verdict, genuine(decision(session_id)))
    assert verdict.get(f"/sessions?session=veriff%2F{session_id}&part={part}") == verdict.get(
        f"/sessions/veriff/{session_id}/{part}")
