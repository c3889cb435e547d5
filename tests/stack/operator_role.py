"""The local operator and the local backend: IAM roles with just the permissions that docs/operate.md asks for, assumed
through STS.

The roles aren't part of the template. They exist before the stack does, since the stack's `OperatorArn` and `BackendArn`
name them; they get their permissions afterwards, since they name the stack's resources.
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


OPERATOR, BACKEND = "operator", "backend"


def role_name(stack: str, who: str) -> str:
    return f"{stack}-{who}"


def create(iam: Any, stack: str, who: str) -> str:
    """Creates a role, without any permission, and returns its ARN."""
    role = iam.create_role(
        RoleName=role_name(stack, who), AssumeRolePolicyDocument=json.dumps(TRUST), MaxSessionDuration=SESSION_SECONDS)
    return role["Role"]["Arn"]


def permit(stack: str, client: Callable[[str], Any]) -> None:
    """Gives the roles their permissions on a deployed stack."""
    reach = Reach.of(stack, client)
    statements = {
        OPERATOR: [*redriving(reach), *redriving_decisions(reach), *rebuilding(reach), *requesting_polls(reach)],
        BACKEND: requesting_polls(reach)}
    for who, allowed in statements.items():
        client("iam").put_role_policy(
            RoleName=role_name(stack, who), PolicyName="operate",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}))


@dataclass(frozen=True)
class Reach:
    """The ARNs that the permissions are about."""

    stack: str
    table: str
    intake: str
    quarantine: str
    decisions: str
    dead_letters: str
    wake_up: str
    preview: str

    @classmethod
    def of(cls, stack: str, client: Callable[[str], Any]) -> Reach:
        physical = physical_ids(stack, client("cloudformation"))
        [described] = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        table = client("dynamodb").describe_table(TableName=physical["SessionsTable"])["Table"]
        preview = client("lambda").get_function_configuration(FunctionName=physical["RebuildPreview"])
        return cls(
            # Whatever its id is: an operator names it.
            stack=described["StackId"].rpartition("/")[0] + "/*", table=table["TableArn"], preview=preview["FunctionArn"],
            intake=queue_arn(client("sqs"), physical["IntakeQueue"]),
            quarantine=queue_arn(client("sqs"), physical["QuarantineQueue"]),
            decisions=queue_arn(client("sqs"), physical["DecisionsQueue"]),
            dead_letters=queue_arn(client("sqs"), physical["DecisionsDeadLetterQueue"]),
            wake_up=queue_arn(client("sqs"), physical["WakeUpQueue"]))


def queue_arn(queues: Any, url: str) -> str:
    return queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def redriving(reach: Reach) -> list[dict[str, Any]]:
    """The permissions to send messages from the quarantine back to intake."""
    return moving(reach.quarantine, reach.intake)


def redriving_decisions(reach: Reach) -> list[dict[str, Any]]:
    """The permissions to send what consumers failed on back to them."""
    return moving(reach.dead_letters, reach.decisions)


def moving(source: str, destination: str) -> list[dict[str, Any]]:
    return [
        allow(source, "sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:CancelMessageMoveTask",
              "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        # SendMessage covers batches in AWS; in MiniStack they are an action of their own.
        allow(destination, "sqs:SendMessage", "sqs:SendMessageBatch", "sqs:GetQueueAttributes"),
    ]


def rebuilding(reach: Reach) -> list[dict[str, Any]]:
    """The permissions to find sessions and to have them rebuilt; a request to rebuild is a message on intake."""
    return [
        allow(reach.stack, "cloudformation:DescribeStacks", "cloudformation:DescribeStackResource"),
        allow(reach.table, "dynamodb:Scan", "dynamodb:GetItem"),
        allow(f"{reach.table}/index/reference", "dynamodb:Query"),
        allow(reach.preview, "lambda:InvokeFunction"),
    ]


def requesting_polls(reach: Reach) -> list[dict[str, Any]]:
    """The permission to have Incode asked about a session."""
    return [allow(reach.wake_up, "sqs:SendMessage", "sqs:SendMessageBatch")]


def allow(resource: str, *actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def assume(sts: Any, arn: str) -> dict[str, str]:
    """Assumes the role; the keys are arguments of a boto3 client."""
    keys = sts.assume_role(
        RoleArn=arn, RoleSessionName="local", DurationSeconds=SESSION_SECONDS)["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
