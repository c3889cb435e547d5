"""The permissions of a function's role: read from the emulator, taken away one by one, and put back."""
from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import Any, Iterator

from stack import Stack

#: The inline policy that stands in for an attached one while a permission of that one is taken away.
STAND_IN = "stand-in"


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
        self._iam, self._name = stack.client("iam"), function["Role"].rsplit("/", 1)[-1]

    def permissions(self) -> list[Permission]:
        """The single permissions that the role's policies add up to."""
        return [
            Permission(policy, position, action, resource)
            for policy in self._policies() for position, statement in enumerate(policy.statements)
            for action in listed(statement["Action"]) for resource in listed(statement["Resource"])]

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
