"""A broken release, deployed on a local stack while webhooks of every provider come in: what is refused meanwhile, and what
is lost.

The release's receivers end when they start. Deployed as usual, it is found before anything changes. With that check off,
it is live until the doctor has found it. Then a parameter is changed, and that is taken back by hand.

`make rollback-drill` runs it on a stack of its own; each provider sends a RATE of 2 webhooks a second.
"""
from __future__ import annotations

import collections
import contextlib
import json
import os
import shutil
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator
from unittest import mock

from verdict import command_line, deploy, live
from verdict.aws import Aws
from verdict.places import BOOTSTRAP
from verdict.stack import Stack as Deployed

from . import Failure, Stack, free_port, start
from .deployment import NAME, directory_of, webhooks
from .outage import number
from .samples import Sent, prepare

#: What each provider sends. Incode's decides nothing here, since its API has to confirm it; it is recorded all the same.
SENDS = {"incode": "incode/session-succeeded", "treezor": "treezor/user-kycreview-validated",
         "veriff": "veriff/decision-approved", "wultra": "wultra/process-finished"}
#: Who never sends again.
ONCE = ("wultra",)
#: The functions that receive what is sent.
RECEIVERS = ("IncodeWebhooks", "TreezorWebhooks", "VeriffEvents", "VeriffDecisions", "WultraEvents")
ENDS = "#!/bin/sh\necho 'this release is broken' >&2\nexit 1\n"
#: So long a provider waits before it sends again. Real ones wait longer.
RETRY_SECONDS = 2
PATIENCE_SECONDS = 120


