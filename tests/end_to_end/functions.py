"""The functions themselves: called past the gateway, and copied with another environment."""
from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import signal
import time
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator

from stack import Stack
from stack.deployment import changed, directory_of, webhooks
from verdict.deployed import ALIAS

#: For so long the relay leaves an entry of the outbox to the function that wrote it, and a little more.
GRACE_SECONDS = 15


def bootstrap(stack: Stack, logical_id: str) -> Path:
    """The executable of one of the template's functions."""
    return directory_of(int(stack.endpoint.rpartition(":")[2])) / "build" / logical_id / "bootstrap"


class Ended(Exception):
    """A function that ended without an answer."""


@dataclass(frozen=True)
class Function:
    """A deployed function."""

    stack: Stack
    name: str
    #: The version that is called: a copy has no alias.
    qualifier: str = "$LATEST"

    def call(self, payload: Any) -> Any:
        """Calls it with that payload; raises `Ended` where it fails as a function, which it never should by itself."""
        answer = self.stack.client("lambda").invoke(
            FunctionName=f"{self.name}:{self.qualifier}", Payload=json.dumps(payload))
        content = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise Ended(content)
        return json.loads(content)

    def answer(self, event: Any) -> webhooks.Answer:
        """Calls it with an HTTP request's event."""
        response = self.call(event)
        return webhooks.Answer(response["statusCode"], response["headers"], response["body"])

    @property
    def log_group(self) -> str:
        """Where its lines go: the template names the log group, for a copy it is the one that Lambda makes."""
        configuration = self.stack.client("lambda").get_function_configuration(FunctionName=self.name)
        return configuration["LoggingConfig"]["LogGroup"]

    def process(self) -> Path:
        """What /proc has about its process."""
        [process] = self.processes()
        return process

    def processes(self) -> list[Path]:
        """The same of all its processes: as many as it had requests at a time."""
        # Stacks on other ports have functions of the same name, and an earlier version may not have ended yet.
        ours = {f"AWS_LAMBDA_FUNCTION_NAME={self.name}", f"AWS_ENDPOINT_URL={self.stack.endpoint}",
                f"AWS_LAMBDA_FUNCTION_VERSION={self.version}"}
        return [process for process in Path("/proc").glob("[0-9]*") if ours <= environment(process)]

    @property
    def version(self) -> str:
        """The version that is called."""
        if self.qualifier != ALIAS:
            return self.qualifier
        return self.stack.client("lambda").get_alias(FunctionName=self.name, Name=ALIAS)["FunctionVersion"]


def environment(process: Path) -> set[str]:
    """The variables of a process; none if it isn't ours, or has ended."""
    with contextlib.suppress(OSError):
        return set((process / "environ").read_bytes().decode("utf-8", "replace").split("\0"))
    return set()


def deployed(stack: Stack, logical_id: str) -> Function:
    """One of the template's functions."""
    return Function(stack, stack.resource(logical_id), ALIAS)


def kill(process: Path) -> None:
    """Ends a process that /proc has, with no chance to say goodbye."""
    os.kill(int(process.name), signal.SIGKILL)


@contextlib.contextmanager
def copy(stack: Stack, logical_id: str, **environment: str) -> Iterator[Function]:
    """A copy of one of the template's functions, for as long as the context lasts, with some variables changed."""
    functions = stack.client("lambda")
    original = functions.get_function_configuration(FunctionName=stack.resource(logical_id))
    name = f"{original['FunctionName']}-{uuid.uuid4()}"
    functions.create_function(
        FunctionName=name,
        Code={"ZipFile": package(bootstrap(stack, logical_id))},
        Environment={"Variables": changed(original["Environment"]["Variables"], environment)},
        **{part: original[part] for part in ("Runtime", "Handler", "Role", "Architectures", "Timeout", "MemorySize")})
    try:
        yield Function(stack, name)
    finally:
        functions.delete_function(FunctionName=name)


def relay_until(stack: Stack, done: Callable[[], bool]) -> None:
    """Runs the relay until that is so."""
    end = time.monotonic() + GRACE_SECONDS
    while not done():
        assert time.monotonic() < end, "not all has been published"
        deployed(stack, "OutboxRelay").call({})
        time.sleep(0.5)


@functools.lru_cache(maxsize=None)
def package(executable: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(executable, "bootstrap")
    return packed.getvalue()
