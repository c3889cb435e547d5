"""A dead-letter queue takes the dead letters of its own queue alone, from the end of each deployment on."""
from __future__ import annotations

import json

import pytest
from stack.trial import Deployed, credentials
from verdict import dead_letters, deploy
from verdict.aws import Aws
from verdict.deploy import Target
from verdict.stack import Stack

NAME = "lettered"
#: By dead-letter queue, the queue whose dead letters it takes.
SOURCES = {"DecisionsDeadLetterQueue": "DecisionsQueue", "QuarantineQueue": "IntakeQueue"}


@pytest.fixture(scope="module")
def stack(endpoint):
    with Deployed(endpoint, NAME, **credentials("Wultra")) as deployed:
        # The policies of its queues demand TLS, which the emulator hasn't.
        deployed.bridge()
        yield Stack.require(Aws.connect(endpoint), NAME)


@pytest.fixture
def open_to_all(stack):
    """The stack with dead-letter queues that take everybody's."""
    for queue in SOURCES:
        stack.client("sqs").set_queue_attributes(
            QueueUrl=stack.physical(queue), Attributes={dead_letters.ATTRIBUTE: ""})
    assert [*taken(stack).values()] == [{}, {}]
    return stack


def taken(stack: Stack) -> dict[str, dict]:
    """What each dead-letter queue says of whose dead letters it takes."""
    return {queue: dict(dead_letters.current(stack.client("sqs"), stack.physical(queue))) for queue in SOURCES}


def expected(stack: Stack) -> dict[str, dict]:
    return {queue: {"redrivePermission": "byQueue", "sourceQueueArns": [stack.template.arn(source)]}
            for queue, source in SOURCES.items()}


def test_each_takes_those_of_its_own_queue_and_a_second_time_changes_nothing(open_to_all):
    stack = open_to_all
    dead_letters.restrict(stack.name, stack.client)
    assert taken(stack) == expected(stack)
    written: list[dict] = []
    queues = stack.client("sqs")
    queues.meta.events.register("before-call.sqs.SetQueueAttributes", lambda params, **_: written.append(params))
    dead_letters.restrict(stack.name, stack.client)
    assert (taken(stack), written) == (expected(stack), [])


def test_what_another_hand_has_let_in_is_put_right(stack):
    more = {"redrivePermission": "byQueue", "sourceQueueArns": [stack.template.arn("DecisionsQueue")]}
    stack.client("sqs").set_queue_attributes(
        QueueUrl=stack.physical("QuarantineQueue"), Attributes={dead_letters.ATTRIBUTE: json.dumps(more)})
    dead_letters.restrict(stack.name, stack.client)
    assert taken(stack) == expected(stack)


def test_every_deployment_ends_with_it(open_to_all, monkeypatch, tmp_path):
    stack = open_to_all
    seen: list[dict] = []

    def report(*_: object) -> int:
        seen.append(taken(stack))
        return 0

    monkeypatch.setattr(deploy, "build", lambda *_: None)
    monkeypatch.setattr(deploy, "planned_deployment", lambda *_: None)
    monkeypatch.setattr(deploy, "release_of", lambda *_: [])
    monkeypatch.setattr(deploy.sam, "run", lambda *_, **__: None)
    # What the emulator needs besides does it, too: in AWS there is no such step.
    monkeypatch.setattr(deploy, "bridge_gaps", lambda *_: None)
    monkeypatch.setattr(deploy, "report", report)
    file = tmp_path / "parameters.yaml"
    file.write_text("{}\n", "utf-8")
    assert deploy.deploy(Target(stack.aws, stack.name), file, is_checked=False) == 0
    assert seen == [expected(stack)]
