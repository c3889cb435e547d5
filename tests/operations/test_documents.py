"""The commands that documents print are ones that there are, and the page about them leaves none out."""
from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Iterator

import click
import pytest
from verdict.command_line import verdict

from .conftest import ROOT

PAGE, OTHERS = ROOT / "docs/command-line.md", ("docs/deploy.md", "docs/local.md")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "events/README.md"])
FENCED = re.compile(r"^ *```(?:sh|console)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PROGRAM = "./verdict"


def printed(document: Path) -> Iterator[str]:
    """The calls of the command line in a document's scripts, each without what it is piped into."""
    for script in FENCED.findall(document.read_text("utf-8")):
        for line in script.replace("\\\n", " ").splitlines():
            words = line.strip().removeprefix("$ ")
            if words.startswith(f"{PROGRAM} "):
                yield words.partition(" | ")[0]


CALLS = sorted({call for document in DOCUMENTS for call in printed(document)})


def leaves(group: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, *names, name)
        else:
            yield (*names, name)


@pytest.mark.parametrize("call", CALLS)
def test_every_command_that_a_document_prints_is_one(call):
    command: click.Command = verdict
    words = shlex.split(call, comments=True)[1:]
    while isinstance(command, click.Group) and words[0] != "--help":
        command = command.commands[words.pop(0)]
    if words != ["--help"]:
        command.make_context(command.name, words)


@pytest.mark.parametrize("names", list(leaves(verdict)), ids=" ".join)
def test_every_command_is_on_a_page(names):
    name = " ".join(names)
    text = PAGE.read_text("utf-8")
    assert f"{PROGRAM} {name}" in text or any(
        re.search(rf"\b(make|verdict) {name}\b", (ROOT / page).read_text("utf-8")) for page in OTHERS)


def test_the_page_has_an_example_of_each_command_that_looks():
    calls = list(printed(PAGE))
    looks = [names for names in leaves(verdict) if names[-1] in ("list", "show", "events", "payload")]
    assert len(looks) == 7
    assert [names for names in looks if not any(call.startswith(" ".join((PROGRAM, *names))) for call in calls)] == []
