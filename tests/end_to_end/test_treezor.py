"""Treezor: what it signs and how, who may send without a signature, and which of two webhooks counts."""
from __future__ import annotations

import collections
import contextlib
import json
import re
import socket
import threading
import uuid
from dataclasses import replace

import pytest
from attacks import on_binaries
from stack.deployment import webhooks

from .deliveries import BYTES, TREEZOR, Delivery, as_event, envelope, post, post_all, treezor_signature, with_token
from .functions import Ended, copy
from .inbox import quarantined_body
from .table import items, size
from .test_vectors import delivery_lines

# What leaves no trace leaves the whole table as large as it was.
pytestmark = pytest.mark.usefixtures("nobody_else_notifies")

TOKEN = TREEZOR.keys["urlTokens"][0]
#: When two webhooks were made, in the unsigned part of Treezor's: 14 digits count tenths of milliseconds.
EARLIER, LATER = "17812566000000", "17812566300000"


def delivery(body: bytes) -> Delivery:
    """With the right token."""
    return with_token(Delivery(body, (("content-type", "text/plain; charset=UTF-8"),), TREEZOR.path), TOKEN)


def review(user: str, kyc_review: int, modified: str = "2026-06-12 09:30:00", **more) -> dict:
    """A payload that tells of a user's review."""
    return {"users": [{"userId": user, "kycReview": str(kyc_review), "modifiedDate": modified, **more}]}


def signed(payload: dict, **members) -> Delivery:
    text = json.dumps(payload, separators=(",", ":"))
    return delivery(envelope(text, treezor_signature(text), **members))


def decision_of(verdict, session: str):
    record = verdict.session("treezor", session)
    return record and record["decision"] and record["decision"]["outcome"]


def told(decisions, session: str) -> list[str]:
    return [message.body["data"]["outcome"] for message in decisions.about(session)]


# ---- The canonical form ----

#: A payload as an emitter could write it, with the id of its user to be put in, …
WRITTEN = """{
  "users" : [ {
    "userId" : "USER",
    "kycReview" : 2,
    "modifiedDate" : "2026-06-12 09:30:00",
    "site" : "https://example.com/a",
    "city" : "Škofja Loka, Österreich, 名前",
    "astral" : "🪪",
    "delete" : "\x7f",
    "markup" : "<a href='x'>&amp;</a>",
    "controls" : "\\u0000\\u001F\\b\\f\\n\\r\\t\\u000b",
    "slashes" : "\\/ \\\\ \\"",
    "numbers" : [ 10.0, 1.0e+25, -0, 1E5, 9007199254740993 ],
    "keys" : { "10" : 1, "9" : 2, "1" : 3 },
    "nothing" : [ { }, [ ], "", null, true ]
  } ]
}"""
#: … and the same as PHP's `json_encode` has it, written down by hand.
SIGNED = (
    r'{"users":[{"userId":"USER","kycReview":2,"modifiedDate":"2026-06-12 09:30:00","site":"https:\/\/example.com\/a",'
    r'"city":"\u0160kofja Loka, \u00d6sterreich, \u540d\u524d","astral":"\ud83e\udeaa","delete":"' "\x7f"
    r'''","markup":"<a href='x'>&amp;<\/a>","controls":"\u0000\u001f\b\f\n\r\t\u000b","slashes":"\/ \\ \"",'''
    r'"numbers":[10.0,1.0e+25,-0,1E5,9007199254740993],"keys":{"10":1,"9":2,"1":3},"nothing":[{},[],"",null,true]}]}')


def canonical(session_id: str, written: str = WRITTEN) -> Delivery:
    """The payload as written, under the signature of its PHP form."""
    signature = treezor_signature(SIGNED.replace("USER", session_id))
    return delivery(envelope(written.replace("USER", session_id), signature))


@pytest.mark.parametrize("content_type", ["text/plain; charset=UTF-8", "application/json", BYTES])
def test_a_payload_may_be_spelled_otherwise_than_it_was_signed(verdict, session_id, content_type):
    sent = canonical(session_id).but("content-type", content_type)
    answer = post(verdict, sent)
    assert (answer.status, answer.outcome, answer.session) == (200, "recorded", f"treezor/user:{session_id}")
    assert decision_of(verdict, f"user:{session_id}") == "approved"


