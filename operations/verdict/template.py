"""template.yaml as it stands in this checkout."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .places import TEMPLATE


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms, such as `!Ref X`, as the long ones: `{"Ref": "X"}`."""


def intrinsic(loader: Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


Loader.add_multi_constructor("!", intrinsic)


def load(path: Path = TEMPLATE) -> dict[str, Any]:
    """The template, with all functions in their long form."""
    return yaml.load(path.read_text("utf-8"), Loader=Loader)
