"""Holds the template against cfn-lint and checkov: as it stands, and as what it comes to with each parameter alone, and
with all of them.

What isn't to be mended is excused at the resource, with the reason.
"""
from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Mapping

from .deployment import ROOT, TOOLS
from .processed import Processed, transformed
from .regulated import ACCOUNT, ALL, EACH, ONLY_DOMAIN, PROVIDERS
from .steps import step
from .trial import credentials

CHECKOV = ROOT / ".venv/audit/bin/checkov"
DIRECTORY = ROOT / "target/audit"
SECRETS = {
    f"{name}SecretArn": f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:verdict/{name.lower()}-AbCdEf"
    for name in (*PROVIDERS, "IncodeApi")}
#: What the parameters take that are texts.
TEXTS = {
    **credentials(*PROVIDERS),
    **SECRETS,
    **ALL,
    "AlarmTopicArn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:on-call",
    "Release": "0123456789",
    "WultraAdapterUrl": "https://adapter.example.com/onboarding",
    "OperatorArn": "arn:aws:iam::123456789012:role/operations",
    "BackendArn": "arn:aws:iam::123456789012:role/backend",
    "SessionsTableName": "kept.sessions_1",
    "Version": "v1.0.0",
}
#: Numbers that have no greatest value.
NUMBERS = {"EventsConcurrency": "50", "WebhooksConcurrency": "50"}
#: What makes no sense without others.
TOGETHER = {name: some for some in (*EACH.values(), ONLY_DOMAIN) for name in some} | {
    "IncodeApiSecretArn": {"IncodeSecretArn": SECRETS["IncodeSecretArn"]}}
Parameters = Mapping[str, str]


def variants() -> dict[str, Parameters]:
    """Parameters of stacks, by what to call them."""
    found: dict[str, Parameters] = {"defaults": {}, "least": limits("MinValue"), "most": limits("MaxValue")}
    for name, declared in transformed()["Parameters"].items():
        if not is_number(declared):
            found[name] = {**TOGETHER.get(name, {}), name: value(name, declared)}
    return {**{name: {**base(parameters), **parameters} for name, parameters in found.items()}, "everything": everything()}


def everything() -> Parameters:
    """A value beside the default for every parameter, with the credentials in secrets."""
    declared = transformed()["Parameters"].items()
    return {**limits("MaxValue"), **{name: value(name, one) for name, one in declared if not is_number(one)},
            **dict.fromkeys(credentials(*PROVIDERS), "")}


def limits(limit: str) -> dict[str, str]:
    """Each number at its least, or at its most: what one comes to has nothing to do with another."""
    declared = transformed()["Parameters"].items()
    return {name: str(one[limit]) if limit in one else NUMBERS[name] for name, one in declared if is_number(one)}


def is_number(declared: Mapping[str, Any]) -> bool:
    """Whether a parameter is any number within limits."""
    return declared["Type"] == "Number" and "AllowedValues" not in declared


def value(name: str, declared: Mapping[str, Any]) -> str:
    """A value that isn't the parameter's default: of several, the last."""
    others = [str(each) for each in declared.get("AllowedValues", []) if each != declared["Default"]]
    return others[-1] if others else TEXTS[name]


def base(parameters: Parameters) -> dict[str, str]:
    """The providers of a stack: all, unless the parameters name one; with credentials, unless they name a secret."""
    every = credentials(*PROVIDERS)
    if set(every) & set(parameters):
        return {}
    return {name: value for name, value in every.items() if name.replace("Credentials", "SecretArn") not in parameters}


def write() -> list[Path]:
    """Writes the template of each variant."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    files = []
    for name, parameters in variants().items():
        files.append(DIRECTORY / f"{name}.json")
        files[-1].write_text(json.dumps(Processed(**parameters).whole(), indent=1), "utf-8")
    return files


def judged(command: list[Any]) -> int:
    """Runs a judge, whose findings are printed."""
    return subprocess.run([str(part) for part in command], cwd=ROOT).returncode


def main() -> int:
    with step("Evaluating the template with each parameter alone, and with all of them"):
        files = write()
    print(f"  {len(files)} templates in {DIRECTORY.relative_to(ROOT)}")
    lint, everything = TOOLS / "cfn-lint", DIRECTORY / "everything.json"
    wrong = judged([lint, "-c", "I", "-t", "template.yaml"])
    # Parts of a text that there are under a condition alone are joined; here they are all there.
    wrong += judged([lint, "-c", "I", "-i", "I1022", "-t", *files])
    for file in ("template.yaml", everything):
        wrong += judged([CHECKOV, "--skip-download", "--framework", "cloudformation", "--compact", "--quiet", "-f", file])
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
