"""The commands that `make run` prints work as they are printed."""
from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from stack.commands import first_look
from stack.deployment import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="one of the commands is curl's")


@pytest.fixture(scope="module")
def printed(verdict) -> list[str]:
    """The five commands."""
    return commands(verdict)


def commands(stack: Any) -> list[str]:
    return [line.strip() for line in first_look(stack).splitlines() if line.startswith("  ")]


def said(command: str) -> str:
    """What a shell prints for a command. `./verdict` would install what these tests run with anyway."""
    python = f"env PYTHONPATH=operations {shlex.quote(sys.executable)} -m verdict"
    done = subprocess.run(
        ["sh", "-c", command.replace("./verdict", python, 1)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_a_webhook_is_sent_its_record_read_and_its_message_seen_and_nothing_is_taken(decisions, printed):
    send, record, record_by_curl, message, _ = printed
    decisions.all()
    session_id = re.search(r"--session (\S+)", send)[1]
    assert said(send).startswith(f"200 recorded veriff/{session_id} ")
    assert re.search(r"^decision +approved, final$", said(record), re.MULTILINE)
    assert json.loads(said(record_by_curl))["decision"]["outcome"] == "approved"
    [_, told] = said(message).splitlines()
    assert told.split()[2:4] == ["verdict.decision.v1", "approved"]
    assert len(decisions.about(session_id)) == 1


@pytest.mark.parametrize("sample, reason", [
    ("treezor/forged-signature", "signature_mismatch"), ("wultra/wrong-password", "authorization_")])
def test_the_last_refusal_is_shown_with_its_reason(verdict, printed, sample, reason):
    *_, tail = printed
    assert said(f"python3 events/webhooks.py send {sample} --to {verdict.api_url}").split()[1] == "refused"
    [*_, last] = (line for line in said(f"{tail} --no-follow").splitlines() if "  refused (" in line)
    assert f"  {sample.partition('/')[0]}  " in last and f"  refused ({reason}" in last


@pytest.mark.parametrize("port, begins", [(4566, "./verdict "), (4567, "PORT=4567 ./verdict ")])
def test_a_port_is_named_if_it_is_not_the_usual_one(port, begins):
    send, record, _, message, tail = commands(SimpleNamespace(endpoint=f"http://127.0.0.1:{port}", api_url="http://api"))
    assert all(command.startswith(begins) and command.endswith(" --local") for command in (send, record, message, tail))
