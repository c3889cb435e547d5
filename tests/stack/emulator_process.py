"""The emulator's own process: MiniStack, for as long as whoever started it holds our standard input open.

The input closes when its holder closes it or dies, however that comes about. Then the whole process group goes:
MiniStack by itself leaves the functions that it runs behind.
"""
import os
import signal
import sys
import threading
import time
from typing import Any

GOODBYE_SECONDS = 2
#: The parameter that SAM makes the names of versions of.
RELEASE = "Release"


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


if __name__ == "__main__":
    threading.Thread(target=end_with_the_input, daemon=True).start()
    from ministack.app import main

    tell_sam_the_release()
    sys.argv = ["ministack"]
    main()
