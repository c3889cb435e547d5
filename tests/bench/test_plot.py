"""Plots: what they show, and that they can be read."""
from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from itertools import pairwise

import pytest

from bench.plot import LINE_HEIGHT, STYLE, WIDTH, Bar, Line, Panel, Scale, apart, bars, lines

SVG = "{http://www.w3.org/2000/svg}"
BARS = bars("Starts", "Two bars.", "ms", [Bar("one & only", 12.5, "12.5 ms", True), Bar("other", 250, "250 ms")])
LINES = lines("Growth", "Two lines in two panels.", Scale("bytes", True), [
    Panel(Scale("ms", True), [Line("first", [(500, 0.5), (6e6, 80)]), Line("second", [(500, 0.6), (1e6, 79)])]),
    Panel(Scale("MiB"), [Line("first", [(500, 10), (6e6, 66)], is_dashed=True)])])


@pytest.mark.parametrize("plot", [BARS, LINES])
def test_a_plot_has_a_title_a_description_and_text_within_its_edges(plot: str) -> None:
    root = xml.fromstring(plot)
    assert root.get("role") == "img" and root.get("aria-labelledby") == "title description"
    assert root.findtext(f"{SVG}title") in ("Starts", "Growth") and root.findtext(f"{SVG}desc")
    for text in root.iter(f"{SVG}text"):
        width = 7 * len(text.text or "")
        start = float(text.get("x", "")) - {"start": 0, "middle": width / 2, "end": width}[text.get("text-anchor", "")]
        assert start >= 0 and start + width <= WIDTH, text.text


def test_a_bar_is_as_long_as_its_value() -> None:
    widths = [float(bar.get("width", "")) for bar in xml.fromstring(BARS).iter(f"{SVG}rect")][1:]
    assert widths[0] / widths[1] == pytest.approx(12.5 / 250, rel=0.01)


def test_a_logarithmic_scale_gives_each_tenfold_the_same_length() -> None:
    scale = Scale("bytes", True)
    ticks = scale.ticks(500, 6e6)
    assert ticks == [1e2, 1e3, 1e4, 1e5, 1e6, 1e7]
    assert scale.share(1e3, ticks) == pytest.approx(0.2) and scale.share(1e7, ticks) == 1


@pytest.mark.parametrize("most", [0.3, 1, 7, 66, 363, 1000])
def test_a_plain_scale_begins_at_zero_and_holds_the_greatest_value(most: float) -> None:
    ticks = Scale("ms").ticks(most / 2, most)
    assert ticks[0] == 0 and ticks[-1] >= most and 3 <= len(ticks) <= 7


def test_names_that_would_overlap_are_moved_apart_and_keep_their_order() -> None:
    moved = apart([50.0, 49.0, 200.0, 51.0])
    order = sorted(moved)
    assert all(after - before >= LINE_HEIGHT for before, after in pairwise(order))
    assert sorted(range(4), key=moved.__getitem__) == [1, 0, 3, 2]


def test_whatever_has_a_colour_on_a_light_page_has_one_on_a_dark_page() -> None:
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")
    coloured = re.compile(r"(\.?[\w]+) \{[^}]*(?:fill|stroke): #")
    assert set(coloured.findall(dark)) == set(coloured.findall(light)) - {".lead"}
