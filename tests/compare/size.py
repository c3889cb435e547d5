"""The size of an item as DynamoDB counts it: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>."""
from __future__ import annotations

from typing import Any


def item_size(item: dict[str, Any]) -> int:
    return sum(len(name.encode()) + size(value) for name, value in item.items())


def size(typed: dict[str, Any]) -> int:
    """A value with its type, such as `{"S": "text"}`."""
    ((kind, value),) = typed.items()
    if kind == "S":
        return len(value.encode())
    if kind == "N":
        return len(value) // 2 + 2
    if kind == "M":
        return 3 + sum(len(name.encode()) + 1 + size(member) for name, member in value.items())
    if kind == "L":
        return 3 + sum(1 + size(member) for member in value)
    return 1
