"""The new value of a rotation: asked for, read, or made. It is never on a command line, which others can see."""
from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path
from typing import Iterator, Optional

import click

from ..problem import Problem
from .lists import HANDED_OVER, SIGNING_KEYS

#: As many as `openssl rand -hex 32` prints.
RANDOM_BYTES = 32


def obtain(provider: str, name: str, is_generated: bool, file: Optional[Path]) -> str:
    """The new value: generated, or from the terminal without showing it, or from standard input."""
    if is_generated:
        refuse_to_generate(provider, name, file)
        return secrets.token_hex(RANDOM_BYTES)
    if file is not None:
        raise Problem("--to (TO=) is for a value that is generated: leave it out, or add --generate (GENERATE=1)")
    if sys.stdin.isatty():
        return click.prompt("The new value (it isn't shown)", hide_input=True, err=True)
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")


def refuse_to_generate(provider: str, name: str, file: Optional[Path]) -> None:
    if name in HANDED_OVER.get(provider, ()):
        raise Problem(f"{provider.title()} makes the values of {name} itself: copy the new one from there")
    if file is None and name != SIGNING_KEYS:
        raise Problem("--generate needs --to FILE (TO=FILE): a new file, which only you can read, with the value that you "
                      "then enter at the other end")
    if file is not None and file.exists():
        raise Problem(f"{file} is there already: name a new file, so that nothing is lost")


@contextlib.contextmanager
def left_in(file: Optional[Path], value: str) -> Iterator[None]:
    """Leaves the value in a file that only its owner can read; nothing of it if the block fails."""
    if file is None:
        yield
        return
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Problem(f"can't write {file} ({error.strerror})") from None
    try:
        with open(handle, "w", encoding="ascii") as output:
            output.write(f"{value}\n")
        yield
    except BaseException:
        file.unlink()
        raise
