"""What make doesn't install is looked for first, and everything that is missing is named at once."""
from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

READY = Path(__file__).with_name("ready")
TARGET = f"{platform.machine().replace('arm64', 'aarch64')}-unknown-linux-gnu"


@pytest.fixture
def machine(tmp_path):
    """A machine with the tools that the script itself uses, and with everything that it looks for."""
    for tool in ("sh", "cut", "dirname", "sed", "sort", "uname"):
        (tmp_path / tool).symlink_to(next(filter(Path.exists, (Path("/bin") / tool, Path("/usr/bin") / tool))))
    (tmp_path / "rust/lib/rustlib" / TARGET).mkdir(parents=True)
    install(tmp_path, "cargo", "echo cargo 1.95.0")
    install(tmp_path, "rustc", f"echo {tmp_path}/rust")
    install(tmp_path, "cc")
    install(tmp_path, "python3")
    return tmp_path


def install(machine: Path, name: str, script: str = ":") -> None:
    (machine / name).write_text(f"#!/bin/sh\n{script}\n")
    (machine / name).chmod(0o755)


def lacks(machine: Path, **variables: str) -> list[str]:
    """What the script says is missing."""
    done = subprocess.run([READY], env={"PATH": str(machine), **variables}, capture_output=True, text=True, timeout=10)
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1 if lines else 0, "")
    return lines


def test_a_machine_with_everything_is_ready(machine):
    assert lacks(machine) == []


@pytest.mark.parametrize("version, is_enough", [
    ("1.94.9", False), ("1.9.0", False), ("0.99.0", False), ("1.95.0", True), ("1.95.1-nightly", True),
    ("1.100.0", True), ("2.0.0", True)])
def test_rust_has_to_be_as_new_as_the_sources_want(machine, version, is_enough):
    install(machine, "cargo", f"echo 'cargo {version} (0123456 2026-04-14)'")
    assert (lacks(machine) == []) == is_enough


def test_everything_that_is_missing_is_named_at_once_with_a_remedy(machine):
    for name in ("cargo", "cc"):
        (machine / name).unlink()
    rust, compiler, python = lacks(machine, PYTHON="python3.11")
    assert "cargo" in rust and "rustup.rs" in rust
    assert "cc" in compiler and "install" in compiler
    assert "python3.11" in python and "PYTHON=" in python


def test_a_target_that_is_missing_is_named_with_the_command_that_adds_it(machine):
    (machine / "rust/lib/rustlib" / TARGET).rmdir()
    [line] = lacks(machine)
    assert f"rustup target add {TARGET}" in line


def test_a_python_that_is_too_old_is_refused(machine):
    install(machine, "python3", "exit 1")
    [line] = lacks(machine)
    assert "Python 3.11" in line
