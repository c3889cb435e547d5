#!/usr/bin/env python3
"""Writes what fuzzing starts from: the samples and the proofs' vectors as inputs of each target, and a dictionary of
their names and words. What fuzzing has found before stays beside them.

    corpus.py FOLDER    writes FOLDER/{target}/… and FOLDER/{target}.dict
"""
import base64
import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Collection, Iterable, Iterator, Sequence, Union

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "events"))
from proofs import PROVIDERS  # noqa: E402

# What API Gateway and HTTP add to a request: no proof looks at it.
USUAL_HEADERS = ("accept", "host", "user-agent", "x-amzn-", "x-forwarded-")
# Beyond what an attempt's id may have in bytes, and a session's.
LONG = (257, 1025)
# Longer words than libFuzzer takes, and shorter ones than are worth it.
WORD = range(2, 64)

FORM = "application/x-www-form-urlencoded"
TOKEN_REQUESTS = [
    ("grant_type=client_credentials", FORM),
    ("grant_type=client%5Fcredentials&scope=a+b&scope=%C3%A9", f"{FORM}; charset=utf-8"),
    ("grant_type=client_credentials&client_id=a&client_secret=b", FORM),
    ("client_assertion=a&grant_type=password&grant_type=", FORM),
    ('{"grant_type":"client_credentials"}', "application/json"),
]

AT = "2026-06-13T00:38:30.861285Z"
EVENT = {
    "eventId": "decision:1", "provider": "veriff", "sessionId": "s", "kind": "verification", "name": "decision",
    "attemptId": "a", "occurredAt": AT, "emittedAt": None, "receivedAt": "2026-06-13T00:40:00Z", "stage": "submitted",
    "decision": {"outcome": "declined", "reasonCode": "102", "reason": "a reason"},
    "checks": {"watchlist": {"outcome": "flagged", "reason": None}},
    "subject": {"reference": "customer-1", "providerUserId": None}, "remark": "inconsistent", "detail": {"code": "1"},
}
RANK = {"at": AT, "emittedAt": None, "final": True, "eventId": "decision:1"}
SESSION = {
    "provider": "veriff", "sessionId": "s", "kind": "onboarding", "reference": {"value": "customer-1", "rank": RANK},
    "providerUserId": None,
    "decision": {"value": {"outcome": "review", "reasonCode": None, "reason": None, "attemptId": "a"}, "rank": RANK},
    "attempts": [{"id": None, "since": AT, "stage": "new"}, {"id": "a", "since": AT, "stage": "started"}],
    "checks": {"presence": {"value": {"outcome": "passed", "reason": None}, "rank": RANK}},
    "events": 4, "notifications": 1, "version": 4, "firstEventAt": AT, "lastEventAt": AT,
}
NOTIFICATION = {
    "provider": "treezor", "sessionId": "user:1", "kind": "kyc_review", "attemptId": None, "sequence": 1,
    "outcome": "approved", "final": True, "previousOutcome": "review", "reasonCode": None, "correction": False,
    "decidedAt": AT, "reference": "1", "providerUserId": None,
}
REBUILD = {"kind": "rebuild", "provider": "veriff", "sessionId": "s"}
KEPT = {
    "kind": "webhook", "reason": "no_session_id", "message": "there is no session id", "provider": "wultra",
    "path": "/wultra/process/event", "receivedAt": AT, "eventKey": "wultra/s/id:1", "bytes": 2, "sha256": "0",
    "encoding": "gzip+base64", "body": base64.b64encode(gzip.compress(b"{}", mtime=0)).decode(),
}
STORED_WORDS = [
    "identification", "expired", "abandoned", "failed", "resubmission_requested", "pending", "error", "captured",
    "cancelled", "unrecognised", "wultra", "incode", "9999-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00Z",
]
SPELLINGS = [r"\u0065", r"\ud83d\udd11", r"\ud83d", r"\/", r"\\", r"\"", "data:image/png;base64,", "%2B", "&#13;",
             "eyJhbGciOiJIUzI1NiJ9.", "verdictProbe", "0" * 32]


def request(method: str, path: str, query: str, headers: Iterable[Sequence[str]], body: bytes) -> bytes:
    """A request as the targets read one."""
    kept = [f"{name}: {value}" for name, value in headers if not name.lower().startswith(USUAL_HEADERS)]
    return "\n".join([f"{method} {path}{'?' if query else ''}{query}", *kept, "", ""]).encode("utf-8", "replace") + body


