"""The log groups: each is there and keeps logs as long as the template says."""
from __future__ import annotations

import functools
from typing import Iterator

from ..stack import Stack
from .finding import BY_HAND, Finding, Look, Result, results


def looks(stack: Stack) -> Iterator[Look]:
    for logical_id in stack.template.resources("AWS::Logs::LogGroup"):
        yield functools.partial(look, stack, logical_id)


def look(stack: Stack, logical_id: str) -> Iterator[Result]:
    name, wanted = stack.physical(logical_id), int(stack.template.properties(logical_id)["RetentionInDays"])
    groups = stack.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    found = [group for group in groups if group["logGroupName"] == name]
    if not found:
        yield Finding(logical_id, f"the log group {name} is gone", BY_HAND)
        return
    days = found[0].get("retentionInDays")
    put_back = f"aws logs put-retention-policy --log-group-name {name} --retention-in-days {wanted}"
    wrong = f"keeps logs {'for ever' if days is None else f'for {days} days'} instead of {wanted} days"
    yield from results(logical_id, *([] if days == wanted else [Finding(logical_id, wrong, f"set it ({put_back})")]))
