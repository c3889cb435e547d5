"""The tool that lists, signs and sends the samples. The only network is a server on 127.0.0.1."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid
from typing import Any

import pytest
import webhooks
from conftest import CLIENT, FETCHED_TOKEN
from verifying import LOCAL, body_bytes, kind_of, veriff_signature

EVENTS = webhooks.EVENTS
OTHER_SECRET = "another-secret-of-the-tests-0123456789"
SAMPLES = webhooks.catalogue()

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def committed(sample):
    return json.loads(sample.file.read_text("utf-8"))


def without_signature(body):
    """The body's text, without the one thing in it that Treezor's proof changes."""
    return re.sub(r'("object_payload_signature"\s*:\s*)"(?:[^"\\]|\\.)*"', r"\1…", body.decode("utf-8"))


# Signing


def test_signing_all_again_gives_the_committed_files_whatever_the_environment_says(tmp_path, monkeypatch, run):
    for file in ("catalogue.json", "local-credentials.json", *(f"{sample.name}.json" for sample in SAMPLES)):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes((EVENTS / file).read_bytes())
    spoiled = {
        "veriff/decision-approved": (b'"x-hmac-signature": "', b'"x-hmac-signature": "0'),
        "incode/manual-review-approved": (b'"authorization": "Bearer ', b'"authorization": "Bearer 0'),
        "treezor/user-kycreview-validated": (b'"rawQueryString": "token=', b'"rawQueryString": "token=0'),
        "treezor/qes-aborted": (b'_signature\\":\\"', b'_signature\\":\\"0'),
        "wultra/process-finished": (b'"authorization": "Basic ', b'"authorization": "Basic 0'),
    }
    for name, (proof, other) in spoiled.items():
        file = tmp_path / f"{name}.json"
        assert file.read_bytes().count(proof) == 1
        file.write_bytes(file.read_bytes().replace(proof, other))
    monkeypatch.setattr(webhooks, "EVENTS", tmp_path)
    for provider in LOCAL:
        monkeypatch.setenv(f"{provider.upper()}_CREDENTIALS", json.dumps({"secrets": [OTHER_SECRET]}))

    code, output, _ = run("sign", "--all")

    assert (code, output) == (0, f"{len(SAMPLES)} samples signed\n")
    for sample in SAMPLES:
        assert (tmp_path / f"{sample.name}.json").read_bytes() == (EVENTS / f"{sample.name}.json").read_bytes()


def test_the_vector_that_veriff_publishes_is_signed_alike():
    body = (b'{"verification":{"callback":"https://veriff.com","person":{"firstName":"John","lastName":"Smith"},'
            b'"document":{"type":"PASSPORT","country":"EE"},"vendorData":"unique id of the end-user",'
            b'"timestamp":"2016-05-19T08:30:25.597Z"}}')
    published = "0dcab73ddd20062616d104231c7439657546a5c24e4691977da93bb854c31e25"
    event = webhooks.with_body(committed(webhooks.find("veriff/decision-approved")), body)

    [secret] = LOCAL["veriff"]["secrets"]
    assert webhooks.Veriff.signature(secret, body) == published
    assert veriff_signature(webhooks.prove(event, "veriff", LOCAL["veriff"])) == published


@each_sample
def test_fresh_ids_replace_the_sample_s_own_and_nothing_else(sample):
    fresh = {"session": sample.fresh_session(), "attempt": str(uuid.uuid4()), "reference": 'Ünique "reference" \\ 1'}
    fresh = {kind: value for kind, value in fresh.items() if kind in sample.ids}

    event = webhooks.make(sample, LOCAL[sample.provider], **fresh)

    expected = body_bytes(committed(sample)).decode("utf-8")
    for kind, value in fresh.items():
        expected = expected.replace(f'"{sample.ids[kind]}"', json.dumps(value))
        expected = re.sub(rf'(?<=: ){sample.ids[kind]}(?=,)', value.replace("\\", "\\\\"), expected)
        assert sample.ids[kind] not in expected
    assert without_signature(body_bytes(event)) == without_signature(expected.encode("utf-8"))
    assert kind_of(sample.provider, event, LOCAL[sample.provider]) == sample.proof
    for member, value in committed(sample).items():
        assert event[member] == value or member in ("headers", "body")
    assert event["headers"].keys() == committed(sample)["headers"].keys()


@each_sample
def test_a_fresh_session_has_the_form_of_the_old_one_and_never_comes_twice(sample):
    if "session" not in sample.ids:
        assert sample.fresh_session() is None
        return
    old, fresh = sample.ids["session"], {sample.fresh_session() for _ in range(20)}
    assert len(fresh) == 20
    for session in fresh:
        if old.isdecimal():
            assert session.isdecimal() and session[0] != "0" and int(session) < 2**53
        elif re.fullmatch("[0-9a-f]{24}", old):
            assert re.fullmatch("[0-9a-f]{24}", session)
        else:
            assert uuid.UUID(session)


@pytest.mark.parametrize("name, where", [
    ("veriff/event-started", ("id",)),
    ("veriff/decision-approved", ("verification", "id")),
    ("veriff/watchlist-no-match", ("sessionId",)),
    ("veriff/watchlist-without-session-id", ("attemptId",)),
    ("veriff/user-status", ("sessionId",)),
    ("veriff/user-status", ("data", "verification", "id")),
    ("veriff/full-auto-approved", ("sessionId",)),
    ("veriff/ine-registry", ("sessionId",)),
    ("veriff/ine-curp-registry", ("sessionId",)),
    ("veriff/curp-registry", ("id",)),
    ("veriff/unknown-family", ("sessionId",)),
    ("veriff/base64-body", ("verification", "id")),
    ("incode/manual-review-approved", ("interviewId",)),
    ("incode/session-started", ("sessionId",)),
    ("incode/ine-scraping-finished", ("InterviewId",)),
    ("incode/proof-of-payment", ("requestId",)),
    ("incode/authentication-pass", ("interviewId",)),
    ("incode/authentication-without-interview", ("customerId",)),
    ("treezor/user-kycreview-validated", ("webhook", "object_payload", "users", 0, "userId")),
    ("treezor/user-kycreview-validated", ("webhook", "object_id")),
    ("treezor/user-kycreview-flat", ("object_payload", "users", 0, "userId")),
    ("treezor/user-kycreview-other-object-id", ("webhook", "object_payload", "users", 0, "userId")),
    ("treezor/document-create", ("object_payload", "documents", 0, "userId")),
    ("treezor/document-update-two-documents", ("object_payload", "documents", 1, "userId")),
    ("treezor/kycreview-request", ("object_id",)),
    ("treezor/kycliveness-update-processed", ("object_id",)),
    ("treezor/qes-aborted", ("object_payload", "transactionNumber")),
    ("treezor/qes-aborted", ("object_id",)),
    ("treezor/base64-body", ("object_payload", "transactionNumber")),
    ("wultra/process-finished", ("processId",)),
])
def test_the_session_id_is_put_where_its_family_has_it(name, where):
    sample = webhooks.find(name)
    session = "7" if name == "treezor/kycreview-request" else "fresh-session"
    value = json.loads(body_bytes(webhooks.make(sample, LOCAL[sample.provider], session=session)))
    for member in where:
        value = value[member]
    assert value == session


def test_a_number_stays_a_number_and_nothing_but_digits_takes_its_place(run):
    body = json.loads(json.loads(run("sign", "treezor/kycreview-request", "--session", "700")[1])["body"])
    assert (body["object_payload"]["userId"], body["object_id"]) == (700, "700")
    for session in ("A7", "007", "-7", "7.0", "²"):
        assert_problem(run("sign", "treezor/kycreview-request", "--session", session), "give --session in digits")


def test_a_reference_that_looks_like_another_id_is_not_replaced_twice():
    sample = webhooks.find("veriff/decision-approved")
    body = body_bytes(webhooks.make(sample, LOCAL["veriff"], session="fresh", reference=sample.ids["session"]))
    assert json.loads(body)["verification"]["vendorData"] == sample.ids["session"]


def test_members_get_new_values_of_any_type_and_all_else_stays():
    sample = webhooks.find("treezor/document-update-two-documents")
    event = webhooks.make(sample, LOCAL["treezor"], {"documentStatus": "a/b\"ö", "codeStatus": None, "webhook_id": 17})
    expected = json.loads(without_signature(body_bytes(committed(sample))).replace("…", '""'))
    expected["webhook_id"] = 17
    for document in expected["object_payload"]["documents"]:
        document.update(documentStatus='a/b"ö', codeStatus=None)
    assert json.loads(without_signature(body_bytes(event)).replace("…", '""')) == expected
    assert kind_of("treezor", event, LOCAL["treezor"]) == "genuine"
    with pytest.raises(webhooks.Problem, match="has no member nobody"):
        webhooks.make(sample, LOCAL["treezor"], {"nobody": 1})


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
    signed = [run("sign", "veriff/event-started", "--session", "new")[1] for _ in range(3)]
    sessions = {json.loads(json.loads(event)["body"])["id"] for event in signed}
    assert len(sessions) == 3 and all(uuid.UUID(session) for session in sessions)


@pytest.mark.parametrize("provider", webhooks.PROVIDERS)
def test_a_new_session_for_a_sample_without_one_changes_nothing(provider, run):
    assert run("sign", f"{provider}/empty-body", "--session", "new") == run("sign", f"{provider}/empty-body")


# Further credentials, of forms that the local ones don't have.
OTHERS: dict[str, Any] = {
    "veriff": [
        {"secrets": [OTHER_SECRET, "the-old-secret-0123456789"], "apiKeys": ["our-api-key"]},
    ],
    "incode": [
        {"headers": {"X-Our-Header": [OTHER_SECRET, "old"], "x-other": [OTHER_SECRET]}},
        {"oauth": {"clients": [{"id": "us", "secret": OTHER_SECRET}], "signingKeys": [OTHER_SECRET + "-key", "old"]},
         "api": {"baseUrl": "https://api.example.com", "apiKey": "k", "email": "e", "password": "p"}},
    ],
    "treezor": [
        {"secrets": [OTHER_SECRET, "old"]},
        {"secrets": [OTHER_SECRET], "urlTokens": ["our token/+&=ü"]},
    ],
    "wultra": [
        {"basic": [{"username": "us", "password": OTHER_SECRET + ":ü"}, {"username": "old", "password": "old"}]},
        {"basic": [{"username": "us", "password": OTHER_SECRET}], "headers": {"X-Our-Header": [OTHER_SECRET]}},
    ],
}


@pytest.mark.parametrize("of_all", [False, True])
@pytest.mark.parametrize("sample, keys", [
    pytest.param(webhooks.find(f"{provider}/{name}"), keys, id=f"{provider}-{name}-{number}")
    for provider, names in {
        "veriff": ["decision-approved", "alias-headers"], "incode": ["manual-review-approved"],
        "treezor": ["qes-finalized-success", "kycreview-result-validated"], "wultra": ["process-finished"]}.items()
    for name in names for number, keys in enumerate(OTHERS[provider])])
def test_credentials_come_from_a_file_or_the_environment(sample, keys, of_all, tmp_path, monkeypatch, run):
    form = {sample.provider: keys, "other": {"secrets": ["…"]}} if of_all else keys
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps(form), "utf-8")
    from_file = run("sign", sample.name, "--credentials", file)
    monkeypatch.setenv(f"{sample.provider.upper()}_CREDENTIALS", json.dumps(form))
    assert run("sign", sample.name) == from_file

    event = json.loads(from_file[1])
    lowered = json.loads(json.dumps(keys).replace("X-Our-Header", "x-our-header"))
    if "basic" in keys or sample.provider != "wultra":
        assert kind_of(sample.provider, event, lowered) == sample.proof
    for name, values in lowered.get("headers", {}).items():
        assert event["headers"][name] == values[0]
    assert not [value for value in event["headers"].values() if "local-" in value]
    if sample.provider == "veriff":
        prefix = "vrf" if sample.name.endswith("alias-headers") else "x"
        assert event["headers"][f"{prefix}-auth-client"] == "our-api-key"
    if sample.provider in ("veriff", "treezor"):
        assert OTHER_SECRET not in from_file[1]


# Sending


@each_sample
def test_send_posts_the_body_as_signed_with_the_provider_s_headers(sample, endpoint):
    event = committed(sample)

    answer = webhooks.send(event, endpoint.url)

    [(path, headers, body)] = endpoint.requests
    query = event["rawQueryString"]
    assert path == f"/stage{event['rawPath']}" + (f"?{query}" if query else "")
    assert body == body_bytes(event)
    for name, value in event["headers"].items():
        if not name.startswith(("host", "x-forwarded-", "x-amzn-")):
            assert headers.get_all(name) == [value]
    assert headers["host"] == f"127.0.0.1:{endpoint.server_port}"
    assert not [name for name in headers if name.lower().startswith(("x-forwarded-", "x-amzn-"))]
    assert (answer.status, answer.outcome, answer.session, answer.body) == (200, "recorded", "veriff/sample", "{}")
    assert endpoint.asked == []


@pytest.mark.parametrize("name, to, path", [
    ("veriff/decision-approved", "", "/veriff/decisions"),
    ("veriff/decision-approved", "/", "/veriff/decisions"),
    ("veriff/decision-approved", "/a/$default", "/a/$default/veriff/decisions"),
    ("veriff/decision-approved", "/a/veriff/decisions", "/a/veriff/decisions"),
    ("veriff/decision-approved", "/a/veriff/decisions/", "/a/veriff/decisions"),
    ("veriff/decision-approved", "/a/veriff/events", "/a/veriff/events"),
    ("veriff/decision-approved", "/a?token=t", "/a/veriff/decisions?token=t"),
    ("incode/watchlist", "/a", "/a/incode/watchlist"),
    ("incode/watchlist", "/a/incode", "/a/incode/watchlist"),
    ("incode/watchlist", "/a/incode/", "/a/incode/watchlist"),
    ("incode/watchlist", "/incode/video-selfie", "/incode/video-selfie"),
    ("treezor/payin-create", "/a", "/a/treezor?token=local-treezor-url-token-0123456789abcdef"),
    ("treezor/payin-create", "/a/treezor", "/a/treezor?token=local-treezor-url-token-0123456789abcdef"),
    ("treezor/payin-create", "/a/treezor?token=t", "/a/treezor?token=t"),
    ("treezor/payin-create", "/a/treezor?token=", "/a/treezor?token="),
    ("treezor/payin-create", "/a?x=y", "/a/treezor?x=y&token=local-treezor-url-token-0123456789abcdef"),
    ("treezor/missing-token", "/a", "/a/treezor"),
    ("wultra/process-finished", "/a", "/a/wultra/process/event"),
    ("wultra/process-finished", "/a/wultra", "/a/wultra/process/event"),
    ("wultra/process-finished", "/secret/wultra/process/event/", "/secret/wultra/process/event"),
])
def test_the_sample_s_path_is_appended_to_a_base_url_but_not_to_a_webhook_url(name, to, path, endpoint, run):
    run("send", name, "--to", f"http://127.0.0.1:{endpoint.server_port}{to}")
    assert [path for path, _, _ in endpoint.requests] == [path]


def test_a_token_with_signs_of_its_own_in_a_url_arrives_as_it_is(endpoint):
    keys = {"secrets": [OTHER_SECRET], "urlTokens": ["our token/+&=ü%20"]}
    webhooks.send(webhooks.make(webhooks.find("treezor/payin-create"), keys), endpoint.url)
    [(path, _, _)] = endpoint.requests
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(path).query) == {"token": keys["urlTokens"]}


@pytest.mark.parametrize("to", ["", "/incode", "/incode/onboarding-status"])
def test_send_asks_for_incode_s_bearer_token_as_incode_does(to, endpoint, run):
    code, output, _ = run("send", "incode/manual-review-approved", "--to", endpoint.url + to, "--times", 3)
    assert (code, output.splitlines()[0]) == (0, "1 x 200 recorded veriff/sample {}")
    [(path, headers, body)] = endpoint.asked
    assert (path, body) == ("/stage/incode/oauth/token", b"grant_type=client_credentials")
    assert headers["authorization"] == CLIENT
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert len(endpoint.requests) == 3
    for path, headers, _ in endpoint.requests:
        assert path == "/stage/incode/onboarding-status"
        assert headers["authorization"] == f"Bearer {FETCHED_TOKEN}"
        assert headers["x-incode-secret"] == "local-incode-header-secret-0123456789"


@pytest.mark.parametrize("name, asked, bearer", [
    ("missing-header", 1, FETCHED_TOKEN), ("wrong-header", 1, FETCHED_TOKEN),
    ("missing-proof", 0, None), ("missing-bearer", 0, None), ("wrong-bearer", 0, "own"), ("expired-bearer", 0, "own"),
])
def test_a_bearer_token_that_shall_be_missing_or_wrong_is_not_asked_for(name, asked, bearer, endpoint, run):
    endpoint.status = 401
    assert run("send", f"incode/{name}", "--to", endpoint.url)[0] == 0
    [(_, headers, _)] = endpoint.requests
    own = committed(webhooks.find(f"incode/{name}"))["headers"].get("authorization")
    assert headers["authorization"] == (own if bearer == "own" else bearer and f"Bearer {bearer}")
    assert len(endpoint.asked) == asked


def test_without_oauth_no_token_is_asked_for(endpoint, tmp_path, run):
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps({"headers": {"x-ours": [OTHER_SECRET]}}), "utf-8")
    assert run("send", "incode/watchlist", "--to", endpoint.url, "--credentials", file)[0] == 0
    [(_, headers, _)] = endpoint.requests
    assert (headers["x-ours"], headers["authorization"], endpoint.asked) == (OTHER_SECRET, None, [])


@pytest.mark.parametrize("answer", [
    (401, b'{"error":"invalid_client"}'), (200, b"<html>"), (200, b"[]"), (200, b'{"access_token":null}'), (200, b"{}"),
    (200, b'{"access_token":""}'), (200, b'{"access_token":"a b\\r\\nx: y"}'), (401, b'{"access_token":"PRIVATE"}'),
])
def test_a_token_endpoint_that_gives_no_token_is_one_line(answer, endpoint, run):
    endpoint.token_answer = answer
    errors = assert_problem(run("send", "incode/watchlist", "--to", endpoint.url), f"(status {answer[0]})")
    assert "PRIVATE" not in errors and endpoint.requests == []


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
    assert run("send", "treezor/forged-signature", "--to", endpoint.url)[0] == 1


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
    (["sign", "treezor/payin-create", "--session", "7"], "leave --session out"),
    (["sign", "wultra/process-finished", "--attempt", "A"], "leave --attempt out"),
    (["send", "--to", "http://127.0.0.1"], "--scenario"),
    (["send", "veriff/event-started", "--scenario", "veriff/resubmission", "--to", "http://127.0.0.1"], "--scenario"),
    (["send", "--scenario", "veriff/resubmision", "--to", "http://127.0.0.1"], "did you mean veriff/resubmission"),
    (["send", "--scenario", "veriff/event-started", "--to", "http://127.0.0.1"], "no scenario 'veriff/event-started'"),
    (["send", "--scenario", "veriff/resubmission", "--to", "http://127.0.0.1", "--times", "2"], "leave --times"),
    (["send", "--scenario", "veriff/resubmission", "--to", "http://127.0.0.1", "--concurrency", "2"], "leave --times"),
    (["send", "--scenario", "wultra/onboarding", "--to", "http://127.0.0.1", "--attempt", "A"], "leave --attempt out"),
    (["send", "--scenario", "incode/onboarding", "--to", "http://127.0.0.1:9/a b"], "percent-encode"),
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


@pytest.mark.parametrize("answer, says", [
    (None, "did not answer within"), (b"SSH-2.0-no-http\r\n", "check the URL"), (b"", "check the URL"),
])
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


BROKEN = {
    "veriff": [
        b"", b"{", b"\xff\xfe", b"[]", b"null", b"{}", b'"PRIVATE"',
        b'{"secrets": "PRIVATE"}', b'{"secrets": []}', b'{"secrets": [" "]}', b'{"secrets": ["PRIVATE", 1]}',
        b'{"secrets": ["PRIVATE"], "apiKeys": "PRIVATE"}', b'{"secrets": ["PRIVATE"], "apiKeys": ["PRIVATE\\n"]}',
        '{"secrets": ["PRIVATE"], "apiKeys": ["PRIVATEü"]}'.encode(),
        b'{"secrets": ["PRIVATE"', b'{"veriff": {"secrets": null}}', b'{"treezor": {"secrets": ["PRIVATE"]}}',
    ],
    "incode": [
        b"{}", b'{"api": {"apiKey": "PRIVATE"}}', b'{"headers": null}', b'{"headers": {}}', b'{"headers": ["PRIVATE"]}',
        b'{"headers": {"x-a": "PRIVATE"}}', b'{"headers": {"x-a": []}}', b'{"headers": {"x a": ["PRIVATE"]}}',
        b'{"headers": {"": ["PRIVATE"]}}', '{"headers": {"x-a": ["PRIVATEü"]}}'.encode(),
        b'{"oauth": null}', b'{"oauth": []}', b'{"oauth": {"clients": [{"id": "PRIVATE", "secret": "PRIVATE"}]}}',
        b'{"oauth": {"clients": [], "signingKeys": ["PRIVATE"]}}',
        b'{"oauth": {"clients": ["PRIVATE"], "signingKeys": ["PRIVATE"]}}',
        b'{"oauth": {"clients": [{"id": "PRIVATE"}], "signingKeys": ["PRIVATE"]}}',
        b'{"headers": {"x-a": ["PRIVATE"]}, "oauth": {}}',
    ],
    "treezor": [
        b"{}", b'{"secrets": []}', b'{"urlTokens": ["PRIVATE"]}', b'{"secrets": ["PRIVATE"], "urlTokens": []}',
        b'{"secrets": ["PRIVATE"], "urlTokens": null}', b'{"secrets": ["PRIVATE"], "urlTokens": "PRIVATE"}',
    ],
    "wultra": [
        b"{}", b'{"basic": null}', b'{"basic": []}', b'{"basic": ["PRIVATE"]}', b'{"basic": [{"username": "PRIVATE"}]}',
        b'{"basic": [{"username": "PRIVATE", "password": " "}]}',
        b'{"basic": {"username": "PRIVATE", "password": "PRIVATE"}}',
        b'{"headers": {}}', b'{"basic": [{"username": "PRIVATE", "password": "PRIVATE"}], "headers": {"x-a": [""]}}',
    ],
}


@pytest.mark.parametrize("provider, text", [(provider, text) for provider, texts in BROKEN.items() for text in texts])
def test_broken_credentials_are_one_line_that_names_the_file_and_no_secret(provider, text, tmp_path, run):
    file = tmp_path / "broken.json"
    file.write_bytes(text)
    name = next(sample.name for sample in SAMPLES if sample.provider == provider)
    assert "PRIVATE" not in assert_problem(run("sign", name, "--credentials", file), "broken.json")


@pytest.mark.parametrize("provider", LOCAL)
def test_broken_credentials_in_the_environment_are_one_line_that_names_the_variable(provider, monkeypatch, run):
    variable = f"{provider.upper()}_CREDENTIALS"
    monkeypatch.setenv(variable, "abcdef")
    assert "abcdef" not in assert_problem(run("sign", f"{provider}/base64-body"), variable)


def assert_problem(result, says):
    code, output, errors = result
    assert (code, output) == (2, "")
    assert errors.startswith("webhooks: ") and errors.count("\n") == 1 and errors.endswith("\n")
    assert says in errors
    return errors


def test_a_session_is_shown_as_it_is_called_and_no_terminal_acts_on_it(monkeypatch, run):
    headers = {"x-verdict-outcome": "recorded", "x-verdict-session": "treezor/user%3A7%20%1B%5B2J%25"}
    answer = webhooks.Answer(200, headers, "{}")
    monkeypatch.setattr(webhooks, "send", lambda *_: answer)
    assert run("send", "veriff/decision-approved", "--to", "http://127.0.0.1:1")[1] == (
        "200 recorded treezor/user:7 \\x1b[2J% {}\n")


def test_an_interrupted_one_sends_no_more_and_says_how_many_were_sent(monkeypatch, run):
    sent = []

    def send(*_):
        sent.append(1)
        if len(sent) == 4:
            # Under way when the operator ends it: it is sent, and counted.
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        # Until the main thread has noticed, a few more may be sent.
        time.sleep(0.05 if len(sent) >= 4 else 0)
        return webhooks.Answer(200, {}, "")

    monkeypatch.setattr(webhooks, "send", send)
    code, output, error = run("send", "veriff/decision-approved", "--to", "http://127.0.0.1:1", "--times", "5000")
    assert (code, output) == (130, "")
    assert error.strip() == f"webhooks: interrupted: {len(sent)} of 5000 webhooks were sent"
    assert 4 <= len(sent) < 5000


def test_the_tool_runs_as_a_command_from_anywhere(tmp_path):
    command = [sys.executable, str(EVENTS / "webhooks.py"), "list"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert (result.returncode, result.stderr) == (0, "")
    samples, scenarios = result.stdout.split("\n\nScenarios, for `send --scenario`:\n")
    assert [line.split()[0] for line in samples.splitlines()] == [sample.name for sample in SAMPLES]
    assert [line.split()[0] for line in scenarios.splitlines()] == [scenario.name for scenario in webhooks.scenarios()]
