"""The stand-in for Incode's API: a test against it means something only if it is as strict as the original."""
from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from . import incode_api
from .incode_api import (
    APPROVED, LOG_IN, SCORE, STATUS, Ending, IncodeApi, ending, error, held, html, huge, redirect, said, throttled)

PATIENCE_SECONDS = 0.3


@pytest.fixture
def api():
    with IncodeApi() as running:
        yield running


class Client:
    """Asks as the poller should; what a test changes about that, it says."""

    def __init__(self, api: IncodeApi):
        self.address = urllib.parse.urlsplit(api.base_url)
        self.keys = api.credentials
        self.headers = {"api-version": "1.0", "x-api-key": self.keys["apiKey"]}

    def send(self, method, path, body=None, *, patience=PATIENCE_SECONDS, **changed):
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in changed.items()}}
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=patience)
        try:
            sent = {name: value for name, value in headers.items() if value is not None}
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()

    def log_in(self, **changed):
        """Logs in; all that this client asks later carries the token."""
        given = {"email": self.keys["email"], "password": self.keys["password"], **changed}
        status, body, _ = self.send("POST", LOG_IN, json.dumps(given))
        if status == 200:
            self.headers["X-Incode-Hardware-Id"] = json.loads(body)["token"]
        return status

    def status(self, session_id, **changed):
        status, body, _ = self.send("GET", f"{STATUS}?id={urllib.parse.quote(session_id, safe='')}", **changed)
        return json.loads(body)["onboardingStatus"] if status == 200 else status

    def score(self, session_id, **changed):
        status, body, _ = self.send("GET", f"{SCORE}?id={urllib.parse.quote(session_id, safe='')}", **changed)
        return json.loads(body)["overall"]["status"] if status == 200 else status


@pytest.fixture
def client(api):
    client = Client(api)
    assert client.log_in() == 200
    return client


def test_it_listens_on_this_machine_only_and_its_secrets_are_long_enough_for_a_function_to_start(api):
    assert api.base_url.startswith("http://127.0.0.1:")
    assert all(len(api.credentials[member]) >= 16 for member in ("apiKey", "email", "password"))


def test_who_logs_in_may_ask(client):
    assert (client.status("s1"), client.score("s1")) == ("UNKNOWN", "UNKNOWN")


def test_a_wrong_login_is_refused(api):
    client = Client(api)
    assert client.log_in(password="another-password-0123456789") == 401
    assert client.log_in(email="nobody@example.com") == 401
    assert client.send("POST", LOG_IN, b"no JSON")[0] == 400
    assert client.send("POST", LOG_IN, b"{}")[0] == 400
    assert client.send("POST", LOG_IN, b"{}", x_api_key="another-api-key-0123456789")[0] == 403


@pytest.mark.parametrize("question", [Client.status, Client.score])
def test_a_question_without_the_right_headers_is_refused(client, question):
    assert question(client, "s1", x_api_key="another-api-key-0123456789") == 403
    assert question(client, "s1", x_api_key=None) == 403
    assert question(client, "s1", X_Incode_Hardware_Id="another-token") == 401
    assert question(client, "s1", X_Incode_Hardware_Id=None) == 401
    assert question(client, "s1", api_version=None) == 400
    assert question(client, "s1", api_version="2.0") == 400
    assert question(client, "") == 400


def test_other_paths_and_methods_are_unknown(client):
    assert client.send("GET", "/omni/get/images")[0] == 404
    assert client.send("POST", STATUS)[0] == 404
    assert client.send("GET", LOG_IN)[0] == 404


def test_an_error_has_incodes_form(client):
    status, body, _ = client.send("GET", STATUS, X_Incode_Hardware_Id=None)
    found = json.loads(body)
    assert set(found) == {"timestamp", "status", "error", "message", "path"}
    assert (status, found["status"], found["path"]) == (401, 401, STATUS)


def test_a_token_that_expired_or_was_revoked_lets_nobody_in_until_the_next_log_in(api, client):
    api.revoke_tokens()
    assert client.status("s1") == 401
    api.token_seconds = 0
    assert client.log_in() == 200
    assert client.status("s1") == 401
    api.token_seconds = 60
    assert client.log_in() == 200
    assert client.status("s1") == "UNKNOWN"


def test_sessions_without_a_script_turn_out_as_told(api, client):
    api.unscripted = APPROVED
    assert (client.status("s1"), client.score("s1")) == ("ONBOARDING_FINISHED", "OK")


