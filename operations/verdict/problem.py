"""What ends a command before its time."""
from __future__ import annotations


class Problem(Exception):
    """Something that the operator can put right; the message is one line that says how, and holds no secret."""
