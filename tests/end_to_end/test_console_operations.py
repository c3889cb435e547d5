"""The console that `make run` starts, with its laboratory: *Operations* counts what came in, and its writes are done, for a
reason and on record."""
from __future__ import annotations

import functools
import hashlib
import http.client
import json
import time
import urllib.parse
from typing import Any, Callable, Iterator, Mapping, Optional

import pytest
from stack.console import console, reserved
from verdict import audit

from .deliveries import VERIFF, decision, genuine, post
from .functions import deployed
from .intake import await_empty
from .logs import log, said

PATIENCE_SECONDS = 20
Ask = Callable[..., tuple[int, Any]]
REASON = "a test of the console"


@pytest.fixture(scope="module")
def ask(verdict, tmp_path_factory) -> Iterator[Ask]:
    """Asks the console as its page does: status and JSON."""
    with pytest.MonkeyPatch.context() as patch, console(verdict, reserved()) as address:
        patch.setattr(audit, "FILE", tmp_path_factory.mktemp("console") / "audit.jsonl")
        url = urllib.parse.urlsplit(address)
        headers = {"x-verdict-token": url.fragment.removeprefix("token="), "content-type": "application/json"}

        def ask(path: str, body: Optional[Mapping[str, Any]] = None) -> tuple[int, Any]:
            connection = http.client.HTTPConnection(url.netloc, timeout=30)
            content = None if body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", path, content, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

        yield ask


@pytest.fixture
def post_to(ask) -> Callable[..., Any]:
    """Posts to the console what it is to do, and gives what that came to."""
    def post_to(path: str, **body: Any) -> Any:
        status, answer = ask(path, body)
        assert status == 200, answer
        return answer

    return post_to


def on_record() -> list[dict[str, Any]]:
    return [json.loads(line) for line in audit.FILE.read_text("utf-8").splitlines()] if audit.FILE.exists() else []


# ---- The figures ----

def counted(ask: Ask, what: str, **which: str) -> int:
    status, found = ask("/api/operations?minutes=5")
    assert status == 200
    return sum(each["count"] for each in found[what] if which.items() <= each.items())


