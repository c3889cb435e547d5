"""What CloudWatch makes of log lines: metrics, by its embedded metric format, and alarms on them.

    lines = [Printed(line, at=0), Printed(line, at=300)]
    evaluated(alarm, lines, at=600)                      # OK or ALARM

CloudWatch's user guide has the format (under *Embedded metric format specification*) and the rules of alarms (under *Alarm
evaluation*). Of a metric that comes with a delay, or of points from before the periods that count, nothing is known here.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence

ALARM, OK, INSUFFICIENT_DATA = "ALARM", "OK", "INSUFFICIENT_DATA"
#: The units that the functions use, of those that CloudWatch knows.
UNITS = {"Count", "Seconds", "Milliseconds"}
#: CloudWatch's limits.
MOST_DIMENSIONS, MOST_METRICS, LONGEST_NAME = 30, 100, 255

Dimensions = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Metric:
    """A metric: what is counted, and of what."""

    namespace: str
    name: str
    dimensions: Dimensions = frozenset()

    @classmethod
    def of_alarm(cls, alarm: Mapping[str, Any]) -> Metric:
        """What an alarm looks at."""
        dimensions = frozenset((one["Name"], one["Value"]) for one in alarm.get("Dimensions", []))
        return cls(alarm["Namespace"], alarm["MetricName"], dimensions)

    def __str__(self) -> str:
        return " ".join([f"{self.namespace}/{self.name}", *(f"{name}={value}" for name, value in sorted(self.dimensions))])


@dataclass(frozen=True)
class Printed:
    """A line, and when it was printed, in seconds from the start of a trial."""

    line: Mapping[str, Any]
    at: float = 0

    def values(self) -> Iterator[tuple[Metric, float]]:
        """The metrics in the line, each with its value."""
        return values(self.line)


class Malformed(Exception):
    """A line from which CloudWatch would take no metric, or another one than is meant."""


def values(line: Mapping[str, Any]) -> Iterator[tuple[Metric, float]]:
    """The metrics in a line, each with its value. A line without any holds no `_aws`."""
    if "_aws" not in line:
        return
    root = line["_aws"]
    expect(isinstance(root["Timestamp"], int) and root["Timestamp"] > 1e12, "Timestamp is in milliseconds")
    for directive in root["CloudWatchMetrics"]:
        namespace = directive["Namespace"]
        expect(0 < len(namespace) <= LONGEST_NAME and not namespace.startswith("AWS/"), "Namespace")
        expect(0 < len(directive["Metrics"]) <= MOST_METRICS, "Metrics")
        names = [definition["Name"] for definition in directive["Metrics"]]
        expect(len(names) == len(set(names)), f"{names}: each once")
        for dimensions in directive["Dimensions"]:
            for definition in directive["Metrics"]:
                yield Metric(namespace, definition["Name"], named(line, dimensions)), value(line, definition)


def named(line: Mapping[str, Any], dimensions: Sequence[str]) -> Dimensions:
    expect(len(dimensions) <= MOST_DIMENSIONS, "Dimensions")
    for name in dimensions:
        expect(isinstance(line.get(name), str) and 0 < len(line[name]) <= LONGEST_NAME, f"{name} is a text")
    return frozenset((name, line[name]) for name in dimensions)


def value(line: Mapping[str, Any], definition: Mapping[str, str]) -> float:
    name, found = definition["Name"], line.get(definition["Name"])
    expect(0 < len(name) <= LONGEST_NAME and name.isascii(), f"{name!r} is a name")
    expect(definition["Unit"] in UNITS, f"{name} has a unit")
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found):
        raise Malformed(f"{name} is a number")
    return float(found)


def expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise Malformed(what)


# ---- Alarms ----

STATISTICS: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "Minimum": min, "SampleCount": len}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def evaluated(alarm: Mapping[str, Any], lines: Iterable[Printed], at: float) -> str:
    """The state of an alarm at a time, in seconds from the start, after these lines."""
    metric, period, periods = Metric.of_alarm(alarm), float(alarm["Period"]), int(alarm["EvaluationPeriods"])
    points = [(line.at, number) for line in lines for of, number in line.values() if of == metric]
    is_breaching = [
        breaches(alarm, [number for when, number in points if at - (back + 1) * period <= when < at - back * period])
        for back in range(periods)]
    known = [one for one in is_breaching if one is not None]
    if not known:
        return INSUFFICIENT_DATA
    return ALARM if sum(known) >= int(alarm.get("DatapointsToAlarm", periods)) else OK


def breaches(alarm: Mapping[str, Any], numbers: list[float]) -> bool | None:
    """Whether one period counts against the alarm. None if it doesn't count."""
    if not numbers:
        return {"breaching": True, "notBreaching": False}.get(alarm.get("TreatMissingData", "missing"))
    return COMPARISONS[alarm["ComparisonOperator"]](STATISTICS[alarm["Statistic"]](numbers), float(alarm["Threshold"]))
