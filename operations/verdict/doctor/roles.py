"""The functions' roles: each may do what the template says, and nothing else."""
from __future__ import annotations

import functools
from typing import Any, Iterator, Optional

from botocore.exceptions import ClientError

from ..policies import Grant, differences, grants
from ..stack import Stack
from .finding import BY_HAND, Finding, Look, Result, results

GONE = "NoSuchEntity"


def looks(stack: Stack) -> Iterator[Look]:
    for logical_id in stack.template.resources("AWS::IAM::Role"):
        yield functools.partial(role, stack, logical_id)
    for logical_id in stack.template.resources("AWS::IAM::ManagedPolicy"):
        yield functools.partial(managed_policy, stack, logical_id)


def role(stack: Stack, logical_id: str) -> Iterator[Result]:
    """Compares a role's own statements and attached policies with the template's."""
    name, properties = stack.physical(logical_id), stack.template.properties(logical_id)
    expected = {grant for policy in properties.get("Policies", []) for grant in grants(policy["PolicyDocument"])}
    iam = stack.client("iam")
    try:
        inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
        found = {grant for policy in inline
                 for grant in grants(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])}
        attached = {each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]}
        boundary = iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    except ClientError as error:
        yield from gone(logical_id, error)
        return
    wanted = set(properties.get("ManagedPolicyArns", []))
    yield from results(
        logical_id, *compared(stack, logical_id, expected, found),
        *unbounded(logical_id, properties.get("PermissionsBoundary"), boundary),
        *(Finding(logical_id, f"the policy {arn} is no longer attached",
                  f"attach it (aws iam attach-role-policy --role-name {name} --policy-arn {arn})")
          for arn in sorted(wanted - attached)),
        *(Finding(logical_id, f"the policy {arn} is attached, and isn't the template's",
                  f"detach it (aws iam detach-role-policy --role-name {name} --policy-arn {arn})")
          for arn in sorted(attached - wanted)))


def unbounded(logical_id: str, expected: Optional[str], found: Optional[str]) -> Iterator[Finding]:
    """Says if another policy than the template's, or none, bounds what a role may be allowed."""
    if expected != found:
        wrong = f"its permissions boundary is {found or 'missing'} instead of {expected or 'none'}"
        yield Finding(logical_id, wrong, BY_HAND)


def managed_policy(stack: Stack, logical_id: str) -> Iterator[Result]:
    """Compares the policy that several roles share with the template's."""
    iam, arn = stack.client("iam"), stack.physical(logical_id)
    try:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    except ClientError as error:
        yield from gone(logical_id, error)
        return
    expected = grants(stack.template.properties(logical_id)["PolicyDocument"])
    yield from results(logical_id, *compared(stack, logical_id, expected, grants(document)))


def gone(logical_id: str, error: ClientError) -> Iterator[Finding]:
    if error.response["Error"]["Code"] != GONE:
        raise error
    yield Finding(logical_id, "is gone", BY_HAND)


def compared(stack: Stack, logical_id: str, expected: set[Grant], found: set[Grant]) -> Iterator[Finding]:
    """A finding for each permission that is missing, and for each that is one too many."""
    missing, more = differences(expected, found)
    for grant in missing:
        yield Finding(logical_id, f"lacks the permission: {named(stack, grant)}", BY_HAND)
    for grant in more:
        yield Finding(
            logical_id, f"has a permission that isn't the template's: {named(stack, grant)}", "take it away by hand")


def named(stack: Stack, grant: Any) -> str:
    """A grant with the template's names in place of ARNs."""
    text = str(grant)
    for kind in ("AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::Logs::LogGroup"):
        for logical_id in stack.template.resources(kind):
            text = text.replace(stack.template.arn(logical_id), logical_id)
    return text
