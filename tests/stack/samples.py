"""Sends the sample webhooks through the HTTP routes and holds what became of each against the catalogue."""
from __future__ import annotations

import collections
import contextlib
import hashlib
import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Iterator, Optional

from .deployment import Stack, webhooks
from .incode_api import APPROVED

# Notifications are on the queue before the answer. This is for a machine under load.
PATIENCE_SECONDS = 10
LOOK_SECONDS = 0.05
AT_ONCE = 8

# The webhooks after which the poller asks Incode for the score, and the decision that each score is: whatever the webhook
# says.
ASKED_AFTER = ("incode/onboarding-finished", "incode/session-succeeded")
SCORES = {"OK": "approved", "FAIL": "declined"}


@dataclass(frozen=True)
class Seen:
    """What became of one sample."""

    status: int
    outcome: Optional[str]
    session: Optional[dict[str, Any]]  # its status and decision, as the catalogue has them
    notifications: list[str]
    quarantined: int
    checks: Optional[dict[str, str]] = None  # of a whole session: the outcome of each

    def __str__(self) -> str:
        session = self.session or {"status": "no session", "decision": None}
        notes = [f"notified {outcome}" for outcome in self.notifications]
        notes += ["in quarantine"] * self.quarantined
        notes += [f"{name} {outcome}" for name, outcome in sorted((self.checks or {}).items())]
        return (f"{self.status}  {self.outcome or '-':<12} {session['status'] or '-':<22}"
                f" {session['decision'] or '-':<24} {', '.join(notes) or '-'}")


@dataclass(frozen=True)
class Sent:
    """A sample on its way, under a session id of its own where it holds any."""

    sample: webhooks.Sample
    session: Optional[str]  # as Verdict keeps it
    event: dict[str, Any]

    @property
    def content(self) -> tuple[str, str]:
        """What tells its message in quarantine from others: path and body."""
        return self.event["rawPath"], hashlib.sha256(webhooks.body_of(self.event)).hexdigest()


def expected(sample: webhooks.Sample, believed: bool = False) -> Seen:
    quarantined = 1 if sample.expect["outcome"] == "quarantined" else 0
    return Seen(**{**sample.expect, **((sample.believed if believed else None) or {})}, quarantined=quarantined)


def send(stack: Stack, sample: webhooks.Sample) -> Seen:
    return send_together(stack, [sample])[0]


def send_together(stack: Stack, samples: list[webhooks.Sample], believed: bool = False) -> list[Seen]:
    """Sends every sample to a session of its own, several at once, and tells what became of each."""
    sendings = [prepare(sample) for sample in samples]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        arrivals = list(pool.map(lambda sent: arrive(stack, sent), sendings))
    wanted = [expected(sample, believed) for sample in samples]
    notified = notifications(stack, sum(len(each.notifications) for each in wanted))
    quarantined = in_quarantine(stack, sum(each.quarantined for each in wanted))
    return [
        Seen(status=answer.status, outcome=answer.outcome, session=session,
             notifications=notified[sent.sample.provider, sent.session],
             quarantined=quarantined[sent.content])
        for sent, (answer, session) in zip(sendings, arrivals)]


def prepare(sample: webhooks.Sample) -> Sent:
    fresh = sample.fresh_session()
    keys = webhooks.credentials(sample.provider, webhooks.LOCAL_CREDENTIALS)
    event = webhooks.with_fresh_token(webhooks.make(sample, keys, session=fresh), sample, keys)
    return Sent(sample, fresh and sample.session_key(fresh), event)


def arrive(stack: Stack, sent: Sent) -> tuple[webhooks.Answer, Optional[dict[str, Any]]]:
    answer = webhooks.send(sent.event, stack.api_url)
    return answer, summary(stack.session(sent.sample.provider, sent.session)) if sent.session else None


def summary(record: Optional[dict[str, Any]]) -> Optional[dict[str, Any]]:
    if record is None:
        return None
    decision = record.get("decision")
    return {"status": record.get("status"), "decision": decision and decision["outcome"]}


def checks(record: Optional[dict[str, Any]]) -> dict[str, str]:
    """The outcome of each check of a record, by name."""
    return {name: check["outcome"] for name, check in record["checks"].items()} if record else {}


