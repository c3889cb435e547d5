"""The judge of the alarms, judged: it takes metrics and rings as CloudWatch does."""
from __future__ import annotations

import pytest

from .metrics import ALARM, INSUFFICIENT_DATA, OK, Malformed, Metric, Printed, evaluated, values

ALARM_ON_SUM = {
    "Namespace": "verdict", "MetricName": "failed", "Dimensions": [{"Name": "provider", "Value": "veriff"}],
    "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 2, "TreatMissingData": "notBreaching"}


def line(name: str = "failed", number: object = 1, provider: object = "veriff", namespace: str = "verdict", unit="Count"):
    return {"provider": provider, name: number, "_aws": {"Timestamp": 1_781_308_800_000, "CloudWatchMetrics": [{
        "Namespace": namespace, "Dimensions": [["provider"]], "Metrics": [{"Name": name, "Unit": unit}]}]}}


def state(alarm, *printed: tuple[dict, float], at: float = 300) -> str:
    return evaluated(alarm, [Printed(*one) for one in printed], at)


def test_a_line_is_as_many_metrics_as_it_has_names_and_sets_of_dimensions():
    two = line(number=3)
    two["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = [["provider"], []]
    assert list(values(two)) == [
        (Metric("verdict", "failed", frozenset({("provider", "veriff")})), 3), (Metric("verdict", "failed"), 3)]
    assert list(values({"message": "read", "failed": 1})) == []


@pytest.mark.parametrize("wrong", [
    line(number="1"), line(number=True), line(number=None), line(number=float("nan")), line(provider=None),
    line(provider=""), line(namespace="AWS/Lambda"), line(namespace=""), line(unit="Days"), line(name="")])
def test_a_line_that_cloudwatch_would_not_take_is_none(wrong):
    with pytest.raises(Malformed):
        list(values(wrong))


def test_a_sum_rings_above_its_threshold_and_only_there():
    assert state(ALARM_ON_SUM, (line(number=2), 0)) == OK
    assert state(ALARM_ON_SUM, (line(number=2), 0), (line(), 299)) == ALARM
    assert state(ALARM_ON_SUM, (line(number=2), 0), (line(), 300)) == OK, "of two periods"


@pytest.mark.parametrize("other", [
    line(number=9, provider="wultra"), line(name="refused", number=9), line(number=9, namespace="another")])
def test_another_metric_rings_nothing(other):
    assert state(ALARM_ON_SUM, (other, 0)) == OK


def test_each_period_has_to_breach_unless_fewer_are_enough():
    three = {**ALARM_ON_SUM, "EvaluationPeriods": 3}
    bad, good = line(number=9), line(number=1)
    assert state(three, (bad, 0), (bad, 300), (bad, 600), at=900) == ALARM
    assert state(three, (bad, 0), (good, 300), (bad, 600), at=900) == OK
    assert state(three, (bad, 0), (bad, 600), at=900) == OK, "a period without a line isn't breaching"
    assert state({**three, "DatapointsToAlarm": 2}, (bad, 0), (bad, 600), at=900) == ALARM


def test_what_is_missing_counts_as_the_alarm_says():
    silent = {**ALARM_ON_SUM, "ComparisonOperator": "LessThanThreshold", "Threshold": 1, "EvaluationPeriods": 2}
    assert state({**silent, "TreatMissingData": "breaching"}, at=600) == ALARM
    assert state({**silent, "TreatMissingData": "breaching"}, (line(), 0), at=600) == OK
    assert state({**silent, "TreatMissingData": "notBreaching"}, at=600) == OK
    assert state({**silent, "TreatMissingData": "missing"}, at=600) == INSUFFICIENT_DATA


def test_a_maximum_is_the_greatest_and_not_the_sum():
    greatest = {**ALARM_ON_SUM, "Statistic": "Maximum"}
    assert state(greatest, (line(number=2), 0), (line(number=2), 1)) == OK
    assert state(greatest, (line(number=1), 0), (line(number=3), 1)) == ALARM
