"""Webhooks made up for a test, and the two ways to deliver them: through the gateway, or past it."""
from __future__ import annotations

import base64
import hmac
import http.client
import json
import socket
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Callable, Optional, Union

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
    path: str = DECISIONS  # with the query, where there is one
    method: str = "POST"

    @property
    def signature(self) -> str:
        return self.header("x-hmac-signature")

    def header(self, name: str) -> str:
        """The value of a header that is text."""
        value = dict(self.headers)[name]
        assert isinstance(value, str), f"{name} is bytes"
        return value

    def without(self, name: str) -> Delivery:
        return replace(self, headers=tuple(header for header in self.headers if header[0] != name))

    def plus(self, *headers: Header) -> Delivery:
        return replace(self, headers=(*self.headers, *headers))

    def but(self, name: str, value: str | bytes) -> Delivery:
        """With another value of one header."""
        return self.without(name).plus((name, value))


# ---- Veriff's ----

def sign(body: bytes, secret: str = SECRET) -> str:
    return webhooks.Veriff.signature(secret, body)


def genuine(body: bytes | dict[str, Any], *, path: str = DECISIONS, content_type: str = JSON) -> Delivery:
    """The body, rightly signed."""
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    return Delivery(body, (("content-type", content_type), ("x-hmac-signature", sign(body))), path)


CODES = {
    "approved": 9001, "declined": 9102, "resubmission_requested": 9103, "expired": 9104, "abandoned": 9104,
    "review": 9121,
}


def decision(session_id: str, status: str = "approved", at: str | None = "2026-06-12T09:30:00.000001Z",
             **more: Any) -> dict[str, Any]:
    """A decision webhook's document."""
    return {"status": "success", "verification": {
        "id": session_id, "attemptId": ATTEMPT, "status": status, "code": CODES[status], "decisionTime": at,
        "reason": None, "reasonCode": None, "vendorData": "customer-1", **more}}


def event(session_id: str, code: int = 7001, action: str = "started", **more: Any) -> dict[str, Any]:
    """An event webhook's document."""
    return {"id": session_id, "attemptId": ATTEMPT, "feature": "selfid", "code": code, "action": action,
            "vendorData": "customer-1", **more}


def different_events(session_id: str, count: int) -> list[Delivery]:
    """So many webhooks about one session, no two alike."""
    contexts = ({"reason": f"reason-{number}"} for number in range(count))
    return [genuine(event(session_id, context=context), path=EVENTS) for context in contexts]


# ---- Every provider's ----

@dataclass(frozen=True)
class Sender:
    """A provider, as far as its webhooks can be made alike to the others'."""

    provider: str
    function: str  # what receives its webhooks, by its name in the template
    path: str
    #: The text of a webhook that approves a session: the session's id as JSON, and more members where it stands.
    approval: Callable[[str, str], str]
    #: How deep in the body those members stand.
    depth: int
    #: Puts the proof to what it is to prove.
    prove: Callable[[Delivery, dict[str, Any]], Delivery]
    #: The status of its refusals.
    refusal: int = 401
    #: What Verdict puts before its ids of sessions.
    prefix: str = ""

    @property
    def keys(self) -> dict[str, Any]:
        """The stack's credentials for it."""
        return webhooks.credentials(self.provider, webhooks.LOCAL_CREDENTIALS)

    def genuine(
            self, content: Union[bytes, str, dict[str, Any]], *, keys: Optional[dict[str, Any]] = None,
            content_type: str = JSON) -> Delivery:
        """A proved webhook: of that body or, from Treezor, of that payload in an envelope."""
        content = json.dumps(content) if isinstance(content, dict) else content
        content = content.encode() if isinstance(content, str) else content
        return self.prove(Delivery(content, (("content-type", content_type),), self.path), keys or self.keys)

    def approves(self, session_id: str, more: str = "", **how: Any) -> Delivery:
        """A genuine approval of the session."""
        return self.genuine(self.approval(json.dumps(session_id), more), **how)

    def session(self, session_id: str) -> str:
        """What Verdict calls the session."""
        return self.prefix + session_id

    def __str__(self) -> str:
        return self.provider


def envelope(payload: Union[bytes, str], signature: Optional[str] = None, **members: object) -> bytes:
    """A flat webhook of Treezor's around a payload as it is written; `signature` is left out where it is None."""
    payload = payload.encode() if isinstance(payload, str) else payload
    members = {"webhook": "user.kycreview", **members}
    parts = [f"{json.dumps(name)}:{json.dumps(value)}".encode() for name, value in members.items()]
    parts.append(b'"object_payload":' + payload)
    if signature is not None:
        parts.append(b'"object_payload_signature":' + json.dumps(signature).encode())
    return b"{" + b",".join(parts) + b"}"


