"""What `make invoke` hands over: its variables, as they are."""
from __future__ import annotations

import subprocess

import pytest
from verdict.invoke import invoke_command
from verdict.places import ROOT

SESSION = "an id' $(id); x"


def test_a_session_is_a_variable_of_make_whatever_it_holds(monkeypatch):
    monkeypatch.setenv("SESSION", SESSION)
    context = invoke_command.make_context("invoke", ["VeriffEvents", "veriff/event-started"])
    assert context.params["session"] == SESSION


@pytest.mark.parametrize("given", [SESSION, ""])
def test_no_shell_reads_the_session(given):
    shown = subprocess.run(["make", "--dry-run", "invoke", f"SESSION={given}", "FUNCTION=VeriffEvents"], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout
    assert "verdict invoke" in shown and "--session" not in shown and "$(id)" not in shown
