"""The worlds that are played: every sample and scenario, in order, with copies, while all is well and while it isn't.

A step is a line of JSON; `tests/simulation/src/bin/play.rs` reads them. Ids are always the same.
"""
from __future__ import annotations

import hashlib
import json
import sys
import uuid
from pathlib import Path
from typing import Any, Iterator

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "events"))
import webhooks
from cost.plan import PROVIDERS, Webhooks

Json = dict[str, Any]

#: How many users, and how many documents of one user, the largest webhooks speak of.
USERS, DOCUMENTS = 60, 140

#: What is away while the webhooks come, and what a world is called then.
LOST: dict[str, list[Json]] = {"": [], " without the table": [{"lose": "table"}],
                               " without the queues": [{"lose": "queues"}]}

#: How an ordinary session goes on.
ORDINARY = ("progress", "decision", "replaced")

#: Verdict's words for how Incode's API says that a session scored.
SCORES = {"OK": "approved", "MANUAL_OK": "approved", "FAIL": "declined", "MANUAL_FAIL": "declined", "WARN": "review"}


def lines() -> Iterator[str]:
    """Every step of every world, with the world's name."""
    for world, steps in worlds():
        for step in steps:
            yield json.dumps({"world": world, **step})


def worlds() -> Iterator[tuple[str, list[Json]]]:
    for provider in webhooks.PROVIDERS:
        for suffix, lost in LOST.items():
            yield f"{provider} samples{suffix}", [*lost, *samples_of(provider)]
        yield f"{provider} decision replaced", replaced(provider, PROVIDERS[provider])
        for number, kind in enumerate(ORDINARY, 1):
            yield f"{provider} ordinary {kind}", ordinary(provider, PROVIDERS[provider])[:number]
    yield "incode samples to confirm", [{"confirm": None}, *scores(), *samples_of("incode")]
    for scenario in webhooks.scenarios():
        steps = list(played(scenario))
        yield scenario.name, steps
        if scenario.provider == "incode":
            yield f"{scenario.name} to confirm", [{"confirm": None}, *steps]
    for suffix, lost in LOST.items():
        yield f"treezor many users{suffix}", [*lost, *many_users()]
        yield f"treezor many documents{suffix}", [*lost, *many_documents()]


def samples_of(provider: str) -> list[Json]:
    return [step for sample in webhooks.catalogue() if sample.provider == provider for step in twice(sample)]


def twice(sample: webhooks.Sample) -> list[Json]:
    """A sample as its file has it, and a copy."""
    event = webhooks.read_json(sample.file)
    return [deliver(sample.name, sample.provider, event), deliver(f"{sample.name} again", sample.provider, event)]


def deliver(name: str, provider: str, event: Json) -> Json:
    return {"deliver": {"name": name, "provider": provider, "event": event}}


def scores() -> Iterator[Json]:
    """Every session of Incode's samples was approved, Incode's API says."""
    for sample in webhooks.catalogue():
        if sample.provider == "incode" and "session" in sample.ids:
            yield {"score": {"session": sample.ids["session"], "outcome": "approved"}}


def replaced(provider: str, kinds: Webhooks) -> list[Json]:
    """A decision and the one that replaces it, with copies; then what came before them, late, and the first once more."""
    progress, first, other = ordinary(provider, kinds)
    return [first, first, other, other, progress, first]


def ordinary(provider: str, kinds: Webhooks) -> list[Json]:
    """An ordinary session: a webhook on its progress, a decision, and one that replaces it."""
    keys, session = keys_of(provider), like(webhooks.find(kinds.decision).ids["session"], "ordinary")

    def step(name: str, members: Json | None = None) -> Json:
        return deliver(name, provider, webhooks.make(webhooks.find(name), keys, members, session=session))

    return [step(kinds.progress), step(kinds.decision), step(kinds.other, kinds.later)]


def played(scenario: webhooks.Scenario) -> Iterator[Json]:
    """A scenario's webhooks, and what Incode's API says of its session."""
    ids: Json = {}
    for step in scenario.steps:
        for kind, name in step.ids.items():
            old = step.sample.ids[kind]
            ids.setdefault(name, old if kind == "reference" else like(old, f"{scenario.name} {name}"))
    if scenario.score:
        yield {"score": {"session": ids["session"], "outcome": SCORES[scenario.score]}}
    for number, step in enumerate(scenario.steps, 1):
        event = step.event(keys_of(scenario.provider), ids)
        yield deliver(f"{number} {step.sample.name}", scenario.provider, event)


def many_users() -> list[Json]:
    """Webhooks of many users, who come again with another review, some of them twice in one webhook."""
    sample = webhooks.find("treezor/user-kycreview-two-users")

    def step(name: str, numbers: Iterator[int], review: str, minute: int) -> Json:
        change = {"kycReview": review, "modifiedDate": f"2026-06-12 09:{minute:02}:00"}
        return deliver(name, "treezor", with_subjects(
            sample, "users", [{"userId": str(7_000_000 + number), **change} for number in numbers]))

    half = step("half of them", iter(range(USERS // 2)), "1", 10)
    everyone = step("all, many twice", (number % USERS for number in range(USERS * 2 - 7)), "2", 20)
    again = step("all again, otherwise", iter(range(USERS)), "3", 30)
    return [half, everyone, everyone, again, half]


def many_documents() -> list[Json]:
    """Webhooks of many documents of one user, which come again with another status; and of a user who is decided."""
    sample = webhooks.find("treezor/document-update-two-documents")

    def step(name: str, numbers: Iterator[int], status: str, minute: int) -> Json:
        change = {"userId": "7000000", "documentStatus": status, "modifiedDate": f"2026-06-12 09:{minute:02}:00"}
        return deliver(name, "treezor", with_subjects(
            sample, "documents", [{"documentId": str(800_000 + number), **change} for number in numbers]))

    some = step("some", iter(range(DOCUMENTS // 2)), "PENDING", 10)
    most = step("all, many twice", (number % DOCUMENTS for number in range(DOCUMENTS * 2 - 9)), "VALIDATED", 20)
    decided = with_subjects(webhooks.find("treezor/user-kycreview-two-users"), "users", [
        {"userId": "7000000", "kycReview": "2", "modifiedDate": "2026-06-12 09:25:00"}])
    refused = step("all again, refused", iter(range(DOCUMENTS)), "REFUSED", 30)
    return [some, most, most, deliver("approved", "treezor", decided), refused, some]


def with_subjects(sample: webhooks.Sample, member: str, subjects: list[Json]) -> Json:
    """The sample with these subjects: the first of its own each time, with other members."""
    event = webhooks.read_json(sample.file)
    body = json.loads(webhooks.body_of(event))
    payload = body.get("webhook", body) if isinstance(body.get("webhook"), dict) else body
    own = payload["object_payload"][member][0]
    payload["object_payload"][member] = [{**own, **subject} for subject in subjects]
    changed = webhooks.with_body(event, json.dumps(body).encode())
    return webhooks.prove(changed, sample.provider, keys_of(sample.provider), sample.proof)


def keys_of(provider: str) -> Json:
    return webhooks.credentials(provider, webhooks.LOCAL_CREDENTIALS)


def like(old: str, name: str) -> str:
    """An id of the same form, always the same for a name."""
    digest = hashlib.sha256(f"{old} {name}".encode()).hexdigest()
    if old.isdecimal():
        return str(10**11 + int(digest, 16) % (9 * 10**11))
    return digest[:24] if len(old) == 24 else str(uuid.UUID(digest[:32]))


if __name__ == "__main__":
    for line in lines():
        print(line)
