"""The emulator's own process: MiniStack, for as long as whoever started it holds our standard input open.

The input closes when its holder closes it or dies, however that comes about. Then the whole process group goes:
MiniStack by itself leaves the functions that it runs behind.
"""
import functools
import json
import os
import signal
import sys
import threading
import time
from typing import Any

GOODBYE_SECONDS = 2
#: The parameter that SAM makes the names of versions of.
RELEASE = "Release"
#: IAM's word for the attributes that a request names.
ATTRIBUTES = "dynamodb:Attributes"


def end_with_the_input() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGTERM)
    await_children()
    os.killpg(0, signal.SIGKILL)


def await_children() -> None:
    """Collects the functions, so that not even their entries in the process table stay."""
    end = time.monotonic() + GOODBYE_SECONDS
    try:
        while time.monotonic() < end:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.02)
    except ChildProcessError:
        pass


def tell_sam_the_release() -> None:
    """Has SAM know the release. CloudFormation hands it all parameters; MiniStack hands it none, so that it takes their
    defaults."""
    from ministack.services.cloudformation import changesets, engine, handlers

    transform = engine._apply_transforms

    def with_release(template: dict[str, Any], provided_params: Any = None, previous_params: Any = None) -> Any:
        parameters = template.get("Parameters", {})
        if RELEASE in parameters:
            values = engine._transform_parameters(template, provided_params, previous_params)
            told = {**parameters[RELEASE], "Default": values[RELEASE]}
            template = {**template, "Parameters": {**parameters, RELEASE: told}}
        return transform(template, provided_params, previous_params)

    for module in (changesets, engine, handlers):
        module._apply_transforms = with_release


def reads_of_a_batch(body: bytes) -> list[dict[str, Any]]:
    """The part of each table of a request to DynamoDB, if it is a batch of reads. One of writes has lists there."""
    try:
        tables = json.loads(body)["RequestItems"].values()
    except (ValueError, TypeError, KeyError, AttributeError):
        return []
    return [read for read in tables if isinstance(read, dict)]


def tell_iam_what_batches_read() -> None:
    """Has IAM know the attributes that a batch of reads names. MiniStack knows those of other reads alone, by the same
    members of the request, which a batch has for each table. A table without them is read whole, and so is the batch."""
    from ministack.core import iam_actions

    context_of = iam_actions.dynamodb_service_context

    def with_batches(body: bytes) -> dict[str, Any]:
        contexts = [context_of(json.dumps(read).encode()) for read in reads_of_a_batch(body)]
        if not contexts:
            return context_of(body)
        whole = [context for context in contexts if ATTRIBUTES not in context]
        named = [name for context in contexts for name in context.get(ATTRIBUTES, [])]
        return whole[0] if whole else {**contexts[0], ATTRIBUTES: named}

    iam_actions.dynamodb_service_context = with_batches


def read_expressions_once() -> None:
    """Has DynamoDB read each expression once. MiniStack reads it again for each item of an index's partition, which is most
    of what a query takes once there are thousands."""
    from ministack.services import dynamodb

    for name in ("_tokenize", "_condition_syntax_error"):
        setattr(dynamodb, name, functools.lru_cache(maxsize=1024)(getattr(dynamodb, name)))


if __name__ == "__main__":
    threading.Thread(target=end_with_the_input, daemon=True).start()
    from ministack.app import main

    tell_sam_the_release()
    tell_iam_what_batches_read()
    read_expressions_once()
    sys.argv = ["ministack"]
    main()
