"""The plan: what is sent to which function, as JSON, a row in each line. `tests/soak/src/measure/cost.rs` measures it."""
from __future__ import annotations

import base64
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "events"))
import webhooks

#: How many events a row has: the first ten warm the function up, the last five meet slow stores.
EVENTS = 115
LARGE_EVENTS = 25
LARGE_BYTES = 2 * 1024 * 1024

RECORDED = '"x-verdict-outcome":"recorded"'
DUPLICATE = '"x-verdict-outcome":"duplicate"'
REFUSED = '"x-verdict-outcome":"refused"'

TICK = {"version": "0", "id": "00000000-0000-4000-8000-000000000000", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-06-12T09:30:00Z", "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/verdict-every-minute"], "detail": {}}


@dataclass(frozen=True)
class Webhooks:
    """The samples of one provider that stand for each kind of webhook."""

    function: str
    progress: str
    decision: str
    #: Another decision, and the members that make it later than the first.
    other: str
    later: dict[str, Any]
    forged: str
    progress_function: Optional[str] = None


PROVIDERS = {
    "veriff": Webhooks(
        "veriff-decisions", "veriff/event-submitted", "veriff/decision-approved", "veriff/decision-declined",
        {"decisionTime": "2026-06-13T10:00:00.000001Z"}, "veriff/forged-signature", "veriff-events"),
    "incode": Webhooks(
        "incode-webhooks", "incode/id-validation-finished", "incode/manual-review-approved",
        "incode/manual-review-rejected", {}, "incode/wrong-header"),
    "treezor": Webhooks(
        "treezor-webhooks", "treezor/document-update-validated", "treezor/user-kycreview-validated",
        "treezor/user-kycreview-refused", {"modifiedDate": "2026-06-12 10:00:00", "webhook_created_at": 17812584000000},
        "treezor/forged-signature"),
    "wultra": Webhooks(
        "wultra-events", "wultra/document-accepted", "wultra/process-finished", "wultra/process-failed",
        {"timestamp": "2026-06-13T10:00:00Z"}, "wultra/wrong-password"),
}


@dataclass(frozen=True)
class Row:
    """A row: events for one function, and what is sent before them."""

    name: str
    function: str
    answer: str
    events: Optional[list[Any]]  # None: what is on the wake-up queue by then
    before: list[tuple[str, Any]] = field(default_factory=list)

    def line(self) -> str:
        return json.dumps({"name": self.name, "function": self.function, "before": self.before, "events": self.events,
                           "answer": self.answer})


def rows() -> Iterator[Row]:
    """Every row. The idle ones come first, on an empty table."""
    yield Row("relay without work", "outbox-relay", "null", [TICK] * EVENTS)
    yield Row("poller without work", "incode-poller", "null", [TICK] * EVENTS)
    for provider, kinds in PROVIDERS.items():
        yield from rows_of(provider, kinds)
    yield large()
    yield poll()
    yield read()


def rows_of(provider: str, kinds: Webhooks) -> Iterator[Row]:
    sessions = [Session(provider) for _ in range(EVENTS)]
    progress = [session.event(kinds.progress) for session in sessions]
    decisions = [session.event(kinds.decision) for session in sessions]
    others = [session.event(kinds.other, kinds.later) for session in sessions]
    yield Row(f"{provider}: progress", kinds.progress_function or kinds.function, RECORDED, progress)
    yield Row(f"{provider}: decision", kinds.function, RECORDED, decisions)
    yield Row(f"{provider}: copy of a decision", kinds.function, DUPLICATE, decisions)
    yield Row(f"{provider}: decision replaced", kinds.function, RECORDED, others)
    yield Row(f"{provider}: forgery", kinds.function, REFUSED, [session.event(kinds.forged) for session in sessions])


def large() -> Row:
    """Wultra's events may hold pictures."""
    picture = base64.b64encode(bytes(range(256)) * (LARGE_BYTES * 3 // 4 // 256)).decode()
    events = [with_member(Session("wultra").event(PROVIDERS["wultra"].progress), "picture", picture)
              for _ in range(LARGE_EVENTS)]
    return Row("wultra: event of 2 MiB", "wultra-events", RECORDED, events)


def poll() -> Row:
    """Each message has one session asked about: its status, then its score."""
    finished = [("incode-webhooks", Session("incode").event("incode/onboarding-finished")) for _ in range(EVENTS)]
    return Row("incode: poll that decides", "incode-poller", '"batchItemFailures":[]', None, finished)


def read() -> Row:
    sessions = [Session("veriff") for _ in range(EVENTS)]
    before = [("veriff-decisions", session.event(PROVIDERS["veriff"].decision)) for session in sessions]
    return Row("record read", "sessions-api", '"statusCode":200', [question(session.id) for session in sessions], before)


class Session:
    """A session of its own for the samples of a provider."""

    def __init__(self, provider: str) -> None:
        self.keys = {name: keys for name, keys in webhooks.credentials(provider).items() if name != "oauth"}
        self.id: str = ""

    def event(self, name: str, members: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """A sample of this session's, as an API Gateway event."""
        sample = webhooks.find(name)
        self.id = self.id or webhooks.fresh(sample.ids["session"])
        return webhooks.make(sample, self.keys, members, session=self.id)


def with_member(event: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    """A webhook that isn't signed, with a member more."""
    return webhooks.with_body(event, json.dumps(json.loads(webhooks.body_of(event)) | {name: value}).encode())


def question(session: str) -> dict[str, Any]:
    """`GET /sessions/veriff/{session}`, as API Gateway hands it over with the IAM authorizer."""
    path = f"/sessions/veriff/{session}"
    caller = {"accountId": "123456789012", "userArn": "arn:aws:sts::123456789012:assumed-role/support/operator-1"}
    return {
        "version": "2.0", "routeKey": "GET /sessions/{provider}/{sessionId}", "rawPath": path, "rawQueryString": "",
        "headers": {"host": "api.example.com", "accept": "*/*"},
        "pathParameters": {"provider": "veriff", "sessionId": session},
        "requestContext": {
            "accountId": "123456789012", "apiId": "api", "authorizer": {"iam": caller}, "domainName": "api.example.com",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "curl"},
            "requestId": "request", "routeKey": "GET /sessions/{provider}/{sessionId}", "stage": "$default"},
        "isBase64Encoded": False,
    }


def write() -> None:
    for row in rows():
        print(row.line())


if __name__ == "__main__":
    write()
