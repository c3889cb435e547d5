"""The alarms and the dashboard as they are deployed: with what a stack has, and with nothing else."""
from __future__ import annotations

import itertools
import json
from typing import Any, Iterator

import pytest
from botocore.exceptions import ClientError

from .deployment import client
from .test_alarms import ALARMS
from .trial import Deployed, create, credentials

PROVIDERS = ("Incode", "Treezor", "Veriff", "Wultra")
TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-call"
SECRET = "arn:aws:secretsmanager:eu-west-1:000000000000:secret"
COLUMNS = 24


@pytest.fixture(scope="module")
def whole(endpoint):
    hours = {f"{provider}SilenceHours": "24" for provider in PROVIDERS}
    secrets = {f"{provider}SecretArn": f"{SECRET}:{provider}-AbC123" for provider in PROVIDERS}
    with Deployed(endpoint, "whole", **hours, **secrets, AlarmTopicArn=TOPIC, RefusedThreshold="7") as stack:
        yield stack


def alarms(stack: Deployed) -> list[dict[str, Any]]:
    pages = client("cloudwatch", stack.endpoint).get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{stack.name}-")
    return [alarm for page in pages for alarm in page["MetricAlarms"]]


def widgets(stack: Deployed) -> list[dict[str, Any]]:
    name = stack.resources["Dashboard"]
    body = client("cloudwatch", stack.endpoint).get_dashboard(DashboardName=name)["DashboardBody"]
    return json.loads(body)["widgets"]


def shown(stack: Deployed) -> Iterator[tuple[str, ...]]:
    """The metrics on the dashboard: namespace, name, and the dimensions with their values."""
    for widget in widgets(stack):
        last: list[str] = []
        for metric in widget["properties"]["metrics"]:
            words = [word for word in metric if isinstance(word, str)]
            last = [last[at] if word == "." else word for at, word in enumerate(words)]
            yield tuple(last)


def looked_at(alarm: dict[str, Any]) -> tuple[str, ...]:
    dimensions = [word for one in alarm["Dimensions"] for word in (one["Name"], one["Value"])]
    return (alarm["Namespace"], alarm["MetricName"], *dimensions)


def test_the_dashboard_shows_whatever_an_alarm_looks_at(whole):
    # Except whether something runs at all: its own metrics show that.
    missing = {looked_at(alarm) for alarm in alarms(whole)} - set(shown(whole))
    assert {metric[1] for metric in missing} == {"Invocations"}


def test_the_dashboard_is_of_its_stack_and_region(whole):
    assert whole.resources["Dashboard"] == "whole-eu-west-1"
    assert {widget["properties"]["region"] for widget in widgets(whole)} == {"eu-west-1"}
    assert {metric[0] for metric in shown(whole)} == {"whole", "AWS/Lambda", "AWS/SQS"}
    functions = {value for _, _, *of in shown(whole) for name, value in zip(of[::2], of[1::2]) if name == "FunctionName"}
    assert functions == set(whole.of_type("AWS::Lambda::Function").values())


def full(rows: list[dict[str, Any]]) -> bool:
    """Whether each row of widgets ends where the next one begins, and the last one at the edge."""
    ends = set(itertools.accumulate(widget["width"] for widget in rows))
    return set(range(COLUMNS, max(ends) + 1, COLUMNS)) <= ends and max(ends) % COLUMNS == 0


def test_the_rows_of_the_dashboard_are_full(whole):
    assert full(widgets(whole))


@pytest.mark.parametrize("providers", [PROVIDERS[:1], PROVIDERS[1:3], PROVIDERS[3:]], ids=" ".join)
def test_alarms_and_dashboard_are_of_the_deployed_providers_alone(endpoint, providers):
    with Deployed(endpoint, **credentials(*providers)) as stack:
        assert full(widgets(stack))
        seen = json.dumps([*widgets(stack), *map(looked_at, alarms(stack))]).lower()
        assert {other for other in PROVIDERS if other.lower() in seen} == set(providers)
        # Nobody is told, nobody is missed, and nothing is fetched.
        assert {tuple(alarm["AlarmActions"] + alarm["OKActions"]) for alarm in alarms(stack)} == {()}
        names = {alarm["MetricName"] for alarm in alarms(stack)}
        assert {"genuine", "secretStale"} & names == set() and {"failed", "refused", "Errors"} <= names


def test_with_everything_a_stack_has_every_alarm_of_the_template(whole):
    assert set(whole.of_type("AWS::CloudWatch::Alarm")) == set(ALARMS)
    assert {tuple(alarm["AlarmActions"] + alarm["OKActions"]) for alarm in alarms(whole)} == {(TOPIC, TOPIC)}
    assert {alarm["EvaluationPeriods"] for alarm in alarms(whole) if alarm["MetricName"] == "genuine"} == {24}
    assert {alarm["Threshold"] for alarm in alarms(whole) if alarm["MetricName"] == "refused"} == {7}


def test_a_stack_can_do_without_alarms(endpoint):
    with Deployed(endpoint, **credentials(*PROVIDERS), Alarms="false", VeriffSilenceHours="24") as stack:
        for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Logs::MetricFilter"):
            assert stack.of_type(kind) == {}


@pytest.mark.parametrize("parameter, value", [
    ("Alarms", "yes"), ("AlarmTopicArn", "on-call"), ("VeriffSilenceHours", "169"), ("WultraSilenceHours", "-1"),
    ("RefusedThreshold", "-1"),
])
def test_what_an_alarms_parameter_does_not_take_is_refused(endpoint, parameter, value):
    with pytest.raises(ClientError, match=parameter):
        create(endpoint, "refused", {**credentials("Veriff"), parameter: value})
