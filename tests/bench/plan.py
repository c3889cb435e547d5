"""The plan: what `verdict-bench` measures, as JSON, a task in each line."""
from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Iterator, Optional

from cost.plan import DUPLICATE, PROVIDERS, RECORDED, REFUSED, TICK, Session, Webhooks, question

import webhooks

from .peers.build import BUILDERS
from .peers.build import PEERS as PEERS_FOLDER

ROOT = Path(__file__).resolve().parents[2]

#: How many processes each program has, and how many events of each kind a process gets.
STARTS = 30
WARM = 20

#: What users would write instead, each in a folder of its own.
PEERS = tuple(BUILDERS)
#: The peer that does nothing: what the runtime alone takes.
FLOOR = "hello"
#: A peer's answer holds this.
ANSWERED = "200"

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:veriff-AbCdEf"
DONE = '"batchItemFailures":[]'
FOUND = '"statusCode":200'
#: No connection is opened before the first call.
UNCONNECTED = {"VERDICT_CONNECT": "false"}

#: The file with the certificate of the run, and no others.
CERTIFICATE = "{certificate}"

#: A function's variables, besides those that lead it to AWS. A variable that is None isn't set.
Variables = dict[str, Optional[str]]


@dataclass(frozen=True)
class Program:
    """A program that is measured."""

    name: str
    folder: Path
    file: str
    answer: Optional[str] = None
    variables: Variables = field(default_factory=dict)

    def task(self) -> dict[str, Any]:
        return {"name": self.name, "folder": str(self.folder), "file": self.file, "answer": self.answer,
                "variables": variables() | self.variables}

    def named(self, name: str, **more: Optional[str]) -> Program:
        """The same under another name, with other variables."""
        return replace(self, name=name, variables=self.variables | more)


@dataclass(frozen=True)
class Phase:
    """Events of one sort, and a text that each answer holds."""

    name: str
    answer: str
    events: list[Any] = field(default_factory=list)

    def task(self) -> dict[str, Any]:
        return {"name": self.name, "answer": self.answer, "events": [json.dumps(event) for event in self.events]}


@dataclass(frozen=True)
class Before:
    """Events that a program gets before anything is measured, while a service is away."""

    program: Program
    phase: Phase
    away: Optional[str] = None

    def task(self) -> dict[str, Any]:
        return {"program": self.program.task(), "phase": self.phase.task(), "away": self.away}


def lives(name: str, programs: list[Program], phases: list[Phase], before: Optional[Before] = None,
          queue: Optional[str] = None) -> dict[str, Any]:
    """A task: processes of the programs in turns. If a queue is named, its messages are the first phase's events."""
    return {"kind": "lives", "name": name, "rounds": number("STARTS", STARTS), "queue": queue,
            "secrets": {SECRET: json.dumps(webhooks.credentials("veriff"))}, "before": [before.task()] if before else [],
            "programs": [program.task() for program in programs], "phases": [phase.task() for phase in phases]}


def variables() -> Variables:
    """The variables that every program has, as the template and Lambda set them."""
    return {
        "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
        "SESSIONS_TABLE": "sessions", "PAYLOAD_RETENTION_DAYS": "400", "VERDICT_LOG": "info",
        "VERDICT_VERSION": "v0.2.0-3-gabcdef0", "VERDICT_NAMESPACE": "verdict", "PATH": os.environ["PATH"],
        # The peers' own. Node has roots compiled in: only the servers' certificate comes beside them.
        "IDEMPOTENCY_TABLE": "idempotency", "NODE_EXTRA_CA_CERTS": CERTIFICATE,
        **{f"{provider.upper()}_CREDENTIALS": json.dumps(Session(provider).keys) for provider in PROVIDERS},
    }


def binaries() -> Path:
    """The folder of the functions that are measured."""
    return Path(os.environ.get("BINARIES") or ROOT / "target" / "release").resolve()


def baseline() -> Optional[Path]:
    """The folder of another build, which is measured beside today's."""
    return Path(os.environ["BASELINE"]).resolve() if os.environ.get("BASELINE") else None


def today(function: str) -> Program:
    """Today's build of a function."""
    return Program("verdict", binaries(), function)


def builds(function: str) -> list[Program]:
    """Today's build of a function, and the other one."""
    other = baseline()
    return [today(function), *([Program("baseline", other, function)] if other else [])]


def peers() -> list[Program]:
    """The peers that are built."""
    return [Program(name, PEERS_FOLDER / name, "bootstrap", ANSWERED) for name in PEERS if missing(name) is None]


def missing(peer: str) -> Optional[str]:
    """The reason why a peer can't be measured."""
    folder = PEERS_FOLDER / peer
    if (folder / "missing").exists():
        return (folder / "missing").read_text("utf-8").strip()
    return None if (folder / "bootstrap").exists() else "not built (make bench-peers)"


def number(variable: str, default: int) -> int:
    return int(os.environ.get(variable) or default)


def warm() -> int:
    return number("WARM", WARM)


def tasks() -> Iterator[dict[str, Any]]:
    """Every task."""
    yield decision()
    yield start()
    for provider, kinds in PROVIDERS.items():
        yield from receivers(provider, kinds)
    yield from others()


def decision() -> dict[str, Any]:
    """A decision of Veriff's: by today's build, the other one, and the peers."""
    function = PROVIDERS["veriff"].function
    arn = today(function).named("verdict, secret by ARN", VERIFF_CREDENTIALS=None, VERIFF_CREDENTIALS_ARN=SECRET)
    few = today(function).named("verdict, roots as on Lambda", SSL_CERT_FILE=CERTIFICATE)
    return lives("decision", [*builds(function), few, arn, *peers()],
                 [Phase("decision", RECORDED, decisions(2 * warm() + 1))])