def test_a_payload_in_its_php_form_is_the_same_fact(verdict, session_id):
    assert post(verdict, canonical(session_id)).outcome == "recorded"
    assert post(verdict, canonical(session_id, SIGNED)).outcome == "duplicate"


@on_binaries("a signed payload of Treezor's spelled another way")
@pytest.mark.parametrize("change", [
    ("10.0", "10.1"), ("10.0", "10"), ("1.0e+25", "1.0e+26"), ("1.0e+25", "1.0E+25"), ("-0", "0"), ("1E5", "100000"),
    ("9007199254740993", "9007199254740992"), ('"kycReview" : 2', '"kycReview" : 3'), ("{ }", "[ ]"), ("[ ]", "{ }"),
    ('"10" : 1, "9" : 2', '"9" : 2, "10" : 1'), ("🪪", "🪫"), ("\x7f", ""), ("Ö", "O"), ("\\b", "b"), ("null", "false"),
    ('"astral"', '"Astral"'),
], ids=" → ".join)
def test_a_payload_with_another_digit_or_letter_is_refused(verdict, session_id, change):
    right, wrong = change
    assert right in WRITTEN
    assert_refused(verdict, canonical(session_id, WRITTEN.replace(right, wrong, 1)))


def test_a_payload_signed_as_it_stands_need_not_be_in_php_form(verdict, session_id):
    written = WRITTEN.replace("USER", session_id)
    assert post(verdict, delivery(envelope(written, treezor_signature(written)))).outcome == "recorded"


# ---- Refusals ----

def refusals(session_id: str) -> dict[str, Delivery]:
    right = signed(review(session_id, 2))
    unsigned = delivery(envelope(json.dumps(review(session_id, 2)), None))
    return {
        "no token": with_token(right),
        "empty token": with_token(right, ""),
        "wrong token": with_token(right, TOKEN[:-1] + "x"),
        "token in capitals": with_token(right, TOKEN.upper()),
        "token twice": with_token(right, TOKEN, TOKEN),
        "right and wrong token": with_token(right, TOKEN, "x" * 40),
        "wrong and right token": with_token(right, "x" * 40, TOKEN),
        "token under another name": replace(right, path=f"{TREEZOR.path}?Token={TOKEN}"),
        "token in a header": with_token(right).plus(("token", TOKEN), ("authorization", f"Bearer {TOKEN}")),
        "no signature": unsigned,
        "empty signature": delivery(envelope(json.dumps(review(session_id, 2)), "")),
        "wrong signature": delivery(envelope(json.dumps(review(session_id, 2)), treezor_signature("{}"))),
        "signature in a header": unsigned.plus(
            ("x-treezor-signature", treezor_signature(json.dumps(review(session_id, 2))))),
        "no envelope": delivery(json.dumps(review(session_id, 2)).encode()),
        "no JSON": delivery(b"webhook=user.kycreview"),
        "nothing": delivery(b""),
    }


def assert_refused(verdict, sent: Delivery):
    before = size(verdict)
    answer = post(verdict, sent)
    assert (answer.status, answer.outcome, answer.session) == (500, "refused", None)
    assert size(verdict) == before
    return answer


@on_binaries("a forged webhook, or one with another proof")
@pytest.mark.parametrize("why", refusals(""))
def test_whatever_is_refused_gets_the_same_answer_from_the_500s(verdict, session_id, why):
    answer = assert_refused(verdict, refusals(session_id)[why])
    assert answer.body == '{"error":{"code":"unauthorized"}}'
    assert verdict.session("treezor", f"user:{session_id}") is None


# ---- Without a signature ----

def kyc_review(session_id: str) -> dict:
    return {"userId": session_id, "kycReview": 2, "kycStatus": "VALIDATED",
            "lastReviewDatetime": "2026-06-12T09:30:00Z"}


