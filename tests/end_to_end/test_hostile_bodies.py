"""Bodies meant to choke on, rightly signed: each is answered in time, and nothing of it is lost."""
from __future__ import annotations

import gzip
import json
import os
import time
import urllib.parse
import uuid

import pytest

from .deliveries import BYTES, EVENTS, JSON, decision, genuine, post

# Veriff hangs up after 5 s, and calls that a failure. Seen here are fractions of one.
PATIENCE_SECONDS = 5
MEGABYTES = 4_400_000  # As base64, nearly all that fits in the 6 MB of a Lambda event.


def approval(session_id: str, more: str = "") -> bytes:
    """An approval whose text is written by hand: the id as JSON, and more members."""
    return (f'{{"status":"success","verification":{{"id":{session_id},"attemptId":"5b0bc1a7","status":"approved",'
            f'"code":9001,"decisionTime":"2026-06-12T09:30:00Z"{more}}}}}').encode()


def nested(depth: int) -> str:
    """A member with which the whole document is that deep."""
    arrays = depth - 2
    return ',"deep":' + "[" * arrays + "]" * arrays


def members(count: int) -> str:
    return "".join(f',"m{number}":{number}' for number in range(count))


# What follows the session id in the body, by what it is; `x` is a member that nobody knows.
RECORDED = {
    "megabytes of image": f',"x":"{"iVBORw0KGgo" * (MEGABYTES // 11)}"',
    "megabytes of text": f',"x":"{"two words " * (MEGABYTES // 10)}"',
    "megabytes of escapes": f',"x":"{chr(92)}u0041' + f'{chr(92)}u0041' * (MEGABYTES // 6) + '"',
    "megabytes of white space": " " * MEGABYTES,
    "megabytes in small members": members(MEGABYTES // 16),
    "a hundred thousand members": members(100_000),
    "a hundred thousand times the same member": ',"x":1' * 100_000,
    "a list of a million": ',"x":[' + "0," * 1_000_000 + "0]",
    "126 levels": nested(126),
    "a member that nobody knows, twice": ',"x":1,"x":2',
    "a person's member twice": ',"person":{"firstName":"A","firstName":"B"}',
    "lone surrogates in texts": r',"reason":"\ud800","vendorData":"\udfff","x":"\udbff\udbff"',
    "lone surrogates in names": r',"\ud800":1,"\udfff":2',
    "NUL in texts": r',"reason":"a\u0000b","vendorData":"c\u0000d","\u0000":1',
    "numbers beyond any type": ',"x":1e400,"y":-1e-400,"z":' + "9" * 4000 + ',"vendorData":' + "9" * 400,
    "minus zero and 2^53 + 1": ',"x":-0,"vendorData":9007199254740993',
    "names of object prototypes": ',"__proto__":{"status":"declined"},"constructor":{"prototype":1}',
    "lines for a log": r',"reason":"x\r\n{\"level\":\"ERROR\"}","vendorData":"${jndi:ldap://x}"',
    "every member null":
        ',"person":null,"document":null,"vendorData":null,"reason":null,"additionalVerifiedData":null',
    "every member of another type":
        ',"person":[],"document":1,"vendorData":{},"reason":[],"reasonCode":true,"endUserId":[1]',
    "a kilobyte of reason code": f',"reasonCode":"{"1" * 1000}"',
    "a megabyte of reference": f',"vendorData":"{"r" * 1_000_000}"',
    "a date that is none": ',"acceptanceTime":"0000-00-00","x":"1989-00-00"',
}

# The whole body, and what it is called in quarantine.
QUARANTINED = {
    "127 levels": ("too_deep", approval('"a"', nested(127))),
    "a hundred thousand levels": ("too_deep", approval('"a"', nested(100_000))),
    "two million levels, never closed": ("too_deep", b"[" * 2_000_000),
    "two statuses": ("ambiguous", approval('"a"', ',"status":"declined"')),
    "two statuses, one escaped": ("ambiguous", approval('"a"', r',"st\u0061tus":"declined"')),
    "two statuses that agree": ("ambiguous", approval('"a"', ',"status":"approved"')),
    "two session ids": ("ambiguous", approval('"a"', ',"id":"b"')),
    "two references": ("ambiguous", approval('"a"', ',"vendorData":"b","vendorData":"c"')),
    "two verifications": ("ambiguous", b'{"verification":{"id":"a"},"verification":{"id":"b"}}'),
    "a lone surrogate in the session id": ("unusable_id", approval(r'"a\ud800"')),
    "a session id of 1025 bytes": ("unusable_id", approval('"' + "a" * 1025 + '"')),
    "a session id of a million digits": ("unusable_id", approval("9" * 1_000_000)),
    "a blank session id": ("no_session_id", approval('" \\t "')),
    "a session id of null": ("no_session_id", approval("null")),
    "a session id of another type": ("no_session_id", approval('["a"]')),
    "nothing but white space": ("empty", b" \r\n\t "),
    "no JSON": ("not_json", b"status=approved"),
    "half a document": ("not_json", approval('"a"')[:-1]),
    "two documents": ("not_json", approval('"a"') * 2),
    "a document and a line": ("not_json", approval('"a"') + b"\nx"),
    "a comment": ("not_json", approval('"a"') + b"// approved"),
    "NaN": ("not_json", approval('"a"', ',"x":NaN')),
    "a trailing comma": ("not_json", approval('"a"', ",")),
    "single quotes": ("not_json", approval("'a'")),
    "a line end in a text": ("not_json", approval('"a"', ',"x":"\n"')),
    "a byte order mark": ("not_json", b"\xef\xbb\xbf" + approval('"a"')),
    "UTF-16": ("not_json", approval('"a"').decode().encode("utf-16")),
    "UTF-32": ("not_json", approval('"a"').decode().encode("utf-32")),
    "bytes that are no UTF-8": ("not_json", approval('"a"', ',"x":"') + b'\xff"}}'),
    "half a character": ("not_json", approval('"a"', ',"x":"') + "é".encode()[:1] + b'"}}'),
    "a gzip bomb": ("not_json", gzip.compress(b"0" * 20_000_000)),
    "a list": ("not_an_object", b"[" + approval('"a"') + b"]"),
    "a text": ("not_an_object", b'"approved"'),
    "null": ("not_an_object", b"null"),
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


def read(verdict, session_id):
    """The record, asked for in the way that works for any id."""
    query = urllib.parse.urlencode({"session": f"veriff/{session_id}"}, quote_via=urllib.parse.quote, safe="")
    status, record = verdict.get(f"/sessions?{query}")
    assert status == 200, record
    return record


@pytest.mark.parametrize("content_type", [JSON, BYTES], ids=["as text", "in base64"])
@pytest.mark.parametrize("more", RECORDED.values(), ids=RECORDED)
def test_it_is_recorded(verdict, session_id, more, content_type):
    answer = promptly(verdict, genuine(approval(json.dumps(session_id), more), content_type=content_type))
    assert (answer.status, answer.outcome, answer.session) == (200, "recorded", f"veriff/{session_id}")
    assert read(verdict, session_id)["decision"]["outcome"] == "approved"
    status, page = verdict.get(f"/sessions/veriff/{session_id}/events")
    assert (status, len(page["events"])) == (200, 1)


@pytest.mark.parametrize("reason, body", QUARANTINED.values(), ids=QUARANTINED)
def test_it_is_quarantined(verdict, quarantine, reason, body):
    quarantine.all()
    # In base64, as the gateway would put another character in the place of what is none.
    answer = promptly(verdict, genuine(body, content_type=BYTES))
    assert (answer.status, answer.outcome, answer.session) == (200, "quarantined", None)
    kept = quarantine.holding(body)[-1]
    assert kept.body["reason"] == kept.attributes["reason"] == reason
    assert (kept.body["provider"], kept.body["path"]) == ("veriff", "/veriff/decisions")


@pytest.mark.parametrize("end", IDS.values(), ids=IDS)
def test_any_id_is_kept_as_it_is(verdict, decisions, session_id, end):
    session_id += end
    answer = promptly(verdict, genuine(decision(session_id)))
    escaped = urllib.parse.quote(session_id, safe="")
    assert (answer.outcome, answer.session) == ("recorded", f"veriff/{escaped}")
    assert read(verdict, session_id)["sessionId"] == session_id
    [told] = decisions.about(session_id)
    assert told.body["id"] == f"veriff/{session_id}/1"


@pytest.mark.parametrize("characters", "s é \u0301 🪪 + # ? & = ; : \" ' \\ \ufffe".split())
def test_an_id_is_found_by_its_path(verdict, session_id, characters):
    session_id = f"{characters} {session_id}"
    post(verdict, genuine(decision(session_id), path=EVENTS))
    assert verdict.session("veriff", session_id)["sessionId"] == session_id


@pytest.mark.parametrize("size", [700_000, 0], ids=["almost too large", "empty"])
def test_what_is_unreadable_and_fits_in_a_message_is_quarantined(verdict, quarantine, size):
    body = os.urandom(size)
    assert promptly(verdict, genuine(body, content_type=BYTES)).outcome == "quarantined"
    assert quarantine.holding(body)


@pytest.mark.parametrize("size", [1_000_000, MEGABYTES])
def test_what_is_unreadable_and_fits_in_no_message_is_left_to_the_provider(verdict, size):
    answer = promptly(verdict, genuine(os.urandom(size), content_type=BYTES))
    assert (answer.status, answer.outcome) == (503, "failed")


@pytest.mark.parametrize("end", ["9" * 400, "00", ".10", "E5", "e-0"])
def test_an_id_that_is_a_number_is_kept_as_spelled(verdict, session_id, end):
    digits = f"1{uuid.UUID(session_id).int}{end}"
    answer = promptly(verdict, genuine(approval(digits)))
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
