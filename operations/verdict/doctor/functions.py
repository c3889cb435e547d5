"""The functions: each is there, configured as the template says, and starts, in the version that is live."""
from __future__ import annotations

import functools
import json
from typing import Any, Iterator, Mapping

from botocore.exceptions import ClientError

from .. import live
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
    for logical_id in stack.template.resources("AWS::Lambda::Function"):
        yield functools.partial(look, stack, logical_id)


def serving(stack: Stack) -> set[str]:
    """The functions that routes lead to."""
    return {route.target.logical_id for route in stack.template.routes().values() if isinstance(route.target, ToFunction)}


def look(stack: Stack, logical_id: str) -> Iterator[Result]:
    invoked = live.invoked(stack, logical_id)
    try:
        configuration = stack.client("lambda").get_function_configuration(FunctionName=invoked)
    except ClientError as error:
        if error.response["Error"]["Code"] != live.GONE:
            raise
        yield Finding(logical_id, "the function is gone", "delete the stack (`make delete`) and deploy it anew")
        return
    outdated = [*taken_back(stack, logical_id, configuration)]
    # What is live was deployed with another template then.
    differences = [] if outdated else misconfigured(stack, logical_id, configuration)
    yield from results(logical_id, *outdated, *differences, *not_started(stack, logical_id, invoked))


def taken_back(stack: Stack, logical_id: str, configuration: Mapping[str, Any]) -> Iterator[Finding]:
    """Says if a version older than the last deployment's is live."""
    version, newest = configuration["Version"], stack.template.published().get(logical_id)
    if newest is None or not version.isdecimal() or int(version) >= int(newest):
        return
    yield Finding(
        "live", f"{live.release_of(configuration)} is live, and not what was deployed last: that was taken back",
        "correct what was wrong with it, and deploy", (f"{logical_id} (version {version} of {newest})",))


def misconfigured(stack: Stack, logical_id: str, configuration: Mapping[str, Any]) -> Iterator[Finding]:
    """How its configuration differs from the template."""
    expected = stack.template.properties(logical_id)
    for name in COMPARED:
        if name in expected and str(expected[name]) != str(configuration.get(name)):
            yield Finding(logical_id, f"its {name} is {configuration.get(name)} instead of {expected[name]}", BY_HAND)
    wanted = expected.get("Environment", {}).get("Variables", {})
    given = configuration.get("Environment", {}).get("Variables", {})
    # Values stay unsaid: what was put in by hand may be anything. Secret ones are not known here; probes try them.
    differ = sorted(name for name, value in wanted.items()
                    if name not in given or (value != HIDDEN and str(value) != given[name]))
    if differ:
        yield Finding(logical_id, f"its environment differs from the template in {', '.join(differ)}", BY_HAND)
    # The emulator keeps neither.
    if not stack.aws.is_local:
        yield from exposed(logical_id, expected, configuration)


def exposed(logical_id: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Finding]:
    """How its network, and the key of its environment, differ from the template."""
    inside, connected = expected.get("VpcConfig", {}), found.get("VpcConfig", {})
    for name in ("SubnetIds", "SecurityGroupIds"):
        if set(inside.get(name, [])) != set(connected.get(name, [])):
            yield Finding(logical_id, f"its {name} are {listed(connected, name)} instead of {listed(inside, name)}", BY_HAND)
    if expected.get("KmsKeyArn") != (found.get("KMSKeyArn") or None):
        yield Finding(logical_id, "another key than the template's encrypts its environment", BY_HAND)


def listed(network: Mapping[str, Any], name: str) -> str:
    return ", ".join(sorted(network.get(name, []))) or "none"


def not_started(stack: Stack, logical_id: str, invoked: str) -> Iterator[Finding]:
    """Says if the function does not start, or does not answer as one of this release's does."""
    serves_http = logical_id in serving(stack)
    event = NO_REQUEST if serves_http else ASKED
    logs = f"its log group says why ({stack.template.properties(logical_id)['LoggingConfig']['LogGroup']})"
    try:
        answer = stack.client("lambda").invoke(FunctionName=invoked, Payload=json.dumps(event))
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