@pytest.fixture(scope="module", name="unsigned_allowed")
def fixture_unsigned_allowed(verdict):
    """The function of an operator who has asked for reviews without a signature."""
    keys = json.dumps({**TREEZOR.keys, "unsignedReviews": True})
    with copy(verdict, "TreezorWebhooks", TREEZOR_CREDENTIALS=keys) as function:
        yield function


def assert_refused_by(function, sent: Delivery):
    before = size(function.stack)
    answer = function.answer(as_event(sent))
    assert (answer.status, answer.outcome, answer.session) == (500, "refused", None)
    assert size(function.stack) == before


@on_binaries("a review of Treezor's without a signature")
def test_a_review_may_not_come_unsigned_unless_it_is_asked_for(verdict, session_id):
    unsigned = delivery(envelope(json.dumps(kyc_review(session_id)), webhook="kycreview.result"))
    assert_refused(verdict, unsigned)
    text = json.dumps(kyc_review(session_id))
    assert post(verdict, delivery(envelope(text, treezor_signature(text), webhook="kycreview.result"))).outcome == "recorded"


@on_binaries("a review of Treezor's without a signature")
def test_a_review_may_come_unsigned_where_that_is_asked_for_and_the_url_holds_the_token(
        verdict, session_id, unsigned_allowed):
    unsigned = delivery(envelope(json.dumps(kyc_review(session_id)), webhook="kycreview.result"))
    assert_refused_by(unsigned_allowed, with_token(unsigned))
    assert_refused_by(unsigned_allowed, with_token(unsigned, "x" * 40))
    answer = unsigned_allowed.answer(as_event(unsigned))
    assert (answer.outcome, answer.session) == ("recorded", f"treezor/user:{session_id}")
    assert decision_of(verdict, f"user:{session_id}") == "approved"


@pytest.mark.parametrize("name, decision", [("kycreview-request", None), ("kycreview-result-unsigned", "approved")])
def test_a_review_comes_unsigned_as_it_is_printed(verdict, session_id, unsigned_allowed, name, decision):
    event = json.loads((webhooks.EVENTS / "treezor" / f"{name}.json").read_text("utf-8"))
    printed = json.loads(event["body"])
    printed.pop("object_payload_signature", None)
    printed["object_payload"]["userId"] = printed["object_id"] = session_id
    answer = unsigned_allowed.answer({**event, "body": json.dumps(printed)})
    assert (answer.outcome, answer.session) == ("recorded", f"treezor/user:{session_id}")
    assert decision_of(verdict, f"user:{session_id}") == decision


def test_nobody_can_ask_for_reviews_without_a_signature_and_without_a_token(verdict):
    keys = json.dumps({"secrets": TREEZOR.keys["secrets"], "unsignedReviews": True})
    with copy(verdict, "TreezorWebhooks", TREEZOR_CREDENTIALS=keys) as function, pytest.raises(Ended):
        function.answer(as_event(delivery(b"{}")))


@on_binaries("a review of Treezor's without a signature")
@pytest.mark.parametrize("signature", ["", "x", treezor_signature("{}")], ids=["empty", "malformed", "another's"])
def test_the_token_rescues_no_signature_that_is_wrong(unsigned_allowed, session_id, signature):
    payload = json.dumps(kyc_review(session_id))
    assert_refused_by(unsigned_allowed, delivery(envelope(payload, signature, webhook="kycreview.result")))


@on_binaries("a review of Treezor's without a signature")
@pytest.mark.parametrize("webhook", ["user.kycreview", "kycliveness.update", "KYCREVIEW.result", "", None, 1])
def test_nothing_but_a_review_may_come_unsigned(unsigned_allowed, session_id, webhook):
    assert_refused_by(unsigned_allowed, delivery(envelope(json.dumps(kyc_review(session_id)), webhook=webhook)))


@on_binaries("a review of Treezor's without a signature")
@pytest.mark.parametrize("payload", [
    lambda user: review(user, 2),
    lambda user: {"kyc-status": "processed", "score": 1, "user_id": user},
    lambda user: {"result": "SUCCESS", "transactionNumber": user},
], ids=["users", "liveness", "identification"])
def test_an_unsigned_review_holds_nothing_else_than_a_review(unsigned_allowed, session_id, payload):
    assert_refused_by(unsigned_allowed, delivery(envelope(json.dumps(payload(session_id)), webhook="kycreview.result")))


