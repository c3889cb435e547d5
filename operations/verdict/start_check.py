"""Starts each built function once on this machine, with the environment that it is about to get, before anything is
deployed.

A function counts as started once it asks Lambda's Runtime API for work. Here that is a small server on this machine, which
then asks it what the doctor asks: an event that has nothing done. A function whose secret is in Secrets Manager fetches it
as the caller of the command; all others get keys that open nothing.
"""
from __future__ import annotations

import contextlib
import http.server
import json
import platform
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping, Optional

import click
from botocore.exceptions import BotoCoreError, ClientError

from . import aws as accounts, secret
from .aws import Aws, Keys
from .doctor.functions import ASKED, NO_REQUEST, is_started, is_unreadable
from .places import BOOTSTRAP
from .planned import Planned
from .problem import Problem
from .sam import redacted
from .wording import counted

HOST = "127.0.0.1"
#: A function starts within a second; all of them at once on a slow machine take longer.
START_SECONDS = 20
GOODBYE_SECONDS = 2
API = "/2018-06-01/runtime/"
NEXT = f"{API}invocation/next"
#: Variables that hold the ARN of a secret.
BY_ARN = "_CREDENTIALS_ARN"
#: What this machine calls the processors, by Lambda's names.
MACHINES = {"arm64": ("aarch64", "arm64"), "x86_64": ("x86_64", "AMD64")}
#: What the loader says of an executable that is made for another Linux.
OTHER_LINUX = ("GLIBC_", "cannot execute", "No such file or directory")
NO_KEYS = Keys("AKIA0000000000000000", "none")
AT_ONCE = 16


@dataclass(frozen=True)
class Trial:
    """One function that is to be started."""

    function: str
    executable: Path
    variables: Mapping[str, str] = field(repr=False)
    serves_http: bool

    @property
    def event(self) -> Mapping[str, Any]:
        return NO_REQUEST if self.serves_http else ASKED

    def is_right(self, answer: Any) -> bool:
        return (is_unreadable if self.serves_http else is_started)(answer)


@dataclass(frozen=True)
class Unchecked:
    """A function that can't be started here, and why."""

    function: str
    reason: str


@dataclass(frozen=True)
class Failed:
    """A function that doesn't start, and what it said last."""

    function: str
    said: str


