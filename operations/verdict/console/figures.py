"""What *Operations* shows in figures, wherever they stand: minute by minute, and how long things have waited."""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Iterable, Mapping, Optional, Protocol, Sequence

from ..aws import Aws

MINUTE_MILLIS = 60_000
#: What becomes of a webhook, as the lines and the metrics call it. A probe counts in none of them.
OUTCOMES = ("recorded", "duplicate", "ignored", "spooled", "quarantined", "refused", "failed")


@dataclass(frozen=True)
class Ages:
    """How long the oldest of what waits has waited, in seconds, and how much waits for the poller. None is not known."""

    oldest_due: Optional[int] = None
    oldest_intake: Optional[int] = None
    oldest_poll_due: Optional[int] = None
    polls_due: Optional[int] = None

    @property
    def json(self) -> dict[str, Any]:
        return {"oldestDueSeconds": self.oldest_due, "oldestIntakeSeconds": self.oldest_intake,
                "oldestPollDueSeconds": self.oldest_poll_due, "pollsDue": self.polls_due}


@dataclass(frozen=True)
class Figures:
    """Counts and times by the minute, each minute by when it begins, in milliseconds since 1970."""

    #: Where they stand, in words.
    source: str
    #: How many webhooks, by minute and outcome.
    webhooks: Mapping[tuple[int, str], int]
    #: How many refusals, by minute, provider and reason.
    refusals: Mapping[tuple[int, str, str], int]
    #: The median and the 99th percentile of the answers' milliseconds, by minute: those of the slowest provider.
    latency: Mapping[int, tuple[float, float]]
    ages: Ages = field(default_factory=Ages)
    #: Whether something may be missing.
    partial: bool = False

    @property
    def json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "webhooks": [{"minute": rfc3339(minute), "outcome": outcome, "count": count}
                         for (minute, outcome), count in sorted(self.webhooks.items())],
            "refusals": [{"minute": rfc3339(minute), "provider": provider, "reason": reason, "count": count}
                         for (minute, provider, reason), count in sorted(self.refusals.items())],
            "latency": [{"minute": rfc3339(minute), "p50": p50, "p99": p99}
                        for minute, (p50, p99) in sorted(self.latency.items())],
            "ages": self.ages.json,
            "partial": self.partial,
        }


class Source(Protocol):
    """Where figures stand."""

    def look(self, operator: Aws, minutes: int) -> Figures:
        """The figures of so many minutes up to now."""


def minute_of(millis: int) -> int:
    """When a time's minute begins."""
    return millis - millis % MINUTE_MILLIS


def first_minute(now_millis: int, minutes: int) -> int:
    """When the first of so many minutes begins, of which the present one is the last."""
    return minute_of(now_millis) - (minutes - 1) * MINUTE_MILLIS


def rfc3339(minute: int) -> str:
    return datetime.fromtimestamp(minute / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def percentile(values: Sequence[float], percent: int) -> float:
    """The least of the values, in order, that so many percent of them don't exceed."""
    return values[math.ceil(len(values) * percent / 100) - 1]


def slowest(of_providers: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """The highest median and the highest 99th percentile. Percentiles of several providers can't be merged into one."""
    medians, highs = zip(*of_providers)
    return max(medians), max(highs)
