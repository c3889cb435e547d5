"""What lets Incode's webhooks in: the secret header, the bearer token, or both, as configured; and nothing else."""
from __future__ import annotations

import base64
import hmac
import json
import time
from dataclasses import replace

import pytest
from attacks import on_binaries
from stack.deployment import webhooks

from . import intake
from .deliveries import as_event, post
from .functions import copy, deployed
from .incode import (
    CLIENT, HEADER_SECRET, KEYS, SECRET_HEADER, SIGNING_KEY, basic, bearer, comparable, credentials, deliver,
    items, onboarding, token_of, token_request, webhook)
from .logs import log, said
from .table import size

pytestmark = [pytest.mark.usefixtures("only_tests_poll", "believing"), on_binaries("half of the proof that is asked for")]

NEW_KEY, REMOVED_KEY = "6f1d93ab07c4e85d2290fe6b4c7a1835", "b80e5c72d9143fa6e17b06d85a42c93f"
NOWHERE = "http://127.0.0.1:9"
QUEUES = ("DecisionsQueueUrl", "QuarantineQueueUrl")
#: When the tokens here are made, and when they end.
NOW = int(time.time())
LATER = NOW + KEYS["oauth"]["tokenTtlSeconds"]


def jwt(key=SIGNING_KEY, header=None, digest="sha256", **claims):
    """A bearer token with other claims than the token endpoint's, or signed another way."""
    header = {"alg": "HS256", "typ": "JWT", **(header or {})}
    claims = {"iss": "verdict", "aud": "incode-webhooks", "sub": CLIENT["id"], "iat": NOW, "exp": LATER, **claims}
    claims = {name: claim for name, claim in claims.items() if claim is not None}
    signed = b".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    signature = hmac.digest(key.encode(), signed, digest) if digest else b""
    return "Bearer " + b".".join([signed, base64url(signature)]).decode()


