"""Runs the programs that drive Chromium, in Node."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Sequence

import stack
from stack.deployment import ROOT, webhooks
from stack.steps import end_group

from .chromium import MISSING, NoChromium, chromium
from .stage import Stage

HERE = Path(__file__).resolve().parent
NODE = ROOT / ".venv/contract/bin/node"
MODULES = ROOT / ".venv/contract/see"
OUTPUT = ROOT / "target/see"
#: A name that a stranger has lead to 127.0.0.1.
STRANGERS_NAME = "console.example"
#: How long a person, or rather a slow machine, waits for what is to appear.
PATIENCE_MS = 15_000
#: Of the person whose sessions the tours look at.
REFERENCE = "customer-seen"


def refuse_without_node() -> None:
    if not NODE.exists() or not (MODULES / "node_modules").exists():
        raise NoChromium(f"{NODE.relative_to(ROOT)} or what requirements/see pins isn't there: `make see` installs them")


def status_of(target: str, go: Callable[[str], int]) -> int:
    """The exit status of one of make's targets that drives Chromium: `go` gets its path. What keeps it from that is told."""
    try:
        program = chromium()
        refuse_without_node()
        return go(program)
    except NoChromium as missing:
        print(f"make {target}: {missing}", file=sys.stderr)
        return MISSING
    except (stack.Failure, webhooks.Problem) as failure:
        print(f"make {target}: {failure}", file=sys.stderr)
        return 1


def drive(where: Stage, program: str, parts: Sequence[str], **more: Any) -> dict[str, Any]:
    """Has Chromium go through these parts. Returns what it did and found."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    config, result = OUTPUT / "configuration.json", OUTPUT / "result.json"
    result.unlink(missing_ok=True)
    config.touch(mode=0o600)
    config.write_text(json.dumps({
        "console": where.console, "token": where.token, "apiUrl": where.api_url, "chromium": program,
        "modules": str(MODULES), "folder": str(OUTPUT), "result": str(result), "strangersName": STRANGERS_NAME,
        "patience": PATIENCE_MS, **more,
    }), "utf-8")
    process = subprocess.Popen([NODE, HERE / "drive.mjs", config, *parts], cwd=HERE, start_new_session=True)
    try:
        status = process.wait()
    finally:
        end_group(process)
        # It holds the token.
        config.unlink()
    if not result.exists():
        raise stack.Failure(f"the browser's program ended by itself (exit {status})")
    return json.loads(result.read_text("utf-8"))


def some_session(where: Stage) -> str:
    """A session with a decision, for tours that begin with one."""
    sample = webhooks.find("veriff/decision-approved")
    keys = webhooks.credentials(sample.provider, webhooks.LOCAL_CREDENTIALS)
    answer = webhooks.send(webhooks.make(sample, keys, session=sample.fresh_session(), reference=REFERENCE), where.api_url)
    if answer.session is None:
        raise stack.Failure(f"a sample is answered {answer.status}, with no session")
    return answer.session
