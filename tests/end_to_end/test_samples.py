"""The samples that come with the project."""
from __future__ import annotations

import time

import pytest
from stack import samples
from stack.deployment import webhooks

from .functions import deployed
from .table import unpublished

#: For so long the relay leaves an entry of the outbox to the function that wrote it, and a little more.
GRACE_SECONDS = 15


@pytest.fixture(scope="module", autouse=True)
def nobody_else_notifies(verdict):
    """Publishes what earlier tests have left behind: of a sample, all notifications are counted that come."""
    end = time.monotonic() + GRACE_SECONDS
    while unpublished(verdict):
        assert time.monotonic() < end
        deployed(verdict, "OutboxRelay").call({})
        time.sleep(0.5)


@pytest.mark.parametrize("sample", webhooks.catalogue(), ids=lambda sample: sample.name)
def test_a_sample_does_what_the_catalogue_says(verdict, decisions, quarantine, sample):
    decisions.all()
    quarantine.all()
    assert samples.send(verdict, sample) == samples.expected(sample)