def check(aws: Aws, planned: Planned, build: Path, processor: str, secrets: Iterable[str] = ()) -> None:
    """Starts the functions that were built, and ends the command if one doesn't. Says what can't be checked here."""
    reason = not_here(processor)
    if reason:
        click.echo(f"The functions aren't started before the deployment: {reason}")
        return
    begun, hidden = time.monotonic(), sorted(set(secrets), key=len, reverse=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = [*pool.map(lambda each: tried(aws, planned, build, each), planned.functions())]
    unchecked = [each for each in results if isinstance(each, Unchecked)]
    failed = [each for each in results if isinstance(each, Failed)]
    for each in unchecked:
        click.echo(f"{each.function} isn't started before the deployment: {redacted(each.reason, hidden)}")
    if failed:
        lines = [f"{each.function} does not start: {redacted(each.said, hidden)}" for each in failed]
        raise Problem("\n".join([*lines, "nothing was deployed; START=0 skips this check"]))
    started = len(results) - len(unchecked)
    click.echo(f"{counted(started, 'function')} started on this machine with the new configuration, "
               f"in {time.monotonic() - begun:.1f} s")


def not_here(processor: str) -> Optional[str]:
    """The reason for which this machine can't run what was built for a processor."""
    if platform.system() != "Linux":
        return f"they are for Linux, and this machine runs {platform.system()}"
    if platform.machine() not in MACHINES.get(processor, ()):
        return f"they are for {processor}, and this machine is {platform.machine()}"
    return None


def tried(aws: Aws, planned: Planned, build: Path, function: str) -> Optional[Unchecked | Failed]:
    """Starts a function. None if it started."""
    executable = build / function / BOOTSTRAP
    unknown = [*planned.unknown_secrets(function)]
    if unknown:
        return Unchecked(function, f"the stack keeps its {', '.join(unknown)}, and you may not read them")
    variables = planned.environment(function)
    try:
        keys = keys_for(aws, variables)
    except (ClientError, BotoCoreError) as error:
        return Unchecked(function, f"you may not read its secret ({accounts.one_line(error)})")
    trial = Trial(function, executable, lambdas_own(aws, planned, function) | with_keys(keys) | variables,
                  planned.serves_http(function))
    return start(trial)


def keys_for(aws: Aws, variables: Mapping[str, str]) -> Keys:
    """The keys that a function gets: the caller's own if it has to fetch a secret that the caller may read."""
    arns = [value for name, value in variables.items() if name.endswith(BY_ARN)]
    for arn in arns:
        secret.manager(aws, arn).get_secret_value(SecretId=arn)
    return aws.own_keys() if arns else NO_KEYS


def with_keys(keys: Keys) -> dict[str, str]:
    named = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
    return {**named, "AWS_SESSION_TOKEN": keys.token} if keys.token else named


def lambdas_own(aws: Aws, planned: Planned, function: str) -> dict[str, str]:
    """The variables that Lambda adds to a function's own. Nothing of the caller's environment is among them."""
    named = f"{planned.value({'Ref': 'AWS::StackName'})}-{function}"
    return {
        "AWS_REGION": aws.region, "AWS_DEFAULT_REGION": aws.region, "TZ": ":UTC", "_HANDLER": BOOTSTRAP,
        "AWS_LAMBDA_FUNCTION_NAME": named, "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": named, "AWS_LAMBDA_LOG_STREAM_NAME": named,
        **({"AWS_ENDPOINT_URL": aws.endpoint} if aws.endpoint else {})}


def start(trial: Trial) -> Optional[Unchecked | Failed]:
    """Starts a function under a Runtime API of its own, and ends it."""
    with runtime(trial.event) as api:
        try:
            process = subprocess.Popen(
                [str(trial.executable)], env={**trial.variables, "AWS_LAMBDA_RUNTIME_API": api.address},
                cwd=trial.executable.parent, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except OSError as error:
            return Unchecked(trial.function, f"this machine can't run it ({error.strerror})")
        said = Said(process)
        try:
            is_answered = api.await_answer(process)
        finally:
            end(process)
        return result(trial, api, is_answered, said.last_line())


def result(trial: Trial, api: RuntimeApi, is_answered: bool, said: str) -> Optional[Unchecked | Failed]:
    if is_answered:
        return None if trial.is_right(api.answer) else Failed(
            trial.function, "it answers otherwise than this release's function")
    if api.is_asked:
        return Failed(trial.function, f"it asked for work, and didn't answer; its last words: {said or 'none'}")
    if any(each in said for each in OTHER_LINUX):
        return Unchecked(trial.function, f"this machine can't run it ({said})")
    return Failed(trial.function, said or f"it didn't ask for work within {START_SECONDS} s, and said nothing")


def end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait(GOODBYE_SECONDS)


class Said:
    """What a process writes to its standard error: all of it is taken off, the end is kept."""

    KEPT = 64

    def __init__(self, process: subprocess.Popen[bytes]):
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr, "its standard error is a pipe"
        with process.stderr:
            for line in process.stderr:
                self._lines = [*self._lines, line.decode("utf-8", "replace").strip()][-self.KEPT:]

    def last_line(self) -> str:
        """The last line that isn't blank, once the process has ended."""
        self._reader.join(GOODBYE_SECONDS)
        return next((line for line in reversed(self._lines) if line), "")


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Lambda's Runtime API for one invocation of one function."""

    daemon_threads = True

    def __init__(self, event: Mapping[str, Any]):
        self.event = json.dumps(event).encode()
        self.answer: Any = None
        self.is_asked = False
        self.over = threading.Event()
        super().__init__((HOST, 0), Invocation)

    @property
    def address(self) -> str:
        return f"{HOST}:{self.server_address[1]}"

    def await_answer(self, process: subprocess.Popen[bytes]) -> bool:
        """Waits until the function has answered; not if it ends before, or takes too long."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and not self.over.wait(0.02):
            if process.poll() is not None:
                return self.over.is_set()
        return self.over.is_set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A function that ends hangs up."""


class Invocation(http.server.BaseHTTPRequestHandler):
    """Hands out the event once, and takes what becomes of it."""

    protocol_version = "HTTP/1.1"
    server: RuntimeApi

    def do_GET(self) -> None:
        if self.path != NEXT or self.server.is_asked:
            # There is no second event. The function is ended while it waits for one.
            self.server.over.wait(START_SECONDS)
            self.close_connection = True
            return
        self.server.is_asked = True
        self.give(200, self.server.event, {
            "Lambda-Runtime-Aws-Request-Id": "00000000-0000-4000-8000-000000000000",
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + START_SECONDS) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:000000000000:function:start-check"})

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path.endswith("/response"):
            with contextlib.suppress(ValueError):
                self.server.answer = json.loads(content)
        self.server.over.set()
        self.give(202, b"{}", {})

    def give(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def runtime(event: Mapping[str, Any]) -> Iterator[RuntimeApi]:
    """The Runtime API, for as long as the block lasts."""
    api = RuntimeApi(event)
    threading.Thread(target=api.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield api
    finally:
        api.over.set()
        api.shutdown()
        api.server_close()
