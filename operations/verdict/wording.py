"""How things are said to an operator."""
from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """A number of things, such as `1 session` or `2 sessions`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def printable(text: object) -> str:
    """A text that strangers may have written: a provider may call a session what it likes, and a terminal is not to act on
    it. Control characters, and those that turn a line around, are shown as Python escapes them."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in str(text))
