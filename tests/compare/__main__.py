"""Plays every sample and scenario through today's code, and compares all that is seen with an earlier build's.

    python -m compare save FILE      keeps what is seen: JSON lines, always the same bytes for the same code
    python -m compare with FILE      compares: a difference in any member of an answer, item or message is a failure
    python -m compare sizes FILE     tells how large the items of each provider's ordinary session are

`PLAY` is the program that plays: by default target/sim/play. A member that held null and is now left out of an item is told,
and is no failure.
"""
from __future__ import annotations

import argparse
import collections
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, Optional

from . import plan
from .size import item_size

ROOT = Path(__file__).resolve().parents[2]

#: How many places of each difference are shown.
SHOWN = 3
#: Parts of paths that are names of the data's own: of checks and details, and places in lists.
NAMES = re.compile(r"(?<=\.checks)(\.M)?\.[^.]+|(?<=\.detail)(\.M)?\.[^.]+|\[\d+\]")

Key = tuple[str, str, str, int]


def main(arguments: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="compare")
    parser.add_argument("command", choices=["save", "with", "sizes"])
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    if options.command == "save":
        options.file.write_bytes(play())
        return 0
    before = seen(options.file.read_bytes())
    if options.command == "sizes":
        return sizes(before)
    return compare(before, seen(play()))


def play() -> bytes:
    """All that is seen when today's plan is played."""
    program = os.environ.get("PLAY") or str(ROOT / "target" / "sim" / "play")
    planned = "".join(f"{line}\n" for line in plan.lines())
    return subprocess.run([program], input=planned.encode(), stdout=subprocess.PIPE, check=True).stdout


def seen(lines: bytes) -> dict[Key, Any]:
    """What was seen, by world, kind and name; what has the same name is numbered."""
    found: dict[Key, Any] = {}
    count: collections.Counter[tuple[str, str, str]] = collections.Counter()
    for line in map(json.loads, lines.splitlines()):
        name = line["world"], line["kind"], line["name"]
        found[(*name, count[name])] = line["value"]
        count[name] += 1
    return found


def compare(before: dict[Key, Any], after: dict[Key, Any]) -> int:
    """Tells the differences, each kind of them once, with a few places. Returns 1 if there is any."""
    different: dict[str, list[str]] = collections.defaultdict(list)
    left_out: collections.Counter[str] = collections.Counter()
    for key in before.keys() | after.keys():
        place = " / ".join(map(str, key))
        if key not in before or key not in after:
            different[f"{key[1]}: {'new' if key in after else 'gone'}"].append(place)
            continue
        for path, was, now in differences(before[key], after[key]):
            member = f"{sort_of(key)} {NAMES.sub('.*', path)}"
            if was == {"NULL": True} and now is ABSENT:
                left_out[member] += 1
            else:
                different[member].append(f"{place}{path}: {was!r} is now {now!r}")
    for member, times in sorted(left_out.items()):
        print(f"left out if it is null: {member} ({times} times)")
    for member, places in sorted(different.items()):
        print(f"\nDIFFERENT: {member} ({len(places)} times)")
        for place in sorted(places)[:SHOWN]:
            print(f"    {place}")
    print(f"\n{len(after)} answers, items, messages and records compared; {sum(map(len, different.values()))} differences")
    return 1 if different else 0


def sort_of(key: Key) -> str:
    """The kind, and of an item its sort."""
    _, kind, name, _ = key
    return f"{kind} {name.split(' ')[-1].split('#')[0]}" if kind.startswith("item") else kind


class Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each place at which two values differ, with both values. An attribute that holds null counts as one value."""
    if isinstance(before, dict) and isinstance(after, dict) and "NULL" not in before:
        for name in [*before, *(after.keys() - before.keys())]:
            yield from differences(before.get(name, ABSENT), after.get(name, ABSENT), f"{path}.{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (was, now) in enumerate(zip(before, after)):
            yield from differences(was, now, f"{path}[{number}]")
    elif before != after or type(before) is not type(after):
        yield path, before, after


def sizes(found: dict[Key, Any]) -> int:
    """Prints how large the items of an ordinary session are, by provider."""
    for (world, kind, name, _), value in found.items():
        if kind == "item" and " ordinary " in world:
            print(f"{world:30} {name.split(' ', 1)[1].split(':')[0]:32} {item_size(value):6}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
