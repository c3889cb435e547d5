"""A stand-in for a bank's own onboarding adapter: answers every request in the same way, and keeps what it was sent.

    with Adapter() as adapter:
        adapter.url          # for the template's WultraAdapterUrl, if that could be plain HTTP
        adapter.status       # what it answers with
        adapter.requests     # what has come
"""
from __future__ import annotations

import http.server
import threading
from dataclasses import dataclass
from email.message import Message

from .emulator import HOST

#: What it answers: a type and a body that nothing between it and its caller would make.
TYPE, ANSWER = "application/vnd.adapter+json", b'{"from":  "the adapter"}\n'


@dataclass(frozen=True)
class Request:
    """What it was sent."""

    method: str
    path: str  # with the query
    headers: Message  # names in any case
    body: bytes


class Adapter:
    """Answers on a free port of this machine from the moment it is made until `close`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.status = 200
        adapter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                adapter.requests.append(Request(self.command, self.path, self.headers, body))
                self.send_response(adapter.status)
                self.send_header("Content-Type", TYPE)
                self.send_header("Content-Length", str(len(ANSWER)))
                self.end_headers()
                self.wfile.write(ANSWER)

            do_GET = do_PUT = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Adapter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
