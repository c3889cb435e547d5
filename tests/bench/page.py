"""docs/performance.md: its tables and plots, from what was measured."""
from __future__ import annotations

from pathlib import Path
from typing import Callable

from cost.table import MARKED

from . import full, table
from .table import PAGE, Measured

#: The tables, by the name that the page gives each.
TABLES: dict[str, Callable[[Measured], str]] = {**table.TABLES, **full.TABLES}


def rendered(page: str, measured: Measured) -> str:
    """The page with each marked table made anew."""
    return MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]](measured)}\n{found[3]}", page)


def plots(measured: Measured) -> dict[Path, str]:
    """The plots beside the page, by their files."""
    return {PAGE.with_suffix("") / f"{name}.svg": plot(measured) for name, plot in full.PLOTS.items()}
