"""Lists of the sessions API, followed from page to page."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Optional, Sequence

import click

from ..progress import bar
from ..sessions_api import Answer
from ..tables import show_json

#: Asks for one page of a list: that of a cursor, or the first.
Ask = Callable[[Optional[str]], Answer]


@dataclass(frozen=True)
class Pages:
    """What the pages that were asked for hold."""

    name: str
    entries: Sequence[Any]
    #: The last page.
    last: Any

    @property
    def next(self) -> Optional[str]:
        """The cursor of the page after them; None if there is none."""
        return self.last["next"]

    @property
    def json(self) -> dict[str, Any]:
        """All of them as one page."""
        return {**self.last, self.name: self.entries}

    def tell_more(self) -> None:
        """Says that there are more, if there are."""
        if self.next:
            click.echo(f"There are more: --next {self.next}")


def follow(ask: Ask, name: str, cursor: Optional[str], limit: Optional[int], is_json: bool) -> Pages:
    """Asks for page after page: to the end of the list, or until there are so many entries."""
    page = shown(ask(cursor), is_json)
    entries = list(page[name])
    if is_last(page, entries, limit):
        return Pages(name, entries, page)
    with bar(f"Reading {name}") as advance:
        advance(len(entries))
        while not is_last(page, entries, limit):
            page = shown(ask(page["next"]), is_json)
            entries += page[name]
            advance(len(page[name]))
    return Pages(name, entries, page)


def is_last(page: Any, entries: Sequence[Any], limit: Optional[int]) -> bool:
    """Whether no further page is asked for."""
    return page["next"] is None or (limit is not None and len(entries) >= limit)


def shown(answer: Answer, is_json: bool) -> Any:
    """What the API answered. Ends the command if it isn't what was asked for; a program gets the API's own error."""
    if answer.is_missing and is_json:
        show_json(answer.body)
    return answer.required()
