"""The queues: their attributes, where their dead letters go, and who may do what with them."""
from __future__ import annotations

import functools
import json
from typing import Any, Iterator, Mapping, Optional

from botocore.exceptions import ClientError

from .. import dead_letters
from ..bridge import adapted
from ..policies import differences, grants
from ..stack import Stack
from .finding import BY_HAND, Finding, Look, Result, results
from .roles import named

#: Attributes whose value is JSON.
JSON = ("RedrivePolicy", "RedriveAllowPolicy")
#: Properties that are no attributes.
NO_ATTRIBUTES = ("QueueName", "Tags")
GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


def looks(stack: Stack) -> Iterator[Look]:
    for logical_id in stack.template.resources("AWS::SQS::Queue"):
        yield functools.partial(look, stack, logical_id)


def look(stack: Stack, logical_id: str) -> Iterator[Result]:
    try:
        found = stack.client("sqs").get_queue_attributes(
            QueueUrl=stack.physical(logical_id), AttributeNames=["All"])["Attributes"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        yield Finding(logical_id, "the queue is gone", "delete the stack (`make delete`) and deploy it anew")
        return
    yield from results(
        logical_id, *wrong_attributes(stack, logical_id, found), *wrong_policy(stack, logical_id, found.get("Policy")))


def wrong_attributes(stack: Stack, logical_id: str, found: Mapping[str, str]) -> Iterator[Finding]:
    for name, value in wanted_attributes(stack, logical_id).items():
        if name not in NO_ATTRIBUTES and normal(name, value) != normal(name, found.get(name)):
            yield Finding(
                logical_id, f"its {name} is {found.get(name, 'not set')} instead of {normal(name, value)}",
                f"set it (aws sqs set-queue-attributes --queue-url {stack.physical(logical_id)} --attributes …)")


def wanted_attributes(stack: Stack, logical_id: str) -> Mapping[str, Any]:
    """The attributes of a queue, as the template has them and as `make deploy` adds to them."""
    properties, its_sources = stack.template.properties(logical_id), dead_letters.sources(stack.template).get(logical_id)
    if its_sources is None:
        return properties
    return {**properties, dead_letters.ATTRIBUTE: dead_letters.policy([stack.template.arn(each) for each in its_sources])}


def normal(name: str, value: Any) -> str:
    """An attribute as text, the same for all ways to write it."""
    if name in JSON:
        read = json.loads(value or "{}") if isinstance(value, (str, type(None))) else value
        return json.dumps({key: as_text(part) for key, part in read.items()}, sort_keys=True)
    return as_text("false" if value is None else value)


def as_text(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def wrong_policy(stack: Stack, logical_id: str, found: Optional[str]) -> Iterator[Finding]:
    """How the queue's policy differs from what the template says of it."""
    url = stack.physical(logical_id)
    statements = [
        statement
        for name in stack.template.resources("AWS::SQS::QueuePolicy")
        for policy in [stack.template.properties(name)] if url in policy["Queues"]
        for statement in policy["PolicyDocument"]["Statement"]]
    if stack.aws.is_local:
        statements = adapted(statements)
    missing, more = differences(
        grants({"Statement": statements}), grants(json.loads(found) if found else {}))
    for grant in missing:
        yield Finding(logical_id, f"its policy lacks: {named(stack, grant)}", BY_HAND)
    for grant in more:
        yield Finding(
            logical_id, f"its policy has what isn't the template's: {named(stack, grant)}", "take it out by hand")
