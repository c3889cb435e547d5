"""The local operator: an IAM role with just the permissions that docs/operate.md asks for, assumed through STS.

The role isn't part of the template. It exists before the stack does, since the stack's `OperatorArn` names it; it gets its
permissions afterwards, since they name the stack's resources.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Callable

from verdict.deployed import physical_ids

#: Longer than any run of the tests.
SESSION_SECONDS = 12 * 60 * 60

#: Anyone in the account whose own permissions allow it; locally, that is the root user.
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}]}


def role_name(stack: str) -> str:
    return f"{stack}-operator"


def create(iam: Any, stack: str) -> str:
    """Creates the role, without any permission, and returns its ARN."""
    role = iam.create_role(
        RoleName=role_name(stack), AssumeRolePolicyDocument=json.dumps(TRUST), MaxSessionDuration=SESSION_SECONDS)
    return role["Role"]["Arn"]


def permit(stack: str, client: Callable[[str], Any]) -> None:
    """Gives the role its permissions on a deployed stack."""
    reach = Reach.of(stack, client)
    document = {"Version": "2012-10-17", "Statement": [*redriving(reach), *rebuilding(reach)]}
    client("iam").put_role_policy(
        RoleName=role_name(stack), PolicyName="operate", PolicyDocument=json.dumps(document))


@dataclass(frozen=True)
class Reach:
    """The ARNs that the permissions are about."""

    stack: str
    table: str
    intake: str
    quarantine: str
    replay: str

    @classmethod
    def of(cls, stack: str, client: Callable[[str], Any]) -> Reach:
        physical = physical_ids(stack, client("cloudformation"))
        [described] = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        table = client("dynamodb").describe_table(TableName=physical["SessionsTable"])["Table"]
        replay = client("lambda").get_function_configuration(FunctionName=physical["Replay"])
        return cls(
            # Whatever its id is: an operator names it.
            stack=described["StackId"].rpartition("/")[0] + "/*", table=table["TableArn"], replay=replay["FunctionArn"],
            intake=queue_arn(client("sqs"), physical["IntakeQueue"]),
            quarantine=queue_arn(client("sqs"), physical["QuarantineQueue"]))


def queue_arn(queues: Any, url: str) -> str:
    return queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def redriving(reach: Reach) -> list[dict[str, Any]]:
    """The permissions to send messages from the quarantine back to intake."""
    return [
        allow(reach.quarantine, "sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:CancelMessageMoveTask",
              "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        # SendMessage covers batches in AWS; in MiniStack they are an action of their own.
        allow(reach.intake, "sqs:SendMessage", "sqs:SendMessageBatch", "sqs:GetQueueAttributes"),
    ]


def rebuilding(reach: Reach) -> list[dict[str, Any]]:
    """The permissions to find sessions and to have them rebuilt; a request to rebuild is a message on intake."""
    return [
        allow(reach.stack, "cloudformation:DescribeStacks", "cloudformation:DescribeStackResource"),
        allow(reach.table, "dynamodb:Scan", "dynamodb:GetItem"),
        allow(f"{reach.table}/index/reference", "dynamodb:Query"),
        allow(reach.replay, "lambda:InvokeFunction"),
    ]


def allow(resource: str, *actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def assume(sts: Any, arn: str) -> dict[str, str]:
    """Assumes the role; the keys are arguments of a boto3 client."""
    keys = sts.assume_role(
        RoleArn=arn, RoleSessionName="operator", DurationSeconds=SESSION_SECONDS)["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
