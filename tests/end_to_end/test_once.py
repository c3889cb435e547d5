"""However often and however many at once: every fact counts once."""
from __future__ import annotations

import collections
from urllib.parse import quote

import pytest
from attacks import on_binaries

from .deliveries import DECISIONS, EVENTS, SENDERS, decision, different_events, genuine, post, post_all
from .table import items

pytestmark = [pytest.mark.usefixtures("believing"), on_binaries("a webhook replayed, many at once")]


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_the_same_webhook_fifty_times_twenty_at_once_is_recorded_and_notified_once(
        verdict, decisions, session_id, sender):
    answers = post_all(verdict, [sender.approves(session_id)] * 50, at_once=20)

    session = sender.session(session_id)
    assert [answer.status for answer in answers] == [200] * 50
    assert collections.Counter(answer.outcome for answer in answers) == {"recorded": 1, "duplicate": 49}
    assert {answer.session for answer in answers} == {f"{sender}/{quote(session, safe=':')}"}
    for sort in ("EVENT", "PAYLOAD"):
        assert len(items(verdict, session, sort, sender.provider)) == 1
    record = verdict.session(sender.provider, session)
    assert (record["version"], record["events"], record["notifications"]) == (1, 1, 1)
    assert [message.body["data"]["outcome"] for message in decisions.about(session)] == ["approved"]
    assert items(verdict, session, "NOTIFICATION", sender.provider) == []


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_the_same_session_id_at_two_providers_is_two_sessions(verdict, session_id, sender):
    others = [other for other in SENDERS if other is not sender]
    assert post(verdict, sender.approves(session_id)).outcome == "recorded"
    for other in others:
        assert verdict.session(other.provider, other.session(session_id)) is None


def test_sixteen_webhooks_about_one_session_at_once_all_count(verdict, session_id):
    answers = post_all(verdict, different_events(session_id, 16), at_once=16)

    assert [(answer.status, answer.outcome) for answer in answers] == [(200, "recorded")] * 16
    assert len(items(verdict, session_id, "EVENT")) == 16
    record = verdict.session("veriff", session_id)
    assert (record["version"], record["events"]) == (16, 16)


def test_decisions_about_one_session_at_once_are_notified_without_gap_and_end_with_the_latest(
        verdict, decisions, session_id):
    statuses = ["review", "declined", "resubmission_requested", "review", "declined", "approved"]
    different = [
        genuine(decision(session_id, status, at=f"2026-06-12T09:{minute:02}:00Z"))
        for minute, status in enumerate(statuses)]

    answers = post_all(verdict, different, at_once=6)

    assert {answer.outcome for answer in answers} == {"recorded"}
    told = [message.body["data"] for message in decisions.about(session_id)]
    assert [data["sequence"] for data in told] == list(range(1, len(told) + 1))
    assert told[-1]["outcome"] == verdict.session("veriff", session_id)["decision"]["outcome"] == "approved"


def test_either_path_takes_the_same_webhook_for_the_same(verdict, session_id):
    document = decision(session_id)
    outcomes = [post(verdict, genuine(document, path=path)).outcome for path in (EVENTS, DECISIONS, EVENTS)]
    assert outcomes == ["recorded", "duplicate", "duplicate"]
