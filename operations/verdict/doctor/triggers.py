"""What starts functions without a webhook: schedules, and the mappings that take messages off intake and wake-up."""
from __future__ import annotations

import functools
from typing import Any, Iterator, Mapping

from botocore.exceptions import ClientError

from ..stack import Stack
from .finding import BY_HAND, Finding, Look, Result, results

#: Members of a mapping that have to be as the template says.
COMPARED = ("BatchSize", "EventSourceArn", "FunctionResponseTypes", "ScalingConfig", "MaximumBatchingWindowInSeconds")
ENABLED = ("Enabled", "Enabling")


def looks(stack: Stack) -> Iterator[Look]:
    for logical_id in stack.template.resources("AWS::Lambda::EventSourceMapping"):
        yield functools.partial(mapping, stack, logical_id)
    for logical_id in stack.template.resources("AWS::Events::Rule"):
        yield functools.partial(schedule, stack, logical_id)


def mapping(stack: Stack, logical_id: str) -> Iterator[Result]:
    """Looks whether messages reach their function."""
    uuid, properties = stack.physical(logical_id), stack.template.properties(logical_id)
    try:
        found = stack.client("lambda").get_event_source_mapping(UUID=uuid)
    except ClientError as error:
        yield from gone(logical_id, error)
        return
    yield from results(logical_id, *wrong_mapping(logical_id, uuid, properties, found))


def wrong_mapping(
        logical_id: str, uuid: str, properties: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Finding]:
    if found["State"] not in ENABLED:
        yield Finding(logical_id, f"takes no messages off its queue ({found['State']})",
                      f"enable it (aws lambda update-event-source-mapping --uuid {uuid} --enabled)")
    if found["FunctionArn"].rpartition(":")[2] != properties["FunctionName"].rpartition(":")[2]:
        yield Finding(logical_id, f"starts {found['FunctionArn']} instead of {properties['FunctionName']}", BY_HAND)
    for name in COMPARED:
        if name in properties and properties[name] != found.get(name):
            yield Finding(logical_id, f"its {name} is {found.get(name)} instead of {properties[name]}", BY_HAND)


def schedule(stack: Stack, logical_id: str) -> Iterator[Result]:
    """Looks whether a schedule starts its function."""
    rule, properties, rules = stack.physical(logical_id), stack.template.properties(logical_id), stack.client("events")
    try:
        found = rules.describe_rule(Name=rule)
        targets = {target["Arn"] for target in rules.list_targets_by_rule(Rule=rule)["Targets"]}
    except ClientError as error:
        yield from gone(logical_id, error)
        return
    yield from results(logical_id, *wrong_schedule(logical_id, rule, properties, found, targets))


def wrong_schedule(
        logical_id: str, rule: str, properties: Mapping[str, Any], found: Mapping[str, Any],
        targets: set[str]) -> Iterator[Finding]:
    wanted = properties["ScheduleExpression"]
    if found["State"] != properties.get("State", "ENABLED"):
        yield Finding(logical_id, "the schedule is disabled", f"enable it (aws events enable-rule --name {rule})")
    if found.get("ScheduleExpression") != wanted:
        yield Finding(logical_id, f"runs at {found.get('ScheduleExpression')} instead of {wanted}", BY_HAND)
    for target in properties["Targets"]:
        if target["Arn"] not in targets:
            yield Finding(logical_id, f"no longer starts {target['Arn']}", BY_HAND)


def gone(logical_id: str, error: ClientError) -> Iterator[Finding]:
    if error.response["Error"]["Code"] != "ResourceNotFoundException":
        raise error
    yield Finding(logical_id, "is gone", BY_HAND)
