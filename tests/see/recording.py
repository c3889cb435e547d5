"""`make recording`: the recording at the top of README, of a console at work on a local stack of its own."""
from __future__ import annotations

import subprocess
import sys

import stack
from stack.deployment import ROOT, webhooks

from .chromium import MISSING, NoChromium, chromium
from .driving import HERE, OUTPUT, drive, refuse_without_node
from .stage import stage

PYTHON = ROOT / ".venv/see/bin/python"
TARGET = ROOT / "docs/console"


def main() -> int:
    try:
        program = chromium()
        refuse_without_node()
        with stage() as where:
            findings = drive(where, program, ["recording"])["findings"]
    except NoChromium as missing:
        print(f"make recording: {missing}", file=sys.stderr)
        return MISSING
    except (stack.Failure, webhooks.Problem) as failure:
        print(f"make recording: {failure}", file=sys.stderr)
        return 1
    return 1 if findings else subprocess.call([PYTHON, HERE / "assemble.py", OUTPUT / "recording", TARGET])


if __name__ == "__main__":
    sys.exit(main())
