"""What all tests share: the marks of those that show an attack."""
from __future__ import annotations

from attacks import (  # noqa: F401
    pytest_addoption, pytest_collection_modifyitems, pytest_configure, pytest_terminal_summary,
)
