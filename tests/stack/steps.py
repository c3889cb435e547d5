"""A step of the way up: says what it does, shows that it lives, and on failure says what to do."""
from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

PROGRESS_SECONDS = 10
SHOWN_LOG_LINES = 25


class Failure(Exception):
    """A step that failed; the message names it and says what to do."""


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Announces a step, counts its seconds while it lasts, and reports its end."""
    begun = time.monotonic()
    over = threading.Event()

    def seconds() -> int:
        return round(time.monotonic() - begun)

    def count() -> None:
        while not over.wait(PROGRESS_SECONDS):
            print(f"    … {seconds()} s", flush=True)

    print(f"{what} …", flush=True)
    counter = threading.Thread(target=count, daemon=True)
    counter.start()
    try:
        yield
    finally:
        over.set()
        counter.join()
    print(f"    done in {seconds()} s", flush=True)


def run(what: str, command: Sequence[str], log: Path, *, remedy: str, **options: Any) -> None:
    """Runs a command with its output in `log`. Whatever ends us ends the command and its children too."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, **options)
        try:
            status = process.wait()
        except BaseException:
            end_group(process)
            raise
    if status != 0:
        raise Failure(f"{what} failed (exit {status}): {remedy}\n{tail(log)}")


def end_group(process: subprocess.Popen[Any]) -> None:
    """Ends the process and all that it started in its own process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def tail(log: Path) -> str:
    """The last lines of a log, and where the rest is."""
    lines = log.read_text("utf-8", "replace").splitlines()[-SHOWN_LOG_LINES:]
    return "\n".join([*(f"    | {line}" for line in lines), f"The whole log: {log}"])


def without_aws(environment: Mapping[str, str]) -> dict[str, Any]:
    """The environment without the user's AWS settings: nothing here may ever reach a real account."""
    kept = {name: value for name, value in environment.items() if not name.startswith("AWS_")}
    never_proxied = ",".join(filter(None, [kept.get("NO_PROXY") or kept.get("no_proxy"), "127.0.0.1,localhost"]))
    return {
        **kept,
        "NO_PROXY": never_proxied,
        "no_proxy": never_proxied,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
