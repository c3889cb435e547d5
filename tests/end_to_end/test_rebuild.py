"""Reading history again: nothing changes where today's readers say the same, and is put right where they don't."""
from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Sequence
from urllib.parse import unquote

import pytest
from stack import samples
from stack.deployment import ROOT, webhooks
from stack.steps import without_aws

from . import table
from .deliveries import ATTEMPT, EVENTS, SENDERS, VERIFF, decision, different_events, event, genuine, post
from .functions import deployed
from .incode import clear_schedule, onboarding
from .logs import log, said

OPERATIONS = ROOT / "operations"
sys.path.insert(0, str(OPERATIONS))
from verdict import command_line, rebuild  # noqa: E402

AT_ONCE = 8
pytestmark = pytest.mark.usefixtures("believing")

#: For what happens at once where the machine has nothing else to do.
PATIENCE_SECONDS = 60
#: Longer than intake's visibility timeout: a message whose receipt got lost comes back only then.
REDELIVERY_SECONDS = 240
#: How often a rebuild runs against webhooks of its session.
RACES = 12


# ---- The operator's tool ----

def operate(verdict, *arguments: object) -> list[str]:
    """Runs the tool against the stack, in this process, where it needs no second to start; what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status = command_line.main(["rebuild", "--endpoint", verdict.endpoint, *map(str, arguments)])
    # A session that isn't there is a finding.
    assert status == int(" session_not_found\n" in printed.getvalue()), printed.getvalue()
    return printed.getvalue().splitlines()


def dry_run(verdict, *arguments: object) -> dict[str, str]:
    """What the tool says of each session that the arguments choose."""
    return dry_run_and_totals(verdict, *arguments)[0]


def dry_run_and_totals(verdict, *arguments: object) -> tuple[dict[str, str], list[str]]:
    """The same, and the lines below it."""
    printed = operate(verdict, *arguments)
    [count] = [number for number, line in enumerate(printed) if re.match(r"\d+ sessions?: ", line)]
    lines = [line.split(maxsplit=2) for line in printed[:count]]
    return {key: " ".join([outcome, *more]) for outcome, key, *more in lines}, printed[count:]


def named(*keys: str) -> list[str]:
    return [f"--session={key}" for key in keys]


def apply(verdict, tmp_path, *keys: str, how: Sequence[str] = ()) -> dict[str, dict]:
    """Has the tool request rebuilds; what `replay` has logged of each once it is done."""
    before = rebuilds(verdict)
    audit = tmp_path / "audit.jsonl"
    [line] = operate(verdict, *named(*keys), *how, "--apply", "--reason", "a test", "--rate", 1000, "--audit", audit)
    assert line.startswith(f"{len(keys)} rebuild")
    end = time.monotonic() + REDELIVERY_SECONDS
    # A request that is delivered twice has two lines, the first of which counts; other tests' late lines don't.
    while len(lines := {line["session"]: line for line in reversed(rebuilds(verdict)[len(before):])
                        if line["session"] in keys}) < len(set(keys)):
        assert time.monotonic() < end, f"{len(lines)} of {len(keys)} were rebuilt"
        time.sleep(0.2)
    return lines


def batch(*keys: str) -> dict:
    """What `replay` is called with when requests to rebuild these are on intake."""
    requests = {key: {"kind": "rebuild", **rebuild.Key.parse(key).json} for key in keys}
    return {"Records": [
        {"messageId": key, "receiptHandle": "none", "body": json.dumps(request)} for key, request in requests.items()]}


def rebuilds(verdict) -> list[dict]:
    return said(log(verdict, deployed(verdict, "Replay"), "rebuild", at_least=0), "rebuild")


# ---- The table, as somebody left it ----

def everything(verdict, key: str) -> list[dict]:
    """All items of a session."""
    provider, session_id = key.split("/", 1)
    return table.items(verdict, session_id, provider=provider)


def item(verdict, key: str, sort: str) -> dict:
    [found] = [item for item in everything(verdict, key) if item["sk"]["S"].startswith(sort)]
    return found


def outbox(verdict, key: str) -> list[dict]:
    return [item for item in everything(verdict, key) if item["sk"]["S"].startswith("NOTIFICATION")]


def but_history(items: list[dict]) -> list[dict]:
    """The items without what was told."""
    return [item for item in items if not item["sk"]["S"].startswith("TOLD#")]


def history_of(verdict, key: str) -> list[int]:
    """The sequences that are on record as told."""
    sort_keys = [item["sk"]["S"] for item in everything(verdict, key)]
    return sorted(int(sk.removeprefix("TOLD#")) for sk in sort_keys if sk.startswith("TOLD#"))


def rewrite(verdict, key: str, sort_key: str, path: str, value: dict) -> None:
    """Gives one member of an item, named from the top with dots between, another value in DynamoDB's JSON."""
    names = {f"#{depth}": name for depth, name in enumerate(path.split("."))}
    verdict.client("dynamodb").update_item(
        TableName=verdict.outputs["SessionsTableName"], Key={"pk": {"S": f"SESSION#{key}"}, "sk": {"S": sort_key}},
        UpdateExpression=f"SET {'.'.join(names)} = :value", ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeNames=names, ExpressionAttributeValues={":value": value})


