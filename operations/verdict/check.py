"""Holds a parameter file against the template before anything is compiled or deployed.

sam drops a name that the template does not have without a word, and prints its value in clear; CloudFormation takes any
credentials that look like JSON, and the function then does not start. So both are found here. No message holds a value.
"""
from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Iterator, Mapping, Optional, Sequence

import click

from . import credentials, options, parameters, template
from .parameters import Parameter
from .problem import Problem

CREDENTIALS, SECRET_ARN = "Credentials", "SecretArn"
#: The parameters of the secret that only the poller may read, and of the one that it stands beside.
API_SECRET_ARN, INCODE_SECRET_ARN = "IncodeApiSecretArn", "IncodeSecretArn"
#: CloudFormation's limit for the value of one parameter.
MAX_VALUE_BYTES = 4096
#: What Lambda calls a processor, and what Rust calls the functions' target there.
TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}


@dataclass(frozen=True)
class Secrets:
    """The secrets that parameters name, by parameter: what they hold if they could be read, or else what is wrong."""

    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    wrong: Mapping[str, str] = field(default_factory=dict)


def refuse_wrong(path: Path, given: Sequence[Parameter], *, deployed: Sequence[str] = (),
                 kept: Mapping[str, str] = MappingProxyType({}), secrets: Secrets = Secrets(),
                 endpoint: Optional[str] = None, judge: credentials.Judge = credentials.judge) -> None:
    """Ends the command if something is wrong with the file, with a line for each finding.

    `deployed` names the parameters that the stack has values of: CloudFormation keeps those that are left out. `kept` has
    the credentials among those, by provider, as far as they can be read.
    """
    declared = template.load()["Parameters"]
    found = list(names(given, declared)) or [
        *values(given, declared), *providers(given, declared, deployed), *given_twice(given),
        *api_apart(given, deployed), *token_endpoint(given, secrets), *unusable(given, secrets),
        *judged(given, declared, judge({**kept, **texts(given), **secret_texts(secrets)}, endpoint))]
    if found:
        raise Problem("\n".join(f"{path.name}{line}" for line in found))


# ---- Names ----

def names(given: Sequence[Parameter], declared: Mapping[str, Any]) -> Iterator[str]:
    """Names that the template does not have, or that come twice."""
    lines: dict[str, int] = {}
    for each in given:
        if each.name not in declared:
            yield f", line {each.line}: it isn't a parameter; {instead(each.name, declared)}"
        elif each.name in lines:
            yield f", line {each.line}: {each.name} stands on line {lines[each.name]} already; keep one of the two"
        lines.setdefault(each.name, each.line)


def instead(name: str, declared: Mapping[str, Any]) -> str:
    """What the name may have been meant to be. The name itself is not shown: it may be a secret in the wrong place."""
    folded = {known.lower(): known for known in declared}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return f"did you mean {folded[near[0]]}?" if near else f"there are {', '.join(declared)}"


# ---- Values ----

def values(given: Sequence[Parameter], declared: Mapping[str, Any]) -> Iterator[str]:
    """Values that CloudFormation would refuse."""
    for each in given:
        wrong = wrong_value(each, declared[each.name])
        if wrong:
            yield f", line {each.line}: {each.name} {wrong}"


def wrong_value(given: Parameter, declaration: Mapping[str, Any]) -> Optional[str]:
    if given.is_nested and not is_credentials(given.name):
        return "must be a single value, not a list or a mapping"
    size = len(given.value.encode("utf-8"))
    if size > MAX_VALUE_BYTES:
        return f"has {size} bytes; CloudFormation takes {MAX_VALUE_BYTES}"
    if is_credentials(given.name):
        # The functions' own words come first: see `judged`.
        return None
    return wrong_choice(given.value, declaration) or wrong_number(given.value, declaration) or wrong_text(
        given.value, declaration)


def wrong_choice(value: str, declaration: Mapping[str, Any]) -> Optional[str]:
    allowed = [str(each) for each in declaration.get("AllowedValues", [])]
    return f"must be one of {', '.join(allowed)}" if allowed and value not in allowed else None


