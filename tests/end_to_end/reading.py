"""What the sessions API and the function of payloads answer, past the gateway or through it."""
from __future__ import annotations

import base64
import functools
import hashlib
import json
import urllib.parse
from typing import Any, Iterator, Optional

from stack import Stack

quote = functools.partial(urllib.parse.quote, safe="")

PAGE = 50


def asked(route: str, query: str = "", caller: Optional[str] = None, **parameters: str) -> dict[str, Any]:
    """The event that the gateway makes of a GET request of a caller."""
    authorizer = {"authorizer": {"iam": {"userArn": caller}}} if caller else {}
    return {
        "version": "2.0", "routeKey": f"GET {route}", "rawPath": route, "rawQueryString": query, "headers": {},
        "requestContext": {"http": {"method": "GET"}, **authorizer}, "pathParameters": parameters}


def error(answer: tuple[int, Any]) -> tuple[int, str]:
    """The status and the code of an answer that is an error."""
    status, body = answer
    assert set(body) == {"error"} and set(body["error"]) == {"code", "message"}, body
    return status, body["error"]["code"]


def pages(stack: Stack, path: str) -> Iterator[dict[str, Any]]:
    """The pages of a list, from the first to the last."""
    cursor = ""
    while True:
        status, page = stack.get(path + cursor)
        assert status == 200, page
        yield page
        if page["next"] is None:
            return
        cursor = f"{'&' if '?' in path else '?'}next={page['next']}"


# ---- Cursors ----

def cursor(kind: str, parameters: list[Optional[str]], place: str) -> str:
    """A cursor as the API makes it: a caller could make one up for any place."""
    seal = hashlib.sha256(compact([compact([kind, parameters]), place]).encode()).digest()[:8]
    return base64.urlsafe_b64encode(seal + place.encode()).decode().rstrip("=")


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def tampered(given: str, count: int) -> list[str]:
    """A cursor with one bit changed, or cut short, in different places all over it."""
    content = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
    bits = range(0, len(content) * 8, max(1, len(content) * 8 // count))
    changed = (content[:bit // 8] + bytes([content[bit // 8] ^ 1 << bit % 8]) + content[bit // 8 + 1:] for bit in bits)
    cut = (given[:length] for length in range(1, len(given), max(1, len(given) // count)))
    return [*(base64.urlsafe_b64encode(one).decode().rstrip("=") for one in changed), *cut]