def remove(verdict, key: str, sort_key: str) -> None:
    verdict.client("dynamodb").delete_item(
        TableName=verdict.outputs["SessionsTableName"], Key={"pk": {"S": f"SESSION#{key}"}, "sk": {"S": sort_key}})


def without_nulls(value: dict) -> dict:
    """A stored value as today's release writes it: members that hold null are left out."""
    [(kind, content)] = value.items()
    if kind == "M":
        return {"M": {name: without_nulls(member) for name, member in content.items() if "NULL" not in member}}
    return {"L": [without_nulls(entry) for entry in content]} if kind == "L" else value


def misread_decision(verdict, key: str, outcome: str = "declined") -> None:
    """Leaves a session's one decision as a reader would have that took it for another."""
    [decided] = [item for item in everything(verdict, key)
                 if "M" in item.get("event", {"M": {}})["M"].get("decision", {})]
    rewrite(verdict, key, decided["sk"]["S"], "event.decision.outcome", {"S": outcome})
    rewrite(verdict, key, "STATE", "session.decision.value.outcome", {"S": outcome})


def counted_up(items: list[dict], *, notifications: int) -> list[dict]:
    """The items with what a rebuild counts."""
    items = copy.deepcopy(items)
    [state] = [item for item in items if item["sk"]["S"] == "STATE"]
    session = state["session"]["M"]
    version = {"N": str(int(state["version"]["N"]) + 1)}
    state["version"] = session["version"] = version
    session["notifications"] = {"N": str(int(session["notifications"]["N"]) + notifications)}
    return items


def published(verdict, *keys: str) -> None:
    """Waits until nothing is left in these sessions' outboxes."""
    end = time.monotonic() + PATIENCE_SECONDS
    while left := [key for key in keys if outbox(verdict, key)]:
        assert time.monotonic() < end, left
        time.sleep(0.2)


def approved(verdict, sender) -> str:
    """A session that this provider approves."""
    session_id = str(uuid.uuid4())
    with samples.believing(verdict) if sender.provider == "incode" else contextlib.nullcontext():
        assert post(verdict, sender.approves(session_id)).outcome == "recorded"
    key = f"{sender}/{sender.session(session_id)}"
    published(verdict, key)
    return key


def told(decisions, key: str) -> list[dict]:
    return [message.body["data"] for message in decisions.about(key.split("/", 1)[1])]


def told_since(decisions, heard: int, keys) -> list[dict]:
    """What was told of these sessions after so many messages. Those about sessions of other tests may come late."""
    data = [message.body["data"] for message in decisions.all()[heard:]]
    return [told for told in data if f"{told['provider']}/{told['sessionId']}" in keys]


# ---- Readers that say the same ----