def test_a_script_is_answered_in_order_its_last_answer_stays_and_other_sessions_have_their_own(api, client):
    api.script("s1", status=["ID_VALIDATION_FINISHED", error(500), "ONBOARDING_FINISHED"], score=["UNKNOWN", "MANUAL_OK"])
    api.script("a/b c%?&=ä", score=["FAIL"])
    assert [client.status("s1") for _ in range(4)] == [
        "ID_VALIDATION_FINISHED", 500, "ONBOARDING_FINISHED", "ONBOARDING_FINISHED"]
    assert [client.score("s1") for _ in range(3)] == ["UNKNOWN", "MANUAL_OK", "MANUAL_OK"]
    assert (client.score("a/b c%?&=ä"), client.score("s2")) == ("FAIL", "UNKNOWN")


def test_an_interjection_comes_before_everything_else_and_once(api):
    api.interject(LOG_IN, error(503), throttled(7))
    client = Client(api)
    assert [client.log_in() for _ in range(3)] == [503, 429, 200]
    api.script("s1", status=["EXPIRED"])
    api.interject(STATUS, error(401))
    assert [client.score("s1"), client.status("s1"), client.status("s1")] == ["UNKNOWN", 401, "EXPIRED"]


def test_answers_that_are_no_answers(api, client):
    def ask():
        return client.send("GET", f"{STATUS}?id=s1")

    api.interject(STATUS, throttled(7), html(), html(502), redirect("http://127.0.0.1:9/elsewhere"), huge())
    status, _, headers = ask()
    assert (status, headers["retry-after"], headers["content-type"]) == (429, "7", "application/json")
    assert [(status, headers["content-type"]) for status, _, headers in (ask(), ask())] == [
        (200, "text/html"), (502, "text/html")]
    status, _, headers = ask()
    assert (status, headers["location"]) == (302, "http://127.0.0.1:9/elsewhere")
    assert len(ask()[1]) > incode_api.HUGE_BYTES


@pytest.mark.parametrize("how, seen", [
    (Ending.CUT, http.client.IncompleteRead),
    (Ending.STALLED, TimeoutError),
    (Ending.SILENT, TimeoutError),
])
def test_an_answer_that_does_not_arrive(api, client, how, seen):
    api.interject(STATUS, ending(how))
    with pytest.raises(seen):
        client.send("GET", f"{STATUS}?id=s1")
    assert client.status("s1") == "UNKNOWN"


def test_an_answer_that_is_held_comes_when_it_may_and_the_others_do_not_wait(api, client):
    may = threading.Event()
    api.script("s1", status=[held(said(STATUS, "EXPIRED"), may)], score=[held(said(SCORE, "OK"), may)])
    with pytest.raises(TimeoutError):
        client.status("s1")
    assert client.status("s2") == "UNKNOWN"
    may.set()
    assert (client.status("s1"), client.score("s1")) == ("EXPIRED", "OK")


def test_it_tells_how_many_were_kept_waiting_at_once(api, client):
    may = threading.Event()
    client.status("s1")
    client.status("s2")
    assert api.most_at_once == 1
    api.script("s1", status=[held(said(STATUS, "EXPIRED"), may)])
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(client.send, "GET", f"{STATUS}?id=s1", patience=10) for _ in range(3)]
        while len(api.about("s1")) < 4:
            time.sleep(0.01)
        may.set()
        assert [asked.result()[0] for asked in waiting] == [200] * 3
    assert api.most_at_once == 3


def test_one_connection_serves_many_requests(api, client):
    connection = http.client.HTTPConnection(client.address.hostname, client.address.port, timeout=PATIENCE_SECONDS)
    for _ in range(3):
        connection.request("GET", f"{SCORE}?id=s1", headers=client.headers)
        assert json.loads(connection.getresponse().read()) == {"overall": {"value": "0.0", "status": "UNKNOWN"}}
    connection.close()


def test_it_remembers_what_it_was_asked(api):
    before = time.time()
    client = Client(api)
    client.status("s1")
    client.log_in()
    client.score("s2")
    assert [(request.method, request.path, request.session_id) for request in api.requests] == [
        ("GET", STATUS, "s1"), ("POST", LOG_IN, None), ("GET", SCORE, "s2")]
    [asked] = api.about("s2")
    assert asked.headers["x-incode-hardware-id"] == client.headers["X-Incode-Hardware-Id"]
    assert before <= asked.at <= time.time()
    assert json.loads(api.requests[1].body) == {
        "email": api.credentials["email"], "password": api.credentials["password"]}


def test_it_ends_at_once_and_lets_go_of_whoever_waits():
    api = IncodeApi()
    client = Client(api)
    client.log_in()
    api.interject(STATUS, ending(Ending.SILENT))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.send, "GET", f"{STATUS}?id=s1", patience=10)
        while not api.about("s1"):
            time.sleep(0.01)
        begun = time.monotonic()
        api.close()
        with pytest.raises(http.client.RemoteDisconnected):
            waiting.result()
    assert time.monotonic() - begun < 2
    with pytest.raises(ConnectionRefusedError):
        client.status("s1")
