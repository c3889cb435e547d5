"""An outage of the table while events come in that are never sent again: none is lost, none counts twice.

For so many seconds DynamoDB fails `wultra-events` and `replay` in every way there is, and that many of Wultra's events
arrive through the gateway, each to end a process of its own. All have to be answered with 200 at once, and afterwards
every process has to be decided, under the time at which its event came, and notified once.

`make outage` runs it on a stack of its own: 500 EVENTS in a DURATION of 30 seconds.
"""
from __future__ import annotations

import collections
import contextlib
import json
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Callable, Optional

from . import Failure, Stack, free_port, start
from .deployment import directory_of, webhooks
from .samples import take
from .wire import Fate, Wire

#: What ends a process, and the decision that each sample is.
ENDS = {"wultra/process-finished": "approved", "wultra/process-failed": "failed"}
#: Events on their way at the same time: as many as come while one waits for a table that is silent.
AT_ONCE = 96
#: `replay` puts a message off for this long at first, then for twice as long each time. So what is put off once more
#: just before an outage ends is due within as long as the outage was, and this.
FIRST_PAUSE_SECONDS = 15
#: For what all that takes on a machine with other things to do.
PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class Sent:
    """One event: the process that it ends, how, and how it was answered."""

    process: str
    outcome: str
    at: datetime
    answer: Optional[webhooks.Answer]
    seconds: float


@dataclass(frozen=True)
class Result:
    """What became of the events."""

    events: int
    answered_200: int
    spooled: int
    sessions_right: int
    notified: int  # sessions, each once
    messages: int  # on the decisions queue
    intake: int
    quarantine: int
    slowest_answer: float
    seconds: float

    @property
    def is_right(self) -> bool:
        counts = (self.answered_200, self.sessions_right, self.notified, self.messages)
        return set(counts) == {self.events} and self.spooled > 0 and (self.intake, self.quarantine) == (0, 0)

    def __str__(self) -> str:
        return (f"events {self.events}, answered 200 {self.answered_200} (spooled {self.spooled}, the slowest after"
                f" {self.slowest_answer:.1f} s), sessions right {self.sessions_right}, notifications {self.messages}"
                f" (sessions notified once {self.notified}), intake {self.intake}, quarantine {self.quarantine},"
                f" seconds {self.seconds:.0f}")


def outage(stack: Stack, events: int, seconds: float) -> Result:
    """Has DynamoDB fail for so long, during which so many events arrive; then waits until all is as it should be, or no
    longer gets there. Intake must be empty before; what is on the decisions queue is taken off it."""
    take(stack, "DecisionsQueueUrl", 0)
    put_aside = stack.depth("QuarantineQueueUrl")
    begun = time.monotonic()
    with contextlib.ExitStack() as line:
        wire = line.enter_context(Wire(stack.endpoint, always(Fate.PASSED_ON)))
        for function in ("WultraEvents", "Replay"):
            line.enter_context(stack.reconfigured(function, AWS_ENDPOINT_URL_DYNAMODB=wire.url))
        with ThreadPoolExecutor(AT_ONCE + 1) as pool:
            failing = pool.submit(fail, wire, seconds)
            sending = [
                pool.submit(send, stack, list(ENDS)[number % len(ENDS)], begun + number * seconds / events)
                for number in range(events)]
            sent = [each.result() for each in sending]
            failing.result()
        await_replay(stack, seconds)
        right = sessions_right(stack, sent)
        notified = notifications(stack, sent)
    return Result(
        events=events,
        answered_200=sum(each.answer is not None and each.answer.status == 200 for each in sent),
        spooled=sum(each.answer is not None and each.answer.outcome == "spooled" for each in sent),
        sessions_right=right,
        notified=sum(notified[f"wultra/{each.process}/1"] == 1 for each in sent),
        messages=sum(notified.values()),
        intake=stack.depth("IntakeQueueUrl"),
        quarantine=stack.depth("QuarantineQueueUrl") - put_aside,
        slowest_answer=max(each.seconds for each in sent),
        seconds=time.monotonic() - begun)


def always(fate: Fate) -> Callable[[str], Fate]:
    return lambda operation: fate


def fail(wire: Wire, seconds: float) -> None:
    """The outage, one sort of failure after the other."""
    fates = [Fate.FAILED, Fate.THROTTLED, Fate.ANSWER_LOST, Fate.LOST]
    each = seconds / (1 + len(fates))
    with wire.down():
        time.sleep(each)
    for fate in fates:
        wire.fate = always(fate)
        time.sleep(each)
    wire.fate = always(Fate.PASSED_ON)


def send(stack: Stack, name: str, at: float) -> Sent:
    """Sends a fresh event when its time has come."""
    sample = webhooks.find(name)
    process = webhooks.fresh(sample.ids["session"])
    event = webhooks.make(sample, webhooks.credentials("wultra", webhooks.LOCAL_CREDENTIALS), session=process)
    time.sleep(max(0.0, at - time.monotonic()))
    begun, now = time.monotonic(), datetime.now(timezone.utc)
    try:
        answer = webhooks.send(event, stack.api_url)
    except webhooks.Problem:
        answer = None
    return Sent(process, ENDS[name], now, answer, time.monotonic() - begun)


def await_replay(stack: Stack, seconds: float) -> None:
    """Waits until intake is empty, or should be for long."""
    end = time.monotonic() + seconds + FIRST_PAUSE_SECONDS + PATIENCE_SECONDS
    while stack.depth("IntakeQueueUrl") and time.monotonic() < end:
        time.sleep(0.5)


def sessions_right(stack: Stack, sent: list[Sent]) -> int:
    """How many processes are decided as their event says, by it alone, as of the time at which it came."""
    def is_right(each: Sent) -> bool:
        session = stack.session("wultra", each.process)
        if session is None:
            return False
        came = datetime.fromisoformat(session["firstEventAt"])
        return (session["decision"]["outcome"] == each.outcome
                and (session["events"], session["version"], session["notifications"]) == (1, 1, 1)
                and each.at <= came <= each.at + timedelta(seconds=each.seconds))

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(is_right, sent))


def notifications(stack: Stack, sent: list[Sent]) -> collections.Counter[str]:
    """How often each id came of a notification about one of the processes; with the relay's help, whose minute is not
    waited for."""
    ours = {each.process for each in sent}
    counts: collections.Counter[str] = collections.Counter()
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        # One look more than it takes: nothing else may come.
        last = len(counts) >= len(sent) or time.monotonic() > end
        stack.invoke("OutboxRelay")
        told = map(json.loads, take(stack, "DecisionsQueueUrl", 0))
        counts.update(each["id"] for each in told if each["subject"] in ours)
        if last:
            return counts
        time.sleep(1)


def number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) == 0:
        raise Failure(f"{name} is {text!r}: give a whole number from 1, as in `make outage {name}={default}`")
    return int(text)


def main() -> int:
    try:
        events, seconds = number("EVENTS", 500), number("DURATION", 30)
        port = free_port()
        with start(port) as stack:
            print(f"DynamoDB fails for {seconds} s, and {events} events arrive …", flush=True)
            result = outage(stack, events, seconds)
        if result.is_right:
            # Else its logs are worth keeping.
            shutil.rmtree(directory_of(port))
    except (Failure, webhooks.Problem) as failure:
        print(f"make outage: {failure}", file=sys.stderr)
        return 1
    print(result)
    print("Nothing lost, nothing twice." if result.is_right else "WRONG: not all is as it should be.")
    return 0 if result.is_right else 1


if __name__ == "__main__":
    sys.exit(main())
