"""What alarms and dashboard look at exists: on AWS's own metrics by AWS's own names, which are written down here.

These alarms ring on what AWS counts, so that no trial on one machine can have them ring. The others do, in
`tests/end_to_end/test_alarms.py`.
"""
from __future__ import annotations

import re

import pytest

from .alarms import STACK, alarms, filtered, is_own, of_kind, on_dashboard
from .metrics import Metric

#: AWS's metrics, by namespace: each with the sets of dimensions under which AWS counts it. From the developer guides of
#: Lambda ("Using CloudWatch metrics with Lambda") and SQS ("Available CloudWatch metrics for Amazon SQS").
FUNCTION, VERSION = ("FunctionName",), ("ExecutedVersion", "FunctionName", "Resource")
AWS: dict[str, dict[str, set[tuple[str, ...]]]] = {
    "AWS/Lambda": {
        "Errors": {FUNCTION, VERSION}, "Throttles": {FUNCTION, VERSION}, "Invocations": {FUNCTION, VERSION},
        "Duration": {FUNCTION, VERSION}, "ConcurrentExecutions": {(), FUNCTION}},
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage": {("QueueName",)}, "ApproximateNumberOfMessagesVisible": {("QueueName",)}},
}
#: What the stack has, by the dimension that names it. The dashboard calls functions by their names.
FUNCTIONS = of_kind("AWS::Lambda::Function")
THERE = {
    "FunctionName": {*FUNCTIONS, *(function["FunctionName"] for function in FUNCTIONS.values())},
    "QueueName": {*of_kind("AWS::SQS::Queue")}}
#: The alarms that can't ring on one machine, by the ends of their names.
NOT_HERE = {
    "on what Lambda counts": r"\w+(Errors|Throttles|Slow|Version)|(Relay|Poller)Silent",
    "on what SQS counts": "IntakeQueueOld|QuarantineNotEmpty|DecisionsOld|DecisionsVeryOld|DeadLetters|WakeUpOld",
    "on what filters find in logs": "Wultra(TooLarge|TurnedAway)|LoggedErrors",
}


def test_the_alarms_that_cannot_ring_here_are_these():
    not_here = re.compile(f"({'|'.join(NOT_HERE.values())})Alarm")
    assert {name for name in alarms() if not_here.fullmatch(name)} == {
        name for name, alarm in alarms().items() if not is_own(alarm)}


LOOKED_AT = sorted({*map(Metric.of_alarm, alarms().values()), *on_dashboard()}, key=str)


@pytest.mark.parametrize("metric", [one for one in LOOKED_AT if one.namespace != STACK], ids=str)
def test_a_metric_of_aws_s_is_one_and_of_a_thing_that_the_stack_has(metric):
    assert tuple(sorted(name for name, _ in metric.dimensions)) in AWS[metric.namespace][metric.name]
    for name, value in metric.dimensions:
        assert name not in THERE or value in THERE[name]


def test_what_filters_find_in_logs_is_counted_under_the_names_that_alarms_and_dashboard_look_at():
    of_logs = {metric for metric in LOOKED_AT if metric.name.startswith(("wultra.", "logged"))}
    assert of_logs == filtered() and len(filtered()) == 3


def test_every_metric_of_the_stack_s_own_stands_alone_or_is_a_provider_s():
    for metric in LOOKED_AT:
        if metric.namespace == STACK:
            assert {name for name, _ in metric.dimensions} <= {"provider"}, metric
