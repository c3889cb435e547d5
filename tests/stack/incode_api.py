"""A stand-in for Incode's API: the log-in, the two questions that the poller asks, and the ways in which they go wrong.

    with IncodeApi() as api:
        api.credentials                                    # the `api` member of Incode's credentials
        api.script(session_id, status=["ONBOARDING_FINISHED"], score=["UNKNOWN", throttled(2), "OK"])
        api.interject(LOG_IN, error(500))                  # once, to whoever asks next
        api.requests                                       # what it was asked
"""
from __future__ import annotations

import collections
import contextlib
import enum
import hmac
import http.server
import json
import secrets
import socketserver
import threading
import time
import urllib.parse
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Iterator, Optional, Union

HOST = "127.0.0.1"
LOG_IN = "/executive/log-in"
STATUS = "/omni/get/onboarding/status"
SCORE = "/omni/get/score"

API_VERSION = "1.0"
TOKEN_SECONDS = 24 * 60 * 60
#: Longer than any client waits.
SILENCE_SECONDS = 120
#: How often whoever is kept waiting looks whether all is over.
LOOK_SECONDS = 0.05
HUGE_BYTES = 32 * 1024 * 1024


class Ending(enum.Enum):
    """How far an answer gets."""

    WHOLE = "all of it arrives"
    CUT = "the connection closes halfway through the body"
    STALLED = "halfway through the body nothing more comes"
    SILENT = "nothing comes, not even a status"


@dataclass(frozen=True)
class Answer:
    """One answer, right or wrong."""

    status: int
    body: bytes
    headers: dict[str, Any] = field(default_factory=lambda: {"Content-Type": "application/json"})
    ending: Ending = Ending.WHOLE
    after: Optional[threading.Event] = None  # what has to happen before any of it comes


#: What a script holds: a word of Incode's (an onboarding status, or the status of a score), or any answer at all.
Scripted = Union[str, Answer]


