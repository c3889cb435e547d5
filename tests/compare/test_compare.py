"""What counts as a difference."""
from __future__ import annotations

import json
from typing import Any

import pytest
from compare.__main__ import Key, compare, seen
from compare.size import item_size

ITEM: dict[str, Any] = {"pk": {"S": "p"}, "decision": {"M": {"code": {"NULL": True}, "at": {"S": "2026"}}}}


def played(*values: dict[str, Any]) -> dict[Key, Any]:
    return seen("\n".join(json.dumps({"world": "w", "kind": "item", "name": "p STATE", "value": value})
                          for value in values).encode())


def without(name: str) -> dict[str, Any]:
    return {**ITEM, "decision": {"M": {member: value for member, value in ITEM["decision"]["M"].items() if member != name}}}


def test_a_member_that_is_changed_gone_or_new_is_a_difference(capsys: pytest.CaptureFixture[str]) -> None:
    for before, after in [(ITEM, without("at")), (without("at"), ITEM), (without("code"), ITEM),
                          (ITEM, {**ITEM, "pk": {"S": "q"}})]:
        assert compare(played(before), played(after)) == 1
        assert "1 differences" in capsys.readouterr().out


def test_an_item_that_is_missing_or_one_too_many_is_a_difference() -> None:
    assert compare(played(ITEM, ITEM), played(ITEM)) == 1
    assert compare(played(ITEM), played(ITEM, ITEM)) == 1


def test_a_null_that_is_left_out_is_told_and_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(played(ITEM), played(without("code"))) == 0
    assert "left out if it is null: item STATE .decision.M.code (1 times)" in capsys.readouterr().out
    assert compare(played(ITEM), played(ITEM)) == 0


def test_an_item_is_as_large_as_dynamodb_counts_it() -> None:
    assert item_size({"pk": {"S": "é"}, "n": {"N": "123"}, "l": {"L": [{"BOOL": True}]}}) == (2 + 2) + (1 + 3) + (1 + 5)
    assert item_size(ITEM) == 3 + 8 + 3 + (4 + 1 + 1) + (2 + 1 + 4)
