"""A function's binary under a small Lambda Runtime API: it is called at once, and what it prints is read as it prints it.

    with Running(bootstrap(stack, "Replay"), environment(stack, "Replay")) as replay:
        replay.call({"Records": []})
    replay.lines                                         # all that it has printed
"""
from __future__ import annotations

import contextlib
import http.server
import json
import queue
import subprocess
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Mapping

from stack import Stack
from stack.deployment import changed, webhooks

from .functions import Ended, deployed

HOST = "127.0.0.1"
PATIENCE_SECONDS = 20
API = "/2018-06-01/runtime/"
#: The time that Lambda gives an invocation, as the template has it.
TIMEOUT_SECONDS = 10

#: Events by their request's id, or answers by how they are meant: `response` or `error`.
Calls = queue.Queue[tuple[str, bytes]]


def environment(stack: Stack, logical_id: str, **changes: str) -> dict[str, str]:
    """What a function sees on the stack, its role's keys included, with some variables changed."""
    function = deployed(stack, logical_id)
    function.call({"doctor": True})
    variables = (function.processes()[0] / "environ").read_text().split("\0")
    return changed(dict(variable.split("=", 1) for variable in variables if variable), changes)


class Running:
    """A function's process, for as long as the context lasts. It takes one event after the other."""

    def __init__(self, executable: Path, variables: Mapping[str, str]):
        self.lines: list[dict[str, Any]] = []
        self._executable, self._variables = executable, variables
        self._events: Calls = queue.Queue()
        self._answers: Calls = queue.Queue()

    def __enter__(self) -> Running:
        self._server = http.server.ThreadingHTTPServer((HOST, 0), handler(self._events, self._answers))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        variables = {**self._variables, "AWS_LAMBDA_RUNTIME_API": f"{HOST}:{self._server.server_address[1]}"}
        self._process = subprocess.Popen(
            [self._executable], env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._server.shutdown()
        self._server.server_close()

    def call(self, event: Any) -> Any:
        """Has it answer an event; raises `Ended` if it says that it failed, or nothing."""
        self._events.put((str(uuid.uuid4()), json.dumps(event).encode()))
        try:
            kind, body = self._answers.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            raise Ended(f"no answer; it printed {self.lines}") from None
        if kind == "error":
            raise Ended(body.decode())
        return json.loads(body)

    def answer(self, event: Any) -> webhooks.Answer:
        """Has it answer an HTTP request's event."""
        response = self.call(event)
        return webhooks.Answer(response["statusCode"], response["headers"], response["body"])

    def _read(self) -> None:
        for line in self._process.stdout or ():
            # What isn't JSON is the runtime's last word.
            with contextlib.suppress(ValueError):
                self.lines.append(json.loads(line))


def handler(events: Calls, answers: Calls) -> type[http.server.BaseHTTPRequestHandler]:
    """The Runtime API: hands over events, and takes answers."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            request_id, event = events.get()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + TIMEOUT_SECONDS) * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:f")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(event)))
            self.end_headers()
            self.wfile.write(event)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path.startswith(f"{API}invocation/"):
                answers.put((self.path.rpartition("/")[2], body))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
