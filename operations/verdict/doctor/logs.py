"""The log groups: each is there and keeps logs as long as the template says."""
from __future__ import annotations

import functools
from typing import Any, Iterator, Mapping, Optional

from ..stack import Stack
from .finding import BY_HAND, Finding, Look, Result, results

#: The key of what is encrypted with none of one's own.
OWN = "CloudWatch's own"


def looks(stack: Stack) -> Iterator[Look]:
    for logical_id in stack.template.resources("AWS::Logs::LogGroup"):
        yield functools.partial(look, stack, logical_id)


def look(stack: Stack, logical_id: str) -> Iterator[Result]:
    name, expected = stack.physical(logical_id), stack.template.properties(logical_id)
    groups = stack.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    found = [group for group in groups if group["logGroupName"] == name]
    if not found:
        yield Finding(logical_id, f"the log group {name} is gone", BY_HAND)
        return
    yield from results(logical_id, *kept_otherwise(logical_id, name, int(expected["RetentionInDays"]), found[0]),
                       *encrypted_otherwise(logical_id, name, expected.get("KmsKeyId"), found[0].get("kmsKeyId")))


def kept_otherwise(logical_id: str, name: str, wanted: int, found: Mapping[str, Any]) -> Iterator[Finding]:
    """Says if it keeps logs shorter or longer than the template says."""
    days = found.get("retentionInDays")
    put_back = f"aws logs put-retention-policy --log-group-name {name} --retention-in-days {wanted}"
    wrong = f"keeps logs {'for ever' if days is None else f'for {days} days'} instead of {wanted} days"
    if days != wanted:
        yield Finding(logical_id, wrong, f"set it ({put_back})")


def encrypted_otherwise(logical_id: str, name: str, wanted: Optional[str], found: Optional[str]) -> Iterator[Finding]:
    """Says if another key than the template's encrypts what comes from now on."""
    if found == wanted:
        return
    put_back = (f"aws logs associate-kms-key --log-group-name {name} --kms-key-id {wanted}" if wanted
                else f"aws logs disassociate-kms-key --log-group-name {name}")
    yield Finding(logical_id, f"its key is {found or OWN} instead of {wanted or OWN}",
                  f"set it ({put_back})")
