"""The documents of the contract: linted, in step with the template, and true of the sample messages."""
from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import yaml

from .schemas import CONTRACT, MESSAGES, ROOT, SCHEMA_OF, Schema, all_schemas

VENV = ROOT / ".venv/contract"
REDOCLY = VENV / "redocly/node_modules/@redocly/cli/bin/cli.js"
#: Pages that show messages, records or events.
PAGES = ("docs/consume.md", "docs/read-records.md")


def lint() -> list[str]:
    """What Redocly has to say about both documents."""
    linted = subprocess.run(
        [VENV / "bin/node", REDOCLY, "lint", "--config", ROOT / "tests/contract/redocly.yaml"],
        cwd=ROOT / "tests/contract", env=os.environ | {"REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return [linted.stdout] if linted.returncode else []


def document(name: str) -> Any:
    return yaml.safe_load((CONTRACT / name).read_text("utf-8"))


class Template(yaml.SafeLoader):
    """Reads the template; CloudFormation's functions become None."""


Template.add_multi_constructor("!", lambda *_: None)


def template() -> Any:
    return yaml.load((ROOT / "template.yaml").read_text("utf-8"), Template)["Resources"]


# ---- In step with the template ----

def routes_differ() -> list[str]:
    """The routes of the sessions API that only one of template and description has."""
    routes = set()
    for resource in template().values():
        for event in (resource["Properties"].get("Events") or {}).values():
            if event["Type"] == "HttpApi" and event["Properties"]["Path"].startswith("/sessions"):
                routes.add((event["Properties"]["Method"].lower(), event["Properties"]["Path"]))
    described = {(method, path) for path, methods in document("openapi.yaml")["paths"].items()
                 for method in methods if method != "parameters"}
    return [f"openapi.yaml and template.yaml differ in {route}" for route in sorted(routes ^ described)]


def queue_differs() -> list[str]:
    """The settings of the queue that aren't as described."""
    described = document("asyncapi.yaml")["channels"]["decisions"]["bindings"]["sqs"]["queue"]
    queue = template()["DecisionsQueue"]["Properties"]
    settings = {
        "fifoQueue": queue["FifoQueue"], "deduplicationScope": queue["DeduplicationScope"],
        "fifoThroughputLimit": queue["FifoThroughputLimit"], "visibilityTimeout": queue["VisibilityTimeout"],
        "messageRetentionPeriod": queue["MessageRetentionPeriod"],
    }
    wrong = [name for name, value in settings.items() if described.get(name) != value]
    if described["redrivePolicy"]["maxReceiveCount"] != queue["RedrivePolicy"]["maxReceiveCount"]:
        wrong.append("maxReceiveCount")
    return [f"asyncapi.yaml and template.yaml differ in {name}" for name in wrong]


# ---- True of the messages ----

def samples() -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(MESSAGES.glob("*.json"))}


def sample_problems(schemas: dict[str, Schema]) -> list[str]:
    """Sample messages that aren't as the schema of their type says, or that pass as another type."""
    problems = []
    for name, message in samples().items():
        own = SCHEMA_OF[message["type"]]
        problems += [f"{name}: {problem}" for problem in schemas[own].problems(message)]
        others = [other for other in SCHEMA_OF.values() if other != own and schemas[other].allows(message)]
        problems += [f"{name} passes as {other}, too" for other in others]
    return problems


def spoiled(message: Any) -> Iterator[tuple[str, Any]]:
    """Messages that can't be, each with what is wrong."""
    def but(change: str, **members: Any) -> tuple[str, Any]:
        other = copy.deepcopy(message)
        other["data"].update(members)
        return change, other

    for member in message["data"]:
        other = copy.deepcopy(message)
        del other["data"][member]
        yield f"without {member}", other
    yield but("with a sequence of 0", sequence=0)
    yield but("with another word as outcome", outcome="maybe")
    yield but("with another provider", provider="another")
    yield but("with a code that isn't one", reasonCodes=["two words"])
    yield but("with 17 codes", reasonCodes=["1"] * 17)
    yield but("with a long detail", detail={"score": "1" * 65})
    yield but("with 17 details", detail={f"name{number}": "1" for number in range(17)})
    yield but("with 65 checks", checks={f"check{number}": "passed" for number in range(65)})
    yield but("with another word of a check", checks={"watchlist": "maybe"})
    yield but("with no time", decidedAt="yesterday")
    if message["type"] != "verdict.decision.v1":
        yield but("final otherwise", final=not message["data"]["final"])
        yield but("with no outcome before", previousOutcome=None)
    if message["type"] == "verdict.check.v1":
        yield but("with no change", changes=[])
        yield but("with an outcome that isn't final", outcome="review")
    else:
        changed: dict[str, Any] = {"check": "x", "outcome": "failed", "previousOutcome": None, "reasonCodes": [],
                                   "detail": {}, "at": "2026-06-12T09:30:00Z"}
        yield but("with changes", changes=[changed])
    if message["type"] == "verdict.decision_withdrawn.v1":
        yield but("with an outcome", outcome="approved")
        yield but("with a reason", reasonCode="102")
    else:
        yield but("with no outcome", outcome=None)
        yield but("withdrawn", withdrawnAt="2026-06-12T09:30:00Z")


def too_lax(schemas: dict[str, Schema]) -> list[str]:
    """What can't be, and passes; and what may come, and doesn't."""
    problems = []
    for name, message in samples().items():
        schema = schemas[SCHEMA_OF[message["type"]]]
        problems += [f"{name} {change} passes" for change, other in spoiled(message) if schema.allows(other)]
        newer = message | {"new": 1, "data": message["data"] | {"new": 1}}
        problems += [] if schema.allows(newer) else [f"{name} with a new member doesn't pass"]
    return problems


# ---- True of the pages ----

def examples(page: str) -> Iterator[tuple[str, Any]]:
    """The messages, records and events that a page shows in full, each with the name of its schema."""
    for text in re.findall(r"^```json\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL):
        try:
            shown = json.loads(text)
        except json.JSONDecodeError:
            continue  # a part of something
        if "specversion" in shown:
            yield SCHEMA_OF[shown["type"]], shown
        elif "eventId" in shown and "effectiveAt" in shown:
            yield "event", shown
        elif "sessionId" in shown and "firstEventAt" in shown:
            yield "session", shown


def main() -> int:
    schemas = all_schemas()
    shown = [(page, name, example) for page in PAGES for name, example in examples(page)]
    problems = lint()
    for schema in schemas.values():
        jsonschema_rs.meta.validate(schema.document)
    problems += routes_differ() + queue_differs() + sample_problems(schemas) + too_lax(schemas)
    problems += [f"{page}: {problem}" for page, name, example in shown for problem in schemas[name].problems(example)]
    problems += [f"{page} shows nothing" for page in PAGES if page not in {page for page, _, _ in shown}]
    refused = sum(1 for message in samples().values() for _ in spoiled(message))
    print(f"contract: 2 documents linted, {len(schemas)} schemas, {len(samples())} sample messages, "
          f"{refused} that can't be, {len(shown)} examples of the pages: {len(problems)} problems")
    print(*problems, sep="\n", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
