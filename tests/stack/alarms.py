"""The alarms and the dashboard of a stack that has everything, without the stack: a function or a queue is named by its
logical id."""
from __future__ import annotations

import json
import re
from typing import Any, Iterator, Mapping

from .emulator import REGION
from .metrics import Metric
from .processed import Processed

#: The name of the stack, and so the namespace of the functions' own metrics.
STACK = "verdict"
PROVIDERS = ("Incode", "Treezor", "Veriff", "Wultra")
#: How long a provider may be silent, in hours, and how many refusals it may have.
SILENCE, REFUSALS = 24, 5

TEMPLATE = Processed(
    Canary="true", RefusedThreshold=str(REFUSALS),
    **{f"{provider}SilenceHours": str(SILENCE) for provider in PROVIDERS},
    **{f"{provider}SecretArn": f"arn:aws:secretsmanager:{REGION}:000000000000:secret:{provider}-AbCdEf"
       for provider in PROVIDERS})


def plain(part: Any) -> Any:
    """A part of the template with names in place of what only AWS can tell."""
    match part:
        case {"Ref": "AWS::StackName"}:
            return STACK
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            return name
        case {"Fn::Sub": [str(text), dict(names)]}:
            return text_of(text, {name: plain(value) for name, value in names.items()})
        case {"Fn::Sub": text}:
            return text_of(text, {})
        case {"Fn::Join": [str(between), [*parts]]}:
            return between.join(map(plain, parts))
        case dict():
            return {name: plain(member) for name, member in part.items()}
        case [*members]:
            return [plain(member) for member in members]
    return part


def text_of(text: str, names: Mapping[str, str]) -> str:
    known = {"AWS::StackName": STACK, "AWS::Region": REGION, **names}
    return re.sub(r"\$\{([\w:]+)(\.\w+)?}", lambda found: known.get(found[1], found[1]), text)


def of_kind(kind: str) -> dict[str, Any]:
    return {name: plain(TEMPLATE.declared(name)) for name in TEMPLATE.resources(kind)}


def alarms() -> dict[str, dict[str, Any]]:
    """Every alarm, by its logical id."""
    return of_kind("AWS::CloudWatch::Alarm")


def is_own(alarm: Mapping[str, Any]) -> bool:
    """Whether an alarm looks at what the functions count: neither AWS nor a filter on a log counts it."""
    return alarm["Namespace"] == STACK and Metric.of_alarm(alarm) not in filtered()


def filtered() -> set[Metric]:
    """The metrics that filters make of logs."""
    return {Metric(made["MetricNamespace"], made["MetricName"])
            for one in of_kind("AWS::Logs::MetricFilter").values() for made in one["MetricTransformations"]}


def on_dashboard() -> Iterator[Metric]:
    """Every metric on the dashboard."""
    [dashboard] = of_kind("AWS::CloudWatch::Dashboard").values()
    for widget in json.loads(dashboard["DashboardBody"])["widgets"]:
        before: list[str] = []
        for entry in widget["properties"]["metrics"]:
            words = [word for word in entry if isinstance(word, str)]
            # A dot repeats what stands there in the entry before.
            before = [before[at] if word == "." else word for at, word in enumerate(words)]
            namespace, name, *dimensions = before
            yield Metric(namespace, name, frozenset(zip(dimensions[::2], dimensions[1::2])))
