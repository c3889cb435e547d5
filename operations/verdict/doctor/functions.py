"""The functions: each is there, configured as the template says, and starts."""
from __future__ import annotations

import functools
import json
from typing import Any, Iterator, Mapping

from botocore.exceptions import ClientError

from ..deployed import ToFunction
from ..stack import HIDDEN, Stack
from .finding import BY_HAND, Finding, Look, Result, results

#: What an HTTP function answers to an event that is no request, and with which code.
NO_REQUEST: Mapping[str, Any] = {}
UNREADABLE = (400, "event_unreadable")
#: What the others are asked, which the schedules and queues never send, and what each answers.
ASKED = {"doctor": True}
STARTED = {"started": True}
#: The members of a configuration that have to be as the template says.
COMPARED = ("Role", "Timeout", "MemorySize", "Architectures")


def looks(stack: Stack) -> Iterator[Look]:
    serving = {
        route.target.logical_id for route in stack.template.routes().values() if isinstance(route.target, ToFunction)}
    for logical_id in stack.template.resources("AWS::Lambda::Function"):
        yield functools.partial(look, stack, logical_id, logical_id in serving)


def look(stack: Stack, logical_id: str, serves_http: bool) -> Iterator[Result]:
    try:
        configuration = stack.client("lambda").get_function_configuration(FunctionName=stack.physical(logical_id))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        yield Finding(logical_id, "the function is gone", "delete the stack (`make delete`) and deploy it anew")
        return
    yield from results(
        logical_id, *misconfigured(stack, logical_id, configuration), *not_started(stack, logical_id, serves_http))


def misconfigured(stack: Stack, logical_id: str, configuration: Mapping[str, Any]) -> Iterator[Finding]:
    """How its configuration differs from the template."""
    expected = stack.template.properties(logical_id)
    for name in COMPARED:
        if name in expected and expected[name] != configuration.get(name):
            yield Finding(logical_id, f"its {name} is {configuration.get(name)} instead of {expected[name]}", BY_HAND)
    wanted = expected.get("Environment", {}).get("Variables", {})
    given = configuration.get("Environment", {}).get("Variables", {})
    # Values stay unsaid: what was put in by hand may be anything. Secret ones are not known here; probes try them.
    differ = sorted(name for name, value in wanted.items()
                    if name not in given or (value != HIDDEN and str(value) != given[name]))
    if differ:
        yield Finding(logical_id, f"its environment differs from the template in {', '.join(differ)}", BY_HAND)


def not_started(stack: Stack, logical_id: str, serves_http: bool) -> Iterator[Finding]:
    """Says if the function does not start, or does not answer as one of this release's does."""
    event = NO_REQUEST if serves_http else ASKED
    logs = f"its log group says why ({stack.template.properties(logical_id)['LoggingConfig']['LogGroup']})"
    try:
        answer = stack.client("lambda").invoke(FunctionName=stack.physical(logical_id), Payload=json.dumps(event))
    except ClientError as error:
        yield Finding(logical_id, f"can't be invoked ({error.response['Error']['Code']})", BY_HAND)
        return
    content = answer["Payload"].read()
    if "FunctionError" in answer:
        yield Finding(logical_id, f"does not start ({reason(content)})", logs)
    elif (is_unreadable if serves_http else is_started)(json.loads(content)):
        return
    else:
        yield Finding(logical_id, "starts, but answers otherwise than this release's function", "deploy it again")


def reason(content: bytes) -> str:
    """The sort of a function's failure. The rest of it is left to its log."""
    try:
        return str(json.loads(content)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def is_unreadable(answer: Any) -> bool:
    """Whether that is what an HTTP function says to what isn't a request."""
    status, code = UNREADABLE
    return isinstance(answer, dict) and answer.get("statusCode") == status and code in str(answer.get("body"))


def is_started(answer: Any) -> bool:
    return answer == STARTED
