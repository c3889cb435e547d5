"""The tables of docs/cost.md, from what was measured, the list of prices, and the template."""
from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, Iterator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "cost.md"
PRICES = HERE / "prices.json"
MEASURED = HERE / "measured.json"
TEMPLATE = ROOT / "template.yaml"

GIGABYTE = 1024**3
MILLION = 1_000_000
#: The sizes in MB that are compared, and the template's own.
MEMORY_SIZES = (128, 256, 512)
DEPLOYED_MEMORY = 512
#: A webhook is answered within this time, whatever happens; in milliseconds.
DEADLINE_MS = 3800

#: Typical values in the access log's line, by API Gateway's name for them.
LOGGED = {
    "requestId": "JKJaXmPLvHcESHA=", "requestTimeEpoch": "1781308800000", "routeKey": "POST /veriff/decisions",
    "status": "200", "responseLatency": "35", "responseLength": "2", "integrationStatus": "200",
    "integrationLatency": "33", "error.responseType": "-",
}


class Prices:
    """The list of prices, and what is assumed beside them."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    @classmethod
    def read(cls) -> Prices:
        return cls(json.loads(PRICES.read_text("utf-8")))

    def of(self, name: str, amount: float = 1.0) -> float:
        price = self.content["prices"][name]
        return float(price["usd"] / price["per"] * amount)

    def assumed(self, name: str) -> float:
        return float(self.content["assumptions"][name]["value"])


def duration_ms(row: dict[str, Any], prices: Prices, memory: int) -> float:
    """The billed duration at a memory size: the CPU time, of which there is a share, and the waits."""
    share = min(1.0, memory / prices.assumed("cpuMemory"))
    waits = row["waits"] * prices.assumed("storeMs") + row["apiCalls"] * prices.assumed("providerApiMs")
    return float(math.ceil(row["cpuMs"] / share + waits))


def compute(row: dict[str, Any], prices: Prices, memory: int) -> float:
    """The price of an invocation's duration."""
    return prices.of("lambdaSecond", memory / 1024 * duration_ms(row, prices, memory) / 1000)


def log_bytes(row: dict[str, Any], prices: Prices, is_request: bool) -> float:
    """The bytes of log that an invocation leaves, with Lambda's and API Gateway's lines."""
    lines = row["logLines"] + prices.assumed("platformLogLines") + is_request
    access = len(access_line()) if is_request else 0
    overhead = lines * prices.assumed("logLineOverhead")
    return float(row["logBytes"] + prices.assumed("platformLogBytes") + access + overhead)


def access_line() -> str:
    """A line of the access log, as the template has it written."""
    form = re.search(r"Format: >-\n((?: +[{\"].*\n)+)", TEMPLATE.read_text("utf-8"))
    assert form is not None, "the template has an access log"
    text = " ".join(line.strip() for line in form[1].splitlines())
    return re.sub(r"\$context\.([\w.]+)", lambda found: LOGGED[found[1]], text)


def parts(row: dict[str, Any], prices: Prices, memory: int = DEPLOYED_MEMORY) -> dict[str, float]:
    """The price of an invocation, by service."""
    is_request = row["function"] not in ("outbox-relay", "incode-poller")
    requests = math.ceil(row["eventBytes"] / prices.assumed("apiRequestBytes")) if is_request else 0
    # A poll comes from a queue: Lambda receives and deletes its message.
    from_queue = 2 if row["apiCalls"] else 0
    return {
        "API": prices.of("apiRequest", requests),
        "Lambda": prices.of("lambdaRequest") + compute(row, prices, memory),
        "DynamoDB": prices.of("writeUnit", row["writeUnits"]) + prices.of("readUnit", row["readUnits"]),
        "SQS": prices.of("standardRequest", row["standardRequests"] + from_queue)
        + prices.of("fifoRequest", row["fifoRequests"]),
        "logs": prices.of("logIngestion", log_bytes(row, prices, is_request) / GIGABYTE),
    }


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def dollars(amount: float) -> str:
    return f"{amount:.2f}"


def per_million(measured: dict[str, Any], prices: Prices) -> str:
    """What a million of each kind costs, by service."""
    rows = []
    for row in paid(measured):
        by_service = parts(row, prices)
        each = [dollars(amount * MILLION) for amount in by_service.values()]
        rows.append([row["name"], *each, dollars(sum(by_service.values()) * MILLION)])
    return table(["a million of", "API Gateway", "Lambda", "DynamoDB", "SQS", "logs", "**total $**"], rows)


