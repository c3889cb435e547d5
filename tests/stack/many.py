"""Many sessions in a local stack's table, as the functions write them: for what mustn't grow with the table.

A few stories are sent to the stack. The items that its functions write of each are written again under other ids,
references and times, spread over the past month. Three sessions in a row have the same reference. What waits (polls,
outbox entries) is left out, so that neither the poller nor the relay has work with them.

`python -m stack.many` fills the table of the stack that `make run` brought up on this PORT: SESSIONS=100000.
"""
from __future__ import annotations

import contextlib
import hashlib
import http.client
import itertools
import json
import os
import re
import sys
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable, Iterable, Iterator, Union

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from .deployment import client, outputs, webhooks
from .emulator import ACCESS_KEY, REGION, SECRET_KEY, endpoint_of, port
from .steps import Failure

#: The samples of each story, in order, all of one session; and how many of a hundred sessions are such.
STORIES = (
    (("veriff/event-started",), 6),
    (("veriff/event-started", "veriff/event-submitted"), 4),
    (("veriff/event-started", "veriff/event-submitted", "veriff/decision-approved"), 10),
    (("veriff/decision-approved",), 20),
    (("veriff/decision-declined",), 8),
    (("veriff/decision-abandoned",), 5),
    (("veriff/decision-resubmission-requested",), 3),
    (("veriff/decision-review",), 3),
    (("wultra/process-finished",), 15),
    (("wultra/process-failed",), 4),
    (("treezor/qes-finalized-success",), 10),
    (("treezor/qes-processing",), 2),
    (("incode/session-started",), 10),
)
SORTS = ("STATE", "EVENT#", "PAYLOAD#", "TOLD#")
SESSIONS_PER_REFERENCE = 3
SPAN_SECONDS = 30 * 24 * 3600
#: The number of partitions of each status in the index `standing`.
SHARDS = 8
#: The most that DynamoDB takes in one batch of writes.
ITEMS_PER_WRITE = 25
WRITERS = 4
#: Has stories follow each other in another order than above: it has no divisor in common with 100.
STRIDE = 37
#: A time up to its whole seconds, in an item or in a payload: as text, whatever its offset; or as Treezor's number.
TIME = r"""\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=[.\d]*(?:Z|[+-]\d\d:\d\d))|(?<=webhook_created_at\\":)\d{10}"""


@dataclass(frozen=True)
class Copy:
    """What a session has otherwise than the one that it is a copy of."""

    session: str
    reference: str
    digest: bytes  # of its partition key
    age: int  # the seconds by which it is the earlier one


#: What fills a gap in an item.
Gap = Callable[[Copy], str]


class Original:
    """A session as the functions wrote it, of which others are made: each item as text with gaps."""

    def __init__(self, session: str, reference: str, items: list[dict[str, Any]]):
        self._session, self._reference, self._pk = session, reference, items[0]["pk"]["S"]
        [state] = [item for item in items if item["sk"]["S"] == "STATE"]
        status = state["status"]["S"]
        gaps: dict[str, Gap] = {
            session: lambda copy: copy.session,
            reference: lambda copy: copy.reference,
            # As the functions make them of the partition key.
            state["standingShard"]["S"]: lambda copy: f"{status}#{copy.digest[0] % SHARDS}",
            state["standingAt"]["S"].partition("#")[2]: lambda copy: copy.digest.hex()[:16],
            **{item["expiresAt"]["N"]: earlier(item["expiresAt"]["N"]) for item in items if "expiresAt" in item}}
        pattern = re.compile("|".join([*map(re.escape, gaps), TIME]))
        self._items = [list(pieces(json.dumps({"PutRequest": {"Item": item}}), pattern, gaps)) for item in items]

    def copied(self, number: int, age: int) -> Iterator[str]:
        """The writes of another such session, as JSON."""
        session = webhooks.fresh(self._session)
        digest = hashlib.sha256(self._pk.replace(self._session, session).encode()).digest()
        copy = Copy(session, reference_of(number, self._reference), digest, age)
        for item in self._items:
            yield "".join(piece if isinstance(piece, str) else piece(copy) for piece in item)


def pieces(text: str, pattern: re.Pattern[str], gaps: dict[str, Gap]) -> Iterator[Union[str, Gap]]:
    """A text in pieces: as it is between the gaps, and at each gap what fills it."""
    end = 0
    for found in pattern.finditer(text):
        yield text[end:found.start()]
        yield gaps.get(found[0]) or earlier(found[0])
        end = found.end()
    yield text[end:]


