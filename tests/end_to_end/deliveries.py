"""Veriff webhooks made up for a test, and the two ways to deliver them: through the gateway, or past it."""
from __future__ import annotations

import http.client
import json
import socket
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from stack import Stack
from stack.deployment import webhooks

SECRET = webhooks.credentials("veriff", webhooks.LOCAL_CREDENTIALS)["secrets"][0]
ATTEMPT = "5b0bc1a7-6f6b-4c9c-8a39-6a8a7c9e2f10"
DECISIONS, EVENTS = "/veriff/decisions", "/veriff/events"
TIMEOUT_SECONDS = 10

#: The gateway hands a body of this type on as text, and any other but text in base64.
JSON = "application/json"
BYTES = "application/octet-stream"

#: A header as it goes on the wire; text is sent as UTF-8.
Header = tuple[str, "str | bytes"]


@dataclass(frozen=True)
class Delivery:
    """One request."""

    body: bytes
    headers: tuple[Header, ...]
    path: str = DECISIONS
    method: str = "POST"

    @property
    def signature(self) -> str:
        return dict(self.headers)["x-hmac-signature"]

    def without(self, name: str) -> Delivery:
        return replace(self, headers=tuple(header for header in self.headers if header[0] != name))

    def plus(self, *headers: Header) -> Delivery:
        return replace(self, headers=(*self.headers, *headers))

    def but(self, name: str, value: str | bytes) -> Delivery:
        """With another value of one header."""
        return self.without(name).plus((name, value))


def sign(body: bytes, secret: str = SECRET) -> str:
    return webhooks.Veriff.signature(secret, body)


def genuine(body: bytes | dict, *, path: str = DECISIONS, content_type: str = JSON) -> Delivery:
    """The body, rightly signed."""
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    return Delivery(body, (("content-type", content_type), ("x-hmac-signature", sign(body))), path)


CODES = {
    "approved": 9001, "declined": 9102, "resubmission_requested": 9103, "expired": 9104, "abandoned": 9104,
    "review": 9121,
}


def decision(session_id: str, status: str = "approved", at: str | None = "2026-06-12T09:30:00.000001Z", **more) -> dict:
    """A decision webhook's document."""
    return {"status": "success", "verification": {
        "id": session_id, "attemptId": ATTEMPT, "status": status, "code": CODES[status], "decisionTime": at,
        "reason": None, "reasonCode": None, "vendorData": "customer-1", **more}}


def event(session_id: str, code: int = 7001, action: str = "started", **more) -> dict:
    """An event webhook's document."""
    return {"id": session_id, "attemptId": ATTEMPT, "feature": "selfid", "code": code, "action": action,
            "vendorData": "customer-1", **more}


def different_events(session_id: str, count: int) -> list[Delivery]:
    """So many webhooks about one session, no two alike."""
    contexts = ({"reason": f"reason-{number}"} for number in range(count))
    return [genuine(event(session_id, context=context), path=EVENTS) for context in contexts]


def post(stack: Stack, delivery: Delivery) -> webhooks.Answer:
    """Delivers through the gateway. Nothing between here and the wire tidies up what it sends."""
    target = urllib.parse.urlsplit(stack.api_url)
    lines = [f"{delivery.method} {target.path}{delivery.path} HTTP/1.1".encode(), b"host: " + target.netloc.encode()]
    lines += [wire(name) + b": " + wire(value) for name, value in delivery.headers]
    lines += [b"content-length: %d" % len(delivery.body), b"connection: close"]
    with socket.create_connection((target.hostname, target.port), TIMEOUT_SECONDS) as connection:
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + delivery.body)
        response = http.client.HTTPResponse(connection, method=delivery.method)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return webhooks.Answer(response.status, headers, response.read().decode())


def wire(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def post_all(stack: Stack, deliveries: list[Delivery], at_once: int) -> list[webhooks.Answer]:
    """Delivers many, so many at a time."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda delivery: post(stack, delivery), deliveries))


def as_event(delivery: Delivery) -> dict:
    """The delivery as the event that the gateway would make of it (payload format 2.0, body as text)."""
    return {
        "version": "2.0",
        "routeKey": f"{delivery.method} {delivery.path}",
        "rawPath": delivery.path,
        "rawQueryString": "",
        "headers": dict(delivery.headers),
        "requestContext": {
            "apiId": "sample0000",
            "http": {"method": delivery.method, "path": delivery.path, "protocol": "HTTP/1.1",
                     "sourceIp": "192.0.2.10", "userAgent": "verdict-tests/1"},
            "requestId": "SampleRequest000=",
            "stage": "$default",
            "timeEpoch": int(time.time() * 1000),
        },
        "body": delivery.body.decode(),
        "isBase64Encoded": False,
    }
