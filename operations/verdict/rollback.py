"""Makes the previous release live again, in every function, within seconds.

Nothing is built or deployed: each function's alias is pointed to another of its versions. Everything else in the stack
stays as it is, and so does what the newer release has stored. How far back a release may be taken is written in
CHANGELOG.md, in a line of its section.
"""
from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional, Sequence

import click

from . import live, options
from .audit import Write, on_record
from .aws import Aws
from .live import Pointer, Release
from .places import ROOT
from .problem import Problem
from .stack import IN_PROGRESS, Stack
from .wording import counted

CHANGELOG = ROOT / "CHANGELOG.md"
SECTION = re.compile(r"^## (\S+)")
#: What a section says of rollbacks.
REACH = re.compile(r"^`make rollback` reaches back to (this release|\d+\.\d+\.\d+)\b")
#: A version as git names it: a release's, or so many commits after one.
VERSION = re.compile(r"v?(\d+\.\d+\.\d+)(-\d+-g[0-9a-f]+)?(-dirty)?")


# ---- How far back ----

@dataclass(frozen=True)
class History:
    """The sections of the changelog, the newest first, each with the oldest release that it may be taken back to."""

    reaches: Mapping[str, str]

    @classmethod
    def read(cls, file: Path = CHANGELOG) -> History:
        reaches: dict[str, str] = {}
        section = ""
        for line in file.read_text("utf-8").splitlines():
            if begun := SECTION.match(line):
                section = begun[1]
            elif said := REACH.match(line):
                reaches[section] = section if said[1] == "this release" else said[1]
        return cls(reaches)

    @property
    def sections(self) -> list[str]:
        return [*self.reaches]

    def age(self, version: str) -> Optional[int]:
        """How many sections are newer than a version's. What names no release is from after the last one; None if the
        version is of a release that the changelog doesn't have."""
        named = VERSION.fullmatch(version)
        if not named:
            return 0
        if named[1] not in self.sections:
            return None
        return max(0, self.sections.index(named[1]) - bool(named[2]))

    def objection(self, newest: str, to: str) -> Optional[str]:
        """The reason against going back from a release to another, if there is one."""
        ages = {version: self.age(version) for version in (newest, to)}
        for version, age in ages.items():
            if age is None:
                return f"{CHANGELOG.name} doesn't have the release {version}: take the newest checkout"
        limit = self.reaches[self.sections[ages[newest] or 0]]
        if (ages[to] or 0) > self.sections.index(limit):
            return f"{newest} may be taken back as far as {limit}, as {CHANGELOG.name} says, and {to} is older"
        return None


# ---- Which versions ----

def targets(stack: Stack, pointers: live.Pointers, to: Optional[str]) -> dict[str, Pointer]:
    """Where each alias is to point: to the version before, or to the newest one of a release. Functions that have none are
    left out."""
    def target(pointer: Pointer) -> Optional[Pointer]:
        return pointer.taken_back() if to is None else named(stack, pointer, to)

    found = zip(pointers, live.at_once(target, pointers.values()))
    return {name: each for name, each in found if each and each.version != pointers[name].version}


def named(stack: Stack, pointer: Pointer, to: str) -> Optional[Pointer]:
    """The pointer to the newest version of a release that an operator names."""
    pages = stack.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=pointer.function)
    found = [int(each["Version"]) for page in pages for each in page["Versions"]
             if each["Version"].isdecimal() and live.release_of(each).is_named(to)]
    if not found:
        return None
    version = str(max(found))
    if version in pointer.before:
        return Pointer(pointer.function, version, pointer.before[pointer.before.index(version) + 1:])
    return Pointer(pointer.function, version, pointer.before)


def rollback(stack: Stack, to: Optional[str] = None, force: bool = False) -> None:
    """Points the aliases, and says from which release to which."""
    begun = time.monotonic()
    if stack.status.endswith(IN_PROGRESS) and not force:
        raise Problem(f"the stack {stack.name} is being deployed ({stack.status}): wait for its end, or say FORCE=1")
    pointers = live.read(stack)
    wanted = targets(stack, pointers, to)
    if not wanted:
        raise Problem(f"no function of {stack.name} has {'an earlier version' if to is None else f'a version of {to}'}"
                      " that it could go back to")
    then, now = (release_of(stack, wanted, each) for each in (pointers, wanted))
    if not force:
        refuse_beyond(History.read(), {then.version, stack.outputs.get("Version", then.version)}, now.version)
        refuse_stranded(stack, wanted)
    live.point(stack, wanted.values())
    click.echo(f"{stack.name} went from {then} to {now}: {counted(len(wanted), 'function')}, "
               f"in {time.monotonic() - begun:.1f} s")
    for line in notes([name for name in pointers if name not in wanted]):
        click.echo(line)


def refuse_stranded(stack: Stack, wanted: Mapping[str, Pointer]) -> None:
    """Ends the command if what a version was published with may be gone."""
    stranded = live.stranded(stack, wanted.values())
    if stranded:
        raise Problem(f"{', '.join(stranded)}: the earlier version has another role, table, queue, secret or network than "
                      "the stack has now, and can't work with it; deploy the earlier parameters instead, or say FORCE=1")


def refuse_beyond(history: History, deployed: set[str], to: str) -> None:
    """Ends the command if one of the versions that are deployed may not be taken back that far."""
    for version in sorted(deployed):
        objection = history.objection(version, to)
        if objection:
            raise Problem(f"{objection}; say FORCE=1 if you know better")


def release_of(stack: Stack, wanted: Mapping[str, Pointer], pointers: Mapping[str, Pointer]) -> Release:
    """The release of the versions that pointers name."""
    some = next(iter(wanted))
    return live.release(stack, pointers[some].function, pointers[some].version)


NOTES = (
    "Each version has the configuration that it was deployed with, with the secrets of then if they are in variables.",
    "Roles, table and queues stay as the newest release has them. `make doctor` looks at what is live now.")


def notes(left: Sequence[str]) -> list[str]:
    """What to know afterwards."""
    stayed = [f"As they were, since they have no such version: {', '.join(left)}"] if left else []
    return [*stayed, *NOTES]


@click.command("rollback")
@options.stack_name
@options.endpoint
@click.option("--to", envvar="TO", metavar="RELEASE",
              help="A version of Verdict, or the beginning of a release's digest; without, the previous release.")
@options.force
@on_record
def rollback_command(stack_name: str, endpoint: Optional[str], to: Optional[str], force: bool, write: Write) -> None:
    """Make the previous release live again. Nothing is built or deployed. Refused beyond what CHANGELOG.md allows."""
    aws = Aws.connect(endpoint)
    who = aws.caller()
    stack = Stack.require(aws, stack_name)
    with write.noted(stack, who, "rollback", f"to {to or 'the release before'}"):
        rollback(stack, to or None, force)
