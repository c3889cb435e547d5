"""The tables and plots of what `FULL=1` measures."""
from __future__ import annotations

from typing import Callable, Optional

from cost.table import table

from . import sweeps
from .plan import PEERS
from .plot import Bar, Line, Panel, Scale, bars, lines
from .table import Measured, Result, results

#: The program that is today's build.
OWN = "verdict"
BODY_NAMES = {"veriff": "Veriff, text", "incode": "Incode, images", "treezor": "Treezor, text", "wultra": "Wultra, images"}


def phases(measured: Measured, task: str, program: str = OWN) -> list[Result]:
    """The phases of a task that are shown, in order."""
    return list(results(measured, "phase", task=task, program=program))


def calls(phase: Result) -> float:
    return sum(operation["count"] for operation in phase["calls"].values())


def traffic(phase: Result) -> float:
    """The bytes to and from the stores, in KB."""
    return sum(operation["sentBytes"] + operation["receivedBytes"] for operation in phase["calls"].values()) / 1000


def size(count: float) -> str:
    """A number of bytes, with its unit."""
    unit, divisor = next((unit, divisor) for unit, divisor in (("MB", 1e6), ("KB", 1e3), ("B", 1)) if count >= divisor)
    return f"{count / divisor:.3g} {unit}"


def bodies(measured: Measured) -> str:
    """What a webhook costs by the size of its body."""
    rows = [[BODY_NAMES[provider], size(int(phase["phase"])), f"{phase['cpuMs']['median']:.2f}",
             f"{phase['wallMs']['median']:.1f}", f"{phase['peakMib']['median']:.1f}"]
            for provider in sweeps.BODIES for phase in phases(measured, f"bodies: {provider}")]
    return table(["webhook", "body", "CPU ms", "wall ms", "peak MiB"], rows)


def ages(measured: Measured) -> str:
    """What the next webhook of a session costs, by how many it has had."""
    rows = [[f"{what}: {int(phase['phase']):,}", f"{phase['cpuMs']['median']:.2f}", f"{calls(phase):.1f}",
             f"{traffic(phase):.1f}", f"{phase['writeUnits']:.1f}", f"{phase['readUnits']:.1f}"]
            for what in sweeps.OLDER for phase in phases(measured, what)]
    return table(["the session's", "CPU ms", "calls", "KB to and from the stores", "write units", "read units"], rows)


def subjects(measured: Measured) -> str:
    """What a webhook costs by how many it speaks of; and, beside it, as many webhooks of one."""
    rows = []
    for what in sweeps.MANY:
        timed = {phase["phase"]: phase for phase in phases(measured, f"{what}: time")}
        billed = {phase["phase"]: phase for phase in phases(measured, f"{what}: units")}
        for count in map(str, sweeps.SUBJECTS):
            rows.append([f"{what}: {int(count):,}", *many(timed.get(count), billed.get(count), int(count), billed.get("1"))])
    return table(["one webhook with", "time ms", "CPU ms", "calls", "KB to and from the stores", "write units",
                  "as many webhooks: calls", "KB", "write units"], rows)


def many(timed: Optional[Result], billed: Optional[Result], count: int, one: Optional[Result]) -> list[str]:
    """The cells of a webhook of many subjects."""
    if timed is None or billed is None or one is None:
        return ["not done in time", *[""] * 7]
    return [f"{timed['wallMs']['median']:.1f}", f"{timed['cpuMs']['median']:.1f}", f"{calls(billed):,.0f}",
            f"{traffic(billed):,.0f}", f"{billed['writeUnits']:,.0f}", f"{calls(one) * count:,.0f}",
            f"{traffic(one) * count:,.0f}", f"{one['writeUnits'] * count:,.0f}"]


def burst(measured: Measured) -> str:
    """A burst of webhooks: how many were answered, and what was kept of them."""
    rows = [[f"{each['events']:,}", str(each["processes"]), f"{each['seconds']:.1f}", f"{each['answered']:,}",
             f"{each['records']:,}", f"{each['notifications']:,}", f"{each['events'] / each['seconds']:,.0f}"]
            for each in results(measured, "burst")]
    return table(["webhooks at once", "processes", "seconds", "answered", "records", "notifications", "a second"], rows)


def instructions(measured: Measured) -> str:
    """The instructions of one warm webhook."""
    rows = [[each["program"], f"{each['each']:,.0f}"] for each in results(measured, "instructions")]
    rows += [[each["program"], f"not measured: {each['reason']}"]
             for each in results(measured, "failed", task="instructions")]
    return table(["a decision, warm", "instructions"], rows)


STAGES = ("all of ours", "proof", "reading", "folding", "minimising", "canonical form")
WALL = ("HMAC", "base64 and SHA-256", "serde_json")


def stages(measured: Measured) -> str:
    """What each stage takes of a webhook, beside the wall."""
    by_sample: dict[str, dict[str, float]] = {}
    for stage in results(measured, "stage"):
        name = f"{stage['provider']}, {size(stage['bytes'])}"
        by_sample.setdefault(name, {})[stage["stage"]] = stage["leastMicros"]
    rows = [[name, *(micros(took[stage]) if stage in took else "" for stage in (*STAGES, *WALL))]
            for name, took in by_sample.items()]
    return table(["µs of CPU", *STAGES, *WALL], rows)


