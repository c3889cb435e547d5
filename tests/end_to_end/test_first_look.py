"""The commands that `make run` prints work as they are printed."""
from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from stack.commands import first_look
from stack.deployment import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="two of the commands are curl's")


@pytest.fixture(scope="module")
def printed(verdict) -> list[str]:
    """The four commands."""
    return [line.strip() for line in first_look(verdict).splitlines() if line.startswith("  ")]


def said(command: str) -> str:
    """What a shell prints for a command."""
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_a_webhook_is_sent_its_record_read_and_its_message_seen(decisions, printed):
    send, record, messages, _ = printed
    decisions.all()
    session_id = re.search(r"--session (\S+)", send)[1]
    assert said(send).startswith(f"200 recorded veriff/{session_id} ")
    assert json.loads(said(record))["decision"]["outcome"] == "approved"
    for _ in range(2):
        # It stays on the queue.
        subjects = [json.loads(message["Body"])["subject"] for message in json.loads(said(messages))["Messages"]]
        assert subjects.count(session_id) == 1
    assert len(decisions.about(session_id)) == 1


@pytest.mark.parametrize("sample, reason", [
    ("treezor/forged-signature", "treezor  signature_mismatch"), ("wultra/wrong-password", "wultra  authorization_")])
def test_the_last_refusal_is_shown_with_its_reason(verdict, printed, sample, reason):
    *_, refused = printed
    assert said(f"python3 events/webhooks.py send {sample} --to {verdict.api_url}").split()[1] == "refused"
    assert reason in said(refused)
