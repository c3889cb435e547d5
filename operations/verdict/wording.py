"""How things are said to an operator."""
from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """A number of things, such as `1 session` or `2 sessions`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
