"""What the tables of routes are made of."""
from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, TypeVar, Union

from ..aws import Aws
from ..stack import Stack

if TYPE_CHECKING:
    from .laboratory import Laboratory

Made = TypeVar("Made")


class Refusal(Exception):
    """An answer that isn't what was asked for: a status, a code for the page, and one line for the person."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Question:
    """A request that has passed the guard: its query, and the members of its JSON body."""

    query: Mapping[str, str]
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """JSON that is answered with a status of its own."""

    body: Any
    status: int = 200


@dataclass
class Kept:
    """What was made once, and when."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    made_at: Optional[float] = None
    value: Any = None


@dataclass
class Shared:
    """What all handlers work with."""

    stack: Stack
    laboratory: Optional[Laboratory] = None
    _kept: dict[str, Kept] = field(default_factory=dict)

    def operator(self) -> Aws:
        """The stack's operator."""
        return self.stack.operator()

    def once(self, name: str, seconds: float, make: Callable[[], Made]) -> Made:
        """What `make` makes, kept under that name for so long: requests at the same time share one look."""
        # In one step: two requests have one lock.
        kept = self._kept.setdefault(name, Kept())
        with kept.lock:
            if kept.made_at is None or time.monotonic() - kept.made_at > seconds:
                kept.value, kept.made_at = make(), time.monotonic()
            made: Made = kept.value
            return made


Handler = Callable[[Shared, Question], Union[Answer, Mapping[str, Any]]]


@dataclass(frozen=True)
class Route:
    """Who answers a method on a path. GET changes nothing; POST comes with a JSON object."""

    method: str
    path: str
    handler: Handler
