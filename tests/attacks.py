"""Marks of tests that show what an attack comes to, by how it is tried; and the table of them that `--attacks` prints."""
from __future__ import annotations

import pytest

#: The name of the marker, and of the property by which a worker tells it to the process that started it.
ATTACK = "attack"
#: Runs only marked tests, and prints the table.
OPTION = "--attacks"


def on_binaries(what: str) -> pytest.MarkDecorator:
    """Tried on the functions' binaries, with real stores."""
    return pytest.mark.attack(what, "on binaries")


def under_iam(what: str) -> pytest.MarkDecorator:
    """Tried with the permissions that the template gives, which the emulator enforces."""
    return pytest.mark.attack(what, "under IAM")


def by_text(what: str) -> pytest.MarkDecorator:
    """Can't be tried on the emulator: the template's text is compared."""
    return pytest.mark.attack(what, "by text")


def on_the_console(what: str) -> pytest.MarkDecorator:
    """Tried by requests to the operator's console."""
    return pytest.mark.attack(what, "on console")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help="run only tests that show an attack, and print a table of them")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{ATTACK}(what, how): shows what an attack comes to, and how it is tried")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        item.user_properties += [(ATTACK, marker.args) for marker in item.iter_markers(ATTACK)]
    if config.getoption(OPTION):
        config.hook.pytest_deselected(items=[item for item in items if not item.get_closest_marker(ATTACK)])
        items[:] = [item for item in items if item.get_closest_marker(ATTACK)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.getoption(OPTION):
        reports = [report for reports in terminalreporter.stats.values() for report in reports
                   if isinstance(report, pytest.TestReport)]
        terminalreporter.section("attacks")
        for line in table(reports):
            terminalreporter.write_line(line)


def table(reports: list[pytest.TestReport]) -> list[str]:
    """A line for each attack: what it is, how it was tried, and what came of it."""
    tried: dict[tuple[str, str], list[bool]] = {}
    for report in reports:
        # Of a test that passes only the call counts, and not what was prepared for it.
        if report.when == "call" or report.failed:
            for name, attack in report.user_properties:
                if name == ATTACK:
                    what, how = map(str, attack)  # type: ignore[call-overload]
                    tried.setdefault((what, how), []).append(report.passed)
    width = max((len(what) for what, _ in tried), default=0)
    lines = [f"{what:{width}}  {how:11}  {outcome(held)}" for (what, how), held in sorted(tried.items())]
    return [*lines, f"{len(tried)} attacks, {sum(map(len, tried.values()))} tests"]


def outcome(held: list[bool]) -> str:
    return f"held in {len(held)}" if all(held) else f"NOT HELD in {held.count(False)} of {len(held)}"
