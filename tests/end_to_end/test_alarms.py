"""Each alarm on the functions' own metrics rings once: at a fault that is brought about, by the lines that the built
binaries print, and not without it. What the dashboard shows is among what they print.

Alarms on what AWS counts can't ring here: `tests/stack/test_alarm_metrics.py` names them. The trials run with `make alarms`
alone.
"""
from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterable

import pytest
from stack.alarms import REFUSALS, STACK, alarms, filtered, is_own, on_dashboard
from stack.deployment import webhooks
from stack.incode_api import LOG_IN, IncodeApi, error
from stack.metrics import ALARM, OK, Metric, Printed, evaluated, values
from stack.wire import Fate, Wire

from .deliveries import JSON, SENDERS, VERIFF, WULTRA, Delivery, Sender, as_event
from .functions import bootstrap
from .incode import ago, credentials, end_pause, onboarding
from .runtime_api import Running, environment
from .table import items

NOWHERE = "http://127.0.0.1:9"
#: For how long a function holds its secret without asking again, in seconds: the shortest time that it takes.
SECRET_TTL = 5
pytestmark = pytest.mark.skipif("ALARMS" not in os.environ, reason="make alarms")
OWN = {name: alarm for name, alarm in alarms().items() if is_own(alarm)}

Lines = list[dict[str, Any]]
#: What was printed with a fault, and without it.
Trial = tuple[Lines, Lines]


# ---- What functions print ----

def running(verdict, logical_id: str, **changes: str) -> Running:
    variables = environment(verdict, logical_id, VERDICT_NAMESPACE=STACK, **changes)
    return Running(bootstrap(verdict, logical_id), variables)


def printed(verdict, logical_id: str, events: Iterable[Any], **changes: str) -> Lines:
    """What a function prints about some events, one after the other."""
    with running(verdict, logical_id, **changes) as function:
        for event in events:
            function.call(event)
    return function.lines


def received(verdict, sender: Sender, *events: Any, **changes: str) -> Lines:
    keys = {f"{sender.provider.upper()}_CREDENTIALS": json.dumps(sender.keys)}
    return printed(verdict, sender.function, events, **keys, **changes)


def some_id(sender: Sender) -> str:
    """An id that the provider could have given."""
    return webhooks.fresh("1" if sender.provider == "treezor" else "-")


def approval(sender: Sender, session_id: str | None = None) -> dict[str, Any]:
    return as_event(sender.approves(session_id or some_id(sender)))


# ---- What a provider's webhooks meet ----

def forged(sender: Sender) -> dict[str, Any]:
    delivery = sender.approves(some_id(sender))
    return as_event(Delivery(delivery.body, (("content-type", JSON),), delivery.path.partition("?")[0]))


def with_an_id_given_twice(verdict, sender: Sender) -> Lines:
    """A copy of what was recorded as something else: here since the record is changed, as if it had been read otherwise."""
    session_id = some_id(sender)
    event = approval(sender, session_id)
    received(verdict, sender, event)
    [recorded] = items(verdict, sender.session(session_id), "EVENT", sender.provider)
    put(verdict, recorded, "event.decision.outcome", "declined")
    return received(verdict, sender, event)


def put(verdict, item: dict[str, Any], path: str, text: str) -> None:
    """Gives a member of an item another text."""
    names = {f"#{depth}": name for depth, name in enumerate(path.split("."))}
    verdict.client("dynamodb").update_item(
        TableName=verdict.outputs["SessionsTableName"], Key={key: item[key] for key in ("pk", "sk")},
        UpdateExpression=f"SET {'.'.join(names)} = :text", ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeNames=names, ExpressionAttributeValues={":text": {"S": text}})


def contradicting(sender: Sender) -> dict[str, Any]:
    """A webhook whose parts contradict each other."""
    if sender is WULTRA:
        return as_event(sender.genuine({"type": "DOCUMENT_VERIFICATION_FINISHED", "processId": str(uuid.uuid4())}))
    return sample(sender, {"veriff": "veriff/event-contradicting", "treezor": "treezor/kycreview-result-contradicting"}[
        sender.provider])


#: What is genuine and makes no alarm ring, and is shown on the dashboard all the same.
ODD = {
    "veriff": ("veriff/decision-verification-null", "veriff/event-unknown"), "incode": ("incode/unknown-kind",),
    "treezor": ("treezor/payin-create", "treezor/kycreview-unknown-event"), "wultra": ("wultra/unknown-type",)}


