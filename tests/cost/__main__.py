"""Measures what Verdict costs, and makes the tables of docs/cost.md.

    python -m cost measure [rows] [bodies] [secrets]   measures, into target/cost.json, and prints the tables
    python -m cost render                              makes the page's tables anew, from tests/cost/measured.json

`WRITE=1` has what was measured replace tests/cost/measured.json, and makes the page's tables anew. `SOAK` is the measuring
program, `BINARIES` the folder of the functions, `BASELINE` that of an earlier release's (for `secrets`).
"""
from __future__ import annotations

import argparse
import datetime
import io
import json
import os
import platform
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Optional

from . import plan
from .table import MEASURED, PAGE, ROOT, TABLES, Prices, rendered

TARGET = ROOT / "target"
RESULT = TARGET / "cost.json"
#: What is measured: the program's name for it, and the tables that it is in.
MEASUREMENTS = {"rows": "cost", "bodies": "bodies", "secrets": "secrets"}
SHOWN = {"rows": ("measured", "per-million", "memory", "fixed"), "bodies": ("largest",), "secrets": ("starts",)}


def main(arguments: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="cost")
    commands = parser.add_subparsers(dest="command", required=True)
    measure = commands.add_parser("measure")
    measure.add_argument("what", nargs="*", default=["rows", "bodies"], choices=[*MEASUREMENTS, []])
    commands.add_parser("render")
    options = parser.parse_args(arguments)
    if options.command == "measure":
        measured = json.loads(MEASURED.read_text("utf-8")) if MEASURED.exists() else {}
        for what in options.what:
            measured[what] = results(what)
            measured.setdefault("runs", {})[what] = run()
        write(RESULT, measured)
        for name in (name for what in options.what for name in SHOWN[what]):
            print(f"\n{TABLES[name](measured, Prices.read())}")
        if os.environ.get("WRITE", "0") in ("", "0"):
            return 0
        write(MEASURED, measured)
    render()
    return 0


def results(what: str) -> list[dict[str, Any]]:
    """Runs a measurement, of which each line is a result."""
    soak = os.environ.get("SOAK") or str(TARGET / "sim" / "verdict-soak")
    environment = {**os.environ, "BINARIES": str(binaries()), "MEASURE": MEASUREMENTS[what]}
    planned = "".join(f"{row.line()}\n" for row in plan.rows()) if what == "rows" else ""
    run = subprocess.run([soak], env=environment, input=planned.encode(), stdout=subprocess.PIPE, check=True)
    found = [json.loads(line) for line in run.stdout.splitlines()]
    return [with_zip(result) for result in found] if what == "secrets" else found


def binaries() -> Path:
    return Path(os.environ.get("BINARIES") or TARGET / "release").resolve()


def with_zip(start: dict[str, Any]) -> dict[str, Any]:
    """Adds the size of the function as it is uploaded."""
    folder = Path(os.environ["BASELINE"]) if start["variant"] == "baseline" else binaries()
    start["zipBytes"] = zip_bytes(folder / start["function"])
    return start


def zip_bytes(binary: Path) -> int:
    """The size of the zip of a function."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(binary, "bootstrap")
    return len(packed.getvalue())


def run() -> dict[str, str]:
    """Where and when it was measured."""
    version = subprocess.run(["git", "describe", "--always"], cwd=ROOT, capture_output=True, text=True, check=False)
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return {"date": datetime.date.today().isoformat(), "processor": model, "version": version.stdout.strip(),
            "load": f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs", "binaries": os.environ.get("PROFILE") or "release"}


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", "utf-8")


def render() -> None:
    measured = json.loads(MEASURED.read_text("utf-8"))
    PAGE.write_text(rendered(PAGE.read_text("utf-8"), measured, Prices.read()), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