# ---- What is captured ----

@on_binaries("a signed payload of Treezor's spelled another way")
def test_a_text_that_is_no_json_is_refused_though_its_canonical_form_is_signed(verdict, session_id):
    text = json.dumps(review(session_id, 2, x=10), separators=(",", ":"))
    signature = treezor_signature(text)
    spoiled = text.replace(":10", ":1 0")
    assert spoiled != text
    assert_refused(verdict, delivery(envelope(spoiled, signature)))
    assert post(verdict, delivery(envelope(text, signature))).outcome == "recorded"


@on_binaries("a captured liveness of Treezor's under another identification")
def test_a_liveness_counts_under_the_first_identification_that_it_came_with(verdict, session_id):
    other = str(uuid.uuid4())
    payload = {"kyc-status": "processed", "score": 1, "user_id": "7", "updated-at": "2026-06-12T09:30:00Z",
               "nonce": session_id}
    first = signed(payload, webhook="kycliveness.update", object_id=session_id)
    assert post(verdict, first).outcome == "recorded"
    before = size(verdict)
    for name in ("kycliveness.update", "kycliveness.create"):
        assert post(verdict, signed(payload, webhook=name, object_id=other)).outcome == "duplicate"
    assert size(verdict) == before
    assert verdict.session("treezor", f"identification:{other}") is None
    assert post(verdict, first).outcome == "duplicate"


@on_binaries("a captured liveness of Treezor's under another identification")
@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)], ids=["in order", "reversed"])
def test_an_identification_of_two_users_decides_nothing(verdict, decisions, session_id, arrival):
    sent = [signed({"kyc-status": "processed", "score": 1, "user_id": user, "updated-at": "2026-06-12T09:30:00Z",
                    "nonce": session_id}, webhook="kycliveness.update", object_id=session_id) for user in ("7", "8")]
    assert [post(verdict, sent[position]).outcome for position in arrival] == ["recorded"] * 2
    assert verdict.session("treezor", f"identification:{session_id}")["decision"] is None
    types = [message.body["type"] for message in decisions.about(f"identification:{session_id}")]
    assert types == ["verdict.decision.v1", "verdict.decision_withdrawn.v1"]


# ---- Subscriptions ----

@contextlib.contextmanager
def listener():
    """Somebody whom nobody should call: the URL, and the connections that came all the same."""
    came = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        def listen():
            with contextlib.suppress(OSError):
                while True:
                    connection, caller = server.accept()
                    connection.close()
                    came.append(caller)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/confirm?Token=canary-subscription", came
        # What came before this has been counted once this is.
        with socket.create_connection(server.getsockname()) as last:
            ours = last.getsockname()
            while ours not in came:
                thread.join(0.01)
        came.remove(ours)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@on_binaries("a call about a subscription that nobody made")
@pytest.mark.parametrize("sort, reason", [
    ("SubscriptionConfirmation", "subscription_confirmation"), ("UnsubscribeConfirmation", "unsubscribe_confirmation"),
])
def test_a_call_of_the_transport_is_kept_as_sent_and_never_followed(verdict, quarantine, session_id, sort, reason):
    before = size(verdict)
    with copy(verdict, "TreezorWebhooks", VERDICT_LOG="trace") as function, listener() as (url, came):
        asked = delivery(json.dumps({
            "Type": sort, "MessageId": "canary-message", "Token": f"canary-token-{session_id}",
            "TopicArn": "canary-topic", "SubscribeURL": url, "Message": "canary-text"}).encode())
        by_header = asked.plus(("x-amz-sns-message-type", sort))
        for sent in (asked, by_header, replace(by_header, body=f"{url} {session_id}".encode())):
            answer = function.answer(as_event(sent))
            assert (answer.status, answer.outcome, answer.session, answer.body) == (200, "quarantined", None, "{}")
            kept = quarantine.holding(sent.body)[-1]
            assert (kept.body["reason"], quarantined_body(kept)) == (reason, sent.body)
        assert function.answer(as_event(with_token(by_header))).outcome == "refused"
        assert function.answer(as_event(signed(review(session_id, 1)))).outcome == "recorded"
        delivery_lines(verdict, function, 5)
        lines = [line["message"] for line in verdict.client("logs").filter_log_events(
            logGroupName=function.log_group)["events"]]
    assert came == []
    warnings = [line for line in lines if '"level":"WARN"' in line]
    assert len(warnings) == 3 and all("subscription" in line for line in warnings)
    assert not [line for line in lines if "canary" in line or url in line]
    assert size(verdict) - before == len(items(verdict, f"user:{session_id}", provider="treezor"))


