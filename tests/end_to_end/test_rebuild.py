"""Reading history again: nothing changes where today's readers say the same, and is put right where they don't."""
from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
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
#: For what happens at once where the machine has nothing else to do.
PATIENCE_SECONDS = 60
#: How often a rebuild runs against webhooks of its session.
RACES = 12


# ---- The operator's tool ----

def operate(verdict, *arguments: object) -> list[str]:
    """Runs the tool against the stack, in this process, where it needs no second to start; what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status = command_line.main(["rebuild", "--endpoint", verdict.endpoint, *map(str, arguments)])
    assert status == 0, printed.getvalue()
    return printed.getvalue().splitlines()


def dry_run(verdict, *arguments: object) -> dict[str, str]:
    """What the tool says of each session that the arguments choose."""
    lines = [line.split(maxsplit=2) for line in operate(verdict, *arguments)[:-1]]
    return {key: " ".join([outcome, *more]) for outcome, key, *more in lines}


def named(*keys: str) -> list[str]:
    return [f"--session={key}" for key in keys]


def apply(verdict, tmp_path, *keys: str) -> dict[str, dict]:
    """Has the tool request rebuilds; what `replay` has logged of each once it is done."""
    before = rebuilds(verdict)
    audit = tmp_path / "audit.jsonl"
    [line] = operate(verdict, *named(*keys), "--apply", "--rate", 1000, "--audit", audit)
    assert line.startswith(f"{len(keys)} rebuild")
    end = time.monotonic() + PATIENCE_SECONDS
    while len(lines := rebuilds(verdict)[len(before):]) < len(keys):
        assert time.monotonic() < end, f"{len(lines)} of {len(keys)} were rebuilt"
        time.sleep(0.2)
    assert sorted(line["session"] for line in lines) == sorted(keys)
    return {line["session"]: line for line in lines}


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


def misread_decision(verdict, key: str, outcome: str = "declined") -> None:
    """Leaves a session's one decision as a reader would have that took it for another."""
    [decided] = [item for item in everything(verdict, key) if "event" in item and "M" in item["event"]["M"]["decision"]]
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
    assert post(verdict, sender.approves(session_id)).outcome == "recorded"
    key = f"{sender}/{sender.session(session_id)}"
    published(verdict, key)
    return key


def told(decisions, key: str) -> list[dict]:
    return [message.body["data"] for message in decisions.about(key.split("/", 1)[1])]


# ---- Readers that say the same ----

@pytest.fixture(scope="module")
def history(verdict) -> list[str]:
    """A session of every sample that records one, those of every scenario, and two that the poller has learnt of."""
    keys = polled(verdict, "OK") + polled(verdict, "FAIL")
    sendings = [samples.prepare(sample) for sample in webhooks.catalogue() if sample.expect["outcome"] == "recorded"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda sent: webhooks.send(sent.event, verdict.api_url), sendings))
    keys += [unquote(answer.session) for answer in answers]
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
    assert decisions.all()[heard:] == []
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
    assert everything(verdict, key) == counted_up(right, notifications=1)
    first, second = told(decisions, key)
    assert (first["sequence"], first["correction"]) == (1, False)
    assert second == {**first, "sequence": 2, "previousOutcome": "declined", "correction": True}

    assert dry_run(verdict, *named(key)) == {key: "unchanged"}
    assert apply(verdict, tmp_path, key)[key]["outcome"] == "unchanged"
    assert everything(verdict, key) == counted_up(right, notifications=1)
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


def test_a_decision_is_not_taken_away(verdict, decisions, session_id, tmp_path):
    key, other = f"veriff/{session_id}", approved(verdict, VERIFF)
    post(verdict, genuine(event(session_id), path=EVENTS))
    # As if the event had once been taken for an approval.
    rewrite(verdict, key, "STATE", "session.decision", item(verdict, other, "STATE")["session"]["M"]["decision"])
    before = everything(verdict, key)

    assert dry_run(verdict, *named(key)) == {key: "refused decision_withdrawn"}
    assert apply(verdict, tmp_path, key)[key]["reason"] == "decision_withdrawn"
    assert everything(verdict, key) == before
    assert told(decisions, key) == []


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
             "ENDPOINT": verdict.endpoint, "SESSION": f"veriff/{session_id}", "APPLY": "1"})

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 rebuild requested, on record in rebuild-audit.jsonl;")
    [line] = [json.loads(line) for line in (tmp_path / "rebuild-audit.jsonl").read_text("utf-8").splitlines()]
    assert (line["session"], line["asked"]) == (f"veriff/{session_id}", "rebuild")
    assert line["who"].startswith("arn:aws:") and line["messageId"]
    assert time.time() - datetime.fromisoformat(line["at"]).timestamp() < PATIENCE_SECONDS
