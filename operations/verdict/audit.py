"""The one manner of a write: it first shows what it would do, and with `--apply` does it, for a reason, on record.

A command takes the options of `asked_for`. Without `--apply` it changes nothing. With it, the operator has to give a
reason, and each thing that is done adds a line of JSON to the audit file: when, who, on which stack, what, which, why, and
with what result. The file is the operator's own; what a stack keeps of a write is in its logs.

    with Log.opened(path, stack) as log:                             # the caller is asked for, and the file opened, first
        redrive(stack, reason, log)                                  # the functions that write take it, and add lines:
        log.add("redrive", which, reason, "moved", messages=3)
"""
from __future__ import annotations

import contextlib
import functools
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, TextIO, TypeVar, cast

import click

from .problem import Problem
from .stack import Stack

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = Path("audit.jsonl")
#: A reason that `replay` logs: shared/pipeline/src/store/queued_webhook.rs has the same characters and length.
REASON = re.compile(r"[A-Za-z0-9 .,:;_/#()+-]{1,80}")
REASON_FORM = "at most 80 letters, digits, spaces and . , : ; _ / # ( ) + - and nothing about a person: it is logged"
#: The end of a dry run.
HOW_TO = "--apply (APPLY=1) with a --reason (REASON=\"…\") does it"


@dataclass(frozen=True)
class Log:
    """An audit file that is open, for one caller's writes to one stack."""

    path: Path
    who: str
    stack: str
    file: TextIO = field(repr=False)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path, stack: Stack, who: Optional[str] = None) -> Iterator[Log]:
        """Opens the file before anything is written, so that nothing is done that can't be put on record. Who does it is the
        stack's operator, if no caller is named."""
        who = who or stack.operator().client("sts").get_caller_identity()["Arn"]
        try:
            file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise Problem(f"cannot write {path} ({error.strerror}); give another file with --audit") from None
        with file:
            yield cls(path, who, stack.name, file)

    def add(self, what: str, which: str, reason: str, result: str, **more: Any) -> None:
        """Puts on record what was done. A line is in the file before the next thing is done."""
        line = {"at": now(), "who": self.who, "stack": self.stack, "what": what, "which": which, "reason": reason,
                "result": result, **more}
        print(json.dumps(line), file=self.file, flush=True)


@dataclass(frozen=True)
class Write:
    """How an operator asks for a write."""

    #: False if the command only shows what it would do.
    is_applied: bool
    #: There if it is applied.
    reason: Optional[str]
    #: The audit file.
    path: Path = FILE

    def log(self, stack: Stack) -> contextlib.AbstractContextManager[Log]:
        return Log.opened(self.path, stack)

    @contextlib.contextmanager
    def noted(self, stack: Stack, who: str, what: str, result: str) -> Iterator[None]:
        """Something done to a whole stack, which CloudFormation or CloudTrail has on record anyway: here, if a reason is
        given. It goes on in AWS if the command is interrupted, so that there is a line before it."""
        if not self.reason:
            yield
            return
        with Log.opened(self.path, stack, who) as log:
            log.add(what, stack.name, self.reason, "started")
            try:
                yield
            except Exception:
                log.add(what, stack.name, self.reason, "failed")
                raise
            log.add(what, stack.name, self.reason, result)

    @property
    def why(self) -> str:
        """The reason. Ends the command if there is none."""
        if not self.reason:
            raise Problem(f"say why it is done, with --reason (REASON=\"…\"): {REASON_FORM}")
        return self.reason


def asked_for(command: Command) -> Command:
    """The options of a write, `--apply`, `--reason` and `--audit`, of which a command sees one: `write`."""
    apply = click.option(
        "--apply", "is_applied", envvar="APPLY", is_flag=True, help="Do it, instead of showing what it would do (APPLY=1).")
    return apply(on_record(command))


def on_record(command: Command) -> Command:
    """The same without `--apply`, for a write that shows what it will do, and is confirmed, in a manner of its own."""
    @functools.wraps(command)
    def asked(*arguments: Any, reason: Optional[str], audit: Path, is_applied: bool = False, **options: Any) -> Any:
        write = Write(is_applied, reason, audit)
        if is_applied:
            # First of all: nothing is looked up for a write that can't be put on record.
            _ = write.why
        return command(*arguments, write=write, **options)

    reason = click.option(
        "--reason", envvar="REASON", metavar="TEXT", callback=plain,
        help="Why, for the log and the audit file: at most 80 plain characters (REASON=\"…\").")
    audit = click.option(
        "--audit", envvar="AUDIT", default=str(FILE), show_default=True, metavar="FILE",
        type=click.Path(path_type=Path), help="Where a write adds a line for each thing that it does.")
    return cast(Command, reason(audit(asked)))


def plain(_: click.Context, __: click.Parameter, text: Optional[str]) -> Optional[str]:
    """A reason that may be logged."""
    if text is not None and not REASON.fullmatch(text):
        raise click.BadParameter(f"write {REASON_FORM}")
    return text


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
