"""The console's server lets in its own page with this process's token, and no one else; nothing that it answers tells a
stranger anything. AWS is played by a few lines of Python; the end-to-end tests ask a stack's console."""
from __future__ import annotations

import http.client
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, Mapping, Optional

import attacks
import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError, EndpointConnectionError, NoCredentialsError
from verdict.console import app, command, guard, queues, routes, sessions
from verdict.console.app import ROUTES, Console
from verdict.console.page import FILES, FOLDER, HEADERS
from verdict.console.routes import Answer, Kept, Question, Route, Shared
from verdict.console.serve import HOST, READ_LIMIT, THREADS, listening, serving
from verdict.places import ROOT
from verdict.problem import Problem
from verdict.stack import Stack
from werkzeug.exceptions import RequestEntityTooLarge

TOKEN = "canary-JkR2p0fG8s1uV7wXyZ3aB5cD"
#: What no answer and no line of the process may have.
CANARY = "canary-Specimen"
OUTPUTS = {
    "ApiUrl": "https://api.example", "VeriffDecisionsUrl": "https://api.example/veriff/decisions", "Version": "v1",
    **{f"{name}QueueUrl": f"https://sqs.example/1/verdict-{name}" for name in ("Decisions", "Intake", "Quarantine")},
    "DecisionsDeadLetterQueueUrl": "https://sqs.example/1/verdict-Dead"}


class Aws:
    """All of AWS that looking at queues calls, and nothing else: another call is an error."""

    region, is_local, endpoint = "eu-west-1", False, None

    def __init__(self) -> None:
        self.calls: list[str] = []

    def client(self, service: str) -> Aws:
        return self

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> Mapping[str, Any]:
        self.calls.append("GetQueueAttributes")
        waiting = "3" if QueueUrl.endswith("Intake") else "0"
        return {"Attributes": {name: waiting if name == "ApproximateNumberOfMessages" else "0" for name in AttributeNames}}

    def get_metric_data(self, MetricDataQueries: list[Mapping[str, Any]], **_: Any) -> Mapping[str, Any]:
        self.calls.append("GetMetricData")
        return {"MetricDataResults": [{"Id": query["Id"], "Values": [61.0, 1.0]} for query in MetricDataQueries]}


