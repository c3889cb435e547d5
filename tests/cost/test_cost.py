"""docs/cost.md: its tables are what was measured times the list of prices, and nothing else."""
from __future__ import annotations

import datetime
import json
import math
import re
from copy import deepcopy
from typing import Any

import pytest

from cost.plan import PROVIDERS, rows
from cost.table import (MARKED, MEASURED, PAGE, TABLES, Prices, access_line, alarm_metrics, by_memory, duration_ms, parts,
                        per_million, rendered)

MEASUREMENTS = json.loads(MEASURED.read_text("utf-8"))


def row(**changes: Any) -> dict[str, Any]:
    """A row of which everything costs something."""
    return {"name": "a kind", "function": "veriff-decisions", "eventBytes": 2000, "cpuMs": 1.0, "waits": 2, "apiCalls": 0,
            "writeUnits": 10, "readUnits": 1, "standardRequests": 0, "fifoRequests": 1, "logBytes": 500, "logLines": 1,
            "storedBytes": 1000, "metrics": [], **changes}


def test_every_price_has_an_amount_a_unit_a_page_and_says_whether_it_is_checked() -> None:
    content = Prices.read().content
    datetime.date.fromisoformat(content["date"])
    for name, price in content["prices"].items():
        assert set(price) == {"usd", "per", "unit", "source", "checked"}, name
        assert price["usd"] > 0 and price["per"] >= 1 and price["unit"] and price["source"], name
        assert price["checked"] is None or datetime.date.fromisoformat(price["checked"]), name
    for name, assumed in content["assumptions"].items():
        assert assumed["value"] > 0 and assumed["of"], name


def test_the_page_names_the_region_and_the_date_of_the_prices() -> None:
    content = Prices.read().content
    page = PAGE.read_text("utf-8")
    assert f"`{content['region']}`" in page and content["date"] in page


def test_the_pages_tables_are_those_of_what_was_measured() -> None:
    page = PAGE.read_text("utf-8")
    assert {found[1] for found in MARKED.findall(page)} == set(TABLES)
    assert rendered(page, MEASUREMENTS, Prices.read()) == page, "run `make cost-page`"


def test_the_page_has_no_figure_of_money_outside_its_tables() -> None:
    prose = MARKED.sub("", PAGE.read_text("utf-8"))
    assert re.findall(r"\$ ?\d|\d ?\$|\bUSD \d", prose) == []


def test_every_row_of_the_plan_was_measured() -> None:
    assert [measured["name"] for measured in MEASUREMENTS["rows"]] == [planned.name for planned in rows()]


def test_every_kind_of_every_provider_is_planned() -> None:
    names = {planned.name for planned in rows()}
    kinds = ("progress", "decision", "copy of a decision", "decision replaced", "forgery")
    assert {f"{provider}: {kind}" for provider in PROVIDERS for kind in kinds} < names


@pytest.mark.parametrize("name", sorted(Prices.read().content["prices"].keys() - {"lambdaSecondX86"}))
def test_every_price_counts_in_some_table(name: str) -> None:
    prices = Prices(deepcopy(Prices.read().content))
    before = {table: make(MEASUREMENTS, prices) for table, make in TABLES.items() if table != "prices"}
    prices.content["prices"][name]["usd"] *= 100
    # As long as the template has no alarms, dashboards or composite alarms, their prices count nothing.
    counted = {"alarmMetric", "compositeAlarm", "dashboard"}
    after = {table: make(MEASUREMENTS, prices) for table, make in TABLES.items() if table != "prices"}
    assert after != before or name in counted


def test_a_kind_costs_what_its_units_cost() -> None:
    prices = Prices.read()
    assert parts(row(), prices)["DynamoDB"] == pytest.approx(10 * prices.of("writeUnit") + prices.of("readUnit"))
    assert parts(row(), prices)["SQS"] == pytest.approx(prices.of("fifoRequest"))
    assert parts(row(eventBytes=524_289), prices)["API"] == pytest.approx(2 * prices.of("apiRequest"))
    assert parts(row(function="outbox-relay"), prices)["API"] == 0
    logged = 500 + 290 + len(access_line()) + 5 * 26
    assert parts(row(), prices)["logs"] == pytest.approx(logged / 1024**3 * prices.of("logIngestion"))


def test_a_smaller_memory_size_stretches_cpu_time_and_not_the_waits() -> None:
    prices = Prices.read()
    wait = 2 * prices.assumed("storeMs")
    assert duration_ms(row(), prices, 1769) == math.ceil(1 + wait)
    assert duration_ms(row(), prices, 128) == math.ceil(1769 / 128 + wait)
    assert duration_ms(row(cpuMs=0), prices, 128) == duration_ms(row(cpuMs=0), prices, 512)
    # Beyond one CPU, a function of one thread gains nothing.
    assert duration_ms(row(cpuMs=10), prices, 3008) == duration_ms(row(cpuMs=10), prices, 1769)


def test_polls_wait_for_the_providers_api() -> None:
    prices = Prices.read()
    more = duration_ms(row(apiCalls=2.0), prices, 512) - duration_ms(row(), prices, 512)
    assert more == 2 * prices.assumed("providerApiMs")


def test_an_alarm_on_an_expression_counts_each_of_its_metrics_and_a_canarys_none() -> None:
    plain = "  AAlarm:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      MetricName: failed\n"
    several = ("  BAlarm:\n    Type: AWS::CloudWatch::Alarm\n    Properties:\n      Metrics:\n"
               "        - MetricStat: {}\n        - MetricStat: {}\n")
    canary = "  CAlarm:\n    Type: AWS::CloudWatch::Alarm\n    Condition: CanariesOfVeriff\n    Properties:\n"
    assert alarm_metrics("Resources:\n" + plain + several + canary) == 3
    assert alarm_metrics("Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n") == 0


def test_the_tables_total_is_the_sum_of_its_columns() -> None:
    prices = Prices.read()
    [_, _, line] = per_million({"rows": [row()]}, prices).splitlines()
    *columns, total = [float(cell) for cell in line.strip("|").split("|")[1:]]
    assert sum(columns) == pytest.approx(total, abs=0.03)
    assert str(total) in by_memory({"rows": [row()]}, prices) or f"{total:.2f}" in by_memory({"rows": [row()]}, prices)
