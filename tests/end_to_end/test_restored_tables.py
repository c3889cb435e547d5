"""A table that was restored to an earlier time: with a greater base, its messages are above what consumers have seen."""
from __future__ import annotations

import json

import pytest

from . import table
from .deliveries import decision, genuine, post
from .functions import relay_until

#: Far above what any session has counted.
BASE = 1000


@pytest.fixture
def seen_up_to_three(verdict, decisions, session_id):
    """A session that consumers have heard of three times, in a table that was restored to the time after the first."""
    decide(verdict, session_id, "review", "09:10")
    backup = table.items(verdict, session_id)
    decide(verdict, session_id, "approved", "09:20")
    decide(verdict, session_id, "declined", "09:30")
    assert sequences(decisions, session_id) == [1, 2, 3]
    restore(verdict, session_id, backup)
    return session_id


def decide(verdict, session_id: str, outcome: str, time: str) -> None:
    answer = post(verdict, genuine(decision(session_id, outcome, at=f"2026-06-12T{time}:00Z")))
    assert answer.outcome == "recorded"


def restore(verdict, session_id: str, backup: list[dict]) -> None:
    """Leaves in the table what was in it before: no more and no less."""
    database, name = verdict.client("dynamodb"), verdict.outputs["SessionsTableName"]
    for item in table.items(verdict, session_id):
        database.delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})
    for item in backup:
        database.put_item(TableName=name, Item=item)
    assert table.items(verdict, session_id) == backup


def raised(verdict, base: int = BASE):
    return verdict.reconfigured("VeriffDecisions", SEQUENCE_BASE=str(base))


def sequences(decisions, session_id: str) -> list[int]:
    return [message.body["data"]["sequence"] for message in decisions.about(session_id)]


def test_above_a_raised_base_consumers_hear_of_what_is_decided_anew(verdict, decisions, seen_up_to_three):
    session_id = seen_up_to_three
    with raised(verdict):
        decide(verdict, session_id, "approved", "09:50")
        decide(verdict, session_id, "expired", "09:55")
    # From there the numbers go on by themselves.
    decide(verdict, session_id, "declined", "09:59")

    told = [message.body["data"] for message in decisions.about(session_id)][3:]
    assert [(data["sequence"], data["previousOutcome"], data["outcome"]) for data in told] == [
        (1001, "review", "approved"), (1002, "approved", "expired"), (1003, "expired", "declined")]
    assert verdict.session("veriff", session_id)["notifications"] == 1003
    assert [item["sk"]["S"] for item in table.items(verdict, session_id, "TOLD")] == [
        "TOLD#1", "TOLD#1001", "TOLD#1002", "TOLD#1003"]


def test_without_that_they_hear_nothing_new(verdict, decisions, seen_up_to_three):
    decide(verdict, seen_up_to_three, "expired", "09:50")
    assert verdict.session("veriff", seen_up_to_three)["notifications"] == 2
    assert max(sequences(decisions, seen_up_to_three)) == 3


def test_what_waits_in_the_outbox_is_told_before_what_is_above_the_base(verdict, decisions, session_id):
    decide(verdict, session_id, "review", "09:10")
    [told] = table.items(verdict, session_id, "TOLD")
    # As in a backup from before SQS had confirmed it.
    wait_again(verdict, session_id, told["notification"])
    decisions.all()
    with raised(verdict):
        decide(verdict, session_id, "approved", "09:20")

    assert not table.outbox(verdict, session_id)
    assert sequences(decisions, session_id) == [1, 1001]
    assert [item["sk"]["S"] for item in table.items(verdict, session_id, "TOLD")] == ["TOLD#1", "TOLD#1001"]


def wait_again(verdict, session_id: str, notification: dict) -> None:
    """Puts a notification back into its session's outbox, and takes it out of the history."""
    database, name = verdict.client("dynamodb"), verdict.outputs["SessionsTableName"]
    pk, sequence = f"SESSION#veriff/{session_id}", notification["M"]["sequence"]["N"]
    database.delete_item(TableName=name, Key={"pk": {"S": pk}, "sk": {"S": f"TOLD#{sequence}"}})
    database.put_item(TableName=name, Item={
        "pk": {"S": pk}, "sk": {"S": f"NOTIFICATION#{sequence}"}, "dueShard": {"S": "outbox#0"},
        "dueAt": {"S": "2026-06-12T09:10:00.000000000Z"}, "notification": notification})


def test_the_relay_too_publishes_across_the_jump(verdict, decisions, session_id):
    decide(verdict, session_id, "review", "09:10")
    with raised(verdict):
        decide(verdict, session_id, "approved", "09:20")
    first, jumped = table.items(verdict, session_id, "TOLD")
    for told in (first, jumped):
        wait_again(verdict, session_id, told["notification"])
    follows(verdict, session_id, jumped, 1)

    relay_until(verdict, lambda: not table.outbox(verdict, session_id))

    assert [item["sk"]["S"] for item in table.items(verdict, session_id, "TOLD")] == ["TOLD#1", "TOLD#1001"]


def follows(verdict, session_id: str, told: dict, before: int) -> None:
    sequence = told["notification"]["M"]["sequence"]["N"]
    verdict.client("dynamodb").update_item(
        TableName=verdict.outputs["SessionsTableName"],
        Key={"pk": {"S": f"SESSION#veriff/{session_id}"}, "sk": {"S": f"NOTIFICATION#{sequence}"}},
        UpdateExpression="SET follows = :before", ExpressionAttributeValues={":before": {"N": str(before)}})


@pytest.mark.parametrize("base", ["-1", "1.5", "many", "1000000000001"])
def test_a_base_that_is_none_keeps_the_function_from_starting(verdict, base):
    with verdict.reconfigured("VeriffDecisions", SEQUENCE_BASE=base):
        answer = verdict.client("lambda").invoke(
            FunctionName=verdict.live("VeriffDecisions"), Payload=json.dumps({}))
    assert "FunctionError" in answer