@pytest.fixture(scope="module")
def history(verdict) -> list[str]:
    """A session of every sample that records one, those of every scenario, and two that the poller has learnt of."""
    keys = polled(verdict, "OK") + polled(verdict, "FAIL")
    sendings = [samples.prepare(sample) for sample in webhooks.catalogue() if sample.expect["outcome"] == "recorded"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda sent: webhooks.send(sent.event, verdict.api_url), sendings))
    # A liveness that another test has sent with these words is bound to another identification: a copy, of nothing here.
    keys += [unquote(answer.session) for answer in answers if answer.outcome == "recorded"]
    for scenario in webhooks.scenarios():
        ids = scenario.fresh_ids()
        credentials = webhooks.credentials(scenario.provider, webhooks.LOCAL_CREDENTIALS)
        for step, answer in webhooks.play(scenario, credentials, verdict.api_url, ids):
            assert answer.outcome == step.outcome
        keys += [f"{scenario.provider}/{session}" for session in scenario.session_keys(ids).values()]
    clear_schedule(verdict)
    published(verdict, *keys)
    return list(dict.fromkeys(keys))


def polled(verdict, score: str) -> list[str]:
    """A session whose decision only Incode's API tells."""
    clear_schedule(verdict)
    session_id = str(uuid.uuid4())
    verdict.incode_api.script(session_id, status=["ONBOARDING_FINISHED"], score=[score])
    assert post(verdict, onboarding(session_id, "ONBOARDING_FINISHED")).outcome == "recorded"
    verdict.invoke("IncodePoller")
    assert verdict.session("incode", session_id)["status"] == "decided"
    return [f"incode/{session_id}"]


def test_what_today_s_readers_recorded_they_read_alike(verdict, decisions, history, figures, tmp_path):
    before = {key: everything(verdict, key) for key in history}
    events = [item for items in before.values() for item in items if item["sk"]["S"].startswith("EVENT")]
    assert {key.split("/")[0] for key in history} == {str(sender) for sender in SENDERS}
    heard = len(decisions.all())

    assert dry_run(verdict, *named(*history)) == dict.fromkeys(history, "unchanged")
    done = apply(verdict, tmp_path, *history)

    assert {line["outcome"] for line in done.values()} == {"unchanged"}
    assert {key: everything(verdict, key) for key in history} == before
    assert told_since(decisions, heard, history) == []
    figures.append(f"rebuild: {len(history)} sessions with {len(events)} events read again, none changed")


# ---- Readers that were wrong ----

@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_a_decision_that_was_misread_is_put_right_and_told_once_as_a_correction(verdict, decisions, tmp_path, sender):
    key = approved(verdict, sender)
    right = everything(verdict, key)
    misread_decision(verdict, key)
    wrong = everything(verdict, key)
    assert wrong != right

    assert dry_run(verdict, *named(key)) == {
        key: "changed 1 event; decision declined -> approved; record: decision; notified"}
    assert everything(verdict, key) == wrong

    done = apply(verdict, tmp_path, key)[key]

    assert (done["outcome"], done["events"], done["members"]) == ("changed", 1, ["decision"])
    assert (done["decision"], done["notified"]) == ({"from": "declined", "to": "approved"}, True)
    published(verdict, key)
    assert but_history(everything(verdict, key)) == but_history(counted_up(right, notifications=1))
    assert history_of(verdict, key) == [1, 2]
    first, second = told(decisions, key)
    assert (first["sequence"], first["correction"]) == (1, False)
    assert second == {**first, "sequence": 2, "previousOutcome": "declined", "correction": True}

    assert dry_run(verdict, *named(key)) == {key: "unchanged"}
    assert apply(verdict, tmp_path, key)[key]["outcome"] == "unchanged"
    assert but_history(everything(verdict, key)) == but_history(counted_up(right, notifications=1))
    assert len(told(decisions, key)) == 2


def test_what_decides_nothing_is_put_right_and_told_nobody(verdict, decisions, session_id, tmp_path):
    key = f"veriff/{session_id}"
    post(verdict, genuine(event(session_id, 7002, "submitted"), path=EVENTS))
    right = everything(verdict, key)
    rewrite(verdict, key, item(verdict, key, "EVENT")["sk"]["S"], "event.stage", {"S": "started"})
    rewrite(verdict, key, "STATE", "session.attempts", {"L": [
        {"M": {**attempt["M"], "stage": {"S": "started"}}}
        for attempt in item(verdict, key, "STATE")["session"]["M"]["attempts"]["L"]]})

    assert dry_run(verdict, *named(key)) == {key: "changed 1 event; record: status"}
    apply(verdict, tmp_path, key)

    # The item's own `status`, for whoever looks at the table, was never misread here.
    assert everything(verdict, key) == counted_up(right, notifications=0)
    assert told(decisions, key) == []


