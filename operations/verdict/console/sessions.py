"""Records, events, messages and payloads: what the sessions API answers to its operator, passed on as it is."""
from __future__ import annotations

from typing import Any, Mapping, Sequence
from urllib.parse import urlsplit

from .. import sessions_api
from ..sessions_api import SessionsApi
from .routes import Answer, Question, Refusal, Route, Shared

#: A provider has webhooks if the stack has this output.
OUTPUTS = {"veriff": "VeriffDecisionsUrl", "incode": "IncodeWebhooksUrl", "treezor": "TreezorUrl", "wultra": "WultraUrl"}


def stack(shared: Shared, _: Question) -> Mapping[str, Any]:
    """Which stack it is, and what it has."""
    shown = shared.stack
    return {
        "name": shown.name,
        "region": shown.aws.region,
        "apiUrl": shown.api_url,
        "isLocal": shown.aws.is_local,
        "port": urlsplit(shown.aws.endpoint or "").port if shown.aws.is_local else None,
        "version": shown.outputs.get("Version", "unknown"),
        "providers": [provider for provider, output in OUTPUTS.items() if output in shown.outputs],
        "laboratory": shared.laboratory is not None,
    }


def sessions(shared: Shared, question: Question) -> Answer:
    """A list: the sessions of a reference, or of a status."""
    asked, api = dict(question.query), api_of(shared)
    if "reference" in asked:
        return passed_on(api.by_reference(**only(asked, "reference", "next")))
    if "status" in asked:
        return passed_on(api.by_status(**only(asked, "status", "provider", "outcome", "since", "until", "next")))
    raise Refusal(400, "bad_request", "ask for a `reference` or for a `status`")


def session(shared: Shared, question: Question) -> Answer:
    """A record, or the part of a session that is asked for."""
    asked, api = dict(question.query), api_of(shared)
    part = asked.pop("part", None)
    if "session" not in asked or (part == "payload") != ("event" in asked):
        raise Refusal(400, "bad_request", "ask for a `session`, and name the `event` of a payload")
    if part is None:
        return passed_on(api.record(**only(asked, "session")))
    if part == "events":
        return passed_on(api.events(**only(asked, "session", "next")))
    if part == "notifications":
        return passed_on(api.notifications(**only(asked, "session", "next")))
    if part == "payload":
        return passed_on(api.payload(**only(asked, "session", "event")))
    raise Refusal(400, "bad_request", "`part` is events, notifications or payload")


def api_of(shared: Shared) -> SessionsApi:
    return shared.once("sessions API", float("inf"), lambda: SessionsApi.of(shared.stack))


def only(asked: Mapping[str, str], *names: str) -> dict[str, str]:
    """The parameters of a question. An unknown one is refused, so that a mistake never widens an answer."""
    if not set(asked) <= set(names):
        raise Refusal(400, "bad_request", f"ask with no more than {', '.join(names)}")
    return dict(asked)


def passed_on(answer: sessions_api.Answer) -> Answer:
    """The API's own answers as they are. What else keeps it from answering is told as the command line tells it."""
    if answer.problem is None or answer.code is not None:
        return Answer(answer.body, answer.status)
    raise Refusal(502, "not_answered", answer.problem)


ROUTES: Sequence[Route] = (
    Route("GET", "/api/stack", stack),
    Route("GET", "/api/sessions", sessions),
    Route("GET", "/api/session", session),
)