def wrong_number(value: str, declaration: Mapping[str, Any]) -> Optional[str]:
    if declaration["Type"] != "Number":
        return None
    least, most = declaration.get("MinValue"), declaration.get("MaxValue")
    is_right = re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) and (
        (least is None or float(value) >= least) and (most is None or float(value) <= most))
    limits = f"{'' if least is None else f' from {least}'}{'' if most is None else f' to {most}'}"
    return None if is_right else f"must be a number{limits}"


def wrong_text(value: str, declaration: Mapping[str, Any]) -> Optional[str]:
    pattern = declaration.get("AllowedPattern")
    if pattern is None or re.fullmatch(pattern, value):
        return None
    return f"must be {declaration.get('ConstraintDescription', f'as the pattern {pattern} says')}"


# ---- Credentials ----

def is_credentials(name: str) -> bool:
    return name.endswith(CREDENTIALS)


def provider_of(name: str) -> str:
    return name.removesuffix(CREDENTIALS).lower()


def is_secret_arn(name: str) -> bool:
    return name.endswith(SECRET_ARN)


def deploys_a_provider(name: str) -> bool:
    """Whether a parameter that isn't empty has a provider deployed."""
    return is_credentials(name) or (is_secret_arn(name) and name != API_SECRET_ARN)


def texts(given: Sequence[Parameter]) -> dict[str, str]:
    """The credentials' JSON by provider, of those that are deployed."""
    return {provider_of(each.name): each.value for each in given if is_credentials(each.name) and each.value}


def secret_texts(secrets: Secrets) -> dict[str, str]:
    return {judged_as(name): text for name, text in secrets.texts.items()}


def judged_as(name: str) -> str:
    """The name by which the judge knows the credentials that a parameter has, such as `veriff`, or that are in the secret
    that it names, such as `veriffSecret`."""
    return provider_of(name) if is_credentials(name) else name[0].lower() + name[1:].removesuffix("Arn")


def judged(
        given: Sequence[Parameter], declared: Mapping[str, Any], findings: Sequence[credentials.Finding]) -> Iterator[str]:
    """What the functions would not start with."""
    parameter = {judged_as(name): name for name in declared if is_credentials(name) or is_secret_arn(name)}
    lines, refused = lines_of(given), set()
    for finding in findings:
        name = parameter[finding.name]
        refused.add(name)
        if name in lines:
            yield f", line {lines[name]}: {name}: {finding.spoken}"
        else:
            yield f": {name} isn't in it, and {what_it_has(name)} that the stack has would not do: {finding.spoken}"
    for each in filter(lambda each: is_credentials(each.name) and each.name not in refused, given):
        wrong = wrong_text(each.value, declared[each.name])
        if wrong:
            yield f", line {each.line}: {each.name} {wrong}"


def unusable(given: Sequence[Parameter], secrets: Secrets) -> Iterator[str]:
    """Says which secrets the functions can't read either."""
    lines = lines_of(given)
    for name, wrong in secrets.wrong.items():
        if name in lines:
            yield f", line {lines[name]}: {name}: the secret {wrong}"
        else:
            yield f": {name} isn't in it, and {what_it_has(name)} that the stack has {wrong}"


def lines_of(given: Sequence[Parameter]) -> dict[str, int]:
    return {each.name: each.line for each in given}


def what_it_has(name: str) -> str:
    return "the secret" if is_secret_arn(name) else "those"


def providers(given: Sequence[Parameter], declared: Mapping[str, Any], deployed: Sequence[str]) -> Iterator[str]:
    """Says if no provider would be left."""
    said = {each.name: each.value for each in given}
    held = [name for name in deployed if name not in said] + [name for name, value in said.items() if value]
    if not any(map(deploys_a_provider, held)):
        yield f": it has the credentials of no provider; give at least one of {', '.join(filter(is_credentials, declared))}"