def notifications(stack: Stack, at_least: int) -> dict[tuple[str, Optional[str]], list[str]]:
    """What was notified, in order, by provider and session: the standing outcome, and the checks that changed, if any."""
    found = collections.defaultdict(list)
    for body in take(stack, "DecisionsQueueUrl", at_least):
        data = json.loads(body)["data"]
        changes = ", ".join(f"{change['check']} {change['outcome']}" for change in data.get("changes", []))
        told = (data["outcome"] or "withdrawn") + (f" ({changes})" if changes else "")
        found[data["provider"], data["sessionId"]].append(told)
    return found


def in_quarantine(stack: Stack, at_least: int) -> collections.Counter[tuple[str, str]]:
    """How many webhooks were put aside, by path and body."""
    messages = map(json.loads, take(stack, "QuarantineQueueUrl", at_least))
    return collections.Counter((message["path"], message["sha256"]) for message in messages)


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


@dataclass(frozen=True)
class Polled:
    """What became of a session that Incode was asked about, and how long after its webhook it was decided."""

    seen: Seen
    seconds: float


def poll(stack: Stack, sample: str, score: str) -> Polled:
    """Sends the webhook of a session that has come to an end, under a bearer token that the stack was asked for; that wakes
    the poller. Tells what became of the webhook at first, and of its session in the end."""
    sent = prepare(webhooks.find(sample))
    assert sent.session, f"{sample} tells of no session"
    stack.incode_api.script(sent.session, status=["ONBOARDING_FINISHED"], score=[score])
    on_its_way = with_fetched_token(stack, sent)
    began = time.monotonic()
    answer, session = arrive(stack, on_its_way)
    while session and session["status"] != "decided" and time.monotonic() < began + PATIENCE_SECONDS:
        time.sleep(LOOK_SECONDS)
        session = summary(stack.session(sent.sample.provider, sent.session))
    seconds = time.monotonic() - began
    return Polled(Seen(
        status=answer.status, outcome=answer.outcome, session=session,
        notifications=notifications(stack, 1)[sent.sample.provider, sent.session], quarantined=0), seconds)


def play(stack: Stack, scenario: webhooks.Scenario) -> dict[str, Seen]:
    """Plays a scenario under fresh ids, and tells what its sessions are in the end, by the scenario's names for them.
    Status and outcome are those of the first step that was answered otherwise than it should be, else of the last."""
    keys = webhooks.credentials(scenario.provider, webhooks.LOCAL_CREDENTIALS)
    ids = scenario.fresh_ids()
    if scenario.score:
        stack.incode_api.script(
            scenario.session_keys(ids)["session"], status=["ONBOARDING_FINISHED"], score=[scenario.score])
    told = list(webhooks.play(scenario, keys, stack.api_url, ids))
    if scenario.score:
        ask(stack, scenario, ids)
    wrong = [answer for step, answer in told if answer.outcome != step.outcome]
    answer = (wrong or [answer for _, answer in told])[0 if wrong else -1]
    notified = notifications(stack, sum(len(end["notifications"]) for end in scenario.expect.values()))
    records = {name: (session, stack.session(scenario.provider, session))
               for name, session in scenario.session_keys(ids).items()}
    return {
        name: Seen(status=answer.status, outcome=answer.outcome, session=summary(record),
                   notifications=notified[scenario.provider, session], quarantined=0, checks=checks(record))
        for name, (session, record) in records.items()}


