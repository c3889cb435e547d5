"""Sends the sample webhooks through the HTTP routes and holds what became of each against the catalogue."""
from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Optional

from .deployment import Stack, webhooks

# Notifications are on the queue before the answer. This is for a machine under load.
PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Seen:
    """What became of one sample."""

    status: int
    outcome: Optional[str]
    session: Optional[dict]  # its status and decision, as the catalogue has them
    notifications: list[str]
    quarantined: int

    def __str__(self) -> str:
        session = self.session or {"status": "no session", "decision": None}
        notes = [f"notified {outcome}" for outcome in self.notifications]
        notes += ["in quarantine"] * self.quarantined
        return (f"{self.status}  {self.outcome or '-':<12} {session['status'] or '-':<22}"
                f" {session['decision'] or '-':<24} {', '.join(notes) or '-'}")


def expected(sample: webhooks.Sample) -> Seen:
    quarantined = 1 if sample.expect["outcome"] == "quarantined" else 0
    return Seen(**sample.expect, quarantined=quarantined)


def send_all(stack: Stack) -> bool:
    """Sends every sample to a session of its own, prints what happened, and tells whether all was as expected."""
    samples = webhooks.catalogue()
    width = max(len(sample.name) for sample in samples)
    wrong = 0
    print(f"{'':5}  {'sample':{width}}  {'http':4} {'outcome':<12} {'session':<22} {'decision':<24} notifications")
    for sample in samples:
        wanted, seen = expected(sample), send(stack, sample)
        right = seen == wanted
        print(f"{'ok' if right else 'WRONG':5}  {sample.name:{width}}  {seen}", flush=True)
        if not right:
            print(f"{'':5}  {'expected':>{width}}  {wanted}", flush=True)
            wrong += 1
    print(f"{len(samples) - wrong} of {len(samples)} samples did what they should.", flush=True)
    return wrong == 0


def send(stack: Stack, sample: webhooks.Sample) -> Seen:
    session_id = sample.fresh_session()
    keys = webhooks.credentials(sample.provider, webhooks.LOCAL_CREDENTIALS)
    answer = webhooks.send(webhooks.make(sample, keys, session=session_id), stack.api_url)
    wanted = expected(sample)
    return Seen(
        status=answer.status,
        outcome=answer.outcome,
        session=session_id and summary(stack.session(sample.provider, session_id)),
        notifications=[
            json.loads(body)["data"]["outcome"]
            for body in take(stack, "DecisionsQueueUrl", len(wanted.notifications))],
        quarantined=len(take(stack, "QuarantineQueueUrl", wanted.quarantined)),
    )


def summary(record: Optional[dict]) -> Optional[dict]:
    if record is None:
        return None
    decision = record.get("decision")
    return {"status": record.get("status"), "decision": decision and decision["outcome"]}


def take(stack: Stack, queue: str, at_least: int) -> list[str]:
    """Takes all messages off a queue; waits a while for the number that there should be. Nobody else sends meanwhile."""
    queues, url = stack.client("sqs"), stack.outputs[queue]
    bodies: list[str] = []
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            bodies.append(message["Body"])
        if not messages and (len(bodies) >= at_least or time.monotonic() > end):
            return bodies
        if not messages:
            time.sleep(0.1)
