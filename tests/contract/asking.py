"""Schemathesis' hooks: signs each request as a caller does, and asks about sessions that there are in half of the cases.

`CONTRACT_SESSIONS` names a file with what there is, as `sessions_api.py` wrote it.
"""
from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SESSIONS: list[dict[str, Any]] = json.loads(Path(os.environ["CONTRACT_SESSIONS"]).read_text("utf-8"))
STATUSES = ("new", "started", "submitted", "in_review", "awaiting_resubmission", "decided")


SIGNER = SigV4Auth(
    Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]),
    "execute-api", os.environ["AWS_DEFAULT_REGION"])


def sign(request: Any) -> Any:
    """Adds a signature of version 4 to a request that is ready to be sent."""
    signed = AWSRequest(request.method, request.url)
    SIGNER.add_auth(signed)
    request.headers.update(dict(signed.headers))
    return request


def map_case(_context: Any, case: Any) -> Any:
    """Asks about something that there is, in half of the cases that are as described."""
    drawn = hashlib.sha256(json.dumps([case.path_parameters, case.query], default=str).encode()).digest()
    if case.meta is not None and case.meta.generation.mode.is_positive and drawn[0] % 2 == 0:
        # An id with a slash can't stand in a path.
        sessions = [each for each in SESSIONS if not case.path_parameters or "/" not in each["sessionId"]]
        session = sessions[int.from_bytes(drawn[1:4]) % len(sessions)]
        event = session["events"][drawn[4] % len(session["events"])]
        path = {"provider": session["provider"], "sessionId": session["sessionId"], "eventId": event}
        case.path_parameters = {name: path[name] for name in case.path_parameters or {}}
        case.query = known_query(case.operation.label, session, event, drawn)
    return case


def known_query(operation: str, session: dict[str, Any], event: str, drawn: bytes) -> dict[str, Any]:
    """A question that has an answer."""
    of_session = {"session": f"{session['provider']}/{session['sessionId']}"}
    if operation == "GET /sessions/payload":
        return of_session | {"event": event}
    if operation != "GET /sessions":
        return {}
    by_status = {"status": STATUSES[drawn[5] % len(STATUSES)]}
    questions = [
        of_session, of_session | {"part": "events"}, of_session | {"part": "notifications"},
        of_session | {"part": "payload", "event": event},
        {"reference": session["reference"] or "customer-1"},
        by_status, by_status | {"provider": session["provider"]}, by_status | {"outcome": "approved"},
        by_status | {"since": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"},
    ]
    return questions[drawn[6] % len(questions)]


schemathesis.auth.set_from_requests(sign)
schemathesis.hook(map_case)
