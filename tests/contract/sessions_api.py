"""The sessions API of a local stack, asked thousands of questions that Schemathesis makes of its description."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

import stack
from stack.deployment import ROOT, directory_of, webhooks
from stack.emulator import ACCESS_KEY, REGION, SECRET_KEY
from stack.samples import send_all

HERE = ROOT / "tests/contract"
SCHEMATHESIS = ROOT / ".venv/contract/bin/schemathesis"
#: The fewest questions that say something.
FEWEST = 5000
#: For each of the operations, in the phase that draws at random.
EXAMPLES = 1300

#: Beside every sample alone: whole sessions with something told after the decision.
STORIES = (
    ("veriff/decision-approved", "veriff/watchlist-no-match", "veriff/watchlist-possible-match"),
    ("veriff/decision-review", "veriff/decision-approved", "veriff/user-status"),
)


def seed(verdict: stack.Stack) -> bool:
    """Sends every sample, and sessions that go on after the decision, one of them with an id that can't stand in a path."""
    all_right = send_all(verdict, verbose=False)
    keys = webhooks.credentials("veriff", webhooks.LOCAL_CREDENTIALS)
    for session in ("contract", "contract/with a slash"):
        for name in (name for story in STORIES for name in story):
            sample = webhooks.find(name)
            webhooks.send(webhooks.make(sample, keys, session=session), verdict.api_url)
    return all_right


def known(verdict: stack.Stack) -> list[dict[str, Any]]:
    """The sessions that there are, each with its events."""
    pages = verdict.client("dynamodb").get_paginator("scan").paginate(TableName=verdict.outputs["SessionsTableName"])
    sessions: dict[str, dict[str, Any]] = {}
    for item in (item for page in pages for item in page["Items"]):
        provider, session_id = item["pk"]["S"].removeprefix("SESSION#").split("/", 1)
        new = {"provider": provider, "sessionId": session_id, "reference": None, "events": []}
        session = sessions.setdefault(item["pk"]["S"], new)
        kind, _, name = item["sk"]["S"].partition("#")
        if kind == "EVENT":
            session["events"].append(name)
        session["reference"] = item.get("reference", {}).get("S") or session["reference"]
    return [session for session in sessions.values() if session["events"]]


def ask(verdict: stack.Stack, sessions: Path, report: Path) -> int:
    """Runs Schemathesis; returns its exit code."""
    return subprocess.run(
        [SCHEMATHESIS, "--config-file", HERE / "schemathesis.toml", "run", ROOT / "docs/contract/openapi.yaml",
         "--url", verdict.api_url, "--max-examples", str(EXAMPLES), "--report-json-path", report,
         *(("--seed", os.environ["SEED"]) if os.environ.get("SEED") else ())],
        cwd=sessions.parent, env=os.environ | {
            "SCHEMATHESIS_HOOKS": "asking", "PYTHONPATH": str(HERE), "CONTRACT_SESSIONS": str(sessions),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": REGION,
        }).returncode


def answered(verdict: stack.Stack, sessions: list[dict[str, Any]]) -> int:
    """How many of the sessions have a record, which shows that the questions reach something."""
    return sum(verdict.session(each["provider"], each["sessionId"]) is not None for each in sessions
               if urllib.parse.quote(each["sessionId"]) == each["sessionId"])


def told(asked: dict[str, Any]) -> list[str]:
    """What is wrong with a run, beside the failures that Schemathesis has shown."""
    few = [f"only {asked['test_cases']['generated']} questions"] if asked["test_cases"]["generated"] < FEWEST else []
    never = [f"{operation} was never answered as asked" for operation, phases in asked["valid_rates"].items()
             if not sum(phase["accepted"] for phase in phases.values())]
    return few + never


def main() -> int:
    port = stack.free_port()
    with stack.start(port) as verdict:
        all_right = seed(verdict)
        sessions, directory = known(verdict), directory_of(port)
        (directory / "sessions.json").write_text(json.dumps(sessions), "utf-8")
        print(f"contract: {len(sessions)} sessions to ask about, {answered(verdict, sessions)} by their path", flush=True)
        code = ask(verdict, directory / "sessions.json", directory / "schemathesis.json")
        asked = json.loads((directory / "schemathesis.json").read_text("utf-8"))
    counts, problems = asked["test_cases"], told(asked)
    print(f"contract: {counts['generated']} signed questions to {asked['operations']['tested']} routes, "
          f"{counts['unique_failures']} violations", *problems, sep="\n")
    return 0 if all_right and code == 0 and not problems else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except stack.Failure as failure:
        sys.exit(f"make contract: {failure}")