def samples(provider: str) -> Iterator[tuple[dict[str, Any], bytes, bytes, Collection[str]]]:
    """API Gateway's events, each as a request, and its body."""
    for sample in json.loads((ROOT / "events/catalogue.json").read_text("utf-8")):
        if not sample["name"].startswith(f"{provider}/"):
            continue
        event = json.loads((ROOT / "events" / f"{sample['name']}.json").read_text("utf-8"))
        body = event.get("body") or ""
        body = base64.b64decode(body) if event["isBase64Encoded"] else body.encode("utf-8")
        method = event["requestContext"]["http"]["method"]
        sent = request(method, event["rawPath"], event["rawQueryString"], event["headers"].items(), body)
        yield event, sent, body, sample["ids"].values()


def with_long_ids(sent: bytes, ids: Iterable[str]) -> Iterator[bytes]:
    """The requests with one id each that is too long for something."""
    for name in ids:
        for length in LONG:
            longer = "".join(f"{name}. " for _ in range(length))[:length - 1] + "."
            yield sent.replace(name.encode(), longer.encode())


def vectors(provider: str) -> Iterator[tuple[bytes, bytes]]:
    """The proofs' vectors, each as a request."""
    for case in json.loads((ROOT / "tests/vectors" / f"{provider}.json").read_text("utf-8")):
        body = base64.b64decode(case["bodyBase64"]) if "bodyBase64" in case else case["body"].encode("utf-8")
        query = "&".join(f"{name}={value}" for name, value in case.get("query", []))
        yield request(case["method"], case["path"], query, case["headers"], body), body


def words(value: Any) -> Iterator[str]:
    """Every name and short text in some JSON, documents in strings included."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from words(member)
    elif isinstance(value, list):
        for item in value:
            yield from words(item)
    elif isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):
            yield from words(parsed(value))


def parsed(text: Union[str, bytes]) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def lines(*documents: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(document, separators=(",", ":")) for document in documents).encode()


def inputs() -> dict[str, tuple[list[bytes], list[str]]]:
    """Inputs and words by target."""
    bodies: list[bytes] = []
    events: list[bytes] = []
    found: dict[str, tuple[list[bytes], list[str]]] = {}
    for provider in PROVIDERS:
        sent = list(samples(provider))
        proved = list(vectors(provider))
        bodies += [body for _, _, body, _ in sent] + [body for _, body in proved]
        events += [json.dumps(event).encode() for event, *_ in sent]
        known = [word for _, _, body, _ in sent for word in words(parsed(body.decode("utf-8", "replace")))]
        heads = [name for event, *_ in sent for name in [*event["headers"], event["rawPath"]]]
        long = [text for _, text, _, ids in sent for text in with_long_ids(text, ids)]
        texts = [text for _, text, *_ in sent] + [text for text, _ in proved] + long
        found[provider] = texts, known + heads + SPELLINGS
    names = [word for _, known in found.values() for word in known]
    found["json"] = bodies, SPELLINGS
    found["canonical"] = bodies, SPELLINGS
    found["minimise"] = ([b"j" + body for body in bodies] + [b"bAAA" + body for body in bodies]
                         + [b"d" + base64.b64encode(body) for body in bodies]), SPELLINGS + names
    found["token_endpoint"] = [
        request("POST", "/incode/oauth/token", "", [("content-type", kind), ("authorization", "Basic YTpi")],
                form.encode()) for form, kind in TOKEN_REQUESTS], [
                    "grant_type=", "client_credentials", "&", "%20", "content-type: ", FORM]
    documents: list[dict[str, Any]] = [EVENT, SESSION, NOTIFICATION]
    stored = [lines(*documents), *(lines(document) for document in documents), lines(EVENT, {**EVENT, "eventId": "b"})]
    found["stored"] = stored, [*words(documents), *STORED_WORDS]
    kept = [text.replace(b"POST", provider.encode(), 1) for provider in PROVIDERS for text in found[provider][0]]
    found["intake"] = [*kept, lines(REBUILD), lines(KEPT)], [*names, *REBUILD, *KEPT]
    found["gateway_event"] = events, [word for event in events for word in parsed(event)]
    return found


def entry(word: str) -> str:
    """A word as a dictionary of libFuzzer's has it."""
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in word.encode()) + '"'


def main(folder: Path) -> None:
    for target, (texts, known) in inputs().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for text in texts:
            (folder / target / hashlib.sha1(text).hexdigest()).write_bytes(text)
        entries = sorted({entry(word) for word in known if len(word.encode()) in WORD})
        (folder / f"{target}.dict").write_text("\n".join(entries) + "\n", "ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
