"""The token endpoint that Incode calls before it sends webhooks: OAuth 2.0, client credentials (RFC 6749)."""
from __future__ import annotations

import base64
import json
import time
import urllib.parse
from dataclasses import replace

import pytest
from attacks import on_binaries
from stack.incode_api import IncodeApi

from .deliveries import JSON, Delivery, as_event, post
from .functions import copy, deployed
from .incode import (
    CLIENT, FORM, GRANT, HEADER_SECRET, KEYS, SIGNING_KEY, basic, bearer, comparable, credentials, make_due,
    onboarding, poller, token_of, token_request)
from .logs import TALKATIVE, assert_discreet, log, said
from .table import size

pytestmark = [pytest.mark.usefixtures("only_tests_poll"), on_binaries("a stranger at the token endpoint")]

#: The tests' clock and the functions' are one; this is for what takes long on a busy machine.
SLACK_SECONDS = 20


def with_token(delivery: Delivery, token: str) -> Delivery:
    return delivery.but("authorization", f"Bearer {token}")


# ---- A token ----

def test_incode_gets_a_token_that_nobody_may_store(verdict):
    answer = post(verdict, token_request())
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert "www-authenticate" not in answer.headers
    content = json.loads(answer.body)
    assert content.keys() == {"access_token", "token_type", "expires_in"}
    assert (content["token_type"], content["expires_in"]) == ("Bearer", KEYS["oauth"]["tokenTtlSeconds"])


def test_a_token_lets_webhooks_in_again_and_again(verdict, session_id):
    token = token_of(post(verdict, token_request()))
    for status in ("ID_VALIDATION_FINISHED", "FACE_VALIDATION_FINISHED"):
        assert post(verdict, with_token(onboarding(session_id, status), token)).outcome == "recorded"


