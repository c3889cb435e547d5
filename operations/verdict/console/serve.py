"""The HTTP server: waitress, on 127.0.0.1 alone."""
from __future__ import annotations

import contextlib
import logging
import socket
import threading
from typing import Any, Iterator, Optional

from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask
from waitress.wasyncore import close_all

from ..interruption import whole
from ..problem import Problem
from .app import Console
from .page import HEADERS

HOST = "127.0.0.1"
#: Requests that are answered at once, of which some wait for AWS. Slow clients take none of these: a request is read
#: before, and an answer sent after.
THREADS = 32
#: A body above this isn't even read.
READ_LIMIT = 1024 * 1024
BACKLOG = 64
#: How long a connection may be silent.
SILENT_SECONDS = 30


class Unreadable(ErrorTask):
    """The answer to what is no request: waitress's own would have none of our headers, and repeat parts of it."""

    def execute(self) -> None:
        self.status, _, _ = self.request.error.to_response()  # type: ignore[attr-defined]
        self.response_headers = list(HEADERS.items())
        self.set_close_on_finish()
        self.content_length = 0
        self.write(b"")


class Channel(HTTPChannel):
    error_task_class = Unreadable


def listening(port: int = 0) -> socket.socket:
    """A socket on 127.0.0.1: at that port, or at a free one."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((HOST, port))
        # A browser that is told the address may come before the server is up.
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise Problem(f"port {port} on {HOST} can't be used ({error.strerror}): give another with --port") from None
    return opened


def server(console: Console, opened: Optional[socket.socket] = None) -> Any:
    """A server for a console, at its port."""
    # What it logs names paths with their queries.
    logging.getLogger("waitress").setLevel(logging.CRITICAL)
    running = create_server(
        console, sockets=[opened or listening(console.port)], threads=THREADS, ident=None,
        max_request_body_size=READ_LIMIT, max_request_header_size=32 * 1024, channel_timeout=SILENT_SECONDS,
        cleanup_interval=5)
    # Of one socket, waitress makes one server.
    assert isinstance(running, BaseWSGIServer)
    running.channel_class = Channel
    return running


def serve(console: Console, opened: Optional[socket.socket] = None) -> None:
    """Answers until it is interrupted."""
    running = server(console, opened)
    try:
        running.run()
    finally:
        with whole():
            running.close()
            # Waitress itself waits for 5 s at most, and its threads end with the process.
            console.finish()


@contextlib.contextmanager
def serving(console: Console, opened: Optional[socket.socket] = None) -> Iterator[BaseWSGIServer]:
    """Answers in a thread, as long as the context lasts."""
    running = server(console, opened)
    thread = threading.Thread(target=running.run, name="console", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        with contextlib.ExitStack() as last:
            last.callback(console.finish)
            # In its own thread, and all connections: one that a browser keeps would keep the thread, too.
            running.trigger.pull_trigger(lambda: close_all(running._map, ignore_all=True))
            thread.join(SILENT_SECONDS)
            running.task_dispatcher.shutdown()
