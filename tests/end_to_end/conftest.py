"""What all end-to-end tests share: one stack on a free port, and a consumer at each of its queues."""
from __future__ import annotations

import shutil
import uuid

import pytest
import stack
from stack import samples
from stack.deployment import directory_of

from .functions import relay_until
from .inbox import Inbox
from .incode import clear_schedule, poller_mapping, poller_rule, unscheduled
from .intake import await_empty
from .table import unpublished

FIGURES = pytest.StashKey[list]()


@pytest.fixture(scope="session")
def figures(request) -> list[str]:
    """Lines for the end of the run: what was counted or measured on the way."""
    return request.config.stash.setdefault(FIGURES, [])


def pytest_sessionfinish(session):
    # One of several that run tests side by side hands its lines to the one that started them.
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = session.config.stash.get(FIGURES, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.stash.setdefault(FIGURES, []).extend(getattr(node, "workeroutput", {}).get("figures", []))


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def verdict(request):
    """The deployed stack."""
    port = stack.free_port()
    try:
        deployed = stack.start(port)
    except stack.Failure as failure:
        # Without a stack there is nothing to test; once is enough to say so.
        pytest.exit(str(failure), returncode=1)
    with deployed:
        # Tests look at the whole table, and poll when they want to; some enable the rule or the mapping to see it work.
        deployed.client("events").disable_rule(Name=poller_rule(deployed))
        deployed.client("lambda").update_event_source_mapping(UUID=poller_mapping(deployed), Enabled=False)
        yield deployed
    if not request.session.testsfailed:
        # Its logs are worth keeping only where something went wrong.
        shutil.rmtree(directory_of(port))


@pytest.fixture(scope="session")
def decisions(verdict):
    """The consumer of the decisions queue."""
    return Inbox(verdict, "DecisionsQueueUrl")


@pytest.fixture(scope="session")
def quarantine(verdict):
    """The operator at the quarantine queue."""
    return Inbox(verdict, "QuarantineQueueUrl")


@pytest.fixture(scope="module")
def nobody_else_notifies(verdict):
    """Records and publishes what earlier tests have left behind, for tests that look at all there is."""
    await_empty(verdict)
    relay_until(verdict, lambda: not unpublished(verdict))


@pytest.fixture(scope="module")
def believing(verdict):
    """What Incode's webhooks decide counts without its API's word: for tests of all providers alike."""
    with samples.believing(verdict):
        yield


@pytest.fixture(scope="module")
def only_tests_poll(verdict):
    """The poller runs when a test has it run, and not by itself."""
    with unscheduled(verdict):
        yield


@pytest.fixture
def nobody_else_is_due(verdict, only_tests_poll):
    """An empty poll schedule, with a poller that doesn't run by itself."""
    clear_schedule(verdict)


@pytest.fixture
def session_id():
    """A session that nobody has heard of."""
    return str(uuid.uuid4())