def base64url(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def with_payload(token, **claims):
    """The token with other claims under its old signature."""
    header, payload, signature = token.split(".")
    changed = {**json.loads(base64.urlsafe_b64decode(payload + "==")), **claims}
    return f"{header}.{base64url(json.dumps(changed).encode()).decode()}.{signature}"


def state(verdict):
    """How much there is of all that a delivery could leave behind."""
    queues = [
        verdict.client("sqs").get_queue_attributes(QueueUrl=verdict.outputs[queue], AttributeNames=["All"])
        for queue in QUEUES]
    return size(verdict), [queue["Attributes"]["ApproximateNumberOfMessages"] for queue in queues]


# ---- With both configured ----

@pytest.fixture(scope="module")
def the_refusal(verdict):
    """The one answer to all that is refused: here, to a webhook that brings nothing."""
    bare = onboarding("nobody", "UNKNOWN").without(SECRET_HEADER).without("authorization")
    answer = comparable(post(verdict, bare))
    assert (answer.status, answer.outcome, answer.session) == (401, "refused", None)
    return answer


BAD_HEADERS = {
    "no header": None,
    "an empty header": "",
    "another header": "another-incode-header-secret-0123456789",
    "the header in other case": HEADER_SECRET.upper(),
    "half the header": HEADER_SECRET[:-1],
    "the header and more": HEADER_SECRET + "0",
    "the header twice in one": f"{HEADER_SECRET},{HEADER_SECRET}",
    "the client's secret as header": CLIENT["secret"],
}
BAD_BEARERS = {
    "no bearer": None,
    "an empty bearer": "Bearer ",
    "the scheme alone": "Bearer",
    "no scheme": bearer().split()[1],
    "another scheme": bearer().replace("Bearer", "Token"),
    "Basic with the client's secret": basic(),
    "the client's secret as bearer": f"Bearer {CLIENT['secret']}",
    "the signing key as bearer": f"Bearer {SIGNING_KEY}",
    "no token": "Bearer not a token",
    "two parts": bearer().rpartition(".")[0],
    "four parts": f"{bearer()}.x",
    "two tokens": f"{bearer()}, {bearer()}",
    "a bearer of nobody's key": bearer("the-secret-of-nobody-0123456789"),
    "a bearer of a removed key": bearer(REMOVED_KEY),
    "a bearer of the empty key": jwt(key=""),
    "a bearer of a removed client": bearer(client="removed-client"),
    "a bearer of no client": jwt(sub=None),
    "an expired bearer": bearer(expires_at=webhooks.Incode.EXPIRED_AT),
    "a bearer that never expires": jwt(exp=None),
    "a bearer of the future": jwt(iat=NOW + 86_400, exp=LATER + 86_400),
    "a bearer for another audience": jwt(aud="another-audience"),
    "a bearer for no audience": jwt(aud=None),
    "a bearer for an empty audience": jwt(aud=""),
    "a bearer of another issuer": jwt(iss="another-issuer"),
    "a bearer without signature": jwt(header={"alg": "none"}, digest=None),
    "a bearer whose signature is called none": jwt(header={"alg": "none"}),
    "a bearer with SHA-512": jwt(header={"alg": "HS512"}, digest="sha512"),
    "a bearer with SHA-512 that is called 256": jwt(digest="sha512"),
    "a bearer for another client under an old signature": "Bearer " + with_payload(
        bearer(client="removed-client").split()[1], sub=CLIENT["id"]),
    "an expired bearer made younger": "Bearer " + with_payload(
        bearer(expires_at=webhooks.Incode.EXPIRED_AT).split()[1], iat=NOW, exp=LATER),
    "a bearer in other case": "Bearer " + bearer().split()[1].upper(),
    "10 KB of bearer": "Bearer " + "A" * 10_000,
}


RIGHT_BEARER = bearer()


def spoiled(session_id, header=HEADER_SECRET, authorization=RIGHT_BEARER):
    """An approval with another header or another bearer, or without where that is None."""
    delivery = onboarding(session_id, "MANUAL_REVIEW_APPROVED").without(SECRET_HEADER).without("authorization")
    proofs = ((SECRET_HEADER, header), ("authorization", authorization))
    return delivery.plus(*[proof for proof in proofs if proof[1] is not None])


def assert_refused(verdict, the_refusal, delivery):
    before = state(verdict)
    assert comparable(post(verdict, delivery)) == the_refusal
    assert state(verdict) == before


@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_right_bearer_does_not_make_up_for_the_header(verdict, the_refusal, session_id, header):
    assert_refused(verdict, the_refusal, spoiled(session_id, header=header))


@pytest.mark.parametrize("authorization", BAD_BEARERS.values(), ids=BAD_BEARERS)
def test_a_right_header_does_not_make_up_for_the_bearer(verdict, the_refusal, session_id, authorization):
    assert_refused(verdict, the_refusal, spoiled(session_id, authorization=authorization))


@pytest.mark.parametrize("delivery", [
    spoiled("nobody", header=None, authorization=None),
    spoiled("nobody", header="x" * 40, authorization=bearer(REMOVED_KEY)),
    spoiled("nobody").plus((SECRET_HEADER, HEADER_SECRET)),
    spoiled("nobody").plus((SECRET_HEADER, "x" * 40)),
    spoiled("nobody").plus(("authorization", bearer())),
    spoiled("nobody").plus(("authorization", bearer(REMOVED_KEY))),
    spoiled("nobody", header=None).plus(("x-other", HEADER_SECRET)),
    spoiled("nobody", authorization=None).plus(("x-authorization", bearer())),
], ids=["neither", "both wrong", "the header twice", "another header beside it", "the bearer twice",
        "another bearer beside it", "the secret in another header", "the bearer in another header"])
def test_nothing_else_lets_a_webhook_in(verdict, the_refusal, delivery):
    assert_refused(verdict, the_refusal, delivery)


@pytest.mark.parametrize("path", ["video-selfie", "authentication", "ine-scraping", "never-heard-of"])
def test_every_path_refuses_alike(verdict, the_refusal, session_id, path):
    assert_refused(verdict, the_refusal, webhook(path, {"interviewId": session_id}).without(SECRET_HEADER))


def test_what_is_refused_for_a_known_session_is_refused_alike_and_changes_nothing(verdict, the_refusal, session_id):
    deliver(verdict, onboarding(session_id, "MANUAL_REVIEW_REJECTED"))
    before = items(verdict, session_id)
    assert comparable(post(verdict, spoiled(session_id, header=None))) == the_refusal
    assert comparable(post(verdict, onboarding(session_id, "MANUAL_REVIEW_REJECTED").without("authorization"))) \
        == the_refusal
    assert items(verdict, session_id) == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"], ids=["empty", "broken", "no text"])
def test_what_is_unreadable_is_refused_before_it_is_read(verdict, the_refusal, body):
    assert_refused(verdict, the_refusal, replace(webhook("watchlist", body), headers=()))


# ---- What is let in, and what it is answered ----

def test_the_two_right_are_answered_as_incode_wants_it(verdict, session_id):
    for outcome in ("recorded", "duplicate"):
        answer = post(verdict, onboarding(session_id, "MANUAL_REVIEW_APPROVED"))
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert answer.body == '{"success": true}'
        assert (answer.outcome, answer.session) == (outcome, f"incode/{session_id}")


@pytest.mark.parametrize("status", ["IN_PROGRESS", "FINISHED"])
def test_ine_scraping_is_answered_with_a_string(verdict, session_id, status):
    delivery = webhook("ine-scraping", {"InterviewId": session_id, "ScrapingStatus": status})
    for outcome in ("recorded", "duplicate"):
        answer = post(verdict, delivery)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert (answer.outcome, json.loads(answer.body)) == (outcome, {"success": "true"})


@pytest.mark.parametrize("path, said_of_it", [("onboarding-status", True), ("ine-scraping", "true")])
def test_what_is_put_aside_is_answered_as_what_is_recorded(verdict, session_id, path, said_of_it):
    answer = post(verdict, webhook(path, f"unreadable, of {session_id}".encode()))
    assert (answer.status, answer.outcome, answer.headers["content-type"]) == (200, "quarantined", "application/json")
    assert json.loads(answer.body) == {"success": said_of_it}


@pytest.mark.parametrize("path, said_of_it", [("onboarding-status", True), ("ine-scraping", "true")])
def test_what_waits_for_the_table_is_answered_as_what_is_recorded(verdict, session_id, path, said_of_it):
    body = json.dumps({"interviewId": session_id, "onboardingStatus": "UNKNOWN"}).encode()
    with copy(verdict, "IncodeWebhooks", AWS_ENDPOINT_URL_DYNAMODB=NOWHERE) as function:
        answer = function.answer(as_event(webhook(path, body)))
    assert (answer.status, answer.outcome, answer.headers["content-type"]) == (200, "spooled", "application/json")
    assert json.loads(answer.body) == {"success": said_of_it}
    intake.await_empty(verdict)


def test_what_no_store_takes_is_asked_for_again(verdict, session_id):
    nowhere = {f"AWS_ENDPOINT_URL_{service}": NOWHERE for service in ("DYNAMODB", "SQS")}
    with copy(verdict, "IncodeWebhooks", **nowhere) as function:
        answer = function.answer(as_event(onboarding(session_id, "UNKNOWN")))
    assert (answer.status, answer.outcome) == (503, "failed")
    assert "success" not in answer.body


def test_the_scheme_has_no_case_and_a_header_no_case_in_its_name(verdict, session_id):
    delivery = spoiled(session_id, header=None, authorization=bearer().replace("Bearer", "bEARER"))
    assert post(verdict, delivery.plus((SECRET_HEADER.title(), HEADER_SECRET))).outcome == "recorded"


# ---- With other credentials ----

def outcomes(verdict, keys, *deliveries):
    """What becomes of each where these are the credentials, and why."""
    with copy(verdict, "IncodeWebhooks", INCODE_CREDENTIALS=keys) as function:
        answers = [function.answer(as_event(delivery)) for delivery in deliveries]
        lines = said(log(verdict, function, "delivery", at_least=len(deliveries)), "delivery")
    for answer in answers:
        assert answer.status == {"recorded": 200, "refused": 401}[answer.outcome]
    refusals = {answer.body for answer in answers if answer.outcome == "refused"}
    assert len(refusals) <= 1
    reasons = [line["reason"] or line["outcome"] for line in lines]
    assert [answer.outcome for answer in answers] == [line["outcome"] for line in lines]
    return reasons


def with_bearer(session_id, authorization):
    """A webhook of its own kind, so that none is another's copy."""
    return webhook("watchlist", {"interviewId": session_id, "ref": str(time.time_ns())}).but(
        "authorization", authorization)


def test_the_old_key_proves_beside_the_new_one_and_no_more_once_it_is_removed(verdict, session_id):
    old, new = (with_bearer(session_id, bearer(key)) for key in (SIGNING_KEY, NEW_KEY))
    both = credentials(oauth={**KEYS["oauth"], "signingKeys": [NEW_KEY, SIGNING_KEY]})
    assert outcomes(verdict, both, old, new) == ["recorded", "recorded"]
    removed = credentials(oauth={**KEYS["oauth"], "signingKeys": [NEW_KEY]})
    old, new = (with_bearer(session_id, bearer(key)) for key in (SIGNING_KEY, NEW_KEY))
    assert outcomes(verdict, removed, old, new) == ["authorization_mismatch", "recorded"]


def test_the_token_endpoint_signs_with_the_first_key(verdict):
    both = credentials(oauth={**KEYS["oauth"], "signingKeys": [NEW_KEY, SIGNING_KEY]})
    with copy(verdict, "IncodeToken", INCODE_CREDENTIALS=both) as function:
        token = token_of(function.answer(as_event(token_request())))
    signed, _, signature = token.rpartition(".")
    assert signature == base64url(hmac.digest(NEW_KEY.encode(), signed.encode(), "sha256")).decode()


def test_a_client_that_was_removed_proves_no_more(verdict, session_id):
    clients = [{"id": "new-client", "secret": "d1f06c4b8a27e93550bb7c1f"}]
    delivered = [with_bearer(session_id, bearer(client=client)) for client in (CLIENT["id"], "new-client")]
    keys = credentials(oauth={**KEYS["oauth"], "clients": clients})
    assert outcomes(verdict, keys, *delivered) == ["authorization_mismatch", "recorded"]


def test_a_token_proves_until_its_time_is_up(verdict, session_id):
    brief = credentials(oauth={**KEYS["oauth"], "tokenTtlSeconds": 1})
    with copy(verdict, "IncodeToken", INCODE_CREDENTIALS=brief) as function:
        answers = [asked.answer(as_event(token_request())) for asked in (function, deployed(verdict, "IncodeToken"))]
    assert [json.loads(answer.body)["expires_in"] for answer in answers] == [1, 3600]
    time.sleep(1)  # what the first is good for
    delivered = [with_bearer(session_id, f"Bearer {token_of(answer)}") for answer in answers]
    assert outcomes(verdict, credentials(), *delivered) == ["token_expired", "recorded"]
    # A token is good for as long as is configured now, whatever was when it was made.
    assert outcomes(verdict, brief, *delivered) == ["token_expired", "token_expired"]


def test_where_only_headers_are_configured_the_bearer_does_not_matter(verdict, session_id):
    proofs: list[dict] = [{"authorization": None}, {"authorization": bearer(REMOVED_KEY)}, {},
                          {"header": None}, {"header": "x" * 40}]
    delivered = [spoiled(f"{session_id}-{number}", **proof) for number, proof in enumerate(proofs)]
    assert outcomes(verdict, credentials(oauth=None), *delivered) == [
        "recorded", "recorded", "recorded", "secret_header_missing", "secret_header_mismatch"]


def test_where_only_tokens_are_configured_the_header_does_not_matter(verdict, session_id):
    expired = bearer(expires_at=webhooks.Incode.EXPIRED_AT)
    proofs: list[dict] = [{"header": None}, {"header": "x" * 40}, {}, {"authorization": None},
                          {"authorization": bearer(REMOVED_KEY)}, {"authorization": expired}]
    delivered = [spoiled(f"{session_id}-{number}", **proof) for number, proof in enumerate(proofs)]
    assert outcomes(verdict, credentials(headers=None), *delivered) == [
        "recorded", "recorded", "recorded", "authorization_missing", "authorization_mismatch", "token_expired"]


def test_every_header_must_be_there_with_any_of_its_values(verdict, session_id):
    headers = {"X-First": ["0b7a4c91e6d2f8135ab3", "c94e17d05f6b82a3e1f0"],
               "x-second": ["7e20f9a8b3c6d1540f2e"]}
    old, new, second = *headers["X-First"], *headers["x-second"]

    def delivered(*pairs):
        return with_bearer(session_id, bearer()).without(SECRET_HEADER).plus(*pairs)

    assert outcomes(
        verdict, credentials(headers=headers),
        delivered(("x-first", old), ("x-second", second)),
        delivered(("x-first", new), ("X-SECOND", second)),
        delivered(("x-first", new)),
        delivered(("x-second", second)),
        delivered(("x-first", second), ("x-second", old)),
        delivered(("x-first", f"{old}, {new}"), ("x-second", second)),
    ) == ["recorded", "recorded", "secret_header_missing", "secret_header_missing", "secret_header_mismatch",
          "secret_header_mismatch"]
