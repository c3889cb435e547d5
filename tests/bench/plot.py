"""Plots as SVG text: bars, and lines in panels one above the other. They are readable on a light and on a dark page."""
from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Callable, Iterator
from xml.sax.saxutils import escape

WIDTH = 760
LEFT, RIGHT = 78, 190
TOP, BOTTOM = 68, 58
PANEL, GAP = 180, 52
BAR, BAR_GAP = 22, 12
#: The least distance between two names at the ends of lines.
LINE_HEIGHT = 17
#: A line that ends farther from its name is led to it.
NEAR = 20

#: The first is Verdict's own. Each stands out from a light and from a dark ground.
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.ground { fill: #ffffff; }
.grid { stroke: #d1d9e0; }
.quiet { fill: #59636e; }
.bar { fill: #8c959f; }
.own { fill: #0969da; }
.line { fill: none; stroke-width: 2; }
.c0 { stroke: #0969da; } .c1 { stroke: #bc4c00; } .c2 { stroke: #1a7f37; } .c3 { stroke: #8250df; }
.f0 { fill: #0969da; } .f1 { fill: #bc4c00; } .f2 { fill: #1a7f37; } .f3 { fill: #8250df; }
.lead { stroke: #8c959f; stroke-dasharray: 1 3; }
.dashed { stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.ground { fill: #0d1117; }
.grid { stroke: #3d444d; }
.quiet { fill: #9198a1; }
.bar { fill: #6e7681; }
.own { fill: #4493f8; }
.c0 { stroke: #4493f8; } .c1 { stroke: #f0883e; } .c2 { stroke: #3fb950; } .c3 { stroke: #ab7df8; }
.f0 { fill: #4493f8; } .f1 { fill: #f0883e; } .f2 { fill: #3fb950; } .f3 { fill: #ab7df8; }
}
</style>"""

Point = tuple[float, float]


@dataclass(frozen=True)
class Bar:
    """A bar, and what stands behind its end."""

    name: str
    value: float
    note: str
    is_own: bool = False


@dataclass(frozen=True)
class Line:
    """A line, with its name at its end."""

    name: str
    points: list[Point]
    #: A line to compare with, which wasn't measured itself.
    is_dashed: bool = False


@dataclass(frozen=True)
class Scale:
    """What an axis shows, with its unit; and how its ticks are written."""

    label: str
    is_log: bool = False
    text: Callable[[float], str] = field(default=lambda value: f"{value:,.10g}")

    def ticks(self, least: float, most: float) -> list[float]:
        """Round numbers from at most the least value to at least the greatest."""
        if self.is_log:
            first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
            return [10.0 ** power for power in range(first, max(last, first + 1) + 1)]
        step = next(step for power in range(-6, 12) for step in (10.0 ** power, 2 * 10.0 ** power, 5 * 10.0 ** power)
                    if most / step <= 5)
        return [step * count for count in range(math.ceil(most / step) + 1)]

    def share(self, value: float, ticks: list[float]) -> float:
        """The place of a value between the first and the last tick."""
        place = math.log10 if self.is_log else float
        return (place(value) - place(ticks[0])) / (place(ticks[-1]) - place(ticks[0]))


@dataclass(frozen=True)
class Panel:
    """Lines over one scale."""

    scale: Scale
    lines: list[Line]


def bars(title: str, description: str, label: str, rows: list[Bar]) -> str:
    """Bars from left to right, one a row. `label` says what they show, with its unit."""
    left, scale = LEFT + 92, Scale(label)
    ticks = scale.ticks(0, max(row.value for row in rows))
    bottom = TOP + len(rows) * (BAR + BAR_GAP)

    def x(value: float) -> float:
        return left + scale.share(value, ticks) * (WIDTH - RIGHT - left)

    parts = [*(rule(x(tick), TOP - 8, x(tick), bottom) for tick in ticks), *bottom_axis(scale, ticks, x, bottom)]
    for number, row in enumerate(rows):
        y = TOP + number * (BAR + BAR_GAP)
        kind = "own" if row.is_own else "bar"
        parts.append(text(left - 10, y + BAR - 6, row.name, "end"))
        parts.append(f'<rect class="{kind}" x="{left}" y="{y}" width="{max(x(row.value) - left, 1):.1f}" height="{BAR}"/>')
        parts.append(text(x(row.value) + 8, y + BAR - 6, row.note))
    return figure(title, description, bottom + BOTTOM, parts)


def lines(title: str, description: str, across: Scale, panels: list[Panel]) -> str:
    """Panels one above the other, over the same horizontal scale."""
    values = [x for panel in panels for line in panel.lines for x, _ in line.points]
    ticks = across.ticks(min(values), max(values))

    def x(value: float) -> float:
        return LEFT + across.share(value, ticks) * (WIDTH - RIGHT - LEFT)

    bottom = TOP + len(panels) * (PANEL + GAP)
    parts = list(bottom_axis(across, ticks, x, bottom - GAP))
    for number, panel in enumerate(panels):
        top = TOP + number * (PANEL + GAP)
        parts.extend(rule(x(tick), top, x(tick), top + PANEL) for tick in ticks)
        parts.extend(drawn(panel, top, x))
    return figure(title, description, bottom - GAP + BOTTOM, parts)


def drawn(panel: Panel, top: float, x: Callable[[float], float]) -> Iterator[str]:
    """A panel's grid, lines, and the names at their ends."""
    values = [y for line in panel.lines for _, y in line.points]
    ticks = panel.scale.ticks(min(values), max(values))

    def y(value: float) -> float:
        return top + PANEL - panel.scale.share(value, ticks) * PANEL

    for tick in ticks:
        yield rule(LEFT, y(tick), WIDTH - RIGHT, y(tick))
        yield text(LEFT - 8, y(tick) + 4, panel.scale.text(tick), "end", "quiet")
    yield text(LEFT - 60, top - 14, panel.scale.label, kind="quiet")
    for number, line in enumerate(panel.lines):
        path = " ".join(f"{x(across):.1f},{y(up):.1f}" for across, up in line.points)
        dashed = " dashed" if line.is_dashed else ""
        yield f'<polyline class="line c{number}{dashed}" points="{path}"/>'
        if not line.is_dashed:
            for across, up in line.points:
                yield f'<circle class="f{number}" cx="{x(across):.1f}" cy="{y(up):.1f}" r="3"/>'
    for number, place in enumerate(apart([y(line.points[-1][1]) for line in panel.lines])):
        line = panel.lines[number]
        end, names = x(line.points[-1][0]) + 6, WIDTH - RIGHT + 12
        if names - end > NEAR:
            yield rule(end, y(line.points[-1][1]), names - 6, place, "lead")
        yield text(names, place + 4, line.name, kind=f"f{number}")


def apart(places: list[float]) -> list[float]:
    """The places moved so that no two texts overlap; their order stays."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + LINE_HEIGHT)
    if not places:
        return moved
    # Half of what the last was moved by is given back, so that the names stay around their lines.
    shift = max(moved[each] - places[each] for each in order) / 2
    return [place - shift for place in moved]


def bottom_axis(scale: Scale, ticks: list[float], x: Callable[[float], float], bottom: float) -> Iterator[str]:
    for tick in ticks:
        yield text(x(tick), bottom + 20, scale.text(tick), "middle", "quiet")
    yield text((x(ticks[0]) + x(ticks[-1])) / 2, bottom + 42, scale.label, "middle", "quiet")


def rule(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def text(x: float, y: float, content: str, anchor: str = "start", kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'


def figure(title: str, description: str, height: float, parts: list[str]) -> str:
    """The whole file."""
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
            f'height="{height:.0f}" role="img" aria-labelledby="title description">')
    return "\n".join([
        head, f'<title id="title">{escape(title)}</title>', f'<desc id="description">{escape(description)}</desc>', STYLE,
        f'<rect class="ground" width="{WIDTH}" height="{height:.0f}" rx="8"/>', text(18, 30, title, kind="title"), *parts,
        "</svg>", ""])
