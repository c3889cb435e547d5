"""What commands show: nothing is cut off, and, also if a stranger wrote a text, a terminal doesn't act on it."""
from __future__ import annotations

import json
import unicodedata

import pytest
from verdict.tables import Number, milliseconds, seconds, show_fields, show_json, show_table

#: What providers and persons may call themselves.
HOSTILE = [
    "[red]x[/red]", "[link=https://example.com]x[/link]", ":smiley:", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x9b31m",
    "a\rb", "a\nb", "a\tb", "\u202egnp.exe", "\u2066a\u2069", "\u200f", "\ufeff", "\x00", "\u2028", "\udc80",
    "<script>alert(1)</script>", "\"onload=", "é ü 日本", "x" * 10_000]


@pytest.fixture(params=[None, 40, 400])
def columns(request, monkeypatch):
    """The width of the terminal; None if there is none."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    if request.param:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


def without_styles(text):
    """The text without the codes that a terminal gets from rich itself."""
    return text.replace("\x1b[1m", "").replace("\x1b[0m", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_shown_whole_and_only_as_a_text(capsys, columns, text):
    show_table(["NAME", "OTHER"], [[text, "after"]])
    show_fields({"name": text, "other": "after"})
    shown = without_styles(capsys.readouterr().out)
    acted_on = {letter for letter in shown if unicodedata.category(letter)[0] == "C" and letter != "\n"}
    assert acted_on == set()
    escaped = "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
    # Long texts may go on in the next line.
    assert shown.replace("\n", "").replace(" ", "").count(escaped.replace(" ", "")) == 2


def test_each_row_is_a_line_if_there_is_no_terminal(capsys):
    show_table(["NAME", Number("COUNT"), "OTHER"], [["x" * 300, 7, None], ["y", 10_000, ""]])
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == f"NAME{' ' * 298}COUNT  OTHER"
    assert second == f"{'x' * 300}      7  -"
    assert third == f"y{' ' * 301}10000  -"


def test_rows_are_blocks_if_the_terminal_is_too_narrow(capsys, monkeypatch):
    for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "30"}.items():
        monkeypatch.setenv(name, value)
    show_table(["NAME", "OTHER"], [["a" * 20, "b" * 20], ["c", "d"]])
    lines = [line.rstrip() for line in without_styles(capsys.readouterr().out).splitlines()]
    assert lines == [f"NAME   {'a' * 20}", f"OTHER  {'b' * 20}", "", "NAME   c", "OTHER  d"]


@pytest.mark.parametrize("text", HOSTILE)
def test_json_has_every_text_and_no_terminal_acts_on_it(capsys, text):
    show_json({"text": text, text: None})
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"text": text, text: None}
    assert shown.isascii() and all(letter.isprintable() or letter == "\n" for letter in shown)


@pytest.mark.parametrize("time, to_the_second, to_the_millisecond", [
    ("2026-06-13T00:40:00Z", "2026-06-13T00:40:00Z", "2026-06-13T00:40:00.000Z"),
    ("2026-06-13T00:40:00.5Z", "2026-06-13T00:40:00Z", "2026-06-13T00:40:00.500Z"),
    ("2026-06-13T00:40:00.123456789Z", "2026-06-13T00:40:00Z", "2026-06-13T00:40:00.123Z"),
    (None, None, None),
])
def test_times_are_shown_as_options_take_them(time, to_the_second, to_the_millisecond):
    assert (seconds(time), milliseconds(time)) == (to_the_second, to_the_millisecond)
