"""The queues' depths and ages: attributes and metrics alone. Nothing is received, so that no consumer misses a message."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Mapping, Sequence

from ..aws import Aws
from .routes import Question, Route, Shared

#: The stack's queues, by the names that the page has for them.
NAMES = {"decisions": "Decisions", "decisions-dead-letter": "DecisionsDeadLetter", "intake": "Intake",
         "quarantine": "Quarantine", "wake-up": "WakeUp"}
COUNTS = {"visible": "ApproximateNumberOfMessages", "inFlight": "ApproximateNumberOfMessagesNotVisible",
          "delayed": "ApproximateNumberOfMessagesDelayed"}
#: Tabs that ask within this time share one look.
COUNTS_SECONDS = 1.0
#: SQS tells CloudWatch the ages each minute, and they come a few minutes late.
AGES_SECONDS = 60.0
AGES_SPAN = timedelta(minutes=10)


def queues(shared: Shared, _: Question) -> Mapping[str, Any]:
    """The depth and the age of each queue."""
    return {"queues": shared.once("queues", COUNTS_SECONDS, lambda: looked_at(shared))}


def looked_at(shared: Shared) -> Sequence[Mapping[str, Any]]:
    urls = shared.once("queue urls", float("inf"), shared.stack.queue_urls)
    named = {name: urls[called] for name, called in NAMES.items() if called in urls}
    operator = shared.operator()
    # One after the other: a pool's threads would hold up the end of the process while AWS doesn't answer.
    counted = [counts(operator, url) for url in named.values()]
    ages = shared.once("queue ages", AGES_SECONDS, lambda: oldest(operator, named))
    return [{"name": name, **count, "oldestSeconds": ages.get(name) if any(count.values()) else None}
            for name, count in zip(named, counted)]


def counts(operator: Aws, url: str) -> Mapping[str, int]:
    """How many messages a queue has, by whether they can be received."""
    found = operator.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=list(COUNTS.values()))["Attributes"]
    return {name: int(found[attribute]) for name, attribute in COUNTS.items()}


def oldest(operator: Aws, urls: Mapping[str, str]) -> Mapping[str, int]:
    """How old the oldest message of each queue is, as far as CloudWatch knows. The local stack doesn't tell it."""
    if operator.is_local:
        return {}
    now = datetime.now(timezone.utc)
    found = operator.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": f"queue{number}", "MetricStat": age_of(url)} for number, url in enumerate(urls.values())],
        StartTime=now - AGES_SPAN, EndTime=now, ScanBy="TimestampDescending")["MetricDataResults"]
    newest = {result["Id"]: result["Values"][0] for result in found if result["Values"]}
    return {name: int(newest[f"queue{number}"]) for number, name in enumerate(urls) if f"queue{number}" in newest}


def age_of(url: str) -> Mapping[str, Any]:
    """The metric of a queue that is the age of its oldest message."""
    name = {"Name": "QueueName", "Value": url.rpartition("/")[2]}
    metric = {"Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": [name]}
    return {"Metric": metric, "Period": 60, "Stat": "Maximum"}


ROUTES: Sequence[Route] = (
    Route("GET", "/api/queues", queues),
)
