"""What the JSON body of a question says, read strictly: a member is what it has to be, or the question is refused."""
from __future__ import annotations

from typing import Any, Optional

from .routes import Question, Refusal


def members(question: Question, *known: str) -> None:
    """Refuses a member that isn't known, so that a misspelt one doesn't pass for one that was left out."""
    if not set(question.body) <= set(known):
        raise Refusal(400, "bad_request", f"send no more than {', '.join(known)}" if known else "send {}")


def text(question: Question, member: str) -> str:
    """A member that has to be a text."""
    value = question.body.get(member)
    if not isinstance(value, str) or not value:
        raise Refusal(400, "bad_request", f"`{member}` has to be a text")
    return value


def text_if_any(question: Question, member: str) -> Optional[str]:
    """A text that may be missing or null."""
    return None if question.body.get(member) is None else text(question, member)


def number(question: Question, member: str, most: Optional[int] = None) -> int:
    """A member that has to be a number from 1 on, and no greater than that, if it is given."""
    value: Any = question.body.get(member)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or value < 1 or (most is not None and value > most):
        raise Refusal(400, "bad_request", f"`{member}` has to be a number from 1 {f'to {most}' if most else 'on'}")
    return int(value)


def flag(question: Question, member: str, default: Optional[bool] = False) -> bool:
    """A member that is true or false. Without a default it has to be there."""
    value = question.body.get(member, default)
    if not isinstance(value, bool):
        raise Refusal(400, "bad_request", f"`{member}` has to be true or false")
    return value