def taken(measured: dict[str, Any], prices: Prices) -> str:
    """What was measured of each kind."""
    rows = [[
        row["name"], f"{row['cpuMs']:.2f}", f"{row['waits']:.0f}", number(row["writeUnits"]), number(row["readUnits"]),
        number(row["standardRequests"] + row["fifoRequests"]), f"{row['logBytes']:.0f}", f"{row['storedBytes']:.0f}",
    ] for row in paid(measured)]
    head = ["each of", "CPU ms", "waits", "write units", "read units", "messages sent", "log bytes", "stored bytes"]
    return table(head, rows)


def by_memory(measured: dict[str, Any], prices: Prices) -> str:
    """The duration of each kind, and what a million of them cost, at several memory sizes."""
    rows = []
    for row in paid(measured):
        each = [(duration_ms(row, prices, memory), sum(parts(row, prices, memory).values())) for memory in MEMORY_SIZES]
        rows.append([row["name"], *(f"{ms:.0f}" for ms, _ in each), *(dollars(total * MILLION) for _, total in each)])
    return table(["kind", *(f"ms at {memory} MB" for memory in MEMORY_SIZES),
                  *(f"$ at {memory} MB" for memory in MEMORY_SIZES)], rows)


def largest(measured: dict[str, Any], prices: Prices) -> str:
    """The bodies of each provider that take the most time, and the most memory."""
    rows = []
    for provider in dict.fromkeys(body["provider"] for body in measured["bodies"]):
        bodies = [body for body in measured["bodies"] if body["provider"] == provider]
        slowest = max(bodies, key=lambda body: body["cpuSeconds"])
        heaviest = max(bodies, key=lambda body: body["peakMib"])
        seconds = [slowest["cpuSeconds"] * prices.assumed("cpuMemory") / memory for memory in MEMORY_SIZES]
        rows.append([f"{provider}, {slowest['bytes'] / 1024**2:.1f} MiB ({slowest['body']})",
                     *(f"{second:.1f}" + (" (too long)" if second * 1000 > DEADLINE_MS else "") for second in seconds),
                     f"{heaviest['peakMib']:.0f} ({heaviest['body']})"])
    return table(["largest body", *(f"s at {memory} MB" for memory in MEMORY_SIZES), "highest peak, MiB"], rows)


def cold_starts(measured: dict[str, Any], prices: Prices) -> str:
    """What a million cold starts cost."""
    rows = []
    for start in measured["secrets"]:
        # Lambda has a full CPU for a start, whatever the memory size.
        cpu = start["startCpuMs"]["median"]
        each = [prices.of("lambdaSecond", memory / 1024 * math.ceil(cpu) / 1000 * MILLION) for memory in MEMORY_SIZES]
        rows.append([f"{start['function']}, {start['variant']}", f"{cpu:.1f}", *map(dollars, each)])
    return table(["a million starts of", "CPU ms each", *(f"$ at {memory} MB" for memory in MEMORY_SIZES)], rows)


def starts(measured: dict[str, Any], prices: Prices) -> str:
    """Credentials by ARN beside credentials by variable."""
    def both(quantiles: dict[str, float]) -> str:
        return f"{quantiles['median']:.1f} / {quantiles['p90']:.1f}"

    rows = [[
        f"{start['function']}, {start['variant']}", f"{start['latencyMs']}",
        *(both(start[name]) for name in ("startMs", "startCpuMs", "firstMs", "firstCpuMs", "warmMs")),
        f"{start['warmCpuMs']['median']:.2f}", both(start["peakMib"]),
        f"{start['binaryBytes'] / 1e6:.2f}", f"{start['zipBytes'] / 1e6:.2f}",
    ] for start in measured["secrets"]]
    return table(["function, credentials", "latency ms", "start ms", "start CPU ms", "first answer ms", "first CPU ms",
                  "warm ms", "warm CPU ms", "peak MiB", "binary MB", "zip MB"], rows)


def fixed(measured: dict[str, Any], prices: Prices) -> str:
    """What a month costs without a webhook, with all four providers."""
    rows = [[what, f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}", dollars(cost)]
            for what, amount, cost in fixed_rows(measured, prices)]
    total = sum(cost for _, _, cost in fixed_rows(measured, prices))
    return table(["a month of", "how many", "$"], [*rows, ["**all of it**", "", f"**{dollars(total)}**"]])


