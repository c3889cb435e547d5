"""The laboratory: what the local stack can do besides, such as send a sample or take DynamoDB away for a while.

Who starts the console may hand it one. A deployed stack has none.
"""
from __future__ import annotations

from typing import Any, Mapping, Optional, Protocol, Sequence

from .body import members, number, text, text_if_any
from .routes import Question, Refusal, Route, Shared

#: As many copies as are sent at once at most.
MOST_TIMES = 50
LONGEST_OUTAGE = 60


class Laboratory(Protocol):
    """What a local stack can be asked to do. Everything it answers is JSON, as docs/console.md describes it."""

    def describe(self) -> Mapping[str, Any]:
        """`samples`, `scenarios` and `outage`."""

    def send(self, sample: str, session: Optional[str], reference: Optional[str], times: int) -> Mapping[str, Any]:
        """Sends a sample so many times at once, of a session (`new` for one that is unknown, None for the sample's own)."""

    def play(self, scenario: str) -> Mapping[str, Any]:
        """Sends the samples of a scenario, one after the other."""

    def forge(self, provider: str) -> Mapping[str, Any]:
        """Sends a webhook that proves nothing."""

    def outage(self, seconds: int) -> Mapping[str, Any]:
        """Takes DynamoDB away for so long."""


def laboratory_of(shared: Shared) -> Laboratory:
    if shared.laboratory is None:
        raise Refusal(404, "not_found", "only the local stack has a laboratory: `make run` starts it")
    return shared.laboratory


def describe(shared: Shared, _: Question) -> Mapping[str, Any]:
    return laboratory_of(shared).describe()


def send(shared: Shared, question: Question) -> Mapping[str, Any]:
    laboratory = laboratory_of(shared)
    members(question, "sample", "session", "reference", "times")
    return laboratory.send(
        text(question, "sample"), text_if_any(question, "session"), text_if_any(question, "reference"),
        number(question, "times", MOST_TIMES))


def play(shared: Shared, question: Question) -> Mapping[str, Any]:
    laboratory = laboratory_of(shared)
    members(question, "scenario")
    return laboratory.play(text(question, "scenario"))


def forge(shared: Shared, question: Question) -> Mapping[str, Any]:
    laboratory = laboratory_of(shared)
    members(question, "provider")
    return laboratory.forge(text(question, "provider"))


def outage(shared: Shared, question: Question) -> Mapping[str, Any]:
    laboratory = laboratory_of(shared)
    members(question, "seconds")
    return laboratory.outage(number(question, "seconds", LONGEST_OUTAGE))


ROUTES: Sequence[Route] = (
    Route("GET", "/api/laboratory", describe),
    Route("POST", "/api/laboratory/send", send),
    Route("POST", "/api/laboratory/play", play),
    Route("POST", "/api/laboratory/forge", forge),
    Route("POST", "/api/laboratory/outage", outage),
)