def earlier(at: str) -> Gap:
    if at.isdecimal():
        return lambda copy: str(int(at) - copy.age)
    seconds = int(datetime.fromisoformat(f"{at}+00:00").timestamp())
    return lambda copy: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds - copy.age))


def originals(endpoint: str, api_url: str) -> list[Original]:
    """Sends the stories. As many of each as there are such sessions among a hundred, well mixed."""
    told = [(tell(endpoint, api_url, samples), share) for samples, share in STORIES]
    hundred = [original for original, share in told for _ in range(share)]
    assert len(hundred) == 100
    return [hundred[number * STRIDE % 100] for number in range(100)]


def tell(endpoint: str, api_url: str, samples: Iterable[str]) -> Original:
    first, *_ = found = [webhooks.find(name) for name in samples]
    session, reference = (webhooks.fresh(first.ids[kind]) for kind in ("session", "reference"))
    keys = webhooks.credentials(first.provider, webhooks.LOCAL_CREDENTIALS)
    for sample in found:
        event = webhooks.make(sample, keys, session=session, reference=reference)
        answer = webhooks.send(webhooks.with_fresh_token(event, sample, keys), api_url)
        if answer.outcome != "recorded":
            raise Failure(f"{sample.name} was answered {answer.status} {answer.outcome}")
    return Original(session, reference, items_of(endpoint, f"{first.provider}/{first.session_key(session)}"))


def items_of(endpoint: str, session: str) -> list[dict[str, Any]]:
    found = client("dynamodb", endpoint).query(
        TableName=outputs(endpoint)["SessionsTableName"], KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"SESSION#{session}"}})
    return [item for item in found["Items"] if item["sk"]["S"].startswith(SORTS)]


def fill(endpoint: str, api_url: str, sessions: int, first: int = 0) -> None:
    """Puts so many sessions into the table, less the first ones, which it has already."""
    hundred, table = originals(endpoint, api_url), outputs(endpoint)["SessionsTableName"]

    def writes(part: int) -> Iterator[str]:
        for number in range(first + part, sessions, WRITERS):
            yield from hundred[number % 100].copied(number, number * SPAN_SECONDS // sessions)

    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in pool.map(lambda part: write(endpoint, table, writes(part)), range(WRITERS)):
            pass


def write(endpoint: str, table: str, writes: Iterator[str]) -> None:
    """Carries writes out, in batches that are JSON as they come, over one connection."""
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "dynamodb", REGION)
    with contextlib.closing(http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc)) as connection:
        while batch := ",".join(itertools.islice(writes, ITEMS_PER_WRITE)):
            body = f'{{"RequestItems":{{{json.dumps(table)}:[{batch}]}}}}'
            request = AWSRequest("POST", endpoint, data=body, headers={
                "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem", "Content-Type": "application/x-amz-json-1.0"})
            signer.add_auth(request)
            connection.request("POST", "/", body, dict(request.headers))
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 200 or json.loads(content)["UnprocessedItems"]:
                raise Failure(f"DynamoDB answered {answer.status}: {content[:500].decode()}")


def reference_of(number: int, like: str) -> str:
    person = number // SESSIONS_PER_REFERENCE
    return str(10**6 + person) if like.isdecimal() else f"person-{person:06}"


def asked_for() -> int:
    """The number of sessions that the user asks for."""
    text = os.environ.get("SESSIONS") or "100000"
    if not text.isdecimal() or int(text) == 0:
        raise Failure(f"SESSIONS is {text!r}: give a whole number from 1, as in SESSIONS=100000")
    return int(text)


def main() -> int:
    endpoint = endpoint_of(port())
    try:
        sessions = asked_for()
        api = urllib.parse.urlsplit(outputs(endpoint)["ApiUrl"]).netloc.partition(".")[0]
        begun = time.monotonic()
        fill(endpoint, f"{endpoint}/_aws/execute-api/{api}", sessions)
    except (Failure, webhooks.Problem) as failure:
        print(failure, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError, OSError) as error:
        print(f"no stack answers (is `make run` up, on this PORT?): {error}", file=sys.stderr)
        return 1
    print(f"{sessions} sessions more in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
