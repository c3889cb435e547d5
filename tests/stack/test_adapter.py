"""Enrollment Server's calls that are for the adapter: through the API to a stand-in for it.

The emulator treats the path that arrives and the headers of an answer in its own way. For these, the tests of the template's
text hold that API Gateway is told to change nothing.
"""
from __future__ import annotations

import base64

import pytest

from .adapter import ANSWER, TYPE, Adapter
from .test_template_text import ADAPTER
from .trial import Deployed, credentials

#: What the template is given; the stand-in behind it speaks no TLS.
URL = "https://adapter.example.com/onboarding/v1"
LOGIN = "Basic " + base64.b64encode(b"wultra:local-wultra-password-0123456789").decode()
#: As Enrollment Server writes it, with what a JSON reader in between would change.
BODY = '{"processId": "p",  "userId":"u", "mobileToken": 1.50, "otpCode":"é\\u00e9"}\r\n'.encode()


@pytest.fixture(scope="module")
def adapter():
    with Adapter() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def stack(endpoint, adapter):
    with Deployed(endpoint, **credentials("Wultra"), WultraAdapterUrl=URL) as deployed:
        deployed.bridge(**{URL: f"{adapter.url}/base"})
        yield deployed


def sent(stack, adapter, path: str, **headers: str):
    """What comes of a request: the answer, and the requests that the adapter got meanwhile."""
    before = len(adapter.requests)
    answer = stack.post(path, BODY, **headers)
    return answer, adapter.requests[before:]


@pytest.mark.parametrize("path", ADAPTER)
def test_a_call_arrives_as_it_was_sent(stack, adapter, path):
    headers = {
        "Authorization": LOGIN, "X_Correlation_Id": "c-1", "X_Own": "of the bank", "Content_Type": "application/json"}
    _, [arrived] = sent(stack, adapter, f"/wultra/{path}?tenant=a&tenant=b%20c", **headers)
    assert (arrived.method, arrived.path) == ("POST", f"/base/{path}?tenant=a&tenant=b+c")
    assert arrived.body == BODY
    for name, value in headers.items():
        assert arrived.headers.get_all(name.replace("_", "-")) == [value]


@pytest.mark.parametrize("path", ADAPTER)
def test_its_answer_is_the_adapters_own(stack, adapter, path):
    answer, _ = sent(stack, adapter, f"/wultra/{path}")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, TYPE, ANSWER)


@pytest.mark.parametrize("status", [201, 400, 404, 503])
def test_so_is_its_status(stack, adapter, monkeypatch, status):
    monkeypatch.setattr(adapter, "status", status)
    answer, arrived = sent(stack, adapter, "/wultra/user/lookup")
    assert (answer.status, answer.body, len(arrived)) == (status, ANSWER, 1)


@pytest.mark.parametrize("path", [
    "process/event", "process/event/", "/process/event", "user", "user/lookup/", "user/lookups", "otp/send/again",
    "client/approve2", "x"])
def test_everything_else_under_wultra_is_verdicts(stack, adapter, path):
    answer, arrived = sent(stack, adapter, f"/wultra/{path}", Authorization=LOGIN)
    assert arrived == []
    event = answer.json["event"]
    assert answer.json["function"].endswith("-wultra-events")
    assert (event["rawPath"], event["headers"]["authorization"]) == (f"/wultra/{path}", LOGIN)
    assert event["body"].encode() == BODY


def test_without_an_adapter_its_paths_are_verdicts(endpoint):
    with Deployed(endpoint, "without", **credentials("Wultra")) as stack:
        stack.bridge()
        assert {stack.reached(f"/wultra/{path}") for path in ADAPTER} == {"wultra-events"}


def test_without_wultra_the_adapter_can_not_be_reached(endpoint):
    with Deployed(endpoint, "without", **credentials("Treezor"), WultraAdapterUrl=URL) as stack:
        stack.bridge()
        assert [route for route in stack.routes if "wultra" in route] == []
        assert {stack.reached(f"/wultra/{path}") for path in ADAPTER} == {None}


def test_a_call_without_a_login_arrives_without_one(stack, adapter):
    # Verdict proves none of these calls: that is for the adapter.
    _, [arrived] = sent(stack, adapter, "/wultra/user/lookup")
    assert "authorization" not in arrived.headers


def test_the_adapters_routes_ask_for_no_signature(stack):
    assert {stack.routes[f"POST /wultra/{path}"]["AuthorizationType"] for path in ADAPTER} == {"NONE"}
