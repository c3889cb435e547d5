"""What a deployed template comes to: its conditions, parameters, references and attributes put in.

CloudFormation has no call for it. Only what this project's template uses is known here; anything else is an error, so
that nothing is compared with half an answer.
"""
from __future__ import annotations

import re
from typing import Any, Mapping

from .deployed import DeployedTemplate

REFERENCE = re.compile(r"\$\{([\w:.]+)}")
#: The ARN of a resource by its type, of what `Ref` gives of it.
ARNS = {
    "AWS::DynamoDB::Table": "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
    "AWS::Events::Rule": "arn:{partition}:events:{region}:{account}:rule/{name}",
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role{path}{name}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{name}:*",
    # `Ref` gives a queue's URL.
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{last}",
}


class NotKnown(Exception):
    """Something of the template that can't be evaluated here."""


class Evaluated(DeployedTemplate):
    """A stack's template, evaluated.

        template = Evaluated("verdict", stack_id, boto3.client("cloudformation"))
        template.properties("Replay")["Environment"]      # {"Variables": {"SESSIONS_TABLE": "verdict-SessionsTable-…"}}
        template.arn("IntakeQueue")
    """

    def __init__(self, stack: str, stack_id: str, cloudformation: Any):
        super().__init__(stack, cloudformation)
        self._locate(stack, stack_id)

    def _locate(self, stack: str, stack_id: str) -> None:
        """Takes from a stack's id where it is."""
        _, self.partition, _, self.region, self.account, _ = stack_id.split(":", 5)
        self._pseudo = {
            "AWS::AccountId": self.account,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackId": stack_id,
            "AWS::StackName": stack,
            "AWS::URLSuffix": "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com",
        }

    def properties(self, logical_id: str) -> dict[str, Any]:
        """The properties of a resource."""
        return self._evaluate(self.declared(logical_id))

    def arn(self, logical_id: str) -> str:
        """The ARN of a resource of the stack."""
        kind, name = self.kind(logical_id), self._reference(logical_id)
        if kind not in ARNS:
            raise NotKnown(f"the ARN of {logical_id}, of type {kind}")
        return ARNS[kind].format(
            partition=self.partition, region=self.region, account=self.account, name=name, last=name.rsplit("/", 1)[-1],
            path=self.declared(logical_id).get("Path", "/"))

    def kind(self, logical_id: str) -> str:
        """The type of a resource."""
        return self._template["Resources"][logical_id]["Type"]

    def value(self, part: Any) -> Any:
        """A part of the template, evaluated."""
        return self._evaluate(self.resolve(part))

    def _evaluate(self, part: Any) -> Any:
        match part:
            case {"Ref": str(name)}:
                return self._reference(name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self._attribute(name, attribute)
            case {"Fn::Sub": [str(text), dict(names)]}:
                return self._substitute(text, {name: self._evaluate(value) for name, value in names.items()})
            case {"Fn::Join": [str(separator), [*parts]]}:
                return separator.join(str(self._evaluate(each)) for each in parts)
            case dict(members):
                unknown = [name for name in members if name.startswith("Fn::") or name == "Ref"]
                if unknown:
                    raise NotKnown(unknown[0])
                return {name: self._evaluate(member) for name, member in members.items()}
            case [*entries]:
                return [self._evaluate(each) for each in entries]
            case str():
                return self._substitute(part, {})
        return part

    def _substitute(self, text: str, names: Mapping[str, str]) -> str:
        """A text with its `${…}` replaced. Texts outside of `Fn::Sub` have none, and are left alone."""
        def replacement(found: re.Match[str]) -> str:
            name, dot, attribute = found[1].partition(".")
            if name in names:
                return str(names[name])
            return self._attribute(name, attribute) if dot else self._reference(name)

        return REFERENCE.sub(replacement, text)

    def _reference(self, name: str) -> str:
        for known in (self._pseudo, self._parameters, self.physical):
            if name in known:
                return known[name]
        raise NotKnown(f"Ref {name}")

    def _attribute(self, name: str, attribute: str) -> str:
        if attribute != "Arn":
            raise NotKnown(f"{name}.{attribute}")
        return self.arn(name)