def until(look: Callable[[], int], wanted: int) -> None:
    """Waits until as many are counted: the console keeps what it has seen for a moment."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) != wanted:
        assert found < wanted and time.monotonic() < end, (found, wanted)
        time.sleep(0.2)


def test_what_came_in_is_counted_by_outcome_and_a_refusal_by_its_reason(ask, post_to, session_id):
    of_webhooks = {outcome: counted(ask, "webhooks", outcome=outcome) for outcome in ("recorded", "duplicate", "refused")}
    refusal = {"provider": "wultra", "reason": "authorization_mismatch"}
    refusals = counted(ask, "refusals", **refusal)

    post_to("/api/laboratory/send", sample="veriff/decision-approved", session=session_id, reference=None, times=3)
    post_to("/api/laboratory/forge", provider="wultra")

    for outcome, more in (("recorded", 1), ("duplicate", 2), ("refused", 1)):
        until(functools.partial(counted, ask, "webhooks", outcome=outcome), of_webhooks[outcome] + more)
    until(functools.partial(counted, ask, "refusals", **refusal), refusals + 1)
    [latest, *_] = sorted(ask("/api/operations?minutes=5")[1]["latency"], key=lambda each: each["minute"], reverse=True)
    assert 0 < latest["p50"] <= latest["p99"]


def test_the_figures_stand_on_log_lines_and_say_how_long_things_have_waited(verdict, ask):
    verdict.invoke("OutboxRelay")
    end = time.monotonic() + PATIENCE_SECONDS
    while (found := ask("/api/operations")[1])["ages"]["oldestDueSeconds"] is None and time.monotonic() < end:
        time.sleep(0.2)
    assert isinstance(found["ages"]["oldestDueSeconds"], int)
    assert (found["source"], found["partial"]) == ("log lines", False)
    assert {queue["name"] for queue in found["queues"]} == {
        "decisions", "decisions-dead-letter", "intake", "quarantine", "wake-up"}


# ---- The quarantine ----

def test_the_quarantine_is_looked_at_without_a_body_and_sent_back_for_a_reason(
        verdict, ask, post_to, quarantine, session_id):
    quarantine.all()
    secret = f"of {session_id}"
    delivery = genuine(f"unreadable, {secret}".encode())
    digest = hashlib.sha256(delivery.body).hexdigest()
    assert post(verdict, delivery).outcome == "quarantined"

    looks = [post_to("/api/quarantine/look") for _ in range(2)]
    for look in looks:
        # Given back, so that the second look finds it, too.
        [message] = [each for each in look["messages"] if each["sha256"] == digest]
        assert (message["provider"], message["reason"], message["path"]) == ("veriff", "not_json", "/veriff/decisions")
        assert secret not in json.dumps(look)

    about = post_to("/api/redrive", dryRun=True)
    assert about["about"] >= 1 and about["moved"] is None
    assert ask("/api/redrive", {"dryRun": False})[0] == 400
    assert on_record() == []
    moved = post_to("/api/redrive", dryRun=False, reason=REASON)["moved"]
    assert moved >= 1
    [line] = on_record()
    assert (line["what"], line["reason"], line["messages"]) == ("redrive", REASON, moved)
    assert line["who"].endswith(":assumed-role/verdict-operator/operator")
    # It still can't be read, and is there again.
    await_empty(verdict)
    assert len(quarantine.holding(delivery.body)) == 1


# ---- Rebuild and resend ----

def test_a_rebuild_is_previewed_and_requested_for_a_reason(verdict, post_to, session_id):
    assert post(verdict, VERIFF.approves(session_id)).outcome == "recorded"
    session = f"veriff/{session_id}"
    [report] = post_to("/api/rebuild/preview", sessions=[session], withdraw=False)["sessions"]
    assert (report["sessionId"], report["outcome"]) == (session_id, "unchanged")

    assert post_to("/api/rebuild", sessions=[session], withdraw=False, reason=REASON) == {"requested": 1}
    await_empty(verdict)
    lines = said(log(verdict, deployed(verdict, "Replay"), "rebuild"), "rebuild")
    assert [line["outcome"] for line in lines if line["session"] == session] == ["unchanged"]
    assert [line["reason"] for line in on_record() if line["which"] == session] == [REASON]


def test_a_resend_is_shown_before_it_is_asked_for(verdict, ask, post_to, session_id):
    post(verdict, genuine(decision(session_id, "review", at="2026-06-12T09:00:00Z")))
    post(verdict, genuine(decision(session_id, "approved", at="2026-06-12T10:00:00Z")))
    plan = post_to("/api/resend", session=f"veriff/{session_id}", **{"from": 2}, dryRun=True)
    assert (plan["session"], plan["from"], plan["to"], plan["requested"]) == (f"veriff/{session_id}", 2, 2, False)
    assert [(each["sequence"], each["outcome"]) for each in plan["messages"]] == [(2, "approved")]
    status, answer = ask("/api/resend", {"session": f"veriff/{session_id}", "from": 3, "dryRun": True})
    assert (status, answer["error"]["code"]) == (409, "problem")


# ---- The laboratory ----

def test_the_laboratory_is_the_consoles_too(ask, post_to):
    assert ask("/api/stack")[1]["laboratory"] is True
    assert ask("/api/laboratory")[1]["outage"] == {"remainingSeconds": 0}
    steps = post_to("/api/laboratory/play", scenario="veriff/resubmission")["steps"]
    assert {step["status"] for step in steps} == {200}
    status, answer = ask("/api/laboratory/outage", {"seconds": 2})
    assert (status, answer["error"]["message"]) == (409, "DynamoDB is taken away for 5 to 60 seconds")
