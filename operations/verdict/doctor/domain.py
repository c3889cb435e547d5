"""The domain of one's own: it leads to the API, over TLS 1.2, and is the only one if it is to be.

That it answers is shown by the probes, which go over it.
"""
from __future__ import annotations

import functools
from typing import Any, Iterator, Mapping

from ..stack import Stack
from . import probes
from .finding import BY_HAND, Finding, Fine, Look, Result, results

DOMAIN, MAPPING, API = "Domain", "DomainMapping", "Api"
AVAILABLE = "AVAILABLE"


def looks(stack: Stack) -> Iterator[Look]:
    if DOMAIN in stack.template.physical:
        yield functools.partial(look, stack)
        yield functools.partial(default_endpoint, stack)


def look(stack: Stack) -> Iterator[Result]:
    """Compares the domain and where it leads with the template."""
    gateway, name = stack.client("apigatewayv2"), stack.physical(DOMAIN)
    [found] = gateway.get_domain_name(DomainName=name)["DomainNameConfigurations"]
    [expected] = stack.template.properties(DOMAIN)["DomainNameConfigurations"]
    mappings = gateway.get_api_mappings(DomainName=name)["Items"]
    yield from results(DOMAIN, *misconfigured(expected, found), *elsewhere(stack, mappings))


def misconfigured(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Finding]:
    for setting, value in expected.items():
        if found.get(setting) != value:
            yield Finding(DOMAIN, f"its {setting} is {found.get(setting)} instead of {value}", BY_HAND)
    status = found.get("DomainNameStatus", AVAILABLE)
    if status != AVAILABLE:
        yield Finding(DOMAIN, f"it is {status} ({found.get('DomainNameStatusMessage') or 'no reason given'})",
                      "wait, or see in API Gateway what it waits for")


def elsewhere(stack: Stack, mappings: list[Mapping[str, Any]]) -> Iterator[Finding]:
    """Says if the domain doesn't lead to the API, as a whole."""
    expected = stack.template.properties(MAPPING)
    if not any((each["ApiId"], each["Stage"], each.get("ApiMappingKey") or "") == (expected["ApiId"], expected["Stage"], "")
               for each in mappings):
        yield Finding(DOMAIN, "it doesn't lead to the API", "map it to the API's stage in API Gateway, without a path")


def default_endpoint(stack: Stack) -> Iterator[Result]:
    """Sees whether API Gateway's own domain answers, and whether it is to."""
    if not stack.template.holds("OnlyDomain"):
        yield Fine(API, f"the API answers under {stack.default_url}, too; DefaultEndpoint false turns that off, once every "
                        "provider has the URLs below")
    elif not stack.aws.is_local and probes.reaches(stack, stack.default_url):
        yield Finding(API, f"it still answers under {stack.default_url}, and DefaultEndpoint is false", BY_HAND)
    else:
        yield Fine(API)