class Client:
    """A client of the console that sends what it is told to, and what a page of the console sends unless it isn't."""

    def __init__(self, port: int):
        self.port = port

    def ask(self, path: str, method: str = "GET", body: Optional[bytes] = None, **headers: Optional[str]) -> Reply:
        own = {"Host": f"{HOST}:{self.port}", "x-verdict-token": TOKEN, "Content-Type": "application/json" if body else None}
        sent = {**own, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def post(self, path: str, content: Any, **headers: Optional[str]) -> Reply:
        return self.ask(path, "POST", json.dumps(content).encode(), **headers)


class Reply:
    def __init__(self, status: int, headers: http.client.HTTPMessage, body: bytes):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_closed_door(self) -> bool:
        """Whether it is a refusal that tells nothing."""
        return self.status == 403 and not self.body and self.headers.get("Content-Type", "").startswith("text/plain")


@pytest.fixture(scope="module")
def aws():
    return Aws()


@pytest.fixture(scope="module")
def client(aws):
    """A client of a console that is served on a free port."""
    opened = listening()
    port = opened.getsockname()[1]
    with serving(Console(Stack(aws, "verdict", "arn", OUTPUTS, {}), TOKEN, port), opened):
        yield Client(port)


EVERY = [(path, method) for path, methods in ROUTES.items() for method in methods]


# ---- The token ----

@attacks.on_the_console("console: no token, or another one")
@pytest.mark.parametrize(("path", "method"), EVERY)
def test_every_route_needs_the_token_in_its_header(client, path, method):
    body = b"{}" if method == "POST" else None
    for headers in ({}, {"x_verdict_token": ""}, {"x_verdict_token": TOKEN[:-1]}, {"x_verdict_token": TOKEN + "x"},
                    {"x_verdict_token": TOKEN.upper()}, {"x_verdict_token": "é"},
                    {"Authorization": f"Bearer {TOKEN}"}, {"Cookie": f"token={TOKEN}"}, {"Referer": f"/#token={TOKEN}"}):
        assert client.ask(path, method, body, **{"x_verdict_token": None, **headers}).is_closed_door
    for query in (f"?token={TOKEN}", f"?x-verdict-token={TOKEN}"):
        assert client.ask(path + query, method, body, x_verdict_token=None).is_closed_door


def test_a_path_that_there_is_not_needs_the_token_like_one_that_there_is(client):
    assert client.ask("/api/none", x_verdict_token=None).is_closed_door
    assert client.ask("/api/none").status == 404


def test_the_token_is_compared_in_a_time_that_says_nothing_of_it(monkeypatch):
    compared = []
    monkeypatch.setattr(guard.hmac, "compare_digest", lambda *both: compared.append(both))
    guard.is_token("a guess", TOKEN)
    assert compared == [(b"a guess", TOKEN.encode())]


def test_each_process_has_a_token_of_256_bits_that_the_address_has_in_its_fragment():
    one, other = command.new_token(), command.new_token()
    assert one != other and len(one) * 6 >= 256 and command.TOKEN_BYTES == 32
    assert command.address(8080, one) == f"http://127.0.0.1:8080/#token={one}"


# ---- Who asks ----

@attacks.on_the_console("console: a name that leads to 127.0.0.1")
@pytest.mark.parametrize("path", ["/", "/console.js", "/api/stack", "/api/queues", "/nothing"])
def test_another_host_name_is_answered_nothing(client, path):
    port = client.port
    for host in ("evil.example", f"evil.example:{port}", HOST, f"{HOST}:{port + 1}", f"localhost.evil.example:{port}",
                 f"{HOST}:{port}.evil.example", f"[::1]:{port}", f"0.0.0.0:{port}", f"user@{HOST}:{port}", "", None):
        assert client.ask(path, Host=host).is_closed_door, host
    assert not client.ask(path, Host=f"localhost:{port}").is_closed_door


@attacks.on_the_console("console: another page in the browser")
@pytest.mark.parametrize("path", ["/", "/console.css", "/api/stack"])
def test_another_origin_is_answered_nothing(client, path):
    own = f"http://{HOST}:{client.port}"
    for origin in ("http://evil.example", "null", "", f"https://{HOST}:{client.port}", f"http://{HOST}:{client.port + 1}",
                   f"http://localhost:{client.port}", f"{own}.evil.example", f"{own}/"):
        assert client.ask(path, Origin=origin).is_closed_door, origin
    assert client.ask(path, Origin=own).status == 200


@attacks.on_the_console("console: another page in the browser")
def test_what_a_browser_sends_for_another_site_is_answered_nothing(client):
    for path in ("/", "/console.js", "/api/stack"):
        for site in ("cross-site", "same-site", "something-new"):
            assert client.ask(path, Sec_Fetch_Site=site).is_closed_door
        assert client.ask(path, Sec_Fetch_Site="same-origin").status == 200
    assert client.ask("/", Sec_Fetch_Site="none").status == 200
    assert client.ask("/api/stack", Sec_Fetch_Site="none").is_closed_door


@pytest.mark.parametrize("header", ["Host: evil.example", "X-Verdict-Token: another", "Origin: http://evil.example"])
def test_a_header_that_is_there_twice_opens_nothing(client, header):
    own = f"Host: {HOST}:{client.port}\r\nX-Verdict-Token: {TOKEN}\r\nOrigin: http://{HOST}:{client.port}"
    for headers in (f"{header}\r\n{own}", f"{own}\r\n{header}"):
        with socket.create_connection((HOST, client.port), timeout=5) as connection:
            connection.sendall(f"GET /api/stack HTTP/1.1\r\n{headers}\r\n\r\n".encode())
            assert re.match(rb"HTTP/1.1 4\d\d ", connection.recv(65536))


def test_it_listens_on_this_machine_alone():
    with listening() as opened:
        assert opened.getsockname()[0] == "127.0.0.1"
        with pytest.raises(Problem, match="can't be used"):
            listening(opened.getsockname()[1])


# ---- What is asked ----

@pytest.mark.parametrize("path", [*ROUTES, *FILES])
def test_another_method_is_answered_nothing(client, path):
    taken = ROUTES.get(path) or ("GET", "HEAD")
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - set(taken):
        reply = client.ask(path, method, b"{}" if method in ("POST", "PUT", "PATCH") else None)
        assert (reply.status, reply.body) == (405, b""), method


def test_only_what_changes_nothing_is_asked_for_by_get():
    assert {path for path, methods in ROUTES.items() if "GET" in methods} <= {
        "/api/stack", "/api/live", "/api/queues", "/api/sessions", "/api/session", "/api/operations", "/api/laboratory"}


POSTED = [path for path, methods in ROUTES.items() if "POST" in methods]


@pytest.mark.parametrize("path", POSTED)
def test_a_post_brings_one_json_object_of_64_kb_at_most(client, path):
    for kind in (None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"):
        assert client.ask(path, "POST", b"{}", Content_Type=kind).status == 415
    for body in (b"", b"[]", b"1", b"null", b"{", b"\xff", b"[" * 60_000, b'{"a":1}{}'):
        assert client.ask(path, "POST", body, Content_Type="application/json").status == 400
    assert client.ask(path, "POST", b'"' + b"a" * (guard.BODY_LIMIT - 1) + b'"').status == 413
    # It isn't even read then.
    assert client.ask(path, "POST", Content_Type="application/json", Content_Length=str(READ_LIMIT + 1)).status == 413


def test_a_parameter_that_is_there_twice_is_refused(client):
    reply = client.ask("/api/sessions?status=decided&status=new")
    assert (reply.status, reply.json["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize("query", [
    "", "?next=x", "?reference=x&status=new", "?status=new&other=1", "?reference=x&provider=veriff"])
def test_a_question_about_sessions_that_would_be_answered_too_widely_is_refused(client, query):
    assert client.ask(f"/api/sessions{query}").status == 400


@pytest.mark.parametrize("query", [
    "", "?part=events", "?session=veriff/x&part=all", "?session=veriff/x&part=payload", "?session=veriff/x&event=y",
    "?session=veriff/x&reference=y", "?session=veriff/x&part=events&event=y", "?session=veriff/x&next=y"])
def test_a_question_about_a_session_that_is_not_one_is_refused(client, query):
    assert client.ask(f"/api/session{query}").status == 400


@pytest.mark.parametrize("request_", [
    b"GET", b"GET / HTTP/9", b"\x00\x01", b"GET http://[ HTTP/1.1", b"GET / HTTP/1.1\r\n" + CANARY.encode(),
    b"GET / HTTP/1.1\r\nTransfer-Encoding: " + CANARY.encode(), b"GET / HTTP/1.1\r\nA: " + b"a" * 40_000])
def test_what_is_no_request_is_answered_nothing(client, request_):
    with socket.create_connection((HOST, client.port), timeout=5) as connection:
        connection.sendall(request_ + b"\r\n\r\n")
        answer = connection.recv(65536)
    # Of the one, waitress can't make a request at all, and hangs up.
    if answer or b"[" not in request_:
        assert re.match(rb"HTTP/1\.[01] [45]\d\d ", answer) and answer.endswith(b"\r\n\r\n")
        assert HEADERS["Content-Security-Policy"].encode() in answer and CANARY.encode() not in answer
    assert client.ask("/").status == 200


# ---- What is answered ----

def test_every_answer_has_the_headers_that_keep_the_page_to_itself(client):
    replies = [client.ask(path) for path in (*FILES, "/api/stack", "/api/queues", "/api/none", "/nothing")]
    replies += [client.ask("/", Host="evil.example"), client.ask("/", "OPTIONS"), client.ask("/", "HEAD"),
                client.ask("/api/stack", x_verdict_token=None), client.ask("/api/sessions"),
                client.ask("/api/laboratory/play", "POST", b"{" * 70_000),
                client.ask("/api/laboratory/play", "POST", Content_Length=str(READ_LIMIT + 1))]
    assert {reply.status for reply in replies} == {200, 400, 403, 404, 405, 413}
    for reply in replies:
        assert {name: reply.headers[name] for name in HEADERS} == HEADERS
        assert not [name for name in reply.headers if name.lower().startswith("access-control-")]
        assert "Server" not in reply.headers and "Via" not in reply.headers and "Set-Cookie" not in reply.headers


def test_the_page_may_load_and_ask_nothing_but_its_own_server():
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert set(policy.values()) == {"'none'", "'self'", "'script'"}


def test_the_page_is_its_three_files_byte_for_byte(client):
    for path, (name, kind) in FILES.items():
        for token in (TOKEN, None):
            reply = client.ask(path, x_verdict_token=token)
            assert (reply.status, reply.headers["Content-Type"]) == (200, kind)
            assert reply.body == (FOLDER / name).read_bytes()
        assert client.ask(path, "HEAD").body == b""
    assert client.ask("/?q=%3Cscript%3E").body == (FOLDER / "index.html").read_bytes()


@pytest.mark.parametrize("path", [
    "/index.html", "/page/index.html", "/../app.py", "/%2e%2e/app.py", "/..%2fapp.py", "/console.js/", "/console.js%00",
    "/./console.js", "/console.css/../../app.py", "//app.py", "/app.py", "/.git/config", "/favicon.png", "/api", "*"])
def test_no_other_file_is_answered(client, path):
    reply = client.ask(path)
    assert reply.status in (400, 404) and not reply.body.strip().startswith(b'"""')


def test_the_icon_that_browsers_ask_for_by_themselves_is_none_and_no_error(client):
    reply = client.ask("/favicon.ico", x_verdict_token=None, Sec_Fetch_Site="same-origin")
    assert (reply.status, reply.body) == (204, b"")
    assert {name: reply.headers[name] for name in HEADERS} == HEADERS
    assert client.ask("/favicon.ico", Host="evil.example").is_closed_door


def test_the_page_names_nothing_outside_of_it():
    for name, _ in FILES.values():
        text = (FOLDER / name).read_text("utf-8")
        # The name of a namespace is no address.
        assert re.findall(r"https?://[^\s'\"]+|(?<![:\w])//[a-z]+\.[a-z]\S+", text) in ([], ["http://www.w3.org/2000/svg"])
    page = (FOLDER / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|<base|<iframe|<object", page)


def test_json_is_nothing_that_a_browser_takes_for_a_page(client):
    assert client.ask("/api/stack").headers["Content-Type"] == "application/json"
    assert HEADERS["X-Content-Type-Options"] == "nosniff"


# ---- Errors ----

@pytest.fixture
def failing(monkeypatch):
    """Has a route fail or answer as a test wants it to."""
    def fail(outcome: Any) -> None:
        def handler(*_: Any) -> Any:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        route = Route("GET", "/api/stack", handler)
        monkeypatch.setattr(app, "ROUTES", {**ROUTES, route.path: {"GET": route}})

    return fail


@pytest.mark.parametrize(("error", "status", "code"), [
    (ValueError(CANARY), 500, "failed"),
    (RecursionError(CANARY), 500, "failed"),
    (KeyError(CANARY), 500, "failed"),
    (ClientError({"Error": {"Code": "AccessDenied", "Message": CANARY}}, "FilterLogEvents"), 502, "aws_refused"),
    (ClientError({"Error": {"Code": "ExpiredToken", "Message": CANARY}}, "FilterLogEvents"), 502, "no_credentials"),
    (EndpointConnectionError(endpoint_url=CANARY), 502, "aws_unreachable"),
    (NoCredentialsError(), 502, "no_credentials"),
    (CredentialRetrievalError(provider="sso", error_msg=CANARY), 502, "no_credentials"),
    (RequestEntityTooLarge(CANARY), 400, "bad_request"),
    (Problem("the stack is gone"), 409, "problem"),
])
def test_an_error_is_one_plain_line_and_nothing_of_it_is_printed(client, failing, capfd, error, status, code):
    failing(error)
    reply = client.ask(f"/api/stack?reference={CANARY}")
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    assert set(reply.json) == {"error"} and set(reply.json["error"]) == {"code", "message"}
    assert "\n" not in reply.json["error"]["message"] and CANARY not in reply.body.decode()
    assert {name: reply.headers[name] for name in HEADERS} == HEADERS
    assert capfd.readouterr() == ("", "")


def test_an_answer_that_cannot_be_written_is_an_error_like_any_other(client, failing, capfd):
    failing(Answer({"value": object()}))
    assert client.ask("/api/stack").json["error"]["code"] == "failed"
    failing({"name": "\ud800 \u2028 </script>"})
    assert client.ask("/api/stack").json == {"name": "\ud800 \u2028 </script>"}
    assert capfd.readouterr() == ("", "")


def test_a_day_of_requests_prints_nothing(client, capfd, caplog):
    with socket.create_connection((HOST, client.port), timeout=5) as connection:
        connection.sendall(f"GET http://[{CANARY} HTTP/1.1\r\n\r\n".encode())
        connection.recv(65536)
    for path in ("/", "/api/stack", "/api/queues", f"/api/sessions?reference={CANARY}&x=1", "/%ff", "/api/%ff"):
        client.ask(path)
        client.ask(path, x_verdict_token=None)
    # What is logged would be printed outside of pytest.
    assert capfd.readouterr() == ("", "") and not caplog.records


# ---- What it does ----

def test_the_stack_is_described(client):
    assert client.ask("/api/stack").json == {
        "name": "verdict", "region": "eu-west-1", "apiUrl": "https://api.example", "isLocal": False, "port": None,
        "version": "v1", "providers": ["veriff"], "laboratory": False}


@pytest.mark.parametrize(("endpoint", "port"), [
    ("http://127.0.0.1:4566", 4566), ("http://127.0.0.1:4566/", 4566), ("http://localhost", None)])
def test_the_port_of_a_local_stack_is_that_of_its_endpoint(endpoint, port):
    aws = SimpleNamespace(region="eu-west-1", is_local=True, endpoint=endpoint)
    local: Any = SimpleNamespace(name="verdict", api_url="http://api", aws=aws, outputs=OUTPUTS)
    assert sessions.stack(Shared(local), Question({}))["port"] == port


def test_queues_are_looked_at_by_their_attributes_and_metrics_alone(client, aws, monkeypatch):
    monkeypatch.setattr(queues, "COUNTS_SECONDS", -1.0)
    aws.calls.clear()
    found = client.ask("/api/queues").json["queues"]
    assert [queue["name"] for queue in found] == ["decisions", "decisions-dead-letter", "intake", "quarantine"]
    assert found[2] == {"name": "intake", "visible": 3, "inFlight": 0, "delayed": 0, "oldestSeconds": 61}
    assert found[0] == {"name": "decisions", "visible": 0, "inFlight": 0, "delayed": 0, "oldestSeconds": None}
    assert set(aws.calls) <= {"GetQueueAttributes", "GetMetricData"} and aws.calls.count("GetQueueAttributes") == 4


def test_tabs_that_ask_at_once_share_one_look(client, aws):
    aws.calls.clear()
    assert client.ask("/api/queues").json == client.ask("/api/queues").json
    assert aws.calls.count("GetQueueAttributes") <= 4


def test_what_is_made_once_is_made_once_if_several_ask_at_once(monkeypatch):
    """Also if a thread is stopped while it makes the lock that the others wait for."""
    class Slow(Kept):
        def __init__(self) -> None:
            time.sleep(0.05)
            super().__init__()

    monkeypatch.setattr(routes, "Kept", Slow)
    stack: Any = None
    shared, made = Shared(stack), iter(range(10))
    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(lambda _: shared.once("a lock", 60, lambda: next(made)), range(5))) == {0}


@pytest.mark.parametrize(("path", "method"), [each for each in EVERY if each[0].startswith("/api/laboratory")])
def test_a_deployed_stack_has_no_laboratory(client, path, method):
    assert client.ask(path, method, b"{}" if method == "POST" else None).status == 404


def test_slow_clients_do_not_keep_others_waiting(client):
    half, whole = b"POST /api/laboratory/play HTTP/1.1\r\nContent-Le", b"GET /console.js HTTP/1.1\r\nHost: x\r\n\r\n" * 50
    slow = [socket.create_connection((HOST, client.port)) for _ in range(2 * THREADS)]
    try:
        for number, connection in enumerate(slow):
            # The ones never finish what they ask; the others never read what they are answered.
            connection.sendall(half if number % 2 else whole)
        begun = time.monotonic()
        assert client.ask("/api/stack").status == 200
        assert time.monotonic() - begun < 2
    finally:
        for connection in slow:
            connection.close()


# ---- The document ----

def test_the_page_about_the_console_names_each_request():
    text = (ROOT / "docs/console.md").read_text("utf-8")
    assert [f"{method} {path}" for path, method in EVERY if f"`{method} {path}`" not in text] == []
