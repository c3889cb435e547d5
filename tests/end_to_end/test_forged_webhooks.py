"""What is not genuine leaves no trace, and learns nothing from its answer."""
from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from attacks import on_binaries
from stack.deployment import webhooks

from . import forgeries
from .deliveries import (
    BYTES, DECISIONS, EVENTS, INCODE, SENDERS, TREEZOR, VERIFF, WULTRA, decision, genuine, post,
)
from .table import items, size

# What leaves no trace leaves the whole table as large as it was.
pytestmark = [pytest.mark.usefixtures("nobody_else_notifies"), on_binaries("a forged webhook, or one with another proof")]

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
def refusals(verdict):
    """By provider, the one answer to all that is refused: here, to a webhook of which nothing is proved."""
    answers = {}
    for sender in SENDERS:
        naked = replace(sender.genuine(b"{}"), body=b"{}", headers=(), path=sender.path)
        answers[sender] = comparable(post(verdict, naked))
        assert (answers[sender].status, answers[sender].outcome, answers[sender].session) == (
            sender.refusal, "refused", None)
    return answers


@pytest.fixture(scope="module")
def the_refusal(refusals):
    """Veriff's."""
    return refusals[VERIFF]


@pytest.mark.parametrize("sender, fewest", [(VERIFF, 60), (INCODE, 60), (TREEZOR, 60), (WULTRA, 40)], ids=str)
def test_there_are_enough_forgeries(sender, fewest):
    assert len(forgeries.BY_SENDER[sender]) >= fewest


@pytest.mark.parametrize("sender, forgery", [
    pytest.param(sender, forgery, id=f"{sender} {forgery}")
    for sender, named in forgeries.BY_SENDER.items() for forgery in named])
def test_a_forged_webhook_is_refused_without_a_trace(verdict, refusals, session_id, sender, forgery):
    before = state(verdict)
    assert comparable(post(verdict, forgeries.of(sender, forgery, session_id))) == refusals[sender]
    assert state(verdict) == before


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_what_the_forgeries_are_made_of_is_genuine(verdict, session_id, sender):
    assert post(verdict, sender.approves(session_id)).outcome == "recorded"


def test_a_token_is_forged_by_what_is_changed_alone(verdict, session_id):
    assert post(verdict, forgeries.bearer()(INCODE.genuine({"interviewId": session_id}))).outcome == "recorded"


@pytest.mark.parametrize("sender, receiver", list(itertools.permutations(SENDERS, 2)), ids=str)
def test_one_providers_proof_is_nothing_to_another(verdict, refusals, session_id, sender, receiver):
    before = state(verdict)
    sent = replace(sender.approves(session_id), path=receiver.path)
    assert comparable(post(verdict, sent)) == refusals[receiver]
    assert state(verdict) == before


@pytest.mark.parametrize("sender", [INCODE, TREEZOR, WULTRA], ids=str)
def test_a_known_webhook_without_its_proof_is_refused_as_an_unknown_one(verdict, refusals, session_id, sender):
    known = sender.approves(session_id)
    assert post(verdict, known).outcome == "recorded"
    before = items(verdict, sender.session(session_id), provider=sender.provider)
    naked = replace(known, headers=(), path=sender.path)
    assert comparable(post(verdict, naked)) == refusals[sender]
    assert items(verdict, sender.session(session_id), provider=sender.provider) == before


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
def test_both_of_veriffs_paths_refuse_alike(verdict, the_refusal, path):
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
@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_the_content_type_is_never_checked(verdict, session_id, sender, content_type):
    assert post(verdict, sender.approves(session_id, content_type=content_type)).outcome == "recorded"


@pytest.mark.parametrize("sender, name", [
    (WULTRA, "Authorization"), (WULTRA, "AUTHORIZATION"), (INCODE, "AUTHORIZATION"), (INCODE, "X-Incode-Secret")])
def test_the_other_providers_headers_may_have_any_case_too(verdict, session_id, sender, name):
    sent = sender.approves(session_id)
    value = dict(sent.headers)[name.lower()]
    assert post(verdict, sent.without(name.lower()).plus((name, value))).outcome == "recorded"


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "Basic  "])
def test_a_scheme_has_no_case(verdict, session_id, scheme):
    sent = WULTRA.approves(session_id)
    value = sent.header("authorization")
    assert post(verdict, sent.but("authorization", value.replace("Basic", scheme, 1))).outcome == "recorded"


def test_a_body_that_is_no_text_arrives_whole_where_the_gateway_encodes_it(verdict, quarantine):
    body = b'{"verification": "\xff\x00 rightly signed, and unreadable"}'
    assert post(verdict, genuine(body, content_type=BYTES)).outcome == "quarantined"
    [kept] = quarantine.holding(body)
    assert kept.attributes == {"provider": "veriff", "reason": "not_json"}


# ---- What the gateway itself turns away ----

@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "WEBHOOK"])
@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_any_method_but_post_is_turned_away(verdict, session_id, sender, method):
    before = state(verdict)
    answer = post(verdict, replace(sender.approves(session_id), method=method))
    assert answer.status in (403, 404, 405), answer
    assert answer.outcome is None
    assert state(verdict) == before


@pytest.mark.parametrize("path", [
    "/", "/veriff", "/veriff/other", "/veriff/decisions/more", "/VERIFF/decisions", "/veriff/decisions;x",
    "/Treezor", "/treezor/events", "/wultra", "/wultra/process", "/wultra/process/event/more", "/incode",
    "/incode/", "/incode/onboarding-status/more", "/incode/oauth/token/more",
    "/veriff%2Fdecisions/x", "/sessions", "/veriff/decisions/../other",
])
def test_an_unknown_path_is_turned_away(verdict, session_id, path):
    before = state(verdict)
    answer = post(verdict, genuine(decision(session_id), path=path))
    assert answer.status in (403, 404, 405), answer
    # The gateway has no route, or a function behind a greedy one knows no such path.
    assert answer.outcome in (None, "refused")
    assert state(verdict) == before


@pytest.mark.parametrize("header", [
    ("x-hmac-signature", b"5\0" * 32), ("x-hmac-signature", "5" * 100_000), ("x bad name", "x"), ("x-other", b"a\rb"),
], ids=["NUL in a header", "100 KB of header", "space in a name", "carriage return in a header"])
def test_what_is_no_http_is_turned_away(verdict, session_id, header):
    before = state(verdict)
    answer = post(verdict, genuine(decision(session_id)).plus(header))
    assert 400 <= answer.status < 500 and answer.outcome in (None, "refused"), answer
    assert state(verdict) == before
