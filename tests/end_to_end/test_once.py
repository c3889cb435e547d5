"""However often and however many at once: every fact counts once."""
from __future__ import annotations

import collections

from stack.deployment import webhooks

from .deliveries import DECISIONS, EVENTS, decision, different_events, genuine, post, post_all
from .table import items, outbox


def test_the_same_webhook_fifty_times_twenty_at_once_is_recorded_and_notified_once(verdict, decisions, session_id):
    sample = webhooks.find("veriff/decision-approved")
    keys = {"secrets": ["abcdef12-abcd-abcd-abcd-abcdef012345"]}  # Veriff publishes it with its signature vector.
    body = webhooks.body_of(webhooks.make(sample, keys, session=session_id))

    answers = post_all(verdict, [genuine(body)] * 50, at_once=20)

    assert [answer.status for answer in answers] == [200] * 50
    assert collections.Counter(answer.outcome for answer in answers) == {"recorded": 1, "duplicate": 49}
    assert {answer.session for answer in answers} == {f"veriff/{session_id}"}
    assert len(items(verdict, session_id, "EVENT")) == len(items(verdict, session_id, "PAYLOAD")) == 1
    record = verdict.session("veriff", session_id)
    assert (record["version"], record["events"], record["notifications"]) == (1, 1, 1)
    assert [message.body["data"]["outcome"] for message in decisions.about(session_id)] == ["approved"]
    assert outbox(verdict, session_id) == []


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
