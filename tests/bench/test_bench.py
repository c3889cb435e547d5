"""docs/performance.md: its tables are what was measured, and nothing else."""
from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bench import plan
from bench.page import TABLES, plots, rendered
from bench.table import MEASURED, PAGE, PARTS, calls, decision, figure, functions, own_ratios, ratios, total
from cost.table import MARKED

MEASUREMENTS = json.loads(MEASURED.read_text("utf-8"))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans of few events."""
    monkeypatch.setenv("WARM", "2")
    monkeypatch.delenv("BASELINE", raising=False)


def quantiles(median: float) -> dict[str, float]:
    return {"min": median / 2, "median": median, "p90": median * 2, "p99": median * 3}


def start(program: str, median: float = 10.0, task: str = "decision", **changes: Any) -> dict[str, Any]:
    """The start of a program of which everything takes that long."""
    times = ("startMs", "startCpuMs", "firstMs", "firstCpuMs", "answeredMs")
    return {"kind": "start", "task": task, "program": program, "lives": 30, "startHandshakes": 2.0, "laterHandshakes": 0.0,
            "binaryBytes": 7_000_000, "zipBytes": 3_000_000, **{time: quantiles(median) for time in times}, **changes}


def phase(program: str, median: float = 1.0, task: str = "decision", **changes: Any) -> dict[str, Any]:
    numbers = {name: quantiles(median) for name in ("wallMs", "cpuMs", "peakMib")}
    call = {"count": 1.0, "sentBytes": 100.0, "receivedBytes": 10.0, "answeringMs": 0.02}
    return {"kind": "phase", "task": task, "program": program, "phase": "decision", "events": 20, "eventBytes": 1000.0,
            "calls": {"GetItem": call, "SendMessage": call | {"count": 2.5}}, **numbers, **changes}


def measured(*results: dict[str, Any]) -> dict[str, Any]:
    return {"runs": {}, "results": {"functions": list(results)}}


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_the_pages_tables_are_those_of_what_was_measured() -> None:
    page = PAGE.read_text("utf-8")
    assert {found[1] for found in MARKED.findall(page)} == set(TABLES)
    assert rendered(page, MEASUREMENTS) == page, "run `make bench-page`"


def test_the_pages_plots_are_those_of_what_was_measured_and_each_is_shown_with_a_text() -> None:
    made = plots(MEASUREMENTS)
    assert made == {file: file.read_text("utf-8") for file in PAGE.with_suffix("").iterdir()}, "run `make bench-page`"
    shown = re.findall(r"!\[([^\]]+)\]\(performance/([\w-]+\.svg)\)", PAGE.read_text("utf-8"))
    assert sorted(name for _, name in shown) == sorted(file.name for file in made)


def test_every_part_was_measured_and_says_when_and_where() -> None:
    assert MEASUREMENTS["results"].keys() == MEASUREMENTS["runs"].keys() == PARTS.keys()
    for run in MEASUREMENTS["runs"].values():
        assert run.keys() == {"date", "processor", "version", "load", "binaries"}
        assert run["binaries"] == "release"


def test_every_function_of_the_template_was_measured() -> None:
    deployed = {folder.name for folder in (plan.ROOT / "functions").iterdir() if folder.is_dir()}
    started = {result["task"] for result in MEASUREMENTS["results"]["functions"]
               if result["kind"] == "start" and result["program"] == "verdict"}
    assert deployed <= started


def test_every_function_is_planned_with_as_many_events_of_each_kind_as_are_measured() -> None:
    tasks = {task["name"]: task for task in plan.tasks()}
    assert {folder.name for folder in (plan.ROOT / "functions").iterdir()} < tasks.keys()
    for name, task in tasks.items():
        # The very first event is the first answer; a queue's events come of what is sent before.
        counts = [len(phase["events"]) for phase in task["phases"] if not task["queue"]]
        assert counts in ([], [5], [3] + [2] * (len(counts) - 1)), name


def test_receivers_are_measured_with_every_kind_of_event() -> None:
    planned = {task["name"]: {phase["name"] for phase in task["phases"]} for task in plan.tasks()}
    for name in ("veriff-decisions", "incode-webhooks", "treezor-webhooks", "wultra-events"):
        kinds = planned[name]
        assert {"decision", "copy", "decision replaced", "forgery"} <= kinds, name
        assert "progress" in kinds or name == "veriff-decisions"


def test_a_baseline_is_measured_beside_each_function(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("BASELINE", str(tmp_path))
    for task in plan.tasks():
        names = [program["name"] for program in task["programs"]]
        assert names[:2] == ["verdict", "baseline"], task["name"]
        assert task["programs"][1]["folder"] == str(tmp_path), task["name"]


def test_a_peer_that_is_not_there_has_a_row_that_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(plan, "PEERS_FOLDER", tmp_path)
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "missing").write_text("esbuild\n")
    (tmp_path / "rust").mkdir()
    (tmp_path / "rust" / "bootstrap").touch()
    assert plan.missing("node") == "esbuild"
    assert plan.missing("python") == "not built (make bench-peers)"
    assert [program.name for program in plan.peers()] == ["rust"]
    failed = {"kind": "failed", "task": "decision", "program": "node", "reason": "esbuild"}
    table = measured(start("verdict"), phase("verdict"), failed)
    assert "| node | not measured: esbuild |" in decision(table)
    assert "| node | not measured: esbuild |" in ratios(table)
    assert "| python | not measured: left out |" in ratios(table)


def test_a_ratio_is_a_peers_median_by_verdicts() -> None:
    table = ratios(measured(start("verdict"), phase("verdict"), start("node", 150.0), phase("node", 4.0)))
    assert ["node", "15.00", "15.00", "4.00", "4.00", "4.00"] in rows(table)


def test_a_ratio_without_one_of_its_two_is_not_measured() -> None:
    alone = own_ratios(measured(start("verdict"), phase("verdict"), start("verdict", 6.0, task="start")))
    assert [row[1] for row in rows(alone)] == ["10.00", "not measured", "not measured"]
    both = own_ratios(measured(start("verdict", 6.0, task="start"), start("hello", 3.0, task="start")))
    assert [row[1] for row in rows(both)] == ["not measured", "2.00", "not measured"]


def test_a_functions_row_has_its_sizes_and_another_build_says_that_it_is_one() -> None:
    names = ("verdict", "baseline")
    results = [make(name, task="replay") for name in names for make in (start, phase)]
    ours, other = rows(functions(measured(*results)))
    assert ours[0] == "replay: decision" and other[0] == "replay, baseline: decision"
    assert ours[-3:] == ["7.00", "3.00", "2 + 0"]


def test_calls_are_added_up() -> None:
    assert calls(phase("verdict")) == ["3.5", "GetItem, 2.5 SendMessage", "200", "20"]
    assert total(phase("verdict"), "answeringMs") == pytest.approx(0.04)
    assert figure(4.0) == "4" and figure(0.125) == "0.12"
