"""The client of the sessions API: what it asks and signs, and what it tells of each answer. A small server on this machine
plays API Gateway; the end-to-end tests have it ask the stack's."""
from __future__ import annotations

import http.server
import json
import re
import threading
import urllib.parse
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError, TokenRetrievalError
from verdict import sessions_api
from verdict.aws import Aws, Keys
from verdict.intake import PROVIDERS
from verdict.problem import NO_CREDENTIALS, NotThere, Problem
from verdict.reads.sessions import OUTCOMES, STATUSES
from verdict.sessions_api import SessionsApi

from .conftest import ROOT

KEYS = Keys("AKIDEXAMPLE", "secret", "token")
NOT_FOUND = {"error": {"code": "session_not_found", "message": "no webhook has spoken of such a session"}}
#: Ids that a gateway, a shell or a log might take for something else.
HOSTILE = ["a/b", "a%2Fb", "a?b&c=d", "a+b c", "é\u202e\x1b[31m", "#", "..", "x" * 2000]


class Gateway:
    """Answers each request with the next of its answers, the last one again and again, and keeps what it was asked."""

    def __init__(self):
        self.answers: list[tuple[int, Any]] = [(200, {})]
        self.asked: list[tuple[str, dict[str, str]]] = []
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                gateway.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, body = gateway.answers[0] if len(gateway.answers) == 1 else gateway.answers.pop(0)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/base"

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Those of the only request."""
        [(target, _)] = self.asked
        return urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query, keep_blank_values=True)


@pytest.fixture
def gateway():
    gateway = Gateway()
    thread = threading.Thread(target=gateway.server.serve_forever, args=(0.01,))
    thread.start()
    yield gateway
    gateway.server.shutdown()
    thread.join()
    gateway.server.server_close()


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The pauses that it makes, without their time."""
    made: list[float] = []
    monkeypatch.setattr(sessions_api.time, "sleep", made.append)
    return made


@pytest.fixture
def api(gateway):
    return SessionsApi(gateway.url, lambda: Aws("eu-west-1", None, KEYS))


def path_of(gateway):
    return urllib.parse.urlsplit(gateway.asked[0][0]).path


# ---- What it asks ----

@pytest.mark.parametrize("question, path, parameters", [
    (lambda api: api.record("veriff/1"), "/base/sessions", [("session", "veriff/1")]),
    (lambda api: api.events("veriff/1"), "/base/sessions", [("session", "veriff/1"), ("part", "events")]),
    (lambda api: api.events("veriff/1", "c"), "/base/sessions",
     [("session", "veriff/1"), ("part", "events"), ("next", "c")]),
    (lambda api: api.notifications("veriff/1", "c"), "/base/sessions",
     [("session", "veriff/1"), ("part", "notifications"), ("next", "c")]),
    (lambda api: api.payload("veriff/1", "e"), "/base/sessions/payload", [("session", "veriff/1"), ("event", "e")]),
    (lambda api: api.by_reference("r", "c"), "/base/sessions", [("reference", "r"), ("next", "c")]),
    (lambda api: api.by_status("decided"), "/base/sessions", [("status", "decided")]),
    (lambda api: api.by_status("decided", provider="veriff", outcome="approved", since="2026-06-01T00:00:00Z",
                               until="2026-06-02T00:00:00Z", next="c"), "/base/sessions",
     [("status", "decided"), ("provider", "veriff"), ("outcome", "approved"), ("since", "2026-06-01T00:00:00Z"),
      ("until", "2026-06-02T00:00:00Z"), ("next", "c")]),
])
def test_each_question_is_one_request_of_its_route(gateway, api, question, path, parameters):
    gateway.answers = [(200, {"events": []})]
    answer = question(api)
    assert (answer.status, answer.body, answer.problem) == (200, {"events": []}, None)
    assert (path_of(gateway), gateway.parameters) == (path, parameters)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_value_holds_stays_in_the_value(gateway, api, text):
    api.payload(f"veriff/{text}", text)
    assert path_of(gateway) == "/base/sessions/payload"
    assert gateway.parameters == [("session", f"veriff/{text}"), ("event", text)]


def test_each_request_is_signed_for_the_api_with_the_callers_keys_as_they_are_then(gateway):
    keys = [Keys("FIRST", "secret", "token-1"), Keys("SECOND", "secret", None)]
    api = SessionsApi(gateway.url, lambda: Aws("eu-north-1", None, keys.pop(0)))
    api.record("veriff/1")
    api.record("veriff/1")
    first, second = (headers for _, headers in gateway.asked)
    assert re.match(r"AWS4-HMAC-SHA256 Credential=FIRST/\d{8}/eu-north-1/execute-api/aws4_request, "
                    r"SignedHeaders=host;x-amz-date;x-amz-security-token, ", first["authorization"])
    assert first["x-amz-security-token"] == "token-1"
    assert "Credential=SECOND/" in second["authorization"] and "x-amz-security-token" not in second


def test_the_command_line_has_the_words_of_the_contract():
    words = json.loads((ROOT / "docs/contract/session.schema.json").read_text("utf-8"))["$defs"]
    assert words["Status"]["enum"] == [*STATUSES]
    assert words["Outcome"]["enum"] == [*OUTCOMES]
    assert sorted(words["Provider"]["enum"]) == sorted(PROVIDERS)


