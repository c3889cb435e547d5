"""The samples that come with the project, singly and as whole sessions."""
from __future__ import annotations

import pytest
from stack import samples
from stack.deployment import webhooks

from .deliveries import SENDERS

# Of a sample, all notifications are counted that come.
pytestmark = pytest.mark.usefixtures("nobody_else_notifies")


@pytest.mark.parametrize("sample", webhooks.catalogue(), ids=lambda sample: sample.name)
def test_a_sample_does_what_the_catalogue_says(verdict, decisions, quarantine, sample):
    decisions.all()
    quarantine.all()
    assert samples.send(verdict, sample) == samples.expected(sample)


@pytest.mark.parametrize("scenario", webhooks.scenarios(), ids=lambda scenario: scenario.name)
def test_a_scenario_ends_as_the_catalogue_says(verdict, decisions, scenario):
    decisions.all()
    assert samples.play(verdict, scenario) == samples.expected_of_play(scenario)


def test_every_provider_has_samples_scenarios_and_a_sender():
    assert {sender.provider for sender in SENDERS} == set(webhooks.PROVIDERS)
    for played in (webhooks.catalogue(), webhooks.scenarios()):
        assert {each.provider for each in played} == set(webhooks.PROVIDERS)
