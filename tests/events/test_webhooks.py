"""The sample webhooks and the tool that lists, signs and sends them. The only network is a server on 127.0.0.1."""
import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

EVENTS = Path(__file__).resolve().parents[2] / "events"
sys.path.insert(0, str(EVENTS))
import webhooks  # noqa: E402

# The local secret, written out: the expected signatures depend on nothing of the tool's.
SECRET = b"abcdef12-abcd-abcd-abcd-abcdef012345"
OTHER_SECRET = "another-secret-of-the-tests-0123456789"
SAMPLES = webhooks.catalogue()
STATUSES = {"new", "started", "submitted", "in_review", "awaiting_resubmission", "decided"}
DECISIONS = {"approved", "declined", "expired", "abandoned", "review", "resubmission_requested"}

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


@pytest.fixture(autouse=True)
def no_credentials_from_outside(monkeypatch):
    monkeypatch.delenv("VERIFF_CREDENTIALS", raising=False)


@pytest.fixture
def endpoint():
    """An API on 127.0.0.1 that answers as Verdict does, and keeps what it received in `requests`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            self.server.requests.append((self.path, self.headers, body))
            self.send_response(self.server.status)
            self.send_header("X-Verdict-Outcome", "recorded" if len(self.server.requests) == 1 else "duplicate")
            self.send_header("X-Verdict-Session", "veriff/sample")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.status = [], 200
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


def committed(sample):
    return json.loads(sample.file.read_text("utf-8"))


def body_bytes(event):
    return base64.b64decode(event["body"], validate=True) if event["isBase64Encoded"] else event["body"].encode("utf-8")


def hmac_hex(secret, body):
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def signature_of(event):
    return event["headers"].get("x-hmac-signature", event["headers"].get("vrf-hmac-signature"))


def local():
    return webhooks.credentials("veriff", webhooks.LOCAL_CREDENTIALS)


# The files


def test_every_file_is_in_the_catalogue_once_and_the_other_way_round():
    names = [sample.name for sample in SAMPLES]
    assert len(names) == len(set(names))
    assert set(names) == {f"veriff/{file.stem}" for file in (EVENTS / "veriff").iterdir()}


@each_sample
def test_the_file_is_an_event_of_the_http_api(sample):
    event = committed(sample)
    http = event["requestContext"]["http"]
    assert event["version"] == "2.0"
    assert event["rawPath"] in ("/veriff/events", "/veriff/decisions")
    assert event["routeKey"] == event["requestContext"]["routeKey"] == f"POST {event['rawPath']}"
    assert (http["method"], http["path"]) == ("POST", event["rawPath"])
    assert http["sourceIp"].startswith("192.0.2.")
    assert event["rawQueryString"] == ""
    assert event["requestContext"]["stage"] == "$default"
    assert isinstance(event["requestContext"]["timeEpoch"], int)
    assert all(name == name.lower() and isinstance(value, str) for name, value in event["headers"].items())
    assert {"content-type", "user-agent"} <= event["headers"].keys()
    body_bytes(event).decode("utf-8")


@each_sample
def test_the_signature_is_what_the_catalogue_says(sample):
    event = committed(sample)
    right, signature = hmac_hex(SECRET, body_bytes(event)), signature_of(event)
    if sample.signature == "forged":
        assert len(signature) == 64 and bytes.fromhex(signature) and signature.lower() != right
    else:
        assert signature == {"genuine": right, "upper-case": right.upper(), "missing": None}[sample.signature]


@each_sample
def test_the_expectation_is_one_that_verdict_can_meet(sample):
    expect = sample.expect
    refused = sample.signature in ("forged", "missing")
    assert (expect["status"], expect["outcome"] == "refused") == ((401, True) if refused else (200, False))
    if expect["outcome"] == "recorded":
        status, decision = expect["session"]["status"], expect["session"]["decision"]
        assert status in STATUSES and expect["notifications"] == ([decision] if decision else [])
        assert decision is None or decision in DECISIONS
    else:
        assert expect["outcome"] in ("ignored", "quarantined", "refused")
        assert expect["session"] is None and expect["notifications"] == []


@each_sample
def test_every_id_of_the_catalogue_is_in_the_body_as_a_string(sample):
    assert sample.ids.keys() <= {"session", "attempt", "reference"}
    for value in sample.ids.values():
        assert f'"{value}"'.encode() in body_bytes(committed(sample))


def test_samples_share_no_session_and_no_reference():
    for kind in ("session", "reference"):
        values = [sample.ids[kind] for sample in SAMPLES if kind in sample.ids]
        assert len(values) == len(set(values))


def test_the_samples_that_are_no_json_or_ambiguous_are_so():
    def members(name):
        def unique(pairs):
            assert len(pairs) == len(dict(pairs)), "duplicate members"
            return dict(pairs)

        return json.loads(body_bytes(committed(webhooks.find(f"veriff/{name}"))), object_pairs_hook=unique)

    with pytest.raises(AssertionError, match="duplicate members"):
        members("ambiguous-body")
    for name in ("unreadable-body", "empty-body"):
        with pytest.raises(json.JSONDecodeError):
            members(name)
    assert "id" not in members("decision-without-session-id")["verification"]
    assert not body_bytes(committed(webhooks.find("veriff/base64-body"))).isascii()


def test_signing_all_again_gives_the_committed_files_whatever_the_environment_says(tmp_path, monkeypatch, run):
    for file in ("catalogue.json", "local-credentials.json", *(f"{sample.name}.json" for sample in SAMPLES)):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes((EVENTS / file).read_bytes())
    spoiled = tmp_path / "veriff" / "decision-approved.json"
    spoiled.write_bytes(spoiled.read_bytes().replace(b'"x-hmac-signature": "', b'"x-hmac-signature": "0'))
    monkeypatch.setattr(webhooks, "EVENTS", tmp_path)
    monkeypatch.setenv("VERIFF_CREDENTIALS", json.dumps({"secrets": [OTHER_SECRET]}))

    code, output, _ = run("sign", "--all")

    assert (code, output) == (0, f"{len(SAMPLES)} samples signed\n")
    for sample in SAMPLES:
        assert (tmp_path / f"{sample.name}.json").read_bytes() == (EVENTS / f"{sample.name}.json").read_bytes()


def test_the_local_credentials_have_the_form_of_each_provider():
    local_credentials = json.loads((EVENTS / "local-credentials.json").read_text("utf-8"))
    assert list(local_credentials) == ["veriff", "incode", "treezor", "wultra"]
    assert local_credentials["veriff"] == {"secrets": [SECRET.decode()]}
    assert local_credentials["incode"].keys() == {"headers", "oauth"}
    assert local_credentials["treezor"].keys() == {"secrets", "urlTokens"}
    assert local_credentials["wultra"].keys() == {"basic"}


# Signing


def test_the_vector_that_veriff_publishes_is_signed_alike():
    body = (b'{"verification":{"callback":"https://veriff.com","person":{"firstName":"John","lastName":"Smith"},'
            b'"document":{"type":"PASSPORT","country":"EE"},"vendorData":"unique id of the end-user",'
            b'"timestamp":"2016-05-19T08:30:25.597Z"}}')
    published = "0dcab73ddd20062616d104231c7439657546a5c24e4691977da93bb854c31e25"
    event = webhooks.with_body(committed(webhooks.find("veriff/decision-approved")), body)

    assert webhooks.Veriff.signature(SECRET.decode(), body) == published
    assert signature_of(webhooks.signed(event, "veriff", {"secrets": [SECRET.decode()]})) == published


@each_sample
def test_fresh_ids_replace_the_sample_s_own_and_nothing_else(sample):
    fresh = {"session": str(uuid.uuid4()), "attempt": str(uuid.uuid4()), "reference": 'Ünique "reference" \\ 1'}
    fresh = {kind: value for kind, value in fresh.items() if kind in sample.ids}

    event = webhooks.make(sample, local(), **fresh)

    expected = body_bytes(committed(sample)).decode("utf-8")
    for kind, value in fresh.items():
        expected = expected.replace(f'"{sample.ids[kind]}"', json.dumps(value))
    assert body_bytes(event).decode("utf-8") == expected
    right = hmac_hex(SECRET, expected.encode("utf-8"))
    if sample.signature in ("genuine", "upper-case"):
        assert signature_of(event).lower() == right
    else:
        assert signature_of(event) != right
    unsigned = {name: value for name, value in event["headers"].items() if not name.endswith("-hmac-signature")}
    assert unsigned.items() <= committed(sample)["headers"].items()


@pytest.mark.parametrize("name, where", [
    ("event-started", ("id",)),
    ("decision-approved", ("verification", "id")),
    ("watchlist-no-match", ("sessionId",)),
    ("watchlist-without-session-id", ("attemptId",)),
    ("user-status", ("sessionId",)),
    ("user-status", ("data", "verification", "id")),
    ("user-status-without-session-id", ("data", "verification", "id")),
    ("full-auto-approved", ("sessionId",)),
    ("ine-registry", ("sessionId",)),
    ("ine-curp-registry", ("sessionId",)),
    ("curp-registry", ("id",)),
    ("unknown-family", ("sessionId",)),
    ("base64-body", ("verification", "id")),
])
def test_the_session_id_is_put_where_its_family_has_it(name, where):
    value = json.loads(body_bytes(webhooks.make(webhooks.find(f"veriff/{name}"), local(), session="fresh-session")))
    for member in where:
        value = value[member]
    assert value == "fresh-session"


def test_a_reference_that_looks_like_another_id_is_not_replaced_twice():
    sample = webhooks.find("veriff/decision-approved")
    body = body_bytes(webhooks.make(sample, local(), session="fresh", reference=sample.ids["session"]))
    assert json.loads(body)["verification"]["vendorData"] == sample.ids["session"]


def test_a_reader_that_has_enough_is_no_error():
    ours, readers = os.pipe()[::-1]
    os.close(readers)
    with os.fdopen(ours, "wb") as output:
        ended = subprocess.run([sys.executable, EVENTS / "webhooks.py", "list"], stdout=output, stderr=subprocess.PIPE)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_sign_prints_the_committed_event(run):
    code, output, errors = run("sign", "veriff/decision-approved")
    assert (code, errors) == (0, "")
    assert output == (EVENTS / "veriff/decision-approved.json").read_text("utf-8")


def test_sign_with_a_new_session_makes_another_each_time(run):
    sessions = {json.loads(json.loads(run("sign", "veriff/event-started", "--session", "new")[1])["body"])["id"] for _ in range(3)}
    assert len(sessions) == 3 and all(uuid.UUID(session) for session in sessions)


def test_a_new_session_for_a_sample_without_one_changes_nothing(run):
    assert run("sign", "veriff/empty-body", "--session", "new") == run("sign", "veriff/empty-body")


@pytest.mark.parametrize("form", [
    {"secrets": [OTHER_SECRET, "the-old-secret-0123456789"], "apiKeys": ["our-api-key"]},
    {"veriff": {"secrets": [OTHER_SECRET], "apiKeys": ["our-api-key"]}, "treezor": {"secrets": ["…"]}},
])
@pytest.mark.parametrize("name", ["decision-approved", "alias-headers"])
def test_credentials_come_from_a_file_or_the_environment(form, name, tmp_path, monkeypatch, run):
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps(form), "utf-8")
    from_file = run("sign", f"veriff/{name}", "--credentials", file)
    monkeypatch.setenv("VERIFF_CREDENTIALS", json.dumps(form))
    assert run("sign", f"veriff/{name}") == from_file

    event = json.loads(from_file[1])
    assert signature_of(event) == hmac_hex(OTHER_SECRET.encode(), body_bytes(event))
    prefix = "vrf" if name == "alias-headers" else "x"
    assert event["headers"][f"{prefix}-auth-client"] == "our-api-key"
    assert OTHER_SECRET not in from_file[1]


# Sending


@each_sample
def test_send_posts_the_body_as_signed_with_the_provider_s_headers(sample, endpoint):
    event = committed(sample)

    answer = webhooks.send(event, endpoint.url)

    [(path, headers, body)] = endpoint.requests
    assert path == f"/stage{event['rawPath']}"
    assert body == body_bytes(event)
    for name, value in event["headers"].items():
        if not name.startswith(("host", "x-forwarded-", "x-amzn-")):
            assert headers.get_all(name) == [value]
    assert headers["host"] == f"127.0.0.1:{endpoint.server_port}"
    assert not [name for name in headers if name.lower().startswith(("x-forwarded-", "x-amzn-"))]
    assert (answer.status, answer.outcome, answer.session, answer.body) == (200, "recorded", "veriff/sample", "{}")


@pytest.mark.parametrize("to, path", [
    ("", "/veriff/decisions"),
    ("/", "/veriff/decisions"),
    ("/a/$default", "/a/$default/veriff/decisions"),
    ("/a/veriff/decisions", "/a/veriff/decisions"),
    ("/a/veriff/decisions/", "/a/veriff/decisions"),
    ("/a/veriff/events", "/a/veriff/events"),
    ("/a?token=t", "/a/veriff/decisions?token=t"),
])
def test_the_sample_s_path_is_appended_to_a_base_url_but_not_to_a_webhook_url(to, path, endpoint, run):
    code, _, _ = run("send", "veriff/decision-approved", "--to", f"http://127.0.0.1:{endpoint.server_port}{to}")
    assert (code, endpoint.requests[0][0]) == (0, path)


def test_send_prints_what_was_answered(endpoint, run):
    assert run("send", "veriff/decision-approved", "--to", endpoint.url) == (0, "200 recorded veriff/sample {}\n", "")


def test_send_many_times_sends_one_webhook_and_counts_the_answers(endpoint, run):
    code, output, _ = run("send", "veriff/decision-approved", "--session", "new", "--to", endpoint.url, "--times", 5)
    assert code == 0
    assert output == "1 x 200 recorded veriff/sample {}\n4 x 200 duplicate veriff/sample {}\n"
    assert len({body for _, _, body in endpoint.requests}) == 1


def test_send_sends_as_many_at_once_as_it_is_told(endpoint, run):
    together = threading.Barrier(4, timeout=8)
    handler = endpoint.RequestHandlerClass
    answer = handler.do_POST
    handler.do_POST = lambda self: (together.wait(), answer(self))
    code, _, _ = run("send", "veriff/decision-approved", "--to", endpoint.url, "--times", 8, "--concurrency", 4)
    assert (code, len(endpoint.requests)) == (0, 8)


def test_a_status_other_than_the_expected_one_is_exit_code_1(endpoint, run):
    endpoint.status = 401
    code, output, errors = run("send", "veriff/decision-approved", "--to", endpoint.url)
    assert (code, output[:3], errors) == (1, "401", "webhooks: expected status 200\n")
    assert run("send", "veriff/forged-signature", "--to", endpoint.url)[0] == 0


# Errors: one line, exit code 2, what to do


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("arguments, says", [
    ([], "--help"),
    (["publish"], "--help"),
    (["sign"], "--all"),
    (["sign", "veriff/decision-aproved"], "did you mean veriff/decision-approved"),
    (["sign", "decision-approved"], "did you mean veriff/decision-approved"),
    (["sign", "../README"], "`list` names them all"),
    (["sign", "zzz"], "`list` names them all"),
    (["sign", "--all", "--session", "new"], "leave the other options out"),
    (["sign", "veriff/event-started", "--session", " "], "must not be blank"),
    (["sign", "veriff/empty-body", "--session", "S"], "leave --session out"),
    (["sign", "veriff/event-unknown", "--reference", "R"], "leave --reference out"),
    (["sign", "veriff/event-started", "--credentials", "/nowhere.json"], "/nowhere.json"),
    (["sign", "veriff/event-started", "--credentials", "/"], "directory"),
    (["send", "veriff/event-started"], "--to"),
    (["send", "veriff/event-started", "--to", "127.0.0.1:4566"], "https://"),
    (["send", "veriff/event-started", "--to", "ftp://127.0.0.1/"], "https://"),
    (["send", "veriff/event-started", "--to", "http://"], "https://"),
    (["send", "veriff/event-started", "--to", "http://["], "https://"),
    (["send", "veriff/event-started", "--to", "http://127.0.0.1:port"], "https://"),
    (["send", "veriff/event-started", "--to", "http://127.0.0.1:99999"], "https://"),
    (["send", "veriff/event-started", "--to", "http://127.0.0.1:9/a b"], "percent-encode"),
    (["send", "veriff/event-started", "--to", "http://127.0.0.1:9/ä"], "percent-encode"),
    (["send", "veriff/event-started", "--to", "http://127.0.0.1", "--times", "0"], "--times"),
    (["send", "veriff/event-started", "--to", "http://127.0.0.1", "--concurrency", "²"], "--concurrency"),
])
def test_a_wrong_command_line_is_one_line_that_says_what_to_do(arguments, says, run):
    assert_problem(run(*arguments), says)


@pytest.mark.parametrize("times", [1, 20])
def test_an_unreachable_url_is_one_line_without_its_token(times, run):
    url = f"http://127.0.0.1:{free_port()}/veriff/events?token=private"
    errors = assert_problem(run("send", "veriff/event-started", "--to", url, "--times", times), "make run")
    assert "private" not in errors


@pytest.mark.parametrize("answer, says", [(None, "did not answer within"), (b"SSH-2.0-no-http\r\n", "check the URL"), (b"", "check the URL")])
def test_a_silent_or_foreign_server_is_one_line(answer, says, monkeypatch, run):
    monkeypatch.setattr(webhooks, "TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                if answer is None:
                    connection.recv(65536)  # until the tool hangs up
                    connection.recv(65536)
                else:
                    connection.sendall(answer)
        threading.Thread(target=serve, daemon=True).start()
        assert_problem(run("send", "veriff/event-started", "--to", f"http://127.0.0.1:{server.getsockname()[1]}"), says)


@pytest.mark.parametrize("text", [
    b"", b"{", b"\xff\xfe", b"[]", b"null", b"{}", b'"PRIVATE"',
    b'{"secrets": "PRIVATE"}', b'{"secrets": []}', b'{"secrets": [" "]}', b'{"secrets": ["PRIVATE", 1]}',
    b'{"secrets": ["PRIVATE"], "apiKeys": "PRIVATE"}', b'{"secrets": ["PRIVATE"], "apiKeys": ["PRIVATE\\n"]}',
    b'{"secrets": ["PRIVATE"', b'{"veriff": {"secrets": null}}', b'{"treezor": {"secrets": ["PRIVATE"]}}',
])
def test_broken_credentials_are_one_line_that_names_the_file_and_no_secret(text, tmp_path, run):
    file = tmp_path / "broken.json"
    file.write_bytes(text)
    assert "PRIVATE" not in assert_problem(run("sign", "veriff/event-started", "--credentials", file), "broken.json")


def test_broken_credentials_in_the_environment_are_one_line_that_names_the_variable(monkeypatch, run):
    monkeypatch.setenv("VERIFF_CREDENTIALS", "abcdef")
    assert "abcdef" not in assert_problem(run("sign", "veriff/event-started"), "VERIFF_CREDENTIALS")


def assert_problem(result, says):
    code, output, errors = result
    assert (code, output) == (2, "")
    assert errors.startswith("webhooks: ") and errors.count("\n") == 1 and errors.endswith("\n")
    assert says in errors
    return errors


def test_the_tool_runs_as_a_command_from_anywhere(tmp_path):
    result = subprocess.run([sys.executable, EVENTS / "webhooks.py", "list"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert (result.returncode, result.stderr) == (0, "")
    assert [line.split()[0] for line in result.stdout.splitlines()] == [sample.name for sample in SAMPLES]