def test_an_event_that_was_misread_without_effect_leaves_the_record_alone(verdict, session_id, tmp_path):
    key = f"veriff/{session_id}"
    post(verdict, genuine(event(session_id), path=EVENTS))
    right = everything(verdict, key)
    rewrite(verdict, key, item(verdict, key, "EVENT")["sk"]["S"], "event.name", {"S": "event.misread"})

    assert dry_run(verdict, *named(key)) == {key: "changed 1 event"}
    apply(verdict, tmp_path, key)

    assert everything(verdict, key) == right


# ---- Records that stay as they are ----

def test_what_has_expired_can_not_be_read_again(verdict, session_id, tmp_path):
    key = f"veriff/{session_id}"
    for delivery in (*different_events(session_id, 2), genuine(decision(session_id))):
        post(verdict, delivery)
    misread_decision(verdict, key)
    for payload in table.items(verdict, session_id, "PAYLOAD")[:2]:
        remove(verdict, key, payload["sk"]["S"])
    before = everything(verdict, key)

    assert dry_run(verdict, *named(key)) == {key: "refused payloads_expired (2)"}
    done = apply(verdict, tmp_path, key)[key]

    assert (done["outcome"], done["reason"], done["events"]) == ("refused", "payloads_expired", 2)
    assert everything(verdict, key) == before


def test_a_payload_that_nothing_can_be_made_of_leaves_the_record_alone(verdict, session_id, tmp_path):
    key = f"veriff/{session_id}"
    for delivery in (genuine(event(session_id), path=EVENTS), genuine(decision(session_id))):
        post(verdict, delivery)
    misread_decision(verdict, key)
    rewrite(verdict, key, table.items(verdict, session_id, "PAYLOAD")[0]["sk"]["S"], "payload", {"S": "{}"})
    before = everything(verdict, key)

    assert dry_run(verdict, *named(key)) == {key: "refused payloads_unreadable (1)"}
    assert apply(verdict, tmp_path, key)[key]["reason"] == "payloads_unreadable"
    assert everything(verdict, key) == before


def taken_for_an_approval(verdict, session_id: str) -> str:
    """A session whose one event, which decides nothing, an earlier reader took for an approval, and told."""
    key, other = f"veriff/{session_id}", approved(verdict, VERIFF)
    post(verdict, genuine(event(session_id), path=EVENTS))
    rewrite(verdict, key, "STATE", "session.decision", item(verdict, other, "STATE")["session"]["M"]["decision"])
    rewrite(verdict, key, "STATE", "session.notifications", {"N": "1"})
    return key


def test_a_decision_is_not_taken_away(verdict, decisions, session_id, tmp_path):
    key = taken_for_an_approval(verdict, session_id)
    before = everything(verdict, key)

    assert dry_run(verdict, *named(key)) == {key: "refused decision_withdrawn"}
    assert apply(verdict, tmp_path, key)[key]["reason"] == "decision_withdrawn"
    assert everything(verdict, key) == before
    assert told(decisions, key) == []


