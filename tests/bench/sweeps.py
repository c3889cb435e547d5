"""What `FULL=1` measures besides: how cost grows with a body, with a session's age and with a webhook's subjects; a burst;
and the instructions of one webhook."""
from __future__ import annotations

import base64
import json
import random
import re
import shutil
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Iterator

from cost.plan import PROVIDERS, RECORDED, Session

from proofs import Treezor
import webhooks

from .plan import ROOT, Phase, Program, builds, lives, today

Event = dict[str, Any]

WARM_UP = "warm-up"
#: Events that bring sessions to an age at which they are measured.
FILLER = "filler"

#: The samples whose bodies grow, each of which is progress. Those with images grow by their images, the others by copies of
#: themselves.
BODIES = {"veriff": "veriff/event-flow-finished", "incode": "incode/authentication-fail",
          "treezor": "treezor/qes-processing", "wultra": "wultra/presence-accepted"}
BODY_FUNCTIONS = {provider: kinds.progress_function or kinds.function for provider, kinds in PROVIDERS.items()}
KB, MB = 1024, 1024 * 1024
SIZES = (2 * KB, 8 * KB, 32 * KB, 128 * KB, 512 * KB)
#: The largest bodies that come in, if nothing else is configured. Wultra's leaves room for the event around it.
LARGEST = {"veriff": (MB,), "incode": (MB,), "treezor": (MB,), "wultra": (MB, 2 * MB, 6 * MB - 8 * KB)}
#: How many bodies of each size each process gets, and how many processes there are.
BODIES_EACH, BODY_ROUNDS = 4, 3
#: The beginning of an image, which says that it is one, stays.
HEAD = 64
IMAGE = re.compile(r'"([A-Za-z0-9+/]{256,}={0,2})"')

AGES = (1, 3, 10, 30, 100, 300, 1000)
SUBJECTS = (1, 3, 10, 30, 100, 300, 1000)
SUBJECT_ROUNDS = 3

BURST, BURST_PROCESSES = 10_000, 8
#: The instructions of this many events are counted, after those that warm the process up.
COUNTED, UNCOUNTED = 20, 10
CALLGRIND = ROOT / "target" / "bench" / "callgrind"


def tasks() -> Iterator[Event]:
    """Every task."""
    for provider in BODIES:
        yield bodies(provider)
    for what, make in OLDER.items():
        yield ages(what, *make)
    for what, subjects in MANY.items():
        for count in SUBJECTS:
            phases = [(WARM_UP, [subjects(1) for _ in range(5)]), (str(count), [subjects(count)])]
            yield sweep(f"{what}: time", "treezor-webhooks", phases, SUBJECT_ROUNDS)
            yield sweep(f"{what}: units", "treezor-webhooks", phases, is_metered=True)
    yield burst()
    if has_valgrind():
        yield from instructions()


def has_valgrind() -> bool:
    return shutil.which("valgrind") is not None


def not_measured() -> list[dict[str, Any]]:
    """What this machine lacks, as results."""
    lacking = {"kind": "failed", "task": "instructions", "program": "verdict", "reason": "valgrind isn't installed"}
    return [] if has_valgrind() else [lacking]


def is_shown(result: dict[str, Any]) -> bool:
    """Returns whether a result is kept."""
    return result["kind"] != "start" and result.get("phase") not in (WARM_UP, FILLER)


def sweep(name: str, function: str, phases: list[tuple[str, list[Event]]], rounds: int = 1, is_metered: bool = False
          ) -> Event:
    """A task: so many processes, each with phases of these names and events."""
    recorded = [Phase(phase, RECORDED, events) for phase, events in phases if events]
    return lives(name, builds(function), recorded) | {"rounds": rounds, "is_metered": is_metered}


def bodies(provider: str) -> Event:
    """Bodies from a sample's own size to the largest, in this order: so each phase's peak is its own."""
    def events(size: int) -> list[Event]:
        return [grown(provider, Session(provider), size) for _ in range(BODIES_EACH)]

    phases = [(str(len(webhooks.body_of(sent[0]))), sent) for sent in map(events, (0, *SIZES, *LARGEST[provider]))]
    return sweep(f"bodies: {provider}", BODY_FUNCTIONS[provider], [(WARM_UP, events(0)), *phases], BODY_ROUNDS)


def grown(provider: str, session: Session, size: int) -> Event:
    """A sample of this session's with a body of about so many bytes, proved anew."""
    event = session.event(BODIES[provider])
    body = webhooks.body_of(event).decode()
    if len(body) >= size:
        return event
    images = IMAGE.findall(body)
    if images:
        length = (size - len(body) + sum(map(len, images))) // len(images)
        body = IMAGE.sub(lambda found: f'"{image(found[1], length)}"', body)
    else:
        body = with_copies(provider, body, size)
    return webhooks.prove(webhooks.with_body(event, body.encode()), provider, session.keys)


