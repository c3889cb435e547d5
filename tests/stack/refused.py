"""Prints why the local stack refused the last webhook: the line that the function logged. The sender never sees it."""
from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from typing import Any, Iterable, Iterator, Optional

from botocore.exceptions import BotoCoreError, ClientError

from .deployment import client, outputs
from .emulator import endpoint_of, port
from .steps import Failure


def last_refusal(logs: Any, groups: Iterable[str]) -> Optional[dict[str, Any]]:
    """The newest event in these log groups that tells of a refusal."""
    events = (event for group in groups for event in refusals(logs, group))
    return max(events, key=lambda event: event["timestamp"], default=None)


def refusals(logs: Any, group: str) -> Iterator[dict[str, Any]]:
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern="refused"):
        yield from (event for event in page["events"] if is_refusal(event["message"]))


def is_refusal(line: str) -> bool:
    return line.startswith("{") and json.loads(line).get("outcome") == "refused"


def shown(event: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(event["timestamp"] / 1000, timezone.utc).isoformat(timespec="milliseconds")
    line = json.loads(event["message"])
    return f"{at}  {line['provider']}  {line['reason']}  (request {line['requestId']})"


def main() -> int:
    try:
        endpoint = endpoint_of(port())
        event = last_refusal(client("logs", endpoint), outputs(endpoint)["LogGroups"].split(","))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"no stack answers (is `make run` up, on this PORT?): {error}", file=sys.stderr)
        return 1
    print(shown(event) if event else "No webhook has been refused.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
