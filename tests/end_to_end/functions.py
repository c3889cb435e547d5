"""The functions themselves: called past the gateway, and copied with another environment."""
from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import signal
import urllib.parse
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

from stack import Stack
from stack.deployment import ROOT, webhooks


def build_directory(port: int) -> Path:
    """Where the stack on that port has its functions from."""
    return ROOT / "target/stack" / str(port) / "build"


def bootstrap(stack: Stack, logical_id: str) -> Path:
    """The executable of one of the template's functions."""
    return build_directory(urllib.parse.urlsplit(stack.endpoint).port) / logical_id / "bootstrap"


class Ended(Exception):
    """A function that ended without an answer."""


@dataclass(frozen=True)
class Function:
    """A deployed function."""

    stack: Stack
    name: str

    def call(self, payload: Any) -> Any:
        """Calls it with that payload; raises `Ended` where it fails as a function, which it never should by itself."""
        answer = self.stack.client("lambda").invoke(FunctionName=self.name, Payload=json.dumps(payload))
        content = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise Ended(content)
        return json.loads(content)

    def answer(self, event: Any) -> webhooks.Answer:
        """Calls it with an HTTP request's event."""
        response = self.call(event)
        return webhooks.Answer(response["statusCode"], response["headers"], response["body"])

    def kill(self) -> None:
        """Ends its process, wherever that is, with no chance to say goodbye."""
        os.kill(int(self.process().name), signal.SIGKILL)

    def process(self) -> Path:
        """What /proc has about its process."""
        [process] = [process for process in Path("/proc").glob("[0-9]*") if self._runs_in(process)]
        return process

    def _runs_in(self, process: Path) -> bool:
        with contextlib.suppress(OSError):
            variables = (process / "environ").read_bytes().split(b"\0")
            return f"AWS_LAMBDA_FUNCTION_NAME={self.name}".encode() in variables
        return False


def deployed(stack: Stack, logical_id: str) -> Function:
    """One of the template's functions."""
    return Function(stack, stack.resource(logical_id))


@contextlib.contextmanager
def copy(stack: Stack, logical_id: str, **environment: str) -> Iterator[Function]:
    """A copy of one of the template's functions, for as long as the context lasts, with some variables changed."""
    functions = stack.client("lambda")
    original = functions.get_function_configuration(FunctionName=stack.resource(logical_id))
    name = f"{original['FunctionName']}-{uuid.uuid4()}"
    functions.create_function(
        FunctionName=name,
        Code={"ZipFile": package(bootstrap(stack, logical_id))},
        Environment={"Variables": {**original["Environment"]["Variables"], **environment}},
        **{part: original[part] for part in ("Runtime", "Handler", "Role", "Architectures", "Timeout", "MemorySize")})
    try:
        yield Function(stack, name)
    finally:
        functions.delete_function(FunctionName=name)


@functools.lru_cache(maxsize=None)
def package(executable: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(executable, "bootstrap")
    return packed.getvalue()