def given_twice(given: Sequence[Parameter]) -> Iterator[str]:
    """Says which provider has both credentials and a secret. What the stack keeps of the two, `make deploy` takes away."""
    said = {each.name: each for each in given if each.value}
    for name, each in said.items():
        other = said.get(name.removesuffix(SECRET_ARN) + CREDENTIALS)
        if is_secret_arn(name) and other:
            yield (f", line {each.line}: {name} stands beside {other.name} on line {other.line}; keep one of the two: the "
                   "credentials, or the ARN of a secret that has them")


def api_apart(given: Sequence[Parameter], deployed: Sequence[str]) -> Iterator[str]:
    """Says if the secret of Incode's API doesn't stand beside another secret of Incode's."""
    said = {each.name: each for each in given}
    api, incode = said.get(API_SECRET_ARN), said.get(INCODE_SECRET_ARN)
    if api is None or not api.value:
        return
    if not (incode.value if incode else INCODE_SECRET_ARN in deployed):
        yield (f", line {api.line}: {API_SECRET_ARN} needs {INCODE_SECRET_ARN}: give the secret of the other credentials, "
               "or write `api` into IncodeCredentials")
    elif incode and incode.value == api.value:
        yield (f", line {api.line}: {API_SECRET_ARN} is the secret that {INCODE_SECRET_ARN} names, too: put `api` into a "
               "secret of its own, which only the poller may read")


TOKEN_ENDPOINT = "IncodeOAuth"


def token_endpoint(given: Sequence[Parameter], secrets: Secrets) -> Iterator[str]:
    """Says if Incode would ask for tokens where no function gives any. If the file leaves one of the two out, the doctor
    sees it."""
    said = {each.name: each for each in given}
    endpoint, incode = said.get(TOKEN_ENDPOINT), said.get(f"Incode{CREDENTIALS}")
    text = secrets.texts.get(INCODE_SECRET_ARN) or (incode.value if incode else "")
    if endpoint and endpoint.value == "false" and has_oauth(text):
        yield (f", line {endpoint.line}: {TOKEN_ENDPOINT} is false, and Incode's credentials have `oauth`: no function "
               "would give Incode the tokens that its webhooks carry; leave one of the two out")


def has_oauth(text: str) -> bool:
    """Whether Incode's credentials have a token endpoint. What isn't JSON, others speak of."""
    try:
        read = json.loads(text)
    except ValueError:
        return False
    return isinstance(read, dict) and bool(read.get("oauth"))


# ---- The build target ----

def architecture(given: Sequence[Parameter], deployed: Mapping[str, str]) -> str:
    """The processor that the functions are built for: as the file says, else as the stack has it."""
    said = {each.name: each.value for each in given}
    default = template.load()["Parameters"]["Architecture"]["Default"]
    return said.get("Architecture") or deployed.get("Architecture") or default


def refuse_unbuildable(processor: str) -> None:
    """Ends the command if this machine's Rust has no standard library for that processor."""
    target = TARGETS.get(processor)
    if target is None:
        # The file's check says which there are.
        return
    if not shutil.which("rustc"):
        raise Problem("there is no rustc on the PATH: install Rust 1.95 or later, and open a new shell")
    asked = subprocess.run(["rustc", "--print", "target-libdir", "--target", target], capture_output=True, text=True)
    if asked.returncode or not os.path.isdir(asked.stdout.strip()):
        raise Problem(f"Architecture: this machine can't build for {processor} yet: run `rustup target add {target}`")


# ---- The command ----

@click.command(short_help="Check a parameter file; nothing is asked of AWS.")
@options.parameters_file
@options.endpoint
def check(path: Path, endpoint: Optional[str]) -> None:
    """Hold a parameter file against the template and the functions' own rules; nothing is asked of AWS."""
    given = parameters.read(path)
    refuse_unbuildable(architecture(given, {}))
    refuse_wrong(path, given, endpoint=endpoint)
    click.echo(f"{path}: {len(given)} parameters, nothing wrong with them")
