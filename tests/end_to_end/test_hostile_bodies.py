"""Bodies meant to choke on, rightly signed: each is answered in time, and nothing of it is lost."""
from __future__ import annotations

import gzip
import os
import time
import urllib.parse
import uuid
from dataclasses import replace
from typing import Callable

import pytest
from attacks import on_binaries

from .deliveries import (
    BYTES, EVENTS, INCODE, JSON, SENDERS, TREEZOR, VERIFF, WULTRA, Sender, decision, genuine, post, room)
from .inbox import quarantined_body

pytestmark = [pytest.mark.usefixtures("believing"), on_binaries("a hostile body under a genuine proof")]

# Veriff hangs up after 5 s, and calls that a failure; Wultra may, too. Seen here are fractions of one.
PATIENCE_SECONDS = 5


def nested(depth: int, sender: Sender) -> str:
    """A member with which the whole body is that deep."""
    arrays = depth - sender.depth
    return ',"deep":' + "[" * arrays + "]" * arrays


def members(count: int) -> str:
    return "".join(f',"m{number}":{number}' for number in range(count))



def large(room: int) -> dict[str, str]:
    """Such members as take nearly all the room that a body has, by what they are."""
    return {
        "much image": f',"x":"{"iVBORw0KGgo" * (room // 11)}"',
        "much text": f',"x":"{"two words " * (room // 10)}"',
        "much of escapes": f',"x":"{chr(92)}u0041' + f'{chr(92)}u0041' * (room // 6 - 1) + '"',
        "much white space": " " * room,
        "many small members": members(room // 16),
        "a long list": ',"x":[' + "0," * min(room // 2, 590_000) + "0]",
    }


# What follows the session id in the body, by what it is; `x` is a member that nobody knows.
RECORDED = {
    "a megabyte of name": f',"{"n" * 1_000_000}":1',
    "a hundred thousand times the same member": ',"x":1' * 100_000,
    "a member that nobody knows, twice": ',"x":1,"x":2',
    "lone surrogates in names": r',"\ud800":1,"\udfff":2',
    "lone surrogates in a text": r',"x":"\udbff\udbff"',
    "NUL in a text and a name": r',"x":"a\u0000b","\u0000":1',
    "numbers beyond any type": ',"x":1e400,"y":-1e-400,"z":' + "9" * 4000,
    "minus zero and 2^53 + 1": ',"x":-0,"y":9007199254740993',
    "names of object prototypes": ',"__proto__":{"status":"declined"},"constructor":{"prototype":1}',
    "lines for a log": r',"x":"\r\n{\"level\":\"ERROR\"}","y":"${jndi:ldap://x}"',
    "a date that is none": ',"x":"0000-00-00","y":"1989-00-00"',
}
RECORDED_OF = {
    VERIFF: {
        "a person's member twice": ',"person":{"firstName":"A","firstName":"B"}',
        "lone surrogates in known texts": r',"reason":"\ud800","vendorData":"\udfff"',
        "NUL in known texts": r',"reason":"a\u0000b","vendorData":"c\u0000d"',
        "numbers for texts": ',"reason":-0,"vendorData":' + "9" * 400,
        "every member null": ',"person":null,"vendorData":null,"reason":null,"additionalVerifiedData":null',
        "every member of another type":
            ',"person":[],"document":1,"vendorData":{},"reason":[],"reasonCode":true,"endUserId":[1]',
        "a kilobyte of reason code": f',"reasonCode":"{"1" * 1000}"',
        "a megabyte of reference": f',"vendorData":"{"r" * 1_000_000}"',
        "a date that is none": ',"acceptanceTime":"0000-00-00"',
    },
    INCODE: {
        "lone surrogates in known texts": r',"externalId":"\udfff","customerId":"\ud800"',
        "NUL in known texts": r',"externalId":"c\u0000d"',
        "numbers for texts": ',"customerId":-0,"externalId":' + "9" * 400,
        "every member null": ',"externalId":null,"customerId":null,"clientId":null,"flowId":null',
        "every member of another type": ',"externalId":{},"customerId":[],"clientId":true,"sessionId":[1]',
        "a megabyte of reference": f',"externalId":"{"r" * 1_000_000}"',
    },
    TREEZOR: {
        "lone surrogates in known texts": r',"kycReviewComment":"\ud800","codeStatus":"\udfff"',
        "NUL in known texts": r',"kycReviewComment":"a\u0000b"',
        "numbers for texts": ',"kycReviewComment":1e400,"kycLevel":' + "9" * 400,
        "every member null": ',"kycStatus":null,"kycLevel":null,"kycReviewComment":null,"codeStatus":null',
        "every member of another type": ',"kycStatus":{},"kycLevel":[],"kycReviewComment":true,"codeStatus":[1]',
        "a megabyte of comment": f',"kycReviewComment":"{"r" * 1_000_000}"',
    },
    WULTRA: {
        "lone surrogates in known texts": r',"userId":"\udfff","externalUserId":"\ud800","processType":"\udbff"',
        "NUL in known texts": r',"userId":"c\u0000d","identityVerificationId":"\u0000"',
        "numbers for texts": ',"externalUserId":-0,"userId":' + "9" * 400,
        "every member null": ',"id":null,"userId":null,"externalUserId":null,"processType":null',
        "every member of another type": ',"id":[],"userId":{},"externalUserId":true,"processType":[1]',
        "a megabyte of reference": f',"userId":"{"r" * 1_000_000}"',
        "a megabyte of event id": f',"id":"{"i" * 1_000_000}"',
        "a lone surrogate in the event's id": r',"id":"\ud800"',
    },
}


def recorded(sender: Sender) -> dict:
    deep = {"126 levels": nested(126, sender), "a hundred thousand levels in a text": f',"x":"{"[" * 100_000}"'}
    return {**RECORDED, **large(room(sender)), **deep, **RECORDED_OF[sender]}


def unreadable(sender: Sender) -> dict:
    """What quarantine calls a body, and the body, or what stands in its place in Treezor's envelope; by what it is. Of
    these, every text is one and everything is closed that is opened: that much an envelope asks for."""
    def approval(session: str, more: str = "") -> bytes:
        return sender.approval(session, more).encode()

    return {
        "127 levels": ("too_deep", approval('"a"', nested(127, sender))),
        "a hundred thousand levels": ("too_deep", approval('"a"', nested(100_000, sender))),
        "two session ids": ("ambiguous", twice(sender, '"a"', '"b"')),
        "two session ids that agree": ("ambiguous", twice(sender, '"a"', '"a"')),
        "two decisions": ("ambiguous", DECIDED_TWICE[sender].encode()),
        "two decisions, one escaped": ("ambiguous", escaped_once(DECIDED_TWICE[sender]).encode()),
        "a lone surrogate in the session id": ("unusable_id", approval(r'"a\ud800"')),
        "a session id of 1025 bytes": ("unusable_id", approval('"' + "a" * 1025 + '"')),
        "a session id of a million digits": ("unusable_id", approval("9" * 1_000_000)),
        "an empty session id": ("no_session_id", approval('""')),
        "a blank session id": ("no_session_id", approval('" \\t "')),
        "a session id of null": ("no_session_id", approval("null")),
        "a session id of another type": ("no_session_id", approval('["a"]')),
        "an empty object": ("no_session_id", b"{}"),
        "a comment": ("not_json", approval('"a"', "/* approved */")),
        "NaN": ("not_json", approval('"a"', ',"x":NaN')),
        "Infinity": ("not_json", approval('"a"', ',"x":-Infinity')),
        "a trailing comma": ("not_json", approval('"a"', ",")),
        "no comma": ("not_json", approval('"a"', '"x":1')),
        "single quotes": ("not_json", approval("'a'")),
        "half a number": ("not_json", approval('"a"', ',"x":1.')),
    }


def twice(sender: Sender, first: str, second: str) -> bytes:
    """An approval with two ids of a session."""
    ids = ("id", "interviewId", "userId", "processId")
    [member] = [name for name in ids if f'"{name}":' in sender.approval("", "")]
    return sender.approval(first, f',"{member}":{second}').encode()


DECIDED_TWICE = {
    VERIFF: VERIFF.approval('"a"', ',"status":"declined"'),
    INCODE: INCODE.approval('"a"', ',"onboardingStatus":"MANUAL_REVIEW_REJECTED"'),
    TREEZOR: TREEZOR.approval('"a"', ',"kycReview":"3"'),
    WULTRA: WULTRA.approval('"a"', ',"eventData":{"process":{"status":"FAILED"}}'),
}


def escaped_once(text: str) -> str:
    """The same JSON with a letter of its last decision's member escaped."""
    for name, spelled in [("status", r"st\u0061tus"), ("onboardingStatus", r"onbo\u0061rdingStatus"),
                          ("kycReview", r"k\u0079cReview"), ("eventData", r"eventD\u0061ta")]:
        before, found, after = text.rpartition(f'"{name}":')
        if found and text.count(found) > 1:
            return f'{before}"{spelled}":{after}'
    raise AssertionError(text)


# Bodies that could hold no signature, by what they are, and what quarantine calls them: Treezor's are refused.
WITHOUT_ENVELOPE = {
    "a million levels, never closed": ("too_deep", lambda text: "[" * 1_000_000),
    "nothing but white space": ("empty", lambda text: " \r\n\t "),
    "nothing": ("empty", lambda text: ""),
    "no JSON": ("not_json", lambda text: "status=approved"),
    "half a document": ("not_json", lambda text: text[:-1]),
    "two documents": ("not_json", lambda text: text * 2),
    "a document and a line": ("not_json", lambda text: text + "\nx"),
    "a document and a comment": ("not_json", lambda text: text + "// approved"),
    "a document and NUL": ("not_json", lambda text: text + "\0"),
    "a line end in a text": ("not_json", lambda text: text[:-1] + ',"x":"\n"}'),
    "an escape that is none": ("not_json", lambda text: text[:-1] + r',"x":"\x41"}'),
    "a byte order mark": ("not_json", lambda text: b"\xef\xbb\xbf" + text.encode()),
    "UTF-16": ("not_json", lambda text: text.encode("utf-16")),
    "UTF-32": ("not_json", lambda text: text.encode("utf-32")),
    "bytes that are no UTF-8": ("not_json", lambda text: text.encode()[:-1] + b',"x":"\xff"}'),
    "half a character": ("not_json", lambda text: text.encode()[:-1] + b',"x":"' + "é".encode()[:1] + b'"}'),
    "an overlong slash": ("not_json", lambda text: text.encode()[:-1] + b',"x":"\xc0\xaf"}'),
    "a surrogate in UTF-8": ("not_json", lambda text: text.encode()[:-1] + b',"x":"\xed\xa0\x80"}'),
    "gzip": ("not_json", lambda text: gzip.compress(text.encode())),
    "a gzip bomb": ("not_json", lambda text: gzip.compress(b"0" * 20_000_000)),
    "a list": ("not_an_object", lambda text: f"[{text}]"),
    "a text": ("not_an_object", lambda text: '"approved"'),
    "a number": ("not_an_object", lambda text: "1e400"),
    "null": ("not_an_object", lambda text: "null"),
}

# The ends of session ids; the whole id is another one each time.
IDS = {
    "1024 bytes": "s" * (1024 - 36),
    "1024 bytes beyond ASCII": "é" * ((1024 - 36) // 2),
    "a slash": "/b",
    "a climb": "/../../sessions",
    "a space": " b",
    "a space at the end": " ",
    "a plus": "+b",
    "a percent sign": "%b",
    "an escaped slash": "%2Fb",
    "a hash": "#b",
    "a question mark": "?b=c&d",
    "a semicolon and a colon": ";b:c",
    "quotes and a backslash": "\"b'c\\d",
    "an accent": "é",
    "an accent in two characters": "e\u0301",
    "an emoji": "🪪",
    "right to left": "\u202eabc",
    "not a character": "\ufffeb\uffff",
    "NUL": "\0b",
    "a line end": "\r\nb",
    "the word of a route": "/events",
}


def promptly(verdict, delivery):
    begun = time.monotonic()
    answer = post(verdict, delivery)
    took = time.monotonic() - begun
    assert took < PATIENCE_SECONDS
    return answer


def read(verdict, session_id, provider="veriff"):
    """The record, asked for in the way that works for any id."""
    query = urllib.parse.urlencode({"session": f"{provider}/{session_id}"}, quote_via=urllib.parse.quote, safe="")
    status, record = verdict.get(f"/sessions?{query}")
    assert status == 200, record
    return record


def cases(of: Callable[[Sender], dict]) -> list:
    return [pytest.param(sender, *(case if isinstance(case, tuple) else [case]), id=f"{sender} {name}")
            for sender in SENDERS for name, case in of(sender).items()]


@pytest.mark.parametrize("content_type", [JSON, BYTES], ids=["as text", "in base64"])
@pytest.mark.parametrize("sender, more", cases(recorded))
def test_it_is_recorded(verdict, session_id, sender, more, content_type):
    answer = promptly(verdict, sender.approves(session_id, more, content_type=content_type))
    session = sender.session(session_id)
    escaped = urllib.parse.quote(session, safe=":")
    assert (answer.status, answer.outcome, answer.session) == (200, "recorded", f"{sender}/{escaped}")
    assert read(verdict, session, sender.provider)["decision"]["outcome"] == "approved"
    status, page = verdict.get(f"/sessions/{sender}/{escaped}/events")
    assert (status, len(page["events"])) == (200, 1)


@pytest.mark.parametrize("sender, reason, body", cases(unreadable))
def test_it_is_quarantined(verdict, quarantine, sender, reason, body):
    assert_quarantined(verdict, quarantine, sender, sender.genuine(body, content_type=BYTES), reason)


@pytest.mark.parametrize("reason, body", WITHOUT_ENVELOPE.values(), ids=WITHOUT_ENVELOPE)
@pytest.mark.parametrize("sender", [sender for sender in SENDERS if sender is not TREEZOR], ids=str)
def test_it_is_quarantined_whatever_it_is(verdict, quarantine, sender, reason, body):
    # In base64, as the gateway would put another character in the place of what is none.
    body = body(sender.approval('"a"', ""))
    assert_quarantined(verdict, quarantine, sender, sender.genuine(body, content_type=BYTES), reason)


@pytest.mark.parametrize("body", [body for _, body in WITHOUT_ENVELOPE.values()], ids=WITHOUT_ENVELOPE)
def test_it_is_refused_where_nothing_in_it_is_signed(verdict, quarantine, session_id, body):
    signed = TREEZOR.approves(session_id)
    body = body(signed.body.decode())
    before = len(quarantine.all())
    answer = promptly(verdict, replace(
        signed.but("content-type", BYTES), body=body if isinstance(body, bytes) else body.encode()))
    assert (answer.status, answer.outcome) == (500, "refused")
    assert len(quarantine.all()) == before


def assert_quarantined(verdict, quarantine, sender, delivery, reason):
    quarantine.all()
    answer = promptly(verdict, delivery)
    assert (answer.status, answer.outcome, answer.session) == (200, "quarantined", None)
    kept = quarantine.holding(delivery.body)[-1]
    assert kept.body["kind"] == "webhook"
    assert kept.body["reason"] == kept.attributes["reason"] == reason
    assert (kept.body["provider"], kept.body["path"]) == (sender.provider, sender.path)
    assert kept.body["bytes"] == len(delivery.body)
    if reason in ("not_json", "too_deep", "empty"):
        assert quarantined_body(kept) == delivery.body


@pytest.mark.parametrize("end", IDS.values(), ids=IDS)
@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_any_id_is_kept_as_it_is(verdict, decisions, session_id, sender, end):
    # The longest that there are have no room for what stands before some.
    session = (sender.session(session_id) + end).encode()[:1024].decode("utf-8", "ignore")
    answer = promptly(verdict, sender.approves(session[len(sender.prefix):]))
    escaped = urllib.parse.quote(session, safe=":")
    assert (answer.outcome, answer.session) == ("recorded", f"{sender}/{escaped}")
    assert read(verdict, session, sender.provider)["sessionId"] == session
    [told] = decisions.about(session)
    assert told.body["id"] == f"{sender}/{session}/1"


@pytest.mark.parametrize("characters", [
    "s", "é", "\u0301", "🪪", "+", "#", "?", "&", "=", ";", ":", '"', "'", "\\", "\ufffe"])
def test_an_id_is_found_by_its_path(verdict, session_id, characters):
    session_id = f"{characters} {session_id}"
    post(verdict, genuine(decision(session_id), path=EVENTS))
    assert verdict.session("veriff", session_id)["sessionId"] == session_id


@pytest.mark.parametrize("size", [700_000, 0], ids=["almost too large", "empty"])
def test_what_is_unreadable_and_fits_in_a_message_is_quarantined(verdict, quarantine, size):
    body = os.urandom(size)
    assert promptly(verdict, genuine(body, content_type=BYTES)).outcome == "quarantined"
    assert quarantine.holding(body)


@pytest.mark.parametrize("sender", [sender for sender in SENDERS if sender is not TREEZOR], ids=str)
def test_what_is_unreadable_and_fits_in_no_message_is_left_to_the_provider(verdict, sender):
    answer = promptly(verdict, sender.genuine(os.urandom(room(sender)), content_type=BYTES))
    assert (answer.status, answer.outcome) == (503, "failed")


@pytest.mark.parametrize("end", ["9" * 400, "00", ".10", "E5", "e-0"])
def test_an_id_that_is_a_number_is_kept_as_spelled(verdict, session_id, end):
    digits = f"1{uuid.UUID(session_id).int}{end}"
    answer = promptly(verdict, genuine(VERIFF.approval(digits, "").encode()))
    assert answer.session == f"veriff/{digits}"
    assert read(verdict, digits)["sessionId"] == digits


@pytest.mark.parametrize("reference", [
    "\ufffe", "a\uffffb", "\0", "\x7f\x85\u2028", "名前", "🪪", "\"'\\/", "𝄞\ufeff",
])
def test_any_reference_reaches_the_queue_as_it_is(verdict, decisions, session_id, reference):
    post(verdict, genuine(decision(session_id, vendorData=reference)))
    assert read(verdict, session_id)["subject"]["reference"] == reference
    [told] = decisions.about(session_id)
    assert told.body["data"]["reference"] == reference
