"""Has a stack's dead-letter queues take the dead letters of the stack's own queues, and of no others.

SQS puts dead letters on a queue past its policy. Unless the queue says whose it takes, everybody in the account who may
make a queue can have a message of theirs end up there. The template can't say it, since the two queues would have to be
made before each other: so it is said after the deployment.
"""
from __future__ import annotations

import json
from typing import Any, Callable, Mapping

from .deployed import DeployedTemplate

ATTRIBUTE = "RedriveAllowPolicy"


def sources(template: DeployedTemplate) -> dict[str, list[str]]:
    """For each dead-letter queue the queues whose dead letters it takes, by logical id."""
    found: dict[str, list[str]] = {}
    for queue in template.resources("AWS::SQS::Queue"):
        redrive = template.declared(queue).get("RedrivePolicy", {})
        match redrive.get("deadLetterTargetArn"):
            case {"Fn::GetAtt": [str(target), "Arn"]}:
                found.setdefault(target, []).append(queue)
    return found


def policy(arns: list[str]) -> dict[str, Any]:
    """The attribute of a queue that takes the dead letters of these queues alone."""
    return {"redrivePermission": "byQueue", "sourceQueueArns": sorted(arns)}


def restrict(stack: str, connect: Callable[[str], Any]) -> None:
    """Says it for each dead-letter queue of a deployed stack. Twice changes nothing."""
    template, queues = DeployedTemplate(stack, connect("cloudformation")), connect("sqs")
    for target, its_sources in sources(template).items():
        wanted = policy([arn(queues, template.physical[source]) for source in its_sources])
        url = template.physical[target]
        if current(queues, url) != wanted:
            queues.set_queue_attributes(QueueUrl=url, Attributes={ATTRIBUTE: json.dumps(wanted)})


def current(queues: Any, url: str) -> Mapping[str, Any]:
    found = queues.get_queue_attributes(QueueUrl=url, AttributeNames=[ATTRIBUTE]).get("Attributes", {})
    return json.loads(found.get(ATTRIBUTE) or "{}")


def arn(queues: Any, url: str) -> str:
    return queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
