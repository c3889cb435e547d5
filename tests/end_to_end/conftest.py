"""What all end-to-end tests share: one stack on a free port, and a consumer at each of its queues."""
from __future__ import annotations

import shutil
import uuid

import pytest
import stack

from .functions import build_directory
from .inbox import Inbox


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
        yield deployed
    if not request.session.testsfailed:
        # Its logs are worth keeping only where something went wrong.
        shutil.rmtree(build_directory(port).parent)


@pytest.fixture(scope="session")
def decisions(verdict):
    """The consumer of the decisions queue."""
    return Inbox(verdict, "DecisionsQueueUrl")


@pytest.fixture(scope="session")
def quarantine(verdict):
    """The operator at the quarantine queue."""
    return Inbox(verdict, "QuarantineQueueUrl")


@pytest.fixture
def session_id():
    """A session that nobody has heard of."""
    return str(uuid.uuid4())
