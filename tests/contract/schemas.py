"""The committed schemas, as validators."""
from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema_rs

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "docs/contract"
MESSAGES = ROOT / "events/notifications"

#: The schema of each type of message.
SCHEMA_OF = {
    "verdict.decision.v1": "decision",
    "verdict.check.v1": "check",
    "verdict.decision_withdrawn.v1": "decision-withdrawn",
}


class Schema:
    """One of the schemas."""

    def __init__(self, name: str):
        self.name = name
        self.document: dict[str, Any] = json.loads((CONTRACT / f"{name}.schema.json").read_text("utf-8"))

    @cached_property
    def _open(self) -> Any:
        return jsonschema_rs.validator_for(self.document, validate_formats=True)

    @cached_property
    def _closed(self) -> Any:
        return jsonschema_rs.validator_for(closed(self.document), validate_formats=True)

    def problems(self, instance: Any) -> list[str]:
        """Where it differs from what the schema says; what the schema doesn't describe is such a place, too."""
        errors = self._closed.iter_errors(instance)
        return [f"{self.name}: {error.message} at {list(error.instance_path)}" for error in errors]

    def allows(self, instance: Any) -> bool:
        """Whether a consumer's validator takes it, which lets new members pass."""
        return self._open.is_valid(instance)


def closed(schema: Any) -> Any:
    """The schema with no member allowed that it doesn't describe."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    more = {"additionalProperties": False} if "properties" in schema and "type" in schema else {}
    return {name: closed(value) for name, value in schema.items()} | more


def all_schemas() -> dict[str, Schema]:
    names = sorted(path.name.removesuffix(".schema.json") for path in CONTRACT.glob("*.schema.json"))
    return {name: Schema(name) for name in names}