def test_a_token_says_who_made_it_for_whom_and_when_and_holds_no_secret(verdict):
    parts = token_of(post(verdict, token_request())).split(".")
    header, claims = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts[:2]]
    assert (header["alg"], header["typ"]) == ("HS256", "JWT")
    assert claims.keys() == {"iss", "aud", "sub", "iat", "exp"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("verdict", "incode-webhooks", CLIENT["id"])
    assert claims["iat"] == pytest.approx(time.time(), abs=SLACK_SECONDS)
    assert claims["exp"] == claims["iat"] + KEYS["oauth"]["tokenTtlSeconds"]


def test_the_endpoint_leaves_nothing_in_the_table(verdict):
    before = size(verdict)
    post(verdict, token_request())
    post(verdict, token_request(authorization=None))
    assert size(verdict) == before


@pytest.mark.parametrize("asked", [
    token_request(content_type=f"{FORM}; charset=UTF-8"),
    token_request(content_type="Application/X-WWW-Form-URLEncoded"),
    token_request(body=GRANT + b"&scope=webhooks"),
    token_request(body=b"audience=x&" + GRANT + b"&client_id=local-incode"),
    token_request(body=b"grant%5Ftype=client%5Fcredentials"),
    token_request(authorization=basic().replace("Basic", "basic")),
    token_request(authorization=basic().replace("Basic ", "BASIC   ")),
], ids=["charset", "media type in other case", "scope", "other parameters", "percent-encoded", "basic", "BASIC"])
def test_the_same_may_be_asked_in_other_words(verdict, asked):
    assert token_of(post(verdict, asked))


@pytest.mark.parametrize("client, secret", [
    ("second client", "second+secret%41of:odd/characters"), (CLIENT["id"], CLIENT["secret"])])
@pytest.mark.parametrize("encode", [str, urllib.parse.quote_plus], ids=["as it is", "form-encoded"])
def test_every_client_may_present_itself_as_it_is_or_encoded_as_the_rfc_has_it(
        verdict, session_id, client, secret, encode):
    clients = [{"id": "first-client", "secret": "another-secret-0123456789"}, {"id": client, "secret": secret}]
    keys = credentials(oauth={**KEYS["oauth"], "clients": clients})
    with copy(verdict, "IncodeToken", INCODE_CREDENTIALS=keys) as tokens, \
            copy(verdict, "IncodeWebhooks", INCODE_CREDENTIALS=keys) as receiver:
        token = token_of(tokens.answer(as_event(token_request(authorization=basic(encode(client), encode(secret))))))
        assert receiver.answer(as_event(with_token(onboarding(session_id, "UNKNOWN"), token))).outcome == "recorded"


# ---- None ----

NO_CLIENT = {
    "no header": None,
    "an empty header": "",
    "the scheme alone": "Basic",
    "nothing after the scheme": "Basic ",
    "no base64": "Basic not base64 at all",
    "base64 cut short": basic()[:-2],
    "base64 of another alphabet": "Basic " + base64.urlsafe_b64encode(b"\xfb\xff\xfe:\xfb\xff\xfe").decode(),
    "no colon": "Basic " + base64.b64encode(CLIENT["id"].encode()).decode(),
    "nothing but a colon": basic("", ""),
    "no secret": basic(secret=""),
    "no client": basic(client=""),
    "another client": basic(client="another-client"),
    "another secret": basic(secret="another-client-secret-0123456789"),
    "half the secret": basic(secret=CLIENT["secret"][:-1]),
    "the secret and more": basic(secret=CLIENT["secret"] + "0"),
    "the secret in other case": basic(secret=CLIENT["secret"].upper()),
    "a space before the secret": basic(secret=" " + CLIENT["secret"]),
    "the header's secret": basic(secret=HEADER_SECRET),
    "the signing key": basic(secret=SIGNING_KEY),
    "client and secret swapped": basic(CLIENT["secret"], CLIENT["id"]),
    "the text itself": f"Basic {CLIENT['id']}:{CLIENT['secret']}",
    "another scheme": basic().replace("Basic", "Bearer"),
    "a token": bearer(),
    "two logins": f"{basic()}, {basic()}",
}


@pytest.fixture(scope="module")
def the_refusal(verdict):
    """The one answer to whoever is no client: here, to somebody who does not say who it is."""
    answer = comparable(post(verdict, token_request(authorization=None)))
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["www-authenticate"].startswith('Basic realm="')
    assert json.loads(answer.body)["error"] == "invalid_client"
    return answer


@pytest.mark.parametrize("authorization", NO_CLIENT.values(), ids=NO_CLIENT)
def test_who_is_no_client_gets_the_one_refusal(verdict, the_refusal, authorization):
    assert comparable(post(verdict, token_request(authorization=authorization))) == the_refusal


def test_two_headers_are_no_client(verdict, the_refusal):
    twice = token_request().plus(("authorization", basic()))
    assert comparable(post(verdict, twice)) == the_refusal


@pytest.mark.parametrize("body, content_type", [
    (b"", FORM), (b"{}", JSON), (b"grant_type=password", FORM), (b"client_id=x&client_secret=y&" + GRANT, FORM)])
def test_who_is_no_client_learns_nothing_of_the_form(verdict, the_refusal, body, content_type):
    assert comparable(post(verdict, token_request(body, basic(secret="x"), content_type))) == the_refusal


def test_a_client_that_was_removed_is_none(verdict, the_refusal):
    client, secret = "the-new-client", "d1f06c4b8a27e93550bb7c1f"
    keys = credentials(oauth={**KEYS["oauth"], "clients": [{"id": client, "secret": secret}]})
    with copy(verdict, "IncodeToken", INCODE_CREDENTIALS=keys) as function:
        answer = function.answer(as_event(token_request()))
        assert (answer.status, json.loads(answer.body)["error"]) == (401, "invalid_client")
        assert answer.body == the_refusal.body
        assert token_of(function.answer(as_event(token_request(authorization=basic(client, secret)))))


BAD_REQUESTS = {
    "JSON": (token_request(b'{"grant_type":"client_credentials"}', content_type=JSON), "invalid_request"),
    "a form that is called JSON": (token_request(content_type=JSON), "invalid_request"),
    "multipart": (token_request(content_type="multipart/form-data; boundary=x"), "invalid_request"),
    "no content type": (token_request(content_type=None), "invalid_request"),
    "no body": (token_request(b""), "invalid_request"),
    "no grant type": (token_request(b"scope=webhooks"), "invalid_request"),
    "an empty grant type": (token_request(b"grant_type="), "invalid_request"),
    "a grant type without value": (token_request(b"grant_type"), "invalid_request"),
    "another grant type": (token_request(b"grant_type=password"), "unsupported_grant_type"),
    "a grant type in other case": (token_request(b"grant_type=Client_Credentials"), "unsupported_grant_type"),
    "a grant type and a space": (token_request(GRANT + b"+"), "unsupported_grant_type"),
    "the grant type twice": (token_request(GRANT + b"&" + GRANT), "invalid_request"),
    "two grant types": (token_request(GRANT + b"&grant_type=password"), "invalid_request"),
    "the secret in the form too": (
        token_request(GRANT + b"&client_secret=" + CLIENT["secret"].encode()), "invalid_request"),
    "another secret in the form": (token_request(GRANT + b"&client_secret=x"), "invalid_request"),
    "an assertion in the form": (token_request(GRANT + b"&client_assertion=x"), "invalid_request"),
    "a form that is no Unicode": (token_request(GRANT + b"&scope=%ff"), "invalid_request"),
    "bytes that are no Unicode": (token_request(GRANT + b"&scope=\xff"), "invalid_request"),
    "a huge form": (token_request(GRANT + b"&scope=" + b"x" * 100_000), "invalid_request"),
}


@pytest.mark.parametrize("asked, code", BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_a_client_that_asks_otherwise_is_told_what_is_wrong(verdict, asked, code):
    answer = post(verdict, asked)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert "www-authenticate" not in answer.headers
    content = json.loads(answer.body)
    assert content.keys() == {"error", "error_description"}
    assert content["error"] == code
    assert CLIENT["secret"] not in answer.body


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_any_method_but_post_gets_no_token(verdict, method):
    asked = token_request(method=method)
    answer = post(verdict, asked)
    assert answer.status in (403, 404, 405), answer.status
    assert "access_token" not in answer.body
    # Nor where the gateway is not in between.
    answer = deployed(verdict, "IncodeToken").answer(as_event(asked))
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "invalid_request")


def test_in_the_query_there_is_nothing_to_find(verdict):
    event = {**as_event(token_request(b"")), "rawQueryString": GRANT.decode()}
    assert deployed(verdict, "IncodeToken").answer(event).status == 400


@pytest.mark.parametrize("event", [None, {}, [], "warm-up", {"Records": []}], ids=str)
def test_what_is_no_request_gets_no_token_and_the_next_one_does(verdict, event):
    function = deployed(verdict, "IncodeToken")
    assert function.answer(event).status == 400
    assert token_of(function.answer(as_event(token_request())))


# ---- Logs ----

def test_no_token_and_no_secret_is_ever_logged(verdict, session_id):
    client = {"id": "canary-client-id", "secret": "canary-client-secret-0123456789"}
    oauth = {"clients": [client], "signingKeys": ["canary-signing-key-0123456789abcdef"], "tokenTtlSeconds": 60}
    headers = {"x-incode-secret": ["canary-header-secret-0123456789"]}
    with IncodeApi() as api, \
            copy(verdict, "IncodeToken", **TALKATIVE, INCODE_CREDENTIALS=credentials(
                oauth=oauth, headers=headers)) as tokens, \
            copy(verdict, "IncodeWebhooks", **TALKATIVE, INCODE_CREDENTIALS=credentials(
                oauth=oauth, headers=headers, api=api.credentials)) as receiver, \
            poller(verdict, api) as asking:
        api.script(session_id, status=["ONBOARDING_FINISHED"], score=["OK"])
        mine = token_request(authorization=basic(client["id"], client["secret"]))
        token = token_of(tokens.answer(as_event(mine)))
        bad = [mine.but("authorization", basic(client["id"], "canary-wrong-secret")),
               mine.but("authorization", "Basic canary-no-base64"),
               replace(mine, body=GRANT + b"&client_secret=canary-in-the-form"),
               replace(mine, body=b"grant_type=canary-grant-type"),
               mine.but("content-type", "canary/media-type"),
               mine.without("authorization")]
        statuses = [tokens.answer(as_event(asked)).status for asked in bad]
        assert statuses == [401, 401, 400, 400, 400, 401]

        right = with_token(onboarding(session_id, "ONBOARDING_FINISHED"), token).but(
            "x-incode-secret", headers["x-incode-secret"][0])
        sent = [right, right.but("authorization", f"Bearer {token}canary"), right.but("x-incode-secret", "canary"),
                right.without("authorization"), right.but("authorization", "canary canary"),
                replace(right, body=b'{"canary')]
        outcomes = [receiver.answer(as_event(delivery)).outcome for delivery in sent]
        assert outcomes == ["recorded", "refused", "refused", "refused", "refused", "quarantined"]

        make_due(verdict, session_id)
        asking.call({})
        assert [request.path for request in api.about(session_id)]
        lines = [*log(verdict, tokens, "token", at_least=7), *log(verdict, receiver, "delivery", at_least=6),
                 *log(verdict, asking, "poll")]
        given = [request.headers["x-incode-hardware-id"] for request in api.about(session_id)]

    assert [line["reason"] for line in said(lines, "token")] == [
        None, "invalid_client", "invalid_client", "invalid_request", "unsupported_grant_type", "invalid_request",
        "invalid_client"]
    assert [(line.get("tokenIssued"), line.get("tokenRefused")) for line in said(lines, "token")] == [
        (1, None), *[(None, 1)] * 6]
    keys = [secret for member, secret in api.credentials.items() if member != "baseUrl"]
    logins = [asked.header("authorization").split()[-1] for asked in (mine, bad[0])]
    assert_discreet(lines, "canary", token, *token.split(".")[1:], *logins, *given, *keys)