def ask(stack: Stack, scenario: webhooks.Scenario, ids: dict[str, Any]) -> None:
    """Has Incode asked for the score. Where the stack's own schedule is at work, that may have happened already."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        stack.invoke("IncodePoller")
        record = stack.session("incode", scenario.session_keys(ids)["session"])
        if record and record["status"] == "decided":
            return
        time.sleep(LOOK_SECONDS)


@contextlib.contextmanager
def believing(stack: Stack) -> Iterator[None]:
    """While what Incode's webhooks decide counts without its API's word."""
    keys = {**webhooks.credentials("incode", webhooks.LOCAL_CREDENTIALS), "api": stack.incode_api.credentials}
    with stack.reconfigured("IncodeWebhooks", INCODE_CREDENTIALS=json.dumps({**keys, "confirmDecisions": False})):
        yield


def expected_of_play(scenario: webhooks.Scenario) -> dict[str, Seen]:
    last = scenario.steps[-1]
    return {
        name: Seen(status=200, outcome=last.outcome,
                   session={"status": end["status"], "decision": end["decision"]},
                   notifications=end["notifications"], quarantined=0, checks=end["checks"])
        for name, end in scenario.expect.items()}


def with_fetched_token(stack: Stack, sent: Sent) -> Sent:
    keys = webhooks.credentials(sent.sample.provider, webhooks.LOCAL_CREDENTIALS)
    return replace(sent, event=webhooks.with_fetched_token(sent.event, sent.sample, keys, stack.api_url))


def expected_of_poll(score: str) -> Seen:
    decision = SCORES[score]
    return Seen(status=200, outcome="recorded", session={"status": "decided", "decision": decision},
                notifications=[decision], quarantined=0)


@dataclass(frozen=True)
class Row:
    """What became of one sample, beside what should."""

    name: str
    wanted: Seen
    seen: Seen

    @property
    def is_right(self) -> bool:
        return self.seen == self.wanted


class Results:
    """Prints a line for each group of samples, and below it a row for each sample that went wrong; or for every sample,
    if `verbose`."""

    def __init__(self, verbose: bool):
        self._verbose = verbose
        self.all_right = True

    def show(self, group: str, what: str, rows: list[Row]) -> None:
        right = sum(row.is_right for row in rows)
        self.all_right &= right == len(rows)
        count = f"{right} of {len(rows)} {what} did what they should"
        print(f"{mark(right == len(rows))}  {group:8}  {count}", flush=True)
        shown = [row for row in rows if self._verbose or not row.is_right]
        if shown:
            show_rows(shown)


def mark(is_right: bool) -> str:
    return f"{'ok' if is_right else 'WRONG':5}"


def show_rows(rows: list[Row]) -> None:
    width = max(len(row.name) for row in rows)
    print(f"\n{'':5}  {'sample':{width}}  {'http':4} {'outcome':<12} {'session':<22} {'decision':<24} notifications, checks")
    for row in rows:
        print(f"{mark(row.is_right)}  {row.name:{width}}  {row.seen}")
        if not row.is_right:
            print(f"{'':5}  {'expected':>{width}}  {row.wanted}")
    print(flush=True)


def send_all(stack: Stack, verbose: bool) -> bool:
    """Sends every sample, has Incode asked for scores, prints what happened, and tells whether all was as expected."""
    results = Results(verbose)
    for provider, of_provider in itertools.groupby(webhooks.catalogue(), key=lambda sample: sample.provider):
        together = list(of_provider)
        results.show(provider, "samples", [
            Row(sample.name, expected(sample), seen) for sample, seen in zip(together, send_together(stack, together))])
    sessions = [row for scenario in webhooks.scenarios() for row in rows_of_play(stack, scenario)]
    results.show("sessions", f"whole sessions with {sum(len(row.wanted.checks or {}) for row in sessions)} checks", sessions)
    polled = {(sample, score): poll(stack, sample, score) for sample in ASKED_AFTER for score in SCORES}
    results.show("poller", "scores that the poller asked Incode for, whatever the webhook says,", [
        Row(f"{sample}, score {score}", expected_of_poll(score), seen.seen) for (sample, score), seen in polled.items()])
    print(f"{'':5}  {'':8}  decided {', '.join(f'{each.seconds:.1f} s' for each in polled.values())} after the webhook",
          flush=True)
    deciding = [sample for sample in webhooks.catalogue() if sample.believed]
    with believing(stack):
        seen = send_together(stack, deciding, believed=True)
    results.show("believed", "webhooks that decide by themselves, with confirmDecisions false,", [
        Row(sample.name, expected(sample, believed=True), each) for sample, each in zip(deciding, seen)])
    # From here on, a session whose webhook of that kind is sent by hand is approved within seconds.
    stack.incode_api.unscripted = APPROVED
    return results.all_right


def rows_of_play(stack: Stack, scenario: webhooks.Scenario) -> list[Row]:
    wanted, seen = expected_of_play(scenario), play(stack, scenario)
    return [Row(scenario.name if len(wanted) == 1 else f"{scenario.name}, {name}", wanted[name], seen[name])
            for name in wanted]