def micros(took: float) -> str:
    return f"{took:.2f}" if took < 100 else f"{took:,.0f}"


def wall_ratios(measured: Measured) -> str:
    """What Verdict's own code takes, against the wall."""
    return table(["all of ours", "times"], [[each["ratio"], f"{each['value']:.1f}"] for each in results(measured, "ratio")])


TABLES: dict[str, Callable[[Measured], str]] = {
    "bodies": bodies, "ages": ages, "subjects": subjects, "burst": burst, "instructions": instructions,
    "stages": stages, "wall": wall_ratios,
}


def cold_start(measured: Measured) -> str:
    """From a process's start to its first answer, by peer."""
    starts = [(start["program"], start["answeredMs"]["median"]) for start in results(measured, "start", task="decision")
              if start["program"] in (OWN, *PEERS) and start["answeredMs"]]
    own = dict(starts)[OWN]
    rows = [Bar(program, took, f"{took:.1f} ms" + ("" if program == OWN else f" ({took / own:.1f} ×)"), program == OWN)
            for program, took in sorted(starts, key=lambda start: start[1])]
    told = "; ".join(f"{row.name}: {row.note}" for row in rows)
    return bars("Spawn to first answer", f"Bars, the median of each. {told}.",
                "ms from the start of the process to its first answer, median", rows)


def body_size(measured: Measured) -> str:
    """CPU time and memory by the size of the body."""
    series = {BODY_NAMES[provider]: [(float(phase["phase"]), phase) for phase in phases(measured, f"bodies: {provider}")]
              for provider in sweeps.BODIES}

    def drawn(number: str) -> list[Line]:
        return [Line(name, [(bytes_, phase[number]["median"]) for bytes_, phase in points])
                for name, points in series.items()]

    return lines("Cost against body size", described("CPU time and highest memory of a webhook", series),
                 Scale("body", True, size), [Panel(Scale("CPU ms", True), drawn("cpuMs")),
                                             Panel(Scale("highest memory, MiB"), drawn("peakMib"))])


def described(what: str, series: dict[str, list[tuple[float, Result]]]) -> str:
    """The text for those who can't see the plot: its ends."""
    ends = "; ".join(f"{name}: {points[0][1]['cpuMs']['median']:.2f} ms of CPU for {size(points[0][0])}, "
                     f"{points[-1][1]['cpuMs']['median']:.1f} ms for {size(points[-1][0])}"
                     for name, points in series.items())
    return f"{what}. {ends}."


def session_age(measured: Measured) -> str:
    """CPU time and traffic of a session's next webhook, by what it has already."""
    series = {what: [(float(phase["phase"]), phase) for phase in phases(measured, what)] for what in sweeps.OLDER}
    ends = "; ".join(f"{what}: {points[0][1]['cpuMs']['median']:.2f} ms of CPU and {traffic(points[0][1]):.1f} KB for the "
                     f"first, {points[-1][1]['cpuMs']['median']:.2f} ms and {traffic(points[-1][1]):.1f} KB for number "
                     f"{points[-1][0]:,.0f}" for what, points in series.items())
    cpu = [Line(what, [(age, phase["cpuMs"]["median"]) for age, phase in points]) for what, points in series.items()]
    stores = [Line(what, [(age, traffic(phase)) for age, phase in points]) for what, points in series.items()]
    return lines("Cost against the session's age", f"What the next webhook of a session costs. {ends}.",
                 Scale("events, checks or attempts of the session", True),
                 [Panel(Scale("CPU ms"), cpu), Panel(Scale("KB to and from the stores"), stores)])


def subject_count(measured: Measured) -> str:
    """Calls and time of a webhook, by how many subjects it has."""
    billed = {what: [(float(phase["phase"]), calls(phase)) for phase in phases(measured, f"{what}: units")]
              for what in sweeps.MANY}
    timed = {what: [(float(phase["phase"]), phase["wallMs"]["median"]) for phase in phases(measured, f"{what}: time")]
             for what in sweeps.MANY}
    one = billed["users"][0][1]
    apart = Line("as many webhooks", [(float(count), one * count) for count in sweeps.SUBJECTS], is_dashed=True)
    ends = "; ".join(f"{points[-1][0]:,.0f} {what}: {points[-1][1]:,.0f} calls" for what, points in billed.items())
    return lines("Cost against subjects in a webhook", f"Calls to the stores, and time. {ends}.",
                 Scale("users, or documents of one user, in one webhook", True),
                 [Panel(Scale("calls", True), [*(Line(what, points) for what, points in billed.items()), apart]),
                  Panel(Scale("ms to the answer", True), [Line(what, points) for what, points in timed.items()])])


PLOTS: dict[str, Callable[[Measured], str]] = {
    "cold-start": cold_start, "body-size": body_size, "session-age": session_age, "subjects": subject_count,
}
