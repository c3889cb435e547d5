"""What the tests of the template share: an emulator, without any stack yet."""
from __future__ import annotations

import pytest

from .emulator import Emulator, free_port
from .trial import upload_code


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    """The emulator, with a bucket that holds the functions' code."""
    emulator = Emulator(free_port(), tmp_path_factory.mktemp("emulator"))
    try:
        upload_code(emulator.endpoint)
        yield emulator.endpoint
    finally:
        emulator.stop()
