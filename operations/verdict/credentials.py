"""Judges providers' credentials by the functions' own code: the binary `check`."""
from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Callable, Mapping, Optional

from .places import ROOT
from .problem import Problem

#: cargo runs it, so that it is never older than the functions.
COMMAND = ("cargo", "run", "--quiet", "--locked", "--package", "verdict-check", "--bin", "check")
#: Its exit statuses that come with an answer; cargo's own are others.
ANSWERED = (0, 1)
SHOWN_LINES = 15


@dataclass(frozen=True)
class Finding:
    """What is wrong with some credentials, in the functions' words, which hold no value."""

    #: The provider, such as `veriff`, or its secret, such as `veriffSecret`.
    name: str
    message: str

    @property
    def spoken(self) -> str:
        """The message without the variable by which the functions call the credentials."""
        return VARIABLE.sub("", self.message, count=1)


VARIABLE = re.compile(r"[A-Z_]+_CREDENTIALS(_ARN)?:?\s*")
#: Judges JSON texts by what they are, for functions that work against an endpoint, or AWS's own: the credentials of a
#: provider, such as `veriff`, or what a secret holds, such as `veriffSecret`.
Judge = Callable[[Mapping[str, str], Optional[str]], list[Finding]]
#: By it the functions know a local stack, on which this repository's own credentials will do.
ENDPOINT = "AWS_ENDPOINT_URL"


def judge(credentials: Mapping[str, str], endpoint: Optional[str] = None) -> list[Finding]:
    """What the functions would say of these credentials at their start."""
    if not credentials:
        return []
    if not shutil.which("cargo"):
        raise Problem("there is no cargo on the PATH: install Rust 1.95 or later, and open a new shell")
    variables = {**{name: value for name, value in os.environ.items() if name != ENDPOINT},
                 **({ENDPOINT: endpoint} if endpoint else {})}
    done = subprocess.run(
        COMMAND, cwd=ROOT, env=variables, input=json.dumps(credentials), capture_output=True, text=True)
    if done.returncode not in ANSWERED:
        # Standard error is the compiler's: it knows nothing of the input.
        lines = "\n".join(done.stderr.splitlines()[-SHOWN_LINES:])
        raise Problem(f"the credentials can't be checked (exit {done.returncode}): {lines or 'the check said nothing'}")
    return [Finding(problem["name"], problem["message"]) for problem in json.loads(done.stdout)["problems"]]
