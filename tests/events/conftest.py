"""What the tests of the samples share: the tool, run in process, and an API on 127.0.0.1 to send to."""
import base64
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Optional

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "events"))
import webhooks

# The client of the local credentials, written out.
CLIENT = "Basic " + base64.b64encode(b"local-incode:local-incode-client-secret-0123456789").decode()
FETCHED_TOKEN = "token.fetched.from-the-endpoint"


@pytest.fixture(autouse=True)
def no_credentials_from_outside(monkeypatch):
    for provider in webhooks.PROVIDERS:
        monkeypatch.delenv(f"{provider.upper()}_CREDENTIALS", raising=False)


class Api(ThreadingHTTPServer):
    """What it was sent, and what it answers."""

    url: str
    requests: list[tuple]
    asked: list[tuple]
    status = 200
    outcome: Optional[str] = None
    token_answer: tuple[int, bytes]


@pytest.fixture
def endpoint():
    """An API that answers as Verdict does; keeps its webhooks in `requests`, and in `asked` what asked for a token."""

    class Handler(BaseHTTPRequestHandler):
        server: Api

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path.endswith("/incode/oauth/token"):
                self.server.asked.append((self.path, self.headers, body))
                self.answer(*self.server.token_answer)
                return
            self.server.requests.append((self.path, self.headers, body))
            is_copy = self.server.requests[:-1] and body in [earlier[2] for earlier in self.server.requests[:-1]]
            self.answer(self.server.status, b"{}", self.server.outcome or ("duplicate" if is_copy else "recorded"))

        def answer(self, status, body, outcome=None):
            self.send_response(status)
            if outcome:
                self.send_header("X-Verdict-Outcome", outcome)
                self.send_header("X-Verdict-Session", "veriff/sample")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = Api(("127.0.0.1", 0), Handler)
    server.requests, server.asked = [], []
    server.token_answer = 200, json.dumps({"access_token": FETCHED_TOKEN, "expires_in": 3600}).encode()
    server.url = f"http://127.0.0.1:{server.server_port}/stage"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(capsys):
    """Runs the tool; gives exit code, standard output and standard error."""

    def run(*arguments):
        code = webhooks.main(list(map(str, arguments)))
        return (code, *capsys.readouterr())

    return run
