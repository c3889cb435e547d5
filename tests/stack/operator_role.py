"""The local operator and the local backend: IAM roles with just the permissions that docs/operate.md asks for, assumed
through STS. The operator's are the policies that the stack's outputs name.

The roles aren't part of the template. They exist before the stack does, since the stack's `OperatorArn` and `BackendArn`
name them; they get their permissions afterwards, since they name the stack's resources.
"""
from __future__ import annotations

import json
from typing import Any, Callable, Iterable, Iterator, Mapping

#: Longer than any run of the tests.
SESSION_SECONDS = 12 * 60 * 60

#: Anyone in the account whose own permissions allow it; locally, that is the root user.
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}]}


OPERATOR, BACKEND = "operator", "backend"
#: The outputs with the policies that the stack made for the operator: to have something done, and to look.
POLICIES = ("OperatorPolicyArn", "OnCallPolicyArn")
#: Actions, and those that MiniStack asks for besides, or for all resources, where AWS asks for the one.
INSTEAD = {
    "cloudwatch:DisableAlarmActions": ["cloudwatch:DisableAlarmActions", "cloudwatch:EnableAlarmActions"],
    "events:DescribeRule": ["events:DescribeRule", "lambda:PutFunctionConcurrency", "lambda:ListEventSourceMappings"],
}
#: Actions of SQS that have a call for many messages.
BATCHED = ("sqs:SendMessage", "sqs:ChangeMessageVisibility")


def role_name(stack: str, who: str) -> str:
    return f"{stack}-{who}"


def create(iam: Any, stack: str, who: str) -> str:
    """Creates a role, without any permission, and returns its ARN."""
    role = iam.create_role(
        RoleName=role_name(stack, who), AssumeRolePolicyDocument=json.dumps(TRUST), MaxSessionDuration=SESSION_SECONDS)
    return role["Role"]["Arn"]


def permit(stack: str, client: Callable[[str], Any]) -> None:
    """Gives the roles their permissions on a deployed stack: the operator's are policies that the stack made for it."""
    [described] = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    iam, operator = client("iam"), role_name(stack, OPERATOR)
    for policy in POLICIES:
        iam.attach_role_policy(RoleName=operator, PolicyArn=outputs[policy])
    allowed = [statement for policy in POLICIES for statement in document(iam, outputs[policy])["Statement"]]
    put(iam, operator, [*as_the_emulator_asks(allowed)])
    put(iam, role_name(stack, BACKEND), requesting_polls(outputs["WakeUpQueueArn"]))


def document(iam: Any, policy: str) -> Any:
    """What a managed policy says."""
    version = iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=policy, VersionId=version)["PolicyVersion"]["Document"]


def put(iam: Any, role: str, allowed: list[dict[str, Any]]) -> None:
    """Gives a role a policy of its own."""
    iam.put_role_policy(RoleName=role, PolicyName="operate",
                        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}))


def as_the_emulator_asks(statements: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """What else MiniStack asks for where AWS asks for these permissions."""
    for statement in statements:
        asked = {other for action, others in INSTEAD.items() if action in statement["Action"] for other in others}
        if asked:
            yield {"Effect": "Allow", "Action": sorted(asked), "Resource": "*"}
        # In AWS, each covers its batches.
        batches = [f"{action}Batch" for action in BATCHED if action in statement["Action"]]
        if batches:
            yield {**statement, "Action": batches}
        if "logs:FilterLogEvents" in statement["Action"]:
            yield {**statement, "Resource": [arn.removesuffix(":*") for arn in statement["Resource"]]}


def requesting_polls(wake_up: str) -> list[dict[str, Any]]:
    """The permission to have Incode asked about a session."""
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": wake_up}
    return [send, *as_the_emulator_asks([send])]


def assume(sts: Any, arn: str, seconds: int = SESSION_SECONDS) -> dict[str, str]:
    """Assumes the role; the keys are arguments of a boto3 client."""
    keys = sts.assume_role(
        RoleArn=arn, RoleSessionName="local", DurationSeconds=seconds)["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