def test_a_decision_is_withdrawn_if_that_is_asked_for_and_consumers_are_told(verdict, decisions, session_id, tmp_path):
    key = taken_for_an_approval(verdict, session_id)
    assert dry_run(verdict, *named(key), "--withdraw") == {
        key: "changed 0 events; decision approved -> none; record: decision, status; notified"}
    assert told(decisions, key) == []
    before = datetime.now(timezone.utc)

    done = apply(verdict, tmp_path, key, how=["--withdraw"])[key]

    assert (done["outcome"], done["decision"], done["notified"]) == ("changed", {"from": "approved", "to": None}, True)
    published(verdict, key)
    [message] = decisions.about(session_id)
    assert message.body["type"] == message.attributes["type"] == "verdict.decision_withdrawn.v1"
    assert "outcome" not in message.attributes and message.attributes["final"] == "false"
    data = message.body["data"]
    assert (data["sequence"], data["outcome"], data["final"], data["previousOutcome"], data["correction"]) == (
        2, None, False, "approved", True)
    assert (data["reasonCode"], data["reasonCodes"], data["decidedAt"], data["attemptId"]) == (None, [], None, None)
    assert before <= datetime.fromisoformat(data["withdrawnAt"]) <= datetime.now(timezone.utc)
    assert message.body["time"] == data["withdrawnAt"]
    record = verdict.session("veriff", session_id)
    assert (record["status"], record["decision"], record["notifications"]) == ("started", None, 2)
    assert history_of(verdict, key) == [2]
    [line] = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text("utf-8").splitlines()]
    assert (line["which"], line["withdraw"]) == (key, True)

    # What stands is told from there on, and nothing is withdrawn twice.
    assert dry_run(verdict, *named(key), "--withdraw") == {key: "unchanged"}
    post(verdict, genuine(decision(session_id)))
    assert [(data["sequence"], data["outcome"], data["previousOutcome"]) for data in told(decisions, key)] == [
        (2, None, "approved"), (3, "approved", None)]


def test_a_session_that_nobody_has_heard_of_is_not_made(verdict, session_id, tmp_path):
    key = f"veriff/{session_id}"
    assert dry_run(verdict, *named(key)) == {key: "refused session_not_found"}
    assert apply(verdict, tmp_path, key)[key]["reason"] == "session_not_found"
    assert everything(verdict, key) == []


def test_a_record_that_can_not_be_read_holds_up_no_other(verdict):
    broken, other = approved(verdict, VERIFF), approved(verdict, VERIFF)
    misread_decision(verdict, other)
    rewrite(verdict, broken, "STATE", "session.kind", {"S": "never_heard_of"})
    before = everything(verdict, broken)

    stay = deployed(verdict, "Replay").call(batch(broken, other))

    assert stay == {"batchItemFailures": [{"itemIdentifier": broken}]}
    assert everything(verdict, broken) == before
    assert dry_run(verdict, *named(other)) == {other: "unchanged"}


# ---- Sessions that release 0.1 stored ----

def as_stored(verdict, name: str) -> str:
    """Puts the items of one of release 0.1's sessions into the table, without its outbox; its key."""
    folder = ROOT / "tests/stored/0.1/table" / name
    files = [file for file in folder.glob("*.json") if not file.stem.startswith(("expected", "NOTIFICATION"))]
    stored = [json.loads(file.read_text("utf-8")) for file in files]
    key = stored[0]["pk"]["S"].removeprefix("SESSION#")
    # A sample may have the same id.
    for there in everything(verdict, key):
        remove(verdict, key, there["sk"]["S"])
    for each in stored:
        verdict.client("dynamodb").put_item(TableName=verdict.outputs["SessionsTableName"], Item=each)
    return key


def in_list(verdict, key: str) -> list[str]:
    """The shards of the lists by status in which a session stands, as the index has them."""
    state = item(verdict, key, "STATE")
    found = []
    for status in ("new", "started", "submitted", "in_review", "awaiting_resubmission", "decided"):
        for shard in range(8):
            page = verdict.client("dynamodb").query(
                TableName=verdict.outputs["SessionsTableName"], IndexName="standing",
                KeyConditionExpression="standingShard = :shard",
                ExpressionAttributeValues={":shard": {"S": f"{status}#{shard}"}})
            found += [f"{status}#{shard}" for entry in page["Items"] if entry["pk"] == state["pk"]]
    return found


def without_place(verdict, key: str) -> None:
    """Leaves a session as release 0.1 writes it after a rollback: that release drops what it doesn't know."""
    verdict.client("dynamodb").update_item(
        TableName=verdict.outputs["SessionsTableName"], Key={"pk": {"S": f"SESSION#{key}"}, "sk": {"S": "STATE"}},
        UpdateExpression="REMOVE standingShard, standingAt, provider, outcome, #session.statusSince",
        ExpressionAttributeNames={"#session": "session"})


