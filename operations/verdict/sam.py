"""Runs sam, and keeps secrets out of what it prints."""
from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping, Sequence

import click

from . import parameters
from .aws import Aws
from .parameters import Parameter
from .places import ROOT, TOOLS
from .problem import Problem

HIDDEN = "*****"
#: A value within which sam takes a backslash away.
ESCAPED = (" ", '"', "'")
#: How long sam waits before it looks again whether CloudFormation is done. A release that doesn't work is live meanwhile.
LOOK_SECONDS = 1
#: How long sam may take to end once it was told to.
GOODBYE_SECONDS = 10


def run(aws: Aws, command: str, *arguments: str, secrets: Iterable[str] = (),
        variables: Mapping[str, str] = os.environ) -> None:
    """Runs one of sam's commands and shows its output, in which no secret is left."""
    hidden = sorted(set(secrets), key=len, reverse=True)
    process = subprocess.Popen(
        [str(TOOLS / "sam"), command, *arguments, "--config-file", str(ROOT / "samconfig.toml")],
        cwd=ROOT, env=environment(aws, variables), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace")
    try:
        for line in process.stdout or ():
            click.echo(redacted(line, hidden), nl=False)
        status = process.wait()
    except BaseException:
        end(process)
        raise
    if status:
        raise Problem(f"`sam {command}` failed (exit {status}); what it says is above")


def environment(aws: Aws, variables: Mapping[str, str]) -> dict[str, str]:
    # SAM_DEBUG would have sam print all parameters.
    kept = {name: value for name, value in variables.items() if not name.startswith("SAM_")}
    path = f"{TOOLS}{os.pathsep}{variables.get('PATH', os.defpath)}"
    return {**aws.environment(kept), "PATH": path, "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": str(LOOK_SECONDS), "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


def end(process: subprocess.Popen[Any]) -> None:
    """Tells sam to stop; what it has asked CloudFormation for goes on there."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        process.wait(GOODBYE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def redacted(line: str, hidden: Sequence[str]) -> str:
    """The line without the secrets, the longest first: one may hold another."""
    for secret in hidden:
        line = line.replace(secret, HIDDEN)
    return line


# ---- The parameter file that sam gets ----

@contextlib.contextmanager
def parameter_file(given: Iterable[Parameter]) -> Iterator[str]:
    """A file from which sam takes the parameters just as they are, for as long as the block lasts; only its owner may
    read it. Gives what `--parameter-overrides` takes."""
    with tempfile.TemporaryDirectory(prefix="verdict-") as directory:
        file = Path(directory) / "parameters.yaml"
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as output:
            output.writelines(f"{each.name}: {quoted(escaped(escaped(each.value)))}\n" for each in given)
        yield f"file://{file}"


def escaped(text: str) -> str:
    """Undoes beforehand what sam does to each value of such a file, and does twice: it takes a backslash away before a
    space or a quote, and the quotes from around it (`_unquote_wrapped_quotes` in samcli/cli/types.py)."""
    for letter in ESCAPED:
        text = text.replace(letter, f"\\{letter}")
    return text


def quoted(text: str) -> str:
    """A text as a double-quoted scalar of YAML, in ASCII."""
    return '"' + "".join(map(character, text)) + '"'


def character(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if " " <= letter <= "~":
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) <= 0xFFFF else f"\\U{ord(letter):08x}"


def secrets_of(given: Iterable[Parameter], shown: Iterable[str]) -> list[str]:
    """What must not be shown of these parameters: the values of all but those that may be."""
    open_to_all = set(shown)
    return [secret for each in given if each.name not in open_to_all for secret in parameters.secrets(each.value)]
