"""A deployed stack: its outputs, its parameters, and what its template says."""
from __future__ import annotations

import functools
import time
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional

from botocore.exceptions import ClientError

from .aws import Aws
from .evaluated import Evaluated
from .problem import Problem

#: The values of secret parameters, as CloudFormation shows them.
HIDDEN = "****"
#: A change set that was never executed leaves a stack with nothing in it.
EMPTY = ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE")
#: How the statuses of a stack end while CloudFormation is at work on it.
IN_PROGRESS = "_IN_PROGRESS"
OPERATOR = "OperatorArn"
#: The keys of a role are good for an hour. They are renewed so often, for what runs longer.
RENEWED_SECONDS = 30 * 60
QUEUES = ("Decisions", "DecisionsDeadLetter", "Intake", "Quarantine")
#: Only a stack with Incode has it.
WAKE_UP = "WakeUp"


@dataclass(frozen=True)
class Stack:
    """A stack that CloudFormation knows."""

    aws: Aws
    name: str
    id: str
    outputs: Mapping[str, str] = field(hash=False)
    #: As CloudFormation shows them: secret ones are hidden.
    parameters: Mapping[str, str] = field(hash=False)
    status: str = ""

    @classmethod
    def find(cls, aws: Aws, name: str) -> Optional[Stack]:
        """The stack of that name, or None if there is none."""
        try:
            [described] = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return None
            raise
        if described["StackStatus"] in EMPTY:
            return None
        return cls(
            aws, name, described["StackId"],
            {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])},
            {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])},
            described["StackStatus"])

    @classmethod
    def require(cls, aws: Aws, name: str) -> Stack:
        """The stack of that name, which has to be a Verdict."""
        stack = cls.find(aws, name)
        if stack is None:
            raise Problem(f"there is no stack {name} in {aws.region}: `make deploy` makes it, "
                          "and STACK_NAME= and AWS_REGION say where to look")
        if "IntakeQueueUrl" not in stack.outputs:
            raise Problem(f"the stack {name} isn't a Verdict, or not deployed: it has no output IntakeQueueUrl")
        return stack

    @functools.cached_property
    def template(self) -> Evaluated:
        """What the template says, as it was deployed."""
        return Evaluated(self.name, self.id, self.aws.client("cloudformation"))

    def physical(self, logical_id: str) -> str:
        """What AWS calls one of the template's resources."""
        return self.template.physical[logical_id]

    def resource(self, logical_id: str) -> str:
        """The same of a single one, for callers who may not read the template."""
        return self.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id)["StackResourceDetail"]["PhysicalResourceId"]

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    @property
    def api_url(self) -> str:
        """The base of all URLs of the API, as it is reached from here."""
        in_aws = self.outputs["ApiUrl"]
        if not self.aws.is_local:
            return in_aws
        return f"{self.aws.endpoint}/_aws/execute-api/{self.resource('Api')}"

    @property
    def default_url(self) -> str:
        """The base of the API's URLs under API Gateway's own domain, in AWS."""
        return self.template.value({"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"})

    def url(self, output: str) -> Optional[str]:
        """The URL that an output names, as it is reached from here; None if the stack has no such output."""
        value = self.outputs.get(output)
        return value and value.replace(self.outputs["ApiUrl"], self.api_url, 1)

    def queue_urls(self) -> dict[str, str]:
        """The stack's queues by what they are for."""
        urls = {name: self.queue_url(name) for name in QUEUES}
        wake_up = self.outputs.get(f"{WAKE_UP}QueueUrl")
        return urls | ({WAKE_UP: wake_up} if wake_up else {})

    def queue_url(self, name: str) -> str:
        """The URL of one queue that every stack has."""
        return self.outputs.get(f"{name}QueueUrl") or self.resource(f"{name}Queue")

    def operator(self) -> Aws:
        """Whoever operates the stack. On the local stack that is the role that OperatorArn names, as which we act;
        elsewhere the caller has to be it."""
        role = self.parameters.get(OPERATOR)
        if not (self.aws.is_local and role and ":role/" in role):
            return self.aws
        return acting_as(self.aws, role, int(time.monotonic() / RENEWED_SECONDS))

    def refuse_without_operator(self) -> None:
        """Ends the command if the policy of intake lets only the functions put anything there."""
        if self.parameters.get(OPERATOR) == "":
            raise Problem(f"the stack {self.name} has no {OPERATOR}: only its functions may put messages on intake; "
                          f"deploy it with the ARN of your role as {OPERATOR}, and act as that role")


@functools.lru_cache(maxsize=None)
def acting_as(aws: Aws, role: str, _: int) -> Aws:
    """A caller who has taken a role, the same one for a while."""
    return aws.acting_as(role)
