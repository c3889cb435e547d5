"""The permissions of a function's role: read from the emulator, taken away one by one, and put back."""
from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import Any, Callable, Iterator

from stack import Stack

#: The inline policy that stands in for an attached one while a permission of that one is taken away.
STAND_IN = "stand-in"
#: The condition of a statement that limits the attributes of an item.
ALL_OF, ATTRIBUTES = "ForAllValues:StringEquals", "dynamodb:Attributes"


@dataclass(frozen=True)
class Policy:
    """A policy of a role, inline or attached."""

    name: str  # the ARN if it is attached
    is_attached: bool
    statements: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Permission:
    """One action on one resource, as one statement allows it."""

    policy: Policy
    position: int  # of the statement
    action: str
    resource: str

    def left(self) -> list[dict[str, Any]]:
        """The policy's statements without this permission."""
        before, allowed, after = (
            self.policy.statements[:self.position], self.policy.statements[self.position],
            self.policy.statements[self.position + 1:])
        actions = [action for action in listed(allowed["Action"]) if action != self.action]
        resources = [resource for resource in listed(allowed["Resource"]) if resource != self.resource]
        others = [{**allowed, "Action": actions}] if actions else []
        elsewhere = [{**allowed, "Action": self.action, "Resource": resources}] if resources else []
        return [*before, *others, *elsewhere, *after]

    def __str__(self) -> str:
        return f"{self.action} on {self.resource.split(':', 5)[-1]}"


class Role:
    """The role of one of the template's functions."""

    def __init__(self, stack: Stack, logical_id: str):
        function = stack.client("lambda").get_function_configuration(FunctionName=stack.resource(logical_id))
        self._iam, self.arn = stack.client("iam"), function["Role"]
        self._name = self.arn.rsplit("/", 1)[-1]

    def permissions(self) -> list[Permission]:
        """The single permissions that the role's policies add up to."""
        return [
            Permission(policy, position, action, resource)
            for policy in self._policies() for position, statement in enumerate(policy.statements)
            for action in listed(statement["Action"]) for resource in listed(statement["Resource"])]

    def unconditional(self) -> contextlib.AbstractContextManager[None]:
        """While the role's own policies have no conditions."""
        return self._changed(lambda statement: {
            name: part for name, part in statement.items() if name != "Condition"})

    def attributes(self) -> list[str]:
        """The attributes that the role's own policies let it read."""
        return sorted({attribute for policy in self._own() for statement in policy.statements
                       for attribute in attributes_of(statement)})

    def without_attribute(self, attribute: str) -> contextlib.AbstractContextManager[None]:
        """While the role may not read an attribute."""
        def without(statement: dict[str, Any]) -> dict[str, Any]:
            if attribute not in attributes_of(statement):
                return statement
            left = [each for each in attributes_of(statement) if each != attribute]
            return {**statement, "Condition": {**statement["Condition"], ALL_OF: {ATTRIBUTES: left}}}

        return self._changed(without)

    @contextlib.contextmanager
    def _changed(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[None]:
        before = self._own()
        for policy in before:
            self._put(policy.name, [change(statement) for statement in policy.statements])
        try:
            yield
        finally:
            for policy in before:
                self._put(policy.name, policy.statements)

    def _own(self) -> list[Policy]:
        return [policy for policy in self._policies() if not policy.is_attached]

    @contextlib.contextmanager
    def without(self, permission: Permission) -> Iterator[None]:
        """While the role lacks a permission: from the next call on, since each one is checked against the role as it is."""
        policy = permission.policy
        if policy.is_attached:
            self._iam.detach_role_policy(RoleName=self._name, PolicyArn=policy.name)
        name = STAND_IN if policy.is_attached else policy.name
        self._put(name, permission.left())
        try:
            yield
        finally:
            if policy.is_attached:
                self._put(name, [])
                self._iam.attach_role_policy(RoleName=self._name, PolicyArn=policy.name)
            else:
                self._put(name, policy.statements)

    def _put(self, name: str, statements: list[dict[str, Any]] | tuple[dict[str, Any], ...]) -> None:
        """Puts an inline policy, or removes it if nothing would be in it."""
        if statements:
            self._iam.put_role_policy(
                RoleName=self._name, PolicyName=name, PolicyDocument=json.dumps(document(statements)))
        elif name in self._iam.list_role_policies(RoleName=self._name)["PolicyNames"]:
            self._iam.delete_role_policy(RoleName=self._name, PolicyName=name)

    def _policies(self) -> list[Policy]:
        iam, name = self._iam, self._name
        inline = [
            Policy(policy, False, statements_of(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]))
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]]
        attached = [
            Policy(policy["PolicyArn"], True, statements_of(managed(iam, policy["PolicyArn"])))
            for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]]
        return inline + attached


class QueuePolicy:
    """The policy of one of the stack's queues, by the name of its output."""

    def __init__(self, stack: Stack, queue: str):
        self._queues, self._url = stack.client("sqs"), stack.outputs[queue]
        found = self._queues.get_queue_attributes(QueueUrl=self._url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        statements = json.loads(found)["Statement"]
        #: The statement that says who may send, and the others.
        [self._sending] = [statement for statement in statements if statement["Action"] == "sqs:SendMessage"]
        self._others = [statement for statement in statements if statement is not self._sending]

    @property
    def senders(self) -> list[str]:
        """The roles that may send, by ARN."""
        return [arn for arn in self._named if ":role/" in arn]

    @property
    def _named(self) -> list[str]:
        """All that the policy names: the roles, and locally their sessions, too."""
        return listed(self._sending["Condition"]["ArnNotLike"]["aws:PrincipalArn"])

    def without_sender(self, arn: str) -> contextlib.AbstractContextManager[None]:
        """While a role isn't among those that may send."""
        name = arn.rsplit("/", 1)[-1]
        rest = [each for each in self._named if each != arn and f":assumed-role/{name}/" not in each]
        condition = {"Condition": {"ArnNotLike": {"aws:PrincipalArn": rest}}} if rest else {}
        return self._with([{**{key: part for key, part in self._sending.items() if key != "Condition"}, **condition}])

    def lifted(self) -> contextlib.AbstractContextManager[None]:
        """While the policy doesn't say who may send."""
        return self._with([])

    @contextlib.contextmanager
    def _with(self, sending: list[dict[str, Any]]) -> Iterator[None]:
        self._set([*self._others, *sending])
        try:
            yield
        finally:
            self._set([*self._others, self._sending])

    def _set(self, statements: list[dict[str, Any]]) -> None:
        policy = json.dumps(document(statements)) if statements else ""
        self._queues.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})


def attributes_of(statement: dict[str, Any]) -> list[str]:
    """The attributes that a statement is limited to."""
    return listed(statement.get("Condition", {}).get(ALL_OF, {}).get(ATTRIBUTES, []))


def managed(iam: Any, arn: str) -> dict[str, Any]:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def statements_of(policy: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    statements = tuple(listed(policy["Statement"]))
    assert {statement["Effect"] for statement in statements} <= {"Allow"}, statements
    return statements


def document(statements: list[dict[str, Any]] | tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def listed(one_or_more: Any) -> list[Any]:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
