"""A deployed stack's template: what it says under the conditions that hold in that stack.

    template = DeployedTemplate("verdict", boto3.client("cloudformation"))
    template.physical["DecisionsQueue"]      # the queue's URL
    template.routes()["POST /treezor"]       # Route(target=ToFunction("TreezorWebhooks"), needs_iam=False)
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping, Optional, Union

#: What a part of the template is if it is left out.
NOTHING = {"Ref": "AWS::NoValue"}
INTEGRATION = "x-amazon-apigateway-integration"
ANY_METHOD = "x-amazon-apigateway-any-method"
#: The alias of each function, by which everything that invokes it does.
ALIAS = "live"
#: What SAM appends to a function's logical id for the alias's.
ALIAS_ID = f"Alias{ALIAS}"
#: A function, or its alias, in the URI of an integration.
INVOKED = re.compile(rf"\$\{{(?:(?P<alias>\w+){ALIAS_ID}|(?P<function>\w+)\.Arn)}}")
#: Resources that are in CloudFormation's list, but no longer in the stack: the second one is a retained resource.
GONE = ("DELETE_COMPLETE", "DELETE_SKIPPED")


@dataclass(frozen=True)
class ToFunction:
    """Requests invoke a function of the template, named by its logical id."""

    logical_id: str
    #: Whether they invoke the version that its alias points to. In releases without aliases, they invoke the newest code.
    is_live: bool = True


@dataclass(frozen=True)
class ToUrl:
    """Requests are passed on to a URL, whatever their own path is."""

    url: str


@dataclass(frozen=True)
class Route:
    """Where the API sends the requests of a route, and whether it asks for a signature first."""

    target: Union[ToFunction, ToUrl]
    needs_iam: bool


class DeployedTemplate:
    """A stack's template after the SAM transform, and the resources and parameters that the stack has."""

    def __init__(self, stack: str, cloudformation: Any):
        self._template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
        [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        self._parameters = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}
        #: The physical id of each of the stack's resources, by logical id.
        self.physical = physical_ids(stack, cloudformation)

    def resources(self, kind: str) -> dict[str, str]:
        """The physical ids of the stack's resources of one type, such as `AWS::SQS::Queue`, by logical id."""
        of_kind = {name for name, resource in self._template["Resources"].items() if resource["Type"] == kind}
        return {name: physical for name, physical in self.physical.items() if name in of_kind}

    def alias(self, function: str) -> Optional[str]:
        """The ARN of a function's alias; None in a stack of a release without aliases."""
        return self.physical.get(f"{function}{ALIAS_ID}")

    def published(self) -> dict[str, str]:
        """The version of each function that the last deployment published, by the function's logical id."""
        versions = {name: self._template["Resources"][name]["Properties"]["FunctionName"]
                    for name in self.resources("AWS::Lambda::Version")}
        return {function["Ref"]: self.physical[name].rpartition(":")[2] for name, function in versions.items()}

    def declared(self, logical_id: str) -> dict[str, Any]:
        """The properties of a resource as the template declares them, with conditions and parameters resolved."""
        return self.resolve(self._template["Resources"][logical_id].get("Properties", {}))

    def routes(self, api: str = "Api") -> dict[str, Route]:
        """The routes that the OpenAPI body of an API makes, by route key, such as `POST /treezor`."""
        paths = self.resolve(self._template["Resources"][api]["Properties"]["Body"]["paths"])
        return {
            route_key(method, path): route_of(operation)
            for path, methods in paths.items() for method, operation in methods.items() if INTEGRATION in operation}

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template holds in this stack.

        CloudFormation doesn't reveal the parameters that are secret, but their conditions decide which resources there are.
        """
        under_it = [name for name, resource in self._template["Resources"].items()
                    if resource.get("Condition") == condition]
        if under_it:
            return under_it[0] in self.physical
        return self._is_true(self._template["Conditions"][condition])

    def resolve(self, part: Any) -> Any:
        """A part of the template with its conditions and parameters resolved. What only AWS can tell stays as it is."""
        match part:
            case {"Fn::If": [condition, if_it_holds, if_not]}:
                return self.resolve(if_it_holds if self.holds(condition) else if_not)
            case {"Ref": name} if name in self._parameters:
                return self._parameters[name]
            case {"Fn::Split": [str(separator), {"Ref": name}]} if name in self._parameters:
                return self._parameters[name].split(separator)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{(\w+)}", lambda name: self._parameters.get(name[1], name[0]), text)
            case dict() if part != NOTHING:
                resolved = {name: self.resolve(member) for name, member in part.items()}
                return {name: member for name, member in resolved.items() if member != NOTHING}
            case [*members]:
                return [member for member in map(self.resolve, members) if member != NOTHING]
        return part

    def _is_true(self, expression: Mapping[str, Any]) -> bool:
        match expression:
            case {"Condition": name}:
                return self.holds(name)
            case {"Fn::Not": [inner]}:
                return not self._is_true(inner)
            case {"Fn::And": parts}:
                return all(map(self._is_true, parts))
            case {"Fn::Or": parts}:
                return any(map(self._is_true, parts))
            case {"Fn::Equals": [left, right]}:
                return str(self.resolve(left)) == str(self.resolve(right))
        raise ValueError(f"a condition of the template can't be read: {', '.join(expression)}")


def physical_ids(stack: str, cloudformation: Any) -> dict[str, str]:
    """The physical id of each resource that a stack has, by logical id."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages for resource in page["StackResourceSummaries"] if resource["ResourceStatus"] not in GONE}


def route_key(method: str, path: str) -> str:
    """A route as API Gateway names it."""
    return f"{'ANY' if method == ANY_METHOD else method.upper()} {path}"


def to_function(uri: str) -> ToFunction:
    """The function that the URI of an integration names."""
    found = INVOKED.search(uri)
    assert found, "an integration invokes neither a function nor its alias"
    return ToFunction(found["alias"] or found["function"], is_live=bool(found["alias"]))


def route_of(operation: Mapping[str, Any]) -> Route:
    """The route that an operation of the OpenAPI body makes."""
    integration = operation[INTEGRATION]
    uri = integration["uri"]
    is_function = integration["type"] == "aws_proxy"
    target = to_function(uri["Fn::Sub"] if isinstance(uri, dict) else uri) if is_function else ToUrl(uri)
    return Route(target, needs_iam=any("AWS_IAM" in scheme for scheme in operation.get("security", [])))