def sample(sender: Sender, name: str) -> dict[str, Any]:
    found = webhooks.find(name)
    return webhooks.with_fresh_token(
        webhooks.make(found, sender.keys, session=found.fresh_session()), found, sender.keys)


def of_webhooks(verdict, sender: Sender) -> dict[str, Trial]:
    """A trial for each kind of alarm on a provider's webhooks."""
    odd = [sample(sender, name) for name in ODD[sender.provider]]
    well = received(verdict, sender, *[approval(sender)] * 2, *odd)
    out = {"AWS_ENDPOINT_URL_DYNAMODB": NOWHERE}
    refused = received(verdict, sender, *[forged(sender)] * (REFUSALS + 1))
    faults = {
        "Failed": received(verdict, sender, approval(sender), **out, AWS_ENDPOINT_URL_SQS=NOWHERE),
        "Spooled": received(verdict, sender, approval(sender), **out),
        "Quarantined": received(verdict, sender, as_event(sender.approves(" "))),
        "BodyTooLarge": received(verdict, sender, approval(sender), BODY_LIMIT="9"),
        "IdReused": with_an_id_given_twice(verdict, sender),
        # Nothing genuine comes, whatever else does.
        "Silent": refused,
    }
    if f"{sender.provider.title()}InconsistentAlarm" in OWN:
        faults["Inconsistent"] = received(verdict, sender, contradicting(sender))
    named = {f"{sender.provider.title()}{kind}Alarm": (lines, well) for kind, lines in faults.items()}
    # As many refusals as there may be.
    return {**named, f"{sender.provider.title()}RefusedAlarm": (refused, refused[:-1] + well)}


# ---- Secrets ----

def of_secrets(verdict, sender: Sender) -> dict[str, Trial]:
    name, secrets = sender.provider.upper(), verdict.client("secretsmanager")
    secret = secrets.create_secret(Name=f"alarms-{uuid.uuid4()}", SecretString=json.dumps(sender.keys))["ARN"]

    def fetching(url: str) -> Running:
        # As the root user: no role may read this secret. What that user may not send waits in the outbox.
        root = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": ""}
        by_arn = {f"{name}_CREDENTIALS_ARN": secret, f"{name}_CREDENTIALS": "", "INCODE_API": "false"}
        return running(verdict, sender.function, **root, **by_arn, SECRET_TTL_SECONDS=str(SECRET_TTL),
                       AWS_ENDPOINT_URL_SECRETS_MANAGER=url)

    with Wire(verdict.endpoint, lambda _: Fate.PASSED_ON) as wire, fetching(wire.url) as cut_off, \
            fetching(verdict.endpoint) as misled, fetching(NOWHERE) as blind:
        for function in (cut_off, misled):
            assert function.answer(approval(sender)).outcome == "recorded"
        well = [*cut_off.lines, *misled.lines]
        assert blind.answer(approval(sender)).outcome == "failed"
        secrets.put_secret_value(SecretId=secret, SecretString='{"secrets":')
        wire.fate = lambda _: Fate.CUT_OFF
        time.sleep(SECRET_TTL + 1)
        for function in (cut_off, misled):
            assert function.answer(approval(sender)).outcome == "recorded"
    provider = sender.provider.title()
    return {
        f"{provider}SecretUnavailableAlarm": (blind.lines, well), f"{provider}SecretInvalidAlarm": (misled.lines, well),
        f"{provider}SecretStaleAlarm": ([as_old(line) for line in cut_off.lines], cut_off.lines)}


def as_old(line: dict[str, Any]) -> dict[str, Any]:
    """The line as it is printed a quarter of an hour later: no trial can wait for that."""
    return {**line, "secretStale": line["secretStale"] + 900} if "secretStale" in line else line


# ---- What waits ----

def of_the_relay(verdict) -> dict[str, Trial]:
    session_id = str(uuid.uuid4())
    received(verdict, VERIFF, approval(VERIFF, session_id), AWS_ENDPOINT_URL_SQS=NOWHERE)
    [entry] = items(verdict, session_id, "NOTIFICATION")
    with running(verdict, "OutboxRelay", AWS_ENDPOINT_URL_SQS=NOWHERE) as relay:
        put(verdict, entry, "dueAt", ago(hours=1))
        relay.call({})
    well = printed(verdict, "OutboxRelay", [{}, {}])[-1:]
    return {"OutboxOldAlarm": (relay.lines, well), "NotRelayedAlarm": (relay.lines, well)}


