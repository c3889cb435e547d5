"""A bad line between a function and a service."""
from __future__ import annotations

import contextlib
import enum
import http.client
import http.server
import json
import socket
import sys
import threading
import time
import urllib.parse
from email.message import Message
from typing import Any, Callable, Iterator, Mapping, Union


class Fate(enum.Enum):
    """What becomes of a request."""

    PASSED_ON = "passed on"
    LOST = "lost before it reached the service"
    CUT_OFF = "cut off before it reached the service"
    ANSWER_LOST = "passed on, but its answer lost"
    THROTTLED = "turned away by the service, which has too much to do"
    FAILED = "failed by the service, through no fault of the caller"


#: How long the service may take for an answer.
ANSWER_SECONDS = 10
#: For how long a connection to the service is good that nothing uses: the emulator ends it after 75 s.
IDLE_SECONDS = 30
#: What DynamoDB says then.
ANSWERS = {
    Fate.THROTTLED: (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
    Fate.FAILED: (500, "com.amazonaws.dynamodb.v20120810#InternalServerError"),
}


class Wire:
    """Carries requests to an endpoint, or does with them what `fate` says of their operation, which may be set anew at
    any time. What is lost is never answered; what is cut off, the caller learns of at once.

    The operation is named as in AWS's header, such as `DynamoDB_20120810.TransactWriteItems`.
    """

    _line: Line  # from when it is entered

    def __init__(self, endpoint: str, fate: Callable[[str], Fate]):
        self.fate = fate
        self._endpoint = endpoint
        self._first_loss = threading.Event()
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def await_loss(self, seconds: float) -> None:
        """Waits until a request was lost or, where it is the answer that gets lost, carried out."""
        assert self._first_loss.wait(seconds), "no request came"

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """While connections are refused, and those that there were are gone."""
        self._line.close()
        # Bound at once, so that nobody else gets the port; what is bound and does not listen refuses.
        self._line = Line(self._port, self._endpoint, self._answer)
        try:
            yield
        finally:
            self._line.listen()

    def __enter__(self) -> Wire:
        self._line = Line(0, self._endpoint, self._answer)
        self._port = self._line.server_port
        self._line.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._line.close()

    def _answer(self, caller: Caller) -> None:
        """Answers one request, or does not."""
        body = caller.rfile.read(int(caller.headers["content-length"]))
        fate = self.fate(caller.headers["x-amz-target"])
        if fate in ANSWERS:
            status, code = ANSWERS[fate]
            content = json.dumps({"__type": code, "message": "a fault of the line"}).encode()
            give(caller, status, {"Content-Type": "application/x-amz-json-1.0"}, content)
            return
        reaches = fate in (Fate.PASSED_ON, Fate.ANSWER_LOST)
        answer = caller.onward.pass_on(caller.path, body, caller.headers) if reaches else None
        if answer and fate is Fate.PASSED_ON:
            give(caller, *answer)
            return
        caller.close_connection = True
        self._first_loss.set()
        if fate is not Fate.CUT_OFF:
            # Ends when the caller has given up, or the line is closed.
            with contextlib.suppress(OSError):
                caller.connection.recv(1)


class Onward:
    """The rest of a caller's way to the service: a connection that is kept between requests, as the caller keeps its own."""

    def __init__(self, endpoint: str):
        self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc, timeout=ANSWER_SECONDS)
        self._used = time.monotonic()

    def pass_on(self, path: str, body: bytes, headers: Message) -> tuple[int, Message, bytes]:
        """Has a request answered by the service, once: none is sent again, whatever becomes of it."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self.close()
        try:
            # All headers as they came, `Host` among them: the caller has signed them.
            self._connection.request("POST", path, body, dict(headers.items()))
            response = self._connection.getresponse()
            return response.status, response.headers, response.read()
        except BaseException:
            self.close()
            raise
        finally:
            self._used = time.monotonic()

    def close(self) -> None:
        """Ends the connection; the next request opens another."""
        self._connection.close()


def give(caller: Caller, status: int, headers: Union[Mapping[str, str], Message],
         content: bytes) -> None:
    caller.send_response(status)
    for name in ("Content-Type", "x-amzn-RequestId", "x-amz-crc32"):
        if name in headers:
            caller.send_header(name, headers[name])
    caller.send_header("Content-Length", str(len(content)))
    caller.end_headers()
    caller.wfile.write(content)


class Caller(http.server.BaseHTTPRequestHandler):
    """One caller's connection, and the rest of its way."""

    protocol_version = "HTTP/1.1"
    # One segment an answer: in two, the second would wait for the caller to acknowledge the first.
    wbufsize = -1
    server: Line

    def setup(self) -> None:
        super().setup()
        self.onward = Onward(self.server.endpoint)

    def finish(self) -> None:
        self.onward.close()
        with contextlib.suppress(OSError):
            super().finish()

    def do_POST(self) -> None:
        self.server.answer(self)

    def log_message(self, *_: object) -> None:
        pass


class Line(http.server.ThreadingHTTPServer):
    """Has a port, listens on it once it is told to, and knows who is connected."""

    request_queue_size = 128

    def __init__(self, port: int, endpoint: str, answer: Callable[[Caller], None]):
        self.endpoint, self.answer = endpoint, answer
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Caller, bind_and_activate=False)
        self.server_bind()

    def listen(self) -> None:
        self.server_activate()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Ends it all, and all connections."""
        self.shutdown()
        self.server_close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        # Before its thread begins: closing the line has to find all that it has accepted.
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Callers that hang up are what this is about.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
