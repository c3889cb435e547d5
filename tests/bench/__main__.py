"""Measures Verdict's functions beside what a user would write instead, and makes docs/performance.md.

    python -m bench measure      measures, into target/bench/measured.json, and prints the tables
    python -m bench render       makes the page's tables and plots anew, from tests/bench/measured.json

`WRITE=1` has what was measured replace its part of tests/bench/measured.json, and makes the page's tables and plots anew.
`FULL=1` also measures growth, a burst, the instructions of one webhook, and what Verdict's own code takes of it, stage by
stage. `BENCH` is the measuring program, `BINARIES` the folder of the functions, `BASELINE` that of another build, which is
measured beside them. `STARTS` is how often each program is started, `WARM` how many events of each kind a process gets.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Optional

from cost.__main__ import run, write, zip_bytes

from . import page, plan, sweeps
from .table import MEASURED, PAGE, TABLES, Result

TARGET = plan.ROOT / "target"
RESULT = TARGET / "bench" / "measured.json"


def main(arguments: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="bench")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("measure")
    commands.add_parser("render")
    options = parser.parse_args(arguments)
    if options.command == "measure":
        measured = json.loads(MEASURED.read_text("utf-8")) if MEASURED.exists() else {"runs": {}, "results": {}}
        for part, measure in parts().items():
            measured["runs"][part] = run()
            measured["results"][part] = measure()
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        write(RESULT, measured)
        for table in (page.TABLES if is_asked("FULL") else TABLES).values():
            print(f"\n{table(measured)}")
        failed = [result for result in measured["results"]["functions"]
                  if result["kind"] == "failed" and result["program"] not in plan.PEERS]
        if failed or not is_asked("WRITE"):
            return 1 if failed else 0
        write(MEASURED, measured)
    render()
    return 0


def functions() -> list[Result]:
    """The functions and their peers. A peer that isn't there is said to have failed."""
    found = [{"kind": "failed", "task": "decision", "program": peer, "reason": reason}
             for peer in plan.PEERS if (reason := plan.missing(peer))]
    return found + [result for task in plan.tasks() for result in results(task)]


def swept() -> list[Result]:
    """What grows, and what is counted."""
    found = [result for task in sweeps.tasks() for result in results(task)]
    return [*sweeps.not_measured(), *(result for result in found if sweeps.is_shown(result))]


def stages() -> list[Result]:
    """What Verdict's own code takes of a webhook."""
    print("stages …", file=sys.stderr)
    program = os.environ.get("MICRO") or str(TARGET / "release" / "verdict-micro")
    done = subprocess.run([program], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def parts() -> dict[str, Callable[[], list[Result]]]:
    """What is measured, by the name of its part."""
    always: dict[str, Callable[[], list[Result]]] = {"functions": functions}
    return {**always, "sweeps": swept, "stages": stages} if is_asked("FULL") else always


def is_asked(variable: str) -> bool:
    return os.environ.get(variable, "0") not in ("", "0")


def results(task: dict[str, Any]) -> list[Result]:
    """Has the measuring program do a task, of which each line is a result."""
    program = os.environ.get("BENCH") or str(TARGET / "sim" / "verdict-bench")
    print(f"{task['name']} …", file=sys.stderr)
    done = subprocess.run([program], input=json.dumps(task).encode() + b"\n", stdout=subprocess.PIPE, check=True)
    return [with_zip(json.loads(line), task) for line in done.stdout.splitlines()]


def with_zip(result: Result, task: dict[str, Any]) -> Result:
    """Adds the size of a function as it is uploaded."""
    if result["kind"] == "start":
        [program] = [program for program in task["programs"] if program["name"] == result["program"]]
        if program["file"] == task["name"]:
            result["zipBytes"] = zip_bytes(Path(program["folder"]) / program["file"])
    return result


def render() -> None:
    measured = json.loads(MEASURED.read_text("utf-8"))
    PAGE.write_text(page.rendered(PAGE.read_text("utf-8"), measured), "utf-8")
    for file, plot in page.plots(measured).items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(plot, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