# ---- Envelopes ----

def test_flat_and_wrapped_are_the_same_webhook(verdict, session_id):
    text = json.dumps(review(session_id, 2), separators=(",", ":"))
    flat = envelope(text, treezor_signature(text), webhook_id="w-1", webhook_created_at=17812566000000)
    wrapped = b'{"messageId":"m","webhookId":"w-1","webhook":' + flat + b',"clientId":"c"}'
    assert post(verdict, delivery(wrapped)).outcome == "recorded"
    assert post(verdict, delivery(flat)).outcome == "duplicate"
    assert decision_of(verdict, f"user:{session_id}") == "approved"


@on_binaries("a signed payload of Treezor's spelled another way")
@pytest.mark.parametrize("twice", [
    b'{"object_payload":{"users":[]},', b'{"object_payload_signature":"x",', b'{"webhook":"user.kycreview",',
    b'{"webhook":{},', b'{"object_p\\u0061yload":{},',
])
def test_an_envelope_in_which_two_readers_could_find_different_things_is_refused(verdict, session_id, twice):
    right = signed(review(session_id, 2))
    assert_refused(verdict, replace(right, body=twice + right.body[1:]))


@pytest.mark.parametrize("count", [2, 20])
def test_every_user_of_a_webhook_is_recorded(verdict, decisions, session_id, count):
    users = [f"{session_id}-{number}" for number in range(count)]
    states = [2, 3] * (count // 2)
    payload = {"users": [review(user, state)["users"][0] for user, state in zip(users, states)]}

    answer = post(verdict, signed(payload))

    assert (answer.outcome, answer.session) == ("recorded", f"treezor/user:{users[0]}")
    outcomes = ["approved", "declined"] * (count // 2)
    assert [decision_of(verdict, f"user:{user}") for user in users] == outcomes
    assert [told(decisions, f"user:{user}") for user in users] == [[outcome] for outcome in outcomes]


def test_every_document_of_a_webhook_is_recorded(verdict, session_id):
    other = str(uuid.uuid4())
    document = {"documentId": 1, "userId": session_id, "documentStatus": "VALIDATED", "codeStatus": "600003",
                "modifiedDate": "2026-06-12 09:20:00"}
    documents = [document, {**document, "documentId": 2, "documentStatus": "PENDING"},
                 {**document, "documentId": 3, "userId": other, "documentStatus": "CANCELED"}]

    answer = post(verdict, signed({"documents": documents}, webhook="document.update"))

    assert (answer.outcome, answer.session) == ("recorded", f"treezor/user:{session_id}")
    checks = verdict.session("treezor", f"user:{session_id}")["checks"]
    assert {name: check["outcome"] for name, check in checks.items()} == {
        "document:1": "passed", "document:2": "pending"}
    checks = verdict.session("treezor", f"user:{other}")["checks"]
    assert {name: check["outcome"] for name, check in checks.items()} == {"document:3": "cancelled"}


# ---- Order ----

@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)], ids=["in order", "reversed"])
def test_of_two_reviews_at_the_same_second_the_one_sent_later_counts(verdict, session_id, arrival):
    sent = [signed(review(session_id, 2), webhook_id="1", webhook_created_at=EARLIER),
            signed(review(session_id, 3), webhook_id="2", webhook_created_at=LATER)]
    assert [post(verdict, sent[position]).outcome for position in arrival] == ["recorded"] * 2
    assert decision_of(verdict, f"user:{session_id}") == "declined"


