"""The probes: for each configured entry of each provider, a proved delivery that means nothing, over the public URL.

A probe shows that the URL leads to the function, that the function has these credentials, and that it still answers if
a slash too many stands behind the URL. Verdict stores and counts nothing of it.

If only some addresses may send webhooks, and the doctor's isn't among them, a probe is refused over the URL as it should
be. It then goes to the function itself, with an address that is allowed, so that the credentials are tried all the same.
Behind an edge, probes carry the edge's header themselves.
"""
from __future__ import annotations

import contextlib
import functools
import ipaddress
import json
import re
import sys
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Iterator, Mapping, Optional, Sequence

from .. import live, secret
from ..check import CREDENTIALS, SECRET_ARN, deploys_a_provider, has_oauth, is_credentials, is_secret_arn, provider_of
from ..deployed import ToFunction
from ..parameters import Parameter
from ..places import EVENTS
from ..stack import Stack
from .finding import Finding, Fine, Look, Result

sys.path.append(str(EVENTS))
import proofs
import webhooks

VARIABLE = "_CREDENTIALS"
THE_SECRET = "the secret"
SLASH = "/"
#: The function behind Incode's token endpoint.
TOKEN_FUNCTION = "IncodeToken"
#: The paths of a provider that has several functions with the same credentials.
PATHS = {"veriff": ("/veriff/events", "/veriff/decisions")}


@dataclass(frozen=True)
class Credentials:
    """A provider's credentials, and where they were found."""

    provider: str
    text: str
    source: str
    #: Why there is no text: the secret can't be read by anyone, or not by this caller.
    unread: Optional[secret.Unreadable] = None

    def __repr__(self) -> str:
        return f"Credentials({self.provider!r}, from {self.source})"

    @property
    def allowed_address(self) -> Optional[str]:
        """An address that may send webhooks; None if each may."""
        try:
            ranges = json.loads(self.text).get("allowedCidrs", [])
            return str(ipaddress.ip_network(ranges[0])[0]) if ranges else None
        except (ValueError, TypeError, AttributeError, LookupError):
            return None

    @property
    def remark(self) -> str:
        """What a probe that gets through doesn't show."""
        if not json.loads(self.text).get("edgeHeader"):
            return ""
        return (f"{self.provider.title()}: its probes carry edgeHeader and go past the edge; they don't show whether the "
                "edge adds it")


def looks(stack: Stack, given: Sequence[Parameter], file: str) -> Iterator[Look]:
    for credentials in configured(stack, given, file):
        yield from of_provider(stack, credentials)


def configured(stack: Stack, given: Sequence[Parameter], file: str,
               versions: Mapping[str, str] = MappingProxyType({})) -> Iterator[Credentials]:
    """The credentials of each deployed provider: the file's, else those that its functions have in these versions, or in
    those that are live, or what those fetch."""
    said = {provider_of(each.name): each.value for each in given if is_credentials(each.name) and each.value}
    held, arns = holders(stack), secrets_of(stack)
    for provider in {**held, **arns}:
        if provider in said:
            yield Credentials(provider, said[provider], file)
        elif provider in arns:
            yield fetched(stack, provider, arns[provider])
        else:
            function = held[provider]
            text = credentials_of(stack, provider, versions.get(function) or live.invoked(stack, function))
            yield Credentials(provider, text, f"the environment of {function}")


def secrets_of(stack: Stack) -> dict[str, str]:
    """For each deployed provider whose functions fetch its credentials, the ARN of the secret."""
    return {provider_of(name.replace(SECRET_ARN, CREDENTIALS)): value for name, value in stack.parameters.items()
            if is_secret_arn(name) and deploys_a_provider(name) and value}


def fetched(stack: Stack, provider: str, arn: str) -> Credentials:
    source = f"{THE_SECRET} of {provider.title()}{SECRET_ARN}"
    try:
        return Credentials(provider, secret.read(stack.aws, arn).text, source)
    except secret.Unreadable as problem:
        return Credentials(provider, "", source, problem)


def credentials_of(stack: Stack, provider: str, function: str) -> str:
    """A provider's credentials as a function has them, by its name or ARN; blank if it has none."""
    found = stack.client("lambda").get_function_configuration(FunctionName=function)
    variables: Mapping[str, str] = found.get("Environment", {}).get("Variables", {})
    return variables.get(f"{provider.upper()}{VARIABLE}", "")


def holders(stack: Stack) -> dict[str, str]:
    """For each deployed provider whose functions have its credentials, one of them."""
    found: dict[str, str] = {}
    for function in stack.template.resources("AWS::Lambda::Function"):
        for name in stack.template.properties(function).get("Environment", {}).get("Variables", {}):
            if name.endswith(VARIABLE):
                found.setdefault(name.removesuffix(VARIABLE).lower(), function)
    return found