def image(old: str, length: int) -> str:
    """Another image of so many characters. A real one looks as random as this."""
    return old[:HEAD] + base64.b64encode(random.Random(length).randbytes((length - HEAD) * 3 // 4)).decode()


def with_copies(provider: str, body: str, size: int) -> str:
    """The body, in which what is signed has copies of itself in a list."""
    signed = Treezor.payload(body) if provider == "treezor" else body
    copies = ",".join([signed] * ((size - len(body)) // (len(signed) + 1)))
    return body.replace(signed, f'{{"more":[{copies}],{signed[1:]}', 1)


def ages(what: str, function: str, sessions: int, make: Callable[[str, int], Event]) -> Event:
    """Sessions that grow older side by side: one event for each at each age that is measured."""
    ids = [str(uuid.uuid4()) for _ in range(sessions)]
    phases, age = [(WARM_UP, [make(str(uuid.uuid4()), 1) for _ in range(20)])], 0
    for measured in AGES:
        phases.append((FILLER, [make(session, number) for number in range(age + 1, measured) for session in ids]))
        phases.append((str(measured), [make(session, measured) for session in ids]))
        age = measured
    return sweep(what, function, phases, is_metered=True)


def made(name: str, session: str, **members: Any) -> Event:
    """A sample of a session's, with some members changed."""
    sample = SAMPLES[name]
    return webhooks.make(sample, webhooks.credentials(sample.provider), members, session=session)


def at(number: int) -> str:
    """The time of a session's event of this number."""
    return (datetime(2026, 6, 12, 9, tzinfo=timezone.utc) + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def another_event(session: str, number: int) -> Event:
    return made("wultra/presence-accepted", session, id=str(uuid.uuid4()), timestamp=at(number))


def another_check(session: str, number: int) -> Event:
    ids = {member: str(uuid.uuid4()) for member in ("id", "documentId", "documentVerificationId")}
    return made("wultra/document-failed", session, timestamp=at(number), **ids)


def another_attempt(session: str, number: int) -> Event:
    return made("veriff/event-submitted", session, attemptId=str(uuid.uuid4()))


#: What a session gets more of: by which function, how many sessions, and the event of a session and number.
OLDER: dict[str, tuple[str, int, Callable[[str, int], Event]]] = {
    "events": ("wultra-events", 6, another_event),
    "checks": ("wultra-events", 2, another_check),
    "attempts": ("veriff-events", 2, another_attempt),
}

SAMPLES = {sample.name: sample for sample in webhooks.catalogue()}


def users(count: int) -> Event:
    """A webhook about users, each of whom is a session."""
    first = random.randrange(10**6, 10**9)
    return of_treezor("treezor/user-update", "user.kycreview", "users", [
        {"userId": str(first + number), "userTag": f"customer-{number}", "userStatus": "VALIDATED", "firstname": "Sample",
         "lastname": "Specimen", "birthday": "1990-01-01", "address1": "1 Sample Street", "postcode": "75001",
         "city": "Paris", "country": "FR", "kycReview": "2", "kycLevel": "2", "codeStatus": "110009",
         "modifiedDate": "2026-06-12 09:30:00"} for number in range(count)])


def documents(count: int) -> Event:
    """A webhook about documents of one user, each of which is an event of the same session."""
    user = str(random.randrange(10**6, 10**9))
    return of_treezor("treezor/user-update", "document.update", "documents", [
        {"documentId": str(number), "userId": user, "documentStatus": "VALIDATED", "documentType": "PASSPORT",
         "fileName": "sample.pdf", "codeStatus": "600003", "modifiedDate": "2026-06-12 09:30:00"}
        for number in range(count)])


def of_treezor(like: str, name: str, member: str, subjects: list[dict[str, Any]]) -> Event:
    """A webhook about these subjects, sent and proved as a sample is."""
    envelope = {"webhook": name, "webhook_id": str(uuid.uuid4()), "object": member.removesuffix("s"), "object_id": "0",
                "object_payload": {member: subjects}, "object_payload_signature": ""}
    event = webhooks.with_body(webhooks.read_json(SAMPLES[like].file), json.dumps(envelope).encode())
    return webhooks.prove(event, "treezor", webhooks.credentials("treezor"))


#: What a webhook may hold many of.
MANY: dict[str, Callable[[int], Event]] = {"users": users, "documents of one user": documents}


def burst() -> Event:
    """Decisions, each of a session of its own, all at once."""
    return {"kind": "burst", "name": "burst", "processes": BURST_PROCESSES, "answer": RECORDED,
            "program": today("veriff-decisions").task(),
            "events": [json.dumps(made("veriff/decision-approved", str(uuid.uuid4()))) for _ in range(BURST)]}


def instructions() -> Iterator[Event]:
    """A decision, by each build under callgrind."""
    shutil.rmtree(CALLGRIND, ignore_errors=True)
    for program in builds("veriff-decisions"):
        folder = CALLGRIND / program.name
        folder.mkdir(parents=True)
        events = [json.dumps(made("veriff/decision-approved", str(uuid.uuid4()))) for _ in range(UNCOUNTED + COUNTED)]
        yield {"kind": "instructions", "name": "instructions", "counts": str(folder), "warm_up": events[:UNCOUNTED],
               "events": events[UNCOUNTED:], "answer": RECORDED, "program": under_callgrind(program, folder).task()}


def under_callgrind(program: Program, folder: Path) -> Program:
    """The same program under callgrind, which writes its count into the folder."""
    script = folder / program.file
    script.write_text(f"#!/bin/sh\nexec valgrind -q --tool=callgrind --callgrind-out-file='{folder}/%p' "
                      f"'{program.folder / program.file}'\n", "utf-8")
    script.chmod(0o755)
    return Program(program.name, folder, program.file, variables=program.variables)
