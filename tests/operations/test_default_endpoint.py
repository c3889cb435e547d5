"""The default endpoint stays on until the domain of one's own has answered in its place."""
from __future__ import annotations

from dataclasses import replace

import pytest
from verdict import default_endpoint
from verdict.doctor import probes
from verdict.doctor.finding import Finding, Fine
from verdict.parameters import Parameter
from verdict.problem import Problem
from verdict.secret import Unreadable
from verdict.stack import Stack

DOMAIN = "verdict.example.com"
READABLE = probes.Credentials("veriff", "{}", "the environment of VeriffEvents")
#: Those of a provider whose secret the caller may not read.
FORBIDDEN = replace(READABLE, provider="wultra", unread=Unreadable("can't be read by you", is_forbidden=True))


def stack(endpoint: str = "true", domain: str = DOMAIN) -> Stack:
    """A stack with these parameters."""
    return Stack(None, "verdict", "", {}, {"DefaultEndpoint": endpoint, "DomainName": domain})


def given(**values: str) -> list[Parameter]:
    return [Parameter(name, line, value) for line, (name, value) in enumerate(values.items(), 1)]


@pytest.fixture
def answers(monkeypatch):
    """Has the probes over the domain come to these results; before that, each that is sent fails the test."""
    def come_to(*results, configured=(READABLE, FORBIDDEN)):
        monkeypatch.setattr(probes, "configured", lambda *_: configured)
        monkeypatch.setattr(probes, "of_provider", lambda _, credentials: [lambda: iter(
            [Fine("Wultra", "no probes are sent")] if credentials.unread else results)])

    monkeypatch.setattr(probes, "configured", lambda *_: pytest.fail("a probe was sent"))
    return come_to


OFF = given(DefaultEndpoint="false")
REFUSED = Finding("Veriff", "can't connect to https://verdict.example.com", "see that the API is there")


def test_it_goes_off_once_the_domain_answers(answers):
    answers(Fine("secrets 1 of 1 at /veriff/events"))
    default_endpoint.refuse_unseen(stack(), OFF, force=False)


def test_it_stays_on_while_a_probe_doesnt_get_through_and_the_finding_says_why(answers):
    answers(Fine("basic 1 of 1 at /wultra/process/event"), REFUSED)
    with pytest.raises(Problem, match="doesn't answer as it should:\nVeriff: can't connect") as problem:
        default_endpoint.refuse_unseen(stack(), OFF, force=False)
    assert "have a DNS record lead from the domain to the output DomainTarget" in str(problem.value)


def test_it_stays_on_if_no_probe_can_be_sent(answers):
    answers(configured=[FORBIDDEN])
    with pytest.raises(Problem, match="no provider whose probes you can send"):
        default_endpoint.refuse_unseen(stack(), OFF, force=False)


@pytest.mark.parametrize("deployed, parameters", [
    (None, given(DefaultEndpoint="false", DomainName=DOMAIN)),
    (stack(domain=""), given(DefaultEndpoint="false", DomainName=DOMAIN)),
    (stack(), given(DefaultEndpoint="false", DomainName="other.example.com")),
    # The domain changes, and the old one goes.
    (stack("false"), given(DomainName="other.example.com")),
], ids=["no stack", "no domain", "another domain", "another domain, and it is off"])
def test_it_stays_on_until_the_stack_has_the_domain(answers, deployed, parameters):
    with pytest.raises(Problem, match="doesn't have this DomainName yet"):
        default_endpoint.refuse_unseen(deployed, parameters, force=False)
    default_endpoint.refuse_unseen(deployed, parameters, force=True)


@pytest.mark.parametrize("deployed, parameters", [
    (None, []), (None, given(DomainName=DOMAIN)), (stack(), given(DefaultEndpoint="true", DomainName="other.example.com")),
    (stack("false"), []), (stack("false"), OFF), (stack("false"), given(DefaultEndpoint="true")),
], ids=["nothing", "a first domain", "another domain", "it is off", "it is off, and said so", "it goes on again"])
def test_everything_else_is_deployed_without_a_look(answers, deployed, parameters):
    default_endpoint.refuse_unseen(deployed, parameters, force=False)
