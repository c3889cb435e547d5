"""The template as CloudFormation gets it, after the SAM transform; and what that comes to with some parameters.

    template = Processed(**credentials("Wultra"), RolePath="/verdict/")
    template.declared("ReplayRole")["Path"]     # "/verdict/"
"""
from __future__ import annotations

import functools
from typing import Any, Iterator

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from verdict.deployed import DeployedTemplate

from .emulator import REGION
from .trial import TEMPLATE


@functools.cache
def transformed() -> dict[str, Any]:
    """The template after the transform."""
    source = yaml_parse(TEMPLATE.replace("CodeUri: .\n", "CodeUri: s3://code/function.zip\n"))
    return Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION)).translate(source, {})


class Processed(DeployedTemplate):
    """The template with parameters, without a stack: a resource has its logical id as physical id."""

    def __init__(self, **parameters: str):
        self._template = transformed()
        defaults = {name: str(declared.get("Default", "")) for name, declared in self._template["Parameters"].items()}
        self._parameters = {**defaults, **parameters}
        self.physical = {name: name for name in self._held("Resources")}

    def _held(self, section: str) -> Iterator[str]:
        """The entries of a section that there are."""
        for name, entry in self._template[section].items():
            if "Condition" not in entry or self.holds(entry["Condition"]):
                yield name

    def holds(self, condition: str) -> bool:
        return self._is_true(self._template["Conditions"][condition])

    def resolve(self, part: Any) -> Any:
        resolved = super().resolve(part)
        # A text whose references are still to be put in stays marked as one.
        is_marked = isinstance(part, dict) and "Fn::Sub" in part and isinstance(resolved, str) and "${" in resolved
        return {"Fn::Sub": resolved} if is_marked else resolved

    @property
    def outputs(self) -> dict[str, Any]:
        return {name: self.resolve(self._template["Outputs"][name]["Value"]) for name in self._held("Outputs")}

    def whole(self) -> dict[str, Any]:
        """A template without conditions and parameters that makes the same stack."""
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": self._template["Description"],
            "Metadata": {name: part for name, part in self._template["Metadata"].items() if name == "cfn-lint"},
            "Resources": {name: self._resource(name) for name in self.physical},
            "Outputs": {name: {"Value": value} for name, value in self.outputs.items()}}

    def _resource(self, name: str) -> dict[str, Any]:
        resource = {member: part for member, part in self._template["Resources"][name].items() if member != "Condition"}
        after = resource.pop("DependsOn", [])
        there = [each for each in ([after] if isinstance(after, str) else after) if each in self.physical]
        return {**resource, "Properties": self.declared(name), **({"DependsOn": there} if there else {})}
