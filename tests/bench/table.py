"""The tables of docs/performance.md, from what was measured."""
from __future__ import annotations

from typing import Any, Callable, Iterator, Optional

from cost.table import table

from .plan import FLOOR, PEERS, ROOT

PAGE = ROOT / "docs" / "performance.md"
MEASURED = ROOT / "tests" / "bench" / "measured.json"

#: What was measured: `runs` and `results`, each by part. A result is a line of the measuring program's.
Measured = dict[str, Any]
Result = dict[str, Any]
Quantiles = dict[str, float]

#: What is measured, and what the table of runs calls it.
PARTS = {"functions": "functions and peers", "sweeps": "growth, burst, instructions", "stages": "stages and the wall"}


def results(measured: Measured, kind: str, **members: str) -> Iterator[Result]:
    """The results of a kind that have these members."""
    return (result for part in measured["results"].values() for result in part
            if result["kind"] == kind and all(result[name] == value for name, value in members.items()))


def only(measured: Measured, kind: str, **members: str) -> Optional[Result]:
    """The one result of a kind that has these members, if it was measured."""
    return next(results(measured, kind, **members), None)


def decision(measured: Measured) -> str:
    """The programs that handle a decision, side by side."""
    rows = [[start["program"], spread(start["startMs"]), spread(start["answeredMs"]), spread(start["firstMs"]),
             *of_phase(phase), handshakes(start)] for start, phase in decisions(measured)]
    rows += [[failed["program"], f"not measured: {reason(failed)}", *[""] * 8]
             for failed in results(measured, "failed", task="decision")]
    head = ["program", "spawn → next ms", "spawn → first answer ms", "first answer ms", *PHASE_HEAD, "handshakes"]
    return table(head, rows)


def decisions(measured: Measured) -> Iterator[tuple[Result, Result]]:
    """The start and the answers of each program that handles a decision."""
    for start in results(measured, "start", task="decision"):
        phase = only(measured, "phase", task="decision", program=start["program"])
        assert phase is not None, start["program"]
        yield start, phase


def decision_calls(measured: Measured) -> str:
    """The calls with which each program handles a decision, and how long the stand-ins took to make the answers."""
    rows = [[start["program"], *calls(phase), f"{total(phase, 'answeringMs'):.3f}"] for start, phase in decisions(measured)]
    return table(["program", *CALLS_HEAD, "of the stand-ins ms"], rows)


def ratios(measured: Measured) -> str:
    """What a peer takes, divided by what Verdict takes."""
    by_program = {start["program"]: (start, phase) for start, phase in decisions(measured)}
    if "verdict" not in by_program:
        return table(RATIOS_HEAD, [])
    start, phase = by_program["verdict"]
    rows = []
    for peer in PEERS:
        if peer not in by_program:
            failed = only(measured, "failed", task="decision", program=peer)
            rows.append([peer, f"not measured: {reason(failed)}", *[""] * 4])
            continue
        other, others = by_program[peer]
        rows.append([peer, *(ratio(theirs, ours) for theirs, ours in (
            (other["startMs"], start["startMs"]), (other["answeredMs"], start["answeredMs"]),
            (others["wallMs"], phase["wallMs"]), (others["cpuMs"], phase["cpuMs"]),
            (others["peakMib"], phase["peakMib"])))])
    return table(RATIOS_HEAD, rows)


RATIOS_HEAD = ["peer ÷ Verdict", "spawn → next", "spawn → first answer", "warm answer", "warm CPU", "peak memory"]


def reason(failed: Optional[Result]) -> str:
    """Why a program wasn't measured, in a cell."""
    return " ".join(failed["reason"].replace("|", " ").split())[:120] if failed else "left out"


def own_ratios(measured: Measured) -> str:
    """Verdict beside itself, and beside a program that does nothing."""
    start, phase = only(measured, "start", task="decision", program="verdict"), None
    if start:
        phase = only(measured, "phase", task="decision", program="verdict")
    rows = [["first answer ÷ warm answer", ratio(start["firstMs"], phase["wallMs"]) if start and phase else "not measured"]]
    for suffix, name in (("", "roots from a file (`SSL_CERT_FILE`)"), (", no SSL_CERT_FILE", "no `SSL_CERT_FILE`")):
        ours = only(measured, "start", task="start", program=f"verdict{suffix}")
        floor = only(measured, "start", task="start", program=f"{FLOOR}{suffix}")
        rows.append([f"start without connections ÷ that of `{FLOOR}`, {name}",
                     ratio(ours["startMs"], floor["startMs"]) if ours and floor else "not measured"])
    return table(["ratio", "medians"], rows)


