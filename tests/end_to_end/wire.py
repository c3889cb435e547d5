"""A bad line between a function and a service."""
from __future__ import annotations

import enum
import http.client
import http.server
import threading
import urllib.parse
from typing import Callable, Mapping

from stack import Stack


class Fate(enum.Enum):
    """What the line does with a request."""

    PASSED_ON = "passed on"
    LOST = "lost before it reached the service"
    CUT_OFF = "cut off before it reached the service"
    ANSWER_LOST = "passed on, but its answer lost"


class Wire:
    """Carries requests to the stack, or does with them what `fate` says of their operation. What is lost is never
    answered; what is cut off, the caller learns of at once.

    The operation is named as in AWS's header, such as `DynamoDB_20120810.TransactWriteItems`.
    """

    def __init__(self, stack: Stack, fate: Callable[[str], Fate]):
        self._stack, self._fate = stack, fate
        self._cut, self._first_loss = threading.Event(), threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def await_loss(self, seconds: float) -> None:
        """Waits until a request was lost or, where it is the answer that gets lost, carried out."""
        assert self._first_loss.wait(seconds), "no request came"

    def __enter__(self) -> Wire:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._cut.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type:
        wire = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                fate = wire._fate(self.headers["x-amz-target"])
                reaches = fate in (Fate.PASSED_ON, Fate.ANSWER_LOST)
                answer = wire._pass_on(self.path, body, self.headers) if reaches else None
                if fate is Fate.PASSED_ON:
                    status, headers, content = answer
                    self.send_response(status)
                    for name in ("Content-Type", "x-amzn-RequestId", "x-amz-crc32"):
                        if name in headers:
                            self.send_header(name, headers[name])
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                else:
                    self.close_connection = True
                    wire._first_loss.set()
                    if fate is not Fate.CUT_OFF:
                        wire._cut.wait()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _pass_on(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        target = urllib.parse.urlsplit(self._stack.endpoint)
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=10)
        try:
            kept = {name: value for name, value in headers.items() if name.lower() != "host"}
            connection.request("POST", path, body, kept)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()
