"""What the template comes to in the deployment that is about to be made: with the parameters that it will have, and with
what the stack has already. What there isn't yet, is called by a plausible name.
"""
from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Iterator, Mapping, Optional, Sequence

from . import template
from .aws import Aws
from .check import CREDENTIALS, is_credentials, provider_of
from .evaluated import Evaluated
from .parameters import Parameter
from .stack import HIDDEN, Stack

#: An account for names of what there isn't yet.
NO_ACCOUNT = "000000000000"
FUNCTION = "AWS::Serverless::Function"


def values(given: Sequence[Parameter], stack: Optional[Stack], kept: Mapping[str, str]) -> dict[str, str]:
    """The parameters' values after the deployment: the file's, else the stack's, else the template's own. `kept` has the
    credentials, by provider, that CloudFormation keeps and doesn't show. What isn't known stays hidden."""
    declared = template.load()["Parameters"]
    own = {name: str(declaration["Default"]) for name, declaration in declared.items() if "Default" in declaration}
    deployed = {name: value for name, value in (stack.parameters if stack else {}).items() if name in declared}
    secret = {name: kept_value(stack, provider_of(name), kept) for name, value in deployed.items()
              if stack and value == HIDDEN and is_credentials(name)}
    return {**own, **deployed, **secret, **{each.name: each.value for each in given}}


def kept_value(stack: Stack, provider: str, kept: Mapping[str, str]) -> str:
    """A provider's credentials as the stack has them. CloudFormation hides what is empty, too."""
    variable = f"{provider.upper()}_{CREDENTIALS.upper()}"
    has_any = any(variable in stack.template.properties(function).get("Environment", {}).get("Variables", {})
                  for function in stack.template.resources("AWS::Lambda::Function"))
    return kept.get(provider, HIDDEN) if has_any else ""


class Planned(Evaluated):
    """A template that isn't deployed yet, evaluated."""

    def __init__(self, path: Path, parameters: Mapping[str, str], aws: Aws, name: str, stack: Optional[Stack] = None):
        self._template = template.load(path)
        self.parameters = self._parameters = dict(parameters)
        self.physical = dict(stack.template.physical if stack else {})
        self._locate(name, stack.id if stack else f"arn:aws:cloudformation:{aws.region}:{NO_ACCOUNT}:stack/{name}/none")

    def functions(self) -> list[str]:
        """The functions that there will be, by logical id."""
        return [name for name, resource in self._template["Resources"].items()
                if resource["Type"] == FUNCTION and self._is_made(resource)]

    def environment(self, function: str) -> dict[str, str]:
        """The variables that a function will have."""
        shared = self._template.get("Globals", {}).get("Function", {})
        own = self._template["Resources"][function]["Properties"]
        variables = [each.get("Environment", {}).get("Variables", {}) for each in (shared, own)]
        merged = dict(itertools.chain.from_iterable(each.items() for each in variables))
        return {name: str(value) for name, value in self.value(merged).items()}

    def serves_http(self, function: str) -> bool:
        """Whether routes of the API lead to a function."""
        events = self._template["Resources"][function]["Properties"].get("Events", {})
        return any(event["Type"] == "HttpApi" for event in events.values())

    def unknown_secrets(self, function: str) -> Iterator[str]:
        """The variables of a function whose values CloudFormation keeps, and nothing here knows."""
        return (name for name, value in self.environment(function).items() if value == HIDDEN)

    def holds(self, condition: str) -> bool:
        return self._is_true(self._template["Conditions"][condition])

    def _is_made(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self.holds(resource["Condition"])

    def _reference(self, name: str) -> str:
        if name in self._pseudo or name in self._parameters or name in self.physical:
            return super()._reference(name)
        if self.kind(name) == "AWS::SQS::Queue":
            fifo = ".fifo" if self._template["Resources"][name]["Properties"].get("FifoQueue") else ""
            return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{self._pseudo['AWS::StackName']}-{name}{fifo}"
        return f"{self._pseudo['AWS::StackName']}-{name}"