def of_provider(stack: Stack, credentials: Credentials) -> Iterator[Look]:
    """Two looks for each entry: at the URL as it is, and with a slash behind it."""
    if credentials.unread:
        yield functools.partial(untried, credentials, credentials.unread)
        return
    if credentials.provider == "incode" and has_oauth(credentials.text) and TOKEN_FUNCTION not in stack.template.physical:
        yield functools.partial(no_token_endpoint, credentials)
    try:
        probes = proofs.probes(credentials.provider, json.loads(credentials.text))
    except (ValueError, KeyError, TypeError, AttributeError):
        yield functools.partial(unusable, credentials)
        return
    for label, request in probes:
        for path in paths(credentials.provider, request):
            for url in (path, path + SLASH):
                yield functools.partial(look, stack, credentials, label, {**request, "path": url})


def untried(credentials: Credentials, unread: secret.Unreadable) -> Iterator[Result]:
    """Says that no probe is sent. A secret that only the functions may read is as it should be."""
    if unread.is_forbidden:
        yield Fine(credentials.source,
                   f"{credentials.provider.title()}: no probes are sent, since {credentials.source} {unread}")
    else:
        yield Finding(credentials.provider.title(), f"{credentials.source} {unread}", "correct it, and deploy")


def paths(provider: str, request: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths that a probe is for."""
    return PATHS.get(provider, (request["path"],))


def no_token_endpoint(credentials: Credentials) -> Iterator[Result]:
    yield Finding("Incode", f"its credentials in {credentials.source} have `oauth`, and no function gives it tokens",
                  "deploy it with IncodeOAuth true, or its credentials without `oauth`")


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
    if is_probe(answer):
        yield Fine(place, credentials.remark)
    elif answer.outcome == "refused" and is_refused_by_address(stack, credentials, request):
        yield Fine(place, f"{provider}: refuses this machine's address (address_not_allowed), which is as it should be: "
                          "allowedCidrs has others. From an address that is allowed, its function takes these probes")
    else:
        yield Finding(provider, refused(answer), remedy(answer, credentials), (place,))


def send(base: str, request: Mapping[str, Any]) -> webhooks.Answer:
    target = webhooks.parse_url(base)
    query = f"?{request['query']}" if request["query"] else ""
    return webhooks.request(
        target, target.path.rstrip("/") + request["path"] + query, request["headers"], request["body"].encode("utf-8"))


def reaches(stack: Stack, base: str) -> bool:
    """Whether a probe gets through to a function below a URL."""
    for credentials in configured(stack, (), ""):
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, webhooks.Problem):
            [(_, request), *_] = proofs.probes(credentials.provider, json.loads(credentials.text))
            return send(base, request).outcome is not None
    return False


def is_refused_by_address(stack: Stack, credentials: Credentials, request: Mapping[str, Any]) -> bool:
    """Whether the function takes a probe, that was refused over the URL, from an address that is allowed."""
    address, function = credentials.allowed_address, function_behind(stack, request["path"])
    if address is None or function is None:
        return False
    return is_probe(invoke(stack, live.invoked(stack, function), request, address))


def invoke(stack: Stack, function: str, request: Mapping[str, Any], address: str) -> Optional[webhooks.Answer]:
    """Sends a probe to a function itself, as from that address. None if the function fails."""
    answer = stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps(as_event(request, address)))
    content = json.loads(answer["Payload"].read())
    if "FunctionError" in answer or not isinstance(content, dict):
        return None
    return webhooks.Answer(content.get("statusCode", 0), content.get("headers", {}), content.get("body", ""))


def is_probe(answer: Optional[webhooks.Answer]) -> bool:
    """Whether a probe got through."""
    return answer is not None and (answer.status, answer.outcome) == (200, "probe")


def function_behind(stack: Stack, path: str) -> Optional[str]:
    """The function that a path leads to, whatever slashes stand behind it."""
    for key, route in stack.template.routes().items():
        method, _, template = key.partition(" ")
        pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template))
        if method == "POST" and isinstance(route.target, ToFunction) and re.fullmatch(pattern, path.rstrip(SLASH)):
            return route.target.logical_id
    return None


def as_event(request: Mapping[str, Any], address: str) -> dict[str, Any]:
    """The event that API Gateway would make of a request from that address."""
    return {
        "version": "2.0", "routeKey": "$default", "rawPath": request["path"], "rawQueryString": request["query"],
        "headers": request["headers"], "body": request["body"], "isBase64Encoded": False,
        "requestContext": {"http": {"method": "POST", "path": request["path"], "sourceIp": address}}}


def refused(answer: webhooks.Answer) -> str:
    outcome = f" ({answer.outcome})" if answer.outcome else ""
    return f"probes are answered with {answer.status}{outcome} instead of 200 (probe)"


def remedy(answer: webhooks.Answer, credentials: Credentials) -> str:
    if answer.status == 404:
        return "no route leads there: see the routes"
    if answer.outcome == "refused" and credentials.source.startswith(THE_SECRET):
        return (f"the function has other credentials than {credentials.source}: it fetches a new version within "
                "SecretTtlSeconds, unless its log has a line `secret` that says why it doesn't")
    if answer.outcome == "refused":
        return f"the function has other credentials than {credentials.source}: deploy those that the provider uses"
    return "its log group says why"