@dataclass
class Traffic:
    """Webhooks of every provider, at a steady rate, each for a session of its own."""

    stack: Stack
    rate: int
    #: What goes on meanwhile, as it stands in the result.
    phase: str = ""
    sent: dict[str, list[Sent]] = field(default_factory=lambda: collections.defaultdict(list))
    #: First tries by phase and provider, and those of them that were refused.
    tries: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    refused: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def flowing(self) -> Iterator[None]:
        """While webhooks come."""
        threads = [threading.Thread(target=self._send, args=(provider,)) for provider in SENDS]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _send(self, provider: str) -> None:
        again: list[tuple[float, Sent]] = []
        while not self._over.wait(1 / self.rate):
            each, phase = prepare(webhooks.find(SENDS[provider])), self.phase
            self.sent[provider].append(each)
            is_taken = self._is_taken(each)
            self.tries[phase, provider] += 1
            self.refused[phase, provider] += not is_taken
            if not is_taken and provider not in ONCE:
                again.append((time.monotonic() + RETRY_SECONDS, each))
            again = [*self._still_refused(again)]
        self._finish(again)

    def _still_refused(self, again: list[tuple[float, Sent]]) -> Iterator[tuple[float, Sent]]:
        """Sends again what is due, and gives what has to be sent once more."""
        for due, each in again:
            if due > time.monotonic():
                yield due, each
            elif not self._is_taken(each):
                yield time.monotonic() + RETRY_SECONDS, each

    def _finish(self, again: list[tuple[float, Sent]]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while again and time.monotonic() < end:
            time.sleep(RETRY_SECONDS)
            again = [*self._still_refused(again)]

    def _is_taken(self, each: Sent) -> bool:
        try:
            return webhooks.send(each.event, self.stack.api_url).status == 200
        except webhooks.Problem:
            return False

    def lost(self, provider: str) -> int:
        """How many sessions there is nothing of."""
        return sum(self.stack.session(provider, each.session or "") is None for each in self.sent[provider])


@dataclass
class Operator:
    """Whoever deploys, with what was built already."""

    stack: Stack
    directory: Path

    def run(self, command: str, *arguments: str) -> tuple[int, float]:
        """Runs one of the commands. Returns its status, and how long it took."""
        begun = time.monotonic()
        status = command_line.main([command, "--stack-name", NAME, "--endpoint", self.stack.endpoint, *arguments])
        return status, time.monotonic() - begun

    def deploy(self, build: Path, *arguments: str, **parameters: str) -> tuple[int, float]:
        given = json.loads((self.directory / "parameters.yaml").read_text("utf-8"))
        file = self.directory / "parameters-of-drill.yaml"
        file.write_text(json.dumps({**given, **parameters}), "utf-8")
        with mock.patch.object(deploy, "BUILD", build), mock.patch.object(deploy, "build"):
            return self.run("deploy", "--parameters", str(file), *arguments)

    def versions(self) -> set[str]:
        """The versions that are live."""
        return {each.version for each in live.read(Deployed.require(Aws.connect(self.stack.endpoint), NAME)).values()}


def broken(build: Path) -> Path:
    """The same functions, with receivers that don't start."""
    copied = build.with_name("build-broken")
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(build, copied, copy_function=os.link)
    for function in RECEIVERS:
        executable = copied / function / BOOTSTRAP
        executable.unlink()
        executable.write_text(ENDS)
        executable.chmod(0o755)
    return copied


@dataclass
class Result:
    """What came of the drill."""

    traffic: Traffic
    #: What was expected and isn't so.
    wrong: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def expect(self, what: str, is_so: bool) -> None:
        if not is_so:
            self.wrong.append(what)

    def lines(self) -> Iterator[str]:
        phases = dict.fromkeys(phase for phase, _ in self.traffic.tries)
        for phase in phases:
            counts = ", ".join(f"{provider} {self.traffic.refused[phase, provider]} of {self.traffic.tries[phase, provider]}"
                               for provider in SENDS)
            took = f" ({self.seconds[phase]:.1f} s)" if phase in self.seconds else ""
            yield f"{phase}{took}: refused {counts}"
        yield "lost in the end: " + ", ".join(f"{provider} {self.traffic.lost(provider)}" for provider in SENDS)


def drill(stack: Stack, rate: int) -> Result:
    """Deploys what is broken, twice, and a changed parameter, and takes that back."""
    directory = directory_of(int(stack.endpoint.rpartition(":")[2]))
    operator, build = Operator(stack, directory), directory / "build"
    traffic = Traffic(stack, rate)
    result = Result(traffic)

    def step(phase: str, expected: int, did: Any) -> None:
        traffic.phase = phase
        status, result.seconds[phase] = did()
        result.expect(f"{phase}: status {status}, not {expected}", status == expected)

    result.expect("the first deployment", operator.deploy(build)[0] == 0)
    before, bad = operator.versions(), broken(build)
    with traffic.flowing():
        step("a broken release, deployed", 2, lambda: operator.deploy(bad))
        result.expect("nothing changed", operator.versions() == before)
        step("a broken release, deployed with START=0", 1, lambda: operator.deploy(bad, "--no-start"))
        result.expect("what was live before is live again", operator.versions() == before)
        step("a changed parameter, deployed", 0, lambda: operator.deploy(build, LogLevel="WARN"))
        changed = operator.versions()
        result.expect("the changed parameter is live", changed.isdisjoint(before))
        step("make rollback", 0, lambda: operator.run("rollback"))
        result.expect("the release before is live", operator.versions() == before)
    judge(result)
    return result


def judge(result: Result) -> None:
    """Holds what was counted against what has to be so."""
    traffic = result.traffic
    for provider in SENDS:
        refused = sum(traffic.refused[phase, provider] for phase, of in traffic.refused if of == provider)
        result.expect(f"none of {provider}'s is lost that is sent again",
                      traffic.lost(provider) == (refused if provider in ONCE else 0))
    quiet = [phase for phase in result.seconds if "START=0" not in phase]
    result.expect("nothing is refused except while the broken release is live",
                  not any(traffic.refused[phase, provider] for phase in quiet for provider in SENDS))


def main() -> int:
    try:
        port = free_port()
        with start(port) as stack:
            result = drill(stack, number("RATE", 2))
            lines = [*result.lines()]
        if not result.wrong:
            # Else its logs are worth keeping.
            shutil.rmtree(directory_of(port))
    except (Failure, webhooks.Problem) as failure:
        print(f"make rollback-drill: {failure}", file=sys.stderr)
        return 1
    print("", *lines, *(f"WRONG: {each}" for each in result.wrong), sep="\n")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