def test_a_session_that_release_0_1_wrote_gets_its_place_in_the_lists_and_keeps_its_record(
        verdict, decisions, session_id, tmp_path):
    keys = [approved(verdict, VERIFF), f"veriff/{session_id}"]
    post(verdict, genuine(event(session_id), path=EVENTS))
    right = {key: everything(verdict, key) for key in keys}
    assert [place.split("#")[0] for key in keys for place in in_list(verdict, key)] == ["decided", "started"]
    heard = len(decisions.all())
    for key in keys:
        without_place(verdict, key)
    wrong = {key: everything(verdict, key) for key in keys}
    assert [in_list(verdict, key) for key in keys] == [[], []]

    said, totals = dry_run_and_totals(verdict, *named(*keys))
    assert said == dict.fromkeys(keys, "indexed place in the lists")
    assert totals == [
        "2 sessions: 2 unchanged, 0 would change (0 notified), 0 refused, 0 failed",
        "2 sessions among these would get their place in the lists by status, and keep the record as it is"]
    assert {key: everything(verdict, key) for key in keys} == wrong
    done = apply(verdict, tmp_path, *keys)

    assert {line["outcome"] for line in done.values()} == {"indexed"}
    assert {key: everything(verdict, key) for key in keys} == right
    assert [place.split("#")[0] for key in keys for place in in_list(verdict, key)] == ["decided", "started"]
    assert told_since(decisions, heard, keys) == []
    assert dry_run(verdict, *named(*keys)) == dict.fromkeys(keys, "unchanged")


def test_every_session_that_release_0_1_stored_gets_its_place_in_the_lists(verdict, figures, tmp_path):
    keys = [as_stored(verdict, folder.name) for folder in sorted((ROOT / "tests/stored/0.1/table").iterdir())]
    assert [in_list(verdict, key) for key in keys[:3]] == [[], [], []]
    said = dry_run(verdict, *named(*keys))

    done = apply(verdict, tmp_path, *keys)

    assert {line["outcome"] for line in done.values()} <= {"changed", "indexed", "refused"}
    places = {key: item(verdict, key, "STATE")["standingShard"]["S"] for key in keys}
    for key, place in places.items():
        record = verdict.session(*key.split("/", 1))
        assert place.split("#")[0] == record["status"]
    counts = Counter(report.split()[0] for report in said.values())
    words = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    figures.append(f"rebuild: {len(keys)} sessions of release 0.1 got their place in the lists by status: {words}")


def test_one_whose_payloads_have_expired_is_refused_and_gets_its_place_all_the_same(verdict, tmp_path):
    key = as_stored(verdict, "veriff-expired-without-time")
    remove(verdict, key, item(verdict, key, "PAYLOAD")["sk"]["S"])
    before = item(verdict, key, "STATE")

    said, totals = dry_run_and_totals(verdict, *named(key))
    assert said == {key: "refused payloads_expired (1); place in the lists"}
    assert totals[1] == "1 session among these would get its place in the lists by status, and keep the record as it is"
    done = apply(verdict, tmp_path, key)[key]

    assert (done["outcome"], done["reason"], done["indexed"]) == ("refused", "payloads_expired", True)
    [place] = in_list(verdict, key)
    assert place.split("#")[0] == "decided"
    now = item(verdict, key, "STATE")
    assert now["session"]["M"].pop("statusSince")
    assert (now["version"], now["session"]) == (before["version"], without_nulls(before["session"]))
    assert dry_run(verdict, *named(key)) == {key: "refused payloads_expired (1)"}


# ---- While the world goes on ----

