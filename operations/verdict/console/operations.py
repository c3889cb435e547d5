"""Operations: what came in and what was refused, by the minute; what waits; and the writes behind a confirmation."""
from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping, Sequence

from . import writes
from .figures import Figures, Source
from .line_figures import FromLines
from .metric_figures import FromMetrics
from .queues import queues
from .routes import Question, Refusal, Route, Shared
from .sessions import OUTPUTS

#: How many minutes are looked at: as many as the page asks for, if a question doesn't say, and at most.
MINUTES, LONGEST = 60, 24 * 60
#: Tabs that ask within this time share one look. CloudWatch has new values each minute, and charges for each look.
SECONDS, LOCAL_SECONDS = 60.0, 2.0


def operations(shared: Shared, question: Question) -> Mapping[str, Any]:
    """The figures of the last minutes, and the queues."""
    minutes = minutes_of(question)
    seconds = LOCAL_SECONDS if shared.stack.aws.is_local else SECONDS
    figures = shared.once(f"figures of {minutes} minutes", seconds, lambda: figures_of(shared, minutes))
    depths = queues(shared, question)["queues"]
    return {**with_intake(figures, depths).json, "queues": depths}


def minutes_of(question: Question) -> int:
    asked = question.query.get("minutes", str(MINUTES))
    if not set(question.query) <= {"minutes"} or not (asked.isascii() and asked.isdecimal() and len(asked) <= 4):
        raise Refusal(400, "bad_request", "ask with no more than `minutes`, a number")
    if not 1 <= int(asked) <= LONGEST:
        raise Refusal(400, "bad_request", f"`minutes` is a number from 1 to {LONGEST}")
    return int(asked)


def figures_of(shared: Shared, minutes: int) -> Figures:
    return shared.once("source of figures", float("inf"), lambda: source_of(shared)).look(shared.operator(), minutes)


def source_of(shared: Shared) -> Source:
    """The metrics of a deployed stack; of the local one, whose emulator makes none, the log lines."""
    if shared.stack.aws.is_local:
        return FromLines.of(shared.stack)
    return FromMetrics.of(shared.stack, [provider for provider, output in OUTPUTS.items() if output in shared.stack.outputs])


def with_intake(figures: Figures, depths: Sequence[Mapping[str, Any]]) -> Figures:
    """The figures without the age of what has left intake: `replay` tells of it only while something is there."""
    [intake] = [queue for queue in depths if queue["name"] == "intake"]
    if any(intake[count] for count in ("visible", "inFlight", "delayed")):
        return figures
    return replace(figures, ages=replace(figures.ages, oldest_intake=None))


ROUTES: Sequence[Route] = (
    Route("GET", "/api/operations", operations),
    *writes.ROUTES,
)
