"""`make see`: Chromium drives the console, and the last line says what was found.

ONLY="live find" goes through some parts alone; CONSOLE= names a console that is up, by the address that `make run` prints.
"""
from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

import stack
from stack.deployment import ROOT

from . import hostile, many
from .driving import OUTPUT, REFERENCE, drive, some_session, status_of
from .stage import Stage, stage

#: The tours, on a stack that has little in it.
TOURS = ("try", "live", "find", "late", "forge", "operations", "resend", "outage", "keyboard", "storage", "looks",
         "stranger")
PARTS = (*TOURS, "hostile", "many")
#: More aren't told once again at the end.
MOST_FINDINGS = 20


@dataclass
class Seen:
    """What a run did and found."""

    views: set[str] = field(default_factory=set)
    steps: int = 0
    screenshots: int = 0
    findings: list[str] = field(default_factory=list)
    largest_shift: float = 0.0

    def add(self, result: dict[str, Any]) -> None:
        self.views |= set(result["views"])
        self.steps += result["steps"]
        self.screenshots += result["screenshots"]
        self.findings += result["findings"]
        self.largest_shift = max(self.largest_shift, result["largestShift"])

    def __str__(self) -> str:
        return (f"see: {len(self.views)} views, {self.steps} steps, {self.screenshots} screenshots in"
                f" {OUTPUT.relative_to(ROOT)}, largest layout shift {self.largest_shift:.3f}, {len(self.findings)} findings")


def see(where: Stage, program: str, parts: Sequence[str]) -> Seen:
    seen = Seen()
    tours = [part for part in TOURS if part in parts]
    if tours:
        seen.add(drive(where, program, tours, reference=REFERENCE, session=some_session(where)))
    if "hostile" in parts:
        seen.add(drive(where, program, ["hostile"], **send_hostile(where)))
    if "many" in parts:
        seen.add(drive(where, program, ["many"], **many.fill(where)))
    return seen


def send_hostile(where: Stage) -> dict[str, Any]:
    """Sends webhooks with hostile names. Returns what the browser has to know of them."""
    names = hostile.names()
    outcomes = hostile.send_all(where.api_url, names)
    print(f"  hostile: {sum(outcomes.values())} webhooks:", ", ".join(f"{n} {what}" for what, n in sorted(outcomes.items())))
    return {"names": names, "marks": [hostile.mark(number) for number in range(len(names))],
            "references": [hostile.reference(name) for name in names], "sessions": hostile.sessions(names)}


def parts(environment: Mapping[str, str] = os.environ) -> Sequence[str]:
    """The parts that ONLY names, or all."""
    asked = environment.get("ONLY", "").split()
    unknown = set(asked) - set(PARTS)
    if unknown:
        raise stack.Failure(f"ONLY has {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    return asked or PARTS


def go(program: str) -> int:
    """Goes through the chosen parts, and tells what was found."""
    chosen = parts()
    with stage() as where:
        seen = see(where, program, chosen)
    print(*(f"FINDING {finding}" for finding in seen.findings[:MOST_FINDINGS]), seen, sep="\n")
    return 1 if seen.findings else 0


if __name__ == "__main__":
    sys.exit(status_of("see", go))
