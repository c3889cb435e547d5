"""The versions that a deployment has just published: each starts, and takes the probes of its provider.

They are invoked by their numbers, past the API and past the aliases. So only what the versions themselves do wrong is found
here: a deployment with a finding is taken back. What can't be found out, such as for lack of a permission, is none.
"""
from __future__ import annotations

import functools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator, Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from ..parameters import Parameter
from ..stack import Stack
from . import functions, probes
from .finding import Finding, Look, folded
from .probes import Credentials, proofs, webhooks

AT_ONCE = 16
#: Where probes come from if all addresses may send.
ANYWHERE = "127.0.0.1"
#: The findings of a version that are its own fault.
OWN_FAULT = ("does not start", "starts, but answers otherwise")


def broken(stack: Stack, given: Sequence[Parameter], file: str) -> list[Finding]:
    """What the published versions do wrong."""
    published = {name: f"{stack.physical(name)}:{version}" for name, version in stack.template.published().items()}
    looks: list[Look] = [functools.partial(starts, stack, name, version) for name, version in published.items()]
    looks += [functools.partial(takes, stack, published, each) for each in credentials(stack, given, file, published)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return folded(finding for found in pool.map(taken, looks) for finding in found)


def taken(look: Look) -> list[Any]:
    try:
        return list(look())
    except (ClientError, BotoCoreError):
        # The doctor's own look at what is live says it.
        return []


def starts(stack: Stack, function: str, version: str) -> Iterator[Finding]:
    """Says if a version doesn't start."""
    return (finding for finding in functions.not_started(stack, function, version) if finding.wrong.startswith(OWN_FAULT))


def credentials(
        stack: Stack, given: Sequence[Parameter], file: str, published: Mapping[str, str]) -> list[Credentials]:
    """The credentials of each deployed provider: the file's, else those that its new versions have."""
    try:
        return [*probes.configured(stack, given, file, published)]
    except (ClientError, BotoCoreError):
        return []


def takes(stack: Stack, published: Mapping[str, str], credentials: Credentials) -> Iterator[Finding]:
    """Says which probes a provider's new versions don't take."""
    try:
        requests = proofs.probes(credentials.provider, json.loads(credentials.text))
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    for label, request in requests:
        for path in probes.paths(credentials.provider, request):
            function = probes.function_behind(stack, path)
            if function is not None and function in published:
                answer = probes.invoke(
                    stack, published[function], {**request, "path": path}, credentials.allowed_address or ANYWHERE)
                if answer is not None and not probes.is_probe(answer):
                    yield refused(function, answer, label, path, credentials)


def refused(function: str, answer: webhooks.Answer, label: str, path: str, credentials: Credentials) -> Finding:
    return Finding(function, probes.refused(answer), probes.remedy(answer, credentials), (f"{label} at {path}",))