def fixed_rows(measured: dict[str, Any], prices: Prices) -> Iterator[tuple[str, float, float]]:
    runs = prices.assumed("hoursPerMonth") * 60
    for row in measured["rows"]:
        if is_idle(row):
            yield f"runs of `{row['function']}` every minute", runs, runs * sum(parts(row, prices).values())
    polls = prices.assumed("queuePollers") * prices.assumed("hoursPerMonth") * 3600 / prices.assumed("queuePollSeconds")
    template = TEMPLATE.read_text("utf-8")
    queues = template.count("EventSourceArn:")
    yield "polls of empty queues by Lambda", polls * queues, prices.of("standardRequest", polls * queues)
    always = {metric for row in measured["rows"] if is_idle(row) for metric in row["metrics"]}
    yield "custom metrics that are there every hour", len(always), prices.of("metric", len(always))
    alarms = alarm_metrics(template)
    yield "metrics of alarms, without those of `Canary`", alarms, prices.of("alarmMetric", alarms)
    for kind in ("CompositeAlarm", "Dashboard"):
        count = template.count(f"Type: AWS::CloudWatch::{kind}\n")
        price = kind[0].lower() + kind[1:]
        yield {"CompositeAlarm": "composite alarms", "Dashboard": "dashboards"}[kind], count, prices.of(price, count)


def alarm_metrics(template: str) -> int:
    """The metrics that the template's alarms look at, except a canary's: one each, or those of its expression."""
    blocks = re.split(r"\n(?=  \w+:\n)", template)
    alarms = [block for block in blocks
              if "Type: AWS::CloudWatch::Alarm\n" in block and "    Condition: Canar" not in block]
    return sum(max(1, block.count("MetricStat:")) for block in alarms)


def by_traffic(measured: dict[str, Any], prices: Prices) -> str:
    """What depends on what is deployed and how much comes."""
    metrics = {metric for row in measured["rows"] for metric in row["metrics"]}
    rows = [
        ["custom metrics that all rows above printed", f"{len(metrics)}", dollars(prices.of("metric", len(metrics)))],
        ["a secret by ARN", "1", dollars(prices.of("secret"))],
        ["10,000 calls to Secrets Manager", "1", dollars(prices.of("secretCall", 10_000))],
        ["a customer key, without its requests", "1", dollars(prices.of("key"))],
        ["10,000 requests to a customer key", "1", dollars(prices.of("keyRequest", 10_000))],
        ["an interface endpoint in one zone (VPC)", "1",
         dollars(prices.of("endpointHour", prices.assumed("hoursPerMonth")))],
        ["a GB in the table, with point-in-time recovery", "1",
         dollars(prices.of("tableStorage") + prices.of("recoveryStorage"))],
        ["a GB of logs kept, compressed", "1", dollars(prices.of("logStorage"))],
        ["a million messages taken by a consumer, one by one", "1",
         dollars(prices.of("fifoRequest", prices.assumed("consumerRequests") * MILLION))],
        ["a million traces (`Tracing`)", "1", dollars(prices.of("trace", MILLION))],
    ]
    return table(["a month of", "how many", "$"], rows)


def price_list(_: dict[str, Any], prices: Prices) -> str:
    rows = [[price["unit"], f"{price['usd']:.10f}".rstrip("0").rstrip("."), f"{price['per']:,}", price["source"],
             price["checked"] or "not checked"] for price in prices.content["prices"].values()]
    return table(["price of a", "$", "for", "page", "checked"], rows)


def assumptions(_: dict[str, Any], prices: Prices) -> str:
    return table(["assumed", "value"], [[each["of"], f"{each['value']:,}"]
                                        for each in prices.content["assumptions"].values()])


def runs(measured: dict[str, Any], _: Prices) -> str:
    """When and where each part was measured."""
    rows = [[PARTS[name], run["date"], run["processor"], run["load"], run["binaries"], run["version"]]
            for name, run in measured["runs"].items()]
    return table(["what", "date", "processor", "load of the machine", "binaries", "version"], rows)


def paid(measured: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in measured["rows"] if not is_idle(row)]


def is_idle(row: dict[str, Any]) -> bool:
    return "without work" in row["name"]


def number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


TABLES = {
    "per-million": per_million, "measured": taken, "memory": by_memory, "largest": largest, "starts": starts,
    "cold": cold_starts, "fixed": fixed, "by-traffic": by_traffic, "prices": price_list, "assumptions": assumptions,
    "runs": runs,
}

PARTS = {"rows": "kinds of webhooks", "bodies": "largest bodies", "secrets": "credentials by ARN"}

MARKED = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rendered(page: str, measured: dict[str, Any], prices: Prices) -> str:
    """The page with each marked table made anew."""
    return MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]](measured, prices)}\n{found[3]}", page)
