"""Every conformance vector, sent to the function itself as the event that the gateway would make of it."""
from __future__ import annotations

import collections
import hmac
import itertools
import json
import re
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import proofs
import pytest
from stack.deployment import ROOT, webhooks

from .deliveries import SENDERS, Delivery, Sender, as_event
from .functions import Function, copy, deployed

VECTORS = ROOT / "tests/vectors"
#: The fewest vectors of a provider that are sent.
FEWEST = 60
AT_ONCE = 4
PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Verdict:
    """What a function said of a vector."""

    answer: webhooks.Answer
    logged: dict  # its line about the delivery


def vectors(provider: str) -> list[dict]:
    return json.loads((VECTORS / f"{provider}.json").read_text("utf-8"))


def needs_its_own_time(vector: dict) -> bool:
    """Whether its verdict hangs on a token that had not expired then, and has by now. What is wrong with the form of a
    token, or with its signature, is seen before."""
    if "now" not in vector or vector["refusal"] not in (None, "authorization_mismatch"):
        return False
    tokens = [value[len("Bearer "):].strip().rpartition(".") for _, value in vector["headers"]]
    keys = vector["credentials"]["oauth"]["signingKeys"]
    return any(signature == proofs.base64url(hmac.digest(key.encode(), signed.encode(), "sha256")).decode()
               for signed, _, signature in tokens for key in keys)


#: The names of methods and headers in HTTP, and what no value of a header can hold.
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def is_http(vector: dict) -> bool:
    """Whether an HTTP request could carry it. API Gateway sends no event for any other; the function refuses such an
    event before it looks for a proof. No method at all is read, as GET."""
    return TOKEN.fullmatch(vector["method"] or "GET") is not None and all(
        TOKEN.fullmatch(name) and not CONTROLS.search(value) for name, value in vector["headers"])


def event_of(vector: dict) -> dict:
    body = vector["body"] if "body" in vector else vector["bodyBase64"]
    query = urllib.parse.urlencode([tuple(pair) for pair in vector.get("query", [])])
    event = as_event(Delivery(b"", (), method=vector["method"]))
    event["requestContext"]["http"].pop("sourceIp", None)
    if "source" in vector:
        event["requestContext"]["http"]["sourceIp"] = vector["source"]
    return {
        **event, "routeKey": "$default", "rawPath": vector["path"], "rawQueryString": query,
        "headers": each_apart(vector["headers"]), "body": body, "isBase64Encoded": "bodyBase64" in vector}


def each_apart(headers: list) -> dict:
    """Headers as an event holds them, where only names that differ in case can stand beside each other. Whoever reads
    a header whatever its case finds as many of it as there were."""
    apart: dict = {}
    for name, value in headers:
        spellings = ("".join(letters) for letters in itertools.product(*({letter, letter.upper()} for letter in name)))
        free = name if name not in apart else next(spelling for spelling in spellings if spelling not in apart)
        apart[free] = value
    return apart


def told(verdict, sender: Sender, credentials: str, same_credentials: list[dict]) -> list[tuple[dict, Verdict]]:
    """The verdicts on the vectors of some credentials, each sent once the one before is answered."""
    with copy(verdict, sender.function, **{f"{sender.provider.upper()}_CREDENTIALS": credentials}) as function:
        answers = [function.answer(event_of(vector)) for vector in same_credentials]
        lines = delivery_lines(verdict, function, len(answers))
    assert [line["outcome"] for line in lines] == [answer.outcome for answer in answers]
    return [(vector, Verdict(*pair)) for vector, pair in zip(same_credentials, zip(answers, lines))]


def delivery_lines(verdict, function: Function, count: int) -> list[dict]:
    """The function's lines about deliveries, in order, once there are that many."""
    pages = verdict.client("logs").get_paginator("filter_log_events")
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        lines = [line["message"] for page in pages.paginate(logGroupName=function.log_group)
                 for line in page["events"] if '"message":"delivery"' in line["message"]]
        if len(lines) >= count:
            return list(map(json.loads, lines))
        assert time.monotonic() < end, f"{len(lines)} of {count} deliveries are in the log"
        time.sleep(0.1)


@pytest.fixture(scope="module", params=SENDERS, ids=str)
def sender(request):
    return request.param


@pytest.fixture(scope="module")
def verdicts(verdict, sender) -> list[tuple[dict, Verdict]]:
    """Every vector of the provider that can be sent, with what became of it."""
    by_credentials = collections.defaultdict(list)
    for vector in vectors(sender.provider):
        if is_http(vector) and not needs_its_own_time(vector):
            by_credentials[json.dumps(vector["credentials"])].append(vector)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        groups = pool.map(lambda group: told(verdict, sender, *group), by_credentials.items())
        return [pair for group in groups for pair in group]


def test_enough_of_them_are_sent(sender, verdicts, figures):
    possible = [vector for vector in vectors(sender.provider) if is_http(vector)]
    left_out = sum(map(needs_its_own_time, possible))
    codes = {said.logged["reason"] for vector, said in verdicts if vector["verdict"] == "refused"}
    figures.append(f"{sender.provider}: {len(verdicts)} conformance vectors sent, {len(codes)} refusal codes seen"
                   + (f"; {left_out} left out, since their tokens have expired by now" if left_out else ""))
    assert len(verdicts) + left_out == len(possible)
    assert len(verdicts) >= FEWEST
    assert left_out == 0 or sender.provider == "incode"


def test_what_is_no_http_request_is_refused_unread(verdict, sender):
    impossible = [vector for vector in vectors(sender.provider) if not is_http(vector)]
    answers = [deployed(verdict, sender.function).answer(event_of(vector)) for vector in impossible]
    assert {(answer.status, answer.outcome) for answer in answers} == {(400, "refused")}
    assert all("event_unreadable" in answer.body for answer in answers)


def test_what_is_genuine_is_let_in(verdicts):
    refused = {vector["name"]: said.logged["reason"] for vector, said in verdicts if vector["verdict"] == "genuine"
               and (said.answer.status != 200 or said.answer.outcome in ("refused", "failed"))}
    assert refused == {}


def test_what_is_not_genuine_is_refused_for_the_right_reason(verdicts):
    wrong = {vector["name"]: (vector["refusal"], said.answer.outcome, said.logged["reason"])
             for vector, said in verdicts if vector["verdict"] == "refused"
             and (said.answer.outcome, said.logged["reason"]) != ("refused", vector["refusal"])}
    assert wrong == {}


def test_all_refusals_have_one_answer_but_for_a_path_that_is_none(sender, verdicts):
    answers = collections.defaultdict(list)
    for vector, said in verdicts:
        if vector["verdict"] == "refused":
            answers[404 if vector["refusal"] == "path_unknown" else sender.refusal].append(said.answer)
    for status, alike in answers.items():
        assert alike == [alike[0]] * len(alike)
        assert (alike[0].status, alike[0].outcome, alike[0].session) == (status, "refused", None)
    assert len(answers) == 2
