"""Keeps the API's default endpoint on until the domain of one's own has been seen to answer in its place.

Turned off too early, it would leave the providers no URL that works, and Wultra's events would be lost.
"""
from __future__ import annotations

from typing import Optional, Sequence

from .doctor import probes
from .doctor.command import take
from .doctor.finding import Finding, folded
from .parameters import Parameter
from .problem import Problem
from .stack import Stack

ENDPOINT, DOMAIN = "DefaultEndpoint", "DomainName"
OFF = "false"
STEPS = (f"deploy with {ENDPOINT} true, have a DNS record lead from the domain to the output DomainTarget, enter the URLs "
         f"that `make doctor` prints into the portals, and only then deploy with {ENDPOINT} false")


def refuse_unseen(stack: Optional[Stack], given: Sequence[Parameter], force: bool) -> None:
    """Ends the command if it would turn the default endpoint off, and the domain doesn't answer yet. CloudFormation keeps
    a value that is left out."""
    said = {each.name: each.value for each in given}
    before = stack.parameters if stack else {}
    after = {name: said.get(name, before.get(name)) for name in (ENDPOINT, DOMAIN)}
    is_kept = all(after[name] == before.get(name) for name in after)
    if force or after[ENDPOINT] != OFF or is_kept:
        return
    if stack is None or after[DOMAIN] != before.get(DOMAIN):
        raise Problem(f"{ENDPOINT} is false, and the stack doesn't have this {DOMAIN} yet: {STEPS}; or say FORCE=1")
    wrong = unanswered(stack)
    if wrong:
        raise Problem("\n".join([f"{ENDPOINT} is false, and https://{after[DOMAIN]} doesn't answer as it should:", *wrong,
                                 f"So {STEPS}; or say FORCE=1"]))


def unanswered(stack: Stack) -> list[str]:
    """What is wrong with the probes that go over the domain, as all do once the stack has one. Those of a provider whose
    secret the caller may not read can't be sent; the domain leads to one API, so that another provider's show it."""
    readable = [each for each in probes.configured(stack, (), "") if not each.unread]
    results = [result for each in readable for look in probes.of_provider(stack, each) for result in take(look)]
    wrong = folded(result for result in results if isinstance(result, Finding))
    return [str(each) for each in wrong] if results else ["there is no provider whose probes you can send"]