def test_webhooks_that_come_during_a_rebuild_all_count(verdict, decisions, figures):
    function = deployed(verdict, "Replay")
    keys, overlaps, count = [], 0, 0
    for number in range(RACES):
        session_id = str(uuid.uuid4())
        key = f"veriff/{session_id}"
        for delivery in (genuine(decision(session_id)), watchlist(session_id)):
            assert post(verdict, delivery).outcome == "recorded"
        misread_decision(verdict, key)
        # What no webhook that comes meanwhile puts right.
        rewrite(verdict, key, "STATE", "session.checks.watchlist.value.outcome", {"S": "flagged"})
        meanwhile = different_events(session_id, 8)
        meanwhile.insert(number % 9, genuine(decision(session_id, "expired", at="2026-06-12T10:00:00Z")))
        ended: list[float] = []

        with ThreadPoolExecutor(AT_ONCE // 2 + 1) as pool:
            rebuild = pool.submit(function.call, batch(key))
            rebuild.add_done_callback(lambda _: ended.append(time.monotonic()))  # noqa: B023 (it ends within the turn)
            answers = list(pool.map(lambda delivery: (post(verdict, delivery), time.monotonic()), meanwhile))

        assert rebuild.result() == {"batchItemFailures": []}
        assert [answer.outcome for answer, _ in answers] == ["recorded"] * 9
        overlaps += any(at < ended[0] for _, at in answers) and any(at > ended[0] for _, at in answers)
        count += len(answers)
        keys.append(key)

    # Each record is what all its events make.
    assert dry_run(verdict, *named(*keys)) == dict.fromkeys(keys, "unchanged")
    published(verdict, *keys)
    corrections = 0
    for key in keys:
        record, notifications = verdict.session(*key.split("/")), told(decisions, key)
        # Every event, and the rebuild.
        assert (record["events"], record["version"]) == (11, 12)
        assert record["checks"]["watchlist"]["outcome"] == "passed"
        assert [data["sequence"] for data in notifications] == list(range(1, record["notifications"] + 1))
        assert notifications[-1]["outcome"] == record["decision"]["outcome"] == "expired"
        # Where the next decision was faster, there was none to correct.
        corrections += any(data["correction"] for data in notifications)
    assert overlaps > 0
    figures.append(f"rebuild: {RACES} rebuilds against {count} webhooks at once ({overlaps} in their midst,"
                   f" {corrections} before the session's next decision), none lost")


def watchlist(session_id: str):
    return genuine({
        "checkType": "initial_result", "sessionId": session_id, "attemptId": ATTEMPT, "vendorData": "customer-1",
        "matchStatus": "no_match", "createdAt": "2026-06-12T09:31:00Z"})


# ---- Choosing ----

def test_sessions_are_chosen_by_reference_and_by_time(verdict):
    reference, others = f"customer-{uuid.uuid4()}", f"customer-{uuid.uuid4()}"
    keys = []
    for name in (reference, reference, others):
        session_id = str(uuid.uuid4())
        post(verdict, genuine(event(session_id, vendorData=name), path=EVENTS))
        keys.append(f"veriff/{session_id}")
    assert set(dry_run(verdict, f"--reference={reference}")) == set(keys[:2])
    assert dry_run(verdict, f"--reference={reference}", "--kind=onboarding") == {}

    arrived = verdict.session("veriff", keys[0].split("/")[1])["lastEventAt"]
    at = datetime.fromisoformat(arrived)
    just_after = (at + timedelta(microseconds=1)).isoformat()
    later = (at + timedelta(microseconds=2)).isoformat()
    assert keys[0] in dry_run(verdict, f"--since={arrived}", f"--until={just_after}", "--provider=veriff")
    assert keys[0] not in dry_run(verdict, f"--since={just_after}", f"--until={later}")
    assert keys[0] not in dry_run(verdict, f"--since={arrived}", f"--until={just_after}", "--provider=wultra")


def test_by_hand_the_tool_is_a_command_that_leaves_an_audit_of_who_asked_for_what(verdict, session_id, tmp_path):
    done = subprocess.run(
        [ROOT / ".venv/operations/bin/python", "-m", "verdict", "rebuild"], cwd=tmp_path, capture_output=True, text=True,
        timeout=60,
        env={**without_aws({"PATH": os.environ["PATH"], "PYTHONPATH": str(OPERATIONS)}),
             "ENDPOINT": verdict.endpoint, "SESSION": f"veriff/{session_id}", "APPLY": "1", "REASON": "by hand"})

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 rebuild requested, on record in audit.jsonl;")
    [line] = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text("utf-8").splitlines()]
    assert (line["what"], line["which"], line["reason"], line["result"]) == (
        "rebuild", f"veriff/{session_id}", "by hand", "requested")
    assert line["who"].startswith("arn:aws:") and line["messageId"]
    assert time.time() - datetime.fromisoformat(line["at"]).timestamp() < PATIENCE_SECONDS