@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)], ids=["in order", "reversed"])
def test_of_two_reviews_the_one_changed_later_counts_whenever_it_was_sent(verdict, session_id, arrival):
    sent = [signed(review(session_id, 2, "2026-06-12 09:30:00"), webhook_id="1", webhook_created_at=LATER),
            signed(review(session_id, 3, "2026-06-12 09:30:01"), webhook_id="2", webhook_created_at=EARLIER)]
    assert [post(verdict, sent[position]).outcome for position in arrival] == ["recorded"] * 2
    assert decision_of(verdict, f"user:{session_id}") == "declined"


@on_binaries("a captured webhook of Treezor's in another envelope")
@pytest.mark.parametrize("unsigned", [
    {"webhook": "user.kycrequest"},
    {"webhook": "kycreview.result"},
    {"webhook": "qes.finalized"},
    {"webhook": "user.kycreview", "webhook_id": "another"},
    {"webhook": "user.kycreview", "webhook_created_at": 99999999999999},
    {"webhook": "user.kycreview", "webhook_created_at": "9999999999", "webhook_id": "x", "object_id": "x"},
    {"webhook": "document.create", "webhook_id": "y", "webhook_created_at": 4102444800000},
], ids=lambda unsigned: " ".join(map(str, unsigned.values())))
def test_an_old_approval_under_another_name_undoes_no_refusal(verdict, decisions, session_id, unsigned):
    approval, refusal = review(session_id, 2, "2026-06-12 09:30:00"), review(session_id, 3, "2026-06-12 09:45:00")
    assert post(verdict, signed(approval, webhook_id="1", webhook_created_at=EARLIER)).outcome == "recorded"
    assert post(verdict, signed(refusal, webhook_id="2", webhook_created_at=LATER)).outcome == "recorded"

    assert post(verdict, signed(approval, **unsigned)).status == 200

    assert decision_of(verdict, f"user:{session_id}") == "declined"
    assert told(decisions, f"user:{session_id}") == ["approved", "declined"]


@pytest.mark.parametrize("created_at, shown", [
    (1781256600, "2026-06-12T09:30:00Z"), ("1781256600", "2026-06-12T09:30:00Z"),
    (1781256600123, "2026-06-12T09:30:00.123Z"), (17812566001234, "2026-06-12T09:30:00.1234Z"),
])
def test_a_webhook_without_a_time_in_its_payload_has_the_time_it_was_sent(verdict, session_id, created_at, shown):
    payload = {"users": [{"userId": session_id, "kycReview": "2", "modifiedDate": "0000-00-00 00:00:00"}]}
    post(verdict, signed(payload, webhook_created_at=created_at))
    assert verdict.session("treezor", f"user:{session_id}")["decision"]["decidedAt"] == shown


@on_binaries("a captured webhook of Treezor's in another envelope")
def test_the_same_webhook_fifty_times_twenty_at_once_is_one_event(verdict, decisions, session_id):
    sent = signed(review(session_id, 2), webhook_id="1", webhook_created_at=EARLIER)
    answers = post_all(verdict, [sent] * 50, at_once=20)
    assert collections.Counter((answer.status, answer.outcome) for answer in answers) == {
        (200, "recorded"): 1, (200, "duplicate"): 49}
    assert len(items(verdict, f"user:{session_id}", "EVENT", "treezor")) == 1
    assert told(decisions, f"user:{session_id}") == ["approved"]


# ---- What is not ours ----

@pytest.mark.parametrize("webhook", [
    "payin.create", "card.update", "transaction.create", "user.update", "nobody-knows"])
def test_other_events_are_acknowledged_and_not_stored(verdict, session_id, webhook):
    before = size(verdict)
    answer = post(verdict, signed(review(session_id, 2), webhook=webhook))
    assert (answer.status, answer.outcome, answer.body) == (200, "ignored", "{}")
    assert size(verdict) == before


def test_an_event_that_is_not_ours_needs_its_signature_too(verdict, session_id):
    right = signed(review(session_id, 2), webhook="payin.create")
    assert_refused(verdict, replace(right, body=re.sub(b'"kycReview":"2"', b'"kycReview":"3"', right.body)))
