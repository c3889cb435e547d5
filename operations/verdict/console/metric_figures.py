"""Figures from CloudWatch's metrics, for a deployed stack: one question for all of them. Why something was refused is in no
metric: that is counted from the log lines, which are read only if anything was refused.
"""
from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

from ..aws import Aws
from ..log_lines import now_millis
from ..stack import Stack
from .figures import MINUTE_MILLIS, OUTCOMES, Ages, Figures, first_minute, slowest
from .line_figures import FRESH_MILLIS, POLLS, Count, refusals_of

#: Metrics without a dimension, and how a minute's values are put together.
OLDEST = {"oldestDue": "Maximum", "oldestIntake": "Maximum", "oldestPollDue": "Maximum"}
DUE = dict.fromkeys(POLLS, "Sum")
COMPLETE = ("Complete", "PartialData")


@dataclass(frozen=True)
class Series:
    """One metric of the functions', minute by minute."""

    name: str
    statistic: str
    provider: Optional[str] = None

    def query(self, number: int, namespace: str) -> dict[str, Any]:
        dimensions = [{"Name": "provider", "Value": self.provider}] if self.provider else []
        return {"Id": f"m{number}", "ReturnData": True, "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": self.name, "Dimensions": dimensions},
            "Period": MINUTE_MILLIS // 1000, "Stat": self.statistic}}


#: A series' values by minute.
Points = Mapping[Series, Mapping[int, float]]


class FromMetrics:
    """All figures of a deployed stack."""

    def __init__(self, namespace: str, providers: Sequence[str], refusals: Count, clock: Callable[[], int] = now_millis):
        self._namespace, self._providers, self._refusals, self._clock = namespace, providers, refusals, clock

    @classmethod
    def of(cls, stack: Stack, providers: Sequence[str]) -> FromMetrics:
        return cls(stack.name, providers, refusals_of(stack))

    def look(self, operator: Aws, minutes: int) -> Figures:
        now = self._clock()
        points, is_complete = self._ask(operator.client("cloudwatch"), first_minute(now, minutes), now)
        figures = Figures(
            source="metrics", webhooks=webhooks(points), refusals={}, latency=latency(points, self._providers),
            ages=ages(points, now - FRESH_MILLIS), partial=not is_complete)
        if not any(outcome == "refused" for _, outcome in figures.webhooks):
            return figures
        counted = self._refusals.look(operator.client("logs"), minutes)
        return replace(figures, refusals=counted.refusals, partial=figures.partial or counted.partial)

    def _series(self) -> Iterator[Series]:
        for provider in self._providers:
            yield from (Series(outcome, "Sum", provider) for outcome in OUTCOMES)
            yield from (Series("took", statistic, provider) for statistic in ("p50", "p99"))
        yield from (Series(name, statistic) for name, statistic in {**OLDEST, **DUE}.items())

    def _ask(self, cloudwatch: Any, since: int, until: int) -> tuple[Points, bool]:
        """Each series' values, and whether these are all."""
        series = {f"m{number}": one for number, one in enumerate(self._series())}
        points: defaultdict[Series, dict[int, float]] = defaultdict(dict)
        is_complete = True
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[one.query(number, self._namespace) for number, one in enumerate(series.values())],
            StartTime=moment(since), EndTime=moment(until))
        for page in pages:
            for result in page["MetricDataResults"]:
                is_complete &= result["StatusCode"] in COMPLETE
                minutes = (int(time.timestamp() * 1000) for time in result["Timestamps"])
                points[series[result["Id"]]].update(zip(minutes, result["Values"]))
        return points, is_complete


def webhooks(points: Points) -> dict[tuple[int, str], int]:
    """How many, of all providers."""
    counts: Counter[tuple[int, str]] = Counter()
    for series, values in points.items():
        if series.name in OUTCOMES:
            counts.update({(minute, series.name): int(value) for minute, value in values.items() if value})
    return counts


def latency(points: Points, providers: Sequence[str]) -> dict[int, tuple[float, float]]:
    of_providers: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for provider in providers:
        medians, highs = (points.get(Series("took", statistic, provider), {}) for statistic in ("p50", "p99"))
        for minute in medians.keys() & highs.keys():
            of_providers[minute].append((medians[minute], highs[minute]))
    return {minute: slowest(each) for minute, each in of_providers.items()}


def ages(points: Points, since: int) -> Ages:
    """What the last runs said; None of those that are too long ago."""
    oldest = {name: newest(points.get(Series(name, statistic), {}), since) for name, statistic in OLDEST.items()}
    due = [newest(points.get(Series(name, statistic), {}), since) for name, statistic in DUE.items()]
    known = [value for value in due if value is not None]
    return Ages(oldest["oldestDue"], oldest["oldestIntake"], oldest["oldestPollDue"], sum(known) if known else None)


def newest(values: Mapping[int, float], since: int) -> Optional[int]:
    minute = max(values, default=0)
    return int(values[minute]) if minute >= since and values else None


def moment(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, timezone.utc)