def treezor_signature(payload: Union[bytes, str], secret: Optional[str] = None) -> str:
    """Over the payload in the form that it is given."""
    payload = payload.encode() if isinstance(payload, str) else payload
    secret = secret or TREEZOR.keys["secrets"][0]
    return base64.b64encode(hmac.digest(secret.encode(), payload, "sha256")).decode()


def with_token(delivery: Delivery, *tokens: str) -> Delivery:
    """With these tokens in its URL, and nothing else."""
    query = urllib.parse.urlencode([("token", token) for token in tokens])
    path = delivery.path.partition("?")[0]
    return replace(delivery, path=f"{path}?{query}" if query else path)


def prove_veriff(delivery: Delivery, keys: dict[str, Any]) -> Delivery:
    return delivery.but("x-hmac-signature", sign(delivery.body, keys["secrets"][0]))


def prove_incode(delivery: Delivery, keys: dict[str, Any]) -> Delivery:
    for name, values in keys.get("headers", {}).items():
        delivery = delivery.but(name, values[0])
    if "oauth" in keys:
        delivery = delivery.but("authorization", f"Bearer {webhooks.Incode.fresh_token(keys['oauth'])}")
    return delivery


def prove_treezor(delivery: Delivery, keys: dict[str, Any]) -> Delivery:
    signed = envelope(delivery.body, treezor_signature(delivery.body, keys["secrets"][0]))
    return with_token(replace(delivery, body=signed), *keys.get("urlTokens", [])[:1])


def prove_wultra(delivery: Delivery, keys: dict[str, Any]) -> Delivery:
    login = keys["basic"][0]
    return delivery.but("authorization", f"Basic {webhooks.basic(login['username'], login['password'])}")


VERIFF = Sender(
    "veriff", "VeriffDecisions", DECISIONS, prove=prove_veriff, depth=2,
    approval=lambda session, more: f'{{"status":"success","verification":{{"id":{session},"attemptId":"5b0bc1a7",'
    f'"status":"approved","code":9001,"decisionTime":"2026-06-12T09:30:00Z"{more}}}}}')
INCODE = Sender(
    "incode", "IncodeWebhooks", "/incode/onboarding-status", prove=prove_incode, depth=1,
    approval=lambda session, more: f'{{"interviewId":{session},"onboardingStatus":"MANUAL_REVIEW_APPROVED"{more}}}')
TREEZOR = Sender(
    "treezor", "TreezorWebhooks", "/treezor", prove=prove_treezor, depth=4, refusal=500, prefix="user:",
    approval=lambda session, more: f'{{"users":[{{"userId":{session},"kycReview":"2",'
    f'"modifiedDate":"2026-06-12 09:30:00"{more}}}]}}')
WULTRA = Sender(
    "wultra", "WultraEvents", "/wultra/process/event", prove=prove_wultra, depth=1,
    approval=lambda session, more: f'{{"timestamp":"2026-06-12T09:30:00Z","type":"PROCESS_FINISHED",'
    f'"processId":{session},"eventData":{{"process":{{"status":"FINISHED"}}}}{more}}}')
SENDERS = (VERIFF, INCODE, TREEZOR, WULTRA)


def room(sender: Sender) -> int:
    """How long a body may be: nearly the limit, in base64 nearly all that fits in the 6 MB of a Lambda event."""
    return 4_400_000 if sender is WULTRA else 1_000_000


# ---- The ways there ----

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


def as_event(delivery: Delivery) -> dict[str, Any]:
    """The delivery as the event that the gateway would make of it (payload format 2.0)."""
    path, _, query = delivery.path.partition("?")
    encoded = ("content-type", BYTES) in delivery.headers
    return {
        "version": "2.0",
        "routeKey": f"{delivery.method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": dict(delivery.headers),
        "requestContext": {
            "apiId": "sample0000",
            "http": {"method": delivery.method, "path": path, "protocol": "HTTP/1.1",
                     "sourceIp": "192.0.2.10", "userAgent": "verdict-tests/1"},
            "requestId": "SampleRequest000=",
            "stage": "$default",
            "timeEpoch": int(time.time() * 1000),
        },
        "body": base64.b64encode(delivery.body).decode() if encoded else delivery.body.decode(),
        "isBase64Encoded": encoded,
    }
