"""What is not genuine leaves no trace, and learns nothing from its answer."""
from __future__ import annotations

from dataclasses import replace

import pytest
from stack.deployment import webhooks

from . import forgeries
from .deliveries import BYTES, DECISIONS, EVENTS, decision, genuine, post
from .table import items, size

QUEUES = ("DecisionsQueueUrl", "QuarantineQueueUrl")


def state(verdict):
    """How much there is of all that a delivery could leave behind."""
    queues = [
        verdict.client("sqs").get_queue_attributes(QueueUrl=verdict.outputs[queue], AttributeNames=["All"])
        for queue in QUEUES]
    return size(verdict), [queue["Attributes"]["ApproximateNumberOfMessages"] for queue in queues]


def comparable(answer: webhooks.Answer) -> webhooks.Answer:
    """The answer without what the gateway adds to each: the time, and its own name for the request."""
    added = ("date", "apigw-requestid")
    return replace(answer, headers={name: value for name, value in answer.headers.items() if name not in added})


@pytest.fixture(scope="module")
def the_refusal(verdict):
    """The one answer to all that is refused: here, to a webhook without signature."""
    answer = comparable(post(verdict, genuine(b"{}").without("x-hmac-signature")))
    assert (answer.status, answer.outcome, answer.session) == (401, "refused", None)
    return answer


def test_there_are_enough_forgeries():
    assert len(forgeries.ALL) >= 60


@pytest.mark.parametrize("forgery", forgeries.ALL)
def test_a_forged_webhook_is_refused_without_a_trace(verdict, the_refusal, session_id, forgery):
    before = state(verdict)
    assert comparable(post(verdict, forgeries.of(forgery, session_id))) == the_refusal
    assert state(verdict) == before


def test_forging_a_known_session_or_resending_a_known_webhook_with_a_wrong_signature_is_refused_alike(
        verdict, the_refusal, session_id):
    known = genuine(decision(session_id))
    assert post(verdict, known).outcome == "recorded"
    before = items(verdict, session_id)
    assert comparable(post(verdict, known.but("x-hmac-signature", forgeries.WRONG))) == the_refusal
    forged = replace(known, body=known.body.replace(b"approved", b"declined"))
    assert comparable(post(verdict, forged)) == the_refusal
    assert items(verdict, session_id) == before


@pytest.mark.parametrize("path", [EVENTS, DECISIONS])
def test_both_paths_refuse_alike(verdict, the_refusal, path):
    assert comparable(post(verdict, genuine(b"{}", path=path).without("x-hmac-signature"))) == the_refusal


# ---- What looks odd and is genuine ----

@pytest.mark.parametrize("name", ["X-HMAC-SIGNATURE", "x-Hmac-sIgnature", "vrf-hmac-signature", "VRF-HMAC-Signature"])
def test_the_header_may_have_either_name_in_any_case(verdict, session_id, name):
    delivery = genuine(decision(session_id))
    delivery = delivery.without("x-hmac-signature").plus((name, delivery.signature))
    assert post(verdict, delivery).outcome == "recorded"


def test_both_names_may_carry_the_same_signature_in_different_case(verdict, session_id):
    delivery = genuine(decision(session_id))
    assert post(verdict, delivery.plus(("vrf-hmac-signature", delivery.signature.upper()))).outcome == "recorded"


def test_white_space_around_a_header_is_not_part_of_it(verdict, session_id):
    delivery = genuine(decision(session_id))
    assert post(verdict, delivery.but("x-hmac-signature", f"  {delivery.signature} \t")).outcome == "recorded"


@pytest.mark.parametrize("header", [
    ("x-other", b"\xff\xfe beyond ASCII"),
    ("x-other", "ſharp and 名前"),
    ("x-http-method-override", "DELETE"),
    ("x-signature", "legacy, and wrong"),
    ("x-auth-client", "any API key, as none is configured"),
])
def test_other_headers_change_nothing(verdict, session_id, header):
    assert post(verdict, genuine(decision(session_id)).plus(header)).outcome == "recorded"


@pytest.mark.parametrize("content_type", [
    "application/json; charset=utf-16", "text/plain", "application/xml", "application/octet-stream",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense", "",
])
def test_the_content_type_is_never_checked(verdict, session_id, content_type):
    assert post(verdict, genuine(decision(session_id), content_type=content_type)).outcome == "recorded"


def test_a_body_that_is_no_text_arrives_whole_where_the_gateway_encodes_it(verdict, quarantine):
    body = b'{"verification": "\xff\x00 rightly signed, and unreadable"}'
    assert post(verdict, genuine(body, content_type=BYTES)).outcome == "quarantined"
    [kept] = quarantine.holding(body)
    assert kept.attributes == {"provider": "veriff", "reason": "not_json"}


# ---- What the gateway itself turns away ----

@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "WEBHOOK"])
def test_any_method_but_post_is_turned_away(verdict, session_id, method):
    before = state(verdict)
    answer = post(verdict, replace(genuine(decision(session_id)), method=method))
    assert answer.status in (403, 404, 405), answer
    assert answer.outcome is None
    assert state(verdict) == before


@pytest.mark.parametrize("path", [
    "/", "/veriff", "/veriff/other", "/veriff/decisions/more", "/VERIFF/decisions", "/veriff/decisions;x", "/treezor",
    "/veriff%2Fdecisions/x", "/sessions", "/veriff/decisions/../other",
])
def test_an_unknown_path_is_turned_away(verdict, session_id, path):
    before = state(verdict)
    answer = post(verdict, genuine(decision(session_id), path=path))
    assert answer.status in (403, 404, 405), answer
    assert answer.outcome is None
    assert state(verdict) == before


@pytest.mark.parametrize("header", [
    ("x-hmac-signature", b"5\0" * 32), ("x-hmac-signature", "5" * 100_000), ("x bad name", "x"), ("x-other", b"a\rb"),
], ids=["NUL in a header", "100 KB of header", "space in a name", "carriage return in a header"])
def test_what_is_no_http_is_turned_away(verdict, session_id, header):
    before = state(verdict)
    answer = post(verdict, genuine(decision(session_id)).plus(header))
    assert 400 <= answer.status < 500 and answer.outcome in (None, "refused"), answer
    assert state(verdict) == before