def starts(measured: Measured) -> str:
    """Starts that open no connection."""
    rows = [[start["program"], spread(start["startMs"]), spread(start["startCpuMs"])]
            for start in results(measured, "start", task="start")]
    return table(["started without connections", "spawn → next ms", "its CPU ms"], rows)


def functions(measured: Measured) -> str:
    """Each function: its start, its first answer, and those after it to the same kind of event."""
    rows = []
    for start in results(measured, "start"):
        if is_function(start) and (phase := first_phase(measured, start)):
            rows.append([f"{named(start)}: {phase['phase']}", spread(start["startMs"]), spread(start["answeredMs"]),
                         *of_phase(phase), f"{start['binaryBytes'] / 1e6:.2f}", f"{start['zipBytes'] / 1e6:.2f}",
                         handshakes(start)])
    return table(["function: event", "spawn → next ms", "spawn → first answer ms", *PHASE_HEAD, "binary MB", "zip MB",
                  "handshakes"], rows)


def events(measured: Measured) -> str:
    """Each kind of event, when the process is warm."""
    rows = [[f"{named(phase)}: {phase['phase']}", *of_phase(phase)[:-1], *calls(phase)]
            for phase in results(measured, "phase") if is_function(phase)]
    return table(["function: event", *PHASE_HEAD[:-1], *CALLS_HEAD], rows)


def first_phase(measured: Measured, start: Result) -> Optional[Result]:
    return only(measured, "phase", task=start["task"], program=start["program"])


def is_function(result: Result) -> bool:
    return (ROOT / "functions" / result["task"]).is_dir()


def named(result: Result) -> str:
    """The function, and which build of it if that isn't today's."""
    return result["task"] if result["program"] == "verdict" else f"{result['task']}, {result['program']}"


PHASE_HEAD = ["warm p50 ms", "p90", "p99", "CPU ms", "peak MiB"]


def of_phase(phase: Result) -> list[str]:
    return [*(f"{phase['wallMs'][quantile]:.2f}" for quantile in ("median", "p90", "p99")),
            f"{phase['cpuMs']['median']:.2f}", f"{phase['peakMib']['median']:.1f}"]


CALLS_HEAD = ["calls", "which", "bytes sent", "bytes received"]


def calls(phase: Result) -> list[str]:
    """The calls of one event: how many, of which kind, and the bytes of their bodies."""
    by_operation = phase["calls"]
    which = ", ".join(operation if each["count"] == 1 else f"{figure(each['count'])} {operation}"
                      for operation, each in by_operation.items())
    return [figure(total(phase, "count")), which, f"{total(phase, 'sentBytes'):.0f}", f"{total(phase, 'receivedBytes'):.0f}"]


def total(phase: Result, number: str) -> float:
    """A number of all the calls of one event."""
    return float(sum(each[number] for each in phase["calls"].values()))


def handshakes(start: Result) -> str:
    """TLS handshakes until the process asks for its first invocation, and after that."""
    return f"{figure(start['startHandshakes'])} + {figure(start['laterHandshakes'])}"


def spread(quantiles: Quantiles) -> str:
    """The least, the median and the 90th percentile."""
    return " / ".join(f"{quantiles[name]:.1f}" for name in ("min", "median", "p90"))


def ratio(one: Quantiles, other: Quantiles) -> str:
    return f"{one['median'] / other['median']:.2f}"


def figure(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def runs(measured: Measured) -> str:
    """When and where each part was measured."""
    rows = [[PARTS[part], run["date"], run["processor"], run["load"], run["binaries"], run["version"]]
            for part, run in measured["runs"].items()]
    return table(["what", "date", "processor", "load of the machine", "profile", "version"], rows)


#: The tables, by the name that the page gives each. `make bench` prints all of them.
TABLES: dict[str, Callable[[Measured], str]] = {
    "decision": decision, "ratios": ratios, "own-ratios": own_ratios, "decision-calls": decision_calls, "starts": starts,
    "functions": functions, "events": events, "runs": runs,
}
