"""The probes: for each configured entry of each provider, a proved delivery that means nothing, over the public URL.

A probe shows that the URL leads to the function, that the function has these credentials, and that it still answers if
a slash too many stands behind the URL. Verdict stores and counts nothing of it.
"""
from __future__ import annotations

import functools
import json
import sys
from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Sequence

from ..check import provider_of, is_credentials
from ..parameters import Parameter
from ..places import EVENTS
from ..stack import Stack
from .finding import Finding, Fine, Look, Result

sys.path.append(str(EVENTS))
import proofs
import webhooks

VARIABLE = "_CREDENTIALS"
SLASH = "/"
#: The paths of a provider that has several functions with the same credentials.
PATHS = {"veriff": ("/veriff/events", "/veriff/decisions")}


@dataclass(frozen=True)
class Credentials:
    """A provider's credentials, and where they were found."""

    provider: str
    text: str
    source: str

    def __repr__(self) -> str:
        return f"Credentials({self.provider!r}, from {self.source})"


def looks(stack: Stack, given: Sequence[Parameter], file: str) -> Iterator[Look]:
    for credentials in configured(stack, given, file):
        yield from of_provider(stack, credentials)


def configured(stack: Stack, given: Sequence[Parameter], file: str) -> Iterator[Credentials]:
    """The credentials of each deployed provider: the file's, else those that its functions have."""
    said = {provider_of(each.name): each.value for each in given if is_credentials(each.name) and each.value}
    for provider, function in holders(stack).items():
        if provider in said:
            yield Credentials(provider, said[provider], file)
            continue
        found = stack.client("lambda").get_function_configuration(FunctionName=stack.physical(function))
        text = found.get("Environment", {}).get("Variables", {}).get(f"{provider.upper()}{VARIABLE}", "")
        yield Credentials(provider, text, f"the environment of {function}")


def holders(stack: Stack) -> dict[str, str]:
    """For each deployed provider, a function that has its credentials."""
    found: dict[str, str] = {}
    for function in stack.template.resources("AWS::Lambda::Function"):
        for name in stack.template.properties(function).get("Environment", {}).get("Variables", {}):
            if name.endswith(VARIABLE):
                found.setdefault(name.removesuffix(VARIABLE).lower(), function)
    return found


def of_provider(stack: Stack, credentials: Credentials) -> Iterator[Look]:
    """Two looks for each entry: at the URL as it is, and with a slash behind it."""
    try:
        probes = proofs.probes(credentials.provider, json.loads(credentials.text))
    except (ValueError, KeyError, TypeError, AttributeError):
        yield functools.partial(unusable, credentials)
        return
    for label, request in probes:
        for path in PATHS.get(credentials.provider, (request["path"],)):
            for url in (path, path + SLASH):
                yield functools.partial(look, stack, credentials, label, {**request, "path": url})


def unusable(credentials: Credentials) -> Iterator[Result]:
    yield Finding(credentials.provider.title(), f"no probe can be made of its credentials in {credentials.source}",
                  "correct them, and deploy")


def look(stack: Stack, credentials: Credentials, label: str, request: Mapping[str, Any]) -> Iterator[Result]:
    """Sends a probe and looks at the answer."""
    provider, place = credentials.provider.title(), f"{label} at {request['path']}"
    try:
        answer = send(stack.api_url, request)
    except webhooks.Problem as problem:
        yield Finding(provider, str(problem), "see that the API and its function are there", (place,))
        return
    if (answer.status, answer.outcome) == (200, "probe"):
        yield Fine(place)
    else:
        yield Finding(provider, refused(answer), remedy(answer, credentials), (place,))


def send(base: str, request: Mapping[str, Any]) -> webhooks.Answer:
    target = webhooks.parse_url(base)
    query = f"?{request['query']}" if request["query"] else ""
    return webhooks.request(
        target, target.path.rstrip("/") + request["path"] + query, request["headers"], request["body"].encode("utf-8"))


def refused(answer: webhooks.Answer) -> str:
    outcome = f" ({answer.outcome})" if answer.outcome else ""
    return f"probes are answered with {answer.status}{outcome} instead of 200 (probe)"


def remedy(answer: webhooks.Answer, credentials: Credentials) -> str:
    if answer.status == 404:
        return "no route leads there: see the routes"
    if answer.outcome == "refused":
        return f"the function has other credentials than {credentials.source}: deploy those that the provider uses"
    return "its log group says why"
