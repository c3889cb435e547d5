"""The server's application: who is let in, who answers, and what an error looks like."""
from __future__ import annotations

import json
from typing import Any, Iterable, Mapping, Optional

from werkzeug import Request, Response

from ..stack import Stack
from . import laboratory as laboratories
from . import live, operations, queues, sessions, writes
from .errors import told
from .guard import API, BODY_LIMIT, JSON, is_let_in
from .laboratory import Laboratory
from .page import FILES, HEADERS, page
from .routes import Answer, Question, Refusal, Route, Shared

#: Browsers ask for it by themselves, and would tell of an error if it were one that there is none.
ICON = "/favicon.ico"
#: All tables of routes.
TABLES = (sessions.ROUTES, live.ROUTES, queues.ROUTES, operations.ROUTES, laboratories.ROUTES)
ROUTES: Mapping[str, Mapping[str, Route]] = {
    path: {route.method: route for table in TABLES for route in table if route.path == path}
    for path in dict.fromkeys(route.path for table in TABLES for route in table)}


class Console:
    """The console of a stack, as a WSGI application for one port, with one token."""

    def __init__(self, stack: Stack, token: str, port: int, laboratory: Optional[Laboratory] = None):
        self.port = port
        self._token = token
        self._shared = Shared(stack, laboratory)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        response = self._respond(Request(environ))
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response(environ, start_response)

    def finish(self) -> None:
        """Waits for the write that is under way, so that nothing is done that isn't on record."""
        writes.finish(self._shared)

    def _respond(self, request: Request) -> Response:
        try:
            if not is_let_in(request, self.port, self._token):
                return Response(status=403)
            if request.path in FILES:
                return page(request.path) if request.method in ("GET", "HEAD") else not_allowed("GET", "HEAD")
            if not request.path.startswith(API):
                return Response(status=204 if request.path == ICON else 404)
            return self._answer(request)
        except Exception as error:
            refusal = told(error)
            return as_json({"error": {"code": refusal.code, "message": refusal.message}}, refusal.status)

    def _answer(self, request: Request) -> Response:
        methods = ROUTES.get(request.path)
        if methods is None:
            raise Refusal(404, "not_found", "the console has nothing there")
        if request.method not in methods:
            return not_allowed(*methods)
        answer = methods[request.method].handler(self._shared, question_of(request))
        return as_json(answer.body, answer.status) if isinstance(answer, Answer) else as_json(answer, 200)


def question_of(request: Request) -> Question:
    """What a request asks. Each parameter may be there once."""
    query = dict(request.args.lists())
    if any(len(values) > 1 for values in query.values()):
        raise Refusal(400, "bad_request", "a parameter is there twice")
    body = body_of(request) if request.method == "POST" else {}
    return Question({name: value for name, [value] in query.items()}, body)


def body_of(request: Request) -> Mapping[str, Any]:
    """The JSON object that a request brings."""
    if request.mimetype != JSON:
        raise Refusal(415, "not_json", f"send {JSON}")
    if (request.content_length or 0) > BODY_LIMIT:
        raise Refusal(413, "too_large", f"send at most {BODY_LIMIT} bytes")
    try:
        read = json.loads(request.get_data())
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise Refusal(400, "bad_request", "send one JSON object")
    return read


def not_allowed(*methods: str) -> Response:
    return Response(status=405, headers={"Allow": ", ".join(methods)})


def as_json(body: Any, status: int) -> Response:
    return Response(json.dumps(body), status, content_type=JSON)
