"""`make recording`: the recording at the top of README, of a console at work on a local stack of its own."""
from __future__ import annotations

import subprocess
import sys

from stack.deployment import ROOT

from .driving import HERE, OUTPUT, drive, status_of
from .stage import stage

PYTHON = ROOT / ".venv/see/bin/python"
TARGET = ROOT / "docs/console"


def go(program: str) -> int:
    """Goes through the scenes, and puts their pictures together."""
    with stage() as where:
        findings = drive(where, program, ["recording"])["findings"]
    return 1 if findings else subprocess.call([PYTHON, HERE / "assemble.py", OUTPUT / "recording", TARGET])


if __name__ == "__main__":
    sys.exit(status_of("recording", go))