def document(content: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", **named})


def said(path: str, word: str) -> Answer:
    """A fine answer to one of the two questions."""
    return document({"onboardingStatus": word} if path == STATUS else {"overall": {"value": "0.0", "status": word}})


def held(answer: Answer, until: threading.Event) -> Answer:
    """An answer that keeps its client waiting."""
    return replace(answer, after=until)


def error(status: int, path: str = "", **headers: str) -> Answer:
    """An error in Incode's form."""
    phrase = HTTPStatus(status).phrase
    return document({
        "timestamp": int(time.time() * 1000), "status": status, "error": phrase, "message": "Synthetic: " + phrase,
        "path": path}, status, **headers)


def throttled(seconds: int) -> Answer:
    """Too many requests: come back in so many seconds."""
    return error(429, Retry_After=str(seconds))


def html(status: int = 200) -> Answer:
    """A page for people, as gateways and maintenance windows have them."""
    return Answer(status, b"<!DOCTYPE html><title>Be right back</title>", {"Content-Type": "text/html"})


def redirect(location: str) -> Answer:
    """Sends the client, with its keys, somewhere else."""
    return Answer(302, b"", {"Location": location})


def huge() -> Answer:
    """JSON of a size that no client should take in."""
    return document({"onboardingStatus": "A" * HUGE_BYTES, "overall": {"status": "OK"}})


def ending(how: Ending) -> Answer:
    """A fine answer to either question that does not arrive, or not entirely."""
    content = {"onboardingStatus": "ONBOARDING_FINISHED", "overall": {"status": "OK"}, "rest": "A" * 4096}
    return Answer(200, json.dumps(content).encode(), ending=how)


@dataclass(frozen=True)
class Findings:
    """What Incode says of a session that has no script."""

    status: str
    score: str


NOTHING_YET = Findings(status="UNKNOWN", score="UNKNOWN")
APPROVED = Findings(status="ONBOARDING_FINISHED", score="OK")


@dataclass(frozen=True)
class Request:
    """What it was asked."""

    at: float
    method: str
    path: str
    session_id: Optional[str]
    headers: dict[str, Any]  # names in lower case
    body: bytes


class IncodeApi:
    """Answers on a free port of this machine from the moment it is made until `close`."""

    def __init__(self) -> None:
        #: What it says of sessions without a script.
        self.unscripted = NOTHING_YET
        self.token_seconds: float = TOKEN_SECONDS
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._scripts: dict[tuple[str, str], collections.deque[Scripted]] = {}
        self._interjections: dict[str, collections.deque[Answer]] = collections.defaultdict(collections.deque)
        self._tokens: dict[str, float] = {}
        self._waiting = self._most_waiting = 0
        self.closed = threading.Event()
        self._server = _Server(self)
        self.base_url = f"http://{HOST}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def credentials(self) -> dict[str, Any]:
        """Synthetic ones, the only ones that it lets in."""
        return {
            "baseUrl": self.base_url,
            "apiKey": "local-incode-api-key-7d41e09b3c52",
            "email": "verdict@example.com",
            "password": "local-incode-api-password-0123456789",
        }

    def script(self, session_id: str, *, status: Optional[list[Scripted]] = None,
               score: Optional[list[Scripted]] = None) -> None:
        """What to answer about a session, one after the other; the last one stays."""
        with self._lock:
            for path, answers in ((STATUS, status), (SCORE, score)):
                if answers:
                    self._scripts[path, session_id] = collections.deque(answers)

    def interject(self, path: str, *answers: Answer) -> None:
        """What to answer on that path first, whoever asks about whatever; each once."""
        with self._lock:
            self._interjections[path].extend(answers)

    def relent(self, path: str) -> None:
        """Drops what was to be interjected and nobody asked for yet."""
        with self._lock:
            self._interjections[path].clear()

    def revoke_tokens(self) -> None:
        """Whoever is logged in has to do it again."""
        with self._lock:
            self._tokens.clear()

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in order."""
        with self._lock:
            return list(self._requests)

    def about(self, session_id: str) -> list[Request]:
        """The requests about one session, in order."""
        return [request for request in self.requests if request.session_id == session_id]

    @property
    def most_at_once(self) -> int:
        """The most requests that have waited for their answers at the same time."""
        with self._lock:
            return self._most_waiting

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While somebody waits for an answer."""
        with self._lock:
            self._waiting += 1
            self._most_waiting = max(self._most_waiting, self._waiting)
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1

    def answer(self, request: Request) -> Answer:
        """Records the request and says what to answer."""
        with self._lock:
            self._requests.append(request)
            if self._interjections[request.path]:
                return self._interjections[request.path].popleft()
            return self._refusal(request) or self._reply(request)

    def _refusal(self, request: Request) -> Optional[Answer]:
        if (request.method, request.path) not in (("POST", LOG_IN), ("GET", STATUS), ("GET", SCORE)):
            return error(404, request.path)
        if request.headers.get("api-version") != API_VERSION:
            return error(400, request.path)
        if not same(request.headers.get("x-api-key"), self.credentials["apiKey"]):
            return error(403, request.path)
        if request.path == LOG_IN:
            return None
        ends = self._tokens.get(request.headers.get("x-incode-hardware-id", ""), 0.0)
        if time.monotonic() >= ends:
            return error(401, request.path)
        return None if request.session_id else error(400, request.path)

    def _reply(self, request: Request) -> Answer:
        if request.path == LOG_IN:
            return self._log_in(request)
        script = self._scripts.get((request.path, request.session_id or ""))
        if not script:
            word: Scripted = self.unscripted.status if request.path == STATUS else self.unscripted.score
        else:
            word = script.popleft() if len(script) > 1 else script[0]
        return word if isinstance(word, Answer) else said(request.path, word)

    def _log_in(self, request: Request) -> Answer:
        try:
            given = json.loads(request.body)
            right = all(same(given[member], self.credentials[member]) for member in ("email", "password"))
        except (ValueError, TypeError, LookupError):
            return error(400, request.path)
        if not right:
            return error(401, request.path)
        token = secrets.token_urlsafe()
        self._tokens[token] = time.monotonic() + self.token_seconds
        return document({"token": token})

    def close(self) -> None:
        """Ends it. Whoever still waits for an answer gets none."""
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> IncodeApi:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def same(given: Optional[str], wanted: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), wanted.encode())


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: IncodeApi):
        self.api = api
        super().__init__((HOST, 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in mid-answer is no news."""


class _Handler(http.server.BaseHTTPRequestHandler):
    # Connections stay open, as Incode's do: a client must cope with what that brings.
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        target = urllib.parse.urlsplit(self.path)
        session_id = urllib.parse.parse_qs(target.query).get("id", [None])[0]
        length = int(self.headers.get("content-length") or 0)
        request = Request(
            at=time.time(), method=self.command, path=target.path, session_id=session_id,
            headers={name.lower(): value for name, value in self.headers.items()}, body=self.rfile.read(length))
        if self.server.api.closed.is_set():
            self.close_connection = True
            return
        with self.server.api.waiting():
            answer = self.server.api.answer(request)
            self.await_turn(answer)
        # No longer waiting before anything arrives: its next request would otherwise count beside this one.
        self.give(answer)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET

    def await_turn(self, answer: Answer) -> None:
        while answer.after and not self.server.api.closed.is_set() and not answer.after.wait(LOOK_SECONDS):
            pass

    def give(self, answer: Answer) -> None:
        self.close_connection = self.close_connection or answer.ending is not Ending.WHOLE
        if answer.ending is not Ending.SILENT:
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            whole = answer.ending is Ending.WHOLE
            self.wfile.write(answer.body if whole else answer.body[:len(answer.body) // 2])
        if answer.ending in (Ending.STALLED, Ending.SILENT):
            self.server.api.closed.wait(SILENCE_SECONDS)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: `requests` holds what there is to know."""
