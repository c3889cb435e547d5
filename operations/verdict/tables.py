"""What a command shows: tables and pages for people, or one JSON document for programs.

    show_table(["SESSION", "STATUS", Number("EVENTS")], rows)
    show_fields({"status": "decided"})
    show_json(document)

Cells are plain texts, also if a stranger wrote them: nothing in them is markup, and a terminal acts on nothing. Each row
has one line. If a terminal isn't wide enough for a table, each row is a block of lines instead. Nothing is ever cut off.
"""
from __future__ import annotations

import json
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from .wording import printable

#: What stands in a cell that has nothing.
NOTHING = "-"
GAP = "  "
#: The words that have a colour on a terminal.
COLOURS = {
    "approved": "green", "passed": "green", "declined": "red", "failed": "red", "error": "red", "review": "yellow",
    "in_review": "yellow", "flagged": "yellow", "resubmission_requested": "yellow", "awaiting_resubmission": "yellow"}


class Number(str):
    """The title of a column of numbers."""


def show_json(document: Any) -> None:
    """Prints one JSON document. All that isn't ASCII is escaped in it, so that a terminal acts on nothing."""
    print(json.dumps(document, indent=2))


def show_table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    cells = [[shown(value) for value in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(titles, *cells)]
    console = Console(highlight=False)
    if console.is_terminal and sum(widths) + len(GAP) * (len(widths) - 1) > console.width:
        console.print(Group(*separated(page(zip(titles, row)) for row in cells)))
        return
    show_line(console, [Text(padded(title, title, width), "bold") for title, width in zip(titles, widths)])
    for row in cells:
        show_line(console, [styled(padded(text, title, width), text) for text, title, width in zip(row, titles, widths)])


def show_fields(fields: Mapping[str, Any]) -> None:
    """Prints a page of names and values."""
    console, cells = Console(highlight=False), [(name, shown(value)) for name, value in fields.items()]
    if console.is_terminal:
        console.print(page(cells))
        return
    width = max(map(len, fields))
    for name, text in cells:
        show_line(console, [Text(name.ljust(width)), Text(text)])


def show_heading(text: str) -> None:
    """Prints what the next table is of."""
    show_line(Console(highlight=False), [Text(f"\n{text}", "bold")])


# ---- Their parts ----

def shown(value: Any) -> str:
    """A value as a cell has it."""
    return NOTHING if value is None or value == "" else printable(value)


def padded(text: str, title: str, width: int) -> str:
    room = " " * (width - cell_len(text))
    return room + text if isinstance(title, Number) else text + room


def styled(text: str, word: str) -> Text:
    return Text(text, COLOURS.get(word, ""))


def show_line(console: Console, cells: Sequence[Text]) -> None:
    """Prints a line. What isn't a terminal gets it at once: a list may have a hundred thousand of them."""
    line = Text(GAP).join(cells)
    line.rstrip()
    if console.is_terminal:
        console.print(line, soft_wrap=True)
    else:
        print(line.plain)


def page(fields: Iterable[tuple[str, str]]) -> Table:
    """Names and values, one below the other; a long value goes on in the next line."""
    table = Table(box=None, padding=(0, len(GAP), 0, 0), pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in fields:
        table.add_row(Text(name), styled(text, text))
    return table


def separated(blocks: Iterable[Table]) -> Iterator[RenderableType]:
    """Blocks with an empty line between each two."""
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield block


# ---- Values ----

def seconds(time: Optional[str]) -> Optional[str]:
    """A time of the API's to the second, as `--since` and `--until` take it, too."""
    return time and f"{time[:19]}Z"


def milliseconds(time: Optional[str]) -> Optional[str]:
    """The same with three digits more."""
    return time and f"{time[:19]}.{time[20:].rstrip('Z')[:3]:0<3}Z"


def listed(values: Iterable[Any]) -> str:
    return ", ".join(map(str, values))


def pairs(values: Mapping[str, Any]) -> str:
    """Names and values in one cell, such as `country=EE`."""
    return listed(f"{name}={value}" for name, value in values.items())
