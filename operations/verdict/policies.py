"""Compares policies by what each statement comes to, whatever their order and form."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource that a statement allows or denies."""

    effect: str
    action: str
    resource: str
    principal: str
    condition: str

    def __str__(self) -> str:
        # Most statements name no principal, since a role's are about the role.
        who = "" if self.principal in ("null", '["*"]') else f" for {self.principal}"
        when = "" if self.condition == "{}" else f" where {self.condition}"
        return f"{self.effect.lower()} {self.action} on {self.resource}{who}{when}"


def grants(policy: Mapping[str, Any]) -> set[Grant]:
    """All that a policy says."""
    return {grant for statement in listed(policy.get("Statement", [])) for grant in of_statement(statement)}


def of_statement(statement: Mapping[str, Any]) -> Iterator[Grant]:
    principal = canonical(statement.get("Principal"))
    condition = canonical(statement.get("Condition", {}))
    for action in listed(statement.get("Action", [])):
        for resource in listed(statement.get("Resource", "")):
            yield Grant(statement["Effect"], action, resource, principal, condition)


def canonical(part: Any) -> str:
    """A part of a statement as text, the same for all ways to write it."""
    return json.dumps(ordered(part), sort_keys=True)


def ordered(part: Any) -> Any:
    """A single value is a list of one, and lists have no order."""
    if isinstance(part, Mapping):
        return {name: ordered(member) for name, member in part.items()}
    return None if part is None else sorted(map(as_text, listed(part)))


def as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def listed(one_or_more: Any) -> list[Any]:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def differences(expected: Iterable[Grant], found: Iterable[Grant]) -> tuple[list[Grant], list[Grant]]:
    """What is missing, and what is there besides."""
    wanted, there = set(expected), set(found)
    return sorted(wanted - there), sorted(there - wanted)