def of_intake(verdict) -> dict[str, Trial]:
    def batch(**span: float) -> dict[str, Any]:
        body = VERIFF.approves(str(uuid.uuid4())).body
        message = {"kind": "webhook", "provider": "veriff", "path": VERIFF.path, "receivedAt": ago(**span),
                   "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest(), "encoding": "gzip+base64",
                   "body": base64.b64encode(gzip.compress(body)).decode()}
        attributes = {"SentTimestamp": str(int(time.time() * 1000)), "ApproximateReceiveCount": "1"}
        return {"Records": [{"messageId": "m", "receiptHandle": "r", "body": json.dumps(message), "attributes": attributes}]}

    late = printed(verdict, "Replay", [batch(hours=2)], AWS_ENDPOINT_URL_DYNAMODB=NOWHERE)
    return {"IntakeOldAlarm": (late, printed(verdict, "Replay", [batch(seconds=5)]))}


def of_the_poller(verdict) -> dict[str, Trial]:
    session_id = str(uuid.uuid4())
    with IncodeApi() as api:
        api.script(session_id, status=["ONBOARDING_FINISHED"], score=["UNKNOWN"])

        def polled(event: Any = None, **access: str) -> Lines:
            [place] = items(verdict, session_id, "POLL", "incode")
            put(verdict, place, "dueAt", ago(minutes=20))
            keys = credentials(api={**api.credentials, **access})
            return printed(verdict, "IncodePoller", [event or {}], INCODE_CREDENTIALS=keys)

        keys = credentials(api=api.credentials)
        printed(verdict, "IncodeWebhooks", [as_event(onboarding(session_id, "ONBOARDING_FINISHED"))],
                INCODE_CREDENTIALS=keys)
        polled()
        well = printed(verdict, "IncodePoller", [{}, {"Records": []}], INCODE_CREDENTIALS=keys)
        late = polled(baseUrl=NOWHERE)
        unread = polled({"Records": [{"messageId": "m", "body": "?"}]})
        api.interject(LOG_IN, error(401))
        unauthorised = polled()
        api.interject(LOG_IN, error(403))
        forbidden = polled()
    end_pause(verdict)
    return {
        "PollsOldAlarm": (late, well), "PollsFailingAlarm": (late, well), "PollerRefusedAlarm": (unauthorised, well),
        "PollerForbiddenAlarm": (forbidden, well), "WakeUpUnreadableAlarm": (unread, well)}


# ---- The trials ----

@pytest.fixture(scope="module")
def trials(verdict, only_tests_poll) -> dict[str, Trial]:
    """A trial for each alarm, by its name."""
    with ThreadPoolExecutor(2 * len(SENDERS) + 3) as pool:
        under_way = [pool.submit(of_secrets, verdict, sender) for sender in SENDERS]
        under_way += [pool.submit(of_webhooks, verdict, sender) for sender in SENDERS]
        under_way += [pool.submit(trial, verdict) for trial in (of_the_relay, of_intake, of_the_poller)]
        return {name: trial for each in under_way for name, trial in each.result().items()}


def lasting(alarm: dict[str, Any], lines: Lines) -> str:
    """The state of an alarm if these lines come in each of its periods."""
    period, periods = int(alarm["Period"]), int(alarm["EvaluationPeriods"])
    again = [Printed(line, number * period) for number in range(periods) for line in lines]
    return evaluated(alarm, again, at=periods * period)


def test_every_alarm_on_an_own_metric_has_a_trial(trials):
    assert set(trials) == set(OWN)


@pytest.mark.parametrize("name", sorted(OWN))
def test_an_alarm_rings_with_its_fault_and_not_without_it(trials, name):
    bad, well = trials[name]
    assert (lasting(OWN[name], bad), lasting(OWN[name], well)) == (ALARM, OK)


def test_a_fault_of_one_provider_s_rings_no_alarm_of_another_s(trials):
    rung = {name for name, alarm in OWN.items() for sender in SENDERS for of, (bad, _) in trials.items()
            if of.startswith(sender.provider.title()) and not name.startswith(sender.provider.title())
            and alarm["TreatMissingData"] == "notBreaching" and lasting(alarm, bad) == ALARM}
    assert rung == set()


def test_alarms_and_dashboard_look_at_metrics_that_are_printed(trials):
    found = {metric for trial in trials.values() for lines in trial for line in lines for metric, _ in values(line)}
    looked_at = {*on_dashboard(), *map(Metric.of_alarm, OWN.values())}
    assert {one for one in looked_at if one.namespace == STACK} - filtered() - found == set()