@pytest.mark.parametrize("url, network", [
    ("https://1.execute-api.eu-west-1.amazonaws.com", {"proxies": {"https": "http://proxy:1"}, "verify": "/bundle.pem"}),
    ("http://127.0.0.1:4566", {"proxies": {}}),
])
def test_it_uses_the_proxy_and_the_certificates_of_every_aws_tool(monkeypatch, url, network):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/bundle.pem")
    assert sessions_api.of_network(url) == network


# ---- What it tells ----

@pytest.mark.parametrize("status, body, problem", [
    (400, {"error": {"code": "bad_request", "message": "`since` must be before `until`"}},
     "the sessions API says bad_request: `since` must be before `until`"),
    (403, {"message": "Forbidden"},
     "API Gateway turned the request away (403): the role lacks execute-api:Invoke on GET/sessions, which the policy in the "
     "stack's output OperatorPolicyArn has"),
    (403, {"message": "The security token included in the request is expired"},
     "API Gateway does not accept the credentials (403): sign in again (`aws sso login`), and see whether this machine's "
     "clock is right"),
    (404, {"message": "Not Found"},
     "API Gateway doesn't know this route (404): is the stack's API deployed? `make doctor` compares it"),
    (429, {"message": "Too Many Requests"}, "the sessions API doesn't answer (429): try again after a pause"),
    (503, {"message": "Service Unavailable"}, "the sessions API doesn't answer (503): try again after a pause"),
    (200, b"<html>sign in</html>", "what answered isn't the sessions API (200): see the stack's output ApiUrl"),
    (200, [1], "what answered isn't the sessions API (200): see the stack's output ApiUrl"),
    (418, b"", "what answered isn't the sessions API (418): see the stack's output ApiUrl"),
])
def test_what_is_no_answer_is_one_line_and_ends_a_command(gateway, api, status, body, problem):
    gateway.answers = [(status, body)]
    answer = api.record("veriff/1")
    assert (answer.status, answer.problem) == (status, problem)
    with pytest.raises(Problem, match=re.escape(problem)):
        answer.required()


def test_a_session_that_is_not_there_is_a_finding_whichever_list_was_asked_for(gateway, api):
    gateway.answers = [(404, NOT_FOUND)]
    with pytest.raises(NotThere, match=f"^{NOT_FOUND['error']['message']}$"):
        api.notifications("veriff/nope").found("notifications")


@pytest.mark.parametrize("code, is_missing", [
    ("session_not_found", True), ("event_not_found", True), ("payload_expired", True), ("bad_request", False),
    ("unavailable", False)])
def test_what_is_not_there_is_an_answer_and_not_a_fault(gateway, api, code, is_missing):
    gateway.answers = [(404, {"error": {"code": code, "message": "m"}})]
    assert api.record("veriff/1").is_missing is is_missing


def test_a_redirect_is_not_followed_with_a_signature_for_another_place(gateway, api):
    gateway.answers = [(307, {"error": {"code": "payload_elsewhere", "message": "m"}})]
    assert api.record("veriff/1").status == 307
    assert len(gateway.asked) == 1


def test_it_asks_again_while_the_api_is_busy_and_not_for_ever(gateway, api, pauses):
    busy = (429, {"message": "Too Many Requests"})
    gateway.answers = [busy, (503, {"error": {"code": "unavailable", "message": "m"}}), (200, {"events": []})]
    assert api.events("veriff/1").status == 200
    assert pauses == [*sessions_api.PAUSES]
    gateway.answers, gateway.asked = [busy], []
    assert api.events("veriff/1").status == 429
    assert len(gateway.asked) == len(sessions_api.PAUSES) + 1


# ---- What keeps it from asking ----

def without_credentials():
    raise NoCredentialsError()


def signed_out():
    raise TokenRetrievalError(provider="sso", error_msg="Token has expired\nand refresh failed")


@pytest.mark.parametrize("url, caller, problem", [
    ("http://127.0.0.1:9", None, "no connection"),
    ("https://127.0.0.1:9", None, "no connection"),
    ("http://127.0.0.1:9", without_credentials, NO_CREDENTIALS),
    ("http://127.0.0.1:9", signed_out, "Token has expired and refresh failed"),
])
def test_without_a_connection_or_credentials_there_is_one_line_that_names_nobody(url, caller, problem):
    api = SessionsApi(url, caller or (lambda: Aws("eu-west-1", None, KEYS)))
    for ask in (lambda: api.by_reference("SAMPLE"), lambda: api.payload("veriff/SAMPLE", "SAMPLE")):
        with pytest.raises(Problem) as raised:
            ask()
        text = str(raised.value)
        assert problem in text and "\n" not in text and "SAMPLE" not in text


def test_a_connection_that_breaks_is_one_line(gateway):
    gateway.server.RequestHandlerClass.do_GET = lambda handler: handler.connection.close()
    with pytest.raises(Problem, match="the connection broke") as raised:
        SessionsApi(gateway.url, lambda: Aws("eu-west-1", None, KEYS)).by_reference("SAMPLE")
    assert "SAMPLE" not in str(raised.value)


def test_an_answer_that_does_not_come_in_time_is_one_line(monkeypatch, gateway):
    monkeypatch.setattr(sessions_api, "TIMEOUTS", (0.2, 0.2))
    release = threading.Event()
    gateway.server.RequestHandlerClass.do_GET = lambda handler: release.wait(5)
    try:
        with pytest.raises(Problem, match="no answer in time") as raised:
            SessionsApi(gateway.url, lambda: Aws("eu-west-1", None, KEYS)).by_reference("SAMPLE")
        assert "SAMPLE" not in str(raised.value)
    finally:
        release.set()