def decisions(count: int) -> list[Any]:
    """Decisions of Veriff's, each on a session of its own."""
    return [Session("veriff").event(PROVIDERS["veriff"].decision) for _ in range(count)]


def start() -> dict[str, Any]:
    """Starts without a connection, with a bundle of root certificates in a file, and with the machine's own."""
    function = PROVIDERS["veriff"].function
    floor = [peer for peer in peers() if peer.name == FLOOR]
    programs = [program.named(program.name, **UNCONNECTED) for program in [*builds(function), *floor]]
    return lives("start", [*programs, *(program.named(f"{program.name}, no SSL_CERT_FILE", SSL_CERT_FILE=None)
                                        for program in programs)], [])


def receivers(provider: str, kinds: Webhooks) -> Iterator[dict[str, Any]]:
    """The functions that receive a provider's webhooks, with each kind of webhook."""
    sessions = [Session(provider) for _ in range(warm() + 1)]
    # Of sessions of their own: progress that comes after a decision may change it.
    progress = Phase("progress", RECORDED, [Session(provider).event(kinds.progress) for _ in sessions])
    decided = [session.event(kinds.decision) for session in sessions]
    replaced = [session.event(kinds.other, kinds.later) for session in sessions[1:]]
    forged = Phase("forgery", REFUSED, [session.event(kinds.forged) for session in sessions[1:]])
    rest = [Phase("copy", DUPLICATE, decided[1:]), Phase("decision replaced", RECORDED, replaced), forged]
    decision = Phase("decision", RECORDED, decided)
    if kinds.progress_function:
        copy = Phase("copy", DUPLICATE, progress.events[1:])
        yield lives(kinds.progress_function, builds(kinds.progress_function), [progress, copy, forged])
        yield lives(kinds.function, builds(kinds.function), [decision, *rest])
    else:
        yield lives(kinds.function, builds(kinds.function), [decision, *rest, replace(progress, events=progress.events[1:])])


def others() -> Iterator[dict[str, Any]]:
    """The functions that receive no webhooks, each with what it does most."""
    receiver = today(PROVIDERS["veriff"].function)
    sessions = [Session("veriff") for _ in range(warm() + 1)]
    decided = [session.event(PROVIDERS["veriff"].decision) for session in sessions]
    recorded = Before(receiver, Phase("decision", RECORDED, decided))
    ticks = Phase("run without work", "null", [TICK] * (warm() + 1))
    yield lives("outbox-relay", builds("outbox-relay"), [ticks])
    yield lives("incode-poller", builds("incode-poller"), [ticks])
    spooled = Before(receiver, Phase("decision", '"x-verdict-outcome":"spooled"', decided), away="dynamoDb")
    yield lives("replay", builds("replay"), [Phase("webhook from intake", DONE)], spooled, "IntakeQueue")
    issuer = [program.named(program.name, INCODE_CREDENTIALS=json.dumps(webhooks.credentials("incode")))
              for program in builds("incode-token")]
    yield lives("incode-token", issuer, [Phase("token", "access_token", [token_request()] * (warm() + 1))])
    yield lives("sessions-api", builds("sessions-api"),
                [Phase("record read", FOUND, [question(session.id) for session in sessions])], recorded)
    previews = [{"dryRun": [{"provider": "veriff", "sessionId": session.id}]} for session in sessions]
    yield lives("rebuild-preview", builds("rebuild-preview"), [Phase("preview", '"sessions":[{', previews)], recorded)
    yield payloads(receiver)


def payloads(receiver: Program) -> dict[str, Any]:
    """The payloads of events whose ids are known: of a watchlist's, the body's digest."""
    sessions = [Session("veriff") for _ in range(warm() + 1)]
    screened = [session.event("veriff/watchlist-no-match") for session in sessions]
    digests = [hashlib.sha256(webhooks.body_of(event)).hexdigest() for event in screened]
    asked = [payload_question(session.id, f"watchlist:{digest}") for session, digest in zip(sessions, digests)]
    return lives("session-payloads", builds("session-payloads"), [Phase("payload read", FOUND, asked)],
                 Before(receiver, Phase("watchlist", RECORDED, screened)))


def payload_question(session: str, event: str) -> dict[str, Any]:
    """`GET /sessions/veriff/{session}/events/{event}/payload`, as API Gateway hands it over."""
    asked = question(session)
    path = f"{asked['rawPath']}/events/{event}/payload"
    route = "GET /sessions/{provider}/{sessionId}/events/{eventId}/payload"
    asked["requestContext"]["http"]["path"] = path
    asked["requestContext"]["routeKey"] = route
    return asked | {"rawPath": path, "routeKey": route, "pathParameters": asked["pathParameters"] | {"eventId": event}}


def token_request() -> dict[str, Any]:
    """What Incode asks the token endpoint for."""
    client = webhooks.credentials("incode")["oauth"]["clients"][0]
    path = webhooks.Incode.TOKEN_PATH
    return {
        "version": "2.0", "routeKey": f"POST {path}", "rawPath": path, "rawQueryString": "",
        "headers": {"content-type": "application/x-www-form-urlencoded",
                    "authorization": f"Basic {webhooks.basic(client['id'], client['secret'])}"},
        "requestContext": {"http": {"method": "POST", "path": path}, "requestId": "request", "stage": "$default"},
        "body": "grant_type=client_credentials", "isBase64Encoded": False,
    }
