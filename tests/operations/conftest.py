"""What the tests of the command line share: where its package is, and a run of one of its commands."""
from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "operations"), str(ROOT / "tests")]


@dataclass(frozen=True)
class Run:
    """What came of a command."""

    status: int
    output: str
    error: str

    @property
    def told(self) -> list[str]:
        """The lines of what kept it from its work."""
        return self.error.splitlines()


@pytest.fixture
def verdict(capfd):
    """Runs a command in this process."""
    from verdict import command_line

    def run(*arguments: object) -> Run:
        capfd.readouterr()
        status = command_line.main([str(each) for each in arguments])
        return Run(status, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def judge() -> tuple[str, ...]:
    """The functions' judgement, built; to ask cargo for it each time would take longer than all the rest."""
    build = ["cargo", "build", "--locked", "--package", "verdict-check", "--bin", "check", "--message-format=json"]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(message["executable"] for message in map(json.loads, built) if message.get("executable"))


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory):
    """An emulator that enforces IAM, with the code of functions that do nothing but answer."""
    from stack.emulator import Emulator, free_port
    from stack.trial import upload_code

    emulator = Emulator(free_port(), tmp_path_factory.mktemp("emulator"))
    try:
        upload_code(emulator.endpoint)
        yield emulator.endpoint
    finally:
        emulator.stop()
